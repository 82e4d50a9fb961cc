//! All of CI, step by step, in an order that fails early and shares what is built.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::page::{self, Profile, WASM};
use crate::process::{cargo, root, run};
use crate::{browser, engine, size, tidy};

/// Fault schedules that CI runs.
const SWARM_SEEDS: u64 = 2_000;

/// One step: its name, and what it does; it may say why it did nothing.
type Step = (&'static str, fn() -> Result<Option<String>>);

const STEPS: &[Step] = &[
    ("fmt", || done(run(&mut cargo(["fmt", "--all", "--check"])))),
    ("tidy", || done(tidy::check())),
    ("clippy", || done(run(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])))),
    ("clippy-wasm", clippy_wasm),
    ("test", || done(run(&mut cargo(["test", "--workspace"])))),
    ("page", || done(page::build(Profile::Page, &root().join("dist")))),
    ("size", || done(size::check(&root().join("dist")))),
    ("release", || done(engine::runner(true).map(drop))),
    ("hash", || done(engine::hashes())),
    ("swarm", || done(engine::swarm(SWARM_SEEDS, 1))),
    ("browser", || done(browser::test(&root().join("dist"), None, None))),
];

fn done(result: Result<()>) -> Result<Option<String>> {
    result.map(|()| None)
}

fn clippy_wasm() -> Result<Option<String>> {
    page::ensure_target()?;
    let lab_and_page = ["--package", "setpoint-lab", "--package", "setpoint-web"];
    done(run(cargo(["clippy", "--target", WASM]).args(lab_and_page).args(["--", "-D", "warnings"])))
}

/// Runs the steps in `only`, or all if it is empty; stops at the first that fails.
///
/// # Errors
/// The failed step's, or a step's name that there is not.
pub fn ci(only: &[String]) -> Result<()> {
    let known: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no step {unknown:?}; there are {}", known.join(", "));
    }
    let mut summary = Vec::new();
    let start = Instant::now();
    for (name, step) in STEPS.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|o| o == name)) {
        println!("\n==> {name}");
        let began = Instant::now();
        let outcome =
            step().with_context(|| format!("CI step {name} failed (alone: cargo xtask ci {name})"))?;
        let verdict = outcome.map_or_else(|| "ok".to_owned(), |reason| format!("SKIPPED: {reason}"));
        let line = summary_line(name, began.elapsed(), &verdict);
        println!("{line}");
        summary.push(line);
    }
    println!("\n{}\n{}", summary.join("\n"), summary_line("all", start.elapsed(), "ok"));
    Ok(())
}

fn summary_line(name: &str, took: Duration, verdict: &str) -> String {
    format!("{name:<12} {:>7.1} s  {verdict}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_refused_before_anything_runs() {
        let error = ci(&["fmt".to_owned(), "lint".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("\"lint\"") && error.contains("tidy"), "{error}");
    }

    #[test]
    fn times_line_up() {
        assert_eq!(summary_line("fmt", Duration::from_millis(1250), "ok"), "fmt              1.2 s  ok");
    }
}
