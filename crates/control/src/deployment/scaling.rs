//! A change of the Deployment's size: shared out over the ReplicaSets of a rollout that is under way.
//!
//! Upstream: pkg/controller/deployment/sync.go (`sync`, `scale`).

use super::math::{DESIRED_REPLICAS, desired, is_rolling_update, max_total, proportion, size, total_size};
use super::revision::{active, by_age};
use super::sync::{Scale, Step, Sync};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::{Deployment, ReplicaSet};
use std::rc::Rc;

/// Follows a change of size, or keeps a paused Deployment in shape; the template is left alone.
///
/// Upstream: `sync`.
pub(super) fn sync_size(sync: &mut Sync) -> Step {
    let sets = sync.replica_sets(false)?;
    for scale in rescale(&sync.deployment, sets.new.as_ref(), &sets.old) {
        sync.resize(&scale);
    }
    if sync.deployment.spec.paused {
        sync.clean_history(&sets.old);
    }
    sync.finish(&sets)
}

/// The sizes that the ReplicaSets are to have.
///
/// Upstream: `scale`.
pub fn rescale(deployment: &Deployment, new: Option<&Rc<ReplicaSet>>, old: &[Rc<ReplicaSet>]) -> Vec<Scale> {
    let wanted = desired(deployment);
    if let Some(only) = active_or_latest(new, old) {
        return if size(&only) == wanted { Vec::new() } else { vec![Scale::new(&only, wanted)] };
    }
    if new.is_some_and(|new| is_saturated(deployment, new)) {
        return active(old).iter().map(|set| Scale::new(set, 0)).gather();
    }
    if !is_rolling_update(deployment) {
        return Vec::new();
    }
    let all: Vec<_> = old.iter().chain(new).cloned().gather();
    share_out(deployment, active(&all))
}

/// The only ReplicaSet that wants pods; if none does, the newest one.
///
/// Upstream: `FindActiveOrLatest`.
fn active_or_latest(new: Option<&Rc<ReplicaSet>>, old: &[Rc<ReplicaSet>]) -> Option<Rc<ReplicaSet>> {
    let all: Vec<_> = old.iter().chain(new).cloned().gather();
    match active(&all).as_slice() {
        [] => new.or_else(|| old.iter().max_by(|a, b| by_age(a, b))).cloned(),
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Whether a ReplicaSet alone gives all that the Deployment wants.
///
/// Upstream: `IsSaturated`.
fn is_saturated(deployment: &Deployment, set: &ReplicaSet) -> bool {
    let wanted = desired(deployment);
    let noted = set.metadata.annotation(DESIRED_REPLICAS).and_then(|text| text.parse::<i32>().ok());
    noted == Some(wanted) && size(set) == wanted && set.status.available_replicas == wanted
}

/// Every ReplicaSet keeps its share; the largest one takes what rounding leaves over.
fn share_out(deployment: &Deployment, mut sets: Vec<Rc<ReplicaSet>>) -> Vec<Scale> {
    let allowed = if desired(deployment) > 0 { max_total(deployment) } else { 0 };
    let to_add = allowed.saturating_sub(total_size(&sets));
    if to_add != 0 {
        // Of equally large ones the newer grows first and the older shrinks first.
        order::sort_by(&mut sets, |a, b| {
            let age = if to_add > 0 { by_age(b, a) } else { by_age(a, b) };
            size(b).cmp(&size(a)).then(age)
        });
    }
    let mut added = 0i32;
    let mut plan: Vec<Scale> = Vec::new();
    for set in &sets {
        let part = proportion(deployment, set, to_add, added);
        added = added.saturating_add(part);
        plan.push(Scale::new(set, size(set).saturating_add(part)));
    }
    if let Some(largest) = plan.first_mut() {
        largest.to = largest.to.saturating_add(to_add.saturating_sub(added)).max(0);
    }
    plan
}
