//! Changes to objects as the API server takes them: JSON patches, merge patches and strategic merge patches, and the patch
//! that leads from one object to another, which `kubectl apply` and `kubectl edit` send.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
//! Simplified: a patch that strategic merging cannot read at all is always the client's fault here.

mod diff;
mod json;
mod merge;
mod order;
mod restore;
mod strategic;

pub use diff::{merge_diff, three_way, two_way};
pub use json::{Op, apply as apply_json, decode as decode_json};
pub use merge::apply as apply_merge;
pub use restore::mismatch;
pub use strategic::apply as apply_strategic;

use serde_json::Value;
use std::fmt;

/// Deeper than any object of the API; what is nested deeper is refused rather than followed.
const DEPTH_MAX: usize = 128;

/// Why a patch cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It makes no sense by itself.
    Malformed(String),
    /// It does not fit the object.
    Unfit(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Malformed(text) | Failure::Unfit(text)) = self;
        f.write_str(text)
    }
}

fn malformed<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Malformed(message.into()))
}

/// A value as Go prints it with `%v`: `map[spec:map[replicas:4]]`.
pub fn go_print(value: &Value) -> String {
    let mut text = String::new();
    print(value, &mut text, 0);
    text
}

fn print(value: &Value, text: &mut String, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::String(string) => text.push_str(string),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { " " } else { "" });
                print(item, text, depth + 1);
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push_str("map[");
            for (index, (key, value)) in map.iter().enumerate() {
                text.push_str(if index > 0 { " " } else { "" });
                text.push_str(key);
                text.push(':');
                print(value, text, depth + 1);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// Whether a value is nested deeper than any object of the API.
fn is_too_deep(value: &Value) -> bool {
    fn within(value: &Value, depth: usize) -> bool {
        depth <= DEPTH_MAX
            && match value {
                Value::Array(items) => items.iter().all(|item| within(item, depth + 1)),
                Value::Object(map) => map.values().all(|value| within(value, depth + 1)),
                _ => true,
            }
    }
    !within(value, 0)
}
