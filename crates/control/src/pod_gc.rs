//! Removes pods that nobody else will: those of nodes that are gone or out of service, those that were deleted before they
//! had a node, and the oldest finished ones once there are too many.
//!
//! Watches: nothing; it looks at Pod and Node on every tick.
//! Writes: phase Failed with the condition DisruptionTarget, then a deletion without grace.
//! Rule: a pod of a node that has been missing for the whole quarantine fails and is removed.
//! Upstream: pkg/controller/podgc/gc_controller.go `gc`.
//! Simplified: a node whose pods could not all be removed is tried again on the next tick, not after another quarantine.

use crate::taints::OUT_OF_SERVICE;
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory as AllMemory, Note, Outcome, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::order;
use setpoint_api::{
    Change, Condition, ConditionStatus, DeleteOptions, Kind, Node, Pod, Propagation, Store, Str, Time,
    condition_status,
};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Nodes that pods are bound to but that do not exist, and when their quarantine ends.
    quarantine: Map<Str, Time>,
}

/// Its row.
pub const ROW: Controller = Controller {
    name: "pod-garbage-collector-controller",
    kind: Kind::Pod,
    watches: &[],
    on_change: |_: &ChangeCx, _: &Change, _: &mut AllMemory, _: &mut Keys| {},
    reconcile,
    period: |tuning| Some(tuning.pod_gc_period),
    workers: 1,
    wants_failures: false,
    forget: |memory| memory.pod_gc = Memory::default(),
};

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Tick = key else { return Outcome::idle("nothing to do") };
    let mut finished = Vec::new();
    let mut out_of_service = Vec::new();
    let mut unscheduled = Vec::new();
    for pod in cx.view.list::<Pod>() {
        if pod.status.phase.is_finished() {
            finished.push(&**pod);
        }
        match &pod.spec.node_name {
            _ if !pod.metadata.is_deleting() => {}
            None => unscheduled.push(&**pod),
            Some(node) if is_out_of_service(cx.view, node) => out_of_service.push(&**pod),
            Some(_) => {}
        }
    }
    let too_many = usize::try_from(cx.tuning.terminated_pod_gc_threshold)
        .map_or(0, |threshold| if threshold == 0 { 0 } else { finished.len().saturating_sub(threshold) });
    oldest_first(&mut finished);
    finished.truncate(too_many);
    oldest_first(&mut out_of_service);

    let missing = missing_nodes(cx, &mut memory.pod_gc);
    let orphaned = missing.iter().flat_map(|node| cx.view.pods_on(node)).map(|pod| &**pod);
    let mut writes = Vec::new();
    let mut removed = Set::new();
    let without_reason = finished.into_iter().chain(out_of_service).map(|pod| (pod, None));
    let with_reason = orphaned.map(|pod| (pod, Some(node_is_gone(cx, pod))));
    for (pod, condition) in
        without_reason.chain(with_reason).chain(unscheduled.into_iter().map(|pod| (pod, None)))
    {
        // A second deletion of the same pod would be refused, and take the rest with it.
        if removed.insert(pod.metadata.id) {
            remove(pod, condition, &mut writes);
        }
    }
    let observed = vec![
        ("finished above the threshold", too_many as i64),
        ("nodes in quarantine", memory.pod_gc.quarantine.len() as i64),
        ("nodes gone", missing.len() as i64),
    ];
    let decision = if writes.is_empty() { "nothing to remove" } else { "remove pods" };
    Outcome { writes, note: Note { observed, decision: decision.into() }, ..Outcome::default() }
}

/// Nodes that have been missing for the whole quarantine and still have pods, by name.
fn missing_nodes(cx: &Cx, memory: &mut Memory) -> Vec<Str> {
    let is_missing = |node: &str| cx.view.id_of(Kind::Node, "", node).is_none();
    memory.quarantine.retain(|node, _| is_missing(node) && cx.view.pods_on(node).next().is_some());
    for node in cx.view.nodes_with_pods().filter(|node| is_missing(node)) {
        let end = cx.now.plus(cx.tuning.pod_gc_quarantine);
        memory.quarantine.entry(node.clone()).or_insert(end);
    }
    memory.quarantine.iter().filter(|(_, end)| **end <= cx.now).map(|(node, _)| node.clone()).gather()
}

fn is_out_of_service(view: &Store, node: &str) -> bool {
    view.find::<Node>("", node).is_some_and(|node| {
        condition_status(&node.status.conditions, "Ready") != ConditionStatus::True
            && node.spec.taints.iter().any(|taint| &*taint.key == OUT_OF_SERVICE)
    })
}

/// Evicted pods first, then the oldest, then by name.
///
/// Upstream: `byEvictionAndCreationTimestamp`.
fn oldest_first(pods: &mut [&Pod]) {
    let is_evicted = |pod: &Pod| pod.status.phase.as_str() == "Failed" && &*pod.status.reason == "Evicted";
    order::sort_by(pods, |a, b| {
        let by_age = || a.metadata.creation_timestamp.cmp(&b.metadata.creation_timestamp);
        let by_name = || a.metadata.name.cmp(&b.metadata.name);
        is_evicted(b).cmp(&is_evicted(a)).then_with(by_age).then_with(by_name)
    });
}

fn node_is_gone(cx: &Cx, pod: &Pod) -> Condition {
    Condition {
        kind: "DisruptionTarget".into(),
        status: ConditionStatus::True,
        observed_generation: Some(pod.metadata.generation),
        last_transition_time: Some(cx.now.whole_seconds()),
        reason: "DeletionByPodGC".into(),
        message: "PodGC: node no longer exists".into(),
        ..Condition::default()
    }
}

fn remove(pod: &Pod, condition: Option<Condition>, writes: &mut Vec<Write>) {
    let id = pod.metadata.id;
    if !pod.status.phase.is_finished() {
        // A pod without a kubelet would stay in its phase for ever.
        let failed = Patch::PodFailed {
            reason: pod.status.reason.clone(),
            message: pod.status.message.clone(),
            condition,
        };
        writes.push(Write::Patch(id, failed));
    }
    let now = DeleteOptions { grace_seconds: Some(0), propagation: Propagation::Background };
    writes.push(Write::Delete(id, now, None));
}
