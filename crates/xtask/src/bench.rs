//! Benchmarks, native and in wasm, against what they are meant to reach. Each figure is the median of five runs made in
//! one go, so that ratios hold on any machine.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::browser;
use crate::engine::runner;
use crate::page::{self, Profile};
use crate::process::{command, output};

/// Runs of each benchmark.
const RUNS: usize = 5;

/// What one part of a benchmark took and did.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    seconds: f64,
    simulated_s: f64,
    /// The same by the clock on the wall.
    wall: f64,
    events: f64,
    ready: f64,
    /// Largest memory in bytes; 0 where nobody says.
    peak: f64,
}

/// Runs the benchmarks and prints each figure with its target.
///
/// # Errors
/// When one can't be built or run, or a target is missed.
pub fn bench() -> Result<()> {
    let runner = runner(true)?;
    let module = page::node_module(Profile::Page)?;
    let native = |name: &str| output(&mut command(&runner, ["bench", name]));
    let wasm =
        |name: &str| output(command("node", ["tests/browser/bench.mjs"]).arg(Path::new(&module)).arg(name));

    let small = median("three-nodes", RUNS, &native)?;
    let small_wasm = median("three-nodes", RUNS, &wasm)?;
    let scale = median("scale-to-100", RUNS, &native)?;
    let scale_wasm = median("scale-to-100", RUNS, &wasm)?;
    let hundred = median("hundred-nodes", RUNS, &native)?;
    let large = median("thirty-thousand-pods", 1, &native)?;

    let speed = |figures: &BTreeMap<String, Figures>| {
        total(figures, |f| f.simulated_s) / total(figures, |f| f.seconds)
    };
    let part = |figures: &BTreeMap<String, Figures>, name: &str| {
        figures.get(name).copied().with_context(|| format!("no part {name:?}"))
    };
    let ratio = speed(&small) / speed(&small_wasm);
    let (up, up_wasm) = (part(&scale, "scale")?, part(&scale_wasm, "scale")?);
    let rate = total(&hundred, |f| f.events) / total(&hundred, |f| f.seconds);
    let create = part(&large, "create")?;
    println!("Medians of {RUNS} runs; seconds of CPU.");
    let verdicts = [
        line("3 nodes, 30 pods, 100 RPS: simulated s per s, native", speed(&small), At::Least(1000.0)),
        line("the same in wasm under node", speed(&small_wasm), At::Least(1000.0 / 2.5)),
        line("native over wasm", ratio, At::Most(2.5)),
        line("Deployment 3 to 100 ready, native, ms", up.seconds * 1e3, At::Most(60.0)),
        line("Deployment 3 to 100 ready, wasm, ms", up_wasm.seconds * 1e3, At::Most(60.0)),
        line("ready pods after it, wasm", up_wasm.ready, At::Least(100.0)),
        line("100 nodes, 3,000 pods, one hour: events per s, native", rate, At::Least(500_000.0)),
        line(
            "1,000 nodes, 30,000 pods of one Deployment ready, native, s of wall time",
            create.wall,
            At::Most(60.0),
        ),
        line("ready pods after it", create.ready, At::Least(30_000.0)),
        line("largest memory for it, GiB", create.peak / f64::from(1 << 30), At::Most(4.0)),
    ];
    for (name, figures) in &hundred {
        println!("  100 nodes, {name}: {:.0} events in {:.3} s", figures.events, figures.seconds);
    }
    if verdicts.contains(&false) {
        bail!("a target is missed");
    }
    Ok(())
}

/// Runs the benchmark of the page's frames in Chromium and prints each figure with its target, in milliseconds.
///
/// # Errors
/// When it can't be run, or a target is missed.
pub fn frames(dist: &Path) -> Result<()> {
    let mut is_met = true;
    for row in browser::program("frames.mjs", dist)?.lines() {
        match row.split('\t').collect::<Vec<_>>()[..] {
            [name, figure, most] => is_met &= line(name, figure.parse()?, At::Most(most.parse()?)),
            _ => println!("{row}"),
        }
    }
    if !is_met {
        bail!("a target is missed");
    }
    Ok(())
}

/// A target.
enum At {
    Least(f64),
    Most(f64),
}

/// Prints a figure with its target; says whether it is met.
fn line(name: &str, figure: f64, target: At) -> bool {
    let (is_met, word, bound) = match target {
        At::Least(bound) => (figure >= bound, "at least", bound),
        At::Most(bound) => (figure <= bound, "at most", bound),
    };
    let mark = if is_met { "ok    " } else { "MISSED" };
    println!("{mark} {name}: {} ({word} {})", shown(figure), shown(bound));
    is_met
}

fn shown(figure: f64) -> String {
    if figure < 100.0 { format!("{figure:.2}") } else { format!("{figure:.0}") }
}

fn total(figures: &BTreeMap<String, Figures>, field: impl Fn(&Figures) -> f64) -> f64 {
    figures.values().map(field).sum()
}

/// The median of each part's time over some runs of a benchmark.
fn median(
    name: &str,
    runs: usize,
    run: &dyn Fn(&str) -> Result<String>,
) -> Result<BTreeMap<String, Figures>> {
    let mut parts: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
    for _ in 0..runs {
        for (part, figures) in read(&run(name)?)? {
            parts.entry(part).or_default().push(figures);
        }
    }
    if parts.is_empty() {
        bail!("benchmark {name} printed nothing");
    }
    let middle = |mut runs: Vec<Figures>| {
        runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        runs[runs.len() / 2]
    };
    Ok(parts.into_iter().map(|(part, runs)| (part, middle(runs))).collect())
}

/// Reads the columns: run, part, CPU, wall, simulated, events, requests, ready, and natively the largest memory.
fn read(printed: &str) -> Result<Vec<(String, Figures)>> {
    let mut rows = Vec::new();
    for line in printed.lines().filter(|line| !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| -> Result<f64> {
            let text = columns.get(at).with_context(|| format!("too few columns: {line}"))?;
            text.parse().with_context(|| format!("{text:?} is no number: {line}"))
        };
        let part = columns.get(1).map(|part| (*part).to_owned()).unwrap_or_default();
        // The system counts CPU time in ticks of milliseconds, which is too coarse for short parts; over long ones it leaves
        // out the time that other programs took.
        let (cpu, wall) = (number(2)?, number(3)?);
        let seconds = if cpu < 0.05 { wall } else { cpu.min(wall) };
        let peak = if columns.len() > 8 { number(8)? } else { 0.0 };
        let (simulated_s, events, ready) = (number(4)?, number(5)?, number(7)?);
        let figures = Figures { seconds, wall, simulated_s, events, ready, peak };
        rows.push((part, figures));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_run_counts() {
        let times = std::cell::Cell::new(0);
        let run = |_: &str| {
            times.set(times.get() + 1);
            Ok(format!("x\tall\t0\t{}\t10\t100\t0\t3\t4096\n", [3.0, 1.0, 2.0][times.get() - 1]))
        };
        let figures = median("x", 3, &run).unwrap()["all"];
        assert_eq!((figures.seconds, figures.events, figures.ready), (2.0, 100.0, 3.0));
        assert_eq!((figures.wall, figures.peak), (2.0, 4096.0));
        assert!(read("x\tall\t0\tsoon\t10\t100\t0\t3").is_err());
        assert!(!line("test", 2.0, At::Most(1.0)) && line("test", 2.0, At::Least(1.0)));
    }
}
