//! Services, EndpointSlices and Ingresses described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go.

use super::text::{Text, set};
use crate::kubectl::print::look::{at, has, int, items, labels, or, plain, text};
use serde_json::Value;
use setpoint_api::{EndpointSlice, Object, Store};

/// Endpoints that are shown of a port.
const SHOWN: usize = 3;

pub(super) fn service(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    out.field(0, "Selector", labels(object, "/spec/selector"));
    let kind = text(object, "/spec/type");
    out.field(0, "Type", kind);
    let list = |path: &str| items(object, path).iter().map(plain).collect::<Vec<_>>().join(",");
    if has(object, "/spec/ipFamilyPolicy") {
        out.field(0, "IP Family Policy", text(object, "/spec/ipFamilyPolicy"));
    }
    if has(object, "/spec/ipFamilies") {
        out.field(0, "IP Families", or(&list("/spec/ipFamilies"), "<none>"));
    }
    out.field(0, "IP", text(object, "/spec/clusterIP"));
    out.field(0, "IPs", or(&list("/spec/clusterIPs"), "<none>"));
    if has(object, "/spec/externalIPs") {
        out.field(0, "External IPs", list("/spec/externalIPs"));
    }
    if has(object, "/spec/externalName") {
        out.field(0, "External Name", text(object, "/spec/externalName"));
    }
    if !items(object, "/status/loadBalancer/ingress").is_empty() {
        let given = items(object, "/status/loadBalancer/ingress").iter();
        let given: Vec<&str> = given.map(|at| or(text(at, "/ip"), text(at, "/hostname"))).collect();
        out.field(0, "LoadBalancer Ingress", given.join(", "));
    }
    ports(out, object, store);
    out.field(0, "Session Affinity", text(object, "/spec/sessionAffinity"));
    for (title, path) in [
        ("External Traffic Policy", "/spec/externalTrafficPolicy"),
        ("Internal Traffic Policy", "/spec/internalTrafficPolicy"),
    ] {
        if has(object, path) {
            out.field(0, title, text(object, path));
        }
    }
    out.events(events);
}

fn ports(out: &mut Text, object: &Value, store: &Store) {
    let (namespace, service) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let is_its = |slice: &Value| text(slice, "/metadata/labels/kubernetes.io~1service-name") == service;
    let slices = store
        .list_in::<EndpointSlice>(namespace)
        .map(|slice| Object::EndpointSlice(slice.clone()).to_value());
    let slices: Vec<Value> = slices.filter(is_its).collect();
    for port in items(object, "/spec/ports") {
        let name = text(port, "/name");
        let protocol = text(port, "/protocol");
        let shown = or(name, "<unset>");
        out.line(0, format!("Port:\t{shown}\t{}/{protocol}", int(port, "/port")));
        out.field(0, "TargetPort", format!("{}/{protocol}", plain(at(port, "/targetPort"))));
        if int(port, "/nodePort") != 0 {
            out.line(0, format!("NodePort:\t{shown}\t{}/{protocol}", int(port, "/nodePort")));
        }
        out.field(0, "Endpoints", endpoints(&slices, name));
    }
}

/// The ready addresses behind a port of a service.
fn endpoints(slices: &[Value], port_name: &str) -> String {
    let mut list = Vec::new();
    for slice in slices {
        for port in items(slice, "/ports").iter().filter(|port| text(port, "/name") == port_name) {
            for endpoint in items(slice, "/endpoints") {
                if at(endpoint, "/conditions/ready") == &Value::Bool(false) {
                    continue;
                }
                let addresses = items(endpoint, "/addresses").iter();
                list.extend(addresses.map(|address| format!("{}:{}", plain(address), int(port, "/port"))));
            }
        }
    }
    match list.get(..SHOWN) {
        Some(shown) if list.len() > SHOWN => format!("{} + {} more...", shown.join(","), list.len() - SHOWN),
        // Upstream prints nothing where there are none.
        _ => list.join(","),
    }
}

pub(super) fn endpoint_slice(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    out.field(0, "AddressType", text(object, "/addressType"));
    match items(object, "/ports") {
        [] => out.field(0, "Ports", "<unset>"),
        ports => {
            out.line(0, "Ports:");
            out.line(1, "Name\tPort\tProtocol");
            out.line(1, "----\t----\t--------");
            for port in ports {
                let number = set(port, "/port");
                out.line(
                    1,
                    format!("{}\t{number}\t{}", or(text(port, "/name"), "<unset>"), text(port, "/protocol")),
                );
            }
        }
    }
    match items(object, "/endpoints") {
        [] => out.field(0, "Endpoints", "<none>"),
        endpoints => {
            out.line(0, "Endpoints:");
            for endpoint in endpoints {
                self::endpoint(out, endpoint);
            }
        }
    }
    out.events(events);
}

fn endpoint(out: &mut Text, endpoint: &Value) {
    let addresses: Vec<String> = items(endpoint, "/addresses").iter().map(plain).collect();
    out.field(1, "- Addresses", addresses.join(", "));
    out.line(2, "Conditions:");
    out.field(3, "Ready", set(endpoint, "/conditions/ready"));
    out.field(2, "Hostname", set(endpoint, "/hostname"));
    if has(endpoint, "/targetRef") {
        let target = at(endpoint, "/targetRef");
        out.field(2, "TargetRef", format!("{}/{}", text(target, "/kind"), text(target, "/name")));
    }
    out.field(2, "NodeName", set(endpoint, "/nodeName"));
    out.field(2, "Zone", set(endpoint, "/zone"));
}

pub(super) fn ingress(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.field(0, "Name", text(object, "/metadata/name"));
    out.map("Labels", object, "/metadata/labels");
    out.field(0, "Namespace", text(object, "/metadata/namespace"));
    let given = items(object, "/status/loadBalancer/ingress").iter();
    let given: Vec<&str> = given.map(|at| or(text(at, "/ip"), text(at, "/hostname"))).collect();
    out.field(0, "Address", given.join(","));
    out.field(0, "Ingress Class", or(text(object, "/spec/ingressClassName"), "<none>"));
    let namespace = text(object, "/metadata/namespace");
    let default = at(object, "/spec/defaultBackend");
    let default = if default.is_null() { "<default>".to_owned() } else { backend(default, store, namespace) };
    out.field(0, "Default backend", default);
    let secrets = items(object, "/spec/tls");
    if !secrets.is_empty() {
        out.line(0, "TLS:");
    }
    for tls in secrets {
        let hosts: Vec<String> = items(tls, "/hosts").iter().map(plain).collect();
        let secret = or(text(tls, "/secretName"), "SNI routes");
        out.line(1, format!("{secret} terminates {}", or(&hosts.join(","), "*")));
    }
    out.line(0, "Rules:\n  Host\tPath\tBackends");
    out.line(1, "----\t----\t--------");
    for rule in items(object, "/spec/rules") {
        out.line(1, format!("{}\t", or(text(rule, "/host"), "*")));
        for path in items(rule, "/http/paths") {
            let to = backend(at(path, "/backend"), store, namespace);
            out.line(1, format!("\t{} \t{to}", text(path, "/path")));
        }
    }
    if items(object, "/spec/rules").is_empty() {
        out.line(1, "*\t*\t<default>");
    }
    out.annotations("Annotations", object, "/metadata/annotations");
    out.events(events);
}

fn backend(of: &Value, store: &Store, namespace: &str) -> String {
    if !has(of, "/service") {
        let resource = at(of, "/resource");
        return format!(
            "APIGroup: {}, Kind: {}, Name: {}",
            text(resource, "/apiGroup"),
            text(resource, "/kind"),
            text(resource, "/name")
        );
    }
    let name = text(of, "/service/name");
    let port = of
        .pointer("/service/port/number")
        .or(of.pointer("/service/port/name"))
        .map(plain)
        .unwrap_or_default();
    let Some(service) = store.find::<setpoint_api::Service>(namespace, name) else {
        return format!("{name}:{port} (<error: services {name:?} not found>)");
    };
    let service = Object::Service(service.clone()).to_value();
    let found = items(&service, "/spec/ports")
        .iter()
        .find(|p| plain(at(p, "/port")) == port || text(p, "/name") == port);
    let port_name = found.map_or("", |port| text(port, "/name"));
    let is_its = |slice: &Value| text(slice, "/metadata/labels/kubernetes.io~1service-name") == name;
    let slices = store
        .list_in::<EndpointSlice>(namespace)
        .map(|slice| Object::EndpointSlice(slice.clone()).to_value());
    let slices: Vec<Value> = slices.filter(is_its).collect();
    format!("{name}:{port} ({})", endpoints(&slices, port_name))
}
