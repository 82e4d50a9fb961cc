//! The strategic merge patch that leads from one object to another.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (`diffMaps`, `CreateTwoWayMergePatch`,
//! `CreateThreeWayMergePatch`); of kinds without a schema util/jsonmergepatch/patch.go.

use super::order::is_same;
use super::strategic::{DELETE_FROM, DIRECTIVE, ListRule, RETAIN_KEYS, SET_ORDER, map_rule, retains_keys};
use crate::schema::Type;
use serde_json::{Map, Value, json};

/// Which differences a patch is to have.
#[derive(Clone, Copy)]
struct Wanted {
    deletions: bool,
    changes: bool,
    order: bool,
}

/// The patch from one object to another.
pub fn two_way(from: &Value, to: &Value, of: Type) -> Value {
    Value::Object(diff(from, to, Some(of), Wanted { deletions: true, changes: true, order: false }))
}

/// What `kubectl apply` sends: all that the new configuration says differently from the live object, and the deletion of
/// what the last configuration said and the new one does not. Without a type the patch is a JSON merge patch.
pub fn three_way(last: &Value, new: &Value, live: &Value, of: Option<Type>) -> Value {
    let Some(of) = of else {
        let mut patch = merge_diff(live, new, false, true);
        combine(&mut patch, merge_diff(last, new, true, false), None);
        return patch;
    };
    let delta = diff(live, new, Some(of), Wanted { deletions: false, changes: true, order: true });
    let deletions = diff(last, new, Some(of), Wanted { deletions: true, changes: false, order: true });
    let mut patch = Value::Object(delta);
    combine(&mut patch, Value::Object(deletions), Some(of));
    patch
}

/// The JSON merge patch from one object to another, with deletions or changes left out if unwanted.
pub fn merge_diff(from: &Value, to: &Value, deletions: bool, changes: bool) -> Value {
    let mut patch = Map::new();
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return Value::Object(patch) };
    for (key, old) in from {
        match to.get(key) {
            None if deletions => drop(patch.insert(key.clone(), Value::Null)),
            Some(new) if old.is_object() && new.is_object() => {
                let sub = merge_diff(old, new, deletions, changes);
                if sub != json!({}) {
                    patch.insert(key.clone(), sub);
                }
            }
            Some(new) if changes && old != new => drop(patch.insert(key.clone(), new.clone())),
            _ => {}
        }
    }
    let added = to.iter().filter(|(key, _)| changes && !from.contains_key(*key));
    patch.extend(added.map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(patch)
}

fn diff(from: &Value, to: &Value, of: Option<Type>, wanted: Wanted) -> Map<String, Value> {
    let mut patch = Map::new();
    let none = Map::new();
    let from = from.as_object().unwrap_or(&none);
    let to = to.as_object().unwrap_or(&none);
    for (key, old) in from {
        let field = of.and_then(|of| of.field(key));
        let Some(new) = to.get(key) else {
            if wanted.deletions {
                patch.insert(key.clone(), Value::Null);
            }
            continue;
        };
        match (old, new) {
            (Value::Object(_), Value::Object(fields)) => {
                let (is_replaced, sub_type) = map_rule(field);
                if is_replaced {
                    if wanted.changes && old != new {
                        patch.insert(key.clone(), new.clone());
                    }
                    continue;
                }
                let mut sub = diff(old, new, sub_type, wanted);
                if !sub.is_empty() {
                    if retains_keys(field) {
                        let names: Vec<&String> = fields.keys().collect();
                        sub.insert(RETAIN_KEYS.into(), json!(names));
                    }
                    patch.insert(key.clone(), Value::Object(sub));
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                let rule = ListRule::of(field);
                if rule.is_merged {
                    diff_lists(&mut patch, key, (old, new), rule, wanted);
                } else if wanted.changes && old != new {
                    patch.insert(key.clone(), Value::Array(new.clone()));
                }
            }
            _ if wanted.changes && old != new => drop(patch.insert(key.clone(), new.clone())),
            _ => {}
        }
    }
    let added = to.iter().filter(|(key, _)| wanted.changes && !from.contains_key(*key));
    patch.extend(added.map(|(key, value)| (key.clone(), value.clone())));
    patch
}

/// The differences of two lists whose items are merged.
fn diff_lists(
    patch: &mut Map<String, Value>,
    name: &str,
    (old, new): (&[Value], &[Value]),
    rule: ListRule,
    wanted: Wanted,
) {
    let are_maps = old.iter().chain(new).next().is_some_and(Value::is_object);
    let Some(key) = rule.key.filter(|_| are_maps) else {
        let added: Vec<&Value> = new.iter().filter(|item| wanted.changes && !old.contains(item)).collect();
        let gone: Vec<&Value> = old.iter().filter(|item| wanted.deletions && !new.contains(item)).collect();
        if wanted.order && (!gone.is_empty() || (wanted.changes && old != new)) {
            patch.insert(format!("{SET_ORDER}{name}"), json!(new));
        }
        if !added.is_empty() {
            patch.insert(name.into(), json!(added));
        }
        if !gone.is_empty() {
            patch.insert(format!("{DELETE_FROM}{name}"), json!(gone));
        }
        return;
    };
    let mut items = Vec::new();
    for item in new {
        let Some(before) = old.iter().find(|before| is_same(before, item, Some(key))) else {
            if wanted.changes {
                items.push(item.clone());
            }
            continue;
        };
        let mut sub = diff(before, item, rule.item, wanted);
        if !sub.is_empty()
            && let Some(name) = item.get(key)
        {
            sub.insert(key.into(), name.clone());
            items.push(Value::Object(sub));
        }
    }
    let is_gone =
        |item: &&Value| wanted.deletions && !new.iter().any(|other| is_same(other, item, Some(key)));
    let gone = old.iter().filter(is_gone).filter_map(|item| item.get(key));
    items.extend(gone.map(|value| json!({ DIRECTIVE: "delete", key: value })));
    let same_order = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| is_same(a, b, Some(key)));
    if wanted.order && (!items.is_empty() || (wanted.changes && !same_order)) {
        let names: Vec<Value> =
            new.iter().filter_map(|item| item.get(key)).map(|name| json!({ key: name })).collect();
        patch.insert(format!("{SET_ORDER}{name}"), Value::Array(names));
    }
    if !items.is_empty() {
        patch.insert(name.into(), Value::Array(items));
    }
}

/// Puts the deletions of one patch into another.
fn combine(patch: &mut Value, deletions: Value, of: Option<Type>) {
    let (Value::Object(patch), Value::Object(deletions)) = (patch, deletions) else { return };
    for (key, gone) in deletions {
        let Some(there) = patch.get_mut(&key) else {
            patch.insert(key, gone);
            continue;
        };
        let field = of.and_then(|of| of.field(&key));
        match (&mut *there, gone) {
            (Value::Object(_), gone @ Value::Object(_)) => combine(there, gone, map_rule(field).1),
            (Value::Array(items), Value::Array(gone)) if !key.starts_with(SET_ORDER) => {
                let rule = ListRule::of(field);
                for item in gone {
                    let twin =
                        items.iter_mut().find(|other| rule.key.is_some() && is_same(other, &item, rule.key));
                    match twin {
                        Some(twin) => combine(twin, item, rule.item),
                        None => items.push(item),
                    }
                }
            }
            // What the new configuration sets stays set.
            _ => {}
        }
    }
}
