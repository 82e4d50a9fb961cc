//! Runs files of vectors: a line per file, and last how many cases passed and failed. What differs goes to standard error.

use setpoint_tests::vectors;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A case that panics is told as a difference; its trace says no more.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed) = (0, 0);
    for path in std::env::args().skip(1) {
        let name =
            Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                println!("{name}: could not be read: {error}");
                failed += 1;
                continue;
            }
        };
        match vectors::run(&text) {
            Ok(report) => {
                let known = if report.known > 0 {
                    format!(" ({} known to differ)", report.known)
                } else {
                    String::new()
                };
                println!("{name}: {} passed, {} failed{known}", report.passed, report.failed.len());
                report.failed.iter().for_each(|difference| eprintln!("{name}: {difference}"));
                passed += report.passed;
                failed += report.failed.len();
            }
            Err(error) => {
                println!("{name}: no vectors: {error}");
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
