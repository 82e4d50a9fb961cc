//! What pods count for in a ResourceQuota.

use super::{Outcome, expect, read};
use serde_json::Value;
use setpoint_api::{Pod, Quantity, Str};
use setpoint_control::quota::pod_usage;

/// `quota-usage`.
pub(super) fn usage(case: &Value) -> Outcome {
    let pod: Pod = read(&case["input"]["pod"]);
    let amount = |(name, value): (&String, &Value)| {
        Some((Str::from(name.as_str()), Quantity::parse(value.as_str()?).ok()?))
    };
    let wanted = case["expect"]["usage"].as_object().into_iter().flatten().filter_map(amount).collect();
    expect("usage", pod_usage(&pod), wanted)
}
