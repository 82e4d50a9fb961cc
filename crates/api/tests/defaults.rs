//! Defaults beyond the vectors.

mod support;

use serde_json::{Value, json};
use setpoint_api::{Object, default};
use support::object;

#[test]
fn defaults_beyond_the_vectors() {
    let pod =
        |spec: Value| json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": spec });
    let deployment = |spec: Value| {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" },
                "spec": { "template": { "spec": spec } } })
    };
    let image = |image: &str| json!({ "containers": [{ "name": "c", "image": image }] });
    let policy = "/spec/containers/0/imagePullPolicy";
    let limits = json!({ "containers": [{ "name": "c", "resources": { "limits": { "cpu": "1500u" } } }] });
    let ports =
        json!({ "hostNetwork": true, "containers": [{ "name": "c", "ports": [{ "containerPort": 80 }] }] });
    let volumes = json!({ "containers": [], "volumes": [
        { "name": "a", "configMap": { "name": "x" } }, { "name": "b", "secret": { "secretName": "y", "defaultMode": 256 } },
        { "name": "c", "hostPath": { "path": "/z" } }] });
    let env = json!({ "containers": [{ "name": "c", "env": [
        { "name": "IP", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } }] }] });
    let cases = [
        (pod(image("nginx:latest@sha256:00")), policy, json!("Always")),
        (pod(image("registry:5000/nginx")), policy, json!("Always")),
        (pod(image("registry:5000/nginx:1")), policy, json!("IfNotPresent")),
        (pod(limits.clone()), "/spec/containers/0/resources/requests/cpu", json!("2m")),
        (
            deployment(limits.clone()),
            "/spec/template/spec/containers/0/resources",
            json!({ "limits": { "cpu": "2m" } }),
        ),
        (pod(ports.clone()), "/spec/containers/0/ports/0/hostPort", json!(80)),
        (
            deployment(ports),
            "/spec/template/spec/containers/0/ports/0",
            json!({ "containerPort": 80, "protocol": "TCP" }),
        ),
        (
            deployment(json!({ "terminationGracePeriodSeconds": -1 })),
            "/spec/template/spec/terminationGracePeriodSeconds",
            json!(-1),
        ),
        (pod(volumes.clone()), "/spec/volumes/0/configMap/defaultMode", json!(420)),
        (pod(volumes.clone()), "/spec/volumes/1/secret/defaultMode", json!(256)),
        (pod(volumes), "/spec/volumes/2/hostPath/type", json!("")),
        (pod(env), "/spec/containers/0/env/0/valueFrom/fieldRef/apiVersion", json!("v1")),
    ];
    for (manifest, pointer, expected) in cases {
        let mut defaulted = object(&manifest);
        default::apply(&mut defaulted);
        let found = defaulted.to_value();
        assert_eq!(found.pointer(pointer), Some(&expected), "{pointer} of {manifest}");
    }
}

#[test]
fn what_is_complete_stays_shared() {
    let mut first = object(
        &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": {
        "volumes": [{ "name": "v" }], "containers": [{ "name": "c", "image": "x", "resources": { "limits": { "cpu": "1" } } }] } }),
    );
    default::apply(&mut first);
    let mut second = first.clone();
    default::apply(&mut second);
    let (Object::Pod(first), Object::Pod(second)) = (&first, &second) else { panic!("pods") };
    assert!(std::rc::Rc::ptr_eq(&first.spec.containers, &second.spec.containers));
    let (first, second) = (first.spec.rest.as_ref().unwrap(), second.spec.rest.as_ref().unwrap());
    assert!(std::rc::Rc::ptr_eq(first, second));
}
