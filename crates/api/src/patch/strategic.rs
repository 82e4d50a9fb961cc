//! Strategic merge patches: mappings are merged, and so are lists whose items have a key; directives say what to take away.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (`mergeMap`, `mergeSlice`).
//! Simplified: a patch that contradicts its own `$setElementOrder` is taken as far as it goes.

use super::{Failure, is_too_deep, malformed, order};
use crate::schema::{Field, FieldType, Type};
use serde_json::{Map, Value};

/// Prefix of a list of values to take out of a list of plain values.
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
/// Prefix of the order that a list is to have.
pub(super) const SET_ORDER: &str = "$setElementOrder/";
/// What the fields of a mapping are cut down to.
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
/// What is to be done with a mapping as a whole.
pub(super) const DIRECTIVE: &str = "$patch";

/// The object with the patch in it; `of` is its type.
///
/// # Errors
/// A patch that is no mapping, directives that make no sense, items without their key.
pub fn apply(object: &Value, patch: &Value, of: Type) -> Result<Value, Failure> {
    let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
        return malformed("Invalid JSON document");
    };
    if is_too_deep(&Value::Object(patch.clone())) {
        return malformed("exceeded max depth");
    }
    merge_maps(object.clone(), patch.clone(), Some(of)).map(Value::Object)
}

/// How the items of a list are told apart and merged.
#[derive(Clone, Copy)]
pub(super) struct ListRule {
    /// Whether items are merged; else the list is one value.
    pub is_merged: bool,
    /// The key of the items, if they are mappings.
    pub key: Option<&'static str>,
    /// Type of the items.
    pub item: Option<Type>,
}

impl ListRule {
    pub fn of(field: Option<Field>) -> Self {
        let is_merged = field.is_some_and(|field| has_strategy(&field, "merge"));
        let item = field.and_then(|field| field.of.item()).and_then(FieldType::object);
        Self { is_merged, key: field.and_then(|field| field.merge_key()), item }
    }
}

fn has_strategy(field: &Field, strategy: &str) -> bool {
    field.patch_strategy().split(',').any(|one| one == strategy)
}

/// Whether a mapping is one value, and which type it has.
pub(super) fn map_rule(field: Option<Field>) -> (bool, Option<Type>) {
    let is_replaced = field.is_some_and(|field| has_strategy(&field, "replace"));
    (is_replaced, field.and_then(|field| field.of.object()))
}

/// Whether the fields that a mapping keeps are named by the patch.
pub(super) fn retains_keys(field: Option<Field>) -> bool {
    field.is_some_and(|field| has_strategy(&field, "retainKeys"))
}

type Fields = Map<String, Value>;

fn merge_maps(mut live: Fields, mut patch: Fields, of: Option<Type>) -> Result<Fields, Failure> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Map::new()),
            _ => {
                let (directive, map) =
                    (super::go_print(directive), super::go_print(&Value::Object(patch.clone())));
                Err(Failure::Unfit(format!("unknown patch type: {directive} in map: {map}")))
            }
        };
    }
    retain_keys(&mut live, &mut patch)?;
    let field = |key: &str| of.and_then(|of| of.field(key));
    set_orders(&mut live, &mut patch, of)?;
    for (key, value) in patch {
        if let Some(name) = key.strip_prefix(DELETE_FROM) {
            let Value::Array(gone) = value else {
                return malformed("invalid patch format of primitive list");
            };
            if let Some(Value::Array(list)) = live.get_mut(name) {
                list.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if value.is_null() {
            live.remove(&key);
            continue;
        }
        let merged = match (live.remove(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let (is_replaced, of) = map_rule(field(&key));
                // A directive inside counts even where the field is one value.
                if is_replaced && !new.contains_key(DIRECTIVE) {
                    Value::Object(new)
                } else {
                    Value::Object(merge_maps(old, new, of)?)
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                Value::Array(merge_lists(&old, new, ListRule::of(field(&key)))?)
            }
            (_, new) => plain(new),
        };
        live.insert(key, merged);
    }
    Ok(live)
}

/// Cuts a mapping down to the fields that the patch names.
fn retain_keys(live: &mut Fields, patch: &mut Fields) -> Result<(), Failure> {
    let Some(kept) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(kept) = kept else { return malformed("invalid patch format of retainKeys") };
    let is_kept = |key: &str| kept.iter().any(|name| name.as_str() == Some(key));
    if patch.iter().any(|(key, value)| !key.starts_with('$') && !value.is_null() && !is_kept(key)) {
        return Err(Failure::Unfit("patch content doesn't match retainKeys list".into()));
    }
    live.retain(|key, _| is_kept(key));
    Ok(())
}

/// Merges the lists whose order the patch gives, and takes them out of the patch.
fn set_orders(live: &mut Fields, patch: &mut Fields, of: Option<Type>) -> Result<(), Failure> {
    let names: Vec<String> =
        patch.keys().filter_map(|key| key.strip_prefix(SET_ORDER)).map(str::to_string).collect();
    for name in names {
        let Some(Value::Array(wanted)) = patch.remove(&format!("{SET_ORDER}{name}")) else {
            return malformed("invalid patch format of setElementOrder list");
        };
        let rule = ListRule::of(of.and_then(|of| of.field(&name)));
        let gone = match patch.remove(&format!("{DELETE_FROM}{name}")) {
            Some(Value::Array(gone)) => gone,
            _ => Vec::new(),
        };
        let old = match live.get(&name) {
            Some(Value::Array(list)) => Some(list.clone()),
            _ => None,
        };
        let new = match patch.get(&name) {
            Some(Value::Array(list)) => Some(list.clone()),
            // A list that is taken away, or made something else, has no order.
            Some(_) => continue,
            None => None,
        };
        patch.remove(&name);
        let merged = match (old.clone(), new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => plain_items(new),
            (Some(old), Some(new)) => merge_lists(&old, new, rule)?,
        };
        let merged = merged.into_iter().filter(|item| !gone.contains(item)).collect();
        let ordered = order::normalize(merged, &wanted, &old.unwrap_or_default(), rule.key);
        live.insert(name, Value::Array(ordered));
    }
    Ok(())
}

fn merge_lists(live: &[Value], mut patch: Vec<Value>, rule: ListRule) -> Result<Vec<Value>, Failure> {
    if !rule.is_merged {
        return Ok(plain_items(patch));
    }
    let are_maps = live.iter().chain(&patch).next().is_some_and(Value::is_object);
    let Some(key) = rule.key.filter(|_| are_maps) else {
        let mut merged: Vec<Value> = Vec::new();
        for item in live.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        return Ok(order::normalize(merged, &patch, live, None));
    };
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_string);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        patch.retain(|item| directive(item).is_none());
        return Ok(patch);
    }
    let mut merged = live.to_vec();
    for item in &patch {
        let Value::Object(fields) = item else { continue };
        let known = fields.get(key).ok_or_else(|| {
            Failure::Unfit(format!(
                "map: {} does not contain declared merge key: {key}",
                super::go_print(item)
            ))
        })?;
        let at = merged.iter().position(|old| old.get(key) == Some(known));
        match (directive(item).as_deref(), at) {
            (Some("delete"), Some(at)) => {
                merged.remove(at);
            }
            (Some("delete"), None) => {}
            (Some("merge") | None, Some(at)) => {
                let Some(Value::Object(old)) = merged.get(at).cloned() else { continue };
                let mut fields = fields.clone();
                fields.remove(DIRECTIVE);
                if let Some(slot) = merged.get_mut(at) {
                    *slot = Value::Object(merge_maps(old, fields, rule.item)?);
                }
            }
            (Some("merge") | None, None) => merged.push(plain(item.clone())),
            (Some(other), _) => {
                let map = super::go_print(item);
                return Err(Failure::Unfit(format!("unknown patch type: {other} in map: {map}")));
            }
        }
    }
    patch.retain(|item| directive(item).as_deref() != Some("delete"));
    Ok(order::normalize(merged, &patch, live, Some(key)))
}

/// A value that is new as a whole: without nulls and directives.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let is_plain = |key: &str, value: &Value| {
                !value.is_null()
                    && key != DIRECTIVE
                    && key != RETAIN_KEYS
                    && !key.starts_with(SET_ORDER)
                    && !key.starts_with(DELETE_FROM)
            };
            let kept = map.into_iter().filter(|(key, value)| is_plain(key, value));
            Value::Object(kept.map(|(key, value)| (key, plain(value))).collect())
        }
        Value::Array(items) => Value::Array(plain_items(items)),
        other => other,
    }
}

fn plain_items(items: Vec<Value>) -> Vec<Value> {
    let is_gone = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete");
    items.into_iter().filter(|item| !is_gone(item)).map(plain).collect()
}
