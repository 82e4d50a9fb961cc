use super::*;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module, NameMap, NameSection,
    RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{Operator, Parser, Payload};

/// How a module differs from the one that was watched.
#[derive(Default)]
struct Change {
    /// Another name of `often`.
    name: Option<&'static str>,
    /// Whether a new function is called at the end of `often`.
    new_at_end: bool,
    /// Whether one is called on the way that is seldom taken.
    new_on_way: bool,
    /// Whether one is named by the table alone.
    new_in_table: bool,
}

/// `load_rest` and three functions: `often` has a way that is seldom taken, which calls `seldom`; `both` is called from
/// there and from `often`. A fourth one is new, if it is there.
fn module(change: &Change) -> Vec<u8> {
    let has_new = change.new_at_end || change.new_on_way || change.new_in_table;
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(1).function(1);
    if has_new {
        functions.function(1);
    }
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
        if change.new_on_way {
            ops.local_get(1).call(4).local_set(1);
        }
        ops.local_get(1).i32_const(7).i32_eq().if_(BlockType::Empty);
        ops.local_get(1).call(3).return_().end();
        ops.end().local_get(1).call(3);
        if change.new_at_end {
            ops.call(4);
        }
    }));
    code.function(&plain(&|function| {
        function.instructions().local_get(0).i32_const(2_000_000).i32_add();
    }));
    code.function(&plain(&|function| {
        function.instructions().local_get(0).i32_const(3_000_000).i32_add();
    }));
    if has_new {
        code.function(&plain(&|function| {
            function.instructions().local_get(0).i32_const(4_000_000).i32_add();
        }));
    }
    let mut tables = TableSection::new();
    tables.table(TableType { minimum: 2, maximum: Some(2), ..table() });
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
    elements.active(
        Some(0),
        &ConstExpr::i32_const(0),
        Elements::Functions([3, if has_new { 4 } else { 2 }][..].into()),
    );
    let mut map = NameMap::new();
    for (index, name) in (0..)
        .zip(["load_rest", change.name.unwrap_or("often"), "seldom", "both", "new"])
        .take(4 + usize::from(has_new))
    {
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
fn record() -> Record {
    let watched = Watched::new(&module(&Change::default())).unwrap();
    wasmparser::validate(&watched.wasm).unwrap();
    // Segments in order: one of `load_rest`; in `often` the start, the seldom way, its `if`, behind that, and the end.
    watched.record(&[0, 1, 5, 7])
}

fn constants(wasm: &[u8]) -> Vec<i32> {
    wasmparser::validate(wasm).unwrap();
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
    let Files { first, rest } =
        split(&module(&Change::default()), &record(), &Data::default()).unwrap().unwrap();
    let (in_first, in_rest) = (constants(&first), constants(&rest));
    assert!(in_first.contains(&3_000_000) && !in_rest.contains(&3_000_000));
    assert!(in_rest.contains(&2_000_000) && !in_first.contains(&2_000_000));
    assert!((1_000_000..1_000_008).all(|constant| in_rest.contains(&constant)));
    assert!(!in_first.iter().any(|constant| (1_000_000..1_000_008).contains(constant)));
}

#[test]
fn what_has_changed_since_the_record_is_taken_to_run() {
    let new_at_end = Change { new_at_end: true, ..Change::default() };
    let new_on_way = Change { new_on_way: true, ..Change::default() };
    for (what, change, has_new, has_way) in [
        ("renamed", Change { name: Some("frequent"), ..Change::default() }, false, false),
        ("new at the end", new_at_end, true, false),
        (
            "renamed, and new",
            Change { name: Some("frequent"), new_at_end: true, ..Change::default() },
            true,
            true,
        ),
        // The way does not run, so what is new on it does not either.
        ("new on the way", new_on_way, false, false),
        ("new, but not needed", Change { new_in_table: true, ..Change::default() }, false, false),
    ] {
        let Files { first, rest } = split(&module(&change), &record(), &Data::default()).unwrap().unwrap();
        let (in_first, in_rest) = (constants(&first), constants(&rest));
        assert!(in_first.contains(&3_000_000), "{what}");
        assert_eq!(in_first.contains(&4_000_000), has_new, "{what}: the new function");
        assert_eq!(in_first.contains(&1_000_000), has_way, "{what}: the way that is seldom taken");
        assert!(in_first.contains(&2_000_000) != in_rest.contains(&2_000_000), "{what}: each is in one file");
    }
}

#[test]
fn a_record_of_another_compiler_splits_nothing() {
    let mut record = record();
    record.ran = std::mem::take(&mut record.ran).into_iter().map(|(name, ran)| (name ^ 1, ran)).collect();
    assert!(split(&module(&Change::default()), &record, &Data::default()).unwrap().is_none());
}
