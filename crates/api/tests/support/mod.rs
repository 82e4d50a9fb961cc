//! What several tests of the API need.

use std::path::Path;

use serde_json::Value;
use setpoint_api::{Kind, Object};

/// Runs every case of a file of vectors; `check` says what differs. `exceptions` are names of cases that must
/// differ, so that one that is mended is noticed.
#[allow(dead_code)]
pub fn run(file: &str, exceptions: &[&str], check: impl Fn(&Value) -> Result<(), String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let mut failures = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        match (check(case), exceptions.contains(&name)) {
            (Err(difference), false) => failures.push(format!("{name}: {difference}")),
            (Ok(()), true) => failures.push(format!("{name} is listed as an exception, but holds")),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    for exception in exceptions {
        assert!(cases.iter().any(|case| case["name"] == *exception), "no case {exception} in {file}");
    }
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n"));
}

/// The object of a JSON tree, which must fit its kind.
#[allow(dead_code)]
pub fn object(value: &Value) -> Object {
    let word = |key: &str| value[key].as_str().unwrap_or_default();
    let kind = Kind::from_manifest(word("apiVersion"), word("kind")).expect("a kind of the simulator");
    let (object, errors) = Object::from_value(kind, value.clone());
    assert!(errors.is_empty(), "{errors:?}");
    object
}

/// Puts fields into a tree; what is no mapping replaces what was there.
#[allow(dead_code)]
pub fn merge(into: &mut Value, fields: Value) {
    match (into, fields) {
        (Value::Object(into), Value::Object(fields)) => {
            for (key, value) in fields {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
