//! Plays a recording: each command and each fault at its time, and what came of them.

use super::phase;
use super::recording::{Entry, Recording, is_numbered};
use super::trace;
use crate::reduce::Seen;
use crate::replay::reduced;
use crate::terminal::Normal;
use setpoint_api::map::Map;
use setpoint_api::names;
use setpoint_lab::kubectl::{Command, Output, Started, Terminal};
use setpoint_lab::{Action, Session, Watch};
use setpoint_sim::fact::What;

/// When the recording begins: the cluster is a minute old.
pub const START: i64 = 60_000_000;
/// How often a command that goes on beside others is asked.
const POLL: i64 = 50_000;
/// How often one is asked that others wait for.
const STEP: i64 = 12_000;
/// How long one that does not end may go on, after the time that it took in the recording.
const PATIENCE: i64 = 1_500_000;

/// Nothing that is later is played.
const LATEST: i64 = 86_400_000_000;

/// How long kubectl takes for each object of a file.
const PACE: i64 = 30_000;

/// A recorded command with what it printed here.
#[derive(Default)]
pub struct Said {
    /// The command.
    pub line: String,
    /// What the real one printed, and its complaints.
    pub recorded: (Vec<String>, Vec<String>),
    /// What it printed here.
    pub here: (Vec<String>, Vec<String>),
    /// When each line was printed, in milliseconds since the recording began, by commands that go on beside others.
    pub times: (Vec<i64>, Vec<i64>),
    /// The exit codes of both, where they ended by themselves.
    pub codes: (Option<i32>, Option<i32>),
    /// Whether output and complaints were recorded as one.
    pub is_mixed: bool,
}

struct Player {
    session: Session,
    terminal: Terminal,
    namespace: String,
    start: i64,
    /// Commands that go on beside the others: their place in `said`, and when they end.
    beside: Vec<(usize, Command, i64)>,
    said: Vec<Said>,
    unplayed: Vec<(String, String)>,
    /// Pods of the recording and those that stand for them here.
    pods: Map<String, String>,
    /// ReplicaSets and pods of the recording, each in the order of their creation.
    recorded: (Vec<String>, Vec<String>),
    /// The same of here.
    here: (Vec<String>, Vec<String>),
    watch: Watch,
    changes: Vec<Seen>,
}

/// What a replay gives.
#[derive(Default)]
pub struct Played {
    /// What was said, in the order of the commands.
    pub said: Vec<Said>,
    /// What happened in the recording and cannot be made to happen here, with the reason.
    pub unplayed: Vec<(String, String)>,
    /// The names of the ReplicaSets in the order of their creation: of the recording, and of here.
    pub sets: (Vec<String>, Vec<String>),
    /// What changed, in order; times are since the recording began.
    pub changes: Vec<Seen>,
}

/// What is a matter of chance in a recording too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Seed of names and ties.
    pub seed: u64,
    /// How much later than a full minute the recording begins, in microseconds: how the phases of what is periodic stand.
    pub shift: i64,
    /// How long a request to the API server takes, and half of that until watchers hear of it, in milliseconds: the
    /// recorded machine had two cores and other work.
    pub request: i64,
    /// How much longer than two seconds a container may take to start, in milliseconds.
    pub spread: i64,
}

impl Drawn {
    /// All of it, by a number.
    pub fn of(seed: u64) -> Self {
        let number = seed as i64 - 1;
        let of = |all: &[i64]| all[number as usize % all.len()];
        Self {
            seed,
            shift: number * 1_300_000 % 10_000_000,
            request: of(&[4, 12, 24]),
            spread: of(&[0, 40, 0, 120, 10]),
        }
    }
}

/// Plays a recording.
pub fn play(recording: &Recording, drawn: Drawn) -> Played {
    let namespace = namespace_of(recording).to_string();
    let session =
        Session::read(&scenario(recording, drawn), drawn.seed).unwrap_or_else(|why| panic!("{why:?}"));
    let terminal = Terminal { namespace: namespace.clone(), pace: PACE, ..Terminal::default() };
    let mut player = Player::new(session, terminal, recording, START + phase::shift(recording, drawn));
    player.note();
    let until = recording.until.min(LATEST);
    for (place, entry) in recording.entries.iter().enumerate() {
        if entry.at > LATEST {
            player.fail(&entry.line, "it is later than a day");
            continue;
        }
        player.advance(player.start + entry.at);
        let next = recording.entries[place + 1..].iter().find(|next| next.mark == '$');
        match entry.mark {
            '*' => player.happen(&entry.line),
            _ => player.run(entry.clone(), player.start + next.map_or(until, |next| next.at.min(LATEST))),
        }
        player.note();
    }
    player.advance(player.start + until);
    Played {
        said: player.said,
        unplayed: player.unplayed,
        sets: (player.recorded.0, player.here.0),
        changes: player.changes,
    }
}

/// The namespace of a recording; the default one if it tells none.
fn namespace_of(recording: &Recording) -> &str {
    let is_name = names::is_dns1123_label(&recording.namespace).is_empty();
    if is_name { &recording.namespace } else { "default" }
}

/// The recordings' cluster: three nodes whose kubelets pull nothing, take two seconds to start and one to stop. They told of
/// an image that was there when the container ran, of one that they had to pull at once, gave a pod whose containers never
/// ran no last status, and said little of their nodes.
fn scenario(recording: &Recording, drawn: Drawn) -> String {
    let Drawn { request, spread, .. } = drawn;
    let namespace = namespace_of(recording);
    let mut scenario = String::from("name: recorded\nabout: recorded\ncluster:\n  nodes:\n");
    for node in 1..=3 {
        scenario += &format!("  - {{name: worker-{node}, cpu: 4, memory: 8Gi}}\n");
    }
    scenario += &format!(
        "  profile: real\n  images: {{preloaded: true, commands: false, fake: true, sandbox: 1750ms, start: 250ms, spread: {spread}ms, ready: 0s, stop: 1s, pull: 1s, cpu: 10m, memory: 20Mi}}\n  tuning: \
         {{machine_boot: 0s, node_network: 0s, api_request: {request}ms, watch_delay: {}ms, metrics_fresh: {}ms}}\nuntil: 1h\nmanifests:\n",
        request / 2,
        phase::COUNTS
    );
    if !["default", "kube-node-lease", "kube-public", "kube-system"].contains(&namespace) {
        scenario += &format!("- apiVersion: v1\n  kind: Namespace\n  metadata: {{name: {namespace:?}}}\n");
    }
    // The load is told through a Service, which some recordings do without.
    for app in recording.services.iter().filter(|app| names::is_dns1123_label(app).is_empty()) {
        scenario += &format!(
            "- apiVersion: v1\n  kind: Service\n  metadata: {{name: {app:?}, namespace: {namespace:?}}}\n  spec:\n    selector: \
             {{app: {app:?}}}\n    ports: [{{port: 80}}]\n"
        );
    }
    scenario
}

impl Player {
    fn new(mut session: Session, terminal: Terminal, recording: &Recording, start: i64) -> Self {
        Self {
            watch: session.watch(),
            session,
            terminal,
            namespace: namespace_of(recording).to_string(),
            start,
            beside: Vec::new(),
            said: Vec::new(),
            unplayed: Vec::new(),
            pods: Map::new(),
            recorded: (recording.sets.clone(), recording.pods.clone()),
            here: Default::default(),
            changes: Vec::new(),
        }
    }

    /// Milliseconds since the recording began.
    fn now(&self) -> i64 {
        (self.session.now_us() - self.start) / 1000
    }

    fn advance(&mut self, to: i64) {
        while self.session.now_us() < to {
            let next = to.min(self.session.now_us() + POLL);
            self.session.advance(next, &mut || true);
            self.note();
            let (clock, now) = (self.session.now_us(), self.now());
            let mut kept = Vec::new();
            for (place, mut command, ends) in std::mem::take(&mut self.beside) {
                let output = self.session.follow(&mut command);
                let goes_on = output.code.is_none() && clock < ends;
                self.said[place].add(output, now);
                if goes_on {
                    kept.push((place, command, ends));
                }
            }
            self.beside = kept;
        }
    }

    fn note(&mut self) {
        for change in self.session.changes(&self.watch) {
            let at = (change.stamp.at.0 - self.start).div_euclid(1000);
            let Some(object) = reduced(&change, &self.namespace) else { continue };
            let name = object["name"].as_str().unwrap_or("");
            let names = match object["kind"].as_str() {
                Some("Pod") => Some(&mut self.here.1),
                Some(kind) if is_numbered(kind, name) => Some(&mut self.here.0),
                _ => None,
            };
            if let Some(names) = names.filter(|_| object["ev"] == "ADDED") {
                names.push(name.to_owned());
            }
            self.changes.push(Seen { at, object });
        }
    }

    fn happen(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let node = words.get(1).unwrap_or(&"").to_string();
        let action = match words.first().copied() {
            Some("kill") => Action::StopKubelet { node },
            Some("revive") => Action::StartKubelet { node },
            Some("add") => Action::AddMachine { node },
            Some("crash") => {
                Action::CrashPod { namespace: self.namespace.clone(), pod: self.pod_of_here(&node) }
            }
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
            _ => return self.fail(line, "what it does is not known"),
        };
        let before = self.session.sim().facts().count();
        self.session.act(action);
        let refused = self.session.sim().facts().after(before).find_map(|fact| match &fact.what {
            What::Refused(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = refused {
            self.fail(line, &why);
        }
    }

    fn fail(&mut self, line: &str, why: &str) {
        self.unplayed.push((line.to_string(), format!("cannot be played: {why}")));
    }

    fn run(&mut self, entry: Entry, ends: i64) {
        let line = self.with_pods_of_here(&entry.line);
        if line.contains("web.yaml") && !entry.stdin.is_empty() {
            self.terminal.files.insert("web.yaml".into(), entry.stdin.clone());
        }
        let now = self.now();
        let Started { output, mut command, .. } =
            self.session.kubectl(&mut self.terminal, &line, &entry.stdin);
        let place = self.said.len();
        let codes = (entry.code.filter(|_| entry.mark == '$'), None);
        let recorded = (entry.out, entry.err);
        let times = (entry.times, Vec::new());
        let is_mixed = entry.mark == '&';
        self.said.push(Said { line: entry.line, recorded, codes, times, is_mixed, ..Said::default() });
        self.said[place].add(output, now);
        if entry.mark == '&' {
            // What is watched is watched until somebody stops it.
            let patience = if trace::is_watch(&line) { 0 } else { PATIENCE };
            self.beside.extend(command.map(|command| (place, command, self.start + entry.ends + patience)));
            return;
        }
        // The next command waits until this one ends, as in a terminal.
        let patience = self.session.now_us().max(ends) + PATIENCE;
        while let Some(mut going) = command.take() {
            self.advance(self.session.now_us() + STEP);
            let (now, output) = (self.now(), self.session.follow(&mut going));
            let goes_on = output.code.is_none() && self.session.now_us() < patience;
            self.said[place].add(output, now);
            if goes_on {
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
        let place = self.recorded.0.iter().position(|set| *set == owner);
        let owner_here = place.and_then(|place| self.here.0.get(place)).map_or(owner, |set| set);
        let of = |names: &[String], owner: &str| -> Vec<String> {
            let is_its = |name: &&String| name.rsplit_once('-').is_some_and(|(of, _)| of == owner);
            names.iter().filter(is_its).cloned().collect()
        };
        let store = self.session.sim().store();
        let lives = |name: &&String| {
            let mut pods = store.list_in::<setpoint_api::Pod>(&self.namespace);
            pods.any(|pod| *pod.metadata.name == ***name && !pod.metadata.is_deleting())
                && !self.pods.values().any(|known| known == *name)
        };
        let candidates = of(&self.here.1, owner_here);
        let ordinal = of(&self.recorded.1, owner).iter().position(|pod| pod == name);
        let same = ordinal.and_then(|ordinal| candidates.get(ordinal)).filter(lives);
        let Some(found) = same.or_else(|| candidates.iter().find(lives)).cloned() else {
            return word.to_owned();
        };
        self.pods.insert(name.to_owned(), found.clone());
        found
    }
}

impl Said {
    fn add(&mut self, output: Output, at: i64) {
        for chunk in &output.chunks {
            let is_error = chunk.is_error && !self.is_mixed;
            let lines = if is_error { &mut self.here.1 } else { &mut self.here.0 };
            lines.extend(chunk.text.lines().map(str::to_owned));
        }
        self.times.1.resize(self.here.0.len(), at);
        self.codes.1 = output.code;
    }
}
