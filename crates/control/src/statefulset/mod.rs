//! The StatefulSet controller: pods with a name and storage of their own, one after the other.
//!
//! Watches: StatefulSets, their Pods.
//! Writes: Pods (create, delete, adopt), PersistentVolumeClaims (create, owners), ControllerRevisions, StatefulSet status, events.
//! Rule: in order, a pod is made once all before it are ready, and deleted once all others are well, the highest first; an
//! update replaces one pod at a time, from the highest down to the partition. In parallel nothing waits but the update.
//! Upstream: pkg/controller/statefulset/stateful_set.go, stateful_set_control.go, stateful_pod_control.go,
//! stateful_set_utils.go.
//! Simplified: labels and volumes of a pod that somebody has changed are not put right; maxUnavailable counts as one, as it does while its gate is off;
//! one sync makes at most 1,000 pods, and the next one goes on.

mod claims;
mod step;

use crate::claim::claim;
use crate::history::Revision;
use crate::pod::{is_available, is_ready};
use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory, Note, Outcome, Write, history};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, Kind, Object, ObjectMeta, Op, Pod, PodPhase, Reason, Resource, Scope, StatefulSet,
    StatefulSetSpec, StatefulSetStatus, Store, Str,
};
use std::borrow::Cow;
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "statefulset-controller",
    kind: Kind::StatefulSet,
    watches: &[Kind::StatefulSet, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |_| {},
};

/// Missing pods that one sync looks at.
const MOST_MISSING: usize = 1_000;
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    match &change.new {
        Object::StatefulSet(set) => keys.add(set.metadata.id),
        Object::Pod(pod) => {
            if let Some(set) = set_of(cx.view, &pod.metadata)
                && (pod.metadata.controller().is_some() || change.op != Op::Deleted)
            {
                keys.add(set.metadata.id);
            }
        }
        _ => {}
    }
}

/// The StatefulSet of a pod: its owner, or for one without an owner the set that its name and labels speak of.
fn set_of<'a>(view: &'a Store, pod: &ObjectMeta) -> Option<&'a Rc<StatefulSet>> {
    if let Some(owner) = pod.controller() {
        return view.get(view.id_of_uid(owner.uid).filter(|_| &*owner.kind == "StatefulSet")?);
    }
    let (parent, _) = pod.name.rsplit_once('-')?;
    let set = view.find::<StatefulSet>(&pod.namespace, parent)?;
    let selector = set.spec().selector.to_selector().ok()?;
    (!set.metadata.is_deleting() && !pod.is_deleting() && selector.matches(&pod.labels)).then_some(set)
}

/// The number in a pod's name.
///
/// Upstream: `getOrdinal`.
fn ordinal(set: &ObjectMeta, pod: &str) -> Option<i32> {
    let number = pod.strip_prefix(&*set.name)?.strip_prefix('-')?;
    number.parse().ok().filter(|_| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A place in the set: a pod, or none yet.
#[derive(Clone, Copy)]
struct Place<'a> {
    ordinal: i32,
    pod: Option<&'a Rc<Pod>>,
}

/// A StatefulSet in the middle of a sync.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    set: &'a Rc<StatefulSet>,
    spec: StatefulSetSpec,
    current: Revision,
    update: Revision,
    /// Wanted places, lowest first; of very many missing ones only the first.
    replicas: Vec<Place<'a>>,
    /// How many are wanted.
    wanted: i32,
    /// Pods that are too many, highest first.
    condemned: Vec<Place<'a>>,
    writes: Vec<Write>,
    /// Pods deleted by an update in this sync.
    replaced: i32,
    /// Whether something is in the way that may be gone soon.
    retry: bool,
    decision: Cow<'static, str>,
}

/// Upstream: `UpdateStatefulSet`.
fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(set) = cx.view.get::<StatefulSet>(id) else { return Outcome::idle("gone") };
    let spec = set.spec();
    let Ok(selector) = spec.selector.to_selector() else { return Outcome::idle("invalid selector") };
    let (owner, mut writes) = ((Kind::StatefulSet, &set.metadata), Vec::new());
    let known = history::claimed(cx.view, owner, &selector, &mut writes);
    let update = history::newest(cx.view, owner, &set.rest, &known, &mut writes);
    let stored = set.status();
    let current = history::find(&known, &stored.current_revision).unwrap_or_else(|| update.clone());
    // Of those that the selector matches, the ones with the name of a place.
    let is_member = |pod: &Pod| ordinal(&set.metadata, &pod.metadata.name).is_some();
    let pods = claim(cx.view, owner, &selector, is_member, &mut writes);
    let mut sync = Sync::begin(cx, set, spec, (current, update), pods, writes);
    if let Some(failure) = cx.failure {
        return sync.report(failure);
    }
    if !set.metadata.is_deleting() {
        sync.step();
    }
    let status = sync.finish(&stored);
    let observed = vec![
        ("desired", i64::from(sync.wanted)),
        ("pods", i64::from(status.replicas)),
        ("ready", i64::from(status.ready_replicas)),
    ];
    let live = [sync.current.name.clone(), sync.update.name.clone()];
    let used: Vec<Str> =
        sync.places().filter_map(|place| place.pod).filter_map(|pod| revision_of(pod)).gather();
    let is_live = |name: &Str| live.contains(name) || used.contains(name);
    history::truncate(
        &known,
        sync.spec.revision_history_limit,
        |known| is_live(&known.metadata.name),
        &mut sync.writes,
    );
    let seconds = i64::from(sync.spec.min_ready_seconds);
    // Upstream comes back for a pod that is ready but not yet available, too (`updatePod`).
    let is_waiting = seconds > 0
        && (status.available_replicas != sync.wanted || status.available_replicas != status.ready_replicas);
    Outcome {
        writes: sync.writes,
        requeue_after: is_waiting.then_some(seconds * SECOND),
        retry: sync.retry,
        note: Note { observed, decision: sync.decision },
        ..Outcome::default()
    }
}

/// The revision that a pod was made from.
fn revision_of(pod: &Pod) -> Option<Str> {
    pod.metadata.labels.get(history::POD_HASH).cloned()
}

fn is_running_and_ready(pod: &Pod) -> bool {
    pod.status.phase == PodPhase::Running && is_ready(pod)
}

impl<'a> Sync<'a> {
    fn begin(
        cx: &'a Cx<'a>,
        set: &'a Rc<StatefulSet>,
        spec: StatefulSetSpec,
        (current, update): (Revision, Revision),
        pods: Vec<&'a Rc<Pod>>,
        writes: Vec<Write>,
    ) -> Self {
        let start = spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start);
        let wanted = spec.replicas.unwrap_or(1).max(0);
        let range = start..start.saturating_add(wanted);
        let (mut own, mut condemned) = (Map::new(), Vec::new());
        for pod in pods {
            let Some(ordinal) = ordinal(&set.metadata, &pod.metadata.name) else { continue };
            if range.contains(&ordinal) {
                own.insert(ordinal, pod);
            } else {
                condemned.push(Place { ordinal, pod: Some(pod) });
            }
        }
        let missing = range.filter(|ordinal| !own.contains_key(ordinal)).take(MOST_MISSING);
        let mut replicas: Vec<Place> = missing.map(|ordinal| Place { ordinal, pod: None }).gather();
        replicas.extend(own.iter().map(|(ordinal, pod)| Place { ordinal: *ordinal, pod: Some(*pod) }));
        order::sort_by_key(&mut replicas, |place| place.ordinal);
        order::sort_by_key(&mut condemned, |place| std::cmp::Reverse(place.ordinal));
        Self {
            cx,
            set,
            spec,
            current,
            update,
            replicas,
            wanted,
            condemned,
            writes,
            replaced: 0,
            retry: false,
            decision: "nothing to do".into(),
        }
    }

    /// Upstream: `isRunningAndAvailable`.
    fn is_up(&self, pod: &Pod) -> bool {
        is_running_and_ready(pod) && is_available(pod, self.spec.min_ready_seconds, self.cx.now)
    }

    /// Upstream: `isUnavailable`.
    fn is_unavailable(&self, place: &Place) -> bool {
        place.pod.is_none_or(|pod| !self.is_up(pod) || pod.metadata.is_deleting())
    }

    fn places(&self) -> impl Iterator<Item = &Place<'a>> {
        self.replicas.iter().chain(&self.condemned)
    }

    /// Counts the pods, and writes the status if it has changed.
    ///
    /// Upstream: `updateStatus`, `completeRollingUpdate`.
    fn finish(&mut self, stored: &StatefulSetStatus) -> StatefulSetStatus {
        let mut status = StatefulSetStatus {
            observed_generation: self.set.metadata.generation,
            current_revision: self.current.name.clone(),
            update_revision: self.update.name.clone(),
            collision_count: Some(stored.collision_count.unwrap_or(0)),
            conditions: stored.conditions.clone(),
            current_replicas: -self.replaced,
            rest: stored.rest.clone(),
            ..StatefulSetStatus::default()
        };
        for pod in self.places().filter_map(|place| place.pod) {
            status.replicas += 1;
            status.ready_replicas += i32::from(is_running_and_ready(pod));
            status.available_replicas += i32::from(self.is_up(pod));
            if !pod.metadata.is_deleting() {
                let revision = revision_of(pod);
                let is = |other: &Revision| i32::from(revision.as_ref() == Some(&other.name));
                status.current_replicas += is(&self.current);
                status.updated_replicas += is(&self.update);
            }
        }
        let is_whole = [status.updated_replicas, status.ready_replicas, status.replicas] == [self.wanted; 3];
        if is_whole && &*self.spec.update_strategy.kind == "RollingUpdate" {
            status.current_replicas = status.updated_replicas;
            status.current_revision = status.update_revision.clone();
        }
        if status != *stored {
            self.writes.push(Write::Update(self.set.with_status(&status).into_object(), Scope::Status));
            if &*self.decision == "nothing to do" {
                self.decision = "update the status".into();
            }
        }
        status
    }

    /// Reports that a pod could not be made, and asks for another try.
    fn report(&self, failure: &crate::Failure) -> Outcome {
        let mut outcome = Outcome { retry: true, ..Outcome::idle("try again") };
        let missing = self.replicas.iter().find(|place| place.pod.is_none());
        if let Some(place) =
            missing.filter(|_| failure.about.is_none() && failure.status.reason != Reason::AlreadyExists)
        {
            let event = self.failed_create(place.ordinal, &failure.status.message);
            outcome.writes.push(Write::Event(event));
        }
        outcome
    }

    /// Upstream: `recordPodEvent`.
    fn failed_create(&self, ordinal: i32, error: &str) -> EventDraft {
        let (pod, set) = (self.name_of(ordinal), &self.set.metadata);
        let text = format!("Create Pod {pod} in StatefulSet {} failed error: {error}", set.name);
        EventDraft::warning(ROW.name, set.id, "FailedCreate", text)
    }

    fn name_of(&self, ordinal: i32) -> Str {
        format!("{}-{ordinal}", self.set.metadata.name).into()
    }
}
