//! What one pod needs of a node, checked in upstream's order; the first filter that refuses a node names the reasons.
//!
//! Upstream: pkg/scheduler/framework/plugins/{nodeunschedulable,nodename,tainttoleration,nodeaffinity,nodeports,
//! noderesources/fit.go}.

use super::affinity::{InterPodFilter, InterPodMiss};
use super::cache::Cache;
use super::demand::Demand;
use super::groups::Slot;
use super::node_rules::{NodeRules, is_tolerated, tolerates_hard_taints};
use super::rows::{HARD_TAINTS, Room, UNSCHEDULABLE};
use super::spread::{SpreadFilter, SpreadMiss};
use super::volumes::VolumeFilter;
use setpoint_api::Gather as _;
use setpoint_api::{Node, Pod, Store, Str, Taint};
use std::borrow::Cow;
use std::rc::Rc;

/// A filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Plugin {
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeBinding,
    PodTopologySpread,
    InterPodAffinity,
}

/// A set of filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plugins(u16);

impl Plugins {
    /// Adds one.
    pub fn insert(&mut self, plugin: Plugin) {
        self.0 |= 1 << plugin as u16;
    }
    /// Whether one is in it.
    pub fn contains(self, plugin: Plugin) -> bool {
        self.0 & (1 << plugin as u16) != 0
    }
    /// Whether none is.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Why a node does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Text(&'static str),
    /// Resources that are short: bits of [`SHORT`], then the pod's extended resources from bit 4 on.
    Short(u32),
}

const SHORT: [&str; 4] =
    ["Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"];

/// A node's refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    /// Who refused.
    pub plugin: Plugin,
    /// Whether no pod's removal would help (upstream's UnschedulableAndUnresolvable).
    pub is_unresolvable: bool,
    why: Why,
}

impl Rejection {
    /// Upstream's reasons.
    pub fn reasons(&self, demand: &Demand) -> Vec<Cow<'static, str>> {
        match self.why {
            Why::Text(text) => vec![Cow::Borrowed(text)],
            Why::Short(bits) => {
                let has = |bit: &usize| *bit < 32 && bits & (1 << bit) != 0;
                let common = (0..SHORT.len()).filter(has).map(|bit| Cow::Borrowed(SHORT[bit]));
                let scalars = demand.scalars.iter().enumerate().filter(|(at, _)| has(&(at + SHORT.len())));
                let scalars = scalars.map(|(_, (name, _))| Cow::Owned(format!("Insufficient {name}")));
                common.chain(scalars).gather()
            }
        }
    }
}

pub(super) fn no(plugin: Plugin, is_unresolvable: bool, text: &'static str) -> Rejection {
    Rejection { plugin, is_unresolvable, why: Why::Text(text) }
}

/// All that is worked out about a pod before nodes are looked at.
#[derive(Clone, Debug)]
pub struct Filters<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What it asks for.
    pub demand: Rc<Demand>,
    /// What it demands and prefers of nodes.
    pub rules: NodeRules,
    tolerates_cordon: bool,
    spread: Option<SpreadFilter>,
    inter_pod: Option<InterPodFilter>,
    /// What it claims; `None` mostly.
    pub(super) volumes: Option<(&'a Store, VolumeFilter)>,
}

impl<'a> Filters<'a> {
    /// Prepares the filters for a pod.
    pub fn of(view: &'a Store, cache: &mut Cache, pod: &'a Pod) -> Self {
        let rules = NodeRules::of(&pod.spec);
        let cordon = Taint {
            key: "node.kubernetes.io/unschedulable".into(),
            effect: "NoSchedule".into(),
            ..Taint::default()
        };
        let tolerations = &pod.spec.tolerations;
        Self {
            pod,
            demand: cache.demand(pod),
            tolerates_cordon: !tolerations.is_empty() && is_tolerated(&cordon, tolerations),
            spread: SpreadFilter::of(view, cache, pod, &rules),
            inter_pod: InterPodFilter::of(view, cache, pod),
            volumes: VolumeFilter::of(view, pod).map(|filter| (view, filter)),
            rules,
        }
    }

    /// Whether a filter has nothing to do for the pod (upstream's Skip in PreFilter).
    pub fn skips(&self, plugin: Plugin) -> bool {
        match plugin {
            Plugin::NodeAffinity => self.rules.demands_nothing(),
            Plugin::NodePorts => self.demand.ports.is_empty(),
            Plugin::VolumeBinding => self.volumes.is_none(),
            Plugin::PodTopologySpread => self.spread.is_none(),
            Plugin::InterPodAffinity => self.inter_pod.is_none(),
            _ => false,
        }
    }

    /// Why a node does not do, if it does not.
    pub fn reject(&self, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let room = &cache.rooms[slot as usize];
        if room.flags & (UNSCHEDULABLE | HARD_TAINTS) != 0 || self.pod.spec.node_name.is_some() {
            let node = cache.node(slot)?;
            let refusal =
                self.unschedulable(node).or_else(|| self.node_name(node)).or_else(|| self.taints(node));
            if refusal.is_some() {
                return refusal;
            }
        }
        if !self.rules.demands_nothing()
            && let Some(refusal) = self.node_affinity(cache.node(slot)?)
        {
            return Some(refusal);
        }
        if !self.demand.ports.is_empty()
            && let Some(refusal) = self.ports(cache, slot)
        {
            return Some(refusal);
        }
        self.fit(cache, slot, room)
            .or_else(|| self.volumes(cache, slot))
            .or_else(|| self.spread(cache, slot))
            .or_else(|| self.inter_pod(cache, slot))
    }

    /// What one filter says of a node.
    pub fn reject_by(&self, plugin: Plugin, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let node = cache.node(slot)?;
        match plugin {
            Plugin::NodeUnschedulable => self.unschedulable(node),
            Plugin::NodeName => self.node_name(node),
            Plugin::TaintToleration => self.taints(node),
            Plugin::NodeAffinity => self.node_affinity(node),
            Plugin::NodePorts => self.ports(cache, slot),
            Plugin::NodeResourcesFit => self.fit(cache, slot, &cache.rooms[slot as usize]),
            Plugin::VolumeBinding => self.volumes(cache, slot),
            Plugin::PodTopologySpread => self.spread(cache, slot),
            Plugin::InterPodAffinity => self.inter_pod(cache, slot),
        }
    }

    fn unschedulable(&self, node: &Node) -> Option<Rejection> {
        let refuses = node.spec.unschedulable && !self.tolerates_cordon;
        refuses.then(|| no(Plugin::NodeUnschedulable, true, "node(s) were unschedulable"))
    }

    fn node_name(&self, node: &Node) -> Option<Rejection> {
        let wanted = self.pod.spec.node_name.as_ref().filter(|name| !name.is_empty());
        let refuses = wanted.is_some_and(|name| *name != node.metadata.name);
        refuses.then(|| no(Plugin::NodeName, true, "node(s) didn't match the requested node name"))
    }

    fn taints(&self, node: &Node) -> Option<Rejection> {
        let accepts = tolerates_hard_taints(&node.spec.taints, &self.pod.spec.tolerations);
        (!accepts).then(|| no(Plugin::TaintToleration, true, "node(s) had untolerated taint(s)"))
    }

    fn node_affinity(&self, node: &Node) -> Option<Rejection> {
        let text = "node(s) didn't match Pod's node affinity/selector";
        (!self.rules.matches(node)).then(|| no(Plugin::NodeAffinity, true, text))
    }

    fn ports(&self, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let used = &cache.nodes[slot as usize].ports;
        let clashes = self.demand.ports.iter().any(|port| used.iter().any(|other| port.conflicts(other)));
        let text = "node(s) didn't have free ports for the requested pod ports";
        clashes.then(|| no(Plugin::NodePorts, false, text))
    }

    /// Upstream: `fitsRequest`.
    fn fit(&self, cache: &Cache, slot: Slot, room: &Room) -> Option<Rejection> {
        let demand = &*self.demand;
        let mut short = 0;
        let mut is_unresolvable = false;
        if room.pods >= room.most_pods {
            short |= 1;
        }
        let amounts = [
            (demand.cpu, room.cpu, room.used_cpu),
            (demand.memory, room.memory, room.used_memory),
            (demand.ephemeral, room.ephemeral, room.used_ephemeral),
        ];
        for (bit, (wanted, has, used)) in amounts.into_iter().enumerate() {
            if wanted > 0 && wanted > has.saturating_sub(used) {
                short |= 2 << bit;
                is_unresolvable |= wanted > has;
            }
        }
        // A pod with more extended resources than bits is refused by the last bit for all that follow.
        for (at, (name, wanted)) in demand.scalars.iter().enumerate() {
            let (has, used) = cache.nodes[slot as usize].scalars.get(name).copied().unwrap_or((0, 0));
            if *wanted > has.saturating_sub(used) {
                short |= 1 << (at + SHORT.len()).min(31);
                is_unresolvable |= *wanted > has;
            }
        }
        let why = Why::Short(short);
        (short != 0).then_some(Rejection { plugin: Plugin::NodeResourcesFit, is_unresolvable, why })
    }

    fn volumes(&self, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let (view, filter) = self.volumes.as_ref()?;
        filter.check(view, cache.node(slot)?)
    }

    fn spread(&self, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let miss = self.spread.as_ref()?.check(cache, slot)?;
        let plugin = Plugin::PodTopologySpread;
        Some(match miss {
            SpreadMiss::MissingLabel => no(
                plugin,
                true,
                "node(s) didn't match pod topology spread constraints (missing required label)",
            ),
            SpreadMiss::Skew => no(plugin, false, "node(s) didn't match pod topology spread constraints"),
        })
    }

    fn inter_pod(&self, cache: &Cache, slot: Slot) -> Option<Rejection> {
        let miss = self.inter_pod.as_ref()?.check(cache, slot)?;
        let plugin = Plugin::InterPodAffinity;
        Some(match miss {
            InterPodMiss::Affinity => no(plugin, true, "node(s) didn't match pod affinity rules"),
            InterPodMiss::AntiAffinity => no(plugin, false, "node(s) didn't match pod anti-affinity rules"),
            InterPodMiss::ExistingAntiAffinity => {
                no(plugin, false, "node(s) didn't satisfy existing pods anti-affinity rules")
            }
        })
    }
}

/// Whether a pod would fit a node with nothing on it.
///
/// Upstream: `isFit` in noderesources/fit.go.
pub fn fits_empty_node(demand: &Demand, node: &Node) -> bool {
    let has = |name: &str| {
        node.status.allocatable.get(name).map_or(0, |quantity| crate::pod::amount(name, quantity))
    };
    let common: [(&str, i64); 3] =
        [("cpu", demand.cpu), ("memory", demand.memory), ("ephemeral-storage", demand.ephemeral)];
    let scalars = demand.scalars.iter().map(|(name, wanted): &(Str, i64)| (&**name, *wanted));
    has("pods") > 0
        && common.into_iter().chain(scalars).all(|(name, wanted)| wanted == 0 || wanted <= has(name))
}
