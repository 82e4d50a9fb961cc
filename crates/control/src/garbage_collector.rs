//! Removes what its owners left behind, and carries out foreground and orphaning deletions.
//!
//! Watches: all kinds but two. Leases own nothing, and are looked at when a Node comes or goes; nobody owns an Event.
//! Writes: deletions, owner references, the finalizers foregroundDeletion and orphan.
//! Rule: an object whose owners are all gone is deleted; one that is deleted in the foreground goes after the dependents that
//! block it; one that is orphaning goes after its dependents have let go of it.
//! Upstream: pkg/controller/garbagecollector/garbagecollector.go `attemptToDeleteItem`, `processDeletingDependentsItem`,
//! `attemptToOrphanWorker`; graph_builder.go `processGraphChanges`.
//! Simplified: the store's index of dependents stands for the graph, and reads cost no requests; several references are dropped
//! by one patch each; there is no event OwnerRefInvalidNamespace; references to kinds that are not modelled count as alive, where
//! upstream retries for ever.

use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Note, Outcome, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::{
    Change, DeleteOptions, Kind, ObjId, Object, ObjectMeta, Op, OwnerReference, Propagation, Store,
};
use std::rc::Rc;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

const WATCHED: &[Kind] = &[
    Kind::Namespace,
    Kind::Node,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::HorizontalPodAutoscaler,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ControllerRevision,
    Kind::Job,
    Kind::CronJob,
    Kind::ReplicationController,
    Kind::Endpoints,
    Kind::PodTemplate,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::ServiceAccount,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::StorageClass,
    Kind::Ingress,
    Kind::IngressClass,
    Kind::NetworkPolicy,
    Kind::PodDisruptionBudget,
    Kind::ResourceQuota,
    Kind::LimitRange,
    Kind::PriorityClass,
    Kind::Role,
    Kind::RoleBinding,
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::CustomResourceDefinition,
    Kind::Custom,
];

/// Its row.
pub const ROW: Controller = Controller {
    name: "garbage-collector-controller",
    kind: Kind::Pod,
    watches: WATCHED,
    on_change,
    reconcile,
    period: |_| None,
    workers: 20,
    wants_failures: false,
    forget: |_| {},
};

fn has_finalizer(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.iter().any(|name| &**name == finalizer)
}

/// Whether an object goes after its dependents.
fn is_foreground(meta: &ObjectMeta) -> bool {
    meta.is_deleting() && has_finalizer(meta, FOREGROUND)
}

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    let (new, old) = (change.new.metadata(), change.old.as_ref().map(Object::metadata));
    if change.op == Op::Deleted {
        cx.view.dependent_ids(new.uid).for_each(|id| keys.add(id));
        wake_owners(cx.view, new.owner_references.iter(), keys);
        return;
    }
    if let (Object::Node(node), Op::Added) = (&change.new, change.op) {
        // A lease that a former node of this name has left.
        keys.0.extend(
            cx.view.id_of(Kind::Lease, "kube-node-lease", &node.metadata.name).map(|id| (Key::Object(id), 0)),
        );
    }
    let has_begun = |finalizer: &str| {
        let is_on = |meta: &ObjectMeta| meta.is_deleting() && has_finalizer(meta, finalizer);
        is_on(new) && !old.is_some_and(is_on)
    };
    if has_begun(ORPHAN) {
        keys.add(new.id);
    } else if has_begun(FOREGROUND) {
        cx.view.dependent_ids(new.uid).for_each(|id| keys.add(id));
        keys.add(new.id);
    }
    let Some(old) = old else {
        // A new object may name an owner that is gone or going.
        if new.owner_references.iter().any(|owner| !matches!(find(cx.view, new, owner), Owner::Solid)) {
            keys.add(new.id);
        }
        return;
    };
    if !Rc::ptr_eq(&old.owner_references, &new.owner_references)
        && old.owner_references != new.owner_references
    {
        let blocks = |owner: &OwnerReference| owner.block_owner_deletion == Some(true);
        let still = |owner: &OwnerReference| {
            new.owner_references.iter().any(|new| new.uid == owner.uid && blocks(new))
        };
        wake_owners(
            cx.view,
            old.owner_references.iter().filter(|owner| blocks(owner) && !still(owner)),
            keys,
        );
        keys.add(new.id);
    }
}

/// Owners that wait for their dependents may have waited for this one.
fn wake_owners<'a>(view: &Store, owners: impl Iterator<Item = &'a OwnerReference>, keys: &mut Keys) {
    let waiting = owners.filter_map(|owner| view.object(view.id_of_uid(owner.uid)?));
    waiting.filter(|owner| is_foreground(owner.metadata())).for_each(|owner| keys.add(owner.id()));
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let Some(object) = cx.view.object(id) else { return Outcome::idle("the object is gone") };
    let meta = object.metadata();
    if meta.is_deleting() && has_finalizer(meta, ORPHAN) {
        return orphan(cx, meta);
    }
    if is_foreground(meta) {
        return finish_foreground(cx, meta);
    }
    if meta.is_deleting() {
        return Outcome::idle("the object is on its way out");
    }
    if meta.owner_references.is_empty() {
        return Outcome::idle("nobody owns the object");
    }
    collect(cx, meta)
}

/// Lets the dependents go, then the owner. Upstream reads the owner anew in between: its controller, which sees the dependents go
/// meanwhile, is mostly ahead of that with its last status.
fn orphan(cx: &Cx, meta: &ObjectMeta) -> Outcome {
    let release = |id: ObjId| Write::Patch(id, Patch::RemoveOwner(meta.uid));
    let dependents: Vec<Write> = cx.view.dependent_ids(meta.uid).map(release).gather();
    let observed = vec![("dependents", dependents.len() as i64)];
    if dependents.is_empty() {
        let writes = vec![Write::Patch(meta.id, Patch::RemoveFinalizer(ORPHAN.into()))];
        return acted(observed, "let the owner go", writes);
    }
    let outcome = acted(observed, "orphan the dependents", vec![Write::Together(dependents)]);
    Outcome { requeue_after: Some(cx.tuning.api_request), ..outcome }
}

/// Lets an owner go once no dependent blocks it.
fn finish_foreground(cx: &Cx, meta: &ObjectMeta) -> Outcome {
    let blocks = |id: &ObjId| {
        cx.view.object(*id).is_some_and(|dependent| {
            let mut owners = dependent.metadata().owner_references.iter();
            owners.any(|owner| owner.uid == meta.uid && owner.block_owner_deletion == Some(true))
        })
    };
    let blocking = cx.view.dependent_ids(meta.uid).filter(blocks).count() as i64;
    let observed = vec![("dependents that block", blocking)];
    if blocking > 0 {
        return Outcome {
            note: Note { observed, decision: "wait for the dependents".into() },
            ..Outcome::default()
        };
    }
    let writes = vec![Write::Patch(meta.id, Patch::RemoveFinalizer(FOREGROUND.into()))];
    acted(observed, "let the owner go", writes)
}

/// What has become of an owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It is there.
    Solid,
    /// It is gone, or was never what the reference says.
    Dangling,
    /// It goes once its dependents are gone.
    Waiting,
}

/// Upstream: `isDangling`, `classifyReferences`.
fn find(view: &Store, meta: &ObjectMeta, reference: &OwnerReference) -> Owner {
    let Some(kind) = Kind::from_manifest(&reference.api_version, &reference.kind) else {
        return Owner::Solid;
    };
    if kind.is_namespaced() && meta.namespace.is_empty() {
        // No cluster-scoped object can have such an owner; it is left alone.
        return Owner::Solid;
    }
    let namespace = if kind.is_namespaced() { &*meta.namespace } else { "" };
    let owner = view.id_of(kind, namespace, &reference.name).and_then(|id| view.object(id));
    match owner.map(Object::metadata).filter(|owner| owner.uid == reference.uid) {
        None => Owner::Dangling,
        Some(owner) if is_foreground(owner) => Owner::Waiting,
        Some(_) => Owner::Solid,
    }
}

/// Deletes an object that nobody owns any more.
///
/// Upstream: `attemptToDeleteItem`.
fn collect(cx: &Cx, meta: &ObjectMeta) -> Outcome {
    let owners = meta.owner_references.iter().map(|owner| (find(cx.view, meta, owner), owner));
    let owners: Vec<(Owner, &OwnerReference)> = owners.gather();
    let count = |state| owners.iter().filter(|(owner, _)| *owner == state).count() as i64;
    let (solid, dangling, waiting) = (count(Owner::Solid), count(Owner::Dangling), count(Owner::Waiting));
    let observed = vec![("owners", solid), ("owners gone", dangling), ("owners that wait", waiting)];
    if solid > 0 {
        let stale = owners.iter().filter(|(owner, _)| *owner != Owner::Solid);
        let writes: Vec<Write> =
            stale.map(|(_, owner)| Write::Patch(meta.id, Patch::RemoveOwner(owner.uid))).gather();
        let decision =
            if writes.is_empty() { "an owner is there" } else { "drop references to owners that are gone" };
        return acted(observed, decision, writes);
    }
    let mut dependents = cx.view.dependent_ids(meta.uid).peekable();
    if waiting > 0 && dependents.peek().is_some() {
        let mut writes = Vec::new();
        let mut dependents = dependents.filter_map(|id| cx.view.object(id));
        if dependents.any(|dependent| is_foreground(dependent.metadata())) {
            // An owner and a dependent that both wait might wait for each other.
            let blocking =
                meta.owner_references.iter().filter(|owner| owner.block_owner_deletion == Some(true));
            let unblock = |owner: &OwnerReference| {
                let owner = OwnerReference { block_owner_deletion: Some(false), ..owner.clone() };
                Write::Patch(meta.id, Patch::AddOwner(owner))
            };
            writes.extend(blocking.map(unblock));
        }
        writes.push(delete(meta, Propagation::Foreground));
        return acted(observed, "delete in the foreground", writes);
    }
    let propagation = if has_finalizer(meta, ORPHAN) {
        Propagation::Orphan
    } else if has_finalizer(meta, FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    acted(observed, "delete the object", vec![delete(meta, propagation)])
}

fn delete(meta: &ObjectMeta, propagation: Propagation) -> Write {
    Write::Delete(meta.id, DeleteOptions { grace_seconds: None, propagation }, None)
}

fn acted(observed: Vec<(&'static str, i64)>, decision: &'static str, writes: Vec<Write>) -> Outcome {
    Outcome { writes, note: Note { observed, decision: decision.into() }, ..Outcome::default() }
}
