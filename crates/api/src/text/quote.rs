//! Quoted text and Go's syntax in messages.

use super::emit::general;
use super::{Node, NodeValue};
use crate::Gather as _;

/// A text in double quotes with escapes, as Go's `%q` prints it in upstream's messages.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            ' ' => quoted.push(' '),
            _ if c < ' ' || c == '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if c.is_control() || c.is_whitespace() || invisible(c) => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Format characters, which Go escapes so that they show.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// A value in the syntax of Go, as `%#v` prints it.
pub(super) fn go_syntax(node: &Node) -> String {
    match &node.value {
        NodeValue::Null => "interface {}(nil)".to_owned(),
        NodeValue::Bool(value) => value.to_string(),
        NodeValue::Int(value) => value.to_string(),
        NodeValue::Float(value) => general(*value),
        NodeValue::Str(text) => go_quote(text),
        NodeValue::Seq(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).gather();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        NodeValue::Map(fields) => {
            let mut fields: Vec<String> = fields
                .iter()
                .map(|(key, node)| format!("{}:{}", go_quote(&key.text), go_syntax(node)))
                .gather();
            crate::order::sort(&mut fields);
            format!("map[interface {{}}]interface {{}}{{{}}}", fields.join(", "))
        }
    }
}
