//! PodDisruptionBudgets, ResourceQuotas, LimitRanges and PriorityClasses.
//!
//! Upstream: pkg/apis/policy/validation/validation.go, pkg/apis/core/validation/validation.go `ValidateResourceQuotaSpec`,
//! `ValidateLimitRange`, pkg/apis/scheduling/validation/validation.go.

use super::cause::{Errors, Path, Raw};
use super::container::is_native;
use super::deployment::{count_or_percent, not_over_100_percent};
use super::tree::{amounts, at, check_selector, get, int_or_percent, items, one_of, text, top, words};
use super::{METADATA, SPEC};
use crate::map::Set;
use crate::names::is_qualified_name;
use crate::{Gather as _, Object, Quantity, ResourceList};
use serde_json::Value;

/// Highest priority of a class that is not the system's.
const HIGHEST_USER_PRIORITY: i64 = 1_000_000_000;
/// What a quota may count besides amounts.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

const CONFLICTING_SCOPES: [(&str, &str); 2] =
    [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")];

pub(super) fn budget(budget: &Object, errors: &mut Errors) {
    let spec = top(budget, "spec");
    if get(spec, "minAvailable").is_some() && get(spec, "maxUnavailable").is_some() {
        // Upstream prints its internal form.
        let part = |key| get(spec, key).map_or_else(|| "null".to_owned(), Value::to_string);
        let shown = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            part("minAvailable"),
            part("selector"),
            part("maxUnavailable"),
            part("unhealthyPodEvictionPolicy")
        );
        errors.invalid(&SPEC, Raw(shown), "minAvailable and maxUnavailable cannot be both set");
    }
    for key in ["minAvailable", "maxUnavailable"] {
        if let Some(value) = int_or_percent(spec, key) {
            count_or_percent(&value, &SPEC.child(key), errors);
            not_over_100_percent(&value, &SPEC.child(key), errors);
        }
    }
    check_selector(spec, "selector", &SPEC, errors);
    one_of(spec, "unhealthyPodEvictionPolicy", &["AlwaysAllow", "IfHealthyBudget"], &SPEC, errors);
}

/// Amounts of machines that a quota may sum up, by their name in it.
fn is_computed(name: &str) -> bool {
    let plain = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits.")).unwrap_or(name);
    matches!(plain, "cpu" | "memory" | "ephemeral-storage")
        || name == "requests.storage"
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

fn is_quota_resource(name: &str) -> bool {
    COUNTED.contains(&name) || is_computed(name)
}

/// Whether a name without a domain is one of upstream's resources.
pub(super) fn is_standard(name: &str) -> bool {
    is_quota_resource(name) || name == "storage"
}

/// The name of a resource: a standard one, or one with a domain.
fn resource_name(name: &str, path: &Path, errors: &mut Errors) {
    let problems = is_qualified_name(name);
    if !problems.is_empty() {
        errors.problems(path, name, problems);
    } else if !name.contains('/') && !is_standard(name) {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
}

pub(super) fn quota(quota: &Object, errors: &mut Errors) {
    let spec = top(quota, "spec");
    let hard = amounts(spec, "hard");
    let path = SPEC.child("hard");
    for (name, amount) in &hard {
        let at = path.key(name);
        resource_name(name, &at, errors);
        if !name.contains('/') && !is_quota_resource(name) {
            errors.invalid(&at, name, "must be a standard resource for quota");
        }
        if *amount < Quantity::ZERO {
            errors.invalid(&at, amount, "must be greater than or equal to 0");
        }
        let is_whole = COUNTED.contains(&&**name) || !is_native(name);
        if is_whole && amount.milli_value() % 1000 != 0 {
            errors.invalid(&at, amount, "must be an integer");
        }
    }
    scopes(spec, &hard, errors);
    scope_selector(spec, &hard, errors);
}

fn scopes(spec: &Value, hard: &ResourceList, errors: &mut Errors) {
    let (path, shown) = (SPEC.child("scopes"), at(spec, "scopes"));
    let scopes = words(spec, "scopes");
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            errors.invalid(&path, shown, "unsupported scope");
        }
        for name in hard.keys().filter(|name| is_quota_resource(name)) {
            if !scope_fits(scope, name) {
                errors.invalid(&path, shown, "unsupported scope applied to resource");
            }
        }
    }
    for (one, other) in CONFLICTING_SCOPES {
        if scopes.contains(&one) && scopes.contains(&other) {
            errors.invalid(&path, shown, "conflicting scopes");
        }
    }
}

/// Whether a scope can be told for what a resource counts.
fn scope_fits(scope: &str, resource: &str) -> bool {
    let of_pods = resource == "pods" || (is_computed(resource) && resource != "requests.storage");
    match scope {
        "BestEffort" => resource == "pods",
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => of_pods,
        _ => true,
    }
}

/// The scopes of a selector. Upstream does not say which of them is wrong.
fn scope_selector(spec: &Value, hard: &ResourceList, errors: &mut Errors) {
    let Some(selector) = get(spec, "scopeSelector") else { return };
    let path = SPEC.child("scopeSelector");
    let path = path.child("matchExpressions");
    for requirement in items(selector, "matchExpressions") {
        let (scope, operator) = (text(requirement, "scopeName"), text(requirement, "operator"));
        if !SCOPES.contains(&scope) {
            errors.invalid(&path.child("scopeName"), scope, "unsupported scope");
        }
        for name in hard.keys().filter(|name| is_quota_resource(name)) {
            if !scope_fits(scope, name) {
                let detail = "unsupported scope applied to resource";
                errors.invalid(&path, shown_selector(selector), detail);
            }
        }
        let needs_none = matches!(
            scope,
            "BestEffort" | "NotBestEffort" | "Terminating" | "NotTerminating" | "CrossNamespacePodAffinity"
        );
        if needs_none && operator != "Exists" {
            let detail = "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, \
                          ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                          ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.invalid(&path.child("operator"), operator, detail);
        }
        let has_values = !items(requirement, "values").is_empty();
        match operator {
            "In" | "NotIn" if !has_values => {
                let detail =
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.required(&path.child("values"), detail);
            }
            "Exists" | "DoesNotExist" if has_values => {
                let shown = at(requirement, "values");
                let detail =
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.invalid(&path.child("values"), shown, detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
        }
    }
    let has = |scope: &str| {
        items(selector, "matchExpressions").iter().any(|requirement| text(requirement, "scopeName") == scope)
    };
    for (one, other) in CONFLICTING_SCOPES {
        if has(one) && has(other) {
            errors.invalid(&path, at(spec, "scopes"), "conflicting scopes");
        }
    }
}

/// A selector of scopes as Go prints its internal form.
fn shown_selector(selector: &Value) -> Raw {
    let one = |requirement: &Value| {
        format!(
            "{{\"ScopeName\":{},\"Operator\":{},\"Values\":{}}}",
            at(requirement, "scopeName"),
            at(requirement, "operator"),
            at(requirement, "values")
        )
    };
    let list: Vec<String> = items(selector, "matchExpressions").iter().map(one).gather();
    Raw(format!("{{\"MatchExpressions\":[{}]}}", list.join(",")))
}

pub(super) fn quota_update(old: &Object, new: &Object, errors: &mut Errors) {
    quota(new, errors);
    let scopes = |quota: &Object| -> Set<String> {
        words(top(quota, "spec"), "scopes").into_iter().map(str::to_owned).collect()
    };
    if scopes(old) != scopes(new) {
        errors.invalid(&SPEC.child("scopes"), at(top(new, "spec"), "scopes"), "field is immutable");
    }
}

pub(super) fn limit_range(range: &Object, errors: &mut Errors) {
    let mut seen = Set::new();
    for (index, limit) in items(top(range, "spec"), "limits").iter().enumerate() {
        let path = SPEC.child("limits");
        let path = path.index(index);
        let kind = text(limit, "type");
        let at = path.child("type");
        let problems = is_qualified_name(kind);
        if !problems.is_empty() {
            errors.problems(&at, kind, problems);
        } else if !kind.contains('/') && !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim") {
            errors.invalid(&at, kind, "must be a standard limit type or fully qualified");
        }
        if !seen.insert(kind) {
            errors.duplicate(&at, kind, "");
        }
        limit_item(limit, kind, &path, errors);
    }
}

fn limit_item(limit: &Value, kind: &str, path: &Path, errors: &mut Errors) {
    let is_pod = kind == "Pod";
    let list = |key: &str| amounts(limit, key);
    let (min, max, ratio) = (list("min"), list("max"), list("maxLimitRequestRatio"));
    let (mut default, mut request) = (list("default"), list("defaultRequest"));
    for key in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        if is_pod && key.starts_with("default") {
            if !list(key).is_empty() {
                errors.forbidden(&path.child(key), "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        for name in list(key).keys() {
            let path = path.child(key);
            if matches!(kind, "Pod" | "Container") {
                super::container::resource_name(name, &path.key(name), errors);
            } else {
                resource_name(name, &path.key(name), errors);
            }
        }
    }
    if is_pod {
        (default, request) = (ResourceList::default(), ResourceList::default());
    }
    if kind == "PersistentVolumeClaim" && !min.contains_key("storage") && !max.contains_key("storage") {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        errors.required(&path.child("limits"), detail);
    }
    let names: Set<_> =
        [&max, &min, &default, &request, &ratio].into_iter().flat_map(|list| list.keys()).collect();
    for name in names {
        let mut above =
            |small: &ResourceList, large: &ResourceList, key: &str, shown_small: bool, words: [&str; 2]| {
                if let (Some(a), Some(b)) = (small.get(name), large.get(name))
                    && a > b
                {
                    let detail = format!("{} value {a} is greater than {} value {b}", words[0], words[1]);
                    errors.invalid(&path.child(key).key(name), if shown_small { a } else { b }, &detail);
                }
            };
        above(&min, &max, "min", true, ["min", "max"]);
        above(&min, &request, "defaultRequest", false, ["min", "default request"]);
        above(&request, &max, "defaultRequest", true, ["default request", "max"]);
        above(&request, &default, "defaultRequest", true, ["default request", "default limit"]);
        above(&min, &default, "default", true, ["min", "default"]);
        above(&default, &max, "default", false, ["default", "max"]);
        if let Some(ratio) = ratio.get(name).filter(|ratio| ratio.milli_value() < 1000) {
            let detail = format!("ratio {ratio} is less than 1");
            errors.invalid(&path.child("maxLimitRequestRatio").key(name), ratio, &detail);
        }
        if let (Some(ratio), Some(min), Some(max)) = (ratio.get(name), min.get(name), max.get(name)) {
            let [min, max, wanted] = [min, max, ratio].map(|amount| i128::from(amount.milli_value()));
            let (min, max) = if min < 0 { (-min, -max) } else { (min, max) };
            if wanted * min > max * 1000 {
                let sign = if max < 0 { "-" } else { "" };
                let most = (max.abs() * 1_000_000 + min / 2).checked_div(min);
                let most = most.map_or_else(
                    || "Inf".to_owned(),
                    |most| format!("{}.{:06}", most / 1_000_000, most % 1_000_000),
                );
                let detail = format!("ratio {ratio} is greater than max/min = {sign}{most}");
                errors.invalid(&path.child("maxLimitRequestRatio").key(name), ratio, &detail);
            }
        }
        if let (Some(default), Some(request)) = (default.get(name), request.get(name))
            && !super::container::may_overcommit(name)
            && default != request
        {
            let detail =
                format!("default value {default} must equal to defaultRequest value {request} in {name}");
            errors.invalid(&path.child("defaultRequest").key(name), request, &detail);
        }
    }
}

pub(super) fn priority_class(class: &Object, errors: &mut Errors) {
    let name = &class.metadata().name;
    let value = top(class, "value").as_i64().unwrap_or(0);
    if name.starts_with("system-") && !matches!(&**name, "system-cluster-critical" | "system-node-critical") {
        let detail = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known \
             system priority class"
        );
        errors.forbidden(&METADATA.child("name"), &detail);
    } else if value > HIGHEST_USER_PRIORITY && !name.starts_with("system-") {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}");
        errors.forbidden(&Path::root("value"), &detail);
    }
    if let Some(policy) = top(class, "preemptionPolicy").as_str() {
        let policies = ["PreemptLowerPriority", "Never"];
        errors.one_of(&Path::root("preemptionPolicy"), policy, &policies);
    }
}

pub(super) fn priority_class_update(old: &Object, new: &Object, errors: &mut Errors) {
    if top(old, "value") != top(new, "value") {
        errors.forbidden(&Path::root("value"), "may not be changed in an update.");
    }
    if top(old, "preemptionPolicy") != top(new, "preemptionPolicy") {
        errors.invalid(&Path::root("preemptionPolicy"), top(new, "preemptionPolicy"), "field is immutable");
    }
}
