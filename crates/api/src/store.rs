//! The store behind the API server: objects with versions, indexes that are kept up to date on write, and a log of
//! changes that watchers follow.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go, pkg/registry/core/pod/strategy.go.
//! Simplified: one process stands for the API server and etcd; fault models that need them apart live in the simulator.

use crate::indexes::{IdTable, PodCount, PodCounts, SlicesByPod, mark};
use crate::map::{Map, Set};
use crate::slab::Slab;
use crate::*;
use std::collections::VecDeque;
use std::ops::Bound;
use std::rc::Rc;

/// When a write lands and which fact it is, so that every change can name its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Simulated time.
    pub at: Time,
    /// The fact that the caller files this write under.
    pub fact: u64,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One entry of the watch log.
#[derive(Clone, Debug)]
pub struct Change {
    /// Resource version of the change.
    pub revision: u64,
    /// What happened.
    pub op: Op,
    /// Before; `None` for a creation.
    pub old: Option<Object>,
    /// After; for a deletion the last state.
    pub new: Object,
    /// When and which fact.
    pub stamp: Stamp,
}

/// Which part of an object an update may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Metadata and spec.
    Main,
    /// The status subresource.
    Status,
    /// The binding of a pod: its node and its status in one change, which counts as no new generation; and the last step of a
    /// namespace's end, which takes its finalizers off.
    Binding,
}

/// What happens to the dependents of a deleted object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They are collected afterwards.
    #[default]
    Background,
    /// They go first.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

/// How to delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Grace in seconds instead of the object's own; 0 removes at once.
    pub grace_seconds: Option<i64>,
    /// What happens to dependents.
    pub propagation: Propagation,
}

type Names = Map<Str, Map<Str, ObjId>>;

/// All objects, their indexes, and the log of changes. Cheap to clone: objects and pages are shared.
#[derive(Clone, Debug, Default)]
pub struct Store {
    revision: u64,
    next_id: u32,
    salt: u64,
    objects: Slab<Object>,
    /// In order, but for Events: those are many, and are listed for people alone.
    names: Map<Kind, Names>,
    by_name: IdTable,
    by_uid: IdTable,
    dependents: Map<Uid, Set<ObjId>>,
    pods_by_node: Map<Str, Set<ObjId>>,
    /// By the mark of namespace, key and value.
    pods_by_label: Map<u64, Set<ObjId>>,
    free: Map<(Kind, Str), Set<ObjId>>,
    pod_counts: PodCounts,
    slices_by_pod: SlicesByPod,
    log: VecDeque<Change>,
}

impl Store {
    /// An empty store; `salt` seeds the identities that it gives out.
    pub fn new(salt: u64) -> Self {
        Self { salt, ..Self::default() }
    }

    /// Resource version of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    // Reading.

    /// The object of an index.
    pub fn object(&self, id: ObjId) -> Option<&Object> {
        self.objects.get(id.0)
    }
    /// The object of an index, if it is of kind `T`.
    pub fn get<T: Resource>(&self, id: ObjId) -> Option<&Rc<T>> {
        self.object(id).and_then(T::from_object)
    }
    /// The index of a name; custom objects are kept under their [`custom_name`].
    pub fn id_of(&self, kind: Kind, namespace: &str, name: &str) -> Option<ObjId> {
        let is_it = |id: ObjId| {
            self.object(id).is_some_and(|object| {
                let meta = object.metadata();
                let is_named =
                    if kind == Kind::Custom { *object.store_name() == *name } else { *meta.name == *name };
                is_named && *meta.namespace == *namespace && object.kind() == kind
            })
        };
        self.by_name.find(name_mark(kind, namespace, name), is_it)
    }
    /// The object of a name.
    pub fn find<T: Resource>(&self, namespace: &str, name: &str) -> Option<&Rc<T>> {
        self.get(self.id_of(T::KIND, namespace, name)?)
    }
    /// The index of an identity.
    pub fn id_of_uid(&self, uid: Uid) -> Option<ObjId> {
        let is_it = |id| self.object(id).is_some_and(|object| object.metadata().uid == uid);
        self.by_uid.find(uid.0 as u64, is_it)
    }
    /// All objects of a kind, by namespace and name.
    pub fn list<T: Resource>(&self) -> List<'_, T> {
        List::new(self, self.ids(T::KIND))
    }
    /// All objects of a kind in a namespace, by name.
    pub fn list_in<T: Resource>(&self, namespace: &str) -> List<'_, T> {
        let names = self.names.get(&T::KIND).and_then(|names| names.get(namespace));
        let is_here = |object: &Object| *object.metadata().namespace == *namespace;
        List::new(self, Ids::of_names(names).then(self.unnamed(T::KIND, is_here)))
    }
    /// Indexes of all objects of a kind, by namespace and name.
    pub fn ids(&self, kind: Kind) -> Ids<'_> {
        Ids::of_namespaces(self.names.get(&kind)).then(self.unnamed(kind, |_| true))
    }
    /// The same for a kind without an order of its own, as far as the objects are wanted.
    fn unnamed(&self, kind: Kind, is_wanted: impl Fn(&Object) -> bool) -> Vec<ObjId> {
        if kind != Kind::Event {
            return Vec::new();
        }
        let is_wanted = |object: &&Object| object.kind() == kind && is_wanted(object);
        let mut events: Vec<&Object> = self.objects().filter(is_wanted).gather();
        order::sort_by(&mut events, |a, b| {
            let name =
                |object: &Object| (object.metadata().namespace.clone(), object.metadata().name.clone());
            name(a).cmp(&name(b))
        });
        events.into_iter().map(Object::id).gather()
    }
    /// All objects, by index, which is creation order.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().map(|(_, object)| object)
    }
    /// Objects of kind `T` that name `owner` in their owner references, in creation order.
    pub fn dependents<T: Resource>(&self, owner: Uid) -> List<'_, T> {
        List::new(self, self.dependent_ids(owner))
    }
    /// Indexes of all objects that name `owner` in their owner references, in creation order.
    pub fn dependent_ids(&self, owner: Uid) -> Ids<'_> {
        Ids::of_set(self.dependents.get(&owner))
    }
    /// Pods bound to a node, in creation order.
    pub fn pods_on(&self, node: &str) -> List<'_, Pod> {
        List::new(self, Ids::of_set(self.pods_by_node.get(node)))
    }
    /// Names of the nodes that pods are bound to, whether or not the nodes exist, by name.
    pub fn nodes_with_pods(&self) -> impl Iterator<Item = &Str> {
        self.pods_by_node.keys()
    }
    /// Pods of a namespace that a selector matches, in creation order.
    pub fn pods_matching(&self, namespace: &str, selector: &Selector) -> Vec<&Rc<Pod>> {
        let matches =
            |pod: &&Rc<Pod>| *pod.metadata.namespace == *namespace && selector.matches(&pod.metadata.labels);
        // The rarest exact label decides how many pods are looked at.
        let posting = |(key, value): (&Str, &Str)| self.pods_by_label.get(&mark(&[namespace, key, value]));
        let mut exact = selector.exact_pairs().peekable();
        if exact.peek().is_none() {
            let mut pods: Vec<_> = self.list_in::<Pod>(namespace).filter(matches).gather();
            order::sort_by_key(&mut pods, |pod| pod.metadata.id);
            return pods;
        }
        let mut rarest: Option<&Set<ObjId>> = None;
        for pair in exact {
            match posting(pair) {
                None => return Vec::new(),
                Some(ids) if rarest.is_none_or(|best| ids.len() < best.len()) => rarest = Some(ids),
                Some(_) => {}
            }
        }
        List::new(self, Ids::of_set(rarest)).filter(matches).gather()
    }
    /// Pods or ReplicaSets of a namespace that have no controlling owner, in creation order.
    pub fn free<T: Resource>(&self, namespace: &Str) -> List<'_, T> {
        List::new(self, Ids::of_set(self.free.get(&(T::KIND, namespace.clone()))))
    }
    /// The pods of a controlling owner, counted.
    pub fn pod_counts(&self, owner: Uid) -> &[PodCount] {
        self.pod_counts.of(owner)
    }
    /// Indexes of the EndpointSlices that list a pod, in creation order.
    pub fn slices_of_pod(&self, pod: Uid) -> impl Iterator<Item = ObjId> {
        self.slices_by_pod.of(pod)
    }
    /// Changes after a revision, oldest first.
    pub fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self.log.partition_point(|change| change.revision <= revision);
        self.log.range((Bound::Included(start), Bound::Unbounded))
    }

    // Writing.

    /// Drops log entries up to a revision, once every watcher has seen them.
    pub fn forget_changes(&mut self, revision: u64) {
        while self.log.front().is_some_and(|change| change.revision <= revision) {
            self.log.pop_front();
        }
    }

    /// Stores a new object under its name. Defaulting, admission and name generation are the caller's.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken, `NotFound` when its namespace is missing, `Forbidden` when that is ending.
    pub fn create(&mut self, mut object: Object, stamp: Stamp) -> Result<ObjId, Status> {
        self.check_namespace(&object)?;
        let kind = object.kind();
        let meta = object.metadata();
        if self.id_of(kind, &meta.namespace, &object.store_name()).is_some() {
            return Err(Status::exists(&object));
        }
        self.next_id += 1;
        let id = ObjId(self.next_id);
        let uid = self.new_uid(id);
        let meta = object.metadata_mut();
        meta.id = id;
        meta.uid = uid;
        meta.creation_timestamp = Some(stamp.at.whole_seconds());
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        meta.generation = i64::from(has_generation(kind));
        if let Object::Job(job) = &mut object {
            default::own_selector(Rc::make_mut(job));
        }
        self.put(None, object, stamp);
        Ok(id)
    }

    /// Whether the namespace of a new object takes it.
    ///
    /// # Errors
    /// `NotFound` when the namespace is missing, `Forbidden` when it is ending.
    pub fn check_namespace(&self, object: &Object) -> Result<(), Status> {
        let name = &object.metadata().namespace;
        match self.find::<Namespace>("", name) {
            _ if !object.is_namespaced() => Ok(()),
            None => Err(Status::not_found(Kind::Namespace, name)),
            Some(namespace) if namespace.metadata.is_deleting() => {
                let why = format!(
                    "unable to create new content in namespace {name} because it is being terminated"
                );
                Err(Status::refused(object, &why))
            }
            Some(_) => Ok(()),
        }
    }

    /// Changes an object. With a resource version it must be the stored one. Changing nothing is no change.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `Conflict` when it has changed since.
    pub fn update(&mut self, mut object: Object, scope: Scope, stamp: Stamp) -> Result<ObjId, Status> {
        let (kind, name) = (object.kind(), object.metadata().name.clone());
        let Some(stored) = self.object(object.id()).cloned() else {
            return Err(Status::not_found(kind, &name));
        };
        let version = object.metadata().resource_version;
        if version != 0 && version != stored.metadata().resource_version {
            return Err(Status::outdated(&object));
        }
        keep_unchangeable(&stored, &mut object, scope);
        if object == stored {
            return Ok(stored.id());
        }
        if scope == Scope::Main && has_generation(kind) && !same_spec(&stored, &object) {
            object.metadata_mut().generation += 1;
            default::count_template(&stored, &mut object);
        }
        let id = stored.id();
        if object.metadata().is_deleting() && is_removable(&object) {
            // Whatever was the last to hold the object lets go of it: upstream does not store it once more.
            self.remove(stored.clone(), stored, stamp);
        } else {
            self.put(Some(stored), object, stamp);
        }
        Ok(id)
    }

    /// Begins the deletion of an object, or removes it at once if nothing holds it.
    ///
    /// # Errors
    /// `NotFound` when it is gone.
    pub fn delete(&mut self, id: ObjId, options: DeleteOptions, stamp: Stamp) -> Result<(), Status> {
        let Some(stored) = self.object(id).cloned() else {
            return Err(Status::new(Reason::NotFound, "the object is gone"));
        };
        let mut object = stored.clone();
        if !begin_deletion(&mut object, options, stamp.at) {
            return Ok(());
        }
        hold_for_dependents(object.metadata_mut(), options.propagation);
        let is_removable = is_removable(&object);
        if is_removable && !matches!(object, Object::Pod(_)) {
            self.remove(stored.clone(), stored, stamp);
            return Ok(());
        }
        if object != stored {
            self.put(Some(stored), object, stamp);
        }
        // A pod's last grace is stored before the pod goes, so that watchers see both.
        if is_removable && let Some(last) = self.object(id).cloned() {
            self.remove(last.clone(), last, stamp);
        }
        Ok(())
    }

    fn put(&mut self, old: Option<Object>, mut new: Object, stamp: Stamp) {
        self.revision += 1;
        new.metadata_mut().resource_version = self.revision;
        if let Some(old) = &old {
            self.unindex(old, Some(&new));
        }
        self.index(&new, old.as_ref());
        self.objects.insert(new.id().0, new.clone());
        let op = if old.is_some() { Op::Modified } else { Op::Added };
        self.log.push_back(Change { revision: self.revision, op, old, new, stamp });
    }

    fn remove(&mut self, stored: Object, mut last: Object, stamp: Stamp) {
        self.revision += 1;
        last.metadata_mut().resource_version = self.revision;
        self.unindex(&stored, None);
        self.objects.remove(stored.id().0);
        let change = Change { revision: self.revision, op: Op::Deleted, old: Some(stored), new: last, stamp };
        self.log.push_back(change);
    }

    fn index(&mut self, new: &Object, old: Option<&Object>) {
        let (kind, meta) = (new.kind(), new.metadata());
        if old.is_none() {
            if kind != Kind::Event {
                let names = self.names.entry(kind).or_default().entry(meta.namespace.clone()).or_default();
                names.insert(new.store_name(), meta.id);
            }
            self.by_name.insert(name_mark(kind, &meta.namespace, &new.store_name()), meta.id);
            self.by_uid.insert(meta.uid.0 as u64, meta.id);
        }
        if old.is_none_or(|old| !Rc::ptr_eq(&old.metadata().owner_references, &meta.owner_references)) {
            for owner in meta.owner_references.iter() {
                self.dependents.entry(owner.uid).or_default().insert(meta.id);
            }
        }
        if is_adopted(kind) && meta.controller().is_none() {
            self.free.entry((kind, meta.namespace.clone())).or_default().insert(meta.id);
        }
        if let Object::EndpointSlice(slice) = new {
            let before = old.and_then(EndpointSlice::from_object).map_or(&[][..], |old| &old.endpoints);
            self.slices_by_pod.replace(meta.id, before, &slice.endpoints);
        }
        let Object::Pod(pod) = new else { return };
        self.pod_counts.replace(old.and_then(Pod::from_object).map(|old| &**old), Some(pod));
        if old.is_none_or(|old| !Rc::ptr_eq(&old.metadata().labels, &meta.labels)) {
            for (key, value) in meta.labels.iter() {
                let posting = mark(&[&meta.namespace, key, value]);
                self.pods_by_label.entry(posting).or_default().insert(meta.id);
            }
        }
        if let Some(node) = &pod.spec.node_name {
            self.pods_by_node.entry(node.clone()).or_default().insert(meta.id);
        }
    }

    /// Takes `old` out of the indexes, except where `new` has the very same entry.
    fn unindex(&mut self, old: &Object, new: Option<&Object>) {
        let (kind, meta) = (old.kind(), old.metadata());
        if new.is_none() {
            if let Some(names) = self.names.get_mut(&kind)
                && let Some(in_namespace) = names.get_mut(&meta.namespace)
            {
                in_namespace.remove(&old.store_name());
                if in_namespace.is_empty() {
                    names.remove(&meta.namespace);
                }
            }
            self.by_name.remove(name_mark(kind, &meta.namespace, &old.store_name()), meta.id);
            self.by_uid.remove(meta.uid.0 as u64, meta.id);
        }
        if new.is_none_or(|new| !Rc::ptr_eq(&new.metadata().owner_references, &meta.owner_references)) {
            for owner in meta.owner_references.iter() {
                drop_entry(&mut self.dependents, &owner.uid, meta.id);
            }
        }
        if is_adopted(kind)
            && meta.controller().is_none()
            && new.is_none_or(|new| new.metadata().controller().is_some())
        {
            drop_entry(&mut self.free, &(kind, meta.namespace.clone()), meta.id);
        }
        if let (Object::EndpointSlice(slice), None) = (old, new) {
            self.slices_by_pod.replace(meta.id, &slice.endpoints, &[]);
        }
        let Object::Pod(pod) = old else { return };
        if new.is_none() {
            self.pod_counts.replace(Some(pod), None);
        }
        if new.is_none_or(|new| !Rc::ptr_eq(&new.metadata().labels, &meta.labels)) {
            for (key, value) in meta.labels.iter() {
                let posting = mark(&[&meta.namespace, key, value]);
                drop_entry(&mut self.pods_by_label, &posting, meta.id);
            }
        }
        let is_kept =
            |node| matches!(new, Some(Object::Pod(new)) if new.spec.node_name.as_ref() == Some(node));
        if let Some(node) = &pod.spec.node_name
            && !is_kept(node)
        {
            drop_entry(&mut self.pods_by_node, node, meta.id);
        }
    }

    /// A version 4 UUID that is a pure function of the salt and the index.
    fn new_uid(&self, id: ObjId) -> Uid {
        let high = splitmix(self.salt ^ u64::from(id.0));
        let low = splitmix(high);
        let bits = (u128::from(high) << 64) | u128::from(low);
        Uid((bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62))
    }
}

fn name_mark(kind: Kind, namespace: &str, name: &str) -> u64 {
    mark(&[kind.as_str(), namespace, name])
}

fn drop_entry<K: Ord>(index: &mut Map<K, Set<ObjId>>, key: &K, id: ObjId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

/// One step of the SplitMix64 mixing function.
fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Whether controllers take up objects of a kind that nobody has.
fn is_adopted(kind: Kind) -> bool {
    matches!(kind, Kind::Pod | Kind::ReplicaSet | Kind::ControllerRevision)
}

/// Whether the API server counts generations of a kind.
fn has_generation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::ReplicaSet
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicationController
            | Kind::Job
            | Kind::CronJob
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::PodDisruptionBudget
            | Kind::PriorityClass
            | Kind::EndpointSlice
            | Kind::CustomResourceDefinition
            | Kind::Custom
    )
}

fn same_spec(a: &Object, b: &Object) -> bool {
    match (a, b) {
        (Object::Pod(a), Object::Pod(b)) => a.spec == b.spec,
        (Object::ReplicaSet(a), Object::ReplicaSet(b)) => a.spec == b.spec,
        // Upstream's Deployment strategy counts its annotations as well.
        (Object::Deployment(a), Object::Deployment(b)) => {
            a.spec == b.spec && a.metadata.annotations == b.metadata.annotations
        }
        (Object::EndpointSlice(a), Object::EndpointSlice(b)) => {
            a.endpoints == b.endpoints && a.ports == b.ports
        }
        _ => field(a, "spec") == field(b, "spec"),
    }
}

/// A field that has no type.
fn field<'a>(object: &'a Object, name: &str) -> Option<&'a serde_json::Value> {
    object.rest().as_ref().and_then(|rest| rest.get(name))
}

/// [`keep_unchangeable`] for kinds whose status has no type.
fn keep_untyped(stored: &Object, object: &mut Object, scope: Scope) {
    let status = match scope {
        Scope::Main => field(stored, "status").cloned(),
        Scope::Status => field(object, "status").cloned(),
        Scope::Binding => return,
    };
    if scope == Scope::Status {
        *object = stored.clone();
    }
    if status.as_ref() == field(object, "status") {
        return;
    }
    let rest = Rc::make_mut(object.rest_mut().get_or_insert_default());
    match status {
        Some(status) => rest.insert("status".into(), status),
        None => rest.remove("status"),
    };
}

/// An update leaves identity alone, and a status update all but the status (and the other way round).
fn keep_unchangeable(stored: &Object, object: &mut Object, scope: Scope) {
    let stored_kind = stored.kind();
    macro_rules! keep {
        ($($kind:ident)*) => {
            match (stored, &mut *object) {
                $((Object::$kind(stored), Object::$kind(object)) => {
                    let object = Rc::make_mut(object);
                    match scope {
                        Scope::Main => object.status = stored.status.clone(),
                        Scope::Binding => {}
                        Scope::Status => {
                            let annotations = object.metadata.annotations.clone();
                            object.metadata = stored.metadata.clone();
                            object.spec = stored.spec.clone();
                            // The Deployment controller writes its revision together with the status
                            // (pkg/registry/apps/deployment/strategy.go lets annotations through).
                            if stored_kind == Kind::Deployment {
                                object.metadata.annotations = annotations;
                            }
                        }
                    }
                })*
                _ => keep_untyped(stored, object, scope),
            }
        };
    }
    keep!(Namespace Node Pod ReplicaSet Deployment Service HorizontalPodAutoscaler);
    if let (Object::Namespace(stored), Object::Namespace(object), Scope::Main) = (stored, &mut *object, scope)
    {
        Rc::make_mut(object).spec.finalizers = stored.spec.finalizers.clone();
    }
    let kept = stored.metadata();
    let meta = object.metadata_mut();
    meta.id = kept.id;
    meta.name = kept.name.clone();
    meta.namespace = kept.namespace.clone();
    meta.uid = kept.uid;
    meta.resource_version = kept.resource_version;
    meta.generation = kept.generation;
    meta.creation_timestamp = kept.creation_timestamp;
    meta.deletion_timestamp = kept.deletion_timestamp;
    meta.deletion_grace_period_seconds = kept.deletion_grace_period_seconds;
}

/// Marks an object as being deleted. False where that has begun already and goes on as it is: the grace of a pod can
/// only be shortened, and only by a number.
fn begin_deletion(object: &mut Object, options: DeleteOptions, now: Time) -> bool {
    let grace = match &*object {
        Object::Pod(pod) => deletion_grace(pod, options),
        _ => 0,
    };
    if let Object::Namespace(namespace) = object {
        Rc::make_mut(namespace).status.phase = Str::fixed("Terminating");
    }
    let is_pod = object.kind() == Kind::Pod;
    let counts = has_generation(object.kind());
    let meta = object.metadata_mut();
    let Some(ends) = meta.deletion_timestamp else {
        meta.deletion_timestamp = Some(now.whole_seconds().plus(grace.saturating_mul(time::SECOND)));
        meta.deletion_grace_period_seconds = Some(grace);
        meta.generation += i64::from(counts);
        return true;
    };
    let old = meta.deletion_grace_period_seconds.unwrap_or(0);
    if !is_pod || old == 0 {
        return true;
    }
    let Some(grace) = options.grace_seconds.map(at_least_a_second).filter(|grace| *grace < old) else {
        return false;
    };
    meta.deletion_timestamp = Some(ends.plus((grace - old).saturating_mul(time::SECOND)));
    meta.deletion_grace_period_seconds = Some(grace);
    true
}

/// Grace of a pod in seconds: only one that a kubelet may have started is given any.
fn deletion_grace(pod: &Pod, options: DeleteOptions) -> i64 {
    if pod.spec.node_name.is_none() || pod.status.phase.is_finished() {
        return 0;
    }
    let own = pod.spec.termination_grace_period_seconds.unwrap_or(30);
    at_least_a_second(options.grace_seconds.unwrap_or(own))
}

/// Upstream takes a negative grace for one second.
fn at_least_a_second(grace: i64) -> i64 {
    if grace < 0 { 1 } else { grace }
}

/// Holds an object until the garbage collector is done with its dependents, in one way or the other.
fn hold_for_dependents(meta: &mut ObjectMeta, propagation: Propagation) {
    let (finalizer, other) = match propagation {
        Propagation::Background => return,
        Propagation::Foreground => ("foregroundDeletion", "orphan"),
        Propagation::Orphan => ("orphan", "foregroundDeletion"),
    };
    let has = |name: &str| meta.finalizers.iter().any(|finalizer| &**finalizer == name);
    if has(finalizer) && !has(other) {
        return;
    }
    let finalizers = Rc::make_mut(&mut meta.finalizers);
    finalizers.retain(|name| !matches!(&**name, "orphan" | "foregroundDeletion"));
    finalizers.push(finalizer.into());
}

fn is_removable(object: &Object) -> bool {
    let meta = object.metadata();
    let contents_gone = match object {
        Object::Namespace(namespace) => namespace.spec.finalizers.is_empty(),
        _ => true,
    };
    meta.finalizers.is_empty() && meta.deletion_grace_period_seconds.unwrap_or(0) == 0 && contents_gone
}
