//! What the cluster said, newest first.

use super::panel::{Filter, Props};
use crate::app::Msg;
use crate::words;
use setpoint_lab::frame::FeedLine;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Most lines on the page.
const LINES_MAX: usize = 100;
/// Letters of a reason that fit on a line beside its age, however narrow the page.
const REASON_MAX: usize = 18;

/// The list with its filters.
pub fn view(props: &Props) -> Html {
    let (frame, filter) = (&props.frame, &props.filter);
    let mut lines = frame.feed.iter().filter(|line| shows(filter, line)).take(LINES_MAX).peekable();
    let nothing = if frame.feed.is_empty() { "Nothing has happened yet." } else { "No event matches." };
    let narrow = |change: fn(&mut Filter, &HtmlInputElement)| {
        let filter = filter.clone();
        props.send.reform(move |event: InputEvent| {
            let mut filter = filter.clone();
            change(&mut filter, &event.target_unchecked_into());
            Msg::Filter(filter)
        })
    };
    let warnings = {
        let filter = Filter { warnings: !filter.warnings, text: filter.text.clone() };
        props.send.reform(move |_: MouseEvent| Msg::Filter(filter.clone()))
    };
    html! {
        <aside class="panel feed" aria-label="Cluster events">
            <header>
                <h2>{ "Cluster events" }</h2>
                <button aria-pressed={if filter.warnings { "true" } else { "false" }} onclick={warnings}>{ "▲ Warnings" }</button>
                <input type="search" placeholder="Filter by object or text" aria-label="Filter events"
                    oninput={narrow(|filter, input| filter.text = input.value().to_ascii_lowercase().into())} />
            </header>
            if lines.peek().is_none() {
                <p class="nothing">{ nothing }</p>
            }
            <ol tabindex="0" aria-label="Events, newest first">{ for lines.map(|line| row(line, frame.at_us)) }</ol>
        </aside>
    }
}

fn shows(filter: &Filter, line: &FeedLine) -> bool {
    let holds = |text: &str| text.to_ascii_lowercase().contains(&*filter.text);
    (!filter.warnings || line.is_warning)
        && (filter.text.is_empty()
            || [&line.reason, &line.object, &line.message, &line.source].into_iter().any(|text| holds(text)))
}

fn row(line: &FeedLine, now_us: i64) -> Html {
    let age = words::age(now_us - line.at_us);
    let class = match (line.is_warning, &*line.source) {
        (true, _) => "warning",
        (false, "you") => "you",
        _ => "",
    };
    html! {
        <li key={line.id} {class}>
            <time title={format!("at {}", words::clock(line.at_us))}>{ words::minute(line.at_us) }</time>
            <b>{ reason(&line.reason) }</b>
            if line.count > 1 {
                <span class="times">{ format!("×{}", line.count) }</span>
            }
            <span class="age">{ age }</span>
            <p>{ line.message.clone() }</p>
            <p class="who">
                if !line.object.is_empty() {
                    <span class="mono">{ line.object.clone() }</span>
                }
                <span class="source">{ line.source.clone() }</span>
            </p>
        </li>
    }
}

/// An event's reason. One that is too long for a line breaks before its last word.
fn reason(reason: &str) -> Html {
    match reason.rfind(char::is_uppercase) {
        Some(at) if reason.len() > REASON_MAX => {
            html! { <>{ reason[..at].to_string() }<wbr />{ reason[at..].to_string() }</> }
        }
        _ => html! { reason.to_string() },
    }
}
