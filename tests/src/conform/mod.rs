//! Recordings of a real control plane, played here and compared with what happened there.

mod play;
mod recording;
pub mod trace;

pub use play::{Played, Said, play};
pub use recording::{Entry, Recording};

use crate::compare::{Part, compare};
use crate::reduce::timeline;
use crate::terminal;

/// How a recording compares with a run.
#[derive(Clone, Debug, Default)]
pub struct Conformance {
    /// Seed of the run, and by how many microseconds it was shifted.
    pub drawn: (u64, i64),
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

/// Plays a recording with a seed and compares.
pub fn conform(recording: &Recording, seed: u64, shift: i64) -> Conformance {
    let played = play(recording, seed, shift);
    let actions: Vec<i64> = recording.entries.iter().map(|entry| entry.at / 1000).collect();
    let mut parts = compare(&timeline(&recording.changes), &timeline(&played.changes), &actions);
    // The Service that only tells the load is no part of the recording.
    parts.retain(|part| !recording.has_service || part.topic != "endpoints");
    for said in &played.said {
        let (score, mut differences) = terminal::compare(&played, said);
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
        parts.push(part);
    }
    Conformance { drawn: (seed, shift), parts }
}
