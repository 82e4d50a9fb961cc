//! The binder of claims and volumes, with a provisioner.
//!
//! Watches: PersistentVolumeClaims, PersistentVolumes, StorageClasses, and the end of VolumeAttachments and Pods.
//! Writes: PersistentVolumes (create, delete, phase), PersistentVolumeClaims (volume, phase), a StorageClass where there is none,
//! events.
//! Rule: a claim is bound to the smallest free volume of its class that is large enough, or to one made for it; of a class that
//! says WaitForFirstConsumer, once the scheduler has chosen a node for its pod. The volume of a claim that is gone is deleted or
//! stays Released, as it says.
//! Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (`syncClaim`, `syncVolume`).
//! Simplified: plays the storage driver's provisioner as well; the default class `standard` is made when the first claim asks for
//! it; a volume of a class that binds at once is in every zone; claims that wait are looked at when something changes, not every
//! fifteen seconds, so that what they wait for is told once.

pub mod attach;
pub mod pods;
pub mod protection;

use crate::scheduler::node_rules::NodeRules;
use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Write};
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::wire::{Reader, Wire as _, keep, kept, peek};
use setpoint_api::{
    Change, ClaimSpec, DeleteOptions, Kind, Node, ObjId, Object, ObjectMeta, Op, PersistentVolume,
    PersistentVolumeClaim, Pod, PodSpec, Quantity, Resource, Scope, StorageClass, Store, Str, Time, mark,
};
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "persistentvolume-binder",
    kind: Kind::PersistentVolumeClaim,
    watches: &[
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::VolumeAttachment,
        Kind::Pod,
    ],
    on_change,
    reconcile,
    period: |_| None,
    workers: 1,
    wants_failures: false,
    forget: |memory| memory.volumes = Memory::default(),
};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Since when the volume of a claim is being made.
    making: Map<ObjId, Time>,
}

/// Who its events say that they come from.
const SOURCE: &str = "persistentvolume-controller";
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
/// The storage driver of the default class: disks on a network, one node at a time.
const DRIVER: &str = "disk.csi.setpoint.dev";
const ZONE: &str = "topology.kubernetes.io/zone";
/// Says on a claim which node its pod will go to.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

fn on_change(cx: &ChangeCx, change: &Change, _: &mut AllMemory, keys: &mut Keys) {
    let meta = change.new.metadata();
    match &change.new {
        Object::PersistentVolumeClaim(claim) => {
            keys.add(meta.id);
            let volume = cx.view.id_of(Kind::PersistentVolume, "", &claim.spec().volume_name);
            volume.into_iter().for_each(|id| keys.add(id));
        }
        Object::PersistentVolume(volume) => {
            keys.add(meta.id);
            // It may be what a claim waits for, or what one has.
            let owner = claim_ref(volume);
            let concerns = |claim: &&Rc<PersistentVolumeClaim>| {
                pods::phase(claim) != "Bound" || owner.is_some_and(|owner| is_of(owner, claim))
            };
            let claims = cx.view.list::<PersistentVolumeClaim>().filter(concerns);
            claims.for_each(|claim| keys.add(claim.metadata.id));
        }
        Object::StorageClass(_) => cx.view.ids(Kind::PersistentVolumeClaim).for_each(|id| keys.add(id)),
        // A volume may have waited to be detached, and a claim for its pod to go.
        Object::VolumeAttachment(attachment) if change.op == Op::Deleted => {
            let volume = cx.view.id_of(Kind::PersistentVolume, "", attach::volume_name(attachment));
            volume.into_iter().for_each(|id| keys.add(id));
        }
        Object::Pod(pod) if change.op == Op::Deleted => {
            let claims = pods::claims(&pod.spec);
            let ids = claims
                .filter_map(|(_, name)| cx.view.id_of(Kind::PersistentVolumeClaim, &meta.namespace, name));
            ids.for_each(|id| keys.add(id));
        }
        _ => {}
    }
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    match cx.view.object(id) {
        Some(Object::PersistentVolumeClaim(claim)) => sync_claim(cx, claim, &mut memory.volumes),
        Some(Object::PersistentVolume(volume)) => sync_volume(cx, volume),
        _ => Outcome::idle("gone"),
    }
}

fn acted(decision: &'static str, writes: Vec<Write>) -> Outcome {
    Outcome { writes, note: Note { observed: Vec::new(), decision: decision.into() }, ..Outcome::default() }
}

/// Upstream: `syncClaim`.
fn sync_claim(cx: &Cx, claim: &Rc<PersistentVolumeClaim>, memory: &mut Memory) -> Outcome {
    let id = claim.metadata.id;
    if claim.metadata.is_deleting() {
        memory.making.remove(&id);
        let is_used = protection::is_used(cx.view, claim);
        return protection::let_go(&claim.metadata, protection::CLAIM, is_used);
    }
    if matches!(pods::phase(claim), "Bound" | "Lost") {
        memory.making.remove(&id);
        return sync_bound(cx, claim);
    }
    let spec = claim.spec();
    if !spec.volume_name.is_empty() {
        return take_named(cx, claim, &spec);
    }
    let class = match &spec.storage_class_name {
        Some(name) => name.clone(),
        None => match default_class(cx.view) {
            Some(class) => class.metadata.name.clone(),
            None if cx.view.ids(Kind::StorageClass).next().is_none() => {
                return acted("make the default class", vec![Write::Create(standard_class(), None)]);
            }
            None => Str::default(),
        },
    };
    let found = cx.view.find::<StorageClass>("", &class);
    let node = claim.metadata.annotation(SELECTED_NODE).and_then(|name| cx.view.find::<Node>("", name));
    let waits = found.is_some_and(|class| waits_for_consumer(class)) && node.is_none();
    // One that is kept for the claim needs no consumer.
    let is_to_take = |volume: &&Rc<PersistentVolume>| !waits || claim_ref(volume).is_some();
    if let Some(volume) = free_volume(cx.view, claim, &class, node).filter(is_to_take) {
        return bind(claim, volume, &class);
    }
    let provisioner: Str = found.map(|class| kept(&class.rest, "provisioner")).unwrap_or_default();
    match found {
        Some(_) if waits && claim.metadata.annotation(SELECTED_NODE).is_some() => {
            memory.making.remove(&id);
            choose_again(claim)
        }
        Some(_) if waits => wait_for_pod(cx, claim),
        Some(found) if &*provisioner != NO_PROVISIONER => {
            provision(cx, claim, found, &provisioner, node, memory)
        }
        _ => {
            let (is_warning, reason, text) = if class.is_empty() || found.is_some() {
                let text = "no persistent volumes available for this claim and no storage class is set";
                (false, "FailedBinding", text.to_string())
            } else {
                let text = format!("storageclass.storage.k8s.io \"{class}\" not found");
                (true, "ProvisioningFailed", text)
            };
            acted("wait for a volume", vec![said(claim, is_warning, reason, text)])
        }
    }
}

fn said(claim: &PersistentVolumeClaim, is_warning: bool, reason: &'static str, text: String) -> Write {
    let draft = EventDraft::normal(SOURCE, claim.metadata.id, reason, text);
    Write::Event(EventDraft { is_warning, ..draft })
}

/// A claim that names the volume that it wants.
///
/// Upstream: `syncUnboundClaim`, `checkVolumeSatisfyClaim`.
fn take_named(cx: &Cx, claim: &Rc<PersistentVolumeClaim>, spec: &ClaimSpec) -> Outcome {
    let Some(volume) = cx.view.find::<PersistentVolume>("", &spec.volume_name) else {
        return Outcome::idle("wait for the volume that is asked for");
    };
    let class = spec.storage_class_name.clone().unwrap_or_default();
    let name = &*spec.volume_name;
    match claim_ref(volume) {
        Some(owner) if is_of(owner, claim) => bind(claim, volume, &class),
        Some(_) => {
            let text = format!("volume {name:?} already bound to a different claim.");
            acted("wait for the volume that is asked for", vec![said(claim, true, "FailedBinding", text)])
        }
        None => match mismatch(volume, spec, &class) {
            None => bind(claim, volume, &class),
            Some(why) => {
                let text = format!("Cannot bind to requested volume {name:?}: {why}");
                acted(
                    "the volume that is asked for does not do",
                    vec![said(claim, true, "VolumeMismatch", text)],
                )
            }
        },
    }
}

/// What keeps a volume from being a claim's, if anything does.
///
/// Upstream: `checkVolumeSatisfyClaim`.
fn mismatch(volume: &PersistentVolume, wanted: &ClaimSpec, class: &str) -> Option<&'static str> {
    let spec = peek(&volume.rest, "spec");
    match () {
        () if size_of(spec) < request(wanted) => Some("requested PV is too small"),
        () if spec["storageClassName"].as_str().unwrap_or("") != class => {
            Some("storageClassName does not match")
        }
        () if !has_mode(spec, wanted) => Some("incompatible volumeMode"),
        () if !allows_access(spec, wanted) => Some("incompatible accessMode"),
        () => None,
    }
}

/// A claim that has been bound: its volume may have gone since.
///
/// Upstream: `syncBoundClaim`.
fn sync_bound(cx: &Cx, claim: &Rc<PersistentVolumeClaim>) -> Outcome {
    let spec = claim.spec();
    let class = spec.storage_class_name.clone().unwrap_or_default();
    let is_lost = pods::phase(claim) == "Lost";
    let (reason, text) = match cx.view.find::<PersistentVolume>("", &spec.volume_name) {
        Some(volume) => match claim_ref(volume) {
            Some(owner) if is_of(owner, claim) && !is_lost => return Outcome::idle("nothing to do"),
            Some(owner) if !is_of(owner, claim) => {
                ("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
            }
            _ => return bind(claim, volume, &class),
        },
        None => ("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"),
    };
    if is_lost {
        return Outcome::idle("nothing to do");
    }
    let mut lost = (**claim).clone();
    keep(&mut lost.rest, "status", &json!({ "phase": "Lost" }));
    let writes =
        vec![Write::Update(lost.into_object(), Scope::Status), said(claim, true, reason, text.to_string())];
    acted("its volume is lost", writes)
}

/// A class without a provisioner.
pub(crate) const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Whether claims of a class are bound only once the scheduler has chosen a node.
pub(crate) fn waits_for_consumer(class: &StorageClass) -> bool {
    let mode: Str = kept(&class.rest, "volumeBindingMode");
    &*mode == "WaitForFirstConsumer"
}

/// Upstream: `emitEventForUnboundDelayBindingClaim`.
fn wait_for_pod(cx: &Cx, claim: &Rc<PersistentVolumeClaim>) -> Outcome {
    let uses = |pod: &&Rc<Pod>| {
        let is_waiting = pod.spec.node_name.is_none() && !pod.status.phase.is_finished();
        is_waiting && pods::claims(&pod.spec).any(|(_, name)| *name == *claim.metadata.name)
    };
    let waiting = cx.view.list_in::<Pod>(&claim.metadata.namespace).filter(uses);
    let names: Vec<&str> = waiting.map(|pod| &*pod.metadata.name).gather();
    let (reason, text) = match &names[..] {
        [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_string()),
        [name] => ("WaitForPodScheduled", format!("waiting for pod {name} to be scheduled")),
        names => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", names.join(","))),
    };
    acted("wait for a pod", vec![said(claim, false, reason, text)])
}

/// The node that was chosen is gone: the scheduler is to choose another.
///
/// Upstream: sig-storage-lib-external-provisioner controller/controller.go (`rescheduleProvisioning`).
fn choose_again(claim: &Rc<PersistentVolumeClaim>) -> Outcome {
    let node = claim.metadata.annotation(SELECTED_NODE).unwrap_or_default();
    let text = format!("node {node:?} not found");
    let draft = EventDraft::normal(DRIVER, claim.metadata.id, "ProvisioningFailed", text);
    let mut reset = (**claim).clone();
    Rc::make_mut(&mut reset.metadata.annotations).remove(SELECTED_NODE);
    let writes = vec![
        Write::Update(reset.into_object(), Scope::Main),
        Write::Event(EventDraft { is_warning: true, ..draft }),
    ];
    acted("have another node chosen", writes)
}

/// Upstream: `provisionClaimOperationExternal`, and kubernetes-csi/external-provisioner.
fn provision(
    cx: &Cx,
    claim: &Rc<PersistentVolumeClaim>,
    class: &StorageClass,
    provisioner: &Str,
    node: Option<&Rc<Node>>,
    memory: &mut Memory,
) -> Outcome {
    let id = claim.metadata.id;
    let told = |reason, text| Write::Event(EventDraft::normal(DRIVER, id, reason, text));
    // A driver makes volumes, but does not choose among those that there are.
    let selects = peek(&claim.rest, "spec")["selector"].is_object();
    let Some(since) = memory.making.get(&id) else {
        memory.making.insert(id, cx.now);
        let waits = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
             administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        );
        let begins = format!(
            "External provisioner is provisioning volume for claim \"{}\"",
            claim.metadata.full_name()
        );
        let mut asked = (**claim).clone();
        for key in
            ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"]
        {
            asked.metadata.set_annotation(key, provisioner);
        }
        let mut writes = vec![
            Write::Update(asked.into_object(), Scope::Main),
            said(claim, false, "ExternalProvisioning", waits),
            told("Provisioning", begins),
        ];
        if selects {
            let text = format!(
                "failed to provision volume with StorageClass {:?}: claim Selector is not supported",
                &*class.metadata.name
            );
            let draft = EventDraft::normal(DRIVER, id, "ProvisioningFailed", text);
            writes.push(Write::Event(EventDraft { is_warning: true, ..draft }));
            return acted("make no volume for a claim that selects", writes);
        }
        return Outcome {
            requeue_after: Some(cx.tuning.volume_attach),
            ..acted("begin to make a volume", writes)
        };
    };
    if selects {
        return Outcome::idle("no volume is made for a claim that selects");
    }
    let left = since.plus(cx.tuning.volume_attach).since(cx.now);
    if left > 0 {
        return Outcome { requeue_after: Some(left), ..Outcome::idle("a volume is being made") };
    }
    let zone = node.and_then(|node| node.metadata.label(ZONE));
    let volume = new_volume(claim, class, provisioner, zone);
    let text = format!("Successfully provisioned volume {}", volume.metadata.name);
    let mut writes = bind_claim(claim, &volume, &class.metadata.name);
    writes.insert(0, Write::Create(volume.into_object(), None));
    writes.push(told("ProvisioningSucceeded", text));
    acted("make a volume", writes)
}

/// The class of claims that name none.
pub fn default_class(view: &Store) -> Option<&Rc<StorageClass>> {
    view.list::<StorageClass>().find(|class| class.metadata.annotation(DEFAULT) == Some("true"))
}

/// The class that a cluster has from the beginning.
pub fn standard_class() -> Object {
    let mut metadata = ObjectMeta::named("", "standard");
    metadata.set_annotation(DEFAULT, "true");
    let mut class = StorageClass { metadata, ..StorageClass::default() };
    for (key, value) in
        [("provisioner", DRIVER), ("reclaimPolicy", "Delete"), ("volumeBindingMode", "WaitForFirstConsumer")]
    {
        keep(&mut class.rest, key, &Str::fixed(value));
    }
    class.into_object()
}

fn storage(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// Where a volume can be used, as far as it says.
pub(crate) fn affinity_of(volume: &PersistentVolume) -> NodeRules {
    let spec = peek(&volume.rest, "spec");
    let required = &spec["nodeAffinity"]["required"];
    let affinity = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required } });
    let affinity = (!required.is_null()).then_some(affinity);
    NodeRules::of(&PodSpec::read(json!({ "affinity": affinity }), &mut Reader::default()))
}

fn size_of(volume: &Value) -> i64 {
    storage(&volume["capacity"]["storage"]).map_or(0, |size| size.value())
}

fn request(wanted: &ClaimSpec) -> i64 {
    wanted.resources.requests.get("storage").map_or(0, |size| size.value())
}

fn has_mode(volume: &Value, wanted: &ClaimSpec) -> bool {
    let mode = |mode: &str| if mode == "Block" { "Block" } else { "Filesystem" };
    mode(volume["volumeMode"].as_str().unwrap_or("")) == mode(&wanted.volume_mode)
}

fn allows_access(volume: &Value, wanted: &ClaimSpec) -> bool {
    let modes = volume["accessModes"].as_array();
    let has = |mode: &Str| modes.is_some_and(|modes| modes.iter().any(|has| *has == **mode));
    wanted.access_modes.iter().all(has)
}

/// Whose a volume is, or is to be.
fn claim_ref(volume: &PersistentVolume) -> Option<&Value> {
    Some(&peek(&volume.rest, "spec")["claimRef"]).filter(|owner| !owner.is_null())
}

/// Whether it is a claim's.
///
/// Upstream: `IsVolumeBoundToClaim`.
fn is_of(owner: &Value, claim: &PersistentVolumeClaim) -> bool {
    let meta = &claim.metadata;
    let uid = owner["uid"].as_str().unwrap_or_default();
    owner["name"] == *meta.name
        && owner["namespace"] == *meta.namespace
        && (uid.is_empty() || uid == meta.uid.to_string())
}

/// The volume that is kept for a claim, or else the smallest that nobody has, of the class, large enough and within reach
/// of the node if one is chosen.
///
/// Upstream: `FindMatchingVolume` in component-helpers/storage/volume.
pub(crate) fn free_volume<'a>(
    view: &'a Store,
    claim: &PersistentVolumeClaim,
    class: &str,
    node: Option<&Rc<Node>>,
) -> Option<&'a Rc<PersistentVolume>> {
    let wanted = claim.spec();
    let request = request(&wanted);
    let selector = wanted.selector.as_ref().and_then(|selector| selector.to_selector().ok());
    let mut best: Option<(i64, &Rc<PersistentVolume>)> = None;
    for volume in view.list::<PersistentVolume>() {
        let spec = peek(&volume.rest, "spec");
        let owner = claim_ref(volume);
        let is_foreign = owner.is_some_and(|owner| !is_of(owner, claim));
        let size = size_of(spec);
        if is_foreign || size < request || !has_mode(spec, &wanted) || volume.metadata.is_deleting() {
            continue;
        }
        let is_near = || node.is_none_or(|node| affinity_of(volume).matches(node));
        if owner.is_some() {
            return Some(volume).filter(|_| is_near());
        }
        let is_better = best.is_none_or(|(known, _)| size < known);
        let is_selected = || selector.as_ref().is_none_or(|it| it.matches(&volume.metadata.labels));
        let of_class = spec["storageClassName"].as_str().unwrap_or("") == class;
        if is_better && of_class && is_selected() && allows_access(spec, &wanted) && is_near() {
            best = Some((size, volume));
        }
    }
    best.map(|(_, volume)| volume)
}

fn new_volume(
    claim: &PersistentVolumeClaim,
    class: &StorageClass,
    provisioner: &str,
    zone: Option<&str>,
) -> PersistentVolume {
    let wanted = claim.spec();
    let name = format!("pvc-{}", claim.metadata.uid);
    let mut metadata = ObjectMeta::named("", &name);
    metadata.set_annotation("pv.kubernetes.io/provisioned-by", provisioner);
    let reclaim: Str = kept(&class.rest, "reclaimPolicy");
    let size = wanted.resources.requests.get("storage").map(ToString::to_string).unwrap_or_default();
    let mut volume = PersistentVolume { metadata, ..PersistentVolume::default() };
    let is_block = &*wanted.volume_mode == "Block";
    let mut spec = json!({
        "capacity": { "storage": size },
        "accessModes": wanted.access_modes.write_always(),
        "persistentVolumeReclaimPolicy": if reclaim.is_empty() { "Delete" } else { &*reclaim },
        "storageClassName": &*class.metadata.name,
        "volumeMode": if is_block { "Block" } else { "Filesystem" },
        "csi": { "driver": provisioner, "volumeHandle": format!("vol-{:016x}", mark(&[&name])) },
    });
    if !is_block {
        spec["csi"]["fsType"] = "ext4".into();
    }
    if let Some(zone) = zone {
        let terms = json!([{ "matchExpressions": [{ "key": ZONE, "operator": "In", "values": [zone] }] }]);
        spec["nodeAffinity"] = json!({ "required": { "nodeSelectorTerms": terms } });
    }
    keep(&mut volume.rest, "spec", &spec);
    claim_volume(&mut volume, claim);
    volume
}

/// Notes in a volume whose it is.
fn claim_volume(volume: &mut PersistentVolume, claim: &PersistentVolumeClaim) {
    let mut spec: Value = kept(&volume.rest, "spec");
    spec["claimRef"] = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": &*claim.metadata.namespace,
        "name": &*claim.metadata.name, "uid": claim.metadata.uid.to_string(),
    });
    keep(&mut volume.rest, "spec", &spec);
    keep(&mut volume.rest, "status", &json!({ "phase": "Bound" }));
}

const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// Gives a claim a volume, and a volume its claim.
///
/// Upstream: `bind`, `bindVolumeToClaim`.
fn bind(claim: &PersistentVolumeClaim, volume: &PersistentVolume, class: &str) -> Outcome {
    let mut bound = volume.clone();
    if claim_ref(volume).is_none() {
        bound.metadata.set_annotation(BOUND_BY_CONTROLLER, "yes");
    }
    claim_volume(&mut bound, claim);
    let claimed = bind_claim(claim, &bound, class);
    acted("bind to a volume", [both(bound.into_object()), claimed].concat())
}

fn both(object: Object) -> Vec<Write> {
    vec![Write::Update(object.clone(), Scope::Main), Write::Update(object, Scope::Status)]
}

/// The claim with its volume.
///
/// Upstream: `bindClaimToVolume`, `updateClaimStatus`.
fn bind_claim(claim: &PersistentVolumeClaim, volume: &PersistentVolume, class: &str) -> Vec<Write> {
    let mut bound = claim.clone();
    bound.metadata.set_annotation("pv.kubernetes.io/bind-completed", "yes");
    let of_volume = peek(&volume.rest, "spec");
    let mut spec: Value = kept(&bound.rest, "spec");
    if spec["volumeName"] != *volume.metadata.name {
        bound.metadata.set_annotation(BOUND_BY_CONTROLLER, "yes");
    }
    spec["volumeName"] = (*volume.metadata.name).into();
    spec["storageClassName"] = class.into();
    keep(&mut bound.rest, "spec", &spec);
    let status = json!({ "phase": "Bound", "accessModes": of_volume["accessModes"], "capacity": of_volume["capacity"] });
    keep(&mut bound.rest, "status", &status);
    both(bound.into_object())
}

/// Upstream: `syncVolume`, `reclaimVolume`.
fn sync_volume(cx: &Cx, volume: &Rc<PersistentVolume>) -> Outcome {
    let (spec, status) = (peek(&volume.rest, "spec"), peek(&volume.rest, "status"));
    let owner = &spec["claimRef"];
    let word = |key: &str| owner[key].as_str().unwrap_or_default();
    let claim = cx.view.find::<PersistentVolumeClaim>(word("namespace"), word("name"));
    let is_there = !word("uid").is_empty() && claim.is_some_and(|claim| is_of(owner, claim));
    if volume.metadata.is_deleting() && !is_there {
        let is_used = attach::has_attachment(cx.view, &volume.metadata.name);
        return protection::let_go(&volume.metadata, protection::VOLUME, is_used);
    }
    let phase = match () {
        () if owner.is_null() || word("uid").is_empty() => "Available",
        () if is_there => "Bound",
        () if spec["persistentVolumeReclaimPolicy"] == "Delete" => {
            let delete = Write::Delete(volume.metadata.id, DeleteOptions::default(), None);
            return acted("delete the volume of a claim that is gone", vec![delete]);
        }
        () => "Released",
    };
    if status["phase"] == phase {
        return Outcome::idle("nothing to do");
    }
    let mut changed = (**volume).clone();
    changed.metadata.resource_version = 0;
    keep(&mut changed.rest, "status", &json!({ "phase": phase }));
    acted("update the phase", vec![Write::Update(changed.into_object(), Scope::Status)])
}
