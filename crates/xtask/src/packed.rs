//! What becomes of the file of wasm that the page starts with: it is packed, and goes with the wasm that unpacks it.

use std::convert::Infallible;

use anyhow::{Context, Result, anyhow, ensure};
use wasm_encoder::Module;
use wasm_encoder::reencode::{Error, Reencode};
use wasmparser::{CustomSectionReader, Parser, Payload};

/// Packs a file of wasm.
///
/// # Errors
/// When it is no wasm, or too large.
pub fn pack(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut bodies = 0..0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::CodeSectionEntry(body) if bodies.end == 0 => {
                // The body's size stands in front of it, in groups of seven bits.
                let size = body.range().len().ilog2() as usize / 7 + 1;
                bodies = body.range().start - size..body.range().end;
            }
            Payload::CodeSectionEntry(body) => bodies.end = body.range().end,
            _ => {}
        }
    }
    let packed = setpoint_pack::pack(wasm, bodies).context("the page's wasm is too large to be packed")?;
    ensure!(
        setpoint_pack::unpack(&packed) == wasm,
        "the page's wasm is not what comes out of its packed form"
    );
    Ok(packed)
}

/// The wasm without what only tools read.
///
/// # Errors
/// When it is no wasm that this build's tools can read.
pub fn bare(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    Bare.parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| anyhow!("leaving out what only tools read: {error}"))?;
    Ok(module.finish())
}

struct Bare;

impl Reencode for Bare {
    type Error = Infallible;

    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Ok(())
    }
}
