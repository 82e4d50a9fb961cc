//! PersistentVolumes, PersistentVolumeClaims and StorageClasses.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidatePersistentVolume`, `ValidatePersistentVolumeClaimSpec`,
//! pkg/apis/storage/validation/validation.go.
//! Simplified: data sources and node affinity of volumes only as far as local volumes need one.

use super::cause::{Errors, Path};
use super::tree::{amounts, at, check_selector, get, immutable, items, one_of, quantity, text, top, words};
use super::volume::{PERSISTENT, source};
use super::{METADATA, SPEC};
use crate::names::{is_dns1123_subdomain, is_qualified_name};
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
    if *amount < Quantity::ZERO {
        errors.invalid(path, amount, "must be greater than or equal to 0");
    }
    if *amount <= Quantity::ZERO {
        errors.invalid(path, amount, "must be greater than zero");
    }
}

pub(super) fn volume(volume: &Object, errors: &mut Errors) {
    let spec = top(volume, "spec");
    access_modes(spec, "", &SPEC, errors);
    known_access_modes(spec, &SPEC, errors);
    let capacity = amounts(spec, "capacity");
    let at = SPEC.child("capacity");
    if capacity.is_empty() {
        errors.required(&at, "");
    }
    if !capacity.contains_key("storage") || capacity.len() > 1 {
        let shown = if capacity.is_empty() { Value::Null } else { capacity.write_always() };
        errors.not_supported(&at, &shown, &["storage"]);
    }
    for (name, amount) in &capacity {
        positive(amount, &at.key(name), errors);
    }
    let policies = ["Delete", "Recycle", "Retain"];
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        one_of(spec, "persistentVolumeReclaimPolicy", &policies, &SPEC, errors);
    }
    source(spec, &PERSISTENT, &SPEC, errors);
    if get(spec, "local").is_some() && get(spec, "nodeAffinity").is_none() {
        errors.required(&METADATA.child("annotations"), "Local volume requires node affinity");
    }
    let host_path = super::tree::at(spec, "hostPath");
    if policy == "Recycle" && !host_path.is_null() && text(host_path, "path").trim_end_matches('/').is_empty()
    {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        errors.forbidden(&SPEC.child("persistentVolumeReclaimPolicy"), detail);
    }
    class_name(spec, &SPEC, errors);
    one_of(spec, "volumeMode", &VOLUME_MODES, &SPEC, errors);
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
    let at = Path::root("provisioner");
    match top(class, "provisioner").as_str().unwrap_or_default() {
        "" => errors.required(&at, ""),
        name => errors.problems(&at, name, is_qualified_name(&name.to_ascii_lowercase())),
    }
    let parameters = Path::root("parameters");
    if top(class, "parameters").get("").is_some() {
        errors.invalid(&parameters, "", "field can not be empty.");
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
