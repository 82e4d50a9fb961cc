//! CustomResourceDefinitions.
//!
//! Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
//! Simplified: no selectable fields, rules in CEL or paths of columns; defaults are not held against their schema.

use super::cause::{Errors, Path};
use super::tree::{at, get, is_true, items, text, top, words};
use super::{METADATA, SPEC, structure};
use crate::Object;
use crate::map::Set;
use crate::names::{is_dns1035_label, is_dns1123_subdomain};
use serde_json::Value;

const APPROVED: &str = "api-approved.kubernetes.io";

pub(super) fn definition(definition: &Object, errors: &mut Errors) {
    let spec = top(definition, "spec");
    let group = text(spec, "group");
    let names = at(spec, "names");
    let expected = format!("{}.{group}", text(names, "plural"));
    let name = &definition.metadata().name;
    if **name != *expected {
        errors.invalid(&METADATA.child("name"), name, "must be spec.names.plural+\".\"+spec.group");
    }
    let place = SPEC.child("group");
    if group.is_empty() {
        errors.required(&place, "");
    } else if let problems @ [_, ..] = is_dns1123_subdomain(group).as_slice() {
        errors.invalid(&place, group, &problems.join(","));
    } else if !group.contains('.') {
        errors.invalid(&place, group, "should be a domain with at least one dot");
    }
    errors.one_of(&SPEC.child("scope"), text(spec, "scope"), &["Cluster", "Namespaced"]);
    let keeps_all = is_true(spec, "preserveUnknownFields");
    versions(spec, keeps_all, errors);
    self::names(names, &SPEC.child("names"), errors);
    if let Some(conversion) = get(spec, "conversion") {
        self::conversion(conversion, keeps_all, &SPEC.child("conversion"), errors);
    }
    approval(definition, group, errors);
    if keeps_all {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema \
                      instead";
        errors.invalid(&SPEC.child("preserveUnknownFields"), true, detail);
    }
}

/// Groups of upstream's own want a word that upstream agreed.
fn approval(definition: &Object, group: &str, errors: &mut Errors) {
    let is_of = |domain: &str| {
        group.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    if !is_of("k8s.io") && !is_of("kubernetes.io") {
        return;
    }
    const SEE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";
    let place = METADATA.child("annotations");
    let rule = format!("protected groups must have approval annotation \"{APPROVED}\"");
    match definition.metadata().annotation(APPROVED).unwrap_or_default() {
        "" => errors.required(&place.key(APPROVED), &format!("{rule}, {SEE}")),
        word if word.starts_with("unapproved") => {}
        word if word
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()) => {}
        word => {
            let detail = format!("{rule} with either a URL or a reason starting with \"unapproved\", {SEE}");
            errors.invalid(&place.key(APPROVED), word, &detail);
        }
    }
}

fn versions(spec: &Value, keeps_all: bool, errors: &mut Errors) {
    let path = SPEC.child("versions");
    let versions = items(spec, "versions");
    let schema = |version| get(version, "schema").and_then(|schema| get(schema, "openAPIV3Schema"));
    for (index, version) in versions.iter().enumerate() {
        if schema(version).is_none() {
            let at = path.index(index);
            let at = at.child("schema");
            errors.required(&at.child("openAPIV3Schema"), "schemas are required");
        }
    }
    if keeps_all && versions.iter().filter_map(schema).any(structure::has_defaults) {
        let detail = "must be false in order to use defaults in the schema";
        errors.invalid(&SPEC.child("preserveUnknownFields"), true, detail);
    }
    let mut seen = Set::new();
    for (index, version) in versions.iter().enumerate() {
        let at = path.index(index);
        let name = text(version, "name");
        if let problems @ [_, ..] = is_dns1035_label(name).as_slice() {
            errors.invalid(&at.child("name"), name, &problems.join(","));
        }
        self::version(version, schema(version), &at, errors);
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

fn version(version: &Value, schema: Option<&Value>, path: &Path, errors: &mut Errors) {
    if let Some(warning) = at(version, "deprecationWarning").as_str() {
        let mut refuse = |detail| errors.invalid(&path.child("deprecationWarning"), warning, detail);
        if !is_true(version, "deprecated") {
            refuse("can only be set for deprecated versions");
        } else if warning.is_empty() {
            refuse("must not be an empty string");
        } else if warning.len() > 256 {
            refuse("must be <= 256 characters long");
        }
    }
    if let Some(schema) = schema {
        let at = path.child("schema");
        structure::schema(schema, &at.child("openAPIV3Schema"), errors);
    }
    if let Some(scale) = get(version, "subresources").and_then(|resources| get(resources, "scale")) {
        let at = path.child("subresources");
        for (key, field, start) in [
            ("specReplicasPath", "scale.specReplicasPath", ".spec."),
            ("statusReplicasPath", "scale.statusReplicasPath", ".status."),
        ] {
            let place = text(scale, key);
            let at = at.child(field);
            if place.is_empty() {
                errors.required(&at, "");
            } else if !place.starts_with(start) {
                let parent = start.trim_end_matches('.');
                errors.invalid(&at, place, &format!("should be a json path under {parent}"));
            }
        }
        let place = text(scale, "labelSelectorPath");
        if !place.is_empty() && !place.starts_with(".spec.") && !place.starts_with(".status.") {
            let detail = "should be a json path under either .spec or .status";
            errors.invalid(&at.child("scale.labelSelectorPath"), place, detail);
        }
    }
    for (index, column) in items(version, "additionalPrinterColumns").iter().enumerate() {
        let at = path.child("additionalPrinterColumns");
        self::column(column, &at.index(index), errors);
    }
}

fn column(column: &Value, path: &Path, errors: &mut Errors) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    if text(column, "name").is_empty() {
        errors.required(&path.child("name"), "");
    }
    let (kind, format) = (text(column, "type"), text(column, "format"));
    let one_of = |words: &[&str]| format!("must be one of {}", words.join(","));
    if kind.is_empty() {
        errors.required(&path.child("type"), &one_of(&TYPES));
    } else if !TYPES.contains(&kind) {
        errors.invalid(&path.child("type"), kind, &one_of(&TYPES));
    }
    if !format.is_empty() && !FORMATS.contains(&format) {
        errors.invalid(&path.child("format"), format, &one_of(&FORMATS));
    }
    if text(column, "jsonPath").is_empty() {
        errors.required(&path.child("JSONPath"), "");
    }
}

fn names(names: &Value, path: &Path, errors: &mut Errors) {
    let keys = ["plural", "singular", "kind", "listKind"];
    for key in keys.into_iter().filter(|key| text(names, key).is_empty()) {
        errors.required(&path.child(key), "");
    }
    for key in keys {
        let name = text(names, key);
        let (plain, rule) = match key {
            "kind" | "listKind" => {
                (name.to_ascii_lowercase(), "may have mixed case, but should otherwise match: ")
            }
            _ => (name.to_owned(), ""),
        };
        let problems = is_dns1035_label(&plain);
        if !name.is_empty() && !problems.is_empty() {
            errors.invalid(&path.child(key), name, &format!("{rule}{}", problems.join(",")));
        }
    }
    let list = |key: &'static str, errors: &mut Errors| {
        for (index, name) in words(names, key).into_iter().enumerate() {
            let problems = is_dns1035_label(name);
            if !problems.is_empty() {
                errors.invalid(&path.child(key).index(index), name, &problems.join(","));
            }
        }
    };
    list("shortNames", errors);
    let (kind, list_kind) = (text(names, "kind"), text(names, "listKind"));
    if !kind.is_empty() && kind == list_kind {
        errors.invalid(&path.child("listKind"), list_kind, "kind and listKind may not be the same");
    }
    list("categories", errors);
}

/// How objects come from one version to another. Upstream's paths are those of its internal form.
fn conversion(conversion: &Value, keeps_all: bool, path: &Path, errors: &mut Errors) {
    let strategy = text(conversion, "strategy");
    if keeps_all && strategy != "None" {
        let detail = "must be None if spec.preserveUnknownFields is true";
        errors.invalid(&path.child("strategy"), strategy, detail);
    }
    errors.one_of(&path.child("strategy"), strategy, &["None", "Webhook"]);
    let webhook = get(conversion, "webhook");
    let client = webhook.and_then(|webhook| get(webhook, "clientConfig"));
    let versions = webhook.map(|webhook| words(webhook, "conversionReviewVersions")).unwrap_or_default();
    let (at_client, at_versions) =
        (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    if strategy != "Webhook" {
        let detail = "should not be set when strategy is not set to Webhook";
        if client.is_some() {
            errors.forbidden(&at_client, detail);
        }
        if !versions.is_empty() {
            errors.forbidden(&at_versions, detail);
        }
        return;
    }
    match client.map(|client| (get(client, "url"), get(client, "service"))) {
        None => errors.required(&at_client, "required when strategy is set to Webhook"),
        Some((None, None) | (Some(_), Some(_))) => {
            errors.required(&at_client, "exactly one of url or service is required");
        }
        Some((Some(_), None)) => {}
        Some((None, Some(service))) => {
            super::extension::service(service, &at_client.child("service"), errors);
        }
    }
    if versions.is_empty() {
        errors.required(&at_versions, "");
        return;
    }
    let shown = webhook.map_or(&Value::Null, |webhook| at(webhook, "conversionReviewVersions"));
    super::extension::review_versions(shown, &versions, &at_versions, errors);
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
