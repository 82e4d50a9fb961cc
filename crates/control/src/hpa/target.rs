//! The workload that is scaled, seen as upstream's scale subresource shows it.
//!
//! Upstream: pkg/controller/podautoscaler/horizontal.go, `scaleForResourceMappings`; pkg/registry/apps/*/storage.
//! Simplified: only kinds that the simulator runs can be scaled; others are as unknown to the API server.

use setpoint_api::{
    CrossVersionObjectReference, Deployment, Kind, ObjId, Object, ReplicaSet, Resource, Selector, Status,
    Store,
};
use std::rc::Rc;

/// The scale of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The workload.
    pub id: ObjId,
    /// Replicas asked for.
    pub spec_replicas: i32,
    /// Replicas there are.
    pub status_replicas: i32,
    /// Its pods; an error in upstream's words if the selector does not hold.
    pub selector: Result<Selector, String>,
}

/// Finds the target of an autoscaler.
///
/// # Errors
/// What upstream's controller says when it cannot get the scale.
pub fn scale_of(
    view: &Store,
    namespace: &str,
    target: &CrossVersionObjectReference,
) -> Result<Scale, String> {
    let group = match target.api_version.split_once('/') {
        Some((_, version)) if version.contains('/') => {
            return Err(format!("unexpected GroupVersion string: {}", target.api_version));
        }
        Some((group, _)) => group,
        None => "",
    };
    let kind = Kind::ALL.iter().find(|kind| kind.as_str() == &*target.kind && kind.group() == group);
    match kind {
        None => Err(format!("no matches for kind {:?} in group {group:?}", &*target.kind)),
        Some(Kind::Deployment) => {
            let found = find::<Deployment>(view, namespace, &target.name)?;
            Ok(Scale {
                id: found.metadata.id,
                spec_replicas: found.spec.replicas.unwrap_or(1),
                status_replicas: found.status.replicas,
                selector: found.spec.selector.to_selector(),
            })
        }
        Some(Kind::ReplicaSet) => {
            let found = find::<ReplicaSet>(view, namespace, &target.name)?;
            Ok(Scale {
                id: found.metadata.id,
                spec_replicas: found.spec.replicas.unwrap_or(1),
                status_replicas: found.status.replicas,
                selector: found.spec.selector.to_selector(),
            })
        }
        Some(_) => Err("the server could not find the requested resource".into()),
    }
}

fn find<'a, T: Resource>(view: &'a Store, namespace: &str, name: &str) -> Result<&'a Rc<T>, String> {
    view.find::<T>(namespace, name).ok_or_else(|| Status::not_found(T::KIND, name).message)
}

/// The workload with another number of replicas, at the version that was looked at.
pub fn scaled(view: &Store, id: ObjId, replicas: i32) -> Option<Object> {
    let mut object = view.object(id)?.clone();
    match &mut object {
        Object::Deployment(deployment) => Rc::make_mut(deployment).spec.replicas = Some(replicas),
        Object::ReplicaSet(replica_set) => Rc::make_mut(replica_set).spec.replicas = Some(replicas),
        _ => return None,
    }
    Some(object)
}
