//! The binder of claims and volumes, with a provisioner.
//!
//! Watches: PersistentVolumeClaims, PersistentVolumes, StorageClasses.
//! Writes: PersistentVolumes (create, delete, phase), PersistentVolumeClaims (volume, phase), a StorageClass where there is none,
//! events.
//! Rule: a claim is bound to the smallest free volume of its class that is large enough, or to one made for it; the volume of a
//! claim that is gone is deleted or stays Released, as it says.
//! Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (`syncClaim`, `syncVolume`).
//! Simplified: the default class `standard` is made when the first claim asks for it; a volume is made at once, also where the class
//! says WaitForFirstConsumer; volumes are on no node, and nothing protects a claim that a pod uses.

use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory, Note, Outcome, Write};
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::wire::{Wire as _, keep, kept};
use setpoint_api::{
    Change, ClaimSpec, DeleteOptions, Kind, Object, ObjectMeta, PersistentVolume, PersistentVolumeClaim,
    Quantity, Resource, Scope, StorageClass, Str,
};
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "persistentvolume-binder",
    kind: Kind::PersistentVolumeClaim,
    watches: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume, Kind::StorageClass],
    on_change,
    reconcile,
    period: |_| None,
    workers: 1,
    wants_failures: false,
    forget: |_| {},
};

/// Who its events say that they come from.
const SOURCE: &str = "persistentvolume-controller";
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
const PROVISIONER: &str = "rancher.io/local-path";

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    let meta = change.new.metadata();
    match &change.new {
        Object::PersistentVolumeClaim(claim) => {
            keys.add(meta.id);
            let volume = cx.view.id_of(Kind::PersistentVolume, "", &claim.spec().volume_name);
            volume.into_iter().for_each(|id| keys.add(id));
        }
        Object::PersistentVolume(_) => {
            keys.add(meta.id);
            cx.view.ids(Kind::PersistentVolumeClaim).for_each(|id| keys.add(id));
        }
        Object::StorageClass(_) => cx.view.ids(Kind::PersistentVolumeClaim).for_each(|id| keys.add(id)),
        _ => {}
    }
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    match cx.view.object(id) {
        Some(Object::PersistentVolumeClaim(claim)) => sync_claim(cx, claim),
        Some(Object::PersistentVolume(volume)) => sync_volume(cx, volume),
        _ => Outcome::idle("gone"),
    }
}

fn acted(decision: &'static str, writes: Vec<Write>) -> Outcome {
    Outcome { writes, note: Note { observed: Vec::new(), decision: decision.into() }, ..Outcome::default() }
}

/// Upstream: `syncUnboundClaim`.
fn sync_claim(cx: &Cx, claim: &Rc<PersistentVolumeClaim>) -> Outcome {
    let spec = claim.spec();
    if claim.metadata.is_deleting() || &*claim.status().phase == "Bound" {
        return Outcome::idle("nothing to do");
    }
    let class = match &spec.storage_class_name {
        Some(name) => name.clone(),
        None => match default_class(cx) {
            Some(class) => class.metadata.name.clone(),
            None if cx.view.ids(Kind::StorageClass).next().is_none() => {
                return acted("make the default class", vec![Write::Create(standard_class(), None)]);
            }
            None => Str::default(),
        },
    };
    if let Some(volume) = free_volume(cx, claim, &spec, &class) {
        let mut volume = (**volume).clone();
        claim_volume(&mut volume, claim);
        let bound = bind(claim, &volume, &class);
        return acted("bind to a volume", [write_volume(volume), bound].concat());
    }
    let found = cx.view.find::<StorageClass>("", &class);
    let provisioner: Str = found.map(|class| kept(&class.rest, "provisioner")).unwrap_or_default();
    let id = claim.metadata.id;
    match found {
        Some(found) if &*provisioner != "kubernetes.io/no-provisioner" => {
            let volume = new_volume(claim, &spec, found, &provisioner);
            let text = format!("Successfully provisioned volume {}", volume.metadata.name);
            let mut writes = bind(claim, &volume, &class);
            writes.insert(0, Write::Create(volume.into_object(), None));
            writes.push(Write::Event(EventDraft::normal(PROVISIONER, id, "ProvisioningSucceeded", text)));
            acted("make a volume", writes)
        }
        _ => {
            let (is_warning, reason, text) = match (&*class, found) {
                ("", _) => {
                    let text = "no persistent volumes available for this claim and no storage class is set";
                    (false, "FailedBinding", text.to_string())
                }
                (_, Some(_)) => (
                    false,
                    "WaitForFirstConsumer",
                    "waiting for first consumer to be created before binding".into(),
                ),
                (name, None) => {
                    let text = format!("storageclass.storage.k8s.io \"{name}\" not found");
                    (true, "ProvisioningFailed", text)
                }
            };
            let draft = EventDraft { is_warning, ..EventDraft::normal(SOURCE, id, reason, text) };
            acted("wait for a volume", vec![Write::Event(draft)])
        }
    }
}

fn default_class<'a>(cx: &Cx<'a>) -> Option<&'a Rc<StorageClass>> {
    cx.view.list::<StorageClass>().find(|class| class.metadata.annotation(DEFAULT) == Some("true"))
}

fn standard_class() -> Object {
    let mut metadata = ObjectMeta::named("", "standard");
    metadata.set_annotation(DEFAULT, "true");
    let mut class = StorageClass { metadata, ..StorageClass::default() };
    keep(&mut class.rest, "provisioner", &Str::fixed(PROVISIONER));
    class.into_object()
}

fn storage(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// The smallest volume that nobody has, of the class and large enough.
fn free_volume<'a>(
    cx: &Cx<'a>,
    claim: &PersistentVolumeClaim,
    wanted: &ClaimSpec,
    class: &str,
) -> Option<&'a Rc<PersistentVolume>> {
    let request = wanted.resources.requests.get("storage").map_or(0, |size| size.value());
    let fits = |volume: &&Rc<PersistentVolume>| {
        let spec: Value = kept(&volume.rest, "spec");
        let owner = &spec["claimRef"];
        let is_reserved =
            owner["name"] == *claim.metadata.name && owner["namespace"] == *claim.metadata.namespace;
        let is_free = owner.is_null() || (is_reserved && owner["uid"].as_str().is_none_or(str::is_empty));
        let modes = spec["accessModes"].as_array();
        let has_mode = |mode: &Str| modes.is_some_and(|modes| modes.iter().any(|has| *has == **mode));
        let size = storage(&spec["capacity"]["storage"]).map_or(0, |size| size.value());
        let of_class = spec["storageClassName"].as_str().unwrap_or("") == class;
        let is_named = wanted.volume_name.is_empty() || wanted.volume_name == volume.metadata.name;
        is_free && is_named && of_class && size >= request && wanted.access_modes.iter().all(has_mode)
    };
    let mut free: Vec<_> = cx.view.list::<PersistentVolume>().filter(fits).gather();
    order::sort_by_key(&mut free, |volume| {
        let spec: Value = kept(&volume.rest, "spec");
        storage(&spec["capacity"]["storage"]).map_or(0, |size| size.value())
    });
    free.first().copied()
}

/// Upstream: `provisionClaimOperation`.
fn new_volume(
    claim: &PersistentVolumeClaim,
    wanted: &ClaimSpec,
    class: &StorageClass,
    provisioner: &str,
) -> PersistentVolume {
    let name = format!("pvc-{}", claim.metadata.uid);
    let mut metadata = ObjectMeta::named("", &name);
    metadata.set_annotation("pv.kubernetes.io/provisioned-by", provisioner);
    let reclaim: Str = kept(&class.rest, "reclaimPolicy");
    let size = wanted.resources.requests.get("storage").map(ToString::to_string).unwrap_or_default();
    let mut volume = PersistentVolume { metadata, ..PersistentVolume::default() };
    let spec = json!({
        "capacity": { "storage": size },
        "accessModes": wanted.access_modes.write_always(),
        "persistentVolumeReclaimPolicy": if reclaim.is_empty() { "Delete" } else { &*reclaim },
        "storageClassName": &*class.metadata.name,
        "volumeMode": "Filesystem",
        "hostPath": { "path": format!("/var/local-path-provisioner/{name}"), "type": "DirectoryOrCreate" },
    });
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
    volume.metadata.resource_version = 0;
}

fn write_volume(volume: PersistentVolume) -> Vec<Write> {
    let object = volume.into_object();
    vec![Write::Update(object.clone(), Scope::Main), Write::Update(object, Scope::Status)]
}

/// The claim with its volume.
///
/// Upstream: `bindClaimToVolume`, `updateClaimStatus`.
fn bind(claim: &PersistentVolumeClaim, volume: &PersistentVolume, class: &str) -> Vec<Write> {
    let mut bound = claim.clone();
    bound.metadata.resource_version = 0;
    for key in ["bind-completed", "bound-by-controller"] {
        bound.metadata.set_annotation(&format!("pv.kubernetes.io/{key}"), "yes");
    }
    let of_volume: Value = kept(&volume.rest, "spec");
    let mut spec: Value = kept(&bound.rest, "spec");
    spec["volumeName"] = (*volume.metadata.name).into();
    spec["storageClassName"] = class.into();
    keep(&mut bound.rest, "spec", &spec);
    let status = json!({ "phase": "Bound", "accessModes": of_volume["accessModes"], "capacity": of_volume["capacity"] });
    keep(&mut bound.rest, "status", &status);
    let object = bound.into_object();
    vec![Write::Update(object.clone(), Scope::Main), Write::Update(object, Scope::Status)]
}

/// Upstream: `syncVolume`, `reclaimVolume`.
fn sync_volume(cx: &Cx, volume: &Rc<PersistentVolume>) -> Outcome {
    let (spec, status): (Value, Value) = (kept(&volume.rest, "spec"), kept(&volume.rest, "status"));
    let owner = &spec["claimRef"];
    let word = |key: &str| owner[key].as_str().unwrap_or_default();
    let claim = cx.view.find::<PersistentVolumeClaim>(word("namespace"), word("name"));
    let is_there = claim.is_some_and(|claim| claim.metadata.uid.to_string() == word("uid"));
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
