//! The browser tests: what they need on the machine, and their run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::engine;
use crate::page::{self, Profile};
use crate::process::{command, find, output, root, run};

/// The oldest node that the tests run on.
const NODE_AT_LEAST: u32 = 20;
/// What npm fetches where node is older, as on Debian 12.
const NODE_PACKAGE: &str = "node@22.23.3";

/// Runs the tests in `tests/browser` whose names contain `only` (all, if it is empty) against `dist`, and leaves the
/// pictures that they take in `shots`.
///
/// # Errors
/// When a test fails, or when the machine lacks something that can't be installed.
pub fn test(dist: &Path, only: Option<&str>, shots: Option<&Path>) -> Result<()> {
    let program = node()?;
    let dir = root().join("tests/browser");
    install_packages(&dir)?;
    let chromium = chromium()?;
    let mut tests: Vec<PathBuf> =
        fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    tests.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.ends_with(".test.mjs") && only.is_none_or(|part| name.contains(part))
    });
    tests.sort();
    if tests.is_empty() {
        bail!("no browser test has such a name");
    }
    // One file at a time: two browsers on two cores would make the tests wait for each other.
    let mut failed = Vec::new();
    for path in &tests {
        let mut node = command(&program, ["--test".as_ref(), path.as_os_str()]);
        node.env("CHROMIUM", &chromium).env("XTASK", env::current_exe()?).env("SETPOINT_DIST", dist);
        if let Some(shots) = shots {
            node.env("SETPOINT_SHOTS", shots);
        }
        if engine::hashes_file().exists() {
            node.env("SETPOINT_HASHES", engine::hashes_file());
            node.env("SETPOINT_NODE_MODULE", page::node_module(Profile::Page)?);
        }
        if let Err(error) = run(&mut node) {
            failed.push(error.to_string());
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!(failed.join("; ")) }
}

/// What a program of `tests/browser` prints about the page in `dist`.
///
/// # Errors
/// As [`test`].
pub fn program(name: &str, dist: &Path) -> Result<String> {
    let program = node()?;
    let dir = root().join("tests/browser");
    install_packages(&dir)?;
    let mut node = command(&program, [dir.join(name)]);
    output(node.env("CHROMIUM", chromium()?).env("XTASK", env::current_exe()?).env("SETPOINT_DIST", dist))
}

/// A node that is new enough: the one on PATH, or one that npm fetches.
fn node() -> Result<PathBuf> {
    let missing = format!("the browser tests need node {NODE_AT_LEAST} or later with npm on PATH");
    let node = found(&["node"], "nodejs", &missing)?;
    found(&["npm"], "npm", &missing)?;
    let version = output(&mut command(&node, ["--version"]))?;
    if major(&version).is_some_and(|major| major >= NODE_AT_LEAST) {
        return Ok(node);
    }
    println!("node {} is too old: npm fetches {NODE_PACKAGE}.", version.trim());
    let fetch = ["exec", "--yes", "--package", NODE_PACKAGE, "--", "node", "--print", "process.execPath"];
    Ok(output(&mut command("npm", fetch)).context(missing)?.trim().into())
}

/// `v20.1.2` into 20.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// `npm ci`, unless what it would fetch is there already.
fn install_packages(dir: &Path) -> Result<()> {
    let modified = |path: PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    let wanted = modified(dir.join("package-lock.json"));
    let fetched = modified(dir.join("node_modules/.package-lock.json"));
    if fetched.is_some() && fetched >= wanted {
        return Ok(());
    }
    run(command("npm", ["ci", "--no-audit", "--no-fund"]).current_dir(dir))
}

/// A Chromium: the one in CHROMIUM, one on PATH, or one that apt installs now.
fn chromium() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM") {
        let path = PathBuf::from(path);
        return if path.is_file() { Ok(path) } else { bail!("CHROMIUM={}: no such file", path.display()) };
    }
    found(
        &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
        "chromium",
        "the browser tests need Chromium: put `chromium` on PATH, or its path into CHROMIUM",
    )
}

/// A program on PATH under one of its names, installed by apt if there is none.
fn found(names: &[&str], package: &str, missing: &str) -> Result<PathBuf> {
    let on_path = || names.iter().find_map(|name| find(name));
    if let Some(path) = on_path() {
        return Ok(path);
    }
    if find("apt-get").is_none() {
        bail!("{missing} (there is no apt-get here to install it with)");
    }
    if output(&mut command("id", ["-u"]))?.trim() != "0" {
        bail!("{missing} (`apt-get install {package}` does it, but needs root)");
    }
    println!("Installing {package}.");
    run(&mut command("apt-get", ["update", "-qq"])).with_context(|| missing.to_owned())?;
    run(command("apt-get", ["install", "-y", "-qq", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive"))
    .with_context(|| missing.to_owned())?;
    on_path().with_context(|| missing.to_owned())
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.1.0"), None);
        assert_eq!(major(""), None);
    }
}
