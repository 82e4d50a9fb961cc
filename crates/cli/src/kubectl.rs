//! `setpoint kubectl` and `setpoint apply`: files of the disk in front of a simulated cluster.

use setpoint_lab::kubectl::{Chunk, Terminal};
use setpoint_lab::{Scenario, Session, headless};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

/// Files larger than this are no manifests.
const BYTES_MAX: u64 = 1 << 20;

/// Opens a cluster and lets time pass.
fn open(cluster: Option<&Path>, seed: u64, at: i64) -> Result<Session, String> {
    let mut session = match cluster {
        None => Session::open(Rc::new(Scenario::empty()), seed),
        Some(path) => {
            let source =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Session::read(&source, seed).map_err(|diagnostics| {
                let line = |one: &setpoint_lab::Diagnostic| {
                    format!("{}:{}:{}: {}", path.display(), one.line, one.column, one.message)
                };
                diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
            })?
        }
    };
    session.advance(at, &mut || true);
    Ok(session)
}

/// Reads the files and folders that words name, so that the command finds them.
fn gather(terminal: &mut Terminal, words: &[String]) {
    for word in words.iter().flat_map(|word| word.split(['=', ',']).chain([word.as_str()])) {
        let word = word.strip_prefix("-f").unwrap_or(word);
        read(terminal, Path::new(word), true);
    }
}

fn read(terminal: &mut Terminal, path: &Path, enters_folders: bool) {
    let Ok(meta) = path.metadata() else { return };
    if meta.is_dir() && enters_folders {
        let entries = path.read_dir().into_iter().flatten().flatten();
        entries.for_each(|entry| read(terminal, &entry.path(), false));
    } else if meta.is_file()
        && meta.len() <= BYTES_MAX
        && let Ok(text) = std::fs::read_to_string(path)
    {
        let name = path.to_string_lossy();
        terminal.files.insert(name.trim_start_matches("./").to_owned(), text);
    }
}

fn print(chunk: &Chunk) {
    // Whoever reads may have gone: that is no failure.
    let _ = if chunk.is_error {
        std::io::stderr().write_all(chunk.text.as_bytes())
    } else {
        std::io::stdout().write_all(chunk.text.as_bytes())
    };
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Runs one command.
pub fn run(cluster: Option<&Path>, seed: u64, at: i64, limit: i64, words: &[String]) -> ExitCode {
    let mut session = match open(cluster, seed, at) {
        Ok(session) => session,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let mut terminal = Terminal::default();
    gather(&mut terminal, words);
    let mut stdin = String::new();
    if words.iter().any(|word| word == "-" || word.ends_with("=-")) && !std::io::stdin().is_terminal() {
        let _ = std::io::stdin().take(BYTES_MAX).read_to_string(&mut stdin);
    }
    let until = session.now_us() + limit;
    exit(headless::kubectl(&mut session, &mut terminal, words, &stdin, until, &mut print))
}

/// Applies manifests, and waits for them if a limit is given.
pub fn apply(cluster: Option<&Path>, seed: u64, paths: &[String], until_ready: Option<i64>) -> ExitCode {
    let mut session = match open(cluster, seed, 10_000_000) {
        Ok(session) => session,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let mut terminal = Terminal::default();
    gather(&mut terminal, paths);
    let words: Vec<String> = ["apply".to_owned()]
        .into_iter()
        .chain(paths.iter().map(|path| format!("--filename={path}")))
        .collect();
    let code = headless::kubectl(&mut session, &mut terminal, &words, "", i64::MAX, &mut print);
    let Some(limit) = until_ready.filter(|_| code == 0) else { return exit(code) };
    let until = session.now_us() + limit;
    exit(headless::wait_ready(&mut session, &mut terminal, paths, until, &mut print))
}
