//! Webhooks, runtimes, drivers and APIs that others serve.
//!
//! Upstream: pkg/apis/admissionregistration/validation/validation.go, pkg/apis/node/validation/validation.go,
//! staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/validation/validation.go.
//! Simplified: rules in CEL are taken as right, and so are certificates.

use super::cause::{Errors, Path};
use super::tree::{at, check_selector, get, items, number, one_of, text, top, words};
use super::{METADATA, SPEC};
use crate::Object;
use crate::map::Set;
use crate::names::{is_dns1035_label, is_dns1123_label, is_dns1123_subdomain};
use serde_json::Value;

/// What holds for an object of one of upstream's kinds that has no model here.
pub(super) fn content(object: &Object, errors: &mut Errors) {
    match (&*object.group(), &*object.kind_name()) {
        (
            "admissionregistration.k8s.io",
            kind @ ("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"),
        ) => {
            webhooks(object, kind.starts_with("Mutating"), errors);
        }
        ("node.k8s.io", "RuntimeClass") => {
            let handler = top(object, "handler").as_str().unwrap_or_default();
            errors.problems(&Path::root("handler"), handler, is_dns1123_label(handler));
        }
        ("storage.k8s.io", "CSIDriver") => {
            let name = &object.metadata().name;
            super::volume::driver(name, &METADATA.child("name"), errors);
        }
        ("apiregistration.k8s.io", "APIService") => api_service(object, errors),
        _ => {}
    }
}

/// Addresses behind a Service in their old form.
pub(super) fn endpoints(object: &Object, errors: &mut Errors) {
    let subsets = top(object, "subsets").as_array().map_or(&[][..], Vec::as_slice);
    for (index, subset) in subsets.iter().enumerate() {
        let path = Path::root("subsets");
        let path = path.index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|key| items(subset, key).is_empty()) {
            errors.required(&path, "must specify `addresses` or `notReadyAddresses`");
        }
        for key in lists {
            for (index, address) in items(subset, key).iter().enumerate() {
                let at = path.child(key);
                let at = at.index(index);
                super::service::outer_address(text(address, "ip"), &at.child("ip"), errors);
                let host = text(address, "hostname");
                if !host.is_empty() {
                    errors.problems(&at.child("hostname"), host, is_dns1123_label(host));
                }
                if let Some(node) = super::tree::at(address, "nodeName").as_str() {
                    errors.problems(&at.child("nodeName"), node, is_dns1123_subdomain(node));
                }
            }
        }
        let ports = items(subset, "ports");
        for (index, port) in ports.iter().enumerate() {
            let at = path.child("ports");
            let at = at.index(index);
            let name = text(port, "name");
            if !name.is_empty() {
                errors.problems(&at.child("name"), name, is_dns1123_label(name));
            } else if ports.len() > 1 {
                errors.required(&at.child("name"), "");
            }
            errors.port_number(&at.child("port"), number(port, "port").unwrap_or(0));
            errors.one_of(&at.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        }
    }
}

fn webhooks(object: &Object, mutates: bool, errors: &mut Errors) {
    let hooks = top(object, "webhooks").as_array().map_or(&[][..], Vec::as_slice);
    let mut names = Set::new();
    for (index, hook) in hooks.iter().enumerate() {
        let path = Path::root("webhooks");
        let path = path.index(index);
        webhook(hook, mutates, &path, errors);
        let versions = words(hook, "admissionReviewVersions");
        let at_versions = path.child("admissionReviewVersions");
        if versions.is_empty() {
            errors.required(&at_versions, "must specify one of v1, v1beta1");
        } else {
            review_versions(at(hook, "admissionReviewVersions"), &versions, &at_versions, errors);
        }
        let name = text(hook, "name");
        if !name.is_empty() && !names.insert(name) {
            errors.duplicate(&path.child("name"), name, "");
        }
    }
}

fn webhook(hook: &Value, mutates: bool, path: &Path, errors: &mut Errors) {
    let name = text(hook, "name");
    let at_name = path.child("name");
    if name.is_empty() {
        errors.required(&at_name, "");
    } else if let problems @ [_, ..] = is_dns1123_subdomain(name).as_slice() {
        problems.iter().for_each(|problem| errors.invalid(&at_name, name, problem));
    } else if name.split('.').count() < 3 {
        errors.invalid(&at_name, name, "should be a domain with at least three segments separated by dots");
    }
    for (index, rule) in items(hook, "rules").iter().enumerate() {
        self::rule(rule, &path.child("rules").index(index), errors);
    }
    one_of(hook, "failurePolicy", &["Fail", "Ignore"], path, errors);
    one_of(hook, "matchPolicy", &["Equivalent", "Exact"], path, errors);
    if get(hook, "sideEffects").is_none() {
        errors.required(&path.child("sideEffects"), "must specify one of None, NoneOnDryRun");
    }
    one_of(hook, "sideEffects", &["None", "NoneOnDryRun"], path, errors);
    if let Some(seconds) = number(hook, "timeoutSeconds").filter(|seconds| !(1..=30).contains(seconds)) {
        let detail = "the timeout value must be between 1 and 30 seconds";
        errors.invalid(&path.child("timeoutSeconds"), seconds, detail);
    }
    check_selector(hook, "namespaceSelector", path, errors);
    check_selector(hook, "objectSelector", path, errors);
    if mutates {
        one_of(hook, "reinvocationPolicy", &["IfNeeded", "Never"], path, errors);
    }
    let client = at(hook, "clientConfig");
    let at_client = path.child("clientConfig");
    match (get(client, "url"), get(client, "service")) {
        (None, None) | (Some(_), Some(_)) => {
            errors.required(&at_client, "exactly one of url or service is required");
        }
        (Some(_), None) => {}
        (None, Some(service)) => self::service(service, &at_client.child("service"), errors),
    }
}

/// Which requests a webhook is asked about.
fn rule(rule: &Value, path: &Path, errors: &mut Errors) {
    const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    let operations = words(rule, "operations");
    let place = path.child("operations");
    if operations.is_empty() {
        errors.required(&place, "");
    }
    if operations.len() > 1 && operations.contains(&"*") {
        errors.invalid(
            &place,
            at(rule, "operations"),
            "if '*' is present, must not specify other operations",
        );
    }
    for (index, operation) in operations.iter().enumerate() {
        if !OPERATIONS.contains(operation) {
            errors.not_supported(&place.index(index), *operation, &OPERATIONS);
        }
    }
    for (key, what) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
        let place = path.child(key);
        let list = words(rule, key);
        if list.is_empty() {
            errors.required(&place, "");
        }
        if list.len() > 1 && list.contains(&"*") {
            let detail = format!("if '*' is present, must not specify other {what}");
            errors.invalid(&place, at(rule, key), &detail);
        }
        for (index, _) in list.iter().enumerate().filter(|(_, one)| one.is_empty() && key == "apiVersions") {
            errors.required(&place.index(index), "");
        }
    }
    let (place, resources) = (path.child("resources"), words(rule, "resources"));
    if resources.is_empty() {
        errors.required(&place, "");
    }
    for (index, _) in resources.iter().enumerate().filter(|(_, one)| one.is_empty()) {
        errors.required(&place.index(index), "");
    }
    if resources.len() > 1 && resources.contains(&"*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        errors.invalid(&place, at(rule, "resources"), detail);
    }
    let is_whole = |one: &&str| !one.contains('/') && *one != "*";
    if resources.contains(&"*") && resources.iter().any(is_whole) {
        let detail = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(&place, at(rule, "resources"), detail);
    }
    one_of(rule, "scope", &["*", "Cluster", "Namespaced"], path, errors);
}

/// The versions of the review that a webhook speaks, of which there are some; `shown` is the list as it was given.
pub(super) fn review_versions(shown: &Value, versions: &[&str], path: &Path, errors: &mut Errors) {
    for (index, version) in versions.iter().enumerate() {
        if versions.iter().take(index).any(|earlier| earlier == version) {
            errors.invalid(&path.index(index), *version, "duplicate version");
        } else {
            errors.problems(&path.index(index), version, is_dns1035_label(version));
        }
    }
    if !versions.iter().any(|version| matches!(*version, "v1" | "v1beta1")) {
        errors.invalid(path, shown, "must include at least one of v1, v1beta1");
    }
}

/// The Service behind which a webhook listens.
pub(super) fn service(service: &Value, path: &Path, errors: &mut Errors) {
    for key in ["name", "namespace"] {
        if text(service, key).is_empty() {
            errors.required(&path.child(key), &format!("service {key} is required"));
        }
    }
    if let Some(port) = number(service, "port").filter(|port| !(1..=65535).contains(port)) {
        let detail = "port is not valid: must be between 1 and 65535, inclusive";
        errors.invalid(&path.child("port"), port, detail);
    }
    if let Some(place) = get(service, "path").and_then(Value::as_str)
        && !place.starts_with('/')
    {
        errors.invalid(&path.child("path"), place, "must start with a '/'");
    }
}

fn api_service(object: &Object, errors: &mut Errors) {
    let spec = top(object, "spec");
    let (group, version) = (text(spec, "group"), text(spec, "version"));
    let wanted = format!("{version}.{group}");
    let name = &object.metadata().name;
    if **name != *wanted {
        let detail = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
        errors.invalid(&METADATA.child("name"), name, &detail);
    }
    if group.is_empty() && version != "v1" {
        let detail = "only v1 may have an empty group and it better be legacy kube";
        errors.required(&SPEC.child("group"), detail);
    } else if !group.is_empty() {
        errors.problems(&SPEC.child("group"), group, is_dns1123_subdomain(group));
    }
    errors.problems(&SPEC.child("version"), version, is_dns1035_label(version));
    for (key, most, detail) in [
        ("groupPriorityMinimum", 20000, "must be positive and less than 20000"),
        ("versionPriority", 1000, "must be positive and less than 1000"),
    ] {
        let value = number(spec, key).unwrap_or(0);
        if !(1..=most).contains(&value) {
            errors.invalid(&SPEC.child(key), value, detail);
        }
    }
}
