//! A cluster in which only some controllers run: writes land at once, and time passes when a test says so.

#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::{Value, json};
use setpoint_api::map::{Map, Set};
use setpoint_api::*;
use setpoint_control::{
    ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory, Metrics, Patch, Profile, Tuning, Write,
};
use std::rc::Rc;

pub const SECOND: i64 = 1_000_000;

pub struct Play {
    pub store: Store,
    pub memory: Memory,
    pub tuning: Tuning,
    pub now: Time,
    rows: Vec<Controller>,
    seen: u64,
    names: u32,
    due: Set<(Time, usize, Key)>,
    /// What happened: events and changes of nodes and pods that a test asks about, each with its time in seconds.
    pub log: Vec<String>,
}

pub fn seconds(time: Time) -> f64 {
    time.0 as f64 / SECOND as f64
}

/// A vector file's cases.
pub fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).expect("vectors are JSON");
    let cases = file["cases"].as_array().expect("vectors have cases").clone();
    assert!(!cases.is_empty());
    cases
}

pub fn read<T: Resource>(value: Value) -> T {
    let (object, errors) = Object::from_value(T::KIND, value);
    assert_eq!(errors, []);
    (**T::from_object(&object).expect("the kind was asked for")).clone()
}

pub fn wire<T: wire::Wire + Default>(value: &Value) -> T {
    let mut reader = wire::Reader::default();
    let read = T::read(value.clone(), &mut reader);
    assert_eq!(reader.errors, []);
    read
}

impl Play {
    pub fn new(rows: Vec<Controller>) -> Self {
        let mut play = Self {
            store: Store::new(7),
            memory: Memory::default(),
            tuning: Tuning::of(Profile::Real),
            now: Time(0),
            rows,
            seen: 0,
            names: 0,
            due: Set::new(),
            log: Vec::new(),
        };
        for namespace in ["default", "kube-node-lease", "test"] {
            play.put(json!({ "metadata": { "name": namespace } }), Kind::Namespace);
        }
        for (number, row) in play.rows.iter().enumerate() {
            if let Some(period) = (row.period)(&play.tuning) {
                play.due.insert((Time(period), number, Key::Tick));
            }
        }
        play
    }

    fn stamp(&self) -> Stamp {
        Stamp { at: self.now, fact: 0 }
    }

    pub fn put(&mut self, value: Value, kind: Kind) -> ObjId {
        let (object, errors) = Object::from_value(kind, value);
        assert_eq!(errors, []);
        self.create(object)
    }

    fn create(&mut self, mut object: Object) -> ObjId {
        let meta = object.metadata_mut();
        if meta.name.is_empty() {
            self.names += 1;
            meta.name = format!("{}{}", meta.generate_name.clone().unwrap_or_default(), self.names).into();
        }
        self.store.create(object, self.stamp()).expect("a test creates what can be created")
    }

    /// Changes an object as its user would.
    pub fn change<T: Resource>(&mut self, namespace: &str, name: &str, scope: Scope, f: impl FnOnce(&mut T)) {
        let mut object =
            (**self.store.find::<T>(namespace, name).expect("a test changes what is there")).clone();
        f(&mut object);
        self.store.update(object.into_object(), scope, self.stamp()).expect("nobody else writes");
        self.settle();
    }

    pub fn delete(&mut self, kind: Kind, namespace: &str, name: &str, options: DeleteOptions) {
        let id = self.store.id_of(kind, namespace, name).expect("a test deletes what is there");
        self.store.delete(id, options, self.stamp()).expect("it is there");
        self.settle();
    }

    /// Creates a node that is ready and has just been heard of.
    pub fn node(&mut self, name: &str, labels: Value) {
        self.put(json!({ "metadata": { "name": name, "labels": labels } }), Kind::Node);
        let meta = json!({ "name": name, "namespace": "kube-node-lease" });
        self.put(json!({ "metadata": meta, "spec": { "holderIdentity": name } }), Kind::Lease);
        self.report(name, ConditionStatus::True);
        self.beat(name);
    }

    /// The kubelet reports its node.
    pub fn report(&mut self, name: &str, ready: ConditionStatus) {
        let now = self.now.whole_seconds();
        self.change::<Node>("", name, Scope::Status, |node| {
            let condition = |kind: &str, status| Condition {
                kind: kind.into(),
                status,
                last_heartbeat_time: Some(now),
                last_transition_time: Some(now),
                ..Condition::default()
            };
            node.status.conditions = ["MemoryPressure", "DiskPressure", "PIDPressure"]
                .map(|k| condition(k, ConditionStatus::False))
                .into();
            node.status.conditions.push(condition("Ready", ready));
        });
    }

    /// The kubelet renews its lease.
    pub fn beat(&mut self, name: &str) {
        let now = self.now;
        self.change::<Lease>("kube-node-lease", name, Scope::Main, |lease| {
            lease.spec.renew_time = Some(MicroTime(now));
        });
    }

    /// Lets time pass until `end`; nodes in `alive` renew their leases every ten seconds.
    pub fn run_until(&mut self, end: i64, alive: &[&str]) {
        let end = Time(end * SECOND);
        self.settle();
        loop {
            let next_beat = Time((self.now.0.div_euclid(10 * SECOND) + 1) * 10 * SECOND);
            let next_due = self.due.first().map_or(Time(i64::MAX), |(at, ..)| *at);
            if next_beat.min(next_due) > end {
                break;
            }
            self.now = next_beat.min(next_due);
            if self.now == next_beat {
                alive.iter().for_each(|name| self.beat(name));
            }
            while let Some(first) = self.due.first().copied().filter(|(at, ..)| *at <= self.now) {
                self.due.remove(&first);
                let (_, row, key) = first;
                if key == Key::Tick
                    && let Some(period) = (self.rows[row].period)(&self.tuning)
                    && self.now.0 % period == 0
                {
                    self.due.insert((self.now.plus(period), row, Key::Tick));
                }
                self.reconcile(row, key);
                self.settle();
            }
        }
        self.now = end;
    }

    /// Shows all changes to all controllers until nothing changes any more.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let changes: Vec<Change> = self.store.changes_after(self.seen).cloned().collect();
            self.seen = self.store.revision();
            let mut todo: Vec<(usize, Key)> = Vec::new();
            for change in &changes {
                for (number, row) in self.rows.iter().enumerate() {
                    if !row.watches.contains(&change.new.kind()) {
                        continue;
                    }
                    let mut keys = Keys::default();
                    let cx = ChangeCx { view: &self.store, now: self.now, tuning: &self.tuning };
                    (row.on_change)(&cx, change, &mut self.memory, &mut keys);
                    for (key, delay) in keys.0 {
                        if delay > 0 {
                            self.due.insert((self.now.plus(delay), number, key));
                        } else if !todo.contains(&(number, key)) {
                            todo.push((number, key));
                        }
                    }
                }
            }
            if todo.is_empty() {
                return;
            }
            todo.into_iter().for_each(|(row, key)| self.reconcile(row, key));
        }
        panic!("the controllers do not come to rest: {:?}", self.log.last());
    }

    pub fn reconcile(&mut self, row: usize, key: Key) {
        let metrics = Metrics::default();
        let cx = Cx {
            view: &self.store,
            now: self.now,
            tuning: &self.tuning,
            metrics: &metrics,
            failure: None,
            draw: 0,
        };
        let outcome = (self.rows[row].reconcile)(&cx, key, &mut self.memory);
        if let Some(after) = outcome.requeue_after {
            self.due.insert((self.now.plus(after), row, key));
        }
        for write in outcome.writes {
            self.land(write);
        }
    }

    fn land(&mut self, write: Write) {
        let stamp = self.stamp();
        match write {
            Write::Create(object, _) => {
                self.create(object);
            }
            Write::Update(object, scope) => {
                self.store.update(object, scope, stamp).expect("nobody else writes");
            }
            Write::Patch(id, patch) => self.patch(id, patch),
            Write::Delete(id, options, _) => {
                let object = self.store.object(id).expect("controllers delete what is there");
                self.say(format!("delete {}/{}", object.kind().as_str(), object.metadata().name));
                self.store.delete(id, options, stamp).expect("it is there");
            }
            Write::Together(writes) => writes.into_iter().for_each(|write| self.land(write)),
            Write::Event(draft) => self.event(draft),
            Write::Bind(..) => unreachable!("no scheduler plays"),
        }
    }

    fn say(&mut self, what: String) {
        self.log.push(format!("{:.1} {what}", seconds(self.now)));
    }

    fn event(&mut self, draft: EventDraft) {
        let about = match (&draft.gone, self.store.object(draft.about)) {
            (_, Some(object)) => format!("{}/{}", object.kind().as_str(), object.metadata().name),
            (Some(gone), None) => format!("{}/{}", gone.kind.as_str(), gone.name),
            (None, None) => panic!("an event about nobody: {}", draft.message),
        };
        let kind = if draft.is_warning { "Warning" } else { "Normal" };
        self.say(format!("{kind} {about} {}: {}", draft.reason, draft.message));
    }

    fn patch(&mut self, id: ObjId, patch: Patch) {
        let mut object = self.store.object(id).expect("controllers patch what is there").clone();
        let name = object.metadata().name.clone();
        let mut scope = Scope::Status;
        let mut said = None;
        match (&mut object, patch) {
            (Object::Node(node), Patch::NodeConditions(conditions)) => {
                let node = Rc::make_mut(node);
                conditions.into_iter().for_each(|new| put(&mut node.status.conditions, new));
                let ready = condition_status(&node.status.conditions, "Ready");
                said = Some(format!("Node/{name} Ready={ready}"));
            }
            (Object::Node(node), Patch::NodeTaints { add, remove }) => {
                let taints = Rc::make_mut(&mut Rc::make_mut(node).spec.taints);
                let same = |a: &Taint, b: &Taint| a.key == b.key && a.effect == b.effect;
                taints.retain(|taint| !remove.iter().chain(&add).any(|other| same(taint, other)));
                taints.extend(add);
                let list: Vec<String> = taints
                    .iter()
                    .map(|t| format!("{}:{}", t.key.rsplit('/').next().unwrap_or_default(), t.effect))
                    .collect();
                said = Some(format!("Node/{name} taints [{}]", list.join(" ")));
                scope = Scope::Main;
            }
            (Object::Pod(pod), Patch::PodCondition(condition, _)) => {
                said =
                    Some(format!("Pod/{name} {}={} {}", condition.kind, condition.status, condition.reason));
                put(&mut Rc::make_mut(pod).status.conditions, condition);
            }
            (Object::Pod(pod), Patch::PodFailed { condition, .. }) => {
                let pod = Rc::make_mut(pod);
                pod.status.phase = PodPhase::Failed;
                said = Some(format!("Pod/{name} Failed {}", condition.as_ref().map_or("", |c| &*c.message)));
                condition.into_iter().for_each(|new| put(&mut pod.status.conditions, new));
            }
            (object, Patch::RemoveFinalizer(finalizer)) => {
                Rc::make_mut(&mut object.metadata_mut().finalizers).retain(|name| *name != finalizer);
                scope = Scope::Main;
            }
            (object, Patch::AddOwner(owner)) => {
                let owners = Rc::make_mut(&mut object.metadata_mut().owner_references);
                owners.retain(|old| old.uid != owner.uid);
                owners.push(owner);
                scope = Scope::Main;
            }
            (object, Patch::RemoveOwner(uid)) => {
                Rc::make_mut(&mut object.metadata_mut().owner_references).retain(|owner| owner.uid != uid);
                scope = Scope::Main;
            }
            (_, patch) => panic!("no such patch is expected here: {patch:?}"),
        }
        said.into_iter().for_each(|said| self.say(said));
        object.metadata_mut().resource_version = 0;
        self.store.update(object, scope, Stamp { at: self.now, fact: 0 }).expect("it is there");
    }

    /// Entries of the log since the last call, without their times.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }
}

fn put(conditions: &mut Vec<Condition>, new: Condition) {
    match conditions.iter_mut().find(|old| old.kind == new.kind) {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// A pod that runs on a node and is ready.
pub fn running_pod(name: &str, node: &str, tolerations: Value) -> Value {
    let ip = format!("10.0.0.{}", name.bytes().map(u32::from).sum::<u32>() % 250);
    json!({
        "metadata": { "name": name, "namespace": "test", "labels": { "app": "web" } },
        "spec": { "nodeName": node, "containers": [{ "name": "web" }], "tolerations": tolerations },
        "status": { "phase": "Running", "podIP": ip, "podIPs": [{ "ip": ip }],
                    "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

pub fn labels(pairs: &[(&str, &str)]) -> Map<Str, Str> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}
