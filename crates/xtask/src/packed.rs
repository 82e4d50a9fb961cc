//! What becomes of the file of wasm that the page starts with: it is packed, and goes with the wasm that unpacks it.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{Encode as _, Module, RawSection, SectionId};
use wasmparser::{Parser, Payload};

/// Packs a file of wasm.
///
/// # Errors
/// When it is no wasm, or too large.
pub fn pack(wasm: &[u8]) -> Result<Vec<u8>> {
    let (wasm, bodies) = sized(wasm)?;
    let packed = setpoint_pack::pack(&wasm, bodies).context("the page's wasm is too large to be packed")?;
    ensure!(
        setpoint_pack::unpack(&packed) == wasm,
        "the page's wasm is not what comes out of its packed form"
    );
    Ok(packed)
}

/// The file with sizes of three bytes for the bodies of functions, as the packer wants them, and where the bodies are.
fn sized(wasm: &[u8]) -> Result<(Vec<u8>, Range<usize>)> {
    let mut section = 0..0;
    let (mut count, mut bodies) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::CodeSectionStart { range, count: bodies, .. } => {
                section = range;
                bodies.encode(&mut count);
            }
            Payload::CodeSectionEntry(body) => {
                bodies.extend(setpoint_pack::size(body.range().len()));
                bodies.extend(body.as_bytes());
            }
            _ => {}
        }
    }
    // In front of a section stands its size.
    let (mut old, mut new) = (Vec::new(), Vec::new());
    section.len().encode(&mut old);
    (count.len() + bodies.len()).encode(&mut new);
    let before = wasm.get(..section.start.saturating_sub(old.len())).context("a section without a size")?;
    let start = before.len() + new.len() + count.len();
    let end = start + bodies.len();
    let after = wasm.get(section.end..).context("a section without an end")?;
    Ok(([before, &new, &count, &bodies, after].concat(), start..end))
}

/// The wasm without what only tools read.
///
/// # Errors
/// When it is no wasm.
pub fn bare(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Some((id, range)) = payload?.as_section().filter(|(id, _)| *id != SectionId::Custom as u8) {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    Ok(module.finish())
}
