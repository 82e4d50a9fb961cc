//! Runs files of vectors: a line per file, and last how many cases passed and failed. What differs goes to standard error.

use setpoint_tests::vectors::run;
use std::io::{Result, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match vectors(&mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        // Nobody listens any more, if it could not be printed.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Yields whether all cases passed.
fn vectors(out: &mut impl Write) -> Result<bool> {
    // A case that panics is told as a difference; its trace says no more.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed) = (0, 0);
    for path in std::env::args().skip(1) {
        let name =
            Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                writeln!(out, "{name}: could not be read: {error}")?;
                failed += 1;
                continue;
            }
        };
        match run(&text) {
            Ok(report) => {
                let known = if report.known > 0 {
                    format!(" ({} known to differ)", report.known)
                } else {
                    String::new()
                };
                writeln!(out, "{name}: {} passed, {} failed{known}", report.passed, report.failed.len())?;
                for difference in &report.failed {
                    writeln!(std::io::stderr(), "{name}: {difference}")?;
                }
                passed += report.passed;
                failed += report.failed.len();
            }
            Err(error) => {
                writeln!(out, "{name}: no vectors: {error}")?;
                failed += 1;
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(failed == 0)
}
