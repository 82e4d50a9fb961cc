//! The Service in front of the pods. Its wires and dots are drawn by `flow`.

use super::crowd;
use crate::density::{Density, Level};
use crate::words::{count, thousands};
use setpoint_lab::frame::Balancer;
use yew::prelude::*;

/// The strip above the nodes, with what its dots mean. `per_dot` is the number of requests that one stands for; none are
/// drawn if it is 0.
pub fn view(balancer: Option<&Balancer>, density: Density, per_dot: u32) -> Html {
    let inside = match balancer {
        None => html! { <><b>{ "Load balancer" }</b><span class="muted">{ "No Service yet" }</span></> },
        Some(balancer) => {
            let silent = i32::try_from(balancer.silent.len()).unwrap_or(i32::MAX);
            html! {
                <>
                    <b>{ "Load balancer" }</b>
                    <span class="mono" title={balancer.address.to_string()}>{ balancer.name.clone() }</span>
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
