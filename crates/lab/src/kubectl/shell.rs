//! The shell around kubectl: files of the terminal, redirection, and the filters that people put behind a pipe.
//!
//! Simplified: `ls`, `cat`, `rm`, `echo`, `clear`, `help`; behind a pipe `grep`, `head`, `tail`, `wc`, `sort`, `cat`.

use super::failure::Failure;
use super::line::Line;
use super::{Output, Started, Terminal, Wish};
use crate::Session;

/// Runs a line.
pub(super) fn run(session: &mut Session, terminal: &mut Terminal, line: &Line, stdin: &str) -> Started {
    let stdin = match (&line.here, &line.from) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => match terminal.files.get(path) {
            Some(text) => text.clone(),
            None => return ended(Err(Failure::plain(format!("bash: {path}: No such file or directory")))),
        },
        (None, None) => stdin.to_owned(),
    };
    let Some(first) = line.words.first() else { return ended(Ok(())) };
    let rest = line.words.get(1..).unwrap_or(&[]);
    let mut started = match &**first {
        "kubectl" | "k" => super::run(session, terminal, rest, &stdin),
        "clear" | "ls" | "cat" | "rm" | "echo" => builtin(terminal, first, rest, &stdin),
        _ => super::run(session, terminal, &line.words, &stdin),
    };
    // What goes on prints to the terminal: a filter would have to see all of it.
    if started.command.is_none() {
        for words in &line.pipes {
            filter(&mut started.output, words);
        }
        if let Some((path, is_added)) = &line.to {
            redirect(terminal, &mut started.output, path, *is_added);
        }
    }
    started
}

fn ended(result: Result<(), Failure>) -> Started {
    let mut output = Output::default();
    output.end(result);
    Started { output, command: None, wish: None }
}

fn builtin(terminal: &mut Terminal, name: &str, args: &[String], stdin: &str) -> Started {
    let mut started = ended(Ok(()));
    let missing = |path: &str| Failure::plain(format!("{name}: {path}: No such file or directory"));
    let mut failures = Vec::new();
    match name {
        "clear" => started.wish = Some(Wish::Clear),
        "echo" => started.output.print(format!("{}\n", args.join(" "))),
        "ls" => {
            for path in terminal.files.keys() {
                started.output.print(format!("{path}\n"));
            }
        }
        "cat" if args.is_empty() => started.output.print(stdin),
        "cat" => {
            for path in args {
                match terminal.files.get(path) {
                    Some(text) => started.output.print(text.clone()),
                    None => failures.push(missing(path)),
                }
            }
        }
        _ => {
            for path in args {
                if terminal.files.remove(path).is_none() {
                    failures.push(missing(path));
                }
            }
        }
    }
    if let Err(failure) = Failure::all(failures) {
        started.output.end(Err(failure));
    }
    started
}

fn redirect(terminal: &mut Terminal, output: &mut Output, path: &str, is_added: bool) {
    let text = output.out();
    output.chunks.retain(|chunk| chunk.is_error);
    if path == "/dev/null" {
        return;
    }
    let file = terminal.files.entry(path.trim_start_matches("./").to_owned()).or_default();
    if !is_added {
        file.clear();
    }
    file.push_str(&text);
}

/// Sends standard output through a filter.
fn filter(output: &mut Output, words: &[String]) {
    let text = output.out();
    output.chunks.retain(|chunk| chunk.is_error);
    let (name, args) = words.split_first().map_or(("", &[][..]), |(name, args)| (&**name, args));
    let flag = |letter: char| args.iter().any(|arg| arg.starts_with('-') && arg.contains(letter));
    let plain = args.iter().find(|arg| !arg.starts_with('-')).map_or("", |arg| &**arg);
    let number =
        args.iter().filter_map(|arg| arg.trim_start_matches(['-', 'n']).parse::<usize>().ok()).next();
    let mut lines: Vec<&str> = text.lines().collect();
    match name {
        "cat" => {}
        "grep" => {
            let wanted = if flag('i') { plain.to_lowercase() } else { plain.to_owned() };
            let has = |line: &str| {
                let line = if flag('i') { line.to_lowercase() } else { line.to_owned() };
                wanted.split("\\|").any(|part| line.contains(part)) != flag('v')
            };
            lines.retain(|line| has(line));
            output.code = Some(i32::from(lines.is_empty()));
            if flag('c') {
                return output.print(format!("{}\n", lines.len()));
            }
        }
        "head" => lines.truncate(number.unwrap_or(10)),
        "tail" => {
            let skipped = lines.len().saturating_sub(number.unwrap_or(10));
            lines.drain(..skipped);
        }
        "sort" => lines.sort_unstable(),
        "uniq" => lines.dedup(),
        "wc" => {
            return output.print(format!(
                "{}\n",
                if flag('w') { text.split_whitespace().count() } else { lines.len() }
            ));
        }
        _ => {
            return output
                .end(Err(Failure { text: format!("bash: {name}: command not found\n"), code: 127 }));
        }
    }
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    if !text.is_empty() {
        output.print(text);
    }
}
