//! What a pod demands and prefers of nodes' labels and names, and which taints it puts up with.
//!
//! Upstream: staging/src/k8s.io/component-helpers/scheduling/corev1/{helpers.go,nodeaffinity/nodeaffinity.go}.

use crate::taints::tolerates;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::select::{Operator, Requirement};
use setpoint_api::{Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Str, Taint, Toleration};
use std::rc::Rc;

/// Whether some toleration puts up with a taint.
pub fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

/// Whether every taint that keeps pods off a node is put up with.
pub fn tolerates_hard_taints(taints: &[Taint], tolerations: &[Toleration]) -> bool {
    let is_hard = |taint: &&Taint| matches!(&*taint.effect, "NoSchedule" | "NoExecute");
    taints.iter().filter(is_hard).all(|taint| is_tolerated(taint, tolerations))
}

/// Taints that would rather keep a pod away and that it does not put up with.
pub fn intolerable_soft_taints(taints: &[Taint], tolerations: &[Toleration]) -> i64 {
    let soft = taints.iter().filter(|taint| &*taint.effect == "PreferNoSchedule");
    soft.filter(|taint| !is_tolerated(taint, tolerations)).count() as i64
}

/// One term of a node selector, ready to match; one that is malformed or empty matches no node.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    is_valid: bool,
    labels: Vec<Requirement>,
    /// Names that the node must have or must not have.
    names: Vec<(bool, Str)>,
}

impl Term {
    fn of(term: &NodeSelectorTerm) -> Self {
        let labels: Option<Vec<_>> = term.match_expressions.iter().map(label_requirement).collect();
        let names: Option<Vec<_>> = term.match_fields.iter().map(name_requirement).collect();
        let is_empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
        let is_valid = labels.is_some() && names.is_some() && !is_empty;
        Self { is_valid, labels: labels.unwrap_or_default(), names: names.unwrap_or_default() }
    }
    fn matches(&self, node: &Node) -> bool {
        self.is_valid
            && self.labels.iter().all(|requirement| requirement.matches(&node.metadata.labels))
            && self.names.iter().all(|(is_in, name)| *is_in == (node.metadata.name == *name))
    }
}

fn label_requirement(given: &NodeSelectorRequirement) -> Option<Requirement> {
    let operator = match &*given.operator {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::GreaterThan,
        "Lt" => Operator::LessThan,
        _ => return None,
    };
    Requirement::new(given.key.clone(), operator, given.values.clone()).ok()
}

/// Whether the name must be (or must not be) the one value.
fn name_requirement(given: &NodeSelectorRequirement) -> Option<(bool, Str)> {
    let [value] = given.values.as_slice() else { return None };
    match (&*given.key, &*given.operator) {
        ("metadata.name", "In") => Some((true, value.clone())),
        ("metadata.name", "NotIn") => Some((false, value.clone())),
        _ => None,
    }
}

/// What a pod demands and prefers of nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRules {
    selector: Rc<Map<Str, Str>>,
    required: Option<Vec<Term>>,
    preferred: Vec<(i64, Term)>,
    /// Names of the only nodes that can do, where every required term names its nodes.
    pub only_nodes: Option<Set<Str>>,
}

impl NodeRules {
    /// The rules of a pod.
    pub fn of(spec: &PodSpec) -> Self {
        let node_affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        let required = node_affinity.and_then(|affinity| affinity.required.as_ref());
        let preferred = node_affinity.map_or(&[][..], |affinity| affinity.preferred.as_slice());
        let terms = required.map(|required| required.node_selector_terms.as_slice());
        Self {
            selector: spec.node_selector.clone(),
            required: terms.map(|terms| terms.iter().map(Term::of).gather()),
            preferred: preferred
                .iter()
                .filter(|term| term.weight != 0)
                .map(|term| (i64::from(term.weight), Term::of(&term.preference)))
                .gather(),
            only_nodes: terms.and_then(only_nodes),
        }
    }
    /// Whether every node does.
    pub fn demands_nothing(&self) -> bool {
        self.selector.is_empty() && self.required.is_none()
    }
    /// Whether no node is preferred.
    pub fn prefers_nothing(&self) -> bool {
        self.preferred.is_empty()
    }
    /// Whether a node does.
    pub fn matches(&self, node: &Node) -> bool {
        let has = |(key, value): (&Str, &Str)| node.metadata.labels.get(key) == Some(value);
        self.selector.iter().all(has)
            && self.required.as_ref().is_none_or(|terms| terms.iter().any(|term| term.matches(node)))
    }
    /// Sum of the weights of what is preferred and found.
    pub fn preference(&self, node: &Node) -> i64 {
        self.preferred.iter().filter(|(_, term)| term.matches(node)).map(|(weight, _)| *weight).sum()
    }
}

/// Upstream: `PreFilter` in pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
fn only_nodes(terms: &[NodeSelectorTerm]) -> Option<Set<Str>> {
    let mut all = Set::new();
    for term in terms {
        let is_name =
            |field: &&NodeSelectorRequirement| &*field.key == "metadata.name" && &*field.operator == "In";
        let sets = term.match_fields.iter().filter(is_name);
        let sets = sets.map(|field| field.values.iter().cloned().collect::<Set<Str>>());
        let names = sets.reduce(|a, b| a.intersection(&b).cloned().collect())?;
        all.extend(names);
    }
    (!terms.is_empty()).then_some(all)
}
