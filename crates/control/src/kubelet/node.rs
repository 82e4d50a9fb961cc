//! What a kubelet says about its node, and which pods it takes on.
//!
//! Upstream: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go, pkg/kubelet/lifecycle/predicate.go,
//! kubelet.go `rejectPod`, pkg/apis/core/v1/helper/qos/qos.go.
//! Simplified: of pressure only that of memory and disk; admission looks at pressure and resources only, since the scheduler has
//! looked at everything else.

use super::KubeletCx;
use super::events::{COMPONENT, about_pod};
use crate::EventDraft;
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::wire::{Reader, Wire as _};
use setpoint_api::*;
use std::rc::Rc;

/// Version that nodes report.
pub const KUBELET_VERSION: &str = "v1.36.2";

/// What a kubelet knows of its machine.
#[derive(Clone, Copy, Debug)]
pub struct NodeFacts<'a> {
    /// Name of the node.
    pub name: &'a Str,
    /// Address of the node.
    pub address: &'a str,
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// Bytes.
    pub memory_bytes: i64,
    /// Pods that it takes.
    pub pods_max: i64,
    /// How often it has booted.
    pub boots: u32,
    /// Whether the network of its pods is set up.
    pub has_network: bool,
    /// Where its kubelet listens.
    pub port: u32,
    /// Whether it has too little memory, and too little disk.
    pub is_short: (bool, bool),
}

/// What a container runtime says before the network's add-on has set itself up on the machine.
const NO_NETWORK: &str = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                          message:Network plugin returns error: cni plugin not initialized";

/// A node's status as its kubelet reports it. All of the machine may be requested by pods.
pub fn node_status(facts: &NodeFacts, old: Option<&NodeStatus>, now: Time) -> NodeStatus {
    let no = ConditionStatus::False;
    let yes = ConditionStatus::True;
    let own = [
        if facts.is_short.0 {
            (
                "MemoryPressure",
                yes,
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
            )
        } else {
            ("MemoryPressure", no, "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
        },
        if facts.is_short.1 {
            ("DiskPressure", yes, "KubeletHasDiskPressure", "kubelet has disk pressure")
        } else {
            ("DiskPressure", no, "KubeletHasNoDiskPressure", "kubelet has no disk pressure")
        },
        ("PIDPressure", no, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        if facts.has_network {
            ("Ready", yes, "KubeletReady", "kubelet is posting ready status")
        } else {
            ("Ready", no, "KubeletNotReady", NO_NETWORK)
        },
    ];
    let now = now.whole_seconds();
    let known = old.map_or(&[][..], |old| &old.conditions);
    let report = |(kind, status, reason, message): (&str, ConditionStatus, &str, &str)| {
        let same = condition(known, kind).filter(|old| old.status == status);
        Condition {
            kind: kind.into(),
            status,
            reason: reason.into(),
            message: message.into(),
            last_heartbeat_time: Some(now),
            last_transition_time: same.and_then(|old| old.last_transition_time).or(Some(now)),
            ..Condition::default()
        }
    };
    let mut conditions: Vec<Condition> = own.into_iter().map(report).gather();
    let is_foreign = |old: &&Condition| !own.iter().any(|(kind, ..)| *kind == &*old.kind);
    conditions.extend(known.iter().filter(is_foreign).cloned());
    let capacity = Rc::new(capacity(facts));
    let mut status = old.cloned().unwrap_or_default();
    status.conditions = conditions;
    status.allocatable = capacity.clone();
    status.capacity = capacity;
    status.addresses = Rc::new(addresses(facts));
    let port = facts.port;
    status.daemon_endpoints = Some(Rc::new(json!({ "kubeletEndpoint": { "Port": port } })));
    status.node_info = Some(Rc::new(node_info(facts)));
    status
}

fn capacity(facts: &NodeFacts) -> ResourceList {
    let amounts = [
        ("cpu", format!("{}m", facts.cpu_milli)),
        ("ephemeral-storage", "100Gi".to_string()),
        ("memory", format!("{}Ki", facts.memory_bytes / 1024)),
        ("pods", facts.pods_max.to_string()),
    ];
    let read = |(name, text): (&str, String)| (name.into(), Quantity::parse(&text).unwrap_or_default());
    amounts.into_iter().map(read).collect()
}

fn addresses(facts: &NodeFacts) -> Vec<NodeAddress> {
    let of =
        |kind: &str, address: &str| NodeAddress { kind: kind.into(), address: address.into(), rest: None };
    vec![of("InternalIP", facts.address), of("Hostname", facts.name)]
}

/// Whether a node's Ready condition is true.
pub fn is_node_ready(status: &NodeStatus) -> bool {
    condition_status(&status.conditions, "Ready") == ConditionStatus::True
}

fn node_info(facts: &NodeFacts) -> Value {
    json!({
        "architecture": "amd64",
        "bootID": identity(&format!("boot {} of {}", facts.boots, facts.name)).to_string(),
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.1.0-35-amd64",
        "kubeProxyVersion": "",
        "kubeletVersion": KUBELET_VERSION,
        "machineID": identity(facts.name).to_string().replace('-', ""),
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": identity(&format!("system {}", facts.name)).to_string(),
    })
}

/// An identity that stays the same from run to run.
fn identity(of: &str) -> Uid {
    let fold = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    // The bits that every random UUID has.
    let hash = of.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold);
    Uid(hash & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62)
}

/// What a kubelet says when its process starts, besides what has changed in its node's status.
pub fn start_events(id: ObjId, name: &Str) -> Vec<EventDraft> {
    let mut events = vec![about_node(id, name, "Starting", "Starting kubelet.".into())];
    events.extend(PRESSURES.map(|(_, reason, _)| is_now(id, name, reason)));
    let enforced = "Updated Node Allocatable limit across pods".into();
    events.push(about_node(id, name, "NodeAllocatableEnforced", enforced));
    events
}

/// Conditions that a healthy node does not have, what is said when it no longer has them, and when they begin.
const PRESSURES: [(&str, &str, &str); 3] = [
    ("MemoryPressure", "NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    ("DiskPressure", "NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    ("PIDPressure", "NodeHasSufficientPID", "NodeHasInsufficientPID"),
];

/// Events about what has changed in a node's status since its kubelet's last report, or since somebody else's.
pub fn node_events(id: ObjId, name: &Str, old: &NodeStatus, new: &NodeStatus) -> Vec<EventDraft> {
    let mut events = Vec::new();
    let boot = |status: &NodeStatus| {
        let info = status.node_info.as_ref()?;
        info["bootID"].as_str().map(str::to_owned)
    };
    if let (Some(before), Some(now)) = (boot(old), boot(new))
        && before != now
    {
        let message = format!("Node {name} has been rebooted, boot id: {now}");
        events.push(EventDraft { is_warning: true, ..about_node(id, name, "Rebooted", message) });
    }
    for (kind, over, begun) in PRESSURES {
        let status = |of: &NodeStatus| condition_status(&of.conditions, kind);
        match (status(old), status(new)) {
            (ConditionStatus::True | ConditionStatus::Unknown, ConditionStatus::False) => {
                events.push(is_now(id, name, over));
            }
            (ConditionStatus::False | ConditionStatus::Unknown, ConditionStatus::True) => {
                events.push(is_now(id, name, begun));
            }
            _ => {}
        }
    }
    match (is_node_ready(old), is_node_ready(new)) {
        (false, true) => events.push(is_now(id, name, "NodeReady")),
        (true, false) => events.push(is_now(id, name, "NodeNotReady")),
        _ => {}
    }
    events
}

/// What a kubelet says when it finds its node cordoned, or open again.
pub fn cordon_event(id: ObjId, name: &Str, is_cordoned: bool) -> EventDraft {
    is_now(id, name, if is_cordoned { "NodeNotSchedulable" } else { "NodeSchedulable" })
}

fn is_now(id: ObjId, name: &Str, reason: &'static str) -> EventDraft {
    about_node(id, name, reason, format!("Node {name} status is now: {reason}"))
}

fn about_node(id: ObjId, name: &Str, reason: &'static str, message: String) -> EventDraft {
    EventDraft { host: Some(name.clone()), ..EventDraft::normal(COMPONENT, id, reason, message) }
}

/// Why a kubelet does not take a pod on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Reason in one word, such as OutOfcpu.
    pub reason: &'static str,
    /// Message for a person.
    pub message: String,
}

/// Resources that a kubelet counts when it takes a pod on, and why it does not where one is short.
const COUNTED: [(&str, &str); 3] =
    [("cpu", "OutOfcpu"), ("memory", "OutOfmemory"), ("ephemeral-storage", "OutOfephemeral-storage")];

/// What a pod requests of the resources that a kubelet counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share([i64; COUNTED.len()]);

impl Share {
    /// The share of a pod.
    pub fn of(spec: &PodSpec) -> Self {
        let requests = crate::pod::requests(spec);
        Self(COUNTED.map(|(name, _)| requests.get(name).copied().unwrap_or(0)))
    }
}

/// Whether a pod that is bound to the node fits beside the pods that are already there and have not ended.
pub fn admit(
    pod: Share,
    allocatable: &ResourceList,
    others: impl IntoIterator<Item = Share>,
) -> Result<(), Rejection> {
    let (mut used, mut count) = ([0i64; COUNTED.len()], 0i64);
    for other in others {
        for (sum, amount) in used.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(amount);
        }
        count += 1;
    }
    let room = |name: &str| {
        let amount = |q: &Quantity| if name == "cpu" { q.milli_value() } else { q.value() };
        allocatable.get(name).map_or(0, amount)
    };
    let refuse = |name: &str, reason: &'static str, requested: i64, used: i64| {
        let capacity = room(name);
        let message = format!(
            "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
        );
        Err(Rejection { reason, message })
    };
    if count + 1 > room("pods") {
        return refuse("pods", "OutOfpods", 1, count);
    }
    for ((requested, used), (name, reason)) in pod.0.into_iter().zip(used).zip(COUNTED) {
        if requested > 0 && requested > room(name).saturating_sub(used) {
            return refuse(name, reason, requested, used);
        }
    }
    Ok(())
}

/// The status and the event of a pod that is not taken on.
pub fn reject(cx: &KubeletCx, pod: &Pod, rejection: &Rejection) -> (PodStatus, EventDraft) {
    let status = PodStatus {
        phase: PodPhase::Failed,
        reason: rejection.reason.into(),
        message: format!("Pod was rejected: {}", rejection.message).into(),
        observed_generation: pod.metadata.generation,
        start_time: pod.status.start_time.or(Some(cx.now.whole_seconds())),
        ..pod.status.clone()
    };
    let draft = about_pod(cx, pod, rejection.reason, rejection.message.clone());
    (status, EventDraft { is_warning: true, ..draft })
}

/// Guaranteed, Burstable or BestEffort, from CPU and memory: of the pod as a whole where it names any, or else of its
/// containers together, each of which needs both limits to be guaranteed.
pub fn qos_class(spec: &PodSpec) -> &'static str {
    const COUNTED: [&str; 2] = ["cpu", "memory"];
    let whole = spec.rest.as_deref().and_then(|rest| rest.get("resources"));
    let whole = whole.map(|whole| ResourceRequirements::read(whole.clone(), &mut Reader::default()));
    let has_amounts = |part: &ResourceRequirements| !part.requests.is_empty() || !part.limits.is_empty();
    let whole = whole.filter(has_amounts);
    let parts =
        spec.containers.iter().chain(spec.init_containers.iter()).map(|container| &container.resources);
    let (mut requests, mut limits, mut is_guaranteed) = ([0_i64; 2], [0_i64; 2], true);
    for part in whole.iter().chain(parts.filter(|_| whole.is_none())) {
        for (index, name) in COUNTED.into_iter().enumerate() {
            let amount = |list: &ResourceList| list.get(name).map_or(0, |quantity| quantity.milli_value());
            requests[index] = requests[index].saturating_add(amount(&part.requests));
            limits[index] = limits[index].saturating_add(amount(&part.limits));
            is_guaranteed &= amount(&part.limits) > 0;
        }
    }
    if requests == [0, 0] && limits == [0, 0] {
        "BestEffort"
    } else if is_guaranteed && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
