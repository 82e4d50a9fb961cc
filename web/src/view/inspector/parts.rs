//! What every view of a thing is made of.

use crate::view::parts::icon;
use setpoint_lab::inspect::Tone;
use yew::prelude::*;

/// A state: a word with a shape and a colour.
pub fn state(tone: Tone, word: &str) -> Html {
    let (class, sign) = match tone {
        Tone::Plain => ("chip flat", "M3.5 8h9"),
        Tone::Good => ("chip ok", "M3 8.5 6.5 12 13 4.5"),
        Tone::Busy => ("chip busy", "M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5v3l2 1.5"),
        Tone::Bad => ("chip bad", "M8 2.5v7M8 13v.2"),
    };
    if word.is_empty() {
        return html! {};
    }
    html! { <span {class}>{ icon(sign) }{ word.to_string() }</span> }
}

/// A part with its heading; nothing if there is nothing in it.
pub fn part(title: &'static str, lines: usize, inside: Html) -> Html {
    if lines == 0 {
        return html! {};
    }
    html! { <section key={title} class="part"><h3>{ title }</h3>{ inside }</section> }
}
