//! JSON is read as the subset of YAML that it nearly is; this evens out where it is not.

use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

/// A JSON text as YAML that means the same and has everything on the same line and column, except
/// behind an escaped surrogate pair, which gets two columns shorter. Any other text stays as it is.
pub(super) fn as_yaml(text: &str) -> Cow<'_, str> {
    let differs = text.contains('\t') || text.contains("\\u");
    let json = text.trim_start().starts_with(['{', '[']);
    let yaml = if json && differs && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        rewrite(text)
    } else {
        None
    };
    yaml.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The YAML of a JSON text, unless half of a surrogate pair is missing.
fn rewrite(text: &str) -> Option<String> {
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
            '\\' => escape(&mut chars, &mut yaml)?,
            _ => yaml.push(c),
        }
    }
    Some(yaml)
}

/// Copies what follows a backslash; the two escapes of a surrogate pair become one of YAML's. There is none if half of a pair
/// is missing.
fn escape(chars: &mut Peekable<Chars<'_>>, yaml: &mut String) -> Option<()> {
    let kind = chars.next()?;
    let digits: String = if kind == 'u' { chars.by_ref().take(4).collect() } else { String::new() };
    let unit = u32::from_str_radix(&digits, 16).unwrap_or(0);
    if !(0xD800..0xE000).contains(&unit) {
        yaml.extend(['\\', kind]);
        yaml.push_str(&digits);
        return Some(());
    }
    let second: String = chars.by_ref().take(6).collect();
    let low = u32::from_str_radix(second.strip_prefix("\\u")?, 16).ok()?;
    if unit >= 0xDC00 || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    let code = 0x10000 + ((unit - 0xD800) << 10) + (low & 0x3FF);
    yaml.push_str(&format!("\\U{code:08X}"));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_that_yaml_reads_otherwise_are_rewritten() {
        for (json, yaml) in [
            ("{\"a\":\t1}", "{\"a\": 1}"),
            (r#"["\ud83d\ude00 \u0041\n"]"#, r#"["\U0001F600 \u0041\n"]"#),
            // Half a pair is no JSON, and neither is an open list.
            (r#"["\ud83d"]"#, r#"["\ud83d"]"#),
            (r#"["\ude00\ud83d"]"#, r#"["\ude00\ud83d"]"#),
            (r#"["\u0041""#, r#"["\u0041""#),
            ("a:\t1", "a:\t1"),
        ] {
            assert_eq!(as_yaml(json), yaml);
        }
    }
}
