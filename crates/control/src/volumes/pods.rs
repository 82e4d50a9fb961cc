//! The claims and volumes of a pod, and what the parts of a cluster call a volume.
//!
//! Upstream: pkg/volume/util/util.go, pkg/volume/csi/csi_plugin.go (`GetVolumeName`).

use serde_json::Value;
use setpoint_api::wire::peek;
use setpoint_api::{Node, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, Store};
use std::rc::Rc;

/// The volumes of a pod that are claimed: their names in the pod, each with that of its claim.
pub fn claims(spec: &PodSpec) -> impl Iterator<Item = (&str, &str)> {
    let volumes = spec.rest.as_deref().and_then(|rest| rest.get("volumes")?.as_array());
    volumes.into_iter().flatten().filter_map(|volume| {
        Some((volume["name"].as_str()?, volume.get("persistentVolumeClaim")?["claimName"].as_str()?))
    })
}

/// Whether a pod has such volumes.
pub fn has_claims(pod: &Pod) -> bool {
    claims(&pod.spec).next().is_some()
}

/// Pending, Bound or Lost; nothing as long as nobody has looked at a claim.
pub fn phase(claim: &PersistentVolumeClaim) -> &str {
    peek(&claim.rest, "status")["phase"].as_str().unwrap_or_default()
}

/// The volume that a claim is bound to.
pub fn volume_of<'a>(view: &'a Store, namespace: &str, claim: &str) -> Option<&'a Rc<PersistentVolume>> {
    let claim = view.find::<PersistentVolumeClaim>(namespace, claim)?;
    if phase(claim) != "Bound" {
        return None;
    }
    view.find::<PersistentVolume>("", &claim.spec().volume_name)
}

/// What nodes and the attach/detach controller call a volume that must be attached; `None` for one that every node reaches
/// by itself.
pub fn unique_name(volume: &PersistentVolume) -> Option<String> {
    let spec = peek(&volume.rest, "spec");
    let csi = spec.get("csi")?;
    let (driver, handle) = (csi["driver"].as_str()?, csi["volumeHandle"].as_str()?);
    Some(format!("kubernetes.io/csi/{driver}^{handle}"))
}

/// Whether only one node at a time may have a volume.
pub fn is_exclusive(volume: &PersistentVolume) -> bool {
    let spec = peek(&volume.rest, "spec");
    let modes = spec["accessModes"].as_array();
    !modes.into_iter().flatten().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany")
}

/// Names of the volumes that are attached to a node, as its status says.
pub fn attached(node: &Node) -> Vec<String> {
    let list = peek(&node.status.rest, "volumesAttached");
    let names = list.as_array().into_iter().flatten().filter_map(|volume| volume["name"].as_str());
    names.map(str::to_string).collect()
}

/// Names of the volumes that the kubelet of a node says that it uses.
pub fn in_use(node: &Node) -> Vec<String> {
    let list = peek(&node.status.rest, "volumesInUse");
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}
