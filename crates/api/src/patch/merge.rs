//! JSON merge patches, RFC 7386.
//!
//! Upstream: github.com/evanphx/json-patch (merge.go).

use super::{Failure, is_too_deep, malformed};
use serde_json::{Map, Value};

/// The object with the patch in it: mappings are merged, null takes away, everything else replaces.
///
/// # Errors
/// A patch that is no mapping.
pub fn apply(object: &Value, patch: &Value) -> Result<Value, Failure> {
    if is_too_deep(patch) || !patch.is_object() {
        return malformed("Invalid JSON Patch");
    }
    let mut merged = object.clone();
    merge(&mut merged, patch);
    Ok(merged)
}

fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        for (object, patch, merged) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(apply(&read(object), &read(patch)), Ok(read(merged)), "{object} {patch}");
        }
        assert!(apply(&Value::Null, &Value::from(1)).is_err());
    }
}
