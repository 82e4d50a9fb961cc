//! What the cluster said, newest first.

use super::panel::Props;
use super::parts::icon;
use super::side::{ask, go, only};
use super::when;
use crate::app::{Msg, Send};
use crate::browser::focus;
use crate::side::{FEED, Filter, Turn};
use crate::words;
use setpoint_lab::frame::FeedLine;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Most lines on the page.
const LINES_MAX: usize = 100;
/// So many lines tell their age exactly; those below, mostly out of sight, in steps of so many microseconds. While somebody reads
/// the list, all do.
const EXACT: usize = 12;
const STEP_US: i64 = 10_000_000;
/// Letters of a reason that fit on a line beside its age, however narrow the page.
const REASON_MAX: usize = 18;
/// The id of the list.
const LIST: &str = "feed-list";
/// The sign of a filter.
const FUNNEL: &str = "M2.5 3.5h11L9.5 8.4v4.1l-3 1V8.4z";

/// The list with its filters. While somebody reads it, it stays as it is, and says how much is new.
pub fn view(props: &Props) -> Html {
    let (frame, filter) = (&props.frame, &props.side.filter);
    let held = props.side.held.as_ref();
    let all = held.map_or(&frame.feed, |held| &held.lines);
    let mut lines = all.iter().filter(|line| shows(filter, line)).take(LINES_MAX).peekable();
    let step_us = |at: usize| if at < EXACT || held.is_some() { 1 } else { STEP_US };
    let nothing = if all.is_empty() { "Nothing has happened yet." } else { "No event matches." };
    html! {
        <div class="feed">
            { filters(filter, &props.send) }
            if lines.peek().is_none() {
                <p class="nothing">{ nothing }</p>
            }
            { list(lines.enumerate().map(|(at, line)| row(line, step_us(at), frame.at_us)).collect(), &props.send) }
        </div>
    }
}

/// Leads from a feed that is being read to what was said since.
pub fn news(props: &Props) -> Html {
    let Some(held) = &props.side.held else { return html! {} };
    let since = props.frame.feed.iter().take_while(|line| line.at_us > held.at_us);
    let news = since.filter(|line| shows(&props.side.filter, line)).count();
    if news == 0 {
        return html! {};
    }
    let up = props.send.reform(|_: MouseEvent| {
        focus::scroll_up(LIST);
        Msg::Side(Turn::Hold(false))
    });
    html! { <button class="news" onclick={up}>{ format!("↑ {news} new") }</button> }
}

fn filters(filter: &Filter, send: &Send) -> Html {
    let narrow = |filter: Filter| Msg::Side(Turn::Filter(filter));
    let warnings = {
        let filter = Filter { warnings: !filter.warnings, text: filter.text.clone() };
        send.reform(move |_: MouseEvent| narrow(filter.clone()))
    };
    let oninput = {
        let warnings = filter.warnings;
        send.reform(move |event: InputEvent| {
            let text = event.target_unchecked_into::<HtmlInputElement>().value().into();
            narrow(Filter { warnings, text })
        })
    };
    html! {
        <header>
            <button aria-pressed={if filter.warnings { "true" } else { "false" }} onclick={warnings}>{ "▲ Warnings" }</button>
            <input type="search" placeholder="Filter by object or text" aria-label="Filter events"
                value={filter.text.to_string()} {oninput} />
        </header>
    }
}

/// The rows in a list that notices whether it is being read: scrolled, under the pointer, or with the focus inside.
fn list(rows: Html, send: &Send) -> Html {
    let hold = when(send, |event: Event| {
        let list = focus::by_id(LIST)?;
        let is = |state: &str| list.matches(state).unwrap_or(false);
        let focused = match event.dyn_ref::<FocusEvent>() {
            Some(change) if event.type_() == "focusout" => {
                list.contains(change.related_target().as_ref().and_then(|to| to.dyn_ref::<web_sys::Node>()))
            }
            _ => is(":focus-within"),
        };
        Some(Msg::Side(Turn::Hold(list.scroll_top() > 4 || focused || is(":hover"))))
    });
    let onkeydown = Callback::from(|event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        let Some(list) = focus::by_id(LIST) else { return };
        // From the list itself the first key goes to its first link.
        let moved = focus::step(&list, "button", by)
            || (by > 0 && focus::focused().as_ref() == Some(&list) && focus::enter(&list, "button"));
        if moved {
            event.prevent_default();
        }
    });
    html! {
        <ol id={LIST} tabindex="0" aria-label="Events, newest first" {onkeydown}
            onscroll={hold.clone()}
            onfocusin={hold.reform(Event::from)} onfocusout={hold.reform(Event::from)}
            onmouseenter={hold.reform(Event::from)} onmouseleave={hold.reform(Event::from)}>{ rows }</ol>
    }
}

fn shows(filter: &Filter, line: &FeedLine) -> bool {
    let wanted = filter.text.to_ascii_lowercase();
    let holds = |text: &str| text.to_ascii_lowercase().contains(&wanted);
    (!filter.warnings || line.is_warning)
        && (wanted.is_empty()
            || [&line.reason, &line.object, &line.message, &line.source].into_iter().any(|text| holds(text)))
}

fn row(line: &FeedLine, step_us: i64, now_us: i64) -> Html {
    let age_us = (now_us - line.at_us) / step_us * step_us;
    html! {
        <li key={line.id} class={class(line)}>
            <time title={format!("at {}", words::clock(line.at_us))}>{ words::minute(line.at_us) }</time>
            <b>{ reason(&line.reason) }</b>
            if line.count > 1 {
                <span class="times">{ format!("×{}", line.count) }</span>
            }
            <span class="age">{ words::age(age_us) }</span>
            <p>{ line.message.clone() }</p>
            <div class="who">
                { object(line) }
                <span class="source">{ line.source.clone() }</span>
            </div>
            if !["you", "scenario"].contains(&&*line.source) {
                { ask(line.fact, &line.reason, Some(format!("{FEED}why-{}", line.id))) }
            }
        </li>
    }
}

/// The object as a link, and a way to see only what is said of it.
fn object(line: &FeedLine) -> Html {
    if line.object.is_empty() {
        return html! {};
    }
    html! {
        <span class="object">
            if let Some(subject) = &line.subject {
                { go(subject, &line.object, Some(format!("{FEED}go-{}", line.id))) }
            } else {
                <span class="mono">{ line.object.clone() }</span>
            }
            { only(&line.object, icon(FUNNEL), format!("Only {}", line.object)) }
        </span>
    }
}

/// What sets a line apart: a warning, or the person's own doing.
pub fn class(line: &FeedLine) -> &'static str {
    match (line.is_warning, &*line.source) {
        (true, _) => "warning",
        (false, "you") => "you",
        _ => "",
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
