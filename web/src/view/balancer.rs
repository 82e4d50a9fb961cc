//! The Service in front of the pods. Its wires and dots are drawn by `flow`.

use crate::words::count;
use setpoint_lab::frame::Balancer;
use yew::prelude::*;

/// The strip above the nodes.
pub fn view(balancer: Option<&Balancer>) -> Html {
    let inside = match balancer {
        None => html! { <><b>{ "Load balancer" }</b><span class="muted">{ "No Service yet" }</span></> },
        Some(balancer) => html! {
            <>
                <b>{ "Load balancer" }</b>
                <span class="mono" title={balancer.address.to_string()}>{ balancer.name.clone() }</span>
                <span class={if balancer.ready_endpoints == 0 { "none" } else { "muted" }}>
                    { count(balancer.ready_endpoints, "ready endpoint") }
                </span>
            </>
        },
    };
    html! { <div class="balancer"><div id="balancer">{ inside }</div></div> }
}
