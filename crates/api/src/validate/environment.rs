//! Environment of containers: variables and where their values come from.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateEnv`, `validateEnvVarValueFrom`, `ValidateEnvFrom`.
//! Simplified: divisors of resource fields are taken as right.

use super::cause::{Errors, Path};
use super::config::key_problems;
use super::tree::{at, get, text};
use crate::EnvVar;
use crate::names::{is_dns1123_subdomain, is_qualified_name};
use serde_json::Value;

/// Fields of a pod that a variable can show.
const POD_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const NAME_RULE: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";

fn fits_a_name(name: &str) -> bool {
    name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// The variables of a container.
pub(super) fn variables(variables: &[EnvVar], path: &Path, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let at = path.index(index);
        if variable.name.is_empty() {
            errors.required(&at.child("name"), "");
        } else if !fits_a_name(&variable.name) {
            errors.invalid(&at.child("name"), &variable.name, NAME_RULE);
        }
        let from = variable.rest.as_ref().and_then(|rest| rest.get("valueFrom"));
        if let Some(from) = from.filter(|from| !from.is_null()) {
            source(from, !variable.value.is_empty(), &at.child("valueFrom"), errors);
        }
    }
}

fn source(from: &Value, has_value: bool, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    for (key, check) in [
        ("fieldRef", field as fn(&Value, &Path, &mut Errors)),
        ("resourceFieldRef", resource),
        ("configMapKeyRef", key),
        ("secretKeyRef", key),
    ] {
        if let Some(value) = get(from, key) {
            count += 1;
            check(value, &path.child(key), errors);
        }
    }
    if count == 0 && get(from, "fileKeyRef").is_none() {
        let detail =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        errors.invalid(path, "", detail);
    } else if has_value {
        errors.invalid(path, "", "may not be specified when `value` is not empty");
    } else if count > 1 {
        errors.invalid(path, "", "may not have more than one field specified at a time");
    }
}

fn field(value: &Value, path: &Path, errors: &mut Errors) {
    let at = path.child("fieldPath");
    if text(value, "apiVersion").is_empty() {
        errors.required(&path.child("apiVersion"), "");
    }
    let name = text(value, "fieldPath");
    if name.is_empty() {
        errors.required(&at, "");
        return;
    }
    let subscript =
        name.strip_suffix(']').and_then(|name| name.split_once("['").or_else(|| name.split_once('[')));
    match subscript {
        Some(("metadata.labels" | "metadata.annotations", key)) => {
            let key = key.trim_matches('\'');
            errors.problems(&at, key, is_qualified_name(&key.to_ascii_lowercase()));
        }
        Some((other, _)) => errors.invalid(&at, other, "does not support subscript"),
        None if POD_FIELDS.contains(&name) => {}
        None if [
            "metadata.labels",
            "metadata.annotations",
            "spec.restartPolicy",
            "spec.schedulerName",
            "status.phase",
        ]
        .contains(&name) =>
        {
            errors.not_supported(&at, name, &POD_FIELDS);
        }
        None => {
            let detail = format!("error converting fieldPath: field label not supported: {name}");
            errors.invalid(&at, name, &detail);
        }
    }
}

fn resource(value: &Value, path: &Path, errors: &mut Errors) {
    let name = text(value, "resource");
    let at = path.child("resource");
    let is_huge = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits."));
    if name.is_empty() {
        errors.required(&at, "");
    } else if !RESOURCES.contains(&name) && !is_huge.is_some_and(|name| name.starts_with("hugepages-")) {
        errors.not_supported(&at, name, &RESOURCES);
    }
}

fn key(value: &Value, path: &Path, errors: &mut Errors) {
    if text(value, "name").is_empty() {
        errors.required(&path.child("name"), "");
    }
    match text(value, "key") {
        "" => errors.required(&path.child("key"), ""),
        key => errors.problems(&path.child("key"), key, key_problems(key)),
    }
}

/// Whole ConfigMaps and Secrets as variables.
pub(super) fn groups(list: &[Value], path: &Path, errors: &mut Errors) {
    for (index, group) in list.iter().enumerate() {
        let path = path.index(index);
        let prefix = text(group, "prefix");
        if !fits_a_name(prefix) {
            errors.invalid(&path.child("prefix"), prefix, NAME_RULE);
        }
        let mut count = 0;
        for key in ["configMapRef", "secretRef"] {
            if let Some(reference) = get(group, key) {
                count += 1;
                let at = path.child(key);
                match text(reference, "name") {
                    "" => errors.required(&at.child("name"), ""),
                    name => errors.problems(&at.child("name"), name, is_dns1123_subdomain(name)),
                }
            }
        }
        match count {
            0 => errors.invalid(&path, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(&path, "", "may not have more than one field specified at a time"),
        }
    }
}

/// Names of other objects in a list of references, each of which must have one.
pub(super) fn references(list: &Value, path: &Path, errors: &mut Errors) {
    for (index, reference) in list.as_array().into_iter().flatten().enumerate() {
        if at(reference, "name").as_str().unwrap_or_default().is_empty() {
            errors.required(&path.index(index).child("name"), "");
        }
    }
}
