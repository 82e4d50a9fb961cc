//! Requests: when they are sent, which pod they reach, how long it takes, and how they end.
//!
//! Simplified: a pod is a queue in front of its CPU limit, and pods of a machine share its cores in the order of arrival;
//! the way through the network takes no time. Outcomes are known when a request arrives, and are booked when they happen.

use crate::ledger::{Outcome, Request, line_up};
use crate::machine::{Machine, Process};
use crate::queue::Wake;
use crate::sim::Sim;
use crate::streams::Purpose;
use setpoint_api::time::SECOND;
use setpoint_api::{Kind, Micros, ObjId, Str, Time};
use std::collections::VecDeque;

/// How long a client waits for an answer.
pub const CLIENT_TIMEOUT: Micros = 2 * SECOND;

/// Sends requests to a Service from outside of the cluster.
#[derive(Clone, Debug)]
pub struct LoadSource {
    /// Namespace of the Service.
    pub namespace: Str,
    /// The Service.
    pub service: Str,
    /// Requests per second.
    pub rps: u32,
    /// The Service's index as it was last found; an index is never another object's.
    found: Option<ObjId>,
    epoch: u32,
}

/// What a pod's process does with requests.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// When its CPU has worked off what it has.
    free_at: Time,
    /// CPU that all requests so far take, in microseconds of one core.
    cpu_total: Micros,
    /// Requests that a listening process has taken in so far.
    pub(crate) taken: i64,
    /// Requests inside, by their end.
    inside: VecDeque<Request>,
}

impl Serving {
    /// CPU used up to `now`, in microseconds of one core. `limit_milli` is the speed at which a backlog is worked off.
    pub fn cpu_used(&self, now: Time, limit_milli: i64) -> Micros {
        let backlog = self.free_at.since(now).max(0).saturating_mul(limit_milli) / 1000;
        (self.cpu_total - backlog).max(0)
    }
    /// How long a request that arrives now waits for the CPU.
    pub fn wait(&self, now: Time) -> Micros {
        self.free_at.since(now).max(0)
    }
    /// Requests inside.
    pub fn inside(&self) -> u32 {
        self.inside.len() as u32
    }
}

impl Sim {
    /// Sets the rate of requests to a Service.
    pub(crate) fn set_load(&mut self, namespace: &str, service: &str, rps: u32) {
        let found =
            self.loads.iter().position(|load| &*load.namespace == namespace && &*load.service == service);
        let number = found.unwrap_or_else(|| {
            let (namespace, service) = (namespace.into(), service.into());
            self.loads.push(LoadSource { namespace, service, rps: 0, found: None, epoch: 0 });
            self.loads.len() - 1
        });
        let load = &mut self.loads[number];
        load.rps = rps;
        load.epoch += 1;
        let epoch = load.epoch;
        if rps > 0 {
            let gap = self.streams.exponential(Purpose::Arrivals, rps);
            self.queue.push(self.now.plus(gap), Wake::Arrive { load: number as u32, epoch });
        }
    }

    /// A request is sent.
    pub(crate) fn arrive_due(&mut self, number: u32, epoch: u32) {
        let Some(load) = self.loads.get_mut(number as usize).filter(|load| load.epoch == epoch) else {
            return;
        };
        let rps = load.rps;
        let is_there = |id: &ObjId| self.store.object(*id).is_some();
        let by_name = || self.store.id_of(Kind::Service, &load.namespace, &load.service);
        let service = load.found.filter(is_there).or_else(by_name);
        load.found = service;
        let gap = self.streams.exponential(Purpose::Arrivals, rps);
        self.queue.push(self.now.plus(gap), Wake::Arrive { load: number, epoch });
        let id = self.ledger.send();
        let targets = service.map_or(&[][..], |service| self.proxies[0].routes().targets(service));
        let pick = self.streams.below(Purpose::Routing, targets.len() as u64) as usize;
        match targets.get(pick).copied() {
            None => self.ledger.end(Request {
                id,
                sent: self.now,
                ended: self.now,
                pod: None,
                outcome: Outcome::NoEndpoint,
                cause: 0,
            }),
            Some(pod) => self.route(id, pod),
        }
    }

    /// A request reaches a pod.
    fn route(&mut self, id: u64, pod: ObjId) {
        let now = self.now;
        let mut request =
            Request { id, sent: now, ended: now, pod: Some(pod), outcome: Outcome::Refused, cause: 0 };
        let machine =
            self.machine_of_pod.get(pod.0).and_then(|number| self.machines.get_mut(*number as usize));
        let Some(machine) = machine else {
            self.ledger.end(request);
            return;
        };
        request.cause = machine.last_fact;
        if !machine.is_up() {
            request.outcome = Outcome::NodeDown;
            request.ended = now.plus(CLIENT_TIMEOUT);
            self.ledger.end_later(request);
            return;
        }
        let ledger = &mut self.ledger;
        let core_milli = machine.config.cpu_milli;
        let Machine { pods, cpu_free_at, .. } = machine;
        let Some(local) = pods.get_mut(&pod) else {
            ledger.end(request);
            return;
        };
        request.cause = local.last_fact;
        let limit_milli = local.cpu_limit_milli.min(core_milli).max(1);
        let serving = &mut local.serving;
        settle(serving, now, ledger);
        let Some(process) = local.processes.iter().find(|process| process.serves).filter(|p| p.listens(now))
        else {
            ledger.end(request);
            return;
        };
        serving.taken += 1;
        decide(&mut request, process, serving, cpu_free_at, (limit_milli, core_milli));
        if request.ended > now {
            // Ends only come in order while the queue is first in, first out; a wedged process keeps its own.
            line_up(&mut serving.inside, request);
        } else {
            ledger.end(request);
        }
    }

    /// Books every request that has ended by now.
    pub fn settle_requests(&mut self) {
        let (now, ledger) = (self.now, &mut self.ledger);
        ledger.settle(now);
        if ledger.sent() == ledger.ended() {
            return;
        }
        for machine in &mut self.machines {
            for local in machine.pods.values_mut() {
                settle(&mut local.serving, now, ledger);
            }
        }
    }
}

/// Works out how and when a request that a listening process took in will end.
fn decide(
    request: &mut Request,
    process: &Process,
    serving: &mut Serving,
    machine_free_at: &mut Time,
    (limit_milli, core_milli): (i64, i64),
) {
    let now = request.sent;
    let behavior = &process.behavior;
    if process.wedged {
        request.outcome = Outcome::Wedged;
        request.cause = process.fact;
        request.ended = now.plus(CLIENT_TIMEOUT);
        return;
    }
    if serving.inside() >= behavior.queue_max {
        request.outcome = Outcome::Overloaded;
        return;
    }
    let work = behavior.request_cpu;
    serving.cpu_total += work;
    let own = serving.free_at.max(now).plus(work * 1000 / limit_milli);
    let shared = (*machine_free_at).max(now).plus(work * 1000 / core_milli);
    *machine_free_at = shared;
    serving.free_at = own.max(shared);
    request.ended = serving.free_at.plus(behavior.request_wait);
    request.outcome = if behavior.answers_errors { Outcome::Error } else { Outcome::Served };
    if request.ended.since(now) > CLIENT_TIMEOUT {
        request.outcome = Outcome::TooSlow;
        request.ended = now.plus(CLIENT_TIMEOUT);
    }
}

/// Books the requests inside that have ended by now.
pub(crate) fn settle(serving: &mut Serving, now: Time, ledger: &mut crate::ledger::Ledger) {
    while serving.inside.front().is_some_and(|request| request.ended <= now) {
        if let Some(request) = serving.inside.pop_front() {
            ledger.end(request);
        }
    }
}

/// The process has died: what was inside ends now, with the fact behind it as the cause.
pub(crate) fn lose_requests(
    serving: &mut Serving,
    now: Time,
    outcome: Outcome,
    cause: u64,
    ledger: &mut crate::ledger::Ledger,
) {
    settle(serving, now, ledger);
    for request in std::mem::take(&mut serving.inside) {
        if outcome == Outcome::NodeDown {
            // Nobody answers any more: the client finds out when its patience ends.
            ledger.end_later(Request { outcome, ended: request.sent.plus(CLIENT_TIMEOUT), cause, ..request });
        } else {
            ledger.end(Request { outcome, ended: now, cause, ..request });
        }
    }
    serving.cpu_total -= serving.free_at.since(now).max(0);
    serving.free_at = serving.free_at.min(now);
}
