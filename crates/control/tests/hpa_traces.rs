//! The autoscaler against recordings of a real control plane, sync by sync, through the store and its writes.

use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, Condition, ConditionStatus, DeleteOptions, Deployment, HorizontalPodAutoscaler, Kind, ObjId,
    Object, ObjectMeta, Op, Pod, PodPhase, Resource, Scope, Stamp, Status, Store, Str, Time,
};
use setpoint_control::hpa::{self, Decision, Stabilization};
use setpoint_control::{
    ChangeCx, Cx, Failure, Key, Keys, Memory, Metrics, Outcome, PodMetrics, Profile, Tuning, Write,
};
use std::rc::Rc;

/// A Deployment whose pods start in 2 s, an autoscaler, and a metrics server, as in the recordings.
struct World {
    store: Store,
    memory: Memory,
    tuning: Tuning,
    now: Time,
    deployment: Option<ObjId>,
    autoscaler: ObjId,
    ready_delay: i64,
    /// One of the moments of sampling, 15 s apart; `None` samples at every sync.
    sampled_at: Option<Time>,
    /// Creation time of each pod, oldest first.
    pods: Vec<(ObjId, Time)>,
}

/// What one sync did.
struct Sync {
    outcome: Outcome,
    events: Vec<(bool, String, String)>,
}

fn micros(seconds: &Value) -> Time {
    Time((seconds.as_f64().expect("seconds") * 1e6).round() as i64)
}

fn object(kind: Kind, value: Value) -> Object {
    let (object, errors) = Object::from_value(kind, value);
    assert!(errors.is_empty(), "{errors:?}");
    object
}

impl World {
    fn new(case: &Value, spec: Value) -> Self {
        let mut store = Store::new(1);
        let metadata = ObjectMeta::named("", "i");
        let namespace = setpoint_api::Namespace { metadata, ..Default::default() };
        store.create(namespace.into_object(), Stamp::default()).expect("namespace");
        let name = case["name"].as_str().expect("name");
        let requests = match case["cpu"].as_str() {
            Some("") | None => json!({}),
            Some(cpu) => json!({"requests": {"cpu": cpu, "memory": "64Mi"}}),
        };
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [
            {"name": name, "image": "nginx:1.27", "resources": requests}]}});
        let deployment = json!({"metadata": {"name": name, "namespace": "i"}, "spec": {
            "replicas": case["replicas"], "selector": {"matchLabels": {"app": name}}, "template": template}});
        let exists = case.get("replicas").is_some();
        let deployment = exists.then(|| {
            store.create(object(Kind::Deployment, deployment), Stamp::default()).expect("deployment")
        });
        let autoscaler = json!({"metadata": {"name": name, "namespace": "i"}, "spec": spec});
        let autoscaler = object(Kind::HorizontalPodAutoscaler, autoscaler);
        let autoscaler = store.create(autoscaler, Stamp::default()).expect("autoscaler");
        let mut world = Self {
            store,
            memory: Memory::default(),
            tuning: Tuning::of(Profile::Real),
            now: case.get("podsAt").map_or(Time(100_000), micros),
            deployment,
            autoscaler,
            ready_delay: case["readyDelay"].as_i64().unwrap_or(0) * SECOND,
            sampled_at: case.get("sampledAt").map(micros),
            pods: Vec::new(),
        };
        world.fit_pods();
        world
    }

    /// Creates and deletes pods as the Deployment asks.
    fn fit_pods(&mut self) {
        let Some(deployment) = self.deployment.and_then(|id| self.store.get::<Deployment>(id)).cloned()
        else {
            return;
        };
        let want = deployment.spec.replicas.unwrap_or(1) as usize;
        let stamp = Stamp { at: self.now, fact: 0 };
        while self.pods.len() > want {
            let (id, _) = self.pods.pop().expect("a pod");
            self.store.delete(id, DeleteOptions::default(), stamp).expect("deletes");
        }
        while self.pods.len() < want {
            let mut pod = Pod::default();
            let number = self.store.revision();
            pod.metadata = ObjectMeta::named("i", &format!("{}-{number}", deployment.metadata.name));
            pod.metadata.labels = deployment.spec.template.metadata.labels.clone();
            pod.spec = (*deployment.spec.template.spec).clone();
            pod.status.start_time = Some(self.now.whole_seconds());
            let id = self.store.create(pod.into_object(), stamp).expect("creates");
            self.pods.push((id, self.now));
        }
    }

    /// Brings the pods' status up to date and samples their usage.
    fn run_pods(&mut self, load: impl Fn(i64) -> i64) -> Metrics {
        let mut metrics = Metrics::default();
        let age = self.sampled_at.map_or(0, |at| self.now.since(at).rem_euclid(15 * SECOND));
        let last_sample = self.now.plus(-age);
        let ready_after = 2 * SECOND + self.ready_delay;
        let ready = self.pods.iter().filter(|(_, made)| made.plus(ready_after) <= self.now).count();
        for (id, made) in self.pods.clone() {
            let Some(pod) = self.store.get::<Pod>(id) else { continue };
            let mut pod = Pod::clone(pod);
            let running_at = made.plus(2 * SECOND);
            let ready_at = made.plus(ready_after);
            let is_ready = ready_at <= self.now;
            if running_at <= self.now {
                pod.status.phase = PodPhase::Running;
            }
            let since = if is_ready { ready_at } else { made };
            let status = if is_ready { ConditionStatus::True } else { ConditionStatus::False };
            let last_transition_time = Some(since.whole_seconds());
            pod.status.conditions =
                vec![Condition { kind: "Ready".into(), status, last_transition_time, ..Default::default() }];
            let name: Str = pod.spec.containers.first().map(|c| c.name.clone()).unwrap_or_default();
            let stamp = Stamp { at: self.now, fact: 0 };
            self.store.update(pod.into_object(), Scope::Status, stamp).expect("updates");
            if last_sample.since(running_at) >= 14 * SECOND {
                let containers = vec![(name, load(ready as i64), 20 << 20)];
                let sample =
                    PodMetrics { at: last_sample, window: 14 * SECOND, containers, requests_milli: 0 };
                metrics.pods.insert(id.0, sample);
            }
        }
        metrics
    }

    fn reconcile(&mut self, metrics: &Metrics, failure: Option<&Failure>) -> Outcome {
        let cx = Cx { view: &self.store, now: self.now, tuning: &self.tuning, metrics, failure, draw: 0 };
        (hpa::ROW.reconcile)(&cx, Key::Object(self.autoscaler), &mut self.memory)
    }

    /// One sync with its writes landing at once.
    fn sync(&mut self, load: impl Fn(i64) -> i64) -> Sync {
        let metrics = self.run_pods(load);
        let outcome = self.reconcile(&metrics, None);
        let mut events = Vec::new();
        for write in &outcome.writes {
            match write {
                Write::Update(object, scope) => {
                    let stamp = Stamp { at: self.now, fact: 0 };
                    self.store.update(object.clone(), *scope, stamp).expect("lands");
                }
                Write::Event(event) => {
                    events.push((event.is_warning, event.reason.to_string(), event.message.to_string()));
                }
                other => panic!("an unexpected write: {other:?}"),
            }
        }
        self.fit_pods();
        Sync { outcome, events }
    }

    fn hpa(&self) -> &Rc<HorizontalPodAutoscaler> {
        self.store.get(self.autoscaler).expect("the autoscaler")
    }

    fn decision(&self) -> &Decision {
        self.memory.hpa.decision(self.autoscaler).expect("a decision")
    }

    fn replicas(&self) -> i32 {
        let deployment = self.deployment.and_then(|id| self.store.get::<Deployment>(id));
        deployment.and_then(|deployment| deployment.spec.replicas).expect("replicas")
    }
}

/// The share of each pod, rounded up as the recordings' metrics server did.
fn shared(milli: i64) -> impl Fn(i64) -> i64 {
    move |ready| (milli + ready - 1) / ready.max(1)
}

fn without_pod_names(message: &str) -> String {
    match message.split_once("of Pod ") {
        Some((before, _)) => format!("{before}of Pod POD"),
        None => message.to_string(),
    }
}

/// The status as the recordings list it.
fn status_of(hpa: &HorizontalPodAutoscaler) -> Value {
    let status = &hpa.status;
    let condition = |c: &Condition| {
        let message = without_pod_names(&c.message);
        json!({"type": &*c.kind, "status": c.status.as_str(), "reason": &*c.reason, "message": message})
    };
    let conditions: Vec<Value> = status.conditions.iter().map(condition).collect();
    let mut value = json!({"conditions": conditions, "desiredReplicas": status.desired_replicas,
        "metrics": status.current_metrics.len()});
    if status.current_replicas != 0 {
        value["currentReplicas"] = status.current_replicas.into();
    }
    if let Some(resource) = status.current_metrics.first().and_then(|metric| metric.resource.as_ref()) {
        let average = resource.current.average_value.map(|value| value.to_string());
        value["averageValue"] = average.into();
        value["averageUtilization"] = resource.current.average_utilization.into();
    }
    value
}

/// Statuses when they changed and events, as the recordings list them.
fn play(case: &Value) -> (Vec<Value>, Vec<Value>) {
    let spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": case["name"]},
        "minReplicas": case["min"], "maxReplicas": case["max"],
        "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": case["target"]}}}]});
    let mut world = World::new(case, spec);
    let sync_period = world.tuning.hpa_sync;
    world.now = micros(&case["createdAt"]).plus(sync_period);
    let (mut statuses, mut events) = (Vec::new(), Vec::new());
    let mut last = Value::Null;
    for n in 1..=case["syncs"].as_i64().expect("syncs") {
        let loads = case["loads"].as_array().expect("loads");
        let load = loads.iter().rev().find(|load| micros(&load[0]) <= world.now);
        let load = load.map(|load| load[1].as_i64().expect("a load"));
        let usage = case["usage"].as_i64().unwrap_or(0);
        let per_pod = |ready: i64| load.map_or(usage, |load| shared(load)(ready));
        let sync = world.sync(per_pod);
        for (is_warning, reason, message) in sync.events {
            let kind = if is_warning { "Warning" } else { "Normal" };
            events.push(json!([n, kind, reason, without_pod_names(&message)]));
        }
        let mut status = status_of(world.hpa());
        if status != last {
            last = status.clone();
            status["n"] = n.into();
            statuses.push(status);
        }
        world.now = world.now.plus(sync.outcome.requeue_after.expect("comes back"));
    }
    (statuses, events)
}

#[test]
fn recordings_are_repeated() {
    let file: Value = serde_json::from_str(include_str!("vectors/hpa-traces.json")).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let what = format!("{} {}", case["trace"], case["name"]);
        let (statuses, events) = play(case);
        let (want_statuses, want_events) = (case["statuses"].as_array(), case["events"].as_array());
        assert_eq!(Some(&events), want_events, "events of {what}");
        for (got, want) in statuses.iter().zip(want_statuses.expect("statuses")) {
            assert_eq!(got, want, "status of {what}");
        }
        assert_eq!(Some(statuses.len()), want_statuses.map(Vec::len), "statuses of {what}");
    }
}

fn world(replicas: i32, behavior: Value) -> World {
    let case = json!({"name": "web", "replicas": replicas, "cpu": "200m"});
    let spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 3, "maxReplicas": 20, "behavior": behavior,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 70}}}]});
    let mut world = World::new(&case, spec);
    world.now = Time(600 * SECOND);
    world
}

/// Sizes after each sync until `syncs` are done, repeats left out.
fn sizes(world: &mut World, milli: i64, syncs: usize) -> Vec<i32> {
    let mut sizes = vec![world.replicas()];
    for _ in 0..syncs {
        // Pods are old enough to count: this is about the limits, not about young pods.
        for (_, made) in &mut world.pods {
            *made = Time(0);
        }
        let sync = world.sync(shared(milli));
        sizes.push(world.replicas());
        world.now = world.now.plus(sync.outcome.requeue_after.expect("comes back"));
    }
    sizes.dedup();
    sizes
}

#[test]
fn policies_of_behavior_set_the_speed() {
    let down = json!({"stabilizationWindowSeconds": 60,
        "policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]});
    let mut world = world(3, json!({"scaleDown": down}));
    assert_eq!(sizes(&mut world, 4000, 8), [3, 7, 14, 20]);
    let limited = |world: &World| world.hpa().status.conditions.last().map(|c| c.reason.to_string());
    assert_eq!(limited(&world).as_deref(), Some("TooManyReplicas"));
    assert_eq!(sizes(&mut world, 300, 40), [20, 18, 16, 14, 12, 10, 8, 6, 4, 3]);
}

#[test]
fn the_first_look_is_one_period_after_creation() {
    let mut world = world(3, Value::Null);
    let new = world.store.object(world.autoscaler).expect("autoscaler").clone();
    let cx = ChangeCx { view: &world.store, now: world.now, tuning: &world.tuning };
    let mut keys = Keys::default();
    for op in [Op::Added, Op::Modified] {
        let change = Change { revision: 1, op, old: None, new: new.clone(), stamp: Stamp::default() };
        (hpa::ROW.on_change)(&cx, &change, &mut world.memory, &mut keys);
    }
    assert_eq!(keys.0, [(Key::Object(world.autoscaler), 15 * SECOND)]);
}

#[test]
fn a_decision_shows_its_arithmetic_and_its_window() {
    let mut world = world(3, Value::Null);
    sizes(&mut world, 480, 1);
    assert_eq!(world.decision().ratio, "3 × 80/70 = 3.43 → 4");
    let decision = world.decision();
    assert_eq!((decision.proposed, decision.final_replicas), (4, 4));
    assert_eq!(decision.reason, "cpu resource utilization (percentage of request) above target");
    sizes(&mut world, 480, 1);
    let held_since = world.decision().at;
    assert_eq!(world.decision().ratio, "4 × 60/70 = 3.43 → 4");
    sizes(&mut world, 200, 1);
    let decision = world.decision();
    assert_eq!((decision.proposed, decision.after_stabilization, decision.final_replicas), (2, 4, 4));
    let until = held_since.plus(world.tuning.hpa_downscale_stabilization);
    assert_eq!(decision.stabilization, Some(Stabilization { until, holding: 4 }));
    assert_eq!(sizes(&mut world, 200, 18), [4]);
    assert!(world.decision().at <= until && world.now > until);
    assert_eq!(sizes(&mut world, 200, 1), [4, 3]);
    assert_eq!(world.decision().stabilization, None);
}

#[test]
fn a_refused_change_is_reported_and_not_remembered() {
    let mut world =
        world(3, json!({"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 600}]}}));
    for (_, made) in &mut world.pods {
        *made = Time(0);
    }
    let metrics = world.run_pods(shared(4000));
    let first = world.reconcile(&metrics, None);
    assert!(matches!(first.writes.first(), Some(Write::Update(Object::Deployment(_), Scope::Main))));
    let status = Status::conflict(Kind::Deployment, "web");
    let failure = Failure { status: status.clone(), about: world.deployment };
    let second = world.reconcile(&metrics, Some(&failure));
    let [Write::Event(event), Write::Update(Object::HorizontalPodAutoscaler(hpa), Scope::Status)] =
        &second.writes[..]
    else {
        panic!("an event and a status: {:?}", second.writes);
    };
    assert_eq!(event.reason, "FailedRescale");
    let reason = "cpu resource utilization (percentage of request) above target";
    assert_eq!(event.message, format!("New size: 4; reason: {reason}; error: {status}"));
    let able = setpoint_api::condition(&hpa.status.conditions, "AbleToScale").expect("a condition");
    assert_eq!((able.status, &*able.reason), (ConditionStatus::False, "FailedUpdateScale"));
    assert_eq!((hpa.status.desired_replicas, hpa.status.last_scale_time), (0, None));
    // The change that did not happen does not use up the period of its policy, the one that does happen does.
    assert_eq!(sizes(&mut world, 4000, 3), [3, 4]);
}

#[test]
fn two_autoscalers_on_one_target_are_refused() {
    let mut world = world(3, Value::Null);
    let first = world.autoscaler;
    let mut twin = HorizontalPodAutoscaler::clone(world.hpa());
    twin.metadata = ObjectMeta::named("i", "twin");
    let twin = world.store.create(twin.into_object(), Stamp::default()).expect("creates");
    sizes(&mut world, 420, 1);
    world.autoscaler = twin;
    sizes(&mut world, 420, 1);
    let active = setpoint_api::condition(&world.hpa().status.conditions, "ScalingActive").cloned();
    let text = "pods by selector app=web are controlled by multiple HPAs: [{twin i} {web i}]";
    assert_eq!(
        active.map(|c| (c.reason.to_string(), c.message.to_string())),
        Some(("AmbiguousSelector".into(), text.into()))
    );
    let stamp = Stamp::default();
    world.store.delete(twin, DeleteOptions::default(), stamp).expect("deletes");
    world.reconcile(&Metrics::default(), None);
    assert!(world.memory.hpa.decision(twin).is_none());
    world.autoscaler = first;
    sizes(&mut world, 420, 1);
    assert_eq!(world.decision().error, None);
}

#[test]
fn metrics_without_an_adapter_fail_as_on_a_real_cluster() {
    let target = json!({"type": "AverageValue", "averageValue": "10"});
    let value = json!({"type": "Value", "value": "10"});
    let whose = json!({"kind": "Service", "name": "web"});
    let custom = "unable to fetch metrics from custom metrics API: \
                  no custom metrics API (custom.metrics.k8s.io) registered";
    let external = "unable to fetch metrics from external metrics API: \
                    the server could not find the requested resource (get qps.external.metrics.k8s.io)";
    let selector = "&LabelSelector{MatchLabels:map[string]string{q: a,},\
                    MatchExpressions:[]LabelSelectorRequirement{},}";
    for (metric, reason, message) in [
        (
            json!({"type": "Pods", "pods": {"metric": {"name": "qps"}, "target": target}}),
            "FailedGetPodsMetric",
            format!("unable to get metric qps: {custom}"),
        ),
        (
            json!({"type": "Object", "object": {"metric": {"name": "qps"}, "describedObject": whose, "target": value}}),
            "FailedGetObjectMetric",
            format!("unable to get metric qps: Service on i web/{custom}"),
        ),
        (
            json!({"type": "External", "external": {"metric": {"name": "qps",
                "selector": {"matchLabels": {"q": "a"}}}, "target": value}}),
            "FailedGetExternalMetric",
            format!("unable to get external metric i/qps/{selector}: {external}"),
        ),
    ] {
        let case = json!({"name": "web", "replicas": 3, "cpu": "200m"});
        let spec = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 20, "metrics": [metric]});
        let mut world = World::new(&case, spec);
        world.now = Time(600 * SECOND);
        let sync = world.sync(shared(300));
        let first = sync.events.first().cloned();
        assert_eq!(first, Some((true, reason.to_string(), message)));
        assert_eq!(sync.events.len(), 2);
    }
}
