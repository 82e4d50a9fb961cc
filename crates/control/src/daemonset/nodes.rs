//! Which nodes a daemon pod should be on.
//!
//! Upstream: pkg/controller/daemon/daemon_controller.go (`NodeShouldRunDaemonPod`), pkg/controller/daemon/util/daemonset_util.go.

use crate::scheduler::node_rules::{NodeRules, is_tolerated, tolerates_hard_taints};
use setpoint_api::{
    Affinity, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Str, Toleration,
};
use std::rc::Rc;

/// What the template asks of a node.
pub struct Demand {
    rules: NodeRules,
    tolerations: Rc<Vec<Toleration>>,
    node_name: Option<Str>,
}

impl Demand {
    /// What the pods of a template ask for.
    pub fn of(spec: &PodSpec) -> Self {
        let mut spec = spec.clone();
        tolerate(&mut spec);
        let node_name = spec.node_name.clone().filter(|name| !name.is_empty());
        Self { rules: NodeRules::of(&spec), tolerations: spec.tolerations, node_name }
    }
    /// Whether a pod should run on a node, and whether one that is there may go on.
    pub fn of_node(&self, node: &Node) -> (bool, bool) {
        let is_named = self.node_name.as_ref().is_none_or(|name| *name == node.metadata.name);
        if !is_named || !self.rules.matches(node) {
            return (false, false);
        }
        let taints = &node.spec.taints;
        if tolerates_hard_taints(taints, &self.tolerations) {
            return (true, true);
        }
        let mut driving_out = taints.iter().filter(|taint| &*taint.effect == "NoExecute");
        (false, driving_out.all(|taint| is_tolerated(taint, &self.tolerations)))
    }
}

/// Adds what daemon pods put up with.
///
/// Upstream: `AddOrUpdateDaemonPodTolerations`.
pub fn tolerate(spec: &mut PodSpec) {
    let all = [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
        ("node.kubernetes.io/network-unavailable", "NoSchedule"),
    ];
    let count = if spec.host_network == Some(true) { all.len() } else { all.len() - 1 };
    let tolerations = Rc::make_mut(&mut spec.tolerations);
    for (key, effect) in all.into_iter().take(count) {
        let wanted = Toleration {
            key: Str::fixed(key),
            operator: Str::fixed("Exists"),
            effect: Str::fixed(effect),
            ..Toleration::default()
        };
        let same = |known: &&mut Toleration| {
            (&known.key, &known.operator, &known.effect, &known.value)
                == (&wanted.key, &wanted.operator, &wanted.effect, &wanted.value)
        };
        match tolerations.iter_mut().find(same) {
            Some(known) => *known = wanted,
            None => tolerations.push(wanted),
        }
    }
}

/// Binds a pod to a node by affinity: it is the scheduler that places it.
///
/// Upstream: `ReplaceDaemonSetPodNodeNameNodeAffinity`.
pub fn aim(spec: &mut PodSpec, node: &Str) {
    let mut affinity = spec.affinity.as_deref().cloned().unwrap_or_else(Affinity::default);
    let name = NodeSelectorRequirement {
        key: Str::fixed("metadata.name"),
        operator: Str::fixed("In"),
        values: vec![node.clone()],
        ..NodeSelectorRequirement::default()
    };
    let term = NodeSelectorTerm { match_fields: vec![name], ..NodeSelectorTerm::default() };
    let required = NodeSelector { node_selector_terms: vec![term], ..NodeSelector::default() };
    affinity.node_affinity.get_or_insert_default().required = Some(required);
    spec.affinity = Some(Rc::new(affinity));
}

/// The node that a pod is on, or is meant for.
///
/// Upstream: `GetTargetNodeName`.
pub fn target(pod: &Pod) -> Option<Str> {
    if let Some(node) = pod.spec.node_name.as_ref().filter(|node| !node.is_empty()) {
        return Some(node.clone());
    }
    let affinity = pod.spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()?;
    let mut fields = affinity.node_selector_terms.iter().flat_map(|term| &term.match_fields);
    let named = fields.find(|field| &*field.key == "metadata.name" && &*field.operator == "In")?;
    named.values.first().cloned()
}
