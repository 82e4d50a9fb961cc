//! Taints and the tolerations that put up with them.
//!
//! Upstream: staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go, staging/src/k8s.io/api/core/v1/toleration.go,
//! pkg/util/taints/taints.go.
//!
//! The operators `Lt` and `Gt` are here, but no pod has them: validation turns them down, for their gate
//! TaintTolerationComparisonOperators is off by default in 1.36.

use setpoint_api::{Str, Taint, Time, Toleration};

/// Ready is false.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// Ready is unknown.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// The node is cordoned.
pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// The node is short of memory.
pub const MEMORY_PRESSURE: &str = "node.kubernetes.io/memory-pressure";
/// The node is short of disk.
pub const DISK_PRESSURE: &str = "node.kubernetes.io/disk-pressure";
/// The node is short of process ids.
pub const PID_PRESSURE: &str = "node.kubernetes.io/pid-pressure";
/// The node's network is not set up.
pub const NETWORK_UNAVAILABLE: &str = "node.kubernetes.io/network-unavailable";
/// A person says that the node is off for good.
pub const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Keeps new pods away.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// Drives pods away that are already there.
pub const NO_EXECUTE: &str = "NoExecute";

/// A taint without a value.
pub fn taint(key: &str, effect: &str, time_added: Option<Time>) -> Taint {
    Taint { key: key.into(), value: Str::default(), effect: effect.into(), time_added, rest: None }
}

/// Whether there is a taint of that key and effect; nothing else tells taints apart.
///
/// Upstream: `TaintExists`, `MatchTaint`.
pub fn has_taint(taints: &[Taint], key: &str, effect: &str) -> bool {
    taints.iter().any(|taint| &*taint.key == key && &*taint.effect == effect)
}

/// Whether the toleration puts up with the taint.
///
/// Upstream: `Toleration.ToleratesTaint`.
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    if !toleration.effect.is_empty() && toleration.effect != taint.effect {
        return false;
    }
    if !toleration.key.is_empty() && toleration.key != taint.key {
        return false;
    }
    match &*toleration.operator {
        "" | "Equal" => toleration.value == taint.value,
        "Exists" => true,
        "Lt" => numbers(toleration, taint).is_some_and(|(bound, value)| value < bound),
        "Gt" => numbers(toleration, taint).is_some_and(|(bound, value)| value > bound),
        _ => false,
    }
}

/// The values of both as whole numbers, if they are such.
///
/// Upstream: `compareNumericValues`.
fn numbers(toleration: &Toleration, taint: &Taint) -> Option<(i64, i64)> {
    // Only the shortest form of a number counts: no sign `+`, no zeros in front.
    let number = |text: &str| text.parse().ok().filter(|number: &i64| number.to_string() == text);
    Some((number(&toleration.value)?, number(&taint.value)?))
}

/// The first matching toleration of each taint, or nothing if one of the taints is not tolerated.
///
/// Upstream: `GetMatchingTolerations`.
pub fn matching_tolerations<'a>(
    mut taints: impl Iterator<Item = &'a Taint>,
    tolerations: &'a [Toleration],
) -> Option<Vec<&'a Toleration>> {
    let first_match = |taint| tolerations.iter().find(|toleration| tolerates(toleration, taint));
    taints.try_fold(Vec::new(), |mut used, taint| {
        used.push(first_match(taint)?);
        Some(used)
    })
}
