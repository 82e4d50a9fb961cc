//! What every object carries, and the small types that several kinds share.

use crate::map;
use crate::object::{ObjId, Uid};
use crate::wire::{Reader, Wire};
use crate::{IntOrPercent, LabelSelector, LabelSelectorRequirement, MicroTime, Str, Time, wire, words};
use serde_json::{Map, Value};
use std::rc::Rc;

/// Labels or annotations.
pub type Labels = Rc<map::Map<Str, Str>>;

/// Name, identity, version and ownership of an object.
#[derive(Clone, Debug, Default, PartialEq)]
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

impl Wire for ObjectMeta {
    fn read(value: Value, r: &mut Reader) -> Self {
        let mut map = crate::wire::take_map(value, r);
        fn take<T: Wire>(map: &mut Map<String, Value>, key: &str, r: &mut Reader) -> T {
            match map.remove(key) {
                Some(value) => r.within(key.to_string(), |r| T::read(value, r)),
                None => T::default(),
            }
        }
        let version: Str = take(&mut map, "resourceVersion", r);
        Self {
            id: ObjId::default(),
            name: take(&mut map, "name", r),
            generate_name: take(&mut map, "generateName", r),
            namespace: take(&mut map, "namespace", r),
            uid: take(&mut map, "uid", r),
            resource_version: version.parse().unwrap_or(0),
            generation: take(&mut map, "generation", r),
            creation_timestamp: take(&mut map, "creationTimestamp", r),
            deletion_timestamp: take(&mut map, "deletionTimestamp", r),
            deletion_grace_period_seconds: take(&mut map, "deletionGracePeriodSeconds", r),
            labels: take(&mut map, "labels", r),
            annotations: take(&mut map, "annotations", r),
            owner_references: take(&mut map, "ownerReferences", r),
            finalizers: take(&mut map, "finalizers", r),
            rest: (!map.is_empty()).then(|| Rc::new(map)),
        }
    }
    fn write(&self) -> Option<Value> {
        let mut map = self.rest.as_deref().cloned().unwrap_or_default();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key.to_string(), value);
            }
        };
        put("name", self.name.write());
        put("generateName", self.generate_name.write());
        put("namespace", self.namespace.write());
        put("uid", (self.uid != Uid::default()).then(|| self.uid.write_always()));
        let version = self.resource_version;
        put("resourceVersion", (version != 0).then(|| Value::String(version.to_string())));
        put("generation", self.generation.write());
        put("creationTimestamp", self.creation_timestamp.write());
        put("deletionTimestamp", self.deletion_timestamp.write());
        put("deletionGracePeriodSeconds", self.deletion_grace_period_seconds.write());
        put("labels", self.labels.write());
        put("annotations", self.annotations.write());
        put("ownerReferences", self.owner_references.write());
        put("finalizers", self.finalizers.write());
        (!map.is_empty()).then_some(Value::Object(map))
    }
    fn write_always(&self) -> Value {
        self.write().unwrap_or_else(|| Value::Object(Map::new()))
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

impl Wire for LabelSelector {
    fn read(value: Value, r: &mut Reader) -> Self {
        let mut map = crate::wire::take_map(value, r);
        let labels = map.remove("matchLabels").unwrap_or(Value::Null);
        let expressions = map.remove("matchExpressions").unwrap_or(Value::Null);
        Self {
            match_labels: r.within("matchLabels".into(), |r| Wire::read(labels, r)),
            match_expressions: r.within("matchExpressions".into(), |r| Wire::read(expressions, r)),
        }
    }
    fn write(&self) -> Option<Value> {
        Some(self.write_always())
    }
    fn write_always(&self) -> Value {
        let mut map = Map::new();
        if let Some(labels) = self.match_labels.write() {
            map.insert("matchLabels".into(), labels);
        }
        if let Some(expressions) = self.match_expressions.write() {
            map.insert("matchExpressions".into(), expressions);
        }
        Value::Object(map)
    }
}

impl Wire for LabelSelectorRequirement {
    fn read(value: Value, r: &mut Reader) -> Self {
        let mut map = crate::wire::take_map(value, r);
        let mut take = |key: &str| map.remove(key).unwrap_or(Value::Null);
        let (key, operator, values) = (take("key"), take("operator"), take("values"));
        Self {
            key: r.within("key".into(), |r| Wire::read(key, r)),
            operator: r.within("operator".into(), |r| Wire::read(operator, r)),
            values: r.within("values".into(), |r| Wire::read(values, r)),
        }
    }
    fn write(&self) -> Option<Value> {
        let mut map = Map::new();
        map.insert("key".into(), self.key.write_always());
        map.insert("operator".into(), self.operator.write_always());
        if let Some(values) = self.values.write() {
            map.insert("values".into(), values);
        }
        Some(Value::Object(map))
    }
}

impl Default for IntOrPercent {
    fn default() -> Self {
        IntOrPercent::Int(0)
    }
}
