//! Counts of matching pods per node, kept up to date so that no scheduling cycle has to look at all pods.
//!
//! Upstream counts anew in every cycle (`countPodsMatchSelector`, `getTPMapMatchingIncomingAffinityAntiAffinity`); the
//! numbers are the same.

use super::affinity::Terms;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{Affinity, Selector, Str, mark};
use std::rc::Rc;

/// Index of a node in the cache.
pub type Slot = u32;

/// Groups above which those that were not used for longest are dropped.
const MOST_GROUPS: usize = 1024;

/// How many pods there are on each node that has any, by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Vec<(Slot, u32)>);

impl Counts {
    /// One more on a node.
    pub fn add(&mut self, slot: Slot) {
        match self.0.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => self.0.insert(at, (slot, 1)),
        }
    }
    /// One less on a node.
    pub fn remove(&mut self, slot: Slot) {
        if let Ok(at) = self.0.binary_search_by_key(&slot, |(slot, _)| *slot) {
            self.0[at].1 -= 1;
            if self.0[at].1 == 0 {
                self.0.remove(at);
            }
        }
    }
    /// Nodes with their counts, by node.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, u32)> {
        self.0.iter().copied()
    }
    /// Whether there is no pod.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which pods are meant: those of some namespaces that all selectors match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFilter {
    /// Namespaces, sorted; all if none are given.
    pub namespaces: Option<Vec<Str>>,
    /// Selectors, all of which must match.
    pub selectors: Vec<Selector>,
}

impl PodFilter {
    /// Whether a pod with these labels in this namespace is meant.
    pub fn matches(&self, namespace: &Str, labels: &Map<Str, Str>) -> bool {
        self.namespaces.as_ref().is_none_or(|names| names.contains(namespace))
            && self.selectors.iter().all(|selector| selector.matches(labels))
    }
    /// The only namespace, if there is just one.
    pub fn only_namespace(&self) -> Option<&Str> {
        match self.namespaces.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}

/// Pods that all filters match, counted by node.
#[derive(Clone, Debug)]
pub struct Group {
    filters: Vec<PodFilter>,
    counts_deleting: bool,
    /// Where its pods are.
    pub on: Counts,
    used: u64,
}

impl Group {
    /// Whether a pod counts.
    pub fn takes(&self, namespace: &Str, labels: &Map<Str, Str>, is_deleting: bool) -> bool {
        (self.counts_deleting || !is_deleting)
            && self.filters.iter().all(|filter| filter.matches(namespace, labels))
    }
}

/// The mark of a namespace (or none) and a label that every pod of a group has (or none).
type IndexKey = u64;

/// All groups by id, found by what their pods have in common.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_id: Map<u32, Group>,
    index: Map<IndexKey, Vec<u32>>,
    last_id: u32,
    uses: u64,
}

impl Groups {
    /// The group of an id.
    pub fn get(&self, id: u32) -> Option<&Group> {
        self.by_id.get(&id)
    }
    /// The group of an id, to change.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut Group> {
        self.by_id.get_mut(&id)
    }
    /// Notes that a group is still needed; `false` if it is gone.
    pub fn touch(&mut self, id: u32) -> bool {
        self.uses += 1;
        let uses = self.uses;
        self.by_id.get_mut(&id).map(|group| group.used = uses).is_some()
    }
    /// The group of these filters, if there is one.
    pub fn find(&mut self, filters: &[PodFilter], counts_deleting: bool) -> Option<u32> {
        let ids = self.index.get(&index_key(filters))?;
        let is_it = |id: &&u32| {
            let group = self.by_id.get(id);
            group.is_some_and(|group| group.filters == filters && group.counts_deleting == counts_deleting)
        };
        let id = *ids.iter().find(is_it)?;
        self.touch(id);
        Some(id)
    }
    /// Makes an empty group.
    pub fn insert(&mut self, filters: Vec<PodFilter>, counts_deleting: bool) -> u32 {
        if self.by_id.len() >= MOST_GROUPS {
            self.drop_unused();
        }
        self.last_id += 1;
        self.uses += 1;
        self.index.entry(index_key(&filters)).or_default().push(self.last_id);
        let group = Group { filters, counts_deleting, on: Counts::default(), used: self.uses };
        self.by_id.insert(self.last_id, group);
        self.last_id
    }
    /// Groups that take a pod.
    pub fn of_pod(&self, namespace: &Str, labels: &Map<Str, Str>, is_deleting: bool) -> Vec<u32> {
        let mut out = Vec::new();
        if self.index.is_empty() {
            return out;
        }
        let none = Str::default();
        for space in [namespace, &none] {
            let pairs = labels.iter().chain([(&none, &none)]);
            for (key, value) in pairs {
                let ids = self.index.get(&mark(&[space, key, value]));
                let takes = |id: &&u32| {
                    let group = self.by_id.get(id);
                    group.is_some_and(|group| group.takes(namespace, labels, is_deleting))
                };
                for id in ids.into_iter().flatten().filter(takes) {
                    // Two labels of one pod may have the same mark.
                    if !out.contains(id) {
                        out.push(*id);
                    }
                }
            }
        }
        out
    }

    fn drop_unused(&mut self) {
        let mut uses: Vec<u64> = self.by_id.values().map(|group| group.used).gather();
        order::sort(&mut uses);
        let median = uses.get(uses.len() / 2).copied().unwrap_or(0);
        self.by_id.retain(|_, group| group.used >= median);
        self.index.clear();
        for (id, group) in &self.by_id {
            self.index.entry(index_key(&group.filters)).or_default().push(*id);
        }
    }
}

fn index_key(filters: &[PodFilter]) -> IndexKey {
    let none = Str::default();
    let namespace = filters.iter().find_map(PodFilter::only_namespace).unwrap_or(&none);
    // Of several labels the last is mostly the rarest: `pod-template-hash` sorts after `app`.
    let pairs = filters.iter().flat_map(|filter| &filter.selectors).flat_map(Selector::exact_pairs);
    let (key, value) = pairs.last().unwrap_or((&none, &none));
    mark(&[namespace, key, value])
}

/// Pods with the same rules about other pods in the same namespace, counted by node.
#[derive(Clone, Debug)]
pub struct Class {
    /// The rules as given.
    pub affinity: Rc<Affinity>,
    /// The rules, ready to match.
    pub terms: Rc<Terms>,
    /// Where its pods are.
    pub on: Counts,
}
