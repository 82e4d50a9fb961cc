//! The names between the page's wasm and its glue, made short, and scripts and style sheets without what only people read.
//!
//! wasm-bindgen gives each function that the wasm imports a name that no other can have, and both files carry all of them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{EntityType, ImportSection, Module};
use wasmparser::{ImportSectionReader, Parser, Payload};

/// Wasm and glue with short names.
///
/// # Errors
/// When it is no wasm that this build's tools can read.
pub fn shorten(wasm: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let count = names.len();
                names.entry(import?.name.to_owned()).or_insert_with(|| short(count));
            }
        }
    }
    let mut module = Module::new();
    Short { names: &names }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| anyhow!("the names of the page's imports: {error}"))?;
    Ok((module.finish(), renamed(&script(glue), &names)))
}

/// A name for what is so far down the list.
fn short(at: usize) -> String {
    format!("_{at}")
}

/// A style sheet without comments, and without the blanks that mean nothing.
pub fn style(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        match quote {
            Some(open) => {
                if letter == open {
                    quote = None;
                }
                out.push(letter);
            }
            None if letter.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(|last: char| last == ' ' || "{};,:".contains(last)) {
                    out.push(' ');
                }
            }
            None => {
                if "{};,".contains(letter) && out.ends_with(' ') {
                    out.pop();
                }
                if "\"'".contains(letter) {
                    quote = Some(letter);
                }
                out.push(letter);
            }
        }
    }
    out
}

/// A script without comments that fill lines, and without indentation.
pub fn script(glue: &str) -> String {
    let is_comment = |line: &str| ["//", "/*", "*"].iter().any(|start| line.starts_with(start));
    glue.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line)).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
}

/// The text with whole words replaced.
fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    let is_inside = |letter: char| letter.is_ascii_alphanumeric() || "_$".contains(letter);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|letter| !is_inside(letter)).unwrap_or(rest.len());
        let (own, after) = rest.split_at(word);
        out.push_str(names.get(own).map_or(own, String::as_str));
        let gap = after.find(is_inside).unwrap_or(after.len());
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    out
}

struct Short<'n> {
    names: &'n BTreeMap<String, String>,
}

impl Reencode for Short<'_> {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section.into_imports() {
            let import = import?;
            let kind: EntityType = self.entity_type(import.ty)?;
            imports.import(
                import.module,
                self.names.get(import.name).map_or(import.name, String::as_str),
                kind,
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::TypeSection;

    #[test]
    fn blanks_that_mean_something_stay() {
        let text = "/* What. */\n.a  .b:hover > p { margin: 0 -1px;\n  content: \"x { y: \" }\n@media (max-width: 7px) {\n}\n";
        assert_eq!(style(text), ".a .b:hover > p{margin:0 -1px;content:\"x { y: \"}@media (max-width:7px){}");
        assert_eq!(style(".a:is(b, c) :d{e:f /* g"), ".a:is(b,c) :d{e:f ");
        assert_eq!(script("  a;\n// b\n  /** c */\n\n\td; // e\n"), "a;\nd; // e\n");
    }

    #[test]
    fn both_sides_have_the_same_short_names() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        for name in ["__wbg_new_64c29f", "__wbg_new_64c29f2"] {
            imports.import("./glue.js", name, EntityType::Function(0));
        }
        let wasm = Module::new().section(&types).section(&imports).clone().finish();
        let glue = "/**\n * What it is.\n */\nconst imports = {\n    __wbg_new_64c29f2: () => 1, // __wbg\n    __wbg_new_64c29f: f,\n};\n";
        let (wasm, glue) = shorten(&wasm, glue).unwrap();
        assert_eq!(glue, "const imports = {\n_1: () => 1, // __wbg\n_0: f,\n};\n");
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(&wasm) {
            if let Payload::ImportSection(imports) = payload.unwrap() {
                found.extend(imports.into_imports().map(|import| import.unwrap().name.to_owned()));
            }
        }
        assert_eq!(found, ["_0", "_1"]);
    }
}
