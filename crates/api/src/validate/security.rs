//! As whom and with what rights containers run.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateSecurityContext`, `validatePodSpecSecurityContext`.
//! Simplified: options for SELinux and Windows are taken as right.

use super::cause::{Errors, Path, Raw};
use super::tree::{at, get, items, number, one_of, text};
use serde_json::Value;

/// Numbers of users and groups.
fn ids(value: &Value, keys: &[&str], path: &Path, errors: &mut Errors) {
    for key in keys {
        if let Some(id) = number(value, key) {
            self::id(id, &path.child(key), errors);
        }
    }
}

fn id(id: i64, path: &Path, errors: &mut Errors) {
    if !(0..=i64::from(i32::MAX)).contains(&id) {
        errors.invalid(path, id, "must be between 0 and 2147483647, inclusive");
    }
}

/// A profile that is one of the runtime's, none, or one on the node.
fn profile(profile: &Value, kind: &str, path: &Path, errors: &mut Errors) {
    let name = at(profile, "localhostProfile").as_str();
    let place = path.child("localhostProfile");
    match (text(profile, "type"), name) {
        ("Localhost", None | Some("")) => {
            errors.required(&place, &format!("must be set when {kind} type is Localhost"));
        }
        ("Localhost", Some(_)) | ("RuntimeDefault" | "Unconfined", None) => {}
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            errors.invalid(&place, name, &format!("can only be set when {kind} type is Localhost"));
        }
        ("", _) => errors.required(&path.child("type"), "type is required when seccompProfile is set"),
        (other, _) => {
            errors.not_supported(&path.child("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]);
        }
    }
}

fn profiles(context: &Value, path: &Path, errors: &mut Errors) {
    for (key, kind) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        if let Some(value) = get(context, key) {
            profile(value, kind, &path.child(key), errors);
        }
    }
}

/// The security context of a container.
pub(super) fn of_container(context: &Value, path: &Path, errors: &mut Errors) {
    ids(context, &["runAsUser", "runAsGroup"], path, errors);
    one_of(context, "procMount", &["Default", "Unmasked"], path, errors);
    if at(context, "allowPrivilegeEscalation") == false {
        if at(context, "privileged") == true {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(path, shown(context), detail);
        }
        let added = items(at(context, "capabilities"), "add");
        if added.iter().any(|capability| capability == "CAP_SYS_ADMIN" || capability == "SYS_ADMIN") {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(path, shown(context), detail);
        }
    }
    profiles(context, path, errors);
}

/// A container's security context in upstream's internal form.
fn shown(context: &Value) -> Raw {
    let part = |key: &str| get(context, key).map_or_else(|| "null".to_owned(), Value::to_string);
    let capabilities = get(context, "capabilities").map_or_else(
        || "null".to_owned(),
        |list| format!("{{\"Add\":{},\"Drop\":{}}}", at(list, "add"), at(list, "drop")),
    );
    Raw(format!(
        "{{\"Capabilities\":{capabilities},\"Privileged\":{},\"SELinuxOptions\":null,\"WindowsOptions\":null,\
         \"RunAsUser\":{},\"RunAsGroup\":{},\"RunAsNonRoot\":{},\"ReadOnlyRootFilesystem\":{},\
         \"AllowPrivilegeEscalation\":{},\"ProcMount\":{},\"SeccompProfile\":null,\"AppArmorProfile\":null}}",
        part("privileged"),
        part("runAsUser"),
        part("runAsGroup"),
        part("runAsNonRoot"),
        part("readOnlyRootFilesystem"),
        part("allowPrivilegeEscalation"),
        part("procMount")
    ))
}

/// The security context of a pod; `shares` tells whether the pod shares the node's and its own process ids.
pub(super) fn of_pod(context: &Value, shares: (bool, bool), path: &Path, errors: &mut Errors) {
    if shares == (true, true) {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), Raw("true".into()), detail);
    }
    ids(context, &["fsGroup", "runAsUser", "runAsGroup"], path, errors);
    for (index, group) in items(context, "supplementalGroups").iter().enumerate() {
        id(group.as_i64().unwrap_or(0), &path.child("supplementalGroups").index(index), errors);
    }
    for (index, setting) in items(context, "sysctls").iter().enumerate() {
        let at = path.child("sysctls");
        let at = at.index(index);
        let at = at.child("name");
        let name = text(setting, "name");
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
        if name.is_empty() {
            errors.required(&at, "");
        } else if !name.chars().all(fits) {
            let rule = "([a-z0-9][-_a-z0-9]*[a-z0-9]?[\\./])*[a-z0-9][-_a-z0-9]*";
            let detail = format!("must have at most 253 characters and match regex ^{rule}$");
            errors.invalid(&at, name, &detail);
        }
    }
    one_of(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, errors);
    one_of(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, errors);
    profiles(context, path, errors);
}
