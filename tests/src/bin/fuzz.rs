//! Tries a target with drawn texts for some seconds, and says the text that it did not survive.
#![allow(
    clippy::disallowed_types,
    reason = "the rule keeps the engine free of clocks; this program runs for a given time"
)]

use setpoint_tests::fuzz::{Source, TARGETS};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longest time for one text.
const SLOW: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let word = |index: usize| args.get(index).map_or("", String::as_str);
    let (seconds, seed) = (word(1).parse().unwrap_or(60), word(2).parse().unwrap_or(1));
    let Some(target) = TARGETS.iter().find(|target| target.name == word(0)) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("fuzz TARGET [SECONDS [SEED]]; the targets are {}", names.join(", "));
        return ExitCode::from(2);
    };
    let (mut source, begun, mut count) = (Source::new(target, seed), Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let text = source.next_text();
        let at = Instant::now();
        let ended = std::panic::catch_unwind(|| (target.run)(&text));
        count += 1;
        if ended.is_err() || at.elapsed() > SLOW {
            println!("{} after {:?}: {text:?}", if ended.is_err() { "panic" } else { "slow" }, at.elapsed());
            return ExitCode::FAILURE;
        }
    }
    println!("{}: {count} texts in {seconds} s, no panic, none over {} s", target.name, SLOW.as_secs());
    ExitCode::SUCCESS
}
