//! Preemption: pods that have to go so that one of higher priority finds room.
//!
//! Upstream: pkg/scheduler/framework/preemption/preemption.go (`Evaluator.Preempt`, `pickOneNodeForPreemption`),
//! plugins/defaultpreemption (`SelectVictimsOnNode`), plugins/dynamicresources (`PostFilter`).
//! Simplified: at most 100 nodes are looked at, from the first on; the victims are
//! deleted at once, not by a call of its own.

use super::cache::Cache;
use super::filters::Filters;
use super::groups::Slot;
use super::message::FitError;
use crate::disruption::budgets_of;
use crate::{Cx, EventDraft, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, ObjId, Pod, PodSpec, PriorityClass, Store, Str, Time,
    condition,
};
use std::cmp::Reverse;
use std::rc::Rc;

/// Nodes on which victims are looked for.
const MOST_CANDIDATES: usize = 100;
const REASON: &str = "PreemptionByScheduler";

/// Who would have to go on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// How many of them a disruption budget protects.
    pub violations: i64,
    /// Priority and start of each, the most important first.
    pub victims: Vec<(i32, Option<Time>)>,
}

/// The candidate that hurts least: fewest protected pods, lowest highest priority, lowest sum of priorities, fewest pods, latest
/// start of the most important ones.
///
/// Upstream: `pickOneNodeForPreemption`.
pub fn pick(candidates: &[Candidate]) -> Option<usize> {
    let harm = |candidate: &Candidate| {
        let highest = candidate.victims.first().map_or(i32::MIN, |victim| victim.0);
        let weight = |victim: &(i32, Option<Time>)| i64::from(victim.0) + i64::from(i32::MAX) + 1;
        let first = candidate.victims.iter().filter(|victim| victim.0 == highest);
        let start = first.map(|victim| victim.1.unwrap_or(Time(i64::MAX))).min();
        let sum: i64 = candidate.victims.iter().map(weight).sum();
        (candidate.violations, highest, sum, candidate.victims.len(), Reverse(start))
    };
    (0..candidates.len()).min_by_key(|index| harm(&candidates[*index]))
}

/// What preemption comes to.
pub(super) enum Found {
    /// These pods have to go from this node.
    Victims(Str, Vec<Rc<Pod>>),
    /// Pods that have to go are going already.
    Waits,
    /// Nobody can be deleted, or it would not help.
    Nothing,
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or(0)
}

/// Whether the scheduler has had a pod deleted that is not gone yet.
///
/// Upstream: `podTerminatingByPreemption`.
fn is_going(pod: &Pod) -> bool {
    let target = condition(&pod.status.conditions, "DisruptionTarget");
    pod.metadata.is_deleting()
        && target.is_some_and(|target| target.status == ConditionStatus::True && &*target.reason == REASON)
}

/// The priority below which no pod can be, so that most pods need not look for any.
fn lowest_priority(view: &Store) -> i32 {
    let value = |class: &Rc<PriorityClass>| setpoint_api::wire::kept::<i32>(&class.rest, "value");
    view.list::<PriorityClass>().map(value).min().unwrap_or(0).min(0)
}

/// Looks for pods that have to go.
pub(super) fn attempt(view: &Store, cache: &mut Cache, pod: &Pod) -> Found {
    if priority(pod) <= lowest_priority(view) || pod.spec.preemption_policy.as_deref() == Some("Never") {
        return Found::Nothing;
    }
    let nominated = &pod.status.nominated_node_name;
    let mut there = view.pods_on(nominated);
    if !nominated.is_empty() && there.any(|other| priority(other) < priority(pod) && is_going(other)) {
        return Found::Waits;
    }
    let filters = Filters::of(view, cache, pod);
    if filters.volumes.as_ref().is_some_and(|(_, volumes)| volumes.refusal.is_some()) {
        return Found::Nothing;
    }
    let order = cache.order();
    let may_help = |slot: &Slot| filters.reject(cache, *slot).is_some_and(|why| !why.is_unresolvable);
    let slots: Vec<Slot> = order.iter().copied().filter(may_help).take(MOST_CANDIDATES).gather();
    let (mut candidates, mut found) = (Vec::new(), Vec::new());
    for slot in slots {
        if let Some((victims, violations)) = victims_on(view, cache, pod, slot) {
            let of = |victim: &Rc<Pod>| (priority(victim), victim.status.start_time);
            candidates.push(Candidate { violations, victims: victims.iter().map(of).gather() });
            found.push((slot, victims));
        }
    }
    let Some(best) = pick(&candidates) else { return Found::Nothing };
    let (slot, victims) = found.swap_remove(best);
    Found::Victims(cache.nodes[slot as usize].name.clone(), victims)
}

/// The fewest and least important pods of a node without which there is room, and how many of them a budget protects.
///
/// Upstream: `SelectVictimsOnNode`.
fn victims_on(view: &Store, cache: &mut Cache, pod: &Pod, slot: Slot) -> Option<(Vec<Rc<Pod>>, i64)> {
    let node = cache.nodes[slot as usize].name.clone();
    let is_lower =
        |other: &&Rc<Pod>| priority(other) < priority(pod) && cache.pod(other.metadata.id).is_some();
    let mut lower: Vec<Rc<Pod>> = view.pods_on(&node).filter(is_lower).cloned().gather();
    if lower.is_empty() {
        return None;
    }
    order::sort_by_key(&mut lower, |other| (Reverse(priority(other)), other.status.start_time));
    for other in &lower {
        cache.remove_pod(other.metadata.id);
    }
    let fits = |cache: &mut Cache| Filters::of(view, cache, pod).reject(cache, slot).is_none();
    let (mut victims, mut violations) = (Vec::new(), 0);
    let helps = fits(cache);
    let protected = protected(view, &lower);
    for is_protected in [true, false] {
        for other in lower.iter().filter(|other| protected.contains(&other.metadata.id) == is_protected) {
            cache.add_pod(other, &node);
            if helps && !fits(cache) {
                cache.remove_pod(other.metadata.id);
                victims.push(other.clone());
                violations += i64::from(is_protected);
            }
        }
    }
    for victim in &victims {
        cache.add_pod(victim, &node);
    }
    order::sort_by_key(&mut victims, |other| (Reverse(priority(other)), other.status.start_time));
    (helps && !victims.is_empty()).then_some((victims, violations))
}

/// Pods whose deletion a budget would not allow, the most important pods being deleted first.
///
/// Upstream: `filterPodsWithPDBViolation`.
fn protected(view: &Store, pods: &[Rc<Pod>]) -> Vec<ObjId> {
    let mut left: Map<ObjId, i32> = Map::new();
    let mut protected = Vec::new();
    for pod in pods {
        for budget in budgets_of(view, pod) {
            let status = budget.status();
            if status.disrupted_pods.contains_key(&pod.metadata.name) {
                continue;
            }
            let left = left.entry(budget.metadata.id).or_insert(status.disruptions_allowed);
            *left -= 1;
            if *left < 0 {
                protected.push(pod.metadata.id);
            }
        }
    }
    protected
}

/// Has the victims deleted.
///
/// Upstream: `PreemptPod`.
pub(super) fn evict(cx: &Cx, pod: &Pod, node: &str, victims: &[Rc<Pod>]) -> Vec<Write> {
    let told = |victim: &Rc<Pod>| {
        let target = Condition {
            kind: Str::fixed("DisruptionTarget"),
            status: ConditionStatus::True,
            observed_generation: Some(victim.metadata.generation),
            last_transition_time: Some(cx.now.whole_seconds()),
            reason: Str::fixed(REASON),
            message: Str::fixed("default-scheduler: preempting to accommodate a higher priority pod"),
            ..Condition::default()
        };
        Write::Patch(victim.metadata.id, Patch::PodCondition(target, None))
    };
    let deleted = |victim: &Rc<Pod>| {
        let text = format!("Preempted by pod {} on node {node}", pod.metadata.uid);
        let event = EventDraft::normal(super::NAME, victim.metadata.id, "Preempted", text);
        let event = EventDraft { action: "Preempting", ..event };
        Write::Delete(victim.metadata.id, DeleteOptions::default(), Some(event))
    };
    let victims = || victims.iter().filter(|victim| !victim.metadata.is_deleting());
    vec![Write::Together(victims().map(told).gather()), Write::Together(victims().map(deleted).gather())]
}

/// What is said while pods that had to go are going.
pub(super) const WAITS: &str =
    "no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.";

/// What the filters after filtering say of a pod for which none of `nodes` nodes did; on `resolvable` of them the removal
/// of pods might help.
pub fn after_filtering(spec: &PodSpec, nodes: i64, resolvable: i64) -> String {
    let found = if spec.preemption_policy.as_deref() == Some("Never") {
        "not eligible due to preemptionPolicy=Never.".to_string()
    } else {
        let mut error = FitError { nodes, ..FitError::default() };
        error.count("No preemption victims found for incoming pod".into(), resolvable);
        error.count("Preemption is not helpful for scheduling".into(), nodes - resolvable);
        error.text()
    };
    format!("no new claims to deallocate, preemption: {found}")
}
