//! The arithmetic of disruption budgets.

use super::forms::{int, pod, time};
use super::{Outcome, read, same};
use serde_json::{Value, json};
use setpoint_api::DisruptionBudgetSpec;
use setpoint_control::disruption::{Demand, allowed, count_healthy, demand};

/// `pdb`.
pub(super) fn budgets(input: &Value, expect: &Value) -> Outcome {
    let found = match input["op"].as_str() {
        Some("desiredHealthy") => {
            let bounds =
                json!({ "minAvailable": input["minAvailable"], "maxUnavailable": input["maxUnavailable"] });
            let spec: DisruptionBudgetSpec = read(&bounds);
            let demand = demand(&spec, int(&input["matchedPods"]), int(&input["expectedPods"]));
            json!({ "desiredHealthy": demand.healthy })
        }
        Some("countHealthy") => {
            let given = input["pods"].as_array().into_iter().flatten();
            let pods: Vec<_> = given
                .map(|given| {
                    let deleted = (given["deleting"] == true).then_some("2026-01-01T00:00:00Z");
                    pod(&json!({
                        "metadata": { "name": given["name"], "deletionTimestamp": deleted },
                        "status": { "conditions": given["conditions"] },
                    }))
                })
                .collect();
            let pods: Vec<_> = pods.iter().collect();
            let evicted = read(&input["disruptedPods"]);
            json!({ "healthy": count_healthy(&pods, &evicted, time(&input["now"])) })
        }
        _ => {
            let number = |key: &str| int(&input[key]);
            let demand = Demand { expected: number("expectedPods"), healthy: number("desiredHealthy") };
            json!({ "disruptionsAllowed": allowed(number("currentHealthy"), demand) })
        }
    };
    same(found, expect.clone())
}
