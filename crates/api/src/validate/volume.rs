//! Volumes and where they are mounted.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateVolumes`, `validateVolumeSource`, `ValidateVolumeMounts`.
//! Simplified: bundles of trust and certificates among projected sources are taken as right.

use super::cause::{Errors, Path};
use super::container::Volumes;
use super::environment::{VOLUME_FIELDS, container_resource, pod_field};
use super::tree::{at, get, is_true, items, number, text};
use crate::ObjectMeta;
use crate::map::Set;
use crate::names::{is_dns1123_label, is_dns1123_subdomain};
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
    checked("secret", &["secretName"], keys),
    checked("nfs", &["server", "path"], absolute),
    checked("iscsi", &["targetPortal", "iqn"], iscsi),
    simple("glusterfs", &["endpoints", "path"]),
    checked("flocker", &[], flocker),
    simple("persistentVolumeClaim", &["claimName"]),
    simple("rbd", &["monitors", "image"]),
    checked("cinder", &["volumeID"], secret_name),
    simple("cephfs", &["monitors"]),
    checked("quobyte", &[], quobyte),
    checked("downwardAPI", &[], |source, path, errors| {
        mode(source, "defaultMode", path, errors);
        items(source, "items").iter().for_each(|file| pod_file(file, path, errors));
    }),
    checked("fc", &[], fibre_channel),
    checked("flexVolume", &["driver"], options),
    checked("configMap", &["name"], keys),
    simple("azureFile", &["secretName", "shareName"]),
    simple("vsphereVolume", &["volumePath"]),
    simple("photonPersistentDisk", &["pdID"]),
    simple("portworxVolume", &["volumeID"]),
    checked("azureDisk", &["diskName", "diskURI"], azure_disk),
    checked("storageos", &[], storage_os),
    checked("projected", &[], projected),
    simple("scaleIO", &["gateway", "system", "volumeName"]),
    checked("csi", &[], |source, path, errors| {
        driver(text(source, "driver"), &path.child("driver"), errors);
        secret_name_at(source, "nodePublishSecretRef", path, errors);
    }),
    checked("ephemeral", &[], |source, path, errors| match get(source, "volumeClaimTemplate") {
        None => errors.required(&path.child("volumeClaimTemplate"), ""),
        Some(template) => {
            let path = path.child("volumeClaimTemplate");
            let meta: ObjectMeta = super::tree::read(at(template, "metadata"));
            super::meta::annotations(&meta.annotations, &path.child("metadata").child("annotations"), errors);
            super::meta::labels(&meta.labels, &path.child("metadata").child("labels"), errors);
            super::storage::claim_spec(at(template, "spec"), &path.child("spec"), errors);
        }
    }),
    checked("image", &["reference"], |source, path, errors| {
        super::tree::one_of(source, "pullPolicy", &["Always", "IfNotPresent", "Never"], path, errors);
    }),
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
    checked("quobyte", &[], quobyte),
    simple("cephfs", &["monitors"]),
    checked("iscsi", &["targetPortal", "iqn"], iscsi),
    checked("cinder", &["volumeID"], |source, path, errors| {
        secret_in(source, "secretRef", path, errors);
    }),
    checked("fc", &[], fibre_channel),
    checked("flexVolume", &["driver"], options),
    simple("azureFile", &["secretName", "shareName"]),
    simple("vsphereVolume", &["volumePath"]),
    simple("photonPersistentDisk", &["pdID"]),
    simple("portworxVolume", &["volumeID"]),
    checked("azureDisk", &["diskName", "diskURI"], azure_disk),
    simple("scaleIO", &["gateway", "system", "volumeName"]),
    checked("local", &["path"], |source, path, errors| {
        no_backsteps(text(source, "path"), &path.child("path"), errors);
    }),
    checked("storageos", &[], |source, path, errors| {
        storage_os_name(source, path, errors);
        secret_in(source, "secretRef", path, errors);
    }),
    checked("csi", &[], persistent_csi),
];

/// The volumes of a pod; yields the names of those that are right.
pub(super) fn volumes<'a>(list: Option<&'a Value>, path: &Path, errors: &mut Errors) -> Volumes<'a> {
    let mut names = Volumes::new();
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
        if names.contains_key(name) {
            errors.duplicate(&at.child("name"), name, "");
        }
        if errors.count() == before {
            let is_claim =
                ["persistentVolumeClaim", "ephemeral"].iter().any(|key| get(volume, key).is_some());
            names.insert(name, is_claim);
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

/// Keys of a ConfigMap or Secret as files.
fn keys(source: &Value, path: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", path, errors);
    for (index, file) in items(source, "items").iter().enumerate() {
        let at = path.child("items");
        key(file, &at.index(index), errors);
    }
}

fn key(file: &Value, path: &Path, errors: &mut Errors) {
    for key in ["key", "path"] {
        if text(file, key).is_empty() {
            errors.required(&path.child(key), "");
        }
    }
    inside(text(file, "path"), &path.child("path"), errors);
    mode(file, "mode", path, errors);
}

/// A field of the pod as a file. Upstream does not say which of the files it is.
fn pod_file(file: &Value, path: &Path, errors: &mut Errors) {
    if text(file, "path").is_empty() {
        errors.required(&path.child("path"), "");
    }
    inside(text(file, "path"), &path.child("path"), errors);
    match (get(file, "fieldRef"), get(file, "resourceFieldRef")) {
        (Some(field), other) => {
            pod_field(field, &VOLUME_FIELDS, &path.child("fieldRef"), errors);
            if other.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(path, "resource", detail);
            }
        }
        (None, Some(resource)) => {
            container_resource(resource, true, &path.child("resourceFieldRef"), errors);
        }
        (None, None) => errors.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(file, "mode", path, errors);
}

fn mode(value: &Value, key: &str, path: &Path, errors: &mut Errors) {
    if let Some(mode) = number(value, key).filter(|mode| !(0..=0o777).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(&path.child(key), mode, detail);
    }
}

fn projected(source: &Value, path: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", path, errors);
    let mut places = Set::new();
    for (index, part) in items(source, "sources").iter().enumerate() {
        let at = path.child("sources");
        let at = at.index(index);
        let mut given = 0;
        let mut once = |file: &Value, name: &str, errors: &mut Errors| {
            let place = text(file, "path").to_owned();
            if !place.is_empty() && !places.insert(place) {
                errors.invalid(path, name, "conflicting duplicate paths");
            }
        };
        for kind in ["secret", "configMap"] {
            let Some(value) = get(part, kind) else { continue };
            given += 1;
            let (at, name) = (at.child(kind), text(value, "name"));
            if name.is_empty() {
                errors.required(&at.child("name"), "");
            }
            for (index, file) in items(value, "items").iter().enumerate() {
                key(file, &at.child("items").index(index), errors);
                once(file, name, errors);
            }
        }
        if let Some(value) = get(part, "downwardAPI") {
            given += 1;
            for file in items(value, "items") {
                pod_file(file, &at.child("downwardAPI"), errors);
                once(file, text(file, "path"), errors);
            }
        }
        if let Some(token) = get(part, "serviceAccountToken") {
            given += 1;
            self::token(token, &at.child("serviceAccountToken"), path, errors);
        }
        given +=
            ["clusterTrustBundle", "podCertificate"].iter().filter(|key| get(part, key).is_some()).count();
        if given > 1 {
            errors.forbidden(&at, "may not specify more than 1 volume type per source");
        }
    }
}

/// A token of the pod's account. The place of its file is told at the volume.
fn token(token: &Value, path: &Path, volume: &Path, errors: &mut Errors) {
    if let Some(seconds) = number(token, "expirationSeconds") {
        token_life(seconds, &path.child("expirationSeconds"), errors);
    }
    match text(token, "path") {
        "" => errors.required(&volume.child("path"), ""),
        place => inside(place, &volume.child("path"), errors),
    }
}

/// How long a token is good for.
pub(super) fn token_life(seconds: i64, path: &Path, errors: &mut Errors) {
    if seconds < 600 {
        errors.invalid(path, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > 1 << 32 {
        errors.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds");
    }
}

/// `example.com`, the name of a driver.
pub(super) fn driver(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.required(path, "");
    }
    if name.len() > 63 {
        errors.too_long(path, 63);
    }
    errors.problems(path, name, is_dns1123_subdomain(&name.to_ascii_lowercase()));
}

fn persistent_csi(source: &Value, path: &Path, errors: &mut Errors) {
    driver(text(source, "driver"), &path.child("driver"), errors);
    if text(source, "volumeHandle").is_empty() {
        errors.required(&path.child("volumeHandle"), "");
    }
    for key in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let Some(secret) = get(source, key) else { continue };
        let at = path.child(key);
        for (key, problems) in
            [("name", is_dns1123_subdomain as fn(&str) -> Vec<String>), ("namespace", is_dns1123_label)]
        {
            match text(secret, key) {
                "" => errors.required(&at.child(key), ""),
                name => errors.problems(&at.child(key), name, problems(name)),
            }
        }
    }
}

/// A Secret that is named must have a name.
fn secret_name(source: &Value, path: &Path, errors: &mut Errors) {
    secret_name_at(source, "secretRef", path, errors);
}

fn secret_name_at(source: &Value, key: &str, path: &Path, errors: &mut Errors) {
    if get(source, key).is_some_and(|secret| text(secret, "name").is_empty()) {
        errors.required(&path.child(key).child("name"), "");
    }
}

/// A Secret in a namespace.
fn secret_in(source: &Value, key: &str, path: &Path, errors: &mut Errors) {
    let Some(secret) = get(source, key) else { return };
    for part in ["name", "namespace"] {
        if text(secret, part).is_empty() {
            errors.required(&path.child(key).child(part), "");
        }
    }
}

fn storage_os(source: &Value, path: &Path, errors: &mut Errors) {
    storage_os_name(source, path, errors);
    secret_name(source, path, errors);
}

fn storage_os_name(source: &Value, path: &Path, errors: &mut Errors) {
    for (key, is_needed) in [("volumeName", true), ("volumeNamespace", false)] {
        match text(source, key) {
            "" if is_needed => errors.required(&path.child(key), ""),
            "" => {}
            name => errors.problems(&path.child(key), name, is_dns1123_label(name)),
        }
    }
}

fn quobyte(source: &Value, path: &Path, errors: &mut Errors) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let (at, registry) = (path.child("registry"), text(source, "registry"));
    let is_pair = |pair: &str| pair.split_once(':').is_some_and(|(_, port)| !port.contains(':'));
    if registry.is_empty() {
        errors.required(&at, PAIRS);
    } else {
        for _ in registry.split(',').filter(|pair| !is_pair(pair)) {
            errors.invalid(&at, registry, PAIRS);
        }
    }
    if text(source, "volume").is_empty() {
        errors.required(&path.child("volume"), "");
    }
}

/// Options of a driver, which may not be Kubernetes' own.
fn options(source: &Value, path: &Path, errors: &mut Errors) {
    for key in at(source, "options").as_object().into_iter().flatten().map(|(key, _)| key) {
        let domain = key.split_once('/').map_or(&**key, |(domain, _)| domain);
        let domain = format!(".{}", domain.to_ascii_lowercase());
        if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
            let detail = "kubernetes.io and k8s.io namespaces are reserved";
            errors.invalid(&path.child("options").key(key), &**key, detail);
        }
    }
}

fn azure_disk(source: &Value, path: &Path, errors: &mut Errors) {
    super::tree::one_of(source, "cachingMode", &["None", "ReadOnly", "ReadWrite"], path, errors);
    super::tree::one_of(source, "kind", &["Dedicated", "Managed", "Shared"], path, errors);
    let Some(kind) = at(source, "kind").as_str() else { return };
    let (start, form) = match kind {
        "Managed" => (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ),
        _ => ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
    };
    let place = text(source, "diskURI");
    if !place.starts_with(start) {
        errors.not_supported(&path.child("diskURI"), place, &[form]);
    }
}

/// A path inside of something that leads out in no way.
fn inside(place: &str, path: &Path, errors: &mut Errors) {
    descending(place, path, errors);
    if place.starts_with("..") && !place.starts_with("../") {
        errors.invalid(path, place, "must not start with '..'");
    }
}

/// A path inside of something: relative, and never up.
pub(super) fn descending(place: &str, path: &Path, errors: &mut Errors) {
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
    devices: &[Value],
    volumes: &Volumes,
    privileged: bool,
    path: &Path,
    errors: &mut Errors,
) {
    let mut places = Set::new();
    let is_device = |key: &str, value: &str| devices.iter().any(|device| text(device, key) == value);
    for (index, mount) in mounts.iter().enumerate() {
        let at = path.index(index);
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            errors.required(&at.child("name"), "");
        }
        if !volumes.contains_key(name) {
            errors.not_found(&at.child("name"), name, "");
        }
        if place.is_empty() {
            errors.required(&at.child("mountPath"), "");
        }
        if !places.insert(place) {
            errors.invalid(&at.child("mountPath"), place, "must be unique");
        }
        if is_device("name", name) {
            errors.invalid(&at.child("name"), name, "must not already exist in volumeDevices");
        }
        if is_device("devicePath", place) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.invalid(&at.child("mountPath"), place, detail);
        }
        descending(text(mount, "subPath"), &path.child("subPath"), errors);
        let expression = text(mount, "subPathExpr");
        if !expression.is_empty() && !text(mount, "subPath").is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&at.child("subPathExpr"), expression, detail);
        }
        descending(expression, &path.child("subPathExpr"), errors);
        let propagation = text(mount, "mountPropagation");
        let ways = ["Bidirectional", "HostToContainer", "None"];
        super::tree::one_of(mount, "mountPropagation", &ways, path, errors);
        if propagation == "Bidirectional" && !privileged {
            let detail = "Bidirectional mount propagation is available only to privileged containers";
            errors.forbidden(&path.child("mountPropagation"), detail);
        }
        let at = path.child("recursiveReadOnly");
        match super::tree::at(mount, "recursiveReadOnly").as_str() {
            None | Some("Disabled") => {}
            Some("Enabled" | "IfPossible") => {
                if !is_true(mount, "readOnly") {
                    errors.forbidden(&at, "may only be specified when readOnly is true");
                }
                if !matches!(propagation, "" | "None") {
                    let detail = "may only be specified when mountPropagation is None or not specified";
                    errors.forbidden(&at, detail);
                }
            }
            Some(other) => errors.not_supported(&at, other, &["Disabled", "Enabled", "IfPossible"]),
        }
    }
}

/// Block devices that a container is given: claims, each once.
pub(super) fn devices(
    devices: &[Value],
    mounts: &[Value],
    volumes: &Volumes,
    path: &Path,
    errors: &mut Errors,
) {
    let (mut names, mut places) = (Set::new(), Set::new());
    let is_mount = |key: &str, value: &str| mounts.iter().any(|mount| text(mount, key) == value);
    for (index, device) in devices.iter().enumerate() {
        let at = path.index(index);
        let (at_name, at_path) = (at.child("name"), at.child("devicePath"));
        let (name, place) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            errors.required(&at_name, "");
        } else if !names.insert(name) {
            errors.invalid(&at_name, name, "must be unique");
        }
        match volumes.get(name) {
            Some(true) => {}
            Some(false) => {
                let detail =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.invalid(&at_name, name, detail);
            }
            None => errors.not_found(&at_name, name, ""),
        }
        if place.is_empty() {
            errors.required(&at_path, "");
        }
        if place.split('/').any(|step| step == "..") {
            errors.invalid(&at_path, place, "can not contain backsteps ('..')");
        } else if !places.insert(place) {
            errors.invalid(&at_path, place, "must be unique");
        }
        if is_mount("name", name) {
            errors.invalid(&at_name, name, "must not already exist in volumeMounts");
        }
        if is_mount("mountPath", place) {
            errors.invalid(&at_path, place, "must not already exist as a path in volumeMounts");
        }
    }
}
