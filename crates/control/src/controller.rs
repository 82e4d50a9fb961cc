//! The shape that all controllers share: a row in a table, a context to read, and an outcome that says what to write.

use crate::{Memory, Tuning};
use setpoint_api::slab::Slab;
use setpoint_api::{
    Change, Condition, DeleteOptions, Kind, MicroTime, Micros, NodeStatus, ObjId, Object, ObjectMeta,
    OwnerReference, PodStatus, Scope, Status, Store, Str, Taint, Time, Uid,
};
use std::borrow::Cow;

/// What a controller is asked to look at. It names an object, never the change that led here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The controller's own periodic or internal work.
    Tick,
    /// An object; it may be gone.
    Object(ObjId),
}

/// What a controller may look at while it decides.
pub struct Cx<'a> {
    /// The cluster's state as stored.
    pub view: &'a Store,
    /// Simulated time.
    pub now: Time,
    /// Periods, graces and rates in force.
    pub tuning: &'a Tuning,
    /// What the metrics API would answer.
    pub metrics: &'a Metrics,
    /// Set when a write of the last run was refused and the controller's row asks to be told; the run should then only
    /// report that (status, event) and ask for a retry.
    pub failure: Option<&'a Failure>,
    /// A random word for this run, for choices that upstream leaves to chance.
    pub draw: u64,
}

/// A write that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What the API server said.
    pub status: Status,
    /// The object that the write was about, if it exists.
    pub about: Option<ObjId>,
}

/// One controller.
pub struct Controller {
    /// Name as the source of its events.
    pub name: &'static str,
    /// Kind that its keys name.
    pub kind: Kind,
    /// Kinds that it watches.
    pub watches: &'static [Kind],
    /// Maps a change of a watched kind to keys. May keep a cache in the controller's memory up to date.
    pub on_change: fn(&ChangeCx, &Change, &mut Memory, &mut Keys),
    /// Decides.
    pub reconcile: fn(&Cx, Key, &mut Memory) -> Outcome,
    /// Period of `Key::Tick`, if it has one.
    pub period: fn(&Tuning) -> Option<Micros>,
    /// How many keys it works on at the same time.
    pub workers: u32,
    /// Whether a refused write runs `reconcile` again at once with `Cx::failure` set.
    pub wants_failures: bool,
    /// Empties the controller's part of the memory when its process ends.
    pub forget: fn(&mut Memory),
}

/// What `on_change` may look at.
pub struct ChangeCx<'a> {
    /// The cluster's state as stored, the change included.
    pub view: &'a Store,
    /// Simulated time.
    pub now: Time,
    /// Periods, graces and rates in force.
    pub tuning: &'a Tuning,
}

/// Keys to work on, each after a delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<(Key, Micros)>);

impl Keys {
    /// At once.
    pub fn add(&mut self, id: ObjId) {
        self.0.push((Key::Object(id), 0));
    }
    /// After a delay.
    pub fn add_after(&mut self, id: ObjId, delay: Micros) {
        self.0.push((Key::Object(id), delay));
    }
    /// The controller's own work, after a delay.
    pub fn tick_after(&mut self, delay: Micros) {
        self.0.push((Key::Tick, delay));
    }
}

/// What a controller decided.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Writes in order. The first refusal drops the rest. Writes of one outcome to the same object build on each other.
    pub writes: Vec<Write>,
    /// Look at the key again after this time.
    pub requeue_after: Option<Micros>,
    /// Look at the key again with the queue's own growing delay, as upstream does after an error.
    pub retry: bool,
    /// The writes land in the background: the key counts as done before they have (the scheduler's binding).
    pub detached: bool,
    /// What was seen and decided, for people.
    pub note: Note,
}

impl Outcome {
    /// Nothing to do.
    pub fn idle(decision: &'static str) -> Self {
        Self { note: Note { observed: Vec::new(), decision: Cow::Borrowed(decision) }, ..Self::default() }
    }
}

/// What a controller saw and decided, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Numbers that the decision rests on, such as `("desired", 3)`.
    pub observed: Vec<(&'static str, i64)>,
    /// The decision in a few words, such as `create 1 pod`.
    pub decision: Cow<'static, str>,
}

/// One request to the API server.
#[derive(Clone, Debug)]
pub enum Write {
    /// Creates an object; a name is made from `generateName`. The event may say `{name}` for the name that was made.
    Create(Object, Option<EventDraft>),
    /// Changes an object; its resource version must be the stored one unless 0.
    Update(Object, Scope),
    /// Changes a few fields whatever the resource version is.
    Patch(ObjId, Patch),
    /// Deletes an object, and says so in an event on success.
    Delete(ObjId, DeleteOptions, Option<EventDraft>),
    /// Binds a pod to a node.
    Bind(ObjId, Str, Option<EventDraft>),
    /// Sent side by side: all are tried, and a refusal counts after the last one.
    Together(Vec<Write>),
    /// Records an event; it goes its own way and holds nothing up.
    Event(EventDraft),
}

/// A change of a few fields.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// The kubelet's view of a pod; conditions that other components own are kept.
    PodStatus(Box<PodStatus>),
    /// One condition of a pod, and the node that it is nominated for if given.
    PodCondition(Condition, Option<Str>),
    /// Phase Failed with a reason, a message and a condition (pod garbage collection).
    PodFailed {
        #[allow(missing_docs)]
        reason: Str,
        #[allow(missing_docs)]
        message: Str,
        #[allow(missing_docs)]
        condition: Option<Condition>,
    },
    /// The kubelet's view of its node; conditions are replaced by type.
    NodeStatus(Box<NodeStatus>),
    /// Conditions of a node, replaced by type.
    NodeConditions(Vec<Condition>),
    /// Taints of a node, by key and effect.
    NodeTaints {
        #[allow(missing_docs)]
        add: Vec<Taint>,
        #[allow(missing_docs)]
        remove: Vec<Taint>,
    },
    /// Renewal of a lease.
    RenewLease(MicroTime),
    /// Takes a finalizer away.
    RemoveFinalizer(Str),
    /// Adds an owner, or replaces the reference with the same uid.
    AddOwner(OwnerReference),
    /// Takes an owner away.
    RemoveOwner(Uid),
}

/// An event before the recorder has counted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDraft {
    /// Object that it is about.
    pub about: ObjId,
    /// Part of the object, such as `spec.containers{web}`.
    pub field_path: Str,
    /// Whether it is a Warning rather than Normal.
    pub is_warning: bool,
    /// Reason in one word.
    pub reason: &'static str,
    /// Message for a person.
    pub message: Cow<'static, str>,
    /// Component that says it.
    pub component: &'static str,
    /// Node that the component lives on, if it lives on one.
    pub host: Option<Str>,
    /// Verb of events.k8s.io (the scheduler's `Binding`, `Scheduling`); empty for core events.
    pub action: &'static str,
    /// Who it is about where the object is already gone, so that the store can't tell any more.
    pub gone: Option<Box<Gone>>,
}

/// Identity of an object that is gone from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
    /// Its identity.
    pub uid: Uid,
}

impl Gone {
    /// The identity of an object, to be kept for when it is gone.
    pub fn of(kind: Kind, metadata: &ObjectMeta) -> Self {
        Self { kind, namespace: metadata.namespace.clone(), name: metadata.name.clone(), uid: metadata.uid }
    }
}

impl EventDraft {
    /// A Normal event.
    pub fn normal(
        component: &'static str,
        about: ObjId,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let message = message.into();
        let field_path = Str::default();
        let (host, action, gone) = (None, "", None);
        Self { about, field_path, is_warning: false, reason, message, component, host, action, gone }
    }
    /// A Warning event.
    pub fn warning(
        component: &'static str,
        about: ObjId,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { is_warning: true, ..Self::normal(component, about, reason, message) }
    }
}

/// What the metrics API knows: the newest sample of each pod.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// By index of the pod.
    pub pods: Slab<PodMetrics>,
}

/// Usage of one pod over a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodMetrics {
    /// End of the window.
    pub at: Time,
    /// Length of the window.
    pub window: Micros,
    /// Usage by container: name, CPU in thousandths of a core, memory in bytes.
    pub containers: Vec<(Str, i64, i64)>,
    /// Requests that its processes took in, in thousandths per second: what an adapter serves as a custom metric.
    pub requests_milli: i64,
}
