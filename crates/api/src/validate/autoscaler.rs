//! Horizontal autoscalers.
//!
//! Upstream: pkg/apis/autoscaling/validation/validation.go.

use super::cause::{Errors, Path};
use super::pod_spec::{field, text};
use super::{SPEC, meta};
use crate::Gather as _;
use crate::wire::{Reader, Wire};
use crate::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HpaScalingPolicy,
    HpaScalingRules, Kind, MetricSpec, MetricTarget, Quantity,
};
use serde_json::Value;

const METRIC_TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
/// In upstream's order of checking: field, its type.
const SOURCES: [(&str, &str); 5] = [
    ("object", "Object"),
    ("external", "External"),
    ("pods", "Pods"),
    ("resource", "Resource"),
    ("containerResource", "ContainerResource"),
];
const MAX_WINDOW_SECONDS: i32 = 3600;
const MAX_PERIOD_SECONDS: i32 = 1800;

pub(super) fn create(autoscaler: &HorizontalPodAutoscaler, errors: &mut Errors) {
    meta::object(Kind::HorizontalPodAutoscaler, &autoscaler.metadata, errors);
    spec(&autoscaler.spec, errors);
}

pub(super) fn update(old: &HorizontalPodAutoscaler, new: &HorizontalPodAutoscaler, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    spec(&new.spec, errors);
}

fn spec(spec: &HorizontalPodAutoscalerSpec, errors: &mut Errors) {
    if let Some(min) = spec.min_replicas
        && min < 1
    {
        errors.invalid(&SPEC.child("minReplicas"), min, "must be greater than or equal to 1");
    }
    let at = SPEC.child("maxReplicas");
    if spec.max_replicas < 1 {
        errors.required(&at, "must be set and greater than 0");
    }
    if spec.min_replicas.is_some_and(|min| spec.max_replicas < min) {
        errors.invalid(&at, spec.max_replicas, "must be greater than or equal to `minReplicas`");
    }
    reference(&spec.scale_target_ref, &SPEC.child("scaleTargetRef"), errors);
    for (index, metric) in spec.metrics.iter().enumerate() {
        self::metric(metric, &SPEC.child("metrics").index(index), errors);
    }
    if let Some(behavior) = &spec.behavior {
        let at = SPEC.child("behavior");
        for (name, rules) in [("scaleUp", &behavior.scale_up), ("scaleDown", &behavior.scale_down)] {
            if let Some(rules) = rules {
                scaling_rules(rules, &at.child(name), errors);
            }
        }
    }
}

fn reference(target: &CrossVersionObjectReference, path: &Path, errors: &mut Errors) {
    for (name, value) in [("kind", &target.kind), ("name", &target.name)] {
        if value.is_empty() {
            errors.required(&path.child(name), "");
        } else {
            errors.problems(&path.child(name), value, path_segment_problems(value));
        }
    }
}

/// What keeps a text from being one segment of a URL's path.
fn path_segment_problems(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let found = ["/", "%"].into_iter().filter(|sign| text.contains(sign));
    found.map(|sign| format!("may not contain '{sign}'")).gather()
}

fn metric(metric: &MetricSpec, path: &Path, errors: &mut Errors) {
    let at = path.child("type");
    if metric.kind.is_empty() {
        errors.required(&at, "must specify a metric source type");
    }
    if !METRIC_TYPES.contains(&&*metric.kind) {
        errors.not_supported(&at, &metric.kind, &METRIC_TYPES);
    }
    let sources: Vec<(&str, &str, Value)> = SOURCES
        .into_iter()
        .filter_map(|(name, kind)| {
            let value = match name {
                "resource" => metric.resource.as_ref().map(Wire::write_always),
                _ => field(&metric.rest, name).cloned(),
            };
            value.map(|value| (name, kind, value))
        })
        .gather();
    // Only the first source is looked at in full.
    if let Some((name, kind, value)) = sources.first() {
        source(kind, value, &path.child(name), errors);
    }
    let expected = SOURCES.iter().find(|(_, kind)| *kind == &*metric.kind).map(|(name, _)| *name);
    match expected {
        Some(name) if !sources.iter().any(|(present, ..)| *present == name) => {
            errors.required(&path.child(name), "must populate information for the given metric source");
        }
        Some(_) => {}
        // Upstream says it twice.
        None => errors.not_supported(&at, &metric.kind, &METRIC_TYPES),
    }
    if sources.len() > 1 {
        for (name, ..) in sources.iter().filter(|(name, ..)| Some(*name) != expected) {
            errors.forbidden(&path.child(name), "must populate the given metric source only");
        }
    }
}

/// One source of a metric, in its JSON form.
fn source(kind: &str, value: &Value, path: &Path, errors: &mut Errors) {
    let target = MetricTarget::read(value.get("target").cloned().unwrap_or_default(), &mut Reader::default());
    match kind {
        "Resource" | "ContainerResource" => {
            if kind == "ContainerResource" && text(value.get("container")).is_empty() {
                errors.required(&path.child("container"), "must specify a container");
            }
            if text(value.get("name")).is_empty() {
                errors.required(&path.child("name"), "must specify a resource name");
            }
        }
        _ => {
            if kind == "Object" {
                let object = value.get("describedObject").cloned().unwrap_or_default();
                let object = CrossVersionObjectReference::read(object, &mut Reader::default());
                reference(&object, &path.child("describedObject"), errors);
            }
            let at = path.child("metric");
            let name = text(value.pointer("/metric/name"));
            if name.is_empty() {
                errors.required(&at.child("name"), "must specify a metric name");
            } else {
                errors.problems(&at.child("name"), name, path_segment_problems(name));
            }
        }
    }
    let at = path.child("target");
    metric_target(&target, &at, errors);
    needed_target(kind, &target, &at, errors);
}

fn metric_target(target: &MetricTarget, path: &Path, errors: &mut Errors) {
    let at = path.child("type");
    if target.kind.is_empty() {
        errors.required(&at, "must specify a metric target type");
    }
    if !matches!(&*target.kind, "Utilization" | "Value" | "AverageValue") {
        errors.invalid(&at, &target.kind, "must be either Utilization, Value, or AverageValue");
    }
    for (name, value) in [("value", &target.value), ("averageValue", &target.average_value)] {
        if let Some(value) = value
            && *value <= Quantity::ZERO
        {
            errors.invalid(&path.child(name), value, "must be positive");
        }
    }
    if let Some(percent) = target.average_utilization
        && percent < 1
    {
        errors.invalid(&path.child("averageUtilization"), percent, "must be greater than 0");
    }
}

/// Which of the target's numbers a kind of metric needs.
fn needed_target(kind: &str, target: &MetricTarget, path: &Path, errors: &mut Errors) {
    let (average, value) = (target.average_value.is_some(), target.value.is_some());
    let utilization = target.average_utilization.is_some();
    let at = path.child("averageValue");
    match kind {
        "Resource" | "ContainerResource" => {
            if !utilization && !average {
                let detail = "must set either a target raw value or a target utilization";
                errors.required(&path.child("averageUtilization"), detail);
            }
            if utilization && average {
                errors.forbidden(&at, "may not set both a target raw value and a target utilization");
            }
        }
        "Pods" => {
            if target.average_value.is_none_or(|value| value <= Quantity::ZERO) {
                errors.required(&at, "must specify a positive target averageValue");
            }
        }
        "Object" => {
            if !value && !average {
                errors.required(&at, "must set either a target value or averageValue");
            }
        }
        _ => {
            if !value && !average {
                errors.required(&at, "must set either a target value for metric or a per-pod target");
            }
            if value && average {
                let detail = "may not set both a target value for metric and a per-pod target";
                errors.forbidden(&path.child("value"), detail);
            }
        }
    }
}

fn scaling_rules(rules: &HpaScalingRules, path: &Path, errors: &mut Errors) {
    if let Some(seconds) = rules.stabilization_window_seconds {
        let at = path.child("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.invalid(&at, seconds, "must be greater than or equal to zero");
        }
        if seconds > MAX_WINDOW_SECONDS {
            errors.invalid(&at, seconds, &format!("must be less than or equal to {MAX_WINDOW_SECONDS}"));
        }
    }
    if let Some(policy) = rules.select_policy.as_deref()
        && !matches!(policy, "Disabled" | "Max" | "Min")
    {
        errors.not_supported(&path.child("selectPolicy"), policy, &["Disabled", "Max", "Min"]);
    }
    let at = path.child("policies");
    if rules.policies.is_empty() {
        errors.required(&at, "must specify at least one Policy");
    }
    for (index, policy) in rules.policies.iter().enumerate() {
        scaling_policy(policy, &at.index(index), errors);
    }
    if let Some(tolerance) = &rules.tolerance
        && *tolerance < Quantity::ZERO
    {
        errors.invalid(&path.child("tolerance"), tolerance, "must be greater than or equal to 0");
    }
}

fn scaling_policy(policy: &HpaScalingPolicy, path: &Path, errors: &mut Errors) {
    if !matches!(&*policy.kind, "Percent" | "Pods") {
        errors.not_supported(&path.child("type"), &policy.kind, &["Percent", "Pods"]);
    }
    if policy.value <= 0 {
        errors.invalid(&path.child("value"), policy.value, "must be greater than zero");
    }
    let (at, seconds) = (path.child("periodSeconds"), policy.period_seconds);
    if seconds <= 0 {
        errors.invalid(&at, seconds, "must be greater than zero");
    }
    if seconds > MAX_PERIOD_SECONDS {
        errors.invalid(&at, seconds, &format!("must be less than or equal to {MAX_PERIOD_SECONDS}"));
    }
}
