//! The API server at work: names, admission, and the landing of writes in the store.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/registry, pkg/registry/core/pod, plugin/pkg/admission.
//! Simplified: a request takes one fixed time and is decided when it lands; no authentication or authorization; the
//! ServiceAccount volume is not mounted.

use crate::fact::{Actor, Turn, What};
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::map::Map;
use setpoint_api::{
    Change, Condition, ConditionStatus, Kind, ObjId, Object, Op, Pod, PodStatus, Reason, Resource, Scope,
    Stamp, Status, Str, Taint, condition_status,
};
use setpoint_control::{EventDraft, Failure, Patch, Write};
use std::rc::Rc;

impl Sim {
    /// Lands one write. `own` has the versions that earlier writes of the same call left behind.
    pub(crate) fn land(
        &mut self,
        write: Write,
        by: Actor,
        cause: u64,
        own: &mut Map<ObjId, u64>,
    ) -> Result<(), Failure> {
        let cause = match (&write, by) {
            (Write::Patch(id, _), Actor::Controller(controller)) => {
                self.cause_behind(*id, setpoint_control::CONTROLLERS[usize::from(controller)].name, cause)
            }
            _ => cause,
        };
        let about = match &write {
            Write::Create(..) | Write::Together(_) | Write::Event(_) => None,
            Write::Update(object, _) => Some(object.id()),
            Write::Patch(id, _) | Write::Delete(id, ..) | Write::Bind(id, ..) => Some(*id),
        };
        self.check_api_up().map_err(|status| Failure { status, about })?;
        let landed = match write {
            Write::Create(object, event) => self.create(object, by, cause).map(|id| {
                if let Some(event) = event {
                    let name = self.name_of(id);
                    let message = event.message.replace("{name}", &name).into();
                    self.say_later(EventDraft { message, ..event }, by, cause);
                }
                Some(id)
            }),
            Write::Update(mut object, scope) => {
                let id = object.id();
                if let Some(version) = own.get(&id)
                    && object.metadata().resource_version != 0
                {
                    object.metadata_mut().resource_version = *version;
                }
                self.store_with(by, cause, |store, stamp| store.update(object, scope, stamp).map(Some))
            }
            Write::Patch(id, patch) => self.patch(id, patch, by, cause),
            Write::Delete(id, options, event) => {
                self.store_with(by, cause, |store, stamp| store.delete(id, options, stamp)).map(|()| {
                    if let Some(event) = event {
                        self.say_later(event, by, cause);
                    }
                    None
                })
            }
            Write::Bind(id, node, event) => self.bind(id, node, by, cause).inspect(|_| {
                if let Some(event) = event {
                    self.say_later(event, by, cause);
                }
            }),
            Write::Together(_) | Write::Event(_) => Ok(None),
        };
        let id = landed.map_err(|status| Failure { status, about })?;
        if let Some(id) = id
            && let Some(object) = self.store.object(id)
        {
            own.insert(id, object.metadata().resource_version);
        }
        Ok(())
    }

    /// Refuses while the API server is down.
    pub(crate) fn check_api_up(&self) -> Result<(), Status> {
        if self.api_up {
            return Ok(());
        }
        let message = "the server is currently unable to handle the request".to_string();
        Err(Status::new(Reason::ServiceUnavailable, message))
    }

    /// What really led a component to write to an object, or to speak about it. The node lifecycle controller looks at all
    /// nodes together; what it says of one node, or of a pod there, is because of what happened to that node's machine.
    pub(crate) fn cause_behind(&self, about: ObjId, component: &str, cause: u64) -> u64 {
        if component != "node-controller" {
            return cause;
        }
        let node = match self.store.object(about) {
            Some(Object::Node(node)) => Some(&node.metadata.name),
            Some(Object::Pod(pod)) => pod.spec.node_name.as_ref(),
            _ => None,
        };
        let machine = node.and_then(|node| self.machine(node));
        machine.map(|machine| machine.last_fact).filter(|fact| *fact != 0).unwrap_or(cause)
    }

    /// Runs a store operation, files its changes as facts and lets the watchers know.
    pub(crate) fn store_with<T>(
        &mut self,
        by: Actor,
        cause: u64,
        operation: impl FnOnce(&mut setpoint_api::Store, Stamp) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let before = self.store.revision();
        let stamp = Stamp { at: self.now, fact: self.facts.count() + 1 };
        let result = operation(&mut self.store, stamp)?;
        let mut is_watched = false;
        for change in self.store.changes_after(before) {
            let (kind, id) = (change.new.kind(), change.new.id());
            let meta = change.new.metadata();
            let (namespace, name, turn) = (meta.namespace.clone(), meta.name.clone(), turn_of(change));
            let what = What::Stored { by, op: change.op, kind, turn, id, namespace, name };
            self.facts.add(self.now, cause, what);
            self.routes.note(change, &self.store);
            is_watched |= has_watchers(kind);
        }
        let revision = self.store.revision();
        // What nobody watches stays in the log until something else is delivered.
        if is_watched {
            self.queue.push(self.now.plus(self.tuning.watch_delay), Wake::Deliver { revision });
        }
        Ok(result)
    }

    /// Creates an object as the API server does: default namespace, name, admission.
    ///
    /// # Errors
    /// As `Store::create`.
    pub(crate) fn create(&mut self, mut object: Object, by: Actor, cause: u64) -> Result<ObjId, Status> {
        let kind = object.kind();
        let is_namespaced = kind.is_namespaced();
        let meta = object.metadata_mut();
        // Custom objects have been put where their definition says.
        if is_namespaced && kind != Kind::Custom && meta.namespace.is_empty() {
            meta.namespace = "default".into();
        }
        if !is_namespaced {
            meta.namespace = Str::default();
        }
        if by == Actor::Person {
            self.store.check_namespace(&object)?;
        }
        let is_unchecked = self.admit(&mut object)?;
        let generated = object.metadata().generate_name.clone().filter(|_| object.metadata().name.is_empty());
        if let Some(prefix) = generated {
            self.generate_name(&mut object, &prefix);
        }
        if by == Actor::Person || is_unchecked {
            // What controllers and kubelets make is made from objects that have been validated, and a test checks that it is
            // valid; but a template may hold what a pod may not, so the first pod of each is looked at.
            setpoint_api::validate::create(&object)?;
            self.note_valid(&object);
        }
        self.review(&object)?;
        let namespace = (kind == Kind::Namespace).then(|| object.metadata().name.clone());
        let id = self.store_with(by, cause, |store, stamp| store.create(object, stamp))?;
        if let Some(namespace) = namespace {
            self.furnish(&namespace, cause);
        }
        Ok(id)
    }

    fn generate_name(&mut self, object: &mut Object, prefix: &str) {
        // Upstream tries eight names before it gives up.
        for _ in 0..8 {
            let name: Str = format!("{prefix}{}", self.streams.name_suffix()).into();
            if self.store.id_of(object.kind(), &object.metadata().namespace, &name).is_none() {
                object.metadata_mut().name = name;
                break;
            }
        }
    }

    fn bind(&mut self, id: ObjId, node: Str, by: Actor, cause: u64) -> Result<Option<ObjId>, Status> {
        let Some(pod) = self.store.get::<Pod>(id) else {
            return Err(Status::new(Reason::NotFound, "pods not found"));
        };
        let name = pod.metadata.name.clone();
        if pod.metadata.is_deleting() {
            let message = format!(
                "Operation cannot be fulfilled on pods/binding {name:?}: pod {name} is being deleted, cannot be assigned to a host"
            );
            return Err(Status::new(Reason::Conflict, message));
        }
        if let Some(bound) = &pod.spec.node_name {
            let message = format!(
                "Operation cannot be fulfilled on pods/binding {name:?}: pod {name} is already assigned to node {bound:?}"
            );
            return Err(Status::new(Reason::Conflict, message));
        }
        let mut pod = (**pod).clone();
        pod.metadata.resource_version = 0;
        pod.spec.node_name = Some(node);
        pod.status.nominated_node_name = Str::default();
        let scheduled = Condition {
            kind: Str::fixed("PodScheduled"),
            status: ConditionStatus::True,
            last_transition_time: Some(self.now.whole_seconds()),
            observed_generation: Some(pod.metadata.generation),
            ..Condition::default()
        };
        put_condition(&mut pod.status.conditions, scheduled);
        self.store_with(by, cause, |store, stamp| {
            store.update(pod.into_object(), Scope::Binding, stamp).map(Some)
        })
    }

    fn patch(&mut self, id: ObjId, patch: Patch, by: Actor, cause: u64) -> Result<Option<ObjId>, Status> {
        let Some(object) = self.store.object(id) else {
            return Err(Status::new(Reason::NotFound, "the object is gone"));
        };
        let (object, scope) = patched(object, patch, self.now.whole_seconds());
        self.store_with(by, cause, |store, stamp| store.update(object, scope, stamp).map(Some))
    }

    pub(crate) fn name_of(&self, id: ObjId) -> Str {
        self.store.object(id).map(|object| object.metadata().name.clone()).unwrap_or_default()
    }
}

/// What a change means to people.
fn turn_of(change: &Change) -> Turn {
    let Some(old) = change.old.as_ref().filter(|_| change.op == Op::Modified) else { return Turn::Other };
    let conditions = match (old, &change.new) {
        (Object::Pod(old), Object::Pod(new)) => {
            if new.metadata.is_deleting() && !old.metadata.is_deleting() {
                return Turn::Deleting;
            }
            (&old.status.conditions, &new.status.conditions)
        }
        (Object::Node(old), Object::Node(new)) => {
            let (was, is) = (old.spec.taints.len(), new.spec.taints.len());
            if was != is {
                return if was < is { Turn::Tainted } else { Turn::Untainted };
            }
            (&old.status.conditions, &new.status.conditions)
        }
        _ => return Turn::Other,
    };
    let is_ready = |conditions| condition_status(conditions, "Ready") == ConditionStatus::True;
    match (is_ready(conditions.0), is_ready(conditions.1)) {
        (false, true) => Turn::Ready,
        (true, false) => Turn::Unready,
        _ => Turn::Other,
    }
}

/// Puts a condition in the place of the one of its type, or at the end.
pub(crate) fn put_condition(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|old| old.kind == condition.kind) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}

/// The object with the fields that a patch names changed, and which part of it the patch belongs to.
fn patched(object: &Object, patch: Patch, now: setpoint_api::Time) -> (Object, Scope) {
    let patch = match (object, patch) {
        // The most frequent patch replaces most of the object: only what stays is copied.
        (Object::Pod(pod), Patch::PodStatus(status)) => return (with_status(pod, *status), Scope::Status),
        (_, patch) => patch,
    };
    let mut object = object.clone();
    object.metadata_mut().resource_version = 0;
    let scope = apply_patch(&mut object, patch, now);
    (object, scope)
}

/// The pod with the status that its kubelet reports; what other components own in it is kept.
fn with_status(pod: &Pod, mut status: PodStatus) -> Object {
    let kept = &pod.status;
    for condition in &kept.conditions {
        if !status.conditions.iter().any(|own| own.kind == condition.kind) {
            status.conditions.push(condition.clone());
        }
    }
    status.qos_class = kept.qos_class.clone();
    status.nominated_node_name = kept.nominated_node_name.clone();
    let mut metadata = pod.metadata.clone();
    metadata.resource_version = 0;
    Pod { metadata, spec: pod.spec.clone(), status, rest: pod.rest.clone() }.into_object()
}

fn apply_patch(object: &mut Object, patch: Patch, now: setpoint_api::Time) -> Scope {
    match (object, patch) {
        (Object::Pod(pod), Patch::PodCondition(condition, nominated)) => {
            let pod = Rc::make_mut(pod);
            put_condition(&mut pod.status.conditions, condition);
            if let Some(node) = nominated {
                pod.status.nominated_node_name = node;
            }
        }
        (Object::Pod(pod), Patch::PodFailed { reason, message, condition }) => {
            let pod = Rc::make_mut(pod);
            pod.status.phase = setpoint_api::PodPhase::Failed;
            pod.status.reason = reason;
            pod.status.message = message;
            if let Some(condition) = condition {
                put_condition(&mut pod.status.conditions, condition);
            }
        }
        (Object::Node(node), Patch::NodeStatus(status)) => Rc::make_mut(node).status = *status,
        (Object::Node(node), Patch::NodeConditions(conditions)) => {
            let node = Rc::make_mut(node);
            for condition in conditions {
                put_condition(&mut node.status.conditions, condition);
            }
        }
        (Object::Node(node), Patch::NodeTaints { add, remove }) => {
            patch_taints(&mut Rc::make_mut(node).spec.taints, add, &remove, now);
            return Scope::Main;
        }
        (Object::Lease(lease), Patch::RenewLease(at)) => {
            Rc::make_mut(lease).spec.renew_time = Some(at);
            return Scope::Main;
        }
        (object, Patch::RemoveFinalizer(name)) => {
            Rc::make_mut(&mut object.metadata_mut().finalizers).retain(|finalizer| *finalizer != name);
            return Scope::Main;
        }
        (object, Patch::AddOwner(owner)) => {
            let owners = Rc::make_mut(&mut object.metadata_mut().owner_references);
            owners.retain(|old| old.uid != owner.uid);
            owners.push(owner);
            return Scope::Main;
        }
        (object, Patch::RemoveOwner(uid)) => {
            Rc::make_mut(&mut object.metadata_mut().owner_references).retain(|owner| owner.uid != uid);
            return Scope::Main;
        }
        // A patch that does not fit its object changes nothing; controllers never send one.
        _ => {}
    }
    Scope::Status
}

fn patch_taints(taints: &mut Rc<Vec<Taint>>, add: Vec<Taint>, remove: &[Taint], now: setpoint_api::Time) {
    let same = |a: &Taint, b: &Taint| a.key == b.key && a.effect == b.effect;
    let taints = Rc::make_mut(taints);
    taints.retain(|taint| !remove.iter().any(|gone| same(gone, taint)));
    for mut taint in add {
        if taints.iter().any(|old| same(old, &taint)) {
            continue;
        }
        // Only NoExecute taints need a time: it starts the clock of `tolerationSeconds`.
        if &*taint.effect == "NoExecute" {
            taint.time_added.get_or_insert(now);
        }
        taints.push(taint);
    }
}

/// Whether anybody watches a kind. Leases are read when nodes are looked at, and Events are for people.
fn has_watchers(kind: Kind) -> bool {
    concerns_proxies(kind) || setpoint_control::CONTROLLERS.iter().any(|row| row.watches.contains(&kind))
}

/// Which kinds a change of is shown to kube-proxies.
pub(crate) fn concerns_proxies(kind: Kind) -> bool {
    matches!(kind, Kind::Service | Kind::EndpointSlice)
}
