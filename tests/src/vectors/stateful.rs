//! Whole lives of StatefulSets, as upstream's control loop performs them: one sync per event, deleted pods vanish at once, and
//! after each sync every pod that may becomes ready.

use super::{Case, Outcome, expect};
use serde_json::{Value, json};
use setpoint_api::map::Set;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, Kind, Namespace, ObjId, Object, ObjectMeta, Pod, PodPhase,
    Resource, Scope, Stamp, StatefulSet, Store, Time,
};
use setpoint_control::{Cx, Key, Memory, Metrics, Profile, Tuning, Write, statefulset};

struct Play {
    store: Store,
    set: ObjId,
    unready: Set<i64>,
    revisions: Vec<String>,
}

/// `statefulset-trace`.
pub(super) fn whole_lives(case: &Value) -> Outcome {
    let Case { input, expect: wanted, .. } = Case::of(case);
    let mut play = Play::new(&input);
    for (phase, wanted) in
        input["phases"].as_array().unwrap().iter().zip(wanted["phases"].as_array().unwrap())
    {
        let never = phase["ordinalsThatNeverBecomeReady"].as_array().cloned().unwrap_or_default();
        play.unready = never.iter().filter_map(Value::as_i64).collect();
        play.begin(phase);
        if wanted.is_null() {
            continue;
        }
        let events = play.run();
        let action = phase["action"].as_str().unwrap();
        expect(&format!("{action}: events"), &events, &wanted["events"])?;
        expect(&format!("{action}: pods"), &play.pods(), &wanted["finalPods"])?;
        expect(&format!("{action}: status"), &play.status(), &wanted["status"])?;
    }
    Ok(())
}

impl Play {
    fn new(input: &Value) -> Self {
        let mut store = Store::new(7);
        let namespace = Namespace { metadata: ObjectMeta::named("", "default"), ..Namespace::default() };
        store.create(namespace.into_object(), Stamp::default()).unwrap();
        let manifest = json!({
            "metadata": { "name": "db", "namespace": "default" },
            "spec": {
                "replicas": 0, "selector": { "matchLabels": { "app": "db" } }, "revisionHistoryLimit": 10,
                "podManagementPolicy": input["podManagementPolicy"], "updateStrategy": input["updateStrategy"],
                "ordinals": { "start": input["startOrdinal"] },
                "template": { "metadata": { "labels": { "app": "db" } },
                    "spec": { "containers": [{ "name": "db", "image": "db:1" }] } },
            },
        });
        let (object, errors) = Object::from_value(Kind::StatefulSet, manifest);
        assert!(errors.is_empty());
        let set = store.create(object, Stamp::default()).unwrap();
        Self { store, set, unready: Set::new(), revisions: Vec::new() }
    }

    fn set(&self) -> &StatefulSet {
        self.store.get::<StatefulSet>(self.set).unwrap()
    }

    fn change(&mut self, pointer: &str, value: Value) {
        let mut tree = Object::StatefulSet(self.set().clone().into()).to_value();
        *tree.pointer_mut(pointer).unwrap() = value;
        let (mut object, _) = Object::from_value(Kind::StatefulSet, tree);
        object.metadata_mut().id = self.set;
        object.metadata_mut().resource_version = 0;
        self.store.update(object, Scope::Main, Stamp::default()).unwrap();
    }

    fn pod(&self, ordinal: &Value) -> Pod {
        (**self.store.find::<Pod>("default", &format!("db-{ordinal}")).unwrap()).clone()
    }

    fn report(&mut self, mut pod: Pod, phase: PodPhase, is_ready: bool) {
        pod.status.phase = phase;
        let status = if is_ready { ConditionStatus::True } else { ConditionStatus::False };
        pod.status.conditions = vec![Condition { kind: "Ready".into(), status, ..Condition::default() }];
        pod.metadata.resource_version = 0;
        self.store.update(pod.into_object(), Scope::Status, Stamp::default()).unwrap();
    }

    fn begin(&mut self, phase: &Value) {
        const IMAGE: &str = "/spec/template/spec/containers/0/image";
        match phase["action"].as_str().unwrap() {
            "create" | "scale" => self.change("/spec/replicas", phase["replicas"].clone()),
            "template" => self.change(IMAGE, "db:2".into()),
            "templateBack" => self.change(IMAGE, "db:1".into()),
            "deletePod" => {
                let id = self.pod(&phase["ordinal"]).metadata.id;
                self.delete(id);
            }
            "failPod" => self.report(self.pod(&phase["ordinal"]), PodPhase::Failed, false),
            "unready" => self.report(self.pod(&phase["ordinal"]), PodPhase::Running, false),
            other => panic!("{other}"),
        }
    }

    fn delete(&mut self, id: ObjId) {
        let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        self.store.delete(id, options, Stamp::default()).unwrap();
    }

    /// Syncs until nothing happens any more.
    fn run(&mut self) -> Value {
        let mut events = Vec::new();
        for _ in 0..100 {
            let before = self.store.revision();
            let (mut created, mut deleted) = (Vec::new(), Vec::new());
            for write in self.sync() {
                self.land(write, &mut created, &mut deleted);
            }
            self.let_be_ready();
            if !created.is_empty() || !deleted.is_empty() {
                events.push(json!({ "create": created, "delete": deleted }));
            } else if self.store.revision() == before {
                return events.into();
            }
        }
        panic!("the set does not come to rest");
    }

    fn sync(&self) -> Vec<Write> {
        let (tuning, metrics) = (Tuning::of(Profile::Real), Metrics::default());
        let cx = Cx {
            view: &self.store,
            now: Time(0),
            tuning: &tuning,
            metrics: &metrics,
            failure: None,
            draw: 0,
        };
        (statefulset::ROW.reconcile)(&cx, Key::Object(self.set), &mut Memory::default()).writes
    }

    fn land(&mut self, write: Write, created: &mut Vec<Value>, deleted: &mut Vec<Value>) {
        match write {
            Write::Together(writes) => {
                writes.into_iter().for_each(|write| self.land(write, created, deleted))
            }
            Write::Create(object, _) => {
                if let Object::Pod(pod) = &object {
                    created.push(self.place(pod));
                } else {
                    self.revisions.push(object.metadata().name.to_string());
                }
                self.store.create(object, Stamp::default()).unwrap();
            }
            Write::Update(object, scope) => {
                self.store.update(object, scope, Stamp::default()).unwrap();
            }
            Write::Delete(id, ..) => {
                deleted.push(self.place(self.store.get::<Pod>(id).unwrap())["ordinal"].clone());
                self.delete(id);
            }
            other => panic!("{other:?}"),
        }
    }

    fn let_be_ready(&mut self) {
        let pods: Vec<Pod> = self.store.list::<Pod>().map(|pod| (**pod).clone()).collect();
        for pod in pods.into_iter().filter(|pod| pod.status.phase != PodPhase::Failed) {
            let ordinal = self.place(&pod)["ordinal"].as_i64().unwrap();
            // One that is ready already does not lose it by this.
            let was_ready = setpoint_control::pod::is_ready(&pod);
            let is_ready = was_ready || !self.unready.contains(&ordinal);
            self.report(pod, PodPhase::Running, is_ready);
        }
    }

    /// Ordinal and revision of a pod.
    fn place(&self, pod: &Pod) -> Value {
        let revision = pod.metadata.label("controller-revision-hash").unwrap();
        let number = self.revisions.iter().position(|name| name == revision).unwrap() + 1;
        let ordinal: i64 = pod.metadata.name.rsplit_once('-').unwrap().1.parse().unwrap();
        json!({ "ordinal": ordinal, "revision": format!("rev{number}") })
    }

    fn pods(&self) -> Value {
        let mut pods: Vec<Value> = self.store.list::<Pod>().map(|pod| self.place(pod)).collect();
        pods.sort_by_key(|pod| pod["ordinal"].as_i64());
        pods.into()
    }

    fn status(&self) -> Value {
        let status = self.set().status();
        json!({
            "replicas": status.replicas, "readyReplicas": status.ready_replicas,
            "currentReplicas": status.current_replicas, "updatedReplicas": status.updated_replicas,
        })
    }
}
