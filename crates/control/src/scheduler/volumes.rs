//! Whether a node can have the volumes that a pod claims, and the wait until they are made.
//!
//! Upstream:   pkg/scheduler/framework/plugins/{volumebinding,volumezone,volumerestrictions}.
//! Simplified: the plugins of volumes speak as one, and nodes take any number of volumes; the binder of claims picks among free
//!             volumes once the node is chosen.

use super::Memory;
use super::filters::{Plugin, Rejection, no};
use super::node_rules::NodeRules;
use crate::volumes::pods::{claims, phase, volume_of};
use crate::volumes::{self, SELECTED_NODE};
use crate::{Cx, EventDraft, Outcome, Write};
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::time::{MINUTE, Micros, Time};
use setpoint_api::wire::{kept, peek};
use setpoint_api::{
    Node, ObjId, PersistentVolume, PersistentVolumeClaim, Pod, Resource, Scope, StorageClass, Store, Str,
};
use std::rc::Rc;

/// How long a pod waits for its volumes on the node that was chosen (`bindTimeoutSeconds` of the plugin's arguments).
const BIND_TIMEOUT: Micros = 10 * MINUTE;

/// Zones and regions, under their present and their former names.
const PLACES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// What a pod's claims demand of a node.
#[derive(Clone, Debug, Default)]
pub struct VolumeFilter {
    /// Why no node does at all.
    pub refusal: Option<String>,
    /// Where the volumes are that there are.
    bound: Vec<NodeRules>,
    /// Labels of those volumes that the node must have as well.
    places: Vec<(&'static str, Vec<Str>)>,
    /// Claims that get their volumes once a node is chosen.
    unbound: Vec<(Rc<PersistentVolumeClaim>, Option<Rc<StorageClass>>)>,
    /// Whether another pod has a volume that only one pod may have.
    is_taken: bool,
}

impl VolumeFilter {
    /// `None` for a pod without claims.
    pub fn of(view: &Store, pod: &Pod) -> Option<Self> {
        let namespace = &pod.metadata.namespace;
        let mut out = Self::default();
        let mut has_any = false;
        for (_, name) in claims(&pod.spec) {
            has_any = true;
            let Some(claim) = view.find::<PersistentVolumeClaim>(namespace, name) else {
                out.refusal.get_or_insert(format!("persistentvolumeclaim {name:?} not found"));
                continue;
            };
            if claim.metadata.is_deleting() {
                out.refusal.get_or_insert(format!("persistentvolumeclaim {name:?} is being deleted"));
            }
            if phase(claim) == "Lost" {
                let volume = claim.spec().volume_name;
                let text = format!(
                    "persistentvolumeclaim {name:?} bound to non-existent persistentvolume \"{volume}\""
                );
                out.refusal.get_or_insert(text);
            }
            if claim.spec().access_modes.iter().any(|mode| &**mode == "ReadWriteOncePod") {
                out.is_taken |= is_used(view, pod, name);
            }
            match volume_of(view, namespace, name) {
                Some(volume) => out.add_bound(volume),
                None => out.add_unbound(view, claim),
            }
        }
        has_any.then_some(out)
    }

    fn add_bound(&mut self, volume: &PersistentVolume) {
        self.bound.push(volumes::affinity_of(volume));
        for place in PLACES {
            if let Some(values) = volume.metadata.label(place) {
                self.places.push((place, values.split("__").map(Str::from).gather()));
            }
        }
    }

    fn add_unbound(&mut self, view: &Store, claim: &Rc<PersistentVolumeClaim>) {
        let name = claim.spec().storage_class_name.unwrap_or_default();
        let class = view.find::<StorageClass>("", &name);
        if class.is_some_and(|class| volumes::waits_for_consumer(class)) {
            self.unbound.push((claim.clone(), class.cloned()));
        } else {
            self.refusal.get_or_insert("pod has unbound immediate PersistentVolumeClaims".into());
        }
    }

    /// Why a node does not do, if it does not.
    pub fn check(&self, view: &Store, node: &Rc<Node>) -> Option<Rejection> {
        let plugin = Plugin::VolumeBinding;
        if self.is_taken {
            let text = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
            return Some(no(plugin, false, text));
        }
        if !self.bound.iter().all(|rules| rules.matches(node)) {
            return Some(no(plugin, true, "node(s) didn't match PersistentVolume's node affinity"));
        }
        let can_have = |(claim, class): &(Rc<PersistentVolumeClaim>, Option<Rc<StorageClass>>)| {
            let Some(class) = class else { return false };
            let is_made = {
                let provisioner: Str = kept(&class.rest, "provisioner");
                &*provisioner != volumes::NO_PROVISIONER && allows(class, node)
            };
            is_made || volumes::free_volume(view, claim, &class.metadata.name, Some(node)).is_some()
        };
        if !self.unbound.iter().all(can_have) {
            return Some(no(plugin, true, "node(s) didn't find available persistent volumes to bind"));
        }
        let is_there = |(place, values): &(&str, Vec<Str>)| {
            let has_places = PLACES.iter().any(|place| node.metadata.label(place).is_some());
            let own = node.metadata.label(place);
            !has_places || own.is_some_and(|own| values.iter().any(|value| **value == *own))
        };
        (!self.places.iter().all(is_there)).then(|| no(plugin, true, "node(s) had no available volume zone"))
    }
}

/// Whether another pod that has a node uses a claim.
fn is_used(view: &Store, pod: &Pod, claim: &str) -> bool {
    let mut others = view.list_in::<Pod>(&pod.metadata.namespace);
    others.any(|other| {
        other.metadata.id != pod.metadata.id
            && other.spec.node_name.is_some()
            && !other.status.phase.is_finished()
            && claims(&other.spec).any(|(_, name)| name == claim)
    })
}

/// Whether a class makes volumes that a node can use.
fn allows(class: &StorageClass, node: &Node) -> bool {
    let topologies = peek(&class.rest, "allowedTopologies");
    let Some(terms) = topologies.as_array().filter(|terms| !terms.is_empty()) else { return true };
    let is_met = |rule: &Value| {
        let own = rule["key"].as_str().and_then(|key| node.metadata.label(key));
        rule["values"].as_array().into_iter().flatten().any(|value| value.as_str() == own)
    };
    terms.iter().any(|term| term["matchLabelExpressions"].as_array().into_iter().flatten().all(is_met))
}

/// A pod whose node is chosen and whose volumes are not there yet.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The node.
    pub node: Str,
    /// The claims whose volumes were asked for, with their names.
    claims: Vec<(ObjId, Str)>,
    /// When it is given up (`bindTimeoutSeconds`).
    until: Time,
    /// What is said once it is bound.
    event: EventDraft,
}

/// Asks for the volumes of a pod on its node; `None` where they are there.
///
/// Upstream: `PreBind`, `BindPodVolumes`.
pub(super) fn ask(
    cx: &Cx,
    memory: &mut Memory,
    pod: &Pod,
    node: &Str,
    event: &EventDraft,
) -> Option<Vec<Write>> {
    let filter = VolumeFilter::of(cx.view, pod).filter(|filter| !filter.unbound.is_empty())?;
    let asked = |(claim, _): &(Rc<PersistentVolumeClaim>, _)| {
        let mut claim = (**claim).clone();
        claim.metadata.set_annotation(SELECTED_NODE, node);
        Write::Update(claim.into_object(), Scope::Main)
    };
    let claims =
        filter.unbound.iter().map(|(claim, _)| (claim.metadata.id, claim.metadata.name.clone())).gather();
    let until = cx.now.plus(BIND_TIMEOUT);
    memory
        .binding
        .insert(pod.metadata.id, Binding { node: node.clone(), claims, until, event: event.clone() });
    Some(filter.unbound.iter().map(asked).gather())
}

/// A pod that waits for the volume of a claim which is gone, on a node which is, or that has waited too long, and why it
/// is to be tried again.
///
/// Upstream: `checkBindings`, `BindPodVolumes`.
pub(super) fn lost(cx: &Cx, memory: &Memory) -> Option<(ObjId, String)> {
    let failed = |why: &str| format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
    memory.binding.iter().find_map(|(id, binding)| {
        if binding.until <= cx.now {
            return Some((*id, failed("context deadline exceeded")));
        }
        let node = &binding.node;
        if cx.view.find::<Node>("", node).is_none() {
            return Some((*id, failed(&format!("failed to get node {node:?}: node {node:?} not found"))));
        }
        let is_gone = |(claim, _): &&(ObjId, Str)| cx.view.get::<PersistentVolumeClaim>(*claim).is_none();
        let (_, name) = binding.claims.iter().find(is_gone)?;
        let namespace = cx.view.get::<Pod>(*id).map(|pod| pod.metadata.namespace.clone()).unwrap_or_default();
        let why = match cx.view.find::<PersistentVolumeClaim>(&namespace, name) {
            Some(_) => format!("selectedNode annotation reset for PVC \"{name}\""),
            None => format!(
                "failed to check provisioning pvc: could not find v1.PersistentVolumeClaim \"{namespace}/{name}\""
            ),
        };
        Some((*id, failed(&why)))
    })
}

/// How long it is until a pod that waits for its volumes is given up.
pub(super) fn next_timeout(memory: &Memory, now: Time) -> Option<Micros> {
    memory.binding.values().map(|binding| binding.until.since(now)).min()
}

/// Binds a pod whose volumes have come.
pub(super) fn bind_ready(cx: &Cx, memory: &mut Memory) -> Option<Outcome> {
    let is_ready = |id: &ObjId| {
        let pod = cx.view.get::<Pod>(*id)?;
        let mut names = claims(&pod.spec);
        names.all(|(_, claim)| volume_of(cx.view, &pod.metadata.namespace, claim).is_some()).then_some(())
    };
    let id = *memory.binding.keys().find(|id| is_ready(id).is_some())?;
    let Binding { node, event, .. } = memory.binding.remove(&id)?;
    let writes = vec![Write::Bind(id, node, Some(event))];
    // There may be more of them.
    let requeue_after = Some(0);
    Some(Outcome {
        writes,
        detached: true,
        requeue_after,
        ..Outcome::idle("bind a pod whose volumes are there")
    })
}

/// The pods that wait for a claim's volume.
pub(super) fn waiting_for(cx: &Cx, memory: &Memory, claim: ObjId) -> Vec<ObjId> {
    let Some(claim) = cx.view.get::<PersistentVolumeClaim>(claim) else { return Vec::new() };
    let uses = |id: &&ObjId| {
        let pod = cx.view.get::<Pod>(**id);
        pod.is_some_and(|pod| {
            pod.metadata.namespace == claim.metadata.namespace
                && claims(&pod.spec).any(|(_, name)| *name == *claim.metadata.name)
        })
    };
    memory.binding.keys().filter(uses).copied().gather()
}
