//! JSON is read as the subset of YAML that it nearly is; this evens out where it is not.

use super::go_quote;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

/// A JSON text as YAML that means the same and has everything on the same line and column, except
/// behind an escaped surrogate pair, which gets two columns shorter. Any other text stays as it is.
pub(super) fn as_yaml(text: &str) -> Cow<'_, str> {
    let json = text.trim_start().starts_with(['{', '[']);
    if json && let Some(several) = several(text) {
        return Cow::Owned(several);
    }
    let differs = text.contains('\t') || text.contains("\\u");
    let yaml = if json && differs && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        rewrite(text)
    } else {
        None
    };
    yaml.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The first error of several JSON texts behind each other.
pub fn json_error(text: &str) -> Option<serde_json::Error> {
    serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>().find_map(Result::err)
}

/// A JSON error as Go's reader words it, and the place behind the character that it is about, if it is not that the text ends
/// too soon.
pub fn go_json_error(text: &str, error: &serde_json::Error) -> (Option<usize>, String) {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let message = error.to_string();
    let says = |words: &str| message.starts_with(words);
    let end = before + error.column() + usize::from(says("control character"));
    let found = text.get(end.saturating_sub(1)..).and_then(|rest| rest.chars().next());
    let Some(found) = found.filter(|_| !error.is_eof()) else {
        return (None, "unexpected end of JSON input".to_owned());
    };
    let literal = |word: &&str| -> Option<String> {
        let begun = |count: &usize| {
            text.get(..end.saturating_sub(1)).is_some_and(|text| text.ends_with(&word[..*count]))
        };
        let count = (1..word.len()).rev().find(begun)?;
        Some(format!("in literal {word} (expecting '{}')", &word[count..=count]))
    };
    let in_literal = ["true", "false", "null"].iter().find_map(literal).filter(|_| says("expected ident"));
    let expected = if let Some(place) = &in_literal {
        place
    } else if says("key must be") || (says("trailing comma") && found == '}') {
        "looking for beginning of object key string"
    } else if says("expected `:`") {
        "after object key"
    } else if says("expected `,` or `}`") {
        "after object key:value pair"
    } else if says("expected `,` or `]`") {
        "after array element"
    } else if says("trailing characters") {
        "after top-level value"
    } else if says("control character") {
        "in string literal"
    } else if says("invalid escape") {
        "in string escape code"
    } else if says("invalid number") {
        "in numeric literal"
    } else {
        "looking for beginning of value"
    };
    let shown = match found {
        '\'' => "\\'".to_owned(),
        '"' => "\"".to_owned(),
        found => go_quote(&found.to_string()).trim_matches('"').to_owned(),
    };
    (Some(end), format!("invalid character '{shown}' {expected}"))
}

/// Several JSON texts, each on lines of its own, as documents.
fn several(text: &str) -> Option<String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(value) = values.next() {
        value.ok()?;
        ends.push(values.byte_offset());
    }
    if ends.len() < 2 {
        return None;
    }
    let (mut documents, mut start) = (Vec::new(), 0);
    for end in ends {
        let document = text.get(start..end)?;
        if start > 0 && !document.starts_with('\n') && !document.starts_with("\r\n") {
            return None;
        }
        documents.push(as_yaml(document));
        start = end;
    }
    let begun = |document: &Cow<str>| {
        let (blank, rest) = document.split_at(document.len() - document.trim_start().len());
        format!("{blank}--- {rest}")
    };
    Some(documents.iter().map(begun).collect())
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
    fn an_error_is_told_by_the_character_it_is_about() {
        for (text, place, fault) in [
            ("{\"a\": 1,}", Some(9), "invalid character '}' looking for beginning of object key string"),
            ("{{- if .a }}", Some(2), "invalid character '{' looking for beginning of object key string"),
            ("{'a': 1}", Some(2), "invalid character '\\'' looking for beginning of object key string"),
            ("{\"a\" 1}", Some(6), "invalid character '1' after object key"),
            ("{\"a\": 1\n\"b\": 2}", Some(9), "invalid character '\"' after object key:value pair"),
            ("[1 2]", Some(4), "invalid character '2' after array element"),
            ("[1,]", Some(4), "invalid character ']' looking for beginning of value"),
            ("{\"a\": \"b\n\"}", Some(9), "invalid character '\\n' in string literal"),
            ("[\"b\\x\"]", Some(5), "invalid character 'x' in string escape code"),
            ("[-x]", Some(3), "invalid character 'x' in numeric literal"),
            ("[nil]", Some(3), "invalid character 'i' in literal null (expecting 'u')"),
            ("{} x", Some(4), "invalid character 'x' looking for beginning of value"),
            ("{\"a\": 1", None, "unexpected end of JSON input"),
        ] {
            let error = json_error(text).expect("an error");
            assert_eq!(go_json_error(text, &error), (place, fault.to_owned()), "{text}");
        }
        assert!(json_error("{} {}").is_none());
    }

    #[test]
    fn escapes_that_yaml_reads_otherwise_are_rewritten() {
        for (json, yaml) in [
            ("{\"a\":\t1}", "{\"a\": 1}"),
            (r#"["\ud83d\ude00 \u0041\n"]"#, r#"["\U0001F600 \u0041\n"]"#),
            // Half a pair is no JSON, and neither is an open list.
            (r#"["\ud83d"]"#, r#"["\ud83d"]"#),
            (r#"["\ude00\ud83d"]"#, r#"["\ude00\ud83d"]"#),
            (r#"["\u0041""#, r#"["\u0041""#),
            // Several texts are documents of their own.
            ("{\"a\": 1}\n\n{\"b\": 2}\n", "--- {\"a\": 1}\n\n--- {\"b\": 2}"),
            ("{\"a\": 1} {\"b\": 2}", "{\"a\": 1} {\"b\": 2}"),
            ("a:\t1", "a:\t1"),
        ] {
            assert_eq!(as_yaml(json), yaml);
        }
    }
}
