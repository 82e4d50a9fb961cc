//! Plays recordings: a line per trace with what matches, and last the total.
//!
//! `--diff` shows what differs. `--seeds N` plays each N times, with other draws, and takes the run that is most like it.
//! `--write FOLDER` writes each as the text that the tests read.

use setpoint_tests::conform::{Recording, SEEDS, best, trace};
use std::io::{self, Write};
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match conform(&mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        // Nobody listens any more, if it could not be printed.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Yields whether each recording was played.
fn conform(out: &mut impl Write) -> io::Result<bool> {
    let (mut diff, mut seeds, mut folder, mut paths) = (false, SEEDS, None, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "--diff" => diff = true,
            "--seeds" => seeds = args.next().and_then(|number| number.parse().ok()).unwrap_or(SEEDS).max(1),
            "--write" => folder = args.next(),
            _ => paths.push(arg),
        }
    }
    let (mut matched, mut all, mut failed) = (0, 0, false);
    for path in &paths {
        let name =
            Path::new(path).file_stem().map_or(path.clone(), |name| name.to_string_lossy().into_owned());
        let recording = match read(Path::new(path), &name) {
            Ok(recording) => recording,
            Err(error) => {
                writeln!(out, "{name}: {error}")?;
                failed = true;
                continue;
            }
        };
        if let Some(folder) = &folder {
            let path = Path::new(folder).join(format!("{name}.txt"));
            failed |= std::fs::write(path, recording.to_string()).is_err();
            continue;
        }
        let Ok(found) = catch_unwind(|| best(&recording, seeds)) else {
            writeln!(out, "{name}: could not be played to its end")?;
            failed = true;
            continue;
        };
        let (same, items) = (found.matched(), found.all());
        writeln!(
            out,
            "{name}: {same} matched, {} differing ({}), seed {}",
            items - same,
            percent(same, items),
            found.drawn.seed
        )?;
        for part in found.parts.iter().filter(|part| diff && !part.differences.is_empty()) {
            writeln!(out, "  {}: {} ({} of {})", part.topic, part.name, part.matched, part.all)?;
            for what in &part.differences {
                writeln!(out, "    {what}")?;
            }
        }
        matched += same;
        all += items;
    }
    writeln!(out, "total: {matched} of {all} items match ({})", percent(matched, all))?;
    Ok(!failed)
}

/// Reads a trace; what its commands read may stand in the transcript beside it.
fn read(path: &Path, name: &str) -> Result<Recording, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("could not be read: {error}"))?;
    if path.extension().is_some_and(|extension| extension == "txt") {
        return Ok(Recording::read(&text));
    }
    let folder = path.parent().and_then(Path::parent);
    let transcript = folder.map(|folder| folder.join("kubectl").join(format!("{name}.txt")));
    let transcript = transcript.and_then(|path| std::fs::read_to_string(path).ok());
    trace::read(&text, transcript.as_deref()).map_err(|error| format!("no trace: {error}"))
}

fn percent(part: usize, all: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / all.max(1) as f64)
}
