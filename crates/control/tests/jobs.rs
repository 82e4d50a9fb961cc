//! Jobs with their controller alone: which end comes first, and what other people's numbers do.

mod play;

use play::Play;
use serde_json::{Value, json};
use setpoint_api::{Job, JobStatus, Kind};
use setpoint_control::job;

/// A Job, and pods of its with their indexes and phases; the status that it has after the first sync.
fn after(spec: Value, status: Value, pods: &[(i32, &str)]) -> JobStatus {
    let mut play = Play::new(vec![job::ROW]);
    let mut manifest = json!({
        "metadata": { "name": "work", "namespace": "default" },
        "spec": {
            "completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimit": 6,
            "selector": { "matchLabels": { "job": "work" } },
            "template": { "metadata": { "labels": { "job": "work" } }, "spec": { "restartPolicy": "Never", "containers": [{ "name": "c" }] } },
        },
        "status": status,
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        manifest["spec"][key] = value.clone();
    }
    let id = play.put(manifest, Kind::Job);
    let job = play.store.get::<Job>(id).expect("the Job").clone();
    let uid = job.metadata.uid.to_string();
    let labels = |key: &str| (key.to_string(), job.spec().template.metadata.labels[key].to_string());
    let labels: std::collections::BTreeMap<_, _> =
        ["job", "batch.kubernetes.io/controller-uid"].map(labels).into();
    for (index, phase) in pods {
        let key = "batch.kubernetes.io/job-completion-index";
        let counts = "batch.kubernetes.io/job-index-failure-count";
        let owner = json!({ "apiVersion": "batch/v1", "kind": "Job", "name": "work", "uid": uid, "controller": true });
        play.put(
            json!({
                "metadata": {
                    "name": format!("work-{index}"), "namespace": "default", "labels": labels,
                    "annotations": { key: index.to_string(), counts: "2147483647" },
                    "finalizers": [job::FINALIZER], "ownerReferences": [owner],
                },
                "spec": { "containers": [{ "name": "c" }] },
                "status": { "phase": phase },
            }),
            Kind::Pod,
        );
    }
    play.run_until(2, &[]);
    play.store.get::<Job>(id).expect("the Job").status()
}

fn conditions(status: &JobStatus) -> Vec<String> {
    status.conditions.iter().map(|it| format!("{} {}", it.kind, it.reason)).collect()
}

/// Upstream evaluates what fails a Job before what suffices for it.
#[test]
fn failure_comes_before_success() {
    let policy = json!({ "rules": [{ "succeededIndexes": "0" }] });
    for (limit, expected) in [
        (0, ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]),
        (1, ["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]),
    ] {
        let spec = json!({ "backoffLimit": limit, "successPolicy": policy.clone() });
        let status = after(spec, Value::Null, &[(0, "Succeeded"), (1, "Failed")]);
        assert_eq!(conditions(&status), expected, "{limit}");
    }
}

/// A status may be patched by anybody, and pods may be annotated.
#[test]
fn the_greatest_numbers_are_put_up_with() {
    let most = i32::MAX;
    let spec = json!({
        "completions": most, "parallelism": 100, "backoffLimit": most, "backoffLimitPerIndex": most, "activeDeadlineSeconds": i64::MAX,
    });
    let status = json!({
        "succeeded": most, "failed": most, "completedIndexes": "5-9", "failedIndexes": "10-2147483646",
        "startTime": "9999-12-31T23:59:59Z",
    });
    let status = after(spec, status, &[(0, "Failed"), (1, "Succeeded")]);
    assert_eq!(&*status.completed_indexes, "1,5-9");
    let spec = json!({ "completions": most });
    let status = json!({ "completedIndexes": "2147483646--2147483648,3--2,4" });
    assert_eq!(&*after(spec, status, &[(0, "Succeeded")]).completed_indexes, "0,4");
    let status = after(json!({}), json!({ "succeeded": i32::MIN, "failed": i32::MIN }), &[(0, "Failed")]);
    assert_eq!(conditions(&status), [""; 0]);
}
