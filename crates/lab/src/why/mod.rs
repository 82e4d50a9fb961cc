//! The chain of causes behind a fact, told so that it can be read from the effect back to where it began.

mod path;
mod phrases;

pub(crate) use path::path;
pub(crate) use phrases::{stored_words, tenths, who_did};

use crate::inspect::{Cause, Subject, object, subject, subject_of};
use crate::words::{author_of, describe_outcome, title_of};
use phrases::{decided, kubelet, machine_words, node_turn, silence, stored_by_kubelet, title};
use setpoint_api::{Event, Kind, Op};
use setpoint_control::CONTROLLERS;
use setpoint_sim::Sim;
use setpoint_sim::fact::{Actor, Fact, Turn, What};
use std::rc::Rc;

/// The longest walk back; a rollout of a large Deployment makes chains of some hundreds.
const STEPS_MAX: usize = 2000;
/// Links that are shown; of a longer chain the newest and the oldest.
const LINKS_MAX: usize = 14;
/// Links of one turn of a loop: a start, a failure, an end.
const CYCLE: usize = 3;
/// The oldest ones among them.
const OLDEST: usize = 3;

/// The chain behind a fact, newest first.
pub(crate) fn why(sim: &Sim, fact: u64) -> Vec<Cause> {
    let facts = walk(sim, fact);
    let mut links: Vec<Cause> = Vec::new();
    let mut at = 0;
    while let Some(rest) = facts.get(at..).filter(|rest| !rest.is_empty()) {
        let (link, taken) = link(sim, rest);
        at += taken;
        let Some(link) = link.filter(|_| !is_noise(rest) || (links.is_empty() && at == facts.len())) else {
            continue;
        };
        // Two facts may say the same thing, such as the two taints of one node; and a container that crashes again and again
        // needs to be told of once.
        let says_the_same = |told: &Cause| told.who == link.who && told.what == link.what;
        if !links.iter().rev().take(CYCLE).any(says_the_same) {
            links.push(link);
        }
    }
    if let (Some(last), Some(fact)) = (links.last_mut(), facts.last()) {
        last.is_origin = cause_of(sim, fact) == 0;
    }
    shorten(links)
}

/// Leaves the middle of a long chain out, and says so.
fn shorten(mut links: Vec<Cause>) -> Vec<Cause> {
    if links.len() <= LINKS_MAX {
        return links;
    }
    let oldest = links.split_off(links.len() - OLDEST);
    let middle = links.split_off(LINKS_MAX - OLDEST - 1);
    if let Some(first) = middle.first() {
        let what = format!("{} steps in between", middle.len()).into();
        links.push(Cause { who: "…".into(), what, about: None, ..first.clone() });
    }
    links.extend(oldest);
    links
}

/// The fact and those that caused it.
fn walk(sim: &Sim, fact: u64) -> Vec<&Fact> {
    let facts = sim.facts();
    let mut chain: Vec<&Fact> = Vec::new();
    let mut next = facts.get(fact);
    while let Some(fact) = next.filter(|_| chain.len() < STEPS_MAX) {
        chain.push(fact);
        next = facts.get(cause_of(sim, fact));
    }
    chain
}

/// What led to a fact. The scheduler takes one pod after the other, each because the one before is done; but it looks at a pod
/// that it has not tried before because the pod was made.
fn cause_of(sim: &Sim, fact: &Fact) -> u64 {
    let What::Decided { controller, namespace, about, note } = &fact.what else { return fact.cause };
    match CONTROLLERS.get(usize::from(*controller)).map_or("", |row| row.name) {
        "default-scheduler" => {}
        // That it cannot measure, or keeps still, is nobody's doing.
        "horizontal-pod-autoscaler" if !note.decision.starts_with("scale ") => return 0,
        _ => return fact.cause,
    }
    for earlier in sim.facts().before(fact.id) {
        match &earlier.what {
            What::Decided { controller: by, namespace: other, about: name, .. }
                if by == controller && name == about && other == namespace =>
            {
                return fact.cause;
            }
            What::Stored { kind: Kind::Pod, op: Op::Added, namespace: other, name, .. }
                if name == about && other == namespace =>
            {
                return earlier.id;
            }
            _ => {}
        }
    }
    fact.cause
}

/// Facts that nobody needs to be told of between two others: reports and bookkeeping.
fn is_noise(facts: &[&Fact]) -> bool {
    let decided = facts.iter().take(2).find_map(|fact| match &fact.what {
        What::Decided { note, .. } => Some(&*note.decision),
        _ => None,
    });
    match &facts[0].what {
        What::Stored { by: Actor::Kubelet(_), turn, op, .. } => {
            *op == Op::Modified && !matches!(turn, Turn::Ready | Turn::Unready)
        }
        What::Stored { by: Actor::World, .. } => true,
        What::Decided { .. } | What::Stored { by: Actor::Controller(_), .. } => {
            decided.is_some_and(|decision| {
                decision.starts_with("bring ") || ["nothing to do", "update the status"].contains(&decision)
            })
        }
        _ => false,
    }
}

/// The first link of a chain, and how many facts it stands for.
fn link(sim: &Sim, facts: &[&Fact]) -> (Option<Cause>, usize) {
    let fact = facts[0];
    let next = facts.get(1).copied();
    let made = |who: String, what: String, about: Option<Subject>| {
        let (who, what) = (who.into(), what.into());
        Some(Cause { fact: fact.id, at_us: fact.at.0, who, what, about, is_origin: false })
    };
    match (&fact.what, next.map(|next| &next.what)) {
        (What::Said { event }, _) => said(sim, facts, sim.store().get::<Event>(*event).map(|event| &**event)),
        (What::Stored { by: Actor::Controller(controller), namespace, name, kind, .. }, next_what) => {
            let about = Some(object(*kind, namespace, name));
            if let Some(What::Decided { controller: decider, note, about: key, .. }) = next_what
                && decider == controller
            {
                let (who, what) = decided(*controller, key, note, facts);
                return (made(who, what, about), 2);
            }
            (made(title(*controller), node_turn(sim, fact), about), 1)
        }
        (What::Decided { controller, namespace, about, note }, _) => {
            let kind = CONTROLLERS.get(usize::from(*controller)).map_or(Kind::Pod, |row| row.kind);
            let (who, what) = decided(*controller, about, note, facts);
            let is_named = !about.is_empty();
            (made(who, what, is_named.then(|| object(kind, namespace, about))), 1)
        }
        (
            What::Stored { by: Actor::Person, turn: Turn::Deleting, kind, namespace, name, .. },
            Some(What::Action { action, .. }),
        ) if matches!(**action, setpoint_sim::Action::Drain { .. }) => {
            let what = format!("evicted {name}: its node is drained");
            (made("API server".into(), what, Some(object(*kind, namespace, name))), 1)
        }
        // What a person's action did at once is the same thing.
        (What::Stored { by: Actor::Person, .. } | What::Happened { .. }, Some(What::Action { .. })) => {
            (None, 1)
        }
        (What::Stored { by, op, kind, turn, namespace, name, .. }, _) => {
            let what = match by {
                Actor::Kubelet(_) => stored_by_kubelet(*op, *turn, name),
                _ => stored_words(fact),
            };
            (made(who_did(sim, fact), what, Some(object(*kind, namespace, name))), 1)
        }
        (What::Happened { machine, pod, what }, _) => happened(sim, fact, *machine, pod.as_deref(), what),
        (What::Action { action, is_scripted }, _) => {
            let what = describe_outcome(sim, fact.id, action);
            (made(author_of(*is_scripted).into(), what, subject_of(action)), 1)
        }
        (What::Refused(sentence), _) => (made("Nothing".into(), format!("came of it: {sentence}"), None), 1),
        (What::Denied { message, .. }, _) => {
            (made("API server".into(), format!("refused: {message}"), None), 1)
        }
    }
}

/// An event. Where it only tells what the fact behind it tells, that one is the link.
fn said(sim: &Sim, facts: &[&Fact], event: Option<&Event>) -> (Option<Cause>, usize) {
    let fact = facts[0];
    let reason = event.map_or("", |event| &*event.reason);
    let about = event.map(|event| {
        let about = &event.involved_object;
        subject(&about.kind, &about.namespace, &about.name)
    });
    let repeats = match facts.get(1).map(|next| &next.what) {
        Some(What::Decided { .. }) => reason != "FailedScheduling",
        Some(What::Happened { .. }) => matches!(reason, "Created" | "Started" | "Rebooted"),
        _ => false,
    };
    if repeats && let Some(rest) = facts.get(1..) {
        let (link, taken) = link(sim, rest);
        let made = created_pod(event).or(about);
        return (link.map(|link| Cause { about: made.or(link.about.clone()), ..link }), taken + 1);
    }
    let Some(event) = event else { return (None, 1) };
    let source = &event.source;
    let who = match &*source.component {
        "kubelet" => format!("kubelet on {}", source.host),
        component => title_of(component).to_string(),
    };
    let silence = || silence(sim, fact, &event.involved_object.name);
    let (what, taken) = match (reason, &*event.involved_object.kind) {
        ("NodeNotReady", "Node") => (silence(), 1),
        ("NodeNotReady", _) => ("marked the pod not ready: its node is silent".into(), 1),
        // The decision behind it has no more to say than the message.
        ("FailedScheduling", _) => (format!("found no node: {}", event.message), 2),
        _ => (format!("said: {}", event.message), 1),
    };
    let (who, what) = (who.into(), what.into());
    (Some(Cause { fact: fact.id, at_us: fact.at.0, who, what, about, is_origin: false }), taken)
}

/// The pod that an event says was made.
fn created_pod(event: Option<&Event>) -> Option<Subject> {
    let event = event?;
    let name = event.message.strip_prefix("Created pod: ")?;
    Some(object(Kind::Pod, &event.involved_object.namespace, name))
}

/// What a kubelet did, or what happened to its machine and its containers, and to what.
pub(crate) fn kubelet_words(sim: &Sim, fact: &Fact) -> (Rc<str>, Option<Subject>) {
    let (link, _) = link(sim, &[fact]);
    let Some(link) = link else { return ("".into(), None) };
    // Of the kubelet's own deeds it is clear who did them.
    let what = if link.who.starts_with("kubelet on ") {
        link.what
    } else {
        format!("{} {}", link.who, link.what).into()
    };
    (what, link.about)
}

/// What happened to a machine, or to a pod on it.
fn happened(sim: &Sim, fact: &Fact, machine: u32, pod: Option<&str>, what: &str) -> (Option<Cause>, usize) {
    let node = sim.machines().get(machine as usize).map_or("", |machine| &*machine.config.node);
    let (who, what, about) = match pod {
        None => (format!("Machine {node}"), machine_words(what), object(Kind::Node, "", node)),
        Some(pod) => {
            let (who, what) = match what {
                "a container starts" => (kubelet(sim, machine), format!("started a container of {pod}")),
                _ if what.starts_with("its image ") => {
                    (kubelet(sim, machine), format!("got nowhere with {pod}: {what}"))
                }
                _ => match what.strip_prefix("its ") {
                    Some(probe) => (kubelet(sim, machine), format!("gave up on {pod}: its {probe}")),
                    None => (format!("Pod {pod}"), what.replace("a container ends", "had a container end")),
                },
            };
            (who, what, object(Kind::Pod, &namespace_of(sim, fact, machine, pod), pod))
        }
    };
    let (who, what) = (who.into(), what.into());
    (Some(Cause { fact: fact.id, at_us: fact.at.0, who, what, about: Some(about), is_origin: false }), 1)
}

/// The namespace of a pod that a machine's fact names.
fn namespace_of(sim: &Sim, fact: &Fact, machine: u32, pod: &str) -> Rc<str> {
    let machine = sim.machines().get(machine as usize);
    let mut local = machine.into_iter().flat_map(|machine| machine.pods.values());
    if let Some(local) = local.find(|local| *local.seen.metadata.name == *pod) {
        return local.seen.metadata.namespace.clone().into();
    }
    let stored = sim.facts().before(fact.id).find_map(|earlier| match &earlier.what {
        What::Stored { kind: Kind::Pod, namespace, name, .. } if **name == *pod => Some(namespace.clone()),
        _ => None,
    });
    stored.map_or_else(|| "default".into(), Into::into)
}
