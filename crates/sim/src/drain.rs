//! A drain from the page: a node is cordoned, and its pods are evicted as far as their budgets let them go.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/drain/drain.go (`evictPods`), as `kubectl drain --ignore-daemonsets --force
//! --delete-emptydir-data` does it.
//! Simplified: taking the cordon off calls the drain off, as Ctrl-C would.

use crate::fact::{Actor, What};
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Node, ObjId, Pod, PodDisruptionBudget, Reason, Time};
use std::rc::Rc;

/// How long an eviction that a budget has refused waits for its next try.
pub const RETRY: Micros = 5 * SECOND;

/// The last refusal of a pod's eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The pod.
    pub pod: Rc<Pod>,
    /// The budget that refuses, as it was.
    pub budget: Rc<PodDisruptionBudget>,
    /// When it refused.
    pub at: Time,
    /// How often by now.
    pub times: u32,
}

impl Refusal {
    /// What the budget needs and has, in upstream's words.
    pub fn cause(&self) -> String {
        let status = self.budget.status();
        format!(
            "The disruption budget {} needs {} healthy pods and has {} currently",
            self.budget.metadata.name, status.desired_healthy, status.current_healthy
        )
    }
}

impl Sim {
    /// The evictions that budgets refuse now: their pods are still there, and whoever asked will ask again.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        let is_fresh = |refusal: &&Refusal| self.now.since(refusal.at) < RETRY + SECOND;
        self.refusals.values().filter(is_fresh)
    }

    /// Takes note that a budget does not let a pod go.
    pub(crate) fn refused(&mut self, pod: &Rc<Pod>, budget: Rc<PodDisruptionBudget>, cause: u64) {
        let id = pod.metadata.id;
        let times = self.refusals.get(&id).map_or(0, |last| last.times) + 1;
        let refusal = Refusal { pod: pod.clone(), budget, at: self.now, times };
        let meta = &pod.metadata;
        let message = format!(
            "evicting pod {}: Cannot evict pod as it would violate the pod's disruption budget. {}.",
            meta.name,
            refusal.cause()
        );
        let named = Some((meta.namespace.clone(), meta.name.clone()));
        self.facts.add(self.now, cause, What::Denied { by: Actor::Person, pod: named, message });
        let store = &self.store;
        self.refusals.retain(|pod, _| store.object(*pod).is_some());
        self.refusals.insert(id, refusal);
    }

    /// Begins to drain a node.
    pub(crate) fn drain(&mut self, name: &str, fact: u64) -> Result<(), String> {
        self.set_cordoned(name, true, fact)?;
        let is_to_go = |pod: &&Rc<Pod>| {
            let owner = pod.metadata.controller();
            let is_daemon = owner.is_some_and(|owner| &*owner.kind == "DaemonSet");
            !pod.metadata.is_deleting() && (!is_daemon || pod.status.phase.is_finished())
        };
        let pods: Vec<ObjId> = self.store.pods_on(name).filter(is_to_go).map(|pod| pod.metadata.id).gather();
        let at = self.now.plus(self.tuning.api_request);
        for pod in pods {
            self.queue.push(at, Wake::Evict { pod, cause: fact });
        }
        Ok(())
    }

    /// Asks for an eviction, and asks again later if a budget refuses.
    pub(crate) fn evict_due(&mut self, id: ObjId, cause: u64) {
        let Some(pod) = self.store.get::<Pod>(id).filter(|pod| !pod.metadata.is_deleting()).cloned() else {
            return;
        };
        let node = pod.spec.node_name.as_ref().and_then(|node| self.store.find::<Node>("", node));
        if node.is_none_or(|node| !node.spec.unschedulable) {
            return;
        }
        let answer = self.check_api_up().and_then(|()| self.evict_pod(&pod, None, cause));
        match answer {
            Err(status) if status.reason == Reason::TooManyRequests || !self.api_up => {
                self.queue.push(self.now.plus(RETRY), Wake::Evict { pod: id, cause });
            }
            Err(status) if status.reason != Reason::NotFound => {
                self.facts.add(self.now, cause, What::Refused(status.message));
            }
            _ => {}
        }
    }
}

/// Refusals by pod.
pub(crate) type Refusals = Map<ObjId, Refusal>;
