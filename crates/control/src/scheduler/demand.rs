//! What a pod asks of a node: requests and host ports, worked out once per template.
//!
//! Upstream: pkg/scheduler/framework/types.go (`Resource.Add`, `HostPortInfo`), pkg/scheduler/util/pod_resources.go.

use crate::pod::{requests, requests_or};
use setpoint_api::Gather as _;
use setpoint_api::wire::Rest;
use setpoint_api::{Container, PodSpec, Str};
use std::rc::Rc;

/// CPU that a container without a CPU request counts with in scores, in thousandths.
const DEFAULT_CPU: i64 = 100;
/// Memory that a container without a memory request counts with in scores, in bytes.
const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// A port on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// Address; `0.0.0.0` is every address.
    pub ip: Str,
    /// TCP, UDP or SCTP.
    pub protocol: Str,
    /// Number.
    pub port: i32,
}

impl HostPort {
    /// Whether both cannot be used on one node.
    pub fn conflicts(&self, other: &HostPort) -> bool {
        let any = |port: &HostPort| &*port.ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || any(self) || any(other))
    }
}

/// What a pod asks of a node. CPU in thousandths of a core, memory and ephemeral storage in bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// CPU.
    pub cpu: i64,
    /// Memory.
    pub memory: i64,
    /// Local disk.
    pub ephemeral: i64,
    /// Extended resources and huge pages by name, without zeros.
    pub scalars: Vec<(Str, i64)>,
    /// CPU as it counts in scores.
    pub nonzero_cpu: i64,
    /// Memory as it counts in scores.
    pub nonzero_memory: i64,
    /// Ports on the node, of containers and sidecars.
    pub ports: Vec<HostPort>,
}

impl Demand {
    /// The demand of a pod.
    pub fn of(spec: &PodSpec) -> Self {
        let requests = requests(spec);
        let scored = requests_or(spec, &[("cpu", DEFAULT_CPU), ("memory", DEFAULT_MEMORY)]);
        let of = |name: &str| requests.get(name).copied().unwrap_or(0);
        let scalars = requests.iter().filter(|(name, value)| is_scalar(name) && **value != 0);
        Self {
            cpu: of("cpu"),
            memory: of("memory"),
            ephemeral: of("ephemeral-storage"),
            scalars: scalars.map(|(name, value)| (name.clone(), *value)).gather(),
            nonzero_cpu: scored.get("cpu").copied().unwrap_or(0),
            nonzero_memory: scored.get("memory").copied().unwrap_or(0),
            ports: host_ports(spec),
        }
    }
}

/// Whether a resource is counted by name: extended resources, huge pages, attachable volumes.
///
/// Upstream: `IsScalarResourceName` in pkg/scheduler/util.
pub fn is_scalar(name: &str) -> bool {
    (name.contains('/') && !name.starts_with("requests."))
        || name.starts_with("hugepages-")
        || name.starts_with("attachable-volumes-")
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let is_sidecar = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
    let containers = spec.init_containers.iter().filter(is_sidecar).chain(spec.containers.iter());
    let ports = containers.flat_map(|container| &container.ports).filter(|port| port.host_port > 0);
    let or = |text: &Str, default: &str| if text.is_empty() { default.into() } else { text.clone() };
    ports
        .map(|port| HostPort {
            ip: or(&port.host_ip, "0.0.0.0"),
            protocol: or(&port.protocol, "TCP"),
            port: port.host_port,
        })
        .gather()
}

/// Keeps the demand of the template that was asked for last: pods of one ReplicaSet share their container lists.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    last: Option<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    containers: Rc<Vec<Container>>,
    init_containers: Rc<Vec<Container>>,
    rest: Rest,
    demand: Rc<Demand>,
}

impl Known {
    fn is_of(&self, spec: &PodSpec) -> bool {
        Rc::ptr_eq(&self.containers, &spec.containers)
            && Rc::ptr_eq(&self.init_containers, &spec.init_containers)
            && same_rest(&self.rest, &spec.rest)
            && spec.overhead.is_empty()
    }
}

impl Memo {
    /// The demand of a pod.
    pub fn demand(&mut self, spec: &PodSpec) -> Rc<Demand> {
        if let Some(known) = self.last.as_ref().filter(|known| known.is_of(spec)) {
            return known.demand.clone();
        }
        let demand = Rc::new(Demand::of(spec));
        if spec.overhead.is_empty() {
            self.last = Some(Known {
                containers: spec.containers.clone(),
                init_containers: spec.init_containers.clone(),
                rest: spec.rest.clone(),
                demand: demand.clone(),
            });
        }
        demand
    }
}

fn same_rest(a: &Rest, b: &Rest) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}
