//! The node object that stands for a machine: registered, reported and kept alive by its kubelet.
//!
//! Upstream: pkg/kubelet/kubelet_node_status.go, staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go.
//! Simplified: machines of the beginning are registered and ready; a kubelet that starts again finds the network set up;
//! whether the node was cordoned is looked at with each renewal of the lease; heartbeats have no jitter but the first.

use crate::fact::Actor;
use crate::machine::Machine;
use crate::queue::Wake;
use crate::sim::{MachineConfig, Sim};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::MILLISECOND;
use setpoint_api::{
    Change, ConditionStatus, Kind, Lease, LeaseSpec, MicroTime, Micros, Node, NodeStatus, ObjId, ObjectMeta,
    Op, OwnerReference, Pod, Resource, Scope, Str, Time, condition_status,
};
use setpoint_control::kubelet;
use setpoint_control::{EventDraft, Patch, Write};
use std::rc::Rc;

impl Sim {
    /// A kubelet's process has started: it registers or reports its node and takes up the pods that are bound to it.
    pub(crate) fn kubelet_begins(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        machine.kubelet_since = self.now;
        (machine.told_cordoned, machine.is_registered) = (false, false);
        let (cause, node_name, epoch) = (machine.last_fact, machine.config.node.clone(), machine.epoch);
        let known: Vec<ObjId> = machine.pods.keys().copied().gather();
        self.present_node(number, cause);
        self.machines[number as usize].volumes.clear();
        for id in &known {
            self.expect_volumes(number, *id);
            self.sync_pod(number, *id);
        }
        let bound: Vec<Rc<Pod>> = self.store.pods_on(&node_name).cloned().gather();
        for pod in bound.into_iter().filter(|pod| !known.contains(&pod.metadata.id)) {
            self.take_up(number, pod, cause);
        }
        self.pressure_begins(number);
        self.queue.push(self.now, Wake::Heartbeat { machine: number, epoch });
    }

    /// A kubelet renews its lease and, every few minutes, reports its node.
    pub(crate) fn heartbeat_due(&mut self, number: u32, epoch: u32) {
        let Some(machine) = self.machines.get(number as usize).filter(|machine| machine.epoch == epoch)
        else {
            return;
        };
        let node_name = machine.config.node.clone();
        let node = self.store.find::<Node>("", &node_name).cloned();
        let is_time = self.now.since(machine.reported_at) >= self.tuning.node_status_report
            || self.untold_volumes(number, node.as_deref()).is_some();
        let (cause, is_registered) = (machine.last_fact, machine.is_registered);
        // What somebody else has made of its conditions a kubelet puts right with its next look.
        let is_doubted =
            |node: &Rc<Node>| condition_status(&node.status.conditions, "Ready") != ConditionStatus::True;
        if self.api_up {
            self.renew_lease(&node_name, number, cause);
            self.mount_ready(number);
            if !is_registered {
                self.present_node(number, cause);
            } else if is_time || node.as_ref().is_some_and(is_doubted) {
                self.report_node(number, cause);
            } else if let (false, Some(node)) = (self.catalogue.is_fake, node) {
                self.tell_cordon(number, &node, cause);
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

    /// A fake kubelet sees at once that its node was closed for new pods, or opened.
    pub(crate) fn node_changed(&mut self, change: &Change, node: &Node) {
        if let Some(number) = self.machine_of_node.get(&node.metadata.name) {
            self.mount_ready(*number);
        }
        if !self.catalogue.is_fake || change.op == Op::Deleted {
            return;
        }
        let number = self.machine_of_node.get(&node.metadata.name).copied();
        let stored = self.store.get::<Node>(node.metadata.id).cloned();
        if let (Some(number), Some(stored)) = (number, stored) {
            self.tell_cordon(number, &stored, change.stamp.fact);
        }
    }

    /// A kubelet says that its node was closed for new pods, or opened, since it last looked.
    fn tell_cordon(&mut self, number: u32, node: &Node, cause: u64) {
        let machine = &mut self.machines[number as usize];
        if machine.told_cordoned != node.spec.unschedulable && machine.has_kubelet() {
            machine.told_cordoned = node.spec.unschedulable;
            let event = kubelet::cordon_event(node.metadata.id, &node.metadata.name, machine.told_cordoned);
            self.record_later(event, cause);
        }
    }

    /// A kubelet that starts registers its node, or finds it and reports its status.
    fn present_node(&mut self, number: u32, cause: u64) {
        if !self.api_up {
            return;
        }
        let name = self.machines[number as usize].config.node.clone();
        let known = self.store.id_of(Kind::Node, "", &name);
        let Some(id) = known.or_else(|| self.register_node(number, cause)) else { return };
        self.machines[number as usize].is_registered = true;
        let is_fake = self.catalogue.is_fake;
        // What machines of the beginning said has been forgotten long ago.
        if self.now > Time(0) && !is_fake {
            self.tell(kubelet::start_events(id, &name), cause);
        } else if is_fake && known.is_none() {
            self.tell(kubelet::start_events(id, &name).into_iter().take(1).gather(), cause);
        }
        if known.is_some() {
            self.report_node(number, cause);
        } else if self.now == Time(0) {
            self.tell_node(id, &NodeStatus::default(), cause);
        }
    }

    /// Creates the node. One that comes later than the cluster has still to become ready.
    fn register_node(&mut self, number: u32, cause: u64) -> Option<ObjId> {
        let is_fake = self.catalogue.is_fake;
        let machine = &self.machines[number as usize];
        let mut metadata = ObjectMeta::named("", &machine.config.node);
        metadata.labels = Rc::new(labels_of(&machine.config));
        // The ttl controller's, for clusters of up to 100 nodes.
        metadata.annotations = Rc::new([(TTL.into(), "0".into())].into());
        let is_late = self.now > Time(0);
        let status = if is_late && is_fake {
            NodeStatus::default()
        } else {
            kubelet::node_status(&facts(machine, !is_late, is_fake, (false, false)), None, self.now)
        };
        let mut node = Node { metadata, status, ..Node::default() };
        if !is_fake {
            node.spec.pod_cidr = machine.pod_cidr();
            node.spec.pod_cidrs = vec![node.spec.pod_cidr.clone()];
        }
        if is_late {
            let wait = if is_fake { self.tuning.api_request } else { FAST_UPDATE };
            let at = machine.network_at.max(self.now.plus(wait));
            self.queue.push(at, Wake::Report { machine: number, epoch: machine.epoch });
        }
        self.create(node.into_object(), Actor::Kubelet(number), cause).ok()
    }

    /// A kubelet was to report now that its node has become ready.
    pub(crate) fn report_due(&mut self, number: u32, epoch: u32) {
        let Some(machine) = self.machines.get(number as usize).filter(|machine| machine.epoch == epoch)
        else {
            return;
        };
        self.report_node(number, machine.last_fact);
    }

    /// Reports the node's status. A node that was deleted is not registered again before its kubelet starts anew.
    pub(crate) fn report_node(&mut self, number: u32, cause: u64) {
        let is_short = self.pressures(number);
        let machine = &mut self.machines[number as usize];
        machine.reported_at = self.now;
        let Some(stored) = self.store.find::<Node>("", &machine.config.node).cloned() else { return };
        let mut status = kubelet::node_status(
            &facts(machine, machine.network_at <= self.now, self.catalogue.is_fake, is_short),
            Some(&stored.status),
            self.now,
        );
        self.tell_volumes(number, &stored, &mut status);
        let id = stored.metadata.id;
        let write = Write::Patch(id, Patch::NodeStatus(Box::new(status)));
        let _ = self.land(write, Actor::Kubelet(number), cause, &mut Map::new());
        self.tell_node(id, &stored.status, cause);
        self.tell_cordon(number, &stored, cause);
    }

    /// A kubelet says what has changed in its node's status.
    fn tell_node(&mut self, id: ObjId, before: &NodeStatus, cause: u64) {
        let Some(node) = self.store.get::<Node>(id).cloned() else { return };
        let is_told = |event: &EventDraft| {
            // What is said of a node that has always been there, and by a fake kubelet, is whether it is ready.
            let is_short = self.catalogue.is_fake || self.now == Time(0);
            !is_short || event.reason == "NodeReady"
        };
        let events = kubelet::node_events(id, &node.metadata.name, before, &node.status);
        self.tell(events.into_iter().filter(is_told).gather(), cause);
    }

    fn tell(&mut self, events: Vec<EventDraft>, cause: u64) {
        for event in events {
            self.record_later(event, cause);
        }
    }
}

/// How soon a kubelet that has just registered its node looks whether it is ready.
const FAST_UPDATE: Micros = 100 * MILLISECOND;

/// Where kubelets listen.
const KUBELET_PORT: u32 = 10_250;

/// What a kubelet knows of its machine.
fn facts(
    machine: &Machine,
    has_network: bool,
    is_fake: bool,
    is_short: (bool, bool),
) -> kubelet::NodeFacts<'_> {
    let config = &machine.config;
    kubelet::NodeFacts {
        name: &config.node,
        address: &machine.address,
        cpu_milli: config.cpu_milli,
        memory_bytes: config.memory_bytes,
        pods_max: config.pods_max,
        boots: machine.boots,
        has_network,
        port: if is_fake { 0 } else { KUBELET_PORT },
        is_short,
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
