//! The cluster panel: the control plane, the load balancer, the nodes with their pods, and what waits for a node.

use crate::app::Send;
use crate::density::{Density, Room};
use crate::flow::{Flow, requests_per_dot};
use crate::view;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// What the panel remembers between pictures.
#[derive(Default)]
pub struct Stage {
    flow: Flow,
    canvas: NodeRef,
    density: Density,
    changed_ms: f64,
    per_dot: u32,
    /// Width and height for the nodes.
    room: Option<(f64, f64)>,
}

impl Stage {
    /// One frame of the browser: dots move, and now and then the density is chosen anew. Says whether the panel must be
    /// drawn for that.
    pub fn beat(&mut self, frame: &Frame, now_ms: f64, moving_ms: f64, speed: f64) -> bool {
        let per_dot = match self.flow.is_calm() {
            true => 0,
            false => requests_per_dot(frame.traffic.offered_rps, speed),
        };
        if self.flow.paint(&self.canvas, frame, self.density, now_ms, moving_ms, per_dot) {
            self.room = room();
        }
        let density = self.fitting(frame, now_ms - self.changed_ms);
        if density != self.density {
            self.changed_ms = now_ms;
        }
        let changed = density != self.density || per_dot != self.per_dot;
        (self.density, self.per_dot) = (density, per_dot);
        changed
    }

    /// Puts away what was moving.
    pub fn clear(&mut self) {
        self.flow = Flow::default();
    }

    /// The density for what there is; the first time without a rest before.
    fn fitting(&self, frame: &Frame, rested_ms: f64) -> Density {
        let Some((width, height)) = self.room else { return self.density };
        let pods = || frame.nodes.iter().map(|node| node.pods.len());
        let room = Room {
            nodes: frame.nodes.len(),
            most: pods().max().unwrap_or(0),
            pods: pods().sum(),
            width,
            height,
        };
        self.density.next(&room, rested_ms)
    }

    /// The panel; `below` is its last line, for pages that have no room beside it.
    pub fn view(&self, frame: &Frame, selected: Option<&Subject>, below: Html, send: &Send) -> Html {
        html! {
            <section class="panel cluster" id="cluster" tabindex="-1" aria-label="Cluster">
                <div class="cluster-body">
                    <canvas class="flow" ref={self.canvas.clone()} aria-hidden="true" />
                    { view::plane::view(&frame.components, selected, send) }
                    { view::things::view(&frame.things, frame.at_us, selected, send) }
                    { view::balancer::view(frame, self.density, self.per_dot, selected, send) }
                    { view::nodes::view(frame, self.density, selected, send) }
                    { view::pending::view(frame, selected, send) }
                </div>
                { below }
            </section>
        }
    }
}

/// Width and height that the nodes may take. Where the panel has no height of its own, a screenful is the measure.
fn room() -> Option<(f64, f64)> {
    let window = web_sys::window()?;
    let panel = window.document()?.get_element_by_id("cluster")?;
    let nodes: HtmlElement = panel.query_selector("#nodes").ok()??.dyn_into().ok()?;
    let body: Element = nodes.parent_element()?;
    let style = window.get_computed_style(&panel).ok()??;
    let is_bounded = style.get_property_value("overflow-y").is_ok_and(|overflow| overflow != "visible");
    let height = match is_bounded {
        true => f64::from(panel.client_height()) - padding(&style),
        false => window.inner_height().ok()?.as_f64()? - padding(&style),
    };
    let others = f64::from(body.scroll_height() - nodes.offset_height());
    let left =
        web_sys::window()?.get_computed_style(&nodes).ok()??.get_property_value("padding-left").ok()?;
    let width = f64::from(nodes.client_width()) - pixels(&left);
    // The panel's own height stretches the nodes; what is left over is theirs.
    Some((width, (height - others).max(0.0)))
}

fn padding(style: &web_sys::CssStyleDeclaration) -> f64 {
    ["padding-top", "padding-bottom"]
        .iter()
        .filter_map(|name| style.get_property_value(name).ok())
        .map(|p| pixels(&p))
        .sum()
}

fn pixels(length: &str) -> f64 {
    length.trim_end_matches("px").parse().unwrap_or(0.0)
}
