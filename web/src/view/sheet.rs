//! What unfolds below the top bar: the keys, or the periods that are not upstream's.

use super::parts::{CLOSE, icon};
use crate::app::{Msg, Send};
use crate::desk::{self, Desk, Sheet};
use crate::words;
use yew::prelude::*;

/// Keys and what they do.
const KEYS: [(&str, &str); 13] = [
    ("Space", "Play or pause"),
    (".", "Step to the next event"),
    ("[  ]", "Slower, faster"),
    ("Shift R", "Restart with the same seed"),
    ("t", "Next theme"),
    ("c", "To the kubectl terminal; Esc leaves it"),
    ("m", "To the manifest editor; Esc leaves it"),
    ("?", "This list"),
    ("Esc", "Close what is unfolded"),
    ("← →", "On a node or a pod: to the next one"),
    ("↓ ↑", "From a node to its pods, and back"),
    ("k", "On a node: cut its power, or give it back"),
    ("← →", "On the chart: tell of an earlier or later second"),
];

/// The sheet that is unfolded, if one is.
pub fn view(desk: &Desk, send: &Send) -> Html {
    let Some(sheet) = desk.sheet else { return html! {} };
    let close = send.reform(move |_: MouseEvent| Msg::Desk(desk::Msg::Sheet(sheet)));
    let (title, inside) = match sheet {
        Sheet::Keys => ("Keys", keys(desk, send)),
        Sheet::Timing => ("Periods that are shorter here than upstream", timing(desk)),
    };
    html! {
        <section class="panel sheet" id="sheet" aria-labelledby="sheet-title">
            <header>
                <h2 id="sheet-title">{ title }</h2>
                <button class="bare" onclick={close} aria-label="Close">{ icon(CLOSE) }</button>
            </header>
            { inside }
        </section>
    }
}

fn keys(desk: &Desk, send: &Send) -> Html {
    let onchange = send.reform(|_: Event| Msg::Desk(desk::Msg::Shortcuts));
    html! {
        <>
            <dl class="keys">
                { for KEYS.iter().map(|(key, does)| html! { <><dt><kbd>{ *key }</kbd></dt><dd>{ *does }</dd></> }) }
            </dl>
            <label class="switch">
                <input type="checkbox" role="switch" checked={desk.keys.is_on()} {onchange} />
                <span>{ "Single keys act wherever the focus is, except in fields" }</span>
            </label>
        </>
    }
}

fn timing(desk: &Desk) -> Html {
    if desk.shortened.is_empty() {
        return html! { <p>{ "None: every period is upstream's default." }</p> };
    }
    let rows = desk.shortened.iter().map(|row| {
        html! {
            <tr>
                <th scope="row">{ row.name.clone() }<small>{ row.source }</small></th>
                <td>{ words::span(row.here_us) }</td><td>{ words::span(row.upstream_us) }</td>
            </tr>
        }
    });
    html! {
        <div class="rows" tabindex="0" role="region" aria-label="Periods">
            <table>
                <thead><tr><th scope="col">{ "Period" }</th><th scope="col">{ "here" }</th><th scope="col">{ "upstream" }</th></tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}
