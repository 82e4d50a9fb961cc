//! Command lines, and all that they print: `tests/transcripts/*.txt`.
//!
//! A line that begins with `$` is a command, with what it reads after `<<EOF`; one that begins with `+` lets time pass; what
//! stands behind is what the terminal shows. `~` stands for any rest of a word.

use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;
use std::fmt::Write as _;

const TENTH: i64 = 100_000;

/// Runs a line to its end, at most ten minutes.
fn run(session: &mut Session, terminal: &mut Terminal, line: &str) -> String {
    let started = session.kubectl(terminal, line, "");
    let mut chunks = started.output.chunks;
    let mut code = started.output.code;
    let mut command = started.command;
    for _ in 0..6_000 {
        let Some(going) = command.as_mut().filter(|_| code.is_none()) else { break };
        session.advance(session.now_us() + TENTH, &mut || true);
        let more = session.follow(going);
        chunks.extend(more.chunks);
        code = more.code;
    }
    let mut text: String = chunks.iter().map(|chunk| &*chunk.text).collect();
    match code {
        Some(0) => {}
        Some(code) => writeln!(text, "(exit {code})").unwrap(),
        None => text.push_str("(goes on)\n"),
    }
    text
}

/// Whether a line is what was expected, `~` standing for the rest of a word.
fn fits(expected: &str, actual: &str) -> bool {
    let mut rest = actual;
    for (index, part) in expected.split('~').enumerate() {
        if index > 0 {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-.:".contains(c));
        }
        let Some(after) = rest.strip_prefix(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// The commands of a transcript, each with what it is to print.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut is_input = false;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if is_input {
            is_input = line != "EOF";
            let (command, _) = commands.last_mut().unwrap();
            write!(command, "\n{line}").unwrap();
        } else if let Some(command) =
            line.strip_prefix("$ ").or_else(|| line.starts_with('+').then_some(line))
        {
            is_input = command.contains("<<EOF");
            commands.push((command.into(), String::new()));
        } else if let Some((_, expected)) = commands.last_mut() {
            expected.push_str(line);
            expected.push('\n');
        }
    }
    commands
}

#[test]
fn verbs_print_what_kubectl_prints() {
    let mut wrong = String::new();
    let mut files: Vec<_> =
        std::fs::read_dir("tests/transcripts").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let mut session = Session::read("name: t\ncluster: {nodes: 3}\nuntil: 1m\n", 1).unwrap();
        let mut terminal = Terminal::default();
        session.advance(5_000_000, &mut || true);
        for (command, expected) in commands(&std::fs::read_to_string(&file).unwrap()) {
            if let Some(seconds) = command.strip_prefix('+') {
                let seconds: i64 = seconds.trim().trim_end_matches('s').parse().unwrap();
                session.advance(session.now_us() + seconds * 1_000_000, &mut || true);
                continue;
            }
            let actual = run(&mut session, &mut terminal, &command);
            let (expected, shown) = (expected.trim_end(), actual.trim_end());
            let is_same = expected.lines().count() == shown.lines().count()
                && expected.lines().zip(shown.lines()).all(|(expected, actual)| fits(expected, actual));
            if !is_same {
                writeln!(
                    wrong,
                    "{}: {command}\n--- expected\n{expected}\n--- printed\n{actual}",
                    file.display()
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
