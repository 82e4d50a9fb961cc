//! Recorded terminals: the commands that people gave to a real cluster, with their output, replayed in Setpoint.
//!
//! A recording is a text of lines with a mark in front: `$` a command with its time in seconds, `&` one that goes on beside the
//! others, `<` what it read, `>` what it printed, `!` what it complained of, `=` its exit code and, for one that goes on, when
//! it ended; `*` what happened to the machines or the load.

mod compare;
mod normal;

pub use compare::{Score, compare};
pub use normal::Normal;

use setpoint_api::map::Map;
use setpoint_lab::kubectl::{Command, Output, Started, Terminal};
use setpoint_lab::{Action, Session};

/// When the recording begins: the cluster is a minute old.
const START: i64 = 60_000_000;
/// How often a command that goes on is asked.
const POLL: i64 = 50_000;
/// How long the next command waits for one that does not end.
const PATIENCE: i64 = 1_500_000;

/// A recorded command with what it printed here.
pub struct Said {
    /// The command.
    pub line: String,
    /// What the real one printed, and its complaints.
    pub recorded: (Vec<String>, Vec<String>),
    /// What it printed here.
    pub here: (Vec<String>, Vec<String>),
}

/// One entry of a recording.
#[derive(Default)]
struct Entry {
    at: i64,
    mark: char,
    line: String,
    stdin: String,
    out: Vec<String>,
    err: Vec<String>,
    ends: i64,
}

fn read(text: &str) -> (String, bool, Vec<String>, Vec<Entry>) {
    let (mut namespace, mut sets, mut has_service) = (String::new(), Vec::new(), false);
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let (mark, rest) = (line.chars().next().unwrap_or(' '), line.get(2..).unwrap_or(""));
        if let Some(name) = line.strip_prefix("namespace ") {
            namespace = name.to_owned();
        } else if line == "service web" {
            has_service = true;
        } else if let Some(names) = line.strip_prefix("replicasets ") {
            sets = names.split(' ').map(str::to_owned).collect();
        } else if matches!(mark, '$' | '&' | '*') {
            let (at, line) = rest.split_once(' ').unwrap_or((rest, ""));
            entries.push(Entry { at: micros(at), mark, line: line.to_owned(), ..Entry::default() });
        } else if let Some(entry) = entries.last_mut() {
            match mark {
                '<' => entry.stdin.push_str(&format!("{rest}\n")),
                '>' => entry.out.push(rest.to_owned()),
                '!' => entry.err.push(rest.to_owned()),
                '=' => entry.ends = micros(rest.split_once(' ').map_or("0", |(_, end)| end)),
                _ => {}
            }
        }
    }
    (namespace, has_service, sets, entries)
}

fn micros(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<i64>().unwrap_or(0) * 1_000_000 + part.parse::<i64>().unwrap_or(0)
}

struct Player {
    session: Session,
    terminal: Terminal,
    namespace: String,
    /// Commands that go on beside the others: their place in `said`, and when they end.
    beside: Vec<(usize, Command, i64)>,
    said: Vec<Said>,
    /// Pods of the recording and those that stand for them here.
    pods: Map<String, String>,
    /// ReplicaSets, in the order of their creation.
    sets: Vec<String>,
    recorded_sets: Vec<String>,
}

/// What a replay gives.
pub struct Played {
    /// What was said, in the order of the commands.
    pub said: Vec<Said>,
    /// The names of the ReplicaSets in the order of their creation: of the recording, and of here.
    pub sets: (Vec<String>, Vec<String>),
}

/// Replays a recording.
pub fn play(text: &str, seed: u64) -> Played {
    let (namespace, has_service, sets, entries) = read(text);
    let scenario = format!(
        "name: recorded\nabout: recorded\ncluster:\n  nodes:\n  - {{name: worker-1, cpu: 4, memory: 8Gi}}\n  - {{name: \
         worker-2, cpu: 4, memory: 8Gi}}\n  - {{name: worker-3, cpu: 4, memory: 8Gi}}\n  profile: real\n  images: \
         {{preloaded: true, sandbox: 0s, start: 2s, ready: 0s, stop: 1s}}\nuntil: 1h\nmanifests:\n- apiVersion: v1\n  \
         kind: Namespace\n  metadata: {{name: \"{namespace}\"}}\n"
    );
    // The load is told through a Service, which some recordings do without.
    let service = format!(
        "- apiVersion: v1\n  kind: Service\n  metadata: {{name: web, namespace: \"{namespace}\"}}\n  spec:\n    selector: {{app: \
         web}}\n    ports: [{{port: 80}}]\n"
    );
    let scenario = if has_service { scenario + &service } else { scenario };
    let session = Session::read(&scenario, seed).unwrap_or_else(|why| panic!("{why:?}"));
    let terminal = Terminal { namespace: namespace.clone(), ..Terminal::default() };
    let (beside, said, pods) = (Vec::new(), Vec::new(), Map::new());
    let mut player =
        Player { session, terminal, namespace, beside, said, pods, sets: Vec::new(), recorded_sets: sets };
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        let next = entries.peek().map_or(0, |next| START + next.at);
        player.advance(START + entry.at);
        match entry.mark {
            '*' => player.happen(&entry.line),
            _ => player.run(entry, next),
        }
    }
    Played { said: player.said, sets: (player.recorded_sets, player.sets) }
}

impl Player {
    fn advance(&mut self, to: i64) {
        while self.session.now_us() < to {
            let next = to.min(self.session.now_us() + POLL);
            self.session.advance(next, &mut || true);
            self.note_sets();
            let now = self.session.now_us();
            let mut kept = Vec::new();
            for (place, mut command, ends) in std::mem::take(&mut self.beside) {
                let output = self.session.follow(&mut command);
                self.said[place].add(&output);
                if output.code.is_none() && now < ends {
                    kept.push((place, command, ends));
                }
            }
            self.beside = kept;
        }
    }

    fn note_sets(&mut self) {
        let store = self.session.sim().store();
        let mut sets: Vec<_> = store.list_in::<setpoint_api::ReplicaSet>(&self.namespace).collect();
        sets.sort_by_key(|set| set.metadata.id);
        for set in sets {
            if !self.sets.iter().any(|known| **known == *set.metadata.name) {
                self.sets.push(set.metadata.name.to_string());
            }
        }
    }

    fn happen(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let node = words.get(1).unwrap_or(&"").to_string();
        let action = match words.first().copied() {
            Some("kill") => Action::KillMachine { node },
            Some("revive") => Action::RestoreMachine { node },
            Some("add") => Action::AddMachine { node },
            Some("delete") => Action::Delete {
                kind: node,
                namespace: self.namespace.clone(),
                name: words.get(2).unwrap_or(&"").to_string(),
            },
            Some("load") => Action::SetCpuLoad {
                namespace: self.namespace.clone(),
                service: node,
                milli: words.get(2).and_then(|milli| milli.parse().ok()).unwrap_or(0),
            },
            _ => panic!("{line}"),
        };
        self.session.act(action);
    }

    fn run(&mut self, entry: Entry, next: i64) {
        let line = self.with_pods_of_here(&entry.line);
        if line.contains("web.yaml") {
            self.terminal.files.insert("web.yaml".into(), entry.stdin.clone());
        }
        let Started { output, mut command, .. } =
            self.session.kubectl(&mut self.terminal, &line, &entry.stdin);
        let place = self.said.len();
        self.said.push(Said { line: entry.line, recorded: (entry.out, entry.err), here: Default::default() });
        self.said[place].add(&output);
        if entry.mark == '&' {
            self.beside.extend(command.map(|command| (place, command, START + entry.ends)));
            return;
        }
        // The next command waits until this one ends, as in a terminal.
        let patience = (self.session.now_us() + PATIENCE).max(next + PATIENCE);
        while let Some(mut going) = command.take() {
            self.advance(self.session.now_us() + POLL);
            let output = self.session.follow(&mut going);
            self.said[place].add(&output);
            if output.code.is_none() && self.session.now_us() < patience {
                command = Some(going);
            }
        }
    }

    /// A command with the names of pods of this run in place of the recording's.
    fn with_pods_of_here(&mut self, line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(|word| self.pod_of_here(word)).collect();
        words.join(" ")
    }

    fn pod_of_here(&mut self, word: &str) -> String {
        let name = word.strip_prefix("pod/").unwrap_or(word);
        let Some((owner, _)) = name.rsplit_once('-').filter(|_| Normal::default().line(name) != name) else {
            return word.to_owned();
        };
        if let Some(known) = self.pods.get(name) {
            return known.clone();
        }
        let place = self.recorded_sets.iter().position(|set| *set == owner);
        let owner = place.and_then(|place| self.sets.get(place)).map_or(owner, |set| set);
        let store = self.session.sim().store();
        let mut pods = store.list_in::<setpoint_api::Pod>(&self.namespace).filter(|pod| {
            let is_its = pod.metadata.name.strip_prefix(owner).is_some_and(|rest| rest.starts_with('-'));
            is_its
                && !pod.metadata.is_deleting()
                && !self.pods.values().any(|known| **known == *pod.metadata.name)
        });
        let Some(found) = pods.next().map(|pod| pod.metadata.name.to_string()) else {
            return word.to_owned();
        };
        self.pods.insert(name.to_owned(), found.clone());
        found
    }
}

impl Said {
    fn add(&mut self, output: &Output) {
        for (text, lines) in [(output.out(), &mut self.here.0), (output.err(), &mut self.here.1)] {
            lines.extend(text.lines().map(str::to_owned));
        }
    }
}
