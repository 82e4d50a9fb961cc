//! The first file: what an untouched page runs, with stubs in place of what is in the other.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection,
    Function, FunctionSection, Instruction, Module, TableSection, TypeSection,
};
use wasmparser::{
    CodeSectionReader, DataSectionReader, ElementSectionReader, ExportSectionReader, FunctionSectionReader,
    Parser, TableSectionReader, TypeSectionReader, ValType,
};

use super::module::{Plain, told};
use super::plan::{Plan, parts_of};
use super::{exported, number, outline, runs};
use crate::packed::bare;

/// Makes the first file of the module.
pub struct First<'p, 'a> {
    plan: &'p Plan<'a>,
    /// New index of each function that stays, stubs included.
    places: BTreeMap<u32, u32>,
    /// Index of the function that sees to it that the rest is there.
    ensure: u32,
    /// The entry in the table of each stub and part.
    entries: BTreeMap<usize, u32>,
}

impl<'p, 'a> First<'p, 'a> {
    /// By a plan.
    pub fn new(plan: &'p Plan<'a>) -> Self {
        let (places, ensure) = plan.places();
        let entries = plan.entries().into_iter().zip(plan.facts.table..).collect();
        Self { plan, places, ensure, entries }
    }

    /// The file.
    ///
    /// # Errors
    /// When it holds what this build's tools cannot write.
    pub fn module(mut self) -> Result<Vec<u8>> {
        let mut module = Module::new();
        let wasm = bare(self.plan.wasm)?;
        self.parse_core_module(&mut module, Parser::new(0), &wasm).map_err(told)?;
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
        let entry = self.entries[&at].cast_signed();
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
        _section: ElementSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let plan = self.plan;
        // What only the rest calls has no place here; the rest brings it.
        let place = |function: &u32| self.places.get(function).copied().unwrap_or(self.ensure);
        for run in runs(&plan.facts.entries) {
            let start = ConstExpr::i32_const(run[0].0.cast_signed());
            let functions: Vec<u32> = run.iter().map(|(_, function)| place(function)).collect();
            elements.active(Some(0), &start, Elements::Functions(functions.into()));
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
