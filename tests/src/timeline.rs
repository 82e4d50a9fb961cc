//! What can be seen of a run, object by object: tracks of states with their times, as text.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

/// One state of a track, or one entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since the first Deployment was created.
    pub at: i64,
    /// The state in words and `key=value` pairs.
    pub text: String,
}

/// All tracks of a run by name, such as `deployment web` or `events replicaset rs1`.
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

    /// Takes away what came before a time, in milliseconds.
    pub fn since(mut self, from: i64) -> Timeline {
        self.tracks.values_mut().for_each(|entries| entries.retain(|entry| entry.at >= from));
        self.tracks.retain(|_, entries| !entries.is_empty());
        self
    }

    /// Takes away what came after a time, in milliseconds.
    pub fn until(mut self, end: i64) -> Timeline {
        self.tracks.values_mut().for_each(|entries| entries.retain(|entry| entry.at <= end));
        self.tracks.retain(|_, entries| !entries.is_empty());
        self
    }

    /// Reads what [`Display`] has written.
    ///
    /// # Errors
    /// The line that is neither a heading, a comment nor an entry.
    pub fn parse(text: &str) -> Result<Timeline, String> {
        let mut timeline = Timeline::default();
        let mut track = String::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
            if let Some(name) = line.strip_prefix("# ") {
                track = name.to_string();
                timeline.tracks.entry(track.clone()).or_default();
                continue;
            }
            let entry = line.trim_start().split_once(' ').and_then(|(at, text)| {
                let (seconds, millis) = at.split_once('.')?;
                let at = seconds.parse::<i64>().ok()? * 1000 + millis.parse::<i64>().ok()?;
                Some(Entry { at, text: text.to_string() })
            });
            timeline.tracks.entry(track.clone()).or_default().push(entry.ok_or_else(|| line.to_string())?);
        }
        Ok(timeline)
    }
}

impl Display for Timeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (position, (track, entries)) in self.tracks.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            writeln!(f, "# {track}")?;
            for Entry { at, text } in entries {
                writeln!(f, "{:>6}.{:03} {text}", at / 1000, at % 1000)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let mut timeline = Timeline::default();
        timeline.push("node worker-1", 12_034, "Ready=True:KubeletReady".into());
        timeline.push("node worker-1", 12_035, "Ready=True:KubeletReady".into());
        timeline.list("events", 5, "Normal x1".into());
        timeline.list("events", 6, "Normal x1".into());
        let text = timeline.to_string();
        assert_eq!(
            text,
            "# events\n     0.005 Normal x1\n     0.006 Normal x1\n\n# node worker-1\n    12.034 Ready=True:KubeletReady\n"
        );
        assert_eq!(Timeline::parse(&text), Ok(timeline));
        assert_eq!(Timeline::parse("# a\nnonsense"), Err("nonsense".into()));
    }
}
