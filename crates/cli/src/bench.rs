//! Figures about the engine, in CPU-bound runs of fixed scenarios.
// The one place where a wall clock belongs: it measures the engine from outside.
#![allow(clippy::disallowed_types)]

use setpoint_lab::bench;
use std::time::Instant;

/// Runs every benchmark and prints a line each.
pub fn run() {
    for name in bench::NAMES {
        let start = Instant::now();
        let result = bench::run(name);
        let seconds = start.elapsed().as_secs_f64();
        println!("native {name}: {}", bench::describe(name, &result, seconds));
    }
}
