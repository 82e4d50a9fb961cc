//! Webhooks that are asked about requests, and policies that judge them.
//!
//! Upstream: pkg/apis/admissionregistration/validation/validation.go, staging/src/k8s.io/apiserver/pkg/util/webhook/validation.go.
//! Simplified: expressions in CEL are taken as right, and so are certificates.

use super::SPEC;
use super::cause::{Errors, Path};
use super::rbac::path_segment_problems;
use super::tree::{at, check_selector, get, items, number, one_of, text, top, words};
use crate::Object;
use crate::map::Set;
use crate::names::{is_dns1035_label, is_dns1123_subdomain, is_qualified_name};
use serde_json::Value;

const FAILURE: [&str; 2] = ["Fail", "Ignore"];
const MATCH: [&str; 2] = ["Equivalent", "Exact"];
const REINVOCATION: [&str; 2] = ["IfNeeded", "Never"];

pub(super) fn webhooks(object: &Object, mutates: bool, errors: &mut Errors) {
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
    one_of(hook, "failurePolicy", &FAILURE, path, errors);
    one_of(hook, "matchPolicy", &MATCH, path, errors);
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
        one_of(hook, "reinvocationPolicy", &REINVOCATION, path, errors);
    }
    client(at(hook, "clientConfig"), &path.child("clientConfig"), errors);
    match_conditions(hook, path, errors);
}

/// Where a webhook listens.
pub(super) fn client(client: &Value, path: &Path, errors: &mut Errors) {
    match (get(client, "url"), get(client, "service")) {
        (None, None) | (Some(_), Some(_)) => {
            errors.required(path, "exactly one of url or service is required");
        }
        (Some(url), None) => address(url.as_str().unwrap_or_default(), &path.child("url"), errors),
        (None, Some(service)) => self::service(service, &path.child("service"), errors),
    }
}

/// The address of a webhook outside the cluster.
fn address(url: &str, path: &Path, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    if scheme != "https" {
        errors.invalid(path, scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    let host = rest.strip_prefix("//").map_or("", |rest| rest.split('/').next().unwrap_or(rest));
    let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
    if host.is_empty() {
        errors.invalid(path, host, &format!("host must be specified{FORM}"));
    }
    if let Some(user) = user {
        errors.invalid(path, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        errors.invalid(path, fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        errors.invalid(path, query, "query parameters are not permitted in the URL");
    }
}

/// Which requests a webhook or a policy is asked about.
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
    resources(rule, &path.child("resources"), errors);
    one_of(rule, "scope", &["*", "Cluster", "Namespaced"], path, errors);
}

/// The resources of a rule, which may not be named twice over.
fn resources(rule: &Value, path: &Path, errors: &mut Errors) {
    let resources = words(rule, "resources");
    if resources.is_empty() {
        errors.required(path, "");
    }
    // What `pods/*` and `*/status` have named already.
    let (mut whole, mut parts) = (Set::new(), Set::new());
    let mut has_plain = false;
    for (index, one) in resources.iter().enumerate() {
        if one.is_empty() {
            errors.required(&path.index(index), "");
            continue;
        }
        let Some((resource, part)) = one.split_once('/') else {
            has_plain = *one != "*";
            continue;
        };
        if whole.contains(resource) {
            let detail = format!("if '{resource}/*' is present, must not specify {one}");
            errors.invalid(&path.index(index), *one, &detail);
        }
        if parts.contains(part) {
            let detail = format!("if '*/{part}' is present, must not specify {one}");
            errors.invalid(&path.index(index), *one, &detail);
        }
        if part == "*" {
            whole.insert(resource);
        }
        if resource == "*" {
            parts.insert(part);
        }
    }
    if resources.len() > 1 && resources.contains(&"*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        errors.invalid(path, at(rule, "resources"), detail);
    }
    if resources.contains(&"*") && has_plain {
        let detail = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(path, at(rule, "resources"), detail);
    }
}

/// What must hold of a request besides.
fn match_conditions(of: &Value, path: &Path, errors: &mut Errors) {
    let path = path.child("matchConditions");
    let conditions = items(of, "matchConditions");
    if conditions.len() > 64 {
        errors.too_many(&path, conditions.len(), 64);
    }
    let mut names = Set::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        if text(condition, "expression").trim().is_empty() {
            errors.required(&at.child("expression"), "");
        }
        match text(condition, "name") {
            "" => errors.required(&at.child("name"), ""),
            name => {
                errors.problems(&at.child("name"), name, is_qualified_name(name));
                if !names.insert(name) {
                    errors.duplicate(&at.child("name"), name, "");
                }
            }
        }
    }
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
fn service(service: &Value, path: &Path, errors: &mut Errors) {
    for key in ["name", "namespace"] {
        if text(service, key).is_empty() {
            errors.required(&path.child(key), &format!("service {key} is required"));
        }
    }
    port(service, path, errors);
    let at = path.child("path");
    match text(service, "path") {
        "" | "/" => {}
        "//" => errors.invalid(&at, "//", "segment[0] may not be empty"),
        place => {
            if !place.starts_with('/') {
                errors.invalid(&at, place, "must start with a '/'");
            }
            let steps: String = place.chars().skip(1).collect();
            for (index, step) in steps.strip_suffix('/').unwrap_or(&steps).split('/').enumerate() {
                if step.is_empty() {
                    errors.invalid(&at, place, &format!("segment[{index}] may not be empty"));
                    continue;
                }
                for problem in is_dns1123_subdomain(step) {
                    errors.invalid(&at, place, &format!("segment[{index}]: {problem}"));
                }
            }
        }
    }
}

/// The port of such a Service.
pub(super) fn port(service: &Value, path: &Path, errors: &mut Errors) {
    if let Some(port) = number(service, "port").filter(|port| !(1..=65535).contains(port)) {
        let detail = "port is not valid: must be between 1 and 65535, inclusive";
        errors.invalid(&path.child("port"), port, detail);
    }
}

/// A policy that judges requests, or one that changes them.
pub(super) fn policy(object: &Object, mutates: bool, errors: &mut Errors) {
    let spec = top(object, "spec");
    one_of(spec, "failurePolicy", &FAILURE, &SPEC, errors);
    if let Some(kind) = get(spec, "paramKind") {
        param_kind(kind, &SPEC.child("paramKind"), errors);
    }
    let at_constraints = SPEC.child("matchConstraints");
    match get(spec, "matchConstraints") {
        None => errors.required(&at_constraints, ""),
        Some(constraints) => {
            match_resources(constraints, &at_constraints, errors);
            if items(constraints, "resourceRules").is_empty() {
                errors.required(&at_constraints.child("resourceRules"), "");
            }
        }
    }
    match_conditions(spec, &SPEC, errors);
    for (index, variable) in items(spec, "variables").iter().enumerate() {
        self::variable(variable, &SPEC.child("variables").index(index), errors);
    }
    if mutates { mutations(spec, errors) } else { validations(object, spec, errors) }
}

fn validations(object: &Object, spec: &Value, errors: &mut Errors) {
    let (validations, annotations) = (items(spec, "validations"), items(spec, "auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        for key in ["validations", "auditAnnotations"] {
            let detail = "validations or auditAnnotations must contain at least one item";
            errors.required(&SPEC.child(key), detail);
        }
        return;
    }
    for (index, validation) in validations.iter().enumerate() {
        let at = SPEC.child("validations");
        self::validation(validation, &at.index(index), errors);
    }
    let mut keys = Set::new();
    for (index, annotation) in annotations.iter().enumerate() {
        let at = SPEC.child("auditAnnotations");
        let at = at.index(index);
        let key = text(annotation, "key");
        let name = format!("{}/{key}", object.metadata().name);
        errors.problems(&at.child("key"), &name, is_qualified_name(&name));
        if text(annotation, "valueExpression").trim().is_empty() {
            errors.required(&at.child("valueExpression"), "valueExpression is not specified");
        }
        if !keys.insert(key) {
            errors.duplicate(&at.child("key"), key, "");
        }
    }
}

fn validation(validation: &Value, path: &Path, errors: &mut Errors) {
    if text(validation, "expression").trim().is_empty() {
        errors.required(&path.child("expression"), "expression is not specified");
    }
    let (message, shown) = (text(validation, "message"), text(validation, "messageExpression"));
    if !shown.is_empty() && shown.trim().is_empty() {
        errors.invalid(&path.child("messageExpression"), shown, "must be non-empty if specified");
    }
    if !message.is_empty() && message.trim().is_empty() {
        errors.invalid(&path.child("message"), message, "message must be non-empty if specified");
    } else if message.trim().contains(['\n', '\r']) {
        errors.invalid(&path.child("message"), message, "message must not contain line breaks");
    }
    one_of(validation, "reason", &["Forbidden", "Invalid", "RequestEntityTooLarge"], path, errors);
}

fn mutations(spec: &Value, errors: &mut Errors) {
    let mutations = items(spec, "mutations");
    let path = SPEC.child("mutations");
    if mutations.is_empty() {
        errors.required(&path, "mutations must contain at least one item");
    }
    for (index, mutation) in mutations.iter().enumerate() {
        let at = path.index(index);
        let kinds = [("ApplyConfiguration", "applyConfiguration"), ("JSONPatch", "jsonPatch")];
        let kind = text(mutation, "patchType");
        if kind.is_empty() {
            errors.required(&at.child("patchType"), "");
        } else if !kinds.iter().any(|(name, _)| *name == kind) {
            errors.not_supported(&at.child("patchType"), kind, &kinds.map(|(name, _)| name));
        }
        for (_, field) in kinds.iter().filter(|(name, _)| *name == kind) {
            let place = at.child(field);
            if text(super::tree::at(mutation, field), "expression").trim().is_empty() {
                errors.required(&place.child("expression"), "expression is not specified");
            }
        }
    }
    match get(spec, "reinvocationPolicy") {
        None => errors.required(&SPEC.child("reinvocationPolicy"), ""),
        Some(_) => one_of(spec, "reinvocationPolicy", &REINVOCATION, &SPEC, errors),
    }
}

fn variable(variable: &Value, path: &Path, errors: &mut Errors) {
    let name = text(variable, "name");
    if name.trim().is_empty() {
        errors.required(&path.child("name"), "name is not specified");
    } else if !is_identifier(name) {
        errors.invalid(&path.child("name"), name, "name is not a valid CEL identifier");
    }
    if text(variable, "expression").trim().is_empty() {
        errors.required(&path.child("expression"), "expression is not specified");
    }
}

/// A name of CEL that is none of its words.
fn is_identifier(name: &str) -> bool {
    const RESERVED: &str = " true false null in as break const continue else for function if import let loop package \
                            namespace return var void while ";
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&format!(" {name} "))
}

/// The kind of the objects that parametrise a policy.
fn param_kind(kind: &Value, path: &Path, errors: &mut Errors) {
    let at_version = path.child("apiVersion");
    match text(kind, "apiVersion") {
        "" => errors.required(&at_version, ""),
        full if full.split('/').count() > 2 => {
            errors.invalid(&at_version, full, &format!("unexpected GroupVersion string: {full}"));
        }
        full => {
            let (group, version) = full.split_once('/').unwrap_or(("", full));
            let group_problems = if group.is_empty() { Vec::new() } else { is_dns1123_subdomain(group) };
            if !group_problems.is_empty() {
                errors.invalid(&at_version, group, &group_problems.join(","));
            }
            let version_problems = is_dns1035_label(version);
            if version.is_empty() {
                errors.invalid(&at_version, full, "version must be specified");
            } else if !version_problems.is_empty() {
                errors.invalid(&at_version, version, &version_problems.join(","));
            }
        }
    }
    let name = text(kind, "kind");
    let problems = is_dns1035_label(&name.to_ascii_lowercase());
    if name.is_empty() {
        errors.required(&path.child("kind"), "");
    } else if !problems.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", problems.join(","));
        errors.invalid(&path.child("kind"), name, &detail);
    }
}

/// The requests that a policy or its binding is for.
fn match_resources(resources: &Value, path: &Path, errors: &mut Errors) {
    one_of(resources, "matchPolicy", &MATCH, path, errors);
    check_selector(resources, "namespaceSelector", path, errors);
    check_selector(resources, "objectSelector", path, errors);
    for key in ["resourceRules", "excludeResourceRules"] {
        for (index, rule) in items(resources, key).iter().enumerate() {
            let at = path.child(key);
            let at = at.index(index);
            let names = words(rule, "resourceNames");
            for (index, name) in names.iter().enumerate() {
                let place = at.child("resourceNames");
                errors.problems(&place.index(index), name, path_segment_problems(name));
                if names.iter().take(index).any(|earlier| earlier == name) {
                    errors.duplicate(&place.index(index), *name, "");
                }
            }
            self::rule(rule, &at, errors);
        }
    }
}

/// What makes a policy count, and with which parameters.
pub(super) fn binding(object: &Object, mutates: bool, errors: &mut Errors) {
    let spec = top(object, "spec");
    match text(spec, "policyName") {
        "" => errors.required(&SPEC.child("policyName"), ""),
        name => errors.problems(&SPEC.child("policyName"), name, is_dns1123_subdomain(name)),
    }
    if let Some(param) = get(spec, "paramRef") {
        param_ref(param, &SPEC.child("paramRef"), errors);
    }
    if let Some(resources) = get(spec, "matchResources") {
        match_resources(resources, &SPEC.child("matchResources"), errors);
    }
    if mutates {
        return;
    }
    let actions = words(spec, "validationActions");
    let path = SPEC.child("validationActions");
    for (index, action) in actions.iter().enumerate() {
        let known = ["Audit", "Deny", "Warn"];
        if !known.contains(action) {
            errors.not_supported(&path.index(index), *action, &known);
        }
        if actions.iter().take(index).any(|earlier| earlier == action) {
            errors.duplicate(&path.index(index), *action, "");
        }
    }
    if actions.contains(&"Deny") && actions.contains(&"Warn") {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure information in the API \
                      response and headers serves no purpose)";
        errors.invalid(&path, at(spec, "validationActions"), detail);
    }
    if actions.is_empty() {
        errors.required(&path, "at least one validation action is required");
    }
}

fn param_ref(param: &Value, path: &Path, errors: &mut Errors) {
    const EITHER: &str = "name and selector are mutually exclusive";
    let (name, has_selector) = (text(param, "name"), get(param, "selector").is_some());
    if !name.is_empty() {
        errors.problems(&path.child("name"), name, path_segment_problems(name));
        if has_selector {
            errors.forbidden(&path.child("name"), EITHER);
        }
    }
    check_selector(param, "selector", path, errors);
    match (name.is_empty(), has_selector) {
        (false, true) => errors.forbidden(&path.child("selector"), EITHER),
        (true, false) => errors.required(path, "one of name or selector must be specified"),
        _ => {}
    }
    match text(param, "parameterNotFoundAction") {
        "" => errors.required(&path.child("parameterNotFoundAction"), ""),
        _ => one_of(param, "parameterNotFoundAction", &["Deny", "Allow"], path, errors),
    }
}
