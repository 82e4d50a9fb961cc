//! KYAML: YAML that is written like JSON, and cannot be misread.
//!
//! Upstream: sigs.k8s.io/yaml/kyaml.

use serde_json::Value;
use setpoint_api::text::go_quote;

/// A value as a document.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::from("---\n");
    put(value, 0, &mut out);
    out.push('\n');
    out
}

fn put(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (key, value) in map {
                line(out, depth + 1);
                out.push_str(&self::key(key));
                out.push_str(": ");
                put(value, depth + 1, out);
                out.push(',');
            }
            line(out, depth);
            out.push('}');
        }
        // Mappings in a list share their brackets' lines.
        Value::Array(items)
            if items.iter().all(|item| item.as_object().is_some_and(|map| !map.is_empty()))
                && !items.is_empty() =>
        {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                put(item, depth, out);
            }
            out.push(']');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for item in items {
                line(out, depth + 1);
                put(item, depth + 1, out);
                out.push(',');
            }
            line(out, depth);
            out.push(']');
        }
        Value::String(text) => out.push_str(&go_quote(text)),
        other => out.push_str(&other.to_string()),
    }
}

/// A key, in quotes where it could be taken for something else.
fn key(key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(
            key.to_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    if is_plain { key.to_owned() } else { go_quote(key) }
}
