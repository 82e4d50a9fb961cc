//! CustomResourceDefinitions.
//!
//! Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
//! Simplified: of a schema that it is there and has a type at its root; no conversion.

use super::cause::{Errors, Path};
use super::tree::{at, get, is_true, items, text, top, words};
use super::{METADATA, SPEC};
use crate::Object;
use crate::map::Set;
use crate::names::{is_dns1035_label, is_dns1123_subdomain};
use serde_json::Value;

pub(super) fn definition(definition: &Object, errors: &mut Errors) {
    let spec = top(definition, "spec");
    let group = text(spec, "group");
    let names = at(spec, "names");
    let expected = format!("{}.{group}", text(names, "plural"));
    let name = &definition.metadata().name;
    if **name != *expected {
        errors.invalid(&METADATA.child("name"), name, "must be spec.names.plural+\".\"+spec.group");
    }
    let at = SPEC.child("group");
    if group.is_empty() {
        errors.required(&at, "");
    } else {
        errors.problems(&at, group, is_dns1123_subdomain(group));
        if !group.contains('.') {
            errors.invalid(&at, group, "should be a domain with at least one dot");
        }
    }
    errors.one_of(&SPEC.child("scope"), text(spec, "scope"), &["Cluster", "Namespaced"]);
    versions(spec, errors);
    self::names(names, &SPEC.child("names"), errors);
}

fn versions(spec: &Value, errors: &mut Errors) {
    let path = SPEC.child("versions");
    let versions = items(spec, "versions");
    let mut seen = Set::new();
    for (index, version) in versions.iter().enumerate() {
        let at = path.index(index);
        let name = text(version, "name");
        errors.problems(&at.child("name"), name, is_dns1035_label(name));
        let at = at.child("schema");
        let root = get(version, "schema").and_then(|schema| get(schema, "openAPIV3Schema"));
        let at = at.child("openAPIV3Schema");
        match root {
            None => errors.required(&at, "schemas are required"),
            Some(root) => match text(root, "type") {
                "object" => {}
                "" => errors.required(&at.child("type"), "must not be empty at the root"),
                other => errors.invalid(&at.child("type"), other, "must be object at the root"),
            },
        }
    }
    if !versions.iter().all(|version| seen.insert(text(version, "name"))) {
        errors.invalid(&path, at(spec, "versions"), "must contain unique version names");
    }
    if versions.iter().filter(|version| is_true(version, "storage")).count() != 1 {
        errors.invalid(
            &path,
            at(spec, "versions"),
            "must have exactly one version marked as storage version",
        );
    }
}

fn names(names: &Value, path: &Path, errors: &mut Errors) {
    for key in ["plural", "singular", "kind", "listKind"] {
        let name = text(names, key);
        if name.is_empty() {
            errors.required(&path.child(key), "");
        } else {
            errors.problems(&path.child(key), name, is_dns1035_label(&name.to_ascii_lowercase()));
        }
    }
    for (index, name) in words(names, "shortNames").into_iter().enumerate() {
        errors.problems(&path.child("shortNames").index(index), name, is_dns1035_label(name));
    }
    let (kind, list) = (text(names, "kind"), text(names, "listKind"));
    if !kind.is_empty() && kind == list {
        errors.invalid(&path.child("listKind"), list, "kind and listKind may not be the same");
    }
}

pub(super) fn definition_update(old: &Object, new: &Object, errors: &mut Errors) {
    definition(new, errors);
    let (old, new) = (top(old, "spec"), top(new, "spec"));
    for key in ["group", "scope"] {
        super::tree::immutable(old, new, key, &SPEC, errors);
    }
    let path = SPEC.child("names");
    for key in ["plural", "kind"] {
        super::tree::immutable(at(old, "names"), at(new, "names"), key, &path, errors);
    }
}
