//! Roles, ClusterRoles and their bindings.
//!
//! Upstream: pkg/apis/rbac/validation/validation.go.

use super::cause::{Errors, Path};
use super::tree::{at, items, read, text, top};
use crate::Object;
use crate::names::is_dns1123_subdomain;
use serde_json::Value;

const GROUP: &str = "rbac.authorization.k8s.io";

/// What is wrong with a name that is only told not to break a URL.
pub(super) fn path_segment_problems(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    let parts = ["/", "%"].into_iter().filter(|part| name.contains(part));
    parts.map(|part| format!("may not contain '{part}'")).collect()
}

pub(super) fn role(role: &Object, namespaced: bool, errors: &mut Errors) {
    if let Some(rule) = Some(top(role, "aggregationRule")).filter(|rule| !rule.is_null()) {
        let path = Path::root("aggregationRule");
        let path = path.child("clusterRoleSelectors");
        let selectors = items(rule, "clusterRoleSelectors");
        if selectors.is_empty() {
            let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            errors.required(&path, detail);
        }
        for (index, selector) in selectors.iter().enumerate() {
            super::meta::label_selector(&read(selector), &path.index(index), errors);
        }
    }
    let rules = top(role, "rules").as_array().map_or(&[][..], Vec::as_slice);
    for (index, rule) in rules.iter().enumerate() {
        self::rule(rule, namespaced, &Path::root("rules").index(index), errors);
    }
}

fn rule(rule: &Value, namespaced: bool, path: &Path, errors: &mut Errors) {
    let has = |key: &str| !items(rule, key).is_empty();
    if !has("verbs") {
        errors.required(&path.child("verbs"), "verbs must contain at least one value");
    }
    if has("nonResourceURLs") {
        let (at, shown) = (path.child("nonResourceURLs"), at(rule, "nonResourceURLs"));
        if namespaced {
            errors.invalid(&at, shown, "namespaced rules cannot apply to non-resource URLs");
        }
        if has("apiGroups") || has("resources") || has("resourceNames") {
            errors.invalid(&at, shown, "rules cannot apply to both regular resources and non-resource URLs");
        }
        return;
    }
    if !has("apiGroups") {
        errors.required(&path.child("apiGroups"), "resource rules must supply at least one api group");
    }
    if !has("resources") {
        errors.required(&path.child("resources"), "resource rules must supply at least one resource");
    }
}

pub(super) fn binding(binding: &Object, namespaced: bool, errors: &mut Errors) {
    let role = top(binding, "roleRef");
    let path = Path::root("roleRef");
    let group = text(role, "apiGroup");
    if group != GROUP {
        errors.not_supported(&path.child("apiGroup"), group, &[GROUP]);
    }
    let kinds = if namespaced { &["Role", "ClusterRole"][..] } else { &["ClusterRole"] };
    let kind = text(role, "kind");
    if !kinds.contains(&kind) {
        errors.not_supported(&path.child("kind"), kind, kinds);
    }
    match text(role, "name") {
        "" => errors.required(&path.child("name"), ""),
        name => errors.problems(&path.child("name"), name, path_segment_problems(name)),
    }
    let subjects = top(binding, "subjects").as_array().map_or(&[][..], Vec::as_slice);
    for (index, subject) in subjects.iter().enumerate() {
        self::subject(subject, namespaced, &Path::root("subjects").index(index), errors);
    }
}

fn subject(subject: &Value, namespaced: bool, path: &Path, errors: &mut Errors) {
    let (kind, name, group) = (text(subject, "kind"), text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        errors.required(&path.child("name"), "");
    }
    match kind {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.problems(&path.child("name"), name, is_dns1123_subdomain(name));
            }
            if !group.is_empty() {
                errors.not_supported(&path.child("apiGroup"), group, &[""]);
            }
            if !namespaced && text(subject, "namespace").is_empty() {
                errors.required(&path.child("namespace"), "");
            }
        }
        "User" | "Group" => {
            if name.is_empty() {
                let detail = format!("{} name cannot be empty", kind.to_ascii_lowercase());
                errors.invalid(&path.child("name"), name, &detail);
            }
            if group != GROUP {
                errors.not_supported(&path.child("apiGroup"), group, &[GROUP]);
            }
        }
        _ => errors.not_supported(&path.child("kind"), kind, &["ServiceAccount", "User", "Group"]),
    }
}

pub(super) fn binding_update(old: &Object, new: &Object, namespaced: bool, errors: &mut Errors) {
    binding(new, namespaced, errors);
    if top(old, "roleRef") != top(new, "roleRef") {
        errors.invalid(&Path::root("roleRef"), top(new, "roleRef"), "cannot change roleRef");
    }
}
