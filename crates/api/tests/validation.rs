//! Validation against recorded verdicts of upstream's own code and recorded complaints of kubectl.

mod support;

use serde_json::{Value, json};
use setpoint_api::validate::{self, Cause};
use setpoint_api::{Object, Reason, default, manifest};
use support::{merge, object, run};

fn defaulted(value: &Value) -> Object {
    let mut object = object(value);
    default::apply(&mut object);
    object
}

#[test]
fn complaints_are_upstreams() {
    run("invalid-manifests.json", &[], |case| {
        let read = |text: &Value| {
            let mut objects = manifest::read(text.as_str().unwrap()).expect("a manifest").into_iter();
            let mut object = objects.next().expect("an object");
            if object.kind().is_namespaced() && object.metadata().namespace.is_empty() {
                object.metadata_mut().namespace = "p".into();
            }
            default::apply(&mut object);
            object
        };
        let new = read(&case["manifest"]);
        let causes = match &case["before"] {
            Value::Null => validate::create_causes(&new),
            before => validate::update_causes(&read(before), &new),
        };
        let found = json!(causes.iter().map(Cause::to_string).collect::<Vec<_>>());
        if found == case["causes"] { Ok(()) } else { Err(format!("{found}, expected {}", case["causes"])) }
    });
}

#[test]
fn a_refusal_says_everything_once() {
    let metric = json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "web" }, "maxReplicas": 3, "metrics": [{ "type": "Odd" }] } });
    let status = validate::create(&defaulted(&metric)).unwrap_err();
    assert_eq!(status.reason, Reason::Invalid);
    let expected = "HorizontalPodAutoscaler.autoscaling \"web\" is invalid: spec.metrics[0].type: Unsupported value: \
                    \"Odd\": supported values: \"ContainerResource\", \"External\", \"Object\", \"Pods\", \"Resource\"";
    assert_eq!(status.message, expected);
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": "default" },
        "spec": { "ports": [{ "port": 80 }, { "port": 81 }] } });
    assert_eq!(
        validate::create(&defaulted(&service)).unwrap_err().message,
        "Service \"s\" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]"
    );
}

/// A Service, a Pod, a Node and others with one thing wrong each: fields merged into a valid one, and the complaint.
fn texts() -> Vec<(Value, &'static str)> {
    let with = |base: &Value, fields: Value| {
        let mut out = base.clone();
        merge(&mut out, fields);
        out
    };
    let meta = json!({ "name": "a", "namespace": "default" });
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta,
        "spec": { "containers": [{ "name": "c", "image": "x:1" }] } });
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": { "ports": [{ "port": 80 }] } });
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n" } });
    let container = |fields: Value| {
        let mut container = json!({ "name": "c", "image": "x:1" });
        merge(&mut container, fields);
        json!({ "spec": { "containers": [container] } })
    };
    let taints = |taints: Value| json!({ "spec": { "taints": taints } });
    vec![
        (
            with(&pod, container(json!({ "image": " x:1" }))),
            "spec.containers[0].image: Invalid value: \" x:1\": must not have leading or trailing whitespace",
        ),
        (
            with(
                &pod,
                container(
                    json!({ "ports": [{ "containerPort": 80, "hostPort": 1 }, { "containerPort": 81, "hostPort": 1 }] }),
                ),
            ),
            "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//1\"",
        ),
        (
            with(&pod, container(json!({ "resources": { "requests": { "storage": "1" } } }))),
            "spec.containers[0].resources.requests[storage]: Invalid value: \"storage\": must be a standard resource for containers",
        ),
        (
            with(&pod, container(json!({ "resources": { "requests": { "memory": "-1Mi" } } }))),
            "spec.containers[0].resources.requests[memory]: Invalid value: \"-1Mi\": must be greater than or equal to 0",
        ),
        (
            with(&pod, container(json!({ "resources": { "requests": { "example.com/gpu": "1" } } }))),
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            with(&pod, container(json!({ "lifecycle": { "preStop": { "sleep": { "seconds": 31 } } } }))),
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
        (
            with(&pod, container(json!({ "livenessProbe": { "httpGet": { "port": 0 } } }))),
            "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            with(&pod, container(json!({ "env": [{ "name": "a=b", "value": "1" }] }))),
            "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
        ),
        (
            with(
                &pod,
                json!({ "spec": { "tolerations": [{ "key": "a", "operator": "Exists", "tolerationSeconds": 5 }] } }),
            ),
            "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
        (
            with(
                &pod,
                json!({ "metadata": { "annotations": { "controller.kubernetes.io/pod-deletion-cost": "+1" } } }),
            ),
            "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+1\": must be a 32bit integer",
        ),
        (
            with(&pod, json!({ "metadata": { "finalizers": ["odd"] } })),
            "metadata.finalizers[0]: Invalid value: \"odd\": name is neither a standard finalizer name nor is it fully qualified",
        ),
        (
            with(&service, json!({ "spec": { "clusterIP": "here" } })),
            "spec.clusterIPs[0]: Invalid value: \"here\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        (
            with(&service, json!({ "spec": { "type": "NodePort", "clusterIP": "None" } })),
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
        ),
        (
            with(&service, json!({ "spec": { "externalTrafficPolicy": "Local" } })),
            "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services",
        ),
        (
            with(
                &service,
                json!({ "spec": { "ports": [{ "port": 80, "name": "a" }, { "port": 80, "name": "b" }] } }),
            ),
            "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,\"NodePort\":0}",
        ),
        (with(&node, taints(json!([{ "key": "a" }]))), "metadata.taints[0].effect: Required value"),
        (
            with(
                &node,
                taints(
                    json!([{ "key": "a", "effect": "NoExecute" }, { "key": "a", "value": "b", "effect": "NoExecute" }]),
                ),
            ),
            "metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"b\",\"Effect\":\"NoExecute\",\"TimeAdded\":null}: taints must be unique by key and effect pair",
        ),
        (
            json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": { "leaseDurationSeconds": 0 } }),
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        ),
        (
            json!({ "apiVersion": "v1", "kind": "Event", "metadata": meta, "involvedObject": { "namespace": "b" } }),
            "involvedObject.namespace: Invalid value: \"b\": does not match event.namespace",
        ),
        (
            json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv5", "endpoints": [] }),
            "addressType: Unsupported value: \"IPv5\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"",
        ),
        (
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "generateName": "A-", "namespace": "default" }, "spec": pod["spec"] }),
            "metadata.generateName: Invalid value: \"A-\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    ]
}

#[test]
fn complaints_beyond_the_vectors() {
    for (manifest, expected) in texts() {
        let found: Vec<String> =
            validate::create_causes(&defaulted(&manifest)).iter().map(Cause::to_string).collect();
        assert_eq!(found, [expected], "{manifest}");
    }
}

#[test]
fn changes_that_are_refused() {
    let meta = json!({ "name": "a", "namespace": "default" });
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta,
        "spec": { "containers": [{ "name": "c", "image": "x:1" }], "activeDeadlineSeconds": 10,
                  "tolerations": [{ "key": "a", "operator": "Exists", "effect": "NoExecute" }] } });
    let gated = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta,
        "spec": { "containers": [{ "name": "c", "image": "x:1" }], "nodeSelector": { "disk": "ssd" },
                  "schedulingGates": [{ "name": "a/b" }, { "name": "a/c" }] } });
    let rules = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
        { "matchExpressions": [{ "key": "zone", "operator": "Exists" }] }] } } });
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": meta,
        "spec": { "clusterIP": "10.96.0.9", "ports": [{ "port": 80 }] } });
    let cases = [
        (&gated, json!({ "spec": { "schedulingGates": null } }), None),
        (&gated, json!({ "spec": { "schedulingGates": [{ "name": "a/c" }], "affinity": rules } }), None),
        (&gated, json!({ "spec": { "nodeSelector": { "disk": "ssd", "zone": "a" } } }), None),
        (
            &gated,
            json!({ "spec": { "nodeSelector": { "disk": "hdd" } } }),
            Some(
                "spec.nodeSelector: Invalid value: {\"disk\":\"hdd\"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)",
            ),
        ),
        (
            &gated,
            json!({ "spec": { "schedulingGates": [{ "name": "a/b" }, { "name": "a/d" }] } }),
            Some(
                "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a/d'",
            ),
        ),
        (
            &pod,
            json!({ "spec": { "schedulingGates": [{ "name": "a/d" }] } }),
            Some(
                "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a/d'",
            ),
        ),
        (&pod, json!({ "spec": { "containers": [{ "name": "c", "image": "x:2" }] } }), None),
        (&pod, json!({ "spec": { "activeDeadlineSeconds": 9 } }), None),
        (
            &pod,
            json!({ "spec": { "activeDeadlineSeconds": 11 } }),
            Some(
                "spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value",
            ),
        ),
        (
            &pod,
            json!({ "spec": { "activeDeadlineSeconds": null } }),
            Some(
                "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
            ),
        ),
        (
            &pod,
            json!({ "spec": { "tolerations": [
             { "key": "b", "operator": "Exists" }, { "key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3 }] } }),
            None,
        ),
        (
            &pod,
            json!({ "spec": { "tolerations": [] } }),
            Some(
                "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
            ),
        ),
        (
            &pod,
            json!({ "spec": { "containers": [{ "name": "c", "image": "x:1" }, { "name": "d", "image": "x:1" }] } }),
            Some("spec.containers: Forbidden: pod updates may not add or remove containers"),
        ),
        (&pod, json!({ "metadata": { "labels": { "app": "web" } } }), None),
        (
            &service,
            json!({ "spec": { "clusterIP": "10.96.0.10" } }),
            Some("spec.clusterIPs[0]: Invalid value: [\"10.96.0.10\"]: may not change once set"),
        ),
        (
            &service,
            json!({ "spec": { "type": "ExternalName", "clusterIP": null, "externalName": "example.org", "ipFamilies": null } }),
            None,
        ),
    ];
    for (base, change, expected) in cases {
        let mut changed = base.clone();
        merge(&mut changed, change.clone());
        let causes = validate::update_causes(&defaulted(base), &defaulted(&changed));
        let found: Vec<String> = causes.iter().map(Cause::to_string).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{change}");
    }
    let mut deleting = defaulted(&pod);
    deleting.metadata_mut().deletion_timestamp = Some(Default::default());
    let mut held = deleting.clone();
    held.metadata_mut().finalizers = vec!["b.c/d".into()].into();
    let causes = validate::update_causes(&deleting, &held);
    assert_eq!(
        causes.first().map(Cause::to_string).as_deref(),
        Some(
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers []string{\"b.c/d\"}"
        )
    );
}
