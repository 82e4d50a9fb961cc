//! Runs a benchmark and prints what each part of it did and took, a line each, for `cargo xtask bench` and for people.
// The one place where a wall clock belongs: it measures the engine from outside.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

use setpoint_lab::bench;
use std::time::Instant;

/// CPU that this process's main thread has used, in seconds; the time since `start` where the system does not say.
fn cpu_seconds(start: Instant) -> f64 {
    let nanoseconds = std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Largest memory that this process has held, in bytes, where the system says so.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kilobytes| kilobytes * 1024)
}

/// Runs one benchmark, or all whose names are known for `None`. Columns: run, part, seconds of CPU, seconds of wall time,
/// simulated seconds, events, requests, ready pods, peak bytes.
pub fn run(only: Option<&str>) -> Result<(), String> {
    if let Some(name) = only.filter(|name| !bench::NAMES.contains(name)) {
        return Err(format!("no benchmark {name:?}; there are {}", bench::NAMES.join(", ")));
    }
    let start = Instant::now();
    for name in bench::NAMES.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let Some(mut run) = bench::Run::start(name) else { continue };
        loop {
            let (cpu, wall) = (cpu_seconds(start), start.elapsed());
            let Some(done) = run.next_part() else { break };
            let (cpu, wall) = (cpu_seconds(start) - cpu, (start.elapsed() - wall).as_secs_f64());
            let columns = done.columns();
            let (part, counts) = columns.split_once('\t').unwrap_or((&columns, ""));
            println!("{name}\t{part}\t{cpu:.6}\t{wall:.6}\t{counts}\t{}", peak_memory());
        }
    }
    Ok(())
}
