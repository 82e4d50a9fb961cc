//! Where a pod may run: affinity, tolerations, spreading.
//!
//! Upstream: pkg/apis/core/validation/validation.go `validateAffinity`, `ValidateTolerations`,
//! `validateTopologySpreadConstraints`.

use super::cause::{Errors, Path};
use super::meta::label_selector;
use crate::map::Set;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value};
use crate::{
    Affinity, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm,
    Toleration, TopologySpreadConstraint,
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const NEEDS_VALUES: &str = "must be specified when `operator` is 'In' or 'NotIn'";
const TAKES_NO_VALUES: &str = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

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
        let at = path.child(REQUIRED);
        let at = at.child("nodeSelectorTerms");
        if selector.node_selector_terms.is_empty() {
            errors.required(&at, "must have at least one node selector term");
        }
        for (index, term) in selector.node_selector_terms.iter().enumerate() {
            node_selector_term(term, &at.index(index), errors);
        }
    }
    for (index, term) in rules.preferred.iter().enumerate() {
        let at = path.child(PREFERRED);
        let at = at.index(index);
        weight(term.weight, &at, errors);
        node_selector_term(&term.preference, &at.child("preference"), errors);
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
                errors.invalid(&operator, &toleration.value, detail);
            }
            other => errors.not_supported(&operator, other, &["Equal", "Exists"]),
        }
        if !toleration.effect.is_empty() {
            taint_effect(&toleration.effect, &effect, errors);
        }
    }
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
        } else {
            errors.problems(&at.child("topologyKey"), key, is_qualified_name(key));
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
    let mut keys = Set::new();
    for (index, key) in constraint.match_label_keys.iter().enumerate() {
        let at = path.child("matchLabelKeys");
        errors.problems(&at.index(index), key, is_qualified_name(key));
        if !keys.insert(key) {
            errors.duplicate(&at.index(index), key, "");
        }
    }
    if let Some(selector) = &constraint.label_selector {
        label_selector(selector, &path.child("labelSelector"), errors);
    }
}
