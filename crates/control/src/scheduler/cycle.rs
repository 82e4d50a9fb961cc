//! One scheduling decision: filter, score, pick.
//!
//! Upstream: pkg/scheduler/schedule_one.go (`schedulePod`, `findNodesThatFitPod`, `numFeasibleNodesToFind`, `selectHost`).

use super::cache::Cache;
use super::filters::{Filters, Plugins, Rejection};
use super::groups::Slot;
use super::message::FitError;
use super::scores::{self, PluginScores};
use super::{Decision, NodeScore, Verdict, preempt};
use crate::scheduler::filters::Plugin;
use setpoint_api::Gather as _;
use setpoint_api::{Pod, Store, Time};

/// Nodes up to which all are looked at.
const LEAST_NODES: i64 = 100;
/// Nodes up to which a decision is written down in full.
const MOST_NODES_RECORDED: i64 = 50;

/// How many nodes that do are enough.
fn enough(nodes: i64) -> i64 {
    if nodes < LEAST_NODES {
        return nodes;
    }
    let percent = (50 - nodes / 125).max(5);
    (nodes * percent / 100).max(LEAST_NODES)
}

/// What filtering found.
struct Found {
    feasible: Vec<Slot>,
    rejected: Vec<(Slot, Rejection)>,
}

fn find(cache: &Cache, filters: &Filters, candidates: &[Slot], start: usize) -> Found {
    let wanted = enough(candidates.len() as i64) as usize;
    let mut found = Found { feasible: Vec::with_capacity(wanted), rejected: Vec::new() };
    let start = if candidates.is_empty() { 0 } else { start % candidates.len() };
    let (before, after) = candidates.split_at(start);
    for slot in after.iter().chain(before) {
        match filters.reject(cache, *slot) {
            Some(rejection) => found.rejected.push((*slot, rejection)),
            None => {
                found.feasible.push(*slot);
                if found.feasible.len() == wanted {
                    break;
                }
            }
        }
    }
    found
}

/// Decides about a pod and, in a small cluster, says how.
pub fn schedule(view: &Store, cache: &mut Cache, pod: &Pod, draw: u64) -> (Verdict, Option<Decision>) {
    let order = cache.order();
    let nodes = order.len() as i64;
    if nodes == 0 {
        return (Verdict::NoNodes, None);
    }
    let filters = Filters::of(view, cache, pod);
    let named: Option<Vec<Slot>> = filters
        .rules
        .only_nodes
        .as_ref()
        .map(|names| names.iter().filter_map(|name| cache.slot_of(name)).gather());
    let contradicts = filters.rules.only_nodes.as_ref().is_some_and(|names| names.is_empty());
    let refusal = filters.volumes.as_ref().and_then(|(_, filter)| filter.refusal.clone());
    let none = Vec::new();
    let candidates = if refusal.is_some() { &none } else { named.as_ref().unwrap_or(&order) };
    let found = find(cache, &filters, candidates, cache.next_start as usize);
    let processed = (found.feasible.len() + found.rejected.len()) as i64;
    cache.next_start = ((i64::from(cache.next_start) + processed) % nodes) as u32;
    let is_recorded = nodes <= MOST_NODES_RECORDED;
    // With one node left there is nothing to compare.
    let scores = match found.feasible.as_slice() {
        [] => Vec::new(),
        [_] if !is_recorded => Vec::new(),
        slots => scores::all(view, cache, &filters, slots),
    };
    let picked = pick(&found.feasible, &scores, draw);
    let decision = is_recorded.then(|| record(cache, &filters, &found, &scores, picked));
    let verdict = match picked {
        Some(slot) => Verdict::Node {
            node: cache.nodes[slot as usize].name.clone(),
            feasible: found.feasible.len() as i64,
            nodes,
        },
        None => {
            let is_named = named.is_some() && refusal.is_none();
            let before = contradicts.then(|| "pod affinity terms conflict".into());
            unfit(&filters, &found, nodes, is_named, before.or(refusal))
        }
    };
    (verdict, decision)
}

fn totals(count: usize, scores: &[PluginScores]) -> Vec<i64> {
    let mut totals = vec![0i64; count];
    for row in scores {
        for (total, score) in totals.iter_mut().zip(&row.scores) {
            *total = total.saturating_add(score.saturating_mul(row.weight));
        }
    }
    totals
}

/// One of the best, each with the same chance.
fn pick(feasible: &[Slot], scores: &[PluginScores], draw: u64) -> Option<Slot> {
    let totals = totals(feasible.len(), scores);
    let best = totals.iter().copied().max()?;
    let ties = totals.iter().filter(|total| **total == best).count() as u64;
    let chosen = ((u128::from(draw) * u128::from(ties)) >> 64) as usize;
    let mut of_best = feasible.iter().zip(&totals).filter(|(_, total)| **total == best);
    of_best.nth(chosen).map(|(slot, _)| *slot)
}

fn unfit(filters: &Filters, found: &Found, nodes: i64, is_named: bool, before: Option<String>) -> Verdict {
    let mut error = FitError { nodes, ..FitError::default() };
    let mut rejected_by = Plugins::default();
    let mut resolvable = 0;
    let mut kinds: Vec<(Rejection, i64)> = Vec::new();
    for (_, rejection) in &found.rejected {
        match kinds.iter_mut().find(|(kind, _)| kind == rejection) {
            Some((_, count)) => *count += 1,
            None => kinds.push((*rejection, 1)),
        }
    }
    for (rejection, count) in kinds {
        rejected_by.insert(rejection.plugin);
        resolvable += if rejection.is_unresolvable { 0 } else { count };
        for reason in rejection.reasons(&filters.demand) {
            error.count(reason, count);
        }
    }
    if is_named {
        rejected_by.insert(Plugin::NodeAffinity);
        let others = nodes - found.rejected.len() as i64;
        error.count("node(s) didn't satisfy plugin(s) [NodeAffinity]".into(), others);
    }
    if filters.volumes.as_ref().is_some_and(|(_, filter)| filter.refusal.is_some()) {
        rejected_by.insert(Plugin::VolumeBinding);
    }
    error.before = before.unwrap_or_default();
    error.after = preempt::after_filtering(&filters.pod.spec, nodes, resolvable);
    Verdict::Unfit { error, rejected_by }
}

fn record(
    cache: &Cache,
    filters: &Filters,
    found: &Found,
    scores: &[PluginScores],
    picked: Option<Slot>,
) -> Decision {
    let name = |slot: Slot| cache.nodes[slot as usize].name.clone();
    let totals = totals(found.feasible.len(), scores);
    let scored = |(at, slot): (usize, &Slot)| {
        let plugins = scores.iter().filter_map(|row| Some((row.plugin, row.scores.get(at)? * row.weight)));
        let total = totals.get(at).copied().unwrap_or(0);
        NodeScore { node: name(*slot), plugins: plugins.gather(), total }
    };
    Decision {
        at: Time::default(),
        pod: filters.pod.metadata.full_name().into(),
        node: picked.map(name),
        rejected: found
            .rejected
            .iter()
            .map(|(slot, why)| (name(*slot), why.reasons(&filters.demand)))
            .gather(),
        scores: found.feasible.iter().enumerate().map(scored).gather(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_clusters_are_sampled() {
        for (nodes, expected) in
            [(5, 5), (99, 99), (100, 100), (125, 100), (250, 120), (1000, 420), (5000, 500), (6000, 300)]
        {
            assert_eq!(enough(nodes), expected, "{nodes} nodes");
        }
    }

    #[test]
    fn every_one_of_the_best_can_be_picked() {
        let scores = [PluginScores { plugin: "p", weight: 1, scores: vec![5, 9, 9, 1, 9] }];
        let picked = |draw| pick(&[10, 11, 12, 13, 14], &scores, draw);
        assert_eq!([0, u64::MAX / 2, u64::MAX].map(picked), [Some(11), Some(12), Some(14)]);
        assert_eq!(pick(&[], &[], 0), None);
    }
}
