//! `--sort-by`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/sorter.go.

use crate::kubectl::failure::Failure;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::jsonpath::JsonPath;
use crate::kubectl::print::relaxed;
use crate::kubectl::resource::Resource;
use serde_json::Value;
use setpoint_api::text::go_quote;
use setpoint_api::{Quantity, order};
use std::cmp::Ordering;

/// The objects by the field that `--sort-by` names; what lacks it comes first.
pub(super) fn sorted(
    call: &Invocation,
    found: Vec<(Resource, Value)>,
) -> Result<Vec<(Resource, Value)>, Failure> {
    let by = call.text("sort-by");
    if by.is_empty() || found.is_empty() {
        return Ok(found);
    }
    let path = relaxed(by).map_err(Failure::error)?;
    let path = JsonPath::parse(&path, true).map_err(Failure::error)?;
    let mut keyed = Vec::new();
    for (resource, value) in found {
        let key = path.find(&value).map_err(Failure::error)?;
        let key = key.into_iter().flatten().next().map(|key| key.into_owned());
        keyed.push((key, resource, value));
    }
    let text = || format!("{{.{}}}", by.trim_matches(['{', '}']).trim_start_matches('.'));
    if keyed.iter().all(|(key, ..)| key.is_none()) {
        return Err(Failure::error(format!(
            "couldn't find any field with path {} in the list of objects",
            go_quote(&text())
        )));
    }
    let is_sortable = |key: &Value| !key.is_object() && !key.is_array();
    if let Some(key) = keyed.iter().filter_map(|(key, ..)| key.as_ref()).find(|key| !is_sortable(key)) {
        let sort = if key.is_array() { "[]interface {}" } else { "map[string]interface {}" };
        return Err(Failure::error(format!(
            "field {} in [][][]reflect.Value is an unsortable type: interface, err: unsortable type: {sort}",
            text()
        )));
    }
    order::sort_by(&mut keyed, |(a, ..), (b, ..)| compare(a.as_ref(), b.as_ref()));
    Ok(keyed.into_iter().map(|(_, resource, value)| (resource, value)).collect())
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(Value::String(a)), Some(Value::String(b))) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.nano_value().cmp(&b.nano_value()),
            _ => natural(a, b),
        },
        (Some(a), Some(b)) => {
            let number = |value: &Value| value.as_f64().unwrap_or(0.0);
            number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal)
        }
    }
}

/// Digits compare as numbers: `web-2` before `web-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, rest_a) = digits(a);
            let (n, rest_b) = digits(b);
            let by_number = m.len().cmp(&n.len()).then_with(|| m.cmp(n));
            if by_number.is_ne() {
                return by_number;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        if x != y {
            return x.cmp(&y);
        }
        (a, b) = (a.get(x.len_utf8()..).unwrap_or(""), b.get(y.len_utf8()..).unwrap_or(""));
    }
}

/// The number that a text begins with, without leading zeros, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_compare_as_numbers() {
        assert_eq!(natural("web-2", "web-10"), Ordering::Less);
        assert_eq!(natural("web-02", "web-2"), Ordering::Equal);
        assert_eq!(natural("a", "ab"), Ordering::Less);
        assert_eq!(natural("b1", "a2"), Ordering::Greater);
    }
}
