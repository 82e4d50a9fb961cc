//! Whether a patched object still has the types that its kind asks for.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/converter.go (`fromUnstructured`).
//! Simplified: fields in the order of their names; words for quantities and times come from the reading of the object.

use crate::schema::{FieldType, Scalar, Type};
use serde_json::Value;

/// The first field whose value has the wrong type, in the words of the converter from mappings to objects.
pub fn mismatch(value: &Value, of: Type) -> Option<String> {
    let Value::Object(map) = value else {
        return Some(format!("cannot restore struct from: {}", go_kind(value)));
    };
    map.iter().filter(|(_, value)| !value.is_null()).find_map(|(key, value)| wrong(value, of.field(key)?.of))
}

fn wrong(value: &Value, of: FieldType) -> Option<String> {
    if let Some(item) = of.item() {
        let Value::Array(items) = value else {
            return Some(format!("cannot restore slice from {}", go_kind(value)));
        };
        return items.iter().find_map(|value| wrong(value, item));
    }
    if let Some(inner) = of.value() {
        let Value::Object(map) = value else {
            return Some(format!("cannot restore map from {}", go_kind(value)));
        };
        return map.values().find_map(|value| wrong(value, inner));
    }
    if let Some(of) = of.object() {
        return mismatch(value, of);
    }
    let (fits, wanted) = match of.scalar()? {
        Scalar::String => (value.is_string(), "string"),
        Scalar::Bool => (value.is_boolean(), "bool"),
        Scalar::Int32 => (value.is_i64(), "int32"),
        Scalar::Int64 => (value.is_i64(), "int64"),
        _ => return None,
    };
    let number = value.is_number() && wanted != "bool";
    match (fits, number) {
        (true, _) => None,
        // Go has a conversion between these types, and refuses it here.
        (false, true) => Some(format!("cannot convert {} to {wanted}", go_kind(value))),
        (false, false) => Some(format!("unrecognized type: {wanted}")),
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}
