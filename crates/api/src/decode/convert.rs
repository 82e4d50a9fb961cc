//! Objects of a version that is served beside the one that is modelled.
//!
//! Upstream: pkg/apis/autoscaling/v1/conversion.go.
//! Simplified: an autoscaler of autoscaling/v1 keeps its target for CPU, not the metrics that its annotations may hold.

use serde_json::{Value, json};

/// An object in the version that is modelled.
pub(crate) fn to_model(mut value: Value) -> Value {
    if value["apiVersion"] != "autoscaling/v1" || value["kind"] != "HorizontalPodAutoscaler" {
        return value;
    }
    value["apiVersion"] = "autoscaling/v2".into();
    if let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(percent) = spec.remove("targetCPUUtilizationPercentage")
    {
        let target = json!({ "type": "Utilization", "averageUtilization": percent });
        spec.insert(
            "metrics".into(),
            json!([{ "type": "Resource", "resource": { "name": "cpu", "target": target } }]),
        );
    }
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    value
}
