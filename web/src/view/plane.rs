//! The control plane: its parts, and which of them is acting.

use setpoint_lab::frame::Component as Part;
use std::rc::Rc;
use yew::prelude::*;

/// A strip of cells. Each keeps a line for what it does, so that none moves when it acts.
pub fn view(components: &[Rc<Part>]) -> Html {
    html! {
        <section class="plane" aria-labelledby="plane">
            <h2 id="plane">{ "Control plane" }</h2>
            <ul>{ for components.iter().map(|part| cell(part)) }</ul>
        </section>
    }
}

fn cell(part: &Part) -> Html {
    let (class, doing) = match (&part.acting, part.up) {
        (_, false) => ("down", "stopped"),
        (Some(acting), true) => ("acting", &**acting),
        (None, true) => ("idle", "idle"),
    };
    html! {
        <li key={&*part.name} {class} title={format!("{}: {doing}", part.title)}>
            <b>{ part.title.trim_end_matches(" controller").to_string() }</b>
            <span>{ doing.to_string() }</span>
        </li>
    }
}
