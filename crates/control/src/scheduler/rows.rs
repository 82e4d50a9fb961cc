//! What is known of one node: its room, its ports, its labels by number.
//!
//! Upstream: pkg/scheduler/framework/types.go (`NodeInfo`, `Resource`).

use super::demand::{Demand, HostPort, is_scalar};
use super::groups::Slot;
use crate::pod::amount;
use setpoint_api::map::Map;
use setpoint_api::{Node, ResourceList, Str, Taint};
use std::rc::Rc;

/// The node is cordoned.
pub const UNSCHEDULABLE: u8 = 1;
/// The node has a NoSchedule or NoExecute taint.
pub const HARD_TAINTS: u8 = 2;
/// The node has a PreferNoSchedule taint.
pub const SOFT_TAINTS: u8 = 4;

/// What a node has and what is taken of it. CPU in thousandths of a core, memory and ephemeral storage in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Room {
    pub cpu: i64,
    pub memory: i64,
    pub ephemeral: i64,
    pub most_pods: i64,
    pub used_cpu: i64,
    pub used_memory: i64,
    pub used_ephemeral: i64,
    pub pods: i64,
    /// Taken CPU as it counts in scores.
    pub nonzero_cpu: i64,
    /// Taken memory as it counts in scores.
    pub nonzero_memory: i64,
    /// What may keep pods away besides room.
    pub flags: u8,
}

impl Room {
    /// What a node has and is.
    pub fn set(&mut self, node: &Node) {
        let allocatable = &node.status.allocatable;
        let of = |name: &str| allocatable.get(name).map_or(0, |quantity| amount(name, quantity));
        self.cpu = of("cpu");
        self.memory = of("memory");
        self.ephemeral = of("ephemeral-storage");
        self.most_pods = of("pods");
        self.flags = flags(node);
    }
}

/// The rest of what is known of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeSlot {
    /// Name.
    pub name: Str,
    /// The node; none while only its pods are known.
    pub node: Option<Rc<Node>>,
    /// Host ports in use, each as often as it is.
    pub ports: Vec<HostPort>,
    /// Extended resources: what there is and what is taken.
    pub scalars: Map<Str, (i64, i64)>,
}

/// The values of one node label, by node.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// The label.
    pub key: Str,
    values: Map<Str, u32>,
    /// Number of the value by node; 0 where the label is missing.
    pub by_slot: Vec<u32>,
}

impl Column {
    /// An empty column of a label.
    pub fn of(key: &Str) -> Self {
        Self { key: key.clone(), ..Self::default() }
    }
    /// How many numbers there are, 0 included.
    pub fn numbers(&self) -> usize {
        self.values.len() + 1
    }
    /// Notes the label of a node.
    pub fn set(&mut self, slot: Slot, value: Option<&Str>) {
        let next = self.values.len() as u32 + 1;
        let number = value.map_or(0, |value| *self.values.entry(value.clone()).or_insert(next));
        if self.by_slot.len() <= slot as usize {
            self.by_slot.resize(slot as usize + 1, 0);
        }
        self.by_slot[slot as usize] = number;
    }
    /// Number of the value on a node; 0 where the label is missing.
    pub fn value(&self, slot: Slot) -> usize {
        self.by_slot.get(slot as usize).map_or(0, |number| *number as usize)
    }
}

fn flags(node: &Node) -> u8 {
    let soft = |taint: &Taint| &*taint.effect == "PreferNoSchedule";
    let cordoned = if node.spec.unschedulable { UNSCHEDULABLE } else { 0 };
    let has_hard = node.spec.taints.iter().any(|taint| !soft(taint));
    let has_soft = node.spec.taints.iter().any(soft);
    cordoned | if has_hard { HARD_TAINTS } else { 0 } | if has_soft { SOFT_TAINTS } else { 0 }
}

/// Notes the extended resources that a node has.
pub fn set_scalars(scalars: &mut Map<Str, (i64, i64)>, allocatable: &ResourceList) {
    for (has, _) in scalars.values_mut() {
        *has = 0;
    }
    for (name, quantity) in allocatable.iter().filter(|(name, _)| is_scalar(name)) {
        scalars.entry(name.clone()).or_insert((0, 0)).0 = quantity.value();
    }
}

/// A pod takes its place on a node.
pub fn take(room: &mut Room, entry: &mut NodeSlot, demand: &Demand) {
    room.pods += 1;
    room.used_cpu = room.used_cpu.saturating_add(demand.cpu);
    room.used_memory = room.used_memory.saturating_add(demand.memory);
    room.used_ephemeral = room.used_ephemeral.saturating_add(demand.ephemeral);
    room.nonzero_cpu = room.nonzero_cpu.saturating_add(demand.nonzero_cpu);
    room.nonzero_memory = room.nonzero_memory.saturating_add(demand.nonzero_memory);
    for (name, value) in &demand.scalars {
        let used = &mut entry.scalars.entry(name.clone()).or_insert((0, 0)).1;
        *used = used.saturating_add(*value);
    }
    entry.ports.extend(demand.ports.iter().cloned());
}

/// A pod gives its place on a node back.
pub fn give_back(room: &mut Room, entry: &mut NodeSlot, demand: &Demand) {
    room.pods -= 1;
    room.used_cpu = room.used_cpu.saturating_sub(demand.cpu);
    room.used_memory = room.used_memory.saturating_sub(demand.memory);
    room.used_ephemeral = room.used_ephemeral.saturating_sub(demand.ephemeral);
    room.nonzero_cpu = room.nonzero_cpu.saturating_sub(demand.nonzero_cpu);
    room.nonzero_memory = room.nonzero_memory.saturating_sub(demand.nonzero_memory);
    for (name, value) in &demand.scalars {
        if let Some((_, used)) = entry.scalars.get_mut(name) {
            *used = used.saturating_sub(*value);
        }
    }
    for port in &demand.ports {
        if let Some(at) = entry.ports.iter().position(|used| used == port) {
            entry.ports.swap_remove(at);
        }
    }
}
