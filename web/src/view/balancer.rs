//! The Service in front of the pods. Its wires and dots are drawn by `flow`.

use crate::words::count;
use setpoint_lab::frame::Balancer;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub balancer: Option<Rc<Balancer>>,
}

/// The strip above the nodes.
#[component]
pub fn Strip(props: &Props) -> Html {
    let inside = match &props.balancer {
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
