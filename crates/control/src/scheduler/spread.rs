//! How pods spread over places: the PodTopologySpread filter and score.
//!
//! Upstream: pkg/scheduler/framework/plugins/podtopologyspread/{common,filtering,scoring,plugin}.go,
//! pkg/scheduler/framework/plugins/helper/spread.go (`DefaultSelector`).

use super::cache::Cache;
use super::groups::{PodFilter, Slot};
use super::node_rules::{NodeRules, tolerates_hard_taints};
use setpoint_api::Gather as _;
use setpoint_api::{Kind, Labels, Node, Pod, ReplicaSet, Selector, Service, Store, Str};

/// Label of a node's own name.
const HOSTNAME: &str = "kubernetes.io/hostname";
/// Upstream's constraints for pods that bring none: label and largest skew.
const DEFAULTS: [(&str, i32); 2] = [(HOSTNAME, 3), ("topology.kubernetes.io/zone", 5)];

/// A constraint, ready to count.
#[derive(Clone, Debug)]
struct Constraint {
    key: Str,
    column: usize,
    max_skew: i64,
    min_domains: i64,
    /// Pods that count; none if the constraint has no selector.
    group: Option<u32>,
    matches_self: bool,
    honors_affinity: bool,
    honors_taints: bool,
}

impl Constraint {
    /// Whether pods on a node count.
    ///
    /// Upstream: `matchNodeInclusionPolicies`.
    fn includes(&self, node: &Node, pod: &Pod, rules: &NodeRules) -> bool {
        (!self.honors_affinity || rules.matches(node))
            && (!self.honors_taints || tolerates_hard_taints(&node.spec.taints, &pod.spec.tolerations))
    }
    /// Whether pods on every node count.
    fn includes_all(&self, rules: &NodeRules) -> bool {
        !self.honors_taints && (!self.honors_affinity || rules.demands_nothing())
    }
    /// Nodes with their counts of matching pods.
    fn pods<'a>(&self, cache: &'a Cache) -> impl Iterator<Item = (Slot, u32)> + use<'a> {
        let group = self.group.and_then(|id| cache.groups.get(id));
        group.into_iter().flat_map(|group| group.on.iter())
    }
    /// The counts of all nodes in a row.
    fn counts(&self, cache: &Cache) -> Vec<u32> {
        let mut row = vec![0; cache.nodes.len()];
        for (slot, count) in self.pods(cache) {
            row[slot as usize] = count;
        }
        row
    }
}

/// The pod's own constraints of one kind (`DoNotSchedule` or `ScheduleAnyway`).
fn own_constraints(view: &Store, cache: &mut Cache, pod: &Pod, kind: &str) -> Vec<Constraint> {
    let namespace = &pod.metadata.namespace;
    let given = pod.spec.topology_spread_constraints.iter();
    let of_kind = given.filter(|constraint| &*constraint.when_unsatisfiable == kind);
    let prepare = |constraint: &setpoint_api::TopologySpreadConstraint| {
        let selector = constraint.label_selector.as_ref().and_then(|selector| selector.to_selector().ok());
        let selectors: Option<Vec<Selector>> = selector.map(|selector| {
            let labels = &pod.metadata.labels;
            let keys = constraint.match_label_keys.iter();
            let pairs = keys.filter_map(|key| Some((key.clone(), labels.get(key)?.clone())));
            let extra = Selector::from_match_labels(&pairs.collect());
            if extra.is_empty() { vec![selector] } else { vec![selector, extra] }
        });
        let is = |policy: &Option<Str>, word: &str| policy.as_deref() == Some(word);
        let matches = |selectors: &Vec<Selector>| selectors.iter().all(|s| s.matches(&pod.metadata.labels));
        Constraint {
            key: constraint.topology_key.clone(),
            column: cache.column(&constraint.topology_key),
            max_skew: i64::from(constraint.max_skew),
            min_domains: i64::from(constraint.min_domains.unwrap_or(1)),
            matches_self: selectors.as_ref().is_some_and(matches),
            group: selectors.map(|selectors| {
                let filter = PodFilter { namespaces: Some(vec![namespace.clone()]), selectors };
                cache.group(view, vec![filter], false)
            }),
            honors_affinity: !is(&constraint.node_affinity_policy, "Ignore"),
            honors_taints: is(&constraint.node_taints_policy, "Honor"),
        }
    };
    of_kind.map(prepare).gather()
}

/// Upstream's constraints for a pod that brings none, if a Service or a set selects it.
///
/// Upstream: `buildDefaultConstraints`.
fn default_constraints(view: &Store, cache: &mut Cache, pod: &Pod) -> Vec<Constraint> {
    let Some(group) = default_group(view, cache, pod) else { return Vec::new() };
    let prepare = |(key, max_skew): (&str, i32)| {
        let key: Str = key.into();
        Constraint {
            column: cache.column(&key),
            key,
            max_skew: i64::from(max_skew),
            min_domains: 1,
            group: Some(group),
            matches_self: true,
            honors_affinity: true,
            honors_taints: false,
        }
    };
    DEFAULTS.into_iter().map(prepare).gather()
}

/// The group of pods that the Services and the set of a pod select together.
fn default_group(view: &Store, cache: &mut Cache, pod: &Pod) -> Option<u32> {
    let owner = pod.metadata.controller().filter(|owner| &*owner.kind == Kind::ReplicaSet.as_str());
    if let Some(owner) = owner
        && let Some((labels, group)) = cache.spread_memo.get(&owner.uid)
        && same_labels(labels, &pod.metadata.labels)
    {
        let group = *group;
        if cache.groups.touch(group) {
            return Some(group);
        }
    }
    let mut merged = setpoint_api::map::Map::new();
    for service in view.list_in::<Service>(&pod.metadata.namespace) {
        let wanted = &service.spec.selector;
        let has = |(key, value): (&Str, &Str)| pod.metadata.labels.get(key) == Some(value);
        if !wanted.is_empty() && wanted.iter().all(has) {
            merged.extend(wanted.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }
    let mut selectors = vec![Selector::from_match_labels(&merged)];
    let set = owner.and_then(|owner| view.find::<ReplicaSet>(&pod.metadata.namespace, &owner.name));
    selectors.extend(set.and_then(|set| set.spec.selector.to_selector().ok()));
    selectors.retain(|selector| !selector.is_empty());
    if selectors.is_empty() {
        return None;
    }
    let filter = PodFilter { namespaces: Some(vec![pod.metadata.namespace.clone()]), selectors };
    let group = cache.group(view, vec![filter], false);
    if let (Some(owner), Some(_)) = (owner, set) {
        cache.spread_memo.insert(owner.uid, (pod.metadata.labels.clone(), group));
    }
    Some(group)
}

fn same_labels(a: &Labels, b: &Labels) -> bool {
    std::rc::Rc::ptr_eq(a, b) || a == b
}

/// What the filter needs to know: for each constraint the matching pods by place.
#[derive(Clone, Debug, Default)]
pub struct SpreadFilter {
    constraints: Vec<(Constraint, Vec<i64>, i64)>,
}

/// Why a node does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SpreadMiss {
    MissingLabel,
    Skew,
}

impl SpreadFilter {
    /// Counts for a pod; `None` where it has no such constraint (upstream's Skip).
    pub fn of(view: &Store, cache: &mut Cache, pod: &Pod, rules: &NodeRules) -> Option<Self> {
        let constraints = own_constraints(view, cache, pod, "DoNotSchedule");
        if constraints.is_empty() {
            return None;
        }
        let order = cache.order();
        let has_all = |slot: &&Slot| constraints.iter().all(|c| cache.columns[c.column].value(**slot) != 0);
        let slots: Vec<Slot> = order.iter().filter(has_all).copied().gather();
        let count = |constraint: Constraint| {
            let column = &cache.columns[constraint.column];
            let counts = constraint.counts(cache);
            let includes_all = constraint.includes_all(rules);
            // Places without an eligible node stay at none.
            let mut places: Vec<Option<i64>> = vec![None; column.numbers()];
            for slot in &slots {
                let is_included =
                    || cache.node(*slot).is_some_and(|node| constraint.includes(node, pod, rules));
                if includes_all || is_included() {
                    let place = places[column.value(*slot)].get_or_insert(0);
                    *place += i64::from(counts[*slot as usize]);
                }
            }
            let eligible = places.iter().flatten();
            let domains = eligible.clone().count() as i64;
            let least = eligible.copied().min().unwrap_or(i64::from(i32::MAX));
            let least = if domains < constraint.min_domains { 0 } else { least };
            let places = places.into_iter().map(|place| place.unwrap_or(0)).gather();
            (constraint, places, least)
        };
        Some(Self { constraints: constraints.clone().into_iter().map(count).gather() })
    }

    /// Whether a node does.
    pub fn check(&self, cache: &Cache, slot: Slot) -> Option<SpreadMiss> {
        for (constraint, places, least) in &self.constraints {
            let value = cache.columns[constraint.column].value(slot);
            if value == 0 {
                return Some(SpreadMiss::MissingLabel);
            }
            let matching = places.get(value).copied().unwrap_or(0);
            let skew = matching + i64::from(constraint.matches_self) - least;
            if skew > constraint.max_skew {
                return Some(SpreadMiss::Skew);
            }
        }
        None
    }
}

/// Scores of nodes by how few matching pods are near, 0 to 100; `None` where no constraint concerns the pod.
pub fn scores(
    view: &Store,
    cache: &mut Cache,
    pod: &Pod,
    rules: &NodeRules,
    slots: &[Slot],
) -> Option<Vec<i64>> {
    let is_own = !pod.spec.topology_spread_constraints.is_empty();
    let constraints = if is_own {
        own_constraints(view, cache, pod, "ScheduleAnyway")
    } else {
        default_constraints(view, cache, pod)
    };
    if constraints.is_empty() {
        return None;
    }
    let cache = &*cache;
    // The default constraints do without a label that a node does not have.
    let has_all = |slot: Slot| constraints.iter().all(|c| cache.columns[c.column].value(slot) != 0);
    let is_ignored: Vec<bool> = slots.iter().map(|slot| is_own && !has_all(*slot)).gather();
    let mut raw = vec![0.0; slots.len()];
    for constraint in &constraints {
        let column = &cache.columns[constraint.column];
        let counts = constraint.counts(cache);
        let includes_all = constraint.includes_all(rules);
        let candidates = || slots.iter().zip(&is_ignored).filter(|(_, ignored)| !**ignored);
        let mut places: Vec<Option<i64>> = Vec::new();
        let size = if &*constraint.key == HOSTNAME {
            candidates().count()
        } else {
            places = vec![None; column.numbers()];
            for (slot, _) in candidates() {
                places[column.value(*slot)] = Some(0);
            }
            let size = places.iter().flatten().count();
            for (slot, count) in constraint.pods(cache).filter(|(slot, _)| !is_own || has_all(*slot)) {
                let Some(place) = &mut places[column.value(slot)] else { continue };
                let is_included =
                    || cache.node(slot).is_some_and(|node| constraint.includes(node, pod, rules));
                if includes_all || is_included() {
                    *place += i64::from(count);
                }
            }
            size
        };
        let weight = libm::log(size as f64 + 2.0);
        for (slot, score) in slots.iter().zip(&mut raw) {
            let value = column.value(*slot);
            if value == 0 {
                continue;
            }
            let count = match places.get(value) {
                Some(place) => place.unwrap_or(0),
                None => i64::from(counts[*slot as usize]),
            };
            *score += count as f64 * weight + (constraint.max_skew - 1) as f64;
        }
    }
    let rounded = raw.into_iter().map(round).gather();
    Some(normalise(rounded, &is_ignored))
}

/// The nearest integer, halves away from zero.
fn round(score: f64) -> i64 {
    let whole = score as i64;
    let rest = score - whole as f64;
    whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)
}

fn normalise(mut scores: Vec<i64>, is_ignored: &[bool]) -> Vec<i64> {
    let counted = || scores.iter().zip(is_ignored).filter(|(_, ignored)| !**ignored).map(|(score, _)| *score);
    let least = counted().min().unwrap_or(i64::MAX);
    let most = counted().max().unwrap_or(0).max(0);
    for (score, ignored) in scores.iter_mut().zip(is_ignored) {
        *score = match (ignored, most) {
            (true, _) => 0,
            (false, 0) => 100,
            (false, _) => 100 * (most + least - *score) / most,
        };
    }
    scores
}
