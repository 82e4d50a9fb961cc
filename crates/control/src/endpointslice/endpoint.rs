//! What a pod contributes to the slices of a Service.
//!
//! Upstream: staging/src/k8s.io/endpointslice/utils.go `podToEndpoint`, `getEndpointPorts`, `FindPort`,
//! staging/src/k8s.io/endpointslice/util/controller_utils.go `ShouldPodBeInEndpoints`, `podEndpointsChanged`.

use crate::pod::is_ready;
use serde_json::{Map, Value};
use setpoint_api::Gather as _;
use setpoint_api::{
    Endpoint, EndpointConditions, EndpointPort, IntOrPercent, Node, ObjectReference, Pod, PodIp, Service,
    ServicePort, Str,
};
use std::net::IpAddr;
use std::rc::Rc;

/// Whether a pod is an endpoint of the Services that select it: it has an address and is not finished.
pub fn has_endpoint(pod: &Pod) -> bool {
    !pod.status.phase.is_finished() && (!pod.status.pod_ip.is_empty() || !pod.status.pod_ips.is_empty())
}

/// Whether a change of a pod, its labels aside, may change its endpoint.
pub fn differs(old: &Pod, new: &Pod) -> bool {
    if !has_endpoint(old) || !has_endpoint(new) {
        return has_endpoint(old) != has_endpoint(new);
    }
    old.metadata.is_deleting() != new.metadata.is_deleting()
        || is_ready(old) != is_ready(new)
        || !addresses(old).eq(addresses(new))
}

/// IPv4 addresses of a pod; what is none is shown as upstream's printer of addresses shows nothing.
fn addresses(pod: &Pod) -> impl Iterator<Item = Str> {
    let is_v4 = |ip: &&Str| !ip.is_empty() && !ip.contains(':');
    let ips: &[PodIp] = &pod.status.pod_ips;
    // The API server keeps the two fields in step, so one may stand for the other.
    let single = ips.is_empty().then_some(&pod.status.pod_ip);
    let shown = |ip: &Str| if ip.parse::<IpAddr>().is_ok() { ip.clone() } else { Str::fixed("<nil>") };
    single.into_iter().chain(ips.iter().map(|ip| &ip.ip)).filter(is_v4).map(shown)
}

/// The endpoint of a pod; `kept`, the endpoint that is there already, if it is still right. `None` if the pod has no
/// address of the slices' type.
pub fn pod_to_endpoint(
    pod: &Pod,
    node: Option<&Node>,
    service: &Service,
    kept: Option<&Rc<Endpoint>>,
) -> Option<Rc<Endpoint>> {
    addresses(pod).next()?;
    let (serving, terminating) = (is_ready(pod), pod.metadata.is_deleting());
    let conditions = EndpointConditions {
        ready: Some(service.spec.publish_not_ready_addresses || (serving && !terminating)),
        serving: Some(serving),
        terminating: Some(terminating),
        rest: None,
    };
    let zone =
        node.and_then(|node| node.metadata.label("topology.kubernetes.io/zone")).filter(|z| !z.is_empty());
    let hostname = Some(&*pod.spec.hostname).filter(|name| !name.is_empty() && is_subdomain(pod, service));
    if let Some(kept) = kept
        && kept.conditions == conditions
        && kept.node_name == pod.spec.node_name
        && kept.target_ref.as_ref().is_some_and(|target| target.uid == Some(pod.metadata.uid))
        && kept.addresses.iter().cloned().eq(addresses(pod))
        && field(kept, "zone") == zone
        && field(kept, "hostname") == hostname
    {
        return Some(Rc::clone(kept));
    }
    let mut rest = Map::new();
    for (key, value) in [("zone", zone), ("hostname", hostname)] {
        if let Some(value) = value {
            rest.insert(key.into(), value.into());
        }
    }
    let target = ObjectReference {
        kind: Str::fixed("Pod"),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: Some(pod.metadata.uid),
        ..ObjectReference::default()
    };
    Some(Rc::new(Endpoint {
        addresses: addresses(pod).gather(),
        conditions,
        target_ref: Some(Rc::new(target)),
        node_name: pod.spec.node_name.clone(),
        rest: (!rest.is_empty()).then(|| Rc::new(rest)),
    }))
}

fn field<'a>(endpoint: &'a Endpoint, key: &str) -> Option<&'a str> {
    endpoint.rest.as_ref()?.get(key)?.as_str()
}

fn is_subdomain(pod: &Pod, service: &Service) -> bool {
    let subdomain = pod.spec.rest.as_ref().and_then(|rest| rest.get("subdomain")).and_then(Value::as_str);
    subdomain == Some(&*service.metadata.name)
}

/// Ports of a Service on a pod. A port whose name the pod does not have is left out.
pub fn endpoint_ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let port = |port: &ServicePort| {
        Some(EndpointPort {
            name: Some(port.name.clone()),
            protocol: Some(protocol(&port.protocol).into()),
            port: Some(find_port(port, pod)?),
            rest: None,
        })
    };
    service.spec.ports.iter().filter_map(port).gather()
}

fn protocol(protocol: &str) -> &str {
    if protocol.is_empty() { "TCP" } else { protocol }
}

fn find_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    let name = match &port.target_port {
        None => return Some(port.port),
        Some(IntOrPercent::Int(number)) => return Some(if *number == 0 { port.port } else { *number }),
        Some(IntOrPercent::Text(name)) => name,
    };
    let sidecars = pod.spec.init_containers.iter();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let ports = pod.spec.containers.iter().chain(sidecars).flat_map(|container| &container.ports);
    let is_it = |p: &&setpoint_api::ContainerPort| {
        p.name == *name && protocol(&p.protocol) == protocol(&port.protocol)
    };
    ports.filter(is_it).map(|port| port.container_port).next()
}
