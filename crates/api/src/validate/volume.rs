//! Volumes and where they are mounted.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateVolumes`, `validateVolumeSource`, `ValidateVolumeMounts`.
//! Simplified: of drivers that are no longer in the tree only what must be set is checked; projected sources only by kind.

use super::cause::{Errors, Path};
use super::container::Volumes;
use super::tree::{at, get, is_true, items, number, text};
use crate::map::Set;
use crate::names::is_dns1123_label;
use serde_json::Value;

/// A kind of source.
pub(super) struct Source {
    /// Its field.
    pub(super) name: &'static str,
    /// What upstream calls it in the paths of what is inside.
    path: &'static str,
    /// Texts or lists that must be there, in order.
    needs: &'static [&'static str],
    more: fn(&Value, &Path, &mut Errors),
}

const fn simple(name: &'static str, needs: &'static [&'static str]) -> Source {
    Source { name, path: name, needs, more: |_, _, _| {} }
}

const fn checked(
    name: &'static str,
    needs: &'static [&'static str],
    more: fn(&Value, &Path, &mut Errors),
) -> Source {
    Source { name, path: name, needs, more }
}

/// Sources of a pod's volumes, in upstream's order.
const OF_PODS: [Source; 31] = [
    checked("emptyDir", &[], empty_dir),
    checked("hostPath", &["path"], host_path),
    checked("gitRepo", &["repository"], |source, path, errors| {
        descending(text(source, "directory"), &path.child("directory"), errors);
    }),
    Source { path: "persistentDisk", ..checked("gcePersistentDisk", &["pdName"], partition) },
    checked("awsElasticBlockStore", &["volumeID"], partition),
    checked("secret", &["secretName"], files),
    checked("nfs", &["server", "path"], absolute),
    checked("iscsi", &["targetPortal", "iqn"], iscsi),
    simple("glusterfs", &["endpoints", "path"]),
    checked("flocker", &[], flocker),
    simple("persistentVolumeClaim", &["claimName"]),
    simple("rbd", &["monitors", "image"]),
    simple("cinder", &["volumeID"]),
    simple("cephfs", &["monitors"]),
    simple("quobyte", &["registry", "volume"]),
    checked("downwardAPI", &[], files),
    checked("fc", &[], fibre_channel),
    simple("flexVolume", &["driver"]),
    checked("configMap", &["name"], files),
    simple("azureFile", &["secretName", "shareName"]),
    simple("vsphereVolume", &["volumePath"]),
    simple("photonPersistentDisk", &["pdID"]),
    simple("portworxVolume", &["volumeID"]),
    simple("azureDisk", &["diskName", "diskURI"]),
    simple("storageos", &[]),
    checked("projected", &[], projected),
    simple("scaleIO", &["gateway", "system", "volumeName"]),
    simple("csi", &["driver"]),
    checked("ephemeral", &[], |source, path, errors| match get(source, "volumeClaimTemplate") {
        None => errors.required(&path.child("volumeClaimTemplate"), ""),
        Some(template) => {
            let path = path.child("volumeClaimTemplate");
            super::storage::claim_spec(at(template, "spec"), &path.child("spec"), errors);
        }
    }),
    simple("image", &["reference"]),
    simple("fileKeyRef", &[]),
];

/// Sources of PersistentVolumes, in upstream's order.
pub(super) const PERSISTENT: [Source; 22] = [
    checked("hostPath", &["path"], host_path),
    Source { path: "persistentDisk", ..checked("gcePersistentDisk", &["pdName"], partition) },
    checked("awsElasticBlockStore", &["volumeID"], partition),
    simple("glusterfs", &["endpoints", "path"]),
    checked("flocker", &[], flocker),
    checked("nfs", &["server", "path"], absolute),
    simple("rbd", &["monitors", "image"]),
    simple("quobyte", &["registry", "volume"]),
    simple("cephfs", &["monitors"]),
    checked("iscsi", &["targetPortal", "iqn"], iscsi),
    simple("cinder", &["volumeID"]),
    checked("fc", &[], fibre_channel),
    simple("flexVolume", &["driver"]),
    simple("azureFile", &["secretName", "shareName"]),
    simple("vsphereVolume", &["volumePath"]),
    simple("photonPersistentDisk", &["pdID"]),
    simple("portworxVolume", &["volumeID"]),
    simple("azureDisk", &["diskName", "diskURI"]),
    simple("scaleIO", &["gateway", "system", "volumeName"]),
    checked("local", &["path"], |source, path, errors| {
        no_backsteps(text(source, "path"), &path.child("path"), errors)
    }),
    simple("storageos", &[]),
    simple("csi", &["driver", "volumeHandle"]),
];

/// The volumes of a pod; yields the names of those that are right.
pub(super) fn volumes<'a>(list: Option<&'a Value>, path: &Path, errors: &mut Errors) -> Volumes<'a> {
    let mut names = Set::new();
    for (index, volume) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let at = path.index(index);
        let before = errors.count();
        source(volume, &OF_PODS, &at, errors);
        let name = text(volume, "name");
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

/// The one source that a volume must have.
pub(super) fn source(volume: &Value, sources: &[Source], path: &Path, errors: &mut Errors) {
    let mut is_first = true;
    for source in sources {
        let Some(value) = get(volume, source.name) else { continue };
        if !std::mem::take(&mut is_first) {
            errors.forbidden(&path.child(source.name), "may not specify more than 1 volume type");
            continue;
        }
        let at = path.child(source.path);
        for key in source.needs {
            let found = super::tree::at(value, key);
            let is_there = found.as_str().map_or(!found.is_null(), |text| !text.is_empty())
                && found.as_array().is_none_or(|list| !list.is_empty());
            if !is_there {
                errors.required(&at.child(key), "");
            }
        }
        (source.more)(value, &at, errors);
    }
    if is_first {
        errors.required(path, "must specify a volume type");
    }
}

fn empty_dir(source: &Value, path: &Path, errors: &mut Errors) {
    if super::tree::quantity(source, "sizeLimit").is_some_and(|limit| limit < crate::Quantity::ZERO) {
        errors.forbidden(&path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
}

fn host_path(source: &Value, path: &Path, errors: &mut Errors) {
    const TYPES: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    no_backsteps(text(source, "path"), &path.child("path"), errors);
    super::tree::one_of(source, "type", &TYPES, path, errors);
}

fn partition(source: &Value, path: &Path, errors: &mut Errors) {
    if let Some(number) = number(source, "partition").filter(|number| !(0..=255).contains(number)) {
        errors.invalid(&path.child("partition"), number, "must be between 1 and 255, inclusive");
    }
}

fn absolute(source: &Value, path: &Path, errors: &mut Errors) {
    let place = text(source, "path");
    if !place.starts_with('/') {
        errors.invalid(&path.child("path"), place, "must be an absolute path");
    }
}

fn iscsi(source: &Value, path: &Path, errors: &mut Errors) {
    let name = text(source, "iqn");
    if !name.is_empty() && !["iqn", "eui", "naa"].iter().any(|prefix| name.starts_with(prefix)) {
        errors.invalid(&path.child("iqn"), name, "must be valid format starting with iqn, eui, or naa");
    }
    if let Some(lun) = number(source, "lun").filter(|lun| !(0..=255).contains(lun)) {
        errors.invalid(&path.child("lun"), lun, "must be between 0 and 255, inclusive");
    }
    let wants_secret = is_true(source, "chapAuthDiscovery") || is_true(source, "chapAuthSession");
    if wants_secret && get(source, "secretRef").is_none() {
        errors.required(&path.child("secretRef"), "");
    }
}

fn flocker(source: &Value, path: &Path, errors: &mut Errors) {
    match (text(source, "datasetName"), text(source, "datasetUUID")) {
        ("", "") => errors.required(path, "one of datasetName and datasetUUID is required"),
        ("", _) => {}
        (name, uuid) => {
            if !uuid.is_empty() {
                let detail = "datasetName and datasetUUID can not be specified simultaneously";
                errors.invalid(path, "resource", detail);
            }
            if name.contains('/') {
                errors.invalid(&path.child("datasetName"), name, "must not contain '/'");
            }
        }
    }
}

fn fibre_channel(source: &Value, path: &Path, errors: &mut Errors) {
    let (names, ids) = (items(source, "targetWWNs"), items(source, "wwids"));
    let at = path.child("targetWWNs");
    match (names.is_empty(), ids.is_empty()) {
        (true, true) => errors.required(&at, "must specify either targetWWNs or wwids, but not both"),
        (false, false) => {
            let shown = super::tree::at(source, "targetWWNs");
            errors.invalid(&at, shown, "targetWWNs and wwids can not be specified simultaneously");
        }
        _ => {}
    }
    if names.is_empty() {
        return;
    }
    match number(source, "lun") {
        None => errors.required(&path.child("lun"), "lun is required if targetWWNs is specified"),
        Some(lun) if !(0..=255).contains(&lun) => {
            errors.invalid(&path.child("lun"), lun, "must be between 0 and 255, inclusive");
        }
        Some(_) => {}
    }
}

/// Files with their keys and modes.
fn files(source: &Value, path: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", path, errors);
    for (index, file) in items(source, "items").iter().enumerate() {
        let at = path.child("items");
        let at = at.index(index);
        let is_field = get(file, "fieldRef").is_some() || get(file, "resourceFieldRef").is_some();
        if !is_field && text(file, "key").is_empty() {
            errors.required(&at.child("key"), "");
        }
        let place = text(file, "path");
        if place.is_empty() {
            errors.required(&at.child("path"), "");
        }
        descending(place, &at.child("path"), errors);
        if place.starts_with("..") && !place.split('/').any(|step| step == "..") {
            errors.invalid(&at.child("path"), place, "must not start with '..'");
        }
        mode(file, "mode", &at, errors);
    }
}

fn mode(value: &Value, key: &str, path: &Path, errors: &mut Errors) {
    if let Some(mode) = number(value, key).filter(|mode| !(0..=0o777).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(&path.child(key), mode, detail);
    }
}

fn projected(source: &Value, path: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", path, errors);
    for (index, part) in items(source, "sources").iter().enumerate() {
        let at = path.child("sources");
        let at = at.index(index);
        let given: Vec<_> =
            part.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
        for (key, value) in &given {
            let at = at.child(key);
            if matches!(key.as_str(), "secret" | "configMap") && text(value, "name").is_empty() {
                errors.required(&at.child("name"), "");
            }
            files(value, &at, errors);
        }
        if given.len() > 1 {
            errors.forbidden(&at, "may not specify more than 1 volume type per source");
        }
    }
}

/// A path inside of something: relative, and never up.
fn descending(place: &str, path: &Path, errors: &mut Errors) {
    if place.starts_with('/') {
        errors.invalid(path, place, "must be a relative path");
    }
    no_backsteps(place, path, errors);
}

fn no_backsteps(place: &str, path: &Path, errors: &mut Errors) {
    if place.split('/').any(|step| step == "..") {
        errors.invalid(path, place, "must not contain '..'");
    }
}

/// Where a container mounts volumes.
pub(super) fn mounts(
    mounts: &[Value],
    volumes: &Volumes,
    privileged: bool,
    path: &Path,
    errors: &mut Errors,
) {
    let mut places = Set::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at = path.index(index);
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
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
        descending(text(mount, "subPath"), &path.child("subPath"), errors);
        let expression = text(mount, "subPathExpr");
        if !expression.is_empty() && !text(mount, "subPath").is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&at.child("subPathExpr"), expression, detail);
        }
        descending(expression, &path.child("subPathExpr"), errors);
        super::tree::one_of(
            mount,
            "mountPropagation",
            &["Bidirectional", "HostToContainer", "None"],
            path,
            errors,
        );
        if text(mount, "mountPropagation") == "Bidirectional" && !privileged {
            let detail = "Bidirectional mount propagation is available only to privileged containers";
            errors.forbidden(&path.child("mountPropagation"), detail);
        }
    }
}

/// Block devices that a container is given: claims, each once.
pub(super) fn devices(devices: &[Value], volumes: &Volumes, path: &Path, errors: &mut Errors) {
    let (mut names, mut places) = (Set::new(), Set::new());
    for (index, device) in devices.iter().enumerate() {
        let at = path.index(index);
        let (name, place) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            errors.required(&at.child("name"), "");
        } else if !names.insert(name) {
            errors.invalid(&at.child("name"), name, "must be unique");
        }
        if !volumes.contains(name) {
            errors.not_found(&at.child("name"), name);
        }
        if place.is_empty() {
            errors.required(&at.child("devicePath"), "");
        } else if !places.insert(place) {
            errors.invalid(&at.child("devicePath"), place, "must be unique");
        }
    }
}
