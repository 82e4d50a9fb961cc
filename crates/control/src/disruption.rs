//! The disruption controller: how many pods of a budget may be moved on purpose right now.
//!
//! Watches: PodDisruptionBudgets, Pods.
//! Writes: PodDisruptionBudget status, events.
//! Rule: allowed is what is healthy beyond what must be; a pod whose eviction was allowed counts as gone for two minutes, until its
//! deletion is seen.
//! Upstream: pkg/controller/disruption/disruption.go (`trySync`), pkg/apis/policy/helper.
//! Simplified: no custom kind has a scale; a pod that was told to go and was not deleted keeps its condition DisruptionTarget.

use crate::pod::is_ready;
use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory, Note, Outcome, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_api::wire::peek;
use setpoint_api::{
    Change, Condition, ConditionStatus, Deployment, DisruptionBudgetSpec, DisruptionBudgetStatus,
    IntOrPercent, Kind, LabelSelector, Micros, Object, ObjectMeta, Op, OwnerReference, Pod,
    PodDisruptionBudget, ReplicaSet, Resource, Scope, Selector, Store, Str, Time, schema,
};
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "disruption-controller",
    kind: Kind::PodDisruptionBudget,
    watches: &[Kind::PodDisruptionBudget, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 1,
    wants_failures: false,
    forget: |_| {},
};

/// Who its events say that they come from.
const SOURCE: &str = "controllermanager";
/// How long an evicted pod counts as gone before its deletion is seen.
const EVICTED: Micros = 2 * MINUTE;
const ALLOWED: &str = "DisruptionAllowed";

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    let pod = match &change.new {
        Object::PodDisruptionBudget(budget) if change.op != Op::Deleted => {
            return keys.add(budget.metadata.id);
        }
        Object::Pod(pod) => pod,
        _ => return,
    };
    for budget in cx.view.list_in::<PodDisruptionBudget>(&pod.metadata.namespace) {
        let old = change.old.as_ref().map(Object::metadata);
        if selects(budget, &pod.metadata) || old.is_some_and(|old| selects(budget, old)) {
            keys.add(budget.metadata.id);
        }
    }
}

fn selector(spec: &DisruptionBudgetSpec) -> Option<Selector> {
    spec.selector.as_ref()?.to_selector().ok()
}

/// Whether a budget speaks of a pod. Every change of a pod asks this of every budget: mere labels are compared as they stand.
fn selects(budget: &PodDisruptionBudget, pod: &ObjectMeta) -> bool {
    let wanted = &peek(&budget.rest, "spec")["selector"];
    if wanted["matchExpressions"].is_null()
        && let Some(labels) = wanted["matchLabels"].as_object()
    {
        let has = |(key, value): (&String, &serde_json::Value)| {
            value.as_str().is_some_and(|value| pod.label(key) == Some(value))
        };
        return labels.iter().all(has);
    }
    selector(&budget.spec()).is_some_and(|selector| selector.matches(&pod.labels))
}

/// The budgets that speak of a pod.
pub fn budgets_of<'a>(view: &'a Store, pod: &Pod) -> Vec<&'a Rc<PodDisruptionBudget>> {
    let is_of = |budget: &&Rc<PodDisruptionBudget>| selects(budget, &pod.metadata);
    view.list_in::<PodDisruptionBudget>(&pod.metadata.namespace).filter(is_of).gather()
}

/// What a budget asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Pods that there should be.
    pub expected: i32,
    /// Pods that must be healthy.
    pub healthy: i32,
}

/// What a budget asks for with so many pods, of owners that want `scale` together.
///
/// Upstream: `getExpectedPodCount`.
pub fn demand(spec: &DisruptionBudgetSpec, pods: i32, scale: i32) -> Demand {
    let scaled = |value: &IntOrPercent| value.scaled(scale, true).unwrap_or(0);
    match (&spec.max_unavailable, &spec.min_available) {
        (Some(most), _) => Demand { expected: scale, healthy: (scale - scaled(most)).max(0) },
        (None, Some(IntOrPercent::Int(least))) => Demand { expected: pods, healthy: *least },
        (None, Some(least)) => Demand { expected: scale, healthy: scaled(least) },
        (None, None) => Demand::default(),
    }
}

/// How many pods are healthy and not about to go.
///
/// Upstream: `countHealthyPods`.
pub fn count_healthy(pods: &[&Rc<Pod>], evicted: &Map<Str, Time>, now: Time) -> i32 {
    let is_going = |pod: &Pod| {
        let evicted = evicted.get(&pod.metadata.name).is_some_and(|at| at.plus(EVICTED) > now);
        pod.metadata.is_deleting() || evicted
    };
    pods.iter().filter(|pod| !is_going(pod) && is_ready(pod)).count() as i32
}

/// How many evictions are allowed.
///
/// Upstream: `updatePdbStatus`.
pub fn allowed(healthy: i32, demand: Demand) -> i32 {
    if demand.expected <= 0 { 0 } else { healthy.saturating_sub(demand.healthy).max(0) }
}

/// Says in the conditions whether an eviction is allowed.
///
/// Upstream: `UpdateDisruptionAllowedCondition`.
pub fn say_allowed(status: &mut DisruptionBudgetStatus, meta: &ObjectMeta, now: Time) {
    let (is_allowed, reason) = match status.disruptions_allowed {
        1.. => (ConditionStatus::True, "SufficientPods"),
        _ => (ConditionStatus::False, "InsufficientPods"),
    };
    set_condition(status, (is_allowed, reason, ""), meta.generation, now);
}

fn set_condition(
    status: &mut DisruptionBudgetStatus,
    (is_allowed, reason, message): (ConditionStatus, &'static str, &str),
    generation: i64,
    now: Time,
) {
    let known = status.conditions.iter_mut().find(|condition| &*condition.kind == ALLOWED);
    let since = known
        .as_ref()
        .filter(|known| known.status == is_allowed)
        .and_then(|known| known.last_transition_time);
    let said = Condition {
        kind: ALLOWED.into(),
        status: is_allowed,
        observed_generation: Some(generation),
        last_transition_time: since.or(Some(now.whole_seconds())),
        reason: reason.into(),
        message: message.into(),
        ..Condition::default()
    };
    match known {
        Some(known) => *known = said,
        None => status.conditions.push(said),
    }
}

/// How many pods the owners of these pods want together, and how many pods have no owner; or why that cannot be known.
///
/// Upstream: `getExpectedScale`, `getScaleController`.
fn scale(view: &Store, pods: &[&Rc<Pod>]) -> Result<(i32, i32), String> {
    let (mut seen, mut total, mut unmanaged) = (Set::new(), 0_i32, 0);
    for pod in pods {
        let Some(owner) = pod.metadata.controller() else {
            unmanaged += 1;
            continue;
        };
        let found = view.id_of_uid(owner.uid).and_then(|id| view.object(id));
        let (id, wanted) = match found {
            Some(Object::ReplicaSet(set)) => of_set(view, set),
            Some(Object::StatefulSet(set)) => (set.metadata.id, set.spec().replicas.unwrap_or(1)),
            Some(Object::ReplicationController(controller)) => {
                let spec = peek(&controller.rest, "spec");
                let wanted = spec["replicas"].as_i64().and_then(|count| i32::try_from(count).ok());
                (controller.metadata.id, wanted.unwrap_or(1))
            }
            _ => return Err(no_scale(pod, owner)),
        };
        if seen.insert(id) {
            total = total.saturating_add(wanted);
        }
    }
    Ok((total, unmanaged))
}

/// Why nobody knows how many pods an owner wants.
fn no_scale(pod: &Pod, owner: &OwnerReference) -> String {
    const SCALED: [&str; 4] = ["ReplicaSet", "StatefulSet", "ReplicationController", "Deployment"];
    let resource = schema::resource_of(&owner.api_version, &owner.kind);
    match resource {
        Some(resource) if !SCALED.contains(&resource.kind) => {
            format!("{} does not implement the scale subresource", resource.full_name())
        }
        _ => format!("found no controllers for pod {:?}", &*pod.metadata.name),
    }
}

fn of_set(view: &Store, set: &ReplicaSet) -> (setpoint_api::ObjId, i32) {
    let owner =
        set.metadata.controller().and_then(|owner| view.get::<Deployment>(view.id_of_uid(owner.uid)?));
    match owner {
        Some(deployment) => (deployment.metadata.id, deployment.spec.replicas.unwrap_or(1)),
        None => (set.metadata.id, set.spec.replicas.unwrap_or(1)),
    }
}

/// Upstream: `trySync`.
fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(budget) = cx.view.get::<PodDisruptionBudget>(id) else { return Outcome::idle("gone") };
    let (spec, stored) = (budget.spec(), budget.status());
    let Some(selector) = selector(&spec) else { return Outcome::idle("selects nothing") };
    let pods = cx.view.pods_matching(&budget.metadata.namespace, &selector);
    let mut writes = Vec::new();
    let mut say = |is_warning, reason, message: String| {
        let draft = EventDraft::normal(SOURCE, id, reason, message);
        writes.push(Write::Event(EventDraft { is_warning, ..draft }));
    };
    if pods.is_empty() {
        say(false, "NoPods", "No matching pods found".into());
    }
    // Only what is told as a part, or as what may be missing, hangs on what the owners want.
    let is_part =
        spec.max_unavailable.is_some() || !matches!(spec.min_available, None | Some(IntOrPercent::Int(_)));
    let (scale, unmanaged) = match is_part.then(|| scale(cx.view, &pods)) {
        None => (0, 0),
        Some(Ok(known)) => known,
        Some(Err(why)) => {
            let text = format!("Failed to calculate the number of expected pods: {why}");
            say(true, "CalculateExpectedPodCountFailed", text);
            return fail_safe(cx, budget, stored, &why, writes);
        }
    };
    if unmanaged > 0 {
        let selector = LabelSelector::go_text(spec.selector.as_deref());
        let text = format!(
            "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the \
             status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for \
             these pods please set \".spec.minAvailable\" field of the PDB to an integer value."
        );
        say(true, "UnmanagedPods", text);
    }
    let demand = demand(&spec, pods.len() as i32, scale);
    let mut status = stored.clone();
    let (evicted, recheck) = still_evicted(cx, budget, &pods, &stored, &mut writes);
    status.disrupted_pods = evicted;
    status.current_healthy = count_healthy(&pods, &status.disrupted_pods, cx.now);
    (status.desired_healthy, status.expected_pods) = (demand.healthy, demand.expected);
    status.disruptions_allowed = allowed(status.current_healthy, demand);
    status.observed_generation = budget.metadata.generation;
    say_allowed(&mut status, &budget.metadata, cx.now);
    let is_new = status != stored;
    if is_new {
        // An eviction that was allowed meanwhile must not be forgotten: then this is refused as stale, and tried again.
        let mut changed = budget.with_status(&status);
        changed.metadata.resource_version = budget.metadata.resource_version;
        writes.push(Write::Update(changed.into_object(), Scope::Status));
    }
    let observed = vec![
        ("healthy", i64::from(status.current_healthy)),
        ("desired", i64::from(demand.healthy)),
        ("allowed", i64::from(status.disruptions_allowed)),
    ];
    let decision = if is_new { "update the status" } else { "nothing to do" };
    let note = Note { observed, decision: decision.into() };
    Outcome { writes, requeue_after: recheck, note, ..Outcome::default() }
}

/// A budget about which nothing is known lets nobody go.
///
/// Upstream: `failSafe`.
fn fail_safe(
    cx: &Cx,
    budget: &PodDisruptionBudget,
    stored: DisruptionBudgetStatus,
    why: &str,
    mut writes: Vec<Write>,
) -> Outcome {
    let mut status = stored.clone();
    status.disruptions_allowed = 0;
    let generation = status.observed_generation;
    set_condition(&mut status, (ConditionStatus::False, "SyncFailed", why), generation, cx.now);
    if status != stored {
        let mut changed = budget.with_status(&status);
        changed.metadata.resource_version = budget.metadata.resource_version;
        writes.push(Write::Update(changed.into_object(), Scope::Status));
    }
    Outcome {
        writes,
        ..Outcome::idle("allow nothing: the owners of the pods do not say how many there should be")
    }
}

/// Evicted pods whose deletion is still to come, and when to look again.
///
/// Upstream: `buildDisruptedPodMap`.
fn still_evicted(
    cx: &Cx,
    budget: &PodDisruptionBudget,
    pods: &[&Rc<Pod>],
    stored: &DisruptionBudgetStatus,
    writes: &mut Vec<Write>,
) -> (Map<Str, Time>, Option<Micros>) {
    let (mut evicted, mut recheck) = (Map::new(), None);
    for pod in pods.iter().filter(|pod| !pod.metadata.is_deleting()) {
        let Some(at) = stored.disrupted_pods.get(&pod.metadata.name) else { continue };
        let left = at.plus(EVICTED).since(cx.now);
        if left < 0 {
            // Upstream says the namespace twice, in place of the name.
            let namespace = &budget.metadata.namespace;
            let text = format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
            writes.push(Write::Event(EventDraft::warning(SOURCE, pod.metadata.id, "NotDeleted", text)));
            continue;
        }
        let left = left.max(SECOND);
        recheck = Some(recheck.map_or(left, |known: Micros| known.min(left)));
        evicted.insert(pod.metadata.name.clone(), *at);
    }
    (evicted, recheck)
}
