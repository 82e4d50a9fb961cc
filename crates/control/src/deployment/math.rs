//! Pure arithmetic of rollouts: how many pods may be too many or missing, and how a change of size is shared out.
//!
//! Upstream: pkg/controller/deployment/util/deployment_util.go.

use setpoint_api::{Deployment, IntOrPercent, ReplicaSet, RollingUpdateDeployment};
use std::rc::Rc;

/// Annotation of a ReplicaSet: the Deployment's replicas when it was last scaled.
pub const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
/// Annotation of a ReplicaSet: the Deployment's replicas plus surge when it was last scaled.
pub const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";

/// Pods that a Deployment wants.
pub fn desired(deployment: &Deployment) -> i32 {
    deployment.spec.replicas.unwrap_or(1)
}

/// Pods that a ReplicaSet wants.
pub fn size(set: &ReplicaSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

/// Pods that all these ReplicaSets want together.
pub fn total_size(sets: &[Rc<ReplicaSet>]) -> i32 {
    sets.iter().fold(0, |sum, set| sum.saturating_add(size(set)))
}

/// Pods that all these ReplicaSets have, as their status says.
pub fn total_actual(sets: &[Rc<ReplicaSet>]) -> i32 {
    sets.iter().fold(0, |sum, set| sum.saturating_add(set.status.replicas))
}

/// Available pods of all these ReplicaSets, as their status says.
pub fn total_available(sets: &[Rc<ReplicaSet>]) -> i32 {
    sets.iter().fold(0, |sum, set| sum.saturating_add(set.status.available_replicas))
}

/// Whether the strategy is RollingUpdate.
pub fn is_rolling_update(deployment: &Deployment) -> bool {
    &*deployment.spec.strategy.kind == "RollingUpdate"
}

/// Surge and missing pods that a rolling update may have. Surge rounds up, missing rounds down; if both come to nothing, one
/// pod may be missing, for otherwise nothing could ever move.
///
/// # Errors
/// The text of a value that is neither a number nor a percentage.
///
/// Upstream: `ResolveFenceposts`.
pub fn resolve_fenceposts(
    max_surge: Option<&IntOrPercent>,
    max_unavailable: Option<&IntOrPercent>,
    desired: i32,
) -> Result<(i32, i32), String> {
    let scaled = |limit: Option<&IntOrPercent>, up| limit.map_or(Ok(0), |limit| limit.scaled(desired, up));
    let (surge, unavailable) = (scaled(max_surge, true)?, scaled(max_unavailable, false)?);
    Ok(if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) })
}

fn limits(deployment: &Deployment) -> (i32, i32) {
    let none = RollingUpdateDeployment::default();
    let rolling = deployment.spec.strategy.rolling_update.as_ref().unwrap_or(&none);
    let (surge, unavailable) = (rolling.max_surge.as_ref(), rolling.max_unavailable.as_ref());
    resolve_fenceposts(surge, unavailable, desired(deployment)).unwrap_or((0, 0))
}

/// Pods that may be too many during a rolling update.
///
/// Upstream: `MaxSurge`.
pub fn max_surge(deployment: &Deployment) -> i32 {
    if is_rolling_update(deployment) { limits(deployment).0 } else { 0 }
}

/// Pods that may be missing during a rolling update.
///
/// Upstream: `MaxUnavailable`.
pub fn max_unavailable(deployment: &Deployment) -> i32 {
    if !is_rolling_update(deployment) || desired(deployment) == 0 {
        return 0;
    }
    limits(deployment).1.min(desired(deployment))
}

/// Pods that must be available during a rolling update.
///
/// Upstream: `MinAvailable`.
pub fn min_available(deployment: &Deployment) -> i32 {
    if is_rolling_update(deployment) { desired(deployment) - max_unavailable(deployment) } else { 0 }
}

/// Pods that all ReplicaSets may have together.
pub fn max_total(deployment: &Deployment) -> i32 {
    desired(deployment).saturating_add(max_surge(deployment))
}

/// The size to which the new ReplicaSet may grow now, when all ReplicaSets together want `total` pods and it wants `size`.
///
/// # Errors
/// A strategy or a surge that is none.
///
/// Upstream: `NewRSNewReplicas`.
pub fn new_size(deployment: &Deployment, total: i32, size: i32) -> Result<i32, String> {
    let wanted = desired(deployment);
    match &*deployment.spec.strategy.kind {
        "Recreate" => Ok(wanted),
        "RollingUpdate" => {
            let surge = deployment.spec.strategy.rolling_update.as_ref().and_then(|r| r.max_surge.as_ref());
            let surge = surge.map_or(Ok(0), |surge| surge.scaled(wanted, true))?;
            let room = wanted.saturating_add(surge).saturating_sub(total);
            Ok(if room <= 0 { size } else { size.saturating_add(room.min(wanted.saturating_sub(size))) })
        }
        other => Err(format!("deployment type {other} isn't supported")),
    }
}

/// How much a ReplicaSet's size would change if it kept its share of the Deployment.
///
/// Upstream: `getReplicaSetFraction`.
pub fn fraction(deployment: &Deployment, set: &ReplicaSet) -> i32 {
    let base = i64::from(size(set));
    if desired(deployment) == 0 {
        return clamp(-base);
    }
    let before = set.metadata.annotation(MAX_REPLICAS).and_then(|text| text.parse::<i32>().ok());
    let before = match before.unwrap_or(0) {
        0 => deployment.status.replicas,
        before => before,
    };
    if before == 0 {
        return 0;
    }
    clamp(rounded(base * i64::from(max_total(deployment)), i64::from(before)) - base)
}

/// The part of `to_add` (negative when shrinking) that falls to a ReplicaSet, when `added` has been handed out already.
///
/// Upstream: `GetReplicaSetProportion`.
pub fn proportion(deployment: &Deployment, set: &ReplicaSet, to_add: i32, added: i32) -> i32 {
    if size(set) == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let (fraction, allowed) = (fraction(deployment, set), to_add.saturating_sub(added));
    if to_add > 0 { fraction.min(allowed) } else { fraction.max(allowed) }
}

/// The quotient, halves rounded away from zero.
fn rounded(dividend: i64, divisor: i64) -> i64 {
    let magnitude = (2 * dividend.abs() + divisor.abs()) / (2 * divisor.abs());
    if (dividend < 0) == (divisor < 0) { magnitude } else { -magnitude }
}

fn clamp(value: i64) -> i32 {
    value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}
