//! Machines: what is, whatever the cluster believes. Power, boot, heartbeats, and the node object that stands for each.
//!
//! Upstream: pkg/kubelet/kubelet_node_status.go, staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go.
//! Simplified: a node registers Ready at once, without the seconds in which its network is not ready yet; all of a machine
//! may be requested by pods, nothing is reserved for the system; heartbeats have no jitter but the first.

use crate::fact::Actor;
use crate::image::Behavior;
use crate::ledger::Outcome;
use crate::load::{Serving, lose_requests};
use crate::queue::Wake;
use crate::sim::{MachineConfig, Sim};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::quantity::Format;
use setpoint_api::{
    Change, ConditionStatus, Lease, LeaseSpec, MicroTime, Micros, Node, ObjId, Object, ObjectMeta,
    OwnerReference, Pod, Quantity, Resource, ResourceList, Scope, Str, Time,
};
use setpoint_control::kubelet::{self, ContainerRef, PodRecord};
use setpoint_control::{Patch, Write};
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
    /// When its disk and network are free for the next pull: pulls go one at a time.
    pub pull_free_at: Time,
    /// When its cores have worked off the requests of all its pods.
    pub cpu_free_at: Time,
    /// When its kubelet last reported the node.
    pub reported_at: Time,
    /// Whether its kubelet has registered the node since it began; it does so once.
    pub is_registered: bool,
    /// When its kubelet began.
    pub kubelet_since: Time,
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
        self.machines.push(Machine {
            config,
            power: Power::Booting,
            is_kubelet_stopped: false,
            epoch: 0,
            last_fact,
            images: Set::new(),
            pods: Map::new(),
            pull_free_at: Time(0),
            cpu_free_at: Time(0),
            reported_at: Time(0),
            is_registered: false,
            kubelet_since: self.now,
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
        machine.is_kubelet_stopped = false;
        let store = &self.store;
        crate::kubelet_run::recover(machine, self.now, |id| store.get::<Pod>(id).cloned());
        self.kubelet_begins(number);
        self.proxies_changed();
    }

    /// A kubelet's process has started: it registers or reports its node and takes up the pods that are bound to it.
    pub(crate) fn kubelet_begins(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        machine.kubelet_since = self.now;
        machine.is_registered = false;
        let (cause, node_name, epoch) = (machine.last_fact, machine.config.node.clone(), machine.epoch);
        let known: Vec<ObjId> = machine.pods.keys().copied().gather();
        self.report_node(number, cause);
        for id in &known {
            self.sync_pod(number, *id);
        }
        let bound: Vec<Rc<Pod>> = self.store.pods_on(&node_name).cloned().gather();
        for pod in bound.into_iter().filter(|pod| !known.contains(&pod.metadata.id)) {
            self.take_up(number, pod, cause);
        }
        self.queue.push(self.now, Wake::Heartbeat { machine: number, epoch });
    }

    /// A kubelet renews its lease and, every few minutes, reports its node.
    pub(crate) fn heartbeat_due(&mut self, number: u32, epoch: u32) {
        let Some(machine) = self.machines.get(number as usize).filter(|machine| machine.epoch == epoch)
        else {
            return;
        };
        let node_name = machine.config.node.clone();
        let cause = machine.last_fact;
        let is_time = self.now.since(machine.reported_at) >= self.tuning.node_status_report;
        let is_registered = machine.is_registered;
        // What somebody else has made of its conditions a kubelet puts right at once.
        let is_doubted = |node: &Rc<Node>| {
            setpoint_api::condition_status(&node.status.conditions, "Ready") != ConditionStatus::True
        };
        let is_report_due = match self.store.find::<Node>("", &node_name) {
            Some(node) => is_time || !is_registered || is_doubted(node),
            None => !is_registered,
        };
        if self.api_up {
            self.renew_lease(&node_name, number, cause);
            if is_report_due {
                self.report_node(number, cause);
            }
        }
        let period = self.tuning.node_lease_renew;
        // The first beats of a fleet are spread over a period, as they are when machines start one after the other.
        let jitter = if self.now == Time(0) { self.delay((0, period)) } else { 0 };
        self.queue.push(self.now.plus(period - jitter), Wake::Heartbeat { machine: number, epoch });
    }

    fn renew_lease(&mut self, node_name: &Str, number: u32, cause: u64) {
        let now = MicroTime(self.now);
        let by = Actor::Kubelet(number);
        let found = self.store.find::<Lease>("kube-node-lease", node_name).cloned();
        if let Some(lease) = found {
            let mut lease = (*lease).clone();
            lease.spec.renew_time = Some(now);
            let _ = self
                .store_with(by, cause, |store, stamp| store.update(lease.into_object(), Scope::Main, stamp));
            return;
        }
        // The lease belongs to its node, and goes with it.
        let Some(node) = self.store.find::<Node>("", node_name) else { return };
        let owner = OwnerReference {
            api_version: "v1".into(),
            kind: "Node".into(),
            name: node_name.clone(),
            uid: node.metadata.uid,
            ..OwnerReference::default()
        };
        let mut metadata = ObjectMeta::named("kube-node-lease", node_name);
        metadata.owner_references = Rc::new(vec![owner]);
        let spec = LeaseSpec {
            holder_identity: Some(node_name.clone()),
            lease_duration_seconds: Some(
                (self.tuning.node_lease_duration / setpoint_api::time::SECOND) as i32,
            ),
            renew_time: Some(now),
            rest: None,
        };
        let _ = self.create(Lease { metadata, spec, rest: None }.into_object(), by, cause);
    }

    /// A kubelet sees that its node has changed, and says so when that closes or opens it for new pods.
    pub(crate) fn node_changed(&mut self, change: &Change, node: &Node) {
        let Some(Object::Node(old)) = &change.old else { return };
        if old.spec.unschedulable == node.spec.unschedulable
            || !self.machine(&node.metadata.name).is_some_and(Machine::has_kubelet)
        {
            return;
        }
        let (before, now) = ((&old.spec, &node.status), (&node.spec, &node.status));
        for event in kubelet::node_events(node.metadata.id, &node.metadata.name, Some(before), now) {
            self.record_later(event, change.stamp.fact);
        }
    }

    /// Registers the node, or reports its status.
    fn report_node(&mut self, number: u32, cause: u64) {
        if !self.api_up {
            return;
        }
        let machine = &mut self.machines[number as usize];
        machine.reported_at = self.now;
        let config = machine.config.clone();
        let facts = kubelet::NodeFacts {
            name: &config.node,
            address: &machine.address,
            cpu_milli: config.cpu_milli,
            memory_bytes: config.memory_bytes,
            pods_max: config.pods_max,
        };
        let by = Actor::Kubelet(number);
        let stored = self.store.find::<Node>("", &config.node).cloned();
        let status = kubelet::node_status(&facts, stored.as_ref().map(|node| &node.status), self.now);
        let id = match &stored {
            Some(node) => {
                let write = Write::Patch(node.metadata.id, Patch::NodeStatus(Box::new(status)));
                let _ = self.land(write, by, cause, &mut Map::new());
                Some(node.metadata.id)
            }
            None => {
                let mut metadata = ObjectMeta::named("", &config.node);
                metadata.labels = Rc::new(labels_of(&config));
                // The ttl controller's, for clusters of up to 100 nodes.
                metadata.annotations = Rc::new([(TTL.into(), "0".into())].into());
                let mut node = Node { metadata, status, ..Node::default() };
                node.spec.pod_cidr = self.machines[number as usize].pod_cidr();
                self.create(node.into_object(), by, cause).ok()
            }
        };
        self.machines[number as usize].is_registered |= id.is_some();
        let Some(now) = id.and_then(|id| self.store.get::<Node>(id)).cloned() else { return };
        let before = stored.as_ref().map(|node| (&node.spec, &node.status));
        let events = kubelet::node_events(now.metadata.id, &config.node, before, (&now.spec, &now.status));
        for event in events {
            self.record_later(event, cause);
        }
    }
}

/// How long kubelets may keep what they have read of ConfigMaps and Secrets, in seconds.
const TTL: &str = "node.alpha.kubernetes.io/ttl";

/// Labels that a kubelet gives its node when it registers, and those of the machine.
///
/// Upstream: pkg/kubelet/kubelet_node_status.go `initialNode`.
fn labels_of(config: &MachineConfig) -> Map<Str, Str> {
    let own = [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", &*config.node),
        ("kubernetes.io/os", "linux"),
    ];
    let mut labels: Map<Str, Str> = own.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    labels.extend(config.labels.clone());
    labels
}
