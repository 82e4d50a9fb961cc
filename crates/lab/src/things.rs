//! What the cluster has besides Deployments and pods: sets, Jobs, budgets, quotas, claims; and the pods that are desired but
//! do not exist, with the reason.

use crate::frame::{App, FeedLine, Missing, Thing};
use crate::inspect::{jobs, object, parts, storage};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::{
    ConditionStatus, CronJob, DaemonSet, Deployment, Kind, ObjId, Object, ObjectMeta, Pod, StatefulSet,
    condition,
};
use setpoint_control::pod as pods;
use setpoint_sim::Sim;
use std::rc::Rc;

/// The kinds that are shown, in their order, and how many of each.
const SHOWN: [(Kind, usize); 10] = [
    (Kind::StatefulSet, 4),
    (Kind::DaemonSet, 4),
    (Kind::ReplicationController, 4),
    (Kind::CronJob, 4),
    (Kind::Job, 4),
    (Kind::PodDisruptionBudget, 4),
    (Kind::ResourceQuota, 4),
    (Kind::PersistentVolumeClaim, 6),
    (Kind::PersistentVolume, 4),
    (Kind::PriorityClass, 4),
];
/// Places of a StatefulSet that are named when they are empty.
const PLACES_MAX: i32 = 30;

/// What was drawn last, by object, with the version of it that was looked at.
pub(crate) type Known = Map<ObjId, (u64, Rc<Thing>)>;

/// The things of now. What did not change keeps its `Rc`.
pub(crate) fn things(sim: &Sim, known: &mut Known) -> Vec<Rc<Thing>> {
    let mut things = Vec::new();
    let mut seen = Known::new();
    for (kind, most) in SHOWN {
        // The newest Jobs come first: the others are done.
        let mut found: Vec<&Object> =
            sim.store().ids(kind).filter_map(|id| sim.store().object(id)).filter(|of| is_shown(of)).gather();
        if kind == Kind::Job {
            found.reverse();
        }
        for object in found.into_iter().take(most) {
            let id = object.id();
            let version = object.metadata().resource_version;
            let thing = match known.get(&id) {
                Some((old, thing))
                    if *old == version && thing.next_us.is_none_or(|next| next > sim.now().0) =>
                {
                    thing.clone()
                }
                _ => Rc::new(thing(sim, object)),
            };
            seen.insert(id, (version, thing.clone()));
            things.push(thing);
        }
    }
    *known = seen;
    things
}

/// Of volumes only those that no claim has, of priorities only those that somebody made.
fn is_shown(of: &Object) -> bool {
    match of {
        Object::PersistentVolume(_) => {
            of.rest().as_ref().and_then(|rest| rest.get("status")).is_none_or(|s| s["phase"] != "Bound")
        }
        Object::PriorityClass(class) => !class.metadata.name.starts_with("system-"),
        _ => true,
    }
}

fn thing(sim: &Sim, of: &Object) -> Thing {
    let (kind, meta) = (of.kind(), of.metadata());
    let (tone, state) = parts::state(sim, of);
    let next_us = match of {
        Object::CronJob(job) => next_run(sim, job),
        _ => None,
    };
    let is_waiting = matches!(of, Object::PersistentVolumeClaim(claim) if &*claim.status().phase != "Bound");
    let why = match of {
        Object::Job(job) => jobs::why_failed(job),
        _ if is_waiting => storage::last_said(sim, meta.id),
        _ => None,
    };
    let subject = object(kind, &meta.namespace, &meta.name);
    Thing { subject, kind: kind.as_str().into(), name: full_name(meta), state, tone, next_us, why }
}

/// The name, with its namespace if that is another than people expect.
fn full_name(meta: &ObjectMeta) -> Rc<str> {
    match &*meta.namespace {
        "" | "default" => meta.name.clone().into(),
        namespace => format!("{namespace}/{}", meta.name).into(),
    }
}

fn next_run(sim: &Sim, job: &CronJob) -> Option<i64> {
    jobs::next_run(job, sim.now()).map(|(_, next)| next.0)
}

/// Pods that are desired but do not exist. `said` is the feed, newest first.
pub(crate) fn missing<'a>(
    sim: &Sim,
    app: Option<&App>,
    said: impl Iterator<Item = &'a FeedLine> + Clone,
) -> Vec<Missing> {
    let mut missing: Vec<Missing> = Vec::new();
    for deployment in sim.store().list::<Deployment>() {
        let meta = &deployment.metadata;
        let refusal = condition(&deployment.status.conditions, "ReplicaFailure");
        let refusal = refusal.filter(|refusal| refusal.status == ConditionStatus::True);
        let is_shown = app.is_some_and(|app| *app.name == *meta.name && *app.namespace == *meta.namespace);
        let count = match app {
            Some(app) if is_shown => app.missing,
            _ if refusal.is_some() => {
                deployment.spec.replicas.unwrap_or(1).saturating_sub(deployment.status.replicas)
            }
            _ => 0,
        };
        if count > 0 {
            let owner = object(Kind::Deployment, &meta.namespace, &meta.name);
            let why = refusal.map(|refusal| refusal.message.clone().into());
            missing.push(Missing { owner, name: full_name(meta), count, places: Vec::new(), why });
        }
    }
    let refusal = |owner: &crate::inspect::Subject| {
        let of_it =
            |line: &&FeedLine| &*line.reason == "FailedCreate" && line.subject.as_ref() == Some(owner);
        said.clone().find(of_it).map(|line| line.message.clone())
    };
    for set in sim.store().list::<StatefulSet>().filter(|set| !set.metadata.is_deleting()) {
        let meta = &set.metadata;
        let owner = object(Kind::StatefulSet, &meta.namespace, &meta.name);
        let (count, places, first) = empty_places(sim, set);
        if count > 0 {
            let why = first.or_else(|| refusal(&owner));
            missing.push(Missing { owner, name: full_name(meta), count, places, why });
        }
    }
    for set in sim.store().list::<DaemonSet>() {
        let (meta, status) = (&set.metadata, set.status());
        let count = status.desired_number_scheduled.saturating_sub(status.current_number_scheduled);
        if count > 0 {
            let owner = object(Kind::DaemonSet, &meta.namespace, &meta.name);
            let why = refusal(&owner);
            missing.push(Missing { owner, name: full_name(meta), count, places: Vec::new(), why });
        }
    }
    missing
}

/// How many of a StatefulSet's pods are not there, the names of the first, and what the very first waits for.
fn empty_places(sim: &Sim, set: &StatefulSet) -> (i32, Vec<Rc<str>>, Option<Rc<str>>) {
    let meta = &set.metadata;
    let spec = set.spec();
    let start = spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start);
    let all = spec.replicas.unwrap_or(1).max(0);
    let wanted = all.min(PLACES_MAX);
    let unnamed = start.saturating_add(wanted)..start.saturating_add(all);
    let is_there = |pod: &&Rc<Pod>| {
        let ordinal = pod.metadata.name.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse().ok());
        ordinal.is_some_and(|ordinal| unnamed.contains(&ordinal))
    };
    let there = sim.store().dependents::<Pod>(meta.uid).filter(is_there).count() as i32;
    let name = |ordinal: i32| format!("{}-{ordinal}", meta.name);
    let find = |ordinal: i32| sim.store().find::<Pod>(&meta.namespace, &name(ordinal));
    let is_empty = |ordinal: &i32| find(*ordinal).is_none();
    let places: Vec<i32> = (start..start.saturating_add(wanted)).filter(is_empty).gather();
    // In order means: the first that is not ready holds up those that are not there.
    let is_ordered = &*spec.pod_management_policy != "Parallel";
    let first = (start..start.saturating_add(wanted))
        .find(|ordinal| find(*ordinal).is_none_or(|pod| !pods::is_ready(pod) || pod.metadata.is_deleting()));
    let why = match (first, places.first()) {
        (Some(first), Some(place)) if is_ordered && first < *place => {
            let is_ending = find(first).is_some_and(|pod| pod.metadata.is_deleting());
            let until = if is_ending { "has ended and is back" } else { "is ready" };
            Some(format!("in order: {} waits until {} {until}", name(*place), name(first)).into())
        }
        _ => None,
    };
    let count = places.len() as i32 + (unnamed.len() as i32 - there).max(0);
    (count, places.into_iter().map(|ordinal| name(ordinal).into()).collect(), why)
}
