//! Objects in the short forms of the vectors.

use serde_json::{Value, json};
use setpoint_api::{Deployment, Kind, Object, Pod, ReplicaSet, Resource, Time};
use std::rc::Rc;

/// Reads an object and insists that every field fits.
pub fn read<T: Resource>(kind: Kind, value: Value) -> Rc<T> {
    let (object, errors) = Object::from_value(kind, value);
    assert_eq!(errors, [], "field errors");
    T::from_object(&object).expect("the kind that was asked for").clone()
}

/// A pod; an empty phase, which Go's zero value is, stands for none.
pub fn pod(value: &Value) -> Rc<Pod> {
    read(Kind::Pod, value.clone())
}

/// A ReplicaSet in the vectors' short form: sizes and annotations side by side.
pub fn replica_set(short: &Value) -> Rc<ReplicaSet> {
    let deleting = short["deleting"].as_bool().unwrap_or(false);
    let value = json!({
        "metadata": {
            "name": short["name"],
            "annotations": short["annotations"],
            "creationTimestamp": short["creationTimestamp"],
            "deletionTimestamp": deleting.then_some("2026-01-01T00:00:00Z"),
        },
        "spec": {"replicas": short["replicas"], "selector": {}, "template": short["template"]},
        "status": {
            "replicas": short["statusReplicas"],
            "readyReplicas": short["readyReplicas"],
            "availableReplicas": short["availableReplicas"],
        },
    });
    read(Kind::ReplicaSet, value)
}

pub fn replica_sets(list: &Value) -> Vec<Rc<ReplicaSet>> {
    list.as_array().map(|list| list.iter().map(replica_set).collect()).unwrap_or_default()
}

/// A Deployment in the vectors' short form.
pub fn deployment(short: &Value) -> Deployment {
    let name = short["name"].as_str().unwrap_or("web");
    let value = json!({
        "metadata": {"name": name, "generation": short["generation"]},
        "spec": {
            "replicas": short["replicas"],
            "selector": {},
            "template": {},
            "strategy": if short["strategy"].is_null() { json!({}) } else { short["strategy"].clone() },
            "progressDeadlineSeconds": short["progressDeadlineSeconds"],
            "revisionHistoryLimit": short["revisionHistoryLimit"],
            "paused": short["paused"],
        },
        "status": {"replicas": short["statusReplicas"]},
    });
    (*read::<Deployment>(Kind::Deployment, value)).clone()
}

pub fn time(value: &Value) -> Time {
    value.as_str().and_then(Time::parse_rfc3339).expect("a time")
}

pub fn int(value: &Value) -> i32 {
    value.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0)
}
