//! What a failed pod means by the Job's pod failure policy.
//!
//! Upstream: pkg/controller/job/pod_failure_policy.go.

use setpoint_api::{ContainerStatus, OnExitCodes, Pod, PodFailurePolicy};

/// What a policy says about a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why the Job has failed, if it has.
    pub message: Option<String>,
    /// Whether the failure counts.
    pub counts: bool,
    /// The action of the rule that fits.
    pub action: Option<&'static str>,
}

/// Upstream: `matchPodFailurePolicy`.
pub fn judge(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Verdict {
    for (index, rule) in policy.iter().flat_map(|policy| policy.rules.iter()).enumerate() {
        let Some(action) =
            ["Ignore", "FailIndex", "Count", "FailJob"].into_iter().find(|word| *word == &*rule.action)
        else {
            continue;
        };
        let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
        let why = match &rule.on_exit_codes {
            Some(codes) => exited_with(pod, codes).map(|(container, code)| {
                let container = &container.name;
                format!("Container {container} for pod {namespace}/{name} failed with exit code {code}")
            }),
            None => {
                let mut conditions = pod.status.conditions.iter();
                let fits = |kind: &str, status| {
                    rule.on_pod_conditions
                        .iter()
                        .any(|wanted| &*wanted.kind == kind && wanted.status == status)
                };
                let condition = conditions.find(|condition| fits(&condition.kind, condition.status));
                condition.map(|condition| format!("Pod {namespace}/{name} has condition {}", condition.kind))
            }
        };
        if let Some(why) = why {
            let message = format!("{why} matching {action} rule at index {index}");
            let message = (action == "FailJob").then_some(message);
            return Verdict { message, counts: action != "Ignore", action: Some(action) };
        }
    }
    Verdict { message: None, counts: true, action: None }
}

/// The container whose exit code fits, and the code.
///
/// Upstream: `matchOnExitCodes`.
fn exited_with<'a>(pod: &'a Pod, wanted: &OnExitCodes) -> Option<(&'a ContainerStatus, i32)> {
    let all = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
    let failed = |status: &'a ContainerStatus| {
        let code = status.state.terminated.as_ref()?.exit_code;
        let is_named = wanted.container_name.as_ref().is_none_or(|name| *name == status.name);
        let fits = match &*wanted.operator {
            "In" => wanted.values.contains(&code),
            "NotIn" => !wanted.values.contains(&code),
            _ => false,
        };
        (code != 0 && is_named && fits).then_some((status, code))
    };
    all.filter_map(failed).next()
}
