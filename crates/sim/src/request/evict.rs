//! Subresources of pods that act: eviction and binding.
//!
//! Upstream: pkg/registry/core/pod/storage/eviction.go.
//! Simplified: what a disruption budget allows is counted when a pod is to be evicted.

use super::{Reply, Request, Target};
use crate::fact::Actor;
use crate::sim::Sim;
use serde_json::{Value, json};
use setpoint_api::wire::Wire as _;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, IntOrPercent, LabelSelector, Object, Pod, PodDisruptionBudget,
    Reason, Selector, Status, Str, Time, condition_status, wire,
};
use setpoint_control::{Patch, Write};
use std::rc::Rc;

/// The condition that an evicted pod gets.
pub(crate) fn evicted(pod: &Pod, now: Time) -> Condition {
    Condition {
        kind: Str::fixed("DisruptionTarget"),
        status: ConditionStatus::True,
        observed_generation: Some(pod.metadata.generation),
        last_transition_time: Some(now.whole_seconds()),
        reason: Str::fixed("EvictionByEvictionAPI"),
        message: Str::fixed("Eviction API: evicting"),
        ..Condition::default()
    }
}

impl Sim {
    pub(super) fn evict(&mut self, target: &Target, request: &Request, fact: u64) -> Result<Reply, Status> {
        let Object::Pod(pod) = target.find(self.store(), &request.name)?.clone() else {
            return Err(target.not_found(&request.name));
        };
        let is_free =
            pod.metadata.is_deleting() || pod.status.phase.is_finished() || pod.spec.node_name.is_none();
        if !is_free {
            self.check_budget(&pod)?;
        }
        let id = pod.metadata.id;
        let grace_seconds =
            request.body["deleteOptions"]["gracePeriodSeconds"].as_i64().or(request.grace_period_seconds);
        let options = DeleteOptions { grace_seconds, ..DeleteOptions::default() };
        let condition = Patch::PodCondition(evicted(&pod, self.now()), None);
        for write in [Write::Patch(id, condition), Write::Delete(id, options, None)] {
            let landed = self.land(write, Actor::Person, fact, &mut setpoint_api::map::Map::new());
            landed.map_err(|failure| failure.status)?;
        }
        Ok(Reply {
            object: json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" }),
            ..Reply::default()
        })
    }

    /// Whether the disruption budget of a pod has room.
    fn check_budget(&self, pod: &Rc<Pod>) -> Result<(), Status> {
        let namespace = &pod.metadata.namespace;
        let budgets = self.store().list_in::<PodDisruptionBudget>(namespace);
        let matching = |budget: &&Rc<PodDisruptionBudget>| {
            selector(spec(budget)).is_some_and(|selector| selector.matches(&pod.metadata.labels))
        };
        let mut budgets = budgets.filter(matching);
        let Some(budget) = budgets.next() else { return Ok(()) };
        if budgets.next().is_some() {
            return Err(Status::new(
                Reason::InternalError,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
        let is_ready = |pod: &Pod| condition_status(&pod.status.conditions, "Ready") == ConditionStatus::True;
        let selector = selector(spec(budget)).unwrap_or_default();
        let pods = self.store().pods_matching(namespace, &selector);
        let expected = pods.iter().filter(|pod| !pod.status.phase.is_finished()).count() as i32;
        let healthy = pods.iter().filter(|pod| is_ready(pod) && !pod.metadata.is_deleting()).count() as i32;
        let needed = needed(spec(budget), expected);
        if healthy > needed || (!is_ready(pod) && healthy >= needed && needed > 0) {
            return Ok(());
        }
        let refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
        Err(Status::new(Reason::TooManyRequests, refusal))
    }

    pub(super) fn bind_requested(
        &mut self,
        target: &Target,
        request: &Request,
        fact: u64,
    ) -> Result<Reply, Status> {
        let name = request.named();
        let id = target.find(self.store(), name)?.id();
        let node = request.body["target"]["name"].as_str().unwrap_or_default();
        let landed =
            self.land(Write::Bind(id, node.into(), None), Actor::Person, fact, &mut Default::default());
        landed.map_err(|failure| failure.status)?;
        Ok(Reply {
            object: json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" }),
            ..Reply::default()
        })
    }
}

fn spec(budget: &PodDisruptionBudget) -> &Value {
    budget.rest.as_ref().and_then(|rest| rest.get("spec")).unwrap_or(&Value::Null)
}

fn selector(spec: &Value) -> Option<Selector> {
    let given = spec.get("selector")?.clone();
    let read = LabelSelector::read(given, &mut wire::Reader::default());
    read.to_selector().ok()
}

/// How many pods must be healthy.
fn needed(spec: &Value, expected: i32) -> i32 {
    let count = |key: &str, round_up: bool| {
        let value = IntOrPercent::read(spec.get(key)?.clone(), &mut wire::Reader::default());
        value.scaled(expected, round_up).ok()
    };
    match (count("minAvailable", true), count("maxUnavailable", true)) {
        (Some(least), _) => least,
        (None, Some(most)) => (expected - most).max(0),
        (None, None) => 0,
    }
}
