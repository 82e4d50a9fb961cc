//! Environment of containers: variables and where their values come from.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateEnv`, `validateEnvVarValueFrom`, `ValidateEnvFrom`.

use super::cause::{Errors, Path};
use super::config::key_problems;
use super::tree::{get, quantity, text};
use crate::names::{is_dns1123_subdomain, is_qualified_name};
use crate::{EnvVar, Quantity};
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
/// What amounts of bytes may be counted in.
const UNITS: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
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

/// Fields of a pod that a volume can show as a whole.
pub(super) const VOLUME_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

fn field(value: &Value, path: &Path, errors: &mut Errors) {
    pod_field(value, &POD_FIELDS, path, errors);
}

/// A field of the pod, one of those that can be shown here.
pub(super) fn pod_field(value: &Value, shown: &[&str], path: &Path, errors: &mut Errors) {
    let (version, name) = (text(value, "apiVersion"), text(value, "fieldPath"));
    let at = path.child("fieldPath");
    if version.is_empty() {
        errors.required(&path.child("apiVersion"), "");
        return;
    }
    if name.is_empty() {
        errors.required(&at, "");
        return;
    }
    let mut refuse = |why: String| errors.invalid(&at, name, &format!("error converting fieldPath: {why}"));
    if version != "v1" {
        return refuse(format!("unsupported pod version: {version}"));
    }
    let subscript = name.strip_suffix("']").and_then(|name| name.split_once("['"));
    match subscript.filter(|(map, _)| !map.is_empty()) {
        Some(("metadata.labels", key)) => errors.problems(path, key, is_qualified_name(key)),
        Some(("metadata.annotations", key)) => {
            let key = key.to_ascii_lowercase();
            errors.problems(path, &key, is_qualified_name(&key));
        }
        Some(_) => refuse(format!("field label does not support subscript: {name}")),
        None if shown.contains(&name) => {}
        None if POD_FIELDS.contains(&name)
            || VOLUME_FIELDS.contains(&name)
            || ["spec.restartPolicy", "spec.schedulerName", "status.phase"].contains(&name) =>
        {
            errors.not_supported(&at, name, shown);
        }
        None => refuse(format!("field label not supported: {name}")),
    }
}

fn resource(value: &Value, path: &Path, errors: &mut Errors) {
    container_resource(value, false, path, errors);
}

/// An amount that a container asks for or may use; a volume has to say which container's.
pub(super) fn container_resource(value: &Value, of_volume: bool, path: &Path, errors: &mut Errors) {
    let name = text(value, "resource");
    let at = path.child("resource");
    let (kind, plain) = name.split_once('.').unwrap_or_default();
    let is_huge = matches!(kind, "requests" | "limits") && plain.starts_with("hugepages-");
    if of_volume && text(value, "containerName").is_empty() {
        errors.required(&path.child("containerName"), "");
    } else if name.is_empty() {
        errors.required(&at, "");
    } else if !RESOURCES.contains(&name) && !is_huge {
        errors.not_supported(&at, name, &RESOURCES);
    }
    let divisor = quantity(value, "divisor").filter(|divisor| *divisor != Quantity::ZERO);
    let Some(divisor) = divisor.map(|divisor| divisor.to_string()) else { return };
    let (units, called): (&[&str], _) = match plain {
        "cpu" => (&["1m", "1"], "cpu"),
        "memory" => (&UNITS, "memory"),
        "ephemeral-storage" => (&UNITS, "local ephemeral storage"),
        _ if is_huge => (&UNITS, "hugepages"),
        _ => return,
    };
    if !units.contains(&&*divisor) {
        let list = if called == "cpu" { "1m and 1".to_owned() } else { UNITS.join(", ") };
        let detail = format!("only divisor's values {list} are supported with the {called} resource");
        errors.invalid(&path.child("divisor"), name, &detail);
    }
}

fn key(value: &Value, path: &Path, errors: &mut Errors) {
    let name = text(value, "name");
    errors.problems(&path.child("name"), name, is_dns1123_subdomain(name));
    match text(value, "key") {
        "" => errors.required(&path.child("key"), ""),
        key => errors.problems(&path.child("key"), key, key_problems(key)),
    }
}

/// Whole ConfigMaps and Secrets as variables.
pub(super) fn groups(list: &[Value], list_path: &Path, errors: &mut Errors) {
    for (index, group) in list.iter().enumerate() {
        let path = list_path.index(index);
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
            0 => errors.invalid(list_path, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(list_path, "", "may not have more than one field specified at a time"),
        }
    }
}
