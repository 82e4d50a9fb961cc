//! JSON patches, RFC 6902: operations one after the other, all or none.
//!
//! Upstream: github.com/evanphx/json-patch (patch.go).

use super::{Failure, is_too_deep, malformed};
use serde_json::Value;

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    op: String,
    path: String,
    from: Option<String>,
    value: Option<Value>,
}

/// More operations than upstream takes in one patch.
const OPS_MAX: usize = 10_000;

/// Reads the operations of a patch.
///
/// # Errors
/// What is no list of operations.
pub fn decode(patch: &Value) -> Result<Vec<Op>, Failure> {
    let Value::Array(items) = patch else {
        let what = match patch {
            Value::Object(_) => "object",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            Value::Null => return Ok(Vec::new()),
            _ => "number",
        };
        return malformed(format!("json: cannot unmarshal {what} into Go value of type jsonpatch.Patch"));
    };
    if items.len() > OPS_MAX {
        return malformed(format!(
            "The allowed maximum operations in a JSON patch is {OPS_MAX}, got {}",
            items.len()
        ));
    }
    if is_too_deep(patch) {
        return malformed("Invalid JSON Patch");
    }
    items.iter().map(decode_op).collect()
}

fn decode_op(item: &Value) -> Result<Op, Failure> {
    let Value::Object(map) = item else {
        return malformed("json: cannot unmarshal value into Go value of type jsonpatch.Operation");
    };
    let word = |key: &str| map.get(key).and_then(Value::as_str).map(ToString::to_string);
    Ok(Op {
        op: word("op").unwrap_or_else(|| "unknown".into()),
        path: word("path").unwrap_or_else(|| "unknown".into()),
        from: word("from"),
        value: map.get("value").cloned(),
    })
}

/// The object with all operations done.
///
/// # Errors
/// The first operation that does not fit, in upstream's words.
pub fn apply(object: &Value, ops: &[Op]) -> Result<Value, Failure> {
    let mut object = object.clone();
    for op in ops {
        run(&mut object, op).map_err(Failure::Unfit)?;
    }
    Ok(object)
}

fn run(root: &mut Value, op: &Op) -> Result<(), String> {
    let path = &*op.path;
    match &*op.op {
        "add" => {
            add(root, path, op.value.clone().unwrap_or(Value::Null)).map_err(|why| step("add", path, &why))
        }
        "remove" => remove(root, path).map(|_| ()).map_err(|why| step("remove", path, &why)),
        "replace" => {
            let value = op.value.clone().unwrap_or(Value::Null);
            replace(root, path, value).map_err(|why| step("replace", path, &why))
        }
        "move" => {
            let from = source(op)?;
            let value = remove(root, from).map_err(|why| step("move", from, &why))?;
            add(root, path, value).map_err(|why| step("move", path, &why))
        }
        "copy" => {
            let from = source(op)?;
            let value = find(root, from).cloned();
            let value = value.ok_or_else(|| step("copy", from, &missing(from)))?;
            add(root, path, value).map_err(|why| step("copy", path, &why))
        }
        "test" => {
            let found = find(root, path).unwrap_or(&Value::Null);
            if *found == op.value.clone().unwrap_or(Value::Null) {
                return Ok(());
            }
            Err(format!("testing value {path} failed: test failed"))
        }
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn source(op: &Op) -> Result<&str, String> {
    op.from.as_deref().ok_or_else(|| format!("{} operation failed to decode from: missing value", op.op))
}

fn step(op: &str, path: &str, why: &str) -> String {
    format!("{op} operation does not apply: doc is missing path: {path}: {why}")
}

fn missing(path: &str) -> String {
    let key = path.rsplit('/').next().unwrap_or_default();
    format!("Unable to locate key: {key}: missing value")
}

/// The steps of a path: `/spec/a~1b` is `spec`, `a/b`.
fn steps(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Where in a list of a length a step points; `-` is behind the end.
fn index(step: &str, length: usize) -> Option<usize> {
    if step == "-" {
        return Some(length);
    }
    let number: i64 = step.parse().ok()?;
    // Negative numbers count from the end, as upstream allows.
    usize::try_from(if number < 0 { number + length as i64 } else { number }).ok()
}

fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).iter().try_fold(root, |value, step| match value {
        Value::Object(map) => map.get(step),
        Value::Array(items) => items.get(index(step, items.len())?),
        _ => None,
    })
}

/// The parent of what a path names, and the last step.
fn parent<'a>(root: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let mut steps = steps(path);
    let last = steps.pop().ok_or_else(|| missing(path))?;
    let parent = steps.iter().try_fold(root, |value, step| match value {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => {
            let at = index(step, items.len())?;
            items.get_mut(at)
        }
        _ => None,
    });
    parent
        .filter(|parent| parent.is_object() || parent.is_array())
        .map(|parent| (parent, last))
        .ok_or_else(|| missing(path))
}

fn add(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    match parent(root, path)? {
        (Value::Object(map), key) => {
            map.insert(key, value);
        }
        (Value::Array(items), key) => {
            let at = index(&key, items.len()).filter(|at| *at <= items.len());
            let at =
                at.ok_or_else(|| format!("Unable to access invalid index: {key}: invalid index referenced"))?;
            items.insert(at, value);
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn remove(root: &mut Value, path: &str) -> Result<Value, String> {
    match parent(root, path)? {
        (Value::Object(map), key) => map.remove(&key).ok_or_else(|| missing(path)),
        (Value::Array(items), key) => {
            let at = index(&key, items.len()).filter(|at| *at < items.len());
            at.map(|at| items.remove(at))
                .ok_or_else(|| format!("Unable to access invalid index: {key}: invalid index referenced"))
        }
        _ => Err(missing(path)),
    }
}

fn replace(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *root = value;
        return Ok(());
    }
    let slot = match parent(root, path)? {
        (Value::Object(map), key) => map.get_mut(&key),
        (Value::Array(items), key) => index(&key, items.len()).and_then(|at| items.get_mut(at)),
        _ => None,
    };
    *slot.ok_or_else(|| missing(path))? = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(object: &str, patch: &str) -> Result<String, String> {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let ops = decode(&read(patch)).map_err(|failure| failure.to_string())?;
        apply(&read(object), &ops).map(|value| value.to_string()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn operations_are_done_in_order() {
        for (object, patch, result) in [
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":2}]"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":[1,3]}"#, r#"[{"op":"add","path":"/a/1","value":2}]"#, r#"{"a":[1,2,3]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-","value":2}]"#, r#"{"a":[1,2]}"#),
            (r#"{"a":{"b":1},"c":2}"#, r#"[{"op":"remove","path":"/a/b"}]"#, r#"{"a":{},"c":2}"#),
            (r#"{"a":[1,2]}"#, r#"[{"op":"replace","path":"/a/0","value":5}]"#, r#"{"a":[5,2]}"#),
            (r#"{"a":{"x/y":1}}"#, r#"[{"op":"move","from":"/a/x~1y","path":"/b"}]"#, r#"{"a":{},"b":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/a","value":1}]"#, r#"{"a":1}"#),
        ] {
            assert_eq!(patched(object, patch).as_deref(), Ok(result), "{patch}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_as_a_whole() {
        for (object, patch, error) in [
            (
                r#"{"a":1}"#,
                r#"[{"op":"add","path":"/b","value":2},{"op":"remove","path":"/c"}]"#,
                "remove operation does not apply: doc is missing path: /c: Unable to locate key: c: missing value",
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"test","path":"/a","value":2}]"#,
                "testing value /a failed: test failed",
            ),
            (r#"{"a":1}"#, r#"[{"op":"spin","path":"/a"}]"#, "Unexpected kind: spin"),
            (r#"{}"#, r#"{"a":1}"#, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ] {
            assert_eq!(patched(object, patch), Err(error.to_string()), "{patch}");
        }
    }
}
