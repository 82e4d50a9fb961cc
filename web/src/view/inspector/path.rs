//! The way of a pod from what somebody did until it is ready and gets requests, one step after the other.

use crate::view::side::go;
use crate::view::why;
use crate::words;
use setpoint_lab::inspect::{Cause, Inspection, Subject};
use yew::prelude::*;

/// The steps, folded below one line that says how many there are and how long they took.
pub fn view(seen: &Inspection) -> Html {
    let (Some(first), Some(last)) = (seen.path.first(), seen.path.last()) else { return html! {} };
    let took = words::since(last.at_us - first.at_us);
    html! {
        <details key="path" class="fold path">
            <summary>{ "How it came to be" }<span class="unit">{ format!("{} steps, {took}", seen.path.len()) }</span></summary>
            <ol class="chain">{ for seen.path.iter().enumerate().map(|(at, cause)| step(at, cause, first.at_us, seen)) }</ol>
        </details>
    }
}

fn step(at: usize, cause: &Cause, began_us: i64, seen: &Inspection) -> Html {
    let class = why::class(cause, at + 1 == seen.path.len());
    html! {
        <li key={at} {class}>
            <i aria-hidden="true"></i>
            <p>
                <time title={format!("at {}", words::moment(cause.at_us))}>{ words::since(cause.at_us - began_us) }</time>
                <b>{ cause.who.clone() }</b>{ " " }{ sentence(cause, seen) }
            </p>
        </li>
    }
}

/// What was done, with the way to the thing that it was done to; the one that is looked at needs none.
fn sentence(cause: &Cause, seen: &Inspection) -> Html {
    match &cause.about {
        Some(about) if *about == seen.subject => html! { cause.what.clone() },
        Some(about @ Subject::Object { kind, name, .. }) if !cause.what.contains(&**name) => html! {
            <>{ cause.what.clone() }<span class="object">{ format!("of {kind} ") }{ go(about, name, None) }</span></>
        },
        _ => why::sentence(cause),
    }
}
