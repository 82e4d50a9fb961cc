//! Things to break, each aimed at what was chosen or at what comes first; and what that has cost.

use super::is_selected;
use super::panel::Props;
use super::parts::{CLOSE, icon};
use crate::app::Msg;
use crate::faults::{Fault, Kind};
use crate::words;
use setpoint_lab::Action;
use setpoint_lab::frame::{Component, Frame, Nature, NodeTile, PodLook, PodTile};
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The buttons, and what they aim at.
pub fn view(props: &Props) -> Html {
    let frame = &*props.frame;
    let chosen = pods(frame).find(|pod| is_selected(pod, props.side.selected.as_ref()));
    let pod =
        chosen.or_else(|| pods(frame).filter(|pod| pod.look == PodLook::Ready).min_by_key(|pod| pod.id));
    let node = aimed_node(frame, props.side.selected.as_ref(), chosen);
    html! {
        <section class="field" role="group" aria-labelledby="break">
            <h2 id="break">{ "Break something" }</h2>
            { on_pod(props, pod) }
            { on_node(props, node) }
            { on_component(props) }
        </section>
    }
}

/// A row of buttons below what they aim at.
fn row(kind: &'static str, name: Option<Rc<str>>, hint: Html, buttons: Html) -> Html {
    let aim = name.map_or_else(
        || html! { <span class="unit">{ "none" }</span> },
        |name| html! { <b class="mono">{ name }</b> },
    );
    html! {
        <div class="field aim">
            <span>{ kind }{ " " }{ aim }{ hint }</span>
            <div class="segments">{ buttons }</div>
        </div>
    }
}

fn button(props: &Props, label: &'static str, word: &'static str, action: Option<Action>) -> Html {
    let off = action.is_none();
    let onclick = action.map(|action| props.send.reform(move |_: MouseEvent| Msg::Act(action.clone())));
    html! { <button {onclick} disabled={off} aria-label={label}>{ word }</button> }
}

fn on_pod(props: &Props, pod: Option<&Rc<PodTile>>) -> Html {
    let act = |make: fn(String, String) -> Action| {
        pod.map(|pod| make(pod.namespace.to_string(), pod.name.to_string()))
    };
    let buttons = html! {
        <>
            { button(props, "Crash a pod", "Crash", act(|namespace, pod| Action::CrashPod { namespace, pod })) }
            { button(props, "Hang a pod", "Hang", act(|namespace, pod| Action::WedgePod { namespace, pod })) }
            { button(props, "Delete a pod", "Delete", act(|namespace, pod| Action::DeletePod { namespace, pod, grace_seconds: None })) }
        </>
    };
    row(
        "Pod",
        pod.map(|pod| match pod.nature {
            Nature::Stateful | Nature::Bare => pod.name.clone(),
            _ => pod.name.rsplit('-').next().unwrap_or_default().into(),
        }),
        html! { <span class="unit">{ "press one to aim" }</span> },
        buttons,
    )
}

fn on_node(props: &Props, node: Option<&Rc<NodeTile>>) -> Html {
    let act = |make: fn(String) -> Action| node.map(|node| make(node.name.to_string()));
    let cordoned = node.is_some_and(|node| node.cordoned);
    let cordon = if cordoned {
        button(
            props,
            "Uncordon a node",
            "Uncordon",
            act(|node| Action::SetCordoned { node, cordoned: false }),
        )
    } else {
        button(props, "Cordon a node", "Cordon", act(|node| Action::SetCordoned { node, cordoned: true }))
    };
    let buttons = html! {
        <>
            { button(props, "Kill a node", "Kill", act(|node| Action::KillMachine { node }).filter(|_| node.is_some_and(|node| node.powered))) }
            { cordon }
            { button(props, "Drain a node", "Drain", act(|node| Action::Drain { node })) }
        </>
    };
    row("Node", node.map(|node| node.name.clone()), add_node(props), buttons)
}

/// One more machine, by the next number.
fn add_node(props: &Props) -> Html {
    let numbers =
        props.frame.nodes.iter().filter_map(|node| node.name.rsplit('-').next()?.parse::<u32>().ok());
    let next = format!("node-{:02}", numbers.max().unwrap_or(0).saturating_add(1));
    let label = format!("Add {next}");
    let onclick = props.send.reform(move |_: MouseEvent| Msg::Act(Action::AddMachine { node: next.clone() }));
    html! { <button class="add" {onclick} title={label.clone()} aria-label={label}>{ "+ Add a node" }</button> }
}

fn on_component(props: &Props) -> Html {
    let parts = &props.frame.components;
    let chosen = match &props.side.selected {
        Some(Subject::Component(name)) => parts.iter().find(|part| part.name == *name),
        _ => None,
    };
    let Some(aim) = chosen.or_else(|| parts.iter().find(|part| &*part.name == "default-scheduler")) else {
        return html! {};
    };
    let onchange = props.send.reform(|event: Event| {
        Msg::Select(Subject::Component(event.target_unchecked_into::<HtmlSelectElement>().value().into()))
    });
    let option = |part: &Rc<Component>| {
        html! { <option value={part.name.to_string()} selected={part.name == aim.name}>{ part.title.to_string() }</option> }
    };
    let (label, word) =
        if aim.up { ("Stop the component", "Stop") } else { ("Start the component", "Start") };
    let action = Action::SetComponent { component: aim.name.to_string(), up: !aim.up };
    html! {
        <div class="load-row">
            <select aria-label="Component of the control plane" {onchange}>{ for parts.iter().map(option) }</select>
            { button(props, label, word, Some(action)) }
        </div>
    }
}

fn pods(frame: &Frame) -> impl Iterator<Item = &Rc<PodTile>> {
    frame.nodes.iter().flat_map(|node| &node.pods).chain(&frame.pending)
}

/// The chosen node, the chosen pod's, or else the running one with the most pods.
fn aimed_node<'a>(
    frame: &'a Frame,
    selected: Option<&Subject>,
    chosen: Option<&Rc<PodTile>>,
) -> Option<&'a Rc<NodeTile>> {
    let own = frame.nodes.iter().find(|node| match (selected, chosen) {
        (_, Some(pod)) => node.pods.iter().any(|own| own.id == pod.id),
        (Some(Subject::Object { kind, name, .. }), None) => **kind == *"node" && node.name == *name,
        _ => false,
    });
    own.or_else(|| frame.nodes.iter().rev().filter(|node| node.powered).max_by_key(|node| node.pods.len()))
}

/// What is broken or was, each with its cost and what puts it right.
pub fn faults(props: &Props) -> Html {
    let list = &props.faults;
    html! {
        <section class="panel faults" aria-label="Faults">
            <h2>{ "Faults, and what failed since" }</h2>
            if list.is_empty() {
                <p class="nothing">{ "Nothing is broken. What you break stands here, with what failed since and a way back." }</p>
            } else {
                <ul tabindex="0" aria-label="Faults">{ for list.iter().map(|fault| fault_row(fault, props)) }</ul>
            }
        </section>
    }
}

fn fault_row(fault: &Fault, props: &Props) -> Html {
    let frame = &*props.frame;
    let lasted = whole_seconds(fault.ended_us.unwrap_or(frame.at_us) - fault.from_us);
    let is = match fault.kind {
        Kind::Power => "off for ",
        Kind::Cordon => "cordoned for ",
        Kind::Kubelet => "without its kubelet for ",
        Kind::Disk => "full for ",
        Kind::Stopped => "stopped for ",
        Kind::Hang => "hung for ",
        Kind::Image => "stalled for ",
        Kind::Crash => "down for ",
        Kind::Delete => "deleted",
        Kind::Memory => "took too much memory",
    };
    let lasted = if matches!(fault.kind, Kind::Delete | Kind::Memory) { String::new() } else { lasted };
    let class = if fault.is_over() { "over" } else { "" };
    let name = match fault.kind {
        Kind::Stopped => {
            frame.components.iter().find(|part| part.name == fault.name).map(|part| part.title.clone())
        }
        Kind::Image => Some(format!("Rollout of {}", fault.name).into()),
        _ => None,
    };
    let reset = fault.reset().map(|(word, action)| {
        let name = format!("{word} {} (fault)", fault.name);
        let onclick = props.send.reform(move |_: MouseEvent| Msg::Act(action.clone()));
        html! { <button {onclick} aria-label={name}>{ word }</button> }
    });
    html! {
        <li key={format!("{:?}{}{}", fault.kind, fault.name, fault.from_us)} {class}>
            <span class="sign">{ icon(if fault.is_over() { "M3 8.5 6.5 12 13 4.5" } else { CLOSE }) }</span>
            <p><b>{ name.unwrap_or_else(|| fault.name.clone()) }</b>{ format!(" {is}{lasted}") }</p>
            { for reset }
            <p class="cost">{ cost(fault, frame) }</p>
        </li>
    }
}

/// What has come since.
fn cost(fault: &Fault, frame: &Frame) -> String {
    let noun = if fault.failed == 1 { "request" } else { "requests" };
    let pods = match (fault.low, fault.whole_us) {
        (false, _) => "no pod missing".to_string(),
        (true, None) => frame
            .app
            .as_ref()
            .map_or_else(String::new, |app| format!("{} of {} ready", app.ready, app.target_replicas)),
        // A number and its unit stay on one line.
        (true, Some(whole_us)) => {
            format!("all ready after {}", whole_seconds(whole_us - fault.from_us).replace(' ', "\u{a0}"))
        }
    };
    format!("{} {noun} failed; {pods}", words::thousands(fault.failed))
}

fn whole_seconds(us: i64) -> String {
    words::span(us / 1_000_000 * 1_000_000)
}
