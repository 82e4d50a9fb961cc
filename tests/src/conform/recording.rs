//! A recording of a real cluster: what people typed and were told, what happened to the machines, and every change of the
//! objects.
//!
//! As text it is made of lines with a mark in front: `$` a command with its time in seconds, `&` one that goes on beside the
//! others, `<` what it read, `>` what it printed, `!` what it complained of, `=` its exit code and, for one that goes on,
//! when it ended; `*` what happened to the machines or the load.

use crate::reduce::Seen;

/// One entry of a recording.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Microseconds since the recording began.
    pub at: i64,
    /// `$`, `&` or `*`.
    pub mark: char,
    /// The command, or what happened.
    pub line: String,
    /// What the command read.
    pub stdin: String,
    /// What it printed, line by line.
    pub out: Vec<String>,
    /// When each line was printed, in milliseconds, where that is known.
    pub times: Vec<i64>,
    /// What it complained of.
    pub err: Vec<String>,
    /// Its exit code, where that is known.
    pub code: Option<i32>,
    /// When a command that goes on was ended.
    pub ends: i64,
}

impl Entry {
    /// Whether this may change something.
    pub fn is_change(&self) -> bool {
        const READING: [&str; 12] = [
            "get", "describe", "explain", "top", "logs", "version", "api-resources", "wait", "diff", "auth", "config",
            "events",
        ];
        let verb = self.line.trim_start_matches("kubectl ").split(' ').next().unwrap_or("");
        self.mark == '*' || !READING.contains(&verb) && !self.line.contains(" rollout status")
    }
}

/// A recording.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Name of the scenario.
    pub name: String,
    /// Namespace that everything happens in.
    pub namespace: String,
    /// Whether the load needs a Service `web` that the recording did without.
    pub has_service: bool,
    /// ReplicaSets in the order of their creation.
    pub sets: Vec<String>,
    /// Pods in the order of their creation.
    pub pods: Vec<String>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Changes of the objects, in order; none in recordings of a terminal alone.
    pub changes: Vec<Seen>,
    /// When the recording ends, in microseconds.
    pub until: i64,
}

impl Recording {
    /// Reads the text of a recorded terminal.
    pub fn read(text: &str) -> Self {
        let mut recording = Self::default();
        let entries = &mut recording.entries;
        for line in text.lines() {
            let (mark, rest) = (line.chars().next().unwrap_or(' '), line.get(2..).unwrap_or(""));
            if let Some(name) = line.strip_prefix("namespace ") {
                recording.namespace = name.to_owned();
            } else if line == "service web" {
                recording.has_service = true;
            } else if let Some(names) = line.strip_prefix("replicasets ") {
                recording.sets = names.split(' ').map(str::to_owned).collect();
            } else if matches!(mark, '$' | '&' | '*') {
                let (at, line) = rest.split_once(' ').unwrap_or((rest, ""));
                entries.push(Entry { at: micros(at), mark, line: line.to_owned(), ..Entry::default() });
            } else if let Some(entry) = entries.last_mut() {
                match mark {
                    '<' => entry.stdin.push_str(&format!("{rest}\n")),
                    '>' => entry.out.push(rest.to_owned()),
                    '!' => entry.err.push(rest.to_owned()),
                    '=' => {
                        let (code, end) = rest.split_once(' ').unwrap_or((rest, "0"));
                        (entry.code, entry.ends) = (code.parse().ok(), micros(end));
                    }
                    _ => {}
                }
            }
        }
        recording
    }
}

fn micros(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<i64>().unwrap_or(0) * 1_000_000 + part.parse::<i64>().unwrap_or(0)
}
