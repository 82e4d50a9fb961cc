//! The Deployment controller: rolls ReplicaSets from one template to the next.
//!
//! Watches: Deployments, ReplicaSets (by owner, or by selector while they have none), deleted Pods (for Recreate).
//! Writes: ReplicaSets (create, scale, annotate, delete, adopt, release), Deployment status and revision, events.
//! Rule: each sync does one step (grow the new ReplicaSet, or else shrink the old ones) and writes the status that was true
//! before it; the change wakes the next sync.
//! Upstream: pkg/controller/deployment/deployment_controller.go (`syncDeployment`), sync.go, rolling.go, recreate.go,
//! progress.go, util/deployment_util.go.
//! Simplified: the template hash runs over JSON rather than over Go's dump, so names differ from a real cluster's; the
//! `deprecated.deployment.rollback.to` annotation does nothing, since no client of apps/v1 sets it; a write that upstream
//! would make from a stale copy, and see refused, is not sent.

pub mod math;
pub mod progress;
pub mod recreate;
pub mod revision;
pub mod rolling;
pub mod scaling;
mod sync;
mod undo;

pub use sync::{ReplicaSets, Scale};
pub use undo::{Revision, history, rollback};

use crate::{ChangeCx, Controller, Cx, EventDraft, Failure, Key, Keys, Memory, Outcome};
use progress::{PAUSED, TIMED_OUT, has_deadline};
use setpoint_api::{
    Change, ConditionStatus, Deployment, Kind, LabelSelector, Namespace, Object, ObjectMeta, Op, Pod, Reason,
    ReplicaSet, Store, condition,
};
use std::rc::Rc;
use sync::{Step, Stop, Sync};

/// Its row.
pub const ROW: Controller = Controller {
    name: "deployment-controller",
    kind: Kind::Deployment,
    watches: &[Kind::Deployment, Kind::ReplicaSet, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |_| {},
};

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    match &change.new {
        Object::Deployment(deployment) => keys.add(deployment.metadata.id),
        Object::ReplicaSet(set) => replica_set_changed(cx.view, change, set, keys),
        Object::Pod(pod) if change.op == Op::Deleted => pod_deleted(cx.view, pod, keys),
        _ => {}
    }
}

/// Upstream: `addReplicaSet`, `updateReplicaSet`, `deleteReplicaSet`.
fn replica_set_changed(view: &Store, change: &Change, set: &ReplicaSet, keys: &mut Keys) {
    let owner = owner_of(view, &set.metadata);
    let before = change.old.as_ref().map(Object::metadata);
    if let Some(before) = before.and_then(|meta| owner_of(view, meta))
        && Some(before.metadata.id) != owner.map(|owner| owner.metadata.id)
    {
        keys.add(before.metadata.id);
    }
    if let Some(owner) = owner {
        return keys.add(owner.metadata.id);
    }
    let same = |old: &ObjectMeta| {
        old.labels == set.metadata.labels && old.owner_references == set.metadata.owner_references
    };
    let unowned = set.metadata.controller().is_none() && !set.metadata.is_deleting();
    if !unowned || change.op == Op::Deleted || before.is_some_and(same) {
        return;
    }
    for deployment in view.list_in::<Deployment>(&set.metadata.namespace) {
        let selector = deployment.spec.selector.to_selector();
        let matches = selector.is_ok_and(|selector| selector.matches(&set.metadata.labels));
        if matches && *deployment.spec.selector != LabelSelector::default() {
            keys.add(deployment.metadata.id);
        }
    }
}

/// Wakes a Deployment that recreates its pods when the last one is gone.
///
/// Upstream: `deletePod`.
fn pod_deleted(view: &Store, pod: &Pod, keys: &mut Keys) {
    let set = pod.metadata.controller().and_then(|owner| view.id_of_uid(owner.uid));
    let Some(set) = set.and_then(|id| view.get::<ReplicaSet>(id)) else { return };
    let Some(deployment) = owner_of(view, &set.metadata) else { return };
    if &*deployment.spec.strategy.kind != "Recreate" {
        return;
    }
    let mut sets = view.dependents::<ReplicaSet>(deployment.metadata.uid);
    if !sets.any(|set| view.dependents::<Pod>(set.metadata.uid).next().is_some()) {
        keys.add(deployment.metadata.id);
    }
}

fn owner_of<'a>(view: &'a Store, meta: &ObjectMeta) -> Option<&'a Rc<Deployment>> {
    view.get::<Deployment>(view.id_of_uid(meta.controller()?.uid)?)
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(deployment) = cx.view.get::<Deployment>(id) else { return Outcome::idle("gone") };
    let mut sync = Sync::new(cx, deployment);
    let ended = match cx.failure {
        Some(failure) => report(&mut sync, failure),
        None => sync_deployment(&mut sync),
    };
    sync.outcome(ended)
}

/// Upstream: `syncDeployment`.
fn sync_deployment(sync: &mut Sync) -> Step {
    if *sync.deployment.spec.selector == LabelSelector::default() {
        return selects_all(sync);
    }
    sync.claim()?;
    if sync.deployment.metadata.is_deleting() {
        let sets = sync.replica_sets(false)?;
        return sync.finish(&sets);
    }
    note_pause(sync)?;
    if sync.deployment.spec.paused || sync.is_scaling_event()? {
        return scaling::sync_size(sync);
    }
    match &*sync.deployment.spec.strategy.kind {
        "RollingUpdate" => rolling::rollout(sync),
        "Recreate" => recreate::rollout(sync),
        other => Err(Stop::Failed(format!("unexpected deployment strategy type: {other}"))),
    }
}

fn selects_all(sync: &mut Sync) -> Step {
    let text = "This deployment is selecting all pods. A non-empty selector is required.";
    let id = sync.deployment.metadata.id;
    sync.event(EventDraft::warning(ROW.name, id, "SelectingAll", text));
    let generation = sync.deployment.metadata.generation;
    let observed = &mut sync.deployment.status.observed_generation;
    *observed = generation.max(*observed);
    sync.write_status()
}

/// Says in the conditions that the rollout is paused or goes on, so that the time of the pause does not count against the
/// deadline.
///
/// Upstream: `checkPausedConditions`.
fn note_pause(sync: &mut Sync) -> Step {
    let current = condition(&sync.deployment.status.conditions, "Progressing");
    let reason = current.map(|current| current.reason.clone());
    let is = |wanted: &str| reason.as_deref() == Some(wanted);
    if !has_deadline(&sync.deployment) || is(TIMED_OUT) {
        return Ok(());
    }
    match (sync.deployment.spec.paused, is(PAUSED)) {
        (true, false) => sync.set_progressing(ConditionStatus::Unknown, PAUSED, "Deployment is paused"),
        (false, true) => {
            sync.set_progressing(ConditionStatus::Unknown, "DeploymentResumed", "Deployment is resumed");
        }
        _ => return Ok(()),
    }
    sync.write_status()
}

/// Reports that the new ReplicaSet could not be created; every other refusal is only tried again.
fn report(sync: &mut Sync, failure: &Failure) -> Step {
    let namespace = sync.cx.view.find::<Namespace>("", &sync.deployment.metadata.namespace);
    let ending = namespace.is_none_or(|namespace| namespace.metadata.is_deleting());
    let refused = failure.about.is_none() && failure.status.reason != Reason::AlreadyExists;
    if refused && !ending {
        let Deployment { metadata, spec, status, .. } = &sync.deployment;
        let hash = revision::template_hash(&spec.template, status.collision_count);
        let name = revision::replica_set_name(&metadata.name, &hash);
        let text = format!("Failed to create new replica set \"{name}\": {}", failure.status.message);
        if has_deadline(&sync.deployment) {
            sync.set_progressing(ConditionStatus::False, "ReplicaSetCreateError", &text);
            sync.write_status()?;
        }
        let id = sync.deployment.metadata.id;
        sync.event(EventDraft::warning(ROW.name, id, "ReplicaSetCreateError", text));
    }
    Err(Stop::Failed(failure.status.message.clone()))
}
