//! Which pods and revisions are an owner's: its own that the selector matches, and free ones that it takes up.
//!
//! Upstream: pkg/controller/controller_ref_manager.go (`ClaimObject`).
//! Simplified: an adoption is not preceded by a look at the owner, for a sync sees it as it is.

use crate::replicaset::controller_reference;
use crate::{Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::{Kind, ObjectMeta, Resource, Selector, Store};
use std::rc::Rc;

/// The dependents of a kind that are an owner's from now on; what it takes to make them so is added to the writes.
/// `is_member` says of those that the selector matches whether the owner wants them.
pub fn claim<'a, T: Resource>(
    view: &'a Store,
    (kind, owner): (Kind, &ObjectMeta),
    selector: &Selector,
    is_member: impl Fn(&T) -> bool,
    writes: &mut Vec<Write>,
) -> Vec<&'a Rc<T>> {
    let matches = |object: &T| selector.matches(&object.metadata().labels) && is_member(object);
    let mut claimed = Vec::new();
    for object in view.dependents::<T>(owner.uid) {
        let meta = object.metadata();
        if meta.controller().is_none_or(|other| other.uid != owner.uid) {
            continue;
        }
        if matches(object) || owner.is_deleting() {
            claimed.push(object);
        } else {
            writes.push(Write::Patch(meta.id, Patch::RemoveOwner(owner.uid)));
        }
    }
    let is_wanted = |object: &&Rc<T>| !object.metadata().is_deleting() && matches(object);
    let adopted: Vec<&Rc<T>> =
        view.free::<T>(&owner.namespace).filter(|_| !owner.is_deleting()).filter(is_wanted).gather();
    for object in adopted {
        let reference = controller_reference(kind, owner);
        writes.push(Write::Patch(object.metadata().id, Patch::AddOwner(reference)));
        claimed.push(object);
    }
    claimed
}
