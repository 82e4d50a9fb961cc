//! StatefulSets, DaemonSets, their history, and claims on storage. The objects keep these fields as they came; controllers
//! read them as the types that stand here.

use super::batch::typed;
use crate::wire::{keep, kept};
use crate::{
    Condition, DaemonSet, IntOrPercent, LabelSelector, ObjectMeta, PersistentVolumeClaim, PodTemplateSpec,
    StatefulSet, Str, wire,
};
use serde_json::Value;
use std::rc::Rc;

wire! {
    /// What a StatefulSet should be.
    pub struct StatefulSetSpec {
        /// Wanted pods; 1 by default.
        pub replicas: Option<i32> = "replicas";
        /// Pods that it owns.
        pub selector: Rc<LabelSelector> = "selector", always;
        /// The pods.
        pub template: Rc<PodTemplateSpec> = "template", always;
        /// Claims that each pod has for itself.
        pub volume_claim_templates: Vec<VolumeClaimTemplate> = "volumeClaimTemplates";
        /// The Service that gives the pods their names.
        pub service_name: Str = "serviceName";
        /// OrderedReady or Parallel.
        pub pod_management_policy: Str = "podManagementPolicy";
        /// How old pods are replaced.
        pub update_strategy: StatefulSetUpdateStrategy = "updateStrategy";
        /// Revisions kept; 10 by default.
        pub revision_history_limit: Option<i32> = "revisionHistoryLimit";
        /// Seconds that a pod must be ready before it counts as available.
        pub min_ready_seconds: i32 = "minReadySeconds";
        /// What becomes of claims.
        pub persistent_volume_claim_retention_policy: RetentionPolicy = "persistentVolumeClaimRetentionPolicy";
        /// The first ordinal.
        pub ordinals: Option<Ordinals> = "ordinals";
    }
    /// A claim that each pod of a StatefulSet has for itself.
    pub struct VolumeClaimTemplate {
        /// Name, labels and annotations.
        pub metadata: ObjectMeta = "metadata";
        /// The claim's spec, as it came.
        pub spec: Value = "spec";
    }
    /// How pods of a StatefulSet are replaced.
    pub struct StatefulSetUpdateStrategy {
        /// RollingUpdate or OnDelete.
        pub kind: Str = "type";
        /// For RollingUpdate.
        pub rolling_update: Option<RollingUpdateStatefulSet> = "rollingUpdate";
    }
    /// Limits of a rolling update.
    pub struct RollingUpdateStatefulSet {
        /// Pods below this ordinal stay as they are.
        pub partition: Option<i32> = "partition";
    }
    /// What becomes of the claims of a StatefulSet.
    pub struct RetentionPolicy {
        /// Retain or Delete, when the set is deleted.
        pub when_deleted: Str = "whenDeleted";
        /// Retain or Delete, when the set shrinks.
        pub when_scaled: Str = "whenScaled";
    }
    /// Numbers of the pods of a StatefulSet.
    pub struct Ordinals {
        /// The first.
        pub start: i32 = "start";
    }
    /// What a StatefulSet is.
    pub struct StatefulSetStatus {
        /// Generation that this status speaks of.
        pub observed_generation: i64 = "observedGeneration";
        /// Pods that are there.
        pub replicas: i32 = "replicas", always;
        /// Ready ones.
        pub ready_replicas: i32 = "readyReplicas";
        /// Those of the current revision.
        pub current_replicas: i32 = "currentReplicas";
        /// Those of the revision that is rolled out.
        pub updated_replicas: i32 = "updatedReplicas";
        /// The revision that was rolled out last.
        pub current_revision: Str = "currentRevision";
        /// The revision that is rolled out.
        pub update_revision: Str = "updateRevision";
        /// Hash collisions so far.
        pub collision_count: Option<i32> = "collisionCount";
        /// Nothing that upstream sets.
        pub conditions: Vec<Condition> = "conditions";
        /// Ready for minReadySeconds.
        pub available_replicas: i32 = "availableReplicas", always;
    }
    /// What a DaemonSet should be.
    pub struct DaemonSetSpec {
        /// Pods that it owns.
        pub selector: Rc<LabelSelector> = "selector", always;
        /// The pods.
        pub template: Rc<PodTemplateSpec> = "template", always;
        /// How old pods are replaced.
        pub update_strategy: DaemonSetUpdateStrategy = "updateStrategy";
        /// Seconds that a pod must be ready before it counts as available.
        pub min_ready_seconds: i32 = "minReadySeconds";
        /// Revisions kept; 10 by default.
        pub revision_history_limit: Option<i32> = "revisionHistoryLimit";
    }
    /// How pods of a DaemonSet are replaced.
    pub struct DaemonSetUpdateStrategy {
        /// RollingUpdate or OnDelete.
        pub kind: Str = "type";
        /// For RollingUpdate.
        pub rolling_update: Option<RollingUpdateDaemonSet> = "rollingUpdate";
    }
    /// Limits of a rolling update.
    pub struct RollingUpdateDaemonSet {
        /// Nodes that may be without a pod; 1 by default.
        pub max_unavailable: Option<IntOrPercent> = "maxUnavailable";
        /// Nodes that may have two pods; 0 by default.
        pub max_surge: Option<IntOrPercent> = "maxSurge";
    }
    /// What a DaemonSet is.
    pub struct DaemonSetStatus {
        /// Nodes that should have a pod and have one.
        pub current_number_scheduled: i32 = "currentNumberScheduled", always;
        /// Nodes that have a pod and should not.
        pub number_misscheduled: i32 = "numberMisscheduled", always;
        /// Nodes that should have a pod.
        pub desired_number_scheduled: i32 = "desiredNumberScheduled", always;
        /// Nodes with a ready pod.
        pub number_ready: i32 = "numberReady", always;
        /// Generation that this status speaks of.
        pub observed_generation: i64 = "observedGeneration";
        /// Nodes with a pod of the newest template.
        pub updated_number_scheduled: i32 = "updatedNumberScheduled";
        /// Nodes with an available pod.
        pub number_available: i32 = "numberAvailable";
        /// Nodes without one.
        pub number_unavailable: i32 = "numberUnavailable";
        /// Hash collisions so far.
        pub collision_count: Option<i32> = "collisionCount";
        /// Nothing that upstream sets.
        pub conditions: Vec<Condition> = "conditions";
    }
    /// A claim on storage.
    pub struct ClaimSpec {
        /// Ways of access.
        pub access_modes: Vec<Str> = "accessModes";
        /// How much.
        pub resources: crate::ResourceRequirements = "resources";
        /// Labels that the volume must have.
        pub selector: Option<Rc<LabelSelector>> = "selector";
        /// The volume, once there is one.
        pub volume_name: Str = "volumeName";
        /// How it is made.
        pub storage_class_name: Option<Str> = "storageClassName";
        /// Filesystem or Block.
        pub volume_mode: Str = "volumeMode";
    }
    /// What has become of a claim.
    pub struct ClaimStatus {
        /// Pending, Bound or Lost.
        pub phase: Str = "phase";
        /// Ways of access.
        pub access_modes: Vec<Str> = "accessModes";
        /// How much there is.
        pub capacity: crate::ResourceList = "capacity";
    }
}

typed! {
    StatefulSet StatefulSetSpec StatefulSetStatus
    DaemonSet DaemonSetSpec DaemonSetStatus
    PersistentVolumeClaim ClaimSpec ClaimStatus
}
