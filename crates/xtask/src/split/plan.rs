//! Where everything goes: which functions, parts of functions and data are in which file.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{ConstExpr, DataSection, RefType, TableType, TypeSection};
use wasmparser::{TypeSectionReader, ValType};

use super::data::Data;
use super::module::{Facts, Plain, callees};
use super::number;
use super::outline::Part;
use super::record::Record;
use super::sorted::{Needs, Sorted};

/// What exports begin with that the way to the rest goes through.
const WAY: &str = "__externref";

/// Where everything goes.
pub struct Plan<'a> {
    pub wasm: &'a [u8],
    pub facts: Facts<'a>,
    /// Functions of the first file.
    pub first: BTreeSet<u32>,
    /// Functions of the rest.
    pub rest: Vec<u32>,
    /// Those of the rest that something in the first file calls or names, in the order of their entries in the table.
    pub stubs: Vec<u32>,
    /// Parts of functions of the first file that are in the rest; their entries follow those of the stubs.
    pub parts: Vec<(u32, Part)>,
    /// Type of each part.
    pub kinds: Vec<u32>,
    /// Types besides those of the module, from its first free number on.
    types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Functions of the first file that the rest calls. Their entries in the table follow those of the parts.
    needed: BTreeSet<u32>,
    /// In which order the first file has its own functions, counted in the order of the module; empty for that itself.
    pub order: Vec<usize>,
    /// The function that makes the rest be there.
    pub loader: u32,
    /// The constant data, and what of it is in the first file and what in the rest.
    pub data: &'a Data,
    pub kept: Vec<Range<u32>>,
    pub left: Vec<Range<u32>>,
}

impl<'a> Plan<'a> {
    /// A plan by what the record says; nothing if it is of another compiler.
    ///
    /// # Errors
    /// When it is no wasm that this build's tools can read, or not one of the page.
    pub fn new(wasm: &'a [u8], record: &Record, data: &'a Data) -> Result<Option<Self>> {
        let facts = Facts::read(wasm)?;
        ensure!(data.is_in(wasm)?, "the data of the page is not what the linker left");
        let loader = facts.loader.context("the page does not export load_rest")?;
        let Some(Sorted { first, parts }) = Sorted::by(&facts, record, data, &way(&facts, loader))? else {
            return Ok(None);
        };
        let functions = u32::try_from(facts.kinds.len())?;
        let rest = (0..functions).filter(|function| !first.contains(function)).collect();
        let parts =
            parts.into_iter().flat_map(|(owner, parts)| parts.into_iter().map(move |part| (owner, part)));
        let mut plan = Self {
            wasm,
            first,
            rest,
            stubs: Vec::new(),
            parts: parts.collect(),
            kinds: Vec::new(),
            types: vec![(Vec::new(), Vec::new())],
            needed: BTreeSet::new(),
            order: Vec::new(),
            loader,
            data,
            kept: Vec::new(),
            left: Vec::new(),
            facts,
        };
        plan.link();
        Ok(Some(plan))
    }

    /// Finds what each file needs of the other.
    fn link(&mut self) {
        let (mut needs, mut from_rest) = (Needs::default(), BTreeSet::new());
        for function in &self.first {
            let Some(code) = self.facts.code(*function) else { continue };
            let taken = self.facts.names.get(function).and_then(|name| self.data.taken(name));
            let mut at = 0;
            for part in parts_of(&self.parts, *function) {
                needs.add(&code.ops[at..part.from], taken);
                from_rest.extend(callees(&code.ops[part.from..part.to]));
                at = part.to;
            }
            needs.add(&code.ops[at..], taken);
        }
        (self.kept, self.left) = self.data.parts(&needs.constants);
        let entries = self.data.entries(&self.kept).chain(needs.entries);
        needs.calls.extend(entries.filter_map(|entry| self.facts.entries.get(&entry)));
        needs.calls.extend(&self.facts.named);
        for function in &self.rest {
            from_rest.extend(self.facts.code(*function).into_iter().flat_map(|code| callees(&code.ops)));
        }
        self.stubs = needs.calls.into_iter().filter(|function| !self.first.contains(function)).collect();
        self.needed = from_rest.into_iter().filter(|function| self.first.contains(function)).collect();
        for (function, part) in &self.parts {
            let Some(code) = self.facts.code(*function) else { continue };
            let signature = part.signature(code);
            let at = self.types.iter().position(|known| *known == signature).unwrap_or_else(|| {
                self.types.push(signature);
                self.types.len() - 1
            });
            self.kinds.push(number(self.facts.types.len() + at));
        }
    }

    /// The type of a function without parameters and results.
    pub fn plain_kind(&self) -> u32 {
        number(self.facts.types.len())
    }

    /// Parts of the constant data as segments.
    pub fn segments(&self, parts: &[Range<u32>], section: &mut DataSection) {
        for part in parts {
            let place = ConstExpr::i32_const(part.start.cast_signed());
            section.active(0, &place, self.data.bytes(part).iter().copied());
        }
    }

    /// The stubs and parts, counted in this order, as their entries follow one another: as they stand in the first file, for so
    /// they are told in least room.
    pub fn entries(&self) -> Vec<usize> {
        let (places, _) = self.places();
        let functions: BTreeMap<u32, u32> =
            places.into_iter().map(|(function, place)| (place, function)).collect();
        let mut entries = Vec::new();
        for function in functions.values() {
            entries.extend(self.stubs.binary_search(function).ok());
            let start = self.parts.partition_point(|(owner, _)| owner < function);
            let parts = parts_of(&self.parts, *function).count();
            entries.extend((start..start + parts).map(|part| self.stubs.len() + part));
        }
        entries
    }

    /// The first entry in the table of the functions that the rest calls.
    pub fn entry_of_needed(&self) -> u32 {
        self.facts.table + number(self.stubs.len() + self.parts.len())
    }

    /// Where each function that is in the first file stands there, stubs included, and where the one that sees to it that the
    /// rest is there.
    pub fn places(&self) -> (BTreeMap<u32, u32>, u32) {
        let kept: BTreeSet<u32> = self.first.iter().chain(&self.stubs).copied().collect();
        let own = kept.len() + 1 - self.facts.imported as usize;
        let mut places: Vec<u32> = (0..=number(kept.len())).collect();
        if self.order.len() == own {
            for (place, function) in (self.facts.imported..).zip(&self.order) {
                places[self.facts.imported as usize + function] = place;
            }
        }
        let ensure = places[kept.len()];
        (kept.into_iter().zip(places).collect(), ensure)
    }

    /// The functions that the rest calls, in the order of the first file.
    pub fn needed(&self) -> Vec<u32> {
        let (places, _) = self.places();
        let mut needed: Vec<u32> = self.needed.iter().copied().collect();
        needed.sort_by_key(|function| places[function]);
        needed
    }

    pub fn table(&self) -> TableType {
        let entries = u64::from(self.entry_of_needed()) + self.needed.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: entries,
            maximum: Some(entries),
            shared: false,
        }
    }

    pub fn write_types(
        &self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Plain.parse_type_section(types, section)?;
        for (parameters, results) in &self.types {
            let kinds = |kinds: &[ValType]| {
                kinds.iter().map(|kind| Plain.val_type(*kind)).collect::<Result<Vec<_>, _>>()
            };
            types.ty().function(kinds(parameters)?, kinds(results)?);
        }
        Ok(())
    }
}

/// The functions that the way to the rest goes through: they must be there, whole, before it is.
fn way(facts: &Facts<'_>, loader: u32) -> BTreeSet<u32> {
    let glue = facts.exports.iter().filter(|(name, _)| name.starts_with(WAY)).map(|(_, function)| *function);
    let mut way = BTreeSet::new();
    let mut todo: Vec<u32> = glue.chain([loader]).collect();
    while let Some(function) = todo.pop() {
        if way.insert(function) {
            todo.extend(facts.code(function).into_iter().flat_map(|code| callees(&code.ops)));
        }
    }
    way
}

/// The parts of a function; they are in order.
pub fn parts_of(parts: &[(u32, Part)], function: u32) -> impl Iterator<Item = &Part> {
    let start = parts.partition_point(|(owner, _)| *owner < function);
    parts[start..].iter().take_while(move |(owner, _)| *owner == function).map(|(_, part)| part)
}
