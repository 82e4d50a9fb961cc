//! A module as the linker left it, with its notes on addresses.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    ConstExpr, DataKind, KnownCustom, Linking, Name, Operator, Parser, Payload, RelocationEntry,
    RelocationType, SymbolInfo, TypeRef,
};

/// The linker's name for constant data.
pub const CONSTANT: &str = ".rodata";

/// Where a symbol of data begins and ends.
pub type Symbol = (u32, u32);

/// What is read of a linked module, in the order of the file.
#[derive(Default)]
pub struct Linked<'a> {
    wasm: &'a [u8],
    code: usize,
    data: usize,
    /// For each segment its address, and where its bytes are in the file.
    pub segments: Vec<(u32, Range<usize>)>,
    /// For each symbol, if it is of data, where it is.
    pub symbols: Vec<Option<Symbol>>,
    /// The segment of constant data.
    pub constant: Option<u32>,
    relocations: Vec<RelocationEntry>,
    imported: u32,
    /// Where in the file the bodies of functions end, and the functions' names.
    ends: Vec<usize>,
    names: BTreeMap<u32, &'a str>,
}

/// An address, or an entry in the table of functions, that the linker put somewhere.
pub struct Link<'a> {
    pub from: From<'a>,
    pub to: To,
}

/// Where one stands.
pub enum From<'a> {
    /// In the function with this name.
    Code(&'a str),
    /// At this address.
    Data(u32),
}

/// What it is of.
pub enum To {
    /// A symbol of data, by way of this address.
    Data(Symbol, u32),
    /// An entry in the table of functions.
    Entry(u32),
}

impl<'a> Linked<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no wasm, or the linker left no notes.
    pub fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut linked = Self { wasm, ..Self::default() };
        for payload in Parser::new(0).parse_all(wasm) {
            linked.note(payload?)?;
        }
        ensure!(!linked.relocations.is_empty(), "the linker left no relocations");
        Ok(linked)
    }

    fn note(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionStart { range, .. } => self.code = range.start,
            Payload::CodeSectionEntry(body) => self.ends.push(body.range().end),
            Payload::DataSection(section) => {
                self.data = section.range().start;
                for segment in section {
                    let segment = segment?;
                    let end = segment.range.end;
                    self.segments.push((place(&segment)?, end - segment.data.len()..end));
                }
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Reloc(entries) if ["reloc.CODE", "reloc.DATA"].contains(&section.name()) => {
                    for entry in entries.entries() {
                        self.relocations.push(entry?);
                    }
                }
                KnownCustom::Name(names) => {
                    for part in names {
                        match part? {
                            Name::Function(names) => {
                                for name in names {
                                    let name = name?;
                                    self.names.insert(name.index, name.name);
                                }
                            }
                            Name::Data(names) => {
                                for name in names {
                                    let name = name?;
                                    if name.name == CONSTANT {
                                        self.constant = Some(name.index);
                                    }
                                }
                            }
                            _ => {}
                        }
                    }
                }
                KnownCustom::Linking(parts) => {
                    for part in parts.subsections() {
                        let Linking::SymbolTable(symbols) = part? else { continue };
                        for symbol in symbols {
                            self.symbols.push(match symbol? {
                                SymbolInfo::Data { symbol: Some(symbol), .. } => {
                                    let segment = self
                                        .segments
                                        .get(symbol.index as usize)
                                        .context("no such segment")?;
                                    let start = segment.0 + symbol.offset;
                                    Some((start, start + symbol.size))
                                }
                                _ => None,
                            });
                        }
                    }
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// All addresses and entries that the linker put somewhere.
    ///
    /// # Errors
    /// When one is not what the linker's notes say.
    pub fn links(&self) -> impl Iterator<Item = Result<Link<'a>>> {
        self.relocations.iter().filter_map(|entry| self.link(entry).transpose())
    }

    fn link(&self, entry: &RelocationEntry) -> Result<Option<Link<'a>>> {
        let (is_code, is_data) = match entry.ty {
            RelocationType::MemoryAddrLeb | RelocationType::MemoryAddrSleb => (true, true),
            RelocationType::MemoryAddrI32 => (false, true),
            RelocationType::TableIndexSleb => (true, false),
            RelocationType::TableIndexI32 => (false, false),
            RelocationType::FunctionIndexLeb
            | RelocationType::TypeIndexLeb
            | RelocationType::GlobalIndexLeb
            | RelocationType::TableNumberLeb => return Ok(None),
            other => bail!("a relocation of the kind {other:?}"),
        };
        let at = if is_code { self.code } else { self.data } + entry.offset as usize;
        let value = self.value(at, is_code)?;
        let to = if is_data {
            let symbol =
                self.symbols.get(entry.index as usize).copied().flatten().context("an address of no data")?;
            let meant = i64::from(symbol.0) + entry.addend;
            ensure!(
                i64::from(value) == meant || i64::from(value.cast_signed()) == meant,
                "{value:#x} is not what its relocation says"
            );
            To::Data(symbol, value)
        } else {
            To::Entry(value)
        };
        let from = if is_code {
            let body = self.ends.partition_point(|end| *end <= at);
            let function = self.imported + u32::try_from(body)?;
            From::Code(self.names.get(&function).copied().unwrap_or_default())
        } else {
            let mut segments = self.segments.iter();
            let (start, bytes) =
                segments.find(|(_, bytes)| bytes.contains(&at)).context("a place outside of the data")?;
            From::Data(start + u32::try_from(at - bytes.start)?)
        };
        Ok(Some(Link { from, to }))
    }

    /// The number that the linker put somewhere: in code it has five bytes, so that any has room.
    fn value(&self, at: usize, is_code: bool) -> Result<u32> {
        let bytes = self.wasm.get(at..).context("a relocation outside of the file")?;
        Ok(if is_code {
            let bytes: &[u8; 5] = bytes.first_chunk().context("a relocation outside of the file")?;
            let groups = bytes.iter().enumerate().map(|(at, byte)| u64::from(byte & 0x7f) << (7 * at));
            groups.sum::<u64>() as u32
        } else {
            u32::from_le_bytes(*bytes.first_chunk().context("a relocation outside of the file")?)
        })
    }
}

/// Where a segment begins.
///
/// # Errors
/// When the file does not say so.
pub fn place(segment: &wasmparser::Data<'_>) -> Result<u32> {
    let DataKind::Active { memory_index: 0, offset_expr } = &segment.kind else {
        bail!("a segment of data without a place");
    };
    constant(offset_expr)
}

/// The constant that is all of an expression.
///
/// # Errors
/// When it is another expression.
pub fn constant(expression: &ConstExpr<'_>) -> Result<u32> {
    let Operator::I32Const { value } = expression.get_operators_reader().read()? else {
        bail!("a place that is no constant");
    };
    Ok(value.cast_unsigned())
}
