//! The controller's flags, and what stands where an autoscaler's spec leaves something open.
//!
//! Upstream: pkg/controller/podautoscaler/config/v1alpha1/defaults.go, pkg/apis/autoscaling/v2/defaults.go.

use super::behavior::Rules;
use crate::Tuning;
use setpoint_api::time::SECOND;
use setpoint_api::{HorizontalPodAutoscaler, MetricSpec, MetricTarget, Micros, ResourceMetricSource};

/// The flags of the controller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Deviation that is ignored, as a fraction.
    pub tolerance: f64,
    /// Window of the highest recommendation where the autoscaler gives none.
    pub downscale_stabilization: Micros,
    /// Start of a pod during which its CPU counts only if it is ready.
    pub cpu_initialization: Micros,
    /// Time in which a pod that was never ready counts as not yet ready.
    pub initial_readiness_delay: Micros,
    /// Without behavior, the largest growth in one step.
    pub scale_up_factor: i32,
    /// Without behavior, the size that one step may reach in any case.
    pub scale_up_minimum: i32,
    /// Feature gate HPAScaleToZero: alpha, off.
    pub scale_to_zero: bool,
}

impl Settings {
    /// The flags in force.
    pub fn of(tuning: &Tuning) -> Self {
        Self {
            tolerance: tuning.hpa_tolerance_milli as f64 / 1000.0,
            downscale_stabilization: tuning.hpa_downscale_stabilization,
            cpu_initialization: tuning.hpa_cpu_initialization,
            initial_readiness_delay: tuning.hpa_initial_readiness_delay,
            scale_up_factor: 2,
            scale_up_minimum: 4,
            scale_to_zero: false,
        }
    }
}

/// The rules of both directions, up first, if the autoscaler has behavior.
pub fn rules(hpa: &HorizontalPodAutoscaler, settings: &Settings) -> Option<(Rules, Rules)> {
    let behavior = hpa.spec.behavior.as_deref()?;
    // Upstream keeps the flag in whole seconds here.
    let window = settings.downscale_stabilization / SECOND * SECOND;
    Some((Rules::up(behavior.scale_up.as_ref()), Rules::down(behavior.scale_down.as_ref(), window)))
}

/// What defaulting gives an autoscaler without metrics.
pub(super) fn default_metric() -> MetricSpec {
    let target =
        MetricTarget { kind: "Utilization".into(), average_utilization: Some(80), ..Default::default() };
    let resource = ResourceMetricSource { name: "cpu".into(), target, rest: None };
    MetricSpec { kind: "Resource".into(), resource: Some(resource), rest: None }
}
