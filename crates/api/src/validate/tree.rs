//! Looking into objects whose fields have no type here. Null counts as absent, and what is absent as empty.

use super::cause::{Errors, Path};
use super::meta::label_selector;
use crate::wire::{Reader, Wire};
use crate::{Gather as _, IntOrPercent, LabelSelector, Object, PodTemplateSpec, Quantity, ResourceList};
use serde_json::Value;

static NOTHING: Value = Value::Null;

/// A field of an object; null where there is none.
pub(super) fn top<'a>(object: &'a Object, key: &str) -> &'a Value {
    object.rest().as_ref().and_then(|rest| rest.get(key)).unwrap_or(&NOTHING)
}

/// A field that is there.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|value| !value.is_null())
}

/// A field; null where there is none.
pub(super) fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&NOTHING)
}

/// The text of a field.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    at(value, key).as_str().unwrap_or_default()
}

/// The number of a field, where it has one.
pub(super) fn number(value: &Value, key: &str) -> Option<i64> {
    at(value, key).as_i64()
}

/// Whether a field is true.
pub(super) fn is_true(value: &Value, key: &str) -> bool {
    at(value, key).as_bool() == Some(true)
}

/// The items of a field.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    at(value, key).as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(super) fn words<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    items(value, key).iter().filter_map(Value::as_str).gather()
}

/// Amounts by name.
pub(super) fn amounts(value: &Value, key: &str) -> ResourceList {
    read(at(value, key))
}

/// An amount.
pub(super) fn quantity(value: &Value, key: &str) -> Option<Quantity> {
    Quantity::parse(at(value, key).as_str()?).ok()
}

/// A count or a percentage.
pub(super) fn int_or_percent(value: &Value, key: &str) -> Option<IntOrPercent> {
    get(value, key).map(read)
}

/// A value read as a type; what does not fit has been told before.
pub(super) fn read<T: Wire + Default>(value: &Value) -> T {
    T::read(value.clone(), &mut Reader::default())
}

/// A selector, where there is one.
pub(super) fn selector(value: &Value, key: &str) -> Option<LabelSelector> {
    get(value, key).map(read)
}

/// Checks a selector, where there is one.
pub(super) fn check_selector(value: &Value, key: &str, path: &Path, errors: &mut Errors) {
    if let Some(selector) = selector(value, key) {
        label_selector(&selector, &path.child(key), errors);
    }
}

/// The template of a workload.
pub(super) fn template(spec: &Value) -> PodTemplateSpec {
    read(at(spec, "template"))
}

/// Fields that must not be negative.
pub(super) fn nonnegative(value: &Value, keys: &[&str], path: &Path, errors: &mut Errors) {
    for key in keys {
        if let Some(number) = number(value, key) {
            errors.nonnegative(&path.child(key), number);
        }
    }
}

/// A field that may only have one of some words, where it is there.
pub(super) fn one_of(value: &Value, key: &str, words: &[&str], path: &Path, errors: &mut Errors) {
    if let Some(word) = at(value, key).as_str()
        && !words.contains(&word)
    {
        errors.not_supported(&path.child(key), word, words);
    }
}

/// A field that may not change.
pub(super) fn immutable(old: &Value, new: &Value, key: &str, path: &Path, errors: &mut Errors) {
    if get(old, key) != get(new, key) {
        errors.invalid(&path.child(key), at(new, key), "field is immutable");
    }
}
