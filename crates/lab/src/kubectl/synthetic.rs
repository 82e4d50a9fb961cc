//! Objects that the API server makes up when it is asked, or that mirror others.
//!
//! Upstream: pkg/controller/endpoint, pkg/registry/core/componentstatus.
//! Simplified: Endpoints are made from EndpointSlices when they are read, nobody watches or writes them.

use super::context::Context;
use super::print::look::{entries, is, items, text};
use super::resource::Resource;
use serde_json::{Value, json};
use setpoint_api::{Kind, Object};

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
