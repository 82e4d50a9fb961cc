//! As whom and with what rights containers run.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateSecurityContext`, `validatePodSpecSecurityContext`.
//! Simplified: names of Windows' users are only told to be empty.

use super::cause::{Errors, Path, Raw};
use super::pod_spec::field;
use super::tree::{at, get, items, number, one_of, text};
use crate::Gather as _;
use crate::PodSpec;
use crate::map::Set;
use crate::names::is_dns1123_subdomain;
use crate::text::go_quote;
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
fn seccomp(profile: &Value, path: &Path, errors: &mut Errors) {
    let place = path.child("localhostProfile");
    let kind = text(profile, "type");
    profile_type(kind, "seccompProfile", &path.child("type"), errors);
    match (kind, at(profile, "localhostProfile").as_str()) {
        ("Localhost", None) => errors.required(&place, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(file)) => super::volume::descending(file, &place, errors),
        (_, None) => {}
        (_, Some(file)) => {
            // Upstream prints its internal form.
            let shown = format!("{{\"Type\":{},\"LocalhostProfile\":{}}}", go_quote(kind), go_quote(file));
            errors.invalid(&place, Raw(shown), "can only be set when seccomp type is Localhost");
        }
    }
}

fn app_armor(profile: &Value, path: &Path, errors: &mut Errors) {
    let place = path.child("localhostProfile");
    match (text(profile, "type"), at(profile, "localhostProfile").as_str()) {
        ("Localhost", None | Some("")) => {
            errors.required(&place, "must be set when AppArmor type is Localhost");
        }
        ("Localhost", Some(file)) => {
            if file.trim() != file {
                errors.invalid(&place, file, "must not be padded with whitespace");
            }
            if file.len() > 4095 {
                errors.too_long(&place, 4095);
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            errors.invalid(&place, file, "can only be set when AppArmor type is Localhost");
        }
        (kind, _) => profile_type(kind, "appArmorProfile", &path.child("type"), errors),
    }
}

fn profile_type(kind: &str, field: &str, path: &Path, errors: &mut Errors) {
    match kind {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => errors.required(path, &format!("type is required when {field} is set")),
        other => errors.not_supported(path, other, &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
}

/// Options of Windows: who runs a container.
fn windows(options: &Value, path: &Path, errors: &mut Errors) {
    if let Some(name) = at(options, "gmsaCredentialSpecName").as_str() {
        errors.problems(&path.child("gmsaCredentialSpecName"), name, is_dns1123_subdomain(name));
    }
    for key in ["gmsaCredentialSpec", "runAsUserName"] {
        if at(options, key) == "" {
            errors.invalid(&path.child(key), "", &format!("{key} cannot be an empty string"));
        }
    }
}

/// The security context of a container, in a pod that may have users of its own.
pub(super) fn of_container(context: &Value, has_own_users: bool, path: &Path, errors: &mut Errors) {
    ids(context, &["runAsUser", "runAsGroup"], path, errors);
    one_of(context, "procMount", &["Default", "Unmasked"], path, errors);
    if text(context, "procMount") == "Unmasked" && !has_own_users {
        let detail = "`hostUsers` must be false to use `Unmasked`";
        errors.invalid(&path.child("procMount"), "Unmasked", detail);
    }
    if let Some(profile) = get(context, "seccompProfile") {
        seccomp(profile, &path.child("seccompProfile"), errors);
    }
    if at(context, "allowPrivilegeEscalation") == false {
        if at(context, "privileged") == true {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(path, shown(context), detail);
        }
        let added = items(at(context, "capabilities"), "add");
        if added.iter().any(|capability| capability == "CAP_SYS_ADMIN") {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(path, shown(context), detail);
        }
    }
    if let Some(options) = get(context, "windowsOptions") {
        windows(options, &path.child("windowsOptions"), errors);
    }
    if let Some(profile) = get(context, "appArmorProfile") {
        app_armor(profile, &path.child("appArmorProfile"), errors);
    }
}

/// A container's security context in upstream's internal form.
fn shown(context: &Value) -> Raw {
    let part = |key: &str| get(context, key).map_or_else(|| "null".to_owned(), Value::to_string);
    let capabilities = get(context, "capabilities").map_or_else(
        || "null".to_owned(),
        |list| format!("{{\"Add\":{},\"Drop\":{}}}", at(list, "add"), at(list, "drop")),
    );
    // Texts that are absent are empty in the internal form, but for the ones that it points at.
    let inner = |key: &str, fields: &[(&str, &str)], pointed: &str| {
        let Some(of) = get(context, key) else { return "null".to_owned() };
        let field = |(key, name): &(&str, &str)| {
            let absent = if *key == pointed { "null" } else { "\"\"" };
            format!("\"{name}\":{}", get(of, key).map_or_else(|| absent.to_owned(), Value::to_string))
        };
        let fields: Vec<String> = fields.iter().map(field).gather();
        format!("{{{}}}", fields.join(","))
    };
    let profile =
        |key| inner(key, &[("type", "Type"), ("localhostProfile", "LocalhostProfile")], "localhostProfile");
    let labels = [("user", "User"), ("role", "Role"), ("type", "Type"), ("level", "Level")];
    Raw(format!(
        "{{\"Capabilities\":{capabilities},\"Privileged\":{},\"SELinuxOptions\":{},\"WindowsOptions\":null,\
         \"RunAsUser\":{},\"RunAsGroup\":{},\"RunAsNonRoot\":{},\"ReadOnlyRootFilesystem\":{},\
         \"AllowPrivilegeEscalation\":{},\"ProcMount\":{},\"SeccompProfile\":{},\"AppArmorProfile\":{}}}",
        part("privileged"),
        inner("seLinuxOptions", &labels, ""),
        part("runAsUser"),
        part("runAsGroup"),
        part("runAsNonRoot"),
        part("readOnlyRootFilesystem"),
        part("allowPrivilegeEscalation"),
        part("procMount"),
        profile("seccompProfile"),
        profile("appArmorProfile")
    ))
}

/// The security context of a pod.
pub(super) fn of_pod(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let is_on = |key: &str| field(&spec.rest, key).and_then(Value::as_bool) == Some(true);
    let nothing = Value::Null;
    let context = field(&spec.rest, "securityContext").unwrap_or(&nothing);
    ids(context, &["fsGroup", "runAsUser", "runAsGroup"], path, errors);
    for (index, group) in items(context, "supplementalGroups").iter().enumerate() {
        id(group.as_i64().unwrap_or(0), &path.child("supplementalGroups").index(index), errors);
    }
    if is_on("shareProcessNamespace") && is_on("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), true, detail);
    }
    let mut names = Set::new();
    for (index, setting) in items(context, "sysctls").iter().enumerate() {
        let at = path.child("sysctls");
        let at = at.index(index);
        let at = at.child("name");
        let name = text(setting, "name");
        if name.is_empty() {
            errors.required(&at, "");
        } else if !is_sysctl(name) {
            let rule = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
            let detail = format!("must have at most 253 characters and match regex ^{rule}$");
            errors.invalid(&at, name, &detail);
        } else if !names.insert(name) {
            errors.duplicate(&at, name, "");
        }
        // What belongs to the node's own network or memory is not the pod's to set.
        if spec.host_network == Some(true) && name.replace('/', ".").starts_with("net.") {
            errors.invalid(&at, name, "may not be specified when 'hostNetwork' is true");
        } else if is_on("hostIPC") && is_shared_memory(&name.replace('/', ".")) {
            errors.invalid(&at, name, "may not be specified when 'hostIPC' is true");
        }
    }
    one_of(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, errors);
    if let Some(profile) = get(context, "seccompProfile") {
        seccomp(profile, &path.child("seccompProfile"), errors);
    }
    if let Some(options) = get(context, "windowsOptions") {
        windows(options, &path.child("windowsOptions"), errors);
    }
    if let Some(profile) = get(context, "appArmorProfile") {
        app_armor(profile, &path.child("appArmorProfile"), errors);
    }
    one_of(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, errors);
}

fn is_sysctl(name: &str) -> bool {
    let is_edge =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let fits = |part: &str| {
        let inner = |byte: &u8| is_edge(Some(byte)) || matches!(byte, b'-' | b'_');
        let bytes = part.as_bytes();
        is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(inner)
    };
    name.len() <= 253 && name.split(['.', '/']).all(fits)
}

/// Whether a setting is one of what processes share between them.
fn is_shared_memory(name: &str) -> bool {
    name == "kernel.sem"
        || ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|prefix| name.starts_with(prefix))
}

/// What a pod for an operating system may not set.
pub(super) fn of_system(spec: &PodSpec, system: &str, path: &Path, errors: &mut Errors) {
    const OF_PODS: [&str; 11] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "windowsOptions",
    ];
    const OF_CONTAINERS: [&str; 11] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
        "windowsOptions",
    ];
    let is_windows = system == "windows";
    let detail = if is_windows {
        "cannot be set for a windows pod"
    } else {
        "windows options cannot be set for a linux pod"
    };
    let check = |context: Option<&Value>, keys: &[&'static str], path: &Path, errors: &mut Errors| {
        let path = path.child("securityContext");
        for key in keys.iter().filter(|key| (**key == "windowsOptions") != is_windows) {
            if context.is_some_and(|context| get(context, key).is_some()) {
                errors.forbidden(&path.child(key), detail);
            }
        }
    };
    check(field(&spec.rest, "securityContext"), &OF_PODS, path, errors);
    if is_windows {
        for key in ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] {
            let value = field(&spec.rest, key);
            if value.is_some_and(|value| *value == true || key == "hostUsers" || key.starts_with("share")) {
                errors.forbidden(&path.child(key), detail);
            }
        }
    }
    for (key, list) in [("initContainers", &spec.init_containers), ("containers", &spec.containers)] {
        for (index, container) in list.iter().enumerate() {
            let at = path.child(key);
            let context = field(&container.rest, "securityContext");
            check(context, &OF_CONTAINERS, &at.index(index), errors);
        }
    }
}
