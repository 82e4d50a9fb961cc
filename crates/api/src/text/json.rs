//! JSON is read as the subset of YAML that it nearly is; this evens out where it is not.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

/// A JSON text as YAML that means the same and has everything on the same line and column, except
/// behind an escaped surrogate pair, which gets two columns shorter. Any other text stays as it is.
pub(super) fn as_yaml(text: &str) -> Cow<'_, str> {
    let differs = text.contains('\t') || text.contains("\\u");
    let json = text.trim_start().starts_with(['{', '[']);
    if !(json && differs && serde_json::from_str::<serde_json::Value>(text).is_ok()) {
        return Cow::Borrowed(text);
    }
    let mut yaml = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                yaml.push(c);
            }
            // YAML wants spaces between tokens.
            '\t' if !quoted => yaml.push(' '),
            '\\' => escape(&mut chars, &mut yaml),
            _ => yaml.push(c),
        }
    }
    Cow::Owned(yaml)
}

/// Copies what follows a backslash; the two escapes of a surrogate pair become one of YAML's.
fn escape(chars: &mut Peekable<Chars<'_>>, yaml: &mut String) {
    let Some(kind) = chars.next() else { return };
    let digits: String = if kind == 'u' { chars.by_ref().take(4).collect() } else { String::new() };
    let unit = u32::from_str_radix(&digits, 16).unwrap_or(0);
    if !(0xD800..0xDC00).contains(&unit) {
        yaml.extend(['\\', kind]);
        yaml.push_str(&digits);
        return;
    }
    let low: String = chars.by_ref().skip(2).take(4).collect();
    let low = u32::from_str_radix(&low, 16).unwrap_or(0xDC00);
    let code = 0x10000 + ((unit - 0xD800) << 10) + (low & 0x3FF);
    yaml.push_str(&format!("\\U{code:08X}"));
}
