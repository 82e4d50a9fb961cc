//! Services and what belongs to them, in tables.
//!
//! Upstream: pkg/printers/internalversion/printers.go.

use super::look::{at, has, int, items, labels, or, plain, text};
use serde_json::Value;

/// The cells after the name.
pub(super) fn cells(kind: &str, object: &Value, age: String) -> Vec<String> {
    match kind {
        "Service" => service(object, age),
        "Ingress" => vec![
            or(text(object, "/spec/ingressClassName"), "<none>").to_owned(),
            hosts(object),
            addresses(object).join(","),
            if items(object, "/spec/tls").is_empty() { "80" } else { "80, 443" }.to_owned(),
            age,
        ],
        "IngressClass" => vec![text(object, "/spec/controller").to_owned(), parameters(object), age],
        "Endpoints" => vec![endpoints(object), age],
        _ => vec![text(object, "/addressType").to_owned(), slice_ports(object), slice_addresses(object), age],
    }
}

fn service(object: &Value, age: String) -> Vec<String> {
    let kind = text(object, "/spec/type");
    let address = items(object, "/spec/clusterIPs").first().and_then(Value::as_str);
    vec![
        kind.to_owned(),
        address.unwrap_or("<none>").to_owned(),
        external(object, kind),
        ports(object),
        age,
        labels(object, "/spec/selector"),
    ]
}

/// EXTERNAL-IP.
pub fn external(object: &Value, kind: &str) -> String {
    let fixed: Vec<String> = items(object, "/spec/externalIPs").iter().map(plain).collect();
    let list = |list: Vec<String>, none: &str| if list.is_empty() { none.to_owned() } else { list.join(",") };
    match kind {
        "ClusterIP" | "NodePort" => list(fixed, "<none>"),
        "LoadBalancer" => list(addresses(object).into_iter().chain(fixed).collect(), "<pending>"),
        "ExternalName" => text(object, "/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// The addresses that a load balancer has given, in order.
fn addresses(object: &Value) -> Vec<String> {
    let given = items(object, "/status/loadBalancer/ingress");
    let mut addresses: Vec<String> =
        given.iter().map(|at| or(text(at, "/ip"), text(at, "/hostname")).to_owned()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn ports(object: &Value) -> String {
    let port = |port: &Value| {
        let (number, protocol) = (int(port, "/port"), text(port, "/protocol"));
        match int(port, "/nodePort") {
            0 => format!("{number}/{protocol}"),
            node => format!("{number}:{node}/{protocol}"),
        }
    };
    let ports: Vec<String> = items(object, "/spec/ports").iter().map(port).collect();
    if ports.is_empty() { "<none>".into() } else { ports.join(",") }
}

/// At most three of a list, and how many more there are.
fn three_of(list: &[String], none: &str) -> String {
    match list {
        [] => none.to_owned(),
        [a, b, c, more @ ..] if !more.is_empty() => format!("{a},{b},{c} + {} more...", more.len()),
        list => list.join(","),
    }
}

fn hosts(object: &Value) -> String {
    let hosts =
        items(object, "/spec/rules").iter().map(|rule| text(rule, "/host")).filter(|host| !host.is_empty());
    let hosts: Vec<String> = hosts.map(str::to_owned).collect();
    three_of(&hosts, "*")
}

fn parameters(object: &Value) -> String {
    if !has(object, "/spec/parameters") {
        return "<none>".into();
    }
    let of = at(object, "/spec/parameters");
    let group = text(of, "/apiGroup");
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", text(of, "/kind"), text(of, "/name"))
}

/// The addresses with ports of an Endpoints object.
pub fn endpoints(object: &Value) -> String {
    let mut list = Vec::new();
    for subset in items(object, "/subsets") {
        let addresses = items(subset, "/addresses");
        let ports = items(subset, "/ports");
        if ports.is_empty() {
            list.extend(addresses.iter().map(|address| text(address, "/ip").to_owned()));
        }
        for port in ports {
            let number = int(port, "/port");
            list.extend(addresses.iter().map(|address| format!("{}:{number}", text(address, "/ip"))));
        }
    }
    three_of(&list, "<none>")
}

fn slice_ports(object: &Value) -> String {
    let port = |port: &Value| match at(port, "/port") {
        Value::Null => or(text(port, "/name"), "*").to_owned(),
        number => plain(number),
    };
    let ports: Vec<String> = items(object, "/ports").iter().map(port).collect();
    three_of(&ports, "<unset>")
}

fn slice_addresses(object: &Value) -> String {
    let endpoints = items(object, "/endpoints").iter();
    let addresses: Vec<String> =
        endpoints.flat_map(|endpoint| items(endpoint, "/addresses")).map(plain).collect();
    three_of(&addresses, "<unset>")
}
