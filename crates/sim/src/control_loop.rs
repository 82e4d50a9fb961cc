//! What runs a controller: its work queue, its workers, its client's rate limit, and the calls whose writes are on
//! their way.
//!
//! Upstream: client-go util/workqueue (queue.go, delaying_queue.go, default_rate_limiters.go), util/flowcontrol/throttle.go.
//! Simplified: a reconcile takes no CPU time of its own; only its requests to the API server take time.

use crate::broadcast::{Saying, Sent};
use crate::fact::{Actor, What};
use crate::queue::Wake;
use crate::sim::Sim;
use crate::streams::Purpose;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{Kind, Micros, ObjId, Reason, Str, Time};
use setpoint_control::{CONTROLLERS, ChangeCx, Cx, Failure, Key, Keys, Note, Outcome, Write};
use std::collections::VecDeque;
use std::rc::Rc;

/// How many runs of a controller are remembered for people.
const REMEMBERED: usize = 32;

/// How long a periodic run takes.
const PERIODIC_RUN: Micros = MILLISECOND;

/// One controller's process.
#[derive(Clone, Debug, Default)]
pub struct ControlLoop {
    /// Whether the process runs.
    pub up: bool,
    /// Counts its starts; voids what an ended process had pending.
    pub epoch: u32,
    queue: VecDeque<Key>,
    dirty: Map<Key, u64>,
    processing: Set<Key>,
    waiting: Map<Key, Time>,
    failures: Map<Key, u32>,
    reports: Map<Key, VecDeque<Failure>>,
    pub(crate) throttle: Throttle,
    /// What it says and has not sent yet.
    pub(crate) sayings: VecDeque<Saying>,
    /// What it said and is on its way.
    pub(crate) sent: Option<Box<Sent>>,
    /// Runs so far.
    pub runs: u64,
    /// Runs that had nothing to write.
    pub idle_runs: u64,
    /// The last runs, oldest first.
    pub history: VecDeque<Run>,
}

/// One run of a controller, for people.
#[derive(Clone, Debug)]
pub struct Run {
    /// When.
    pub at: Time,
    /// On what.
    pub key: Key,
    /// What was seen and decided.
    pub note: Rc<Note>,
    /// How many requests it sent.
    pub writes: u32,
    /// The fact of the decision, or of what led to the run where nothing was written.
    pub fact: u64,
}

impl ControlLoop {
    /// Keys that wait to be worked on, and keys being worked on.
    pub fn load(&self) -> (u32, u32) {
        (self.queue.len() as u32, self.processing.len() as u32)
    }
    fn add(&mut self, key: Key, cause: u64) {
        let is_new = self.dirty.insert(key, cause).is_none();
        if is_new && !self.processing.contains(&key) {
            self.queue.push_back(key);
        }
    }
    fn done(&mut self, key: Key) {
        self.processing.remove(&key);
        if self.dirty.contains_key(&key) {
            self.queue.push_back(key);
        }
    }
}

/// A client's rate limit: a token bucket, kept as the time at which it would be full again.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    full_at: Time,
}

impl Throttle {
    /// Takes tokens for requests sent side by side and returns when the first of them may go; those after it follow at the
    /// distance of [`token`]. A time that has passed is no wait.
    pub fn reserve(&mut self, now: Time, qps: i64, burst: i64, count: i64) -> Time {
        let token = token(qps);
        let start = self.full_at.max(now);
        self.full_at = start.plus(count * token);
        start.plus(token - burst * token)
    }
}

/// How long a client's token takes. A rate of 0 is no limit.
fn token(qps: i64) -> Micros {
    if qps > 0 { SECOND / qps } else { 0 }
}

/// Requests of one outcome that go out one after the other.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) by: Actor,
    pub(crate) epoch: u32,
    pub(crate) key: Option<Key>,
    pub(crate) detached: bool,
    pub(crate) writes: VecDeque<(Write, u32)>,
    /// When the client's limit lets the next of the requests go that were sent side by side.
    pub(crate) next: Time,
    pub(crate) own: Map<ObjId, u64>,
    pub(crate) cause: u64,
    pub(crate) failure: Option<(Failure, u32)>,
    pub(crate) requeue_after: Option<Micros>,
    pub(crate) retry: bool,
}

/// Calls on their way. Each has one wake-up pending, so that its number is free again once that has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    slots: Vec<Option<Box<Call>>>,
    free: Vec<u32>,
}

impl Calls {
    fn add(&mut self, call: impl Into<Box<Call>>) -> u32 {
        let call = Some(call.into());
        match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = call;
                number
            }
            None => {
                self.slots.push(call);
                self.slots.len() as u32 - 1
            }
        }
    }
    fn take(&mut self, number: u32) -> Option<Box<Call>> {
        let call = self.slots.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(call)
    }
}

impl Call {
    /// A call that nobody waits for.
    pub(crate) fn background(by: Actor, epoch: u32, writes: Vec<Write>, cause: u64) -> Self {
        Self {
            by,
            epoch,
            key: None,
            detached: false,
            writes: flatten(writes),
            next: Time::default(),
            own: Map::new(),
            cause,
            failure: None,
            requeue_after: None,
            retry: false,
        }
    }
}

impl Sim {
    /// Starts or stops a controller's process. Starting, it lists everything it watches.
    pub(crate) fn set_controller(&mut self, controller: usize, up: bool, cause: u64) {
        let row = &CONTROLLERS[controller];
        let epoch = self.loops[controller].epoch + 1;
        let old = std::mem::take(&mut self.loops[controller]);
        let ControlLoop { runs, idle_runs, history, .. } = old;
        self.loops[controller] =
            ControlLoop { up, epoch, runs, idle_runs, history, ..ControlLoop::default() };
        (row.forget)(&mut self.memory);
        if !up {
            return;
        }
        let listed: Vec<setpoint_api::Change> = self
            .store
            .objects()
            .filter(|object| row.watches.contains(&object.kind()))
            .map(|object| setpoint_api::Change {
                revision: self.store.revision(),
                op: setpoint_api::Op::Added,
                old: None,
                new: object.clone(),
                stamp: setpoint_api::Stamp { at: self.now, fact: cause },
            })
            .gather();
        for change in &listed {
            self.notify(controller, change);
        }
        if let Some(period) = (row.period)(&self.tuning) {
            self.queue.push(self.now.plus(period), Wake::Tick { controller: controller as u8, epoch });
        }
        self.work(controller);
    }

    /// Shows a change to a controller, which names the keys to look at.
    pub(crate) fn notify(&mut self, controller: usize, change: &setpoint_api::Change) {
        let mut keys = Keys::default();
        let cx = ChangeCx { view: &self.store, now: self.now, tuning: &self.tuning };
        (CONTROLLERS[controller].on_change)(&cx, change, &mut self.memory, &mut keys);
        for (key, delay) in keys.0 {
            self.enqueue_after(controller, key, delay, change.stamp.fact);
        }
    }

    fn enqueue_after(&mut self, controller: usize, key: Key, delay: Micros, cause: u64) {
        let now = self.now;
        let control = &mut self.loops[controller];
        if delay <= 0 {
            control.add(key, cause);
            return;
        }
        let at = now.plus(delay);
        // The earliest time wins, as in upstream's delaying queue.
        if control.waiting.get(&key).is_none_or(|waiting| at < *waiting) {
            control.waiting.insert(key, at);
            self.queue.push(at, Wake::Enqueue { controller: controller as u8, key, cause });
        }
    }

    /// A key's delay has passed.
    pub(crate) fn enqueue_due(&mut self, controller: usize, key: Key, cause: u64) {
        let control = &mut self.loops[controller];
        if !control.up || control.waiting.get(&key) != Some(&self.now) {
            return;
        }
        control.waiting.remove(&key);
        control.add(key, cause);
        self.work(controller);
    }

    /// A controller's period has passed.
    pub(crate) fn tick_due(&mut self, controller: usize, epoch: u32) {
        let control = &mut self.loops[controller];
        if !control.up || control.epoch != epoch {
            return;
        }
        control.add(Key::Tick, 0);
        if let Some(period) = (CONTROLLERS[controller].period)(&self.tuning) {
            // `wait.UntilWithContext` begins the next period when a run is over: ten runs take longer than ten periods.
            self.queue.push(
                self.now.plus(period + PERIODIC_RUN),
                Wake::Tick { controller: controller as u8, epoch },
            );
        }
        self.work(controller);
    }

    /// From now on a resync comes after each period that is in force.
    pub(crate) fn begin_resync(&mut self, fact: u64) {
        self.resync_fact = fact;
        self.resync_epoch += 1;
        self.queue.push(self.now.plus(self.tuning.resync), Wake::Resync { epoch: self.resync_epoch });
    }

    /// Shows every object to every controller that watches its kind, as an update that changed nothing.
    ///
    /// Upstream: client-go tools/cache/shared_informer.go, `Resync`.
    pub(crate) fn resync_due(&mut self, epoch: u32) {
        if epoch != self.resync_epoch {
            return;
        }
        self.queue.push(self.now.plus(self.tuning.resync), Wake::Resync { epoch });
        let stamp = setpoint_api::Stamp { at: self.now, fact: self.resync_fact };
        let seen = |object: &setpoint_api::Object| setpoint_api::Change {
            revision: self.store.revision(),
            op: setpoint_api::Op::Modified,
            old: Some(object.clone()),
            new: object.clone(),
            stamp,
        };
        let all: Vec<setpoint_api::Change> = self.store.objects().map(seen).gather();
        for (controller, row) in CONTROLLERS.iter().enumerate() {
            if !self.loops[controller].up {
                continue;
            }
            for change in all.iter().filter(|change| row.watches.contains(&change.new.kind())) {
                self.notify(controller, change);
            }
            self.work(controller);
        }
    }

    /// A key whose writes land in the background is free again.
    pub(crate) fn release_due(&mut self, controller: usize, key: Key, epoch: u32) {
        if self.loops[controller].epoch == epoch {
            self.loops[controller].done(key);
            self.work(controller);
        }
    }

    /// Runs a controller while it has keys and a free worker.
    pub(crate) fn work(&mut self, controller: usize) {
        let row = &CONTROLLERS[controller];
        loop {
            let control = &mut self.loops[controller];
            if !control.up || control.processing.len() as u32 >= row.workers {
                return;
            }
            let Some(key) = control.queue.pop_front() else { return };
            let cause = control.dirty.remove(&key).unwrap_or(0);
            control.processing.insert(key);
            control.runs += 1;
            let failure = control.reports.get_mut(&key).and_then(VecDeque::pop_front);
            let cause = self.underlying_cause(controller, cause);
            let cx = Cx {
                view: &self.store,
                now: self.now,
                tuning: &self.tuning,
                metrics: &self.metrics,
                failure: failure.as_ref(),
                draw: self.streams.word(Purpose::Ties),
            };
            let outcome = (row.reconcile)(&cx, key, &mut self.memory);
            self.carry_out(controller, key, outcome, cause);
        }
    }

    fn carry_out(&mut self, controller: usize, key: Key, outcome: Outcome, cause: u64) {
        let Outcome { mut writes, requeue_after, retry, detached, note } = outcome;
        self.mix(&mut writes);
        let note = Rc::new(note);
        let fact = if writes.is_empty() {
            cause
        } else {
            let (namespace, about) = self.name_of_work(key, &writes);
            let (controller, note) = (controller as u8, note.clone());
            self.facts.add(self.now, cause, What::Decided { controller, namespace, about, note })
        };
        let now = self.now;
        let control = &mut self.loops[controller];
        let epoch = control.epoch;
        control.idle_runs += u64::from(writes.is_empty());
        control.history.push_back(Run { at: now, key, note, writes: writes.len() as u32, fact });
        if control.history.len() > REMEMBERED {
            control.history.pop_front();
        }
        if detached {
            let at = now.plus(self.tuning.scheduler_cycle);
            self.queue.push(at, Wake::Release { controller: controller as u8, key, epoch });
        }
        let call = Call {
            by: Actor::Controller(controller as u8),
            epoch,
            key: Some(key),
            detached,
            writes: flatten(writes),
            next: Time::default(),
            own: Map::new(),
            cause: fact,
            failure: None,
            requeue_after,
            retry,
        };
        if detached && let Some(after) = call.requeue_after {
            self.enqueue_after(controller, key, after, fact);
        }
        self.send(call);
    }

    /// Deletions that are sent side by side arrive in no order; of creations any order is the same. Go runs the routine first that
    /// was started last, then those that wait in the order of their start; sooner or later a second processor takes the older
    /// half of them.
    ///
    /// Upstream: Go's runtime/proc.go (`runqput`, `runqsteal`).
    fn mix(&mut self, writes: &mut [Write]) {
        for write in writes {
            if let Write::Together(together) = write
                && let Some(Write::Delete(..)) = together.first()
            {
                let last = together.pop();
                let mut second = std::mem::take(together);
                let mut first = second.split_off(second.len() / 2).into_iter();
                let mut second = second.into_iter();
                let mut draw = |bound: usize| self.streams.below(Purpose::Order, bound as u64) as usize;
                let head = draw(first.len() + 1);
                together.extend(last.into_iter().chain(first.by_ref().take(head)));
                while first.len() + second.len() > 0 {
                    let is_second = draw(first.len() + second.len()) < second.len();
                    together.extend(if is_second { second.next() } else { first.next() });
                }
            }
        }
    }

    /// Sends a call on its way, or ends it if it has nothing to write. Events go their own way.
    pub(crate) fn send(&mut self, mut call: Call) {
        let events = call.writes.iter().take_while(|(write, _)| matches!(write, Write::Event(_))).count();
        for (write, _) in call.writes.drain(..events) {
            if let Write::Event(draft) = write {
                self.say_later(draft, call.by, call.cause);
            }
        }
        if call.writes.is_empty() {
            self.end_call(call);
            return;
        }
        let at = self.go(&mut call);
        let call = self.calls.add(call);
        self.queue.push(at, Wake::Land { call });
    }

    /// When the next write of a call lands that begins by itself: with it those that are sent side by side with it take their
    /// places in the client's limit.
    fn go(&mut self, call: &mut Call) -> Time {
        let (qps, burst) = (self.tuning.client_qps, self.tuning.client_burst);
        let next = match call.by {
            Actor::Controller(controller) if is_limited(call.by) && qps > 0 => {
                let group = call.writes.front().map_or(0, |(_, group)| *group);
                let together = call.writes.iter().take_while(|(_, other)| *other == group);
                let count = if group == 0 { 1 } else { together.count() as i64 };
                self.loops[usize::from(controller)].throttle.reserve(self.now, qps, burst, count)
            }
            _ => self.now,
        };
        call.next = next;
        next.max(self.now).plus(self.tuning.api_request)
    }

    /// The next write of a call reaches the API server.
    pub(crate) fn land_due(&mut self, id: u32) {
        let Some(mut call) = self.calls.take(id) else { return };
        if !self.is_alive(call.by, call.epoch) {
            return;
        }
        let Some((write, group)) = call.writes.pop_front() else { return };
        if let Err(failure) = self.land(write, call.by, call.cause, &mut call.own) {
            self.facts.add(
                self.now,
                call.cause,
                What::Denied { by: call.by, pod: None, message: failure.status.message.clone() },
            );
            if let (Actor::Kubelet(number), Some(id), Reason::ServiceUnavailable) =
                (call.by, failure.about, failure.status.reason)
            {
                self.report_refused(number, call.epoch, id);
            }
            call.failure.get_or_insert((failure, group));
        }
        // Requests sent side by side are all tried; after a refusal nothing further is.
        if let Some((_, failed)) = &call.failure {
            let failed = *failed;
            call.writes.retain(|(_, group)| *group == failed && failed != 0);
        }
        while let Some((Write::Event(_), _)) = call.writes.front() {
            if let Some((Write::Event(draft), _)) = call.writes.pop_front() {
                self.say_later(draft, call.by, call.cause);
            }
        }
        let Some((_, next_group)) = call.writes.front() else {
            self.end_call(*call);
            return;
        };
        let is_together = *next_group == group && group != 0;
        let at = if is_together {
            if is_limited(call.by) {
                call.next = call.next.plus(token(self.tuning.client_qps));
            }
            self.now.max(call.next.plus(self.tuning.api_request))
        } else {
            self.go(&mut call)
        };
        let call = self.calls.add(call);
        self.queue.push(at, Wake::Land { call });
    }

    /// All writes of a call have landed, or one was refused.
    fn end_call(&mut self, call: Call) {
        let Actor::Controller(controller) = call.by else { return };
        let Some(key) = call.key else { return };
        let controller = usize::from(controller);
        let min = self.tuning.queue_retry_min;
        let max = self.tuning.queue_retry_max;
        let control = &mut self.loops[controller];
        let mut again = if call.detached { None } else { call.requeue_after };
        let mut retry = call.retry;
        if let Some((failure, _)) = call.failure {
            if CONTROLLERS[controller].wants_failures {
                control.reports.entry(key).or_default().push_back(failure);
                again = Some(0);
            } else {
                retry = true;
            }
        } else if !retry {
            control.failures.remove(&key);
        }
        if retry {
            let failures = control.failures.entry(key).or_insert(0);
            let delay = min.saturating_mul(1i64 << (*failures).min(30)).min(max);
            *failures += 1;
            again = Some(again.map_or(delay, |after| after.min(delay)));
        }
        if !call.detached {
            control.done(key);
        }
        if let Some(after) = again {
            self.enqueue_after(controller, key, after, call.cause);
        }
        self.work_later(controller);
    }

    /// Runs a controller at this very time, after what runs now: keeps calls from nesting.
    fn work_later(&mut self, controller: usize) {
        if !self.ready_loops.contains(&controller) {
            self.ready_loops.push(controller);
        }
    }

    /// Whether whoever sent a call still lives.
    fn is_alive(&self, by: Actor, epoch: u32) -> bool {
        match by {
            Actor::Controller(controller) => {
                let control = &self.loops[usize::from(controller)];
                control.up && control.epoch == epoch
            }
            Actor::Kubelet(machine) => {
                self.machines.get(machine as usize).is_some_and(|m| m.has_kubelet() && m.epoch == epoch)
            }
            Actor::Person | Actor::World => true,
        }
    }

    /// Namespace and name of the object that a run was about; of the first one written to if its key names none.
    fn name_of_work(&self, key: Key, writes: &[Write]) -> (Str, Str) {
        let id = match (key, writes.first()) {
            (Key::Object(id), _) => Some(id),
            (Key::Tick, Some(Write::Patch(id, _) | Write::Delete(id, ..) | Write::Bind(id, ..))) => Some(*id),
            (Key::Tick, Some(Write::Event(draft))) => Some(draft.about),
            _ => None,
        };
        let meta = id.and_then(|id| self.store.object(id)).map(setpoint_api::Object::metadata);
        meta.map(|meta| (meta.namespace.clone(), meta.name.clone())).unwrap_or_default()
    }
}

/// Whether a client's requests have to keep to its rate.
fn is_limited(by: Actor) -> bool {
    match by {
        // The scheduler's client has its own, larger limits; bindings of one cycle a millisecond stay below them only
        // in the long run, and upstream's own figures are reached with the limits lifted. And one request deletes all objects
        // of a kind in a namespace.
        Actor::Controller(0) => false,
        Actor::Controller(at) => CONTROLLERS[usize::from(at)].kind != Kind::Namespace,
        Actor::Kubelet(_) | Actor::Person | Actor::World => false,
    }
}

/// Numbers the groups of requests that are sent side by side; 0 is no group.
fn flatten(writes: Vec<Write>) -> VecDeque<(Write, u32)> {
    let mut flat = VecDeque::with_capacity(writes.len());
    for (number, write) in writes.into_iter().enumerate() {
        match write {
            Write::Together(writes) => {
                flat.extend(writes.into_iter().map(|write| (write, number as u32 + 1)))
            }
            write => flat.push_back((write, 0)),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_burst_and_then_a_rate() {
        let mut throttle = Throttle::default();
        let waits: Vec<i64> = (0..33).map(|_| throttle.reserve(Time(0), 20, 30, 1).0.max(0)).collect();
        assert!(waits[..30].iter().all(|wait| *wait == 0), "{waits:?}");
        assert_eq!(waits[30..], [50_000, 100_000, 150_000]);
        assert_eq!(throttle.reserve(Time(10 * SECOND), 20, 30, 1).0, 8_550_000, "long since");
        let mut throttle = Throttle::default();
        throttle.reserve(Time(0), 20, 30, 40);
        assert_eq!(throttle.reserve(Time(0), 20, 30, 1).0, 550_000, "behind those sent side by side");
    }
}
