//! A node: what the cluster believes of it, what its machine is, and its pods.

use super::is_selected;
use super::parts::{POWER, RESTORE, bar, icon};
use super::pod::{self, Place};
use crate::app::{Msg, Send};
use crate::slots::Slots;
use crate::words::{self, cores};
use setpoint_lab::Action;
use setpoint_lab::frame::{NodeTile, PodTile};
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub node: Rc<NodeTile>,
    /// Time, if a pod is under way.
    pub at_us: i64,
    /// What is looked at closely, if it is one of the node's pods.
    pub selected: Option<Subject>,
    pub send: Send,
}

/// One node. It remembers which pod has which place.
pub struct Node {
    slots: Slots,
}

impl Component for Node {
    type Message = ();
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        let mut node = Self { slots: Slots::default() };
        node.settle(ctx.props());
        node
    }

    fn changed(&mut self, ctx: &Context<Self>, _old: &Props) -> bool {
        self.settle(ctx.props());
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let node = &props.node;
        let onkeydown = {
            let toggle = toggle(props);
            Callback::from(move |event: KeyboardEvent| {
                // Only on the node itself: on a button inside, the key belongs to that.
                if event.key() == "k" && !event.ctrl_key() && !event.meta_key() && !event.alt_key() {
                    toggle.emit(());
                }
            })
        };
        let class = match (node.powered, node.ready) {
            (true, true) if node.cordoned => "node cordoned",
            (true, true) => "node",
            (false, _) => "node off",
            (true, false) => "node down",
        };
        html! {
            <article {class} id={format!("node-{}", node.name)} tabindex="0" aria-label={label(node)}
                aria-keyshortcuts="k" {onkeydown}>
                { header(props) }
                { facts(node) }
                if node.pods.is_empty() {
                    <p class="nothing">{ "No Pods Scheduled" }</p>
                } else {
                    <ul class="pods">{ for self.slots.places().iter().enumerate().map(|(at, id)| self.place(props, at, *id)) }</ul>
                }
            </article>
        }
    }
}

impl Node {
    fn settle(&mut self, props: &Props) {
        let ids: Vec<u32> = props.node.pods.iter().map(|pod| pod.id).collect();
        self.slots.settle(&ids);
    }

    fn place(&self, props: &Props, at: usize, id: Option<u32>) -> Html {
        let pod: Option<&Rc<PodTile>> = id.and_then(|id| props.node.pods.iter().find(|pod| pod.id == id));
        let first = self.slots.places().iter().flatten().next() == id.as_ref();
        match pod {
            Some(pod) => html! {
                <li key={pod.id}>
                    { pod::view(pod, Place { at_us: props.at_us, selected: is_selected(pod, props.selected.as_ref()), stop: first }, &props.send) }
                </li>
            },
            // Free places have keys that no pod has.
            None => html! { <li key={format!("free-{at}")} aria-hidden="true" class="free" /> },
        }
    }
}

fn toggle(props: &Props) -> Callback<()> {
    let node = props.node.clone();
    props.send.reform(move |()| {
        let name = node.name.to_string();
        Msg::Act(if node.powered {
            Action::KillMachine { node: name }
        } else {
            Action::RestoreMachine { node: name }
        })
    })
}

fn header(props: &Props) -> Html {
    let node = &props.node;
    let (verb, sign) = if node.powered { ("Kill", POWER) } else { ("Restore", RESTORE) };
    let name = format!("{verb} {}", node.name);
    let onclick = toggle(props).reform(|_: MouseEvent| ());
    let tone = if node.ready { "chip ok" } else { "chip bad" };
    html! {
        <header>
            <h3>{ node.name.clone() }</h3>
            <span class={tone}>{ node.status.clone() }</span>
            <button class="round power" {onclick} aria-label={name.clone()} title={name}>{ icon(sign) }</button>
        </header>
    }
}

/// Two lines, whatever they say, so that the pods below stay where they are.
fn facts(node: &NodeTile) -> Html {
    let note = match &node.note {
        Some(note) => note.to_string(),
        None if node.powered && !node.cordoned => String::new(),
        None if node.powered => "Cordoned: it takes no new pods.".to_string(),
        None => "No power.".to_string(),
    };
    if !node.powered || !note.is_empty() {
        return html! {
            <p class="facts note" title={note.clone()}>
                if !node.powered && !node.ready {
                    <b>{ "No power. " }</b>
                }
                { note }
            </p>
        };
    }
    let share = |milli: i64| milli * 100 / node.cpu_allocatable_milli.max(1);
    html! {
        <div class="facts">
            <span>{ "CPU" }</span>
            { bar(&[("fill", share(node.cpu_used_milli))], Some(share(node.cpu_requested_milli))) }
            <span>{ format!("{}/{}", cores(node.cpu_used_milli), cores(node.cpu_allocatable_milli)) }</span>
            <span class="requested">{ format!(
                "{} · {} of {} CPU requested",
                words::count(i32::try_from(node.pods.len()).unwrap_or(i32::MAX), "pod"),
                cores(node.cpu_requested_milli),
                cores(node.cpu_allocatable_milli),
            ) }</span>
        </div>
    }
}

fn label(node: &NodeTile) -> String {
    format!(
        "Node {}, {}, machine {}, {}, {} of {} CPU used",
        node.name,
        node.status,
        if node.powered { "on" } else { "off" },
        words::count(i32::try_from(node.pods.len()).unwrap_or(i32::MAX), "pod"),
        cores(node.cpu_used_milli),
        cores(node.cpu_allocatable_milli),
    )
}
