//! Which nodes a daemon pod should be on.

use super::{Outcome, read, same};
use serde_json::{Value, json};
use setpoint_api::{Node, ObjectMeta, PodSpec, Taint};
use setpoint_control::daemonset::nodes::Demand;

/// `daemonset`.
pub(super) fn node_should_run(input: &Value, expect: &Value) -> Outcome {
    let mut spec = input["podSpec"].clone();
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        container["name"] = "main".into();
    }
    let spec: PodSpec = read(&spec);
    let given = &input["node"];
    let field = |key: &str| given.get(key).cloned().unwrap_or_else(|| json!({}));
    let metadata: ObjectMeta = read(&json!({ "name": given["name"], "labels": field("labels") }));
    let mut node = Node { metadata, ..Node::default() };
    let taints = given.get("taints").cloned().unwrap_or_else(|| json!([]));
    node.spec.taints = read::<Vec<Taint>>(&taints).into();
    let (should_run, may_go_on) = Demand::of(&spec).of_node(&node);
    same(json!({ "shouldRun": should_run, "shouldContinueRunning": may_go_on }), expect.clone())
}
