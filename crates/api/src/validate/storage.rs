//! PersistentVolumes, PersistentVolumeClaims and StorageClasses.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidatePersistentVolume`, `ValidatePersistentVolumeClaimSpec`,
//! pkg/apis/storage/validation/validation.go.

use super::SPEC;
use super::cause::{Errors, Path, Raw};
use super::scheduling::node_selector;
use super::tree::{
    amounts, at, check_selector, get, immutable, items, one_of, quantity, read, text, top, words,
};
use super::volume::{PERSISTENT, source};
use crate::map::Set;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name};
use crate::wire::Wire;
use crate::{Object, Quantity};
use serde_json::Value;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

fn access_modes(spec: &Value, needed: &str, path: &Path, errors: &mut Errors) {
    let at = path.child("accessModes");
    if items(spec, "accessModes").is_empty() {
        errors.required(&at, needed);
    }
}

fn known_access_modes(spec: &Value, path: &Path, errors: &mut Errors) {
    let modes = words(spec, "accessModes");
    for mode in &modes {
        if !ACCESS_MODES.contains(mode) {
            errors.not_supported(&path.child("accessModes"), *mode, &ACCESS_MODES);
        }
    }
    if modes.contains(&"ReadWriteOncePod") && modes.len() > 1 {
        errors.forbidden(&path.child("accessModes"), "may not use ReadWriteOncePod with other access modes");
    }
}

fn class_name(spec: &Value, path: &Path, errors: &mut Errors) {
    let name = text(spec, "storageClassName");
    if !name.is_empty() {
        errors.problems(&path.child("storageClassName"), name, is_dns1123_subdomain(name));
    }
}

/// An amount of storage, more than none.
fn positive(amount: &Quantity, path: &Path, errors: &mut Errors) {
    if *amount <= Quantity::ZERO {
        errors.invalid(path, amount, "must be greater than zero");
    }
}

pub(super) fn volume(volume: &Object, errors: &mut Errors) {
    let spec = top(volume, "spec");
    access_modes(spec, "", &SPEC, errors);
    known_access_modes(spec, &SPEC, errors);
    let capacity = amounts(spec, "capacity");
    let place = SPEC.child("capacity");
    if capacity.is_empty() {
        errors.required(&place, "");
    }
    if !capacity.contains_key("storage") || capacity.len() > 1 {
        let shown = if capacity.is_empty() { Value::Null } else { capacity.write_always() };
        errors.not_supported(&place, &shown, &["storage"]);
    }
    for (name, amount) in &capacity {
        let place = place.key(name);
        if *amount < Quantity::ZERO {
            errors.invalid(&place, amount.value(), "must be a valid resource quantity");
        }
        positive(amount, &place, errors);
    }
    let policies = ["Delete", "Recycle", "Retain"];
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        one_of(spec, "persistentVolumeReclaimPolicy", &policies, &SPEC, errors);
    }
    let affinity = get(spec, "nodeAffinity");
    if let Some(affinity) = affinity {
        let at = SPEC.child("nodeAffinity");
        let at = at.child("required");
        match get(affinity, "required") {
            Some(selector) => node_selector(&read(selector), &at, errors),
            None => errors.required(&at, "must specify required node constraints"),
        }
    }
    source(spec, &PERSISTENT, &SPEC, errors);
    let is_local = PERSISTENT.iter().find(|source| get(spec, source.name).is_some());
    if is_local.is_some_and(|source| source.name == "local") && affinity.is_none() {
        errors.required(&SPEC.child("nodeAffinity"), "Local volume requires node affinity");
    }
    let host_path = super::tree::at(spec, "hostPath");
    if policy == "Recycle" && !host_path.is_null() && text(host_path, "path").trim_end_matches('/').is_empty()
    {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        errors.forbidden(&SPEC.child("persistentVolumeReclaimPolicy"), detail);
    }
    class_name(spec, &SPEC, errors);
    one_of(spec, "volumeMode", &VOLUME_MODES, &SPEC, errors);
    if let Some(class) = at(spec, "volumeAttributesClassName").as_str() {
        let at = SPEC.child("volumeAttributesClassName");
        match class {
            "" => errors.required(&at, "an empty string is disallowed"),
            class => errors.problems(&at, class, is_dns1123_subdomain(class)),
        }
        if get(spec, "csi").is_none() {
            errors.required(&SPEC.child("csi"), "has to be specified when using volumeAttributesClassName");
        }
    }
}

pub(super) fn volume_update(old: &Object, new: &Object, errors: &mut Errors) {
    volume(new, errors);
    let (old, new) = (top(old, "spec"), top(new, "spec"));
    if PERSISTENT.iter().any(|source| get(old, source.name) != get(new, source.name)) {
        errors.forbidden(
            &SPEC.child("persistentvolumesource"),
            "spec.persistentvolumesource is immutable after creation",
        );
    }
    immutable(old, new, "volumeMode", &SPEC, errors);
}

pub(super) fn claim(claim: &Object, errors: &mut Errors) {
    claim_spec(top(claim, "spec"), &SPEC, errors);
}

pub(super) fn claim_spec(spec: &Value, path: &Path, errors: &mut Errors) {
    access_modes(spec, "at least 1 access mode is required", path, errors);
    check_selector(spec, "selector", path, errors);
    known_access_modes(spec, path, errors);
    let resources = path.child("resources");
    match quantity(at(at(spec, "resources"), "requests"), "storage") {
        None => errors.required(&resources.key("storage"), ""),
        Some(amount) => positive(&amount, &resources.key("storage"), errors),
    }
    class_name(spec, path, errors);
    one_of(spec, "volumeMode", &VOLUME_MODES, path, errors);
    for key in ["dataSource", "dataSourceRef"] {
        if let Some(source) = get(spec, key) {
            data_source(source, &path.child(key), errors);
        }
    }
    let (source, reference) = (get(spec, "dataSource"), get(spec, "dataSourceRef"));
    if let (Some(source), Some(reference)) = (source, reference) {
        let detail = if text(reference, "namespace").is_empty() {
            "must match dataSourceRef"
        } else {
            "may not be specified when dataSourceRef.namespace is specified"
        };
        let is_same = |key: &str| at(source, key) == at(reference, key);
        let is_other = !text(reference, "namespace").is_empty()
            || !["apiGroup", "kind", "name"].into_iter().all(is_same);
        if is_other {
            // Upstream prints the path as the value, which has no fields that can be seen.
            errors.invalid(path, Raw("{}".into()), detail);
        }
    }
    let class = text(spec, "volumeAttributesClassName");
    if !class.is_empty() {
        errors.problems(&path.child("volumeAttributesClassName"), class, is_dns1123_subdomain(class));
    }
}

/// What a claim is filled with.
fn data_source(source: &Value, path: &Path, errors: &mut Errors) {
    for key in ["name", "kind"] {
        if text(source, key).is_empty() {
            errors.required(&path.child(key), "");
        }
    }
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.invalid(path, kind, detail);
    }
    if !group.is_empty() {
        errors.problems(&path.child("apiGroup"), group, is_dns1123_subdomain(group));
    }
    let namespace = text(source, "namespace");
    if !namespace.is_empty() {
        errors.problems(&path.child("namespace"), namespace, is_dns1123_label(namespace));
    }
}

pub(super) fn claim_update(old: &Object, new: &Object, errors: &mut Errors) {
    claim(new, errors);
    let storage = |claim: &Object| quantity(at(at(top(claim, "spec"), "resources"), "requests"), "storage");
    let is_bound = text(top(old, "status"), "phase") == "Bound";
    // What may change is taken out before the rest is compared.
    let kept = |claim: &Object| {
        let mut spec = top(claim, "spec").clone();
        if let Value::Object(fields) = &mut spec {
            if text(top(old, "spec"), "volumeName").is_empty() {
                fields.remove("volumeName");
            }
            if is_bound {
                fields.remove("resources");
            }
            fields.remove("volumeAttributesClassName");
        }
        spec
    };
    if kept(old) != kept(new) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.forbidden(&SPEC, detail);
    }
    if let (Some(old), Some(new)) = (storage(old), storage(new))
        && new < old
    {
        let at = SPEC.child("resources");
        errors
            .forbidden(&at.child("requests").child("storage"), "field can not be less than status.capacity");
    }
}

pub(super) fn class(class: &Object, errors: &mut Errors) {
    maker(class, "provisioner", errors);
    if let Some(topologies) = top(class, "allowedTopologies").as_array() {
        allowed_topologies(topologies, &Path::root("allowedTopologies"), errors);
    }
    for (key, words) in [
        ("reclaimPolicy", &["Delete", "Retain"][..]),
        ("volumeBindingMode", &["Immediate", "WaitForFirstConsumer"]),
    ] {
        match top(class, key).as_str() {
            Some(word) if !words.contains(&word) => errors.not_supported(&Path::root(key), word, words),
            None if key == "volumeBindingMode" => errors.required(&Path::root(key), ""),
            _ => {}
        }
    }
}

/// Who makes the volumes of a class, and with which parameters.
pub(super) fn maker(class: &Object, key: &str, errors: &mut Errors) {
    let at = Path::root(key);
    match top(class, key).as_str().unwrap_or_default() {
        "" => errors.required(&at, ""),
        name => errors.problems(&at, name, is_qualified_name(&name.to_ascii_lowercase())),
    }
    if top(class, "parameters").get("").is_some() {
        errors.invalid(&Path::root("parameters"), "", "field can not be empty.");
    }
}

/// Where a class may make volumes.
fn allowed_topologies(topologies: &[Value], path: &Path, errors: &mut Errors) {
    for (index, term) in topologies.iter().enumerate() {
        let at = path.index(index);
        let at = at.child("matchLabelExpressions");
        let mut keys = Set::new();
        for (index, requirement) in items(term, "matchLabelExpressions").iter().enumerate() {
            let at = at.index(index);
            let (key, values) = (text(requirement, "key"), words(requirement, "values"));
            if values.is_empty() {
                errors.required(&at.child("values"), "");
            }
            for (index, value) in values.iter().enumerate() {
                if values.iter().take(index).any(|earlier| earlier == value) {
                    errors.duplicate(&at.child("values").index(index), *value, "");
                }
            }
            errors.problems(&at.child("key"), key, is_qualified_name(key));
            if !keys.insert(key) {
                errors.duplicate(&at.child("key"), key, "");
            }
        }
    }
}

pub(super) fn class_update(old: &Object, new: &Object, errors: &mut Errors) {
    for key in ["parameters", "provisioner", "reclaimPolicy"] {
        if top(old, key) != top(new, key) {
            errors.forbidden(&Path::root(key), &format!("updates to {key} are forbidden."));
        }
    }
    let key = "volumeBindingMode";
    if top(old, key) != top(new, key) {
        errors.invalid(&Path::root(key), top(new, key), "field is immutable");
    }
}
