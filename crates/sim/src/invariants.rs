//! What must hold after every event, checked from outside: only stored objects and the ledger are read.

use crate::sim::Sim;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Deployment, HorizontalPodAutoscaler, Node, ObjId, Pod, ReplicaSet, Str};
use setpoint_control::deployment::math;
use setpoint_control::pod as pods;

/// Checks invariants and remembers what has to stay as it was.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    revision: u64,
    now: i64,
    rollouts: Map<ObjId, Rollout>,
    node_of_pod: Map<ObjId, Str>,
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
        self.revision = revision;
        self.checks += 1;
        versions(sim)?;
        self.bindings(sim)?;
        self.surge(sim)?;
        capacity(sim)?;
        owners(sim)?;
        autoscalers(sim)
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
            let limit = math::desired(deployment) + math::max_surge(deployment);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Catalogue;
    use crate::{Action, Config, MachineConfig};
    use setpoint_api::Time;
    use setpoint_control::Profile;
    use std::rc::Rc;

    fn cluster() -> Sim {
        let mut sim = Sim::new(&Config {
            seed: 1,
            profile: Profile::Classroom,
            overrides: Vec::new(),
            machines: vec![MachineConfig::named("node-01")],
            catalogue: Rc::new(Catalogue::standard()),
            scheduler: Rc::default(),
        });
        sim.run_until(Time(SECOND));
        sim
    }

    #[test]
    fn a_node_with_too_much_on_it_is_found() {
        let mut sim = cluster();
        let mut checker = Checker::default();
        assert_eq!(checker.check(&sim), Ok(()));
        // A pod that names its node goes past the scheduler; the kubelet will refuse it, but for now it is there.
        let manifest = "{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {nodeName: node-01, containers: [\
            {name: a, image: a, resources: {requests: {cpu: 5}}}]}}";
        sim.act(&Action::Apply { manifest: manifest.into() });
        let found = checker.check(&sim).unwrap_err();
        assert_eq!(found, "node node-01 has 4000 of cpu, its pods request 5000");
    }

    #[test]
    fn a_request_that_gets_lost_is_found() {
        let mut sim = cluster();
        let mut checker = Checker::default();
        sim.set_load("default", "web", 10);
        sim.run_until(Time(2 * SECOND));
        assert_eq!(checker.check(&sim), Ok(()));
        sim.ledger.send();
        assert!(checker.check(&sim).unwrap_err().contains("requests sent"));
    }

    #[test]
    fn sets_that_grow_past_the_surge_are_found() {
        let mut sim = cluster();
        let mut checker = Checker::default();
        let manifest = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, \
            selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [\
            {name: a, image: a}]}}}}";
        sim.act(&Action::Apply { manifest: manifest.into() });
        sim.run_until(Time(5 * SECOND));
        assert_eq!(checker.check(&sim), Ok(()));
        sim.run_until(Time(10 * SECOND));
        let set = sim.store().list::<ReplicaSet>().next().unwrap();
        let mut set = (**set).clone();
        set.spec.replicas = Some(9);
        sim.apply_object(setpoint_api::Resource::into_object(set), 0).unwrap();
        assert_eq!(checker.check(&sim).unwrap_err(), "the sets of deployment web grew to 9, past 3");
    }
}
