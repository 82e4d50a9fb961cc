//! The DaemonSet controller: a pod on every node that fits.
//!
//! Watches: DaemonSets, their Pods, Nodes.
//! Writes: Pods (create, delete), ControllerRevisions, DaemonSet status, events.
//! Rule: one pod for each node whose labels and taints the template puts up with, at most 250 more or fewer in one sync; an update
//! deletes old pods as far as maxUnavailable allows, or makes new ones beside them as far as maxSurge does.
//! Upstream: pkg/controller/daemon/daemon_controller.go (`syncDaemonSet`), update.go.
//! Simplified: no expectations, for a sync sees its own last writes.

pub mod nodes;
mod update;

use crate::claim::claim;
use crate::history::{self, Revision};
use crate::namespace::is_ending;
use crate::pod::{is_available, is_ready};
use crate::replicaset::{batches, controller_reference};
use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Write};
use nodes::Demand;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_api::{
    Change, DaemonSet, DaemonSetSpec, DaemonSetStatus, DeleteOptions, Kind, Micros, Node, ObjId, Object,
    ObjectMeta, Pod, PodPhase, Reason, Resource, Scope, Str, Time,
};
use std::borrow::Cow;
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "daemonset-controller",
    kind: Kind::DaemonSet,
    watches: &[Kind::DaemonSet, Kind::Pod, Kind::Node],
    on_change,
    reconcile,
    period: |_| None,
    workers: 2,
    wants_failures: true,
    forget: |memory| memory.daemonset = Memory::default(),
};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By set and node: how long a failed pod stays before it is replaced, and when one last was.
    failed: Map<(ObjId, Str), (Micros, Time)>,
}

/// How long a failed pod stays after the first, and at most.
const FAILED: (Micros, Micros) = (SECOND, 15 * MINUTE);
/// Pods made or deleted in one sync.
const BURST: usize = 250;
const GENERATION: &str = "pod-template-generation";
const SET_GENERATION: &str = "deprecated.daemonset.template.generation";

fn on_change(cx: &ChangeCx, change: &Change, _: &mut AllMemory, keys: &mut Keys) {
    match &change.new {
        Object::DaemonSet(set) => keys.add(set.metadata.id),
        Object::Pod(pod) => {
            let Some(owner) = pod.metadata.controller() else {
                // Whoever selects it may take it up.
                return cx.view.list_in::<DaemonSet>(&pod.metadata.namespace).for_each(|set| {
                    let selector = set.spec().selector.to_selector();
                    if selector.is_ok_and(|selector| selector.matches(&pod.metadata.labels)) {
                        keys.add(set.metadata.id);
                    }
                });
            };
            if let Some(id) = cx.view.id_of_uid(owner.uid).filter(|_| &*owner.kind == "DaemonSet") {
                keys.add(id);
            }
        }
        Object::Node(node) => {
            let before = change.old.as_ref().and_then(Node::from_object).map(|old| &**old);
            let is_same = before.is_some_and(|old| {
                old.metadata.labels == node.metadata.labels && old.spec.taints == node.spec.taints
            });
            // Whether it fits each set is seen by the sync.
            if !is_same {
                cx.view.ids(Kind::DaemonSet).for_each(|id| keys.add(id));
            }
        }
        _ => {}
    }
}

/// A DaemonSet in the middle of a sync.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    set: &'a Rc<DaemonSet>,
    spec: DaemonSetSpec,
    revision: Revision,
    generation: Option<Str>,
    /// Nodes, each with whether a pod should run there, and whether one may go on.
    wanted: Vec<(&'a Rc<Node>, (bool, bool))>,
    /// Own pods by node.
    pods: Map<Str, Vec<&'a Rc<Pod>>>,
    failed: &'a mut Map<(ObjId, Str), (Micros, Time)>,
    writes: Vec<Write>,
    requeue: Option<Micros>,
    decision: Cow<'static, str>,
}

/// The pods of a node.
fn on_node<'a, 'b>(pods: &'b Map<Str, Vec<&'a Rc<Pod>>>, node: &str) -> &'b [&'a Rc<Pod>] {
    pods.get(node).map_or(&[], |pods| &pods[..])
}

/// Upstream: `syncDaemonSet`.
fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(set) = cx.view.get::<DaemonSet>(id) else {
        memory.daemonset.failed.retain(|(set, _), _| *set != id);
        return Outcome::idle("gone");
    };
    if let Some(failure) = cx.failure {
        if is_ending(cx.view, &set.metadata.namespace) {
            return Outcome::idle("the namespace is ending");
        }
        let mut outcome = Outcome { retry: true, ..Outcome::idle("try again") };
        if failure.about.is_none() && failure.status.reason != Reason::AlreadyExists {
            let text = format!("Error creating: {}", failure.status.message);
            outcome.writes.push(Write::Event(EventDraft::warning(ROW.name, id, "FailedCreate", text)));
        }
        return outcome;
    }
    if set.metadata.is_deleting() {
        // Its revisions may be gone already, and without them nothing is known for sure.
        return Outcome::idle("is being deleted");
    }
    let spec = set.spec();
    let Ok(selector) = spec.selector.to_selector() else { return Outcome::idle("invalid selector") };
    let (owner, mut writes) = ((Kind::DaemonSet, &set.metadata), Vec::new());
    let known = history::claimed(cx.view, owner, &selector, &mut writes);
    let revision = history::newest(cx.view, owner, &set.rest, &known, &mut writes);
    let pods = claim(cx.view, owner, &selector, |_| true, &mut writes);
    let mut sync = Sync::begin(cx, (set, spec), (revision, pods), writes, &mut memory.daemonset.failed);
    let before = sync.writes.len();
    sync.manage();
    if sync.writes.len() == before {
        sync.roll();
    }
    let has_pod = |name: &str| {
        let mut pods = sync.pods.values().flatten();
        pods.any(|pod| pod.metadata.label(history::POD_HASH).is_some_and(|hash| name.ends_with(hash)))
    };
    let is_live = |name: &Str| *name == sync.revision.name || has_pod(name);
    let mut gone = Vec::new();
    history::truncate(
        &known,
        sync.spec.revision_history_limit,
        |known| is_live(&known.metadata.name),
        &mut gone,
    );
    sync.writes.append(&mut gone);
    let status = sync.report();
    let observed = vec![
        ("desired", i64::from(status.desired_number_scheduled)),
        ("current", i64::from(status.current_number_scheduled)),
        ("ready", i64::from(status.number_ready)),
    ];
    let note = Note { observed, decision: sync.decision };
    Outcome { writes: sync.writes, requeue_after: sync.requeue, note, ..Outcome::default() }
}

impl<'a> Sync<'a> {
    fn begin(
        cx: &'a Cx<'a>,
        (set, spec): (&'a Rc<DaemonSet>, DaemonSetSpec),
        (revision, claimed): (Revision, Vec<&'a Rc<Pod>>),
        writes: Vec<Write>,
        failed: &'a mut Map<(ObjId, Str), (Micros, Time)>,
    ) -> Self {
        let demand = Demand::of(&spec.template.spec);
        let mut pods: Map<Str, Vec<&Rc<Pod>>> = Map::new();
        for pod in claimed {
            // One that has ended and is being deleted is of no concern any more.
            if pod.status.phase.is_finished() && pod.metadata.is_deleting() {
                continue;
            }
            if let Some(node) = nodes::target(pod) {
                pods.entry(node).or_default().push(pod);
            }
        }
        for on_node in pods.values_mut() {
            order::sort_by_key(on_node, |pod| {
                let meta = &pod.metadata;
                (pod.spec.node_name.is_none(), meta.creation_timestamp, meta.name.clone())
            });
        }
        Self {
            cx,
            set,
            generation: set.metadata.annotations.get(SET_GENERATION).cloned(),
            wanted: cx.view.list::<Node>().map(|node| (node, demand.of_node(node))).gather(),
            spec,
            revision,
            pods,
            failed,
            writes,
            requeue: None,
            decision: "nothing to do".into(),
        }
    }

    /// Whether a pod is of the newest template.
    ///
    /// Upstream: `IsPodUpdated`.
    fn is_updated(&self, pod: &Pod) -> bool {
        let label = |key| pod.metadata.labels.get(key);
        label(history::POD_HASH).is_some_and(|hash| *hash == self.revision.hash)
            || (self.generation.is_some() && label(GENERATION) == self.generation.as_ref())
    }

    /// Upstream: `manage`.
    fn manage(&mut self) {
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        for (node, (should_run, may_go_on)) in self.wanted.clone() {
            let pods = on_node(&self.pods, &node.metadata.name).to_vec();
            if should_run && pods.is_empty() {
                missing.push(node.metadata.name.clone());
            } else if may_go_on {
                let running = self.running(&pods, node, &mut surplus);
                self.prune(&running, should_run, node, (&mut missing, &mut surplus));
            } else {
                surplus.extend(pods.iter().filter(|pod| !pod.metadata.is_deleting()));
            }
        }
        let is_known = |name: &str| self.wanted.iter().any(|(node, _)| *node.metadata.name == *name);
        let lost = self.pods.iter().filter(|(node, _)| !is_known(node)).flat_map(|(_, pods)| pods);
        surplus.extend(lost.filter(|pod| pod.spec.node_name.is_none() && !pod.metadata.is_deleting()));
        self.sync_nodes(surplus, missing);
    }

    /// Pods of a node that go on; those that have ended are to be deleted.
    fn running(
        &mut self,
        pods: &[&'a Rc<Pod>],
        node: &Node,
        surplus: &mut Vec<&'a Rc<Pod>>,
    ) -> Vec<&'a Rc<Pod>> {
        let mut running = Vec::new();
        for pod in pods.iter().filter(|pod| !pod.metadata.is_deleting()) {
            let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
            let place = format!("daemon pod {namespace}/{name} on node {}", node.metadata.name);
            match pod.status.phase {
                PodPhase::Failed if self.has_to_wait(&node.metadata.name) => {}
                PodPhase::Failed => {
                    self.say(true, "FailedDaemonPod", format!("Found failed {place}, will try to kill it"));
                    surplus.push(*pod);
                }
                PodPhase::Succeeded => {
                    let text = format!("Found succeeded {place}, will try to delete it");
                    self.say(false, "SucceededDaemonPod", text);
                    surplus.push(*pod);
                }
                _ => running.push(*pod),
            }
        }
        running
    }

    /// Whether the last failed pod on a node is too fresh for another try.
    fn has_to_wait(&mut self, node: &Str) -> bool {
        let key = (self.set.metadata.id, node.clone());
        let now = self.cx.now;
        let known = self.failed.get(&key).copied().filter(|(_, at)| now.since(*at) <= 2 * FAILED.1);
        if let Some((delay, at)) = known
            && now.since(at) < delay
        {
            self.requeue = Some(self.requeue.map_or(delay, |known| known.min(delay)));
            return true;
        }
        let delay = known.map_or(FAILED.0, |(delay, _)| (delay * 2).min(FAILED.1));
        self.failed.insert(key, (delay, now));
        false
    }

    /// Leaves one pod on a node, or while an update surges an old and a new one.
    ///
    /// Upstream: `podsShouldBeOnNode`.
    fn prune(
        &self,
        running: &[&'a Rc<Pod>],
        should_run: bool,
        node: &Node,
        (missing, surplus): (&mut Vec<Str>, &mut Vec<&'a Rc<Pod>>),
    ) {
        let rolling = self.spec.update_strategy.rolling_update.as_ref();
        let surge = rolling.and_then(|rolling| rolling.max_surge.as_ref());
        if surge.is_none_or(|surge| surge.scaled(100, true) == Ok(0)) {
            surplus.extend(running.iter().skip(1));
            return;
        }
        if running.is_empty() && should_run {
            missing.push(node.metadata.name.clone());
        }
        if running.len() <= 1 {
            return;
        }
        let is_new = |pod: &&&'a Rc<Pod>| {
            pod.metadata.labels.get(history::POD_HASH).is_some_and(|hash| *hash == self.revision.hash)
        };
        let mut new = running.iter().filter(is_new);
        let mut old = running.iter().filter(|pod| !is_new(pod));
        if let (Some(new), Some(old)) = (new.next(), old.next()) {
            let is_there = is_available(new, self.spec.min_ready_seconds, self.cx.now);
            if !is_ready(old) || is_there {
                surplus.push(*old);
            }
        }
        surplus.extend(new.chain(old));
    }

    fn say(&mut self, is_warning: bool, reason: &'static str, message: String) {
        let draft = EventDraft::normal(ROW.name, self.set.metadata.id, reason, message);
        self.writes.push(Write::Event(EventDraft { is_warning, ..draft }));
    }

    /// Makes and deletes pods.
    ///
    /// Upstream: `syncNodes`.
    fn sync_nodes(&mut self, mut surplus: Vec<&'a Rc<Pod>>, mut missing: Vec<Str>) {
        missing.truncate(BURST);
        surplus.truncate(BURST);
        let told =
            |verb: &str, count: usize| format!("{verb} {count} {}", if count == 1 { "pod" } else { "pods" });
        if !missing.is_empty() {
            self.decision = told("create", missing.len()).into();
        } else if !surplus.is_empty() {
            self.decision = told("delete", surplus.len()).into();
        }
        let id = self.set.metadata.id;
        let mut next = missing.iter();
        for size in batches(missing.len()) {
            let create = |node: &Str| {
                let event = EventDraft::normal(ROW.name, id, "SuccessfulCreate", "Created pod: {name}");
                Write::Create(self.pod(node).into_object(), Some(event))
            };
            let batch = Write::Together(next.by_ref().take(size).map(create).gather());
            self.writes.push(batch);
        }
        let delete = |pod: &&Rc<Pod>| {
            let text = format!("Deleted pod: {}", pod.metadata.name);
            let event = EventDraft::normal(ROW.name, id, "SuccessfulDelete", text);
            Write::Delete(pod.metadata.id, DeleteOptions::default(), Some(event))
        };
        if !surplus.is_empty() {
            self.writes.push(Write::Together(surplus.iter().map(delete).gather()));
        }
    }

    /// Upstream: `CreatePodTemplate`.
    fn pod(&self, node: &Str) -> Pod {
        let (template, set) = (&self.spec.template, &self.set.metadata);
        let mut metadata = ObjectMeta {
            generate_name: Some(format!("{}-", set.name).into()),
            namespace: set.namespace.clone(),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            finalizers: template.metadata.finalizers.clone(),
            owner_references: Rc::new(vec![controller_reference(Kind::DaemonSet, set)]),
            ..ObjectMeta::default()
        };
        if let Some(generation) = &self.generation {
            metadata.set_label(GENERATION, generation);
        }
        metadata.set_label(history::POD_HASH, &self.revision.hash);
        let mut spec = (*template.spec).clone();
        nodes::tolerate(&mut spec);
        nodes::aim(&mut spec, node);
        Pod { metadata, spec, ..Pod::default() }
    }

    /// Counts the nodes, and writes the status if it has changed.
    ///
    /// Upstream: `updateDaemonSetStatus`.
    fn report(&mut self) -> DaemonSetStatus {
        let stored = self.set.status();
        let mut status = DaemonSetStatus {
            observed_generation: self.set.metadata.generation,
            collision_count: stored.collision_count,
            conditions: stored.conditions.clone(),
            rest: stored.rest.clone(),
            ..DaemonSetStatus::default()
        };
        for (node, (should_run, _)) in &self.wanted {
            let first = on_node(&self.pods, &node.metadata.name).first();
            if !should_run {
                status.number_misscheduled += i32::from(first.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = first else { continue };
            let available = is_available(pod, self.spec.min_ready_seconds, self.cx.now);
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(is_ready(pod));
            status.number_available += i32::from(available);
            status.updated_number_scheduled += i32::from(self.is_updated(pod));
        }
        status.number_unavailable = status.desired_number_scheduled - status.number_available;
        if self.spec.min_ready_seconds > 0 && status.number_ready != status.number_available {
            self.requeue = Some(i64::from(self.spec.min_ready_seconds) * SECOND);
        }
        if status != stored {
            self.writes.push(Write::Update(self.set.with_status(&status).into_object(), Scope::Status));
            if &*self.decision == "nothing to do" {
                self.decision = "update the status".into();
            }
        }
        status
    }
}
