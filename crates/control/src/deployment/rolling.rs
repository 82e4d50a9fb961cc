//! RollingUpdate: the new ReplicaSet grows as far as surge allows, else the old ones shrink as far as availability allows.
//!
//! Upstream: pkg/controller/deployment/rolling.go.

use super::math::{desired, max_unavailable, min_available, new_size, size, total_available, total_size};
use super::revision::{active, by_age};
use super::sync::{Scale, Step, Sync};
use setpoint_api::order;
use setpoint_api::{Deployment, ReplicaSet};
use std::rc::Rc;

/// One step of a rolling update.
///
/// Upstream: `rolloutRolling`.
pub(super) fn rollout(sync: &mut Sync) -> Step {
    let sets = sync.replica_sets(true)?;
    let Some(new) = &sets.new else { return Ok(()) };
    let all = sets.all();
    let up = grow_new(&sync.deployment, &all, new)?;
    if sync.scale_all(&up) {
        return sync.finish_rollout(&sets);
    }
    let down = shrink_old(&sync.deployment, active(&sets.old), new);
    if !sync.scale_all(&down) && sync.is_complete() {
        sync.clean_history(&sets.old);
    }
    sync.finish_rollout(&sets)
}

/// Growth of the new ReplicaSet, or its way back when it is too large.
///
/// # Errors
/// A surge that is neither a number nor a percentage.
///
/// Upstream: `reconcileNewReplicaSet`.
pub fn grow_new(
    deployment: &Deployment,
    all: &[Rc<ReplicaSet>],
    new: &Rc<ReplicaSet>,
) -> Result<Vec<Scale>, String> {
    let (wanted, size) = (desired(deployment), size(new));
    let to = if size < wanted { new_size(deployment, total_size(all), size)? } else { wanted };
    Ok(if to == size { Vec::new() } else { vec![Scale::new(new, to)] })
}

/// Shrinking of the old ReplicaSets: pods that are not available first, for they give no service, then as many as may
/// be missing.
///
/// Upstream: `reconcileOldReplicaSets`.
pub fn shrink_old(deployment: &Deployment, mut old: Vec<Rc<ReplicaSet>>, new: &Rc<ReplicaSet>) -> Vec<Scale> {
    let old_size = total_size(&old);
    if old_size == 0 {
        return Vec::new();
    }
    let least = desired(deployment).saturating_sub(max_unavailable(deployment));
    let starting = size(new).saturating_sub(new.status.available_replicas);
    let limit = old_size.saturating_add(size(new)).saturating_sub(least).saturating_sub(starting);
    if limit <= 0 {
        return Vec::new();
    }
    let (mut plan, settled) = clean_unhealthy(&mut old, limit);
    if !settled {
        return plan;
    }
    let available = total_available(&old).saturating_add(new.status.available_replicas);
    plan.extend(scale_down(deployment, &mut old, available));
    plan
}

/// Takes up to `limit` pods that are not available from the old ReplicaSets, the oldest first; their sizes in `old` change
/// accordingly. Says `false` when it met a ReplicaSet whose status still counts more available pods than it wants: upstream
/// takes the sum for an error and leaves the rest for the next sync.
///
/// Upstream: `cleanupUnhealthyReplicas`.
pub fn clean_unhealthy(old: &mut [Rc<ReplicaSet>], limit: i32) -> (Vec<Scale>, bool) {
    let (mut plan, mut taken) = (Vec::new(), 0);
    order::sort_by(old, |a, b| by_age(a, b));
    for set in old {
        let unavailable = size(set).saturating_sub(set.status.available_replicas);
        if taken >= limit {
            break;
        } else if size(set) > 0 && unavailable < 0 {
            return (plan, false);
        }
        taken += shrink(set, unavailable.min(limit - taken), &mut plan);
    }
    (plan, true)
}

/// Takes pods from the old ReplicaSets, the oldest first, down to the least availability, when `available` pods of all
/// ReplicaSets are.
///
/// Upstream: `scaleDownOldReplicaSetsForRollingUpdate`.
pub fn scale_down(deployment: &Deployment, old: &mut [Rc<ReplicaSet>], available: i32) -> Vec<Scale> {
    let limit = available.saturating_sub(min_available(deployment));
    let (mut plan, mut taken) = (Vec::new(), 0);
    order::sort_by(old, |a, b| by_age(a, b));
    for set in old {
        taken += shrink(set, limit - taken, &mut plan);
    }
    plan
}

/// Takes up to `count` pods from a ReplicaSet; says how many it took.
fn shrink(set: &mut Rc<ReplicaSet>, count: i32, plan: &mut Vec<Scale>) -> i32 {
    let count = count.min(size(set));
    if count <= 0 {
        return 0;
    }
    let step = Scale::new(set, size(set) - count);
    Rc::make_mut(set).spec.replicas = Some(step.to);
    plan.push(step);
    count
}
