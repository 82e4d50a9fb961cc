//! Autoscalers described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go (`describeHorizontalPodAutoscalerV2`).

use super::text::{Text, set};
use crate::kubectl::print::look::{at, has, int, items, or, plain, text};
use serde_json::Value;

pub(super) fn describe(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    out.created(object);
    let target = at(object, "/spec/scaleTargetRef");
    out.field(0, "Reference", format!("{}/{}", text(target, "/kind"), text(target, "/name")));
    out.line(0, "Metrics:\t( current / target )");
    for (index, metric) in items(object, "/spec/metrics").iter().enumerate() {
        let status = items(object, "/status/currentMetrics").get(index).unwrap_or(&Value::Null);
        out.line(1, self::metric(metric, status));
    }
    out.field(0, "Min replicas", set(object, "/spec/minReplicas"));
    out.field(0, "Max replicas", int(object, "/spec/maxReplicas").to_string());
    behavior(out, object);
    let (current, wanted) = (int(object, "/status/currentReplicas"), int(object, "/status/desiredReplicas"));
    out.field(0, &format!("{} pods", text(target, "/kind")), format!("{current} current / {wanted} desired"));
    conditions(out, object);
    out.events(events);
}

/// One metric, in one line.
fn metric(metric: &Value, status: &Value) -> String {
    let field = match text(metric, "/type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown metric type>".into(),
    };
    let spec = at(metric, &format!("/{field}"));
    let current = at(status, &format!("/{field}/current"));
    let (target, is_average) = (at(spec, "/target"), has(spec, "/target/averageValue"));
    let value = |of: &Value, path: &str| or(&plain(at(of, path)), "<unknown>").to_owned();
    let pair = |path: &str| format!("{} / {}", value(current, path), value(target, path));
    let name = text(spec, "/metric/name");
    match field {
        "resource" | "containerResource" => {
            let mut out = format!("resource {}", text(spec, "/name"));
            if field == "containerResource" {
                out.push_str(&format!(" of container \"{}\"", text(spec, "/container")));
            }
            out.push_str(" on pods");
            if is_average {
                return format!("{out}:\t{}", pair("/averageValue"));
            }
            let now = match at(current, "/averageUtilization") {
                Value::Null => "<unknown>".into(),
                percent => format!("{}% ({})", plain(percent), plain(at(current, "/averageValue"))),
            };
            let wanted = match at(target, "/averageUtilization") {
                Value::Null => "<auto>".into(),
                percent => format!("{}%", plain(percent)),
            };
            format!("{out}  (as a percentage of request):\t{now} / {wanted}")
        }
        "pods" => format!("\"{name}\" on pods:\t{}", pair("/averageValue")),
        _ => {
            let of = at(spec, "/describedObject");
            let on = if field == "object" {
                format!(" on {}/{}", text(of, "/kind"), text(of, "/name"))
            } else {
                String::new()
            };
            let (words, path) = if is_average {
                ("target average value", "/averageValue")
            } else {
                ("target value", "/value")
            };
            format!("\"{name}\"{on} ({words}):\t{}", pair(path))
        }
    }
}

fn behavior(out: &mut Text, object: &Value) {
    if !has(object, "/spec/behavior") {
        return;
    }
    out.line(0, "Behavior:");
    for (title, field) in [("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")] {
        let rules = at(object, &format!("/spec/behavior/{field}"));
        if rules.is_null() {
            continue;
        }
        out.line(1, format!("{title}:"));
        if has(rules, "/stabilizationWindowSeconds") {
            out.line(
                2,
                format!("Stabilization Window: {} seconds", int(rules, "/stabilizationWindowSeconds")),
            );
        }
        let policies = items(rules, "/policies");
        if policies.is_empty() {
            continue;
        }
        out.line(2, format!("Select Policy: {}", or(text(rules, "/selectPolicy"), "Max")));
        out.line(2, "Policies:");
        for policy in policies {
            let (value, period) = (int(policy, "/value"), int(policy, "/periodSeconds"));
            out.line(
                3,
                format!("- Type: {}\tValue: {value}\tPeriod: {period} seconds", text(policy, "/type")),
            );
        }
    }
}

fn conditions(out: &mut Text, object: &Value) {
    let conditions = items(object, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tReason\tMessage");
    out.line(1, "----\t------\t------\t-------");
    for condition in conditions {
        let word = |path: &str| text(condition, path);
        let line = [word("/type"), word("/status"), word("/reason"), word("/message")].join("\t");
        out.line(1, line);
    }
}
