//! What a Deployment's status says: counts, conditions, progress and its deadline.
//!
//! Upstream: pkg/controller/deployment/progress.go, sync.go (`calculateStatus`), util/deployment_util.go.

use super::math::{desired, max_unavailable, total_actual, total_available, total_size};
use setpoint_api::time::SECOND;
use setpoint_api::{
    Condition, ConditionStatus, Deployment, DeploymentStatus, Micros, ReplicaSet, Time, condition,
};
use std::rc::Rc;

/// Reason of Progressing when the new ReplicaSet has all its pods available.
pub const NEW_RS_AVAILABLE: &str = "NewReplicaSetAvailable";
/// Reason of Progressing when nothing has moved for the deadline.
pub const TIMED_OUT: &str = "ProgressDeadlineExceeded";
/// Reason of Progressing while the rollout is paused.
pub const PAUSED: &str = "DeploymentPaused";
const PROGRESSING: &str = "Progressing";
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// Whether slow progress is to be reported at all.
///
/// Upstream: `HasProgressDeadline`.
pub fn has_deadline(deployment: &Deployment) -> bool {
    deployment.spec.progress_deadline_seconds.is_some_and(|seconds| seconds != i32::MAX)
}

fn deadline(deployment: &Deployment) -> Micros {
    i64::from(deployment.spec.progress_deadline_seconds.unwrap_or(0)) * SECOND
}

/// Whether all wanted pods are of the newest template and available, and no other ones are left.
///
/// Upstream: `DeploymentComplete`.
pub fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = desired(deployment);
    status.updated_replicas == wanted
        && status.replicas == wanted
        && status.available_replicas == wanted
        && status.observed_generation >= deployment.metadata.generation
}

/// Whether the new status is a step forward from the stored one.
///
/// Upstream: `DeploymentProgressing`.
pub fn is_progressing(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let outdated = |status: &DeploymentStatus| status.replicas.saturating_sub(status.updated_replicas);
    new.updated_replicas > old.updated_replicas
        || outdated(new) < outdated(old)
        || new.ready_replicas > old.ready_replicas
        || new.available_replicas > old.available_replicas
}

/// Whether the last progress is longer ago than the deadline.
///
/// Upstream: `DeploymentTimedOut`.
pub fn is_timed_out(deployment: &Deployment, status: &DeploymentStatus, now: Time) -> bool {
    let Some(progressing) = condition(&status.conditions, PROGRESSING) else { return false };
    if !has_deadline(deployment) || &*progressing.reason == NEW_RS_AVAILABLE {
        return false;
    }
    &*progressing.reason == TIMED_OUT
        || progressing.last_update_time.is_none_or(|since| since.plus(deadline(deployment)) < now)
}

/// When to look again for the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// There is nothing to wait for.
    Never,
    /// Less than a second is left: with the queue's own delay.
    Soon,
    /// After this time.
    After(Micros),
}

/// When a Deployment whose status did not change is to be looked at again.
///
/// Upstream: `requeueStuckDeployment`. The extra second is upstream's, against skew in its timers.
pub fn next_check(deployment: &Deployment, status: &DeploymentStatus, now: Time) -> Check {
    let Some(progressing) = condition(&deployment.status.conditions, PROGRESSING) else {
        return Check::Never;
    };
    let settled = is_complete(deployment, status) || &*progressing.reason == TIMED_OUT;
    if !has_deadline(deployment) || settled {
        return Check::Never;
    }
    match progressing.last_update_time.map(|since| since.plus(deadline(deployment)).since(now)) {
        Some(left) if left >= SECOND => Check::After(left + SECOND),
        _ => Check::Soon,
    }
}

/// A condition that was updated and flipped now.
///
/// Upstream: `NewDeploymentCondition`.
pub fn new_condition(
    kind: &str,
    status: ConditionStatus,
    reason: &str,
    message: &str,
    now: Time,
) -> Condition {
    let now = Some(now.whole_seconds());
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        last_update_time: now,
        last_transition_time: now,
        ..Condition::default()
    }
}

/// Puts a condition at the end of the list, unless one with the same status and reason is there already.
///
/// Upstream: `SetDeploymentCondition`.
pub fn set_condition(conditions: &mut Vec<Condition>, mut new: Condition) {
    if let Some(old) = condition(conditions, &new.kind)
        && old.status == new.status
    {
        if old.reason == new.reason {
            return;
        }
        new.last_transition_time = old.last_transition_time;
    }
    conditions.retain(|condition| condition.kind != new.kind);
    conditions.push(new);
}

/// Counts and availability; conditions about progress are left as they are.
///
/// Upstream: `calculateStatus`.
pub fn status_of(
    deployment: &Deployment,
    all: &[Rc<ReplicaSet>],
    new: Option<&ReplicaSet>,
    now: Time,
) -> DeploymentStatus {
    let available = total_available(all);
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: total_actual(all),
        updated_replicas: new.map_or(0, |set| set.status.replicas),
        ready_replicas: all.iter().fold(0, |sum, set| sum.saturating_add(set.status.ready_replicas)),
        available_replicas: available,
        unavailable_replicas: total_size(all).saturating_sub(available).max(0),
        terminating_replicas: terminating(all),
        ..deployment.status.clone()
    };
    let enough = available >= desired(deployment).saturating_sub(max_unavailable(deployment));
    let (truth, reason, message) = if enough {
        (ConditionStatus::True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        (
            ConditionStatus::False,
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    set_condition(&mut status.conditions, new_condition("Available", truth, reason, message, now));
    status
}

/// Pods being deleted; unknown while a ReplicaSet that has been synced does not say how many it has.
fn terminating(all: &[Rc<ReplicaSet>]) -> Option<i32> {
    all.iter().try_fold(0i32, |sum, set| match set.status.terminating_replicas {
        Some(count) => Some(sum.saturating_add(count)),
        None if set.status.observed_generation == 0 => Some(sum),
        None => None,
    })
}

/// The status during a rollout: counts, availability, progress and failures of ReplicaSets.
///
/// Upstream: `syncRolloutStatus`.
pub fn rollout_status(
    deployment: &Deployment,
    all: &[Rc<ReplicaSet>],
    new: Option<&ReplicaSet>,
    now: Time,
) -> DeploymentStatus {
    let mut status = status_of(deployment, all, new, now);
    let current = condition(&deployment.status.conditions, PROGRESSING);
    let settled = status.replicas == status.updated_replicas
        && current.is_some_and(|current| &*current.reason == NEW_RS_AVAILABLE);
    if !has_deadline(deployment) {
        status.conditions.retain(|condition| &*condition.kind != PROGRESSING);
    } else if !settled && let Some(mut changed) = progress(deployment, &status, new, now) {
        if &*changed.reason == "ReplicaSetUpdated" {
            // Progress moves the update time even if status and reason stay, so the old condition must go first.
            if let Some(current) = current.filter(|current| current.status == ConditionStatus::True) {
                changed.last_transition_time = current.last_transition_time;
            }
            status.conditions.retain(|condition| &*condition.kind != PROGRESSING);
        }
        set_condition(&mut status.conditions, changed);
    }
    match replica_failure(all, new) {
        Some(failure) => set_condition(&mut status.conditions, failure),
        None => status.conditions.retain(|condition| &*condition.kind != REPLICA_FAILURE),
    }
    status
}

/// The Progressing condition that a rollout has earned, if it is to change.
fn progress(
    deployment: &Deployment,
    status: &DeploymentStatus,
    new: Option<&ReplicaSet>,
    now: Time,
) -> Option<Condition> {
    let (truth, reason, text) = if is_complete(deployment, status) {
        (ConditionStatus::True, NEW_RS_AVAILABLE, "has successfully progressed.")
    } else if is_progressing(&deployment.status, status) {
        (ConditionStatus::True, "ReplicaSetUpdated", "is progressing.")
    } else if is_timed_out(deployment, status, now) {
        (ConditionStatus::False, TIMED_OUT, "has timed out progressing.")
    } else {
        return None;
    };
    let subject = match new {
        Some(set) => format!("ReplicaSet \"{}\"", set.metadata.name),
        None => format!("Deployment \"{}\"", deployment.metadata.name),
    };
    Some(new_condition(PROGRESSING, truth, reason, &format!("{subject} {text}"), now))
}

/// The first failure of a ReplicaSet, the new one's before the others', as a condition of the Deployment.
///
/// Upstream: `getReplicaFailures`.
fn replica_failure(all: &[Rc<ReplicaSet>], new: Option<&ReplicaSet>) -> Option<Condition> {
    let others = all.iter().map(|set| &**set);
    let failure =
        new.into_iter().chain(others).find_map(|set| condition(&set.status.conditions, REPLICA_FAILURE))?;
    Some(Condition { last_update_time: failure.last_transition_time, ..failure.clone() })
}
