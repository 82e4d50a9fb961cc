//! Objects that the API server makes up when it is asked, or that mirror others.
//!
//! Upstream: pkg/controller/endpoint, pkg/registry/core/componentstatus.
//! Simplified: the Service `kubernetes` and the system's priority classes are not stored; Endpoints are made from EndpointSlices when they are read, nobody watches or writes them.

use super::context::Context;
use super::print::look::{entries, is, items, text};
use super::resource::Resource;
use serde_json::{Value, json};
use setpoint_api::{Kind, Namespace, Object, Store, Uid};

/// What the API server makes when it starts: the kind, the namespace, the name, the rest.
const FIRST: [(Kind, &str, &str, &str); 4] = [
    (
        Kind::Service,
        "default",
        "kubernetes",
        r#"{"metadata":{"labels":{"component":"apiserver","provider":"kubernetes"}},"spec":{"clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1"],"internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","ports":[{"name":"https","port":443,"protocol":"TCP","targetPort":6443}],"sessionAffinity":"None","type":"ClusterIP"},"status":{"loadBalancer":{}}}"#,
    ),
    (
        Kind::EndpointSlice,
        "default",
        "kubernetes",
        r#"{"metadata":{"labels":{"kubernetes.io/service-name":"kubernetes"}},"addressType":"IPv4","endpoints":[{"addresses":["172.18.0.1"],"conditions":{"ready":true}}],"ports":[{"name":"https","port":6443,"protocol":"TCP"}]}"#,
    ),
    (
        Kind::PriorityClass,
        "",
        "system-cluster-critical",
        r#"{"value":2000000000,"preemptionPolicy":"PreemptLowerPriority","description":"Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."}"#,
    ),
    (
        Kind::PriorityClass,
        "",
        "system-node-critical",
        r#"{"value":2000001000,"preemptionPolicy":"PreemptLowerPriority","description":"Used for system critical pods that must not be moved from their current node."}"#,
    ),
];

/// One of the objects that the API server makes, and nobody stores.
pub(super) fn given(kind: Kind, store: &Store, namespace: &str, name: &str) -> Option<Object> {
    let first = FIRST.iter().find(|first| (first.0, first.1, first.2) == (kind, namespace, name));
    let (_, _, _, rest) = first?;
    let mut value: Value = serde_json::from_str(rest).unwrap_or_default();
    let made = metadata(kind, store, namespace, name)?;
    let meta = value.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
    meta.as_object_mut()?.extend(made);
    Some(Object::from_value(kind, value).0)
}

/// The metadata of an object that is as old as the namespace `default`, and whose identity follows from that one's.
fn metadata(
    kind: Kind,
    store: &Store,
    namespace: &str,
    name: &str,
) -> Option<serde_json::Map<String, Value>> {
    let of = &store.find::<Namespace>("", "default")?.metadata;
    let created = of.creation_timestamp.map(|at| at.to_rfc3339(0));
    let seed = name.bytes().fold(kind as u128 + 1, |seed, byte| seed * 31 + u128::from(byte));
    let uid = Uid(of.uid.0 ^ seed).to_string();
    let mut made = serde_json::Map::new();
    if !namespace.is_empty() {
        made.insert("namespace".into(), namespace.into());
    }
    made.extend([
        ("name".into(), name.into()),
        ("creationTimestamp".into(), json!(created)),
        ("uid".into(), uid.into()),
    ]);
    Some(made)
}

/// Adds what the API server makes to what is stored of a kind.
pub(super) fn add_given(kind: Kind, store: &Store, all: &mut Vec<Object>) {
    let before = all.len();
    for (_, namespace, name, _) in FIRST.iter().filter(|first| first.0 == kind) {
        if store.id_of(kind, namespace, name).is_none() {
            all.extend(given(kind, store, namespace, name));
        }
    }
    if all.len() == before {
        return;
    }
    all.sort_by(|a, b| {
        let key = |object: &Object| (object.metadata().namespace.clone(), object.metadata().name.clone());
        key(a).cmp(&key(b))
    });
}

/// All objects of a kind that is not stored; `None` for the kinds that are.
pub(super) fn list(cx: &Context, resource: &Resource) -> Option<Vec<Value>> {
    match &*resource.kind {
        "Endpoints" if resource.list(cx.store()).is_empty() => Some(endpoints(cx)),
        "ComponentStatus" => Some(components()),
        _ => None,
    }
}

fn components() -> Vec<Value> {
    let row = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "ComponentStatus", "metadata": { "name": name },
            "conditions": [{ "type": "Healthy", "status": "True", "message": "ok" }],
        })
    };
    ["scheduler", "controller-manager", "etcd-0"].iter().map(|name| row(name)).collect()
}

fn endpoints(cx: &Context) -> Vec<Value> {
    let store = cx.store();
    let objects = |kind: Kind| store.ids(kind).filter_map(|id| store.object(id)).map(Object::to_value);
    let slices: Vec<Value> = objects(Kind::EndpointSlice).collect();
    let of_service = |service: &Value| {
        let (namespace, name) = (text(service, "/metadata/namespace"), text(service, "/metadata/name"));
        let mine = slices.iter().filter(|slice| {
            text(slice, "/metadata/namespace") == namespace
                && text(slice, "/metadata/labels/kubernetes.io~1service-name") == name
        });
        let subsets: Vec<Value> = mine.filter_map(subset).collect();
        json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {
                "name": name, "namespace": namespace,
                "creationTimestamp": text(service, "/metadata/creationTimestamp"),
                "labels": service["metadata"]["labels"],
            },
            "subsets": subsets,
        })
    };
    let services = objects(Kind::Service).filter(|service| !entries(service, "/spec/selector").is_empty());
    services.map(|service| of_service(&service)).collect()
}

fn subset(slice: &Value) -> Option<Value> {
    let (mut ready, mut rest): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for endpoint in items(slice, "/endpoints") {
        let addresses = items(endpoint, "/addresses").iter().map(|ip| json!({ "ip": ip }));
        if is(endpoint, "/conditions/ready") { ready.extend(addresses) } else { rest.extend(addresses) }
    }
    for list in [&mut ready, &mut rest] {
        list.sort_by(|a, b| text(a, "/ip").cmp(text(b, "/ip")));
    }
    let is_empty = ready.is_empty() && rest.is_empty();
    (!is_empty).then(|| json!({ "addresses": ready, "notReadyAddresses": rest, "ports": slice["ports"] }))
}
