//! What the API server refuses to store, with upstream's field paths, kinds of error and wording.
//!
//! Objects come here with their defaults filled in. Checks stand in upstream's order, one file per kind.
//!
//! Upstream: pkg/apis/{core,apps,autoscaling,discovery,coordination}/validation/validation.go,
//! pkg/registry/*/strategy.go.
//! Simplified: fields that nothing in the simulator acts on are kept as they come and mostly not checked.

mod admission;
mod autoscaler;
mod cause;
mod config;
mod container;
mod definition;
mod deployment;
mod driver;
mod endpoint_slice;
mod environment;
mod event;
mod extension;
mod flow;
mod ingress;
mod job;
mod lease;
mod limits;
mod meta;
mod namespace;
mod network_policy;
mod node;
mod pod;
mod pod_spec;
mod pod_warnings;
mod probe;
mod rbac;
mod replica_set;
mod scheduling;
mod security;
mod service;
mod storage;
mod stored;
mod structure;
mod template;
mod tree;
mod volume;
mod warnings;
mod workload;

pub use cause::{Cause, CauseKind};
pub use service::wants_other_families;
pub use warnings::warnings;

use crate::{Object, Status};
use cause::{Errors, Path};

const METADATA: Path<'static> = Path::root("metadata");
const SPEC: Path<'static> = Path::root("spec");

/// Checks a new object.
///
/// # Errors
/// `Invalid` with upstream's message, which lists everything that is wrong.
pub fn create(object: &Object) -> Result<(), Status> {
    verdict(object, create_causes(object))
}

/// Checks a changed object against the stored one.
///
/// # Errors
/// `Invalid` with upstream's message, which lists everything that is wrong.
pub fn update(old: &Object, new: &Object) -> Result<(), Status> {
    verdict(new, update_causes(old, new))
}

/// All that is wrong with a new object, in upstream's order; kubectl prints a line for each.
pub fn create_causes(object: &Object) -> Vec<Cause> {
    let mut errors = Errors::default();
    let e = &mut errors;
    match object {
        Object::Namespace(namespace) => namespace::create(namespace, e),
        Object::Node(node) => node::create(node, e),
        Object::Lease(lease) => lease::create(lease, e),
        Object::Pod(pod) => pod::create(pod, e),
        Object::ReplicaSet(set) => replica_set::create(set, e),
        Object::Deployment(deployment) => deployment::create(deployment, e),
        Object::Service(service) => service::create(service, e),
        Object::EndpointSlice(slice) => endpoint_slice::create(slice, e),
        Object::HorizontalPodAutoscaler(autoscaler) => autoscaler::create(autoscaler, e),
        Object::Event(event) => event::create(event, e),
        _ => stored::create(object, e),
    }
    errors.into_causes()
}

/// All that is wrong with a changed object, in upstream's order.
pub fn update_causes(old: &Object, new: &Object) -> Vec<Cause> {
    let mut errors = Errors::default();
    let e = &mut errors;
    match (old, new) {
        (Object::Namespace(old), Object::Namespace(new)) => namespace::update(old, new, e),
        (Object::Node(old), Object::Node(new)) => node::update(old, new, e),
        (Object::Lease(old), Object::Lease(new)) => lease::update(old, new, e),
        (Object::Pod(old), Object::Pod(new)) => pod::update(old, new, e),
        (Object::ReplicaSet(old), Object::ReplicaSet(new)) => replica_set::update(old, new, e),
        (Object::Deployment(old), Object::Deployment(new)) => deployment::update(old, new, e),
        (Object::Service(old), Object::Service(new)) => service::update(old, new, e),
        (Object::EndpointSlice(old), Object::EndpointSlice(new)) => endpoint_slice::update(old, new, e),
        (Object::HorizontalPodAutoscaler(old), Object::HorizontalPodAutoscaler(new)) => {
            autoscaler::update(old, new, e);
        }
        (Object::Event(old), Object::Event(new)) => event::update(old, new, e),
        _ if old.kind() == new.kind() => stored::update(old, new, e),
        _ => e.invalid(&Path::root("kind"), new.kind().as_str(), "field is immutable"),
    }
    errors.into_causes()
}

fn verdict(object: &Object, causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(object, causes))
}
