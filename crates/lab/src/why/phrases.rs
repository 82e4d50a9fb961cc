//! What single facts are told as: the words of each controller, of kubelets and of machines.

use crate::words::{author_of, title_of};
use setpoint_api::time::SECOND;
use setpoint_api::{Kind, Micros, Op};
use setpoint_control::{CONTROLLERS, Note};
use setpoint_sim::Sim;
use setpoint_sim::fact::{Actor, Fact, Turn, What};

/// What a controller decided, from what it saw.
pub(super) fn decided(controller: u8, about: &str, note: &Note, facts: &[&Fact]) -> (String, String) {
    let seen = |name: &str| note.observed.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let decision = &*note.decision;
    let name = CONTROLLERS.get(usize::from(controller)).map_or("", |row| row.name);
    let rest = |prefix: &str| decision.strip_prefix(prefix);
    let what = match name {
        "replicaset-controller" => {
            let (wanted, had) = (seen("desired").unwrap_or(0), seen("active").unwrap_or(0));
            if let Some(count) = rest("create ") {
                format!("wanted {wanted}, had {had}, created {}", count.split(' ').next().unwrap_or(count))
            } else if let Some(count) = rest("delete ") {
                format!("wanted {wanted}, had {had}, deleted {}", count.split(' ').next().unwrap_or(count))
            } else {
                format!("updated the status: {had} of {wanted} pods")
            }
        }
        "default-scheduler" => {
            match (rest("bind ").and_then(|rest| rest.split_once(" to ")), seen("score")) {
                (Some((_, node)), Some(score)) => {
                    let against = match seen("next best") {
                        Some(next) if next == score => format!("score {score}, drawn among equals"),
                        Some(next) => format!("score {score} against {next}"),
                        None => "the only one that fits".to_string(),
                    };
                    format!("chose {node}: {against}")
                }
                (Some((_, node)), None) => format!("chose {node}"),
                (None, _) => format!("found {decision}"),
            }
        }
        "deployment-controller" => match (rest("create "), rest("scale ")) {
            (Some(set), _) => format!("created ReplicaSet {set}"),
            (_, Some(set)) => format!("scaled {set}"),
            _ => format!("looked: {decision}"),
        },
        "horizontal-pod-autoscaler" => {
            let mut measured = match (seen("measured %"), seen("target %")) {
                (Some(measured), Some(target)) => format!("measured {measured} % against {target} %, "),
                _ => String::new(),
            };
            if seen("held at").is_some_and(|held| seen("desired") == Some(held)) {
                measured.push_str("took an earlier recommendation that was higher, ");
            }
            match rest("scale ").and_then(|scale| scale.split_once(" to ")) {
                Some((from, to)) => format!("{measured}scaled {about} from {from} to {to}"),
                None if decision.starts_with("stay") => format!("{measured}decided to {decision}"),
                None => format!("failed: {decision}"),
            }
        }
        "taint-eviction-controller" => match decision.strip_prefix("delete the pod") {
            Some(why) => format!("deleted {about}{why}"),
            None => "called the eviction off".into(),
        },
        "endpoint-slice-controller" => format!("changed the endpoints of {about}"),
        _ => match facts.first().map(|fact| &fact.what) {
            Some(What::Stored { op: Op::Deleted, kind, name, .. })
            | Some(What::Stored { turn: Turn::Deleting, kind, name, .. }) => {
                format!("deleted {} {name}", kind.as_str())
            }
            _ => format!("decided: {decision}"),
        },
    };
    (title(controller), what)
}

/// What the node lifecycle controller wrote to a node or a pod.
pub(super) fn node_turn(sim: &Sim, fact: &Fact) -> String {
    let What::Stored { kind, name, turn, .. } = &fact.what else { return String::new() };
    match (kind, turn) {
        (Kind::Node, Turn::Unready | Turn::Tainted) => silence(sim, fact, name),
        (Kind::Node, _) => format!("took note that {name} is back"),
        (Kind::Pod, Turn::Unready) => format!("marked {name} not ready: its node is silent"),
        _ => format!("changed {} {name}", kind.as_str()),
    }
}

/// For how long nobody had heard of a node when a fact came about.
pub(super) fn silence(sim: &Sim, fact: &Fact, node: &str) -> String {
    let renewal = sim.facts().before(fact.id).find(
        |earlier| matches!(&earlier.what, What::Stored { kind: Kind::Lease, name, .. } if &**name == node),
    );
    let silent = renewal.map(|renewal| format!(": no lease for {} s", tenths(fact.at.since(renewal.at))));
    format!("marked {node} unreachable{}", silent.unwrap_or_default())
}

/// Seconds with one digit after the point.
pub(crate) fn tenths(micros: Micros) -> String {
    let tenths = micros.saturating_add(SECOND / 20) / (SECOND / 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

pub(super) fn stored_by_kubelet(op: Op, turn: Turn, name: &str) -> String {
    match (op, turn) {
        (Op::Deleted, _) => format!("removed {name}: its containers have ended"),
        (_, Turn::Ready) => format!("found {name} ready"),
        (_, Turn::Unready) => format!("found {name} not ready"),
        (Op::Added, _) => format!("registered {name}"),
        _ => format!("reported the state of {name}"),
    }
}

pub(super) fn machine_words(what: &str) -> String {
    match what {
        "the power is cut" => "lost its power".into(),
        "the power is back" => "got its power back".into(),
        "the kubelet stops" => "lost its kubelet, and runs on".into(),
        "the kubelet starts" => "got its kubelet back".into(),
        _ => what.replace("the machine is", "was"),
    }
}

/// What a write did to its object.
pub(crate) fn stored_words(fact: &Fact) -> String {
    let What::Stored { op, turn, kind, name, .. } = &fact.what else { return String::new() };
    let verb = match (op, turn) {
        (Op::Added, _) => "created",
        (Op::Deleted, _) => "removed",
        (_, Turn::Deleting) => "asked for the end of",
        (_, Turn::Tainted) => "tainted",
        (_, Turn::Untainted) => "took a taint off",
        (_, Turn::Ready) => "set Ready=True on",
        (_, Turn::Unready) => "took Ready=True off",
        (Op::Modified, Turn::Other) => "changed",
    };
    format!("{verb} {} {name}", kind.as_str())
}

/// Who wrote something to the store. What a person's hand wrote without an action of theirs was there at the start.
pub(crate) fn who_did(sim: &Sim, fact: &Fact) -> String {
    let What::Stored { by, .. } = &fact.what else { return String::new() };
    match by {
        Actor::Person if fact.cause == 0 => author_of(true).into(),
        Actor::Person => author_of(false).into(),
        Actor::Controller(controller) => title(*controller),
        Actor::Kubelet(machine) => kubelet(sim, *machine),
        Actor::World => "API server".into(),
    }
}

pub(super) fn kubelet(sim: &Sim, machine: u32) -> String {
    let node = sim.machines().get(machine as usize).map_or("", |machine| &*machine.config.node);
    format!("kubelet on {node}")
}

pub(super) fn title(controller: u8) -> String {
    title_of(CONTROLLERS.get(usize::from(controller)).map_or("", |row| row.name)).to_string()
}
