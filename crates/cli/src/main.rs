//! Setpoint without a page: run a scenario, live a swarm of random lives, measure.

mod bench;
mod kubectl;
mod print;

use clap::{Parser, Subcommand};
use setpoint_api::Time;
use setpoint_lab::{Scenario, parse_duration, swarm};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A faithful Kubernetes cluster, simulated.
#[derive(Parser)]
#[command(
    name = "setpoint",
    after_help = "Examples:\n  setpoint run FILE --hash\n  setpoint kubectl -- get nodes\n  setpoint apply -f DIR --until ready\n  setpoint swarm --seeds 100\n  setpoint bench"
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
    /// Say what a fresh cluster answers to `kubectl create --dry-run=server -f FILE` for each file, as JSON.
    Verdict {
        /// Manifests. Their paths are the keys of the answer.
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Run kubectl against a simulated cluster: `setpoint kubectl --cluster FILE --at 30s -- get pods`.
    Kubectl {
        /// A scenario file; three empty nodes if not given.
        #[arg(long)]
        cluster: Option<std::path::PathBuf>,
        /// How long the cluster has been running.
        #[arg(long, value_parser = duration, default_value = "30s")]
        at: i64,
        /// How much simulated time a command may take that waits or watches.
        #[arg(long = "for", value_parser = duration, default_value = "1h")]
        limit: i64,
        /// Seed of every random choice.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The words of the command.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Apply manifests to a simulated cluster: `setpoint apply -f DIR --until ready`.
    Apply {
        /// A manifest, or a folder of them.
        #[arg(short = 'f', long = "filename", required = true)]
        filename: Vec<String>,
        /// `ready`: go on until the Deployments and pods are ready.
        #[arg(long, value_parser = ["ready"])]
        until: Option<String>,
        /// How much simulated time they may take.
        #[arg(long, value_parser = duration, default_value = "10m")]
        timeout: i64,
        /// A scenario file; three empty nodes if not given.
        #[arg(long)]
        cluster: Option<std::path::PathBuf>,
        /// Seed of every random choice.
        #[arg(long, default_value_t = 1)]
        seed: u64,
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
        Command::Verdict { files } => verdict(&files),
        Command::Kubectl { cluster, at, limit, seed, words } => {
            kubectl::run(cluster.as_deref(), seed, at, limit, &words)
        }
        Command::Apply { filename, until, timeout, cluster, seed } => {
            kubectl::apply(cluster.as_deref(), seed, &filename, until.map(|_| timeout))
        }
        Command::Bench { name } => match bench::run(name.as_deref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(sentence) => {
                eprintln!("{sentence}");
                ExitCode::from(2)
            }
        },
    }
}

fn verdict(files: &[String]) -> ExitCode {
    let mut answers = serde_json::Map::new();
    for file in files {
        match std::fs::read(file) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                answers.insert(file.clone(), setpoint_lab::verdict::verdict(file, &text).to_value());
            }
            Err(error) => {
                eprintln!("could not read {file}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    println!("{:#}", serde_json::Value::Object(answers));
    ExitCode::SUCCESS
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

thread_local! {
    /// The seed that this thread lives, for the message of a panic: the release build ends at once, and says nothing else.
    static LIVING: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

/// Failed seeds that a worker reports before it gives up.
const FAILURES_MAX: usize = 5;

/// Lives the seeds on all cores and reports the failures in order of seeds.
fn run_swarm(seeds: u64, first: u64) -> ExitCode {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        if let Some(seed) = LIVING.get() {
            eprintln!("seed {seed} panicked\nreplay: cargo xtask swarm --seeds 1 --first {seed}");
        }
    }));
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let own = (first..first.saturating_add(seeds)).filter(move |seed| seed % threads == thread);
            std::thread::spawn(move || live_all(own, seeds == 1))
        })
        .collect();
    let mut totals = [0; 4];
    let mut failures = Vec::new();
    for worker in workers {
        // A panic has said all there is to say, and has ended a release build already.
        let Ok((counts, failed)) = worker.join() else { return ExitCode::FAILURE };
        totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        failures.extend(failed);
    }
    failures.sort();
    for (_, report) in &failures {
        eprintln!("{report}");
    }
    let [lives, events, checks, requests] = totals;
    println!("seeds from {first} on: {events} events, {checks} checks, {requests} requests");
    println!("{lives} passed, {} failed", failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lives seeds one after the other: counts of lives, events, checks and requests, and the reports of those that failed.
fn live_all(seeds: impl Iterator<Item = u64>, is_shown: bool) -> ([u64; 4], Vec<(u64, String)>) {
    let (mut counts, mut failures) = ([0; 4], Vec::new());
    for seed in seeds {
        LIVING.set(Some(seed));
        match swarm::live(seed) {
            Ok(life) => {
                let own = [1, life.wakes, life.checks, life.requests.0];
                counts.iter_mut().zip(own).for_each(|(count, own)| *count += own);
            }
            Err(failure) => {
                if let Some(sim) = failure.sim.as_ref().filter(|_| is_shown) {
                    swarm::diary(sim).iter().for_each(|line| println!("{line}"));
                    print::events(sim);
                    print::objects(sim);
                }
                failures.push((seed, failure.report));
                if failures.len() == FAILURES_MAX {
                    break;
                }
            }
        }
    }
    (counts, failures)
}
