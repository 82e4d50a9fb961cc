//! Subresources of pods that act: eviction and binding.
//!
//! Upstream: pkg/registry/core/pod/storage/eviction.go.
//! Simplified: a refusal does not say how many pods the budget needs.

use super::{Reply, Request, Target};
use crate::fact::Actor;
use crate::sim::Sim;
use serde_json::json;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, Object, Pod, Reason, Resource, Scope, Status, Str, Time,
    condition_status,
};
use setpoint_control::{Patch, Write, disruption};
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
        let grace_seconds =
            request.body["deleteOptions"]["gracePeriodSeconds"].as_i64().or(request.grace_period_seconds);
        self.evict_pod(&pod, grace_seconds, fact)?;
        Ok(Reply {
            object: json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" }),
            ..Reply::default()
        })
    }

    /// Evicts a pod, if its budget lets it go.
    pub(crate) fn evict_pod(&mut self, pod: &Rc<Pod>, grace: Option<i64>, fact: u64) -> Result<(), Status> {
        let is_free =
            pod.metadata.is_deleting() || pod.status.phase.is_finished() || pod.spec.node_name.is_none();
        if !is_free {
            self.use_budget(pod, fact)?;
        }
        let id = pod.metadata.id;
        self.refusals.remove(&id);
        let options = DeleteOptions { grace_seconds: grace, ..DeleteOptions::default() };
        let condition = Patch::PodCondition(evicted(pod, self.now()), None);
        for write in [Write::Patch(id, condition), Write::Delete(id, options, None)] {
            let landed = self.land(write, Actor::Person, fact, &mut setpoint_api::map::Map::new());
            landed.map_err(|failure| failure.status)?;
        }
        Ok(())
    }

    /// Takes what the disruption budget of a pod allows, if it has room.
    ///
    /// Upstream: `checkAndDecrement`.
    fn use_budget(&mut self, pod: &Rc<Pod>, fact: u64) -> Result<(), Status> {
        let budgets = disruption::budgets_of(self.store(), pod);
        let budget = match budgets[..] {
            [] => return Ok(()),
            [budget] => budget.clone(),
            _ => {
                let text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                return Err(Status::new(Reason::InternalError, text));
            }
        };
        let mut status = budget.status();
        if condition_status(&pod.status.conditions, "Ready") != ConditionStatus::True {
            let is_met = status.current_healthy >= status.desired_healthy && status.desired_healthy > 0;
            if is_met || &*budget.spec().unhealthy_pod_eviction_policy == "AlwaysAllow" {
                return Ok(());
            }
        }
        let is_behind = status.observed_generation < budget.metadata.generation;
        if is_behind || status.disruptions_allowed <= 0 {
            self.refused(pod, budget, fact);
            let refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
            return Err(Status::new(Reason::TooManyRequests, refusal));
        }
        let now = self.now().whole_seconds();
        status.disruptions_allowed -= 1;
        status.disrupted_pods.insert(pod.metadata.name.clone(), now);
        if status.disruptions_allowed == 0 {
            disruption::say_allowed(&mut status, &budget.metadata, now);
        }
        let budget = budget.with_status(&status).into_object();
        self.store_with(Actor::Person, fact, |store, stamp| store.update(budget, Scope::Status, stamp))
            .map(|_| ())
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
