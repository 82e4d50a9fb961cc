//! A node: what the cluster believes of it, what its machine is, and its pods.

use super::crowd;
use super::parts::{POWER, RESTORE, bar, icon};
use super::pod::Pod;
use crate::app::{Msg, Send};
use crate::browser::{focus, frame_loop};
use crate::density::{Density, Level};
use crate::slots::Slots;
use crate::words::{self, cores};
use setpoint_lab::Action;
use setpoint_lab::frame::{NodeTile, PodTile};
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use yew::prelude::*;

/// Free places are given up when nothing has come or gone for so long.
const QUIET_MS: f64 = 1500.0;

/// Letters of a name that fit on the narrowest node.
const NAME_MAX: usize = 8;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub node: Rc<NodeTile>,
    /// Time, if a pod is under way.
    pub at_us: i64,
    pub density: Density,
    /// Whether the Tab key stops at the node, and at what is inside of it.
    pub stops: (bool, bool),
    /// Whether the node is looked at closely.
    pub chosen: bool,
    /// Which of its pods is.
    pub selected: Option<u32>,
    pub send: Send,
}

/// One node. It remembers which pod has which place.
pub struct Node {
    slots: Slots,
    moved_ms: f64,
    /// The pod that the keyboard is at, where pods are drawn and not elements.
    cursor: Option<u32>,
    /// Whether the focus is to follow the cursor.
    follows: bool,
}

/// The keyboard goes to a place among the pods.
pub struct Go(usize);

impl Component for Node {
    type Message = Go;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        let mut node = Self { slots: Slots::default(), moved_ms: 0.0, cursor: None, follows: false };
        node.settle(ctx.props());
        node
    }

    fn changed(&mut self, ctx: &Context<Self>, _old: &Props) -> bool {
        self.settle(ctx.props());
        true
    }

    fn update(&mut self, _ctx: &Context<Self>, Go(place): Go) -> bool {
        let places = self.slots.places();
        let at_or_before = places.iter().take(place + 1).rev().flatten().next();
        self.cursor = at_or_before.or_else(|| places.iter().flatten().next()).copied();
        self.follows = self.cursor.is_some();
        true
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        if std::mem::take(&mut self.follows) {
            focus::focus_inside(&id_of(&ctx.props().node), ".pod");
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let node = &props.node;
        let class = match (node.powered, node.ready) {
            (true, true) if node.cordoned => "node cordoned",
            (true, true) => "node",
            (false, _) => "node off",
            (true, false) => "node down",
        };
        html! {
            <article class={classes!(class, props.chosen.then_some("chosen"))} id={id_of(node)} aria-label={label(node)} onkeydown={self.onkeydown(ctx)}>
                { header(props) }
                if props.density.level >= Level::Cell { { brief(node) } } else { { facts(node) } }
                if node.pods.is_empty() {
                    <p class="nothing">{ "No Pods Scheduled" }</p>
                } else if props.density.level == Level::Dot {
                    { crowd::view(node, self.slots.places(), props.density, self.cursor, props.selected, &props.send) }
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
        let now_ms = frame_loop::now_ms();
        if self.slots.settle(&ids) {
            self.moved_ms = now_ms;
        } else if now_ms - self.moved_ms > QUIET_MS {
            self.slots.compact();
        }
        // The keyboard does not lose its place because a pod went.
        if let Some(gone) = self.cursor.filter(|id| !ids.contains(id)) {
            self.cursor = ids.iter().copied().filter(|id| *id < gone).max().or(ids.first().copied());
            self.follows =
                focus::focused().is_some_and(|element| element.matches(".crowd .pod").unwrap_or(false));
        }
    }

    /// `k` switches the machine off and on; where pods are drawn, arrow keys walk the drawing.
    fn onkeydown(&self, ctx: &Context<Self>) -> Callback<KeyboardEvent> {
        let toggle = toggle(ctx.props());
        let per_row = ctx.props().density.per_row;
        let is_drawn = ctx.props().density.level == Level::Dot && !ctx.props().node.pods.is_empty();
        let place = self.slots.places().iter().position(|id| id.is_some() && *id == self.cursor).unwrap_or(0);
        let go = ctx.link().callback(Go);
        Callback::from(move |event: KeyboardEvent| {
            let key = event.key();
            if key == "k" && !event.ctrl_key() && !event.meta_key() && !event.alt_key() {
                toggle.emit(());
            }
            if !is_drawn {
                return;
            }
            let is_inside = focus::focused().is_some_and(|element| element.matches(".pod").unwrap_or(false));
            let target = match (key.as_str(), is_inside) {
                ("ArrowDown", false) => Some(place),
                ("ArrowRight", true) => Some(place + 1),
                ("ArrowDown", true) => Some(place + per_row),
                ("ArrowLeft", true) => place.checked_sub(1),
                ("ArrowUp", true) => place.checked_sub(per_row),
                _ => None,
            };
            if let Some(target) = target {
                event.prevent_default();
                go.emit(target);
            }
        })
    }

    fn place(&self, props: &Props, at: usize, id: Option<u32>) -> Html {
        let pod: Option<&Rc<PodTile>> = id.and_then(|id| props.node.pods.iter().find(|pod| pod.id == id));
        // A tile that gets another place is a new element, which fades in there rather than jumps.
        let key = (at as u64) << 32 | u64::from(id.unwrap_or(u32::MAX));
        let Some(pod) = pod else {
            return html! { <li {key} aria-hidden="true" class="free" /> };
        };
        let first = self.slots.places().iter().flatten().next() == id.as_ref();
        let at_us = if pod.step.is_some() { props.at_us } else { 0 };
        html! {
            <li {key}>
                <Pod pod={pod.clone()} {at_us} selected={props.selected == Some(pod.id)} stop={first && props.stops.1}
                    send={props.send.clone()} />
            </li>
        }
    }
}

fn id_of(node: &NodeTile) -> String {
    format!("node-{}", node.name)
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
    let power = format!("{verb} {}", node.name);
    let onclick = toggle(props).reform(|_: MouseEvent| ());
    let subject = Subject::Object { kind: "node".into(), namespace: "".into(), name: node.name.clone() };
    let select = props.send.reform(move |_: MouseEvent| Msg::Select(subject.clone()));
    let stop = |stops: bool| if stops { "0" } else { "-1" };
    let title = if node.name.len() > NAME_MAX { "title long" } else { "title" };
    html! {
        <header>
            <h3><button class={title} onclick={select} tabindex={stop(props.stops.0)} aria-label={label(node)}
                aria-keyshortcuts="k" aria-pressed={if props.chosen { "true" } else { "false" }}>
                { node.name.clone() }
            </button></h3>
            if props.density.level < Level::Cell {
                // That it is ready goes without saying where there is room for one word only.
                if !(node.cordoned && node.ready) {
                    <span class={if node.ready { "chip ok" } else { "chip bad" }}>{ belief(node) }</span>
                }
                if node.cordoned {
                    <span class="chip cordon">{ "Cordoned" }</span>
                }
            }
            <button class="round power" {onclick} tabindex={stop(props.stops.1)} aria-label={power.clone()} title={power}>
                { icon(sign) }
            </button>
        </header>
    }
}

/// What the cluster believes, without what a person asked for.
fn belief(node: &NodeTile) -> &'static str {
    if node.ready { "Ready" } else { "NotReady" }
}

/// Two lines, whatever they say, so that the pods below stay where they are: the truth beside the belief, or the CPU.
fn facts(node: &NodeTile) -> Html {
    if let Some((which, why)) = node.kept.as_ref().filter(|_| node.ready && node.powered) {
        return html! {
            <p class="facts note kept" title={format!("{which}: {why}")}>
                <b>{ which.clone() }</b>
                <span>{ why.clone() }</span>
            </p>
        };
    }
    let note = node.note.as_deref().unwrap_or_default().to_string();
    if lost(node).is_some() || !note.is_empty() {
        return html! {
            <p class="facts note" title={note.clone()}>
                <span>{ truth(node) }</span>
                <span>{ note }</span>
            </p>
        };
    }
    let pods = words::count(i32::try_from(node.pods.len()).unwrap_or(i32::MAX), "pod");
    html! {
        <div class="facts">
            <span>{ "CPU" }</span>
            { cpu(node) }
            <span>{ format!("{}/{}", cores(node.cpu_used_milli), cores(node.cpu_allocatable_milli)) }</span>
            <span class="requested">{ format!(
                "{pods} · {} of {} CPU requested",
                cores(node.cpu_requested_milli),
                cores(node.cpu_allocatable_milli),
            ) }</span>
        </div>
    }
}

/// What the machine lacks to speak for itself.
fn lost(node: &NodeTile) -> Option<&'static str> {
    match (node.powered, node.kubelet_stopped) {
        (false, _) => Some("No power"),
        (true, true) => Some("Kubelet stopped"),
        (true, false) => node.disk_full.then_some("Disk full"),
    }
}

/// What is, and what the cluster says.
fn truth(node: &NodeTile) -> Html {
    let what = lost(node).unwrap_or("Machine on");
    html! { <><b>{ what }</b>{ " · " }<span class="roomy">{ "Node " }</span>{ "says " }<b class={if node.ready { "ok" } else { "" }}>{ belief(node) }</b></> }
}

/// The same in less room.
fn brief(node: &NodeTile) -> Html {
    let kept = node.kept.as_ref().map(|(which, why)| format!("{which}: {why}"));
    let note = kept.or_else(|| node.note.as_deref().map(str::to_string)).unwrap_or_default();
    if let Some(lost) = lost(node) {
        return html! {
            <p class="facts note" title={note}>
                <b>{ lost }</b>
                <span>{ format!("says {}", belief(node)) }</span>
            </p>
        };
    }
    html! {
        <div class="facts" title={note}>
            <span class={if node.ready { "" } else { "bad" }}>
                { if node.cordoned { "Cordoned" } else { belief(node) } }
                { format!(" · {}", node.pods.len()) }
            </span>
            { cpu(node) }
        </div>
    }
}

fn cpu(node: &NodeTile) -> Html {
    let share = |milli: i64| milli * 100 / node.cpu_allocatable_milli.max(1);
    bar(&[("fill", share(node.cpu_used_milli))], Some(share(node.cpu_requested_milli)))
}

fn label(node: &NodeTile) -> String {
    let kept = node.kept.as_ref().map_or_else(String::new, |(which, _)| format!(", {which}"));
    format!(
        "Node {}, {}, machine {}, {}, {} of {} CPU used{kept}",
        node.name,
        node.status,
        if node.powered { "on" } else { "off" },
        words::count(i32::try_from(node.pods.len()).unwrap_or(i32::MAX), "pod"),
        cores(node.cpu_used_milli),
        cores(node.cpu_allocatable_milli),
    )
}
