//! The order of the functions in the page's wasm: those that are alike lie next to each other.
//!
//! Static hosts send the wasm compressed, and gzip finds what repeats only within the last 32 kB. The compiler leaves
//! functions in no useful order; instances of one generic function in particular lie far apart. Put side by side, they
//! make the transfer some 4 % smaller. The wasm does the same as before, and its raw size stays what it was.

use std::convert::Infallible;

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Parser, Payload};

/// Bytes that two functions must have in a row in common for it to count.
const RUN: usize = 6;
/// Runs that more functions have say nothing about which ones belong together.
const COMMON: usize = 300;

/// The wasm with its functions in the better order.
///
/// # Errors
/// When it is no wasm that this build's tools can read.
pub fn arrange(wasm: &[u8]) -> Result<Vec<u8>> {
    let (imported, order) = order_of(wasm)?;
    let mut places = vec![0; order.len()];
    for (place, function) in order.iter().enumerate() {
        places[*function] = u32::try_from(place)?;
    }
    let mut module = Module::new();
    Arrangement { imported, order, places }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| anyhow!("arranging the wasm: {error}"))?;
    Ok(module.finish())
}

/// The better order: of the functions that are not imported, which comes first, and so on.
///
/// # Errors
/// As [`arrange`].
pub fn order(wasm: &[u8]) -> Result<Vec<usize>> {
    Ok(order_of(wasm)?.1)
}

/// How many functions are imported, and the order of the others.
fn order_of(wasm: &[u8]) -> Result<(u32, Vec<usize>)> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            _ => {}
        }
    }
    Ok((imported, alike(&bodies)))
}

/// A chain through all functions, each followed by the one that has the most in common with it for its size.
fn alike(bodies: &[&[u8]]) -> Vec<usize> {
    let mut runs: Vec<Vec<&[u8]>> = bodies.iter().map(|body| body.windows(RUN).collect()).collect();
    for runs in &mut runs {
        runs.sort_unstable();
        runs.dedup();
    }
    let pairs =
        runs.iter().enumerate().flat_map(|(function, runs)| runs.iter().map(move |run| (*run, function)));
    let mut having: Vec<(&[u8], usize)> = pairs.collect();
    having.sort_unstable();
    // For each function, where in `having` the functions begin that share each of its runs, and how many they are.
    let mut shared: Vec<Vec<(usize, usize)>> = vec![Vec::new(); bodies.len()];
    let mut start = 0;
    for same in having.chunk_by(|a, b| a.0 == b.0) {
        if (2..COMMON).contains(&same.len()) {
            same.iter().for_each(|(_, function)| shared[*function].push((start, same.len())));
        }
        start += same.len();
    }
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::new();
    let mut common = vec![0_u64; bodies.len()];
    let largest = |left: &[usize]| {
        left.iter().enumerate().max_by_key(|(_, function)| bodies[**function].len()).map(|(at, _)| at)
    };
    let mut next = largest(&left);
    while let Some(at) = next {
        let last = left.remove(at);
        order.push(last);
        common.fill(0);
        for (start, count) in &shared[last] {
            having[*start..start + count].iter().for_each(|(_, function)| common[*function] += 1);
        }
        // In thousandths; the constant keeps tiny functions from following just anything.
        let score = |function: usize| {
            common[function] * 1000 / (runs[function].len() as u64 + 20 + runs[last].len() as u64 / 3)
        };
        let best = left.iter().enumerate().max_by_key(|(_, function)| score(**function));
        next =
            best.filter(|(_, function)| score(**function) > 0).map(|(at, _)| at).or_else(|| largest(&left));
    }
    order
}

/// Which function comes where: defined functions only, counted from the first after the imported ones.
struct Arrangement {
    imported: u32,
    order: Vec<usize>,
    places: Vec<u32>,
}

impl Reencode for Arrangement {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let defined = function.checked_sub(self.imported);
        let place = defined.and_then(|defined| self.places.get(defined as usize));
        Ok(place.map_or(function, |place| self.imported + place))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for function in self.order.clone() {
            functions.function(self.type_index(types[function])?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(code, bodies[function].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, ImportSection,
        RefType, TableSection, TableType, TypeSection,
    };

    /// Exports, with what leads to each: the constants in the body of the function, and in those that it calls.
    fn meaning(wasm: &[u8]) -> Vec<(String, Vec<i32>)> {
        let (mut exports, mut bodies, mut elements) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.unwrap() {
                Payload::ExportSection(section) => exports.extend(section.into_iter().map(Result::unwrap)),
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::ElementSection(section) => {
                    for element in section {
                        let wasmparser::ElementItems::Functions(items) = element.unwrap().items else {
                            panic!()
                        };
                        elements.extend(items.into_iter().map(Result::unwrap));
                    }
                }
                _ => {}
            }
        }
        let constants = |function: u32| {
            let (mut found, mut todo) = (Vec::new(), vec![function]);
            while let Some(function) = todo.pop() {
                let Some(body) = function.checked_sub(1).map(|at| &bodies[at as usize]) else { continue };
                for operator in body.get_operators_reader().unwrap() {
                    match operator.unwrap() {
                        wasmparser::Operator::I32Const { value } => found.push(value),
                        wasmparser::Operator::Call { function_index } => todo.push(function_index),
                        _ => {}
                    }
                }
            }
            found
        };
        let exported = exports.iter().map(|export| (export.name.to_owned(), constants(export.index)));
        exported.chain(elements.iter().map(|function| ("table".into(), constants(*function)))).collect()
    }

    #[test]
    fn functions_move_and_mean_the_same() {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        imports.import("host", "f", EntityType::Function(0));
        module.section(&imports);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        let mut exports = ExportSection::new();
        // Two kinds in turns, of rising size; every function but the first two calls the one before the last.
        for i in 0..20_u32 {
            functions.function(0);
            let mut function = Function::new([]);
            for _ in 0..=i {
                let constant = if i % 2 == 0 { 1_000_000 } else { -2_000_000 };
                function.instructions().i32_const(constant + i32::try_from(i / 10).unwrap()).drop();
            }
            function.instructions().call(0);
            if i > 1 {
                function.instructions().call(i - 1);
            }
            function.instructions().end();
            code.function(&function);
            exports.export(&format!("f{i}"), ExportKind::Func, i + 1);
        }
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 2,
            maximum: None,
            shared: false,
        });
        let mut elements = ElementSection::new();
        elements.active(Some(0), &ConstExpr::i32_const(0), Elements::Functions([3, 18][..].into()));
        module.section(&functions).section(&tables).section(&exports).section(&elements).section(&code);
        let before = module.finish();

        let after = arrange(&before).unwrap();
        wasmparser::validate(&after).unwrap();
        assert_ne!(before, after);
        assert_eq!(meaning(&before), meaning(&after));
        assert_eq!(arrange(&before).unwrap(), after);
        assert!(arrange(b"no wasm").is_err());
    }

    #[test]
    fn those_alike_come_together() {
        let bodies = [&b"abcdefghijkl"[..], b"0123456789", b"abcdefghij..", b"0123456789!", b"-"];
        assert_eq!(alike(&bodies), [2, 0, 3, 1, 4]);
    }
}
