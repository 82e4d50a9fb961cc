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
pub const SEEDS: u64 = 8;

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
    // The Service that only tells the load is no part of the recording.
    parts.retain(|part| !recording.has_service || part.topic != "endpoints");
    let of = |played: &Played, number: usize| {
        of_command(recording, played, number, &played.said[number], &actions)
    };
    nodes::match_names(recording, &mut played, |played, number| {
        of(played, number).iter().map(|part| part.matched).sum()
    });
    parts.extend((0..played.said.len()).flat_map(|number| of(&played, number)));
    let unplayed = played.unplayed.iter().map(|line| Part {
        topic: "kubectl",
        name: line.clone(),
        all: 1,
        differences: vec!["cannot be played: what it does is not known".into()],
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
