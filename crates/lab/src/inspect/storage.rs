//! Claims and volumes: who has which, or what a claim still waits for.

use super::parts::{links, owners, row, row_if};
use super::{Inspection, Tone};
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::wire::kept;
use setpoint_api::{
    Event, Kind, ObjId, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, StorageClass, Str, Time,
    VolumeAttachment,
};
use setpoint_sim::Sim;
use std::rc::Rc;

/// The claims that a pod uses, in the order of its volumes.
pub(crate) fn claims_of(spec: &PodSpec) -> Vec<Str> {
    setpoint_control::volumes::pods::claims(spec).map(|(_, claim)| Str::from(claim)).collect()
}

/// How a claim stands: bound with its size, or waiting.
pub(crate) fn claim_state(of: &PersistentVolumeClaim) -> (Tone, Rc<str>) {
    let status = of.status();
    let size = status.capacity.get("storage").map_or_else(String::new, |size| format!(" {size}"));
    match &*status.phase {
        "Bound" => (Tone::Good, format!("Bound{size}").into()),
        "" => (Tone::Busy, "Pending".into()),
        "Lost" => (Tone::Bad, "Lost".into()),
        phase => (Tone::Busy, phase.into()),
    }
}

/// Where a volume is attached, or is on its way to or from.
fn attachments<'a>(
    sim: &'a Sim,
    volume: &'a str,
) -> impl Iterator<Item = (&'a Rc<VolumeAttachment>, String)> {
    sim.store().list::<VolumeAttachment>().filter_map(move |attachment| {
        let spec: Value = kept(&attachment.rest, "spec");
        if spec["source"]["persistentVolumeName"] != *volume {
            return None;
        }
        let status: Value = kept(&attachment.rest, "status");
        let verb = match (attachment.metadata.is_deleting(), status["attached"] == true) {
            (true, _) => "detaching from",
            (_, true) => "attached to",
            _ => "attaching to",
        };
        Some((attachment, format!("{verb} {}", spec["nodeName"].as_str().unwrap_or_default())))
    })
}

/// Where the volume of a claim is attached, in words; empty if it is nowhere.
pub(crate) fn attached(sim: &Sim, claim: &PersistentVolumeClaim) -> String {
    // Most clusters have no volumes that must be attached.
    if sim.store().ids(Kind::VolumeAttachment).next().is_none() {
        return String::new();
    }
    attachments(sim, &claim.spec().volume_name).map(|(_, words)| words).gather().join(", ")
}

/// The last thing that was said about an object.
pub(crate) fn last_said(sim: &Sim, of: ObjId) -> Option<Rc<str>> {
    let at = |event: &&&Rc<Event>| -> Option<Time> {
        event.last_timestamp.or(event.event_time.map(|time| time.0))
    };
    let events = sim.events_about(of);
    events.iter().max_by_key(at).map(|event| event.message.clone().into())
}

/// Fills in what is particular to claims.
pub(super) fn claim(sim: &Sim, of: &PersistentVolumeClaim, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let is_bound = &*status.phase == "Bound";
    let size = |list: &setpoint_api::ResourceList| {
        list.get("storage").map_or_else(|| "none".to_string(), ToString::to_string)
    };
    let class = match &spec.storage_class_name {
        None => "the default class".to_string(),
        Some(class) if class.is_empty() => "no class: only a volume that is there".to_string(),
        Some(class) => class.to_string(),
    };
    page.owners = owners(sim, &of.metadata);
    let modes = |modes: &[Str]| modes.iter().map(|mode| &**mode).gather().join(", ");
    page.rows = vec![
        row_if(
            !is_bound,
            "phase",
            &"Bound",
            if status.phase.is_empty() { &"Pending" } else { &status.phase },
        ),
        row_if(!is_bound, "size", &size(&spec.resources.requests), &size(&status.capacity)),
        row_if(!is_bound, "access", &modes(&spec.access_modes), &modes(&status.access_modes)),
        row("class", &"", &class),
        row_if(
            !is_bound,
            "volume",
            &"one that fits, or a new one",
            &(if spec.volume_name.is_empty() { "none yet" } else { &*spec.volume_name }),
        ),
    ];
    let at = attached(sim, of);
    if !at.is_empty() {
        let wanted = "where its pod is";
        page.rows.push(row_if(!at.starts_with("attached"), "node", &wanted, &at));
    }
    if !is_bound && let Some(why) = last_said(sim, of.metadata.id) {
        page.rows.push(row_if(true, "waits", &"", &why));
    }
    let users = sim.store().list_in::<Pod>(&of.metadata.namespace);
    let users = users.filter(|pod| claims_of(&pod.spec).contains(&of.metadata.name));
    page.children = links(sim, users.filter_map(|pod| sim.store().object(pod.metadata.id)));
    let volume = sim.store().find::<PersistentVolume>("", &spec.volume_name);
    page.children
        .extend(links(sim, volume.and_then(|volume| sim.store().object(volume.metadata.id)).into_iter()));
}

/// How a volume stands.
pub(super) fn volume_state(of: &PersistentVolume) -> (Tone, Rc<str>) {
    let status: Value = kept(&of.rest, "status");
    let phase = status["phase"].as_str().unwrap_or("Pending");
    let tone = match phase {
        "Bound" => Tone::Good,
        "Available" | "Released" => Tone::Plain,
        "Failed" => Tone::Bad,
        _ => Tone::Busy,
    };
    (tone, phase.into())
}

/// Fills in what is particular to volumes.
pub(super) fn volume(sim: &Sim, of: &PersistentVolume, page: &mut Inspection) {
    let (spec, status): (Value, Value) = (kept(&of.rest, "spec"), kept(&of.rest, "status"));
    let word = |value: &Value, other: &str| {
        value.as_str().filter(|text| !text.is_empty()).unwrap_or(other).to_string()
    };
    let owner = &spec["claimRef"];
    let (namespace, name) = (word(&owner["namespace"], ""), word(&owner["name"], ""));
    page.rows = vec![
        row("phase", &"", &word(&status["phase"], "Pending")),
        row("size", &"", &word(&spec["capacity"]["storage"], "none")),
        row("class", &"", &word(&spec["storageClassName"], "none")),
        row(
            "claimed by",
            &"",
            &if name.is_empty() { "nobody".to_string() } else { format!("{namespace}/{name}") },
        ),
        row("when the claim is gone", &"", &word(&spec["persistentVolumeReclaimPolicy"], "Retain")),
    ];
    let attached: Vec<_> = attachments(sim, &of.metadata.name).gather();
    let words = attached.iter().map(|(_, words)| &**words).gather().join(", ");
    page.rows.push(row("node", &"", &(if words.is_empty() { "attached nowhere" } else { &*words })));
    let claim = sim.store().find::<PersistentVolumeClaim>(&namespace, &name);
    page.children = links(sim, claim.and_then(|claim| sim.store().object(claim.metadata.id)).into_iter());
}

/// Fills in what is particular to attachments of volumes.
pub(super) fn attachment(sim: &Sim, of: &VolumeAttachment, page: &mut Inspection) {
    let (spec, status): (Value, Value) = (kept(&of.rest, "spec"), kept(&of.rest, "status"));
    let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let (volume, node) = (word(&spec["source"]["persistentVolumeName"]), word(&spec["nodeName"]));
    let is_attached = status["attached"] == true;
    page.rows = vec![
        row("volume", &"", &volume),
        row("node", &"", &node),
        row_if(!is_attached, "attached", &"yes", &super::parts::yes_no(is_attached)),
        row("driver", &"", &word(&spec["attacher"])),
    ];
    let ids = [(Kind::PersistentVolume, volume), (Kind::Node, node)];
    let ids = ids.into_iter().filter_map(|(kind, name)| sim.store().id_of(kind, "", &name));
    page.children = links(sim, ids.filter_map(|id| sim.store().object(id)));
}

/// Fills in what is particular to classes of storage.
pub(super) fn class(of: &StorageClass, page: &mut Inspection) {
    let word = |key: &str, other: &str| {
        let text: Str = kept(&of.rest, key);
        if text.is_empty() { other.to_string() } else { text.to_string() }
    };
    let is_default = of.metadata.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    page.rows = vec![
        row("provisioner", &"", &word("provisioner", "none")),
        row("when the claim is gone", &"", &word("reclaimPolicy", "Delete")),
        row("binds", &"", &word("volumeBindingMode", "Immediate")),
        row("default", &"", &super::parts::yes_no(is_default)),
    ];
}
