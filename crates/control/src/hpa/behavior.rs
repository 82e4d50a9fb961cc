//! What is made of a proposal: stabilisation windows, limits on speed, and the bounds.
//!
//! Upstream: pkg/controller/podautoscaler/horizontal.go, `stabilizeRecommendation`, `convertDesiredReplicasWithRules`,
//! `stabilizeRecommendationWithBehaviors`, `convertDesiredReplicasWithBehaviorRate`, `storeScaleEvent`.

use setpoint_api::time::SECOND;
use setpoint_api::{HpaScalingPolicy, HpaScalingRules, Micros, Time};

/// A proposal as it came out of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// When.
    pub at: Time,
    /// Replicas.
    pub replicas: i32,
}

/// A change of the target's replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleEvent {
    /// When.
    pub at: Time,
    /// By how many, in its direction; positive.
    pub change: i32,
    /// Older than every policy's period: its place may be taken.
    pub outdated: bool,
}

/// Replicas within the limits, with the reason and message of the condition ScalingLimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Replicas.
    pub replicas: i32,
    /// Reason.
    pub reason: &'static str,
    /// Message.
    pub message: &'static str,
}

const IN_RANGE: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const TOO_MANY: (&str, &str) =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");

fn limited(replicas: i32, (reason, message): (&'static str, &'static str)) -> Limited {
    Limited { replicas, reason, message }
}

/// Which policy of a direction counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The one that allows the largest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: no change in this direction.
    Disabled,
}

/// The rules of one direction with nothing left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Stabilisation window.
    pub window: Micros,
    /// Which policy counts.
    pub select: Select,
    /// Limits per period.
    pub policies: Vec<HpaScalingPolicy>,
}

impl Rules {
    /// The rules for scaling up; where nothing is given, 4 pods or 100 % in 15 s at once.
    pub fn up(given: Option<&HpaScalingRules>) -> Self {
        let defaults = [policy("Pods", 4), policy("Percent", 100)];
        Self::resolve(given, 0, &defaults)
    }

    /// The rules for scaling down; where nothing is given, 100 % in 15 s after `window`.
    pub fn down(given: Option<&HpaScalingRules>, window: Micros) -> Self {
        Self::resolve(given, window, &[policy("Percent", 100)])
    }

    fn resolve(given: Option<&HpaScalingRules>, window: Micros, policies: &[HpaScalingPolicy]) -> Self {
        let Some(given) = given else {
            return Self { window, select: Select::Max, policies: policies.to_vec() };
        };
        let is_open = given.policies.is_empty();
        Self {
            window: given.stabilization_window_seconds.map_or(window, |s| i64::from(s) * SECOND),
            select: match given.select_policy.as_deref() {
                Some("Disabled") => Select::Disabled,
                Some("Min") => Select::Min,
                _ => Select::Max,
            },
            policies: if is_open { policies.to_vec() } else { given.policies.clone() },
        }
    }

    /// Replicas that policies allow at most when scaling up.
    fn up_limit(&self, current: i32, events: &Events, now: Time) -> i32 {
        let proposals = self.policies.iter().filter_map(|policy| {
            let start = events.replicas_before(current, policy.period_seconds, now);
            match &*policy.kind {
                "Pods" => Some(start.saturating_add(policy.value)),
                "Percent" => {
                    Some(libm::ceil(f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)) as i32)
                }
                _ => None,
            }
        });
        match self.select {
            Select::Disabled => current,
            Select::Min => proposals.min().unwrap_or(i32::MAX),
            Select::Max => proposals.max().unwrap_or(i32::MIN),
        }
    }

    /// Replicas that policies allow at least when scaling down.
    fn down_limit(&self, current: i32, events: &Events, now: Time) -> i32 {
        let proposals = self.policies.iter().filter_map(|policy| {
            let start = events.replicas_before(current, policy.period_seconds, now);
            match &*policy.kind {
                "Pods" => Some(start.saturating_sub(policy.value)),
                "Percent" => Some((f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)) as i32),
                _ => None,
            }
        });
        match self.select {
            Select::Disabled => current,
            Select::Min => proposals.max().unwrap_or(i32::MIN),
            Select::Max => proposals.min().unwrap_or(i32::MAX),
        }
    }
}

fn policy(kind: &str, value: i32) -> HpaScalingPolicy {
    HpaScalingPolicy { kind: kind.into(), value, period_seconds: 15, rest: None }
}

/// Past changes of the target's replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Up.
    pub up: Vec<ScaleEvent>,
    /// Down.
    pub down: Vec<ScaleEvent>,
}

impl Events {
    fn replicas_before(&self, current: i32, period_seconds: i32, now: Time) -> i32 {
        let added = change_in_period(&self.up, period_seconds, now);
        let removed = change_in_period(&self.down, period_seconds, now);
        current.saturating_sub(added).saturating_add(removed)
    }

    /// Notes a change. Without behavior nothing is kept, for nothing would look at it.
    pub fn store(&mut self, behavior: Option<(&Rules, &Rules)>, from: i32, to: i32, now: Time) {
        let Some((up, down)) = behavior else { return };
        if to > from {
            store_event(&mut self.up, &up.policies, to.saturating_sub(from), now);
        } else {
            store_event(&mut self.down, &down.policies, from.saturating_sub(to), now);
        }
    }
}

/// By how much the replicas changed in the period before now.
///
/// Upstream: `getReplicasChangePerPeriod`.
pub fn change_in_period(events: &[ScaleEvent], period_seconds: i32, now: Time) -> i32 {
    let cutoff = now.plus(-i64::from(period_seconds) * SECOND);
    let changes = events.iter().filter(|event| event.at > cutoff);
    changes.fold(0, |sum, event| sum.saturating_add(event.change))
}

/// Notes a change in the place of an outdated one if there is any.
///
/// Upstream: `storeScaleEvent`, `markScaleEventsOutdated`, `getLongestPolicyPeriod`.
pub fn store_event(events: &mut Vec<ScaleEvent>, policies: &[HpaScalingPolicy], change: i32, now: Time) {
    let longest = policies.iter().map(|policy| policy.period_seconds).max().unwrap_or(0);
    let cutoff = now.plus(-i64::from(longest) * SECOND);
    for event in events.iter_mut() {
        event.outdated |= event.at < cutoff;
    }
    let new = ScaleEvent { at: now, change, outdated: false };
    match events.iter_mut().rev().find(|event| event.outdated) {
        Some(old) => *old = new,
        None => events.push(new),
    }
}

/// Without behavior: the highest recommendation of the window counts. The new one is noted.
///
/// Upstream: `stabilizeRecommendation`.
pub fn stabilize_down(log: &mut Vec<Recommendation>, desired: i32, window: Micros, now: Time) -> i32 {
    let cutoff = now.plus(-window);
    let recent = log.iter().filter(|rec| rec.at >= cutoff).map(|rec| rec.replicas);
    let highest = recent.fold(desired, i32::max);
    note(log, Recommendation { at: now, replicas: desired }, |rec| rec.at < cutoff);
    highest
}

/// With behavior: not above the lowest recommendation of the window for up, not below the highest of the window for
/// down. The new one is noted.
///
/// Upstream: `stabilizeRecommendationWithBehaviors`.
pub fn stabilize(
    log: &mut Vec<Recommendation>,
    current: i32,
    desired: i32,
    (up_window, down_window): (Micros, Micros),
    now: Time,
) -> i32 {
    let (up_cutoff, down_cutoff) = (now.plus(-up_window), now.plus(-down_window));
    let up = log.iter().filter(|rec| rec.at > up_cutoff).map(|rec| rec.replicas).fold(desired, i32::min);
    let down = log.iter().filter(|rec| rec.at > down_cutoff).map(|rec| rec.replicas).fold(desired, i32::max);
    let is_old = |rec: &Recommendation| rec.at < up_cutoff && rec.at < down_cutoff;
    note(log, Recommendation { at: now, replicas: desired }, is_old);
    current.max(up).min(down)
}

/// The last entry that is too old gives its place.
fn note(log: &mut Vec<Recommendation>, new: Recommendation, is_old: impl Fn(&Recommendation) -> bool) {
    match log.iter_mut().rev().find(|rec| is_old(rec)) {
        Some(old) => *old = new,
        None => log.push(new),
    }
}

/// Without behavior: at most `up_limit`, and within the bounds.
///
/// Upstream: `convertDesiredReplicasWithRules`.
pub fn limit_without_behavior(up_limit: i32, desired: i32, min: i32, max: i32) -> Limited {
    let (most, reason) = if max > up_limit { (up_limit, UP_LIMIT) } else { (max, TOO_MANY) };
    if desired < min {
        limited(min, TOO_FEW)
    } else if desired > most {
        limited(most, reason)
    } else {
        limited(desired, IN_RANGE)
    }
}

/// With behavior: what the policies allow, and within the bounds.
///
/// Upstream: `convertDesiredReplicasWithBehaviorRate`.
pub fn limit_with_behavior(
    current: i32,
    desired: i32,
    (min, max): (i32, i32),
    (up, down): (&Rules, &Rules),
    events: &Events,
    now: Time,
) -> Limited {
    if desired > current {
        let limit = up.up_limit(current, events, now).max(current);
        let (most, reason) = if max > limit { (limit, UP_LIMIT) } else { (max, TOO_MANY) };
        if desired > most {
            return limited(most, reason);
        }
    } else if desired < current {
        let limit = down.down_limit(current, events, now).min(current);
        let (least, reason) = if min < limit { (limit, DOWN_LIMIT) } else { (min, TOO_FEW) };
        if desired < least {
            return limited(least, reason);
        }
    }
    limited(desired, IN_RANGE)
}
