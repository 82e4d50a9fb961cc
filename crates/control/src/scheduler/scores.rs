//! Scores of the nodes that do, per plugin 0 to 100, and their weights.
//!
//! Upstream: pkg/scheduler/framework/plugins/{tainttoleration,nodeaffinity,imagelocality},
//! pkg/scheduler/framework/plugins/helper/normalize_score.go, pkg/scheduler/apis/config/v1/default_plugins.go.

use super::cache::{Cache, Image};
use super::filters::Filters;
use super::groups::Slot;
use super::node_rules::intolerable_soft_taints;
use super::rows::SOFT_TAINTS;
use super::{affinity, spread, strategy};
use setpoint_api::Gather as _;
use setpoint_api::{Node, PodSpec, Store, Str};

/// Images below this size do not count.
const LEAST_IMAGE: i64 = 23 * 1024 * 1024;
/// Images of a container above this size count no more.
const MOST_IMAGE: i64 = 1000 * 1024 * 1024;

/// The scores of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginScores {
    /// Name.
    pub plugin: &'static str,
    /// How much it counts.
    pub weight: i64,
    /// 0 to 100, by candidate.
    pub scores: Vec<i64>,
}

/// Scores the candidates by every plugin that has something to say about the pod.
pub fn all(view: &Store, cache: &mut Cache, filters: &Filters, slots: &[Slot]) -> Vec<PluginScores> {
    let inter_pod = affinity::scores(view, cache, filters.pod, slots);
    let spread = spread::scores(view, cache, filters.pod, &filters.rules, slots);
    let fit = strategy::fit(cache, &filters.demand, slots);
    let balanced = strategy::balanced(cache, &filters.demand, slots);
    let rows = [
        ("TaintToleration", 3, Some(taint_toleration(cache, filters, slots))),
        ("NodeAffinity", 2, node_affinity(cache, filters, slots)),
        ("NodeResourcesFit", 1, Some(fit)),
        ("PodTopologySpread", 2, spread),
        ("InterPodAffinity", 2, inter_pod),
        ("NodeResourcesBalancedAllocation", 1, balanced),
        ("ImageLocality", 1, image_locality(cache, &filters.pod.spec, slots)),
    ];
    let made = |(plugin, weight, scores): (_, _, Option<Vec<i64>>)| {
        scores.map(|scores| PluginScores { plugin, weight, scores })
    };
    rows.into_iter().filter_map(made).gather()
}

fn on_node(cache: &Cache, slots: &[Slot], score: impl Fn(&Node) -> i64) -> Vec<i64> {
    slots.iter().map(|slot| cache.node(*slot).map_or(0, |node| score(node))).gather()
}

/// Upstream: `DefaultNormalizeScore`.
fn normalise(mut scores: Vec<i64>, is_reversed: bool) -> Vec<i64> {
    let most = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in &mut scores {
        *score = if most == 0 { 0 } else { 100 * *score / most };
        *score = if is_reversed { 100 - *score } else { *score };
    }
    scores
}

fn taint_toleration(cache: &Cache, filters: &Filters, slots: &[Slot]) -> Vec<i64> {
    if slots.iter().all(|slot| cache.rooms[*slot as usize].flags & SOFT_TAINTS == 0) {
        return vec![100; slots.len()];
    }
    let tolerations = &filters.pod.spec.tolerations;
    normalise(on_node(cache, slots, |node| intolerable_soft_taints(&node.spec.taints, tolerations)), true)
}

fn node_affinity(cache: &Cache, filters: &Filters, slots: &[Slot]) -> Option<Vec<i64>> {
    let rules = [&filters.rules, &cache.profile.added_affinity];
    let preference = |node: &Node| rules.iter().map(|rules| rules.preference(node)).sum();
    let has_any = rules.iter().any(|rules| !rules.prefers_nothing());
    has_any.then(|| normalise(on_node(cache, slots, preference), false))
}

/// `100 * part / whole` without overflow.
pub(super) fn percent(part: i64, whole: i64) -> i64 {
    match part.checked_mul(100) {
        Some(product) => product / whole,
        None => (i128::from(part) * 100 / i128::from(whole)) as i64,
    }
}

/// The more of the pod's images a node has, the better; images on few nodes count less.
fn image_locality(cache: &Cache, spec: &PodSpec, slots: &[Slot]) -> Option<Vec<i64>> {
    let images = images_of(spec);
    let containers = spec.init_containers.len() + spec.containers.len();
    let most = MOST_IMAGE.saturating_mul(containers.max(1) as i64);
    let known: Vec<&Image> = images.iter().filter_map(|image| cache.images.get(image)).gather();
    if known.is_empty() {
        return Some(vec![0; slots.len()]);
    }
    let nodes = cache.node_count() as f64;
    let score = |slot: &Slot| {
        let scaled = |image: &&Image| (image.size_on(*slot) as f64 * (f64::from(image.nodes) / nodes)) as i64;
        let sum = known.iter().map(scaled).fold(0, i64::saturating_add).clamp(LEAST_IMAGE, most);
        percent(sum - LEAST_IMAGE, most - LEAST_IMAGE)
    };
    Some(slots.iter().map(score).gather())
}

/// Images of containers and of image volumes, each with a tag.
fn images_of(spec: &PodSpec) -> Vec<Str> {
    let containers = spec.init_containers.iter().chain(spec.containers.iter()).map(|c| &*c.image);
    let volumes = spec.rest.as_deref().and_then(|rest| rest.get("volumes")?.as_array());
    let volumes = volumes.into_iter().flatten();
    let volumes = volumes.filter_map(|volume| volume.get("image")?.get("reference")?.as_str());
    containers.chain(volumes).map(with_tag).gather()
}

fn with_tag(image: &str) -> Str {
    let name = image.rsplit('/').next().unwrap_or(image);
    if name.contains(':') { image.into() } else { format!("{image}:latest").into() }
}
