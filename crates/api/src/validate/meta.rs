//! Metadata, and the labels and selectors that many kinds carry.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go,
//! staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go.

use super::METADATA;
use super::cause::{Errors, Path, Raw};
use super::rbac::path_segment_problems;
use crate::Gather as _;
use crate::map::Map;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value};
use crate::order;
use crate::wire::Wire;
use crate::{Kind, LabelSelector, LabelSelectorRequirement, ObjectMeta, Str};

const MAX_ANNOTATIONS_BYTES: usize = 256 * 1024;
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// Metadata of a stored object of a kind.
pub(super) fn object(kind: Kind, meta: &ObjectMeta, errors: &mut Errors) {
    let name_problems = match kind {
        // A Service's name became as free as a label's lately; before, it had to start with a letter.
        // Nor may a StatefulSet's have dots any more, for its pods' names are host names.
        Kind::Namespace | Kind::Service | Kind::StatefulSet => is_dns1123_label,
        Kind::Role
        | Kind::ClusterRole
        | Kind::RoleBinding
        | Kind::ClusterRoleBinding
        | Kind::PodDisruptionBudget
        | Kind::Event => path_segment_problems,
        _ => is_dns1123_subdomain,
    };
    let prefix = meta.generate_name.as_deref().unwrap_or_default();
    if !prefix.is_empty() {
        let problems = name_problems(&without_trailing_dash(prefix));
        errors.problems(&METADATA.child("generateName"), prefix, problems);
    }
    if !meta.name.is_empty() {
        errors.problems(&METADATA.child("name"), &meta.name, name_problems(&meta.name));
    } else if prefix.is_empty() {
        errors.required(&METADATA.child("name"), "name or generateName is required");
    }
    let namespace = METADATA.child("namespace");
    // A custom object's namespace is decided by its definition.
    let is_namespaced = if kind == Kind::Custom { !meta.namespace.is_empty() } else { kind.is_namespaced() };
    match (is_namespaced, meta.namespace.is_empty()) {
        (true, true) => errors.required(&namespace, ""),
        (true, false) => errors.problems(&namespace, &meta.namespace, is_dns1123_label(&meta.namespace)),
        (false, false) => errors.forbidden(&namespace, "not allowed on this type"),
        (false, true) => {}
    }
    errors.nonnegative(&METADATA.child("generation"), meta.generation);
    common(meta, errors);
    finalizers(meta, errors);
}

/// Metadata of a changed object.
pub(super) fn object_update(old: &ObjectMeta, new: &ObjectMeta, errors: &mut Errors) {
    finalizers(new, errors);
    if old.is_deleting() {
        let added = |name: &&Str| !old.finalizers.contains(name);
        let mut added: Vec<String> =
            new.finalizers.iter().filter(added).map(|name| crate::text::go_quote(name)).gather();
        order::sort(&mut added);
        if !added.is_empty() {
            let list = added.join(", ");
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers \
                 []string{{{list}}}"
            );
            errors.forbidden(&METADATA.child("finalizers"), &detail);
        }
    }
    for (field, old, new) in [("name", &old.name, &new.name), ("namespace", &old.namespace, &new.namespace)] {
        if old != new {
            errors.invalid(&METADATA.child(field), new, "field is immutable");
        }
    }
    common(new, errors);
}

fn common(meta: &ObjectMeta, errors: &mut Errors) {
    labels(&meta.labels, &METADATA.child("labels"), errors);
    annotations(&meta.annotations, &METADATA.child("annotations"), errors);
    owners(meta, errors);
}

/// A prefix may end with a dash, for more text follows it.
fn without_trailing_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => prefix.to_owned(),
    }
}

fn owners(meta: &ObjectMeta, errors: &mut Errors) {
    let path = METADATA.child("ownerReferences");
    let mut controller: Option<&crate::OwnerReference> = None;
    for owner in meta.owner_references.iter() {
        for (field, value, what) in [
            ("apiVersion", &owner.api_version, "version"),
            ("kind", &owner.kind, "kind"),
            ("name", &owner.name, "name"),
        ] {
            if value.is_empty() {
                errors.invalid(&path.child(field), value, &format!("{what} must not be empty"));
            }
        }
        if owner.uid == crate::Uid::default() {
            errors.invalid(&path.child("uid"), "", "uid must not be empty");
        }
        if owner.controller != Some(true) {
            continue;
        }
        if let Some(first) = controller {
            let detail = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
                first.kind, first.name, owner.kind, owner.name
            );
            errors.invalid(&path, &meta.owner_references.write_always(), &detail);
        } else {
            controller = Some(owner);
        }
    }
}

fn finalizers(meta: &ObjectMeta, errors: &mut Errors) {
    let path = METADATA.child("finalizers");
    for name in meta.finalizers.iter() {
        errors.problems(&path, name, is_qualified_name(name));
    }
    let has = |name: &str| meta.finalizers.iter().any(|finalizer| &**finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.invalid(&path, &meta.finalizers.write_always(), detail);
    }
    for (index, name) in meta.finalizers.iter().enumerate() {
        if !name.contains('/') && !STANDARD_FINALIZERS.contains(&&**name) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&path.index(index), name, detail);
        }
    }
}

/// Labels; a wrong key or value is told at the path of the map.
pub(super) fn labels(labels: &Map<Str, Str>, path: &Path, errors: &mut Errors) {
    for (key, value) in labels {
        errors.problems(path, key, is_qualified_name(key));
        errors.problems(path, value, is_valid_label_value(value));
    }
}

/// Annotations: keys as labels', any values, a limit on all of them together.
pub(super) fn annotations(annotations: &Map<Str, Str>, path: &Path, errors: &mut Errors) {
    for key in annotations.keys() {
        errors.problems(path, key, is_qualified_name(&key.chars().map(lower).collect::<String>()));
    }
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MAX_ANNOTATIONS_BYTES {
        errors.too_long(path, MAX_ANNOTATIONS_BYTES);
    }
}

/// Go's lower case, as far as it leads to a letter that a name may have.
fn lower(c: char) -> char {
    match c {
        '\u{130}' => 'i',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    }
}

/// A selector in object form.
pub(super) fn label_selector(selector: &LabelSelector, path: &Path, errors: &mut Errors) {
    labels(&selector.match_labels, &path.child("matchLabels"), errors);
    for (index, requirement) in selector.match_expressions.iter().enumerate() {
        self::requirement(requirement, &path.child("matchExpressions").index(index), errors);
    }
}

fn requirement(requirement: &LabelSelectorRequirement, path: &Path, errors: &mut Errors) {
    match (&*requirement.operator, requirement.values.is_empty()) {
        ("In" | "NotIn", true) => {
            errors.required(&path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
        }
        ("Exists" | "DoesNotExist", false) => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(&path.child("values"), detail);
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => {}
        (operator, _) => errors.invalid(&path.child("operator"), operator, "not a valid selector operator"),
    }
    errors.problems(&path.child("key"), &requirement.key, is_qualified_name(&requirement.key));
    for (index, value) in requirement.values.iter().enumerate() {
        errors.problems(&path.child("values").index(index), value, is_valid_label_value(value));
    }
}

/// Labels as a wrong value is shown; Go prints none at all as null.
pub(super) fn shown_labels(labels: &Map<Str, Str>) -> Raw {
    Raw(if labels.is_empty() { "null".to_owned() } else { labels.write_always().to_string() })
}
