//! Which changes may help a pod for which no node did.
//!
//! Upstream: pkg/scheduler/eventhandlers.go, pkg/scheduler/scheduler.go (`buildQueueingHintMap`), and the queueing hints
//! (`isSchedulableAfter...`) of each plugin.

use super::affinity::{Term, Terms, namespace_labels};
use super::demand::Demand;
use super::filters::{Plugin, Plugins, fits_empty_node};
use super::node_rules::{NodeRules, tolerates_hard_taints};
use setpoint_api::{Node, Pod, Store, TopologySpreadConstraint};

/// A change that the scheduler has seen.
#[derive(Clone, Copy, Debug)]
pub enum ClusterEvent<'a> {
    /// A node came.
    NodeAdded(&'a Node),
    /// A node changed: before and after.
    NodeChanged(&'a Node, &'a Node),
    /// A node is gone.
    NodeRemoved(&'a Node),
    /// A pod is on a node.
    PodAdded(&'a Pod),
    /// A pod on a node changed its labels: before and after.
    PodRelabelled(&'a Pod, &'a Pod),
    /// A pod is off its node.
    PodRemoved(&'a Pod),
    /// A claim, a volume or a class of storage changed.
    StorageChanged,
}

/// Which parts of a node changed.
#[derive(Clone, Copy, Debug, Default)]
struct NodeDiff {
    allocatable: bool,
    labels: bool,
    taints: bool,
}

impl NodeDiff {
    fn of(old: &Node, new: &Node) -> Self {
        Self {
            allocatable: old.status.allocatable != new.status.allocatable,
            labels: old.metadata.labels != new.metadata.labels,
            taints: old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable,
        }
    }
}

impl ClusterEvent<'_> {
    /// Whether it can help any pod at all.
    pub fn is_of_interest(&self) -> bool {
        match self {
            Self::NodeChanged(old, new) => {
                let diff = NodeDiff::of(old, new);
                diff.allocatable || diff.labels || diff.taints
            }
            _ => true,
        }
    }
    /// Whether it can matter to a pod that only these filters refused, before the pod is looked at.
    pub fn may_concern(&self, rejected_by: Plugins) -> bool {
        let about_pods = [Plugin::PodTopologySpread, Plugin::InterPodAffinity];
        match self {
            Self::PodAdded(_) | Self::PodRelabelled(..) => {
                about_pods.iter().any(|p| rejected_by.contains(*p))
            }
            Self::NodeRemoved(_) => rejected_by.contains(Plugin::PodTopologySpread),
            Self::StorageChanged => rejected_by.contains(Plugin::VolumeBinding),
            _ => true,
        }
    }
    /// Whether it may help a pod that these filters refused.
    pub fn may_help(&self, view: &Store, pod: &Pod, rejected_by: Plugins) -> bool {
        const ALL: [Plugin; 9] = [
            Plugin::NodeResourcesFit,
            Plugin::NodeUnschedulable,
            Plugin::NodeName,
            Plugin::TaintToleration,
            Plugin::NodeAffinity,
            Plugin::NodePorts,
            Plugin::VolumeBinding,
            Plugin::PodTopologySpread,
            Plugin::InterPodAffinity,
        ];
        let helps = |plugin: &Plugin| match self {
            Self::NodeAdded(node) => node_helps(*plugin, pod, None, node),
            Self::NodeChanged(old, new) => node_helps(*plugin, pod, Some(old), new),
            Self::NodeRemoved(node) => *plugin == Plugin::PodTopologySpread && has_spread_labels(pod, node),
            Self::StorageChanged => *plugin == Plugin::VolumeBinding,
            Self::PodAdded(other) => pod_helps(view, *plugin, pod, other, false),
            Self::PodRelabelled(old, new) => {
                pod_helps(view, *plugin, pod, old, true) || pod_helps(view, *plugin, pod, new, false)
            }
            Self::PodRemoved(other) => match plugin {
                Plugin::NodeResourcesFit => true,
                Plugin::NodePorts => ports_clash(pod, other),
                // A volume that only one pod may have may be free now.
                Plugin::VolumeBinding => true,
                plugin => pod_helps(view, *plugin, pod, other, true),
            },
        };
        ALL.iter().any(|plugin| rejected_by.contains(*plugin) && helps(plugin))
    }
}

/// Upstream lets every change of a node's taints wake pods that were refused by a filter which watches new nodes but not
/// taints (`buildQueueingHintMap`).
fn node_helps(plugin: Plugin, pod: &Pod, old: Option<&Node>, new: &Node) -> bool {
    let diff =
        old.map_or(NodeDiff { allocatable: true, labels: true, taints: true }, |old| NodeDiff::of(old, new));
    let is_new = old.is_none();
    match plugin {
        Plugin::NodeUnschedulable => !new.spec.unschedulable && old.is_none_or(|old| old.spec.unschedulable),
        Plugin::TaintToleration => {
            let does = |node: &Node| tolerates_hard_taints(&node.spec.taints, &pod.spec.tolerations);
            diff.taints && does(new) && !old.is_some_and(does)
        }
        Plugin::NodeAffinity => {
            let does = |node: &Node| NodeRules::of(&pod.spec).matches(node);
            (!is_new && diff.taints) || (diff.labels && does(new) && !old.is_some_and(does))
        }
        Plugin::NodeResourcesFit => {
            (!is_new && diff.taints) || (diff.allocatable && fits_empty_node(&Demand::of(&pod.spec), new))
        }
        Plugin::NodeName | Plugin::NodePorts => diff.taints,
        Plugin::VolumeBinding => diff.labels || diff.taints,
        Plugin::PodTopologySpread => match old {
            None => has_spread_labels(pod, new),
            Some(old) => {
                let moves = |constraint: &TopologySpreadConstraint| {
                    let place = |node: &Node| node.metadata.labels.get(&constraint.topology_key).cloned();
                    place(old) != place(new)
                };
                let has = has_spread_labels(pod, new);
                diff.taints || has != has_spread_labels(pod, old) || has && hard_constraints(pod).any(moves)
            }
        },
        Plugin::InterPodAffinity => {
            let own = Terms::of_pod(pod);
            // A place where the pods may be that it wants, or one less where those are that it shuns.
            let old_place = |term: &Term| old.and_then(|old| term.place_of(old));
            let gains = |term: &Term| term.place_of(new).is_some() && term.place_of(new) != old_place(term);
            let loses =
                |term: &Term| is_new || old_place(term).is_some() && term.place_of(new) != old_place(term);
            (!is_new && diff.taints)
                || own.required_affinity.iter().any(gains)
                || own.required_anti.iter().any(loses)
        }
    }
}

fn hard_constraints(pod: &Pod) -> impl Iterator<Item = &TopologySpreadConstraint> {
    pod.spec.topology_spread_constraints.iter().filter(|given| &*given.when_unsatisfiable == "DoNotSchedule")
}

fn has_spread_labels(pod: &Pod, node: &Node) -> bool {
    hard_constraints(pod).all(|constraint| node.metadata.labels.contains_key(&constraint.topology_key))
}

fn ports_clash(pod: &Pod, other: &Pod) -> bool {
    let (wanted, freed) = (Demand::of(&pod.spec).ports, Demand::of(&other.spec).ports);
    wanted.iter().any(|port| freed.iter().any(|other| port.conflicts(other)))
}

/// Whether a pod that came (or left) can make room under rules about pods.
fn pod_helps(view: &Store, plugin: Plugin, pod: &Pod, other: &Pod, left: bool) -> bool {
    match plugin {
        Plugin::PodTopologySpread => {
            pod.metadata.namespace == other.metadata.namespace
                && hard_constraints(pod).any(|constraint| {
                    let selector = constraint.label_selector.as_ref().and_then(|s| s.to_selector().ok());
                    selector.is_some_and(|selector| selector.matches(&other.metadata.labels))
                })
        }
        Plugin::InterPodAffinity => {
            let own = Terms::of_pod(pod);
            let other_labels = namespace_labels(view, &other.metadata.namespace);
            let speaks_of_other = |term: &Term| term.matches(other, &other_labels);
            if !left {
                let terms = &own.required_affinity;
                return !terms.is_empty() && terms.iter().all(speaks_of_other);
            }
            let own_labels = namespace_labels(view, &pod.metadata.namespace);
            own.required_anti.iter().any(speaks_of_other)
                || Terms::of_pod(other).required_anti.iter().any(|term| term.matches(pod, &own_labels))
        }
        _ => false,
    }
}
