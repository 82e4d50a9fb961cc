//! Indexes of Indexed Jobs, which are kept as intervals: `1,3-5`.
//!
//! Upstream: pkg/controller/job/indexed_job_utils.go.

use super::backoff::finished_at;
use super::{Sync, has_finalizer, is_failed};
use crate::pod::is_active;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::{JobSpec, ObjectMeta, Pod, Str};
use std::rc::Rc;

/// Annotation and label with the index of a pod.
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// Indexes as intervals in ascending order, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes(pub Vec<(i32, i32)>);

impl Indexes {
    /// Reads intervals below a number of completions.
    ///
    /// Upstream: `parseIndexesFromString`.
    pub fn parse(text: &str, completions: i32) -> Self {
        let mut intervals: Vec<(i32, i32)> = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) else { continue };
            if first >= completions {
                break;
            }
            let last = last.min(completions - 1);
            if last < first {
                continue;
            }
            match intervals.last_mut() {
                Some(before) if before.1 == first - 1 => before.1 = last,
                _ => intervals.push((first, last)),
            }
        }
        Self(intervals)
    }
    /// How many.
    pub fn total(&self) -> i32 {
        self.0.iter().map(|(first, last)| last - first + 1).fold(0, i32::saturating_add)
    }
    /// Whether an index is one of them.
    pub fn has(&self, index: i32) -> bool {
        self.0.iter().any(|(first, last)| *first <= index && index <= *last)
    }
    /// The same with more.
    ///
    /// Upstream: `withOrderedIndexes`.
    pub fn with(&self, more: &Set<i32>) -> Self {
        self.and_all(more.iter().map(|index| (*index, *index)))
    }
    /// The same with more intervals.
    pub fn and_all(&self, more: impl Iterator<Item = (i32, i32)>) -> Self {
        let mut all: Vec<(i32, i32)> = self.0.clone();
        all.extend(more);
        setpoint_api::order::sort_by_key(&mut all, |interval| *interval);
        let mut merged: Vec<(i32, i32)> = Vec::new();
        for (first, last) in all {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }
    fn and(&self, other: &Indexes) -> i32 {
        let overlap = |a: &(i32, i32), b: &(i32, i32)| (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
        let all = self.0.iter().flat_map(|a| other.0.iter().map(|b| overlap(a, b)));
        all.fold(0, i32::saturating_add)
    }
    /// Whether these suffice by a success policy; says by which rule.
    ///
    /// Upstream: pkg/controller/job/success_policy.go `matchSuccessPolicy`.
    pub fn suffice(&self, spec: &JobSpec) -> Option<String> {
        let completions = spec.completions.unwrap_or(0);
        let fits =
            |rule: &setpoint_api::SuccessPolicyRule| match (&rule.succeeded_indexes, rule.succeeded_count) {
                (Some(indexes), count) => {
                    let required = Indexes::parse(indexes, completions);
                    let found = required.and(self);
                    !required.0.is_empty() && found >= count.unwrap_or_else(|| required.total())
                }
                (None, Some(count)) => self.total() >= count,
                (None, None) => false,
            };
        let policy = spec.success_policy.as_ref().filter(|_| !self.0.is_empty())?;
        let index = policy.rules.iter().position(fits)?;
        Some(format!("Matched rules at index {index}"))
    }
}

impl std::fmt::Display for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, (first, last)) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The index of a pod.
pub fn index_of(pod: &Pod) -> Option<i32> {
    pod.metadata.annotation(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// The index of a pod of a Job that has it.
pub fn valid_index(pod: &Pod, spec: &JobSpec) -> Option<i32> {
    index_of(pod).filter(|index| *index < spec.completions.unwrap_or(0))
}

fn count(meta: &ObjectMeta, key: &str) -> i32 {
    meta.annotation(key).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Indexes that have succeeded: as stored, and with the pods that have succeeded since.
///
/// Upstream: `calculateSucceededIndexes`.
pub fn succeeded<P: AsRef<Pod>>(stored: &str, spec: &JobSpec, pods: &[P]) -> (Indexes, Indexes) {
    let before = Indexes::parse(stored, spec.completions.unwrap_or(0));
    let is_new = |pod: &&Pod| has_finalizer(pod) && pod.status.phase.as_str() == "Succeeded";
    let new = pods.iter().map(P::as_ref).filter(is_new).filter_map(|pod| valid_index(pod, spec));
    let now = before.with(&new.collect());
    (before, now)
}

/// Indexes that have failed for good.
///
/// Upstream: `calculateFailedIndexes`.
pub fn failed<P: AsRef<Pod>>(stored: &str, spec: &JobSpec, pods: &[P]) -> Indexes {
    let before = Indexes::parse(stored, spec.completions.unwrap_or(0));
    let is_new = |pod: &&Pod| has_finalizer(pod) && is_index_failed(pod, spec);
    let new = pods.iter().map(P::as_ref).filter(is_new).filter_map(|pod| valid_index(pod, spec));
    before.with(&new.collect())
}

/// Upstream: `isIndexFailed`.
fn is_index_failed(pod: &Pod, spec: &JobSpec) -> bool {
    if !is_failed(pod, spec) {
        return false;
    }
    let verdict = super::policies::judge(spec.pod_failure_policy.as_ref(), pod);
    let limit = spec.backoff_limit_per_index.unwrap_or(i32::MAX);
    verdict.action == Some("FailIndex") || (verdict.counts && count(&pod.metadata, FAILURES) >= limit)
}

/// The next indexes to start.
///
/// Upstream: `firstPendingIndexes`.
pub fn pending(taken: &Indexes, wanted: usize, completions: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut candidate = 0;
    for (first, last) in taken.0.iter().copied().chain([(completions, completions)]) {
        while candidate < first.min(completions) && found.len() < wanted {
            found.push(candidate);
            candidate += 1;
        }
        candidate = candidate.max(last.saturating_add(1));
    }
    found
}

/// The last failed pod of each index that waits for another try.
///
/// Upstream: `getPodsWithDelayedDeletionPerIndex`.
pub(super) fn waiting<'a>(sync: &Sync<'a>) -> Map<i32, &'a Rc<Pod>> {
    let active: Set<i32> = sync.active.iter().filter_map(|pod| index_of(pod)).collect();
    let mut last: Map<i32, &'a Rc<Pod>> = Map::new();
    for pod in sync.pods.iter().filter(|pod| has_finalizer(pod) && is_failed(pod, &sync.spec)) {
        let Some(index) = valid_index(pod, &sync.spec).filter(|index| !active.contains(index)) else {
            continue;
        };
        if sync.succeeded_indexes.has(index) || sync.failed_indexes.as_ref().is_some_and(|f| f.has(index)) {
            continue;
        }
        let is_later = last
            .get(&index)
            .is_none_or(|known| tries(known) <= tries(pod) && finished_at(known) <= finished_at(pod));
        if is_later {
            last.insert(index, pod);
        }
    }
    last
}

/// How often an index had been tried in vain before a pod of it.
///
/// Upstream: `getIndexAbsoluteFailureCount`.
pub fn tries(pod: &Pod) -> i32 {
    count(&pod.metadata, FAILURES).saturating_add(count(&pod.metadata, IGNORED))
}

/// The annotations that tell a pod how often its index has failed.
///
/// Upstream: `addIndexFailureCountAnnotation`, `getNewIndexFailureCounts`.
pub fn failure_annotations(spec: &JobSpec, before: Option<&Rc<Pod>>) -> Vec<(&'static str, Str)> {
    let Some(pod) = before else { return vec![(FAILURES, Str::fixed("0"))] };
    let (mut failures, mut ignored) = (count(&pod.metadata, FAILURES), count(&pod.metadata, IGNORED));
    let verdict = super::policies::judge(spec.pod_failure_policy.as_ref(), pod);
    if verdict.action == Some("Ignore") {
        ignored = ignored.saturating_add(1)
    } else {
        failures = failures.saturating_add(1)
    }
    let mut all = vec![(FAILURES, failures.to_string().into())];
    if ignored > 0 {
        all.push((IGNORED, ignored.to_string().into()));
    }
    all
}

/// Active pods that are too many for their index, and all others.
///
/// Upstream: `appendDuplicatedIndexPodsForRemoval`.
pub fn duplicates<'a>(
    active: &[&'a Rc<Pod>],
    spec: &JobSpec,
    now: setpoint_api::Time,
) -> [Vec<&'a Rc<Pod>>; 2] {
    let mut by_index: Map<Option<i32>, Vec<&'a Rc<Pod>>> = Map::new();
    for pod in active.iter().filter(|pod| is_active(pod)) {
        by_index.entry(valid_index(pod, spec)).or_default().push(pod);
    }
    let (mut remove, mut left) = (Vec::new(), Vec::new());
    for (index, pods) in by_index.iter() {
        let spare = if index.is_none() { pods.len() } else { pods.len() - 1 };
        let chosen = crate::replicaset::ranking::to_delete(pods, &[], spare, now);
        let is_chosen = |pod: &&&'a Rc<Pod>| chosen.iter().any(|other| other.metadata.id == pod.metadata.id);
        left.extend(pods.iter().filter(|pod| !is_chosen(pod)).copied().gather());
        remove.extend(chosen);
    }
    [remove, left]
}
