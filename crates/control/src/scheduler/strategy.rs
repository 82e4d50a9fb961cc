//! Scores from what a node has and what is taken of it, and the arguments that say which resources count and how.
//!
//! Upstream: pkg/scheduler/framework/plugins/noderesources/{resource_allocation,least_allocated,most_allocated,
//! requested_to_capacity_ratio,balanced_allocation}.go, pkg/scheduler/apis/config/types_pluginargs.go.

use super::cache::Cache;
use super::demand::Demand;
use super::groups::Slot;
use super::node_rules::NodeRules;
use super::scores::percent;
use setpoint_api::Gather as _;
use setpoint_api::Str;

/// Which nodes are better by what is taken of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Those with the most left.
    #[default]
    LeastAllocated,
    /// Those with the least left.
    MostAllocated,
    /// By a broken line: shares taken, 0 to 100, in rising order, each with its score, 0 to 10.
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

/// A resource that counts in scores.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Counted {
    Cpu,
    Memory,
    Ephemeral,
    Scalar(Str),
}

/// Resources that count in scores, each with its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights(Vec<(Counted, i64)>);

impl Default for Weights {
    fn default() -> Self {
        Self(vec![(Counted::Cpu, 1), (Counted::Memory, 1)])
    }
}

impl Weights {
    /// The weights of resources by name.
    pub fn of<'a>(weights: impl Iterator<Item = (&'a str, i64)>) -> Self {
        let counted = |name: &str| match name {
            "cpu" => Counted::Cpu,
            "memory" => Counted::Memory,
            "ephemeral-storage" => Counted::Ephemeral,
            other => Counted::Scalar(other.into()),
        };
        Self(weights.map(|(name, weight)| (counted(name), weight)).gather())
    }
}

/// The arguments of the scheduler's plugins; the default ones are those of the default profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// NodeResourcesFit: which nodes are better.
    pub strategy: Strategy,
    /// NodeResourcesFit: what counts.
    pub fit: Weights,
    /// NodeResourcesBalancedAllocation: what counts; the weights are all the same to it.
    pub balanced: Weights,
    /// NodeAffinity: what is preferred for every pod.
    pub added_affinity: NodeRules,
}

/// What a pod asks for of a resource; as scores count it, or to the letter.
fn wanted(demand: &Demand, resource: &Counted, is_literal: bool) -> i64 {
    match resource {
        Counted::Cpu if is_literal => demand.cpu,
        Counted::Cpu => demand.nonzero_cpu,
        Counted::Memory if is_literal => demand.memory,
        Counted::Memory => demand.nonzero_memory,
        Counted::Ephemeral => demand.ephemeral,
        Counted::Scalar(name) => {
            demand.scalars.iter().find(|(has, _)| has == name).map_or(0, |(_, amount)| *amount)
        }
    }
}

/// What is taken of a resource on a node, and what the node has; nothing of an extended resource that the pod does not want.
fn taken(cache: &Cache, slot: Slot, (resource, wanted): (&Counted, i64), is_literal: bool) -> (i64, i64) {
    let room = &cache.rooms[slot as usize];
    match resource {
        Counted::Cpu if is_literal => (room.used_cpu, room.cpu),
        Counted::Cpu => (room.nonzero_cpu, room.cpu),
        Counted::Memory if is_literal => (room.used_memory, room.memory),
        Counted::Memory => (room.nonzero_memory, room.memory),
        Counted::Ephemeral => (room.used_ephemeral, room.ephemeral),
        Counted::Scalar(_) if wanted == 0 => (0, 0),
        Counted::Scalar(name) => {
            let (has, used) = cache.nodes[slot as usize].scalars.get(name).copied().unwrap_or((0, 0));
            (used, has)
        }
    }
}

/// Scores by the strategy.
///
/// Upstream: `resourceAllocationScorer.score`.
pub(super) fn fit(cache: &Cache, demand: &Demand, slots: &[Slot]) -> Vec<i64> {
    let Weights(weights) = &cache.profile.fit;
    let resources =
        weights.iter().map(|(resource, weight)| (resource, *weight, wanted(demand, resource, false)));
    let resources: Vec<(&Counted, i64, i64)> = resources.gather();
    let strategy = &cache.profile.strategy;
    let score = |slot: &Slot| {
        let (mut sum, mut weights) = (0i64, 0i64);
        for (resource, weight, wanted) in &resources {
            let (used, has) = taken(cache, *slot, (resource, *wanted), false);
            let share = strategy.share(used.saturating_add(*wanted), has);
            // Upstream's broken line leaves out what scores nothing.
            if has != 0 && (share > 0 || !matches!(strategy, Strategy::RequestedToCapacityRatio(_))) {
                sum += share * weight;
                weights += weight;
            }
        }
        match strategy {
            _ if weights == 0 => 0,
            Strategy::RequestedToCapacityRatio(_) => (2 * sum + weights) / (2 * weights),
            _ => sum / weights,
        }
    };
    slots.iter().map(score).gather()
}

impl Strategy {
    /// 0 to 100 for one resource of which so much would be taken.
    fn share(&self, taken: i64, has: i64) -> i64 {
        match self {
            _ if has == 0 => 0,
            Self::LeastAllocated if taken > has => 0,
            Self::LeastAllocated => percent(has.saturating_sub(taken), has),
            Self::MostAllocated => percent(taken.min(has), has),
            Self::RequestedToCapacityRatio(points) => {
                on_line(points, if taken > has { 100 } else { percent(taken, has) })
            }
        }
    }
}

/// Upstream: `BuildBrokenLinearFunction`; scores of 0 to 10 are spread over 0 to 100.
fn on_line(points: &[(i64, i64)], at: i64) -> i64 {
    let mut before: Option<(i64, i64)> = None;
    for (place, score) in points.iter().map(|(place, score)| (*place, 10 * score)) {
        if at <= place {
            return before.map_or(score, |(start, from)| {
                from + (score - from) * (at - start) / (place - start).max(1)
            });
        }
        before = Some((place, score));
    }
    before.map_or(0, |(_, score)| score)
}

/// Scores by how much closer the used shares come by the pod; `None` for a pod that asks for nothing that counts.
///
/// Upstream: `BalancedAllocation.Score`.
pub(super) fn balanced(cache: &Cache, demand: &Demand, slots: &[Slot]) -> Option<Vec<i64>> {
    let Weights(weights) = &cache.profile.balanced;
    let resources = weights.iter().map(|(resource, _)| (resource, wanted(demand, resource, true)));
    let resources: Vec<(&Counted, i64)> = resources.gather();
    if resources.iter().all(|(_, wanted)| *wanted == 0) {
        return None;
    }
    let mut shares = Vec::with_capacity(resources.len());
    let mut balance = |slot: Slot, is_with: bool| {
        shares.clear();
        for (resource, wanted) in &resources {
            let (used, has) = taken(cache, slot, (resource, *wanted), true);
            let used = if is_with { used.saturating_add(*wanted) } else { used };
            if has != 0 {
                let share = used as f64 / has as f64;
                shares.push(if share > 1.0 { 1.0 } else { share });
            }
        }
        ((1.0 - deviation(&shares)) * 100.0) as i64
    };
    Some(slots.iter().map(|slot| 50 + (50 + balance(*slot, true) - balance(*slot, false)) / 2).gather())
}

fn deviation(shares: &[f64]) -> f64 {
    match shares {
        [] | [_] => 0.0,
        [a, b] => libm::fabs((a - b) / 2.0),
        _ => {
            let count = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / count;
            libm::sqrt(shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_followed() {
        let bin_packing = [(0, 0), (100, 10)];
        let least = [(0, 10), (50, 2), (100, 0)];
        for (points, at, score) in [
            (&bin_packing[..], 0, 0),
            (&bin_packing, 67, 67),
            (&least, 0, 100),
            (&least, 25, 60),
            (&least, 75, 10),
        ] {
            assert_eq!(on_line(points, at), score, "{points:?} at {at}");
        }
    }
}
