//! Services.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateService`; for node ports
//! pkg/registry/core/service/portallocator/allocator.go.

use super::cause::{Errors, Path, Raw};
use super::meta::labels;
use super::pod_spec::{field, items, text};
use super::{METADATA, SPEC, meta};
use crate::map::Set;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name};
use crate::text::go_quote;
use crate::wire::Wire;
use crate::{IntOrPercent, Kind, Service, ServicePort, ServiceSpec, Str};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

const KUBELET: i32 = 10250;
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30000..=32767;

pub(super) fn create(service: &Service, errors: &mut Errors) {
    content(service, errors);
    if errors.is_empty() {
        families_of_cluster(&service.spec, errors);
    }
    if errors.is_empty() {
        address_range(&service.spec, errors);
        node_port_range(&service.spec, errors);
    }
}

/// Whether a Service asks for addresses that a cluster of IPv4 alone does not have.
pub fn wants_other_families(spec: &ServiceSpec) -> bool {
    let is_free = is_headless(spec) && spec.selector.is_empty();
    let wants_both = spec.ip_family_policy.as_deref() == Some("RequireDualStack");
    !is_free && (wants_both || spec.ip_families.iter().any(|family| &**family != "IPv4"))
}

/// The cluster has addresses of IPv4 alone.
fn families_of_cluster(spec: &ServiceSpec, errors: &mut Errors) {
    if &*spec.kind == "ExternalName" || !wants_other_families(spec) {
        return;
    }
    if let Some(policy) = spec.ip_family_policy.as_deref().filter(|policy| *policy == "RequireDualStack") {
        let detail = "this cluster is not configured for dual-stack services";
        errors.invalid(&SPEC.child("ipFamilyPolicy"), policy, detail);
    }
    for (index, family) in spec.ip_families.iter().enumerate().filter(|(_, family)| &***family != "IPv4") {
        let at = SPEC.child("ipFamilies");
        errors.invalid(&at.index(index), family, "not configured on this cluster");
    }
}

pub(super) fn update(old: &Service, new: &Service, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    cluster_ip_is_kept(&old.spec, &new.spec, errors);
    content(new, errors);
    if errors.is_empty() {
        node_port_range(&new.spec, errors);
    }
}

fn content(service: &Service, errors: &mut Errors) {
    let spec = &service.spec;
    meta::object(Kind::Service, &service.metadata, errors);
    topology_hints(service, errors);
    if spec.ports.is_empty() && !is_headless(spec) && &*spec.kind != "ExternalName" {
        errors.required(&SPEC.child("ports"), "");
    }
    of_type(spec, errors);
    let mut names = Set::new();
    for (index, port) in spec.ports.iter().enumerate() {
        self::port(port, spec.ports.len() > 1, &SPEC.child("ports").index(index), errors);
        if !port.name.is_empty() && !names.insert(&port.name) {
            errors.duplicate(&SPEC.child("ports").index(index).child("name"), &port.name, "");
        }
    }
    labels(&spec.selector, &SPEC.child("selector"), errors);
    session_affinity(spec, errors);
    addresses(spec, errors);
    for (index, address) in items(field(&spec.rest, "externalIPs")).iter().enumerate() {
        let at = SPEC.child("externalIPs");
        outer_address(address.as_str().unwrap_or_default(), &at.index(index), errors);
    }
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    errors.one_of(&SPEC.child("type"), &spec.kind, &types);
    port_conflicts(spec, errors);
    of_load_balancers(service, errors);
    traffic(spec, errors);
}

fn is_headless(spec: &ServiceSpec) -> bool {
    &*spec.cluster_ip == "None"
}

/// Whether traffic from outside of the cluster may come.
fn is_external(spec: &ServiceSpec) -> bool {
    let has_addresses =
        field(&spec.rest, "externalIPs").and_then(Value::as_array).is_some_and(|ips| !ips.is_empty());
    matches!(&*spec.kind, "LoadBalancer" | "NodePort") || (&*spec.kind == "ClusterIP" && has_addresses)
}

fn of_type(spec: &ServiceSpec, errors: &mut Errors) {
    match &*spec.kind {
        kind @ ("LoadBalancer" | "NodePort") => {
            for (index, _) in spec.ports.iter().enumerate().filter(|(_, port)| port.port == KUBELET) {
                if kind == "LoadBalancer" {
                    let detail = "may not expose port 10250 externally since it is used by kubelet";
                    errors.invalid(&SPEC.child("ports").index(index), KUBELET, detail);
                }
            }
            if is_headless(spec) {
                let detail = format!("may not be set to 'None' for {kind} services");
                errors.invalid(&SPEC.child("clusterIPs").index(0), "None", &detail);
            }
        }
        "ExternalName" => {
            let fields = [
                ("clusterIPs", !spec.cluster_ip.is_empty() || !spec.cluster_ips.is_empty()),
                ("ipFamilies", !spec.ip_families.is_empty()),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ];
            for (name, _) in fields.into_iter().filter(|(_, is_set)| *is_set) {
                errors.forbidden(&SPEC.child(name), "may not be set for ExternalName services");
            }
            let at = SPEC.child("externalName");
            let name = text(field(&spec.rest, "externalName"));
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.required(&at, "");
            } else {
                errors.problems(&at, name, is_dns1123_subdomain(name));
            }
        }
        _ => {}
    }
}

/// Two annotations that say the same may not say different things.
fn topology_hints(service: &Service, errors: &mut Errors) {
    const OLD: &str = "service.kubernetes.io/topology-aware-hints";
    const NEW: &str = "service.kubernetes.io/topology-mode";
    let annotation = |key| service.metadata.annotation(key);
    if let (Some(old), Some(new)) = (annotation(OLD), annotation(NEW))
        && old != new
    {
        let detail = format!("must match annotations[{OLD}] when both are specified");
        errors.invalid(&METADATA.child("annotations").key(NEW), new, &detail);
    }
}

/// An address that requests come to from outside.
pub(super) fn outer_address(text: &str, path: &Path, errors: &mut Errors) {
    let Ok(address) = text.parse::<IpAddr>() else {
        errors.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
        return;
    };
    let (is_link_local, is_link_multicast) = match address {
        IpAddr::V4(address) => (address.is_link_local(), matches!(address.octets(), [224, 0, 0, _])),
        IpAddr::V6(address) => {
            (address.segments()[0] & 0xffc0 == 0xfe80, address.segments()[0] & 0xff0f == 0xff02)
        }
    };
    let unspecified = format!("may not be unspecified ({text})");
    for (is_so, detail) in [
        (address.is_unspecified(), &*unspecified),
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (is_link_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ] {
        if is_so {
            errors.invalid(path, text, detail);
        }
    }
}

/// What only Services of type LoadBalancer may have.
fn of_load_balancers(service: &Service, errors: &mut Errors) {
    const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    const ONLY: &str = "may only be used when `type` is 'LoadBalancer'";
    let spec = &service.spec;
    let is_balancer = &*spec.kind == "LoadBalancer";
    let ranges = items(field(&spec.rest, "loadBalancerSourceRanges"));
    let range = |text: &str, path: &Path, errors: &mut Errors| {
        if super::network_policy::block(text).is_none() {
            let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            errors.invalid(path, text, detail);
        }
    };
    if !ranges.is_empty() {
        // Upstream writes this field with a capital letter.
        let at = SPEC.child("LoadBalancerSourceRanges");
        if !is_balancer {
            errors.forbidden(&at, ONLY);
        }
        for (index, text) in ranges.iter().filter_map(Value::as_str).enumerate() {
            range(text.trim(), &at.index(index), errors);
        }
    } else if let Some(list) = service.metadata.annotation(RANGES) {
        let at = METADATA.child("annotations");
        let at = at.key(RANGES);
        if !is_balancer {
            errors.forbidden(&at, ONLY);
        }
        for text in list.split(',').filter(|_| !list.trim().is_empty()) {
            range(text.trim(), &at, errors);
        }
    }
    if field(&spec.rest, "allocateLoadBalancerNodePorts").is_some() && !is_balancer {
        errors.forbidden(&SPEC.child("allocateLoadBalancerNodePorts"), ONLY);
    }
    if let Some(class) = field(&spec.rest, "loadBalancerClass") {
        let (at, class) = (SPEC.child("loadBalancerClass"), class.as_str().unwrap_or_default());
        if is_balancer {
            errors.problems(&at, class, is_qualified_name(class));
        } else {
            errors.forbidden(&at, ONLY);
        }
    }
}

fn port(port: &ServicePort, needs_name: bool, path: &Path, errors: &mut Errors) {
    if !port.name.is_empty() {
        errors.problems(&path.child("name"), &port.name, is_dns1123_label(&port.name));
    } else if needs_name {
        errors.required(&path.child("name"), "");
    }
    errors.port_number(&path.child("port"), i64::from(port.port));
    errors.one_of(&path.child("protocol"), &port.protocol, &["SCTP", "TCP", "UDP"]);
    errors.port(&path.child("targetPort"), port.target_port.as_ref().unwrap_or(&IntOrPercent::Int(0)));
    if let Some(protocol) = field(&port.rest, "appProtocol") {
        let protocol = protocol.as_str().unwrap_or_default();
        errors.problems(&path.child("appProtocol"), protocol, is_qualified_name(protocol));
    }
}

fn session_affinity(spec: &ServiceSpec, errors: &mut Errors) {
    errors.one_of(&SPEC.child("sessionAffinity"), &spec.session_affinity, &["ClientIP", "None"]);
    let at = SPEC.child("sessionAffinityConfig");
    let config = field(&spec.rest, "sessionAffinityConfig");
    match (&*spec.session_affinity, config) {
        ("None", Some(_)) => errors.forbidden(&at, "must not be set when session affinity is None"),
        ("ClientIP", None) => errors.required(&at, "when session affinity type is ClientIP"),
        ("ClientIP", Some(config)) => {
            let seconds = config.pointer("/clientIP/timeoutSeconds").and_then(Value::as_i64);
            if let Some(seconds) = seconds
                && !(1..=86400).contains(&seconds)
            {
                let at = at.child("clientIP");
                let detail = "must be greater than 0 and less than 86400";
                errors.invalid(&at.child("timeoutSeconds"), seconds, detail);
            }
        }
        _ => {}
    }
}

fn addresses(spec: &ServiceSpec, errors: &mut Errors) {
    if &*spec.kind == "ExternalName" {
        return;
    }
    let path = SPEC.child("clusterIPs");
    let shown = spec.cluster_ips.write_always();
    // What names one address alone is given the list by the server.
    let own = vec![spec.cluster_ip.clone()];
    let list =
        if spec.cluster_ips.is_empty() && !spec.cluster_ip.is_empty() { &own } else { &spec.cluster_ips };
    if spec.cluster_ip.is_empty() && !list.is_empty() {
        errors.invalid(&path, &shown, "must be empty when `clusterIP` is not specified");
    } else if list.first().is_some_and(|first| *first != spec.cluster_ip) {
        errors.invalid(&path, &shown, "first value must match `clusterIP`");
    }
    for (index, family) in spec.ip_families.iter().enumerate() {
        let at = SPEC.child("ipFamilies");
        if !matches!(&**family, "IPv4" | "IPv6") {
            errors.not_supported(&at.index(index), family, &["IPv4", "IPv6"]);
        }
        if spec.ip_families.iter().take(index).any(|earlier| earlier == family) {
            errors.duplicate(&at.index(index), family, "");
        }
    }
    if let Some(policy) = &spec.ip_family_policy
        && !matches!(&**policy, "PreferDualStack" | "RequireDualStack" | "SingleStack")
    {
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        errors.not_supported(&SPEC.child("ipFamilyPolicy"), policy, &policies);
    }
    let mut is_wrong = false;
    for (index, address) in list.iter().enumerate() {
        if index == 0 && &**address == "None" {
            if list.len() > 1 {
                is_wrong = true;
                errors.invalid(&path, &shown, "'None' must be the first and only value");
            }
        } else if address.parse::<IpAddr>().is_err() {
            is_wrong = true;
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.invalid(&path.index(index), address, detail);
        }
    }
    if list.len() > 2 {
        errors.invalid(&path, &shown, "may only hold up to 2 values");
    }
    if is_wrong || is_headless(spec) {
        return;
    }
    let is_old = |address: &Str| address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4());
    if list.len() > 1 && list.iter().all(is_old) == list.iter().any(is_old) {
        errors.invalid(&path, &shown, "may specify no more than one IP for each IP family");
    }
    for (index, (address, family)) in list.iter().zip(&spec.ip_families).enumerate() {
        let wanted = if is_old(address) { "IPv4" } else { "IPv6" };
        if matches!(&**family, "IPv4" | "IPv6") && &**family != wanted {
            let article = if &**family == "IPv4" { "an IPv4" } else { "an IPv6" };
            let detail = format!("expected {article} value as indicated by `ipFamilies[{index}]`");
            errors.invalid(&path.index(index), address, &detail);
        }
    }
}

fn port_conflicts(spec: &ServiceSpec, errors: &mut Errors) {
    let path = SPEC.child("ports");
    if &*spec.kind == "ClusterIP" {
        for (index, _) in spec.ports.iter().enumerate().filter(|(_, port)| port.node_port != 0) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            errors.forbidden(&path.index(index).child("nodePort"), detail);
        }
    }
    let mut node_ports = Set::new();
    for (index, port) in spec.ports.iter().enumerate().filter(|(_, port)| port.node_port != 0) {
        if !node_ports.insert((&port.protocol, port.node_port)) {
            errors.duplicate(&path.index(index).child("nodePort"), port.node_port, "");
        }
    }
    let mut ports = Set::new();
    for (index, port) in spec.ports.iter().enumerate() {
        if !ports.insert((&port.protocol, port.port)) {
            // Upstream prints its internal form with only the two fields that clash.
            let (protocol, number) = (go_quote(&port.protocol), port.port);
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\
                 \"NodePort\":0}}"
            );
            errors.duplicate(&path.index(index), Raw(shown), "");
        }
    }
}

fn traffic(spec: &ServiceSpec, errors: &mut Errors) {
    let at = SPEC.child("externalTrafficPolicy");
    let policy = text(field(&spec.rest, "externalTrafficPolicy"));
    if is_external(spec) {
        errors.one_of(&at, policy, &["Cluster", "Local"]);
    } else if !policy.is_empty() {
        errors.invalid(&at, policy, "may only be set for externally-accessible services");
    }
    let at = SPEC.child("healthCheckNodePort");
    let checks = field(&spec.rest, "healthCheckNodePort").and_then(Value::as_i64).unwrap_or(0);
    if &*spec.kind == "LoadBalancer" && policy == "Local" {
        // The server finds a port where none is asked for.
        if checks != 0 {
            errors.port_number(&at, checks);
        }
    } else if checks != 0 {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&at, checks, detail);
    }
    let at = SPEC.child("internalTrafficPolicy");
    match &spec.internal_traffic_policy {
        Some(policy) if matches!(&**policy, "Cluster" | "Local") => {}
        Some(policy) => errors.not_supported(&at, policy, &["Cluster", "Local"]),
        None if matches!(&*spec.kind, "NodePort" | "LoadBalancer" | "ClusterIP") => errors.required(&at, ""),
        None => {}
    }
    distribution(spec, errors);
}

fn distribution(spec: &ServiceSpec, errors: &mut Errors) {
    let ways = ["PreferClose", "PreferSameNode", "PreferSameZone"];
    if let Some(way) = field(&spec.rest, "trafficDistribution").and_then(Value::as_str)
        && !ways.contains(&way)
    {
        errors.not_supported(&SPEC.child("trafficDistribution"), way, &ways);
    }
}

/// The address of a Service is given once, except on the way from or to a mere name.
fn cluster_ip_is_kept(old: &ServiceSpec, new: &ServiceSpec, errors: &mut Errors) {
    if &*old.kind == "ExternalName" || &*new.kind == "ExternalName" {
        return;
    }
    if old.cluster_ip.is_empty() || old.cluster_ip == new.cluster_ip {
        return;
    }
    let at = SPEC.child("clusterIPs");
    if new.cluster_ip.is_empty() {
        errors.invalid(&at.index(0), Raw("null".to_owned()), "primary clusterIP can not be unset");
    } else {
        let shown = vec![new.cluster_ip.clone()].write_always();
        errors.invalid(&at.index(0), &shown, "may not change once set");
    }
}

/// The address that is asked for must be in the range of the cluster, 10.96.0.0/12.
fn address_range(spec: &ServiceSpec, errors: &mut Errors) {
    let is_given = !spec.cluster_ip.is_empty() && !is_headless(spec) && &*spec.kind != "ExternalName";
    let in_range = |address: Ipv4Addr| address.octets()[0] == 10 && address.octets()[1] & 0xf0 == 96;
    if is_given && !spec.cluster_ip.parse().is_ok_and(in_range) {
        let shown = vec![spec.cluster_ip.clone()].write_always();
        let address = &spec.cluster_ip;
        let detail =
            format!("failed to allocate IP {address}: the provided network does not match the current range");
        errors.invalid(&SPEC.child("clusterIPs"), &shown, &detail);
    }
}

/// Node ports come from a range; they are given out once everything else is right.
fn node_port_range(spec: &ServiceSpec, errors: &mut Errors) {
    for (index, port) in spec.ports.iter().enumerate() {
        if port.node_port != 0 && !NODE_PORTS.contains(&port.node_port) {
            let detail = format!(
                "provided port is not in the valid range. The range of valid ports is {}-{}",
                NODE_PORTS.start(),
                NODE_PORTS.end()
            );
            errors.invalid(&SPEC.child("ports").index(index).child("nodePort"), port.node_port, &detail);
            return;
        }
    }
}
