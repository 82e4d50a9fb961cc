//! Pods that wait for a node: those to be tried next, those in back-off, and those that wait for something to change.
//!
//! Upstream: pkg/scheduler/backend/queue/{scheduling_queue,active_queue,backoff_queue}.go.
//! Simplified: no scheduling gates of other plugins, no in-flight events (a cycle takes no time in which any could come).

use super::filters::Plugins;
use crate::Tuning;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, ObjId, Time};
use std::cmp::Reverse;

/// Back-offs that end within one window are ordered by priority.
const BACKOFF_WINDOW: Micros = SECOND;
/// How often pods that have waited too long are looked for.
const FLUSH_PERIOD: Micros = 30 * SECOND;

/// Where a waiting pod is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Active,
    /// In back-off; tried before its end if nothing else is to do.
    Backoff,
    /// In back-off after an error; never tried before its end.
    ErrorBackoff,
    /// No node did; something must change first.
    Unschedulable,
}

/// A waiting pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Its priority.
    pub priority: i32,
    /// When it came, or when it was last tried.
    pub since: Time,
    /// How often no node did.
    pub misses: u32,
    /// How often in a row trying ended in an error.
    pub errors: u32,
    /// Filters that refused some node.
    pub rejected_by: Plugins,
    place: Place,
    /// End of its back-off.
    until: Time,
}

/// First by priority, then by age.
type Order = (Reverse<i32>, Time, ObjId);

/// All waiting pods.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    pods: Map<ObjId, Waiting>,
    active: Set<Order>,
    backoff: Set<(Time, Order)>,
    error_backoff: Set<(Time, ObjId)>,
    unschedulable: Set<(Time, ObjId)>,
}

impl Queue {
    /// Whether a pod waits.
    pub fn contains(&self, id: ObjId) -> bool {
        self.pods.contains_key(&id)
    }
    /// Pods to be tried next, in back-off, and waiting for a change.
    pub fn sizes(&self) -> (u32, u32, u32) {
        let backoff = self.backoff.len() + self.error_backoff.len();
        (self.active.len() as u32, backoff as u32, self.unschedulable.len() as u32)
    }
    /// Whether a pod can be tried now.
    pub fn is_ready(&self) -> bool {
        !self.active.is_empty() || !self.backoff.is_empty()
    }
    /// How long until a pod can be tried, if any waits.
    pub fn next_wake(&self, now: Time, tuning: &Tuning) -> Option<Micros> {
        if self.is_ready() {
            return Some(0);
        }
        let error = self.error_backoff.first().map(|(at, _)| *at);
        let flush = self.unschedulable.first().map(|(since, _)| flush_at(*since, tuning));
        let at = error.into_iter().chain(flush).min()?;
        Some(at.since(now).max(0))
    }

    /// A new pod.
    pub fn add(&mut self, id: ObjId, priority: i32, now: Time) {
        self.put(id, Waiting { priority, since: now, ..Waiting::default() }, Place::Active);
    }
    /// Takes a pod out.
    pub fn remove(&mut self, id: ObjId) -> Option<Waiting> {
        let waiting = self.pods.remove(&id)?;
        let order = (Reverse(waiting.priority), waiting.since, id);
        match waiting.place {
            Place::Active => drop(self.active.remove(&order)),
            Place::Backoff => drop(self.backoff.remove(&(waiting.until, order))),
            Place::ErrorBackoff => drop(self.error_backoff.remove(&(waiting.until, id))),
            Place::Unschedulable => drop(self.unschedulable.remove(&(waiting.since, id))),
        }
        Some(waiting)
    }
    /// Takes the next pod to try. With nothing else to do that is the first one in back-off.
    pub fn pop(&mut self, now: Time, tuning: &Tuning) -> Option<(ObjId, Waiting)> {
        self.end_backoffs(now);
        self.flush(now, tuning);
        let id = match self.active.pop_first() {
            Some((_, _, id)) => id,
            None => self.backoff.pop_first()?.1.2,
        };
        self.pods.remove(&id).map(|waiting| (id, waiting))
    }
    /// No node did.
    pub fn put_unschedulable(&mut self, id: ObjId, mut waiting: Waiting, rejected_by: Plugins, now: Time) {
        waiting.rejected_by = rejected_by;
        waiting.since = now;
        waiting.misses += 1;
        waiting.errors = 0;
        self.put(id, waiting, Place::Unschedulable);
    }
    /// Trying ended in an error, which only time can mend.
    pub fn put_failed(&mut self, id: ObjId, mut waiting: Waiting, now: Time, tuning: &Tuning) {
        waiting.since = now;
        waiting.errors += 1;
        waiting.rejected_by = Plugins::default();
        waiting.until = window(backoff_end(&waiting, tuning));
        waiting.place = Place::ErrorBackoff;
        self.error_backoff.insert((waiting.until, id));
        self.pods.insert(id, waiting);
    }
    /// What is known of a pod that waits.
    pub fn waiting(&self, id: ObjId) -> Option<&Waiting> {
        self.pods.get(&id)
    }
    /// Pods that wait for a change, and what refused them.
    pub fn unschedulable(&self) -> impl Iterator<Item = (ObjId, &Waiting)> {
        self.unschedulable.iter().filter_map(|(_, id)| Some((*id, self.pods.get(id)?)))
    }
    /// Something changed that may help a pod: it is tried again, after its back-off if there is something else to do.
    pub fn wake(&mut self, id: ObjId, now: Time, tuning: &Tuning) {
        let Some(waiting) = self.pods.get(&id) else { return };
        if waiting.place != Place::Unschedulable {
            return;
        }
        let end = backoff_end(waiting, tuning);
        let Some(waiting) = self.remove(id) else { return };
        if end > now {
            let until = window(end);
            self.backoff.insert((until, (Reverse(waiting.priority), waiting.since, id)));
            self.pods.insert(id, Waiting { place: Place::Backoff, until, ..waiting });
        } else {
            self.put(id, waiting, Place::Active);
        }
    }

    fn put(&mut self, id: ObjId, waiting: Waiting, place: Place) {
        if place == Place::Unschedulable {
            self.unschedulable.insert((waiting.since, id));
        } else {
            self.active.insert((Reverse(waiting.priority), waiting.since, id));
        }
        self.pods.insert(id, Waiting { place, ..waiting });
    }

    fn end_backoffs(&mut self, now: Time) {
        while let Some((at, order)) = self.backoff.first().copied().filter(|(at, _)| *at <= now) {
            self.backoff.remove(&(at, order));
            self.activate(order.2);
        }
        while let Some((at, id)) = self.error_backoff.first().copied().filter(|(at, _)| *at <= now) {
            self.error_backoff.remove(&(at, id));
            self.activate(id);
        }
    }

    fn activate(&mut self, id: ObjId) {
        if let Some(waiting) = self.pods.get_mut(&id) {
            waiting.place = Place::Active;
            self.active.insert((Reverse(waiting.priority), waiting.since, id));
        }
    }

    fn flush(&mut self, now: Time, tuning: &Tuning) {
        while let Some((since, id)) = self.unschedulable.first().copied() {
            if flush_at(since, tuning) > now {
                return;
            }
            self.wake(id, now, tuning);
        }
    }
}

/// When the search for pods that have waited too long finds one that was tried last at `since`.
fn flush_at(since: Time, tuning: &Tuning) -> Time {
    let due = since.plus(tuning.scheduler_flush).0;
    Time((due.div_euclid(FLUSH_PERIOD) + 1).saturating_mul(FLUSH_PERIOD))
}

fn window(at: Time) -> Time {
    Time(at.0.div_euclid(BACKOFF_WINDOW) * BACKOFF_WINDOW)
}

/// Upstream: `getBackoffTime`, `calculateBackoffDuration`.
fn backoff_end(waiting: &Waiting, tuning: &Tuning) -> Time {
    let count = if waiting.errors > 0 { waiting.errors } else { waiting.misses };
    if count == 0 {
        return waiting.since;
    }
    let (first, longest) = (tuning.scheduler_backoff_min, tuning.scheduler_backoff_max);
    let mut length = first;
    for _ in 1..count {
        if length > longest - length {
            length = longest;
            break;
        }
        length += length;
    }
    waiting.since.plus(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use setpoint_api::time::MINUTE;

    fn at(seconds: i64) -> Time {
        Time(seconds * SECOND)
    }

    #[test]
    fn priority_goes_before_age() {
        let tuning = Tuning::of(Profile::Real);
        let mut queue = Queue::default();
        for (id, priority, came) in [(1, 0, 3), (2, 0, 1), (3, 7, 5), (4, 7, 4)] {
            queue.add(ObjId(id), priority, at(came));
        }
        let popped: Vec<u32> = std::iter::from_fn(|| queue.pop(at(9), &tuning)).map(|(id, _)| id.0).collect();
        assert_eq!(popped, [4, 3, 2, 1]);
    }

    #[test]
    fn back_off_doubles_up_to_its_limit() {
        let tuning = Tuning::of(Profile::Real);
        let lengths: Vec<i64> = (0..7)
            .map(|misses| backoff_end(&Waiting { misses, ..Waiting::default() }, &tuning).0 / SECOND)
            .collect();
        assert_eq!(lengths, [0, 1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn a_pod_in_back_off_waits_only_behind_others() {
        let tuning = Tuning::of(Profile::Real);
        let mut queue = Queue::default();
        queue.put_unschedulable(ObjId(1), Waiting::default(), Plugins::default(), at(10));
        assert_eq!(queue.pop(at(10), &tuning), None);
        queue.wake(ObjId(1), at(10), &tuning);
        queue.add(ObjId(2), -5, at(10));
        assert_eq!(queue.pop(at(10), &tuning).map(|(id, _)| id), Some(ObjId(2)));
        assert_eq!(queue.pop(at(10), &tuning).map(|(id, _)| id), Some(ObjId(1)));
    }

    #[test]
    fn after_an_error_only_time_helps() {
        let tuning = Tuning::of(Profile::Real);
        let mut queue = Queue::default();
        queue.put_failed(ObjId(1), Waiting::default(), at(10), &tuning);
        queue.wake(ObjId(1), at(10), &tuning);
        assert_eq!(queue.pop(at(10), &tuning), None);
        assert_eq!(queue.next_wake(at(10), &tuning), Some(SECOND));
        assert_eq!(queue.pop(at(11), &tuning).map(|(id, _)| id), Some(ObjId(1)));
    }

    #[test]
    fn a_pod_that_waited_five_minutes_is_tried_again() {
        let tuning = Tuning::of(Profile::Real);
        let mut queue = Queue::default();
        queue.put_unschedulable(ObjId(1), Waiting::default(), Plugins::default(), at(31));
        assert_eq!(queue.next_wake(at(31), &tuning), Some(5 * MINUTE + 29 * SECOND));
        assert_eq!(queue.pop(at(359), &tuning), None);
        assert_eq!(
            queue.pop(at(360), &tuning).map(|(id, waiting)| (id, waiting.misses)),
            Some((ObjId(1), 1))
        );
        assert_eq!(queue.next_wake(at(360), &tuning), None);
    }
}
