//! The ReplicaSet controller: keeps a number of equal pods.
//!
//! Watches: ReplicaSets, Pods (by owner, or by selector while they have none).
//! Writes: Pods (create, delete, adopt, release), ReplicaSet status, events.
//! Rule: as many active pods as wanted, at most 500 more or fewer in one sync; the status counts the pods that were there
//! before.
//! Upstream: pkg/controller/replicaset/replica_set.go (`syncReplicaSet`), pkg/controller/controller_ref_manager.go.
//! Simplified: no expectations, for a sync sees its own last writes; a change of a pod that no rule here reads wakes nobody.

pub mod ranking;
pub mod status;

use crate::namespace::is_ending;
use crate::pod::is_active;
use crate::{ChangeCx, Controller, Cx, EventDraft, Failure, Key, Keys, Memory, Note, Outcome, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, DeleteOptions, Kind, Object, ObjectMeta, Op, OwnerReference, Pod, PodCount, Reason, ReplicaSet,
    Resource, Scope, Selector, Store, Str, condition,
};
use status::Tally;
use std::borrow::Cow;
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "replicaset-controller",
    kind: Kind::ReplicaSet,
    watches: &[Kind::ReplicaSet, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |_| {},
};

/// Whose pods are kept: those of ReplicaSets, or of ReplicationControllers, which are read as such.
#[derive(Clone, Copy)]
pub(crate) struct Flavor {
    /// Kind of the owner.
    pub(crate) kind: Kind,
    /// Who the events say that they come from.
    pub(crate) name: &'static str,
    /// The owner with the status of a set.
    pub(crate) with_status: fn(&Store, ReplicaSet) -> Option<Object>,
}

const FLAVOR: Flavor =
    Flavor { kind: Kind::ReplicaSet, name: ROW.name, with_status: |_, set| Some(set.into_object()) };

/// The decision that there is nothing to decide.
const IDLE: &str = "nothing to do";

/// Pods made or deleted in one sync.
const BURST: usize = 500;

/// A reference that makes an object the controlling owner of another.
pub(crate) fn controller_reference(kind: Kind, meta: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: Str::fixed(kind.api_version()),
        kind: Str::fixed(kind.as_str()),
        name: meta.name.clone(),
        uid: meta.uid,
        controller: Some(true),
        block_owner_deletion: Some(true),
        rest: None,
    }
}

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    match &change.new {
        Object::ReplicaSet(set) => keys.add(set.metadata.id),
        Object::Pod(pod) => pod_changed(cx.view, change, pod, keys),
        _ => {}
    }
}

/// Upstream: `addPod`, `updatePod`, `deletePod`.
fn pod_changed(view: &Store, change: &Change, pod: &Rc<Pod>, keys: &mut Keys) {
    let before = change.old.as_ref().and_then(Pod::from_object).filter(|_| change.op == Op::Modified);
    if before.is_some_and(|before| !matters(before, pod)) {
        return;
    }
    let owner = owner_of(view, &pod.metadata);
    if let Some(before) = before.and_then(|before| owner_of(view, &before.metadata))
        && Some(before.metadata.id) != owner.map(|owner| owner.metadata.id)
    {
        keys.add(before.metadata.id);
    }
    if let Some(owner) = owner {
        return keys.add(owner.metadata.id);
    }
    if pod.metadata.controller().is_some() || pod.metadata.is_deleting() || change.op == Op::Deleted {
        return;
    }
    for set in view.list_in::<ReplicaSet>(&pod.metadata.namespace) {
        if set.spec.selector.to_selector().is_ok_and(|selector| selector.matches(&pod.metadata.labels)) {
            keys.add(set.metadata.id);
        }
    }
}

/// Whether a sync could see the difference between two states of a pod.
fn matters(old: &Pod, new: &Pod) -> bool {
    let (was, is) = (&old.metadata, &new.metadata);
    let ready =
        |pod: &Pod| condition(&pod.status.conditions, "Ready").map(|c| (c.status, c.last_transition_time));
    was.is_deleting() != is.is_deleting()
        || old.status.phase.is_finished() != new.status.phase.is_finished()
        || ready(old) != ready(new)
        || (!Rc::ptr_eq(&was.labels, &is.labels) && was.labels != is.labels)
        || (!Rc::ptr_eq(&was.owner_references, &is.owner_references)
            && was.owner_references != is.owner_references)
}

fn owner_of<'a>(view: &'a Store, meta: &ObjectMeta) -> Option<&'a Rc<ReplicaSet>> {
    view.get::<ReplicaSet>(view.id_of_uid(meta.controller()?.uid)?)
}

/// The pods of a ReplicaSet, and what it takes to make them its own.
struct Claimed<'a> {
    tally: Tally,
    /// Active pods one by one, where counting was not enough.
    listed: Option<Vec<&'a Rc<Pod>>>,
    writes: Vec<Write>,
}

impl<'a> Claimed<'a> {
    /// Active pods one by one.
    fn active(&self, view: &'a Store, set: &ReplicaSet) -> Vec<&'a Rc<Pod>> {
        match &self.listed {
            Some(active) => active.clone(),
            // Only counted, because all of them are claimed.
            None => own_pods(view, &set.metadata).filter(|pod| is_active(pod)).gather(),
        }
    }
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(set) = cx.view.get::<ReplicaSet>(id) else { return Outcome::idle("gone") };
    sync(cx, set, FLAVOR)
}

/// Upstream: `syncReplicaSet`.
pub(crate) fn sync(cx: &Cx, set: &ReplicaSet, flavor: Flavor) -> Outcome {
    let Ok(selector) = set.spec.selector.to_selector() else { return Outcome::idle("invalid selector") };
    let mut claimed = claim(cx, set, &selector, flavor);
    if let Some(failure) = cx.failure {
        return report(cx, set, &claimed, failure, flavor);
    }
    let mut outcome = Outcome { writes: std::mem::take(&mut claimed.writes), ..Outcome::default() };
    let wanted = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
    let have = claimed.tally.active as usize;
    let mut decision = Cow::Borrowed(IDLE);
    if set.metadata.is_deleting() {
        decision = Cow::Borrowed("is being deleted");
    } else if have < wanted {
        let count = (wanted - have).min(BURST);
        decision = Cow::Owned(format!("create {}", pods(count)));
        outcome.writes.extend(creations(set, count, flavor));
    } else if have > wanted {
        let count = (have - wanted).min(BURST);
        decision = Cow::Owned(format!("delete {}", pods(count)));
        outcome.writes.push(deletions(cx, set, &claimed.active(cx.view, set), count, flavor));
    }
    let terminating = i64::from(claimed.tally.terminating);
    let observed = vec![("desired", wanted as i64), ("active", have as i64), ("terminating", terminating)];
    outcome.note = Note { observed, decision };
    finish(cx, set, &claimed, (None, flavor), &mut outcome);
    outcome
}

fn pods(count: usize) -> String {
    format!("{count} {}", if count == 1 { "pod" } else { "pods" })
}

fn own_pods<'a>(view: &'a Store, meta: &ObjectMeta) -> impl Iterator<Item = &'a Rc<Pod>> {
    let owner = meta.uid;
    let is_own = move |pod: &&Rc<Pod>| pod.metadata.controller().is_some_and(|other| other.uid == owner);
    view.dependents::<Pod>(owner).filter(is_own)
}

/// Own pods, orphans that the selector matches, and own pods that it does not match any more. As long as there are none of the
/// latter two and nobody asks since when pods are ready, the store's counts say it all.
///
/// Upstream: `claimPods`, `FilterClaimedPods`.
fn claim<'a>(cx: &Cx<'a>, set: &ReplicaSet, selector: &Selector, flavor: Flavor) -> Claimed<'a> {
    let (view, meta) = (cx.view, &set.metadata);
    let is_wanted = |pod: &&Rc<Pod>| is_active(pod) && selector.matches(&pod.metadata.labels);
    let mut adopted = view.free::<Pod>(&meta.namespace).filter(is_wanted).peekable();
    let counts = view.pod_counts(meta.uid);
    let matches = |count: &PodCount| selector.matches(&count.labels);
    let is_adopting = !meta.is_deleting() && adopted.peek().is_some();
    if set.spec.min_ready_seconds == 0 && !is_adopting && counts.iter().all(matches) {
        let mut tally = Tally::default();
        counts.iter().for_each(|count| tally.add(set, count));
        return Claimed { tally, listed: None, writes: Vec::new() };
    }
    let (mut active, mut terminating, mut writes) = (Vec::new(), 0, Vec::new());
    for pod in own_pods(view, meta) {
        match (is_active(pod), selector.matches(&pod.metadata.labels)) {
            (true, true) => active.push(pod),
            (true, false) if !meta.is_deleting() => {
                writes.push(Write::Patch(pod.metadata.id, Patch::RemoveOwner(meta.uid)));
            }
            (false, true) if !pod.status.phase.is_finished() => terminating += 1,
            _ => {}
        }
    }
    if is_adopting {
        for pod in adopted {
            let owner = controller_reference(flavor.kind, meta);
            writes.push(Write::Patch(pod.metadata.id, Patch::AddOwner(owner)));
            active.push(pod);
        }
    }
    Claimed { tally: Tally::of(set, &active, terminating, cx.now), listed: Some(active), writes }
}

/// Creations in batches of 1, 2, 4 and so on, so that a quota or a broken webhook costs one request and not hundreds.
///
/// Upstream: `slowStartBatch`.
pub fn batches(count: usize) -> Vec<usize> {
    let (mut batches, mut left, mut size) = (Vec::new(), count, 1);
    while left > 0 {
        let batch = left.min(size);
        batches.push(batch);
        left -= batch;
        size *= 2;
    }
    batches
}

fn creations(set: &ReplicaSet, count: usize, flavor: Flavor) -> impl Iterator<Item = Write> {
    let create = move || {
        let event =
            EventDraft::normal(flavor.name, set.metadata.id, "SuccessfulCreate", "Created pod: {name}");
        Write::Create(pod_of(set, flavor).into_object(), Some(event))
    };
    batches(count).into_iter().map(move |size| Write::Together((0..size).map(|_| create()).gather()))
}

/// The next pod of a ReplicaSet.
///
/// Upstream: `GetPodFromTemplate`.
fn pod_of(set: &ReplicaSet, flavor: Flavor) -> Pod {
    let template = &set.spec.template;
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", set.metadata.name).into()),
            namespace: set.metadata.namespace.clone(),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            finalizers: template.metadata.finalizers.clone(),
            owner_references: Rc::new(vec![controller_reference(flavor.kind, &set.metadata)]),
            ..ObjectMeta::default()
        },
        spec: (*template.spec).clone(),
        ..Pod::default()
    }
}

fn deletions(cx: &Cx, set: &ReplicaSet, active: &[&Rc<Pod>], count: usize, flavor: Flavor) -> Write {
    let related = related_pods(cx.view, set);
    let chosen = ranking::to_delete(active, &related, count, cx.now);
    let delete = |pod: &&Rc<Pod>| {
        let text = format!("Deleted pod: {}", pod.metadata.name);
        let event = EventDraft::normal(flavor.name, set.metadata.id, "SuccessfulDelete", text);
        Write::Delete(pod.metadata.id, DeleteOptions::default(), Some(event))
    };
    Write::Together(chosen.iter().map(delete).gather())
}

/// Pods that the ReplicaSets with the same owner select, each once.
///
/// Upstream: `getIndirectlyRelatedPods`.
fn related_pods<'a>(view: &'a Store, set: &ReplicaSet) -> Vec<&'a Rc<Pod>> {
    let Some(owner) = set.metadata.controller() else { return Vec::new() };
    let mut related = Vec::new();
    for sibling in view.dependents::<ReplicaSet>(owner.uid) {
        let own = sibling.metadata.controller().is_some_and(|other| other.uid == owner.uid);
        if let Ok(selector) = sibling.spec.selector.to_selector()
            && own
        {
            related.extend(view.pods_matching(&sibling.metadata.namespace, &selector));
        }
    }
    order::sort_by_key(&mut related, |pod| pod.metadata.id);
    related.dedup_by_key(|pod| pod.metadata.id);
    related
}

/// Writes the status if it changed, and plans the next look when pods are ready but not available yet.
fn finish(
    cx: &Cx,
    set: &ReplicaSet,
    claimed: &Claimed,
    (error, flavor): (Option<&str>, Flavor),
    outcome: &mut Outcome,
) {
    let status = status::status_of(set, &claimed.tally, error, cx.now);
    let seconds = set.spec.min_ready_seconds;
    if seconds > 0 && status.ready_replicas != status.available_replicas && error.is_none() {
        let active = claimed.listed.as_deref().unwrap_or_default();
        let next = status::next_available(active, seconds, cx.now);
        outcome.requeue_after = Some(next.unwrap_or(i64::from(seconds) * SECOND));
    }
    if status != set.status {
        if outcome.note.decision == IDLE {
            outcome.note.decision = Cow::Borrowed("update the status");
        }
        // Upstream takes the newest version and writes again when this is refused as stale.
        let mut set = ReplicaSet { status, ..set.clone() };
        set.metadata.resource_version = 0;
        let object = (flavor.with_status)(cx.view, set);
        outcome.writes.extend(object.map(|object| Write::Update(object, Scope::Status)));
    }
}

/// Reports that pods could not be made or deleted, and asks for another try.
fn report(cx: &Cx, set: &ReplicaSet, claimed: &Claimed, failure: &Failure, flavor: Flavor) -> Outcome {
    let mut outcome = Outcome { retry: true, ..Outcome::idle("try again") };
    let about_pod = failure.about.is_none_or(|id| cx.view.get::<Pod>(id).is_some());
    if failure.status.reason == Reason::NotFound || !about_pod {
        return outcome;
    }
    if is_ending(cx.view, &set.metadata.namespace) {
        outcome.retry = false;
        finish(cx, set, claimed, (None, flavor), &mut outcome);
        return outcome;
    }
    let message = &failure.status.message;
    let (reason, text) = match failure.about {
        None => ("FailedCreate", format!("Error creating: {message}")),
        Some(_) => ("FailedDelete", format!("Error deleting: {message}")),
    };
    outcome.writes.push(Write::Event(EventDraft::warning(flavor.name, set.metadata.id, reason, text)));
    finish(cx, set, claimed, (Some(message), flavor), &mut outcome);
    outcome
}
