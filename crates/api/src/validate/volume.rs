//! Volumes and where they are mounted. The simulator keeps volumes as they come; their names and sources are checked.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateVolumes`, `ValidateVolumeMounts`.
//! Simplified: of the sources only the names of what they point at are checked.

use super::cause::{Errors, Path};
use super::container::Volumes;
use super::pod_spec::{items, text};
use crate::map::Set;
use crate::names::is_dns1123_label;
use serde_json::Value;

/// Kinds of source, in upstream's order; with the field that must be set.
const SOURCES: [(&str, &str); 27] = [
    ("emptyDir", ""),
    ("hostPath", "path"),
    ("gitRepo", "repository"),
    ("gcePersistentDisk", "pdName"),
    ("awsElasticBlockStore", "volumeID"),
    ("secret", "secretName"),
    ("nfs", "server"),
    ("iscsi", "targetPortal"),
    ("glusterfs", "endpoints"),
    ("flocker", ""),
    ("persistentVolumeClaim", "claimName"),
    ("rbd", ""),
    ("cinder", "volumeID"),
    ("cephfs", ""),
    ("quobyte", ""),
    ("downwardAPI", ""),
    ("fc", ""),
    ("azureFile", "secretName"),
    ("vsphereVolume", "volumePath"),
    ("configMap", "name"),
    ("portworxVolume", "volumeID"),
    ("azureDisk", "diskName"),
    ("storageos", ""),
    ("projected", ""),
    ("scaleIO", ""),
    ("csi", "driver"),
    ("image", ""),
];

/// The volumes of a pod; yields the names of those that are right.
pub(super) fn volumes<'a>(list: Option<&'a Value>, path: &Path, errors: &mut Errors) -> Volumes<'a> {
    let mut names = Set::new();
    for (index, volume) in items(list).iter().enumerate() {
        let at = path.index(index);
        let before = errors.count();
        source(volume, &at, errors);
        let name = text(volume.get("name"));
        if name.is_empty() {
            errors.required(&at.child("name"), "");
        } else {
            errors.problems(&at.child("name"), name, is_dns1123_label(name));
        }
        if names.contains(name) {
            errors.duplicate(&at.child("name"), name, "");
        }
        if errors.count() == before {
            names.insert(name);
        }
    }
    names
}

fn source(volume: &Value, path: &Path, errors: &mut Errors) {
    let mut is_first = true;
    for (key, needed) in SOURCES {
        let Some(source) = volume.get(key).filter(|source| !source.is_null()) else { continue };
        if !std::mem::take(&mut is_first) {
            errors.forbidden(&path.child(key), "may not specify more than 1 volume type");
        } else if !needed.is_empty() && text(source.get(needed)).is_empty() {
            errors.required(&path.child(key).child(needed), "");
        }
    }
    // A claim made for the pod has too many parts of its own to be checked here.
    let is_ephemeral = volume.get("ephemeral").is_some_and(|source| !source.is_null());
    if is_first && !is_ephemeral {
        errors.required(path, "must specify a volume type");
    }
}

/// Where a container mounts volumes.
pub(super) fn mounts(mounts: &[Value], volumes: &Volumes, path: &Path, errors: &mut Errors) {
    let mut places = Set::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at = path.index(index);
        let (name, place) = (text(mount.get("name")), text(mount.get("mountPath")));
        if name.is_empty() {
            errors.required(&at.child("name"), "");
        }
        if !volumes.contains(name) {
            errors.not_found(&at.child("name"), name);
        }
        if place.is_empty() {
            errors.required(&at.child("mountPath"), "");
        }
        if !places.insert(place) {
            errors.invalid(&at.child("mountPath"), place, "must be unique");
        }
    }
}
