//! What must hold after every event, checked from outside: only stored objects, machines and the ledger are read.

mod disruption;
mod storage;
mod workloads;

#[cfg(test)]
mod tests;

use crate::fact::{Actor, What};
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::SECOND;
use setpoint_api::{Change, Deployment, Kind, Namespace, Node, ObjId, Object, Op, Pod, ReplicaSet, Str};
use setpoint_control::CONTROLLERS;
use setpoint_control::deployment::math;
use setpoint_control::pod as pods;

/// Checks invariants and remembers what has to stay as it was.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    revision: u64,
    now: i64,
    rollouts: Map<ObjId, Rollout>,
    node_of_pod: Map<ObjId, Str>,
    workloads: workloads::Seen,
    disruption: disruption::Seen,
    storage: storage::Seen,
    checks: u64,
}

/// A Deployment at the last check.
#[derive(Clone, Debug, Default)]
struct Rollout {
    generation: i64,
    changed_at: i64,
    wanted_by_sets: i32,
}

/// How long what was decided on a former spec may still land: a few requests one after the other.
const SETTLING: i64 = SECOND;

/// What has changed since the last check.
struct News<'a> {
    sim: &'a Sim,
    now: i64,
    /// The changes, as far as the store still knows them.
    changes: Vec<&'a Change>,
    /// Objects that may be other than they were.
    touched: Vec<&'a Object>,
}

impl<'a> News<'a> {
    fn since(sim: &'a Sim, revision: u64) -> Self {
        let changes: Vec<&Change> = sim.store().changes_after(revision).gather();
        let touched = if changes.len() as u64 == sim.store().revision() - revision {
            let ids: Set<ObjId> = changes.iter().map(|change| change.new.id()).collect();
            ids.iter().filter_map(|id| sim.store().object(*id)).gather()
        } else {
            // Somebody has let time pass without a look.
            sim.store().objects().gather()
        };
        Self { sim, now: sim.now().0, changes, touched }
    }

    /// Whether objects of a kind may be other than they were.
    fn concerns(&self, kinds: &[Kind]) -> bool {
        self.touched.iter().any(|object| kinds.contains(&object.kind()))
            || self.changes.iter().any(|change| kinds.contains(&change.new.kind()))
    }

    /// Pods that may be other than they were.
    fn pods(&self) -> impl Iterator<Item = &'a std::rc::Rc<Pod>> {
        self.touched.iter().filter_map(|object| match object {
            Object::Pod(pod) => Some(pod),
            _ => None,
        })
    }

    /// The controller behind a change, by its name.
    fn controller_behind(&self, change: &Change) -> Option<&'static str> {
        match self.sim.facts().get(change.stamp.fact)?.what {
            What::Stored { by: Actor::Controller(number), .. } => {
                Some(CONTROLLERS.get(usize::from(number))?.name)
            }
            _ => None,
        }
    }
}

impl Checker {
    /// Checks the state. Does nothing if nothing was stored since the last call.
    ///
    /// # Errors
    /// A sentence on the first invariant that does not hold.
    pub fn check(&mut self, sim: &Sim) -> Result<(), String> {
        if sim.now().0 < self.now {
            return Err(format!("time went back from {} to {}", self.now, sim.now().0));
        }
        self.now = sim.now().0;
        requests(sim)?;
        let revision = sim.store().revision();
        if revision == self.revision {
            return Ok(());
        }
        if revision < self.revision {
            return Err(format!("resource versions went back from {} to {revision}", self.revision));
        }
        let news = News::since(sim, self.revision);
        self.revision = revision;
        self.checks += 1;
        versions(&news)?;
        self.bindings(&news)?;
        if news.concerns(&[Kind::Deployment, Kind::ReplicaSet]) {
            self.surge(sim)?;
        }
        if news.concerns(&[Kind::Node, Kind::Pod]) {
            capacity(&news)?;
        }
        owners(&news)?;
        autoscalers(&news)?;
        namespaces(&news)?;
        self.workloads.check(&news)?;
        self.disruption.check(&news)?;
        self.storage.check(&news)
    }

    /// How often the state has been checked.
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// The ReplicaSets of a Deployment never grow past its replicas and its surge together.
    fn surge(&mut self, sim: &Sim) -> Result<(), String> {
        let mut rollouts = Map::new();
        for deployment in sim.store().list::<Deployment>() {
            let sets = sim.store().dependents::<ReplicaSet>(deployment.metadata.uid);
            let wanted_by_sets: i32 = sets.map(|set| set.spec.replicas.unwrap_or(1)).sum();
            let before = self.rollouts.get(&deployment.metadata.id).cloned().unwrap_or_default();
            let generation = deployment.metadata.generation;
            let changed_at = if generation == before.generation { before.changed_at } else { self.now };
            let limit = math::desired(deployment).saturating_add(math::max_surge(deployment));
            let has_grown = wanted_by_sets > before.wanted_by_sets;
            if has_grown && wanted_by_sets > limit && self.now - changed_at > SETTLING {
                let name = &deployment.metadata.name;
                return Err(format!("the sets of deployment {name} grew to {wanted_by_sets}, past {limit}"));
            }
            rollouts.insert(deployment.metadata.id, Rollout { generation, changed_at, wanted_by_sets });
        }
        self.rollouts = rollouts;
        Ok(())
    }

    /// A pod that has a node keeps it.
    fn bindings(&mut self, news: &News) -> Result<(), String> {
        for change in news.changes.iter().filter(|change| change.op == Op::Deleted) {
            self.node_of_pod.remove(&change.new.id());
        }
        for pod in news.pods() {
            let before = self.node_of_pod.get(&pod.metadata.id);
            if before.is_some() && before != pod.spec.node_name.as_ref() {
                return Err(format!(
                    "pod {} moved from {before:?} to {:?}",
                    pod.metadata.name, pod.spec.node_name
                ));
            }
            if let Some(node) = &pod.spec.node_name {
                self.node_of_pod.insert(pod.metadata.id, node.clone());
            }
        }
        Ok(())
    }
}

/// Every request that was sent has ended or is on its way, and none is both.
fn requests(sim: &Sim) -> Result<(), String> {
    let ledger = sim.ledger();
    let inside: u64 = sim
        .machines()
        .iter()
        .flat_map(|machine| machine.pods.values())
        .map(|local| u64::from(local.serving.inside()))
        .sum();
    let waiting = ledger.hopeless().count() as u64;
    if ledger.sent() != ledger.ended() + inside + waiting {
        let (sent, ended) = (ledger.sent(), ledger.ended());
        return Err(format!("{sent} requests sent, {ended} ended, {inside} in pods and {waiting} waiting"));
    }
    Ok(())
}

/// No version is from the future, and no status speaks of a spec that is yet to come.
fn versions(news: &News) -> Result<(), String> {
    for object in &news.touched {
        let meta = object.metadata();
        if meta.resource_version > news.sim.store().revision() {
            return Err(format!("{} has version {} from the future", meta.name, meta.resource_version));
        }
        let observed = match object {
            Object::Deployment(deployment) => deployment.status.observed_generation,
            Object::ReplicaSet(set) => set.status.observed_generation,
            Object::Pod(pod) => pod.status.observed_generation,
            Object::StatefulSet(set) => set.status().observed_generation,
            Object::DaemonSet(set) => set.status().observed_generation,
            Object::PodDisruptionBudget(budget) => budget.status().observed_generation,
            _ => 0,
        };
        if observed > meta.generation {
            return Err(format!("{} observed generation {observed} of {}", meta.name, meta.generation));
        }
    }
    Ok(())
}

/// What the pods of a node request fits it.
fn capacity(news: &News) -> Result<(), String> {
    let nodes: Set<&Str> = news
        .touched
        .iter()
        .filter_map(|object| match object {
            Object::Pod(pod) => pod.spec.node_name.as_ref(),
            Object::Node(node) => Some(&node.metadata.name),
            _ => None,
        })
        .collect();
    let store = news.sim.store();
    for node in nodes.iter().filter_map(|name| store.find::<Node>("", name)) {
        let mut used: Map<Str, i64> = Map::new();
        for pod in store.pods_on(&node.metadata.name).filter(|pod| !pod.status.phase.is_finished()) {
            for (name, amount) in pods::requests(&pod.spec) {
                *used.entry(name).or_insert(0) += amount;
            }
            *used.entry("pods".into()).or_insert(0) += 1;
        }
        for (name, used) in used {
            let allocatable =
                node.status.allocatable.get(&name).map_or(0, |quantity| pods::amount(&name, quantity));
            if used > allocatable {
                return Err(format!(
                    "node {} has {allocatable} of {name}, its pods request {used}",
                    node.metadata.name
                ));
            }
        }
    }
    Ok(())
}

/// At most one owner manages an object, and sets have no negative size.
fn owners(news: &News) -> Result<(), String> {
    for pod in news.pods() {
        let managers =
            pod.metadata.owner_references.iter().filter(|owner| owner.controller == Some(true)).count();
        if managers > 1 {
            return Err(format!("pod {} has {managers} controllers", pod.metadata.name));
        }
    }
    for object in &news.touched {
        if let Object::ReplicaSet(set) = object
            && (set.spec.replicas.unwrap_or(1) < 0 || set.status.replicas < 0)
        {
            return Err(format!("replica set {} has a negative size", set.metadata.name));
        }
    }
    Ok(())
}

/// An autoscaler wants no more and no less than it may.
fn autoscalers(news: &News) -> Result<(), String> {
    for object in &news.touched {
        let Object::HorizontalPodAutoscaler(autoscaler) = object else { continue };
        let (spec, wanted) = (&autoscaler.spec, autoscaler.status.desired_replicas);
        let min = spec.min_replicas.unwrap_or(1);
        if wanted != 0
            && autoscaler.status.current_replicas != 0
            && !(min..=spec.max_replicas).contains(&wanted)
        {
            let name = &autoscaler.metadata.name;
            return Err(format!(
                "autoscaler {name} wants {wanted}, outside of {min} to {}",
                spec.max_replicas
            ));
        }
    }
    Ok(())
}

/// Nothing is made in a namespace that is not there or is ending, but for the events that tell of the end.
fn namespaces(news: &News) -> Result<(), String> {
    for change in news.changes.iter().filter(|change| change.op == Op::Added) {
        let (kind, meta) = (change.new.kind(), change.new.metadata());
        if meta.namespace.is_empty() || kind == Kind::Event {
            continue;
        }
        let namespace = news.sim.store().find::<Namespace>("", &meta.namespace);
        if namespace.is_none_or(|namespace| namespace.metadata.is_deleting()) {
            return Err(format!("{} {} was made in an ending namespace", kind.as_str(), meta.full_name()));
        }
    }
    Ok(())
}
