//! One thing from all sides: what is wanted and what is, what it waits for, whose it is, and what can be done to it.

mod actions;
mod lens;
mod parts;
mod path;

use super::feed::class;
use super::panel::Props;
use super::parts::icon;
use super::side::{ask, go, only};
use super::things::short;
use crate::app::Msg;
use crate::language;
use crate::side::{TITLE, Turn};
use crate::words;
use parts::{part, state};
use setpoint_lab::frame::FeedLine;
use setpoint_lab::inspect::{Condition, Inspection, Link, Row, Subject, Timer};
use yew::prelude::*;

/// Most lines of a list; the number of the others is told.
const LINES_MAX: usize = 40;
/// A cross.
const CLOSE: &str = "M4 4l8 8M12 4l-8 8";

/// The details of what is selected.
pub fn view(props: &Props) -> Html {
    let close = props.send.reform(|_: MouseEvent| Msg::Side(Turn::Close));
    let inside = match (&props.side.seen, &props.side.selected) {
        (Some(seen), _) => thing(seen, props),
        (None, Some(subject)) => html! {
            <p class="nothing">{ format!("There is no {} now.", subject.to_text()) }</p>
        },
        (None, None) => html! {
            <p class="nothing">{ "Press a pod, a node, the load balancer or a part of the control plane to see it from all sides." }</p>
        },
    };
    let fact = props.side.seen.as_ref().map_or(0, |seen| seen.fact);
    let (kind, name, state) = match (&props.side.seen, &props.side.selected) {
        (Some(seen), _) => (short(&seen.kind), &*seen.name, state(seen.state.0, &seen.state.1)),
        (None, Some(Subject::Object { kind, name, .. })) => (&**kind, &**name, html! {}),
        (None, Some(Subject::Component(name))) => ("Component", &**name, html! {}),
        (None, None) => ("", "Nothing selected", html! {}),
    };
    html! {
        <section class="details" id="details" aria-labelledby={TITLE}>
            <header>
                if !kind.is_empty() {
                    <span class="kind">{ kind.to_string() }</span>
                }
                <span class="state">{ state }</span>
                <span>{ yaml(props) }{ " " }{ ask(fact, name, None) }</span>
                <button class="round" onclick={close} aria-label="Close details" title="Close details">{ icon(CLOSE) }</button>
                <h2 id={TITLE} class="mono" tabindex="-1">{ name.to_string() }</h2>
            </header>
            { inside }
        </section>
    }
}

/// Opens the object as a manifest.
fn yaml(props: &Props) -> Html {
    let subject = match (&props.side.seen, &props.side.selected) {
        (Some(seen), Some(subject @ Subject::Object { .. })) if seen.exists => subject.clone(),
        _ => return html! {},
    };
    let open =
        props.send.reform(move |_: MouseEvent| Msg::Language(language::Msg::Export(Some(subject.clone()))));
    html! { <button class="link" onclick={open} title="Open it as a manifest">{ "YAML" }</button> }
}

fn thing(seen: &Inspection, props: &Props) -> Html {
    let now_us = seen.at_us;
    // Work is what a component is about; of a node it is its agent's.
    let is_component = matches!(seen.subject, Subject::Component(_));
    let has_queue = *seen.kind == *"Controller";
    let work = seen.lens.as_ref().map_or_else(Html::default, |work| lens::view(work, has_queue, now_us));
    html! {
        <>
            if !seen.owners.is_empty() {
                <p class="crumbs">
                    <span class="sr">{ "Owned by" }</span>
                    { for seen.owners.iter().enumerate().map(|(at, owner)| html! {
                        <>{ if at > 0 { " › " } else { "" } }{ go(&owner.to, &owner.text, None) }</>
                    }) }
                </p>
            }
            if seen.exists {
                { actions::view(seen, props) }
            } else {
                <p class="gone"><b>{ "Deleted." }</b>{ " This is how it was last seen." }</p>
            }
            { path::view(seen) }
            if is_component {
                { work.clone() }
            }
            { rows(seen) }
            { timers(&seen.timers, now_us) }
            if let Some(working) = &seen.working {
                { lens::working(working) }
            }
            { conditions(&seen.conditions, now_us) }
            { children(seen) }
            if !is_component {
                { work }
            }
            { events(seen) }
        </>
    }
}

/// What is asked for beside what is, with a sign where the two differ.
fn rows(seen: &Inspection) -> Html {
    let (title, heads) = match &seen.subject {
        Subject::Component(_) => ("Settings and figures", ["Upstream", "Here"]),
        Subject::Object { kind, .. } if **kind == *"node" => {
            ("Belief and truth", ["The cluster believes", "The machine is"])
        }
        Subject::Object { .. } => ("Spec against status", ["Wanted", "Is"]),
    };
    let line = |row: &Row| {
        let class = if row.differs { "differs" } else { "" };
        html! {
            <tr key={&*row.name} {class}>
                <th scope="row">
                    if row.differs {
                        <span class="sign" role="img" aria-label="differs">{ "≠" }</span>
                    }
                    { row.name.clone() }
                </th>
                <td>{ row.wanted.clone() }</td>
                <td>{ row.is.clone() }</td>
            </tr>
        }
    };
    part(
        title,
        seen.rows.len(),
        html! {
            <>
                <table class="spec">
                    <thead><tr><td></td>{ for heads.map(|head| html! { <th scope="col">{ head }</th> }) }</tr></thead>
                    <tbody>{ for seen.rows.iter().take(LINES_MAX).map(line) }</tbody>
                </table>
                { more(seen.rows.len()) }
            </>
        },
    )
}

/// What it waits for: a ring for each that fills while its time runs out.
fn timers(timers: &[Timer], now_us: i64) -> Html {
    let line = |timer: &Timer| {
        let length = (timer.to_us - timer.from_us).max(1);
        let passed = (now_us - timer.from_us).clamp(0, length) * 100 / length;
        html! {
            <li key={&*timer.name}>
                <svg class="ring" viewBox="0 0 36 36" aria-hidden="true">
                    <circle cx="18" cy="18" r="15" />
                    <circle class="passed" cx="18" cy="18" r="15" pathLength="100" stroke-dasharray={format!("{passed} 100")} />
                </svg>
                <p>
                    <b>{ timer.name.clone() }</b>
                    <span class="left">{ format!("in {}", words::tenths_left(timer.to_us - now_us)) }</span>
                    <br />{ timer.then.clone() }
                    <br /><small>{ timer.length.clone() }</small>
                </p>
            </li>
        }
    };
    part("Timers", timers.len(), html! { <ul class="timers">{ for timers.iter().map(line) }</ul> })
}

fn conditions(conditions: &[Condition], now_us: i64) -> Html {
    let line = |condition: &Condition| {
        html! {
            <li key={&*condition.name}>
                <b>{ condition.name.clone() }</b>{ state(condition.tone, &condition.status) }
                <span class="age">{ words::age(now_us - condition.since_us) }</span>
                <p>
                    if !condition.reason.is_empty() {
                        <span class="mono">{ condition.reason.clone() }</span>{ " " }
                    }
                    { condition.message.clone() }
                </p>
            </li>
        }
    };
    part(
        "Conditions",
        conditions.len(),
        html! { <ul class="conditions">{ for conditions.iter().map(line) }</ul> },
    )
}

fn children(seen: &Inspection) -> Html {
    let children = &seen.children;
    let title = match &seen.subject {
        Subject::Component(_) => "Leads to",
        Subject::Object { kind, .. } => match &**kind {
            "pod" => "Belongs to",
            "node" => "Runs",
            "service" | "endpointslice" => "Sends to",
            "horizontalpodautoscaler" => "Scales",
            "poddisruptionbudget" => "Protects",
            "resourcequota" => "Counts",
            "persistentvolumeclaim" => "Used by, and its volume",
            "persistentvolume" => "Claimed by",
            "priorityclass" => "Goes for",
            _ => "Owns",
        },
    };
    let line = |link: &Link| {
        html! { <li key={link.to.to_text()}>{ go(&link.to, &link.text, None) }{ state(link.state.0, &link.state.1) }</li> }
    };
    part(
        title,
        children.len(),
        html! {
            <>
                <ul class="children">{ for children.iter().take(LINES_MAX).map(line) }</ul>
                { more(children.len()) }
            </>
        },
    )
}

fn more(all: usize) -> Html {
    match all.saturating_sub(LINES_MAX) {
        0 => html! {},
        more => html! { <p class="muted">{ format!("and {more} more") }</p> },
    }
}

fn events(seen: &Inspection) -> Html {
    let line = |line: &FeedLine| {
        html! {
            <li key={line.id} class={class(line)}>
                <time title={format!("at {}", words::clock(line.at_us))}>{ words::minute(line.at_us) }</time>
                <p>
                    <b>{ line.reason.clone() }</b>
                    if line.count > 1 {
                        <span class="times">{ format!(" ×{}", line.count) }</span>
                    }
                    { " " }{ line.message.clone() }{ " " }{ ask(line.fact, &line.reason, None) }
                </p>
            </li>
        }
    };
    let object = seen.events.iter().find(|line| !line.object.is_empty());
    part(
        "Events",
        seen.events.len(),
        html! {
            <>
                <ol class="mini">{ for seen.events.iter().take(LINES_MAX).map(|event| line(event)) }</ol>
                if let Some(line) = object {
                    { only(&line.object, html! { "Only these in the feed" }, format!("Only {} in the feed", line.object)) }
                }
            </>
        },
    )
}
