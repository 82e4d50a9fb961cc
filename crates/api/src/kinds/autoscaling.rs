//! The horizontal autoscaler, autoscaling/v2.

use crate::{Condition, Quantity, Str, Time, wire};
use serde_json::Value;
use std::rc::Rc;

wire! {
    /// What the autoscaler should hold.
    pub struct HorizontalPodAutoscalerSpec {
        /// Workload that is scaled.
        pub scale_target_ref: CrossVersionObjectReference = "scaleTargetRef", always;
        /// Lower bound; 1 by default.
        pub min_replicas: Option<i32> = "minReplicas";
        /// Upper bound.
        pub max_replicas: i32 = "maxReplicas", always;
        /// What is measured; the highest proposal wins.
        pub metrics: Rc<Vec<MetricSpec>> = "metrics";
        /// Limits on speed, up and down.
        pub behavior: Option<Rc<HorizontalPodAutoscalerBehavior>> = "behavior";
    }
    /// Names a workload.
    pub struct CrossVersionObjectReference {
        /// Kind.
        pub kind: Str = "kind", always;
        /// Name.
        pub name: Str = "name", always;
        /// API version.
        pub api_version: Str = "apiVersion";
    }
    /// One thing that is measured.
    pub struct MetricSpec {
        /// Resource, ContainerResource, Pods, Object or External.
        pub kind: Str = "type", always;
        /// For Resource.
        pub resource: Option<ResourceMetricSource> = "resource";
    }
    /// A resource of the pods.
    pub struct ResourceMetricSource {
        /// cpu or memory.
        pub name: Str = "name", always;
        /// What to hold.
        pub target: MetricTarget = "target", always;
    }
    /// What to hold.
    pub struct MetricTarget {
        /// Utilization, AverageValue or Value.
        pub kind: Str = "type", always;
        /// Percent of the request.
        pub average_utilization: Option<i32> = "averageUtilization";
        /// Amount per pod.
        pub average_value: Option<Quantity> = "averageValue";
        /// Amount.
        pub value: Option<Quantity> = "value";
    }
    /// Limits on speed.
    pub struct HorizontalPodAutoscalerBehavior {
        /// Up.
        pub scale_up: Option<HpaScalingRules> = "scaleUp";
        /// Down.
        pub scale_down: Option<HpaScalingRules> = "scaleDown";
    }
    /// Limits on speed in one direction.
    pub struct HpaScalingRules {
        /// Seconds over which the safest recommendation counts.
        pub stabilization_window_seconds: Option<i32> = "stabilizationWindowSeconds";
        /// Max, Min or Disabled.
        pub select_policy: Option<Str> = "selectPolicy";
        /// Limits.
        pub policies: Vec<HpaScalingPolicy> = "policies";
        /// Fraction by which usage may differ before anything happens.
        pub tolerance: Option<Quantity> = "tolerance";
    }
    /// A limit per period.
    pub struct HpaScalingPolicy {
        /// Pods or Percent.
        pub kind: Str = "type", always;
        /// Pods or percent.
        pub value: i32 = "value", always;
        /// Seconds.
        pub period_seconds: i32 = "periodSeconds", always;
    }
    /// What the autoscaler last saw and did.
    pub struct HorizontalPodAutoscalerStatus {
        /// Generation that this status speaks of.
        pub observed_generation: Option<i64> = "observedGeneration";
        /// Last change of the workload.
        pub last_scale_time: Option<Time> = "lastScaleTime";
        /// Replicas seen.
        pub current_replicas: i32 = "currentReplicas";
        /// Replicas wanted.
        pub desired_replicas: i32 = "desiredReplicas", always;
        /// What was measured.
        pub current_metrics: Vec<MetricStatus> = "currentMetrics";
        /// AbleToScale, ScalingActive, ScalingLimited.
        pub conditions: Vec<Condition> = "conditions";
    }
    /// One measurement.
    pub struct MetricStatus {
        /// Resource and others.
        pub kind: Str = "type", always;
        /// For Resource.
        pub resource: Option<ResourceMetricStatus> = "resource";
    }
    /// A resource as measured.
    pub struct ResourceMetricStatus {
        /// cpu or memory.
        pub name: Str = "name", always;
        /// Value.
        pub current: MetricValueStatus = "current", always;
    }
    /// A measured value.
    pub struct MetricValueStatus {
        /// Percent of the request.
        pub average_utilization: Option<i32> = "averageUtilization";
        /// Amount per pod.
        pub average_value: Option<Quantity> = "averageValue";
        /// Amount.
        pub value: Option<Quantity> = "value";
        /// Anything else.
        pub other: Option<Value> = "other";
    }
}
