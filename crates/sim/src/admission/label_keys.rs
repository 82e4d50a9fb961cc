//! Rules about other pods that name keys of labels: the values are the new pod's own.
//!
//! Upstream: pkg/registry/core/pod/strategy.go (`applyMatchLabelKeysAndMismatchLabelKeys`).

use setpoint_api::wire::kept;
use setpoint_api::{LabelSelector, LabelSelectorRequirement, Labels, Pod, PodAffinity, PodAffinityTerm, Str};
use std::rc::Rc;

/// Puts the values into the selectors.
pub(super) fn merge(pod: &mut Rc<Pod>) {
    let has_keys = |rules: &Option<PodAffinity>| {
        let terms = rules.iter().flat_map(|rules| {
            rules.required.iter().chain(rules.preferred.iter().map(|term| &term.pod_affinity_term))
        });
        terms.into_iter().any(|term| keys(term).iter().any(|(keys, _)| !keys.is_empty()))
    };
    let is_concerned =
        pod.spec.affinity.as_ref().is_some_and(|affinity| {
            has_keys(&affinity.pod_affinity) || has_keys(&affinity.pod_anti_affinity)
        });
    let spreads = pod.spec.topology_spread_constraints.iter().any(|it| !it.match_label_keys.is_empty());
    if !is_concerned && !spreads {
        return;
    }
    let pod = Rc::make_mut(pod);
    let labels = pod.metadata.labels.clone();
    if let Some(affinity) = pod.spec.affinity.as_mut().filter(|_| is_concerned) {
        let affinity = Rc::make_mut(affinity);
        for rules in [&mut affinity.pod_affinity, &mut affinity.pod_anti_affinity].into_iter().flatten() {
            let preferred = rules.preferred.iter_mut().map(|term| &mut term.pod_affinity_term);
            for term in rules.required.iter_mut().chain(preferred) {
                for (keys, operator) in keys(term) {
                    add(&mut term.label_selector, &keys, operator, &labels);
                }
            }
        }
    }
    if spreads {
        for constraint in Rc::make_mut(&mut pod.spec.topology_spread_constraints) {
            add(&mut constraint.label_selector, &constraint.match_label_keys, "In", &labels);
        }
    }
}

fn keys(term: &PodAffinityTerm) -> [(Vec<Str>, &'static str); 2] {
    [(kept(&term.rest, "matchLabelKeys"), "In"), (kept(&term.rest, "mismatchLabelKeys"), "NotIn")]
}

fn add(selector: &mut Option<LabelSelector>, keys: &[Str], operator: &str, labels: &Labels) {
    let Some(selector) = selector else { return };
    for key in keys {
        if let Some(value) = labels.get(key) {
            selector.match_expressions.push(LabelSelectorRequirement {
                key: key.clone(),
                operator: operator.into(),
                values: vec![value.clone()],
            });
        }
    }
}
