//! The changes of the store since somebody has begun to watch.
//!
//! The store drops its log as soon as the controllers have seen it. Commands that watch are asked less often than that, so
//! what has changed in between is kept here, and only while there is such a command.

use setpoint_api::Change;
use setpoint_sim::Sim;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// Changes kept for the slowest watcher; one that falls behind further misses the oldest.
const KEPT: usize = 50_000;

/// Changes that some watcher has not seen yet.
#[derive(Default)]
pub(super) struct Tape {
    watchers: Vec<Weak<Cell<u64>>>,
    changes: VecDeque<Change>,
    revision: u64,
}

impl Tape {
    /// Takes in what has changed since the last call.
    pub(super) fn record(&mut self, sim: &Sim) {
        if self.watchers.is_empty() {
            return;
        }
        if sim.store().revision() == self.revision {
            return;
        }
        for change in sim.store().changes_after(self.revision) {
            self.changes.push_back(change.clone());
        }
        self.revision = sim.store().revision();
        self.watchers.retain(|watcher| watcher.strong_count() > 0);
        let seen = self.watchers.iter().filter_map(Weak::upgrade).map(|seen| seen.get()).min();
        let is_old = |change: &Change| seen.is_none_or(|seen| change.revision <= seen);
        while self.changes.len() > KEPT || self.changes.front().is_some_and(is_old) {
            self.changes.pop_front();
        }
    }
}

/// One who watches; dropping it ends the watch.
pub struct Watch(Rc<Cell<u64>>);

impl super::Session {
    /// Begins to watch: what changes from now on.
    pub fn watch(&mut self) -> Watch {
        let revision = self.sim.store().revision();
        if self.tape.watchers.is_empty() {
            self.tape.revision = revision;
        }
        let seen = Rc::new(Cell::new(revision));
        self.tape.watchers.push(Rc::downgrade(&seen));
        Watch(seen)
    }
    /// What has changed since the watcher was last told, oldest first.
    pub fn changes(&mut self, watch: &Watch) -> Vec<Change> {
        self.tape.record(&self.sim);
        let seen = watch.0.get();
        watch.0.set(self.tape.revision.max(seen));
        let start = self.tape.changes.partition_point(|change| change.revision <= seen);
        self.tape.changes.range(start..).cloned().collect()
    }
}
