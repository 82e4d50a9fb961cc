//! Defaults and checks of whole objects.

use super::{Outcome, expect};
use serde_json::{Value, json};
use setpoint_api::{Kind, Object, default, validate};

/// The object of a JSON tree, which must fit its kind.
fn object(value: &Value) -> Result<Object, String> {
    let word = |key: &str| value[key].as_str().unwrap_or_default();
    let (api_version, kind) = (word("apiVersion"), word("kind"));
    let kind = Kind::from_manifest(api_version, kind).ok_or(format!("no kind {kind} in {api_version}"))?;
    let (object, errors) = Object::from_value(kind, value.clone());
    if errors.is_empty() { Ok(object) } else { Err(format!("{errors:?}")) }
}

fn defaulted(value: &Value) -> Result<Object, String> {
    let mut object = object(value)?;
    default::apply(&mut object);
    Ok(object)
}

/// `validation`.
pub(super) fn causes(case: &Value) -> Outcome {
    let new = defaulted(&case["input"]["object"])?;
    let causes = match &case["input"]["oldObject"] {
        Value::Null => validate::create_causes(&new),
        old => validate::update_causes(&defaulted(old)?, &new),
    };
    let found: Vec<Value> =
        causes.iter().map(|cause| json!({ "type": cause.kind.as_str(), "field": cause.field })).collect();
    let wanted = case["expect"]["causes"].as_array().cloned().unwrap_or_default();
    expect("valid", wanted.is_empty(), case["expect"]["valid"] == true)?;
    if found == wanted { Ok(()) } else { Err(format!("{causes:?}, expected {wanted:?}")) }
}

/// `defaults`.
pub(super) fn defaults(case: &Value) -> Outcome {
    let object = defaulted(&case["input"]["object"])?;
    let mut found = object.to_value();
    drop_given_early(&object, &mut found);
    let mut twice = object.clone();
    default::apply(&mut twice);
    expect("defaulting again changes nothing", twice == object, true)?;
    difference("", &found, &case["expect"]["object"]).map_or(Ok(()), Err)
}

/// What is wrong with `found`. Fields that Go leaves out when they are empty may be there as empty values.
fn difference(path: &str, found: &Value, expected: &Value) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let is_empty = |value: &Value| *value == json!({}) || *value == json!([]) || *value == json!("");
            let extra = found.iter().find(|(key, value)| !expected.contains_key(*key) && !is_empty(value));
            if let Some((key, value)) = extra {
                return Some(format!("{path}.{key}: {value}, expected nothing"));
            }
            let compare = |(key, expected): (&String, &Value)| match found.get(key) {
                None => Some(format!("{path}.{key}: nothing, expected {expected}")),
                Some(found) => difference(&format!("{path}.{key}"), found, expected),
            };
            expected.iter().find_map(compare)
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let mut pairs = found.iter().zip(expected).enumerate();
            pairs.find_map(|(i, (found, expected))| difference(&format!("{path}[{i}]"), found, expected))
        }
        _ => (found != expected).then(|| format!("{path}: {found}, expected {expected}")),
    }
}

/// Takes out what upstream's registries give a moment later: a pod's first phase, a Service's address families, the first number
/// of a DaemonSet's template.
fn drop_given_early(object: &Object, found: &mut Value) {
    match object {
        Object::Pod(_) => {
            assert_eq!(found.as_object_mut().unwrap().remove("status"), Some(json!({ "phase": "Pending" })))
        }
        Object::Service(service) => {
            let spec = found["spec"].as_object_mut().unwrap();
            let expected = match &*service.spec.kind {
                "ExternalName" => (None, None),
                _ => (Some(json!(["IPv4"])), Some(json!("SingleStack"))),
            };
            assert_eq!((spec.remove("ipFamilies"), spec.remove("ipFamilyPolicy")), expected);
        }
        // Defaulting writes the number of a template that was never stored; the registry counts it.
        Object::DaemonSet(_) => {
            let number = &mut found["metadata"]["annotations"]["deprecated.daemonset.template.generation"];
            assert_eq!(std::mem::replace(number, "0".into()), "1");
        }
        _ => {}
    }
}
