//! The kubelet at work on its machine: it carries out what `setpoint_control::kubelet` decides, lets time pass for pulls,
//! starts, stops and probes, and tells the kubelet what has come of it.

use crate::control_loop::Call;
use crate::fact::Actor;
use crate::image::{Behavior, has_told_readiness};
use crate::ledger::Outcome;
use crate::load::{CLIENT_TIMEOUT, Serving, lose_requests};
use crate::machine::{LocalPod, Process};
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{Change, DeleteOptions, HttpGetAction, Micros, ObjId, Op, Pod, Probe, Time};
use setpoint_control::kubelet::{self, Command, ContainerRef, KubeletCx, PodRecord, ProbeKind, ProbeOutcome};
use setpoint_control::{Patch, Write};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How long a machine takes to end a process after KILL.
const KILL_TIME: Micros = 20 * MILLISECOND;

impl Sim {
    /// A pod has changed in the API: its machine's kubelet hears of it.
    pub(crate) fn pod_changed(&mut self, change: &Change, pod: &Rc<Pod>) {
        let Some(node) = &pod.spec.node_name else { return };
        let Some(number) = self.machine_of_node.get(node).copied() else { return };
        if !self.machines[number as usize].is_up() {
            return;
        }
        let id = pod.metadata.id;
        let is_known = self.machines[number as usize].pods.contains_key(&id);
        match change.op {
            Op::Deleted => self.pod_gone(number, id, change.stamp.fact),
            _ if !is_known => self.take_up(number, pod.clone(), false, change.stamp.fact),
            _ => {
                if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
                    let is_told = local.pod.spec != pod.spec || local.pod.metadata.deletion_timestamp != pod.metadata.deletion_timestamp
                        || local.pod.metadata.deletion_grace_period_seconds != pod.metadata.deletion_grace_period_seconds;
                    local.pod = with_told_probe(pod);
                    if is_told {
                        local.last_fact = change.stamp.fact;
                        self.sync_pod(number, id);
                    }
                }
            }
        }
    }

    /// A kubelet takes a pod on.
    pub(crate) fn take_up(&mut self, number: u32, pod: Rc<Pod>, is_restart: bool, cause: u64) {
        let id = pod.metadata.id;
        let pod = with_told_probe(&pod);
        let record = if is_restart { PodRecord::restored(&pod, self.now) } else { PodRecord::new(&pod, self.now) };
        let containers = pod.spec.init_containers.iter().chain(pod.spec.containers.iter());
        let first_served = pod.spec.init_containers.len();
        let processes = containers
            .enumerate()
            .map(|(index, container)| Process {
                behavior: Rc::new(self.catalogue.behavior(&container.image, &pod)),
                instance: 0,
                started_at: None,
                answers_at: Time(0),
                wedged: false,
                serves: index == first_served,
                fact: cause,
            })
            .collect();
        let machine = &mut self.machines[number as usize];
        let core_milli = machine.config.cpu_milli;
        let limits = pod.spec.containers.iter().map(|c| c.resources.limits.get("cpu").map(|cpu| cpu.milli_value()));
        let cpu_limit_milli = limits.sum::<Option<i64>>().unwrap_or(core_milli).clamp(1, core_milli);
        let local = LocalPod {
            pod,
            record,
            processes,
            serving: Serving::default(),
            cpu_limit_milli,
            last_fact: cause,
            samples: Vec::new(),
            wake_at: None,
        };
        machine.pods.insert(id, local);
        self.machine_of_pod.insert(id.0, number);
        self.sync_pod(number, id);
    }

    /// The API object is gone while the kubelet still knows the pod: everything is killed at once.
    fn pod_gone(&mut self, number: u32, id: ObjId, cause: u64) {
        let machine = &mut self.machines[number as usize];
        if let Some(mut local) = machine.pods.remove(&id) {
            lose_requests(&mut local.serving, self.now, Outcome::Killed, cause, &mut self.ledger);
        }
        self.machine_of_pod.remove(id.0);
    }

    /// A kubelet was to look at a pod now.
    pub(crate) fn sync_pod_due(&mut self, number: u32, epoch: u32, id: ObjId) {
        let now = self.now;
        if let Some(local) = self.local(number, epoch, id)
            && local.wake_at == Some(now)
        {
            local.wake_at = None;
            self.sync_pod(number, id);
        }
    }

    fn local(&mut self, number: u32, epoch: u32, id: ObjId) -> Option<&mut LocalPod> {
        let machine = self.machines.get_mut(number as usize)?;
        if machine.epoch != epoch {
            return None;
        }
        machine.pods.get_mut(&id)
    }

    /// A kubelet looks at a pod, and what it decides is set in motion.
    pub(crate) fn sync_pod(&mut self, number: u32, id: ObjId) {
        let machine = &mut self.machines[number as usize];
        let (epoch, host_ip) = (machine.epoch, machine.address());
        let node = machine.config.node.clone();
        let Some(local) = machine.pods.get_mut(&id) else { return };
        let cx = KubeletCx { now: self.now, tuning: &self.tuning, node_name: &node, host_ip: &host_ip };
        let sync = kubelet::sync_pod(&cx, &local.pod, &mut local.record);
        let cause = local.last_fact;
        if let Some(after) = sync.wake_after {
            let at = self.now.plus(after.max(1));
            if local.wake_at.is_none_or(|due| at < due || due <= self.now) {
                local.wake_at = Some(at);
                self.queue.push(at, Wake::SyncPod { machine: number, epoch, pod: id });
            }
        }
        for command in sync.commands {
            self.carry_out_command(number, epoch, id, command, cause);
        }
        for event in sync.events {
            self.record_later(event, cause);
        }
        let mut writes = Vec::new();
        if let Some(status) = sync.status {
            writes.push(Write::Patch(id, Patch::PodStatus(Box::new(status))));
        }
        if sync.finished {
            let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
            writes.push(Write::Delete(id, options, None));
        }
        self.send_from_kubelet(number, epoch, writes, cause);
    }

    fn send_from_kubelet(&mut self, number: u32, epoch: u32, writes: Vec<Write>, cause: u64) {
        if writes.is_empty() {
            return;
        }
        self.send(Call {
            by: Actor::Kubelet(number),
            epoch,
            key: None,
            detached: false,
            writes: writes.into_iter().map(|write| (write, 0)).collect(),
            own: BTreeMap::new(),
            cause,
            failure: None,
            requeue_after: None,
            retry: false,
        });
    }
}
