//! Machines: what is, whatever the cluster believes. Power, boot, and the pods on each.
//!
//! Simplified: all of a machine may be requested by pods, nothing is reserved for the system.

use crate::image::Behavior;
use crate::ledger::Outcome;
use crate::load::{Serving, lose_requests};
use crate::queue::Wake;
use crate::sim::{MachineConfig, Sim};
use setpoint_api::map::{Map, Set};
use setpoint_api::quantity::Format;
use setpoint_api::{Micros, ObjId, Pod, Quantity, ResourceList, Str, Time};
use setpoint_control::kubelet::{self, ContainerRef, PodRecord};
use std::rc::Rc;

/// Whether a machine has power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It runs.
    On,
    /// It has power but its kubelet does not run yet.
    Booting,
    /// It has none.
    Off,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// As it was bought.
    pub config: MachineConfig,
    /// Whether it has power.
    pub power: Power,
    /// Whether its kubelet's process was stopped, while containers and kube-proxy run on.
    pub is_kubelet_stopped: bool,
    /// Counts its starts and stops, and those of its kubelet; voids the timers of an earlier life.
    pub epoch: u32,
    /// The last fact that happened to the machine as a whole; 0 for none.
    pub last_fact: u64,
    /// Images on its disk.
    pub images: Set<Str>,
    /// Pods that its kubelet works on.
    pub pods: Map<ObjId, Box<LocalPod>>,
    /// What it is short of.
    pub pressure: crate::pressure::Pressure,
    /// Volumes of the pods that have claims.
    pub volumes: crate::volumes::Volumes,
    /// When its disk and network are free for the next pull: pulls go one at a time.
    pub pull_free_at: Time,
    /// When its cores have worked off the requests of all its pods.
    pub cpu_free_at: Time,
    /// When its kubelet last reported the node.
    pub reported_at: Time,
    /// Whether its kubelet has registered its node, or found it, since it began.
    pub is_registered: bool,
    /// When its kubelet began.
    pub kubelet_since: Time,
    /// When the network of its pods is set up.
    pub network_at: Time,
    /// How often it has booted.
    pub boots: u32,
    /// Whether its kubelet has told that its node is cordoned.
    pub told_cordoned: bool,
    /// What pods may request.
    pub allocatable: Rc<ResourceList>,
    /// Number of the machine.
    pub number: u32,
    /// Its own address.
    pub address: Str,
    /// Addresses given out.
    pub addresses: u32,
}

impl Machine {
    /// Whether its containers and its kube-proxy run.
    pub fn is_up(&self) -> bool {
        self.power == Power::On
    }
    /// Whether its kubelet runs.
    pub fn has_kubelet(&self) -> bool {
        self.is_up() && !self.is_kubelet_stopped
    }
    /// First three numbers of its pods' addresses.
    fn pod_range(&self) -> String {
        let (high, low) =
            if self.number < 256 { (244, self.number) } else { (self.number / 256, self.number % 256) };
        format!("10.{high}.{low}")
    }
    /// The range of its pods' addresses.
    pub fn pod_cidr(&self) -> Str {
        format!("{}.0/24", self.pod_range()).into()
    }
    /// The next address of its pod range.
    pub fn next_pod_address(&mut self) -> Str {
        self.addresses += 1;
        format!("{}.{}", self.pod_range(), (self.addresses - 1) % 253 + 2).into()
    }
}

/// A pod on its machine: the kubelet's memory of it, and what really runs.
#[derive(Clone, Debug)]
pub struct LocalPod {
    /// The pod as the kubelet has last seen it in the API.
    pub seen: Rc<Pod>,
    /// The same with the kubelet's own last status, and with the probe that its annotations tell of.
    pub pod: Rc<Pod>,
    /// What it takes of the machine.
    pub share: kubelet::Share,
    /// The kubelet's memory.
    pub record: PodRecord,
    /// Processes: those of init containers first, then of containers.
    pub processes: Vec<Process>,
    /// Requests inside.
    pub serving: Serving,
    /// Sum of the CPU limits, in thousandths of a core; the machine's cores without limits.
    pub cpu_limit_milli: i64,
    /// The last fact that happened to it here.
    pub last_fact: u64,
    /// When the metrics server has last sampled it, the CPU it had used and the requests it had taken in by then.
    pub sampled: Option<(Time, Micros, i64)>,
    /// When the kubelet is to look at it next, so that equal wake-ups are not queued twice.
    pub wake_at: Option<Time>,
    /// When the kubelet's last report will have come back to it.
    pub reported_until: Time,
    /// Probes that are being made, each with its next time; `None` while its outcome can change nothing.
    pub probes: Map<(ContainerRef, kubelet::ProbeKind), Option<Time>>,
}

impl LocalPod {
    /// Whether one of its containers runs.
    pub fn runs(&self) -> bool {
        self.processes.iter().any(|process| process.started_at.is_some())
    }
}

/// A container's process.
#[derive(Clone, Debug)]
pub struct Process {
    /// How its image behaves.
    pub behavior: Rc<Behavior>,
    /// When it started, if it runs.
    pub started_at: Option<Time>,
    /// When it answers for the first time.
    pub answers_at: Time,
    /// Whether it hangs.
    pub wedged: bool,
    /// When it ends and with which code, if that is settled.
    pub ends: Option<(Time, i32)>,
    /// Memory that it uses, in bytes.
    pub memory: i64,
    /// Whether the kernel kills it for want of memory.
    pub is_oom: bool,
    /// Whether it is the one that requests go to: the first container that is no init container.
    pub serves: bool,
    /// The fact that last changed it.
    pub fact: u64,
}

impl Process {
    /// Whether it would take a connection.
    pub fn listens(&self, now: Time) -> bool {
        self.started_at.is_some() && self.answers_at <= now
    }
}

impl Sim {
    /// Adds a machine that has power; its kubelet registers the node at once.
    pub(crate) fn add_machine(&mut self, config: MachineConfig, cause: u64) {
        let number = self.machines.len() as u32;
        let last_fact = self.happened(number, None, "the machine is switched on", cause);
        self.machine_of_node.insert(config.node.clone(), number);
        let allocatable = ResourceList::from([
            ("cpu".into(), Quantity::from_milli(config.cpu_milli)),
            ("memory".into(), Quantity::from_value(config.memory_bytes, Format::BinarySi)),
            ("pods".into(), Quantity::from_value(config.pods_max, Format::DecimalSi)),
        ]);
        // Machines of the beginning have been there for long.
        let network = if self.now == Time(0) { 0 } else { self.tuning.node_network };
        let network_at = self.now.plus(network);
        self.machines.push(Machine {
            config,
            power: Power::Booting,
            is_kubelet_stopped: false,
            epoch: 0,
            last_fact,
            images: Set::new(),
            pods: Map::new(),
            volumes: Map::new(),
            pressure: Default::default(),
            pull_free_at: Time(0),
            cpu_free_at: Time(0),
            reported_at: Time(0),
            is_registered: false,
            kubelet_since: self.now,
            network_at,
            boots: 0,
            told_cordoned: false,
            allocatable: Rc::new(allocatable),
            number,
            address: format!("172.18.{}.{}", (number + 1) / 254, (number + 1) % 254 + 1).into(),
            addresses: 0,
        });
        self.proxies.push(crate::proxy::Proxy::default());
        self.queue.push(self.now, Wake::Booted { machine: number, epoch: 0 });
    }

    /// Cuts a machine's power. The store is untouched: the cluster finds out by itself, or never.
    pub(crate) fn cut_power(&mut self, number: u32, cause: u64) {
        let fact = self.happened(number, None, "the power is cut", cause);
        let (now, ledger) = (self.now, &mut self.ledger);
        let machine = &mut self.machines[number as usize];
        machine.power = Power::Off;
        machine.is_kubelet_stopped = false;
        machine.epoch += 1;
        machine.last_fact = fact;
        for local in machine.pods.values_mut() {
            lose_requests(&mut local.serving, now, Outcome::NodeDown, fact, ledger);
            for process in &mut local.processes {
                process.started_at = None;
                process.ends = None;
                process.fact = fact;
            }
        }
    }

    /// Gives a machine its power back; its kubelet runs once it has booted.
    pub(crate) fn restore_power(&mut self, number: u32, cause: u64) {
        let fact = self.happened(number, None, "the power is back", cause);
        let machine = &mut self.machines[number as usize];
        machine.power = Power::Booting;
        machine.epoch += 1;
        machine.last_fact = fact;
        let epoch = machine.epoch;
        self.queue.push(self.now.plus(self.tuning.machine_boot), Wake::Booted { machine: number, epoch });
    }

    /// A machine has booted, and its kubelet starts.
    pub(crate) fn booted_due(&mut self, number: u32, epoch: u32) {
        let Some(machine) = self.machines.get_mut(number as usize).filter(|machine| machine.epoch == epoch)
        else {
            return;
        };
        machine.power = Power::On;
        machine.boots += 1;
        let store = &self.store;
        crate::kubelet_run::recover(machine, self.now, |id| store.get::<Pod>(id).cloned());
        self.kubelet_begins(number);
        self.proxies_changed();
    }
}
