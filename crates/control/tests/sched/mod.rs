//! A cluster in which only the scheduler runs: its writes land at once, and time passes when a test says so.

#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::{Value, json};
use setpoint_api::map::Map;
use setpoint_api::*;
use setpoint_control::scheduler::ROW;
use setpoint_control::{
    ChangeCx, Cx, EventDraft, Failure, Key, Keys, Memory, Metrics, Outcome, Patch, Profile, Tuning, Write,
};
use std::rc::Rc;

pub struct Cluster {
    pub store: Store,
    pub memory: Memory,
    pub tuning: Tuning,
    pub now: Time,
    pub draw: u64,
    pub refuse_bindings: bool,
    pub hold_writes: bool,
    pub events: Vec<String>,
    pub conditions_written: u32,
    seen: u64,
    is_due: bool,
}

/// A node of 4 cores, 8Gi and 110 pods, with changes laid over it.
pub fn node(name: &str, changes: Value) -> Value {
    let room = json!({"cpu": "4", "memory": "8Gi", "pods": "110"});
    let mut node = json!({
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {"allocatable": room, "capacity": room},
    });
    overlay(&mut node, changes);
    node
}

/// A pod in `default` with a spec laid over one container without requests.
pub fn pod(name: &str, spec: Value) -> Value {
    let mut pod = json!({
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "web:1"}]},
    });
    overlay(&mut pod["spec"], spec);
    pod
}

pub fn requests(cpu: &str, memory: &str) -> Value {
    json!({"containers": [{"name": "c", "image": "web:1", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]})
}

fn overlay(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, change) in changes {
                overlay(base.entry(key).or_insert(Value::Null), change);
            }
        }
        (base, change) => *base = change,
    }
}

fn kind(value: &Value) -> Kind {
    match value["kind"].as_str() {
        Some("Node") => Kind::Node,
        Some("ReplicaSet") => Kind::ReplicaSet,
        Some("Service") => Kind::Service,
        _ => Kind::Pod,
    }
}

impl Cluster {
    pub fn new() -> Self {
        let mut cluster = Self {
            store: Store::new(7),
            memory: Memory::default(),
            tuning: Tuning::of(Profile::Real),
            now: Time(0),
            draw: 0,
            refuse_bindings: false,
            hold_writes: false,
            events: Vec::new(),
            conditions_written: 0,
            seen: 0,
            is_due: false,
        };
        let metadata = ObjectMeta::named("", "default");
        let namespace = Namespace { metadata, ..Namespace::default() };
        cluster.store.create(namespace.into_object(), Stamp::default()).unwrap();
        cluster
    }

    /// Creates an object or changes it; a pod keeps its node.
    pub fn put(&mut self, value: Value) {
        let (mut object, errors) = Object::from_value(kind(&value), value);
        assert_eq!(errors, []);
        let stamp = Stamp { at: self.now, fact: 0 };
        let meta = object.metadata();
        let Some(id) = self.store.id_of(object.kind(), &meta.namespace, &meta.name) else {
            self.store.create(object, stamp).unwrap();
            return;
        };
        object.metadata_mut().id = id;
        if let (Object::Pod(new), Some(old)) = (&mut object, self.store.get::<Pod>(id)) {
            let new = Rc::make_mut(new);
            new.spec.node_name = old.spec.node_name.clone().or(new.spec.node_name.take());
        }
        self.store.update(object.clone(), Scope::Main, stamp).unwrap();
        self.store.update(object, Scope::Status, stamp).unwrap();
    }

    /// A ReplicaSet and pods of it.
    pub fn put_set(&mut self, name: &str, pods: u64, spec: Value) {
        let selector = json!({"matchLabels": {"app": name}});
        let set = json!({"kind": "ReplicaSet", "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": selector, "template": {"spec": {"containers": []}}}});
        self.put(set);
        let uid = self.get::<ReplicaSet>("default", name).metadata.uid.to_string();
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": uid, "controller": true}]);
        for number in 0..pods {
            let mut pod = pod(&format!("{name}-{number}"), spec.clone());
            pod["metadata"]["labels"] = json!({ "app": name });
            pod["metadata"]["ownerReferences"] = owner.clone();
            self.put(pod);
        }
    }

    /// Removes an object at once, if it is there.
    pub fn remove<T: Resource>(&mut self, namespace: &str, name: &str) {
        let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        if let Some(id) = self.store.id_of(T::KIND, namespace, name) {
            self.store.delete(id, options, Stamp { at: self.now, fact: 0 }).unwrap();
        }
    }

    pub fn get<T: Resource>(&self, namespace: &str, name: &str) -> Rc<T> {
        self.store.find::<T>(namespace, name).unwrap().clone()
    }

    pub fn pods_by_node(&self) -> Map<String, usize> {
        let mut counts = Map::new();
        for node in self.store.list::<Pod>().filter_map(|pod| pod.spec.node_name.clone()) {
            *counts.entry(node.to_string()).or_default() += 1;
        }
        counts
    }

    /// Lets time pass and the scheduler work.
    pub fn pass(&mut self, time: Micros) {
        self.now = self.now.plus(time);
        self.is_due = true;
        self.run();
    }

    /// Shows the scheduler what has changed.
    pub fn notify(&mut self) {
        let changes: Vec<Change> = self.store.changes_after(self.seen).cloned().collect();
        for change in changes {
            self.seen = change.revision;
            if ROW.watches.contains(&change.new.kind()) {
                let mut keys = Keys::default();
                let cx = ChangeCx { view: &self.store, now: self.now, tuning: &self.tuning };
                (ROW.on_change)(&cx, &change, &mut self.memory, &mut keys);
                self.is_due |= !keys.0.is_empty();
            }
        }
    }

    /// Lets the scheduler work until it waits.
    pub fn run(&mut self) {
        for _ in 0..10_000 {
            self.notify();
            if !self.is_due {
                return;
            }
            self.is_due = false;
            self.reconcile(None);
        }
        panic!("the scheduler never rests");
    }

    /// Creates an object.
    pub fn create<T: Resource>(&mut self, object: T) {
        self.store.create(object.into_object(), Stamp { at: self.now, fact: 0 }).unwrap();
    }

    /// One run of the scheduler, its writes not yet landed.
    pub fn decide(&mut self) -> Outcome {
        self.decide_after(None)
    }

    /// Lands writes that must not be refused.
    pub fn land_all(&mut self, writes: Vec<Write>) {
        for write in writes {
            self.land(write).unwrap();
        }
    }

    fn decide_after(&mut self, failure: Option<&Failure>) -> Outcome {
        self.draw = self.draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let metrics = Metrics::default();
        let cx = Cx {
            view: &self.store,
            now: self.now,
            tuning: &self.tuning,
            metrics: &metrics,
            failure,
            draw: self.draw,
        };
        (ROW.reconcile)(&cx, Key::Tick, &mut self.memory)
    }

    fn reconcile(&mut self, failure: Option<&Failure>) {
        let outcome = self.decide_after(failure);
        self.is_due |= outcome.requeue_after == Some(0);
        if self.hold_writes {
            return;
        }
        for write in outcome.writes {
            if let Err(failure) = self.land(write) {
                self.reconcile(Some(&failure));
            }
        }
    }

    fn land(&mut self, write: Write) -> Result<(), Failure> {
        match write {
            Write::Event(draft) => self.record(draft),
            Write::Bind(id, _, _) if self.refuse_bindings => {
                let name = &self.store.get::<Pod>(id).unwrap().metadata.name;
                return Err(Failure {
                    status: Status::forbidden(Kind::Pod, name, "not now"),
                    about: Some(id),
                });
            }
            Write::Bind(id, node, event) => {
                self.change_pod(id, Scope::Main, |pod| pod.spec.node_name = Some(node));
                event.into_iter().for_each(|draft| self.record(draft));
            }
            Write::Patch(id, Patch::PodCondition(condition, None)) => {
                self.conditions_written += 1;
                self.change_pod(id, Scope::Status, |pod| pod.status.conditions = vec![condition]);
            }
            other => panic!("not the scheduler's: {other:?}"),
        }
        Ok(())
    }

    fn change_pod(&mut self, id: ObjId, scope: Scope, change: impl FnOnce(&mut Pod)) {
        let mut pod = Pod::clone(self.store.get::<Pod>(id).unwrap());
        change(&mut pod);
        self.store.update(pod.into_object(), scope, Stamp { at: self.now, fact: 0 }).unwrap();
    }

    fn record(&mut self, draft: EventDraft) {
        let about = self.store.object(draft.about).unwrap().metadata().full_name();
        let kind = if draft.is_warning { "Warning" } else { "Normal" };
        assert_eq!((draft.component, draft.action.is_empty()), ("default-scheduler", false));
        self.events.push(format!("{kind} {} {about}: {}", draft.reason, draft.message));
    }

    /// The same cluster with a scheduler that has just started, and has tried nothing yet.
    pub fn restarted(&self) -> Self {
        let mut fresh = Self { store: self.store.clone(), now: self.now, ..Self::new() };
        let objects: Vec<Object> = self.store.objects().cloned().collect();
        for new in objects.into_iter().filter(|object| ROW.watches.contains(&object.kind())) {
            let change = Change { revision: 0, op: Op::Added, old: None, new, stamp: Stamp::default() };
            let cx = ChangeCx { view: &fresh.store, now: fresh.now, tuning: &fresh.tuning };
            (ROW.on_change)(&cx, &change, &mut fresh.memory, &mut Keys::default());
        }
        fresh
    }
}
