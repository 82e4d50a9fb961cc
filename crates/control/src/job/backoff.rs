//! How long a Job waits after failures.
//!
//! Upstream: pkg/controller/job/backoff_utils.go.

use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Pod, Time, condition};

/// The first wait.
pub const FIRST: Micros = 10 * SECOND;
/// The longest wait.
pub const LONGEST: Micros = 600 * SECOND;

/// Failures since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How many.
    pub failures: i32,
    /// When the last of them was.
    pub last: Option<Time>,
}

impl Record {
    /// The record after more pods have ended.
    ///
    /// Upstream: `newBackoffRecord`.
    pub fn with(self, succeeded: &[&Pod], failed: &[&Pod]) -> Self {
        let last_success = succeeded.iter().map(|pod| finished_at(pod)).max();
        let mut failed: Vec<Time> = failed.iter().map(|pod| finished_at(pod)).gather();
        order::sort_by_key(&mut failed, |at| *at);
        let Some(success) = last_success else {
            let failures = self.failures.saturating_add(failed.len() as i32);
            return Self { failures, last: failed.last().copied().or(self.last) };
        };
        let after = failed.iter().filter(|at| **at > success).count() as i32;
        Self { failures: after, last: failed.last().copied().filter(|_| after > 0) }
    }
    /// How long to wait still.
    ///
    /// Upstream: `getRemainingTimeForFailuresCount`.
    pub fn remaining(self, now: Time, first: Micros, longest: Micros) -> Micros {
        let Some(last) = self.last.filter(|_| self.failures > 0) else { return 0 };
        let mut wait = first;
        for _ in 1..self.failures {
            wait = wait.saturating_mul(2);
            if wait >= longest {
                break;
            }
        }
        (wait.min(longest) - now.since(last)).max(0)
    }
}

/// When a pod ended: the end of its last container or sidecar, the end of its readiness, or its deletion.
///
/// Upstream: `getFinishedTime`.
pub fn finished_at(pod: &Pod) -> Time {
    let is_sidecar = |name: &str| {
        let mut all = pod.spec.init_containers.iter();
        all.any(|container| *container.name == *name && container.restart_policy.as_deref() == Some("Always"))
    };
    let sidecars = pod.status.init_container_statuses.iter().filter(|status| is_sidecar(&status.name));
    let mut containers = Some(Time(i64::MIN));
    for status in pod.status.container_statuses.iter().chain(sidecars) {
        let ended = status.state.terminated.as_ref().and_then(|end| end.finished_at);
        containers = containers.zip(ended).map(|(last, ended)| last.max(ended));
    }
    let containers = containers.filter(|_| !pod.status.container_statuses.is_empty());
    let unready = condition(&pod.status.conditions, "Ready")
        .filter(|ready| ready.status == setpoint_api::ConditionStatus::False)
        .and_then(|ready| ready.last_transition_time);
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
    let deleted = pod.metadata.deletion_timestamp.map(|at| at.plus(-grace.saturating_mul(SECOND)));
    containers.or(unready).or(deleted).or(pod.metadata.creation_timestamp).unwrap_or_default()
}
