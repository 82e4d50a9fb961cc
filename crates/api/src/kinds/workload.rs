//! Deployments and ReplicaSets.

use crate::{Condition, IntOrPercent, LabelSelector, ObjectMeta, PodSpec, Str, wire};
use std::rc::Rc;

wire! {
    /// The pod that a workload makes.
    pub struct PodTemplateSpec {
        /// Labels and annotations of the pods.
        pub metadata: ObjectMeta = "metadata";
        /// The pods' spec.
        pub spec: Rc<PodSpec> = "spec", always;
    }
    /// What a ReplicaSet should be.
    pub struct ReplicaSetSpec {
        /// Wanted pods; 1 by default.
        pub replicas: Option<i32> = "replicas";
        /// Seconds that a pod must be ready before it counts as available.
        pub min_ready_seconds: i32 = "minReadySeconds";
        /// Pods that it owns.
        pub selector: Rc<LabelSelector> = "selector", always;
        /// The pods.
        pub template: Rc<PodTemplateSpec> = "template";
    }
    /// What a ReplicaSet is.
    pub struct ReplicaSetStatus {
        /// Active pods that it owns.
        pub replicas: i32 = "replicas", always;
        /// Those that carry all labels of the template.
        pub fully_labeled_replicas: i32 = "fullyLabeledReplicas";
        /// Ready ones.
        pub ready_replicas: i32 = "readyReplicas";
        /// Ready for minReadySeconds.
        pub available_replicas: i32 = "availableReplicas";
        /// Pods being deleted.
        pub terminating_replicas: Option<i32> = "terminatingReplicas";
        /// Generation that this status speaks of.
        pub observed_generation: i64 = "observedGeneration";
        /// ReplicaFailure.
        pub conditions: Vec<Condition> = "conditions";
    }
    /// What a Deployment should be.
    pub struct DeploymentSpec {
        /// Wanted pods; 1 by default.
        pub replicas: Option<i32> = "replicas";
        /// Pods that it owns through its ReplicaSets.
        pub selector: Rc<LabelSelector> = "selector", always;
        /// The pods.
        pub template: Rc<PodTemplateSpec> = "template", always;
        /// How old pods are replaced.
        pub strategy: DeploymentStrategy = "strategy", always;
        /// Seconds that a pod must be ready before it counts as available.
        pub min_ready_seconds: i32 = "minReadySeconds";
        /// Old ReplicaSets kept; 10 by default.
        pub revision_history_limit: Option<i32> = "revisionHistoryLimit";
        /// Whether changes of the template wait.
        pub paused: bool = "paused";
        /// Seconds without progress after which a rollout counts as failed; 600 by default.
        pub progress_deadline_seconds: Option<i32> = "progressDeadlineSeconds";
    }
    /// How old pods are replaced.
    pub struct DeploymentStrategy {
        /// RollingUpdate or Recreate.
        pub kind: Str = "type";
        /// For RollingUpdate.
        pub rolling_update: Option<RollingUpdateDeployment> = "rollingUpdate";
    }
    /// Limits of a rolling update.
    pub struct RollingUpdateDeployment {
        /// Pods that may be missing; 25 %, rounded down.
        pub max_unavailable: Option<IntOrPercent> = "maxUnavailable";
        /// Pods that may be too many; 25 %, rounded up.
        pub max_surge: Option<IntOrPercent> = "maxSurge";
    }
    /// What a Deployment is.
    pub struct DeploymentStatus {
        /// Generation that this status speaks of.
        pub observed_generation: i64 = "observedGeneration";
        /// Active pods.
        pub replicas: i32 = "replicas";
        /// Pods of the current template.
        pub updated_replicas: i32 = "updatedReplicas";
        /// Ready pods.
        pub ready_replicas: i32 = "readyReplicas";
        /// Ready for minReadySeconds.
        pub available_replicas: i32 = "availableReplicas";
        /// Still missing.
        pub unavailable_replicas: i32 = "unavailableReplicas";
        /// Pods being deleted.
        pub terminating_replicas: Option<i32> = "terminatingReplicas";
        /// Available, Progressing, ReplicaFailure.
        pub conditions: Vec<Condition> = "conditions";
        /// Hash collisions so far.
        pub collision_count: Option<i32> = "collisionCount";
    }
}
