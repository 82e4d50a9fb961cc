//! Compares a run with a recording, track by track. Each track has one of three rules.
//!
//! - **Exact** (`sizes`: the sizes of all ReplicaSets in one order; events of Deployments, ReplicaSets, autoscalers and
//!   nodes; conditions with their messages; autoscalers; nodes): the same entries in the same order.
//! - **Stops** (counts of workloads, budgets and endpoints): several pods that change within some milliseconds are
//!   counted one by one or together, as the writers' timing has it, in the recordings of one and the same scenario too. So
//!   every state that held for [`SETTLED`] or longer, in the recording or in the run, must be in the other, in the same
//!   order; a shorter one that only one side has must be a stop on the way: each of its numbers lies between those of the
//!   common states around it, and its conditions are those of one of them.
//!   Two more ways are known. A pod that begins to be deleted counts nowhere until its replacement is made, so `replicas`
//!   and `updated` may dip below both ends, and `terminating` rise above them, by as many pods as began to be deleted in
//!   between. `ready` of endpoints may be as much lower or higher, for where one pod becomes ready while another goes, either
//!   may be seen first. Endpoints are taken as settled after [`SETTLED_ENDPOINTS`] only: the recorded controller puts a sync off by a
//!   second when it finds its cache behind its own last write, Setpoint's is never behind.
//! - **Lives** (`pod`, `events pod`): names and places of pods are random, so the pods are compared as a set, each with
//!   its whole sequence of states or events.
//!
//! Times are compared for the entries of exact tracks and for settled states: by the time since the last action, within a
//! second or a tenth; endpoints may besides be earlier by the second that is said above.
//!
//! What does not hold and is known is an [`Exception`] with its reason; one that no longer applies is a difference too.

use crate::timeline::{Entry, Timeline};
use std::collections::{BTreeMap, BTreeSet};

/// How long a count must hold so that it must be in the other sequence, in milliseconds.
pub const SETTLED: i64 = 500;
/// The same for endpoints.
pub const SETTLED_ENDPOINTS: i64 = 1100;

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Recorded entries, and how many of them the run has.
    pub recorded: usize,
    #[allow(missing_docs)]
    pub matched: usize,
    /// Recorded stops on the way that the run does not make, and those that only the run makes.
    pub skipped: usize,
    #[allow(missing_docs)]
    pub extra: usize,
    /// The largest difference of time, in milliseconds.
    pub off: i64,
    /// Differences that are known.
    pub excepted: usize,
    /// What does not hold, each with its track.
    pub differences: Vec<(String, String)>,
}

/// A difference that is known.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// Name of the recording.
    pub recording: &'static str,
    /// Track of the difference.
    pub track: &'static str,
    /// Part of the difference.
    pub what: &'static str,
    /// Why it is right.
    pub why: &'static str,
}

impl Report {
    /// Takes out what is known, and adds what is not the case any more.
    pub fn except<'a>(&mut self, exceptions: impl Iterator<Item = &'a Exception>) {
        for exception in exceptions {
            let is_meant =
                |(track, what): &(String, String)| track == exception.track && what.contains(exception.what);
            let before = self.differences.len();
            self.differences.retain(|difference| !is_meant(difference));
            let taken = before - self.differences.len();
            self.excepted += taken;
            if taken == 0 {
                self.differ(exception.track, format!("the exception {:?} no longer applies", exception.what));
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Exact,
    Stops,
    Lives,
}

fn rule_of(track: &str) -> Rule {
    match track.split(' ').next().unwrap_or("") {
        "deployment" | "replicaset" | "endpoints" | "job" | "cronjob" | "statefulset" | "daemonset"
        | "pdb" => Rule::Stops,
        "pod" => Rule::Lives,
        "events" if track.starts_with("events pod ") => Rule::Lives,
        _ => Rule::Exact,
    }
}

/// Compares a run with a recording. `actions` has the times of the actions, in milliseconds of the timelines.
pub fn compare(recorded: &Timeline, run: &Timeline, actions: &[i64]) -> Report {
    let mut report = Report::default();
    let tracks: BTreeSet<&String> = recorded.tracks.keys().chain(run.tracks.keys()).collect();
    for track in tracks {
        let entries = |timeline: &Timeline| timeline.tracks.get(track).cloned().unwrap_or_default();
        match rule_of(track) {
            Rule::Exact => report.exact(track, &entries(recorded), &entries(run), actions),
            Rule::Stops => {
                let side = |timeline: &Timeline| Side {
                    entries: entries(timeline),
                    deletions: deletions(timeline),
                    settled: if track.starts_with("endpoints") { SETTLED_ENDPOINTS } else { SETTLED },
                };
                report.stops(track, &side(recorded), &side(run), actions);
            }
            Rule::Lives => {}
        }
    }
    for prefix in ["pod ", "events pod "] {
        report.lives(prefix, recorded, run);
    }
    report
}

impl Report {
    fn differ(&mut self, track: &str, what: String) {
        self.differences.push((track.to_string(), what));
    }

    fn time(&mut self, track: &str, recorded: &Entry, run: &Entry, actions: &[i64]) {
        let since = actions.iter().copied().filter(|at| *at <= recorded.at).max().unwrap_or(0);
        let early = if track.starts_with("endpoints") { 1000 } else { 0 };
        let off = (run.at - recorded.at).max(recorded.at - early - run.at).max(0);
        self.off = self.off.max(off);
        if off > 1000.max((recorded.at - since) / 10) {
            self.differ(
                track,
                format!("is {} ms off its time: {} {}", run.at - recorded.at, recorded.at, run.text),
            );
        }
    }

    fn exact(&mut self, track: &str, recorded: &[Entry], run: &[Entry], actions: &[i64]) {
        let pairs = common(recorded, run, |_, _| 1);
        self.recorded += recorded.len();
        self.matched += pairs.len();
        for (index, entry) in recorded.iter().enumerate() {
            if !pairs.iter().any(|pair| pair.0 == index) {
                self.differ(track, format!("missing {} {}", entry.at, entry.text));
            }
        }
        for (index, entry) in run.iter().enumerate() {
            if !pairs.iter().any(|pair| pair.1 == index) {
                self.differ(track, format!("not recorded {} {}", entry.at, entry.text));
            }
        }
        for (a, b) in pairs {
            self.time(track, &recorded[a], &run[b], actions);
        }
    }

    fn stops(&mut self, track: &str, recorded: &Side, run: &Side, actions: &[i64]) {
        let weight = |a: usize, b: usize| {
            1 + 1000 * (i64::from(recorded.is_settled(a)) + i64::from(run.is_settled(b)))
        };
        let pairs = common(&recorded.entries, &run.entries, weight);
        self.recorded += recorded.entries.len();
        self.matched += pairs.len();
        let recorded_pairs: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        let run_pairs: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
        for (side, pairs, word) in [(recorded, recorded_pairs, "missing"), (run, run_pairs, "not recorded")] {
            for (index, entry) in side.entries.iter().enumerate().filter(|(index, _)| !pairs.contains(index))
            {
                let before = pairs.iter().copied().filter(|pair| *pair < index).max();
                let after = pairs.iter().copied().filter(|pair| *pair > index).min();
                let is_stop =
                    before.zip(after).is_some_and(|(before, after)| side.is_stop(before, index, after));
                if side.is_settled(index) {
                    self.differ(track, format!("{word}, settled: {} {}", entry.at, entry.text));
                } else if !is_stop {
                    self.differ(track, format!("{word}, not on the way: {} {}", entry.at, entry.text));
                } else if word == "missing" {
                    self.skipped += 1;
                } else {
                    self.extra += 1;
                }
            }
        }
        for (a, b) in pairs {
            if recorded.is_settled(a) {
                self.time(track, &recorded.entries[a], &run.entries[b], actions);
            }
        }
    }

    fn lives(&mut self, prefix: &str, recorded: &Timeline, run: &Timeline) {
        let mut counts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (entries, side) in [(lives_of(recorded, prefix), 0), (lives_of(run, prefix), 1)] {
            for life in entries {
                let count = counts.entry(life).or_default();
                *(if side == 0 { &mut count.0 } else { &mut count.1 }) += 1;
            }
        }
        for (life, (recorded, run)) in counts {
            let entries = life.split('\n').count();
            self.recorded += entries * recorded as usize;
            self.matched += entries * recorded.min(run) as usize;
            if recorded != run {
                let life = life.replace('\n', "\n      ");
                self.differ(prefix.trim(), format!("{run} instead of {recorded} pods with\n      {life}"));
            }
        }
    }
}

fn lives_of(timeline: &Timeline, prefix: &str) -> Vec<String> {
    let tracks = timeline.tracks.iter().filter(|(track, _)| track.starts_with(prefix));
    let life =
        |entries: &[Entry]| entries.iter().map(|entry| entry.text.clone()).collect::<Vec<_>>().join("\n");
    tracks.map(|(_, entries)| life(entries)).collect()
}

/// One side of a track of counts.
struct Side {
    entries: Vec<Entry>,
    /// When pods began to be deleted.
    deletions: Vec<i64>,
    settled: i64,
}

/// When each pod of a timeline began to be deleted.
fn deletions(timeline: &Timeline) -> Vec<i64> {
    let pods = timeline.tracks.iter().filter(|(track, _)| track.starts_with("pod "));
    let begun = |entry: &&Entry| entry.text == "gone" || entry.text.contains(" deleting ");
    pods.filter_map(|(_, entries)| entries.iter().find(begun)).map(|entry| entry.at).collect()
}

/// How much later than it happened a change may be counted or seen, in milliseconds.
const LAG: i64 = 150;

impl Side {
    fn is_settled(&self, index: usize) -> bool {
        let at = self.entries[index].at;
        self.entries.get(index + 1).is_none_or(|next| next.at - at >= self.settled)
    }

    /// Whether a state is a stop on the way between two others.
    fn is_stop(&self, before: usize, index: usize, after: usize) -> bool {
        let span = self.entries[before].at - LAG..=self.entries[after].at;
        let deleted = self.deletions.iter().filter(|at| span.contains(at)).count() as i64;
        let [before, state, after] = [before, index, after].map(|index| split(&self.entries[index].text));
        let is_between = |key: &str, value: i64| {
            let (Some(a), Some(b)) = (before.0.get(key), after.0.get(key)) else { return false };
            let (dip, rise) = match key {
                "replicas" | "updated" => (deleted, 0),
                "ready" if self.settled == SETTLED_ENDPOINTS => (deleted, deleted),
                "terminating" => (0, deleted),
                _ => (0, 0),
            };
            (a.min(b) - dip..=a.max(b) + rise).contains(&value)
        };
        state.0.iter().all(|(key, value)| is_between(key, *value))
            && (state.1 == before.1 || state.1 == after.1)
    }
}

/// Positions of a longest common subsequence, the one of the greatest weight.
fn common(a: &[Entry], b: &[Entry], weight: impl Fn(usize, usize) -> i64) -> Vec<(usize, usize)> {
    let mut best = vec![vec![0i64; b.len() + 1]; a.len() + 1];
    let gain = |i: usize, j: usize| if a[i].text == b[j].text { weight(i, j) } else { -1 };
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let skip = best[i + 1][j].max(best[i][j + 1]);
            let take = if gain(i, j) > 0 { gain(i, j) + best[i + 1][j + 1] } else { 0 };
            best[i][j] = skip.max(take);
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if gain(i, j) > 0 && best[i][j] == gain(i, j) + best[i + 1][j + 1] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[i + 1][j] >= best[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// The numbers of a state by key, and everything else.
fn split(state: &str) -> (BTreeMap<&str, i64>, String) {
    let (mut numbers, mut rest) = (BTreeMap::new(), Vec::new());
    for word in state.split(' ') {
        match word.split_once('=').and_then(|(key, value)| Some((key, value.parse().ok()?))) {
            Some((key, value)) => {
                numbers.insert(key, value);
            }
            None => rest.push(word),
        }
    }
    (numbers, rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(states: &[(i64, &str)]) -> Timeline {
        let entries = states.iter().map(|(at, text)| Entry { at: *at, text: text.to_string() }).collect();
        Timeline { tracks: BTreeMap::from([("replicaset rs1".to_string(), entries)]) }
    }

    #[test]
    fn stops_on_the_way_may_differ_and_nothing_else() {
        let recorded = line(&[(0, "ready=0"), (2000, "ready=1"), (2010, "ready=3")]);
        for (run, expected) in [
            (line(&[(0, "ready=0"), (2000, "ready=2"), (2010, "ready=3")]), ""),
            (line(&[(0, "ready=0"), (2000, "ready=3")]), ""),
            (
                line(&[(0, "ready=0"), (2000, "ready=4"), (2010, "ready=3")]),
                "not recorded, not on the way: 2000 ready=4",
            ),
            (
                line(&[(0, "ready=0"), (2000, "ready=2"), (2900, "ready=3")]),
                "not recorded, settled: 2000 ready=2",
            ),
            (line(&[(0, "ready=0"), (3200, "ready=3")]), "is 1190 ms off its time: 2010 ready=3"),
        ] {
            let report = compare(&recorded, &run, &[0]);
            let found: Vec<&str> = report.differences.iter().map(|(_, what)| &**what).collect();
            assert_eq!(found.join("; "), expected);
        }
    }

    #[test]
    fn exact_tracks_and_lives_take_no_difference() {
        let of = |track: &str, texts: &[&str]| {
            let entries = texts.iter().map(|text| Entry { at: 0, text: text.to_string() }).collect();
            Timeline { tracks: BTreeMap::from([(track.to_string(), entries)]) }
        };
        let sizes = compare(&of("sizes", &["rs1 0>3", "rs1 3>2"]), &of("sizes", &["rs1 0>3"]), &[]);
        assert_eq!(sizes.differences, [("sizes".into(), "missing 0 rs1 3>2".into())]);
        assert_eq!((sizes.recorded, sizes.matched), (2, 1));
        let other =
            compare(&of("pod p1", &["Pending", "Running"]), &of("pod p7", &["Pending", "Running"]), &[]);
        assert!(other.differences.is_empty() && other.matched == 2);
        let fewer = compare(&of("pod p1", &["Pending", "Running"]), &of("pod p1", &["Pending"]), &[]);
        assert_eq!(fewer.differences.len(), 2);
    }
}
