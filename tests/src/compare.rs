//! Compares a run with a recording, track by track. Each track has one of three rules.
//!
//! - **Exact** (`sizes`: the sizes of all ReplicaSets in one order; events of Deployments, ReplicaSets, autoscalers and
//!   nodes; conditions with their messages; autoscalers; nodes): the same entries in the same order.
//! - **Stops** (counts of Deployments, ReplicaSets and endpoints): several pods that change within some milliseconds are
//!   counted one by one or together, as the writers' timing has it, in the recordings of one and the same scenario too. So
//!   every state that held for [`SETTLED`] or longer, in the recording or in the run, must be in the other, in the same
//!   order; a shorter one that only one side has must be a stop on the way: each of its numbers lies between those of the
//!   common states around it, and its conditions are those of one of them.
//! - **Lives** (`pod`, `events pod`): names and places of pods are random, so the pods are compared as a set, each with
//!   its whole sequence of states or events.
//!
//! Times are compared for the entries of exact tracks and for settled states: by the time since the last action, within a
//! second or a tenth.

use crate::timeline::{Entry, Timeline};
use std::collections::{BTreeMap, BTreeSet};

/// How long a count must hold so that it must be in the other sequence, in milliseconds.
pub const SETTLED: i64 = 500;

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
    /// What does not hold, each with its track.
    pub differences: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Exact,
    Stops,
    Lives,
}

fn rule_of(track: &str) -> Rule {
    match track.split(' ').next().unwrap_or("") {
        "deployment" | "replicaset" | "endpoints" => Rule::Stops,
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
            Rule::Stops => report.stops(track, &entries(recorded), &entries(run), actions),
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
        let off = (run.at - recorded.at).abs();
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

    fn stops(&mut self, track: &str, recorded: &[Entry], run: &[Entry], actions: &[i64]) {
        let weight = |a: usize, b: usize| {
            1 + 1000 * (i64::from(is_settled(recorded, a)) + i64::from(is_settled(run, b)))
        };
        let pairs = common(recorded, run, weight);
        self.recorded += recorded.len();
        self.matched += pairs.len();
        let recorded_pairs: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        let run_pairs: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
        for (entries, pairs, word) in
            [(recorded, recorded_pairs, "missing"), (run, run_pairs, "not recorded")]
        {
            for (index, entry) in entries.iter().enumerate().filter(|(index, _)| !pairs.contains(index)) {
                let before = pairs.iter().copied().filter(|pair| *pair < index).max();
                let after = pairs.iter().copied().filter(|pair| *pair > index).min();
                let is_stop = match (before, after) {
                    (Some(before), Some(after)) => {
                        is_between(&entries[before].text, &entry.text, &entries[after].text)
                    }
                    _ => false,
                };
                if is_settled(entries, index) {
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
            if is_settled(recorded, a) {
                self.time(track, &recorded[a], &run[b], actions);
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

fn is_settled(entries: &[Entry], index: usize) -> bool {
    entries.get(index + 1).is_none_or(|next| next.at - entries[index].at >= SETTLED)
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

/// Whether every number of a state lies between those of two others, and the rest is the rest of one of them.
fn is_between(before: &str, state: &str, after: &str) -> bool {
    let [before, state, after] = [before, state, after].map(split);
    let same_keys = before.0.len() == state.0.len() && after.0.len() == state.0.len();
    let between = state.0.iter().zip(before.0.iter().zip(&after.0)).all(|((key, n), ((_, a), (_, b)))| {
        let _ = key;
        (*a.min(b)..=*a.max(b)).contains(n)
    });
    same_keys && between && (state.1 == before.1 || state.1 == after.1)
}

/// The numbers of a state by key, and everything else.
fn split(state: &str) -> (Vec<(String, i64)>, String) {
    let (mut numbers, mut rest) = (Vec::new(), Vec::new());
    for word in state.split(' ') {
        match word.split_once('=').and_then(|(key, value)| Some((key.to_string(), value.parse().ok()?))) {
            Some(pair) => numbers.push(pair),
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
