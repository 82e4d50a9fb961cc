//! `docs/simplifications.md`, made from the headers of the engine's files, so that it cannot say anything else than they do.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::root;
use crate::tidy::walk;

/// Where the page lies.
const PATH: &str = "docs/simplifications.md";

const HEAD: &str = "\
# What is simplified

Made by `cargo xtask docs` from the headers of the engine's files; do not edit. Each entry names the file, what it stands
for upstream (Kubernetes 1.36), and what it leaves out or does otherwise.
";

/// Rewrites the page.
///
/// # Errors
/// When a file can't be read or written.
pub fn bless() -> Result<()> {
    fs::write(root().join(PATH), page(&root())?).with_context(|| format!("could not write {PATH}"))
}

/// Whether the page says what the headers say.
///
/// # Errors
/// When it does not, with the command that mends it.
pub fn check() -> Result<()> {
    let there = fs::read_to_string(root().join(PATH)).unwrap_or_default();
    if there != page(&root())? {
        bail!("{PATH} is stale: run `cargo xtask docs`");
    }
    Ok(())
}

fn page(top: &Path) -> Result<String> {
    let mut out = HEAD.to_owned();
    let mut crates: Vec<(String, String)> = Vec::new();
    walk(top, "", &mut |path, text| {
        if path.starts_with("crates/") && path.ends_with(".rs") && path.contains("/src/") {
            crates.push((path.to_owned(), text.to_owned()));
        }
    })?;
    crates.sort();
    for (path, text) in &crates {
        if let Some(simplified) = label(text, "Simplified") {
            let upstream = label(text, "Upstream").unwrap_or_else(|| "nothing in particular".to_owned());
            let _ = write!(out, "\n## {path}\n\nUpstream: {upstream}\n\n{simplified}\n");
        }
    }
    Ok(out)
}

/// The text of a label of a file's header: from the label to the next one, or to the end of the paragraph.
fn label(text: &str, name: &str) -> Option<String> {
    let mut header = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let prefix = format!("{name}:");
    let mut found = header.find_map(|line| line.strip_prefix(&prefix))?.trim().to_owned();
    for line in header {
        let is_label = line
            .split_once(':')
            .is_some_and(|(word, _)| ["Watches", "Writes", "Rule", "Upstream", "Simplified"].contains(&word));
        if line.is_empty() || is_label {
            break;
        }
        found.push('\n');
        found.push_str(line);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_label_ends_at_the_next_one() {
        let text = "//! A thing.\n//!\n//! Upstream: a.go,\n//! b.go.\n//! Simplified: no c;\n//! no d.\n//!\n//! More.\nuse x;\n";
        assert_eq!(label(text, "Upstream").as_deref(), Some("a.go,\nb.go."));
        assert_eq!(label(text, "Simplified").as_deref(), Some("no c;\nno d."));
        assert_eq!(label(text, "Rule"), None);
    }
}
