//! The horizontal pod autoscaler.
//!
//! Watches: HorizontalPodAutoscalers; each is looked at once per period, the first time one period after its creation.
//! Writes: replicas of Deployments and ReplicaSets, the autoscaler's status, events.
//! Rule: the highest of the metrics' proposals, ceil(pods x usage / target), within tolerance, window, policies, bounds.
//! Upstream: pkg/controller/podautoscaler/horizontal.go `reconcileAutoscaler`, replica_calculator.go.
//! Simplified: an autoscaler made anew under an old name starts with an empty history, even within one period; custom and
//! external metrics are never served, for the cluster has no adapter.

pub mod behavior;
pub mod compute;
pub mod decision;
pub mod evaluate;
pub mod feed;
pub mod replicas;
pub mod settings;
pub mod target;

use crate::{
    ChangeCx, Controller, Cx, EventDraft, Failure, Key, Keys, Memory as AllMemory, Note, Outcome, Write,
};
pub use decision::{Decision, Stabilization, Unit};
use evaluate::{Evaluation, History, evaluate, set_condition};
use feed::{Cluster, Selectors};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::{
    Change, HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, Kind, ObjId, Object, Op, Scope, Selector,
    Str, Time,
};
use settings::{Settings, rules};
use std::rc::Rc;
use target::{scale_of, scaled};

/// What the autoscaler keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    entries: Map<ObjId, Entry>,
    selectors: Selectors,
}

/// What is kept of one autoscaler.
#[derive(Clone, Debug, Default)]
struct Entry {
    history: History,
    decision: Option<Decision>,
    rescale: Option<Rescale>,
}

/// A change of the target that was sent and has not been seen to succeed or fail.
#[derive(Clone, Debug)]
struct Rescale {
    at: Time,
    from: i32,
    to: i32,
    reason: String,
    status: HorizontalPodAutoscalerStatus,
}

impl Memory {
    /// The last decision about an autoscaler, if it was evaluated.
    pub fn decision(&self, id: ObjId) -> Option<&Decision> {
        self.entries.get(&id)?.decision.as_ref()
    }

    fn forget(&mut self, id: ObjId) {
        self.entries.remove(&id);
        self.selectors.remove(&id);
    }
}

/// Its row.
pub const ROW: Controller = Controller {
    name: NAME,
    kind: Kind::HorizontalPodAutoscaler,
    watches: &[Kind::HorizontalPodAutoscaler],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |memory| memory.hpa = Memory::default(),
};

const NAME: &str = "horizontal-pod-autoscaler";

/// Pods whose measurement is written down with a decision.
const MOST_MEASURED: usize = 8;

/// Upstream queues a key one period later on every change too, but the earlier turn that is already waiting wins.
fn on_change(cx: &ChangeCx, change: &Change, memory: &mut AllMemory, keys: &mut Keys) {
    match change.op {
        Op::Added => keys.add_after(change.new.id(), cx.tuning.hpa_sync),
        Op::Modified => {}
        Op::Deleted => memory.hpa.forget(change.new.id()),
    }
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let Some(hpa) = cx.view.get::<HorizontalPodAutoscaler>(id) else {
        memory.hpa.forget(id);
        return Outcome::idle("gone");
    };
    let settings = Settings::of(cx.tuning);
    let Memory { entries, selectors } = &mut memory.hpa;
    let entry = entries.entry(id).or_default();
    let sent = entry.rescale.take();
    if let Some(failure) = cx.failure {
        return refused(cx, hpa, failure, sent, entry, &settings);
    }
    if let Some(sent) = sent {
        store_event(hpa, &settings, &sent, &mut entry.history);
    }
    let namespace = &hpa.metadata.namespace;
    let scale = scale_of(cx.view, namespace, &hpa.spec.scale_target_ref);
    let mut feed =
        Cluster { view: cx.view, metrics: cx.metrics, id, namespace, name: &hpa.metadata.name, selectors };
    let scale_or_error = scale.as_ref().map_err(String::as_str);
    let mut done = evaluate(hpa, scale_or_error, &mut feed, &settings, cx.now, &mut entry.history);
    // The key comes back one period after the sync, whose reads (scale, metrics) take a request each.
    let reads = if scale.is_ok() { 2 } else { 1 };
    let requeue = cx.tuning.hpa_sync.saturating_add(reads * cx.tuning.api_request);
    done.decision.next = cx.now.plus(requeue);
    if done.decision.metric.starts_with("cpu")
        && done.decision.unit == Unit::Percent
        && let Ok(Ok(selector)) = scale.as_ref().map(|scale| &scale.selector)
    {
        note_measured(cx, namespace, selector, &mut done.decision);
    }
    let target = scale.ok().map(|scale| scale.id);
    let outcome = Outcome {
        writes: writes(cx, hpa, target, &done),
        requeue_after: Some(requeue),
        note: note(&done),
        ..Outcome::default()
    };
    entry.rescale = done.rescale.map(|to| Rescale {
        at: cx.now,
        from: done.decision.current,
        to,
        reason: done.decision.reason.clone(),
        status: done.status,
    });
    entry.decision = Some(done.decision);
    outcome
}

/// Writes down what some of the pods were measured at, for people.
fn note_measured(cx: &Cx, namespace: &Str, selector: &Selector, decision: &mut Decision) {
    let mut requested = 0;
    for pod in cx.view.pods_matching(namespace, selector) {
        let Some(sample) = cx.metrics.pods.get(pod.metadata.id.0) else { continue };
        let used = sample.containers.iter().map(|container| container.1).sum();
        decision.measured.push((pod.metadata.name.clone(), used));
        requested += crate::pod::requests(&pod.spec).get("cpu").copied().unwrap_or(0);
        if decision.measured.len() == MOST_MEASURED {
            break;
        }
    }
    decision.request = requested / (decision.measured.len() as i64).max(1);
}

/// The requests of one sync in upstream's order: target, its event, status.
fn writes(cx: &Cx, hpa: &HorizontalPodAutoscaler, target: Option<ObjId>, done: &Evaluation) -> Vec<Write> {
    let id = hpa.metadata.id;
    let warn = |(reason, message): &(&'static str, String)| {
        Write::Event(EventDraft::warning(NAME, id, reason, message.clone()))
    };
    let mut writes: Vec<Write> = done.warnings.iter().map(warn).gather();
    if let Some(replicas) = done.rescale
        && let Some(object) = target.and_then(|target| scaled(cx.view, target, replicas))
    {
        writes.push(Write::Update(object, Scope::Main));
        let message = format!("New size: {replicas}; reason: {}", done.decision.reason);
        writes.push(Write::Event(EventDraft::normal(NAME, id, "SuccessfulRescale", message)));
    }
    writes.extend(status_write(hpa, &done.status));
    writes.extend(done.last_warning.iter().map(warn));
    writes
}

fn status_write(hpa: &HorizontalPodAutoscaler, status: &HorizontalPodAutoscalerStatus) -> Option<Write> {
    let changed = *status != hpa.status;
    changed.then(|| {
        let mut hpa = hpa.clone();
        hpa.status = status.clone();
        Write::Update(Object::HorizontalPodAutoscaler(Rc::new(hpa)), Scope::Status)
    })
}

fn store_event(hpa: &HorizontalPodAutoscaler, settings: &Settings, sent: &Rescale, history: &mut History) {
    let rules = rules(hpa, settings);
    let rules = rules.as_ref().map(|(up, down)| (up, down));
    history.events.store(rules, sent.from, sent.to, sent.at);
}

/// A write of the last sync was refused: the target's, then nothing was changed; or the status's.
fn refused(
    cx: &Cx,
    hpa: &HorizontalPodAutoscaler,
    failure: &Failure,
    sent: Option<Rescale>,
    entry: &mut Entry,
    settings: &Settings,
) -> Outcome {
    let id = hpa.metadata.id;
    let error = &failure.status.message;
    let mut outcome = Outcome::idle("refused");
    outcome.requeue_after = Some(cx.tuning.hpa_sync);
    match sent {
        Some(sent) if failure.about != Some(id) => {
            let message = format!("New size: {}; reason: {}; error: {error}", sent.to, sent.reason);
            outcome.writes.push(Write::Event(EventDraft::warning(NAME, id, "FailedRescale", message)));
            let mut status = sent.status;
            status.desired_replicas = hpa.status.desired_replicas;
            status.last_scale_time = hpa.status.last_scale_time;
            let message = format!("the HPA controller was unable to update the target scale: {error}");
            let conditions = &mut status.conditions;
            set_condition(conditions, "AbleToScale", false, "FailedUpdateScale", &message, cx.now);
            outcome.writes.extend(status_write(hpa, &status));
            if let Some(decision) = &mut entry.decision {
                decision.final_replicas = decision.current;
                decision.able = "FailedUpdateScale";
                decision.error = Some(message);
            }
        }
        sent => {
            if let Some(sent) = sent {
                store_event(hpa, settings, &sent, &mut entry.history);
            }
            let event = EventDraft::warning(NAME, id, "FailedUpdateStatus", error.clone());
            outcome.writes.push(Write::Event(event));
        }
    }
    outcome
}

fn note(done: &Evaluation) -> Note {
    let decision = &done.decision;
    let text = match (done.rescale, &decision.error) {
        (Some(to), _) => format!("scale {} to {to}", decision.current),
        (None, Some(error)) => error.clone(),
        (None, None) => format!("stay at {}", decision.current),
    };
    let mut observed = vec![
        ("current", i64::from(decision.current)),
        ("proposed", i64::from(decision.proposed)),
        ("desired", i64::from(decision.final_replicas)),
    ];
    if decision.unit == Unit::Percent && decision.target > 0 {
        observed.push(("measured %", decision.metric_value));
        observed.push(("target %", decision.target));
    }
    if let Some(held) = &decision.stabilization {
        observed.push(("held at", i64::from(held.holding)));
    }
    Note { observed, decision: text.into() }
}
