//! The chain of causes behind something, from what happened back to where it began.

use super::parts::icon;
use super::side::go;
use crate::app::{Msg, Send};
use crate::browser::focus;
use crate::side::{TITLE, Turn, Why};
use crate::words;
use setpoint_lab::inspect::{Cause, Subject};
use yew::prelude::*;

/// The id of the list, which is selected where it cannot be copied.
const CHAIN: &str = "chain";
/// An arrow to the left.
pub const LEFT: &str = "M9.5 3.5 5 8l4.5 4.5";

/// The chain as a line with a point for each link, newest first.
pub fn view(why: &Why, send: &Send) -> Html {
    let back = send.reform(|_: MouseEvent| Msg::Side(Turn::Back));
    let text = as_text(&why.chain);
    let told = send.reform(|is_done: bool| Msg::Side(Turn::Copied(is_done)));
    let copy = Callback::from(move |_: MouseEvent| focus::copy(&text, CHAIN, told.clone()));
    html! {
        <section class="details why" id="details" aria-labelledby={TITLE}>
            <header>
                <button class="round" onclick={back} aria-label="Back" title="Back">{ icon(LEFT) }</button>
                <h2 id={TITLE} tabindex="-1">{ "Why did this happen?" }</h2>
            </header>
            if why.chain.is_empty() {
                <p class="muted">{ "This is too long ago: the simulator remembers the newest 40,000 facts." }</p>
            } else {
                <p class="muted">{ "Newest first. Each line happened because of the one below it." }</p>
                <ol class="chain" id={CHAIN}>{ for why.chain.iter().enumerate().map(|(at, cause)| link(at, cause, began(&why.chain))) }</ol>
                <p class="actions-line">
                    <button onclick={copy}>{ "Copy as text" }</button>
                    <span role="status">{ why.copied }</span>
                </p>
            }
        </section>
    }
}

/// When the chain began, if that is known.
fn began(chain: &[Cause]) -> Option<i64> {
    chain.last().filter(|cause| cause.is_origin).map(|cause| cause.at_us)
}

/// How a link of a chain looks.
pub fn class(cause: &Cause, is_newest: bool) -> &'static str {
    match (cause.is_origin, &*cause.who) {
        (true, "You") => "origin you",
        (true, _) => "origin",
        _ if is_newest => "newest",
        _ => "",
    }
}

fn link(at: usize, cause: &Cause, began_us: Option<i64>) -> Html {
    let class = class(cause, at == 0);
    html! {
        <li key={at} {class}>
            <i aria-hidden="true"></i>
            <p>
                <b>{ cause.who.clone() }</b>{ " " }{ sentence(cause) }{ " " }
                <time>{ words::moment(cause.at_us) }</time>
                if cause.is_origin {
                    <span class="began">{ "It began here" }</span>
                } else if let Some(began_us) = began_us {
                    { " " }<time class="later">{ words::since(cause.at_us - began_us) }</time>
                }
            </p>
        </li>
    }
}

/// What was done, in which the name of the thing is the link to it.
pub fn sentence(cause: &Cause) -> Html {
    let Some(subject) = &cause.about else { return html! { cause.what.to_string() } };
    let (Subject::Object { name, .. } | Subject::Component(name)) = subject;
    match cause.what.split_once(&**name) {
        Some((before, after)) if !name.is_empty() => {
            html! { <>{ before.to_string() }{ go(subject, name, None) }{ after.to_string() }</> }
        }
        _ => html! { <>{ cause.what.to_string() }{ " " }{ go(subject, name, None) }</> },
    }
}

fn as_text(chain: &[Cause]) -> String {
    let lines =
        chain.iter().map(|cause| format!("{}  {} {}\n", words::moment(cause.at_us), cause.who, cause.what));
    lines.collect()
}
