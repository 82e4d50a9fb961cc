//! Jobs, CronJobs and budgets of disruptions. The objects keep these fields as they came; controllers read them as the types that stand here.

use crate::map::Map;
use crate::wire::{keep, kept};
use crate::{
    Condition, ConditionStatus, CronJob, IntOrPercent, Job, LabelSelector, ObjectMeta, ObjectReference,
    PodDisruptionBudget, PodTemplateSpec, Str, Time, Uid, wire,
};
use std::rc::Rc;

wire! {
    /// What a Job should do.
    pub struct JobSpec {
        /// Pods that may run side by side; 1 by default.
        pub parallelism: Option<i32> = "parallelism";
        /// Successes that are wanted; without it, one ends the Job.
        pub completions: Option<i32> = "completions";
        /// Seconds that the Job may be active.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds";
        /// Failures that are put up with; 6 by default.
        pub backoff_limit: Option<i32> = "backoffLimit";
        /// The same for each index.
        pub backoff_limit_per_index: Option<i32> = "backoffLimitPerIndex";
        /// Failed indexes that are put up with.
        pub max_failed_indexes: Option<i32> = "maxFailedIndexes";
        /// The pods that are its own.
        pub selector: Option<Rc<LabelSelector>> = "selector";
        /// The pods.
        pub template: Rc<PodTemplateSpec> = "template", always;
        /// Seconds after its end when it is removed.
        pub ttl_seconds_after_finished: Option<i32> = "ttlSecondsAfterFinished";
        /// NonIndexed or Indexed.
        pub completion_mode: Str = "completionMode";
        /// Whether it rests.
        pub suspend: Option<bool> = "suspend";
        /// TerminatingOrFailed or Failed.
        pub pod_replacement_policy: Str = "podReplacementPolicy";
        /// Which failures count.
        pub pod_failure_policy: Option<PodFailurePolicy> = "podFailurePolicy";
        /// Which indexes suffice.
        pub success_policy: Option<SuccessPolicy> = "successPolicy";
        /// Who sees to it, if not the Job controller.
        pub managed_by: Str = "managedBy";
    }
    /// Which failures of pods count.
    pub struct PodFailurePolicy {
        /// The first that fits decides.
        pub rules: Vec<PodFailurePolicyRule> = "rules", always;
    }
    /// One rule about failures.
    pub struct PodFailurePolicyRule {
        /// FailJob, FailIndex, Ignore or Count.
        pub action: Str = "action", always;
        /// Fits by exit code.
        pub on_exit_codes: Option<OnExitCodes> = "onExitCodes";
        /// Fits by condition.
        pub on_pod_conditions: Vec<OnPodCondition> = "onPodConditions";
    }
    /// Exit codes of a container, or of any.
    pub struct OnExitCodes {
        /// The container.
        pub container_name: Option<Str> = "containerName";
        /// In or NotIn.
        pub operator: Str = "operator", always;
        /// The codes.
        pub values: Vec<i32> = "values", always;
    }
    /// A condition of a pod.
    pub struct OnPodCondition {
        /// Its type.
        pub kind: Str = "type", always;
        /// Its status.
        pub status: ConditionStatus = "status", always;
    }
    /// Which indexes suffice.
    pub struct SuccessPolicy {
        /// The first that fits ends the Job.
        pub rules: Vec<SuccessPolicyRule> = "rules", always;
    }
    /// One rule about successes.
    pub struct SuccessPolicyRule {
        /// Indexes as text, such as `1,3-5`.
        pub succeeded_indexes: Option<Str> = "succeededIndexes";
        /// How many of them.
        pub succeeded_count: Option<i32> = "succeededCount";
    }
    /// What has become of a Job.
    pub struct JobStatus {
        /// SuccessCriteriaMet, Complete, FailureTarget, Failed, Suspended.
        pub conditions: Vec<Condition> = "conditions";
        /// When it was first taken up, or last resumed.
        pub start_time: Option<Time> = "startTime";
        /// When it was complete.
        pub completion_time: Option<Time> = "completionTime";
        /// Pods that are neither finished nor being deleted.
        pub active: i32 = "active";
        /// Pods that have succeeded.
        pub succeeded: i32 = "succeeded";
        /// Pods that have failed.
        pub failed: i32 = "failed";
        /// Pods being deleted.
        pub terminating: Option<i32> = "terminating";
        /// Indexes that have succeeded, as text.
        pub completed_indexes: Str = "completedIndexes";
        /// Indexes that have failed, as text.
        pub failed_indexes: Option<Str> = "failedIndexes";
        /// Finished pods that the counts leave out as yet.
        pub uncounted_terminated_pods: Option<UncountedTerminatedPods> = "uncountedTerminatedPods";
        /// Active pods that are ready.
        pub ready: Option<i32> = "ready";
    }
    /// Finished pods that the counts leave out as yet.
    pub struct UncountedTerminatedPods {
        /// Those that have succeeded.
        pub succeeded: Vec<Uid> = "succeeded";
        /// Those that have failed.
        pub failed: Vec<Uid> = "failed";
    }
    /// When a CronJob makes which Jobs.
    pub struct CronJobSpec {
        /// Five fields, or a word such as `@hourly`.
        pub schedule: Str = "schedule", always;
        /// Area and city; UTC without it.
        pub time_zone: Option<Str> = "timeZone";
        /// Seconds after which a missed start is given up.
        pub starting_deadline_seconds: Option<i64> = "startingDeadlineSeconds";
        /// Allow, Forbid or Replace.
        pub concurrency_policy: Str = "concurrencyPolicy";
        /// Whether it rests.
        pub suspend: Option<bool> = "suspend";
        /// The Jobs.
        pub job_template: JobTemplateSpec = "jobTemplate", always;
        /// Successful Jobs that are kept; 3 by default.
        pub successful_jobs_history_limit: Option<i32> = "successfulJobsHistoryLimit";
        /// Failed Jobs that are kept; 1 by default.
        pub failed_jobs_history_limit: Option<i32> = "failedJobsHistoryLimit";
    }
    /// The Job that a CronJob makes.
    pub struct JobTemplateSpec {
        /// Labels and annotations of the Jobs.
        pub metadata: ObjectMeta = "metadata";
        /// Their spec, as it came.
        pub spec: serde_json::Value = "spec";
    }
    /// How many pods must stay when pods are moved on purpose.
    pub struct DisruptionBudgetSpec {
        /// So many must be healthy.
        pub min_available: Option<IntOrPercent> = "minAvailable";
        /// So many may be missing.
        pub max_unavailable: Option<IntOrPercent> = "maxUnavailable";
        /// The pods that it speaks of; none without it.
        pub selector: Option<Rc<LabelSelector>> = "selector";
        /// IfHealthyBudget or AlwaysAllow.
        pub unhealthy_pod_eviction_policy: Str = "unhealthyPodEvictionPolicy";
    }
    /// How many pods may be moved right now.
    pub struct DisruptionBudgetStatus {
        /// Generation that this status speaks of.
        pub observed_generation: i64 = "observedGeneration";
        /// When pods were evicted that are not being deleted yet.
        pub disrupted_pods: Map<Str, Time> = "disruptedPods";
        /// Evictions that are allowed.
        pub disruptions_allowed: i32 = "disruptionsAllowed", always;
        /// Pods that are healthy.
        pub current_healthy: i32 = "currentHealthy", always;
        /// Pods that must be.
        pub desired_healthy: i32 = "desiredHealthy", always;
        /// Pods that there should be.
        pub expected_pods: i32 = "expectedPods", always;
        /// DisruptionAllowed.
        pub conditions: Vec<Condition> = "conditions";
    }
    /// What has become of a CronJob.
    pub struct CronJobStatus {
        /// Jobs that run.
        pub active: Vec<ObjectReference> = "active";
        /// The last time for which a Job was made.
        pub last_schedule_time: Option<Time> = "lastScheduleTime";
        /// When a Job last succeeded.
        pub last_successful_time: Option<Time> = "lastSuccessfulTime";
    }
}

/// Reads and replaces spec and status of kinds that keep them as they came.
macro_rules! typed {
    ($($kind:ident $spec:ident $status:ident)*) => {$(
        impl $kind {
            /// What is wanted.
            pub fn spec(&self) -> $spec {
                kept(&self.rest, "spec")
            }
            /// What is.
            pub fn status(&self) -> $status {
                kept(&self.rest, "status")
            }
            /// The same with another status, whatever version is stored.
            pub fn with_status(&self, status: &$status) -> Self {
                let mut changed = self.clone();
                keep(&mut changed.rest, "status", status);
                changed.metadata.resource_version = 0;
                changed
            }
        }
    )*};
}
pub(crate) use typed;

typed! {
    Job JobSpec JobStatus
    CronJob CronJobSpec CronJobStatus
    PodDisruptionBudget DisruptionBudgetSpec DisruptionBudgetStatus
}
