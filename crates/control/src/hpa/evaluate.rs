//! One evaluation of one autoscaler, free of the store: what is read comes from a [`Feed`], what is to be written goes out.
//!
//! Upstream: pkg/controller/podautoscaler/horizontal.go, `reconcileAutoscaler`.

use super::behavior::{self, Events, Limited, Recommendation};
use super::compute::{self, Measured};
use super::decision::{Decision, Stabilization, leaves_at};
use super::feed::Feed;
use super::replicas::{Calculator, Startup, Tolerances};
use super::settings::{Settings, default_metric, rules};
use super::target::Scale;
use setpoint_api::Gather as _;
use setpoint_api::{
    Condition, ConditionStatus, HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, MetricStatus, Micros,
    Quantity, Selector, Time, condition_status,
};
use std::borrow::Cow;

/// What an autoscaler's past is remembered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Recommendations; `None` until the target was first seen.
    pub log: Option<Vec<Recommendation>>,
    /// Changes of the target's replicas.
    pub events: Events,
}

/// What an evaluation led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The status as it should be written, if the change of the target succeeds.
    pub status: HorizontalPodAutoscalerStatus,
    /// New number of replicas, if it is to be changed.
    pub rescale: Option<i32>,
    /// Warnings on the way: reason and message.
    pub warnings: Vec<(&'static str, String)>,
    /// The warning that ends an evaluation without a number: reason and message.
    pub last_warning: Option<(&'static str, String)>,
    /// The steps, for people.
    pub decision: Decision,
}

/// Evaluates an autoscaler and notes the recommendation in its history.
pub fn evaluate(
    hpa: &HorizontalPodAutoscaler,
    scale: Result<&Scale, &str>,
    feed: &mut dyn Feed,
    settings: &Settings,
    now: Time,
    history: &mut History,
) -> Evaluation {
    let min = hpa.spec.min_replicas.unwrap_or(1);
    let mut run = Run { hpa, settings, now, min, out: Evaluation::default() };
    run.out.status = hpa.status.clone();
    run.out.decision = Decision { at: now, min, max: hpa.spec.max_replicas, ..Decision::default() };
    match scale {
        Ok(scale) => run.of_scale(scale, feed, history),
        Err(error) => run.no_scale(error),
    }
    run.out
}

/// One evaluation under way.
struct Run<'a> {
    hpa: &'a HorizontalPodAutoscaler,
    settings: &'a Settings,
    now: Time,
    min: i32,
    out: Evaluation,
}

impl Run<'_> {
    fn set(&mut self, kind: &str, is_true: bool, reason: &str, message: impl Into<Cow<'static, str>>) {
        set_condition(&mut self.out.status.conditions, kind, is_true, reason, &message.into(), self.now);
    }

    fn no_scale(&mut self, error: &str) {
        self.out.warnings.push(("FailedGetScale", error.to_string()));
        let message = format!("the HPA controller was unable to get the target's current scale: {error}");
        self.set("AbleToScale", false, "FailedGetScale", message);
        self.out.decision.able = "FailedGetScale";
        self.out.decision.error = Some(error.to_string());
    }

    fn of_scale(&mut self, scale: &Scale, feed: &mut dyn Feed, history: &mut History) {
        let current = scale.spec_replicas;
        let may_wake = self.may_wake();
        let message = "the HPA controller was able to get the target's current scale";
        self.set("AbleToScale", true, "SucceededGetScale", message);
        let first = Recommendation { at: self.now, replicas: current };
        let log = history.log.get_or_insert_with(|| vec![first]);
        let decision = &mut self.out.decision;
        decision.able = "SucceededGetScale";
        decision.current = current;
        if current == 0 && !may_wake {
            let message = "scaling is disabled since the replica count of the target is zero";
            self.set("ScalingActive", false, "ScalingDisabled", message);
            return self.finish(current, current, Vec::new(), "");
        }
        if current > self.hpa.spec.max_replicas {
            let reason = "Current number of replicas above Spec.MaxReplicas";
            return self.finish(current, self.hpa.spec.max_replicas, Vec::new(), reason);
        }
        if current < self.min {
            let reason = "Current number of replicas below Spec.MinReplicas";
            return self.finish(current, self.min, Vec::new(), reason);
        }
        self.of_metrics(scale, feed, log, &history.events);
    }

    /// Whether the target is at zero because this controller put it there, and may leave it again.
    fn may_wake(&mut self) -> bool {
        let conditions = &mut self.out.status.conditions;
        if !self.settings.scale_to_zero {
            conditions.retain(|condition| &*condition.kind != "ScaledToZero");
            return false;
        }
        condition_status(conditions, "ScaledToZero") == ConditionStatus::True && self.has_outside_metric()
    }

    fn has_outside_metric(&self) -> bool {
        self.hpa.spec.metrics.iter().any(|metric| matches!(&*metric.kind, "Object" | "External"))
    }

    fn of_metrics(
        &mut self,
        scale: &Scale,
        feed: &mut dyn Feed,
        log: &mut Vec<Recommendation>,
        events: &Events,
    ) {
        let current = scale.spec_replicas;
        let selector = match self.check_selector(scale, feed) {
            Ok(selector) => selector,
            Err(error) => return self.give_up(current, Vec::new(), error),
        };
        let default = [default_metric()];
        let specs = if self.hpa.spec.metrics.is_empty() { &default } else { &self.hpa.spec.metrics[..] };
        let pods = feed.pods(selector);
        let startup = Startup {
            now: self.now,
            cpu_initialization: self.settings.cpu_initialization,
            initial_readiness_delay: self.settings.initial_readiness_delay,
        };
        let calculator = Calculator { pods: &pods, current, tolerances: self.tolerances(), startup };
        let namespace = &self.hpa.metadata.namespace;
        let computed = compute::compute(specs, &calculator, scale.status_replicas, namespace, &*feed);
        let error = compute::error_of(&computed.unusable, specs.len());
        let warnings = computed.unusable.into_iter().map(|failed| (failed.reason, failed.cause));
        self.out.warnings.extend(warnings);
        self.out.decision.error.clone_from(&error);
        match computed.result {
            Ok(best) => self.act(current, &best, computed.statuses, log, events),
            Err(invalid) => {
                self.set("ScalingActive", false, invalid.reason, invalid.message);
                self.give_up(current, computed.statuses, error.unwrap_or_default());
            }
        }
    }

    /// Upstream: `validateAndParseSelector`.
    fn check_selector<'s>(&mut self, scale: &'s Scale, feed: &mut dyn Feed) -> Result<&'s Selector, String> {
        let selector = match &scale.selector {
            Ok(selector) if selector.is_empty() => {
                let error = "selector is required";
                self.out.warnings.push(("SelectorRequired", error.into()));
                let message = "the HPA target's scale is missing a selector";
                self.set("ScalingActive", false, "InvalidSelector", message);
                return Err(error.into());
            }
            Ok(selector) => selector,
            Err(error) => {
                let error = format!(
                    "couldn't convert selector into a corresponding internal selector object: {error}"
                );
                self.out.warnings.push(("InvalidSelector", error.clone()));
                self.set("ScalingActive", false, "InvalidSelector", error.clone());
                return Err(error);
            }
        };
        let claimants = feed.claimants(selector);
        if claimants.len() > 1 {
            let namespace = &self.hpa.metadata.namespace;
            let names: Vec<_> = claimants.iter().map(|name| format!("{{{name} {namespace}}}")).gather();
            let names = names.join(" ");
            let error = format!("pods by selector {selector} are controlled by multiple HPAs: [{names}]");
            self.out.warnings.push(("AmbiguousSelector", error.clone()));
            self.set("ScalingActive", false, "AmbiguousSelector", error.clone());
            return Err(error);
        }
        Ok(selector)
    }

    /// Upstream: `tolerancesForHpa`.
    fn tolerances(&self) -> Tolerances {
        let behavior = self.hpa.spec.behavior.as_deref();
        let own = |given: Option<&Quantity>| {
            given.map_or(self.settings.tolerance, |given| given.nano_value() as f64 / 1e9)
        };
        let up = behavior.and_then(|behavior| behavior.scale_up.as_ref());
        let down = behavior.and_then(|behavior| behavior.scale_down.as_ref());
        Tolerances {
            up: own(up.and_then(|rules| rules.tolerance.as_ref())),
            down: own(down.and_then(|rules| rules.tolerance.as_ref())),
        }
    }

    /// No number of replicas follows: the target stays, the status says why.
    fn give_up(&mut self, current: i32, statuses: Vec<MetricStatus>, error: String) {
        let status = &mut self.out.status;
        status.observed_generation = None;
        status.current_replicas = current;
        status.current_metrics = statuses;
        let decision = &mut self.out.decision;
        (decision.proposed, decision.after_stabilization) = (current, current);
        (decision.after_policies, decision.final_replicas) = (current, current);
        decision.error = Some(error.clone());
        self.out.last_warning = Some(("FailedComputeMetricsReplicas", error));
    }

    /// The metrics propose a number: windows, limits and bounds make the final one of it.
    fn act(
        &mut self,
        current: i32,
        best: &Measured,
        statuses: Vec<MetricStatus>,
        log: &mut Vec<Recommendation>,
        events: &Events,
    ) {
        let message =
            format!("the HPA was able to successfully calculate a replica count from {}", best.name);
        self.set("ScalingActive", true, "ValidMetricFound", message);
        self.out.decision.explain(&best.name, &best.proposal);
        let proposed = best.proposal.replicas.max(0);
        let reason = if proposed > current {
            format!("{} above target", best.name)
        } else if proposed < current {
            "All metrics below target".to_string()
        } else {
            String::new()
        };
        let (stabilized, limited) = self.normalize(current, proposed, log, events);
        let is_limited = limited.replicas != stabilized;
        self.set("ScalingLimited", is_limited, limited.reason, limited.message);
        let decision = &mut self.out.decision;
        decision.after_stabilization = stabilized;
        decision.limited = limited.reason;
        self.finish(current, limited.replicas, statuses, &reason);
    }

    /// Upstream: `normalizeDesiredReplicas`, `normalizeDesiredReplicasWithBehaviors`.
    fn normalize(
        &mut self,
        current: i32,
        proposed: i32,
        log: &mut Vec<Recommendation>,
        events: &Events,
    ) -> (i32, Limited) {
        let max = self.hpa.spec.max_replicas;
        let Some((up, down)) = rules(self.hpa, self.settings) else {
            let window = self.settings.downscale_stabilization;
            let stabilized = behavior::stabilize_down(log, proposed, window, self.now);
            self.stabilization(current, proposed, stabilized, log, (0, window));
            let factor = current.saturating_mul(self.settings.scale_up_factor);
            let up_limit = factor.max(self.settings.scale_up_minimum);
            return (stabilized, behavior::limit_without_behavior(up_limit, stabilized, self.min, max));
        };
        let windows = (up.window, down.window);
        let stabilized = behavior::stabilize(log, current, proposed, windows, self.now);
        self.stabilization(current, proposed, stabilized, log, windows);
        let bounds = (self.min, max);
        let limited =
            behavior::limit_with_behavior(current, stabilized, bounds, (&up, &down), events, self.now);
        (stabilized, limited)
    }

    /// Says in the condition AbleToScale whether the past holds the proposal back, and until when for people.
    fn stabilization(
        &mut self,
        current: i32,
        proposed: i32,
        stabilized: i32,
        log: &[Recommendation],
        (up_window, down_window): (Micros, Micros),
    ) {
        if stabilized == proposed {
            self.set("AbleToScale", true, "ReadyForNewScale", "recommended size matches current size");
            self.out.decision.able = "ReadyForNewScale";
            return;
        }
        // Without behavior only the highest recommendation counts, even when the proposal is to grow.
        let is_down = self.hpa.spec.behavior.is_none() || proposed < current;
        let (reason, message) = if is_down {
            (
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent recommendation",
            )
        } else {
            (
                "ScaleUpStabilized",
                "recent recommendations were lower than current one, applying the lowest recent recommendation",
            )
        };
        self.set("AbleToScale", true, reason, message);
        self.out.decision.able = reason;
        let window = if stabilized > proposed { down_window } else { up_window };
        let in_window = log.iter().filter(|rec| rec.at.plus(window) >= self.now).map(|rec| rec.replicas);
        let holder = if stabilized > proposed { in_window.max() } else { in_window.min() };
        let until = holder.and_then(|holder| leaves_at(log, holder, window, self.now));
        self.out.decision.stabilization = until.map(|until| Stabilization { until, holding: stabilized });
    }

    /// Upstream: the end of `reconcileAutoscaler`, and `setStatus`.
    fn finish(&mut self, current: i32, desired: i32, statuses: Vec<MetricStatus>, reason: &str) {
        let decision = &mut self.out.decision;
        if decision.metric.is_empty() {
            (decision.proposed, decision.after_stabilization) = (desired, desired);
        }
        decision.after_policies = desired;
        decision.final_replicas = desired;
        decision.reason = reason.to_string();
        let status = &mut self.out.status;
        status.observed_generation = None;
        status.current_replicas = current;
        status.desired_replicas = desired;
        status.current_metrics = statuses;
        if desired == current {
            return;
        }
        status.last_scale_time = Some(self.now.whole_seconds());
        self.out.rescale = Some(desired);
        let message = format!("the HPA controller was able to update the target scale to {desired}");
        self.set("AbleToScale", true, "SucceededRescale", message);
        self.out.decision.able = "SucceededRescale";
        if self.settings.scale_to_zero {
            let to_zero = current > 0 && desired == 0 && self.min == 0 && self.has_outside_metric();
            let (reason, message) = if to_zero {
                ("ScaledToZero", "the HPA controller scaled the workload to zero")
            } else {
                ("NotScaledToZero", "the HPA controller did not scale the workload to zero")
            };
            self.set("ScaledToZero", to_zero, reason, message);
        }
    }
}

/// Upstream: `setConditionInList`.
pub(super) fn set_condition(
    conditions: &mut Vec<Condition>,
    kind: &str,
    is_true: bool,
    reason: &str,
    message: &str,
    now: Time,
) {
    let status = if is_true { ConditionStatus::True } else { ConditionStatus::False };
    let at = conditions.iter().position(|condition| &*condition.kind == kind);
    let old = at.and_then(|at| conditions.get(at));
    let since = old.filter(|old| old.status == status).and_then(|old| old.last_transition_time);
    let new = Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        last_transition_time: Some(since.unwrap_or(now.whole_seconds())),
        ..Condition::default()
    };
    match at.and_then(|at| conditions.get_mut(at)) {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}
