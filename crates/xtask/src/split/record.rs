//! What is known of an untouched page: for each function that it runs, which segments of its body.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, MemArg, MemorySection, MemoryType, Module};
use wasmparser::{ExportSectionReader, FunctionBody, MemorySectionReader, Parser};

use super::code::Code;
use super::module::{Facts, Plain, told};

/// Bytes of a page of memory.
const PAGE: usize = 65_536;

/// What was seen of an untouched page.
#[derive(Default)]
pub struct Record {
    /// The functions that ran, by fingerprint of their names.
    pub ran: BTreeMap<u32, Ran>,
    /// Path and shape of those that did not, and how many have both.
    pub idle: BTreeMap<(u32, u32), usize>,
}

/// What ran of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Fingerprint of the name without what tells instances apart.
    pub path: u32,
    /// The shape of the body that was watched.
    pub shape: u32,
    pub segments: Vec<Segment>,
}

/// What was seen of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// By which it is known again ([`Code::marks`](super::code::Code::marks)).
    pub mark: u16,
    pub has_run: bool,
}

/// The first of the 94 letters that a segment is written with.
const LETTERS: u8 = b'!';

impl Segment {
    /// Two letters: of the mark, and whether it has run.
    fn letters(self) -> [char; 2] {
        let letter = |number: u16| char::from(LETTERS + number as u8);
        [letter(self.mark / 47), letter(self.mark % 47 * 2 + u16::from(self.has_run))]
    }

    fn of(letters: &[u8; 2]) -> Option<Self> {
        let number = |letter: u8| Some(u16::from(letter.checked_sub(LETTERS).filter(|number| *number < 94)?));
        let [high, low] = [number(letters[0])?, number(letters[1])?];
        Some(Self { mark: high * 47 + low / 2, has_run: low % 2 == 1 })
    }
}

/// A number for bytes, such as those of a function's name, that is the same in every build.
pub fn fingerprint(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A function's name without the number that tells instances apart, and changes when something is added next to it.
pub fn path(name: &str) -> &str {
    const NUMBER: usize = "17h0123456789abcdefE".len();
    match name.len().checked_sub(NUMBER).and_then(|at| name.split_at_checked(at)) {
        Some((path, number)) if number.starts_with("17h") && number.ends_with('E') => path,
        _ => name,
    }
}

impl Record {
    /// Reads the text that [`Record::to_text`] writes.
    ///
    /// # Errors
    /// When it is another text.
    pub fn read(text: &str) -> Result<Self> {
        let mut record = Self::default();
        for line in text.lines() {
            record.note(line).with_context(|| format!("{line:?} is no record"))?;
        }
        Ok(record)
    }

    fn note(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| u32::from_str_radix(word, 16).ok();
        match words[..] {
            [path, shape] => {
                *self.idle.entry((number(path)?, number(shape)?)).or_default() += 1;
            }
            [name, path, shape, segments] => {
                let (letters, []) = segments.as_bytes().as_chunks() else { return None };
                let segments = letters.iter().map(Segment::of).collect::<Option<_>>()?;
                self.ran.insert(number(name)?, Ran { path: number(path)?, shape: number(shape)?, segments });
            }
            _ => return None,
        }
        Some(())
    }

    /// A line for each function: of one that ran name, path, shape, and two letters for each segment; of another path and shape.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, Ran { path, shape, segments }) in &self.ran {
            let segments: String = segments.iter().flat_map(|segment| segment.letters()).collect();
            let _ = writeln!(text, "{name:08x} {path:08x} {shape:08x} {segments}");
        }
        for ((path, shape), count) in &self.idle {
            text.push_str(&format!("{path:08x} {shape:08x}\n").repeat(*count));
        }
        text
    }
}

/// A function as it is known again in another build.
pub struct Own {
    pub name: u32,
    pub path: u32,
    pub shape: u32,
    pub marks: Vec<u16>,
}

impl Own {
    /// What is to be known of a function with this name.
    pub fn of(name: &str, code: &Code<'_>, names: &BTreeMap<u32, &str>) -> Self {
        let called = |function| names.get(&function).map_or(0, |name| fingerprint(path(name).bytes()));
        Self {
            name: fingerprint(name.bytes()),
            path: fingerprint(path(name).bytes()),
            shape: code.shape(),
            marks: code.marks(called),
        }
    }
}

/// A module that leaves a 1 for each segment that runs in a second memory, exported as `profile`.
pub struct Watched {
    pub wasm: Vec<u8>,
    /// The functions, in the order of their segments.
    functions: Vec<Own>,
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
            functions.push(Own::of(facts.names.get(&function).copied().unwrap_or(""), code, &facts.names));
            starts.push(code.segments());
        }
        let total = starts.iter().map(Vec::len).sum::<usize>();
        let mut module = Module::new();
        let mut watch = Watch { starts: starts.into_iter(), next: 0, pages: total / PAGE + 1 };
        watch.parse_core_module(&mut module, Parser::new(0), wasm).map_err(told)?;
        Ok(Self { wasm: module.finish(), functions })
    }

    /// The record of a run that left a 1 for these segments.
    pub fn record(&self, ran: &[usize]) -> Record {
        let ran: BTreeSet<usize> = ran.iter().copied().collect();
        let mut record = Record::default();
        let mut start = 0;
        for Own { name, path, shape, marks } in &self.functions {
            let segments: Vec<Segment> = (start..)
                .zip(marks)
                .map(|(at, mark)| Segment { mark: *mark, has_run: ran.contains(&at) })
                .collect();
            start += marks.len();
            if segments.iter().any(|segment| segment.has_run) {
                record.ran.insert(*name, Ran { path: *path, shape: *shape, segments });
            } else {
                *record.idle.entry((*path, *shape)).or_default() += 1;
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
        let text = "0000002a 00000007 ffffffff !!!\"#$~~\n1234abcd 00000000\n1234abcd 00000000\n";
        let record = Record::read(text).unwrap();
        let seen = [(0, false), (0, true), (2 * 47 + 1, true), (94 * 47 - 1, true)];
        let segments = seen.map(|(mark, has_run)| Segment { mark, has_run }).to_vec();
        assert_eq!(record.ran[&42], Ran { path: 7, shape: u32::MAX, segments });
        assert_eq!(record.to_text(), text);
        for other in ["no record", "0000002a 00000007 ffffffff !!!", "0000002a"] {
            assert!(Record::read(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_path_is_a_name_without_its_number() {
        assert_eq!(path("_ZN3api3map4push17h0123456789abcdefE"), "_ZN3api3map4push");
        assert_eq!(path("memcpy"), "memcpy");
        assert_eq!(path("__wbindgen_malloc_and_free"), "__wbindgen_malloc_and_free");
    }
}
