//! Pods that a kubelet ends because its machine runs short of memory or disk.
//!
//! Upstream:   pkg/kubelet/eviction/{eviction_manager.go,helpers.go}.
//! Simplified: the default hard thresholds of memory and of the node's disk alone (no inodes, process ids, image disk, soft
//!             thresholds); unused images and dead containers are not cleared away first.

use super::events::about_pod;
use super::node::Rejection;
use super::record::{PodRecord, Termination};
use super::{KubeletCx, qos_class};
use crate::EventDraft;
use crate::taints::{MEMORY_PRESSURE, NO_SCHEDULE, taint, tolerates};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::quantity::Format;
use setpoint_api::{Pod, Quantity, Str};

/// Memory that must be left: `memory.available`.
const LEAST_MEMORY: i64 = 100 << 20;
/// Percent of the disk that must be left: `nodefs.available`.
const LEAST_DISK_PERCENT: i64 = 10;
/// Pods of this priority and above are not evicted.
const CRITICAL: i32 = 2_000_000_000;
/// The reason of pods that are evicted.
pub const EVICTED: &str = "Evicted";

/// What a machine can run short of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// Memory.
    Memory,
    /// Disk.
    Disk,
}

impl Scarce {
    /// Name of the resource.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "ephemeral-storage",
        }
    }
    /// What must be left of so much.
    pub fn threshold(self, capacity: i64) -> i64 {
        match self {
            Self::Memory => LEAST_MEMORY,
            Self::Disk => capacity / 100 * LEAST_DISK_PERCENT,
        }
    }
}

/// What there is of a resource and what is left of it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Which.
    pub of: Scarce,
    /// All of it.
    pub capacity: i64,
    /// What is left.
    pub available: i64,
}

impl Signal {
    /// Whether too little is left.
    pub fn is_met(&self) -> bool {
        self.available < self.of.threshold(self.capacity)
    }
}

/// What the containers of a pod use of a scarce resource, in bytes, by the name of each.
#[derive(Clone, Debug)]
pub struct Usage<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Use by container.
    pub containers: Vec<(Str, i64)>,
}

impl Usage<'_> {
    fn above_request(&self, scarce: Scarce) -> i64 {
        let requested = crate::pod::requests(&self.pod.spec).get(scarce.resource()).copied().unwrap_or(0);
        self.containers.iter().map(|(_, used)| *used).sum::<i64>().saturating_sub(requested)
    }
}

/// The pod that is to go first: one that uses more than it requests, the least important, the one furthest above its requests.
///
/// Upstream: `rankMemoryPressure`, `rankDiskPressureFunc`.
pub fn victim(pods: &[Usage], scarce: Scarce) -> Option<usize> {
    let priority = |at: &usize| pods[*at].pod.spec.priority.unwrap_or(0);
    let mut ranked: Vec<usize> = (0..pods.len()).filter(|at| priority(at) < CRITICAL).gather();
    order::sort_by_key(&mut ranked, |at| {
        let above = pods[*at].above_request(scarce);
        (above <= 0, priority(at), -above)
    });
    ranked.first().copied()
}

/// What is said of a pod that has to go.
///
/// Upstream: `evictionMessage`.
pub fn message(usage: &Usage, signal: &Signal) -> String {
    let resource = signal.of.resource();
    let bytes = |value: i64| Quantity::from_value(value, Format::BinarySi).to_string();
    let mut text = format!(
        "The node was low on resource: {resource}. Threshold quantity: {}, available: {}. ",
        bytes(signal.of.threshold(signal.capacity)),
        bytes(signal.available),
    );
    for (name, used) in &usage.containers {
        let container = usage.pod.spec.containers.iter().find(|container| container.name == *name);
        let requested = container.and_then(|container| container.resources.requests.get(resource));
        if requested.is_none_or(|requested| *used > requested.value()) {
            let requested = requested.map_or("0".to_string(), ToString::to_string);
            text.push_str(&format!(
                "Container {name} was using {}, request is {requested}, has larger consumption of {resource}. ",
                bytes(*used)
            ));
        }
    }
    text
}

/// Ends a pod for want of a resource. Sync it next.
pub fn evict(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, message: String) -> EventDraft {
    record.verdict = Some((EVICTED.into(), message.as_str().into()));
    // What hard thresholds leave.
    record.termination = Some(Termination { since: cx.now, grace_seconds: 1, is_announced: false });
    EventDraft { is_warning: true, ..about_pod(cx, pod, EVICTED, message) }
}

/// Why a pod is not taken on while the machine is short of something.
///
/// Upstream: `managerImpl.Admit`.
pub fn admit_under_pressure(pod: &Pod, has_memory: bool, has_disk: bool) -> Result<(), Rejection> {
    let short = [(has_memory, "MemoryPressure"), (has_disk, "DiskPressure")];
    let short: Vec<&str> = short.into_iter().filter(|(has, _)| !has).map(|(_, name)| name).gather();
    if short.is_empty() || pod.spec.priority.unwrap_or(0) >= CRITICAL {
        return Ok(());
    }
    let pressure = taint(MEMORY_PRESSURE, NO_SCHEDULE, None);
    let is_tolerated = || pod.spec.tolerations.iter().any(|toleration| tolerates(toleration, &pressure));
    if short == ["MemoryPressure"] && (qos_class(&pod.spec) != "BestEffort" || is_tolerated()) {
        return Ok(());
    }
    let message = format!("The node had condition: [{}]. ", short.join(" "));
    Err(Rejection { reason: EVICTED, message })
}
