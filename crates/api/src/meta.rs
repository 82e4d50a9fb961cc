//! What every object carries, and the small types that several kinds share.

use crate::map::Map;
use crate::object::{ObjId, Uid};
use crate::wire::{FieldReader, FieldWriter, Fields, Reader, Wire, put_fields, take_fields};
use crate::{IntOrPercent, LabelSelector, LabelSelectorRequirement, MicroTime, Str, Time, wire, words};
use serde_json::Value;
use std::rc::Rc;

/// Labels or annotations.
pub type Labels = Rc<Map<Str, Str>>;

/// Name, identity, version and ownership of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Index of the object in the store; not on the wire. Never reused.
    pub id: ObjId,
    /// Name, unique per kind and namespace.
    pub name: Str,
    /// Prefix from which the API server makes a name.
    pub generate_name: Option<Str>,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Str,
    /// Identity over time and space.
    pub uid: Uid,
    /// Version at which the object was last changed; 0 means "whatever is there" in a write.
    pub resource_version: u64,
    /// Counts changes of the desired state.
    pub generation: i64,
    /// When the API server accepted the object, whole seconds.
    pub creation_timestamp: Option<Time>,
    /// When the object is to be gone; set once deletion has begun.
    pub deletion_timestamp: Option<Time>,
    /// Grace that the deletion was given, in seconds.
    pub deletion_grace_period_seconds: Option<i64>,
    /// Labels.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
    /// Objects that this one depends on.
    pub owner_references: Rc<Vec<OwnerReference>>,
    /// Names that must be gone before the object can be removed.
    pub finalizers: Rc<Vec<Str>>,
    /// Fields that are kept but not modelled.
    pub rest: crate::wire::Rest,
}

impl ObjectMeta {
    /// Metadata with a name in a namespace and nothing else.
    pub fn named(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into(), ..Self::default() }
    }
    /// The controlling owner, if there is one.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }
    /// Whether deletion has begun.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(|value| &**value)
    }
    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(|value| &**value)
    }
    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        Rc::make_mut(&mut self.labels).insert(key.into(), value.into());
    }
    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        Rc::make_mut(&mut self.annotations).insert(key.into(), value.into());
    }
    /// `namespace/name`, or the name alone for cluster-scoped objects.
    pub fn full_name(&self) -> String {
        if self.namespace.is_empty() {
            self.name.to_string()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

impl Fields for ObjectMeta {
    fn take_each(&mut self, from: &mut FieldReader) {
        let mut version = Str::default();
        from.field("resourceVersion", &mut version);
        self.resource_version = version.parse().unwrap_or(0);
        from.field("name", &mut self.name);
        from.field("generateName", &mut self.generate_name);
        from.field("namespace", &mut self.namespace);
        from.field("uid", &mut self.uid);
        from.field("generation", &mut self.generation);
        from.field("creationTimestamp", &mut self.creation_timestamp);
        from.field("deletionTimestamp", &mut self.deletion_timestamp);
        from.field("deletionGracePeriodSeconds", &mut self.deletion_grace_period_seconds);
        from.field("labels", &mut self.labels);
        from.field("annotations", &mut self.annotations);
        from.field("ownerReferences", &mut self.owner_references);
        from.field("finalizers", &mut self.finalizers);
        from.rest(&mut self.rest);
    }
    fn put_each(&self, to: &mut FieldWriter) {
        to.rest(&self.rest);
        to.field("name", &self.name);
        to.field("generateName", &self.generate_name);
        to.field("namespace", &self.namespace);
        if self.uid != Uid::default() {
            to.field("uid", &self.uid);
        }
        if self.resource_version != 0 {
            to.field("resourceVersion", &Value::String(self.resource_version.to_string()));
        }
        to.field("generation", &self.generation);
        to.field("creationTimestamp", &self.creation_timestamp);
        to.field("deletionTimestamp", &self.deletion_timestamp);
        to.field("deletionGracePeriodSeconds", &self.deletion_grace_period_seconds);
        to.field("labels", &self.labels);
        to.field("annotations", &self.annotations);
        to.field("ownerReferences", &self.owner_references);
        to.field("finalizers", &self.finalizers);
    }
}

impl Wire for ObjectMeta {
    fn take(&mut self, value: Value, r: &mut Reader) {
        take_fields(self, value, r);
    }
    fn put(&self, always: bool) -> Option<Value> {
        put_fields(self, always)
    }
}

wire! {
    /// An object that another one depends on.
    pub struct OwnerReference {
        /// API version of the owner.
        pub api_version: Str = "apiVersion";
        /// Kind of the owner.
        pub kind: Str = "kind";
        /// Name of the owner, in the same namespace or cluster-scoped.
        pub name: Str = "name";
        /// Identity of the owner.
        pub uid: Uid = "uid";
        /// Whether the owner is the managing controller; at most one is.
        pub controller: Option<bool> = "controller";
        /// Whether foreground deletion of the owner waits for this object.
        pub block_owner_deletion: Option<bool> = "blockOwnerDeletion";
    }
    /// One aspect of an object's state. Pods, Nodes, Deployments and autoscalers each use some of the fields.
    pub struct Condition {
        /// Which aspect.
        pub kind: Str = "type", always;
        /// True, False or Unknown.
        pub status: ConditionStatus = "status", always;
        /// Generation of the spec that the condition speaks of.
        pub observed_generation: Option<i64> = "observedGeneration";
        /// When the condition was last reported (nodes).
        pub last_heartbeat_time: Option<Time> = "lastHeartbeatTime";
        /// When it was last probed (pods).
        pub last_probe_time: Option<Time> = "lastProbeTime";
        /// When it was last updated (deployments).
        pub last_update_time: Option<Time> = "lastUpdateTime";
        /// When the status last flipped.
        pub last_transition_time: Option<Time> = "lastTransitionTime";
        /// Reason in one word.
        pub reason: Str = "reason";
        /// Message for a person.
        pub message: Str = "message";
    }
    /// Points at another object.
    pub struct ObjectReference {
        /// API version.
        pub api_version: Str = "apiVersion";
        /// Kind.
        pub kind: Str = "kind";
        /// Namespace.
        pub namespace: Str = "namespace";
        /// Name.
        pub name: Str = "name";
        /// Identity.
        pub uid: Option<Uid> = "uid";
        /// Version.
        pub resource_version: Str = "resourceVersion";
        /// Part of the object, such as `spec.containers{web}`.
        pub field_path: Str = "fieldPath";
    }
    /// Creates and last renewal of a claim on being alive.
    pub struct LeaseSpec {
        /// Who holds the lease.
        pub holder_identity: Option<Str> = "holderIdentity";
        /// How long it is valid, in seconds.
        pub lease_duration_seconds: Option<i32> = "leaseDurationSeconds";
        /// When it was last renewed.
        pub renew_time: Option<MicroTime> = "renewTime";
    }
}

words! {
    /// Truth of a condition.
    pub enum ConditionStatus {
        Unknown = "Unknown",
        True = "True",
        False = "False",
    }
}

/// The condition of a given type.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| &*condition.kind == kind)
}

/// The status of a condition; `Unknown` where there is none.
pub fn condition_status(conditions: &[Condition], kind: &str) -> ConditionStatus {
    condition(conditions, kind).map_or(ConditionStatus::Unknown, |condition| condition.status)
}

impl Fields for LabelSelector {
    fn take_each(&mut self, from: &mut FieldReader) {
        from.field("matchLabels", &mut self.match_labels);
        from.field("matchExpressions", &mut self.match_expressions);
    }
    fn put_each(&self, to: &mut FieldWriter) {
        to.field("matchLabels", &self.match_labels);
        to.field("matchExpressions", &self.match_expressions);
    }
}

impl Wire for LabelSelector {
    fn take(&mut self, value: Value, r: &mut Reader) {
        self.is_given = !value.is_null();
        take_fields(self, value, r);
    }
    fn put(&self, _: bool) -> Option<Value> {
        put_fields(self, true)
    }
}

impl Fields for LabelSelectorRequirement {
    fn take_each(&mut self, from: &mut FieldReader) {
        from.field("key", &mut self.key);
        from.field("operator", &mut self.operator);
        from.field("values", &mut self.values);
    }
    fn put_each(&self, to: &mut FieldWriter) {
        to.always("key", &self.key);
        to.always("operator", &self.operator);
        to.field("values", &self.values);
    }
}

impl Wire for LabelSelectorRequirement {
    fn take(&mut self, value: Value, r: &mut Reader) {
        take_fields(self, value, r);
    }
    fn put(&self, always: bool) -> Option<Value> {
        put_fields(self, always)
    }
}

impl Default for IntOrPercent {
    fn default() -> Self {
        IntOrPercent::Int(0)
    }
}
