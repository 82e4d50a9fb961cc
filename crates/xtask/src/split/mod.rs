//! The page's wasm in two files: what an untouched page runs, and the rest, which is fetched once a person turns to it.
//!
//! What an untouched page runs was recorded (`cargo xtask profile`, [`record`]). Functions that did not run are in the rest,
//! and so are the parts of the others that did not ([`outline`]). What the first file needs of the rest it calls through
//! the table of functions, after it has seen to it that the rest is there (`load_rest` of `web/src/rest.rs`); the rest
//! works on the memory, table and globals of the first. The record may be old: a function whose body has changed stays
//! whole, and one that it does not know is in the rest, so at worst the rest is fetched sooner.

mod code;
mod data;
mod module;
mod outline;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, Instruction, Module, RefType, TableSection,
    TableType, TypeSection,
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, DataSectionReader, ElementSectionReader, ExportSectionReader,
    FunctionSectionReader, Parser, Payload, TableSectionReader, TypeSectionReader, ValType,
};

use crate::arrange;
pub use data::Data;
use module::{Facts, Plain, callees, told};
use outline::{Finder, Part};
use record::fingerprint;
pub use record::{Record, Watched};

/// The module name under which the rest imports what the first file exports for it.
const FIRST: &str = "first";
/// What exports begin with that the way to the rest goes through.
const WAY: &str = "__externref";

/// The two files.
pub struct Files {
    /// What an untouched page runs.
    pub first: Vec<u8>,
    /// Everything else.
    pub rest: Vec<u8>,
}

/// Where everything goes.
struct Plan<'a> {
    wasm: &'a [u8],
    facts: Facts<'a>,
    /// Functions of the first file.
    first: BTreeSet<u32>,
    /// Functions of the rest.
    rest: Vec<u32>,
    /// Those of the rest that something in the first file calls or names, in the order of their entries in the table.
    stubs: Vec<u32>,
    /// Parts of functions of the first file that are in the rest; their entries follow those of the stubs.
    parts: Vec<(u32, Part)>,
    /// Type of each part.
    kinds: Vec<u32>,
    /// Types besides those of the module, from its first free number on.
    types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Functions of the first file that the rest calls. Their entries in the table follow those of the parts.
    needed: BTreeSet<u32>,
    /// In which order the first file has its own functions, counted in the order of the module; empty for that itself.
    order: Vec<usize>,
    /// The function that makes the rest be there.
    loader: u32,
    /// The constant data, and what of it is in the first file and what in the rest.
    data: &'a Data,
    kept: Vec<Range<u32>>,
    left: Vec<Range<u32>>,
}

/// Splits a module that still has its names. `None` if most of what the record names is not there: then it is of another
/// compiler, and a split by it would only cost.
///
/// # Errors
/// When it is no wasm that this build's tools can read, or not one of the page.
pub fn split(wasm: &[u8], record: &Record, data: &Data) -> Result<Option<Files>> {
    let Some(mut plan) = Plan::new(wasm, record, data)? else { return Ok(None) };
    // Which functions are alike is seen once they are written.
    plan.order = arrange::order(&First::new(&plan).module()?)?;
    let first = First::new(&plan).module()?;
    Ok(Some(Files { first, rest: rest_module(&plan)? }))
}

impl<'a> Plan<'a> {
    fn new(wasm: &'a [u8], record: &Record, data: &'a Data) -> Result<Option<Self>> {
        let facts = Facts::read(wasm)?;
        ensure!(data.is_in(wasm)?, "the data of the page is not what the linker left");
        let loader = facts.loader.context("the page does not export load_rest")?;
        let functions = u32::try_from(facts.kinds.len())?;
        let way = way(&facts, loader);
        let mut first: BTreeSet<u32> = (0..facts.imported).chain(way.iter().copied()).collect();
        let mut parts = Vec::new();
        let mut known = 0;
        for function in facts.imported..functions {
            let Some(name) = facts.names.get(&function) else {
                // The glue's own, which are few.
                first.insert(function);
                continue;
            };
            let Some(ran) = record.0.get(&fingerprint(name)) else { continue };
            known += 1;
            first.insert(function);
            if let Some(code) = facts.code(function)
                && !way.contains(&function)
                && code.shape() == ran.shape
            {
                let found = Finder::find(code, &ran.segments, &facts.signature(function).1)?;
                parts.extend(found.into_iter().map(|part| (function, part)));
            }
        }
        if known * 2 < record.0.len() {
            return Ok(None);
        }
        let rest = (0..functions).filter(|function| !first.contains(function)).collect();
        let mut plan = Self {
            wasm,
            facts,
            first,
            rest,
            stubs: Vec::new(),
            parts,
            kinds: Vec::new(),
            types: vec![(Vec::new(), Vec::new())],
            needed: BTreeSet::new(),
            order: Vec::new(),
            loader,
            data,
            kept: Vec::new(),
            left: Vec::new(),
        };
        plan.link();
        Ok(Some(plan))
    }

    /// Finds what each file needs of the other.
    fn link(&mut self) {
        let (mut from_first, mut from_rest) = (self.facts.named.clone(), BTreeSet::new());
        let mut constants = BTreeSet::new();
        for function in &self.first {
            let Some(code) = self.facts.code(*function) else { continue };
            let mut at = 0;
            for part in parts_of(&self.parts, *function) {
                from_first.extend(callees(&code.ops[at..part.from]));
                constants.extend(data::constants(&code.ops[at..part.from]));
                from_rest.extend(callees(&code.ops[part.from..part.to]));
                at = part.to;
            }
            from_first.extend(callees(&code.ops[at..]));
            constants.extend(data::constants(&code.ops[at..]));
        }
        (self.kept, self.left) = self.data.parts(&constants);
        for function in &self.rest {
            from_rest.extend(self.facts.code(*function).into_iter().flat_map(|code| callees(&code.ops)));
        }
        self.stubs = from_first.into_iter().filter(|function| !self.first.contains(function)).collect();
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
    fn plain_kind(&self) -> u32 {
        number(self.facts.types.len())
    }

    /// Parts of the constant data as segments.
    fn segments(&self, parts: &[Range<u32>], section: &mut DataSection) {
        for part in parts {
            let place = ConstExpr::i32_const(part.start.cast_signed());
            section.active(0, &place, self.data.bytes(part).iter().copied());
        }
    }

    /// The first entry in the table of the functions that the rest calls.
    fn entry_of_needed(&self) -> u32 {
        self.facts.table + number(self.stubs.len() + self.parts.len())
    }

    /// Where each function that is in the first file stands there, stubs included, and where the one that sees to it that the
    /// rest is there.
    fn places(&self) -> (BTreeMap<u32, u32>, u32) {
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
    fn needed(&self) -> Vec<u32> {
        let (places, _) = self.places();
        let mut needed: Vec<u32> = self.needed.iter().copied().collect();
        needed.sort_by_key(|function| places[function]);
        needed
    }

    fn table(&self) -> TableType {
        let entries = u64::from(self.entry_of_needed()) + self.needed.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: entries,
            maximum: Some(entries),
            shared: false,
        }
    }

    fn write_types(
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
fn parts_of(parts: &[(u32, Part)], function: u32) -> impl Iterator<Item = &Part> {
    let start = parts.partition_point(|(owner, _)| *owner < function);
    parts[start..].iter().take_while(move |(owner, _)| *owner == function).map(|(_, part)| part)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The name under which the first file exports a table, memory or global for the rest. Functions go by their entries in the
/// table, for so many names would take more than the entries do (`setpointRest` of `web/boot.js`).
fn exported(sort: char, index: u32) -> String {
    format!("{sort}{index:x}")
}

/// The second file.
fn rest_module(plan: &Plan<'_>) -> Result<Vec<u8>> {
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
    let parts = half.places.len()..half.places.len() + plan.parts.len();
    let entries = plan.stubs.iter().map(|function| half.places[function]).chain(parts.map(number));
    let start = ConstExpr::i32_const(i32::try_from(facts.table)?);
    elements.active(Some(0), &start, Elements::Functions(entries.collect::<Vec<_>>().into()));
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

/// Makes the first file of the module.
struct First<'p, 'a> {
    plan: &'p Plan<'a>,
    /// New index of each function that stays, stubs included.
    places: BTreeMap<u32, u32>,
    /// Index of the function that sees to it that the rest is there.
    ensure: u32,
}

impl<'p, 'a> First<'p, 'a> {
    fn new(plan: &'p Plan<'a>) -> Self {
        let (places, ensure) = plan.places();
        Self { plan, places, ensure }
    }

    fn module(mut self) -> Result<Vec<u8>> {
        let mut module = Module::new();
        let wasm = self.plan.wasm;
        self.parse_core_module(&mut module, Parser::new(0), wasm).map_err(told)?;
        Ok(module.finish())
    }

    /// The functions that are not imported, in order; none is the one that sees to it that the rest is there.
    fn own(&self) -> Vec<Option<u32>> {
        let imported = self.plan.facts.imported;
        let own = self.places.iter().filter(|(function, _)| **function >= imported);
        let own = own.map(|(function, place)| (*place, Some(*function))).chain([(self.ensure, None)]);
        own.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// Calls what is `at` among the stubs and parts.
    fn call(&self, at: usize, kind: u32) -> [Instruction<'static>; 3] {
        let entry = i32::try_from(self.plan.facts.table as usize + at).unwrap_or(i32::MAX);
        [
            Instruction::Call(self.ensure),
            Instruction::I32Const(entry),
            Instruction::CallIndirect { type_index: kind, table_index: 0 },
        ]
    }

    fn stub(&self, function: u32, at: usize) -> Function {
        let kind = self.plan.facts.kinds[function as usize];
        let mut stub = Function::new([]);
        for parameter in 0..self.plan.facts.signature(function).0.len() {
            stub.instruction(&Instruction::LocalGet(number(parameter)));
        }
        for instruction in self.call(at, kind) {
            stub.instruction(&instruction);
        }
        stub.instruction(&Instruction::End);
        stub
    }

    /// The function that sees to it that the rest is there.
    fn ensuring(&self) -> Function {
        let mut ensure = Function::new([]);
        let entry = i32::try_from(self.plan.facts.table).unwrap_or(i32::MAX);
        let mut ops = ensure.instructions();
        ops.i32_const(entry).table_get(0).ref_is_null().if_(BlockType::Empty);
        ops.call(self.places[&self.plan.loader]).end().end();
        ensure
    }

    /// A function without its parts.
    fn trimmed(&mut self, function: u32) -> Result<Function, Error<Infallible>> {
        let plan = self.plan;
        let start = plan.parts.partition_point(|(owner, _)| *owner < function);
        let Some(code) = plan.facts.code(function) else { return Ok(Function::new([])) };
        // Where a part has several exits, the one taken is put aside, and the value, by its type.
        let mut values: Vec<ValType> = Vec::new();
        for value in parts_of(&plan.parts, function).filter_map(|part| part.value) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let has_several = parts_of(&plan.parts, function).any(|part| part.exits.len() > 1);
        let spare = has_several.then_some(ValType::I32).into_iter().chain(values.iter().copied());
        let parameters = plan.facts.signature(function).0.len();
        let locals = code.locals[parameters..].iter().copied().chain(spare);
        let locals = locals.map(|kind| Plain.val_type(kind)).collect::<Result<Vec<_>, _>>()?;
        let mut out = Function::new_with_locals_types(locals);
        let taken = code.locals.len();
        let value = |kind| values.iter().position(|value| *value == kind).map_or(0, |at| taken + 1 + at);
        let mut at = 0;
        for (index, part) in (start..).zip(parts_of(&plan.parts, function)) {
            for op in &code.ops[at..part.from] {
                out.instruction(&self.instruction(op.clone())?);
            }
            let call = self.call(plan.stubs.len() + index, plan.kinds[index]);
            outline::site(&mut out, part, &call, (number(taken), number(part.value.map_or(0, value))));
            at = part.to;
        }
        for op in &code.ops[at..] {
            out.instruction(&self.instruction(op.clone())?);
        }
        Ok(out)
    }
}

impl Reencode for First<'_, '_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.places[&function])
    }

    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Ok(())
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        self.plan.write_types(types, section)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        _section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for function in self.own() {
            let kind = function.map(|function| self.plan.facts.kinds[function as usize]);
            functions.function(kind.unwrap_or_else(|| self.plan.plain_kind()));
        }
        Ok(())
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        section: TableSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        tables.table(self.plan.table());
        for table in section.into_iter().skip(1) {
            self.parse_table(tables, table?)?;
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for export in section {
            self.parse_export(exports, export?)?;
        }
        for (index, _) in (0..).zip(&self.plan.facts.tables) {
            exports.export(&exported('t', index), ExportKind::Table, index);
        }
        exports.export(&exported('m', 0), ExportKind::Memory, 0);
        for (index, _) in (0..).zip(&self.plan.facts.globals) {
            exports.export(&exported('g', index), ExportKind::Global, index);
        }
        Ok(())
    }

    fn parse_element_section(
        &mut self,
        elements: &mut ElementSection,
        section: ElementSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for element in section {
            self.parse_element(elements, element?)?;
        }
        let start = ConstExpr::i32_const(self.plan.entry_of_needed().cast_signed());
        let needed: Vec<u32> = self.plan.needed().iter().map(|function| self.places[function]).collect();
        elements.active(Some(0), &start, Elements::Functions(needed.into()));
        Ok(())
    }

    fn parse_data_section(
        &mut self,
        data: &mut DataSection,
        section: DataSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let plan = self.plan;
        for segment in section {
            let segment = segment?;
            if plan.data.is(&segment) {
                plan.segments(&plan.kept, data);
            } else if segment.data.iter().any(|byte| *byte != 0) {
                self.parse_data(data, segment)?;
            }
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        _section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for function in self.own() {
            let Some(function) = function else {
                code.function(&self.ensuring());
                continue;
            };
            match self.plan.stubs.binary_search(&function) {
                Ok(at) => code.function(&self.stub(function, at)),
                Err(_) => code.function(&self.trimmed(function)?),
            };
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, ElementSection, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
        MemorySection, MemoryType, NameMap, NameSection, ValType,
    };
    use wasmparser::Operator;

    /// `load_rest` and three functions: `often` has a way that is seldom taken, which calls `seldom`; `both` is called from
    /// there and from `often`.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([ValType::I32], [ValType::I32]);
        let mut functions = FunctionSection::new();
        functions.function(0).function(1).function(1).function(1);
        let mut code = CodeSection::new();
        let plain = |build: &dyn Fn(&mut Function)| {
            let mut function = Function::new([(1, wasm_encoder::ValType::I32)]);
            build(&mut function);
            function.instructions().end();
            function
        };
        let mut loader = Function::new([]);
        loader.instructions().end();
        code.function(&loader);
        code.function(&plain(&|function| {
            let mut ops = function.instructions();
            ops.block(BlockType::Empty).local_get(0).br_if(0);
            for constant in 1_000_000..1_000_008 {
                ops.local_get(0).i32_const(constant).i32_add().call(2).local_set(1);
            }
            ops.local_get(1).i32_const(7).i32_eq().if_(BlockType::Empty);
            ops.local_get(1).call(3).return_().end();
            ops.end().local_get(1).call(3);
        }));
        code.function(&plain(&|function| {
            function.instructions().local_get(0).i32_const(2_000_000).i32_add();
        }));
        code.function(&plain(&|function| {
            function.instructions().local_get(0).i32_const(3_000_000).i32_add();
        }));
        let mut tables = TableSection::new();
        tables.table(TableType { minimum: 1, maximum: Some(1), ..table() });
        let mut memories = MemorySection::new();
        let memory =
            MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        memories.memory(memory);
        let mut globals = GlobalSection::new();
        let stack = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(stack, &ConstExpr::i32_const(0));
        let mut exports = ExportSection::new();
        exports.export("load_rest", ExportKind::Func, 0).export("often", ExportKind::Func, 1);
        let mut elements = ElementSection::new();
        elements.active(Some(0), &ConstExpr::i32_const(0), Elements::Functions([3][..].into()));
        let mut map = NameMap::new();
        for (index, name) in (0..).zip(["load_rest", "often", "seldom", "both"]) {
            map.append(index, name);
        }
        let mut names = NameSection::new();
        names.functions(&map);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&tables).section(&memories).section(&globals);
        module.section(&exports).section(&elements).section(&code).section(&names);
        module.finish()
    }

    fn table() -> TableType {
        TableType { element_type: RefType::FUNCREF, table64: false, minimum: 0, maximum: None, shared: false }
    }

    /// What a run of `often` leaves that never takes the way through `seldom`.
    fn record(wasm: &[u8]) -> Record {
        let watched = Watched::new(wasm).unwrap();
        wasmparser::validate(&watched.wasm).unwrap();
        // Segments in order: one of `load_rest`; in `often` the start, the seldom way, its `if`, behind that, and the end.
        watched.record(&[0, 1, 5, 7])
    }

    fn constants(wasm: &[u8]) -> Vec<i32> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            if let Payload::CodeSectionEntry(body) = payload.unwrap() {
                for op in body.get_operators_reader().unwrap() {
                    if let Operator::I32Const { value } = op.unwrap() {
                        found.push(value);
                    }
                }
            }
        }
        found
    }

    #[test]
    fn what_does_not_run_is_in_the_second_file() {
        let wasm = module();
        let record = record(&wasm);
        let Files { first, rest } = split(&wasm, &record, &Data::default()).unwrap().unwrap();
        wasmparser::validate(&first).unwrap();
        wasmparser::validate(&rest).unwrap();
        let (in_first, in_rest) = (constants(&first), constants(&rest));
        assert!(in_first.contains(&3_000_000) && !in_rest.contains(&3_000_000));
        assert!(in_rest.contains(&2_000_000) && !in_first.contains(&2_000_000));
        assert!((1_000_000..1_000_008).all(|constant| in_rest.contains(&constant)));
        assert!(!in_first.iter().any(|constant| (1_000_000..1_000_008).contains(constant)));
    }

    #[test]
    fn a_function_that_has_changed_stays_whole() {
        let wasm = module();
        let mut record = record(&wasm);
        for ran in record.0.values_mut() {
            ran.shape ^= 1;
        }
        let first = split(&wasm, &record, &Data::default()).unwrap().unwrap().first;
        assert!(constants(&first).contains(&1_000_007));
    }

    #[test]
    fn a_record_of_another_compiler_splits_nothing() {
        let wasm = module();
        let mut record = record(&wasm);
        let ran = std::mem::take(&mut record.0).into_iter();
        record.0 = ran.map(|(name, ran)| (name ^ 1, ran)).collect();
        assert!(split(&wasm, &record, &Data::default()).unwrap().is_none());
    }
}
