//! What unfolds below the top bar: a quick guide with the keys, or the cluster's periods.

use super::number::Number;
use super::parts::{CLOSE, icon};
use super::{tour, when};
use crate::app::{Msg, Send};
use crate::desk::{self, Desk, Sheet};
use crate::words;
use setpoint_lab::frame::{Frame, Period};
use setpoint_lab::{Action, parse_duration};
use yew::prelude::*;

/// Keys and what they do.
const KEYS: [(&str, &str); 15] = [
    ("Space", "Play or pause"),
    (".", "Step to the next event"),
    ("[  ]", "Slower, faster"),
    ("Shift R", "Restart with the same seed"),
    ("t", "Next theme"),
    ("c", "To the kubectl terminal; Esc leaves it"),
    ("m", "To the manifest editor; Esc leaves it"),
    ("Ctrl Space", "In the editor: offer what may stand here"),
    ("Ctrl Enter", "In the editor: apply the file"),
    ("?", "This list"),
    ("Esc", "Close what is unfolded"),
    ("← →", "On a node or a pod: to the next one"),
    ("↓ ↑", "From a node to its pods, and back"),
    ("k", "On a node: cut its power, or give it back"),
    ("← →", "On the chart: tell of an earlier or later second"),
];

/// The sheet that is unfolded, if one is.
pub fn view(desk: &Desk, frame: &Frame, send: &Send) -> Html {
    let Some(sheet) = desk.sheet else { return html! {} };
    let close = send.reform(move |_: MouseEvent| Msg::Desk(desk::Msg::Sheet(sheet)));
    let (title, inside) = match sheet {
        Sheet::Keys => ("In 30 seconds, and the keys", keys(desk, frame, send)),
        Sheet::Timing => ("Periods", timing(desk, send)),
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

fn keys(desk: &Desk, frame: &Frame, send: &Send) -> Html {
    let onchange = send.reform(|_: Event| Msg::Desk(desk::Msg::Shortcuts));
    html! {
        <>
            { tour::view(frame, send) }
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

fn timing(desk: &Desk, send: &Send) -> Html {
    let row = |row: &Period| {
        let (name, here) = (row.row, words::span(row.here_us));
        let onchange = when(send, move |text: String| {
            // As the field itself writes it, or a plain number of seconds.
            let text = text.replace(' ', "").replace("min", "m");
            let micros = parse_duration(&text).or_else(|| parse_duration(&format!("{text}s")))?;
            Some(Msg::Act(Action::SetPeriod { period: name.to_string(), micros }))
        });
        let class = (row.here_us != row.upstream_us).then_some("own");
        html! {
            <tr key={name} {class}>
                <th scope="row"><label for={name}>{ row.name.clone() }</label><small>{ row.source }</small></th>
                <td><Number id={name} value={here} {onchange} /></td>
                <td>{ words::span(row.upstream_us) }</td>
            </tr>
        }
    };
    html! {
        <>
            <p class="muted">{ "Type another length, such as 30s or 5m; it holds from the next round on." }</p>
            <div class="rows" tabindex="0" role="region" aria-label="Periods">
                <table>
                    <thead><tr><th scope="col">{ "Period" }</th><th scope="col">{ "here" }</th><th scope="col">{ "upstream" }</th></tr></thead>
                    <tbody>{ for desk.periods.iter().map(row) }</tbody>
                </table>
            </div>
        </>
    }
}
