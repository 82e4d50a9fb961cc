//! The size budget: everything that the first load of the page transfers, compressed as a static host does it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::html;

/// What the first load is meant to transfer at most, in bytes after `gzip -9`.
pub const GOAL: usize = 250_000;
/// What it may transfer at most: what was measured, and little more, so that it can only shrink.
pub const CEILING: usize = 248_000;

/// One file of the first load.
struct Row {
    name: String,
    raw: usize,
    gzip: usize,
}

/// Prints a table of what the page in `dist` transfers.
///
/// # Errors
/// When a file is missing, or the sum is over [`CEILING`].
pub fn check(dist: &Path) -> Result<()> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| {
        format!("{}: build the page first (cargo xtask build --release)", index.display())
    })?;
    let mut rows = Vec::new();
    for name in std::iter::once("index.html".to_owned()).chain(html::references(&html)) {
        let bytes = fs::read(dist.join(&name)).with_context(|| format!("index.html names {name}"))?;
        rows.push(Row { name, raw: bytes.len(), gzip: gzipped(&bytes)?.len() });
    }
    println!("{}", table(&rows));
    if let Some(name) = html::later(&html) {
        let bytes = fs::read(dist.join(&name)).with_context(|| format!("index.html names {name}"))?;
        println!("{name}, fetched when a person turns to the page: {}", bytes.len());
    }
    let sum = total(&rows);
    if sum > CEILING {
        bail!("the first load takes {sum} bytes, {} over the ceiling of {CEILING}", sum - CEILING);
    }
    if sum > GOAL {
        println!(
            "GOAL NOT MET: {} bytes over the goal of {GOAL}; below the ceiling of {CEILING}",
            sum - GOAL
        );
    }
    Ok(())
}

fn total(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.gzip).sum()
}

/// The bytes after `gzip -9`.
///
/// # Errors
/// As writing does; writing to memory does not fail.
pub fn gzipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("first load".len());
    let mut out = format!("{:width$} {:>10} {:>10}", "file", "raw", "gzip");
    for row in rows {
        let _ = write!(out, "\n{:width$} {:>10} {:>10}", row.name, row.raw, row.gzip);
    }
    let raw: usize = rows.iter().map(|row| row.raw).sum();
    let _ = write!(out, "\n{:width$} {raw:>10} {:>10}", "first load", total(rows));
    let _ = write!(out, "\n{:width$} {:>10} {GOAL:>10}", "goal", "");
    let _ = write!(out, "\n{:width$} {:>10} {CEILING:>10}", "ceiling", "");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up() {
        let rows = [
            Row { name: "index.html".into(), raw: 2000, gzip: 900 },
            Row { name: "setpoint.wasm".into(), raw: 5000, gzip: 2100 },
        ];
        let table = table(&rows);
        let last: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(last[1], ["index.html", "2000", "900"]);
        assert_eq!(last[3], ["first", "load", "7000", "3000"]);
        assert_eq!(last[4], ["goal", "250000"]);
    }

    #[test]
    fn a_load_over_the_ceiling_is_refused() {
        let dist = crate::process::target_dir().join("xtask").join("size-test");
        fs::create_dir_all(&dist).unwrap();
        fs::write(dist.join("index.html"), "<link href=\"./a.wasm\">").unwrap();
        // A multiplicative walk through the bytes leaves gzip nothing to find.
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(CEILING)
        .collect();
        fs::write(dist.join("a.wasm"), &noise[..1000]).unwrap();
        check(&dist).unwrap();
        fs::write(dist.join("a.wasm"), &noise).unwrap();
        assert!(check(&dist).unwrap_err().to_string().contains("over the ceiling"));
        fs::remove_file(dist.join("a.wasm")).unwrap();
        assert!(check(&dist).is_err());
    }
}
