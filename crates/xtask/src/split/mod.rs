//! The page's wasm in two files: what an untouched page runs, and the rest, which is fetched once a person turns to it.
//!
//! What an untouched page runs was recorded (`cargo xtask profile`, [`record`]). Functions that did not run are in the rest,
//! and so are the parts of the others that did not ([`outline`]). What the first file needs of the rest it calls through
//! the table of functions, after it has seen to it that the rest is there (`load_rest` of `web/src/rest.rs`); the rest
//! works on the memory, table and globals of the first. The record may be old ([`known`], [`sorted`]).

mod code;
mod data;
mod first;
mod known;
mod linked;
mod module;
mod outline;
mod plan;
mod record;
mod rest;
mod sorted;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::arrange;
pub use data::Data;
use first::First;
use plan::Plan;
pub use record::{Record, Watched};

/// The two files.
pub struct Files {
    /// What an untouched page runs.
    pub first: Vec<u8>,
    /// Everything else.
    pub rest: Vec<u8>,
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
    Ok(Some(Files { first, rest: rest::module(&plan)? }))
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The name under which the first file exports a table, memory or global for the rest. Functions go by their entries in the
/// table, for so many names would take more than the entries do (`setpointRest` of `web/boot.js`).
fn exported(sort: char, index: u32) -> String {
    format!("{sort}{index:x}")
}

/// Entries of a table, in runs without gaps.
fn runs(entries: &BTreeMap<u32, u32>) -> Vec<Vec<(u32, u32)>> {
    let entries: Vec<(u32, u32)> = entries.iter().map(|(entry, function)| (*entry, *function)).collect();
    entries.chunk_by(|one, next| one.0 + 1 == next.0).map(<[_]>::to_vec).collect()
}

#[cfg(test)]
mod tests;
