//! The scheduler: picks a node for every pod that has none.
//!
//! Watches:    Pods, Nodes, Services, ReplicaSets, PersistentVolumeClaims, PersistentVolumes and StorageClasses.
//! Writes:     bindings; the chosen node on claims; the PodScheduled condition of pods for which no node does; events Scheduled and FailedScheduling.
//! Rule:       take the waiting pod of highest priority, drop the nodes that a filter refuses, score the rest, bind to one
//!             of the best; where none is left, wait until something changes that may help.
//! Upstream:   pkg/scheduler/schedule_one.go (`ScheduleOne`), backend/{queue,cache}, framework/plugins.
//! Simplified: no resource claims, extenders or further profiles; pods that wait for room on their nominated node count as being
//!             there for all pods of no higher priority; a scheduling cycle takes no time, so no event can come while it runs.

use crate::{ChangeCx, Controller, Cx, EventDraft, Failure, Key, Keys, Note, Outcome, Patch, Write};
use crate::{Memory as AllMemory, Tuning};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{
    Change, Condition, ConditionStatus, Kind, Node, ObjId, Object, Op, Pod, Store, Str, Time, condition,
};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::rc::Rc;

pub mod affinity;
pub mod cache;
pub mod cycle;
pub mod demand;
pub mod filters;
pub mod groups;
pub mod hints;
pub mod message;
pub mod node_rules;
pub mod preempt;
pub mod queue;
pub mod rows;
pub mod scores;
pub mod spread;
pub mod strategy;
pub mod volumes;

use cache::Cache;
use filters::Plugins;
use hints::ClusterEvent;
use message::FitError;
use queue::{Queue, Waiting};

const NAME: &str = "default-scheduler";
/// Decisions that are kept for people.
const MOST_DECISIONS: usize = 200;

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Nodes and the pods on them, assumed ones included.
    pub cache: Cache,
    /// Pods that wait.
    pub queue: Queue,
    /// Pods whose binding is on its way.
    assumed: Map<ObjId, Waiting>,
    /// Pods among them whose volumes are being made.
    binding: Map<ObjId, volumes::Binding>,
    /// Pods for which others had to go, each with the node that it waits for.
    nominated: Map<ObjId, Str>,
    /// The last decisions, newest last; none in clusters of more than 50 nodes.
    pub decisions: VecDeque<Rc<Decision>>,
}

/// How a decision came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Time,
    /// Namespace and name of the pod.
    pub pod: Str,
    /// The node, if there was one.
    pub node: Option<Str>,
    /// Nodes that a filter refused, with its reasons.
    pub rejected: Vec<(Str, Vec<Cow<'static, str>>)>,
    /// Nodes that would do.
    pub scores: Vec<NodeScore>,
}

impl Decision {
    /// The highest total and the next one, as far as there are two.
    fn best_two(&self) -> Vec<i64> {
        let mut totals: Vec<i64> = self.scores.iter().map(|score| score.total).gather();
        order::sort_by_key(&mut totals, |total| std::cmp::Reverse(*total));
        totals.truncate(2);
        totals
    }
}

/// How good a node is for a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeScore {
    /// The node.
    pub node: Str,
    /// Weighted score by plugin, in upstream's order.
    pub plugins: Vec<(&'static str, i64)>,
    /// Their sum.
    pub total: i64,
}

/// What came of a scheduling cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A node.
    Node {
        #[allow(missing_docs)]
        node: Str,
        /// Nodes that would do, as far as they were looked for.
        feasible: i64,
        /// Nodes in all.
        nodes: i64,
    },
    /// There are no nodes at all.
    NoNodes,
    /// No node does.
    Unfit {
        #[allow(missing_docs)]
        error: FitError,
        /// Filters that refused some node.
        rejected_by: Plugins,
    },
}

/// Its row.
pub const ROW: Controller = Controller {
    name: NAME,
    kind: Kind::Pod,
    watches: &[
        Kind::Pod,
        Kind::Node,
        Kind::Service,
        Kind::ReplicaSet,
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StorageClass,
    ],
    on_change,
    reconcile,
    period: |_| None,
    workers: 1,
    wants_failures: true,
    forget: |memory| {
        // Its arguments stand in a file, which a new process reads again.
        let profile = std::mem::take(&mut memory.scheduler.cache.profile);
        memory.scheduler = Memory::default();
        memory.scheduler.cache.profile = profile;
    },
};

/// How the scheduler would decide about a pod now, in full; `None` without such a pod or without nodes. For a pod that has
/// a node already, as if it had none.
pub fn explain(view: &Store, memory: &Memory, id: ObjId) -> Option<Decision> {
    let mut pod = Pod::clone(view.get::<Pod>(id)?);
    pod.spec.node_name = None;
    let mut cache = memory.cache.clone();
    cache.remove_pod(id);
    cycle::schedule(view, &mut cache, &pod, 0).1
}

fn on_change(cx: &ChangeCx, change: &Change, all: &mut AllMemory, keys: &mut Keys) {
    let memory = &mut all.scheduler;
    match (&change.new, &change.old) {
        (Object::Node(node), old) => {
            let old = old.as_ref().and_then(<Node as setpoint_api::Resource>::from_object);
            memory.node_changed(cx, change.op, old, node);
        }
        (Object::Pod(pod), old) => {
            let old = old.as_ref().and_then(<Pod as setpoint_api::Resource>::from_object);
            memory.pod_changed(cx, change.op, old, pod);
        }
        (Object::Service(service), old) => {
            let old = old.as_ref().and_then(<setpoint_api::Service as setpoint_api::Resource>::from_object);
            if change.op == Op::Deleted || old.is_none_or(|old| old.spec.selector != service.spec.selector) {
                memory.cache.spread_memo.clear();
            }
        }
        (Object::ReplicaSet(set), _) if change.op == Op::Deleted => {
            memory.cache.spread_memo.remove(&set.metadata.uid);
        }
        (Object::PersistentVolumeClaim(_) | Object::PersistentVolume(_) | Object::StorageClass(_), _) => {
            memory.wake(cx, ClusterEvent::StorageChanged);
            if !memory.binding.is_empty() {
                keys.tick_after(0);
            }
        }
        _ => return,
    }
    if memory.queue.is_ready() {
        keys.tick_after(0);
    }
}

impl Memory {
    fn node_changed(&mut self, cx: &ChangeCx, op: Op, old: Option<&Rc<Node>>, node: &Rc<Node>) {
        if op == Op::Deleted {
            self.cache.remove_node(&node.metadata.name);
            return self.wake(cx, ClusterEvent::NodeRemoved(node));
        }
        let known = self.cache.slot_of(&node.metadata.name).is_some();
        self.cache.set_node(node);
        match old.filter(|_| known) {
            Some(old) => self.wake(cx, ClusterEvent::NodeChanged(old, node)),
            None => self.wake(cx, ClusterEvent::NodeAdded(node)),
        }
    }

    fn pod_changed(&mut self, cx: &ChangeCx, op: Op, old: Option<&Rc<Pod>>, pod: &Rc<Pod>) {
        let id = pod.metadata.id;
        // A finished pod counts as gone: upstream's watch leaves such pods out.
        let is_gone = op == Op::Deleted || pod.status.phase.is_finished();
        let node = pod.spec.node_name.as_ref().filter(|name| !name.is_empty());
        if is_gone || node.is_some() {
            self.nominated.remove(&id);
        }
        match node {
            Some(node) if !is_gone => {
                self.queue.remove(id);
                let was_assumed = self.assumed.remove(&id).is_some();
                if self.cache.pod(id).is_none() {
                    self.cache.add_pod(pod, node);
                    return self.wake(cx, ClusterEvent::PodAdded(pod));
                }
                self.cache.update_pod(pod, node);
                if was_assumed {
                    self.wake(cx, ClusterEvent::PodAdded(pod));
                } else if let Some(old) = old.filter(|old| old.metadata.labels != pod.metadata.labels) {
                    self.wake(cx, ClusterEvent::PodRelabelled(old, pod));
                }
            }
            _ if is_gone => {
                self.queue.remove(id);
                self.assumed.remove(&id);
                self.binding.remove(&id);
                if self.cache.remove_pod(id) {
                    self.wake(cx, ClusterEvent::PodRemoved(pod));
                }
            }
            _ => self.pending_changed(cx, old, pod),
        }
    }

    /// A pod without a node came or changed.
    fn pending_changed(&mut self, cx: &ChangeCx, old: Option<&Rc<Pod>>, pod: &Pod) {
        let id = pod.metadata.id;
        if self.assumed.contains_key(&id) || !is_ours(pod) {
            return;
        }
        if !self.queue.contains(id) {
            // A pod that was tried and is being deleted is not tried again.
            if !pod.metadata.is_deleting() || old.is_none() {
                self.queue.add(id, pod.spec.priority.unwrap_or(0), cx.now);
            }
        } else if old.is_some_and(|old| old.metadata.labels != pod.metadata.labels || old.spec != pod.spec) {
            self.queue.wake(id, cx.now, cx.tuning);
        }
    }

    /// Has the pods tried again that an event may help.
    fn wake(&mut self, cx: &ChangeCx, event: ClusterEvent) {
        if self.queue.sizes().2 == 0 || !event.is_of_interest() {
            return;
        }
        let helped = |(id, waiting): (ObjId, &Waiting)| {
            let pod = cx.view.get::<Pod>(id).filter(|_| event.may_concern(waiting.rejected_by))?;
            event.may_help(cx.view, pod, waiting.rejected_by).then_some(id)
        };
        let ids: Vec<ObjId> = self.queue.unschedulable().filter_map(helped).gather();
        for id in ids {
            self.queue.wake(id, cx.now, cx.tuning);
        }
    }

    /// Puts the pods that wait for room on their nominated node there, unless this pod is more important; yields those.
    ///
    /// Upstream: `addGENominatedPods`.
    fn hold_places(&mut self, view: &Store, pod: &Pod) -> Vec<ObjId> {
        let mut held = Vec::new();
        for (id, node) in &self.nominated {
            let Some(other) = view.get::<Pod>(*id) else { continue };
            let is_waiting = *id != pod.metadata.id && self.cache.pod(*id).is_none();
            if is_waiting && other.spec.priority >= pod.spec.priority {
                self.cache.add_pod(other, node);
                held.push(*id);
            }
        }
        held
    }

    /// The next pod that still needs a node.
    fn next<'a>(&mut self, view: &'a Store, now: Time, tuning: &Tuning) -> Option<(&'a Rc<Pod>, Waiting)> {
        loop {
            let (id, waiting) = self.queue.pop(now, tuning)?;
            if let Some(pod) = view.get::<Pod>(id).filter(|pod| pod.spec.node_name.is_none()) {
                return Some((pod, waiting));
            }
        }
    }
}

/// Whether a pod is this scheduler's and nothing holds it back.
fn is_ours(pod: &Pod) -> bool {
    let gates = pod.spec.rest.as_deref().and_then(|rest| rest.get("schedulingGates")?.as_array());
    let is_named = pod.spec.scheduler_name.is_empty() || &*pod.spec.scheduler_name == NAME;
    is_named && gates.is_none_or(|gates| gates.is_empty())
}

fn reconcile(cx: &Cx, _: Key, all: &mut AllMemory) -> Outcome {
    let memory = &mut all.scheduler;
    let mut outcome = match cx.failure {
        Some(failure) => binding_failed(cx, failure, memory),
        None => match volumes::lost(cx, memory) {
            // There may be more of them.
            Some((id, why)) => Outcome { requeue_after: Some(0), ..give_up(cx, memory, id, &why) },
            None => volumes::bind_ready(cx, memory).unwrap_or_else(|| schedule_one(cx, memory)),
        },
    };
    let timers = || {
        let next = memory.queue.next_wake(cx.now, cx.tuning);
        next.into_iter().chain(volumes::next_timeout(memory, cx.now)).min()
    };
    outcome.requeue_after = outcome.requeue_after.or_else(timers);
    outcome
}

fn schedule_one(cx: &Cx, memory: &mut Memory) -> Outcome {
    let Some((pod, waiting)) = memory.next(cx.view, cx.now, cx.tuning) else {
        return Outcome::idle("no pod to schedule");
    };
    let id = pod.metadata.id;
    if pod.metadata.is_deleting() {
        let text = format!("skip schedule deleting pod: {}", pod.metadata.full_name());
        return done(vec![Write::Event(failed_event(id, &text))], Note::default());
    }
    let held = memory.hold_places(cx.view, pod);
    let (verdict, decision) = cycle::schedule(cx.view, &mut memory.cache, pod, cx.draw);
    let preempted = match &verdict {
        Verdict::Unfit { .. } => preempt::attempt(cx.view, &mut memory.cache, pod),
        _ => preempt::Found::Nothing,
    };
    for other in held {
        memory.cache.remove_pod(other);
    }
    let scores = decision.as_ref().map(Decision::best_two).unwrap_or_default();
    if let Some(decision) = decision {
        let decision = Decision { at: cx.now, ..decision };
        memory.decisions.push_back(Rc::new(decision));
        if memory.decisions.len() > MOST_DECISIONS {
            memory.decisions.pop_front();
        }
    }
    match verdict {
        Verdict::Node { node, feasible, nodes } => {
            memory.nominated.remove(&id);
            memory.cache.add_pod(pod, &node);
            memory.assumed.insert(id, waiting);
            let text = format!("Successfully assigned {} to {node}", pod.metadata.full_name());
            let event = EventDraft { action: "Binding", ..EventDraft::normal(NAME, id, "Scheduled", text) };
            let mut observed = vec![("nodes", nodes), ("feasible", feasible)];
            observed.extend(["score", "next best"].into_iter().zip(scores));
            let note = Note { observed, decision: format!("bind {} to {node}", pod.metadata.name).into() };
            let claimed = volumes::ask(cx, memory, pod, &node, &event);
            done(claimed.unwrap_or_else(|| vec![Write::Bind(id, node, Some(event))]), note)
        }
        Verdict::NoNodes => {
            memory.queue.put_failed(id, waiting, cx.now, cx.tuning);
            unscheduled(cx, pod, "Unschedulable", "no nodes available to schedule pods", (0, None))
        }
        Verdict::Unfit { mut error, rejected_by } => {
            memory.queue.put_unschedulable(id, waiting, rejected_by, cx.now);
            let (mut node, mut writes) = (None, Vec::new());
            match preempted {
                preempt::Found::Nothing => {}
                preempt::Found::Waits => error.after = preempt::WAITS.into(),
                preempt::Found::Victims(of, victims) => {
                    error.after.clear();
                    memory.nominated.insert(id, of.clone());
                    writes = preempt::evict(cx, pod, &of, &victims);
                    node = Some(of);
                }
            }
            let mut outcome =
                unscheduled(cx, pod, "Unschedulable", &error.text(), (error.nodes, node.clone()));
            if let Some(node) = node {
                outcome.note.decision = format!("make room on {node} for {}", pod.metadata.name).into();
            }
            outcome.writes.extend(writes);
            outcome
        }
    }
}

fn done(writes: Vec<Write>, note: Note) -> Outcome {
    Outcome { writes, detached: true, note, ..Outcome::default() }
}

/// The API server refused a binding (or a condition): the pod is not where it was assumed to be.
///
/// Upstream: `handleBindingCycleError`.
fn binding_failed(cx: &Cx, failure: &Failure, memory: &mut Memory) -> Outcome {
    // A claim that has changed meanwhile: its pod is tried again.
    let claimed = failure.about.map(|claim| volumes::waiting_for(cx, memory, claim));
    let Some(id) = claimed.unwrap_or_default().first().copied().or(failure.about) else {
        return Outcome::idle("the pod is gone");
    };
    let text = format!("running Bind plugin \"DefaultBinder\": {}", failure.status.message);
    give_up(cx, memory, id, &text)
}

/// A pod does not come to the node that it was assumed to be on.
fn give_up(cx: &Cx, memory: &mut Memory, id: ObjId, text: &str) -> Outcome {
    memory.binding.remove(&id);
    let Some(waiting) = memory.assumed.remove(&id) else {
        return Outcome::idle("the pod is gone");
    };
    memory.cache.remove_pod(id);
    let Some(pod) = cx.view.get::<Pod>(id) else {
        return Outcome::idle("the pod is gone");
    };
    let change = ChangeCx { view: cx.view, now: cx.now, tuning: cx.tuning };
    memory.wake(&change, ClusterEvent::PodRemoved(pod));
    if pod.spec.node_name.is_none() {
        memory.queue.put_failed(id, waiting, cx.now, cx.tuning);
    }
    unscheduled(cx, pod, "SchedulerError", text, (memory.cache.node_count(), None))
}

/// Says that a pod got no node: an event each time, the condition where it changed.
///
/// Upstream: `handleSchedulingFailure`, `UpdatePodCondition`.
fn unscheduled(
    cx: &Cx,
    pod: &Pod,
    reason: &str,
    text: &str,
    (nodes, nominated): (i64, Option<Str>),
) -> Outcome {
    let id = pod.metadata.id;
    let mut writes = vec![Write::Event(failed_event(id, text))];
    let old = condition(&pod.status.conditions, "PodScheduled");
    let is_same = |old: &Condition| {
        old.status == ConditionStatus::False && &*old.reason == reason && &*old.message == text
    };
    let evicts = nominated.is_some();
    if evicts || !old.is_some_and(is_same) {
        let since = old.filter(|old| old.status == ConditionStatus::False);
        let since = since.and_then(|old| old.last_transition_time);
        let condition = Condition {
            kind: Str::fixed("PodScheduled"),
            status: ConditionStatus::False,
            observed_generation: Some(pod.metadata.generation),
            last_transition_time: Some(since.unwrap_or(cx.now.whole_seconds())),
            reason: reason.into(),
            message: text.into(),
            ..Condition::default()
        };
        writes.push(Write::Patch(id, Patch::PodCondition(condition, nominated)));
    }
    let decision = format!("no node for {}", pod.metadata.name).into();
    let outcome = done(writes, Note { observed: vec![("nodes", nodes), ("feasible", 0)], decision });
    // The next pod is looked at when the condition is written; only bindings and evictions go on in the background.
    Outcome { detached: outcome.writes.len() < 2 || evicts, ..outcome }
}

fn failed_event(id: ObjId, text: &str) -> EventDraft {
    let message = message::truncate(text);
    EventDraft { action: "Scheduling", ..EventDraft::warning(NAME, id, "FailedScheduling", message) }
}
