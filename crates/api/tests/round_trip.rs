//! Objects keep all that they were given, modelled or not.

mod support;

use serde_json::{Value, json};
use setpoint_api::{Kind, Object};
use support::merge;

/// Reads a tree as its kind and writes it back.
fn there_and_back(value: &Value) -> Value {
    let object = support::object(value);
    let written = object.to_value();
    let (again, errors) = Object::from_value(object.kind(), written.clone());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(again, object, "the object is read back as it was");
    written
}

fn metadata(namespaced: bool) -> Value {
    let mut meta = json!({
        "name": "a", "generateName": "a-", "uid": "7f6d8e02-15c4-4b3e-9d3a-0123456789ab", "resourceVersion": "12",
        "generation": 3, "creationTimestamp": "2026-01-01T00:00:05Z", "deletionTimestamp": "2026-01-01T00:01:05Z",
        "deletionGracePeriodSeconds": 30, "labels": { "app": "web", "empty": "" },
        "annotations": { "note": "a: \"b\"\nc" }, "finalizers": ["a/b"],
        "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "o",
            "uid": "00000000-0000-4000-8000-000000000001", "controller": true, "blockOwnerDeletion": false }],
        "managedFields": [{ "manager": "kubectl", "fieldsV1": { "f:spec": {} } }], "selfLink": "/x",
    });
    if namespaced {
        meta["namespace"] = json!("default");
    }
    meta
}

fn pod_spec() -> Value {
    let resources = json!({ "limits": { "cpu": "1500m", "memory": "64Mi", "example.com/gpu": "1" }, "requests": { "cpu": "1" },
                            "claims": [{ "name": "x" }] });
    let probe = json!({ "httpGet": { "path": "/", "port": "http", "scheme": "HTTP", "httpHeaders": [{ "name": "A", "value": "b" }] },
        "initialDelaySeconds": 1, "timeoutSeconds": 2, "periodSeconds": 3, "successThreshold": 1, "failureThreshold": 4,
        "terminationGracePeriodSeconds": 5 });
    let requirement = json!({ "key": "zone", "operator": "In", "values": ["a"] });
    let selector = json!({ "matchLabels": { "app": "web" }, "matchExpressions": [requirement] });
    let term = json!({ "labelSelector": selector, "namespaces": ["b"], "namespaceSelector": {}, "topologyKey": "zone",
        "mismatchLabelKeys": ["c"] });
    json!({
        "containers": [{
            "name": "c", "image": "x:1", "imagePullPolicy": "Always", "command": ["a"], "args": ["b"],
            "ports": [{ "name": "http", "containerPort": 80, "hostPort": 81, "hostIP": "1.2.3.4", "protocol": "TCP" }],
            "env": [{ "name": "A", "value": "1" },
                    { "name": "B", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } }],
            "resources": resources, "livenessProbe": probe,
            "readinessProbe": { "tcpSocket": { "port": 80 } }, "startupProbe": { "grpc": { "port": 80, "service": "" } },
            "lifecycle": { "preStop": { "sleep": { "seconds": 0 } }, "postStart": { "exec": { "command": ["d"] } } },
            "volumeMounts": [{ "name": "v", "mountPath": "/v", "readOnly": false }], "securityContext": { "runAsUser": 0 },
            "terminationMessagePath": "/dev/termination-log", "stdin": false,
        }],
        "initContainers": [{ "name": "i", "image": "y", "resources": {}, "restartPolicy": "Always" }],
        "volumes": [{ "name": "v", "emptyDir": {} }], "nodeName": "n", "nodeSelector": { "disk": "ssd" },
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                    { "matchExpressions": [requirement], "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n"] }] }] },
                "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 5, "preference": { "matchExpressions": [requirement] } }] },
            "podAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [term] },
            "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 1, "podAffinityTerm": term }] } },
        "tolerations": [{ "key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0 }],
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "activeDeadlineSeconds": 7, "priority": 0,
        "priorityClassName": "p", "preemptionPolicy": "Never", "hostNetwork": false, "schedulerName": "s",
        "serviceAccountName": "sa", "overhead": { "cpu": "10m" }, "hostname": "h",
        "topologySpreadConstraints": [{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector, "minDomains": 2, "nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore",
            "matchLabelKeys": ["pod-template-hash"] }],
        "readinessGates": [{ "conditionType": "a/b" }], "dnsPolicy": "None", "enableServiceLinks": false,
    })
}

fn pod_status() -> Value {
    let state = json!({ "terminated": { "exitCode": 0, "signal": 9, "reason": "Completed", "message": "m",
        "startedAt": "2026-01-01T00:00:05Z", "finishedAt": "2026-01-01T00:00:06Z", "containerID": "x" } });
    json!({ "observedGeneration": 1, "phase": "Running", "message": "m", "reason": "r", "nominatedNodeName": "n",
        "conditions": [{ "type": "Ready", "status": "False", "observedGeneration": 1, "reason": "r", "message": "m",
            "lastProbeTime": null, "lastTransitionTime": "2026-01-01T00:00:05Z" }],
        "hostIP": "1.2.3.4", "hostIPs": [{ "ip": "1.2.3.4" }], "podIP": "10.0.0.1", "podIPs": [{ "ip": "10.0.0.1" }],
        "startTime": "2026-01-01T00:00:05Z", "qosClass": "Burstable", "resize": "",
        "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "m" } },
            "lastState": state, "ready": false, "restartCount": 0, "image": "x:1", "imageID": "", "containerID": "d",
            "started": false, "user": { "linux": { "uid": 0 } } }],
        "initContainerStatuses": [{ "name": "i", "state": { "running": { "startedAt": "2026-01-01T00:00:05Z" } }, "lastState": {},
            "ready": true, "restartCount": 3, "image": "y", "imageID": "z" }] })
}

/// Spec, status and other parts of each kind, with fields that the simulator does not model among them.
fn parts(kind: Kind) -> Value {
    let condition = json!({ "type": "T", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:05Z",
        "lastUpdateTime": "2026-01-01T00:00:05Z", "lastTransitionTime": "2026-01-01T00:00:05Z", "reason": "r", "message": "m" });
    let template = json!({ "metadata": { "labels": { "app": "web" }, "annotations": { "a": "b" } }, "spec": pod_spec() });
    let selector = json!({ "matchLabels": { "app": "web" } });
    match kind {
        Kind::Namespace => {
            json!({ "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active", "conditions": [condition] } })
        }
        Kind::Node => json!({
            "spec": { "podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"], "unschedulable": true, "providerID": "p",
                "taints": [{ "key": "a", "value": "b", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:05Z" }] },
            "status": { "capacity": { "cpu": "4", "memory": "8Gi" }, "allocatable": { "cpu": "3900m" }, "conditions": [condition],
                "addresses": [{ "type": "Hostname", "address": "n" }], "nodeInfo": { "kubeletVersion": "v1.36.2", "x": 1 },
                "images": [{ "names": ["x:1"], "sizeBytes": 5 }], "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } } } }),
        Kind::Lease => {
            json!({ "spec": { "holderIdentity": "n", "leaseDurationSeconds": 40, "leaseTransitions": 0,
            "renewTime": "2026-01-01T00:00:05.123456Z" } })
        }
        Kind::Pod => json!({ "spec": pod_spec(), "status": pod_status() }),
        Kind::ReplicaSet => json!({
            "spec": { "replicas": 0, "minReadySeconds": 5, "selector": selector, "template": template },
            "status": { "replicas": 0, "fullyLabeledReplicas": 1, "readyReplicas": 2, "availableReplicas": 3,
                "terminatingReplicas": 0, "observedGeneration": 4, "conditions": [condition] } }),
        Kind::Deployment => json!({
            "spec": { "replicas": 0, "selector": selector, "template": template, "paused": true, "minReadySeconds": 5,
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 } },
                "revisionHistoryLimit": 0, "progressDeadlineSeconds": 600 },
            "status": { "observedGeneration": 1, "replicas": 2, "updatedReplicas": 3, "readyReplicas": 4, "availableReplicas": 5,
                "unavailableReplicas": 6, "terminatingReplicas": 0, "conditions": [condition], "collisionCount": 0 } }),
        Kind::Service => json!({
            "spec": { "type": "NodePort", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "selector": { "app": "web" },
                "ports": [{ "name": "a", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30000, "appProtocol": "h" }],
                "sessionAffinity": "ClientIP", "sessionAffinityConfig": { "clientIP": { "timeoutSeconds": 5 } },
                "publishNotReadyAddresses": true, "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local",
                "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"], "externalIPs": ["1.2.3.4"] },
            "status": { "loadBalancer": { "ingress": [{ "ip": "1.2.3.4" }] } } }),
        Kind::EndpointSlice => json!({ "addressType": "IPv4",
            "endpoints": [{ "addresses": ["10.0.0.1"], "conditions": { "ready": false, "serving": true, "terminating": false },
                "targetRef": { "kind": "Pod", "namespace": "default", "name": "p", "uid": "00000000-0000-4000-8000-000000000002" },
                "nodeName": "n", "zone": "z", "hints": { "forZones": [{ "name": "z" }] } }],
            "ports": [{ "name": "", "protocol": "TCP", "port": 80, "appProtocol": "h" }] }),
        Kind::HorizontalPodAutoscaler => json!({
            "spec": { "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" }, "minReplicas": 1, "maxReplicas": 5,
                "metrics": [{ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } },
                            { "type": "Pods", "pods": { "metric": { "name": "qps" }, "target": { "type": "AverageValue", "averageValue": "10" } } }],
                "behavior": { "scaleDown": { "stabilizationWindowSeconds": 0, "selectPolicy": "Max", "tolerance": "50m",
                    "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 15 }] } } },
            "status": { "observedGeneration": 1, "lastScaleTime": "2026-01-01T00:00:05Z", "currentReplicas": 1, "desiredReplicas": 0,
                "currentMetrics": [{ "type": "Resource", "resource": { "name": "cpu", "current": { "averageUtilization": 0, "averageValue": "5m" } } }],
                "conditions": [condition] } }),
        Kind::Event => json!({
            "involvedObject": { "apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "p", "resourceVersion": "5",
                "uid": "00000000-0000-4000-8000-000000000003", "fieldPath": "spec.containers{c}" },
            "reason": "r", "message": "m", "source": { "component": "kubelet", "host": "n" }, "count": 2, "type": "Normal",
            "firstTimestamp": "2026-01-01T00:00:05Z", "lastTimestamp": "2026-01-01T00:00:06Z", "action": "Binding",
            "eventTime": "2026-01-01T00:00:05.000001Z", "series": { "count": 2 }, "reportingComponent": "kubelet",
            "reportingInstance": "n", "related": { "kind": "Node", "name": "n" } }),
        // Kinds of which no field is modelled keep all of them.
        _ => json!({ "spec": { "a": 1, "b": [{ "c": "d" }] }, "data": { "k": "v" }, "status": {} }),
    }
}

fn sample(kind: Kind) -> Value {
    let mut value = json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "metadata": metadata(kind.is_namespaced()) });
    merge(&mut value, parts(kind));
    value
}

/// Nothing that was given is missing or different; empty values may be added, and those that Go leaves out may go.
fn kept(path: &str, given: &Value, written: &Value) {
    match (given, written) {
        (Value::Object(given), Value::Object(written)) => {
            for (key, value) in given {
                let path = format!("{path}.{key}");
                let is_left_out = matches!(value, Value::Null | Value::Bool(false))
                    || *value == json!("")
                    || *value == json!(0);
                match written.get(key) {
                    Some(written) => kept(&path, value, written),
                    None => assert!(is_left_out, "{path} is gone"),
                }
            }
        }
        (Value::Array(given), Value::Array(written)) => {
            assert_eq!(given.len(), written.len(), "{path}");
            for (index, (given, written)) in given.iter().zip(written).enumerate() {
                kept(&format!("{path}[{index}]"), given, written);
            }
        }
        _ => assert_eq!(given, written, "{path}"),
    }
}

#[test]
fn every_kind_is_written_as_it_was_read() {
    for kind in Kind::ALL {
        let given = sample(*kind);
        let written = there_and_back(&given);
        kept(kind.as_str(), &given, &written);
        assert_eq!(there_and_back(&written), written, "{kind:?}: writing it again changes nothing");
    }
}

/// All mappings of a tree that are read field by field get a field that nobody knows.
#[test]
fn unknown_fields_are_kept_everywhere() {
    // Mappings whose keys are the user's, or that are read as a whole.
    const FREE: [&str; 10] = [
        "labels",
        "annotations",
        "matchLabels",
        "selector",
        "nodeSelector",
        "limits",
        "requests",
        "overhead",
        "capacity",
        "allocatable",
    ];
    // Label selectors have no room for more than upstream's fields.
    const CLOSED: [&str; 2] = ["labelSelector", "namespaceSelector"];
    fn add(value: &mut Value, name: &str, count: &mut usize) {
        match value {
            Value::Object(map) => {
                if FREE.contains(&name) || CLOSED.contains(&name) {
                    return;
                }
                map.iter_mut().for_each(|(key, value)| add(value, key, count));
                map.insert("unheardOf".into(), json!({ "deep": [*count] }));
                *count += 1;
            }
            Value::Array(items) => items.iter_mut().for_each(|item| add(item, name, count)),
            _ => {}
        }
    }
    for kind in Kind::ALL {
        let (mut given, mut count) = (sample(*kind), 0);
        add(&mut given, "", &mut count);
        assert!(count > 2, "{kind:?}");
        kept(kind.as_str(), &given, &there_and_back(&given));
    }
}

#[test]
fn a_field_of_the_wrong_type_is_told_with_its_path() {
    let cases = [
        (
            Kind::Deployment,
            json!({ "spec": { "replicas": "3" } }),
            "spec.replicas",
            "expected an integer, got string \"3\"",
        ),
        (
            Kind::Deployment,
            json!({ "spec": { "template": { "spec": { "containers": {} } } } }),
            "spec.template.spec.containers",
            "expected a list, got a mapping",
        ),
        (
            Kind::Pod,
            json!({ "spec": { "containers": [{ "env": [{ "name": "A", "value": 1 }] }] } }),
            "spec.containers[0].env[0].value",
            "expected a string, got number 1",
        ),
        (
            Kind::Pod,
            json!({ "spec": { "containers": [{ "resources": { "requests": { "cpu": "1x" } } }] } }),
            "spec.containers[0].resources.requests.cpu",
            "expected a quantity such as 500m or 64Mi, got string \"1x\"",
        ),
        (
            Kind::Service,
            json!({ "spec": { "ports": [{ "port": 99_999_999_999_i64 }] } }),
            "spec.ports[0].port",
            "expected an integer, got number 99999999999",
        ),
        (Kind::Node, json!({ "metadata": [] }), "metadata", "expected a mapping, got a list"),
    ];
    for (kind, value, path, message) in cases {
        let (_, errors) = Object::from_value(kind, value.clone());
        let found: Vec<_> =
            errors.iter().map(|error| (error.path.as_str(), error.message.as_str())).collect();
        assert_eq!(found, [(path, message)], "{value}");
    }
}
