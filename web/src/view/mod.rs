//! What the page looks like: functions of frames.

pub mod balancer;
mod chaos;
mod chart;
mod chart_lane;
mod controls;
mod crowd;
mod dock;
mod editor;
mod feed;
mod gauges;
mod inspector;
mod node;
pub mod nodes;
mod number;
pub mod panel;
mod parts;
pub mod pending;
pub mod plane;
mod pod;
mod sheet;
mod side;
mod tally;
mod terminal;
pub mod things;
pub mod topbar;
mod tour;
mod why;

use crate::app::{Msg, Send};
use crate::side::Side;
use setpoint_lab::frame::{Frame, PodTile};
use setpoint_lab::inspect::Subject;
use yew::prelude::*;

/// Namespace and name of the Service that the load goes to.
pub fn service_of(frame: &Frame) -> Option<(String, String)> {
    let balancer = frame.balancer.as_ref()?;
    let name = balancer.name.split(':').next()?.to_string();
    let namespace = frame.app.as_ref().map_or("default", |app| &app.namespace).to_string();
    Some((namespace, name))
}

/// Where the details are below the cluster: the way there. Its line is always there, so that nothing moves.
pub fn below(side: &Side, send: &Send) -> Html {
    let name = match (&side.seen, &side.selected) {
        (Some(seen), _) => Some(&seen.name),
        (None, Some(Subject::Object { name, .. } | Subject::Component(name))) => Some(name),
        (None, None) => None,
    };
    html! {
        <p class="below">
            if let Some(name) = name {
                <b class="mono">{ name.clone() }</b>
                <button onclick={send.reform(|_: MouseEvent| Msg::ToDetails)}>{ "Details below ↓" }</button>
            } else {
                { "Press anything in the cluster to see it closely, below." }
            }
        </p>
    }
}

/// A listener that sends a message for some of what it hears.
pub fn when<E: 'static>(send: &Send, make: impl Fn(E) -> Option<Msg> + 'static) -> Callback<E> {
    let send = send.clone();
    Callback::from(move |event| {
        if let Some(msg) = make(event) {
            send.emit(msg);
        }
    })
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
