//! Sentences for people: actions, facts, causes.

pub use crate::tiles::status_word;
use setpoint_sim::Action;

/// The action in a sentence.
pub fn describe_action(action: &Action) -> String {
    match action {
        Action::SetLoad { service, rps, .. } => {
            format!("You set the load on {service} to {rps} requests per second.")
        }
        Action::SetCpuLoad { service, milli, .. } => {
            format!("You set the CPU load behind {service} to {milli}m.")
        }
        Action::KillMachine { node } => format!("You cut the power of {node}."),
        Action::RestoreMachine { node } => format!("You gave {node} its power back."),
        Action::AddMachine { node } => format!("You added the machine {node}."),
        Action::Scale { deployment, replicas, .. } => {
            format!("You set deployment {deployment} to {replicas} replicas.")
        }
        Action::SetImage { deployment, image, .. } => {
            format!("You deployed {image} to deployment {deployment}.")
        }
        Action::Undo { deployment, to_revision: None, .. } => {
            format!("You rolled deployment {deployment} back to the revision before.")
        }
        Action::Undo { deployment, to_revision: Some(revision), .. } => {
            format!("You rolled deployment {deployment} back to revision {revision}.")
        }
        Action::SetPaused { deployment, paused: true, .. } => {
            format!("You paused the rollout of deployment {deployment}.")
        }
        Action::SetPaused { deployment, paused: false, .. } => {
            format!("You resumed the rollout of deployment {deployment}.")
        }
        Action::DeletePod { pod, .. } => format!("You deleted pod {pod}."),
        Action::DeletePods { selector, nth: None, .. } => format!("You deleted the pods with {selector}."),
        Action::DeletePods { selector, nth: Some(_), .. } => format!("You deleted a pod with {selector}."),
        Action::CrashPod { pod, .. } => format!("You crashed pod {pod}."),
        Action::WedgePod { pod, .. } => format!("You made pod {pod} hang."),
        Action::SetCordoned { node, cordoned: true } => format!("You cordoned {node}."),
        Action::SetCordoned { node, cordoned: false } => format!("You uncordoned {node}."),
        Action::SetStrategy { deployment, max_surge, max_unavailable, .. } => {
            format!("You set deployment {deployment} to surge {max_surge}, unavailable {max_unavailable}.")
        }
        Action::Drain { node } => format!("You began to drain {node}."),
        Action::Apply { .. } => "You applied a manifest.".to_string(),
        Action::Delete { kind, name, .. } => format!("You deleted {kind} {name}."),
        Action::SetProfile { real: true } => "You switched to upstream's default timing.".to_string(),
        Action::SetProfile { real: false } => "You switched to classroom timing.".to_string(),
        Action::SetComponent { component, up: true } => format!("You started {component}."),
        Action::SetComponent { component, up: false } => format!("You stopped {component}."),
    }
}

/// The chart's mark of an action in two or three words; `None` for actions that leave none.
pub fn mark_of(action: &Action) -> Option<String> {
    Some(match action {
        Action::SetLoad { rps, .. } => format!("load {rps}"),
        Action::KillMachine { node } => format!("{node} off"),
        Action::RestoreMachine { node } => format!("{node} on"),
        Action::Scale { replicas, .. } => format!("scale {replicas}"),
        Action::SetImage { image, .. } => format!("deploy {}", crate::tiles::version_of(image)),
        Action::Undo { .. } => "undo".to_string(),
        Action::SetPaused { paused: true, .. } => "pause".to_string(),
        Action::SetPaused { paused: false, .. } => "resume".to_string(),
        Action::DeletePod { .. } | Action::DeletePods { .. } => "delete pod".to_string(),
        Action::CrashPod { .. } => "crash pod".to_string(),
        Action::WedgePod { .. } => "hang pod".to_string(),
        Action::Drain { node } => format!("drain {node}"),
        Action::SetComponent { component, up } => format!("{component} {}", if *up { "on" } else { "off" }),
        _ => return None,
    })
}
