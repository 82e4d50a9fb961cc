//! What is known of an untouched page: for each function that it runs, which segments of its body.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, MemArg, MemorySection, MemoryType, Module};
use wasmparser::{ExportSectionReader, FunctionBody, MemorySectionReader, Parser};

use super::module::{Facts, Plain, told};

/// Bytes of a page of memory.
const PAGE: usize = 65_536;

/// The functions that ran, by fingerprint of their names.
#[derive(Default)]
pub struct Record(pub BTreeMap<u32, Ran>);

/// What ran of a function.
pub struct Ran {
    /// The shape of the body that was watched; another body is not described by this.
    pub shape: u32,
    /// Whether each segment ran.
    pub segments: Vec<bool>,
}

/// A number for a text, such as a function's name, that is the same in every build.
pub fn fingerprint(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Record {
    /// Reads the text that [`Record::to_text`] writes.
    ///
    /// # Errors
    /// When it is another text.
    pub fn read(text: &str) -> Result<Self> {
        let line = |line: &str| {
            let mut words = line.split(' ');
            let mut number = || u32::from_str_radix(words.next()?, 16).ok();
            let (name, shape) = (number()?, number()?);
            let count = words.next()?.parse().ok()?;
            let digits = words.next()?.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
            let bits = digits.iter().flat_map(|digit| (0..4).map(move |bit| digit >> bit & 1 == 1));
            Some((name, Ran { shape, segments: bits.take(count).collect() }))
        };
        let lines = text.lines().map(|text| line(text).with_context(|| format!("{text:?} is no record")));
        Ok(Self(lines.collect::<Result<_>>()?))
    }

    /// A line for each function: fingerprint, shape, number of segments, and four segments to a digit.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, ran) in &self.0 {
            let _ = write!(text, "{name:08x} {:08x} {} ", ran.shape, ran.segments.len());
            for four in ran.segments.chunks(4) {
                let digit = four.iter().rev().fold(0, |digit, bit| digit * 2 + u32::from(*bit));
                let _ = write!(text, "{digit:x}");
            }
            text.push('\n');
        }
        text
    }
}

/// A module that leaves a 1 for each segment that runs in a second memory, exported as `profile`.
pub struct Watched {
    pub wasm: Vec<u8>,
    /// Name, shape and number of segments of each function, in the order of their segments.
    functions: Vec<(u32, u32, usize)>,
}

impl Watched {
    /// Makes one of a module that still has its names.
    ///
    /// # Errors
    /// When it is no wasm that this build's tools can read.
    pub fn new(wasm: &[u8]) -> Result<Self> {
        let facts = Facts::read(wasm)?;
        let mut functions = Vec::new();
        let mut starts = Vec::new();
        for (function, code) in (facts.imported..).zip(&facts.codes) {
            let name = facts.names.get(&function).copied().unwrap_or("");
            let segments = code.segments();
            functions.push((fingerprint(name), code.shape(), segments.len()));
            starts.push(segments);
        }
        let total = starts.iter().map(Vec::len).sum::<usize>();
        let mut module = Module::new();
        let mut watch = Watch { starts: starts.into_iter(), next: 0, pages: total / PAGE + 1 };
        watch.parse_core_module(&mut module, Parser::new(0), wasm).map_err(told)?;
        Ok(Self { wasm: module.finish(), functions })
    }

    /// The record of a run that left a 1 for these segments.
    pub fn record(&self, ran: &[usize]) -> Record {
        let total = self.functions.iter().map(|(.., segments)| segments).sum::<usize>();
        let mut all = vec![false; total];
        ran.iter().filter(|at| **at < total).for_each(|at| all[*at] = true);
        let mut record = Record::default();
        let mut rest = &all[..];
        for (name, shape, count) in &self.functions {
            let (own, others) = rest.split_at(*count);
            rest = others;
            if own.contains(&true) {
                record.0.insert(*name, Ran { shape: *shape, segments: own.to_vec() });
            }
        }
        record
    }
}

/// Makes each segment leave its trace.
struct Watch {
    starts: std::vec::IntoIter<Vec<usize>>,
    next: i32,
    pages: usize,
}

impl Reencode for Watch {
    type Error = Infallible;

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Plain.parse_memory_section(memories, section)?;
        memories.memory(MemoryType {
            minimum: self.pages as u64,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Plain.parse_export_section(exports, section)?;
        exports.export("profile", ExportKind::Memory, 1);
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let starts = self.starts.next().unwrap_or_default();
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let place = MemArg { offset: 0, align: 0, memory_index: 1 };
        let mut operators = body.get_operators_reader()?;
        for at in 0.. {
            if operators.eof() {
                break;
            }
            if starts.binary_search(&at).is_ok() {
                function.instructions().i32_const(self.next).i32_const(1).i32_store8(place);
                self.next += 1;
            }
            function.instruction(&self.parse_instruction(&mut operators)?);
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let text = "0000002a ffffffff 5 b1\n1234abcd 00000000 1 0\n";
        let record = Record::read(text).unwrap();
        assert_eq!(record.0[&42].segments, [true, true, false, true, true]);
        assert_eq!(record.to_text(), text);
        assert!(Record::read("no record").is_err());
    }
}
