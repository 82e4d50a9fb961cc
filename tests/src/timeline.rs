//! What can be seen of a run, object by object: tracks of states with their times, as text.

use std::collections::BTreeMap;

/// One state of a track, or one entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since the recording began.
    pub at: i64,
    /// The state in words and `key=value` pairs.
    pub text: String,
}

/// All tracks of a run by name, such as `deployment web` or `events replicaset web-rs1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Entries of each track in the order of resource versions.
    pub tracks: BTreeMap<String, Vec<Entry>>,
}

impl Timeline {
    /// Adds an entry unless it repeats the last one of its track.
    pub fn push(&mut self, track: &str, at: i64, text: String) {
        let entries = self.tracks.entry(track.to_string()).or_default();
        if entries.last().is_none_or(|last| last.text != text) {
            entries.push(Entry { at, text });
        }
    }

    /// Adds an entry even if it repeats the last one of its track.
    pub fn list(&mut self, track: &str, at: i64, text: String) {
        self.tracks.entry(track.to_string()).or_default().push(Entry { at, text });
    }
}
