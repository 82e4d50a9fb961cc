//! The control plane: its parts, and which of them is acting.

use super::parts::keeps;
use crate::app::{Msg, Send};
use setpoint_lab::frame::Component as Part;
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use yew::prelude::*;

/// A strip of chips. What a part does never changes a chip's size, so that none moves when it acts.
pub fn view(components: &[Rc<Part>], selected: Option<&Subject>, send: &Send) -> Html {
    html! {
        <section class="plane" aria-labelledby="plane">
            <h2 id="plane">{ "Control plane" }</h2>
            <ul>{ for components.iter().map(|part| chip(part, selected, send)) }</ul>
        </section>
    }
}

fn chip(part: &Part, selected: Option<&Subject>, send: &Send) -> Html {
    let (class, doing) = match (&part.acting, part.up) {
        (_, false) => ("down", "stopped"),
        (Some(acting), true) => ("acting", &**acting),
        (None, true) => ("idle", "idle"),
    };
    let subject = Subject::Component(part.name.clone());
    let pressed = selected == Some(&subject);
    let onclick = send.reform(move |_: MouseEvent| Msg::Select(subject.clone()));
    html! {
        <li key={&*part.name}>
            <button {class} {onclick} aria-pressed={if pressed { "true" } else { "false" }}
                title={format!("{}: {doing}", part.title)}>
                <b>{ part.title.trim_end_matches(" controller").to_string() }</b>
                <span>{ short(doing) }</span>
            </button>
        </li>
    }
}

/// What a chip has room for: the verb and the kind of thing, without its name; the whole of it is in the title.
fn short(doing: &str) -> String {
    let mut words = doing.split_whitespace();
    let verb = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let (first, last) = (rest.first().copied().unwrap_or_default(), rest.last().copied().unwrap_or_default());
    match verb {
        "bind" => "bind pod".to_string(),
        "store" => match last {
            "EndpointSlice" => "Slice".to_string(),
            "HorizontalPodAutoscaler" => "HPA".to_string(),
            kind => keeps(kind, 10),
        },
        "revision" => last.to_string(),
        "stay" => format!("stay {last}"),
        // "scale web-5db4f98dd8 up from 0 to 3", "create web-86d6bd95c7 with 1 pods".
        "scale" => format!("scale {last}"),
        "create" if first.starts_with(|c: char| c.is_ascii_digit()) => format!("create {first}"),
        "create" => "create".to_string(),
        "delete" if first.starts_with(|c: char| c.is_ascii_digit()) => format!("delete {first}"),
        "update" | "nothing" => "status".to_string(),
        "invalid" => "no data".to_string(),
        "say" => "report".to_string(),
        "change" => last.to_string(),
        "give" => "give up".to_string(),
        _ => keeps(doing, 9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_say_it_in_two_words() {
        for (doing, expected) in [
            ("idle", "idle"),
            ("bind web-5db4f98dd8-l69gh to node-03", "bind pod"),
            ("scale web-5db4f98dd8 up from 0 to 3", "scale 3"),
            ("create 3 pods", "create 3"),
            ("create web-86d6bd95c7 with 1 pods", "create"),
            ("update status", "status"),
            ("store Deployment", "Deployment"),
            ("store EndpointSlice", "Slice"),
            ("revision 312", "312"),
            ("say what has changed", "report"),
            ("invalid metrics (1 invalid out of 1), first error is: failed", "no data"),
            ("change the taints", "taints"),
            ("stay at 20", "stay 20"),
            ("wait for the dependents", "wait for…"),
            ("", ""),
        ] {
            assert_eq!(short(doing), expected, "{doing}");
        }
    }
}
