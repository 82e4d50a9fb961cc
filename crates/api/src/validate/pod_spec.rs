//! The spec of a pod, in a Pod or in a template.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidatePodSpec`.

use super::cause::{Errors, Path};
use super::container::{containers, init_containers};
use super::meta::labels;
use super::scheduling::{affinity, tolerations, topology_spread};
use super::volume::volumes;
use super::{security, tree};
use crate::map::Set;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_search_path};
use crate::wire::Rest;
use crate::{Container, PodSpec, Quantity, ResourceList};
use serde_json::Value;
use std::net::IpAddr;

/// A pod's spec; `is_pod` where it is no template's.
pub(super) fn pod_spec(spec: &PodSpec, is_pod: bool, path: &Path, errors: &mut Errors) {
    let volumes = volumes(field(&spec.rest, "volumes"), &path.child("volumes"), errors);
    resource_claims(spec, path, errors);
    if let Some(resources) = field(&spec.rest, "resources") {
        pod_resources(resources, spec, &path.child("resources"), errors);
    }
    containers(spec, &volumes, &path.child("containers"), errors);
    init_containers(spec, &volumes, &path.child("initContainers"), errors);
    if spec.host_network == Some(true) {
        host_ports(&spec.containers, is_pod, &path.child("containers"), errors);
    }
    let restart_policy = spec.restart_policy.as_deref().unwrap_or_default();
    errors.one_of(&path.child("restartPolicy"), restart_policy, &["Always", "OnFailure", "Never"]);
    let dns_policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.one_of(&path.child("dnsPolicy"), text(field(&spec.rest, "dnsPolicy")), &dns_policies);
    labels(&spec.node_selector, &path.child("nodeSelector"), errors);
    security::of_pod(spec, &path.child("securityContext"), errors);
    if let Some(rules) = &spec.affinity {
        affinity(rules, &path.child("affinity"), errors);
    }
    dns_config(spec, &path.child("dnsConfig"), errors);
    gates(spec, path, errors);
    topology_spread(&spec.topology_spread_constraints, &path.child("topologySpreadConstraints"), errors);
    host_users(spec, path, errors);
    names(spec, path, errors);
    tolerations(&spec.tolerations, &path.child("tolerations"), errors);
    host_aliases(spec, path, errors);
    let classes = [
        ("priorityClassName", &*spec.priority_class_name),
        ("runtimeClassName", text(field(&spec.rest, "runtimeClassName"))),
    ];
    for (key, class) in classes.into_iter().filter(|(_, class)| !class.is_empty()) {
        errors.problems(&path.child(key), class, is_dns1123_subdomain(class));
    }
    if let Some(policy) = &spec.preemption_policy {
        let policies = ["PreemptLowerPriority", "Never"];
        errors.one_of(&path.child("preemptionPolicy"), policy, &policies);
    }
    super::container::amounts(&spec.overhead, &path.child("overhead").child("limits"), errors);
    if let Some(os) = field(&spec.rest, "os") {
        let at = path.child("os");
        match text(os.get("name")) {
            "" => errors.required(&at.child("name"), "cannot be empty"),
            "linux" | "windows" => security::of_system(spec, text(os.get("name")), path, errors),
            other => errors.not_supported(&at, other, &["linux", "windows"]),
        }
    }
}

/// What a pod has for all of its containers together.
fn pod_resources(resources: &Value, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let of = |key: &str| -> ResourceList { tree::amounts(resources, key) };
    let (limits, requests) = (of("limits"), of("requests"));
    for (key, amounts) in [("limits", &limits), ("requests", &requests)] {
        for (name, amount) in amounts {
            let place = path.child(key);
            let at = place.key(name);
            let is_supported = matches!(&**name, "cpu" | "memory") || name.starts_with("hugepages-");
            if !name.contains('/') && !super::limits::is_standard(name) {
                errors.invalid(&at, name, "must be a standard resource type or fully qualified");
            } else if !is_supported {
                errors.not_supported(&at, name, &["cpu", "hugepages-", "memory"]);
            }
            if *amount < Quantity::ZERO {
                errors.invalid(&at, amount, "must be greater than or equal to 0");
            }
        }
    }
    let place = path.child("requests");
    for (name, request) in &requests {
        if let Some(limit) = limits.get(name).filter(|limit| request > limit) {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            errors.invalid(&place, request, &detail);
        }
        let mut sum = Quantity::ZERO;
        for container in &*spec.containers {
            sum += container.resources.requests.get(name).copied().unwrap_or(Quantity::ZERO);
        }
        if sum > *request {
            let detail = format!("must be greater than or equal to aggregate container requests of {sum}");
            errors.invalid(&place.key(name), request, &detail);
        }
    }
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

/// How names are looked up.
fn dns_config(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let is_none = text(field(&spec.rest, "dnsPolicy")) == "None";
    let Some(config) = field(&spec.rest, "dnsConfig") else {
        if is_none {
            errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        return;
    };
    let (servers, searches) = (items(config.get("nameservers")), items(config.get("searches")));
    let at = path.child("nameservers");
    if is_none && servers.is_empty() {
        errors.required(&at, "must provide at least one DNS nameserver when `dnsPolicy` is None");
        return;
    }
    if servers.len() > 3 {
        errors.invalid(&at, &config["nameservers"], "must not have more than 3 nameservers");
    }
    for (index, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        ip(server, &at.index(index), errors);
    }
    let at = path.child("searches");
    if searches.len() > 32 {
        errors.invalid(&at, &config["searches"], "must not have more than 32 search paths");
    }
    let letters: usize = searches.iter().filter_map(Value::as_str).map(|search| search.len() + 1).sum();
    if letters > 2049 {
        let detail = "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid(&at, &config["searches"], detail);
    }
    for (index, search) in searches.iter().filter_map(Value::as_str).enumerate() {
        let search = search.strip_suffix('.').unwrap_or(search);
        // A lone dot looks names up as they are.
        if !search.is_empty() {
            errors.problems(&at.index(index), search, is_search_path(search));
        }
    }
    for (index, option) in items(config.get("options")).iter().enumerate() {
        if text(option.get("name")).is_empty() {
            errors.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

fn ip(address: &str, path: &Path, errors: &mut Errors) {
    if address.parse::<IpAddr>().is_err() {
        errors.invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}

/// Claims for devices, which containers name.
fn resource_claims(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let mut names = Set::new();
    for (index, claim) in items(field(&spec.rest, "resourceClaims")).iter().enumerate() {
        let at = path.child("resourceClaims");
        let at = at.index(index);
        let name = text(claim.get("name"));
        if name.is_empty() {
            errors.required(&at.child("name"), "");
        } else if names.insert(name) {
            errors.problems(&at.child("name"), name, is_dns1123_label(name));
        } else {
            errors.duplicate(&at.child("name"), name, "");
        }
        let of = |key| claim.get(key).filter(|name| !name.is_null());
        let (named, made) = (of("resourceClaimName"), of("resourceClaimTemplateName"));
        let detail = match (named, made) {
            (Some(_), Some(_)) => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
            (None, None) => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            _ => "",
        };
        if !detail.is_empty() {
            let word = |value: Option<&Value>| value.map_or_else(|| "null".to_owned(), Value::to_string);
            let shown = format!(
                "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
                crate::text::go_quote(name),
                word(named),
                word(made)
            );
            errors.invalid(&at, super::cause::Raw(shown), detail);
        }
    }
}

/// A pod with users of its own shares nothing with its node.
fn host_users(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    if field(&spec.rest, "hostUsers").and_then(Value::as_bool) != Some(false) {
        return;
    }
    let is_on = |key: &str| field(&spec.rest, key).and_then(Value::as_bool) == Some(true);
    let shared = [
        ("hostNetwork", spec.host_network == Some(true)),
        ("hostPID", is_on("hostPID")),
        ("hostIPC", is_on("hostIPC")),
    ];
    for (key, _) in shared.into_iter().filter(|(_, is_on)| *is_on) {
        errors.forbidden(&path.child(key), "when `hostUsers` is false");
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

/// What a pod waits for before it is ready, and before it is placed.
fn gates(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    for (index, gate) in items(field(&spec.rest, "readinessGates")).iter().enumerate() {
        let kind = text(gate.get("conditionType"));
        let at = path.child("readinessGates");
        errors.problems(&at.index(index).child("conditionType"), kind, is_qualified_name(kind));
    }
    let mut seen = Set::new();
    for (index, gate) in items(field(&spec.rest, "schedulingGates")).iter().enumerate() {
        let name = text(gate.get("name"));
        let at = path.child("schedulingGates");
        errors.problems(&at.index(index), name, is_qualified_name(name));
        if !seen.insert(name) {
            errors.duplicate(&at.index(index), name, "");
        }
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
