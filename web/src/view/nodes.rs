//! The nodes side by side, and the keys that walk them.

use super::is_selected;
use super::node::Node;
use crate::app::Send;
use crate::browser::focus;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// Progress on tiles moves in steps of this many microseconds.
const STEP_US: i64 = 100_000;

/// All nodes. Left and right walk nodes or pods, down enters a node, up leaves it.
pub fn view(frame: &Frame, selected: Option<&Subject>, send: &Send) -> Html {
    let onkeydown = Callback::from(|event: KeyboardEvent| {
        if walk(&event) {
            event.prevent_default();
        }
    });
    html! {
        <div class="nodes" id="nodes" {onkeydown}>
            { for frame.nodes.iter().map(|node| {
                // Only nodes with something under way need to know the time.
                let busy = node.pods.iter().any(|pod| pod.step.is_some());
                let at_us = if busy { frame.at_us / STEP_US * STEP_US } else { 0 };
                let selected =
                    selected.filter(|subject| node.pods.iter().any(|pod| is_selected(pod, Some(subject)))).cloned();
                html! {
                    <Node key={&*node.name} node={node.clone()} {at_us} {selected} send={send.clone()} />
                }
            }) }
        </div>
    }
}

/// Whether the key moved the focus.
fn walk(event: &KeyboardEvent) -> bool {
    let by = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => 1,
        "ArrowLeft" | "ArrowUp" => -1,
        _ => return false,
    };
    let (Some(all), Some(active)) =
        (event.current_target().map(|t| t.unchecked_into::<Element>()), focus::focused())
    else {
        return false;
    };
    let down = event.key() == "ArrowDown";
    let up = event.key() == "ArrowUp";
    if is(&active, ".pod") {
        let moved = focus::step(&all, ".node:focus-within .pod", by);
        if !moved && up {
            focus::leave(&active, ".node");
        }
        return true;
    }
    if !is(&active, ".node") {
        return false;
    }
    if down {
        return focus::enter(&active, ".pod");
    }
    !up && focus::step(&all, ".node", by)
}

fn is(element: &Element, selector: &str) -> bool {
    element.matches(selector).unwrap_or(false)
}
