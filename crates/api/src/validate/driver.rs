//! Drivers of storage, and what is known of them: CSIDrivers, CSINodes, capacities, attachments and classes of attributes.
//!
//! Upstream: pkg/apis/storage/validation/validation.go.

use super::SPEC;
use super::cause::{Errors, Path};
use super::tree::{get, items, number, one_of, read, text, top, words};
use crate::map::Set;
use crate::names::{is_dns1123_subdomain, is_qualified_name};
use crate::{Object, Quantity};
use serde_json::Value;

pub(super) fn driver(object: &Object, errors: &mut Errors) {
    let spec = top(object, "spec");
    one_of(spec, "fsGroupPolicy", &["File", "None", "ReadWriteOnceWithFSType"], &SPEC, errors);
    let mut audiences = Set::new();
    for (index, request) in items(spec, "tokenRequests").iter().enumerate() {
        let at = SPEC.child("tokenRequests");
        let at = at.index(index);
        let audience = text(request, "audience");
        if !audiences.insert(audience) {
            errors.duplicate(&at.child("audience"), audience, "");
            continue;
        }
        if let Some(seconds) = number(request, "expirationSeconds") {
            super::volume::token_life(seconds, &at.child("expirationSeconds"), errors);
        }
    }
    let known = ["Persistent", "Ephemeral"];
    for mode in words(spec, "volumeLifecycleModes").into_iter().filter(|mode| !known.contains(mode)) {
        errors.not_supported(&SPEC.child("volumeLifecycleModes"), mode, &known);
    }
    const PERIOD: &str = "nodeAllocatableUpdatePeriodSeconds";
    if let Some(seconds) = number(spec, PERIOD).filter(|seconds| *seconds < 10) {
        errors.invalid(&SPEC.child(PERIOD), seconds, "must be greater than or equal to 10 seconds");
    }
}

pub(super) fn node(object: &Object, errors: &mut Errors) {
    let mut names = Set::new();
    for (index, driver) in items(top(object, "spec"), "drivers").iter().enumerate() {
        let path = SPEC.child("drivers");
        let path = path.index(index);
        let name = text(driver, "name");
        super::volume::driver(name, &path.child("name"), errors);
        let id = text(driver, "nodeID");
        if id.is_empty() {
            errors.required(&path.child("nodeID"), "");
        }
        if id.len() > 256 {
            errors.invalid(&path.child("nodeID"), id, "must be 256 characters or less");
        }
        if let Some(count) = get(driver, "allocatable").and_then(|of| number(of, "count")) {
            errors.nonnegative(&path.child("allocatable").child("count"), count);
        }
        if !names.insert(name) {
            errors.duplicate(&path.child("name"), name, "");
        }
        let mut keys = Set::new();
        for key in words(driver, "topologyKeys") {
            if key.is_empty() {
                errors.required(&path, "");
            }
            if !keys.insert(key) {
                errors.duplicate(&path, key, "");
            }
            errors.problems(&path, key, is_qualified_name(key));
        }
    }
}

pub(super) fn capacity(object: &Object, errors: &mut Errors) {
    let topology = top(object, "nodeTopology");
    if !topology.is_null() {
        super::meta::label_selector(&read(topology), &Path::root("nodeTopology"), errors);
    }
    let class = top(object, "storageClassName").as_str().unwrap_or_default();
    errors.problems(&Path::root("storageClassName"), class, is_dns1123_subdomain(class));
    if let Some(amount) = Quantity::parse(top(object, "capacity").as_str().unwrap_or_default())
        .ok()
        .filter(|amount| *amount < Quantity::ZERO)
    {
        errors.invalid(&Path::root("capacity"), &amount, "must be greater than or equal to 0");
    }
}

pub(super) fn attachment(object: &Object, errors: &mut Errors) {
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    let spec = top(object, "spec");
    let attacher = text(spec, "attacher");
    if attacher.is_empty() {
        errors.required(&SPEC.child("attacher"), "");
    }
    let source = super::tree::at(spec, "source");
    let at_source = SPEC.child("source");
    let name = get(source, "persistentVolumeName");
    match (name, get(source, "inlineVolumeSpec")) {
        (None, None) => errors.required(&at_source, ONE),
        (Some(_), Some(_)) => errors.forbidden(&at_source, ONE),
        (Some(name), None) if *name == "" => {
            let detail = "must specify non empty persistentVolumeName";
            errors.required(&at_source.child("persistentVolumeName"), detail);
        }
        _ => {}
    }
    let node = text(spec, "nodeName");
    errors.problems(&SPEC.child("nodeName"), node, is_dns1123_subdomain(node));
    super::volume::driver(attacher, &SPEC.child("attacher"), errors);
    if let Some(name) = name.and_then(Value::as_str) {
        errors.problems(&at_source.child("persistentVolumeName"), name, is_dns1123_subdomain(name));
    }
}

pub(super) fn attributes_class(object: &Object, errors: &mut Errors) {
    super::storage::maker(object, "driverName", errors);
    if top(object, "parameters").as_object().is_none_or(serde_json::Map::is_empty) {
        errors.required(&Path::root("parameters"), "must contain at least one key/value pair");
    }
}

/// What may not change once it is made.
pub(super) fn attributes_class_update(old: &Object, new: &Object, errors: &mut Errors) {
    for key in ["driverName", "parameters"] {
        if top(old, key) != top(new, key) {
            errors.forbidden(&Path::root(key), &format!("updates to {key} are forbidden."));
        }
    }
    attributes_class(new, errors);
}
