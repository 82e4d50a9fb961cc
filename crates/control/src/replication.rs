//! The ReplicationController's controller: keeps a number of equal pods, as ReplicaSets do.
//!
//! Watches: ReplicationControllers, their Pods.
//! Writes: as the ReplicaSet controller.
//! Rule: it is read as a ReplicaSet whose selector has exact labels only.
//! Upstream: pkg/controller/replication/replication_controller.go, conversion.go.
//! Simplified: a free pod that the selector matches is taken up when the controller is looked at next.

use crate::replicaset::{self, Flavor};
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Outcome};
use setpoint_api::wire::{keep, kept, peek};
use setpoint_api::{
    Change, Kind, LabelSelector, Object, PodTemplateSpec, ReplicaSet, ReplicaSetSpec, ReplicationController,
    Resource, Str, map::Map,
};
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "replication-controller",
    kind: Kind::ReplicationController,
    watches: &[Kind::ReplicationController, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |_| {},
};

const FLAVOR: Flavor = Flavor {
    kind: Kind::ReplicationController,
    name: ROW.name,
    with_status: |view, set| {
        let mut controller = (**view.get::<ReplicationController>(set.metadata.id)?).clone();
        controller.metadata.resource_version = 0;
        let mut status = set.status;
        // It has no count of those that are being deleted.
        status.terminating_replicas = None;
        keep(&mut controller.rest, "status", &status);
        Some(controller.into_object())
    },
};

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    let meta = change.new.metadata();
    match &change.new {
        Object::ReplicationController(_) => keys.add(meta.id),
        Object::Pod(_) => {
            let owner = meta.controller().filter(|owner| &*owner.kind == "ReplicationController");
            owner.and_then(|owner| cx.view.id_of_uid(owner.uid)).into_iter().for_each(|id| keys.add(id));
        }
        _ => {}
    }
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(controller) = cx.view.get::<ReplicationController>(id) else { return Outcome::idle("gone") };
    replicaset::sync(cx, &as_set(controller), FLAVOR)
}

/// Upstream: `convertRCtoRS`.
fn as_set(controller: &ReplicationController) -> ReplicaSet {
    let spec = peek(&controller.rest, "spec");
    let fields = spec.as_object().cloned().map(Rc::new);
    let selector: Map<Str, Str> = kept(&fields, "selector");
    let template: PodTemplateSpec = kept(&fields, "template");
    let mut status: setpoint_api::ReplicaSetStatus = kept(&controller.rest, "status");
    // The set's status says how many are being deleted, which is of no interest here.
    status.terminating_replicas = Some(0);
    ReplicaSet {
        metadata: controller.metadata.clone(),
        spec: ReplicaSetSpec {
            replicas: kept(&fields, "replicas"),
            min_ready_seconds: kept(&fields, "minReadySeconds"),
            selector: Rc::new(LabelSelector { match_labels: selector, ..LabelSelector::default() }),
            template: Rc::new(template),
            ..ReplicaSetSpec::default()
        },
        status,
        ..ReplicaSet::default()
    }
}
