//! The metrics server: samples what pods use, and answers with the newest sample that spans a whole window.
//!
//! Upstream: kubernetes-sigs/metrics-server pkg/storage/pod.go, pkg/scraper.
//! Simplified: all kubelets are read at the same moment; a pod appears with its second sample, as it needs two. The same samples
//! carry the rate of requests, which on a real cluster Prometheus and its adapter would measure.

use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, ObjId, Selector, Service};
use setpoint_control::PodMetrics;

fn div_ceil(amount: i64, parts: i64) -> i64 {
    let parts = parts.max(1);
    amount.saturating_add(parts - 1) / parts
}

impl Sim {
    /// The metrics server samples.
    pub(crate) fn sample_due(&mut self) {
        self.queue.push(self.now.plus(self.tuning.metrics_resolution), Wake::Sample);
        self.settle_requests();
        let shares = self.told_cpu_shares();
        let now = self.now;
        let mut sampled = 0;
        for machine in self.machines.iter_mut().filter(|machine| machine.has_kubelet()) {
            for (id, local) in &mut machine.pods {
                let Some(process) = local.processes.iter().find(|process| process.serves) else { continue };
                let Some(started_at) = process.started_at else {
                    local.sampled = None;
                    continue;
                };
                let told = shares.get(id).copied();
                let idle = now.since(started_at) / 1000 * process.behavior.idle_milli;
                let used = local.serving.cpu_used(now, local.cpu_limit_milli) + idle;
                let memory = process.memory;
                let taken = local.serving.taken;
                let first = local.sampled.replace((now, used, taken)).unwrap_or((started_at, 0, taken));
                let window = now.since(first.0);
                // A window that is too short says nothing; upstream leaves the pod out until the next sample.
                if window < self.tuning.metrics_fresh.min(self.tuning.metrics_resolution) {
                    continue;
                }
                sampled += 1;
                // Usage is measured in billionths of a core and read in thousandths, rounded up.
                let milli = told.unwrap_or(div_ceil((used - first.1).max(0) * 1000, window));
                let requests_milli = (taken - first.2) * 1000 * SECOND / window;
                // Most pods were there at the last sample as well.
                if let Some(sample) = self.metrics.pods.get_mut(id.0) {
                    (sample.at, sample.window, sample.requests_milli) = (now, window, requests_milli);
                    sample.containers.iter_mut().for_each(|c| (c.1, c.2) = (milli, memory));
                    continue;
                }
                let name = local.pod.spec.containers.first().map(|container| container.name.clone());
                let containers = vec![(name.unwrap_or_default(), milli, memory)];
                self.metrics.pods.insert(id.0, PodMetrics { at: now, window, containers, requests_milli });
            }
        }
        if sampled == self.metrics.pods.len() {
            return;
        }
        let gone = self.metrics.pods.iter().filter(|(_, sample)| sample.at != now).map(|(id, _)| id);
        for id in gone.gather() {
            self.metrics.pods.remove(id);
        }
    }

    /// CPU of pods whose Service was told what its pods use together: the ready ones share it evenly.
    fn told_cpu_shares(&self) -> Map<ObjId, i64> {
        let mut shares = Map::new();
        for ((namespace, name), milli) in &self.cpu_loads {
            let Some(service) = self.store.find::<Service>(namespace, name) else { continue };
            let selector = Selector::from_match_labels(&service.spec.selector);
            let pods = self.store.pods_matching(namespace, &selector);
            let ready: Vec<ObjId> = pods
                .iter()
                .filter(|pod| setpoint_control::pod::is_ready(pod))
                .map(|pod| pod.metadata.id)
                .gather();
            for id in &ready {
                shares.insert(*id, div_ceil(*milli, ready.len() as i64));
            }
        }
        shares
    }

    /// CPU that a pod uses right now, averaged over the last whole second or since it started, in thousandths of a core.
    pub fn cpu_now(&self, pod: ObjId) -> Option<i64> {
        let machine =
            self.machines.get(*self.machine_of_pod.get(pod.0)? as usize).filter(|machine| machine.is_up())?;
        let local = machine.pods.get(&pod)?;
        let process = local.processes.iter().find(|process| process.serves)?;
        let started_at = process.started_at?;
        let (from, used_then, _) = local.sampled.unwrap_or((started_at, 0, 0));
        let window: Micros = self.now.since(from);
        if window < SECOND {
            return self.metrics.pods.get(pod.0).map(|sample| sample.containers.iter().map(|c| c.1).sum());
        }
        let idle = self.now.since(started_at) / 1000 * process.behavior.idle_milli;
        let used = local.serving.cpu_used(self.now, local.cpu_limit_milli) + idle;
        Some((used - used_then).max(0) * 1000 / window)
    }

    /// Tells what the pods behind a Service use together, in thousandths of a core.
    pub(crate) fn set_cpu_load(&mut self, namespace: &str, service: &str, milli: i64) {
        self.cpu_loads.insert((namespace.into(), service.into()), milli);
    }
}
