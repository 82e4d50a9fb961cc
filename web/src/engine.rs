//! The engine without its page, for tests and benchmarks that run the very module that the page loads.

use setpoint_lab::{Scenario, bench, parse_duration};
use wasm_bindgen::prelude::*;

/// Runs a scenario with a seed up to a time and returns its hash as the headless runner prints it, or what is wrong with
/// the scenario.
#[wasm_bindgen]
pub fn run_hash(scenario: &str, seed: u64, until_us: u64) -> String {
    let until_us = i64::try_from(until_us).unwrap_or(0).min(parse_duration("1000h").unwrap_or(0));
    match Scenario::read(scenario) {
        Ok(scenario) => scenario.hash(seed, until_us),
        Err(errors) => errors.first().map(ToString::to_string).unwrap_or_default(),
    }
}

/// A benchmark, part by part; the caller has the clock.
#[wasm_bindgen]
pub struct Bench(bench::Run);

#[wasm_bindgen]
impl Bench {
    /// A benchmark before its first part; nothing for a name that there is not.
    pub fn start(name: &str) -> Option<Bench> {
        bench::Run::start(name).map(Bench)
    }
    /// Runs the next part. Columns: part, simulated seconds, events, requests, ready pods.
    pub fn next_part(&mut self) -> Option<String> {
        self.0.next_part().map(|done| done.columns())
    }
}
