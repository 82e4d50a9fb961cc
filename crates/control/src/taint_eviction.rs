//! Deletes pods that do not, or no longer, tolerate a NoExecute taint of their node.
//!
//! Watches: Node (its NoExecute taints), Pod (its node and tolerations).
//! Writes: the condition DisruptionTarget and the deletion of pods; events on them.
//! Rule: a pod goes at once if a NoExecute taint of its node is not tolerated, else after the shortest tolerationSeconds of
//! the tolerations in use, counted from when this controller saw the taint.
//! Upstream: pkg/controller/tainteviction/taint_eviction.go `processPodOnNode`, timed_workers.go.
//! Simplified: a deletion that is refused is retried by the work queue, not five times within 50 ms.

use crate::taints::{self, NO_EXECUTE};
use crate::{
    ChangeCx, Controller, Cx, EventDraft, Gone, Key, Keys, Memory as AllMemory, Note, Outcome, Patch, Write,
};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, Condition, ConditionStatus, DeleteOptions, Kind, Micros, Node, ObjId, Object, Op, Pod, Taint,
    Time, Toleration,
};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    evictions: Map<ObjId, Eviction>,
}

impl Memory {
    /// When a pod is going to be evicted, if a timer runs for it.
    pub fn due(&self, pod: ObjId) -> Option<Time> {
        match self.evictions.get(&pod) {
            Some(Eviction::Waiting { due, .. }) => Some(*due),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Eviction {
    /// The timer runs. The identity is kept for the event of a pod that goes before its time.
    Waiting { due: Time, pod: Gone },
    /// The pod has been told to go; it may take its time.
    Done,
}

const NAME: &str = "taint-eviction-controller";

/// Its row.
pub const ROW: Controller = Controller {
    name: NAME,
    kind: Kind::Pod,
    watches: &[Kind::Node, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 8,
    wants_failures: false,
    forget: |memory| memory.taint_eviction = Memory::default(),
};

fn on_change(cx: &ChangeCx, change: &Change, memory: &mut AllMemory, keys: &mut Keys) {
    let is_gone = change.op == Op::Deleted;
    match (&change.new, &change.old) {
        (Object::Node(_), _) if is_gone => {}
        (Object::Node(node), Some(Object::Node(old))) if no_execute(old).eq(no_execute(node)) => {}
        (Object::Node(node), old) if old.is_some() || is_tainted(node) => {
            cx.view.pods_on(&node.metadata.name).for_each(|pod| keys.add(pod.metadata.id));
        }
        (Object::Pod(pod), Some(Object::Pod(old)))
            if !is_gone
                && pod.spec.node_name == old.spec.node_name
                && pod.spec.tolerations == old.spec.tolerations => {}
        (Object::Pod(pod), _) => {
            let is_known = || memory.taint_eviction.evictions.contains_key(&pod.metadata.id);
            if if is_gone { is_known() } else { node_of(cx.view, pod).is_some_and(is_tainted) } {
                keys.add(pod.metadata.id);
            }
        }
        _ => {}
    }
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let evictions = &mut memory.taint_eviction.evictions;
    let Some(pod) = cx.view.get::<Pod>(id) else { return cancel(id, evictions, "the pod is gone") };
    let Some(node) = node_of(cx.view, pod) else {
        // A node that is gone calls nothing off: timers run on.
        return match evictions.get(&id) {
            Some(Eviction::Waiting { due, .. }) if *due <= cx.now => evict(cx, pod, evictions, RAN_OUT),
            Some(Eviction::Waiting { due, .. }) => wait(cx, *due),
            _ => Outcome::idle("the pod has no node"),
        };
    };
    match evict_after(no_execute(node), &pod.spec.tolerations) {
        Verdict::Stay => cancel(id, evictions, "the pod may stay"),
        Verdict::Go => {
            let mut outcome = cancel(id, evictions, "");
            let evicted = evict(cx, pod, evictions, "delete the pod: it does not tolerate the taint");
            outcome.writes.extend(evicted.writes);
            Outcome { writes: outcome.writes, ..evicted }
        }
        Verdict::GoAfter(delay) => match evictions.get(&id) {
            Some(Eviction::Done) => Outcome::idle("the pod has been told to go"),
            Some(Eviction::Waiting { due, .. }) if *due <= cx.now => evict(cx, pod, evictions, RAN_OUT),
            // A timer that runs is left alone, even when another taint would now make it shorter.
            Some(Eviction::Waiting { due, .. }) => wait(cx, *due),
            None => {
                let due = cx.now.plus(delay);
                evictions.insert(id, Eviction::Waiting { due, pod: Gone::of(Kind::Pod, &pod.metadata) });
                wait(cx, due)
            }
        },
    }
}

const RAN_OUT: &str = "delete the pod: its toleration ran out";

/// What NoExecute taints mean for a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is none, or all are tolerated for ever.
    Stay,
    /// One is not tolerated.
    Go,
    /// All are tolerated, for this long.
    GoAfter(Micros),
}

/// The verdict of NoExecute taints on a pod with these tolerations.
pub fn evict_after<'a>(taints: impl Iterator<Item = &'a Taint>, tolerations: &'a [Toleration]) -> Verdict {
    let mut taints = taints.peekable();
    if taints.peek().is_none() {
        return Verdict::Stay;
    }
    match taints::matching_tolerations(taints, tolerations) {
        None => Verdict::Go,
        Some(used) => min_toleration(used.into_iter()).map_or(Verdict::Stay, Verdict::GoAfter),
    }
}

/// The shortest time that the tolerations put up with a taint; `None` is for ever. Negative times count as zero.
///
/// Upstream: `getMinTolerationTime`.
pub fn min_toleration<'a>(used: impl Iterator<Item = &'a Toleration>) -> Option<Micros> {
    used.filter_map(|toleration| toleration.toleration_seconds)
        .map(|seconds| seconds.max(0).saturating_mul(SECOND))
        .min()
}

fn wait(cx: &Cx, due: Time) -> Outcome {
    let left = due.since(cx.now);
    let observed = vec![("seconds left", left / SECOND)];
    let note = Note { observed, decision: "wait for the toleration to run out".into() };
    Outcome { requeue_after: Some(left), note, ..Outcome::default() }
}

fn cancel(id: ObjId, evictions: &mut Map<ObjId, Eviction>, otherwise: &'static str) -> Outcome {
    let Some(Eviction::Waiting { pod, .. }) = evictions.remove(&id) else { return Outcome::idle(otherwise) };
    let message = format!("Cancelling deletion of Pod {}/{}", pod.namespace, pod.name);
    let event = EventDraft {
        gone: Some(Box::new(pod)),
        ..EventDraft::normal(NAME, id, "TaintManagerEviction", message)
    };
    Outcome { writes: vec![Write::Event(event)], ..Outcome::idle("call the eviction off") }
}

fn evict(cx: &Cx, pod: &Pod, evictions: &mut Map<ObjId, Eviction>, decision: &'static str) -> Outcome {
    let id = pod.metadata.id;
    evictions.insert(id, Eviction::Done);
    let condition = Condition {
        kind: "DisruptionTarget".into(),
        status: ConditionStatus::True,
        observed_generation: Some(pod.metadata.generation),
        last_transition_time: Some(cx.now.whole_seconds()),
        reason: "DeletionByTaintManager".into(),
        message: "Taint manager: deleting due to NoExecute taint".into(),
        ..Condition::default()
    };
    let message = format!("Marking for deletion Pod {}", pod.metadata.full_name());
    let mut writes = vec![Write::Event(EventDraft::normal(NAME, id, "TaintManagerEviction", message))];
    let known = setpoint_api::condition(&pod.status.conditions, "DisruptionTarget");
    if known.is_none_or(|known| known.status != condition.status || known.reason != condition.reason) {
        writes.push(Write::Patch(id, Patch::PodCondition(condition, None)));
    }
    writes.push(Write::Delete(id, DeleteOptions::default(), None));
    Outcome { writes, ..Outcome::idle(decision) }
}

fn node_of<'a>(view: &'a setpoint_api::Store, pod: &Pod) -> Option<&'a Node> {
    view.find::<Node>("", pod.spec.node_name.as_deref()?).map(|node| &**node)
}

fn is_tainted(node: &Node) -> bool {
    no_execute(node).next().is_some()
}

fn no_execute(node: &Node) -> impl Iterator<Item = &Taint> {
    node.spec.taints.iter().filter(|taint| &*taint.effect == NO_EXECUTE)
}
