//! Memory and disk of machines: who uses how much, whom the kernel kills, and whom the kubelet evicts.
//!
//! Upstream:   pkg/kubelet/eviction/eviction_manager.go (`synchronize`), pkg/kubelet/qos/policy.go, pkg/kubelet/oom.
//! Simplified: the memory of containers is what their image, the annotation `sim/memory` or a person says, from their start to their
//!             end; nothing else on the machine uses any; a disk fills by what is not the pods', so that no eviction empties it.

use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::{ObjId, Quantity, Str, Time};
use setpoint_control::EventDraft;
use setpoint_control::kubelet::{self, ContainerRef, Scarce, Signal, Usage, spec_of};

/// A machine's disk.
const DISK: i64 = 100 << 30;
/// What is left of it as long as nobody fills it, and then.
const DISK_LEFT: (i64, i64) = (60 << 30, 1 << 30);
/// What a container's log and its own layer take at least, and what each request adds.
const LAYER: (i64, i64) = (24 << 10, 128);

/// What a machine is short of, as its kubelet knows.
#[derive(Clone, Debug, Default)]
pub struct Pressure {
    /// Whether something has filled its disk.
    pub is_disk_full: bool,
    /// When its kubelet last found too little memory.
    pub memory_at: Option<Time>,
    /// When its kubelet last found too little disk.
    pub disk_at: Option<Time>,
    /// Whether its kubelet looks at it from time to time.
    is_watched: bool,
    /// Whether the node was last said to be short of memory, and of disk.
    told: (bool, bool),
    /// The pod that has to go and is not gone yet.
    victim: Option<ObjId>,
}

impl Sim {
    /// Fills the disk of a node's machine, or frees it.
    pub(crate) fn set_disk_full(&mut self, node: &str, is_full: bool, fact: u64) -> Result<(), String> {
        let number = self.machine_number(node)?;
        if self.machines[number as usize].pressure.is_disk_full == is_full {
            let state = if is_full { "full" } else { "free" };
            return Err(format!("The disk of {node} is {state} already."));
        }
        let fact =
            self.happened(number, None, if is_full { "its disk is full" } else { "its disk is free" }, fact);
        let machine = &mut self.machines[number as usize];
        machine.pressure.is_disk_full = is_full;
        machine.last_fact = fact;
        self.watch_pressure(number);
        Ok(())
    }

    /// Makes the first container of a pod use so much memory.
    pub(crate) fn use_memory(&mut self, id: ObjId, memory: &str, fact: u64) -> Result<(), String> {
        let bytes = Quantity::parse(memory).map_err(|error| error.to_string())?.value().clamp(0, 1 << 50);
        let (number, at) = self.serving_container(id)?;
        let name = self.name_of(id);
        let fact = self.happened(number, Some(name), format!("a process uses {memory} of memory"), fact);
        if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
            local.last_fact = fact;
        }
        self.takes_memory(number, id, at, bytes);
        Ok(())
    }

    /// A process has so much memory now: too much for its container's limit, for its machine, or for the kubelet's liking.
    pub(crate) fn takes_memory(&mut self, number: u32, id: ObjId, at: ContainerRef, bytes: i64) {
        if let Some(process) = self.process(number, id, at) {
            process.memory = bytes;
        }
        if self.memory_limit(number, id, at).is_some_and(|limit| bytes > limit) {
            self.kill_for_memory(number, id, at);
        }
        while let Some((id, at)) = self.out_of_memory(number) {
            self.tell_system_oom(number, id, at);
            self.kill_for_memory(number, id, at);
        }
        self.watch_pressure(number);
    }

    fn memory_limit(&self, number: u32, id: ObjId, at: ContainerRef) -> Option<i64> {
        let local = self.machines.get(number as usize)?.pods.get(&id)?;
        let limit = spec_of(&local.pod.spec, at)?.resources.limits.get("memory")?;
        Some(limit.value()).filter(|limit| *limit > 0)
    }

    /// What a process takes at its start: what it was told to, or what its image takes, which knows its limit.
    pub(crate) fn first_memory(&mut self, number: u32, id: ObjId, at: ContainerRef) {
        let Some(process) = self.process(number, id, at) else { return };
        let wanted = process.behavior.memory_bytes;
        if wanted != crate::image::Behavior::default().memory_bytes {
            return self.takes_memory(number, id, at, wanted);
        }
        let limit = self.memory_limit(number, id, at);
        if let Some(process) = self.process(number, id, at) {
            process.memory = limit.map_or(wanted, |limit| wanted.min(limit / 4 * 3));
        }
    }

    /// The kernel kills a container.
    fn kill_for_memory(&mut self, number: u32, id: ObjId, at: ContainerRef) {
        let epoch = self.machines[number as usize].epoch;
        if let Some(process) = self.process(number, id, at) {
            process.memory = 0;
            process.is_oom = true;
        }
        // A container that has just been started is reported as running before its end is.
        let soon = self.now.plus(setpoint_api::time::MILLISECOND);
        self.queue.push(soon, Wake::Exited { machine: number, epoch, pod: id, at, code: 137 });
    }

    /// The container that the kernel kills where a machine has given out more memory than it has.
    fn out_of_memory(&self, number: u32) -> Option<(ObjId, ContainerRef)> {
        let machine = self.machines.get(number as usize)?;
        let capacity = machine.config.memory_bytes;
        let (mut used, mut worst): (i64, Option<(i64, ObjId, ContainerRef)>) = (0, None);
        for (id, local) in &machine.pods {
            for (at, process) in local.record.refs().into_iter().zip(&local.processes) {
                if process.started_at.is_none() || process.memory == 0 {
                    continue;
                }
                used = used.saturating_add(process.memory);
                let request = spec_of(&local.pod.spec, at).and_then(|it| it.resources.requests.get("memory"));
                let request = request.map_or(0, |request| request.value());
                // Upstream: `GetContainerOOMScoreAdjust`.
                let adjust = match &*local.pod.status.qos_class {
                    "Guaranteed" => -997,
                    "BestEffort" => 1000,
                    _ => {
                        (1000 - 1000 * i128::from(request) / i128::from(capacity.max(1))).clamp(3, 999) as i64
                    }
                };
                let share = 1000 * i128::from(process.memory) / i128::from(capacity.max(1));
                let score = share as i64 + adjust;
                if worst.is_none_or(|(known, ..)| score > known) {
                    worst = Some((score, *id, at));
                }
            }
        }
        worst.filter(|_| used > capacity).map(|(_, id, at)| (id, at))
    }

    fn tell_system_oom(&mut self, number: u32, id: ObjId, at: ContainerRef) {
        let Some(machine) = self.machines.get(number as usize) else { return };
        let Some(local) = machine.pods.get(&id) else { return };
        let name = spec_of(&local.pod.spec, at).map_or(Str::default(), |container| container.name.clone());
        let (fact, node) = (local.last_fact, machine.config.node.clone());
        let Some(about) = self.store.id_of(setpoint_api::Kind::Node, "", &node) else { return };
        let text = format!("System OOM encountered, victim process: {name}, pid: {}", 1000 + id.0);
        let draft = EventDraft::warning(kubelet::COMPONENT, about, "SystemOOM", text);
        self.record_later(EventDraft { host: Some(node), ..draft }, fact);
    }

    /// Has the kubelet look at what is left, now and as long as something is short.
    pub(crate) fn watch_pressure(&mut self, number: u32) {
        let period = self.tuning.eviction_monitor;
        let Some(machine) = self.machines.get_mut(number as usize).filter(|machine| machine.has_kubelet())
        else {
            return;
        };
        if !std::mem::replace(&mut machine.pressure.is_watched, true) {
            let wake = Wake::Pressure { machine: number, epoch: machine.epoch };
            self.queue.push(self.now.plus(period), wake);
        }
    }

    /// A kubelet has started: it knows nothing of what was short before.
    pub(crate) fn pressure_begins(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        let is_disk_full = machine.pressure.is_disk_full;
        machine.pressure = Pressure { is_disk_full, ..Pressure::default() };
        if self.signals(number).iter().any(Signal::is_met) {
            self.watch_pressure(number);
        }
    }

    fn signals(&self, number: u32) -> [Signal; 2] {
        let machine = &self.machines[number as usize];
        let running = machine.pods.values().flat_map(|local| &local.processes);
        let used = running.filter(|process| process.started_at.is_some()).map(|process| process.memory);
        let capacity = machine.config.memory_bytes;
        let left = if machine.pressure.is_disk_full { DISK_LEFT.1 } else { DISK_LEFT.0 };
        [
            Signal { of: Scarce::Memory, capacity, available: capacity - used.fold(0, i64::saturating_add) },
            Signal { of: Scarce::Disk, capacity: DISK, available: left },
        ]
    }

    /// A kubelet looks at what is left of its machine.
    pub(crate) fn pressure_due(&mut self, number: u32, epoch: u32) {
        let is_current = |machine: &&mut crate::machine::Machine| machine.epoch == epoch;
        let Some(machine) = self.machines.get_mut(number as usize).filter(is_current) else { return };
        machine.pressure.is_watched = false;
        let (now, cause) = (self.now, machine.last_fact);
        let signals = self.signals(number);
        let pressure = &mut self.machines[number as usize].pressure;
        for signal in signals.iter().filter(|signal| signal.is_met()) {
            match signal.of {
                Scarce::Memory => pressure.memory_at = Some(now),
                Scarce::Disk => pressure.disk_at = Some(now),
            }
        }
        let now_short = self.pressures(number);
        if self.api_up && self.machines[number as usize].pressure.told != now_short {
            self.machines[number as usize].pressure.told = now_short;
            self.report_node(number, cause);
        }
        if let Some(signal) = signals.iter().find(|signal| signal.is_met()) {
            self.reclaim(number, *signal, cause);
        }
        if now_short != (false, false) || self.machines[number as usize].pressure.told != now_short {
            self.watch_pressure(number);
        }
    }

    /// Whether the node is said to be short of memory, and of disk: also for a while after it was.
    pub(crate) fn pressures(&self, number: u32) -> (bool, bool) {
        let pressure = &self.machines[number as usize].pressure;
        let lasts =
            |at: Option<Time>| at.is_some_and(|at| self.now.since(at) < self.tuning.eviction_transition);
        (lasts(pressure.memory_at), lasts(pressure.disk_at))
    }

    /// Evicts a pod, unless one is on its way out.
    fn reclaim(&mut self, number: u32, signal: Signal, cause: u64) {
        let machine = &self.machines[number as usize];
        let ends = |id: ObjId| machine.pods.get(&id).is_some_and(|local| local.record.is_alive());
        if machine.pressure.victim.is_some_and(ends) {
            return;
        }
        if let Some(about) = self.store.id_of(setpoint_api::Kind::Node, "", &machine.config.node) {
            let text = format!("Attempting to reclaim {}", signal.of.resource());
            let draft = EventDraft::warning(kubelet::COMPONENT, about, "EvictionThresholdMet", text);
            let host = Some(machine.config.node.clone());
            self.record_later(EventDraft { host, ..draft }, cause);
        }
        let machine = &self.machines[number as usize];
        let alive = machine
            .pods
            .iter()
            .filter(|(_, local)| local.record.termination.is_none() && local.record.is_alive());
        let used: Vec<(ObjId, Usage)> = alive.map(|(id, local)| (*id, usage_of(local, signal.of))).gather();
        let usages: Vec<Usage> = used.iter().map(|(_, usage)| usage.clone()).gather();
        let Some(at) = kubelet::victim(&usages, signal.of) else { return };
        let (id, text) = (used[at].0, kubelet::eviction_message(&usages[at], &signal));
        let name = self.name_of(id);
        let what = format!("its kubelet evicts it: too little {}", signal.of.resource());
        let fact = self.happened(number, Some(name), what, cause);
        let said = self.with_pod(number, id, |cx, local| {
            local.last_fact = fact;
            kubelet::evict(cx, &local.pod, &mut local.record, text)
        });
        self.machines[number as usize].pressure.victim = Some(id);
        self.say(said.into_iter().gather(), fact);
        self.sync_pod(number, id);
    }
}

fn usage_of(local: &crate::machine::LocalPod, scarce: Scarce) -> Usage<'_> {
    let names = local.pod.spec.init_containers.iter().chain(local.pod.spec.containers.iter());
    let running = names.zip(&local.processes).filter(|(_, process)| process.started_at.is_some());
    let amount = |process: &crate::machine::Process| match scarce {
        Scarce::Memory => process.memory,
        Scarce::Disk => LAYER.0 + if process.serves { LAYER.1 * local.serving.taken } else { 0 },
    };
    let containers = running.map(|(container, process)| (container.name.clone(), amount(process))).gather();
    Usage { pod: &local.pod, containers }
}
