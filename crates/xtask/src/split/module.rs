//! What the split has to know of a module.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use anyhow::{Context, Result, anyhow, bail};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{GlobalType, MemoryType, TableType};
use wasmparser::{
    CustomSectionReader, ElementItems, ElementKind, ExternalKind, KnownCustom, Name, Operator, Parser,
    Payload, TypeRef, ValType, ValidPayload, Validator,
};

use super::code::Code;
use super::linked::constant;

/// The exported function that makes the rest be there.
const LOADER: &str = "load_rest";

/// A module, read.
#[derive(Default)]
pub struct Facts<'a> {
    /// Parameters and results of each type.
    pub types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Types of all functions, imported ones first.
    pub kinds: Vec<u32>,
    /// How many functions are imported.
    pub imported: u32,
    /// Bodies of the others.
    pub codes: Vec<Code<'a>>,
    pub globals: Vec<GlobalType>,
    pub memory: Option<MemoryType>,
    pub tables: Vec<TableType>,
    /// Entries of the first table, that of functions.
    pub table: u32,
    /// Functions that an export or the start names.
    pub named: BTreeSet<u32>,
    /// The entries of that table.
    pub entries: BTreeMap<u32, u32>,
    /// Exported functions.
    pub exports: Vec<(&'a str, u32)>,
    /// The function that makes the rest be there.
    pub loader: Option<u32>,
    pub names: BTreeMap<u32, &'a str>,
}

impl<'a> Facts<'a> {
    /// Reads and validates a module.
    ///
    /// # Errors
    /// When it is no wasm that this build's tools can read, or not one of the page.
    pub fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut facts = Self::default();
        let mut validator = Validator::new();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let ValidPayload::Func(validation, body) = validator.payload(&payload)? {
                let kind = facts.kinds[facts.imported as usize + facts.codes.len()];
                let parameters = facts.types[kind as usize].0.clone();
                facts.codes.push(Code::read(&body, validation, &parameters)?);
            }
            facts.note(payload)?;
        }
        Ok(facts)
    }

    fn note(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for kind in types.into_iter_err_on_gc_types() {
                    let kind = kind?;
                    self.types.push((kind.params().to_vec(), kind.results().to_vec()));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import?.ty {
                        TypeRef::Func(kind) => self.kinds.push(kind),
                        _ => bail!("the page's wasm imports something besides functions"),
                    }
                }
                self.imported = u32::try_from(self.kinds.len())?;
            }
            Payload::FunctionSection(kinds) => {
                for kind in kinds {
                    self.kinds.push(kind?);
                }
            }
            Payload::TableSection(tables) => {
                // The first is that of the functions; the second one is the glue's, for objects of JavaScript.
                for table in tables {
                    self.tables.push(Plain.table_type(table?.ty).map_err(told)?);
                }
                self.table = u32::try_from(self.tables.first().context("no table of functions")?.minimum)?;
            }
            Payload::MemorySection(memories) => {
                let memory = memories.into_iter().next().context("no memory")??;
                self.memory = Some(Plain.memory_type(memory).map_err(told)?);
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.globals.push(Plain.global_type(global?.ty).map_err(told)?);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        self.named.insert(export.index);
                        self.exports.push((export.name, export.index));
                        if export.name == LOADER {
                            self.loader = Some(export.index);
                        }
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                self.named.insert(func);
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    let ElementItems::Functions(functions) = element.items else { continue };
                    let ElementKind::Active { table_index: None | Some(0), offset_expr } = element.kind
                    else {
                        bail!("functions of no table")
                    };
                    let start = constant(&offset_expr)?;
                    for (at, function) in (start..).zip(functions) {
                        self.entries.insert(at, function?);
                    }
                }
            }
            Payload::CustomSection(section) => self.read_names(&section)?,
            _ => {}
        }
        Ok(())
    }

    fn read_names(&mut self, section: &CustomSectionReader<'a>) -> Result<()> {
        if let KnownCustom::Name(names) = section.as_known() {
            for part in names {
                if let Name::Function(names) = part? {
                    for name in names {
                        let name = name?;
                        self.names.insert(name.index, name.name);
                    }
                }
            }
        }
        Ok(())
    }

    /// The body of a function that is not imported.
    pub fn code(&self, function: u32) -> Option<&Code<'a>> {
        self.codes.get(function.checked_sub(self.imported)? as usize)
    }

    /// Parameters and results of a function.
    pub fn signature(&self, function: u32) -> &(Vec<ValType>, Vec<ValType>) {
        &self.types[self.kinds[function as usize] as usize]
    }
}

/// What these operators call, or take a reference to.
pub fn callees(ops: &[Operator<'_>]) -> impl Iterator<Item = u32> {
    ops.iter().filter_map(|op| match op {
        Operator::Call { function_index }
        | Operator::RefFunc { function_index }
        | Operator::ReturnCall { function_index } => Some(*function_index),
        _ => None,
    })
}

pub fn told(error: Error<Infallible>) -> anyhow::Error {
    anyhow!("rewriting the wasm: {error}")
}

/// Copies as it is.
pub struct Plain;

impl Reencode for Plain {
    type Error = Infallible;
}
