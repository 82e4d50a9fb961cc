//! The few rules about the text of the project that no compiler checks.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{cargo, output, root};

/// Which of the project's crates each may name: `api <- control <- sim <- lab <- { web, cli, tests }`.
const LAYERS: &[(&str, &[&str])] = &[
    ("setpoint-api", &[]),
    ("setpoint-control", &["setpoint-api"]),
    ("setpoint-sim", &["setpoint-api", "setpoint-control"]),
    ("setpoint-lab", &["setpoint-api", "setpoint-control", "setpoint-sim"]),
    // The page shows frames; the innards of the engine are not its business.
    ("setpoint-web", &["setpoint-api", "setpoint-lab"]),
    ("setpoint", &["setpoint-api", "setpoint-control", "setpoint-sim", "setpoint-lab"]),
    ("setpoint-tests", &["setpoint-api", "setpoint-control", "setpoint-sim", "setpoint-lab", "setpoint"]),
    ("setpoint-pack", &[]),
    ("xtask", &["setpoint-pack"]),
];

/// Crates that would bring a browser, ambient randomness or threads into the engine.
const FOREIGN: &[&str] = &[
    "getrandom",
    "js-sys",
    "rayon",
    "tokio",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "web-sys",
    "web-time",
    "yew",
];

/// Identifiers that would make two runs differ.
const AMBIENT: &[&str] = &[
    "HashMap",
    "HashSet",
    "Instant",
    "SmallRng",
    "StdRng",
    "SystemTime",
    "getrandom",
    "thread_local",
    "thread_rng",
];

/// Ways for a user's text to become markup.
const SINKS: &[&str] =
    &["from_html_unchecked", "innerHTML", "insertAdjacentHTML", "outerHTML", "set_inner_html"];

/// Folders of the engine.
const ENGINE: &[&str] = &["crates/api/", "crates/control/", "crates/sim/", "crates/lab/"];

/// Checks all rules.
///
/// # Errors
/// One that lists every breach.
pub fn check() -> Result<()> {
    let mut breaches = Vec::new();
    for (package, allowed) in LAYERS {
        let direct = output(&mut tree(package, &["--depth", "1", "--edges", "all"]))?;
        breaches.extend(layer_breaches(package, allowed, &direct));
    }
    let engine = output(&mut tree("setpoint-lab", &["--edges", "normal"]))?;
    breaches.extend(foreign_breaches(&engine));
    let mut files = 0;
    walk(&root(), "", &mut |path, text| {
        files += 1;
        breaches.extend(text_breaches(path, text));
    })?;
    println!("{files} files and {} crates checked", LAYERS.len());
    crate::docs::check()?;
    if !breaches.is_empty() {
        bail!("not tidy:\n{}", breaches.join("\n"));
    }
    Ok(())
}

fn tree(package: &str, options: &[&str]) -> std::process::Command {
    let mut command = cargo(["tree", "--quiet", "--prefix", "none", "--target", "all", "--package", package]);
    command.args(options);
    command
}

/// Names in the output of `cargo tree --prefix none`, the package itself left out.
fn packages(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().skip(1).filter_map(|line| line.split_whitespace().next())
}

fn layer_breaches(package: &str, allowed: &[&str], tree: &str) -> Vec<String> {
    packages(tree)
        .filter(|name| name.starts_with("setpoint") && *name != package && !allowed.contains(name))
        .map(|name| format!("{package} must not depend on {name}"))
        .collect()
}

fn foreign_breaches(tree: &str) -> Vec<String> {
    let mut found: Vec<String> = packages(tree)
        .filter(|name| FOREIGN.contains(name))
        .map(|name| {
            format!("the engine must not reach {name} (cargo tree --package setpoint-lab --invert {name})")
        })
        .collect();
    found.dedup();
    found
}

fn text_breaches(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Tests beside the engine may hold a clock against it; its sources may not.
    let engine =
        ENGINE.iter().any(|dir| path.starts_with(dir)) && path.contains("/src/") && path.ends_with(".rs");
    let page = path.starts_with("web/");
    // Written in two halves so that this file keeps its own rules.
    let (todo, fixme) = (concat!("TO", "DO"), concat!("FIX", "ME"));
    let machine = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/tm", "p/")];
    for (number, line) in text.lines().enumerate() {
        let mut breach = |what: String| found.push(format!("{path}:{}: {what}", number + 1));
        if has_word(line, todo) || has_word(line, fixme) {
            breach("finish it or leave it out".to_owned());
        }
        if let Some(place) = machine.iter().find(|place| path.ends_with(".md") && line.contains(**place)) {
            breach(format!("{place} names one machine's folder"));
        }
        let code = line.split("//").next().unwrap_or("");
        if let Some(word) = AMBIENT.iter().find(|word| engine && has_word(code, word)) {
            breach(format!("{word} makes runs differ"));
        }
        if let Some(word) = SINKS.iter().find(|word| page && has_word(code, word)) {
            breach(format!("{word} lets text become markup"));
        }
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        found.push(format!("{path}: records where packages came from; .npmrc leaves that out"));
    }
    found
}

/// Whether `word` stands in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word)
    })
}

/// Calls `visit` with each text file's path and content; built and fetched files are passed over.
pub fn walk(dir: &Path, prefix: &str, visit: &mut impl FnMut(&str, &str)) -> Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !["target", "dist", "node_modules", ".git"].contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), visit)?;
        } else if kind.is_file() {
            // What is no UTF-8 is a picture or an archive.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                visit(&path, &text);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_reaches_up_is_named() {
        let tree = "setpoint-control v0.1.0 (x)\nserde_json v1.0.1\nsetpoint-api v0.1.0 (x)\nsetpoint-sim v0.1.0 (x)\n";
        assert_eq!(
            layer_breaches("setpoint-control", &["setpoint-api"], tree),
            ["setpoint-control must not depend on setpoint-sim"]
        );
        assert!(layer_breaches("setpoint-control", &["setpoint-api", "setpoint-sim"], tree).is_empty());
    }

    #[test]
    fn a_browser_in_the_engine_is_named_once() {
        let tree = "setpoint-lab v0.1.0 (x)\nrand v0.10.0\ngetrandom v0.4.1\ngetrandom v0.4.1 (*)\n";
        let found = foreign_breaches(tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("getrandom"));
    }

    #[test]
    fn breaches_carry_file_and_line() {
        let cases = [
            ("crates/sim/src/a.rs", "\nuse std::collections::HashMap;", 1),
            ("crates/sim/src/a.rs", "// no HashMap here\nlet instant_us = 1; MyInstant", 0),
            ("crates/cli/src/main.rs", "let now = Instant::now();", 0),
            ("crates/control/tests/speed.rs", "let now = Instant::now();", 0),
            ("web/src/a.rs", "node.set_inner_html(text);", 1),
            ("docs/a.md", concat!("see /wo", "rk/x"), 1),
            ("docs/a.md", "see /workloads and work/x", 0),
            ("a.rs", concat!("// TO", "DO: later"), 1),
            ("a.rs", concat!("TO", "DOS"), 0),
            ("tests/browser/package-lock.json", "\"resolved\": \"https://mirror\"", 1),
        ];
        for (path, text, count) in cases {
            assert_eq!(text_breaches(path, text).len(), count, "{path}: {text}");
        }
        assert!(text_breaches("crates/sim/src/a.rs", "\nInstant")[0].starts_with("crates/sim/src/a.rs:2: "));
    }

    #[test]
    fn every_crate_has_its_layer() {
        let metadata = output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"])).unwrap();
        let mut named: Vec<&str> = metadata
            .split("\"id\":\"path+file://")
            .skip(1)
            .filter_map(|rest| rest.split_once("\"manifest_path\":\"")?.1.split('"').next())
            .collect();
        named.dedup();
        assert_eq!(named.len(), LAYERS.len(), "{named:?}");
    }
}
