//! What must hold after every event, checked from outside: only stored objects and the ledger are read.

use crate::sim::Sim;
use setpoint_api::map::Map;
use setpoint_api::{HorizontalPodAutoscaler, Node, ObjId, Pod, ReplicaSet, Str};
use setpoint_control::pod as pods;

/// Checks invariants and remembers what has to stay as it was.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    revision: u64,
    now: i64,
    node_of_pod: Map<ObjId, Str>,
    checks: u64,
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
        let ledger = sim.ledger();
        if ledger.ended() > ledger.sent() {
            return Err(format!("{} requests ended, but only {} were sent", ledger.ended(), ledger.sent()));
        }
        let revision = sim.store().revision();
        if revision == self.revision {
            return Ok(());
        }
        if revision < self.revision {
            return Err(format!("resource versions went back from {} to {revision}", self.revision));
        }
        self.revision = revision;
        self.checks += 1;
        versions(sim)?;
        self.bindings(sim)?;
        capacity(sim)?;
        owners(sim)?;
        autoscalers(sim)
    }

    /// How often the state has been checked.
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// A pod that has a node keeps it.
    fn bindings(&mut self, sim: &Sim) -> Result<(), String> {
        let mut now = Map::new();
        for pod in sim.store().list::<Pod>() {
            let before = self.node_of_pod.get(&pod.metadata.id);
            if before.is_some() && before != pod.spec.node_name.as_ref() {
                return Err(format!(
                    "pod {} moved from {before:?} to {:?}",
                    pod.metadata.name, pod.spec.node_name
                ));
            }
            if let Some(node) = &pod.spec.node_name {
                now.insert(pod.metadata.id, node.clone());
            }
        }
        self.node_of_pod = now;
        Ok(())
    }
}

/// No version is from the future, and no status speaks of a spec that is yet to come.
fn versions(sim: &Sim) -> Result<(), String> {
    for object in sim.store().objects() {
        let meta = object.metadata();
        if meta.resource_version > sim.store().revision() {
            return Err(format!("{} has version {} from the future", meta.name, meta.resource_version));
        }
        let observed = match object {
            setpoint_api::Object::Deployment(deployment) => deployment.status.observed_generation,
            setpoint_api::Object::ReplicaSet(set) => set.status.observed_generation,
            setpoint_api::Object::Pod(pod) => pod.status.observed_generation,
            _ => 0,
        };
        if observed > meta.generation {
            return Err(format!("{} observed generation {observed} of {}", meta.name, meta.generation));
        }
    }
    Ok(())
}

/// What the pods of a node request fits it.
fn capacity(sim: &Sim) -> Result<(), String> {
    for node in sim.store().list::<Node>() {
        let mut used: Map<Str, i64> = Map::new();
        for pod in sim.store().pods_on(&node.metadata.name).filter(|pod| !pod.status.phase.is_finished()) {
            for (name, amount) in pods::requests(&pod.spec) {
                *used.entry(name).or_insert(0) += amount;
            }
            *used.entry("pods".into()).or_insert(0) += 1;
        }
        for (name, used) in used {
            let allocatable = node.status.allocatable.get(&name).map_or(0, |quantity| {
                if &*name == "cpu" { quantity.milli_value() } else { quantity.value() }
            });
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
fn owners(sim: &Sim) -> Result<(), String> {
    for pod in sim.store().list::<Pod>() {
        let managers =
            pod.metadata.owner_references.iter().filter(|owner| owner.controller == Some(true)).count();
        if managers > 1 {
            return Err(format!("pod {} has {managers} controllers", pod.metadata.name));
        }
    }
    for set in sim.store().list::<ReplicaSet>() {
        if set.spec.replicas.unwrap_or(1) < 0 || set.status.replicas < 0 {
            return Err(format!("replica set {} has a negative size", set.metadata.name));
        }
    }
    Ok(())
}

/// An autoscaler wants no more and no less than it may.
fn autoscalers(sim: &Sim) -> Result<(), String> {
    for autoscaler in sim.store().list::<HorizontalPodAutoscaler>() {
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
