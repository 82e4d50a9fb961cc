//! Which constant data the first file needs, as the linker knows it.
//!
//! The finished wasm does not tell a number from an address. The linker does (`--emit-relocs`): for every place in code and
//! data where it put an address, which symbol that is of. So what a function needs is found by the addresses among its
//! constants, and what that data needs in turn by the addresses in it. An address that belongs to several symbols needs them
//! all, and so does a number that could be one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context, Result};
use wasmparser::{Operator, Parser, Payload};

use super::linked::{From, Link, Linked, Symbol, To, place};
use super::record::fingerprint;

/// Ranges that are no further apart than this become one, for each costs about as much.
const GAP: u32 = 8;

/// The constant data of a module, as it was linked.
#[derive(Debug, Default)]
pub struct Data {
    /// Where it begins, and what it is.
    start: u32,
    bytes: Vec<u8>,
    /// Addresses in code, and what they may be of.
    addresses: BTreeMap<u32, BTreeSet<Symbol>>,
    /// Places of addresses in the data, and what those are of.
    links: BTreeMap<u32, Symbol>,
    /// What data that is not constant leads to.
    roots: BTreeSet<Symbol>,
    /// Symbols by where they begin.
    symbols: BTreeSet<Symbol>,
    /// Entries in the table of functions that a function with this name takes, by the name's fingerprint.
    taken: BTreeMap<u32, BTreeSet<u32>>,
    /// Places of such entries in the data.
    entries: BTreeMap<u32, u32>,
    /// Those that data has which is not constant.
    rooted: BTreeSet<u32>,
}

impl Data {
    /// Reads a module as the linker left it.
    ///
    /// # Errors
    /// When it says nothing of its addresses, or something that does not fit together.
    pub fn read(wasm: &[u8]) -> Result<Self> {
        let linked = Linked::read(wasm)?;
        let segment = linked.constant.context("no segment is of constants")?;
        let (start, range) = linked.segments.get(segment as usize).context("no such segment")?;
        let mut data = Self { start: *start, bytes: wasm[range.clone()].to_vec(), ..Self::default() };
        let own = data.range();
        data.symbols =
            linked.symbols.iter().flatten().copied().filter(|symbol| own.contains(&symbol.0)).collect();
        for link in linked.links() {
            let Link { from, to } = link?;
            match (from, to) {
                (From::Code(function), To::Entry(entry)) => {
                    data.taken.entry(fingerprint(function.bytes())).or_default().insert(entry);
                }
                (From::Data(place), To::Entry(entry)) if own.contains(&place) => {
                    data.entries.insert(place, entry);
                }
                (From::Data(_), To::Entry(entry)) => {
                    data.rooted.insert(entry);
                }
                (_, To::Data(symbol, _)) if !own.contains(&symbol.0) => {}
                (From::Code(_), To::Data(symbol, value)) => {
                    data.addresses.entry(value).or_default().insert(symbol);
                }
                (From::Data(place), To::Data(symbol, _)) if own.contains(&place) => {
                    data.links.insert(place, symbol);
                }
                (From::Data(_), To::Data(symbol, _)) => {
                    data.roots.insert(symbol);
                }
            }
        }
        Ok(data)
    }

    /// The entries in the table of functions that a function with this name takes.
    pub fn taken(&self, function: &str) -> Option<&BTreeSet<u32>> {
        self.taken.get(&fingerprint(function.bytes()))
    }

    /// The entries in the table of functions that these parts have, and those of data that is not constant.
    pub fn entries(&self, parts: &[Range<u32>]) -> impl Iterator<Item = u32> {
        let in_parts = parts.iter().flat_map(|part| self.entries.range(part.clone()));
        in_parts.map(|(_, entry)| *entry).chain(self.rooted.iter().copied())
    }

    /// Where the data is.
    pub fn range(&self) -> Range<u32> {
        self.start..self.start + u32::try_from(self.bytes.len()).unwrap_or(0)
    }

    /// Whether the finished module has this data.
    ///
    /// # Errors
    /// When it is no wasm.
    pub fn is_in(&self, wasm: &[u8]) -> Result<bool> {
        let mut found = self.bytes.is_empty();
        for payload in Parser::new(0).parse_all(wasm) {
            if let Payload::DataSection(segments) = payload? {
                for segment in segments {
                    found |= self.is(&segment?);
                }
            }
        }
        Ok(found)
    }

    /// Whether a segment of the finished module is this data.
    pub fn is(&self, segment: &wasmparser::Data<'_>) -> bool {
        place(segment).is_ok_and(|place| place == self.start) && segment.data == self.bytes
    }

    /// The bytes of a part.
    pub fn bytes(&self, part: &Range<u32>) -> &[u8] {
        let place = |address: u32| (address - self.start) as usize;
        &self.bytes[place(part.start)..place(part.end)]
    }

    /// What code with these constants needs, and what it does not.
    pub fn parts(&self, constants: &BTreeSet<u32>) -> (Vec<Range<u32>>, Vec<Range<u32>>) {
        let mut needed: BTreeSet<Symbol> = BTreeSet::new();
        let of_code = constants.iter().flat_map(|constant| self.of(*constant));
        let mut todo: Vec<Symbol> = self.roots.iter().copied().chain(of_code).collect();
        while let Some(symbol) = todo.pop() {
            if needed.insert(symbol) {
                todo.extend(self.links.range(symbol.0..symbol.1).map(|(_, target)| *target));
            }
        }
        // What no symbol covers is in doubt.
        let all = self.range();
        let known = joined(self.symbols.iter().map(|symbol| symbol.0..symbol.1), 0);
        let needed = needed.into_iter().map(|symbol| symbol.0..symbol.1).chain(holes(&known, &all));
        let needed = joined(needed, GAP);
        let others = holes(&needed, &all);
        (needed, others)
    }

    /// The symbols that a constant may be an address of.
    fn of(&self, constant: u32) -> Vec<Symbol> {
        if let Some(symbols) = self.addresses.get(&constant) {
            return symbols.iter().copied().collect();
        }
        if !self.range().contains(&constant) {
            return Vec::new();
        }
        self.symbols.iter().filter(|symbol| (symbol.0..symbol.1).contains(&constant)).copied().collect()
    }
}

/// Constants that may be addresses.
pub fn constants(ops: &[Operator<'_>]) -> impl Iterator<Item = u32> {
    ops.iter().filter_map(|op| match op {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        op => offset(op),
    })
}

/// The offset of an access to memory.
fn offset(op: &Operator<'_>) -> Option<u32> {
    macro_rules! offset {
        ($($name:ident)*) => {
            match op {
                $(Operator::$name { memarg })|* => u32::try_from(memarg.offset).ok(),
                _ => None,
            }
        };
    }
    offset!(
        I32Load I64Load F32Load F64Load I32Load8S I32Load8U I32Load16S I32Load16U I64Load8S I64Load8U I64Load16S
        I64Load16U I64Load32S I64Load32U I32Store I64Store F32Store F64Store I32Store8 I32Store16 I64Store8 I64Store16
        I64Store32
    )
}

/// Ranges in order, those that overlap or are no further apart than `gap` made one.
fn joined(ranges: impl IntoIterator<Item = Range<u32>>, gap: u32) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut out: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end + gap => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// What of `all` is in none of the ranges, which are in order and apart.
fn holes(ranges: &[Range<u32>], all: &Range<u32>) -> Vec<Range<u32>> {
    let starts = std::iter::once(all.start).chain(ranges.iter().map(|range| range.end));
    let ends = ranges.iter().map(|range| range.start).chain([all.end]);
    starts.zip(ends).map(|(start, end)| start..end).filter(|hole| !hole.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::linked::CONSTANT;
    use super::*;
    use wasm_encoder::{
        CodeSection, ConstExpr, CustomSection, DataSection, Function, FunctionSection, LinkingSection,
        MemorySection, MemoryType, Module, NameMap, NameSection, SymbolTable, TypeSection,
    };

    const START: u32 = 1024;
    const SIZE: u32 = 32;

    /// Four symbols of which the second leads to the third, and a function that has the address of the second; `meant` is what
    /// the relocation says that it has.
    fn linked(meant: u32) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut code = CodeSection::new();
        let address = START + SIZE;
        let mut function = Function::new([]);
        // As the linker leaves it: five bytes, so that any address has room.
        let padded: Vec<u8> =
            (0..5).map(|at| (address >> (7 * at) & 0x7f) as u8 | if at < 4 { 0x80 } else { 0 }).collect();
        function.raw([0x41]).raw(padded).raw([0x1a, 0x0b]);
        code.function(&function);
        let mut bytes = vec![1_u8; 4 * SIZE as usize];
        bytes[SIZE as usize..SIZE as usize + 4].copy_from_slice(&(START + 2 * SIZE).to_le_bytes());
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(START.cast_signed()), bytes);
        let mut table = SymbolTable::new();
        for at in 0..4 {
            let definition = wasm_encoder::DataSymbolDefinition { index: 0, offset: at * SIZE, size: SIZE };
            table.data(0, &format!("s{at}"), Some(definition));
        }
        let mut linking = LinkingSection::new();
        linking.symbol_table(&table);
        let mut names = NameSection::new();
        let mut map = NameMap::new();
        map.append(0, CONSTANT);
        names.data(&map);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&memories).section(&code).section(&data);
        // Number of functions, size and locals of the first, and the operator stand before the address in the code section;
        // number of segments, flags, place (4 bytes) and size (2) before the bytes in the data section.
        let relocations =
            |name: &'static str, section: u8, kind: u8, offset: u32, symbol: u32| CustomSection {
                name: name.into(),
                data: vec![section, 1, kind, u8::try_from(offset).unwrap(), u8::try_from(symbol).unwrap(), 0]
                    .into(),
            };
        module.section(&linking);
        module.section(&relocations("reloc.CODE", 3, 4, 4, meant));
        module.section(&relocations("reloc.DATA", 4, 5, 8 + SIZE, 2));
        module.section(&names);
        module.finish()
    }

    fn symbol(at: u32) -> Range<u32> {
        START + at * SIZE..START + (at + 1) * SIZE
    }

    #[test]
    fn what_an_address_leads_to_is_needed() {
        let data = Data::read(&linked(1)).unwrap();
        let (needed, others) = data.parts(&BTreeSet::from([symbol(1).start, 7]));
        assert_eq!((needed.len(), needed[0].clone()), (1, symbol(1).start..symbol(2).end));
        assert_eq!(others, [symbol(0), symbol(3)]);
        assert_eq!(data.bytes(&symbol(1))[..4], symbol(2).start.to_le_bytes());
        let (needed, others) = data.parts(&BTreeSet::new());
        assert!(needed.is_empty() && others == [data.range()]);
    }

    #[test]
    fn a_number_that_could_be_an_address_needs_what_is_there() {
        let data = Data::read(&linked(1)).unwrap();
        assert_eq!(data.parts(&BTreeSet::from([symbol(3).start + 5])).0, [symbol(3)]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let error = Data::read(&linked(0)).unwrap_err().to_string();
        assert!(error.contains("not what its relocation says"), "{error}");
        assert!(Data::read(&Module::new().finish()).is_err());
    }

    #[test]
    fn data_of_another_module_is_noticed() {
        let data = Data::read(&linked(1)).unwrap();
        assert!(data.is_in(&linked(1)).unwrap());
        assert!(!data.is_in(&Module::new().finish()).unwrap());
    }
}
