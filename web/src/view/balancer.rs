//! The Service in front of the pods. Its wires and dots are drawn by `flow`.

use super::{crowd, service_of};
use crate::app::{Msg, Send};
use crate::density::{Density, Level};
use crate::words::{count, thousands};
use setpoint_lab::frame::{Balancer, Frame};
use setpoint_lab::inspect::Subject;
use yew::prelude::*;

/// The strip above the nodes, with what its dots mean. `per_dot` is the number of requests that one stands for; none are
/// drawn if it is 0.
pub fn view(frame: &Frame, density: Density, per_dot: u32, selected: Option<&Subject>, send: &Send) -> Html {
    let inside = match frame.balancer.as_deref() {
        None => html! { <><b>{ "Load balancer" }</b><span class="muted">{ "No Service yet" }</span></> },
        Some(balancer) => {
            let silent = i32::try_from(balancer.silent.len()).unwrap_or(i32::MAX);
            html! {
                <>
                    <b>{ "Load balancer" }</b>
                    { service(frame, balancer, selected, send) }
                    <span class={if balancer.ready_endpoints == 0 { "none" } else { "muted" }}>
                        { count(balancer.ready_endpoints, "ready endpoint") }
                    </span>
                    if silent > 0 {
                        <span class="none">{ format!("{silent} {} nothing", if silent == 1 { "answers" } else { "answer" }) }</span>
                    }
                </>
            }
        }
    };
    let dots = match per_dot {
        0 => "Rates beside the wires: no motion".to_string(),
        1 => "1 dot = 1 request".to_string(),
        per_dot => format!("1 dot = {} requests", thousands(u64::from(per_dot))),
    };
    html! {
        <div class="balancer">
            if density.level == Level::Dot {
                { crowd::legend() }
            }
            <div id="balancer">{ inside }</div>
            <p class="legend">
                <span class="of-dot">{ dots }</span>
                <span class="of-cross">{ "failed" }</span>
                <span class="of-break">{ "no answer" }</span>
            </p>
        </div>
    }
}

/// The Service by name and port, to be looked at closely.
fn service(frame: &Frame, balancer: &Balancer, selected: Option<&Subject>, send: &Send) -> Html {
    let (namespace, name) = service_of(frame).unwrap_or_default();
    let subject = Subject::Object { kind: "service".into(), namespace: namespace.into(), name: name.into() };
    let pressed = if selected == Some(&subject) { "true" } else { "false" };
    let onclick = send.reform(move |_: MouseEvent| Msg::Select(subject.clone()));
    html! {
        <button class="title mono" {onclick} aria-pressed={pressed} title={balancer.address.to_string()}>{ balancer.name.clone() }</button>
    }
}
