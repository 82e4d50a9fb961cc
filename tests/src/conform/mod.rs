//! Recordings of a real control plane, played here and compared with what happened there.

mod known;
mod nodes;
pub mod page;
mod phase;
mod play;
mod recording;
pub mod trace;

pub use play::{Drawn, Played, Said, play};
pub use recording::{Entry, Recording};

use crate::compare::{Part, compare};
use crate::reduce::timeline;
use crate::terminal;

/// How a recording compares with a run.
#[derive(Clone, Debug, Default)]
pub struct Conformance {
    /// What the run has drawn.
    pub drawn: Drawn,
    /// Track by track, then command by command.
    pub parts: Vec<Part>,
}

impl Conformance {
    /// Items that match.
    pub fn matched(&self) -> usize {
        self.parts.iter().map(|part| part.matched).sum()
    }
    /// All items.
    pub fn all(&self) -> usize {
        self.parts.iter().map(|part| part.all).sum()
    }
}

/// How many seeds a recording is played with.
pub const SEEDS: u64 = 24;

/// Plays a recording with several seeds: what is drawn, and how the phases of what is periodic stand to the recording's
/// beginning, was drawn in the recording too. The run that is most like it counts.
pub fn best(recording: &Recording, seeds: u64) -> Conformance {
    let mut best = Conformance::default();
    for seed in 1..=seeds {
        let found = conform(recording, Drawn::of(seed));
        let share = |found: &Conformance| found.matched() as f64 / found.all().max(1) as f64;
        if seed == 1 || share(&found) > share(&best) {
            best = found;
        }
        if best.matched() == best.all() {
            break;
        }
    }
    best
}

/// Plays a recording with a seed and compares.
pub fn conform(recording: &Recording, drawn: Drawn) -> Conformance {
    let mut played = play(recording, drawn);
    let changes = recording.entries.iter().filter(|entry| entry.is_change());
    let actions: Vec<i64> = changes.map(|entry| entry.at / 1000).collect();
    let mut parts = compare(&timeline(&recording.changes), &timeline(&played.changes), &actions);
    // A Service that only tells the load is no part of the recording.
    let is_told = |part: &Part| !part.name.split(' ').any(|word| recording.services.contains(word));
    parts.retain(|part| part.topic != "endpoints" || is_told(part));
    let of = |played: &Played, number: usize| {
        of_command(recording, played, number, &played.said[number], &actions)
    };
    nodes::match_names(recording, &mut played, |played, number| {
        of(played, number).iter().map(|part| part.matched).sum()
    });
    parts.extend((0..played.said.len()).flat_map(|number| of(&played, number)));
    let unplayed = played.unplayed.iter().map(|(line, why)| Part {
        topic: "kubectl",
        name: line.clone(),
        all: 1,
        differences: vec![why.clone()],
        ..Part::default()
    });
    parts.extend(unplayed);
    Conformance { drawn, parts }
}

/// A command's output and exit code; rows of a watch are compared as states.
fn of_command(
    recording: &Recording,
    played: &Played,
    number: usize,
    said: &Said,
    actions: &[i64],
) -> Vec<Part> {
    if !said.times.0.is_empty() {
        let watch = |rows: &[String], times: &[i64], changes: &[crate::reduce::Seen]| {
            terminal::watch::timeline(number, &said.line, rows, times, changes)
        };
        let recorded = watch(&said.recorded.0, &said.times.0, &recording.changes);
        let run = watch(&said.here.0, &said.times.1, &played.changes);
        if let (Some(recorded), Some(run)) = (recorded, run) {
            let mut parts = compare(&recorded, &run, actions);
            parts.iter_mut().for_each(|part| part.name = format!("{}: {}", said.line, part.name));
            return parts;
        }
    }
    let (score, mut differences) = terminal::compare(played, said);
    let mut part = Part { topic: "kubectl", name: said.line.clone(), ..Part::default() };
    (part.matched, part.all) = (score.same, score.all);
    if let Some(code) = said.codes.0 {
        part.all += 1;
        if said.codes.1 == Some(code) {
            part.matched += 1;
        } else {
            differences.push(format!("ends with {:?} instead of {code}", said.codes.1));
        }
    }
    part.differences = differences;
    vec![part]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_played_differs() {
        for namespace in ["n", "", "default", "Not A Name"] {
            let recording = Recording::read(&format!(
                "namespace {namespace}\nuntil 5.000\n* 1.000 melt worker-1\n* 1.500 {{\"t\":1.5,\"power\":\"off\"}}\n\
                 * 2.000 kill worker-77\n* 2.500 \n* 2.600 load web\n$ 3.000 sleep 5 | cat\n= 0\n$ 3.500 \n= 1 0.000\n\
                 & 4.000 kubectl get gizmos -w\n> NAME\n= 0 4.500\n"
            ));
            let found = conform(&recording, Drawn::of(1));
            let differs = |name: &str| {
                found.parts.iter().any(|part| {
                    part.name.contains(name) && part.matched < part.all && !part.differences.is_empty()
                })
            };
            for name in ["melt worker-1", "power", "kill worker-77", "sleep 5 | cat", "get gizmos"] {
                assert!(differs(name), "{namespace:?}: {name} must differ: {:?}", found.parts);
            }
        }
    }
}
