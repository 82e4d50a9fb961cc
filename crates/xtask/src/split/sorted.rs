//! Which functions the first file has.
//!
//! Those that ran when the record was made, without the segments that did not ([`known`]). What has changed since is taken to
//! run: new segments stay, and what is new and called or named by what stays comes too, unless it is large. So the page starts
//! without its second file after most changes, and grows a little with each until the record is renewed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;
use wasmparser::Operator;

use super::code::Code;
use super::data::{self, Data};
use super::known::{Life, Lot, lots};
use super::module::{Facts, callees};
use super::outline::{Finder, Part};
use super::record::{Own, Record};

/// Largest body of a new function that comes because code calls it of which it is not known whether it runs.
const CALLED: usize = 1 << 16;
/// Largest one of a function that is known not to have run, and is called by new code.
const OLD: usize = 256;
/// Largest one of a new function that comes because it is named.
const NAMED: usize = 512;

/// Libraries whose ways hang on chance, such as how hashes fall, how memory lies and in which order tasks come: what ran of
/// them once is there whole.
const OF_CHANCE: &[&str] =
    &["hashbrown", "dlmalloc", "yew10dom_bundle5blist", "yew9scheduler", "wasm_bindgen", "js_sys"];

/// Largest one that takes no more than the call of what is in the rest.
const TINY: usize = 20;

/// The functions of the first file, and the parts of them that are in the rest.
pub struct Sorted {
    pub first: BTreeSet<u32>,
    pub parts: BTreeMap<u32, Vec<Part>>,
}

/// What code needs besides itself.
#[derive(Default)]
pub struct Needs {
    /// Functions that it calls.
    pub calls: BTreeSet<u32>,
    /// Entries of the table that it takes.
    pub entries: BTreeSet<u32>,
    /// Numbers that may be addresses.
    pub constants: BTreeSet<u32>,
}

impl Needs {
    /// Adds what these operators need, of a function that takes these entries of the table.
    pub fn add(&mut self, ops: &[Operator<'_>], taken: Option<&BTreeSet<u32>>) {
        self.calls.extend(callees(ops));
        let constants: Vec<u32> = data::constants(ops).collect();
        self.entries
            .extend(constants.iter().filter(|constant| taken.is_some_and(|taken| taken.contains(constant))));
        self.constants.extend(constants);
    }
}

impl Sorted {
    /// Sorts the functions of a module; those of `way` are in the first file, whole. Nothing if most of what the record names
    /// is not there.
    ///
    /// # Errors
    /// When a body holds what compilers do not make here.
    pub fn by(facts: &Facts<'_>, record: &Record, data: &Data, way: &BTreeSet<u32>) -> Result<Option<Self>> {
        let named = facts.names.range(facts.imported..);
        let named: Vec<(u32, Own)> = named
            .filter_map(|(function, name)| {
                Some((*function, Own::of(name, facts.code(*function)?, &facts.names)))
            })
            .collect();
        let known = named.iter().filter(|(_, own)| record.ran.contains_key(&own.name)).count();
        if known * 2 < record.ran.len() {
            return Ok(None);
        }
        let (functions, named): (Vec<u32>, Vec<Own>) = named.into_iter().unzip();
        let lots: BTreeMap<u32, Lot> = functions.into_iter().zip(lots(&named, record)).collect();
        let mut growth =
            Growth { facts, data, lots, sorted: Self { first: BTreeSet::new(), parts: BTreeMap::new() } };
        growth.sort(way)?;
        Ok(Some(growth.sorted))
    }
}

/// The first file, while it grows.
struct Growth<'f, 'a> {
    facts: &'f Facts<'a>,
    data: &'f Data,
    /// What is known of each function that has a name.
    lots: BTreeMap<u32, Lot>,
    sorted: Sorted,
}

impl Growth<'_, '_> {
    fn sort(&mut self, way: &BTreeSet<u32>) -> Result<()> {
        let functions = u32::try_from(self.facts.kinds.len())?;
        // Those without names are the glue's own, which are few.
        let is_first = |function: &u32| way.contains(function) || self.has_run(*function);
        let mut todo: Vec<u32> = (0..functions).filter(is_first).collect();
        self.sorted.first.extend(todo.iter().copied());
        while !todo.is_empty() {
            for function in todo.iter().filter(|function| !way.contains(function)) {
                self.cut(*function)?;
            }
            let called: Vec<u32> = todo.iter().flat_map(|function| self.called_by(*function)).collect();
            todo = self.added(called);
            if todo.is_empty() {
                let (_, mut named) = self.needs();
                named.retain(|function| {
                    self.lots.get(function) == Some(&Lot::New) && self.size(*function) <= NAMED
                });
                todo = self.added(named.into_iter().collect());
            }
        }
        let (called, named) = self.needs();
        let tiny = called.union(&named).copied().filter(|function| self.size(*function) <= TINY);
        let tiny: Vec<u32> = tiny.collect();
        self.sorted.first.extend(tiny);
        Ok(())
    }

    /// Finds the parts of a function of the first file that are in the rest.
    fn cut(&mut self, function: u32) -> Result<()> {
        let (Some(code), Some(_)) = (self.facts.code(function), self.lots.get(&function)) else {
            return Ok(());
        };
        let name = self.facts.names.get(&function).copied().unwrap_or_default();
        if OF_CHANCE.iter().any(|library| name.contains(library)) {
            return Ok(());
        }
        let lives = self.lives(function, code).into_iter();
        let runs: Vec<bool> = lives.map(|(segment, life)| self.may_run(&code.ops[segment], life)).collect();
        let parts = Finder::find(code, &runs, &self.facts.signature(function).1)?;
        self.sorted.parts.insert(function, parts);
        Ok(())
    }

    /// A function's segments, with what is known of them.
    fn lives(&self, function: u32, code: &Code<'_>) -> Vec<(Range<usize>, Life)> {
        let starts = code.segments();
        let ends = starts.iter().skip(1).copied().chain([code.ops.len()]);
        let life = |at: usize| match self.lots.get(&function) {
            Some(Lot::Ran(lives)) => lives.get(at).copied().unwrap_or(Life::New),
            Some(Lot::New | Lot::Idle) => Life::New,
            // It is there as it is, whatever it calls.
            None => Life::Idle,
        };
        starts.iter().zip(ends).enumerate().map(|(at, (start, end))| (*start..end, life(at))).collect()
    }

    /// Whether a segment is taken to run. A new one is, unless it traps, or calls what is not there.
    fn may_run(&self, ops: &[Operator<'_>], life: Life) -> bool {
        match life {
            Life::Ran => true,
            Life::Idle => false,
            Life::New => {
                !ops.iter().any(|op| matches!(op, Operator::Unreachable))
                    && callees(ops).all(|callee| self.has_run(callee) || self.comes(callee))
            }
        }
    }

    /// Whether a function ran, or is the glue's.
    fn has_run(&self, function: u32) -> bool {
        matches!(self.lots.get(&function), None | Some(Lot::Ran(_)))
    }

    /// Whether a function that did not run comes when new code calls it.
    fn comes(&self, function: u32) -> bool {
        let size = self.size(function);
        if self.lots.get(&function) == Some(&Lot::New) { size <= CALLED } else { size <= OLD }
    }

    fn size(&self, function: u32) -> usize {
        self.facts.code(function).map_or(0, |code| code.bytes(0, code.ops.len()))
    }

    /// Adds functions to the first file, and returns those that were not there.
    fn added(&mut self, mut functions: Vec<u32>) -> Vec<u32> {
        functions.retain(|function| self.sorted.first.insert(*function));
        functions
    }

    /// What a function that is in the first file needs there because it calls it.
    fn called_by(&self, function: u32) -> Vec<u32> {
        let Some(code) = self.facts.code(function) else { return Vec::new() };
        let parts = self.sorted.parts.get(&function).map_or(&[][..], |parts| parts);
        let mut needed = Vec::new();
        for (segment, life) in self.lives(function, code) {
            let ops = &code.ops[segment.clone()];
            let is_cut = parts.iter().any(|part| (part.from..part.to).contains(&segment.start));
            if is_cut || !self.may_run(ops, life) {
                continue;
            }
            needed.extend(callees(ops).filter(|callee| !self.has_run(*callee)));
        }
        needed
    }

    /// What the code and the data of the first file call or name.
    fn needs(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let mut needs = Needs::default();
        for function in &self.sorted.first {
            let Some(code) = self.facts.code(*function) else { continue };
            let taken = self.facts.names.get(function).and_then(|name| self.data.taken(name));
            let mut at = 0;
            for part in self.sorted.parts.get(function).into_iter().flatten() {
                needs.add(&code.ops[at..part.from], taken);
                at = part.to;
            }
            needs.add(&code.ops[at..], taken);
        }
        let (kept, _) = self.data.parts(&needs.constants);
        let entries = self.data.entries(&kept).chain(needs.entries);
        let named = entries.filter_map(|entry| self.facts.entries.get(&entry)).copied();
        (needs.calls, named.chain(self.facts.named.iter().copied()).collect())
    }
}
