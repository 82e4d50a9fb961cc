//! Pods counted by how they are.

use setpoint_lab::frame::{Frame, PodLook};

/// How many pods are in a state that is worth a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pulling or starting.
    pub starting: i32,
    /// Run, but are not ready.
    pub unready: i32,
    /// Crashed or cannot be pulled.
    pub failing: i32,
    /// On a machine without power.
    pub lost: i32,
    /// Being deleted.
    pub terminating: i32,
    /// Without a node.
    pub pending: i32,
    /// Desired, but not created yet.
    pub missing: i32,
}

impl Tally {
    /// Counts the pods of a frame.
    pub fn of(frame: &Frame) -> Self {
        let mut tally = Self {
            pending: i32::try_from(frame.pending.len()).unwrap_or(i32::MAX),
            missing: frame.app.as_ref().map_or(0, |app| app.missing),
            ..Self::default()
        };
        for pod in frame.nodes.iter().flat_map(|node| &node.pods) {
            match pod.look {
                PodLook::Pulling | PodLook::Starting => tally.starting += 1,
                PodLook::NotReady => tally.unready += 1,
                PodLook::BackOff => tally.failing += 1,
                PodLook::Lost => tally.lost += 1,
                PodLook::Terminating => tally.terminating += 1,
                PodLook::Pending | PodLook::Ready | PodLook::Finished => {}
            }
        }
        tally
    }

    /// What is worth saying, the worse first.
    pub fn words(&self) -> String {
        let words = [
            (self.failing, "in back-off"),
            (self.lost, "on a dead machine"),
            (self.unready, "not ready"),
            (self.pending, "waiting for a node"),
            (self.missing, "not created yet"),
            (self.starting, "starting"),
            (self.terminating, "terminating"),
        ];
        let said: Vec<String> = words
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        said.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_comes_first() {
        let none = Tally::default();
        assert_eq!(none.words(), "");
        let some = Tally { starting: 1, lost: 2, terminating: 3, ..none };
        assert_eq!(some.words(), "2 on a dead machine · 1 starting · 3 terminating");
    }
}
