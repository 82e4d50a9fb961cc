//! The spec of a pod, in a Pod or in a template.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidatePodSpec`.

use super::cause::{Errors, Path};
use super::container::{containers, init_containers};
use super::meta::labels;
use super::scheduling::{affinity, tolerations, topology_spread};
use super::volume::volumes;
use super::{environment, security};
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name};
use crate::wire::Rest;
use crate::{Container, PodSpec};
use serde_json::Value;
use std::net::IpAddr;

/// A pod's spec; `is_pod` where it is no template's.
pub(super) fn pod_spec(spec: &PodSpec, is_pod: bool, path: &Path, errors: &mut Errors) {
    let volumes = volumes(field(&spec.rest, "volumes"), &path.child("volumes"), errors);
    let grace = spec.termination_grace_period_seconds;
    containers(&spec.containers, &volumes, grace, &path.child("containers"), errors);
    init_containers(spec, &volumes, &path.child("initContainers"), errors);
    if spec.host_network == Some(true) {
        host_ports(&spec.containers, is_pod, &path.child("containers"), errors);
    }
    let restart_policy = spec.restart_policy.as_deref().unwrap_or_default();
    errors.one_of(&path.child("restartPolicy"), restart_policy, &["Always", "OnFailure", "Never"]);
    let dns_policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&path.child("dnsPolicy"), text(field(&spec.rest, "dnsPolicy")), &dns_policies);
    labels(&spec.node_selector, &path.child("nodeSelector"), errors);
    if let Some(rules) = &spec.affinity {
        affinity(rules, &path.child("affinity"), errors);
    }
    readiness_gates(spec, path, errors);
    topology_spread(&spec.topology_spread_constraints, &path.child("topologySpreadConstraints"), errors);
    context(spec, path, errors);
    environment::references(
        field(&spec.rest, "imagePullSecrets").unwrap_or(&Value::Null),
        &path.child("imagePullSecrets"),
        errors,
    );
    names(spec, path, errors);
    host_aliases(spec, path, errors);
    tolerations(&spec.tolerations, &path.child("tolerations"), errors);
    let class = &*spec.priority_class_name;
    if !class.is_empty() {
        errors.problems(&path.child("priorityClassName"), class, is_dns1123_subdomain(class));
    }
    if let Some(policy) = &spec.preemption_policy {
        let policies = ["PreemptLowerPriority", "Never"];
        errors.one_of(&path.child("preemptionPolicy"), policy, &policies);
    }
    super::container::amounts(&spec.overhead, &path.child("overhead").child("limits"), errors);
}

/// A field that is kept but not modelled; null counts as absent.
pub(super) fn field<'a>(rest: &'a Rest, key: &str) -> Option<&'a Value> {
    rest.as_ref()?.get(key).filter(|value| !value.is_null())
}

/// The text of a field, empty where there is none.
pub(super) fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The members of a list, none where there is no list.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// With the node's network a container's port is the node's. A template may leave that to its pods.
fn host_ports(containers: &[Container], is_pod: bool, path: &Path, errors: &mut Errors) {
    for (i, container) in containers.iter().enumerate() {
        for (j, port) in container.ports.iter().enumerate() {
            if (is_pod || port.host_port != 0) && port.host_port != port.container_port {
                let at = path.index(i);
                let at = at.child("ports");
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&at.index(j).child("hostPort"), port.host_port, detail);
            }
        }
    }
}

/// The pod's security context, and what it shares with its node.
fn context(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let is_on = |key: &str| field(&spec.rest, key).and_then(Value::as_bool) == Some(true);
    let nothing = Value::Null;
    let context = field(&spec.rest, "securityContext").unwrap_or(&nothing);
    let shares = (is_on("shareProcessNamespace"), is_on("hostPID"));
    security::of_pod(context, shares, &path.child("securityContext"), errors);
    let dns = field(&spec.rest, "dnsConfig").unwrap_or(&nothing);
    let servers = items(dns.get("nameservers"));
    let at = path.child("dnsConfig");
    if text(field(&spec.rest, "dnsPolicy")) == "None" && servers.is_empty() {
        errors.required(
            &at.child("nameservers"),
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        );
    }
    for (index, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        ip(server, &at.child("nameservers").index(index), errors);
    }
}

fn ip(address: &str, path: &Path, errors: &mut Errors) {
    if address.parse::<IpAddr>().is_err() {
        errors.invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}

fn host_aliases(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    for (index, alias) in items(field(&spec.rest, "hostAliases")).iter().enumerate() {
        let at = path.child("hostAliases");
        let at = at.index(index);
        ip(text(alias.get("ip")), &at.child("ip"), errors);
        for (index, name) in items(alias.get("hostnames")).iter().filter_map(Value::as_str).enumerate() {
            errors.problems(&at.child("hostnames").index(index), name, is_dns1123_subdomain(name));
        }
    }
}

fn readiness_gates(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    for (index, gate) in items(field(&spec.rest, "readinessGates")).iter().enumerate() {
        let kind = text(gate.get("conditionType"));
        let at = path.child("readinessGates");
        errors.problems(&at.index(index).child("conditionType"), kind, is_qualified_name(kind));
    }
}

/// Names of other things, and the deadline that upstream checks among them.
fn names(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let account = &*spec.service_account_name;
    if !account.is_empty() {
        errors.problems(&path.child("serviceAccountName"), account, is_dns1123_subdomain(account));
    }
    if let Some(node) = spec.node_name.as_deref().filter(|node| !node.is_empty()) {
        errors.problems(&path.child("nodeName"), node, is_dns1123_subdomain(node));
    }
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&path.child("activeDeadlineSeconds"), seconds, detail);
    }
    for (key, value) in [("hostname", &*spec.hostname), ("subdomain", text(field(&spec.rest, "subdomain")))] {
        if !value.is_empty() {
            errors.problems(&path.child(key), value, is_dns1123_label(value));
        }
    }
}

/// Images of pods, unlike those of templates, may have no blanks around them.
pub(super) fn no_outer_whitespace(containers: &[Container], path: &Path, errors: &mut Errors) {
    for (index, container) in containers.iter().enumerate() {
        if container.image.trim() != &*container.image {
            let detail = "must not have leading or trailing whitespace";
            errors.invalid(&path.index(index).child("image"), &container.image, detail);
        }
    }
}
