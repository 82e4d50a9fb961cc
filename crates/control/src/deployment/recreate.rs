//! Recreate: all old pods go, and only when the last one has ended are new ones made.
//!
//! Upstream: pkg/controller/deployment/recreate.go.

use super::math::{desired, total_actual};
use super::revision::active;
use super::sync::{ReplicaSets, Scale, Step, Sync};
use setpoint_api::Gather as _;
use setpoint_api::{Pod, PodPhase, Store};

/// One step of a rollout.
///
/// Upstream: `rolloutRecreate`.
pub(super) fn rollout(sync: &mut Sync) -> Step {
    let mut sets = sync.replica_sets(false)?;
    let down: Vec<_> = active(&sets.old).iter().map(|set| Scale::new(set, 0)).gather();
    if sync.scale_all(&down) || old_pods_run(sync, &sets) {
        return sync.finish_rollout(&sets);
    }
    if sets.new.is_none() {
        sets = sync.replica_sets(true)?;
    }
    if let Some(new) = &sets.new {
        let up = Scale::new(new, desired(&sync.deployment));
        sync.scale_all(&[up]);
    }
    if sync.is_complete() {
        sync.clean_history(&sets.old);
    }
    sync.finish_rollout(&sets)
}

fn old_pods_run(sync: &Sync, sets: &ReplicaSets) -> bool {
    let old = sync.claimed.iter().filter(|set| {
        let new = sets.new.as_ref().map(|new| new.metadata.uid);
        new != Some(set.metadata.uid)
    });
    let view: &Store = sync.cx.view;
    let pods = old.flat_map(|set| {
        let uid = set.metadata.uid;
        view.dependents::<Pod>(uid).filter(move |pod| pod.metadata.controller().is_some_and(|c| c.uid == uid))
    });
    old_pods_running(total_actual(&sets.old), pods.map(|pod| pod.status.phase))
}

/// Whether pods of older templates may still run: their ReplicaSets count some, or one has not ended yet, be it in its grace.
///
/// Upstream: `oldPodsRunning`.
pub fn old_pods_running(counted: i32, phases: impl IntoIterator<Item = PodPhase>) -> bool {
    counted > 0 || phases.into_iter().any(|phase| !phase.is_finished())
}
