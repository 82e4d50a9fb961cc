//! The second file: what an untouched page does not run.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, FunctionSection,
    ImportSection, Module, TypeSection,
};
use wasmparser::{Parser, Payload};

use super::module::told;
use super::plan::Plan;
use super::{exported, number, outline, runs};

/// The module name under which the rest imports what the first file exports for it.
const FIRST: &str = "first";

/// The second file.
///
/// # Errors
/// When it holds what this build's tools cannot write.
pub fn module(plan: &Plan<'_>) -> Result<Vec<u8>> {
    let facts = &plan.facts;
    let mut types = TypeSection::new();
    for payload in Parser::new(0).parse_all(plan.wasm) {
        if let Payload::TypeSection(section) = payload? {
            plan.write_types(&mut types, section).map_err(told)?;
        }
    }
    let mut imports = ImportSection::new();
    let kind = |function: u32| facts.kinds[function as usize];
    let needed = plan.needed();
    for (entry, function) in (plan.entry_of_needed()..).zip(&needed) {
        imports.import(FIRST, &entry.to_string(), EntityType::Function(kind(*function)));
    }
    let others = facts.tables.iter().skip(1).copied();
    for (index, table) in (0..).zip(std::iter::once(plan.table()).chain(others)) {
        imports.import(FIRST, &exported('t', index), EntityType::Table(table));
    }
    imports.import(FIRST, &exported('m', 0), EntityType::Memory(facts.memory.context("no memory")?));
    for (index, global) in (0..).zip(&facts.globals) {
        imports.import(FIRST, &exported('g', index), EntityType::Global(*global));
    }
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut half = Rest { places: needed.iter().chain(&plan.rest).copied().zip(0..).collect() };
    for function in &plan.rest {
        functions.function(kind(*function));
        let body = facts.code(*function).context("an imported function in the rest")?.body.clone();
        half.parse_function_body(&mut code, body).map_err(told)?;
    }
    for ((function, part), kind) in plan.parts.iter().zip(&plan.kinds) {
        functions.function(*kind);
        let whole = facts.code(*function).context("a part of an imported function")?;
        code.function(&outline::function(whole, part, &mut half).map_err(told)?);
    }
    let mut elements = ElementSection::new();
    let parts = half.places.len();
    let place = |at: usize| match plan.stubs.get(at) {
        Some(function) => half.places[function],
        None => number(parts + at - plan.stubs.len()),
    };
    let entries = plan.entries().into_iter().map(place);
    let start = ConstExpr::i32_const(i32::try_from(facts.table)?);
    elements.active(Some(0), &start, Elements::Functions(entries.collect::<Vec<_>>().into()));
    let entries = facts.entries.iter().filter(|(_, function)| !plan.first.contains(function));
    for run in runs(&entries.map(|(entry, function)| (*entry, half.places[function])).collect()) {
        let start = ConstExpr::i32_const(run[0].0.cast_signed());
        let functions: Vec<u32> = run.iter().map(|(_, function)| *function).collect();
        elements.active(Some(0), &start, Elements::Functions(functions.into()));
    }
    let mut module = Module::new();
    let mut data = DataSection::new();
    plan.segments(&plan.left, &mut data);
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&elements)
        .section(&code)
        .section(&data);
    Ok(module.finish())
}

/// Makes the bodies of the second file.
struct Rest {
    places: BTreeMap<u32, u32>,
}

impl Reencode for Rest {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.places[&function])
    }
}
