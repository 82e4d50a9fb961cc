//! The place of preemption: what is said when no node does.
//!
//! Upstream: pkg/scheduler/framework/preemption/preemption.go (`Evaluator.Preempt`),
//! plugins/defaultpreemption, plugins/dynamicresources (`PostFilter`).
//! Simplified: no victims are looked for yet, so that every node on which a removal could help has none.

use super::message::FitError;
use setpoint_api::PodSpec;

/// What the filters after filtering say of a pod for which none of `nodes` nodes did; on `resolvable` of them the removal
/// of pods might help.
pub fn after_filtering(spec: &PodSpec, nodes: i64, resolvable: i64) -> String {
    let found = if spec.preemption_policy.as_deref() == Some("Never") {
        "not eligible due to preemptionPolicy=Never.".to_string()
    } else {
        let mut error = FitError { nodes, ..FitError::default() };
        error.count("No preemption victims found for incoming pod".into(), resolvable);
        error.count("Preemption is not helpful for scheduling".into(), nodes - resolvable);
        error.text()
    };
    format!("no new claims to deallocate, preemption: {found}")
}
