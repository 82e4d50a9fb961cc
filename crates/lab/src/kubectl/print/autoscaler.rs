//! An autoscaler in a table.
//!
//! Upstream: pkg/printers/internalversion/printers.go (`formatHPAMetrics`).

use super::look::{at, has, int, items, or, plain, text};
use serde_json::Value;

/// How many metrics are shown.
const SHOWN: usize = 2;

/// The cells after the name.
pub(super) fn cells(object: &Value, age: String) -> Vec<String> {
    let target = at(object, "/spec/scaleTargetRef");
    vec![
        format!("{}/{}", text(target, "/kind"), text(target, "/name")),
        metrics(object),
        or(&plain(at(object, "/spec/minReplicas")), "<unset>").to_owned(),
        int(object, "/spec/maxReplicas").to_string(),
        int(object, "/status/currentReplicas").to_string(),
        age,
    ]
}

fn metrics(object: &Value) -> String {
    let specs = items(object, "/spec/metrics");
    let statuses = items(object, "/status/currentMetrics");
    let list: Vec<String> =
        specs.iter().enumerate().map(|(index, spec)| metric(spec, statuses.get(index))).collect();
    match list.get(..SHOWN) {
        _ if list.is_empty() => "<none>".into(),
        Some(shown) if list.len() > SHOWN => {
            format!("{} + {} more...", shown.join(", "), list.len() - SHOWN)
        }
        _ => list.join(", "),
    }
}

fn metric(spec: &Value, status: Option<&Value>) -> String {
    let (field, is_resource) = match text(spec, "/type") {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".into(),
    };
    let target = at(spec, &format!("/{field}/target"));
    let current = status.map_or(&Value::Null, |status| at(status, &format!("/{field}/current")));
    let has_average = has(target, "/averageValue");
    let value = |of: &Value, absent: &str| {
        let (path, percent) = match () {
            () if has_average => ("/averageValue", ""),
            () if is_resource => ("/averageUtilization", "%"),
            () => ("/value", ""),
        };
        match at(of, path) {
            Value::Null => absent.to_owned(),
            value => plain(value) + percent,
        }
    };
    let pair = format!("{}/{}", value(current, "<unknown>"), value(target, "<auto>"));
    match field {
        "resource" | "containerResource" => format!("{}: {pair}", text(spec, &format!("/{field}/name"))),
        "external" | "object" if has_average => format!("{pair} (avg)"),
        _ => pair,
    }
}
