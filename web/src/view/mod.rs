//! What the page looks like: functions of frames.

pub mod balancer;
mod chaos;
mod chart;
mod chart_lane;
mod controls;
mod crowd;
mod feed;
mod gauges;
mod node;
pub mod nodes;
mod number;
pub mod panel;
mod parts;
pub mod pending;
pub mod plane;
mod pod;
mod tally;
pub mod topbar;

use setpoint_lab::frame::{Frame, PodTile};
use setpoint_lab::inspect::Subject;

/// Namespace and name of the Service that the load goes to.
pub fn service_of(frame: &Frame) -> Option<(String, String)> {
    let balancer = frame.balancer.as_ref()?;
    let name = balancer.name.split(':').next()?.to_string();
    let namespace = frame.app.as_ref().map_or("default", |app| &app.namespace).to_string();
    Some((namespace, name))
}

/// A pod as something to look at closely.
pub fn subject_of(pod: &PodTile) -> Subject {
    Subject::Object { kind: "pod".into(), namespace: pod.namespace.clone(), name: pod.name.clone() }
}

/// Whether the pod is what is looked at closely.
pub fn is_selected(pod: &PodTile, selected: Option<&Subject>) -> bool {
    matches!(selected, Some(Subject::Object { kind, namespace, name })
        if **kind == *"pod" && *name == pod.name && *namespace == pod.namespace)
}
