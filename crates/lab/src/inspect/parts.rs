//! What the inspections of all kinds share: rows, timers, links, and the words for times and settings.

use super::sets::counted;
use super::{Condition, Link, Row, Timer, Tone};
use super::{jobs, object, policy, sets, storage};
use crate::frame::PodLook;
use crate::tiles;
use crate::why::tenths;
use setpoint_api::Gather as _;
use setpoint_api::time::{self, MINUTE, SECOND};
use setpoint_api::{ConditionStatus, Kind, Micros, Object, ObjectMeta, Pod, Time, condition_status};
use setpoint_control::Tuning;
use setpoint_sim::Sim;
use std::fmt::Display;
use std::rc::Rc;

/// A line of wanted against is; it counts as different if both are told and are not the same text.
pub(super) fn row(name: &str, wanted: &dyn Display, is: &dyn Display) -> Row {
    let row = row_if(false, name, wanted, is);
    Row { differs: !row.wanted.is_empty() && row.wanted != row.is, ..row }
}

/// A line of wanted against is, where equal texts do not tell whether they differ.
#[inline(never)]
pub(super) fn row_if(differs: bool, name: &str, wanted: &dyn Display, is: &dyn Display) -> Row {
    Row { name: name.into(), wanted: wanted.to_string().into(), is: is.to_string().into(), differs }
}

pub(super) fn timer(name: &str, then: &str, (from, to): (Time, Time), length: String) -> Timer {
    Timer { name: name.into(), then: then.into(), from_us: from.0, to_us: to.0, length: length.into() }
}

/// A length of time in the largest unit that keeps it readable.
pub(crate) fn span(micros: Micros) -> String {
    if micros % SECOND != 0 {
        format!("{} s", tenths(micros))
    } else if micros >= MINUTE && micros % MINUTE == 0 {
        format!("{} min", micros / MINUTE)
    } else {
        format!("{} s", micros / SECOND)
    }
}

/// The value of a tuning row in force, with upstream's default and where that stands.
pub(super) fn setting(tuning: &Tuning, name: &str) -> String {
    let rows = tuning.rows();
    let Some((_, value, real, source)) = rows.into_iter().find(|row| row.0 == name) else {
        return String::new();
    };
    let source = source.split([',', ';']).next().unwrap_or(source);
    // Only these rows count something else than microseconds.
    let amount = |value| match name {
        "default_toleration_seconds" => span(value * SECOND),
        _ => span(value),
    };
    length(amount(value), amount(real), source)
}

/// A length of time here against upstream's.
pub(super) fn length(here: String, upstream: String, source: &str) -> String {
    if here == upstream {
        format!("{here}, upstream's default ({source})")
    } else {
        format!("{here} here; upstream {upstream} ({source})")
    }
}

/// A length that an object's field gives, against the default of that field.
pub(super) fn field(seconds: i64, default: i64, name: &str) -> String {
    length(span(time::seconds(seconds)), span(default * SECOND), name)
}

/// Conditions as they are shown.
pub(super) fn conditions(conditions: &[setpoint_api::Condition]) -> Vec<Condition> {
    let shown = |condition: &setpoint_api::Condition| Condition {
        name: condition.kind.clone().into(),
        status: condition.status.as_str().into(),
        tone: tone_of(&condition.kind, condition.status),
        reason: condition.reason.clone().into(),
        message: condition.message.clone().into(),
        since_us: condition.last_transition_time.map_or(0, |at| at.0),
    };
    conditions.iter().map(shown).gather()
}

/// Some conditions are good news, others are bad news or a restraint.
fn tone_of(kind: &str, status: ConditionStatus) -> Tone {
    let is_bad_news = kind.ends_with("Pressure")
        || matches!(kind, "ReplicaFailure" | "DisruptionTarget" | "Failed" | "FailureTarget");
    match status {
        _ if matches!(kind, "ScalingLimited" | "Suspended") => Tone::Plain,
        ConditionStatus::False if kind == "DisruptionAllowed" => Tone::Busy,
        ConditionStatus::Unknown if kind == "Ready" => Tone::Bad,
        ConditionStatus::Unknown => Tone::Busy,
        ConditionStatus::True => [Tone::Good, Tone::Bad][usize::from(is_bad_news)],
        ConditionStatus::False => [Tone::Bad, Tone::Good][usize::from(is_bad_news)],
    }
}

/// A way to an object, with its state.
pub(super) fn link(sim: &Sim, to: &Object) -> Link {
    let (kind, meta) = (to.kind(), to.metadata());
    Link {
        to: object(kind, &meta.namespace, &meta.name),
        text: format!("{} {}", kind.as_str(), meta.name).into(),
        state: state(sim, to),
    }
}

/// Owners of an object, outermost first.
pub(super) fn owners(sim: &Sim, meta: &ObjectMeta) -> Vec<Link> {
    let mut owners = Vec::new();
    let mut next = meta.controller();
    // Owners of owners are two deep; more would be a loop.
    while let Some(owner) = next.filter(|_| owners.len() < 4) {
        let Some(found) = sim.store().id_of_uid(owner.uid).and_then(|id| sim.store().object(id)) else {
            break;
        };
        owners.insert(0, link(sim, found));
        next = found.metadata().controller();
    }
    owners
}

/// Links to the objects of an iterator, at most a hundred.
pub(super) fn links<'a>(sim: &Sim, objects: impl Iterator<Item = &'a Object>) -> Vec<Link> {
    objects.take(100).map(|object| link(sim, object)).gather()
}

/// An object's state in a word or two.
pub(crate) fn state(sim: &Sim, of: &Object) -> (Tone, Rc<str>) {
    match of {
        Object::Pod(pod) => pod_state(sim, pod),
        Object::ReplicaSet(set) => counted(set.status.ready_replicas, set.spec.replicas.unwrap_or(1)),
        Object::Deployment(deployment) => {
            counted(deployment.status.ready_replicas, deployment.spec.replicas.unwrap_or(1))
        }
        Object::Node(node) => {
            let status = condition_status(&node.status.conditions, "Ready");
            let is_ready = status == ConditionStatus::True;
            let tone = match (is_ready, node.spec.unschedulable) {
                (true, false) => Tone::Good,
                (true, true) => Tone::Busy,
                _ => Tone::Bad,
            };
            (tone, tiles::node_status(node).into())
        }
        Object::HorizontalPodAutoscaler(hpa) if hpa.status.desired_replicas == 0 => {
            (Tone::Busy, "no metrics yet".into())
        }
        Object::HorizontalPodAutoscaler(hpa) => {
            let status = &hpa.status;
            let tone =
                if status.current_replicas == status.desired_replicas { Tone::Good } else { Tone::Busy };
            (tone, format!("{} → {}", status.current_replicas, status.desired_replicas).into())
        }
        _ if of.metadata().is_deleting() => (Tone::Busy, "Terminating".into()),
        Object::StatefulSet(set) => counted(set.status().ready_replicas, set.spec().replicas.unwrap_or(1)),
        Object::DaemonSet(set) => {
            let status = set.status();
            counted(status.number_ready, status.desired_number_scheduled)
        }
        Object::ReplicationController(controller) => sets::controller_state(controller),
        Object::Job(job) => jobs::job_state(job),
        Object::CronJob(job) => jobs::cron_job_state(job),
        Object::PodDisruptionBudget(budget) => policy::budget_state(budget),
        Object::ResourceQuota(quota) => policy::quota_state(quota),
        Object::PriorityClass(class) => policy::priority_state(class),
        Object::PersistentVolumeClaim(claim) => storage::claim_state(claim),
        Object::PersistentVolume(volume) => storage::volume_state(volume),
        _ => (Tone::Plain, "".into()),
    }
}

fn pod_state(sim: &Sim, pod: &Rc<Pod>) -> (Tone, Rc<str>) {
    let machine = pod.spec.node_name.as_ref().and_then(|node| sim.machine(node));
    let tile = tiles::pod(pod, &tiles::pod_key(sim, machine, pod, None));
    let (tone, word) = match tile.look {
        PodLook::Ready if tile.wedged => (Tone::Bad, "Ready, but hangs"),
        PodLook::Ready => (Tone::Good, "Ready"),
        PodLook::Pending => (Tone::Busy, "Pending"),
        PodLook::Pulling => (Tone::Busy, "Pulling its image"),
        PodLook::Starting => (Tone::Busy, "Starting"),
        PodLook::NotReady => (Tone::Bad, "Not ready"),
        PodLook::Lost => (Tone::Bad, "Lost: no power"),
        PodLook::Terminating => (Tone::Busy, "Terminating"),
        PodLook::BackOff => (Tone::Bad, &*tile.status),
        PodLook::Finished => (Tone::Plain, &*tile.status),
    };
    (tone, word.into())
}

/// How long ago something was, in words.
pub(super) fn ago(sim: &Sim, at: Time) -> String {
    format!("{} s ago", tenths(sim.now().since(at).max(0)))
}

/// Yes or no.
pub(super) fn yes_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// The kind that a subject names in lower case.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
}
