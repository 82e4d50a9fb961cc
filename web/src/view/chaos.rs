//! Things to break, each aimed at what was chosen or at what comes first.

use super::is_selected;
use super::panel::Props;
use crate::app::Msg;
use setpoint_lab::Action;
use setpoint_lab::frame::{Frame, NodeTile, PodLook, PodTile};
use std::rc::Rc;
use yew::prelude::*;

/// The buttons, and what they aim at.
pub fn view(props: &Props) -> Html {
    let frame = &*props.frame;
    let chosen = pods(frame).find(|pod| is_selected(pod, props.side.selected.as_ref()));
    let pod =
        chosen.or_else(|| pods(frame).filter(|pod| pod.look == PodLook::Ready).min_by_key(|pod| pod.id));
    let node = node(frame, chosen);
    let aim = match (chosen, pod) {
        (Some(pod), _) => html! { <>{ "Aimed at " }<b class="mono">{ pod.short_name.clone() }</b></> },
        (None, Some(pod)) => {
            html! { <>{ "Aimed at " }<b class="mono">{ pod.short_name.clone() }</b>{ "; press a pod to choose another" }</> }
        }
        (None, None) => html! { "There is no pod to break" },
    };
    let on_pod = |label: &'static str, make: fn(String, String) -> Action| {
        let target = pod.map(|pod| (pod.namespace.clone(), pod.name.clone()));
        let off = target.is_none();
        let onclick = props.send.reform(move |_: MouseEvent| {
            let (namespace, name) = target.clone().unwrap_or_else(|| ("".into(), "".into()));
            Msg::Act(make(namespace.to_string(), name.to_string()))
        });
        html! { <button {onclick} disabled={off}>{ label }</button> }
    };
    let kill = node.map(|node| node.name.clone());
    let no_node = kill.is_none();
    let onkill = props.send.reform(move |_: MouseEvent| {
        Msg::Act(Action::KillMachine { node: kill.as_deref().unwrap_or_default().to_string() })
    });
    html! {
        <div class="field" role="group" aria-labelledby="break">
            <h2 id="break">{ "Break something" }</h2>
            <div class="pair">
                { on_pod("Crash a pod", |namespace, pod| Action::CrashPod { namespace, pod }) }
                { on_pod("Hang a pod", |namespace, pod| Action::WedgePod { namespace, pod }) }
                { on_pod("Delete a pod", |namespace, pod| Action::DeletePod { namespace, pod, grace_seconds: None }) }
                <button onclick={onkill} disabled={no_node}>{ "Kill a node" }</button>
            </div>
            <p class="hint">{ aim }</p>
        </div>
    }
}

fn pods(frame: &Frame) -> impl Iterator<Item = &Rc<PodTile>> {
    frame.nodes.iter().flat_map(|node| &node.pods).chain(&frame.pending)
}

/// The chosen pod's node, or else the running one with the most pods.
fn node<'a>(frame: &'a Frame, chosen: Option<&Rc<PodTile>>) -> Option<&'a Rc<NodeTile>> {
    let running = || frame.nodes.iter().filter(|node| node.powered);
    let own = chosen.and_then(|pod| running().find(|node| node.pods.iter().any(|own| own.id == pod.id)));
    own.or_else(|| running().rev().max_by_key(|node| node.pods.len()))
}
