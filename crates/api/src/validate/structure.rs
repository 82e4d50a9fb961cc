//! Schemas of custom kinds, which must be structural: each field has its type where it stands, and what only restricts values
//! says nothing of types.
//!
//! Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{validation,complete}.go,
//! pkg/apis/apiextensions/validation/validation.go `ValidateCustomResourceDefinitionOpenAPISchema`.
//! Simplified: rules in CEL are taken as right.

use super::cause::{Cause, Errors, Path};
use super::tree::{at, get, is_true, items, text, words};
use crate::order;
use crate::text::Pattern;
use serde_json::{Value, json};

const ANY_KEEP: &str = "x-kubernetes-preserve-unknown-fields";
const EITHER: &str = "x-kubernetes-int-or-string";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const LIST: &str = "x-kubernetes-list-type";
const KEYS: &str = "x-kubernetes-list-map-keys";
const MAP: &str = "x-kubernetes-map-type";

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks the schema of a version.
pub(super) fn schema(schema: &Value, path: &Path, errors: &mut Errors) {
    if is_true(schema, "nullable") {
        errors.forbidden(&path.child("nullable"), "nullable cannot be true at the root");
    }
    let mut found = Errors::default();
    invariants(schema, Level::Root, path, &mut found);
    for word in ["not", "allOf", "anyOf", "oneOf"] {
        for_each(schema, word, path, &mut |part, place| {
            complete(part, Some(schema), path, place, &mut found)
        });
    }
    if found.is_empty() {
        defaults(schema, path, errors);
    }
    let mut causes = found.into_causes();
    order::sort_by(&mut causes, |a: &Cause, b: &Cause| a.to_string().cmp(&b.to_string()));
    errors.extend(causes);
    open_api(schema, path, errors);
}

/// The schemas below a junctor, each with its place.
fn for_each(schema: &Value, word: &str, path: &Path, visit: &mut dyn FnMut(&Value, &Path)) {
    let path = path.child(word);
    match get(schema, word) {
        Some(part) if word == "not" => visit(part, &path),
        _ => items(schema, word).iter().enumerate().for_each(|(index, part)| visit(part, &path.index(index))),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    at(schema, "properties").as_object().into_iter().flatten()
}

/// Whether a schema has a default anywhere.
pub(super) fn has_defaults(schema: &Value) -> bool {
    let below = ["items", "additionalProperties"].into_iter().filter_map(|key| get(schema, key));
    get(schema, "default").is_some() || below.chain(properties(schema).map(|(_, of)| of)).any(has_defaults)
}

/// What is filled in must fit the schema that it is filled in by.
fn defaults(schema: &Value, path: &Path, errors: &mut Errors) {
    if let Some(default) = get(schema, "default") {
        let mut causes = crate::custom::causes_of_value(default, schema);
        for cause in &mut causes {
            let below = if cause.field == "<nil>" { String::new() } else { format!(".{}", cause.field) };
            cause.field = format!("{}{below}", path.child("default"));
        }
        errors.extend(causes);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(of) = get(schema, key) {
            defaults(of, &path.child(key), errors);
        }
    }
    for (key, of) in properties(schema) {
        defaults(of, &path.child("properties").key(key), errors);
    }
}

fn invariants(schema: &Value, level: Level, path: &Path, errors: &mut Errors) {
    let kind = text(schema, "type");
    let items_of = get(schema, "items");
    if kind == "array" && items_of.is_none() {
        errors.required(&path.child("items"), "must be specified");
    }
    if let Some(of) = items_of.filter(|of| of.is_object()) {
        invariants(of, Level::Item, &path.child("items"), errors);
    }
    for (key, of) in properties(schema) {
        invariants(of, Level::Field, &path.child("properties").key(key), errors);
    }
    if let Some(others) = get(schema, "additionalProperties") {
        let at = path.child("additionalProperties");
        if level == Level::Root {
            errors.forbidden(&at, "must not be used at the root");
        }
        if others.is_object() {
            invariants(others, Level::Field, &at, errors);
        }
    }
    let (either, keeps, embedded) =
        (is_true(schema, EITHER), is_true(schema, ANY_KEEP), is_true(schema, EMBEDDED));
    if either && keeps {
        let detail = "must be false if x-kubernetes-int-or-string is true";
        errors.invalid(&path.child(ANY_KEEP), true, detail);
    }
    if either && embedded {
        errors.invalid(&path.child(EMBEDDED), true, "must be false if x-kubernetes-int-or-string is true");
    }
    restrictions(schema, level, path, errors);
    let place = path.child("type");
    if embedded && kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        match kind {
            "" => errors.required(&place, detail),
            kind => errors.invalid(&place, kind, detail),
        }
    } else if kind.is_empty() && !either && !keeps {
        let detail = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.required(&place, detail);
    }
    if embedded && get(schema, "additionalProperties").is_some() {
        let detail = "must not be used if x-kubernetes-embedded-resource is set";
        errors.forbidden(&path.child("additionalProperties"), detail);
    }
    if level == Level::Root && !matches!(kind, "" | "object") {
        errors.invalid(&place, kind, "must be object at the root");
    }
    if level == Level::Root || embedded {
        metadata(schema, level, path, errors);
    }
    if embedded && !keeps && properties(schema).next().is_none() {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                      x-kubernetes-preserve-unknown-fields";
        errors.required(&path.child("properties"), detail);
    }
}

/// What every object has is not for a schema to say.
fn metadata(schema: &Value, level: Level, path: &Path, errors: &mut Errors) {
    let path = path.child("properties");
    for (key, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")] {
        if let Some(of) = get(at(schema, "properties"), key).filter(|of| text(of, "type") != wanted) {
            let detail = format!("must be {wanted}");
            errors.invalid(&path.key(key).child("type"), text(of, "type"), &detail);
        }
    }
    let meta = get(at(schema, "properties"), "metadata").filter(|_| level == Level::Root);
    let says_more = |meta: &Value| {
        let only_names = properties(meta).all(|(key, _)| key == "name" || key == "generateName");
        !only_names
            || [
                "items",
                "additionalProperties",
                "description",
                "title",
                "nullable",
                ANY_KEEP,
                EMBEDDED,
                EITHER,
            ]
            .iter()
            .any(|key| get(meta, key).is_some_and(|value| *value != false && *value != ""))
    };
    if meta.is_some_and(says_more) {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.forbidden(&path.key("metadata"), detail);
    }
}

/// What restricts values: other schemas, of which a number or a text may be told by types.
fn restrictions(schema: &Value, level: Level, path: &Path, errors: &mut Errors) {
    let pair = json!([{ "type": "integer" }, { "type": "string" }]);
    let is_either = |schema: &Value| *at(schema, "anyOf") == pair;
    for word in ["anyOf", "allOf", "oneOf", "not"] {
        if word == "anyOf" && is_either(schema) {
            continue;
        }
        let mut is_first = word == "allOf";
        for_each(schema, word, path, &mut |part, place| {
            let skips = std::mem::take(&mut is_first) && is_either(part);
            nested(part, skips, level, place, errors);
        });
    }
}

fn nested(schema: &Value, skips_any_of: bool, level: Level, path: &Path, errors: &mut Errors) {
    if skips_any_of {
        let mut rest = schema.clone();
        if let Some(fields) = rest.as_object_mut() {
            fields.remove("anyOf");
        }
        return nested(&rest, false, level, path, errors);
    }
    restrictions(schema, level, path, errors);
    if let Some(of) = get(schema, "items").filter(|of| of.is_object()) {
        nested(of, false, level, &path.child("items"), errors);
    }
    for (key, of) in properties(schema) {
        nested(of, false, Level::Field, &path.child("properties").key(key), errors);
    }
    for (key, detail) in [
        ("type", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        (ANY_KEEP, "must be false to be structural"),
        (EMBEDDED, "must be false to be structural"),
        (EITHER, "must be false to be structural"),
        (KEYS, "must be empty to be structural"),
        (LIST, "must be undefined to be structural"),
    ] {
        if get(schema, key).is_some_and(|value| *value != false && *value != "") {
            errors.forbidden(&path.child(key), detail);
        }
    }
    if get(at(schema, "properties"), "metadata").is_some() {
        let detail = "must not be specified in a nested context";
        errors.forbidden(&path.child("properties").key("metadata"), detail);
    }
}

/// What a restriction speaks of must be there in the schema itself.
fn complete(part: &Value, of: Option<&Value>, path: &Path, place: &Path, errors: &mut Errors) {
    let Some(of) = of else {
        errors.required(path, &format!("because it is defined in {place}"));
        return;
    };
    for word in ["not", "allOf", "anyOf", "oneOf"] {
        for_each(part, word, place, &mut |part, place| complete(part, Some(of), path, place, errors));
    }
    if let Some(part) = get(part, "items") {
        complete(part, get(of, "items"), &path.child("items"), &place.child("items"), errors);
    }
    let (path_below, place_below) = (path.child("properties"), place.child("properties"));
    for (key, part) in properties(part) {
        let others = get(of, "additionalProperties").filter(|others| others.is_object());
        match (get(at(of, "properties"), key), others) {
            (None, Some(others)) => {
                complete(
                    part,
                    Some(others),
                    &path.child("additionalProperties"),
                    &place_below.key(key),
                    errors,
                );
            }
            (own, _) => complete(part, own, &path_below.key(key), &place_below.key(key), errors),
        }
    }
}

/// What of OpenAPI may be used, and how Kubernetes' own words go together.
fn open_api(schema: &Value, path: &Path, errors: &mut Errors) {
    const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
    let kind = text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        errors.not_supported(&path.child("type"), kind, &TYPES);
    }
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        if get(schema, key).is_some() {
            errors.forbidden(&path.child(key), &format!("{key} is not supported"));
        }
    }
    if kind == "null" {
        errors.forbidden(&path.child("type"), "type cannot be set to null, use nullable as an alternative");
    }
    if at(schema, "items").is_array() {
        errors.forbidden(&path.child("items"), "items must be a schema object and not an array");
    }
    if is_true(schema, "uniqueItems") {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.forbidden(&path.child("uniqueItems"), detail);
    }
    if let Some(others) = get(schema, "additionalProperties") {
        let at = path.child("additionalProperties");
        if properties(schema).next().is_some() && *others != true {
            errors.forbidden(&at, "additionalProperties and properties are mutual exclusive");
        }
        open_api(others, &at, errors);
    }
    for (key, of) in properties(schema) {
        open_api(of, &path.child("properties").key(key), errors);
    }
    for word in ["not", "allOf", "oneOf", "anyOf"] {
        for_each(schema, word, path, &mut |part, place| open_api(part, place, errors));
    }
    if let Some(of) = get(schema, "items").filter(|of| of.is_object()) {
        open_api(of, &path.child("items"), errors);
    }
    if *at(schema, ANY_KEEP) == false {
        errors.invalid(&path.child(ANY_KEEP), false, "must be true or undefined");
    }
    for (key, wanted, known) in
        [(MAP, "object", &["atomic", "granular"][..]), (LIST, "array", &["atomic", "set", "map"])]
    {
        let Some(word) = at(schema, key).as_str() else { continue };
        if kind != wanted {
            let detail = format!("must be {wanted} if {key} is specified");
            match kind {
                "" => errors.required(&path.child("type"), &detail),
                kind => errors.invalid(&path.child("type"), kind, &detail),
            }
        } else if word == "set" {
            set_items(at(schema, "items"), &path.child("items"), errors);
        }
        if !known.contains(&word) {
            errors.not_supported(&path.child(key), word, known);
        }
    }
    list_keys(schema, path, errors);
    if let Some(pattern) = at(schema, "pattern").as_str()
        && let Err(why) = Pattern::parse(pattern)
    {
        let detail = format!("must be a valid regular expression, but isn't: {why}");
        errors.invalid(&path.child("pattern"), pattern, &detail);
    }
    for (index, rule) in items(schema, "x-kubernetes-validations").iter().enumerate() {
        let at = path.child("x-kubernetes-validations");
        let at = at.index(index);
        let (words, message) = (text(rule, "rule").trim(), text(rule, "message"));
        if words.is_empty() {
            errors.required(&at.child("rule"), "rule is not specified");
        } else if !message.is_empty() && message.trim().is_empty() {
            errors.invalid(&at.child("message"), message, "message must be non-empty if specified");
        } else if message.trim().contains(['\n', '\r']) {
            errors.invalid(&at.child("message"), message, "message must not contain line breaks");
        } else if words.contains(['\n', '\r']) && message.is_empty() {
            errors.required(&at.child("message"), "message must be specified if rule contains line breaks");
        }
    }
}

/// Items of a set are told apart as a whole.
fn set_items(of: &Value, path: &Path, errors: &mut Errors) {
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let list = at(of, LIST);
    match text(of, "type") {
        "array" if !list.is_null() && *list != "atomic" => errors.invalid(&path.child(LIST), list, detail),
        "object" if *at(of, MAP) != "atomic" => errors.invalid(&path.child(MAP), list, detail),
        _ => {}
    }
}

/// The keys by which items of a list are told apart.
fn list_keys(schema: &Value, path: &Path, errors: &mut Errors) {
    let (list, keys, of) = (text(schema, LIST), words(schema, KEYS), at(schema, "items"));
    if !keys.is_empty() && list != "map" {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        match get(schema, LIST) {
            None => errors.required(&path.child(LIST), detail),
            Some(_) => errors.invalid(&path.child(LIST), list, detail),
        }
    }
    let below = path.child("items");
    if list == "map" {
        if keys.is_empty() {
            let detail = "must not be empty if x-kubernetes-list-type is map";
            errors.required(&path.child(KEYS), detail);
        }
        if of.is_null() {
            errors.required(&below, "must have a schema if x-kubernetes-list-type is map");
        } else if text(of, "type") != "object" {
            let detail = "must be object if parent array's x-kubernetes-list-type is map";
            errors.invalid(&below.child("type"), text(of, "type"), detail);
        } else {
            for (index, key) in keys.iter().enumerate() {
                let shown = at(schema, KEYS);
                match get(at(of, "properties"), key) {
                    None => {
                        let detail = "entries must all be names of item properties";
                        errors.invalid(&path.child(KEYS), shown, detail);
                    }
                    Some(field) if matches!(text(field, "type"), "array" | "object") => {
                        let at = below.child("properties");
                        let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                        errors.invalid(&at.key(key).child("type"), "object", detail);
                    }
                    Some(_) => {}
                }
                if keys.iter().take(index).any(|earlier| earlier == key) {
                    errors.invalid(&path.child(KEYS), shown, "must not contain duplicate entries");
                }
            }
        }
    }
    if matches!(list, "map" | "set") && is_true(of, "nullable") {
        let detail = format!("cannot be nullable when x-kubernetes-list-type is {list}");
        errors.forbidden(&below.child("nullable"), &detail);
    }
    let is_needed = |key: &str| words(of, "required").contains(&key);
    for key in keys.iter().filter(|_| list == "map") {
        let Some(field) = get(at(of, "properties"), key) else { continue };
        let at = below.child("properties");
        let at = at.key(key);
        if !is_needed(key) && get(field, "default").is_none() {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required \
                          property";
            errors.required(&at.child("default"), detail);
        }
        if is_true(field, "nullable") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.forbidden(&at.child("nullable"), detail);
        }
    }
}
