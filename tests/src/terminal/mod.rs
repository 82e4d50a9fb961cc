//! What kubectl printed for people at a real cluster, against what it prints here.

mod compare;
mod normal;
pub mod watch;

pub use compare::{Score, compare};
pub use normal::Normal;

use crate::conform::{Played, Recording, play as play_recording};

/// Replays the text of a recorded terminal.
pub fn play(text: &str, seed: u64) -> Played {
    play_recording(&Recording::read(text), seed, 0)
}
