//! What `kubectl rollout undo` and `kubectl rollout history` do.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go, history.go.

use super::revision::{self, TEMPLATE_HASH, equal_ignore_hash, is_copied};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{Deployment, ObjectMeta, PodTemplateSpec, ReplicaSet, Store, Str};
use std::rc::Rc;

/// One line of a rollout's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub revision: i64,
    /// Annotation `kubernetes.io/change-cause`, if there is one.
    pub change_cause: Option<Str>,
    /// Name of the ReplicaSet that keeps its template.
    pub replica_set: Str,
}

/// The revisions that a Deployment can go back to and the current one, lowest first.
pub fn history(store: &Store, deployment: &Deployment) -> Vec<Revision> {
    let mut revisions = Map::new();
    for set in owned(store, deployment) {
        let Some(revision) = revision::revision(&set.metadata) else { continue };
        let change_cause = set.metadata.annotations.get("kubernetes.io/change-cause").cloned();
        revisions
            .insert(revision, Revision { revision, change_cause, replica_set: set.metadata.name.clone() });
    }
    revisions.into_values().gather()
}

/// The Deployment with the template of another revision put back, ready to be written: the one before the newest if
/// `to_revision` is nothing or 0.
///
/// # Errors
/// kubectl's text when there is no such revision, when the Deployment is paused, or when the template is the current one
/// (then kubectl skips the rollback and says so).
pub fn rollback(
    store: &Store,
    deployment: &Deployment,
    to_revision: Option<i64>,
) -> Result<Deployment, String> {
    let wanted = to_revision.unwrap_or(0);
    let missing = || format!("unable to find specified revision {wanted} in history");
    let target = match wanted {
        ..0 => return Err(missing()),
        0 => previous(store, deployment).ok_or_else(|| {
            format!("no rollout history found for deployment \"{}\"", deployment.metadata.name)
        })?,
        _ => owned(store, deployment)
            .find(|set| revision::revision(&set.metadata) == Some(wanted))
            .ok_or_else(missing)?,
    };
    if deployment.spec.paused {
        let text = "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again";
        return Err(text.to_string());
    }
    if equal_ignore_hash(&target.spec.template, &deployment.spec.template) {
        return Err(format!("skipped rollback (current template already matches revision {wanted})"));
    }
    let mut labels = (*target.spec.template.metadata.labels).clone();
    labels.remove(TEMPLATE_HASH);
    let metadata = ObjectMeta { labels: Rc::new(labels), ..target.spec.template.metadata.clone() };
    let own = deployment.metadata.annotations.iter().filter(|(key, _)| !is_copied(key));
    let kept = target.metadata.annotations.iter().filter(|(key, _)| is_copied(key));
    let annotations = own.chain(kept).map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut back = deployment.clone();
    back.spec.template = Rc::new(PodTemplateSpec { metadata, ..(*target.spec.template).clone() });
    back.metadata.annotations = Rc::new(annotations);
    Ok(back)
}

/// The ReplicaSets that a Deployment owns, in creation order.
fn owned<'a>(store: &'a Store, deployment: &Deployment) -> impl Iterator<Item = &'a Rc<ReplicaSet>> {
    let uid = deployment.metadata.uid;
    let selector = deployment.spec.selector.to_selector().ok();
    store.dependents::<ReplicaSet>(uid).filter(move |set| {
        let matches = selector.as_ref().is_some_and(|selector| selector.matches(&set.metadata.labels));
        matches && set.metadata.controller().is_some_and(|owner| owner.uid == uid)
    })
}

/// The ReplicaSet with the second highest revision.
fn previous<'a>(store: &'a Store, deployment: &Deployment) -> Option<&'a Rc<ReplicaSet>> {
    let numbered = owned(store, deployment).filter_map(|set| Some((revision::revision(&set.metadata)?, set)));
    let mut sets: Vec<_> = numbered.gather();
    order::sort_by_key(&mut sets, |(revision, _)| *revision);
    sets.iter().rev().nth(1).map(|(_, set)| *set)
}
