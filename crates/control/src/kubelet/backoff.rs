//! Growing waits between attempts, as the kubelet keeps them per container (restarts) and per image (pulls).
//!
//! Upstream: staging/src/k8s.io/client-go/util/flowcontrol/backoff.go.
//! Simplified: no collection of old entries; an entry lives as long as its container's record.

use setpoint_api::{Micros, Time};

/// One wait that doubles with each attempt and is forgotten after a long time without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    wait: Micros,
    updated: Option<Time>,
}

impl Backoff {
    /// The wait that is held, 0 before the first attempt.
    pub fn wait(&self) -> Micros {
        self.wait
    }

    /// Notes an attempt at `now` that follows an event at `event`: the wait starts at `min` and doubles up to `max`.
    pub fn next(&mut self, event: Time, now: Time, min: Micros, max: Micros) {
        let grown = if self.has_entry(event, max) { self.wait.saturating_mul(2) } else { min };
        self.wait = grown.min(max);
        self.updated = Some(now);
    }

    /// End of the wait counted from an event, such as a container's exit.
    pub fn until_since(&self, event: Time, max: Micros) -> Option<Time> {
        self.has_entry(event, max).then(|| event.plus(self.wait))
    }

    /// End of the wait counted from the last attempt.
    pub fn until_since_update(&self, now: Time, max: Micros) -> Option<Time> {
        if self.has_entry(now, max) { self.updated.map(|updated| updated.plus(self.wait)) } else { None }
    }

    /// Whether there was an attempt, and not more than twice the cap before `event`.
    fn has_entry(&self, event: Time, max: Micros) -> bool {
        self.updated.is_some_and(|updated| event.since(updated) <= max.saturating_mul(2))
    }
}
