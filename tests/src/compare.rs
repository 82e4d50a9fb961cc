//! Compares a run with a recording, track by track. Each track has one of three rules.
//!
//! - **Exact** (`sizes`: the sizes of a Deployment's ReplicaSets in one order; events of everything but pods; conditions with
//!   their messages; autoscalers; nodes): the same entries in the same order.
//! - **Stops** (counts of workloads, budgets and endpoints; how many pods the nodes hold): several pods that change within
//!   some milliseconds are counted one by one or together, as the writers' timing has it, in the recordings of one and the
//!   same scenario too. So every state that held for [`SETTLED`] or longer, in the recording or in the run, must be in the
//!   other, in the same order; a shorter one that only one side has must be a stop on the way: each of its numbers lies
//!   between those of the common states around it, and each of its conditions is that of one of them.
//!   Two more ways are known. A pod that begins to be deleted counts nowhere until its replacement is made, so `replicas`,
//!   `updated` and `current` may dip below both ends, and `terminating` rise above them, by as many pods as began to be deleted in
//!   between. `ready` of endpoints may be as much lower or higher, for where one pod becomes ready while another goes, either
//!   may be seen first. Endpoints are taken as settled after [`SETTLED_ENDPOINTS`] only: the recorded controller puts a sync
//!   off by a second when it finds its cache behind its own last write, Setpoint's is never behind.
//!   A stop that only one side makes is no item.
//! - **Lives** (`pod`, `events pod`): each pod has its whole sequence of states or events. Pods of one owner are matched by
//!   it, the most alike first, and in the order of their creation where they are equally alike.
//!
//! Times are compared for the entries of exact tracks and lives, and for settled states: by the time since the last action,
//! within a second or a tenth; endpoints may besides be earlier by the second that is said above. An entry out of its time
//! does not match.

use crate::timeline::{Entry, Timeline};
use std::collections::{BTreeMap, BTreeSet};

/// How long a count must hold so that it must be in the other sequence, in milliseconds.
pub const SETTLED: i64 = 500;
/// The same for endpoints.
pub const SETTLED_ENDPOINTS: i64 = 1100;
/// How far a time may be off, in milliseconds, where a tenth of it is less.
const OFF: i64 = 1000;

/// What there is to compare of a track or a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What it is about: `pods`, `events`, `kubectl`.
    pub topic: &'static str,
    /// The track, or the command.
    pub name: String,
    /// Items that match.
    pub matched: usize,
    /// Items of the recording, or of the run where it has more.
    pub all: usize,
    /// Stops on the way that only one side makes.
    pub stops: usize,
    /// What does not match, in words.
    pub differences: Vec<String>,
}

enum Rule {
    Exact,
    Stops,
    Lives,
}

fn rule_of(track: &str) -> Rule {
    let words: Vec<&str> = track.split(' ').collect();
    match words[..] {
        ["pod", ..] | ["events", "pod", ..] => Rule::Lives,
        ["deployment" | "replicaset" | "statefulset" | "daemonset" | "job" | "cronjob", ..] => Rule::Stops,
        ["placement" | "endpoints" | "pdb" | "resourcequota", ..] => Rule::Stops,
        ["watch", _, "pods", ..] => Rule::Lives,
        ["watch", _, kind, ..] if kind != "nodes" && kind != "hpa" => Rule::Stops,
        _ => Rule::Exact,
    }
}

/// What a track is about.
fn topic_of(track: &str) -> &'static str {
    match track.split(' ').next().unwrap_or("") {
        "conditions" => "conditions",
        "events" => "events",
        "pod" | "placement" => "pods",
        "hpa" => "autoscalers",
        "node" => "nodes",
        "endpoints" | "service" => "endpoints",
        "watch" => "kubectl",
        "pdb" | "resourcequota" => "budgets and quotas",
        _ => "workloads",
    }
}

/// Compares a run with a recording. `actions` has the times of the actions, in milliseconds of the timelines.
pub fn compare(recorded: &Timeline, run: &Timeline, actions: &[i64]) -> Vec<Part> {
    let tracks: BTreeSet<&String> = recorded.tracks.keys().chain(run.tracks.keys()).collect();
    let entries = |timeline: &Timeline, track: &str| timeline.tracks.get(track).cloned().unwrap_or_default();
    let mut parts = Vec::new();
    let mut groups: BTreeSet<&str> = BTreeSet::new();
    for track in tracks {
        let mut part = Part { topic: topic_of(track), name: track.clone(), ..Part::default() };
        match rule_of(track) {
            Rule::Exact => part.exact(&entries(recorded, track), &entries(run, track), actions),
            Rule::Stops => {
                let side = |timeline: &Timeline| Side {
                    entries: entries(timeline, track),
                    deletions: deletions(timeline),
                    settled: if track.starts_with("endpoints") { SETTLED_ENDPOINTS } else { SETTLED },
                };
                part.stops(&side(recorded), &side(run), actions);
            }
            Rule::Lives => {
                groups.insert(group_of(track));
                continue;
            }
        }
        parts.push(part);
    }
    for group in groups {
        let mut part = Part { topic: topic_of(group), name: group.to_string(), ..Part::default() };
        part.lives(lives_of(recorded, group), lives_of(run, group), actions);
        parts.push(part);
    }
    parts
}

/// What pods of one owner have in common.
fn group_of(track: &str) -> &str {
    let stem = track.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.ends_with("-pod") { stem } else { track }
}

fn lives_of<'a>(timeline: &'a Timeline, group: &str) -> Vec<&'a [Entry]> {
    let of_group = timeline.tracks.iter().filter(|(track, _)| group_of(track) == group);
    let mut lives: Vec<&[Entry]> = of_group.map(|(_, entries)| entries.as_slice()).collect();
    lives.sort_by_key(|life| life.first().map(|entry| entry.at));
    lives
}

fn texts(life: &[Entry]) -> Vec<&str> {
    life.iter().map(|entry| &*entry.text).collect()
}

/// Whether what is the same happened at the same time.
fn is_in_time(track: &str, recorded: &Entry, run: &Entry, actions: &[i64]) -> bool {
    let since = actions.iter().copied().filter(|at| *at <= recorded.at).max().unwrap_or(0);
    let early = if track.starts_with("endpoints") { 1000 } else { 0 };
    let off = (run.at - recorded.at).max(recorded.at - early - run.at).max(0);
    off <= OFF.max((recorded.at - since) / 10)
}

impl Part {
    /// Counts a matched entry if it is in time.
    fn time(&mut self, recorded: &Entry, run: &Entry, actions: &[i64]) {
        if is_in_time(&self.name, recorded, run, actions) {
            self.matched += 1;
        } else {
            let off = run.at - recorded.at;
            self.differences.push(format!("is {off} ms off its time: {} {}", recorded.at, recorded.text));
        }
    }

    /// Counts the entries that one side alone has.
    fn alone(&mut self, missing: Vec<&Entry>, more: Vec<&Entry>) {
        self.all += missing.len().max(more.len());
        for (entries, word) in [(missing, "missing"), (more, "not recorded")] {
            let words = entries.iter().map(|entry| format!("{word}: {} {}", entry.at, entry.text));
            self.differences.extend(words);
        }
    }

    fn exact(&mut self, recorded: &[Entry], run: &[Entry], actions: &[i64]) {
        // Of several that are the same, those that are in time.
        let weight = |a: usize, b: usize| {
            if is_in_time(&self.name, &recorded[a], &run[b], actions) { 1001 } else { 1000 }
        };
        let pairs = common(recorded, run, weight);
        self.all += pairs.len();
        let missing = (0..recorded.len()).filter(|index| !pairs.iter().any(|pair| pair.0 == *index));
        let more = (0..run.len()).filter(|index| !pairs.iter().any(|pair| pair.1 == *index));
        self.alone(missing.map(|index| &recorded[index]).collect(), more.map(|index| &run[index]).collect());
        for (a, b) in pairs {
            self.time(&recorded[a], &run[b], actions);
        }
    }

    fn stops(&mut self, recorded: &Side, run: &Side, actions: &[i64]) {
        let weight = |a: usize, b: usize| {
            1 + 1000 * (i64::from(recorded.is_settled(a)) + i64::from(run.is_settled(b)))
        };
        let pairs = common(&recorded.entries, &run.entries, weight);
        self.all += pairs.len();
        let recorded_pairs: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        let run_pairs: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
        let (missing, stops) = recorded.alone(&recorded_pairs);
        let (more, others) = run.alone(&run_pairs);
        self.alone(missing, more);
        self.stops += stops + others;
        for (a, b) in pairs {
            if recorded.is_settled(a) {
                self.time(&recorded.entries[a], &run.entries[b], actions);
            } else {
                self.matched += 1;
            }
        }
    }

    fn lives(&mut self, mut recorded: Vec<&[Entry]>, mut run: Vec<&[Entry]>, actions: &[i64]) {
        let mut pairs = Vec::new();
        // Of those that are the same all along as many as possible with all of their times right, then with one wrong, and
        // so on: when a pod is made and when it goes are drawn apart from each other.
        let wrong = |life: &[Entry], other: &[Entry]| {
            life.iter().zip(other).filter(|(a, b)| !is_in_time(&self.name, a, b, actions)).count()
        };
        let longest = recorded.iter().map(|life| life.len()).max().unwrap_or(0);
        for most in 0..=longest {
            let fits =
                |life: &[Entry], other: &[Entry]| texts(life) == texts(other) && wrong(life, other) <= most;
            let edges: Vec<Vec<usize>> = recorded
                .iter()
                .map(|life| (0..run.len()).filter(|place| fits(life, run[*place])).collect())
                .collect();
            let partners = matching(&edges, run.len());
            pairs.extend(partners.iter().map(|(a, b)| (recorded[*a], run[*b])));
            let (left, right): (BTreeSet<usize>, BTreeSet<usize>) = partners.into_iter().unzip();
            recorded = without(&recorded, &left);
            run = without(&run, &right);
        }
        while !recorded.is_empty() && !run.is_empty() {
            let likeness = |a: usize, b: usize| common(recorded[a], run[b], |_, _| 1).len();
            let all = (0..recorded.len()).flat_map(|a| (0..run.len()).map(move |b| (a, b)));
            let Some((a, b)) = all.max_by_key(|(a, b)| (likeness(*a, *b), std::cmp::Reverse((*a, *b))))
            else {
                break;
            };
            pairs.push((recorded.remove(a), run.remove(b)));
        }
        pairs.extend(recorded.into_iter().map(|life| (life, &[][..])));
        pairs.extend(run.into_iter().map(|life| (&[][..], life)));
        for (life, other) in pairs {
            self.exact(life, other, actions);
        }
    }
}

fn without<'a>(lives: &[&'a [Entry]], places: &BTreeSet<usize>) -> Vec<&'a [Entry]> {
    let kept = lives.iter().enumerate().filter(|(place, _)| !places.contains(place));
    kept.map(|(_, life)| *life).collect()
}

/// A largest matching of a bipartite graph: `edges` has the right places that each left place may get.
fn matching(edges: &[Vec<usize>], rights: usize) -> Vec<(usize, usize)> {
    fn find(left: usize, edges: &[Vec<usize>], of: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        for right in &edges[left] {
            if std::mem::replace(&mut seen[*right], true) {
                continue;
            }
            if of[*right].is_none_or(|other| find(other, edges, of, seen)) {
                of[*right] = Some(left);
                return true;
            }
        }
        false
    }
    let mut of: Vec<Option<usize>> = vec![None; rights];
    for left in 0..edges.len() {
        find(left, edges, &mut of, &mut vec![false; rights]);
    }
    of.iter().enumerate().filter_map(|(right, left)| Some(((*left)?, right))).collect()
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
    /// Entries that the other side does not have and must have, and how many stops on the way there are besides.
    fn alone(&self, pairs: &[usize]) -> (Vec<&Entry>, usize) {
        let (mut alone, mut stops) = (Vec::new(), 0);
        for (index, entry) in self.entries.iter().enumerate().filter(|(index, _)| !pairs.contains(index)) {
            let before = pairs.iter().copied().filter(|pair| *pair < index).max();
            let after = pairs.iter().copied().filter(|pair| *pair > index).min();
            let around = before.zip(after);
            if !self.is_settled(index)
                && around.is_some_and(|(before, after)| self.is_stop(before, index, after))
            {
                stops += 1;
            } else {
                alone.push(entry);
            }
        }
        (alone, stops)
    }

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
                "replicas" | "updated" | "current" => (deleted, 0),
                "ready" if self.settled == SETTLED_ENDPOINTS => (deleted, deleted),
                "terminating" => (0, deleted),
                _ => (0, 0),
            };
            (a.min(b) - dip..=a.max(b) + rise).contains(&value)
        };
        let words = |state: &(_, String)| state.1.split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
        let (from, is, to) = (words(&before), words(&state), words(&after));
        state.0.iter().all(|(key, value)| is_between(key, *value))
            && is.iter().all(|word| from.contains(word) || to.contains(word))
            && from.intersection(&to).all(|word| is.contains(word))
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

    fn of(track: &str, states: &[(i64, &str)]) -> Timeline {
        let entries = states.iter().map(|(at, text)| Entry { at: *at, text: (*text).to_string() }).collect();
        Timeline { tracks: BTreeMap::from([(track.to_string(), entries)]) }
    }

    /// What matches of what, and the differences.
    fn found(recorded: &Timeline, run: &Timeline) -> (usize, usize, String) {
        let parts = compare(recorded, run, &[0]);
        let sum = |count: fn(&Part) -> usize| parts.iter().map(count).sum();
        let differences: Vec<&str> =
            parts.iter().flat_map(|part| &part.differences).map(|what| &**what).collect();
        (sum(|part| part.matched), sum(|part| part.all), differences.join("; "))
    }

    #[test]
    fn stops_on_the_way_may_differ_and_nothing_else() {
        let line = |states: &[(i64, &str)]| of("replicaset web-rs1", states);
        let recorded = line(&[(0, "ready=0"), (2000, "ready=1"), (2010, "ready=3")]);
        for (run, expected) in [
            (line(&[(0, "ready=0"), (2000, "ready=2"), (2010, "ready=3")]), (2, 2, "")),
            (line(&[(0, "ready=0"), (2000, "ready=3")]), (2, 2, "")),
            (
                line(&[(0, "ready=0"), (2000, "ready=4"), (2010, "ready=3")]),
                (2, 3, "not recorded: 2000 ready=4"),
            ),
            (
                line(&[(0, "ready=0"), (2000, "ready=2"), (2900, "ready=3")]),
                (2, 3, "not recorded: 2000 ready=2"),
            ),
            (line(&[(0, "ready=0"), (3200, "ready=3")]), (1, 2, "is 1190 ms off its time: 2010 ready=3")),
            (line(&[(0, "ready=0")]), (1, 3, "missing: 2000 ready=1; missing: 2010 ready=3")),
        ] {
            let (matched, all, what) = found(&recorded, &run);
            assert_eq!((matched, all, &*what), expected);
        }
    }

    #[test]
    fn conditions_of_a_stop_are_old_or_new_ones() {
        let line = |states: &[(i64, &str)]| of("deployment web", states);
        let recorded = line(&[(0, "ready=0 A=x:v"), (2010, "ready=0 A=x:v B=x:y C=x:z")]);
        let with = |stop| {
            found(
                &recorded,
                &line(&[(0, "ready=0 A=x:v"), (2000, stop), (2010, "ready=0 A=x:v B=x:y C=x:z")]),
            )
            .1
        };
        assert_eq!(with("ready=0 A=x:v B=x:y"), 2, "one of two that came together");
        assert_eq!(with("ready=0 A=x:v B=x:w"), 3, "one that neither has");
        assert_eq!(with("ready=0 B=x:y"), 3, "without one that both have");
    }

    #[test]
    fn a_wrong_order_is_caught() {
        let recorded = of("sizes web", &[(0, "web-rs2 0>1"), (10, "web-rs1 3>2"), (20, "web-rs2 1>2")]);
        let run = of("sizes web", &[(0, "web-rs2 0>1"), (10, "web-rs2 1>2"), (20, "web-rs1 3>2")]);
        let (matched, all, what) = found(&recorded, &run);
        assert_eq!((matched, all), (2, 3), "{what}");
        let life = |a, b| of("pod web-rs1-pod1", &[(0, "Pending"), (1, a), (2, b)]);
        assert_eq!(found(&life("bound", "ready"), &life("ready", "bound")).0, 2);
    }

    #[test]
    fn a_missing_event_and_a_wrong_count_are_caught() {
        let track = "events pod web-rs1-pod1";
        let said = |count| format!("Warning BackOff x{count} kubelet: Back-off");
        let recorded = of(track, &[(0, "Normal Scheduled"), (5, &said(1)), (10_000, &said(2))]);
        let short = of(track, &[(0, "Normal Scheduled"), (5, &said(1))]);
        assert_eq!(found(&recorded, &short), (2, 3, format!("missing: 10000 {}", said(2))));
        let wrong = of(track, &[(0, "Normal Scheduled"), (5, &said(1)), (10_000, &said(3))]);
        assert_eq!(found(&recorded, &wrong).0, 2);
        let source =
            of("events deployment web", &[(0, "Normal ScalingReplicaSet x1 deployment-controller: up")]);
        let other = of("events deployment web", &[(0, "Normal ScalingReplicaSet x1 other: up")]);
        assert_eq!(found(&source, &other).0, 0);
        let counts = |ready: &str| of("deployment web", &[(0, "ready=0"), (3000, ready)]);
        assert_eq!(found(&counts("ready=3"), &counts("ready=2")).0, 1);
    }

    #[test]
    fn a_late_eviction_is_caught() {
        let evicted =
            |at| of("pod web-rs1-pod1", &[(2000, "Running ready"), (at, "Running deleting grace=30")]);
        assert_eq!(found(&evicted(300_000), &evicted(329_000)).0, 2, "a tenth");
        assert_eq!(found(&evicted(300_000), &evicted(331_000)).0, 1, "more than a tenth");
        assert_eq!(found(&evicted(300_000), &evicted(269_000)).0, 1, "too early");
        assert_eq!(found(&evicted(5_000), &evicted(6_000)).0, 2, "a second");
        assert_eq!(found(&evicted(5_000), &evicted(6_001)).0, 1, "more than a second");
    }

    #[test]
    fn pods_are_matched_by_their_lives_within_their_owner() {
        let life = |pod: &str| of(&format!("pod {pod}"), &[(0, "Pending"), (1, "Running")]);
        assert_eq!(found(&life("web-rs1-pod1"), &life("web-rs1-pod7")).0, 2);
        assert_eq!(found(&life("web-rs1-pod1"), &life("web-rs2-pod1")).0, 0);
        assert_eq!(found(&life("db-0"), &life("db-1")).0, 0);
        let short = of("pod web-rs1-pod1", &[(0, "Pending")]);
        assert_eq!(found(&life("web-rs1-pod1"), &short), (1, 2, "missing: 1 Running".into()));
    }
}
