//! The headless runner's jobs: hashes that must agree, the swarm.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, output, root, run, target_dir};

/// Scenarios whose hashes must be the same everywhere.
const SCENARIOS: &str = "tests/scenarios";
/// Seeds that each scenario is run with.
const SEEDS: [u64; 2] = [1, 2];
/// How long each is run, in simulated seconds.
const UNTIL_S: u64 = 600;

/// Builds the runner and returns its path.
///
/// # Errors
/// When it does not compile.
pub fn runner(release: bool) -> Result<PathBuf> {
    let mut build = cargo(["build", "--package", "setpoint"]);
    if release {
        build.arg("--release");
    }
    run(&mut build)?;
    let name = format!("setpoint{}", std::env::consts::EXE_SUFFIX);
    Ok(target_dir().join(if release { "release" } else { "debug" }).join(name))
}

/// Where [`hashes`] leaves the jobs and their hashes for the wasm half of the comparison, which the browser
/// tests do.
pub fn hashes_file() -> PathBuf {
    target_dir().join("xtask").join("hashes.json")
}

/// Runs each scenario in debug and release, and records the hashes.
///
/// # Errors
/// When a run fails or two hashes differ.
pub fn hashes() -> Result<()> {
    let file = hashes_file();
    if file.exists() {
        fs::remove_file(&file)?;
    }
    let (debug, release) = (runner(false)?, runner(true)?);
    let mut scenarios: Vec<PathBuf> = fs::read_dir(root().join(SCENARIOS))
        .with_context(|| format!("reading {SCENARIOS}"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    scenarios.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    scenarios.sort();
    if scenarios.is_empty() {
        bail!("{SCENARIOS} holds no scenario");
    }
    let mut jobs = Vec::new();
    for scenario in &scenarios {
        for seed in SEEDS {
            let hash = hash(&release, scenario, seed)?;
            let other = hash_of_debug(&debug, scenario, seed, &hash)?;
            println!("{} seed {seed}: {other}", scenario.display());
            jobs.push(format!(
                "{{\"scenario\":{:?},\"seed\":{seed},\"until_us\":{},\"hash\":{hash:?}}}",
                scenario.to_string_lossy(),
                UNTIL_S * 1_000_000
            ));
        }
    }
    fs::create_dir_all(file.parent().unwrap_or(&file))?;
    fs::write(&file, format!("[{}]\n", jobs.join(",\n")))?;
    Ok(())
}

fn hash(runner: &Path, scenario: &Path, seed: u64) -> Result<String> {
    let (seed, until) = (seed.to_string(), format!("{UNTIL_S}s"));
    let args = ["run", &scenario.to_string_lossy(), "--seed", &seed, "--until", &until, "--hash"];
    let printed = output(&mut command(runner, args))?;
    match printed.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => bail!("{} printed no hash for {}", runner.display(), scenario.display()),
    }
}

fn hash_of_debug(debug: &Path, scenario: &Path, seed: u64, release_hash: &str) -> Result<String> {
    let hash = hash(debug, scenario, seed)?;
    if hash != release_hash {
        bail!("{} seed {seed}: {hash} in debug, {release_hash} in release", scenario.display());
    }
    Ok(hash)
}

/// Runs `seeds` random fault schedules from seed `first` on.
///
/// # Errors
/// When a schedule breaks an invariant or does not converge.
pub fn swarm(seeds: u64, first: u64) -> Result<()> {
    let runner = runner(true)?;
    let (seeds, first) = (seeds.to_string(), first.to_string());
    run(&mut command(&runner, ["swarm", "--seeds", &seeds, "--first", &first]))
}

/// Runs all tests again with golden files rewritten to what they now print.
///
/// # Errors
/// When a test fails for another reason.
pub fn bless(args: &[String]) -> Result<()> {
    run(cargo(["test", "--workspace", "--exclude", "xtask"]).args(args).env("UPDATE_GOLDENS", "1"))?;
    println!("Golden files are rewritten; look at the difference before you commit it.");
    Ok(())
}
