//! The line below the title: what this is, and then what to watch after each thing that the person does.

use setpoint_lab::frame::Frame;
use setpoint_lab::{Action, Session, builtin};
use yew::AttrValue;

/// What there is to see in a scenario that was chosen; nothing for the one that the page starts with, which has its own line.
pub fn first(session: &Session) -> AttrValue {
    let is_welcome = session.scenario_name() == builtin::ALL[0].1;
    if is_welcome { AttrValue::Static("") } else { session.about().to_string().into() }
}

/// What to watch after an action, or why it was not done.
pub fn after(action: &Action, frame: &Frame) -> String {
    if let Some(refusal) = refusal(frame) {
        return format!("Not done: {refusal}");
    }
    let app = frame.app.as_deref();
    let has_hpa = app.is_some_and(|app| app.autoscaler.is_some());
    let missing = app.map_or(0, |app| app.max_unavailable);
    match action {
        Action::SetLoad { rps, .. } if frame.traffic.offered_rps < *rps => {
            format!("The simulator sends at most {} requests per second.", frame.traffic.offered_rps)
        }
        Action::SetLoad { rps, .. } if has_hpa => format!(
            "{rps} requests per second. Watch: CPU follows, and the HPA sets replicas to ceil(pods × CPU / target)."
        ),
        Action::SetLoad { rps, .. } => {
            format!("{rps} requests per second. Watch: CPU and latency follow; no autoscaler adds pods.")
        }
        Action::KillMachine { node } => format!(
            "{node} lost power. Watch: its lease expires, its pods are evicted, replacements start elsewhere."
        ),
        Action::RestoreMachine { node } => {
            format!("{node} starts again. Watch: it turns Ready and takes new pods; none is moved back.")
        }
        Action::StopKubelet { node } => format!(
            "The kubelet of {node} stopped. Watch: its pods go on serving, until the cluster gives the silent node up."
        ),
        Action::StartKubelet { node } => {
            format!(
                "The kubelet of {node} starts. Watch: it takes its containers over, none is started anew."
            )
        }
        Action::AddMachine { node } => {
            format!("{node} starts. Watch: it registers, and waiting pods find it.")
        }
        Action::Scale { .. } if has_hpa => {
            "Replicas changed. Watch: pods follow, and at its next look the HPA may set another number."
                .to_string()
        }
        Action::Scale { .. } => {
            "Replicas changed. Watch: the ReplicaSet creates or deletes pods until it has as many."
                .to_string()
        }
        Action::SetImage { image, .. } if image.ends_with(":broken") => {
            format!("{image} rolls out. Watch: it never gets ready, the old pods go on serving; then undo.")
        }
        Action::SetImage { image, .. } if missing == 0 => {
            format!("{image} rolls out. Watch: an old pod ends only once a new one is ready to serve.")
        }
        Action::SetImage { image, .. } => {
            format!("{image} rolls out. Watch: old pods end first; {missing} may be missing at a time.")
        }
        Action::Undo { .. } => {
            "Rolled back. Watch: it is one more rolling update, back to an earlier template.".to_string()
        }
        Action::SetPaused { paused: true, .. } => {
            "Paused. Watch: the pods stay as they are, both versions serve, until you resume.".to_string()
        }
        Action::SetPaused { paused: false, .. } => {
            "Resumed. Watch: the rollout goes on where it stopped.".to_string()
        }
        Action::DeletePod { .. } | Action::DeletePods { .. } => {
            "Pod deleted. Watch: it leaves the Service, ends, and the ReplicaSet creates another.".to_string()
        }
        Action::CrashPod { .. } => {
            "Container exited. Watch: the kubelet restarts it in place, later after every crash.".to_string()
        }
        Action::WedgePod { .. } => {
            "The process hangs. Watch: readiness takes it out of the Service, then liveness restarts it."
                .to_string()
        }
        Action::SetDiskFull { node, full: true } => format!(
            "The disk of {node} is full. Watch: its kubelet evicts pods one by one; what has an owner starts elsewhere, the rest stays dead."
        ),
        Action::SetDiskFull { node, full: false } => {
            format!("The disk of {node} is free. Watch: after a while the node takes pods again.")
        }
        Action::UseMemory { .. } => {
            "It takes memory. Watch: above its limit the kernel kills it; where the node runs short, the kubelet evicts."
                .to_string()
        }
        Action::WriteFile { path, .. } => {
            format!("{path} is written. What stands in a claimed volume outlives the pod; the rest does not.")
        }
        Action::SetCordoned { node, cordoned: true } => {
            format!("{node} is cordoned. Watch: its pods stay, but new ones go elsewhere.")
        }
        Action::SetCordoned { node, cordoned: false } => format!("{node} takes new pods again."),
        Action::Drain { node } => {
            format!(
                "{node} is drained. Watch: it is cordoned, its pods are evicted as budgets allow, and replaced elsewhere."
            )
        }
        Action::SetStrategy { max_surge, max_unavailable, .. } => format!(
            "The next rollout may have {max_surge} more pods than wanted and {max_unavailable} fewer ready."
        ),
        Action::SetComponent { component, up: false } => format!(
            "{component} is stopped. Watch: requests are still served; what it does is not done until it starts."
        ),
        Action::SetComponent { component, up: true } => {
            format!("{component} runs. Watch: it reads the state as it is, and catches up.")
        }
        Action::SetPeriod { .. } => {
            "It holds from the next round on; the feed says what it was set to.".to_string()
        }
        Action::SetProfile { real: true } => {
            "Upstream's periods are in force. Pods that exist keep their old toleration of a dead node: restart for the default of 300 s."
                .to_string()
        }
        Action::SetProfile { real: false } => {
            "Short periods are in force: a dead node is noticed after 4 s instead of 50 s.".to_string()
        }
        Action::Request { .. } | Action::Apply { .. } => {
            "Applied. Watch: the controllers compare it with what is, and act.".to_string()
        }
        Action::Delete { kind, name, .. } => format!("{kind} {name} is deleted, and with it what it owns."),
        Action::SetCpuLoad { .. } => "The CPU load changed. Watch: the HPA follows it.".to_string(),
    }
}

/// The sentence with which the last action was refused.
fn refusal(frame: &Frame) -> Option<&str> {
    let said = frame.feed.first()?;
    (&*said.reason == "NotDone" && said.at_us == frame.at_us).then_some(&*said.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use setpoint_lab::frame::{FeedLine, Traffic};
    use std::rc::Rc;

    #[test]
    fn it_follows_what_was_done_or_tells_why_not() {
        let load = Action::SetLoad { namespace: "default".into(), service: "web".into(), rps: 90_000 };
        let mut frame = Frame {
            traffic: Traffic { offered_rps: 20_000, ..Traffic::default() }.into(),
            ..Frame::default()
        };
        assert_eq!(after(&load, &frame), "The simulator sends at most 20000 requests per second.");
        let line =
            FeedLine { reason: "NotDone".into(), message: "no such node".into(), ..FeedLine::default() };
        frame.feed = Rc::new(vec![line.into()]);
        assert_eq!(after(&load, &frame), "Not done: no such node");
        frame.at_us = 1;
        assert!(
            after(&Action::KillMachine { node: "node-02".into() }, &frame).starts_with("node-02 lost power.")
        );
    }
}
