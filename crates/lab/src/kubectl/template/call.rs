//! The functions of templates.
//!
//! Upstream: Go's text/template/funcs.go.

use super::truth;
use crate::kubectl::jsonpath::{compare, go_value};
use serde_json::Value;
use setpoint_api::text::go_quote;

/// The widest column that `printf` fills.
const MAX_WIDTH: usize = 1000;

/// Calls a function.
pub(super) fn function(name: &str, args: &[Value]) -> Result<Value, String> {
    let first =
        || args.first().ok_or_else(|| format!("wrong number of args for {name}: want at least 1 got 0"));
    let order = |holds: fn(std::cmp::Ordering) -> bool, ordered: bool| match args {
        [a, b] => compare(a, b, ordered).map(|order| Value::Bool(holds(order))),
        _ => Err(format!("wrong number of args for {name}: want 2 got {}", args.len())),
    };
    match name {
        "len" => Ok(match first()? {
            Value::String(text) => text.len(),
            Value::Array(items) => items.len(),
            Value::Object(map) => map.len(),
            other => return Err(format!("len of type {}", go_value(other))),
        }
        .into()),
        "index" => args.iter().skip(1).try_fold(first()?.clone(), |value, key| index(&value, key)),
        "not" => Ok(Value::Bool(!truth(first()?))),
        "and" => Ok(args.iter().find(|value| !truth(value)).or(args.last()).cloned().unwrap_or_default()),
        "or" => Ok(args.iter().find(|value| truth(value)).or(args.last()).cloned().unwrap_or_default()),
        "eq" => {
            let (a, rest) = args.split_first().ok_or("missing argument for comparison")?;
            for b in rest {
                if a.is_null() && b.is_null() || compare(a, b, false)?.is_eq() {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        "ne" => order(std::cmp::Ordering::is_ne, false),
        "lt" => order(std::cmp::Ordering::is_lt, true),
        "le" => order(std::cmp::Ordering::is_le, true),
        "gt" => order(std::cmp::Ordering::is_gt, true),
        "ge" => order(std::cmp::Ordering::is_ge, true),
        "print" => Ok(args.iter().map(go_value).collect::<Vec<_>>().join("").into()),
        "println" => Ok((args.iter().map(go_value).collect::<Vec<_>>().join(" ") + "\n").into()),
        "printf" => Ok(printf(&go_value(first()?), args.get(1..).unwrap_or(&[])).into()),
        "exists" => Ok(Value::Bool(
            args.iter()
                .skip(1)
                .try_fold(first()?.clone(), |value, key| index(&value, key))
                .is_ok_and(|value| !value.is_null()),
        )),
        "base64decode" => Ok(crate::kubectl::exec::decoded(first()?).into()),
        _ => Err(format!("function {} not defined", go_quote(name))),
    }
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::Array(items), Value::Number(number)) => {
            let at = number.as_u64().and_then(|at| usize::try_from(at).ok());
            let item = at.and_then(|at| items.get(at)).cloned();
            item.ok_or_else(|| format!("error calling index: index out of range: {number}"))
        }
        (Value::Object(map), Value::String(key)) => Ok(map.get(key).cloned().unwrap_or_default()),
        (Value::Null, _) => Err("error calling index: index of untyped nil".into()),
        _ => Err(format!(
            "error calling index: can't index item of type {}",
            crate::kubectl::jsonpath::go_type(value)
        )),
    }
}

/// `%s %v %d %q %t`, with a width and a minus for left-aligned.
fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args = args.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = String::new();
        let verb = loop {
            match chars.next() {
                Some(c) if c.is_ascii_digit() || c == '-' => flags.push(c),
                other => break other.unwrap_or('%'),
            }
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = args.next() else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        let text = if verb == 'q' { go_quote(&go_value(value)) } else { go_value(value) };
        let width = flags.trim_start_matches('-').parse::<usize>().unwrap_or(0).min(MAX_WIDTH);
        let blanks = " ".repeat(width.saturating_sub(text.chars().count()));
        out.push_str(&if flags.starts_with('-') { text + &blanks } else { blanks + &text });
    }
    out
}
