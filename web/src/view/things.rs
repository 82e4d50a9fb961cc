//! What there is besides Deployments and pods: sets, Jobs, budgets, quotas, claims, each with how it stands.

use super::parts::icon;
use crate::app::{Msg, Send};
use crate::words;
use setpoint_lab::frame::Thing;
use setpoint_lab::inspect::{Subject, Tone};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub things: Rc<Vec<Rc<Thing>>>,
    /// The second of now, if one of them counts down.
    pub second: i64,
    pub selected: Option<Subject>,
    pub send: Send,
}

/// The strip, if there is something to show.
pub fn view(things: &Rc<Vec<Rc<Thing>>>, at_us: i64, selected: Option<&Subject>, send: &Send) -> Html {
    if things.is_empty() {
        return html! {};
    }
    let counts = things.iter().any(|thing| thing.next_us.is_some());
    let second = if counts { at_us / 1_000_000 } else { 0 };
    let selected = selected.filter(|subject| things.iter().any(|thing| thing.subject == **subject)).cloned();
    html! { <Things things={things.clone()} {second} {selected} send={send.clone()} /> }
}

/// A component, so that it is drawn again only if something of it has changed.
#[component]
pub fn Things(props: &Props) -> Html {
    html! {
        <section class="things" aria-labelledby="things">
            <h2 id="things" class="sr">{ "Sets, Jobs, limits and storage" }</h2>
            <ul>{ for props.things.iter().map(|thing| chip(thing, props)) }</ul>
        </section>
    }
}

fn chip(thing: &Thing, props: &Props) -> Html {
    let (class, path) = match thing.tone {
        Tone::Good => ("good", "M3 8.5 6.5 12 13 4.5"),
        Tone::Busy => ("busy", "M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5v3l2 1.5"),
        Tone::Bad => ("bad", "M4 4l8 8M12 4l-8 8"),
        Tone::Plain => ("", "M3.5 8h9"),
    };
    let state = match thing.next_us {
        Some(next) => {
            let left = words::seconds_left(next - props.second * 1_000_000);
            format!("{}, next in {left}", thing.state)
        }
        None => thing.state.to_string(),
    };
    let title = match &thing.why {
        Some(why) => format!("{} {}: {state}. {why}", thing.kind, thing.name),
        None => format!("{} {}: {state}", thing.kind, thing.name),
    };
    // What counts, or counts down, needs room for it.
    let is_talkative = ["Job", "CronJob", "ResourceQuota", "PodDisruptionBudget"].contains(&&*thing.kind);
    let pressed = if props.selected.as_ref() == Some(&thing.subject) { "true" } else { "false" };
    let subject = thing.subject.clone();
    let onclick = props.send.reform(move |_: MouseEvent| Msg::Select(subject.clone()));
    html! {
        <li key={thing.subject.to_text()} class={is_talkative.then_some("counting")}>
            <button {class} {onclick} aria-pressed={pressed} {title}>
                <span class="what">{ short(&thing.kind) }{ " " }<b>{ thing.name.clone() }</b></span>
                <span class="how">{ icon(path) }<i>{ state }</i></span>
            </button>
        </li>
    }
}

/// Long kinds by the name that kubectl has for them.
pub fn short(kind: &str) -> &str {
    match kind {
        "HorizontalPodAutoscaler" => "HPA",
        "PodDisruptionBudget" => "PDB",
        "PersistentVolumeClaim" => "PVC",
        "PersistentVolume" => "PV",
        "ResourceQuota" => "Quota",
        "PriorityClass" => "Priority",
        other => other,
    }
}
