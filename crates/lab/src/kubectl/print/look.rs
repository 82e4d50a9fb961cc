//! Reading of objects as JSON, as printers need it: what is absent is empty.

use serde_json::Value;
use setpoint_api::Time;
use setpoint_api::duration::human_duration;

static NULL: Value = Value::Null;

/// The value at a path such as `/spec/replicas`.
pub fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or(&NULL)
}

/// A text, or nothing.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or("")
}

/// A whole number, or 0.
pub fn int(value: &Value, path: &str) -> i64 {
    at(value, path).as_i64().unwrap_or(0)
}

/// Whether a field is true.
pub fn is(value: &Value, path: &str) -> bool {
    at(value, path) == &Value::Bool(true)
}

/// Whether a field is there.
pub fn has(value: &Value, path: &str) -> bool {
    !at(value, path).is_null()
}

/// The items of a list.
pub fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// The entries of a mapping, by key.
pub fn entries<'a>(value: &'a Value, path: &str) -> Vec<(&'a str, &'a Value)> {
    let map = at(value, path).as_object();
    map.into_iter().flatten().map(|(key, value)| (&**key, value)).collect()
}

/// A value as text, without quotes: a port that is a number or a name, a quantity.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text, or something in its place.
pub fn or<'a>(text: &'a str, absent: &'a str) -> &'a str {
    if text.is_empty() { absent } else { text }
}

/// A point in time.
pub fn time(value: &Value, path: &str) -> Option<Time> {
    Time::parse_rfc3339(text(value, path))
}

/// How long ago a point in time was, as kubectl prints ages.
pub fn since(then: Option<Time>, now: Time) -> String {
    then.map_or_else(|| "<unknown>".into(), |then| human_duration(now.since(then)))
}

/// Labels as `a=1,b=2`, or `<none>`.
pub fn labels(value: &Value, path: &str) -> String {
    let pairs: Vec<String> =
        entries(value, path).iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    if pairs.is_empty() { "<none>".into() } else { pairs.join(",") }
}

/// A label selector of the API as text: `app=web,tier in (a,b)`.
pub fn selector(value: &Value, path: &str) -> String {
    let of = at(value, path);
    let mut parts: Vec<String> =
        entries(of, "/matchLabels").iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    for requirement in items(of, "/matchExpressions") {
        let (key, values) = (text(requirement, "/key"), items(requirement, "/values"));
        let mut values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        parts.push(match text(requirement, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    // The text form is sorted by key.
    parts.sort_by(|a, b| a.trim_start_matches('!').cmp(b.trim_start_matches('!')));
    if parts.is_empty() { "<none>".into() } else { parts.join(",") }
}

/// The selector of a workload, a Service or a ReplicationController as text, whatever its form; `<none>` without one.
pub fn own_selector(value: &Value, path: &str) -> String {
    let of = at(value, path);
    if has(of, "/matchLabels") || has(of, "/matchExpressions") { selector(of, "") } else { labels(of, "") }
}

/// Whether a condition of an object is true.
pub fn is_true(value: &Value, kind: &str) -> bool {
    let conditions = items(value, "/status/conditions");
    conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
}
