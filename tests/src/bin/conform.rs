//! Plays recordings: a line per trace with what matches, and last the total. `--diff` shows what differs, `--topic NAME` only
//! of one topic.

use setpoint_tests::conform::{conform, trace};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let diff = args.iter().any(|arg| arg == "--diff");
    args.retain(|arg| arg != "--diff");
    let (mut matched, mut all, mut failed) = (0, 0, false);
    for path in &args {
        let name = Path::new(path).file_stem().map_or(path.clone(), |name| name.to_string_lossy().into_owned());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                println!("{name}: could not be read: {error}");
                failed = true;
                continue;
            }
        };
        let beside = Path::new(path).parent().and_then(Path::parent).map(|folder| folder.join("kubectl").join(format!("{name}.txt")));
        let transcript = beside.and_then(|path| std::fs::read_to_string(path).ok());
        let recording = match trace::read(&text, transcript.as_deref()) {
            Ok(recording) => recording,
            Err(error) => {
                println!("{name}: no trace: {error}");
                failed = true;
                continue;
            }
        };
        let found = conform(&recording, 1, 0);
        let (m, a) = (found.matched(), found.all());
        println!("{name}: {m} matched, {} differing ({:.1} %)", a - m, 100.0 * m as f64 / a.max(1) as f64);
        if diff {
            for part in found.parts.iter().filter(|part| !part.differences.is_empty()) {
                println!("  {}: {} ({} of {})", part.topic, part.name, part.matched, part.all);
                for what in &part.differences {
                    println!("    {what}");
                }
            }
        }
        matched += m;
        all += a;
    }
    println!("total: {matched} of {all} items match ({:.1} %)", 100.0 * matched as f64 / all.max(1) as f64);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
