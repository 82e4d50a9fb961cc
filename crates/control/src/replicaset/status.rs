//! What a ReplicaSet's status says, and when a pod becomes available.
//!
//! Upstream: pkg/controller/replicaset/replica_set_utils.go, pkg/controller/controller_utils.go.

use crate::pod::{is_available, is_ready};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Condition, ConditionStatus, Micros, Pod, ReplicaSet, ReplicaSetStatus, Str, Time, condition,
};
use std::rc::Rc;

const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The status that a ReplicaSet with these active pods has, `error` being what kept it from its size.
///
/// Upstream: `calculateStatus`, and `updateReplicaSetStatus` for the generation.
pub fn status_of(
    set: &ReplicaSet,
    active: &[&Rc<Pod>],
    terminating: i32,
    error: Option<&str>,
    now: Time,
) -> ReplicaSetStatus {
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let labels = &set.spec.template.metadata.labels;
    let ready: Vec<_> = active.iter().filter(|pod| is_ready(pod)).collect();
    let available = |pod: &&&&Rc<Pod>| is_available(pod, set.spec.min_ready_seconds, now);
    let mut status = ReplicaSetStatus {
        replicas: count(active.len()),
        fully_labeled_replicas: count(
            active.iter().filter(|pod| has_all(&pod.metadata.labels, labels)).count(),
        ),
        ready_replicas: count(ready.len()),
        available_replicas: count(ready.iter().filter(available).count()),
        terminating_replicas: Some(terminating),
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
