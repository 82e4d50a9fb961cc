//! Rules about other pods: the InterPodAffinity filter and score.
//!
//! Upstream: pkg/scheduler/framework/plugins/interpodaffinity/{filtering,scoring}.go, pkg/scheduler/framework/types.go
//! (`AffinityTerm`).

use super::cache::Cache;
use super::groups::{PodFilter, Slot};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{
    Affinity, LabelSelector, Labels, Namespace, Node, Pod, PodAffinity, PodAffinityTerm, Selector, Store, Str,
};

/// Score of a required affinity rule of a pod that is already there, when the incoming pod meets it.
const HARD_POD_AFFINITY_WEIGHT: i64 = 1;

/// A rule about other pods, ready to match.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    key: Str,
    weight: i64,
    namespaces: Vec<Str>,
    namespace_selector: Option<Selector>,
    selector: Option<Selector>,
}

impl Term {
    /// The place that a node is in under this rule.
    pub fn place_of<'a>(&self, node: &'a Node) -> Option<&'a Str> {
        node.metadata.labels.get(&self.key)
    }
    fn of(namespace: &Str, term: &PodAffinityTerm, weight: i64) -> Self {
        let selector = |given: &Option<LabelSelector>| given.as_ref().and_then(|s| s.to_selector().ok());
        let is_own = term.namespaces.is_empty() && term.namespace_selector.is_none();
        let mut namespaces = if is_own { vec![namespace.clone()] } else { term.namespaces.clone() };
        order::sort(&mut namespaces);
        Self {
            key: term.topology_key.clone(),
            weight,
            namespaces,
            namespace_selector: selector(&term.namespace_selector),
            selector: selector(&term.label_selector),
        }
    }

    /// Whether the rule speaks of a pod.
    pub fn matches(&self, pod: &Pod, namespace_labels: &Labels) -> bool {
        let by_label = |selector: &Selector| selector.matches(namespace_labels);
        (self.namespaces.contains(&pod.metadata.namespace)
            || self.namespace_selector.as_ref().is_some_and(by_label))
            && self.selector.as_ref().is_some_and(|selector| selector.matches(&pod.metadata.labels))
    }

    /// The pods that the rule speaks of, its namespaces found by label now; none if it speaks of no pod at all.
    fn filter(&self, view: &Store) -> Option<PodFilter> {
        let selectors = vec![self.selector.clone()?];
        let mut namespaces = self.namespaces.clone();
        if let Some(selector) = &self.namespace_selector {
            if selector.is_empty() {
                return Some(PodFilter { namespaces: None, selectors });
            }
            let all = view.list::<Namespace>();
            let matching = all.filter(|namespace| selector.matches(&namespace.metadata.labels));
            namespaces.extend(matching.map(|namespace| namespace.metadata.name.clone()));
            order::sort(&mut namespaces);
            namespaces.dedup();
        }
        Some(PodFilter { namespaces: Some(namespaces), selectors })
    }
}

/// All rules of a pod about other pods.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Terms {
    pub required_affinity: Vec<Term>,
    pub required_anti: Vec<Term>,
    pub preferred_affinity: Vec<Term>,
    pub preferred_anti: Vec<Term>,
}

impl Terms {
    /// The rules of a pod in a namespace.
    pub fn of(namespace: &Str, affinity: &Affinity) -> Self {
        let required = |rules: &Option<PodAffinity>| -> Vec<Term> {
            let terms = rules.iter().flat_map(|rules| &rules.required);
            terms.map(|term| Term::of(namespace, term, 0)).gather()
        };
        let preferred = |rules: &Option<PodAffinity>| -> Vec<Term> {
            let terms = rules.iter().flat_map(|rules| &rules.preferred);
            terms.map(|t| Term::of(namespace, &t.pod_affinity_term, i64::from(t.weight))).gather()
        };
        Self {
            required_affinity: required(&affinity.pod_affinity),
            required_anti: required(&affinity.pod_anti_affinity),
            preferred_affinity: preferred(&affinity.pod_affinity),
            preferred_anti: preferred(&affinity.pod_anti_affinity),
        }
    }
    /// The rules of a pod.
    pub fn of_pod(pod: &Pod) -> Self {
        let affinity = pod.spec.affinity.as_ref();
        affinity.map(|affinity| Self::of(&pod.metadata.namespace, affinity)).unwrap_or_default()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Pods counted by the value of one node label; place 0 is nodes without it.
type ByValue = (usize, Vec<i64>);

/// What the filter needs to know of the pods that are there.
#[derive(Clone, Debug, Default)]
pub struct InterPodFilter {
    existing_anti: Vec<ByValue>,
    anti: Vec<ByValue>,
    affinity: Vec<ByValue>,
    is_first_of_its_kind: bool,
}

/// Why a node does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum InterPodMiss {
    Affinity,
    AntiAffinity,
    ExistingAntiAffinity,
}

impl InterPodFilter {
    /// Counts for a pod; `None` where no rule concerns it (upstream's Skip).
    pub fn of(view: &Store, cache: &mut Cache, pod: &Pod) -> Option<Self> {
        let terms = Terms::of_pod(pod);
        let existing_anti = existing_anti(view, cache, pod);
        if existing_anti.is_empty() && terms.required_affinity.is_empty() && terms.required_anti.is_empty() {
            return None;
        }
        let own_labels = namespace_labels(view, &pod.metadata.namespace);
        let mut out = Self { existing_anti, ..Self::default() };
        for term in &terms.required_anti {
            let column = cache.column(&term.key);
            let counts = match term.filter(view) {
                Some(filter) => by_value(view, cache, vec![filter], column),
                None => Vec::new(),
            };
            out.anti.push((column, counts));
        }
        let filters: Option<Vec<_>> = terms.required_affinity.iter().map(|term| term.filter(view)).collect();
        let mut has_any = false;
        for term in &terms.required_affinity {
            let column = cache.column(&term.key);
            let counts = match &filters {
                Some(filters) => by_value(view, cache, filters.clone(), column),
                None => Vec::new(),
            };
            has_any |= counts.iter().skip(1).any(|count| *count > 0);
            out.affinity.push((column, counts));
        }
        let matches_self = terms.required_affinity.iter().all(|term| term.matches(pod, &own_labels));
        out.is_first_of_its_kind = !has_any && matches_self;
        Some(out)
    }

    /// Whether a node does.
    pub fn check(&self, cache: &Cache, slot: Slot) -> Option<InterPodMiss> {
        let value = |column: usize| cache.columns[column].value(slot);
        let count = |(column, counts): &ByValue| match value(*column) {
            0 => None,
            value => Some(counts.get(value).copied().unwrap_or(0)),
        };
        if self.affinity.iter().any(|term| count(term).is_none()) {
            return Some(InterPodMiss::Affinity);
        }
        let are_there = self.affinity.iter().all(|term| count(term).is_some_and(|count| count > 0));
        if !are_there && !self.is_first_of_its_kind {
            return Some(InterPodMiss::Affinity);
        }
        let is_hit = |term: &ByValue| count(term).is_some_and(|count| count > 0);
        if self.anti.iter().any(is_hit) {
            return Some(InterPodMiss::AntiAffinity);
        }
        self.existing_anti.iter().any(is_hit).then_some(InterPodMiss::ExistingAntiAffinity)
    }
}

/// Labels of a namespace.
pub fn namespace_labels(view: &Store, namespace: &str) -> Labels {
    view.find::<Namespace>("", namespace)
        .map(|namespace| namespace.metadata.labels.clone())
        .unwrap_or_default()
}

fn by_value(view: &Store, cache: &mut Cache, filters: Vec<PodFilter>, column: usize) -> Vec<i64> {
    let id = cache.group(view, filters, true);
    let column = &cache.columns[column];
    let mut counts = vec![0; column.numbers()];
    for (slot, count) in cache.groups.get(id).into_iter().flat_map(|group| group.on.iter()) {
        counts[column.value(slot)] += i64::from(count);
    }
    counts
}

/// Where pods are whose required anti-affinity speaks of the incoming pod.
fn existing_anti(view: &Store, cache: &mut Cache, pod: &Pod) -> Vec<ByValue> {
    let has_anti =
        |class: &&u32| cache.classes.get(class).is_some_and(|class| !class.terms.required_anti.is_empty());
    let classes: Vec<u32> = cache.classes.keys().filter(has_anti).copied().gather();
    if classes.is_empty() {
        return Vec::new();
    }
    let own_labels = namespace_labels(view, &pod.metadata.namespace);
    let mut sums = Sums::default();
    for id in classes {
        let Some(terms) = cache.classes.get(&id).map(|class| class.terms.clone()) else { continue };
        for term in terms.required_anti.iter().filter(|term| term.matches(pod, &own_labels)) {
            let column = cache.column(&term.key);
            sums.add_class(cache, column, id, 1);
        }
    }
    sums.0.into_iter().filter(|(_, counts)| counts.iter().skip(1).any(|count| *count > 0)).gather()
}

/// Sums by label and value.
#[derive(Default)]
struct Sums(Map<usize, Vec<i64>>);

impl Sums {
    fn column(&mut self, cache: &Cache, column: usize) -> &mut Vec<i64> {
        let counts = self.0.entry(column).or_default();
        counts.resize(cache.columns[column].numbers(), 0);
        counts
    }
    fn add_class(&mut self, cache: &Cache, column: usize, class: u32, weight: i64) {
        let counts = self.column(cache, column);
        for (slot, count) in cache.classes.get(&class).into_iter().flat_map(|class| class.on.iter()) {
            let cell = &mut counts[cache.columns[column].value(slot)];
            *cell = cell.saturating_add(i64::from(count).saturating_mul(weight));
        }
    }
}

/// Scores of nodes from preferred rules in both directions, 0 to 100; `None` where no rule concerns the pod.
pub fn scores(view: &Store, cache: &mut Cache, pod: &Pod, slots: &[Slot]) -> Option<Vec<i64>> {
    let own = Terms::of_pod(pod);
    if cache.classes.is_empty() && own.preferred_affinity.is_empty() && own.preferred_anti.is_empty() {
        return None;
    }
    let mut sums = Sums::default();
    for (terms, sign) in [(&own.preferred_affinity, 1), (&own.preferred_anti, -1)] {
        for term in terms {
            let Some(filter) = term.filter(view) else { continue };
            let column = cache.column(&term.key);
            let counts = by_value(view, cache, vec![filter], column);
            for (sum, count) in sums.column(cache, column).iter_mut().zip(counts) {
                *sum = sum.saturating_add(count.saturating_mul(term.weight).saturating_mul(sign));
            }
        }
    }
    let own_labels = namespace_labels(view, &pod.metadata.namespace);
    let classes: Vec<u32> = cache.classes.keys().copied().gather();
    for id in classes {
        let Some(terms) = cache.classes.get(&id).map(|class| class.terms.clone()) else { continue };
        let hard = terms.required_affinity.iter().map(|term| (term, HARD_POD_AFFINITY_WEIGHT));
        let soft = terms.preferred_affinity.iter().map(|term| (term, term.weight));
        let anti = terms.preferred_anti.iter().map(|term| (term, -term.weight));
        for (term, weight) in hard.chain(soft).chain(anti) {
            if term.matches(pod, &own_labels) {
                let column = cache.column(&term.key);
                sums.add_class(cache, column, id, weight);
            }
        }
    }
    sums.0.retain(|_, counts| counts.iter().skip(1).any(|count| *count != 0));
    if sums.0.is_empty() {
        return None;
    }
    let of = |slot: &Slot| {
        let at = |(column, counts): (&usize, &Vec<i64>)| match cache.columns[*column].value(*slot) {
            0 => 0,
            value => counts.get(value).copied().unwrap_or(0),
        };
        sums.0.iter().map(at).fold(0, i64::saturating_add)
    };
    Some(normalise(slots.iter().map(of).gather()))
}

fn normalise(mut scores: Vec<i64>) -> Vec<i64> {
    let least = scores.iter().copied().min().unwrap_or(0);
    let most = scores.iter().copied().max().unwrap_or(0);
    let spread = most.saturating_sub(least);
    for score in &mut scores {
        let share = if spread > 0 { score.saturating_sub(least) as f64 / spread as f64 } else { 0.0 };
        *score = (100.0 * share) as i64;
    }
    scores
}
