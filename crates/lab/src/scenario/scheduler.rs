//! The scheduler's part of a scenario file.

use super::ScenarioReader;
use setpoint_api::Gather as _;
use setpoint_api::text::{Node, NodeValue};
use setpoint_api::{Str, order};
use setpoint_control::scheduler::strategy::{Profile, Strategy, Weights};

impl ScenarioReader {
    /// How the scheduler scores room: its plugins' arguments by the names that its configuration file has.
    pub(super) fn scheduler(&mut self, node: &Node) -> Profile {
        let mut profile = Profile::default();
        let mut points = Vec::new();
        for (key, node) in self.fields(node, "scheduler", &["type", "resources", "shape"]) {
            match key {
                "type" => match &*self.text(node) {
                    "LeastAllocated" => profile.strategy = Strategy::LeastAllocated,
                    "MostAllocated" => profile.strategy = Strategy::MostAllocated,
                    "RequestedToCapacityRatio" => {
                        profile.strategy = Strategy::RequestedToCapacityRatio(Vec::new());
                    }
                    _ => self.fail(
                        node.span,
                        "expected LeastAllocated, MostAllocated or RequestedToCapacityRatio",
                    ),
                },
                "resources" => {
                    let weights = self.numbers(node, 100);
                    profile.fit = Weights::of(weights.iter().map(|(name, weight)| (&**name, *weight)));
                    profile.balanced = profile.fit.clone();
                }
                _ => {
                    let shape = self.numbers(node, 10);
                    points = shape.iter().filter_map(|(at, score)| Some((at.parse().ok()?, *score))).gather();
                    order::sort(&mut points);
                }
            }
        }
        if let Strategy::RequestedToCapacityRatio(shape) = &mut profile.strategy {
            *shape = points;
        }
        profile
    }

    /// A mapping of names to numbers from 0 to `most`.
    fn numbers(&mut self, node: &Node, most: i64) -> Vec<(Str, i64)> {
        let NodeValue::Map(fields) = &node.value else {
            self.fail(node.span, "expected a mapping to integers");
            return Vec::new();
        };
        fields.iter().map(|(key, value)| (key.text.clone(), self.integer(value, 0, most))).gather()
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    /// Two nodes, one of them half full: where the next pod goes.
    #[test]
    fn the_strategy_decides_where_a_pod_goes() {
        for (scheduler, expected) in [
            ("", "empty"),
            ("  scheduler: {type: LeastAllocated}\n", "empty"),
            ("  scheduler: {type: MostAllocated}\n", "half"),
            ("  scheduler: {type: RequestedToCapacityRatio, shape: {0: 0, 100: 10}}\n", "half"),
            ("  scheduler: {type: RequestedToCapacityRatio, shape: {0: 10, 100: 0}}\n", "empty"),
        ] {
            let pod = |name: &str, node: &str| {
                format!(
                    "- {{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{node}containers: [{{name: c, image: nginx, \
                     resources: {{requests: {{cpu: 2, memory: 4Gi}}}}}}]}}}}\n"
                )
            };
            let text = format!(
                "cluster:\n{scheduler}  nodes: [{{name: empty, cpu: 4, memory: 8Gi}}, {{name: half, cpu: 4, memory: 8Gi}}]\n\
                 manifests:\n{}{}",
                pod("there", "nodeName: half, "),
                pod("next", ""),
            );
            let sim = Scenario::read(&text).expect("a good scenario").run(1, setpoint_api::Time(10_000_000));
            let next = sim.store().find::<setpoint_api::Pod>("default", "next").expect("it was made");
            assert_eq!(next.spec.node_name.as_deref(), Some(expected), "{scheduler}");
        }
    }
}
