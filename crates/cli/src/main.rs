//! Setpoint without a page: run a scenario, live a swarm of random lives, measure.

mod bench;
mod print;

use clap::{Parser, Subcommand};
use setpoint_api::Time;
use setpoint_lab::{Scenario, parse_duration, swarm};
use std::process::ExitCode;

/// A faithful Kubernetes cluster, simulated.
#[derive(Parser)]
#[command(
    name = "setpoint",
    after_help = "Examples:\n  setpoint run FILE --hash\n  setpoint swarm --seeds 100\n  setpoint bench"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario file and print a table of its objects.
    Run {
        /// The scenario: YAML with cluster, manifests and timed actions.
        file: std::path::PathBuf,
        /// How long to run, such as 10m; the scenario's own time if not given.
        #[arg(long, value_parser = duration)]
        until: Option<i64>,
        /// Seed of every random choice.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print events as they are recorded.
        #[arg(long)]
        events: bool,
        /// Print a hash over everything that happened, and nothing else.
        #[arg(long)]
        hash: bool,
    },
    /// Live random lives with faults and check invariants after every event.
    Swarm {
        /// How many lives.
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        first: u64,
    },
    /// Measure the engine; prints columns for `cargo xtask bench`, which knows the targets.
    Bench {
        /// One benchmark only.
        name: Option<String>,
    },
}

fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 1m30s, 10s or 500ms".to_string())
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Run { file, until, seed, events, hash } => run(&file, until, seed, events, hash),
        Command::Swarm { seeds, first } => run_swarm(seeds, first),
        Command::Bench { name } => match bench::run(name.as_deref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(sentence) => {
                eprintln!("{sentence}");
                ExitCode::from(2)
            }
        },
    }
}

fn run(file: &std::path::Path, until: Option<i64>, seed: u64, events: bool, hash: bool) -> ExitCode {
    let scenario = match std::fs::read_to_string(file) {
        Ok(source) => Scenario::read(&source),
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                let advice =
                    diagnostic.suggestion.as_ref().map(|advice| format!(" {advice}")).unwrap_or_default();
                let (line, column) = (diagnostic.line, diagnostic.column);
                eprintln!("{}:{line}:{column}: {}{advice}", file.display(), diagnostic.message);
            }
            return ExitCode::from(2);
        }
    };
    let until = until.map_or(scenario.until, Time);
    if hash {
        println!("{}", scenario.hash(seed, until.0));
        return ExitCode::SUCCESS;
    }
    let sim = scenario.run(seed, until);
    if events {
        print::events(&sim);
    }
    print::objects(&sim);
    ExitCode::SUCCESS
}

/// Lives the seeds on all cores and reports the first failure in order of seeds.
fn run_swarm(seeds: u64, first: u64) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = |thread: u64| {
        move || {
            let own = (first..first.saturating_add(seeds)).filter(move |seed| seed % threads == thread);
            let mut totals = (0u64, 0u64, 0u64);
            for seed in own {
                match std::panic::catch_unwind(|| swarm::live(seed)) {
                    Ok(Ok(life)) => {
                        totals = (totals.0 + life.wakes, totals.1 + life.checks, totals.2 + life.requests.0);
                    }
                    Ok(Err(failure)) => {
                        if let (1, Some(sim)) = (seeds, &failure.sim) {
                            print::events(sim);
                            print::objects(sim);
                        }
                        return Err((seed, failure.report));
                    }
                    Err(_) => {
                        let report = format!(
                            "seed {seed}: panicked\nreplay: cargo xtask swarm --seeds 1 --first {seed}"
                        );
                        return Err((seed, report));
                    }
                }
            }
            Ok(totals)
        }
    };
    let workers: Vec<_> = (0..threads).map(|thread| std::thread::spawn(share(thread))).collect();
    let mut totals = (0, 0, 0);
    let mut failures = Vec::new();
    for worker in workers {
        match worker.join() {
            Ok(Ok(own)) => totals = (totals.0 + own.0, totals.1 + own.1, totals.2 + own.2),
            Ok(Err(failure)) => failures.push(failure),
            Err(_) => failures.push((u64::MAX, "a worker died".to_string())),
        }
    }
    failures.sort();
    for (_, report) in &failures {
        eprintln!("{report}");
    }
    println!("{seeds} seeds from {first}: {} events, {} checks, {} requests", totals.0, totals.1, totals.2);
    let lost = failures.len();
    println!("{} passed, {lost} failed", seeds - lost as u64);
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
