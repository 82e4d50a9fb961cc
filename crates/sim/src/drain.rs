//! A drain as an action of the page: the node is cordoned, and its pods are evicted as far as their budgets allow.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/drain/{cordon,drain,filters}.go.
//! Simplified: it is `kubectl drain --ignore-daemonsets --force --delete-emptydir-data`, goes on until the node is empty or
//! schedulable again, and does not tell mirror pods apart.

use crate::fact::What;
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Node, ObjId, Pod, Reason};
use setpoint_control::disruption;

/// How long an eviction that a budget has refused waits for its next try.
const RETRY: Micros = 5 * SECOND;

impl Sim {
    /// Cordons a node and asks for the eviction of its pods side by side, as kubectl does; what a DaemonSet would only put back
    /// stays.
    pub(crate) fn drain(&mut self, name: &str, fact: u64) -> Result<(), String> {
        self.set_cordoned(name, true, fact)?;
        let is_to_go = |pod: &&std::rc::Rc<Pod>| {
            let owner = pod.metadata.controller();
            !pod.metadata.is_deleting() && owner.is_none_or(|owner| &*owner.kind != "DaemonSet")
        };
        let pods: Vec<ObjId> = self.store.pods_on(name).filter(is_to_go).map(|pod| pod.metadata.id).gather();
        let at = self.now.plus(self.tuning.api_request);
        for pod in pods {
            self.queue.push(at, Wake::Evict { pod, cause: fact, is_refused: false });
        }
        Ok(())
    }

    /// A draining node's pod is asked to go, again if its budget has refused before; the first refusal is told.
    pub(crate) fn evict_due(&mut self, id: ObjId, cause: u64, is_refused: bool) {
        let Some(pod) = self.store.get::<Pod>(id).filter(|pod| !pod.metadata.is_deleting()).cloned() else {
            return;
        };
        let node = pod.spec.node_name.as_deref().and_then(|name| self.store.find::<Node>("", name));
        if !node.is_some_and(|node| node.spec.unschedulable) {
            return;
        }
        let answer = self.check_api_up().and_then(|()| self.evict_pod(&pod, None, cause));
        let Err(status) = answer else { return };
        let mut sentence = format!("{}: {}", pod.metadata.name, status.message);
        let is_over = status.reason != Reason::TooManyRequests;
        if !is_over {
            if let Some(budget) = disruption::budgets_of(&self.store, &pod).first() {
                let (name, status) = (&budget.metadata.name, budget.status());
                let (needs, has) = (status.desired_healthy, status.current_healthy);
                sentence += &format!(
                    " The disruption budget {name} needs {needs} healthy pods and has {has} currently."
                );
            }
            sentence += " It is tried again every 5 s.";
            let again = Wake::Evict { pod: id, cause, is_refused: true };
            self.queue.push(self.now.plus(RETRY), again);
        }
        if is_over || !is_refused {
            self.facts.add(self.now, cause, What::Refused(sentence));
        }
    }
}
