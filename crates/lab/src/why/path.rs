//! The way of a pod, from what somebody did or what happened until it is ready and listed: each step with who took it.

use super::phrases::{decided, kubelet, stored_by_kubelet, title};
use super::{happened, why};
use crate::inspect::{Cause, Subject, object};
use setpoint_api::{Event, Kind, ObjId, Op, Pod};
use setpoint_control::CONTROLLERS;
use setpoint_sim::Sim;
use setpoint_sim::fact::{Actor, Fact, Turn, What};

/// Steps of the pod's own that are shown.
const STEPS_MAX: usize = 24;

/// The steps, oldest first; none if the pod's creation is forgotten.
// Inlined, it would move all that inspections are made of to the page's first file.
#[inline(never)]
pub(crate) fn path(sim: &Sim, pod: &Pod) -> Vec<Cause> {
    let meta = &pod.metadata;
    let is_creation = |fact: &&Fact| match &fact.what {
        What::Stored { kind: Kind::Pod, op: Op::Added, id, .. } => *id == meta.id,
        _ => false,
    };
    let Some(created) = sim.facts().before(u64::MAX).find(is_creation) else { return Vec::new() };
    let mut steps = why(sim, created.id);
    steps.reverse();
    // Of a chain of causes the decision and what was stored of it are one link; here they are two.
    if let (Some(step), Some(decision)) = (steps.last_mut(), sim.facts().get(created.cause))
        && let What::Decided { .. } = decision.what
    {
        step.at_us = decision.at.0;
        step.about = meta.controller().map(|owner| {
            let kind = owner.kind.to_lowercase();
            Subject::Object {
                kind: kind.into(),
                namespace: meta.namespace.clone().into(),
                name: owner.name.clone().into(),
            }
        });
    }
    let itself = object(Kind::Pod, &meta.namespace, &meta.name);
    steps.push(step(created, "API server", format!("stored the new pod {}", meta.name), itself));
    let own = Own { sim, pod };
    let before = steps.len();
    for fact in sim.facts().after(created.id) {
        let Some(next) = own.step(fact) else { continue };
        // What goes wrong again and again is told once.
        let says_the_same = |told: &Cause| (&told.who, &told.what) == (&next.who, &next.what);
        if !steps[before..].iter().any(says_the_same) {
            steps.push(next);
        }
        if own.is_end(fact) || steps.len() == before + STEPS_MAX {
            if own.is_ready(fact) {
                steps.extend(own.listed(fact));
            }
            break;
        }
    }
    steps
}

/// A pod whose facts are told.
struct Own<'a> {
    sim: &'a Sim,
    pod: &'a Pod,
}

impl Own<'_> {
    /// What a fact tells of the pod, if it does.
    fn step(&self, fact: &Fact) -> Option<Cause> {
        let meta = &self.pod.metadata;
        let (namespace, name) = (&meta.namespace, &meta.name);
        let itself = || object(Kind::Pod, namespace, name);
        match &fact.what {
            What::Decided { controller, namespace: other, about, note }
                if about == name && other == namespace =>
            {
                // What it does where no node fits is an event of its own.
                let node = self.pod.spec.node_name.as_ref().filter(|_| note.decision.starts_with("bind "))?;
                let (who, what) = decided(*controller, about, note, &[]);
                Some(step(fact, &who, what, object(Kind::Node, "", node)))
            }
            What::Stored { id, by, op, turn, .. } if *id == meta.id => match by {
                Actor::Kubelet(machine) if *turn == Turn::Ready => {
                    let what = format!("{}, and told the API server", stored_by_kubelet(*op, *turn, name));
                    Some(step(fact, &kubelet(self.sim, *machine), what, itself()))
                }
                _ if *turn == Turn::Deleting => {
                    Some(step(fact, "API server", format!("was asked for the end of {name}"), itself()))
                }
                Actor::Controller(number) if is_named(*number, "default-scheduler") => {
                    let node = self.pod.spec.node_name.as_ref().filter(|_| self.is_bound_by(fact))?;
                    Some(step(
                        fact,
                        "API server",
                        format!("stored the binding of {name} to {node}"),
                        itself(),
                    ))
                }
                _ => None,
            },
            What::Happened { machine, pod: Some(pod), what } if pod == name => {
                happened(self.sim, fact, *machine, Some(pod), what).0
            }
            What::Said { event } => self.said(fact, *event),
            _ => None,
        }
    }

    /// What was said of the pod, unless another fact tells it.
    fn said(&self, fact: &Fact, event: ObjId) -> Option<Cause> {
        let event = self.sim.store().get::<Event>(event)?;
        if event.involved_object.uid != Some(self.pod.metadata.uid) {
            return None;
        }
        let message = &event.message;
        let what = match &*event.reason {
            "Scheduled" | "Created" | "Started" => return None,
            "FailedScheduling" => format!("found no node: {message}"),
            "Pulling" => match message.strip_prefix("Pulling image ") {
                Some(image) => format!("began to pull {image}"),
                None => format!("said: {message}"),
            },
            "Pulled" => match message.strip_prefix("Successfully pulled image ") {
                Some(image) => format!("pulled {image}"),
                None => format!("had nothing to pull: {message}"),
            },
            _ => format!("said: {message}"),
        };
        let who = match &*event.source.component {
            "kubelet" => format!("kubelet on {}", event.source.host),
            component => crate::words::title_of(component).to_string(),
        };
        let meta = &self.pod.metadata;
        Some(step(fact, &who, what, object(Kind::Pod, &meta.namespace, &meta.name)))
    }

    /// Whether a write of the scheduler came of its decision for a node.
    fn is_bound_by(&self, fact: &Fact) -> bool {
        let decision = self.sim.facts().get(fact.cause);
        decision.is_some_and(
            |fact| matches!(&fact.what, What::Decided { note, .. } if note.decision.starts_with("bind ")),
        )
    }

    fn is_ready(&self, fact: &Fact) -> bool {
        matches!(&fact.what, What::Stored { turn: Turn::Ready, .. })
    }

    fn is_end(&self, fact: &Fact) -> bool {
        matches!(&fact.what, What::Stored { turn: Turn::Ready | Turn::Deleting, .. })
    }

    /// The first change of its Service's endpoints after it was ready: from then on requests come.
    fn listed(&self, ready: &Fact) -> Option<Cause> {
        let store = self.sim.store();
        let slice = store.slices_of_pod(self.pod.metadata.uid).next()?;
        let service =
            store.get::<setpoint_api::EndpointSlice>(slice)?.metadata.label("kubernetes.io/service-name")?;
        let namespace = &self.pod.metadata.namespace;
        self.sim.facts().after(ready.id).find_map(|fact| match &fact.what {
            What::Decided { controller, namespace: other, about, .. }
                if is_named(*controller, "endpoint-slice-controller")
                    && **about == *service
                    && other == namespace =>
            {
                let what = format!("listed it among the ready endpoints of {service}");
                Some(step(fact, &title(*controller), what, object(Kind::Service, namespace, service)))
            }
            _ => None,
        })
    }
}

fn is_named(controller: u8, name: &str) -> bool {
    CONTROLLERS.get(usize::from(controller)).is_some_and(|row| row.name == name)
}

fn step(fact: &Fact, who: &str, what: String, about: Subject) -> Cause {
    Cause {
        fact: fact.id,
        at_us: fact.at.0,
        who: who.into(),
        what: what.into(),
        about: Some(about),
        is_origin: false,
    }
}
