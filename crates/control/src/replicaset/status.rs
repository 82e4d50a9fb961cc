//! What a ReplicaSet's status says, and when a pod becomes available.
//!
//! Upstream: pkg/controller/replicaset/replica_set_utils.go, pkg/controller/controller_utils.go.

use crate::pod::{is_available, is_ready};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Condition, ConditionStatus, Micros, Pod, PodCount, ReplicaSet, ReplicaSetStatus, Str, Time, condition,
};
use std::rc::Rc;

const REPLICA_FAILURE: &str = "ReplicaFailure";

/// Pods of a ReplicaSet, counted as its status counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Neither finished nor being deleted.
    pub active: u32,
    /// Active ones that carry all labels of the template.
    pub fully_labeled: u32,
    /// Active ones that are ready.
    pub ready: u32,
    /// Ready ones that have been so for long enough.
    pub available: u32,
    /// Being deleted and not finished.
    pub terminating: u32,
}

impl Tally {
    /// Counts active pods one by one.
    pub fn of(set: &ReplicaSet, active: &[&Rc<Pod>], terminating: u32, now: Time) -> Self {
        let labels = &set.spec.template.metadata.labels;
        let mut tally = Self { terminating, ..Self::default() };
        for pod in active {
            tally.active += 1;
            tally.fully_labeled += u32::from(has_all(&pod.metadata.labels, labels));
            tally.ready += u32::from(is_ready(pod));
            tally.available += u32::from(is_available(pod, set.spec.min_ready_seconds, now));
        }
        tally
    }
    /// Adds pods with the same labels that the store has counted; ready ones are taken to be available.
    pub fn add(&mut self, set: &ReplicaSet, count: &PodCount) {
        let is_labeled = has_all(&count.labels, &set.spec.template.metadata.labels);
        self.active += count.active;
        self.fully_labeled += if is_labeled { count.active } else { 0 };
        self.ready += count.ready;
        self.available += count.ready;
        self.terminating += count.terminating;
    }
}

/// The status that a ReplicaSet with these pods has, `error` being what kept it from its size.
///
/// Upstream: `calculateStatus`, and `updateReplicaSetStatus` for the generation.
pub fn status_of(set: &ReplicaSet, pods: &Tally, error: Option<&str>, now: Time) -> ReplicaSetStatus {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let mut status = ReplicaSetStatus {
        replicas: count(pods.active),
        fully_labeled_replicas: count(pods.fully_labeled),
        ready_replicas: count(pods.ready),
        available_replicas: count(pods.available),
        terminating_replicas: Some(count(pods.terminating)),
        observed_generation: set.metadata.generation,
        ..set.status.clone()
    };
    let failed = condition(&status.conditions, REPLICA_FAILURE).is_some();
    match error {
        Some(message) if !failed => {
            let reason = match status.replicas.cmp(&set.spec.replicas.unwrap_or(1)) {
                std::cmp::Ordering::Less => "FailedCreate",
                std::cmp::Ordering::Greater => "FailedDelete",
                std::cmp::Ordering::Equal => "",
            };
            status.conditions.push(Condition {
                kind: REPLICA_FAILURE.into(),
                status: ConditionStatus::True,
                last_transition_time: Some(now.whole_seconds()),
                reason: reason.into(),
                message: message.into(),
                ..Condition::default()
            });
        }
        None if failed => status.conditions.retain(|condition| &*condition.kind != REPLICA_FAILURE),
        _ => {}
    }
    status
}

/// Whether a pod carries all labels of its template. Pods share their template's labels unless someone changed them.
fn has_all(labels: &Rc<Map<Str, Str>>, wanted: &Rc<Map<Str, Str>>) -> bool {
    Rc::ptr_eq(labels, wanted) || wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Time until the next of these pods becomes available; nothing if none is on its way.
///
/// Upstream: `FindMinNextPodAvailabilityCheck`.
pub fn next_available(pods: &[&Rc<Pod>], min_ready_seconds: i32, now: Time) -> Option<Micros> {
    let left = |pod: &&Rc<Pod>| {
        let since = condition(&pod.status.conditions, "Ready")?.last_transition_time?;
        let left = since.plus(i64::from(min_ready_seconds) * SECOND).since(now);
        (min_ready_seconds > 0 && left > 0 && is_ready(pod)).then_some(left)
    };
    pods.iter().filter_map(left).min()
}
