//! Revisions of what rolls out, as `kubectl rollout history` and `undo` see them.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/{history,rollback}.go.

use crate::kubectl::context::Context;
use serde_json::Value;
use setpoint_api::{Deployment, Kind, Object, Resource as _, Store};
use setpoint_control::{deployment, history};

/// A revision and the template that it stands for.
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) change_cause: Option<String>,
    pub(super) template: Value,
    /// What `-o` prints of it: a Deployment's ReplicaSet, or the object itself with the template of then.
    pub(super) whole: (Kind, Value),
}

/// The revisions of an object, lowest first; nothing if its kind has none.
pub(super) fn all(cx: &Context, object: &Object) -> Option<Vec<Revision>> {
    if let Some(deployment) = Deployment::from_object(object) {
        let of_set = |one: deployment::Revision| {
            let set = cx.value_of(Kind::ReplicaSet, &deployment.metadata.namespace, &one.replica_set);
            let set = set.unwrap_or_default();
            let mut template = set["spec"]["template"].clone();
            if let Some(cause) = &one.change_cause {
                template["metadata"]["annotations"]["kubernetes.io/change-cause"] = (**cause).into();
            }
            Revision {
                number: one.revision,
                change_cause: one.change_cause.map(|cause| cause.to_string()),
                template,
                whole: (Kind::ReplicaSet, set),
            }
        };
        return Some(deployment::history(cx.store(), deployment).into_iter().map(of_set).collect());
    }
    if !matches!(object.kind(), Kind::StatefulSet | Kind::DaemonSet) {
        return None;
    }
    let of_stored = |stored: &std::rc::Rc<setpoint_api::ControllerRevision>| {
        let revision = history::Revision::of(stored);
        let cause = stored.metadata.annotation("kubernetes.io/change-cause");
        let mut whole = object.to_value();
        whole["spec"]["template"] = revision.data["spec"]["template"].clone();
        Revision {
            number: revision.number,
            change_cause: cause.map(ToString::to_string),
            template: revision.data["spec"]["template"].clone(),
            whole: (object.kind(), whole),
        }
    };
    Some(history::list(cx.store(), object.metadata()).into_iter().map(of_stored).collect())
}

/// The patch that brings a StatefulSet or DaemonSet back to a revision, to the one before the newest if that is 0.
///
/// # Errors
/// kubectl's text when there is no such revision, or when it is the current one.
pub(super) fn rollback(store: &Store, object: &Object, wanted: i64) -> Result<Value, String> {
    let known = history::list(store, object.metadata());
    let missing = || format!("unable to find specified revision {wanted} in history");
    let target = match wanted {
        ..0 => None,
        0 if known.len() < 2 => return Err("no last revision to roll back to".into()),
        0 => known.iter().rev().nth(1).map(|stored| history::Revision::of(stored)),
        _ => known.iter().map(|stored| history::Revision::of(stored)).find(|one| one.number == wanted),
    };
    let target = target.ok_or_else(missing)?;
    if target.data == history::patch_of(object.rest()) {
        return Err(format!("skipped rollback (current template already matches revision {wanted})"));
    }
    Ok(target.data)
}
