//! The last decision about an autoscaler, with its arithmetic, for people.

use super::behavior::Recommendation;
use super::replicas::{Kept, Proposal};
use setpoint_api::{Micros, Quantity, Str, Time};

/// What a proposal is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Percent of the request.
    #[default]
    Percent,
    /// Thousandths of a core, a byte or a custom metric.
    Milli,
}

/// A recommendation of the past that holds the present one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stabilization {
    /// When that recommendation leaves the window; the first evaluation after this is free of it.
    pub until: Time,
    /// Replicas that are kept meanwhile, before policies and bounds.
    pub holding: i32,
}

/// How one evaluation went, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// When.
    pub at: Time,
    /// When the next evaluation is due.
    pub next: Time,
    /// Replicas that the target asked for.
    pub current: i32,
    /// Lower bound.
    pub min: i32,
    /// Upper bound.
    pub max: i32,
    /// The metric that won, as messages call it; empty if no metric was asked.
    pub metric: String,
    /// What was measured, in `unit`, after corrections for unready and missing pods.
    pub metric_value: i64,
    /// What should be measured, in `unit`.
    pub target: i64,
    /// Unit of both.
    pub unit: Unit,
    /// Pods that were multiplied with the ratio.
    pub counted: i64,
    /// Pods that were not ready yet.
    pub unready: i64,
    /// Pods without a sample.
    pub missing: i64,
    /// Some of the pods that were measured, each with its usage in thousandths.
    pub measured: Vec<(Str, i64)>,
    /// What each of them requests on average, in thousandths; 0 if it was not asked for.
    pub request: i64,
    /// Why the ratio did not count, if it did not.
    pub kept: Option<Kept>,
    /// The arithmetic in one line, such as `3 × 80/70 = 3.43 → 4`.
    pub ratio: String,
    /// Replicas that the metrics propose.
    pub proposed: i32,
    /// After the stabilisation window.
    pub after_stabilization: i32,
    /// After the limits on speed and the bounds.
    pub after_policies: i32,
    /// What the target asks for now.
    pub final_replicas: i32,
    /// Reason of the change as the event has it; may be empty even for a change.
    pub reason: String,
    /// Reason of the condition AbleToScale.
    pub able: &'static str,
    /// Reason of the condition ScalingLimited, if the metrics led to a number.
    pub limited: &'static str,
    /// What holds the proposal back, and until when.
    pub stabilization: Option<Stabilization>,
    /// What went wrong, in upstream's words.
    pub error: Option<String>,
}

impl Decision {
    /// Takes the numbers of a proposal over.
    pub(super) fn explain(&mut self, metric: &str, proposal: &Proposal) {
        self.metric = metric.to_string();
        self.metric_value = proposal.weighed;
        self.target = proposal.target;
        self.unit = if proposal.utilization.is_some() { Unit::Percent } else { Unit::Milli };
        self.counted = proposal.counted;
        self.unready = proposal.unready;
        self.missing = proposal.missing;
        self.kept = proposal.kept;
        self.proposed = proposal.replicas;
        self.ratio = self.arithmetic();
    }

    fn arithmetic(&self) -> String {
        let amount = |value: i64| match self.unit {
            Unit::Percent => value.to_string(),
            Unit::Milli => Quantity::from_milli(value).to_string(),
        };
        let exact = self.counted as f64 * (self.metric_value as f64 / self.target as f64);
        let why = match self.kept {
            None => "",
            Some(Kept::Tolerance) => ", within tolerance",
            Some(Kept::Direction) => ", would turn the change around",
        };
        let (value, target) = (amount(self.metric_value), amount(self.target));
        let hundredths = (exact * 100.0).round_ties_even() as i64;
        let (whole, part) = (hundredths / 100, hundredths % 100);
        format!("{} × {value}/{target} = {whole}.{part:02}{why} → {}", self.counted, self.proposed)
    }
}

/// When the newest entry of the window that says `replicas` leaves it.
pub(super) fn leaves_at(log: &[Recommendation], replicas: i32, window: Micros, now: Time) -> Option<Time> {
    let says = |rec: &&Recommendation| rec.replicas == replicas && rec.at.plus(window) >= now;
    log.iter().filter(says).map(|rec| rec.at.plus(window)).max()
}
