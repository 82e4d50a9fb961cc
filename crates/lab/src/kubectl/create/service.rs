//! `kubectl create service` and `ingress`.

use super::{SAVE, VALIDATE, make, name};
use crate::kubectl::change::COMMON;
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::{Flag, flag};
use crate::kubectl::invocation::Invocation;
use crate::kubectl::make::texts;
use crate::kubectl::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::text::go_quote;

static TCP: &[Flag] = &[flag("tcp", '\0', "[]", "Port pairs can be specified as '<port>:<targetPort>'.")];

pub(super) static SERVICE: Verb = Verb {
    name: "service",
    aliases: &["svc"],
    brief: "Create a service using a specified subcommand",
    usage: "kubectl create service [flags] [options]",
    verbs: &[&CLUSTER_IP, &EXTERNAL_NAME, &LOAD_BALANCER, &NODE_PORT],
    ..Verb::NONE
};
static CLUSTER_IP: Verb = Verb {
    name: "clusterip",
    brief: "Create a ClusterIP service",
    usage: "kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        TCP,
        &[flag(
            "clusterip",
            '\0',
            "''",
            "Assign your own ClusterIP or set to 'None' for a 'headless' service (no loadbalancing).",
        )],
    ],
    run: |cx, call| service(cx, call, "ClusterIP"),
    ..Verb::NONE
};
static NODE_PORT: Verb = Verb {
    name: "nodeport",
    brief: "Create a NodePort service",
    usage: "kubectl create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        TCP,
        &[flag("node-port", '\0', "0", "Port used to expose the service on each node in a cluster.")],
    ],
    run: |cx, call| service(cx, call, "NodePort"),
    ..Verb::NONE
};
static LOAD_BALANCER: Verb = Verb {
    name: "loadbalancer",
    brief: "Create a LoadBalancer service",
    usage: "kubectl create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, TCP],
    run: |cx, call| service(cx, call, "LoadBalancer"),
    ..Verb::NONE
};
static EXTERNAL_NAME: Verb = Verb {
    name: "externalname",
    brief: "Create an ExternalName service",
    usage: "kubectl create service externalname NAME --external-name external.name [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, TCP, &[flag("external-name", '\0', "''", "External name of service")]],
    required: &["external-name"],
    run: |cx, call| service(cx, call, "ExternalName"),
    ..Verb::NONE
};
pub(super) static INGRESS: Verb = Verb {
    name: "ingress",
    aliases: &["ing"],
    brief: "Create an ingress with the specified name",
    usage: "kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]]  [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag(
                "annotation",
                '\0',
                "[]",
                "Annotation to insert in the ingress object, in the format annotation=value",
            ),
            flag("class", '\0', "''", "Ingress Class to be used"),
            flag("default-backend", '\0', "''", "Default service for backend, in format of svcname:port"),
            flag(
                "rule",
                '\0',
                "[]",
                "Rule in format host/path=service:port[,tls=secretname]. Paths containing the leading character '*' are considered pathType=Prefix. tls argument is optional.",
            ),
        ],
    ],
    run: ingress,
    ..Verb::NONE
};

fn service(cx: &mut Context, call: &Invocation, kind: &str) -> Result<(), Failure> {
    let name = name(call)?;
    let pairs = call.list("tcp");
    let is_headless = kind == "ClusterIP" && call.text("clusterip") == "None";
    if pairs.is_empty() && kind != "ExternalName" && !is_headless {
        return Err(Failure::error("at least one tcp port specifier must be provided"));
    }
    let ports = pairs.iter().map(|pair| port(pair, call)).collect::<Result<Vec<Value>, Failure>>()?;
    let labels = json!({ "app": name });
    let mut spec = json!({ "selector": labels, "type": kind });
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    if kind == "ExternalName" {
        spec["externalName"] = call.text("external-name").into();
    }
    if kind == "ClusterIP" && call.has("clusterip") {
        spec["clusterIP"] = call.text("clusterip").into();
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "labels": labels, "name": name },
        "spec": spec,
        "status": { "loadBalancer": {} },
    });
    make(cx, call, object, &format!("{kind} service"))
}

/// A port of `5678:8080`.
fn port(pair: &str, call: &Invocation) -> Result<Value, Failure> {
    let (outer, inner) = pair.split_once(':').unwrap_or((pair, pair));
    let wrong = || {
        let is_number = !outer.is_empty() && outer.chars().all(|digit| digit.is_ascii_digit());
        let why = if is_number { "value out of range" } else { "invalid syntax" };
        Failure::error(format!("strconv.ParseUint: parsing {}: {why}", go_quote(outer)))
    };
    let outer_port: u16 = outer.parse().map_err(|_| wrong())?;
    let inner = inner.parse::<i64>().map_or_else(|_| Value::from(inner), Value::from);
    let name = pair.replace(':', "-");
    let mut port = json!({ "name": name, "port": outer_port, "protocol": "TCP", "targetPort": inner });
    if call.verb.flag("node-port").is_some() && call.number("node-port") > 0 {
        port["nodePort"] = call.number("node-port").into();
    }
    Ok(port)
}

fn ingress(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    let rules = call.every("rule");
    if rules.is_empty() && !call.has("default-backend") {
        return Err(Failure::error(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut spec = json!({});
    let (mut hosts, mut secrets): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for rule in rules {
        add_rule(rule, &mut hosts, &mut secrets)?;
    }
    if !hosts.is_empty() {
        spec["rules"] = hosts.into();
    }
    if !secrets.is_empty() {
        spec["tls"] = secrets.into();
    }
    if call.has("class") {
        spec["ingressClassName"] = call.text("class").into();
    }
    if call.has("default-backend") {
        spec["defaultBackend"] = backend(call.text("default-backend"))?;
    }
    let mut metadata = json!({ "name": name });
    let annotations = texts(&call.every("annotation").join(","))?;
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    let object = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": spec,
        "status": { "loadBalancer": {} },
    });
    make(cx, call, object, "ingress")
}

/// Adds a rule of `host/path*=service:port,tls=secret`.
fn add_rule(rule: &str, hosts: &mut Vec<Value>, secrets: &mut Vec<Value>) -> Result<(), Failure> {
    let wrong = || {
        Failure::error(format!(
            "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
        ))
    };
    let (place, target) = rule.split_once('=').ok_or_else(wrong)?;
    let (host, path) = place.split_once('/').ok_or_else(wrong)?;
    let mut parts = target.split(',');
    let backend = backend(parts.next().unwrap_or_default())?;
    let is_prefix = path.ends_with('*');
    let path = format!("/{}", path.trim_end_matches('*'));
    let kind = if is_prefix { "Prefix" } else { "Exact" };
    let entry = json!({ "backend": backend, "path": path, "pathType": kind });
    match hosts.iter_mut().find(|one| one["host"].as_str().unwrap_or_default() == host) {
        Some(one) => {
            if let Some(paths) = one["http"]["paths"].as_array_mut() {
                paths.push(entry);
            }
        }
        None if host.is_empty() => hosts.push(json!({ "http": { "paths": [entry] } })),
        None => hosts.push(json!({ "host": host, "http": { "paths": [entry] } })),
    }
    for part in parts.filter(|part| part.starts_with("tls")) {
        let mut entry = json!({ "hosts": [host] });
        if let Some((_, secret)) = part.split_once('=') {
            entry["secretName"] = secret.into();
        }
        secrets.push(entry);
    }
    Ok(())
}

fn backend(text: &str) -> Result<Value, Failure> {
    let (service, port) = text
        .split_once(':')
        .ok_or_else(|| Failure::error("default-backend should be in format servicename:serviceport"))?;
    let port =
        port.parse::<i64>().map_or_else(|_| json!({ "name": port }), |number| json!({ "number": number }));
    Ok(json!({ "service": { "name": service, "port": port } }))
}
