//! Upstream's table tests of the Job controller.

use super::{Case, forms, read};
use forms::time;
use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::wire::Wire;
use setpoint_api::{
    DeleteOptions, Job, JobSpec, Kind, Namespace, ObjId, Object, ObjectMeta, Pod, Reason, Resource, Stamp,
    Status, Store, Time,
};
use setpoint_control::job::backoff::{Record, finished_at};
use setpoint_control::job::indexes::{self, Indexes};
use setpoint_control::job::{FINALIZER, ROW, policies};
use setpoint_control::{Cx, Failure, Key, Memory, Metrics, Profile, Tuning, Write};
use std::rc::Rc;
fn int(value: &Value) -> i64 {
    i64::from(forms::int(value))
}

fn pod(value: &Value) -> Rc<Pod> {
    let mut value = value.clone();
    if value.get("metadata").is_none() {
        let keep = ["name", "namespace", "annotations", "finalizers"];
        let metadata: Value = keep
            .iter()
            .filter(|key| value.get(**key).is_some())
            .map(|key| ((*key).to_string(), value[*key].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut status = value.get("status").cloned().unwrap_or_else(|| json!({}));
        for key in ["phase", "conditions"] {
            if let Some(field) = value.get(key) {
                status[key] = field.clone();
            }
        }
        value = json!({ "metadata": metadata, "spec": value["spec"], "status": status });
    }
    for status in ["containerStatuses", "initContainerStatuses"] {
        let statuses = value["status"].get_mut(status).and_then(Value::as_array_mut);
        for status in statuses.into_iter().flatten() {
            status.as_object_mut().expect("a status").entry("name").or_insert("main".into());
        }
    }
    Rc::new(read(&value))
}

fn pods(value: &Value) -> Vec<Rc<Pod>> {
    value.as_array().into_iter().flatten().map(pod).collect()
}

/// `job-backoff`.
pub(super) fn backoff(Case { name, op, input, expect }: Case) {
    let at = |value: &Value| value.as_str().map(|_| time(value));
    match op.as_str() {
        "finishedTime" => {
            assert_eq!(finished_at(&pod(&input["pod"])), time(&expect["finished"]), "{name}")
        }
        "backoffRecord" => {
            let ended = |key: &str| -> Vec<Pod> {
                let list = input[key].as_array().cloned().unwrap_or_default();
                let made = |value: &Value| Pod {
                    metadata: ObjectMeta {
                        creation_timestamp: at(&value["finished"]),
                        ..ObjectMeta::default()
                    },
                    ..Pod::default()
                };
                list.iter().map(made).collect()
            };
            let previous = &input["previous"];
            let before = Record {
                failures: int(&previous["failuresAfterLastSuccess"]) as i32,
                last: at(&previous["lastFailureTime"]),
            };
            let (good, bad) = (ended("newlySucceeded"), ended("newlyFailed"));
            let after = before.with(&good.iter().collect::<Vec<_>>(), &bad.iter().collect::<Vec<_>>());
            assert_eq!(i64::from(after.failures), int(&expect["failuresAfterLastSuccess"]), "{name}");
            assert_eq!(after.last, at(&expect["lastFailureTime"]), "{name}");
        }
        "remainingBackoff" => {
            let record =
                Record { failures: int(&input["failures"]) as i32, last: at(&input["lastFailureTime"]) };
            let seconds = |key: &str| int(&input[key]) * SECOND;
            let now = time(&input["now"]);
            // The expectation was made with the clock of the moment, and is whole seconds.
            let left = record.remaining(now, seconds("baseSeconds"), seconds("maxSeconds"));
            let expected = int(&expect["remainingSeconds"]) * SECOND;
            assert!((expected - left).abs() <= SECOND, "{name}: {left} instead of {expected}");
        }
        other => panic!("{other}"),
    }
}

/// `job-indexes`.
pub(super) fn indexes_of_indexed_jobs(Case { name, op, input, expect }: Case) {
    let spec = JobSpec {
        completions: Some(int(&input["completions"]) as i32),
        completion_mode: "Indexed".into(),
        backoff_limit_per_index: input["backoffLimitPerIndex"].as_i64().map(|limit| limit as i32),
        ..JobSpec::default()
    };
    let text = |key: &str| input[key].as_str().unwrap_or("").to_string();
    let found = match op.as_str() {
        "succeededIndexes" => {
            let (before, now) =
                indexes::succeeded(&text("statusCompletedIndexes"), &spec, &pods(&input["pods"]));
            json!({ "previous": before.to_string(), "now": now.to_string(), "total": now.total() })
        }
        "failedIndexes" => {
            let failed = indexes::failed(&text("statusFailedIndexes"), &spec, &pods(&input["pods"]));
            json!({ "failed": failed.to_string() })
        }
        "firstPendingIndexes" => {
            let completions = spec.completions.expect("completions");
            let active = input["activeIndexes"].as_array().into_iter().flatten().map(int);
            let mut taken: setpoint_api::map::Set<i32> =
                active.filter(|index| *index >= 0).map(|index| index as i32).collect();
            let failed = Indexes::parse(&text("failedIndexes"), completions);
            taken.extend(failed.0.iter().flat_map(|(first, last)| *first..=*last));
            let taken = Indexes::parse(&text("succeededIndexes"), completions).with(&taken);
            json!({ "indexes": indexes::pending(&taken, int(&input["count"]) as usize, completions) })
        }
        other => panic!("{other}"),
    };
    let mut expect = expect;
    if op == "succeededIndexes" {
        // Upstream prints what it has read before it has merged neighbours.
        let before = expect["previous"].as_str().unwrap_or("");
        expect["previous"] = Indexes::parse(before, i32::MAX).to_string().into();
    }
    assert_eq!(found, expect, "{name}");
}

/// `job-policies`.
pub(super) fn failure_and_success_policies(Case { name, op, input, expect }: Case) {
    let policy = input["policy"].clone();
    let found = match op.as_str() {
        "podFailurePolicy" => {
            let policy = (!policy.is_null()).then(|| read(&policy));
            let verdict = policies::judge(policy.as_ref(), &pod(&input["pod"]));
            json!({ "action": verdict.action, "countFailed": verdict.counts, "message": verdict.message })
        }
        _ => {
            let spec = JobSpec {
                completions: Some(int(&input["completions"]) as i32),
                success_policy: (!policy.is_null()).then(|| read(&policy)),
                ..JobSpec::default()
            };
            let succeeded = input["succeededIndexes"].as_str().unwrap_or("");
            let met = Indexes::parse(succeeded, i32::MAX).suffice(&spec);
            json!({ "matched": met.is_some(), "message": met.unwrap_or_default() })
        }
    };
    assert_eq!(found, expect, "{name}");
}

/// A store with a Job and its pods.
struct Play {
    store: Store,
    job: ObjId,
    pods: u32,
}

impl Play {
    fn new(spec: &Value, status: Value) -> Self {
        let mut store = Store::new(7);
        let namespace = Namespace { metadata: ObjectMeta::named("", "default"), ..Namespace::default() };
        store.create(namespace.into_object(), Stamp::default()).expect("an empty store");
        let mut spec = spec.clone();
        spec["manualSelector"] = true.into();
        spec["selector"] = json!({ "matchLabels": { "job": "job" } });
        spec["template"] = json!({
            "metadata": { "labels": { "job": "job" } },
            "spec": { "restartPolicy": "Never", "containers": [{ "name": "main" }] },
        });
        let manifest = json!({
            "metadata": { "name": "job", "namespace": "default", "finalizers": ["foregroundDeletion"] },
            "spec": spec, "status": status });
        let (object, errors) = Object::from_value(Kind::Job, manifest);
        assert_eq!(errors, []);
        let job = store.create(object, Stamp::default()).expect("a new name");
        Self { store, job, pods: 0 }
    }

    fn pod(&mut self, phase: &str, is_ready: bool, index: Option<&str>, is_deleting: bool) {
        self.pods += 1;
        let uid = self.store.get::<Job>(self.job).expect("a Job").metadata.uid.to_string();
        let owner =
            json!({ "apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": uid, "controller": true });
        let mut manifest = json!({
            "metadata": {
                "name": format!("job-{}", self.pods), "namespace": "default", "labels": { "job": "job" },
                "ownerReferences": [owner], "finalizers": [FINALIZER],
            },
            "spec": { "nodeName": "n1", "containers": [{ "name": "main" }] },
            "status": { "phase": phase, "conditions": [{ "type": "Ready", "status": if is_ready { "True" } else { "False" } }] },
        });
        if let Some(index) = index {
            manifest["metadata"]["annotations"] = json!({ indexes::INDEX: index });
        }
        let (object, errors) = Object::from_value(Kind::Pod, manifest);
        assert_eq!(errors, []);
        let id = self.store.create(object, Stamp::default()).expect("a new name");
        if is_deleting {
            self.store.delete(id, DeleteOptions::default(), Stamp::default()).expect("it is there");
        }
    }
}

/// `job-sync`.
pub(super) fn one_sync(Case { name, input, expect, .. }: Case) {
    let status = input.get("initialStatus").cloned().unwrap_or_else(|| json!({}));
    let mut play = Play::new(&input["jobSpec"], status);
    let count = |key: &str| int(&input["pods"][key]);
    let ready = count("ready");
    (0..count("active")).for_each(|number| play.pod("Running", number < ready, None, false));
    (0..count("pending")).for_each(|_| play.pod("Pending", false, None, false));
    (0..count("terminating")).for_each(|_| play.pod("Running", false, None, true));
    (0..count("succeeded")).for_each(|_| play.pod("Succeeded", false, None, false));
    (0..count("failed")).for_each(|_| play.pod("Failed", false, None, false));
    for pod in input["pods"]["withIndexes"].as_array().into_iter().flatten() {
        play.pod(pod["phase"].as_str().expect("a phase"), false, pod["index"].as_str(), false);
    }
    let mut memory = Memory::default();
    let record = &input["backoffRecord"];
    if !record.is_null() {
        let failures = int(&record["failuresAfterLastSuccess"]) as i32;
        memory.job.backoff.insert(play.job, Record { failures, last: Some(Time(3600 * SECOND)) });
    }
    let tuning = Tuning::of(Profile::Real);
    let metrics = Metrics::default();
    if input["deleting"] == true {
        play.store.delete(play.job, DeleteOptions::default(), Stamp::default()).expect("it is there");
    }
    let job = play.job;
    let mut sync = |store: &Store, failure: Option<&Failure>| {
        let cx = Cx {
            view: store,
            now: Time(3600 * SECOND),
            tuning: &tuning,
            metrics: &metrics,
            failure,
            draw: 0,
        };
        (ROW.reconcile)(&cx, Key::Object(job), &mut memory)
    };
    let refusal = Failure { status: Status::new(Reason::Forbidden, "limit"), about: None };
    let is_unsettled = int(&input["unobservedExpectation"]) != 0;
    // The sync that only counts is here the one after a refusal.
    let outcome = sync(&play.store, is_unsettled.then_some(&refusal));
    let mut found = summary(play.store.get::<Job>(play.job).expect("a Job"), &outcome.writes);
    let limit = int(&input["podCreateLimit"]);
    if limit > 0 && int(&found["creations"]) > limit {
        (0..limit).for_each(|_| play.pod("Pending", false, None, false));
        let outcome = sync(&play.store, Some(&refusal));
        found = summary(play.store.get::<Job>(play.job).expect("a Job"), &outcome.writes);
        found["creations"] = limit.into();
    }
    for (key, expected) in expect.as_object().expect("expectations") {
        if key == "conditions" {
            let shown = found[key].as_array().expect("a list").iter();
            let shown: Vec<Value> = shown
                    .map(|c| json!({ "type": c["type"], "status": c["status"], "reason": c["reason"], "message": c["message"] }))
                    .collect();
            assert_eq!(&Value::from(shown), expected, "{name} {key}");
        } else {
            assert_eq!(&found[key], expected, "{name} {key}");
        }
    }
}

/// What a sync does, in the words of the vectors.
fn summary(job: &Job, writes: &[Write]) -> Value {
    let (mut creations, mut deletions, mut created, mut status) = (0, 0, Vec::new(), job.status());
    let flat = writes.iter().flat_map(|write| match write {
        Write::Together(writes) => writes.iter().collect::<Vec<_>>(),
        write => vec![write],
    });
    for write in flat {
        match write {
            Write::Create(Object::Pod(pod), _) => {
                creations += 1;
                created.extend(indexes::index_of(pod));
                assert!(pod.metadata.finalizers.iter().any(|name| &**name == FINALIZER));
            }
            Write::Delete(..) => deletions += 1,
            Write::Update(Object::Job(job), _) => status = job.status(),
            _ => {}
        }
    }
    let is_true =
        |kind: &str| status.conditions.iter().any(|c| &*c.kind == kind && c.status.as_str() == "True");
    let finished = ["Complete", "Failed"].into_iter().find(|kind| is_true(kind));
    json!({
        "creations": creations, "deletions": deletions, "createdIndexes": created, "finished": finished,
        "active": status.active, "ready": status.ready, "succeeded": status.succeeded, "failed": status.failed,
        "terminating": status.terminating, "completedIndexes": &*status.completed_indexes,
        "conditions": status.conditions.write_always(),
    })
}
