//! The nodes side by side, and the keys that walk them.

use super::is_selected;
use super::node::Node;
use crate::app::Send;
use crate::browser::focus;
use crate::density::Density;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// Progress on tiles moves in steps of this many microseconds.
const STEP_US: i64 = 100_000;
/// With more nodes than this the Tab key stops at the first one only; the arrow keys reach all.
const STOPS_MAX: usize = 8;

/// All nodes. Left and right walk nodes or pods, down enters a node, up leaves it.
pub fn view(frame: &Frame, density: Density, selected: Option<&Subject>, send: &Send) -> Html {
    let onkeydown = Callback::from(|event: KeyboardEvent| {
        if !event.default_prevented() && walk(&event) {
            event.prevent_default();
        }
    });
    let few = frame.nodes.len() <= STOPS_MAX;
    html! {
        <div class={density.class()} id="nodes" {onkeydown}>
            { for frame.nodes.iter().enumerate().map(|(at, node)| {
                // Only nodes with something under way need to know the time.
                let busy = node.pods.iter().any(|pod| pod.step.is_some());
                let at_us = if busy { frame.at_us / STEP_US * STEP_US } else { 0 };
                let pod = selected.and_then(|_| node.pods.iter().find(|pod| is_selected(pod, selected)));
                let chosen = matches!(selected, Some(Subject::Object { kind, name, .. })
                    if **kind == *"node" && *name == node.name);
                html! {
                    <Node key={&*node.name} node={node.clone()} {at_us} {density} stops={(few || at == 0, few)} {chosen}
                        selected={pod.map(|pod| pod.id)} send={send.clone()} />
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
        let moved = !is(&active, ".crowd *") && focus::step(&all, ".node:focus-within .pod", by);
        if !moved && up {
            return focus::enter(&all, ".node:focus-within .title");
        }
        return true;
    }
    if !is(&active, ".title") {
        return false;
    }
    if down {
        return focus::enter(&all, ".node:focus-within .pod");
    }
    !up && focus::step(&all, ".title", by)
}

fn is(element: &Element, selector: &str) -> bool {
    element.matches(selector).unwrap_or(false)
}
