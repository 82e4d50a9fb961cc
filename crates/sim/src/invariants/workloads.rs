//! Invariants of the controllers that make pods. Most are checked when a pod is made: what it finds there was decided on.

use super::News;
use crate::fact::Actor;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, ConditionStatus, DaemonSet, Job, JobStatus, ObjId, Object, Op, OwnerReference, Pod,
    ReplicationController, StatefulSet, Str, Uid, condition_status,
};
use setpoint_control::daemonset::nodes::target;
use setpoint_control::job::{FINALIZER, indexes, is_finished};
use setpoint_control::pod::{is_active, is_ready};
use std::rc::Rc;

/// How long a write may be on its way that was decided on another state: some requests, each within the client's rate.
const ON_THE_WAY: i64 = 3 * SECOND;

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The generation of each owner of pods, and since when.
    generations: Map<ObjId, (i64, i64)>,
    /// Until when each place of a StatefulSet was well; `i64::MAX` while it is.
    well: Map<(Uid, i32), i64>,
    /// Identities of pods that were removed by force while they ran.
    forced: Set<Uid>,
    jobs: Map<ObjId, JobStatus>,
}

/// The owner that manages a pod.
fn owner<'a>(news: &'a News, pod: &Pod) -> Option<&'a Object> {
    let OwnerReference { uid, .. } = pod.metadata.controller()?;
    news.sim.store().object(news.sim.store().id_of_uid(*uid)?)
}

fn ordinal(set: &StatefulSet, pod: &Pod) -> Option<i32> {
    pod.metadata.name.strip_prefix(&*set.metadata.name)?.strip_prefix('-')?.parse().ok()
}

fn is_ordered(set: &StatefulSet) -> bool {
    &*set.spec().pod_management_policy != "Parallel"
}

fn active_of<'a>(news: &News<'a>, owner: Uid) -> impl Iterator<Item = &'a Rc<Pod>> {
    let pods = news.sim.store().dependents::<Pod>(owner);
    pods.filter(move |pod| is_active(pod) && pod.metadata.controller().is_some_and(|own| own.uid == owner))
}

impl Seen {
    pub(super) fn check(&mut self, news: &News) -> Result<(), String> {
        for object in &news.touched {
            self.note(news, object)?;
        }
        for change in &news.changes {
            let Object::Pod(pod) = &change.new else { continue };
            match change.op {
                Op::Added => self.made(news, pod)?,
                Op::Modified => self.changed(news, change, pod)?,
                Op::Deleted => self.removed(news, change, pod)?,
            }
        }
        self.identities(news)
    }

    /// Notes generations and the course of Jobs.
    fn note(&mut self, news: &News, object: &Object) -> Result<(), String> {
        if matches!(
            object,
            Object::ReplicaSet(_)
                | Object::ReplicationController(_)
                | Object::StatefulSet(_)
                | Object::DaemonSet(_)
                | Object::Job(_)
        ) {
            let generation = object.metadata().generation;
            let known = self.generations.entry(object.id()).or_insert((generation, news.now));
            if known.0 != generation {
                *known = (generation, news.now);
            }
        }
        match object {
            Object::Job(job) => self.job(job),
            _ => Ok(()),
        }
    }

    /// Whether the spec of an owner has been as it is for so long that nothing of a former one is on its way.
    fn is_settled(&self, news: &News, owner: ObjId) -> bool {
        self.generations.get(&owner).is_none_or(|(_, since)| news.now - since > ON_THE_WAY)
    }

    /// A Job's counts only grow, and its end is one, and final.
    fn job(&mut self, job: &Rc<Job>) -> Result<(), String> {
        let (name, status) = (&job.metadata.name, job.status());
        if let Some(before) = self.jobs.get(&job.metadata.id) {
            for (word, before, now) in [
                ("successes", before.succeeded, status.succeeded),
                ("failures", before.failed, status.failed),
            ] {
                if now < before {
                    return Err(format!("job {name} had {before} {word}, has {now}"));
                }
            }
            if is_finished(before) && !is_finished(&status) {
                return Err(format!("job {name} was finished and is not any more"));
            }
        }
        let ends = ["Complete", "Failed"].into_iter();
        let ends = ends.filter(|end| condition_status(&status.conditions, end) == ConditionStatus::True);
        if ends.count() > 1 {
            return Err(format!("job {name} is complete and failed"));
        }
        self.jobs.insert(job.metadata.id, status);
        Ok(())
    }

    /// A pod is made only where one is missing.
    fn made(&mut self, news: &News, pod: &Rc<Pod>) -> Result<(), String> {
        let Some(owner) = owner(news, pod) else { return Ok(()) };
        let meta = owner.metadata();
        let most = match owner {
            Object::ReplicaSet(set) => set.spec.replicas.unwrap_or(1),
            Object::ReplicationController(controller) => replicas_of(controller),
            Object::Job(job) => {
                made_by_job(news, job, pod)?;
                job.spec().parallelism.unwrap_or(1)
            }
            Object::DaemonSet(set) => return self.made_by_daemon_set(news, set, pod),
            Object::StatefulSet(set) => return self.made_by_stateful_set(news, set, pod),
            _ => return Ok(()),
        };
        let active = active_of(news, meta.uid).count() as i64;
        if active > i64::from(most) && self.is_settled(news, meta.id) {
            let kind = owner.kind().as_str();
            return Err(format!("{kind} {} has {active} pods for {most}", meta.full_name()));
        }
        Ok(())
    }

    fn made_by_daemon_set(&self, news: &News, set: &Rc<DaemonSet>, pod: &Rc<Pod>) -> Result<(), String> {
        let spec = set.spec();
        let surge = spec.update_strategy.rolling_update.and_then(|rolling| rolling.max_surge);
        let most = 1 + usize::from(surge.is_some_and(|surge| surge.scaled(100, true) != Ok(0)));
        let node = target(pod);
        let there = active_of(news, set.metadata.uid).filter(|other| target(other) == node).count();
        if there > most && self.is_settled(news, set.metadata.id) {
            let name = set.metadata.full_name();
            return Err(format!("daemon set {name} has {there} pods on {node:?}, {most} at most"));
        }
        Ok(())
    }

    /// In order, a pod is made once all before it are well.
    fn made_by_stateful_set(&self, news: &News, set: &Rc<StatefulSet>, pod: &Rc<Pod>) -> Result<(), String> {
        let name = &pod.metadata.name;
        let Some(ordinal) = ordinal(set, pod) else {
            return Err(format!("pod {name} of stateful set {} has no place", set.metadata.name));
        };
        let start = set.spec().ordinals.map_or(0, |ordinals| ordinals.start);
        if is_ordered(set)
            && self.is_settled(news, set.metadata.id)
            && let Some(place) = (start..ordinal).find(|place| !self.was_well(news, set, *place))
        {
            return Err(format!("pod {name} was made before {}-{place} was well", set.metadata.name));
        }
        Ok(())
    }

    /// Whether a place was well when what lands now was decided.
    fn was_well(&self, news: &News, set: &StatefulSet, place: i32) -> bool {
        self.well.get(&(set.metadata.uid, place)).is_some_and(|until| *until >= news.now - ON_THE_WAY)
    }

    fn changed(&mut self, news: &News, change: &Change, pod: &Rc<Pod>) -> Result<(), String> {
        self.ended(news, change, pod)?;
        let Some(Object::StatefulSet(set)) = owner(news, pod) else { return Ok(()) };
        let was_deleting = change.old.as_ref().is_some_and(|old| old.metadata().is_deleting());
        if !was_deleting
            && pod.metadata.is_deleting()
            && news.controller_behind(change) == Some("statefulset-controller")
        {
            self.deleted_by_stateful_set(news, set, pod)?;
        }
        if let Some(ordinal) = ordinal(set, pod) {
            let is_well = is_ready(pod) && is_active(pod);
            self.note_well((set.metadata.uid, ordinal), is_well, news.now);
        }
        Ok(())
    }

    fn note_well(&mut self, place: (Uid, i32), is_well: bool, now: i64) {
        if is_well {
            self.well.insert(place, i64::MAX);
        } else if let Some(until) = self.well.get_mut(&place)
            && *until == i64::MAX
        {
            *until = now;
        }
    }

    /// In order, the highest place goes first; an update waits until all above are well.
    fn deleted_by_stateful_set(
        &self,
        news: &News,
        set: &Rc<StatefulSet>,
        pod: &Rc<Pod>,
    ) -> Result<(), String> {
        let Some(own) = ordinal(set, pod) else { return Ok(()) };
        if pod.status.phase.is_finished() || !self.is_settled(news, set.metadata.id) {
            return Ok(());
        }
        let spec = set.spec();
        let start = spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start);
        let end = start.saturating_add(spec.replicas.unwrap_or(1));
        if own < end {
            return match (own + 1..end).find(|place| !self.was_well(news, set, *place)) {
                Some(place) => Err(format!(
                    "pod {} was replaced before {}-{place} was well",
                    pod.metadata.name, set.metadata.name
                )),
                None => Ok(()),
            };
        }
        let higher =
            active_of(news, set.metadata.uid).filter(|other| ordinal(set, other) > Some(own)).count();
        if is_ordered(set) && higher > 0 {
            return Err(format!("pod {} was deleted before {higher} higher ones", pod.metadata.name));
        }
        Ok(())
    }

    fn removed(&mut self, news: &News, change: &Change, pod: &Rc<Pod>) -> Result<(), String> {
        if let Some(own) = pod.metadata.controller().filter(|own| &*own.kind == "StatefulSet")
            && let Some((_, place)) = pod.metadata.name.rsplit_once('-')
        {
            self.note_well((own.uid, place.parse().unwrap_or(-1)), false, news.now);
        }
        self.ended(news, change, pod)
    }

    /// Nobody but a person, or the collector of pods of lost nodes, takes away a pod that still runs.
    fn ended(&mut self, news: &News, change: &Change, pod: &Rc<Pod>) -> Result<(), String> {
        let has_no_grace = |object: &Object| object.metadata().deletion_grace_period_seconds == Some(0);
        let is_end = change.op == Op::Deleted || has_no_grace(&change.new);
        if !is_end || change.old.as_ref().is_some_and(has_no_grace) {
            return Ok(());
        }
        let machine = pod.spec.node_name.as_ref().and_then(|node| news.sim.machine(node));
        let runs = machine.is_some_and(|machine| {
            machine.is_up() && machine.pods.get(&pod.metadata.id).is_some_and(|local| local.runs())
        });
        if !runs {
            return Ok(());
        }
        let is_force = match news.sim.facts().get(change.stamp.fact).map(|fact| &fact.what) {
            Some(crate::fact::What::Stored { by, .. }) => {
                *by == Actor::Person
                    || news.controller_behind(change) == Some("pod-garbage-collector-controller")
            }
            _ => true,
        };
        if !is_force {
            return Err(format!("pod {} was removed while it runs", pod.metadata.full_name()));
        }
        self.forced.insert(pod.metadata.uid);
        Ok(())
    }

    /// No two pods of one name run at the same time, unless somebody has removed one by force.
    fn identities(&self, news: &News) -> Result<(), String> {
        if news.sim.store().list::<StatefulSet>().next().is_none() {
            return Ok(());
        }
        let mut running: Map<(&Str, &Str), Uid> = Map::new();
        for machine in news.sim.machines().iter().filter(|machine| machine.is_up()) {
            for local in machine.pods.values().filter(|local| local.runs()) {
                let meta = &local.pod.metadata;
                let is_own = meta.controller().is_some_and(|owner| &*owner.kind == "StatefulSet");
                if !is_own || self.forced.contains(&meta.uid) {
                    continue;
                }
                if running.insert((&meta.namespace, &meta.name), meta.uid).is_some() {
                    return Err(format!("two pods run as {}", meta.full_name()));
                }
            }
        }
        Ok(())
    }
}

fn replicas_of(controller: &ReplicationController) -> i32 {
    let spec: serde_json::Value = setpoint_api::wire::kept(&controller.rest, "spec");
    spec["replicas"].as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(1)
}

/// A Job makes no pod after its end, none beyond its completions, and none for an index that is done or has one.
fn made_by_job(news: &News, job: &Rc<Job>, pod: &Rc<Pod>) -> Result<(), String> {
    let (name, spec, status) = (&job.metadata.name, job.spec(), job.status());
    if is_finished(&status) {
        return Err(format!("job {name} has ended, and makes a pod"));
    }
    let Some(completions) = spec.completions else { return Ok(()) };
    let active: Vec<&Rc<Pod>> = active_of(news, job.metadata.uid).gather();
    if &*spec.completion_mode == "Indexed" {
        let Some(index) = indexes::index_of(pod) else {
            return Err(format!("job {name} makes a pod without index"));
        };
        let done = indexes::Indexes::parse(&status.completed_indexes, completions);
        let same = active.iter().filter(|other| indexes::index_of(other) == Some(index)).count();
        if done.has(index) || same > 1 || index >= completions {
            return Err(format!(
                "job {name} makes a pod for index {index}, which is done, has one, or is none"
            ));
        }
        return Ok(());
    }
    let uncounted = status.uncounted_terminated_pods.unwrap_or_default().succeeded;
    let fresh = news.sim.store().dependents::<Pod>(job.metadata.uid).filter(|other| {
        let is_held = other.metadata.finalizers.iter().any(|finalizer| &**finalizer == FINALIZER);
        other.status.phase.as_str() == "Succeeded" && is_held && !uncounted.contains(&other.metadata.uid)
    });
    let succeeded = status.succeeded as usize + uncounted.len() + fresh.count();
    if active.len() + succeeded > completions.max(0) as usize {
        let active = active.len();
        return Err(format!("job {name} has {active} pods and {succeeded} successes for {completions}"));
    }
    Ok(())
}
