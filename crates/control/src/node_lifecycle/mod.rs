//! Finds out which nodes are silent, says so on the node and its pods, and taints the node.
//!
//! Watches: Node (for its NoSchedule taints); Lease and Pod are read on every tick.
//! Writes: conditions and taints of nodes, Ready of pods, events on both.
//! Rule: a node without a sign of life for the grace period is Unknown; its NoSchedule taint comes at once, its NoExecute taint
//! when its zone's rate allows it, and not at all while no node answers.
//! Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go `monitorNodeHealth`, `processTaintBaseEviction`,
//! `doNoScheduleTaintingPass`, `doNoExecuteTaintingPass`; pkg/controller/util/node/controller_utils.go `MarkPodsNotReady`.
//! Simplified: labels of old releases are not copied; a pod that is bound to a silent node needs no mark, for no kubelet has
//! called it ready. The first node that a look finds silent is given up even if the same look slows its zone down: upstream's
//! tainting runs beside the look and mostly gets there first.

mod health;
mod zones;

pub use health::{Checked, Health, check};
pub use zones::{
    Disruption, Limiter, Zone, ZoneMemory, ZoneState, eviction_rate_milli, handle_disruption, zone_state,
};

use crate::taints::{self, NO_EXECUTE, NO_SCHEDULE, NOT_READY, UNREACHABLE};
use crate::{
    ChangeCx, Controller, Cx, EventDraft, Gone, Key, Keys, Memory as AllMemory, Note, Outcome, Patch, Write,
};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::MILLISECOND;
use setpoint_api::{
    Change, Condition, ConditionStatus, Kind, Labels, Lease, Micros, Node, ObjId, Op, Pod, Str, Time,
    condition, condition_status,
};
use std::rc::Rc;

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    nodes: Map<Str, Known>,
    zones: Map<Zone, ZoneMemory>,
    /// Nodes whose turn for the NoExecute taint has come.
    due: Vec<Str>,
    /// When to look at the queues next, if somebody waits.
    pass_at: Option<Time>,
    /// First and last look at all nodes.
    looked: Option<(Time, Time)>,
    /// When taints of nodes that have just come are tried once more.
    retries: Map<ObjId, Time>,
}

impl Memory {
    /// Zones with the states that the last look gave them.
    pub fn zones(&self) -> impl Iterator<Item = (&Zone, ZoneState)> {
        self.zones.iter().map(|(zone, memory)| (zone, memory.state))
    }
    /// When the controller last noticed a sign of life of a node.
    pub fn seen_at(&self, node: &str) -> Option<Time> {
        self.nodes.get(node)?.health.as_ref().map(|health| health.seen_at)
    }
}

#[derive(Clone, Debug)]
struct Known {
    id: ObjId,
    identity: Gone,
    labels: Labels,
    zone: Zone,
    health: Option<Health>,
    /// Whether its pods were to be marked on the last look; they are checked once more.
    marked: bool,
}

const NAME: &str = "node-controller";

/// First retry of a change of taints (upstream's updateTaintBackOff), which may take up to twice as long.
const RETRY: Micros = 100 * MILLISECOND;

/// Distance of two looks at the queues (upstream's NodeEvictionPeriod).
const PASS: Micros = 100 * MILLISECOND;

/// Its row.
pub const ROW: Controller = Controller {
    name: NAME,
    kind: Kind::Node,
    watches: &[Kind::Node],
    on_change,
    reconcile,
    period: |tuning| Some(tuning.node_monitor_period),
    workers: 8,
    wants_failures: false,
    forget: |memory| memory.node_lifecycle = Memory::default(),
};

fn on_change(_: &ChangeCx, change: &Change, _: &mut AllMemory, keys: &mut Keys) {
    if change.op != Op::Deleted {
        keys.add(change.new.id());
    }
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    match key {
        Key::Object(id) => taint_no_schedule(cx, id, &mut memory.node_lifecycle.retries),
        Key::Tick => tick(cx, &mut memory.node_lifecycle),
    }
}

/// Conditions that keep new pods away, and their taints.
const CONDITION_TAINTS: [(&str, ConditionStatus, &str); 6] = [
    ("Ready", ConditionStatus::False, NOT_READY),
    ("Ready", ConditionStatus::Unknown, UNREACHABLE),
    ("MemoryPressure", ConditionStatus::True, taints::MEMORY_PRESSURE),
    ("DiskPressure", ConditionStatus::True, taints::DISK_PRESSURE),
    ("NetworkUnavailable", ConditionStatus::True, taints::NETWORK_UNAVAILABLE),
    ("PIDPressure", ConditionStatus::True, taints::PID_PRESSURE),
];

/// Brings a node's NoSchedule taints in line with its conditions and its cordon.
fn taint_no_schedule(cx: &Cx, id: ObjId, retries: &mut Map<ObjId, Time>) -> Outcome {
    let Some(node) = cx.view.get::<Node>(id) else {
        retries.remove(&id);
        return Outcome::idle("the node is gone");
    };
    let taint_of = |is: &Condition| {
        let is_it = |row: &&(&str, ConditionStatus, &str)| row.0 == &*is.kind && row.1 == is.status;
        CONDITION_TAINTS.iter().find(is_it).map(|row| row.2)
    };
    let mut wanted: Vec<&str> = node.status.conditions.iter().filter_map(taint_of).gather();
    if node.spec.unschedulable {
        wanted.push(taints::UNSCHEDULABLE);
    }
    let is_ours = |key: &str| key == taints::UNSCHEDULABLE || CONDITION_TAINTS.iter().any(|row| row.2 == key);
    let now = Some(cx.now.whole_seconds());
    let add: Vec<_> = wanted
        .iter()
        .filter(|key| !taints::has_taint(&node.spec.taints, key, NO_SCHEDULE))
        .map(|key| taints::taint(key, NO_SCHEDULE, now))
        .gather();
    let is_stale = |taint: &&setpoint_api::Taint| {
        &*taint.effect == NO_SCHEDULE && is_ours(&taint.key) && !wanted.contains(&&*taint.key)
    };
    let remove: Vec<_> = node.spec.taints.iter().filter(is_stale).cloned().gather();
    if add.is_empty() && remove.is_empty() {
        return Outcome::idle("the taints fit the conditions");
    }
    // Changes of taints name the version that they rest on: what is written to a node that has just come, and has reported
    // nothing yet, overtakes this one, and it is tried again after 100 to 200 ms.
    if node.status.conditions.is_empty() && !retries.contains_key(&id) {
        retries.insert(id, cx.now.plus(RETRY + (cx.draw % RETRY as u64) as i64));
    }
    if let Some(at) = retries.get(&id).filter(|at| **at > cx.now) {
        return Outcome { requeue_after: Some(at.since(cx.now)), ..Outcome::idle("try again in a moment") };
    }
    retries.remove(&id);
    let observed = vec![("taints to add", add.len() as i64), ("taints to remove", remove.len() as i64)];
    Outcome {
        writes: vec![Write::Patch(id, Patch::NodeTaints { add, remove })],
        note: Note { observed, decision: "change the taints".into() },
        ..Outcome::default()
    }
}

/// Looks at all nodes if it is time, and gives up the nodes whose turn has come. In this order: a look does not see the taint
/// that is only being written, and would let the node wait once more.
fn tick(cx: &Cx, memory: &mut Memory) -> Outcome {
    let mut outcome = Outcome::idle("give up the nodes whose turn it is");
    if is_time_to_look(cx, memory) {
        let batch = look(cx, memory);
        let not_ready = memory.zones.values().map(|zone| i64::from(zone.not_ready)).sum();
        let observed = vec![("nodes", memory.nodes.len() as i64), ("not ready", not_ready)];
        let decision = if batch.is_empty() { "nothing has changed" } else { "say what has changed" };
        outcome.note = Note { observed, decision: decision.into() };
        outcome.writes.extend(batch.into_writes());
    }
    if memory.pass_at.is_some_and(|at| at <= cx.now) {
        memory.pass_at = None;
        memory.due.extend(memory.zones.values_mut().filter_map(|zone| zone.pop(cx.now)));
        let nodes = std::mem::take(&mut memory.due);
        outcome.writes.extend(together(nodes.iter().filter_map(|node| taint_no_execute(cx, node)).gather()));
    }
    outcome.requeue_after = next_pass(cx, memory);
    outcome
}

/// Ticks also come for the queues, and may come late; each period counts from the first.
fn is_time_to_look(cx: &Cx, memory: &mut Memory) -> bool {
    let (first, last) = *memory.looked.get_or_insert((cx.now, Time(Micros::MIN)));
    let period = cx.tuning.node_monitor_period.max(1);
    let number = |at: Time| at.since(first).div_euclid(period);
    let is_time = last < first || number(cx.now) > number(last);
    if is_time {
        memory.looked = Some((first, cx.now));
    }
    is_time
}

/// When to tick for the queues, unless that has already been asked for.
fn next_pass(cx: &Cx, memory: &mut Memory) -> Option<Micros> {
    let soonest = cx.now.plus(PASS);
    let at = if memory.due.is_empty() {
        memory.zones.values().filter_map(ZoneMemory::next_at).min()?.max(soonest)
    } else {
        soonest
    };
    if memory.pass_at.is_some_and(|asked| asked <= at) {
        return None;
    }
    memory.pass_at = Some(at);
    Some(at.since(cx.now))
}

/// Writes of one look, in the order in which they are sent.
#[derive(Default)]
struct Batch {
    /// Nodes that came or went.
    census: Vec<Write>,
    statuses: Vec<Write>,
    node_events: Vec<Write>,
    pods: Vec<Write>,
    pod_events: Vec<Write>,
    taints: Vec<Write>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.census.is_empty() && self.statuses.is_empty() && self.pods.is_empty() && self.taints.is_empty()
    }
    /// Upstream looks at eight nodes at a time, so what concerns several nodes is sent side by side.
    fn into_writes(self) -> impl Iterator<Item = Write> {
        let events = self.census.into_iter().chain(together(self.statuses)).chain(self.node_events);
        events.chain(together(self.pods)).chain(self.pod_events).chain(together(self.taints))
    }
}

fn together(mut writes: Vec<Write>) -> Option<Write> {
    if writes.len() > 1 { Some(Write::Together(writes)) } else { writes.pop() }
}

fn look(cx: &Cx, memory: &mut Memory) -> Batch {
    let mut batch = Batch::default();
    take_census(cx, memory, &mut batch);
    for zone in memory.zones.values_mut() {
        (zone.ready, zone.not_ready) = (0, 0);
    }
    // Upstream looks at several nodes at a time, in the order of a map that has none.
    let first = (cx.draw % memory.nodes.len().max(1) as u64) as usize;
    for node in cx.view.list::<Node>().skip(first).chain(cx.view.list::<Node>().take(first)) {
        look_at(cx, node, memory, &mut batch);
    }
    memory.due.extend(memory.zones.values_mut().filter_map(|zone| zone.pop(cx.now)));
    match handle_disruption(&mut memory.zones, cx.now, cx.tuning) {
        Disruption::Local | Disruption::Lasts => {}
        Disruption::Begins => {
            memory.due.clear();
            for node in cx.view.list::<Node>() {
                if let Some(zone) =
                    memory.nodes.get(&node.metadata.name).and_then(|known| memory.zones.get_mut(&known.zone))
                {
                    mark_reachable(node, zone, &mut batch);
                }
            }
        }
        Disruption::Ends => {
            let health = memory.nodes.values_mut().filter_map(|known| known.health.as_mut());
            health.for_each(|health| health.seen_at = cx.now);
        }
    }
    batch
}

/// Takes note of nodes that came and went.
fn take_census(cx: &Cx, memory: &mut Memory, batch: &mut Batch) {
    let mut count = 0;
    for node in cx.view.list::<Node>() {
        count += 1;
        let (id, name) = (node.metadata.id, &node.metadata.name);
        if let Some(known) = memory.nodes.get_mut(name) {
            if known.id != id || !Rc::ptr_eq(&known.labels, &node.metadata.labels) {
                (known.id, known.identity) = (id, Gone::of(Kind::Node, &node.metadata));
                (known.labels, known.zone) = (node.metadata.labels.clone(), Zone::of(node));
            }
            if !memory.zones.contains_key(&known.zone) {
                memory.zones.insert(known.zone.clone(), ZoneMemory::new(cx.tuning));
            }
            continue;
        }
        let known = Known {
            id,
            identity: Gone::of(Kind::Node, &node.metadata),
            labels: node.metadata.labels.clone(),
            zone: Zone::of(node),
            health: None,
            marked: false,
        };
        let zone = memory.zones.entry(known.zone.clone()).or_insert_with(|| ZoneMemory::new(cx.tuning));
        mark_reachable(node, zone, batch);
        memory.nodes.insert(name.clone(), known);
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        batch.census.push(Write::Event(EventDraft::normal(NAME, id, "RegisteredNode", message)));
    }
    if memory.nodes.len() == count {
        return;
    }
    memory.nodes.retain(|name, known| {
        let is_there = cx.view.id_of(Kind::Node, "", name).is_some();
        if !is_there {
            let message = format!("Node {name} event: Removing Node {name} from Controller");
            let event = EventDraft::normal(NAME, known.id, "RemovingNode", message);
            batch
                .census
                .push(Write::Event(EventDraft { gone: Some(Box::new(known.identity.clone())), ..event }));
            if let Some(zone) = memory.zones.get_mut(&known.zone) {
                zone.leave(name);
            }
        }
        is_there
    });
}

/// Looks at one node.
fn look_at(cx: &Cx, node: &Node, memory: &mut Memory, batch: &mut Batch) {
    let name = &node.metadata.name;
    let Some(known) = memory.nodes.get_mut(name) else { return };
    let lease = cx.view.find::<Lease>("kube-node-lease", name).and_then(|lease| lease.spec.renew_time);
    let is_new = known.health.is_none();
    let (health, checked) = check(node, lease, known.health.as_ref(), cx.now, cx.tuning);
    known.health = Some(health);
    let Some(zone) = memory.zones.get_mut(&known.zone) else { return };
    if node.metadata.label("node.kubernetes.io/exclude-disruption").is_none() {
        let count = if checked.current == Some(ConditionStatus::True) {
            &mut zone.ready
        } else {
            &mut zone.not_ready
        };
        *count += 1;
    }
    let is_news = checked.is_news();
    let Checked { observed, current: Some(current), unknown, .. } = checked else { return };
    if is_news {
        batch.statuses.push(Write::Patch(node.metadata.id, Patch::NodeConditions(unknown)));
    }
    match current {
        // A new node has just been told so.
        ConditionStatus::True if is_new => {}
        ConditionStatus::True => mark_reachable(node, zone, batch),
        _ if memory.due.contains(name) => {}
        ConditionStatus::False => give_up(cx, node, zone, NOT_READY, UNREACHABLE, batch),
        ConditionStatus::Unknown => give_up(cx, node, zone, UNREACHABLE, NOT_READY, batch),
    }
    let is_lost = current != ConditionStatus::True && observed == ConditionStatus::True;
    if is_lost {
        let message = format!("Node {name} status is now: NodeNotReady");
        batch.node_events.push(Write::Event(EventDraft::normal(
            NAME,
            node.metadata.id,
            "NodeNotReady",
            message,
        )));
    }
    if is_lost || known.marked && observed != ConditionStatus::True {
        cx.view.pods_on(name).for_each(|pod| mark_not_ready(cx, pod, batch));
    }
    known.marked = is_lost;
}

/// Takes the NoExecute taints off a node, and the node out of the queue.
fn mark_reachable(node: &Node, zone: &mut ZoneMemory, batch: &mut Batch) {
    let tainted = [UNREACHABLE, NOT_READY].into_iter();
    let remove: Vec<_> = tainted
        .filter(|key| taints::has_taint(&node.spec.taints, key, NO_EXECUTE))
        .map(|key| taints::taint(key, NO_EXECUTE, None))
        .gather();
    if !remove.is_empty() {
        batch.taints.push(Write::Patch(node.metadata.id, Patch::NodeTaints { add: Vec::new(), remove }));
    }
    zone.leave(&node.metadata.name);
}

/// Lets a node wait for its NoExecute taint; one that has the other taint gets this one at once.
fn give_up(cx: &Cx, node: &Node, zone: &mut ZoneMemory, key: &str, other: &str, batch: &mut Batch) {
    if taints::has_taint(&node.spec.taints, other, NO_EXECUTE) {
        batch.taints.push(swap_no_execute(cx, node, key, other));
        return;
    }
    if !taints::has_taint(&node.spec.taints, key, NO_EXECUTE) {
        zone.leave(&node.metadata.name);
    }
    zone.join(&node.metadata.name);
}

/// The NoExecute taint of a node whose turn has come, if it still needs one.
fn taint_no_execute(cx: &Cx, name: &str) -> Option<Write> {
    let node = cx.view.find::<Node>("", name)?;
    condition(&node.status.conditions, "Ready")?;
    match condition_status(&node.status.conditions, "Ready") {
        ConditionStatus::False => Some(swap_no_execute(cx, node, NOT_READY, UNREACHABLE)),
        ConditionStatus::Unknown => Some(swap_no_execute(cx, node, UNREACHABLE, NOT_READY)),
        ConditionStatus::True => None,
    }
}

fn swap_no_execute(cx: &Cx, node: &Node, key: &str, other: &str) -> Write {
    let add = vec![taints::taint(key, NO_EXECUTE, Some(cx.now.whole_seconds()))];
    let remove = vec![taints::taint(other, NO_EXECUTE, None)];
    Write::Patch(node.metadata.id, Patch::NodeTaints { add, remove })
}

/// Says of a pod on a silent node that it is not ready, so that Services leave it out.
fn mark_not_ready(cx: &Cx, pod: &Pod, batch: &mut Batch) {
    let Some(ready) = condition(&pod.status.conditions, "Ready") else { return };
    if ready.status == ConditionStatus::False {
        return;
    }
    let condition = Condition {
        status: ConditionStatus::False,
        last_transition_time: Some(cx.now.whole_seconds()),
        ..ready.clone()
    };
    let id = pod.metadata.id;
    batch.pods.push(Write::Patch(id, Patch::PodCondition(condition, None)));
    let event = EventDraft::warning(NAME, id, "NodeNotReady", "Node is not ready");
    batch.pod_events.push(Write::Event(event));
}
