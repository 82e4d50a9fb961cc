//! What can be done to a thing, each with what comes of it.

use super::parts::part;
use crate::app::{Msg, Send};
use crate::view::panel::Props;
use crate::view::when;
use setpoint_lab::Action;
use setpoint_lab::frame::{App, Rollout};
use setpoint_lab::inspect::{Inspection, Resync, Subject};
use yew::prelude::*;

/// A button: what it says, what comes of it, what it does; nothing if that cannot be done now.
type Choice = (&'static str, &'static str, Option<Action>);

/// The buttons for the thing, in places that do not change.
pub fn view(seen: &Inspection, props: &Props) -> Html {
    let (choices, app) = match &seen.subject {
        Subject::Component(name) => (component(name, seen), None),
        Subject::Object { kind, namespace, name } => match &**kind {
            "pod" => (pod(namespace, name), None),
            "node" => (node(name, props), None),
            "statefulset" => (stateful_set(seen), None),
            "cronjob" => (cron_job(seen), None),
            "job" | "persistentvolumeclaim" | "poddisruptionbudget" => (delete(seen, namespace, name), None),
            "deployment" => {
                let app =
                    props.frame.app.as_ref().filter(|app| app.name == *name && app.namespace == *namespace);
                (deployment(namespace, name, app.map(|app| &**app)), app)
            }
            _ => return html! {},
        },
    };
    html! {
        <>
            <div class="choices">{ for choices.into_iter().enumerate().map(|(at, choice)| button(at, choice, &props.send)) }</div>
            if let Some(app) = app {
                { revisions(app, &props.send) }
            }
        </>
    }
}

/// A button with a key of its place: one that turns into its opposite when pressed keeps the focus.
fn button(at: usize, (name, comes, action): Choice, send: &Send) -> Html {
    let disabled = action.is_none();
    let onclick = when(send, move |_: MouseEvent| action.clone().map(Msg::Act));
    html! { <button key={at} {onclick} {disabled}><b>{ name }</b>{ " " }<small>{ comes }</small></button> }
}

fn pod(namespace: &str, name: &str) -> Vec<Choice> {
    let of = || (namespace.to_string(), name.to_string());
    let ((namespace, pod), (b_namespace, b_pod), (c_namespace, c_pod), (d_namespace, d_pod)) =
        (of(), of(), of(), of());
    vec![
        (
            "Crash",
            "Its process exits; the kubelet starts it again",
            Some(Action::CrashPod { namespace, pod }),
        ),
        (
            "Hang",
            "It runs but answers nothing, until probes notice",
            Some(Action::WedgePod { namespace: b_namespace, pod: b_pod }),
        ),
        (
            "Eat memory",
            "It takes 8 Gi: its limit, or the machine, says no",
            Some(Action::UseMemory { namespace: d_namespace, pod: d_pod, memory: "8Gi".into() }),
        ),
        (
            "Delete",
            "It drains and ends; its owner makes another",
            Some(Action::DeletePod { namespace: c_namespace, pod: c_pod, grace_seconds: None }),
        ),
    ]
}

/// What a row says that is asked for.
fn wanted<'a>(seen: &'a Inspection, name: &str) -> &'a str {
    seen.rows.iter().find(|row| *row.name == *name).map_or("", |row| &row.wanted)
}

fn stateful_set(seen: &Inspection) -> Vec<Choice> {
    let replicas: Option<i64> = wanted(seen, "replicas").parse().ok();
    let scale =
        |by: i64| replicas.map(|now| now + by).filter(|to| *to >= 0).and_then(|to| seen.subject.scale(to));
    vec![
        ("One more", "The next number, once all before it are ready", scale(1)),
        ("One fewer", "The highest number goes first; its volume stays", scale(-1)),
    ]
}

fn cron_job(seen: &Inspection) -> Vec<Choice> {
    if &*seen.state.1 == "suspended" {
        vec![("Resume", "It makes Jobs again from the next start on", seen.subject.suspend(false))]
    } else {
        vec![("Suspend", "No new Jobs; what runs goes on", seen.subject.suspend(true))]
    }
}

fn delete(seen: &Inspection, namespace: &str, name: &str) -> Vec<Choice> {
    let comes = match &*seen.kind {
        "Job" => "With its pods, finished or not",
        "PodDisruptionBudget" => "Nothing then keeps its pods from being evicted",
        _ => "With its volume, if that is not to be kept",
    };
    let kind = seen.kind.to_string();
    let action = Action::Delete { kind, namespace: namespace.to_string(), name: name.to_string() };
    vec![("Delete", comes, Some(action))]
}

fn node(name: &str, props: &Props) -> Vec<Choice> {
    let tile = props.frame.nodes.iter().find(|tile| *tile.name == *name);
    let (powered, cordoned) = tile.map_or((true, false), |tile| (tile.powered, tile.cordoned));
    let is_stopped = tile.is_some_and(|tile| tile.kubelet_stopped);
    let is_full = tile.is_some_and(|tile| tile.disk_full);
    let node = || name.to_string();
    let last = if powered {
        ("Drain", "Cordon, then evict its pods as budgets allow", Some(Action::Drain { node: node() }))
    } else {
        let delete = Action::Delete { kind: "Node".to_string(), namespace: String::new(), name: node() };
        ("Delete", "Out of the cluster for good, with its pods", Some(delete))
    };
    vec![
        if powered {
            (
                "Kill",
                "Power off: its pods are lost, and nobody is told",
                Some(Action::KillMachine { node: node() }),
            )
        } else {
            ("Restore", "Power on: its kubelet reports again", Some(Action::RestoreMachine { node: node() }))
        },
        if is_stopped {
            (
                "Start kubelet",
                "It takes over what runs and reports again",
                Some(Action::StartKubelet { node: node() }),
            )
        } else {
            (
                "Stop kubelet",
                "Its pods run on, but nobody speaks for them",
                Some(Action::StopKubelet { node: node() }).filter(|_| powered),
            )
        },
        if is_full {
            (
                "Free disk",
                "After a while it takes pods again",
                Some(Action::SetDiskFull { node: node(), full: false }),
            )
        } else {
            (
                "Fill disk",
                "Its kubelet evicts pods, one after the other",
                Some(Action::SetDiskFull { node: node(), full: true }).filter(|_| powered),
            )
        },
        if cordoned {
            (
                "Uncordon",
                "It takes new pods again",
                Some(Action::SetCordoned { node: node(), cordoned: false }),
            )
        } else {
            (
                "Cordon",
                "No new pods; those that run stay",
                Some(Action::SetCordoned { node: node(), cordoned: true }),
            )
        },
        last,
    ]
}

fn deployment(namespace: &str, name: &str, app: Option<&App>) -> Vec<Choice> {
    let (namespace, deployment) = (namespace.to_string(), name.to_string());
    let pause = |paused: bool| Action::SetPaused {
        namespace: namespace.clone(),
        deployment: deployment.clone(),
        paused,
    };
    let can_undo = app.is_none_or(|app| app.can_undo);
    let undo =
        Action::Undo { namespace: namespace.clone(), deployment: deployment.clone(), to_revision: None };
    vec![
        if app.is_some_and(|app| app.rollout == Rollout::Paused) {
            ("Resume", "The rollout goes on where it stopped", Some(pause(false)))
        } else {
            ("Pause", "A rollout stops where it is; scaling goes on", Some(pause(true)))
        },
        ("Undo", "Back to the revision before, by a rollout", can_undo.then_some(undo)),
    ]
}

fn revisions(app: &App, send: &Send) -> Html {
    let line = |revision: &setpoint_lab::frame::Revision| {
        let number = revision.number;
        let (namespace, deployment) = (app.namespace.to_string(), app.name.to_string());
        let onclick = send.reform(move |_: MouseEvent| {
            let (namespace, deployment) = (namespace.clone(), deployment.clone());
            Msg::Act(Action::Undo { namespace, deployment, to_revision: Some(number) })
        });
        html! {
            <li key={number}>
                <span>{ "Revision " }{ number }</span>
                <b class={crate::words::version_class(&revision.version)}>{ revision.version.clone() }</b>
                <span class="muted">{ crate::words::count(revision.replicas, "pod") }</span>
                if revision.is_current {
                    <span class="now">{ "current" }</span>
                } else {
                    <button {onclick}>{ "Roll back to " }{ number }</button>
                }
            </li>
        }
    };
    part(
        "Revisions",
        app.revisions.len(),
        html! { <ul class="revisions">{ for app.revisions.iter().map(line) }</ul> },
    )
}

fn component(name: &str, seen: &Inspection) -> Vec<Choice> {
    let act = |up: bool| Some(Action::SetComponent { component: name.to_string(), up });
    let Some(lens) = &seen.lens else { return vec![] };
    let mut choices = vec![match lens.up {
        true => ("Stop", "Its work waits; what runs goes on running", act(false)),
        false => ("Start", "It reads everything anew, then catches up", act(true)),
    }];
    choices.extend(lens.resync.map(resync));
    choices
}

/// The period of a resync that a lesson can watch.
const RESYNC_US: i64 = 10_000_000;

/// Another period for the resync, of all loops at once.
fn resync(resync: Resync) -> Choice {
    let set = |micros: i64| Some(Action::SetPeriod { period: "resync".to_string(), micros });
    if resync.here_us == resync.upstream_us {
        (
            "Resync every 10 s",
            "Not upstream's default: all loops look at everything again, changed or not",
            set(RESYNC_US),
        )
    } else {
        ("Resync every 12 h", "Upstream's default: loops run when something changes", set(resync.upstream_us))
    }
}
