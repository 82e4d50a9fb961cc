//! What an unquoted text means: the rules of YAML 1.1 as kubectl applies them.
//!
//! Upstream: `go.yaml.in/yaml/v2/resolve.go`, then JSON in `sigs.k8s.io/yaml`, by which whole floats
//! become integers (`1e3` is 1000) and timestamps stay text.

use super::NodeValue;
use super::float::{parse_float, shortest};
use crate::Gather as _;

/// What a plain text resolves to before JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the int64 range.
    Big(u64),
    /// May be infinite or not a number.
    Float(f64),
    /// A date or a time, which is text when read but quoted when printed.
    Timestamp,
    Text,
}

/// Resolves an unquoted text.
pub(super) fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Plain::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => {
            underscored(text).and_then(|plain| parse_float(&plain)).map_or(Plain::Text, Plain::Float)
        }
        Some(b'+' | b'-' | b'0'..=b'9') if is_timestamp(text) => Plain::Timestamp,
        Some(b'+' | b'-' | b'0'..=b'9') => number(&text.replace('_', "")),
        _ => Plain::Text,
    }
}

/// The value that a resolved text has in a document. The error is upstream's text.
pub(super) fn to_node_value(plain: Plain, text: &str) -> Result<NodeValue, String> {
    Ok(match plain {
        Plain::Null => NodeValue::Null,
        Plain::Bool(value) => NodeValue::Bool(value),
        Plain::Int(value) => NodeValue::Int(value),
        Plain::Big(value) => NodeValue::Float(value as f64),
        Plain::Float(value) if value.is_nan() => return Err("json: unsupported value: NaN".to_owned()),
        Plain::Float(value) if value.is_infinite() => {
            let sign = if value > 0.0 { '+' } else { '-' };
            return Err(format!("json: unsupported value: {sign}Inf"));
        }
        Plain::Float(value) => whole(value).map_or(NodeValue::Float(value), NodeValue::Int),
        Plain::Timestamp | Plain::Text => NodeValue::Str(text.into()),
    })
}

/// A float that JSON prints as digits alone, where they fit int64.
pub(super) fn whole(value: f64) -> Option<i64> {
    // The digits of JSON are the shortest that give the float, padded with zeros.
    let (digits, exponent) = shortest(value);
    if digits.is_empty() {
        return Some(0);
    }
    if exponent < 0 || value.abs() >= 1e19 {
        return None;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{digits}{}", "0".repeat(exponent.unsigned_abs() as usize)).parse().ok()
}

/// A number without underscores, or text.
fn number(plain: &str) -> Plain {
    if let Some(value) = prefixed_integer(plain) {
        return match (i64::try_from(value), u64::try_from(value)) {
            (Ok(small), _) => Plain::Int(small),
            (_, Ok(big)) if !plain.starts_with('+') => Plain::Big(big),
            _ => parse_float(plain).map_or(Plain::Text, Plain::Float),
        };
    }
    if let Some(value) = parse_float(plain) {
        return Plain::Float(value);
    }
    // Upstream reads what follows `0b` as a number of its own, sign and all.
    let negative = plain.starts_with("-0b");
    let digits = if negative { plain.strip_prefix("-0b") } else { plain.strip_prefix("0b") };
    match digits {
        Some(digits) if negative && digits.starts_with(['+', '-']) => Plain::Text,
        Some(digits) => match i64::from_str_radix(digits, 2) {
            Ok(value) => Plain::Int(if negative { -value } else { value }),
            Err(_) => Plain::Text,
        },
        None => Plain::Text,
    }
}

/// A text without its underscores, if each stands between digits.
fn underscored(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('_').gather();
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let joined = parts.windows(2).all(|pair| match pair {
        [left, right] => digit(left.as_bytes().last()) && digit(right.as_bytes().first()),
        _ => false,
    });
    joined.then(|| parts.concat())
}

/// An integer with the prefixes of Go's base 0: `0x`, `0o` or a bare `0`, `0b`.
fn prefixed_integer(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, unsigned.get(2..)?),
        Some("0o") => (8, unsigned.get(2..)?),
        Some("0b") => (2, unsigned.get(2..)?),
        Some(other) if other.starts_with('0') => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    // A second sign would be read by `from_str_radix`.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// Whether a text is one of the forms of date and time that upstream knows.
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at..)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (4, Some(year)) = (year.len(), short_number(year, 4)) else { return false };
    let (Some(month), Some(day)) = (short_number(month, 2), short_number(day, 2)) else { return false };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
        && match time {
            None => true,
            Some(time) if time.starts_with(' ') => is_clock(time.trim_start_matches(' ')),
            Some(time) => zoned_clock(time.get(1..).unwrap_or("")),
        }
}

fn zoned_clock(text: &str) -> bool {
    if let Some(clock) = text.strip_suffix('Z') {
        return is_clock(clock);
    }
    let Some(at) = text.rfind(['+', '-']) else { return false };
    let (clock, zone) = text.split_at(at);
    let offset = zone.get(1..).and_then(|zone| zone.split_once(':'));
    let valid = offset.is_some_and(|(hours, minutes)| {
        let two = |part: &str, limit| part.len() == 2 && short_number(part, 2).is_some_and(|n| n <= limit);
        two(hours, 24) && two(minutes, 60)
    });
    valid && is_clock(clock)
}

/// `15:4:5.999`, hours to seconds.
fn is_clock(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(|part| short_number(part, 2));
    let within = |part: Option<Option<u32>>, limit| part.flatten().is_some_and(|number| number < limit);
    within(parts.next(), 24)
        && within(parts.next(), 60)
        && within(parts.next(), 60)
        && parts.next().is_none()
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of one to `digits` digits.
fn short_number(text: &str, digits: usize) -> Option<u32> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
