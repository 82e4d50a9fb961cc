//! All kinds under one roof: the closed set of kinds, the object that is one of them, and what they have in common.

use crate::wire::{FieldError, Reader, Wire};
use crate::*;
use serde_json::Value;
use std::fmt;

/// Index of an object in the store. Counts up from 1 in creation order and is never reused; 0 is no object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjId(pub u32);

/// Identity of an object over time and space, printed as a UUID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u128);

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = ((self.0 >> 64) as u64, self.0 as u64);
        let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }
}

impl Wire for Uid {
    fn take(&mut self, value: Value, r: &mut Reader) {
        let text = Str::read(value, r);
        let hex: String = text.chars().filter(|c| *c != '-').collect();
        // Any text may stand here; what is no UUID still needs a stable identity of its own.
        let parsed = if hex.len() == 32 { u128::from_str_radix(&hex, 16).ok() } else { None };
        let fold = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let folded = || if text.is_empty() { 0 } else { text.bytes().fold(0xcbf2_9ce4_8422_2325, fold) };
        self.0 = parsed.unwrap_or_else(folded);
    }
    fn put(&self, _: bool) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

/// What all kinds have in common.
pub trait Resource: Sized + Clone + 'static {
    /// The kind.
    const KIND: Kind;
    /// Metadata.
    fn metadata(&self) -> &ObjectMeta;
    /// Metadata, to change.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
    /// The object as this kind, if it is one.
    fn from_object(object: &Object) -> Option<&Rc<Self>>;
    /// The object under the common roof.
    fn into_object(self) -> Object;
}

macro_rules! kinds {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($field:ident : $type:ty = $key:literal $(, $always:ident)?;)* }
        api $api:literal plural $plural:literal namespaced $namespaced:literal
    )*) => {
        /// The kinds that the simulator models.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $( $(#[$meta])* $name, )* }

        impl Kind {
            /// Every kind, in declaration order.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];
            /// Name as in manifests.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name),)* }
            }
            /// Group and version, such as `apps/v1`.
            pub fn api_version(self) -> &'static str {
                match self { $(Kind::$name => $api,)* }
            }
            /// Plural name, as in URLs and messages.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$name => $plural,)* }
            }
            /// Whether objects live in a namespace.
            pub fn is_namespaced(self) -> bool {
                match self { $(Kind::$name => $namespaced,)* }
            }
        }

        /// An object of any kind, shared.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Object { $( $(#[$meta])* $name(Rc<$name>), )* }

        impl Object {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Object::$name(_) => Kind::$name,)* }
            }
            /// Its metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(Object::$name(object) => &object.metadata,)* }
            }
            /// Its metadata, to change; the object is copied if it is shared.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Object::$name(object) => &mut Rc::make_mut(object).metadata,)* }
            }
            /// Whether both are the very same stored value.
            pub fn is_same(&self, other: &Object) -> bool {
                match (self, other) { $((Object::$name(a), Object::$name(b)) => Rc::ptr_eq(a, b),)* _ => false }
            }
            /// The JSON tree with apiVersion and kind.
            pub fn to_value(&self) -> Value {
                let object: &dyn Wire = match self { $(Object::$name(object) => object,)* };
                let mut value = object.put(true).unwrap_or_default();
                if let Value::Object(map) = &mut value
                    && self.kind() != Kind::Custom
                {
                    map.insert("apiVersion".into(), self.kind().api_version().into());
                    map.insert("kind".into(), self.kind().as_str().into());
                }
                value
            }
            /// Fields that have no type here.
            pub fn rest(&self) -> &crate::wire::Rest {
                match self { $(Object::$name(object) => &object.rest,)* }
            }
            /// Fields that have no type here, to change; the object is copied if it is shared.
            pub fn rest_mut(&mut self) -> &mut crate::wire::Rest {
                match self { $(Object::$name(object) => &mut Rc::make_mut(object).rest,)* }
            }
            /// Reads an object of a kind; errors name the fields that do not fit.
            pub fn from_value(kind: Kind, value: Value) -> (Object, Vec<FieldError>) {
                let (object, reader) = Object::read(kind, value);
                (object, reader.errors)
            }
            /// The same with all that the reader knows.
            pub(crate) fn read(kind: Kind, mut value: Value) -> (Object, Reader) {
                if let Value::Object(map) = &mut value
                    && kind != Kind::Custom
                {
                    map.remove("apiVersion");
                    map.remove("kind");
                }
                let mut r = Reader::default();
                let mut object = match kind { $(Kind::$name => Object::$name(Rc::default()),)* };
                let fields: &mut dyn Wire = match &mut object { $(Object::$name(object) => object,)* };
                fields.take(value, &mut r);
                (object, r)
            }
        }

        wire! { $(
            $(#[$meta])*
            pub struct $name {
                /// Metadata.
                pub metadata: ObjectMeta = "metadata", always;
                $(
                    #[allow(missing_docs)]
                    pub $field: $type = $key $(, $always)?;
                )*
            }
        )* }

        $(
            impl Resource for $name {
                const KIND: Kind = Kind::$name;
                fn metadata(&self) -> &ObjectMeta { &self.metadata }
                fn metadata_mut(&mut self) -> &mut ObjectMeta { &mut self.metadata }
                fn from_object(object: &Object) -> Option<&Rc<Self>> {
                    match object { Object::$name(object) => Some(object), _ => None }
                }
                fn into_object(self) -> Object { Object::$name(Rc::new(self)) }
            }
        )*
    };
}

use std::rc::Rc;

kinds! {
    /// A group of names.
    Namespace { spec: NamespaceSpec = "spec"; status: NamespaceStatus = "status"; }
        api "v1" plural "namespaces" namespaced false
    /// A machine, as the cluster believes it to be.
    Node { spec: NodeSpec = "spec", always; status: NodeStatus = "status"; }
        api "v1" plural "nodes" namespaced false
    /// A claim on being alive.
    Lease { spec: LeaseSpec = "spec"; }
        api "coordination.k8s.io/v1" plural "leases" namespaced true
    /// The smallest unit that is placed: containers that share an address.
    Pod { spec: PodSpec = "spec", always; status: PodStatus = "status"; }
        api "v1" plural "pods" namespaced true
    /// Keeps a number of equal pods.
    ReplicaSet { spec: ReplicaSetSpec = "spec", always; status: ReplicaSetStatus = "status"; }
        api "apps/v1" plural "replicasets" namespaced true
    /// Rolls ReplicaSets from one template to the next.
    Deployment { spec: DeploymentSpec = "spec", always; status: DeploymentStatus = "status"; }
        api "apps/v1" plural "deployments" namespaced true
    /// A stable address in front of pods.
    Service { spec: ServiceSpec = "spec", always; status: Value = "status"; }
        api "v1" plural "services" namespaced true
    /// The backends of a Service.
    EndpointSlice {
        address_type: Str = "addressType", always;
        endpoints: Vec<Rc<Endpoint>> = "endpoints", always;
        ports: Vec<EndpointPort> = "ports";
    }
        api "discovery.k8s.io/v1" plural "endpointslices" namespaced true
    /// Holds a metric by changing a workload's replicas.
    HorizontalPodAutoscaler { spec: HorizontalPodAutoscalerSpec = "spec", always; status: HorizontalPodAutoscalerStatus = "status"; }
        api "autoscaling/v2" plural "horizontalpodautoscalers" namespaced true
    /// What a component says about an object.
    Event {
        involved_object: ObjectReference = "involvedObject", always;
        reason: Str = "reason";
        message: Str = "message";
        source: EventSource = "source", always;
        first_timestamp: Option<Time> = "firstTimestamp";
        last_timestamp: Option<Time> = "lastTimestamp";
        count: i32 = "count";
        kind: Str = "type";
        event_time: Option<MicroTime> = "eventTime";
        series: Option<Value> = "series";
        action: Str = "action";
        reporting_component: Str = "reportingComponent", always;
        reporting_instance: Str = "reportingInstance", always;
    }
        api "v1" plural "events" namespaced true
    /// Pods with a name and a place of their own, made in order.
    StatefulSet { }
        api "apps/v1" plural "statefulsets" namespaced true
    /// A pod on every node that fits.
    DaemonSet { }
        api "apps/v1" plural "daemonsets" namespaced true
    /// The history of a StatefulSet's or DaemonSet's template.
    ControllerRevision { }
        api "apps/v1" plural "controllerrevisions" namespaced true
    /// Pods that run to completion.
    Job { }
        api "batch/v1" plural "jobs" namespaced true
    /// Jobs by the clock.
    CronJob { }
        api "batch/v1" plural "cronjobs" namespaced true
    /// What ReplicaSets were before they could select by sets.
    ReplicationController { }
        api "v1" plural "replicationcontrollers" namespaced true
    /// The old form of EndpointSlices.
    Endpoints { }
        api "v1" plural "endpoints" namespaced true
    /// A template for pods, kept by itself.
    PodTemplate { }
        api "v1" plural "podtemplates" namespaced true
    /// Settings as plain text.
    ConfigMap { }
        api "v1" plural "configmaps" namespaced true
    /// Settings that are not for every eye.
    Secret { }
        api "v1" plural "secrets" namespaced true
    /// Who a pod is to the API server.
    ServiceAccount { }
        api "v1" plural "serviceaccounts" namespaced true
    /// A piece of storage.
    PersistentVolume { }
        api "v1" plural "persistentvolumes" namespaced false
    /// A claim on storage.
    PersistentVolumeClaim { }
        api "v1" plural "persistentvolumeclaims" namespaced true
    /// How storage is made.
    StorageClass { }
        api "storage.k8s.io/v1" plural "storageclasses" namespaced false
    /// Rules for requests from outside.
    Ingress { }
        api "networking.k8s.io/v1" plural "ingresses" namespaced true
    /// Who serves Ingresses.
    IngressClass { }
        api "networking.k8s.io/v1" plural "ingressclasses" namespaced false
    /// Who may talk to whom.
    NetworkPolicy { }
        api "networking.k8s.io/v1" plural "networkpolicies" namespaced true
    /// How many pods must stay when pods are moved on purpose.
    PodDisruptionBudget { }
        api "policy/v1" plural "poddisruptionbudgets" namespaced true
    /// What a namespace may use together.
    ResourceQuota { }
        api "v1" plural "resourcequotas" namespaced true
    /// What each object of a namespace may use.
    LimitRange { }
        api "v1" plural "limitranges" namespaced true
    /// A named priority.
    PriorityClass { }
        api "scheduling.k8s.io/v1" plural "priorityclasses" namespaced false
    /// Rights in a namespace.
    Role { }
        api "rbac.authorization.k8s.io/v1" plural "roles" namespaced true
    /// Who has a role in a namespace.
    RoleBinding { }
        api "rbac.authorization.k8s.io/v1" plural "rolebindings" namespaced true
    /// Rights everywhere.
    ClusterRole { }
        api "rbac.authorization.k8s.io/v1" plural "clusterroles" namespaced false
    /// Who has a role everywhere.
    ClusterRoleBinding { }
        api "rbac.authorization.k8s.io/v1" plural "clusterrolebindings" namespaced false
    /// A kind that the cluster is taught.
    CustomResourceDefinition { }
        api "apiextensions.k8s.io/v1" plural "customresourcedefinitions" namespaced false
    /// A volume that a node has, or is to have.
    VolumeAttachment { }
        api "storage.k8s.io/v1" plural "volumeattachments" namespaced false
    /// An object of a kind that has no type here: one that a definition has taught, or one of upstream's that is only stored.
    /// What it calls itself is in the object; see [`Object::api_version`] and [`Object::kind_name`].
    Custom { }
        api "" plural "" namespaced true
}

impl Kind {
    /// Group without version, empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }
    /// Plural with group, as in error messages: `deployments.apps`, `pods`.
    pub fn resource(self) -> String {
        if self.group().is_empty() {
            self.plural().to_string()
        } else {
            format!("{}.{}", self.plural(), self.group())
        }
    }
    /// The kind of a manifest's apiVersion and kind; [`Kind::Custom`] for what upstream serves and is only stored here.
    pub fn from_manifest(api_version: &str, kind: &str) -> Option<Kind> {
        let typed = Kind::ALL.iter().copied().find(|k| k.as_str() == kind && k.api_version() == api_version);
        typed.or_else(|| schema::resource_of(api_version, kind).map(|_| Kind::Custom))
    }
}

impl Object {
    /// Index in the store.
    pub fn id(&self) -> ObjId {
        self.metadata().id
    }
    /// Group and version, such as `apps/v1`; of a custom object its own.
    pub fn api_version(&self) -> Str {
        if self.kind() == Kind::Custom {
            self.own_word("apiVersion")
        } else {
            self.kind().api_version().into()
        }
    }
    /// Name of the kind, such as `Deployment`; of a custom object its own.
    pub fn kind_name(&self) -> Str {
        if self.kind() == Kind::Custom { self.own_word("kind") } else { self.kind().as_str().into() }
    }
    /// Group without version, empty for the core group.
    pub fn group(&self) -> Str {
        self.api_version().split_once('/').map_or("", |(group, _)| group).into()
    }
    /// Whether it lives in a namespace.
    pub fn is_namespaced(&self) -> bool {
        if self.kind() == Kind::Custom {
            !self.metadata().namespace.is_empty()
        } else {
            self.kind().is_namespaced()
        }
    }
    /// The name under which the store keeps it; custom objects of all kinds share one drawer.
    pub fn store_name(&self) -> Str {
        let name = &self.metadata().name;
        if self.kind() == Kind::Custom {
            custom_name(&self.group(), &self.kind_name(), name)
        } else {
            name.clone()
        }
    }
    fn own_word(&self, key: &str) -> Str {
        self.rest().as_ref().and_then(|rest| rest.get(key)).and_then(Value::as_str).unwrap_or_default().into()
    }
}

/// The name under which the store keeps an object of [`Kind::Custom`].
pub fn custom_name(group: &str, kind: &str, name: &str) -> Str {
    format!("{kind}.{group}/{name}").into()
}
