//! The kubelet's process: it can stop while its machine and the containers on it run on, and takes them over when it starts.
//!
//! Upstream: pkg/kubelet/kubelet.go `HandlePodCleanups`, pkg/kubelet/prober/prober_manager.go `setReadyStateOnKubeletRestart`.
//! Simplified: what the container runtime was asked to stop it stops, but what it was asked to pull or start it gives up;
//! containers of pods that are gone from the API are killed at once when the kubelet returns.

use crate::kubelet_run::with_told_probe;
use crate::machine::Power;
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::{ObjId, Pod, Time};
use setpoint_control::kubelet::ContainerRef;

impl Sim {
    /// Stops the kubelet of a node; containers run on, and nobody speaks for them.
    pub(crate) fn stop_kubelet(&mut self, node: &str, cause: u64) -> Result<(), String> {
        let number = self.kubelet_of(node)?;
        if self.machines[number as usize].is_kubelet_stopped {
            return Err(format!("The kubelet of {node} is stopped already."));
        }
        self.change_kubelet(number, true, "the kubelet stops", cause);
        Ok(())
    }

    /// Starts the kubelet of a node again: it takes over what runs, and makes good what it has missed.
    pub(crate) fn start_kubelet(&mut self, node: &str, cause: u64) -> Result<(), String> {
        let number = self.kubelet_of(node)?;
        if !self.machines[number as usize].is_kubelet_stopped {
            return Err(format!("The kubelet of {node} runs already."));
        }
        self.restart_kubelet(number, cause);
        Ok(())
    }

    /// The kubelet's process begins anew, whether it was stopped or not.
    pub(crate) fn restart_kubelet(&mut self, number: u32, cause: u64) {
        self.change_kubelet(number, false, "the kubelet starts", cause);
        self.take_over(number);
        self.kubelet_begins(number);
    }

    fn kubelet_of(&self, node: &str) -> Result<u32, String> {
        let number = self.machine_number(node)?;
        match self.machines[number as usize].power {
            Power::On => Ok(number),
            Power::Booting => Err(format!("The machine of {node} is still booting.")),
            Power::Off => Err(format!("The machine of {node} has no power.")),
        }
    }

    /// Voids what the kubelet knew in its life before, and its timers, all but the ends of processes.
    fn change_kubelet(&mut self, number: u32, is_stopped: bool, what: &'static str, cause: u64) {
        let fact = self.happened(number, None, what, cause);
        let machine = &mut self.machines[number as usize];
        machine.is_kubelet_stopped = is_stopped;
        machine.epoch += 1;
        machine.last_fact = fact;
        let epoch = machine.epoch;
        let mut ends: Vec<(Time, ObjId, ContainerRef, i32)> = Vec::new();
        for (id, local) in &mut machine.pods {
            local.record.restart_kubelet(self.now);
            local.probes.clear();
            local.wake_at = None;
            let processes = local.processes.iter().zip(local.record.refs());
            ends.extend(processes.filter_map(|(process, at)| {
                let (when, code) = process.ends?;
                Some((when, *id, at, code))
            }));
        }
        for (when, pod, at, code) in ends {
            self.queue.push(when, Wake::Exited { machine: number, epoch, pod, at, code });
        }
    }

    /// The kubelet finds containers that run, and asks the API server which of them are still wanted.
    fn take_over(&mut self, number: u32) {
        let cause = self.machines[number as usize].last_fact;
        let mut gone = Vec::new();
        let Self { machines, store, .. } = self;
        for (id, local) in &mut machines[number as usize].pods {
            let Some(pod) = store.get::<Pod>(*id).cloned() else {
                gone.push(*id);
                continue;
            };
            local.pod = with_told_probe(&pod);
            local.seen = pod;
            local.reported_until = Time(0);
            local.last_fact = cause;
        }
        for id in gone {
            self.pod_gone(number, id, cause);
        }
    }
}
