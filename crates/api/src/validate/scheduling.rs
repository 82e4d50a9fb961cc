//! Where a pod may run: affinity, tolerations, spreading.
//!
//! Upstream: pkg/apis/core/validation/validation.go `validateAffinity`, `ValidateTolerations`,
//! `validateTopologySpreadConstraints`.

use super::cause::{Errors, Path, Raw};
use super::meta::label_selector;
use super::pod_spec::{field, items};
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value};
use crate::text::go_quote;
use crate::{
    Affinity, LabelSelector, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PodAffinity, PodAffinityTerm, Str, Toleration, TopologySpreadConstraint,
};
use serde_json::Value;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const NEEDS_VALUES: &str = "must be specified when `operator` is 'In' or 'NotIn'";
const TAKES_NO_VALUES: &str = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

const NEEDS_SELECTOR: &str = "must not be specified when labelSelector is not set";

/// Whether a selector says anything about a label.
fn names(selector: &LabelSelector, key: &Str) -> bool {
    selector.match_labels.contains_key(key)
        || selector.match_expressions.iter().any(|requirement| requirement.key == *key)
}

/// All rules of a pod about nodes and other pods.
pub(super) fn affinity(affinity: &Affinity, path: &Path, errors: &mut Errors) {
    if let Some(rules) = &affinity.node_affinity {
        node_affinity(rules, &path.child("nodeAffinity"), errors);
    }
    if let Some(rules) = &affinity.pod_affinity {
        pod_affinity(rules, &path.child("podAffinity"), errors);
    }
    if let Some(rules) = &affinity.pod_anti_affinity {
        pod_affinity(rules, &path.child("podAntiAffinity"), errors);
    }
}

fn node_affinity(rules: &NodeAffinity, path: &Path, errors: &mut Errors) {
    if let Some(selector) = &rules.required {
        node_selector(selector, &path.child(REQUIRED), errors);
    }
    for (index, term) in rules.preferred.iter().enumerate() {
        let at = path.child(PREFERRED);
        let at = at.index(index);
        weight(term.weight, &at, errors);
        node_selector_term(&term.preference, &at.child("preference"), errors);
    }
}

/// Which nodes fit.
pub(super) fn node_selector(selector: &NodeSelector, path: &Path, errors: &mut Errors) {
    let at = path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        errors.required(&at, "must have at least one node selector term");
    }
    for (index, term) in selector.node_selector_terms.iter().enumerate() {
        node_selector_term(term, &at.index(index), errors);
    }
}

fn weight(weight: i32, path: &Path, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn node_selector_term(term: &NodeSelectorTerm, path: &Path, errors: &mut Errors) {
    for (index, requirement) in term.match_expressions.iter().enumerate() {
        about_labels(requirement, &path.child("matchExpressions").index(index), errors);
    }
    for (index, requirement) in term.match_fields.iter().enumerate() {
        about_fields(requirement, &path.child("matchFields").index(index), errors);
    }
}

fn about_labels(requirement: &NodeSelectorRequirement, path: &Path, errors: &mut Errors) {
    let values = path.child("values");
    match (&*requirement.operator, requirement.values.len()) {
        ("In" | "NotIn", 0) => errors.required(&values, NEEDS_VALUES),
        ("Exists" | "DoesNotExist", 1..) => errors.forbidden(&values, TAKES_NO_VALUES),
        ("Gt" | "Lt", 0 | 2..) => {
            errors.required(&values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt", _) => {}
        (operator, _) => errors.invalid(&path.child("operator"), operator, "not a valid selector operator"),
    }
    errors.problems(&path.child("key"), &requirement.key, is_qualified_name(&requirement.key));
    for (index, value) in requirement.values.iter().enumerate() {
        errors.problems(&values.index(index), value, is_valid_label_value(value));
    }
}

fn about_fields(requirement: &NodeSelectorRequirement, path: &Path, errors: &mut Errors) {
    let values = path.child("values");
    match (&*requirement.operator, requirement.values.len()) {
        ("In" | "NotIn", 1) => {}
        ("In" | "NotIn", _) => {
            let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&values, detail);
        }
        (operator, _) => errors.invalid(&path.child("operator"), operator, "not a valid selector operator"),
    }
    if &*requirement.key != "metadata.name" {
        errors.invalid(&path.child("key"), &requirement.key, "not a valid field selector key");
        return;
    }
    for (index, value) in requirement.values.iter().enumerate() {
        errors.problems(&values.index(index), value, is_dns1123_subdomain(value));
    }
}

fn pod_affinity(rules: &PodAffinity, path: &Path, errors: &mut Errors) {
    for (index, term) in rules.required.iter().enumerate() {
        pod_affinity_term(term, &path.child(REQUIRED).index(index), errors);
    }
    for (index, term) in rules.preferred.iter().enumerate() {
        let at = path.child(PREFERRED);
        let at = at.index(index);
        weight(term.weight, &at, errors);
        pod_affinity_term(&term.pod_affinity_term, &at.child("podAffinityTerm"), errors);
    }
}

fn pod_affinity_term(term: &PodAffinityTerm, path: &Path, errors: &mut Errors) {
    let selectors =
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)];
    for (name, selector) in selectors {
        if let Some(selector) = selector {
            label_selector(selector, &path.child(name), errors);
        }
    }
    for name in &term.namespaces {
        errors.problems(&path.child("namespace"), name, is_dns1123_label(name));
    }
    let keys = |key: &str| items(field(&term.rest, key));
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        let at = path.child(key);
        if !keys(key).is_empty() && term.label_selector.is_none() {
            errors.forbidden(&at, NEEDS_SELECTOR);
            continue;
        }
        for (index, key) in keys(key).iter().filter_map(Value::as_str).enumerate() {
            errors.problems(&at.index(index), key, is_qualified_name(key));
        }
    }
    for (index, key) in keys("matchLabelKeys").iter().enumerate() {
        if keys("mismatchLabelKeys").contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.invalid(
                &path.child("matchLabelKeys").index(index),
                key.as_str().unwrap_or_default(),
                detail,
            );
        }
    }
    let at = path.child("topologyKey");
    if term.topology_key.is_empty() {
        errors.required(&at, "can not be empty");
    }
    errors.problems(&at, &term.topology_key, is_qualified_name(&term.topology_key));
}

/// Tolerations of a pod.
pub(super) fn tolerations(tolerations: &[Toleration], path: &Path, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let at = path.index(index);
        let (operator, effect) = (at.child("operator"), at.child("effect"));
        if !toleration.key.is_empty() {
            errors.problems(&at.child("key"), &toleration.key, is_qualified_name(&toleration.key));
        } else if &*toleration.operator != "Exists" {
            let detail =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&operator, &toleration.operator, detail);
        }
        if toleration.toleration_seconds.is_some() && &*toleration.effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&effect, &toleration.effect, detail);
        }
        match &*toleration.operator {
            "" | "Equal" => {
                let problems = is_valid_label_value(&toleration.value);
                if !problems.is_empty() {
                    errors.invalid(&operator, &toleration.value, &problems.join(";"));
                }
            }
            "Exists" if toleration.value.is_empty() => {}
            "Exists" => {
                let detail = "value must be empty when `operator` is 'Exists'";
                errors.invalid(&operator, shown_toleration(toleration), detail);
            }
            other => errors.not_supported(&operator, other, &["Equal", "Exists"]),
        }
        if !toleration.effect.is_empty() {
            taint_effect(&toleration.effect, &effect, errors);
        }
    }
}

/// A toleration as Go prints its internal form.
pub(super) fn shown_toleration(toleration: &Toleration) -> Raw {
    let seconds = toleration.toleration_seconds.map_or("null".to_owned(), |seconds| seconds.to_string());
    Raw(format!(
        "{{\"Key\":{},\"Operator\":{},\"Value\":{},\"Effect\":{},\"TolerationSeconds\":{seconds}}}",
        go_quote(&toleration.key),
        go_quote(&toleration.operator),
        go_quote(&toleration.value),
        go_quote(&toleration.effect)
    ))
}

/// What a taint does to pods.
pub(super) fn taint_effect(effect: &str, path: &Path, errors: &mut Errors) {
    errors.one_of(path, effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
}

/// How a pod spreads.
pub(super) fn topology_spread(constraints: &[TopologySpreadConstraint], path: &Path, errors: &mut Errors) {
    for (index, constraint) in constraints.iter().enumerate() {
        let at = path.index(index);
        if constraint.max_skew <= 0 {
            errors.invalid(&at.child("maxSkew"), constraint.max_skew, "must be greater than zero");
        }
        let (key, when) = (&constraint.topology_key, &constraint.when_unsatisfiable);
        if key.is_empty() {
            errors.required(&at.child("topologyKey"), "can not be empty");
        }
        if !matches!(&**when, "DoNotSchedule" | "ScheduleAnyway") {
            let supported = ["DoNotSchedule", "ScheduleAnyway"];
            errors.not_supported(&at.child("whenUnsatisfiable"), when, &supported);
        }
        // Each pair of key and consequence may stand once; the first of the two is told.
        let is_same = |other: &&TopologySpreadConstraint| {
            other.topology_key == *key && other.when_unsatisfiable == *when
        };
        if constraints.iter().skip(index + 1).find(is_same).is_some() {
            let pair = format!("{{{key}, {when}}}");
            errors.duplicate(&at.child("{topologyKey, whenUnsatisfiable}"), pair.as_str(), "");
        }
        spread_details(constraint, &at, errors);
    }
}

fn spread_details(constraint: &TopologySpreadConstraint, path: &Path, errors: &mut Errors) {
    if let Some(domains) = constraint.min_domains {
        let at = path.child("minDomains");
        if domains <= 0 {
            errors.invalid(&at, domains, "must be greater than zero");
        }
        let when = &constraint.when_unsatisfiable;
        if &**when != "DoNotSchedule" {
            let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}");
            errors.invalid(&at, domains, &detail);
        }
    }
    let policies = [
        ("nodeAffinityPolicy", &constraint.node_affinity_policy),
        ("nodeTaintsPolicy", &constraint.node_taints_policy),
    ];
    for (name, policy) in policies {
        if let Some(policy) = policy.as_deref()
            && !matches!(policy, "Honor" | "Ignore")
        {
            errors.not_supported(&path.child(name), policy, &["Honor", "Ignore"]);
        }
    }
    let at = path.child("matchLabelKeys");
    let keys = &constraint.match_label_keys;
    if !keys.is_empty() && constraint.label_selector.is_none() {
        errors.forbidden(&at, NEEDS_SELECTOR);
    }
    for (index, key) in keys.iter().enumerate() {
        errors.problems(&at.index(index), key, is_qualified_name(key));
        if constraint.label_selector.as_ref().is_some_and(|selector| names(selector, key)) {
            errors.invalid(&at.index(index), key, "exists in both matchLabelKeys and labelSelector");
        }
    }
    if let Some(selector) = &constraint.label_selector {
        label_selector(selector, &path.child("labelSelector"), errors);
    }
}
