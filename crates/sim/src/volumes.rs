//! The kubelet's volumes: it tells which it uses, waits until they are attached, mounts them, and lets them go after the pod.
//!
//! Upstream:   pkg/kubelet/volumemanager/{volume_manager.go,reconciler}, pkg/kubelet/nodestatus/setters.go (`VolumesInUse`),
//!             plugin/pkg/admission/storage/storageclass/setdefault.
//! Simplified: only claimed volumes take time; mounting never fails, and unmounting takes none.

use crate::fact::Actor;
use crate::queue::Wake;
use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::MILLISECOND;
use setpoint_api::wire::{keep, kept, peek};
use setpoint_api::{Micros, Node, NodeStatus, ObjId, PersistentVolumeClaim, Pod, StorageClass};
use setpoint_control::volumes::{self, pods};
use std::rc::Rc;

/// What one mount takes.
const MOUNT: (Micros, Micros) = (100 * MILLISECOND, 400 * MILLISECOND);

/// The volumes of a pod on its machine.
#[derive(Clone, Debug, Default)]
pub struct Mounts {
    /// Those that must be attached, as nodes call them; `None` until all of the pod's claims are bound.
    names: Option<Vec<String>>,
    is_mounting: bool,
}

impl Sim {
    /// A kubelet has taken on a pod, or found it again after a start: it waits for the pod's volumes.
    pub(crate) fn expect_volumes(&mut self, number: u32, id: ObjId) {
        // A fake kubelet has no volumes to wait for.
        let now = self.now;
        let is_real = !self.catalogue.is_fake;
        let Some(machine) = self.machines.get_mut(number as usize).filter(|_| is_real) else { return };
        let Some(local) = machine.pods.get_mut(&id).filter(|local| pods::has_claims(&local.pod)) else {
            return;
        };
        if local.pod.status.phase.is_finished() {
            return;
        }
        local.record.volumes_since = Some(now);
        machine.volumes.insert(id, Mounts::default());
        self.mount_ready(number);
    }

    /// The containers of a pod are gone, and its volumes are let go.
    pub(crate) fn release_volumes(&mut self, number: u32, id: ObjId) {
        if let Some(machine) = self.machines.get_mut(number as usize) {
            machine.volumes.remove(&id);
        }
    }

    /// Mounts what has been attached, for pods that wait for it.
    pub(crate) fn mount_ready(&mut self, number: u32) {
        let machine = self.machines.get_mut(number as usize).filter(|machine| machine.has_kubelet());
        let Some(machine) = machine else { return };
        if machine.volumes.is_empty() {
            return;
        }
        // A pod may have gone while the kubelet was away: what was mounted for it is let go.
        let pods_here = &machine.pods;
        machine.volumes.retain(|id, _| pods_here.contains_key(id));
        let epoch = machine.epoch;
        let node = self.store.find::<Node>("", &machine.config.node);
        let (attached, in_use) =
            node.map(|node| (pods::attached(node), pods::in_use(node))).unwrap_or_default();
        let mut ready = Vec::new();
        for (id, mounts) in &mut self.machines[number as usize].volumes {
            if mounts.names.is_none() {
                mounts.names = self.store.get::<Pod>(*id).and_then(|pod| names_of(&self.store, pod));
            }
            let is_there = |name: &String| attached.contains(name) && in_use.contains(name);
            if !mounts.is_mounting && mounts.names.as_ref().is_some_and(|names| names.iter().all(is_there)) {
                mounts.is_mounting = true;
                ready.push(*id);
            }
        }
        for pod in ready {
            let at = self.now.plus(self.delay(MOUNT));
            self.queue.push(at, Wake::Mounted { machine: number, epoch, pod });
        }
    }

    /// A pod's volumes are mounted.
    pub(crate) fn mounted_due(&mut self, number: u32, epoch: u32, id: ObjId) {
        let machine = self.machines.get_mut(number as usize).filter(|machine| machine.epoch == epoch);
        let Some(local) = machine.and_then(|machine| machine.pods.get_mut(&id)) else { return };
        local.record.volumes_since = None;
        self.sync_pod(number, id);
    }

    /// The volumes that a machine's pods use, where its node does not say so yet.
    pub(crate) fn untold_volumes(&self, number: u32, node: Option<&Node>) -> Option<Value> {
        let machine = self.machines.get(number as usize)?;
        let told = node.map_or(&Value::Null, |node| peek(&node.status.rest, "volumesInUse"));
        if machine.volumes.is_empty() && told.is_null() {
            return None;
        }
        let names = machine.volumes.values().filter_map(|mounts| mounts.names.as_ref()).flatten();
        let names: Set<&String> = names.collect();
        let used = if names.is_empty() {
            Value::Null
        } else {
            names.into_iter().map(|name| Value::from(&**name)).collect()
        };
        (used != *told).then_some(used)
    }

    /// Puts them into a status that is about to be reported.
    pub(crate) fn tell_volumes(&self, number: u32, node: &Node, status: &mut NodeStatus) {
        match self.untold_volumes(number, Some(node)) {
            Some(Value::Null) => {
                if let Some(rest) = &mut status.rest {
                    Rc::make_mut(rest).remove("volumesInUse");
                }
            }
            Some(used) => keep(&mut status.rest, "volumesInUse", &used),
            None => {}
        }
    }

    /// Gives a claim without a class the default one, which is made where there is none at all.
    pub(crate) fn set_default_class(&mut self, claim: &mut Rc<PersistentVolumeClaim>) {
        if claim.spec().storage_class_name.is_some() {
            return;
        }
        if self.store.list::<StorageClass>().next().is_none() {
            let _ = self.create(volumes::standard_class(), Actor::World, 0);
        }
        let Some(class) = volumes::default_class(&self.store) else { return };
        let name = class.metadata.name.clone();
        let claim = Rc::make_mut(claim);
        let mut spec: Value = kept(&claim.rest, "spec");
        spec["storageClassName"] = (&*name).into();
        keep(&mut claim.rest, "spec", &spec);
    }
}

/// Names of a pod's volumes that must be attached, once its claims are bound; a claim that is being deleted is none to
/// start with (upstream: desired_state_of_world_populator.go `getPVCExtractPV`).
fn names_of(store: &setpoint_api::Store, pod: &Pod) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for (_, claim) in pods::claims(&pod.spec) {
        let found = store.find::<PersistentVolumeClaim>(&pod.metadata.namespace, claim)?;
        if found.metadata.is_deleting() {
            return None;
        }
        names.extend(pods::unique_name(pods::volume_of(store, &pod.metadata.namespace, claim)?));
    }
    Some(names)
}

/// The volumes of all pods of a machine.
pub type Volumes = Map<ObjId, Mounts>;
