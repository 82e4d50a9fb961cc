//! A store, the Deployment and ReplicaSet controllers side by side, and a kubelet that needs two seconds to make a pod ready and
//! one to end it. Writes land at once.

use serde_json::{Value, json};
use setpoint_api::map::{Map, Set};
use setpoint_api::time::SECOND;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, Deployment, Kind, Namespace, ObjId, Object, ObjectMeta, Pod,
    PodPhase, ReplicaSet, Resource, Scope, Stamp, Status, Store, Time,
};
use setpoint_control::{
    ChangeCx, Controller, Cx, Failure, Key, Keys, Memory, Metrics, Patch, Profile, Tuning, Write, deployment,
    replicaset,
};
use std::collections::VecDeque;
use std::rc::Rc;

const ROWS: [&Controller; 2] = [&deployment::ROW, &replicaset::ROW];

pub struct World {
    pub store: Store,
    pub now: Time,
    /// Events as `reason: message`, in order.
    pub events: Vec<String>,
    /// Images whose pods never become ready.
    pub broken: &'static str,
    /// The API server takes no more pods than this.
    pub quota: usize,
    tuning: Tuning,
    queues: [VecDeque<Key>; 2],
    timers: Set<(Time, usize, Key)>,
    seen: u64,
    named: u32,
}

impl World {
    pub fn new() -> Self {
        let mut store = Store::new(7);
        let namespace = Namespace { metadata: ObjectMeta::named("", "default"), ..Namespace::default() };
        store.create(namespace.into_object(), Stamp::default()).expect("an empty store");
        Self {
            store,
            now: Time(0),
            events: Vec::new(),
            broken: "broken",
            quota: usize::MAX,
            tuning: Tuning::of(Profile::Real),
            queues: Default::default(),
            timers: Set::new(),
            seen: 0,
            named: 0,
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp { at: self.now, fact: 0 }
    }

    /// The Deployment `web`, as stored.
    pub fn web(&self) -> Rc<Deployment> {
        self.store.find::<Deployment>("default", "web").expect("a Deployment").clone()
    }

    /// Creates the Deployment `web`; `spec` replaces upstream's defaults.
    pub fn create(&mut self, image: &str, spec: Value) {
        let mut manifest = json!({
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                },
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": image, "resources": {}}]},
                },
            },
        });
        for (key, value) in spec.as_object().into_iter().flatten() {
            manifest["spec"][key] = value.clone();
        }
        let (object, errors) = Object::from_value(Kind::Deployment, manifest);
        assert_eq!(errors, []);
        self.store.create(object, self.stamp()).expect("a new name");
        self.settle();
    }

    /// Changes the Deployment's spec or metadata, as a client does.
    pub fn edit(&mut self, change: impl FnOnce(&mut Deployment)) {
        let mut web = (*self.web()).clone();
        change(&mut web);
        self.store.update(web.into_object(), Scope::Main, self.stamp()).expect("the newest version");
        self.settle();
    }

    pub fn set_image(&mut self, image: &str) {
        self.edit(|web| {
            let spec = Rc::make_mut(&mut Rc::make_mut(&mut web.spec.template).spec);
            Rc::make_mut(&mut spec.containers)[0].image = image.into();
        });
    }

    pub fn scale(&mut self, replicas: i32) {
        self.edit(|web| web.spec.replicas = Some(replicas));
    }

    /// Lets simulated time pass.
    pub fn run(&mut self, seconds: i64) {
        let end = self.now.plus(seconds * SECOND);
        while let Some((at, what)) = self.next().filter(|(at, _)| *at <= end) {
            self.now = at.max(self.now);
            match what {
                Next::Key(controller, key) => {
                    self.timers.remove(&(at, controller, key));
                    self.queues[controller].push_back(key);
                }
                Next::Ready(id) => self.make_ready(id),
                Next::Ended(id) => {
                    let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
                    self.store.delete(id, options, self.stamp()).expect("a pod in its grace");
                }
            }
            self.settle();
        }
        self.now = end;
    }

    /// What happens next: a controller's timer, or a pod's.
    fn next(&self) -> Option<(Time, Next)> {
        let timer = self.timers.first().map(|(at, controller, key)| (*at, Next::Key(*controller, *key)));
        let pod = self.store.list::<Pod>().filter_map(|pod| {
            let meta = &pod.metadata;
            if let (Some(at), Some(grace)) = (meta.deletion_timestamp, meta.deletion_grace_period_seconds) {
                return Some((at.plus((1 - grace) * SECOND), meta.id, Next::Ended(meta.id)));
            }
            let image = pod.spec.containers.first().map(|container| container.image.clone())?;
            let starts = pod.status.phase == PodPhase::Pending && !image.contains(self.broken);
            starts.then_some((meta.creation_timestamp?.plus(2 * SECOND), meta.id, Next::Ready(meta.id)))
        });
        let pod = pod.min_by_key(|(at, id, _)| (*at, *id)).map(|(at, _, what)| (at, what));
        [timer, pod].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn make_ready(&mut self, id: ObjId) {
        let mut pod = (**self.store.get::<Pod>(id).expect("a pod")).clone();
        pod.status.phase = PodPhase::Running;
        pod.status.conditions.push(Condition {
            kind: "Ready".into(),
            status: ConditionStatus::True,
            last_transition_time: Some(self.now.whole_seconds()),
            ..Condition::default()
        });
        pod.spec.node_name = Some(format!("node-{}", id.0 % 3 + 1).into());
        let object = pod.into_object();
        self.store.update(object.clone(), Scope::Main, self.stamp()).expect("a pod");
        let mut object = object;
        object.metadata_mut().resource_version = 0;
        self.store.update(object, Scope::Status, self.stamp()).expect("a pod");
    }

    /// Runs the two controllers in turns until neither has anything to do now.
    pub fn settle(&mut self) {
        for turn in 0.. {
            assert!(turn < 10_000, "the controllers chase each other");
            self.deliver();
            if self.queues.iter().all(VecDeque::is_empty) {
                return;
            }
            let controller = turn % 2;
            if let Some(key) = self.queues[controller].pop_front() {
                self.reconcile(controller, key, None);
            }
        }
    }

    fn deliver(&mut self) {
        let (seen, mut memory) = (self.seen, Memory::default());
        self.seen = self.store.revision();
        for change in self.store.changes_after(seen) {
            for (controller, row) in ROWS.iter().enumerate() {
                if !row.watches.contains(&change.new.kind()) {
                    continue;
                }
                let mut keys = Keys::default();
                let cx = ChangeCx { view: &self.store, now: self.now, tuning: &self.tuning };
                (row.on_change)(&cx, change, &mut memory, &mut keys);
                for (key, delay) in keys.0 {
                    if delay > 0 {
                        self.timers.insert((self.now.plus(delay), controller, key));
                    } else if !self.queues[controller].contains(&key) {
                        self.queues[controller].push_back(key);
                    }
                }
            }
        }
    }

    fn reconcile(&mut self, controller: usize, key: Key, failure: Option<&Failure>) {
        let metrics = Metrics::default();
        let outcome = {
            let cx = Cx {
                view: &self.store,
                now: self.now,
                tuning: &self.tuning,
                metrics: &metrics,
                failure,
                draw: 1,
            };
            (ROWS[controller].reconcile)(&cx, key, &mut Memory::default())
        };
        let mut versions = Map::new();
        for write in outcome.writes {
            if let Err(failure) = self.land(write, &mut versions) {
                return self.reconcile(controller, key, Some(&failure));
            }
        }
        if let Some(delay) = outcome.requeue_after.or(outcome.retry.then_some(SECOND)) {
            self.timers.insert((self.now.plus(delay), controller, key));
        }
    }

    fn land(&mut self, write: Write, versions: &mut Map<ObjId, u64>) -> Result<(), Failure> {
        let stamp = self.stamp();
        let mut said = Vec::new();
        let landed = match write {
            Write::Create(object, event) => self.create_object(object).map(|(id, name)| {
                said.extend(event.map(|event| (event.reason, event.message.replace("{name}", &name))));
                Some(id)
            }),
            Write::Update(mut object, scope) => {
                if let Some(version) = versions.get(&object.id())
                    && object.metadata().resource_version != 0
                {
                    object.metadata_mut().resource_version = *version;
                }
                self.store.update(object, scope, stamp).map(Some)
            }
            Write::Delete(id, options, event) => {
                said.extend(event.map(|event| (event.reason, event.message.to_string())));
                self.store.delete(id, options, stamp).map(|()| None)
            }
            Write::Patch(id, patch) => {
                let mut object = self.store.object(id).expect("the patched object").clone();
                let owners = Rc::make_mut(&mut object.metadata_mut().owner_references);
                match patch {
                    Patch::AddOwner(owner) => owners.push(owner),
                    Patch::RemoveOwner(uid) => owners.retain(|owner| owner.uid != uid),
                    other => panic!("not a patch of these controllers: {other:?}"),
                }
                self.store.update(object, Scope::Main, stamp).map(Some)
            }
            Write::Together(writes) => {
                let failed =
                    writes.into_iter().filter_map(|write| self.land(write, versions).err()).next_back();
                return failed.map_or(Ok(()), Err);
            }
            Write::Event(event) => {
                said.push((event.reason, event.message.to_string()));
                Ok(None)
            }
            Write::Bind(..) => panic!("these controllers bind nothing"),
        };
        let id = landed.map_err(|status| Failure { status, about: None })?;
        self.events.extend(said.into_iter().map(|(reason, message)| format!("{reason}: {message}")));
        if let Some(object) = id.and_then(|id| self.store.object(id)) {
            versions.insert(object.id(), object.metadata().resource_version);
        }
        Ok(())
    }

    fn create_object(&mut self, mut object: Object) -> Result<(ObjId, String), Status> {
        if object.kind() == Kind::Pod && self.store.list::<Pod>().count() >= self.quota {
            return Err(Status::forbidden(Kind::Pod, "web", "exceeded quota"));
        }
        if let Some(prefix) = object.metadata().generate_name.clone() {
            self.named += 1;
            object.metadata_mut().name = format!("{prefix}{:05}", self.named).into();
        }
        if let Object::Pod(pod) = &mut object {
            // A pod that no node has is deleted at once; here every pod has one.
            Rc::make_mut(pod).spec.node_name = Some("node-1".into());
        }
        let name = object.metadata().name.to_string();
        self.store.create(object, self.stamp()).map(|id| (id, name))
    }

    /// The ReplicaSets in creation order.
    pub fn sets(&self) -> Vec<Rc<ReplicaSet>> {
        let mut sets: Vec<_> = self.store.list::<ReplicaSet>().cloned().collect();
        sets.sort_by_key(|set| set.metadata.id);
        sets
    }

    /// Scalings so far as `v1 0>3`, the ReplicaSets numbered in creation order; forgets them.
    pub fn scalings(&mut self) -> Vec<String> {
        let number: Map<String, usize> =
            self.sets().iter().zip(1..).map(|(set, n)| (set.metadata.name.to_string(), n)).collect();
        let mut found = Vec::new();
        for event in std::mem::take(&mut self.events) {
            let Some(text) = event.strip_prefix("ScalingReplicaSet: Scaled ") else { continue };
            let words: Vec<&str> = text.split(' ').collect();
            let [direction, "replica", "set", name, "from", from, "to", to] = words[..] else {
                panic!("unknown event text: {event}")
            };
            assert_eq!(direction == "up", from.parse::<i32>().ok() < to.parse::<i32>().ok(), "{event}");
            found.push(format!("v{} {from}>{to}", number[name]));
        }
        found
    }

    /// A condition of the Deployment as `status reason`.
    pub fn condition(&self, kind: &str) -> String {
        let web = self.web();
        let found = setpoint_api::condition(&web.status.conditions, kind);
        found.map(|c| format!("{} {}", c.status, c.reason)).unwrap_or_default()
    }
}

enum Next {
    Key(usize, Key),
    Ready(ObjId),
    Ended(ObjId),
}
