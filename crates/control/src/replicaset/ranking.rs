//! Which pods a ReplicaSet gives up first.
//!
//! Upstream: pkg/controller/controller_utils.go (`ActivePodsWithRanks`), pkg/controller/replicaset/replica_set.go
//! (`getPodsToDelete`), pkg/apis/core/helper (`GetDeletionCostFromPodAnnotations`).

use crate::pod::{is_active, is_ready};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{Pod, PodPhase, Str, Time, condition};
use std::cmp::Ordering;
use std::rc::Rc;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// A pod with how many active pods of related ReplicaSets its node holds.
#[derive(Clone, Copy, Debug)]
pub struct Ranked<'a> {
    /// The pod.
    pub pod: &'a Rc<Pod>,
    /// Pods on its node.
    pub rank: i64,
}

/// The `count` pods to give up, first to go first. `related` are the pods of all ReplicaSets with the same owner.
///
/// Upstream: `getPodsToDelete`.
pub fn to_delete<'a>(
    pods: &[&'a Rc<Pod>],
    related: &[&Rc<Pod>],
    count: usize,
    now: Time,
) -> Vec<&'a Rc<Pod>> {
    if count >= pods.len() {
        return pods.to_vec();
    }
    let mut on_node: Map<Option<&Str>, i64> = Map::new();
    for pod in related.iter().filter(|pod| is_active(pod)) {
        *on_node.entry(pod.spec.node_name.as_ref()).or_insert(0) += 1;
    }
    let rank = |pod: &Pod| on_node.get(&pod.spec.node_name.as_ref()).copied().unwrap_or(0);
    let mut ranked: Vec<_> = pods.iter().map(|pod| Ranked { pod, rank: rank(pod) }).gather();
    // Upstream leaves pods that compare equal to chance; the uid is this world's.
    order::sort_by_key(&mut ranked, |ranked| ranked.pod.metadata.uid);
    let sorted = sort(ranked, Some(now));
    sorted.into_iter().take(count).map(|ranked| ranked.pod).gather()
}

/// Sorts pods, first to go first. A merge sort of its own, because upstream's comparison is no order: pods that became ready
/// within the same power of two of age compare by uid, unless at the very same second, when restarts and age decide. The
/// standard library may panic on that.
pub fn sort(mut pods: Vec<Ranked<'_>>, now: Option<Time>) -> Vec<Ranked<'_>> {
    if pods.len() < 2 {
        return pods;
    }
    let right = pods.split_off(pods.len() / 2);
    let mut left = sort(pods, now).into_iter().peekable();
    let mut right = sort(right, now).into_iter().peekable();
    let mut sorted = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if less(b, a, now) { right.next() } else { left.next() };
        sorted.extend(next);
    }
    sorted.extend(left);
    sorted.extend(right);
    sorted
}

/// Whether `a` goes before `b`: unassigned; pending, unknown, running; not ready; cheaper; on the fuller node; ready for less
/// time; more restarts; newer. Without `now`, times compare as they are; with it, by the power of two of their age.
///
/// Upstream: `ActivePodsWithRanks.Less`.
pub fn less(a: &Ranked, b: &Ranked, now: Option<Time>) -> bool {
    let (a_ready, b_ready) = (is_ready(a.pod), is_ready(b.pod));
    let unassigned = |pod: &Pod| pod.spec.node_name.is_none();
    let order = unassigned(b.pod)
        .cmp(&unassigned(a.pod))
        .then_with(|| stage(a.pod).cmp(&stage(b.pod)))
        .then_with(|| a_ready.cmp(&b_ready))
        .then_with(|| deletion_cost(a.pod).cmp(&deletion_cost(b.pod)))
        .then_with(|| b.rank.cmp(&a.rank))
        .then_with(|| if a_ready && b_ready { by_time(a, b, ready_since, now) } else { Ordering::Equal })
        .then_with(|| restarts(b.pod).cmp(&restarts(a.pod)))
        .then_with(|| by_time(a, b, |pod| pod.metadata.creation_timestamp, now));
    order == Ordering::Less
}

fn stage(pod: &Pod) -> u8 {
    match pod.status.phase {
        PodPhase::Unknown => 1,
        PodPhase::Running => 2,
        _ => 0,
    }
}

/// Cost of deleting a pod: 0 unless the annotation is a 32-bit number as Go would print it.
fn deletion_cost(pod: &Pod) -> i32 {
    let text = pod.metadata.annotation(DELETION_COST).unwrap_or_default();
    text.parse::<i32>().ok().filter(|cost| cost.to_string() == text).unwrap_or(0)
}

fn ready_since(pod: &Pod) -> Option<Time> {
    condition(&pod.status.conditions, "Ready")?.last_transition_time
}

/// Most restarts of a container, and of a sidecar.
fn restarts(pod: &Pod) -> (i32, i32) {
    let status = &pod.status;
    let regular = status.container_statuses.iter().map(|container| container.restart_count).max();
    let is_sidecar = |name: &str| {
        let mut init = pod.spec.init_containers.iter();
        init.any(|container| {
            &*container.name == name && container.restart_policy.as_deref() == Some("Always")
        })
    };
    let sidecars = status.init_container_statuses.iter().filter(|container| is_sidecar(&container.name));
    (regular.unwrap_or(0), sidecars.map(|container| container.restart_count).max().unwrap_or(0))
}

/// No time first, then the later one. With `now`, times within the same power of two of age go by uid.
fn by_time(a: &Ranked, b: &Ranked, time: fn(&Pod) -> Option<Time>, now: Option<Time>) -> Ordering {
    let (first, second) = (time(a.pod), time(b.pod));
    match (first, second, now) {
        (first, second, _) if first == second => Ordering::Equal,
        (Some(first), Some(second), Some(now)) => {
            let ages = magnitude(now.since(first)).cmp(&magnitude(now.since(second)));
            ages.then_with(|| a.pod.metadata.uid.cmp(&b.pod.metadata.uid))
        }
        (Some(first), Some(second), None) => second.cmp(&first),
        (first, second, _) => first.is_some().cmp(&second.is_some()),
    }
}

/// The power of two of an age in nanoseconds, upstream's unit.
fn magnitude(micros: i64) -> i64 {
    u128::try_from(micros).ok().and_then(|age| (age * 1000).checked_ilog2()).map_or(-1, i64::from)
}
