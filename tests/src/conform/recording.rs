//! A recording of a real cluster: what people typed and were told, what happened to the machines, and every change of the
//! objects.
//!
//! As text it is made of lines with a mark in front: `$` a command with its time in seconds, `&` one that goes on beside the
//! others, `<` what it read, `>` what it printed, `!` what it complained of, `=` its exit code and, for one that goes on,
//! when it ended; `*` what happened to the machines or the load. `@` has the times of the lines that one printed which goes
//! on. `~` is a change of an object: its time in milliseconds, ADDED, MODIFIED or DELETED, kind, name, and as JSON what is
//! other than at the object's last change.

use crate::reduce::{Seen, text as text_of};
use crate::terminal::squeeze;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};

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
            "get",
            "describe",
            "explain",
            "top",
            "logs",
            "version",
            "api-resources",
            "wait",
            "diff",
            "auth",
            "config",
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
    /// Apps whose load needs a Service that the recording did without.
    pub services: BTreeSet<String>,
    /// ReplicaSets, and what else is called after its owner and a number, in the order of their creation.
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
    /// Reads what [`Display`] has written.
    pub fn read(text: &str) -> Self {
        let mut recording = Self::default();
        let mut states: BTreeMap<(String, String), Map<String, Value>> = BTreeMap::new();
        for line in text.lines() {
            let (mark, rest) = (line.chars().next().unwrap_or(' '), line.get(2..).unwrap_or(""));
            match mark {
                '#' => recording.name = rest.to_owned(),
                '~' => recording.changes.extend(change(rest, &mut states)),
                '$' | '&' | '*' => {
                    let (at, line) = rest.split_once(' ').unwrap_or((rest, ""));
                    let line = line.to_owned();
                    recording.entries.push(Entry { at: micros(at), mark, line, ..Entry::default() });
                }
                _ => {
                    if let Some(name) = line.strip_prefix("namespace ") {
                        recording.namespace = name.to_owned();
                    } else if let Some(until) = line.strip_prefix("until ") {
                        recording.until = micros(until);
                    } else if let Some(app) = line.strip_prefix("service ") {
                        recording.services.insert(app.to_string());
                    } else if let Some(entry) = recording.entries.last_mut() {
                        entry.read(mark, rest);
                    }
                }
            }
        }
        recording.learn_names();
        recording
    }

    /// Notes the names of ReplicaSets and pods.
    pub fn learn_names(&mut self) {
        for seen in &self.changes {
            let name = text_of(&seen.object, "name");
            let names = match text_of(&seen.object, "kind") {
                "Pod" => &mut self.pods,
                kind if is_numbered(kind, name) => &mut self.sets,
                _ => continue,
            };
            if !names.iter().any(|known| known == name) {
                names.push(name.to_string());
            }
        }
    }
}

impl Entry {
    fn read(&mut self, mark: char, rest: &str) {
        match mark {
            '<' => self.stdin.push_str(&format!("{rest}\n")),
            '>' => self.out.push(rest.to_owned()),
            '!' => self.err.push(rest.to_owned()),
            '@' => self.times = rest.split(' ').filter_map(|at| at.parse().ok()).collect(),
            '=' => {
                let (code, end) = rest.split_once(' ').unwrap_or((rest, "0"));
                (self.code, self.ends) = (code.parse().ok(), micros(end));
            }
            _ => {}
        }
    }
}

/// Reads a change; `states` has every object's last one.
fn change(line: &str, states: &mut BTreeMap<(String, String), Map<String, Value>>) -> Option<Seen> {
    let mut words = line.splitn(5, ' ');
    let (at, ev, kind, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let changed: Value = serde_json::from_str(words.next()?).ok()?;
    let state = states.entry((kind.to_string(), name.to_string())).or_default();
    for (key, value) in changed.as_object()? {
        if value.is_null() {
            state.remove(key);
        } else {
            state.insert(key.clone(), value.clone());
        }
    }
    let mut object = state.clone();
    for (key, value) in [("ev", ev), ("kind", kind), ("name", name)] {
        object.insert(key.to_string(), value.into());
    }
    Some(Seen { at: at.parse().ok()?, object: Value::Object(object) })
}

impl Display for Recording {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "# {}\nnamespace {}\nuntil {}", self.name, self.namespace, seconds(self.until))?;
        for app in &self.services {
            writeln!(f, "service {app}")?;
        }
        for entry in &self.entries {
            write!(f, "{entry}")?;
        }
        let mut states: BTreeMap<(&str, &str), Map<String, Value>> = BTreeMap::new();
        for seen in &self.changes {
            let (kind, name) = (text_of(&seen.object, "kind"), text_of(&seen.object, "name"));
            let state = kept(kind, &seen.object);
            let old = states.insert((kind, name), state.clone()).unwrap_or_default();
            let mut changed: Map<String, Value> = state
                .iter()
                .filter(|(key, value)| old.get(*key) != Some(value))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            changed.extend(
                old.keys().filter(|key| !state.contains_key(*key)).map(|key| (key.clone(), Value::Null)),
            );
            writeln!(
                f,
                "~ {} {} {kind} {name} {}",
                seen.at,
                text_of(&seen.object, "ev"),
                Value::Object(changed)
            )?;
        }
        Ok(())
    }
}

impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {} {}", self.mark, seconds(self.at), self.line)?;
        let read = self.stdin.lines().map(|line| ('<', line.to_owned()));
        let out = self.out.iter().map(|line| ('>', squeeze(line.trim_end())));
        let err = self.err.iter().map(|line| ('!', squeeze(line.trim_end())));
        for (mark, line) in read.chain(out).chain(err) {
            writeln!(f, "{mark} {line}")?;
        }
        if !self.times.is_empty() {
            let times: Vec<String> = self.times.iter().map(i64::to_string).collect();
            writeln!(f, "@ {}", times.join(" "))?;
        }
        match self.code {
            Some(code) if code != 0 || self.ends != 0 => writeln!(f, "= {code} {}", seconds(self.ends)),
            Some(_) => writeln!(f, "= 0"),
            None => Ok(()),
        }
    }
}

/// What is looked at of an object.
fn kept(kind: &str, object: &Value) -> Map<String, Value> {
    const DROPPED: [&str; 15] = [
        "t",
        "rv",
        "ev",
        "kind",
        "name",
        "hash",
        "image",
        "tolerations",
        "labels",
        "fullyLabeledReplicas",
        "ports",
        "action",
        "fieldPath",
        "revisionHistory",
        "priority",
    ];
    let mut state = object.as_object().cloned().unwrap_or_default();
    state.retain(|key, _| !DROPPED.contains(&&**key));
    if let Some(Value::Array(conditions)) = state.get_mut("conditions").filter(|_| kind == "Pod") {
        let is_told = |condition: &Value| {
            let (kind, status) = (text_of(condition, "type"), text_of(condition, "status"));
            (kind, status) == ("PodScheduled", "False") || (kind, status) == ("DisruptionTarget", "True")
        };
        conditions.retain(is_told);
        conditions.iter_mut().filter_map(Value::as_object_mut).for_each(|condition| {
            condition.remove("message");
        });
    }
    state
}

/// Whether an object is called after its owner and a hash or a minute.
pub fn is_numbered(kind: &str, name: &str) -> bool {
    let minute = || name.rsplit_once('-').map_or("", |(_, minute)| minute);
    match kind {
        "ReplicaSet" | "ControllerRevision" => true,
        "Job" => minute().len() == 8 && minute().chars().all(|c| c.is_ascii_digit()),
        _ => false,
    }
}

fn seconds(micros: i64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros % 1_000_000 / 1000)
}

fn micros(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<i64>().unwrap_or(0) * 1_000_000 + part.parse::<i64>().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let text = "# name\nnamespace n\nuntil 9.500\n$ 0.100 kubectl apply -f -\n< kind: Pod\n> pod/a created\n= 0\n\
                    & 0.200 kubectl get pods -w\n> NAME\n@ 210\n= 1 9.000\n* 1.000 kill worker-1\n\
                    ~ 5 ADDED Pod a {\"phase\":\"Pending\"}\n~ 6 MODIFIED Pod a {\"node\":\"worker-1\"}\n\
                    ~ 7 MODIFIED Pod a {\"node\":null,\"phase\":\"Failed\"}\n";
        let recording = Recording::read(text);
        assert_eq!(recording.to_string(), text);
        assert_eq!(recording.changes[1].object["phase"], "Pending");
        assert_eq!(recording.pods, ["a"]);
        let entry = &recording.entries[1];
        assert_eq!((entry.code, entry.ends, &*entry.times), (Some(1), 9_000_000, &[210][..]));
    }
}
