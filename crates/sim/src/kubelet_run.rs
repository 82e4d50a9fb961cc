//! The kubelet at work on its machine: it carries out what `setpoint_control::kubelet` decides, lets time pass for pulls,
//! starts, stops and probes, and tells the kubelet what has come of it.
//!
//! Simplified: a probe that runs into its time limit is known to fail when it begins.

use crate::control_loop::Call;
use crate::fact::Actor;
use crate::image::{Behavior, Catalogue, has_told_readiness};
use crate::ledger::Outcome;
use crate::load::{Serving, lose_requests};
use crate::machine::{LocalPod, Machine, Process};
use crate::queue::Wake;
use crate::sim::Sim;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::text::parse_float;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{
    Change, Container, DeleteOptions, HttpGetAction, IntOrPercent, Kind, ObjId, Op, Pod, Probe, Str, Time,
};
use setpoint_control::kubelet::{
    self, Command, ContainerRef, Failing, KubeletCx, PodRecord, ProbeKind, ProbeOutcome, ProbeStep, Pulled,
    Share,
};
use setpoint_control::{EventDraft, Gone, Patch, Write};
use std::rc::Rc;

/// A pod whose queue is longer than this may miss its probes' time limits; shorter ones cannot change a probe's outcome.
const SLOW: i64 = 250 * MILLISECOND;

/// Period of a kubelet's round over the states of all its pods.
///
/// Upstream: pkg/kubelet/status/status_manager.go `syncPeriod`.
const STATUS_ROUND: i64 = 10 * SECOND;

/// What a kubelet may look at, for a machine's fields borrowed one by one.
macro_rules! kubelet_cx {
    ($sim:expr, $machine:expr) => {
        KubeletCx {
            now: $sim.now,
            tuning: &$sim.tuning,
            node_name: &$machine.config.node,
            host_ip: &$machine.address,
            kubelet_since: $machine.kubelet_since,
            has_image: &|image: &str| $sim.catalogue.is_preloaded(image) || $machine.images.contains(image),
        }
    };
}

impl Sim {
    /// A pod has changed in the API: its machine's kubelet hears of it.
    pub(crate) fn pod_changed(&mut self, change: &Change, pod: &Rc<Pod>) {
        let Some(node) = &pod.spec.node_name else { return };
        let Some(number) = self.machine_of_node.get(node).copied() else { return };
        let machine = &mut self.machines[number as usize];
        if !machine.has_kubelet() {
            return;
        }
        let id = pod.metadata.id;
        if change.op == Op::Deleted {
            self.pod_gone(number, id, change.stamp.fact);
            return;
        }
        let Some(local) = machine.pods.get_mut(&id) else {
            self.take_up(number, pod.clone(), change.stamp.fact);
            return;
        };
        let (old, new) = (&local.seen.metadata, &pod.metadata);
        let ready = |pod: &Pod| setpoint_api::condition_status(&pod.status.conditions, "Ready");
        let is_told = local.seen.spec != pod.spec
            || old.deletion_timestamp != new.deletion_timestamp
            || old.deletion_grace_period_seconds != new.deletion_grace_period_seconds
            // Somebody else says whether it is ready; the kubelet knows better (`needsReconcile`).
            || (local.reported_until < self.now && ready(&local.pod) != ready(pod));
        local.seen = pod.clone();
        let before = std::mem::replace(&mut local.pod, with_told_probe(pod));
        if local.reported_until > self.now && local.pod.status != before.status {
            // The kubelet's own report is still on its way; it knows better than what the server has.
            Rc::make_mut(&mut local.pod).status = before.status.clone();
        }
        if is_told {
            local.last_fact = change.stamp.fact;
            self.sync_pod(number, id);
        }
    }

    /// A kubelet takes a pod on, or refuses it.
    pub(crate) fn take_up(&mut self, number: u32, seen: Rc<Pod>, cause: u64) {
        let id = seen.metadata.id;
        let now = self.now;
        let (no_memory, no_disk) = self.pressures(number);
        let machine = &mut self.machines[number as usize];
        let share = Share::of(&seen.spec);
        let others = machine.pods.values().filter(|local| !local.seen.status.phase.is_finished());
        let admitted = if seen.status.phase.is_finished() || seen.metadata.is_deleting() {
            Ok(())
        } else {
            kubelet::admit_under_pressure(&seen, !no_memory, !no_disk)
                .and_then(|()| kubelet::admit(share, &machine.allocatable, others.map(|local| local.share)))
        };
        if let Err(rejection) = admitted {
            let epoch = machine.epoch;
            let (status, event) = kubelet::reject(&kubelet_cx!(self, machine), &seen, &rejection);
            self.record_later(event, cause);
            self.send_from_kubelet(
                number,
                epoch,
                vec![Write::Patch(id, Patch::PodStatus(Box::new(status)))],
                cause,
            );
            return;
        }
        let pod = with_told_probe(&seen);
        let processes = processes(&pod, &self.catalogue, &mut self.behaviors, cause);
        let core_milli = machine.config.cpu_milli;
        let limits =
            pod.spec.containers.iter().map(|c| c.resources.limits.get("cpu").map(|cpu| cpu.milli_value()));
        let local = LocalPod {
            record: PodRecord::new(&pod, now),
            processes,
            serving: Serving::default(),
            cpu_limit_milli: limits.sum::<Option<i64>>().unwrap_or(core_milli).clamp(1, core_milli),
            last_fact: cause,
            sampled: None,
            wake_at: None,
            reported_until: Time(0),
            probes: Map::new(),
            share,
            seen,
            pod,
        };
        machine.pods.insert(id, Box::new(local));
        self.machine_of_pod.insert(id.0, number);
        self.expect_volumes(number, id);
        self.sync_pod(number, id);
    }

    /// The API object is gone while the kubelet still knows the pod: everything is killed at once.
    pub(crate) fn pod_gone(&mut self, number: u32, id: ObjId, cause: u64) {
        let machine = &mut self.machines[number as usize];
        if let Some(mut local) = machine.pods.remove(&id) {
            lose_requests(&mut local.serving, self.now, Outcome::Killed, cause, &mut self.ledger);
        }
        self.machine_of_pod.remove(id.0);
        self.release_volumes(number, id);
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

    /// The pod of a wake-up, unless the machine or the pod has gone since.
    fn local(&mut self, number: u32, epoch: u32, id: ObjId) -> Option<&mut LocalPod> {
        let machine = self.machines.get_mut(number as usize).filter(|machine| machine.epoch == epoch)?;
        machine.pods.get_mut(&id).map(|local| &mut **local)
    }

    /// Lets the kubelet look at a pod or at an answer about it, with everything that it may know.
    pub(crate) fn with_pod<T>(
        &mut self,
        number: u32,
        id: ObjId,
        f: impl FnOnce(&KubeletCx, &mut LocalPod) -> T,
    ) -> Option<T> {
        let machine = self.machines.get_mut(number as usize)?;
        let local = machine.pods.get_mut(&id)?;
        Some(f(&kubelet_cx!(self, machine), local))
    }

    /// A kubelet looks at a pod, and what it decides is set in motion.
    pub(crate) fn sync_pod(&mut self, number: u32, id: ObjId) {
        let is_fake = self.catalogue.is_fake;
        let synced = self.with_pod(number, id, |cx, local| {
            let mut sync = kubelet::sync_pod(cx, &local.pod, &mut local.record);
            let is_ending = local.record.termination.is_some() && local.record.is_alive();
            let never_ran = sync.finished && local.record.all().all(|state| state.exit().is_none());
            if is_fake && (is_ending || never_ran) {
                sync.status = None;
            }
            (sync, local.last_fact)
        });
        let Some((sync, cause)) = synced else { return };
        let epoch = self.machines[number as usize].epoch;
        let now = self.now;
        if let (Some(after), Some(local)) = (sync.wake_after, self.local(number, epoch, id)) {
            let at = now.plus(after.max(1));
            if local.wake_at.is_none_or(|due| at < due || due <= now) {
                local.wake_at = Some(at);
                self.queue.push(at, Wake::SyncPod { machine: number, epoch, pod: id });
            }
        }
        self.say(sync.events, cause);
        let mut writes = Vec::new();
        if let Some(status) = sync.status {
            let until = now.plus(self.tuning.api_request + self.tuning.watch_delay);
            if let Some(local) = self.local(number, epoch, id) {
                Rc::make_mut(&mut local.pod).status = status.clone();
                local.reported_until = until;
            }
            writes.push(Write::Patch(id, Patch::PodStatus(Box::new(status))));
        }
        if sync.finished {
            let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
            writes.push(Write::Delete(id, options, None));
        }
        self.send_from_kubelet(number, epoch, writes, cause);
        for command in sync.commands {
            self.carry_out_command(number, epoch, id, command);
        }
        self.schedule_probes(number, epoch, id);
    }

    /// The API server did not take a report: the kubelet goes by what is stored, and makes its report anew with the next
    /// round over all pods.
    pub(crate) fn report_refused(&mut self, number: u32, epoch: u32, id: ObjId) {
        let at = self.now.plus(STATUS_ROUND);
        let Some(local) = self.local(number, epoch, id) else { return };
        Rc::make_mut(&mut local.pod).status = local.seen.status.clone();
        local.reported_until = Time(0);
        if local.wake_at.is_none_or(|due| at < due) {
            local.wake_at = Some(at);
            self.queue.push(at, Wake::SyncPod { machine: number, epoch, pod: id });
        }
    }

    fn send_from_kubelet(&mut self, number: u32, epoch: u32, writes: Vec<Write>, cause: u64) {
        if !writes.is_empty() {
            self.send(Call::background(Actor::Kubelet(number), epoch, writes, cause));
        }
    }

    fn carry_out_command(&mut self, number: u32, epoch: u32, id: ObjId, command: Command) {
        let now = self.now;
        match command {
            Command::CreateSandbox { attempt, .. } => {
                let span = if self.lacks_image(number, id) { (0, 0) } else { self.catalogue.sandbox };
                let at = now.plus(self.delay(span));
                self.queue.push(at, Wake::Sandbox { machine: number, epoch, pod: id, attempt });
            }
            Command::Pull { container, .. } => self.pull(number, epoch, id, container),
            Command::Start { container } => {
                let Some(behavior) =
                    self.process(number, id, container).map(|process| process.behavior.clone())
                else {
                    return;
                };
                let at = now.plus(self.delay(behavior.start));
                self.queue.push(at, Wake::Started { machine: number, epoch, pod: id, at: container });
            }
            Command::Stop { container, grace_seconds, pre_stop_seconds, .. } => {
                let (term, kill) = kubelet::stop_times(grace_seconds, pre_stop_seconds);
                let Some(process) = self.process(number, id, container) else { return };
                let (behavior, hangs) = (process.behavior.clone(), process.wedged);
                let gentle = term.saturating_add(self.delay(behavior.stop));
                // A process that hangs does not hear TERM.
                let (after, code) = if hangs || gentle >= kill { (kill, 137) } else { (gentle, 0) };
                self.ends_at(number, id, container, now.plus(after), code);
            }
            Command::TearDown => self.release_volumes(number, id),
        }
    }

    /// Whether a fake kubelet has to ask for an image of a pod at once.
    fn lacks_image(&self, number: u32, id: ObjId) -> bool {
        let local = self.machines[number as usize].pods.get(&id).filter(|_| self.catalogue.is_fake);
        local.is_some_and(|local| {
            local.pod.spec.containers.iter().any(|container| !self.catalogue.is_preloaded(&container.image))
        })
    }

    /// When the pull of a pod's image was asked for and when it will end, while it goes on.
    pub fn pull_of(&self, pod: ObjId) -> Option<(Time, Time)> {
        let number = *self.machine_of_pod.get(pod.0)?;
        let is_it = |key: &(u32, ObjId, ContainerRef)| key.0 == number && key.1 == pod;
        self.pulls.iter().find(|(key, _)| is_it(key)).map(|(_, times)| *times)
    }

    /// Pulls go one at a time, as kubelets do by default.
    fn pull(&mut self, number: u32, epoch: u32, id: ObjId, container: ContainerRef) {
        let Some(behavior) = self.process(number, id, container).map(|process| process.behavior.clone())
        else {
            return;
        };
        let took = self.delay(behavior.pull);
        let machine = &mut self.machines[number as usize];
        let begin = machine.pull_free_at.max(self.now);
        machine.pull_free_at = begin.plus(took);
        let waited = machine.pull_free_at.since(self.now);
        let wake = Wake::Pulled { machine: number, epoch, pod: id, at: container, took };
        self.queue.push(self.now.plus(waited), wake);
        let ends = machine.pull_free_at;
        self.pulls.insert((number, id, container), (self.now, ends));
    }

    pub(crate) fn process(&mut self, number: u32, id: ObjId, at: ContainerRef) -> Option<&mut Process> {
        let local = self.machines.get_mut(number as usize)?.pods.get_mut(&id)?;
        let offset = if at.is_init { 0 } else { local.record.init.len() };
        local.processes.get_mut(offset + at.index as usize)
    }

    /// A sandbox is there.
    pub(crate) fn sandbox_due(&mut self, number: u32, epoch: u32, id: ObjId, attempt: u32) {
        let Some(machine) = self.machines.get_mut(number as usize).filter(|machine| machine.epoch == epoch)
        else {
            return;
        };
        let address = machine.next_pod_address();
        let Some(local) = machine.pods.get_mut(&id) else { return };
        let address = if local.pod.spec.host_network == Some(true) { None } else { Some(address) };
        kubelet::sandbox_ready(&mut local.record, attempt, address);
        self.sync_pod(number, id);
    }

    /// An image has been pulled, or could not be.
    pub(crate) fn pulled_due(&mut self, number: u32, epoch: u32, id: ObjId, at: ContainerRef, took: i64) {
        let asked = self.pulls.remove(&(number, id, at)).map_or(self.now, |(asked, _)| asked);
        if self.local(number, epoch, id).is_none() {
            return;
        }
        let Some(behavior) = self.process(number, id, at).map(|process| process.behavior.clone()) else {
            return;
        };
        let waited = self.now.since(asked);
        let answered = self.with_pod(number, id, |cx, local| {
            let image = kubelet::spec_of(&local.pod.spec, at).map_or("", |container| &container.image);
            let image = kubelet::with_tag(image);
            let events = if behavior.exists {
                let pulled = Pulled { took, waited, size_bytes: behavior.size_bytes };
                kubelet::image_pulled(cx, &local.pod, &mut local.record, at, pulled)
            } else {
                kubelet::image_failed(cx, &local.pod, &mut local.record, at, &not_found(&image))
            };
            (image, events, local.last_fact)
        });
        let Some((image, events, mut cause)) = answered else { return };
        if behavior.exists {
            self.machines[number as usize].images.insert(image.into());
        } else {
            let name = self.name_of(id);
            cause = self.happened(number, Some(name), format!("its image {image} cannot be pulled"), cause);
            if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
                local.last_fact = cause;
            }
        }
        self.say(events, cause);
        self.sync_pod(number, id);
    }

    /// Records what a kubelet says about its pods, also about one whose API object is gone already.
    pub(crate) fn say(&mut self, mut events: Vec<EventDraft>, cause: u64) {
        if self.catalogue.is_fake {
            events.retain(|event| self.is_of_first(event));
        }
        for mut event in events {
            if self.store.object(event.about).is_none() {
                let number = self.machine_of_pod.get(event.about.0).copied().unwrap_or(u32::MAX);
                let local =
                    self.machines.get(number as usize).and_then(|machine| machine.pods.get(&event.about));
                event.gone = local.map(|local| Box::new(Gone::of(Kind::Pod, &local.seen.metadata)));
            }
            self.record_later(event, cause);
        }
    }

    /// Whether a fake kubelet tells of this: it speaks of a pod's first container alone.
    fn is_of_first(&self, event: &EventDraft) -> bool {
        let machine = self.machine_of_pod.get(event.about.0).and_then(|at| self.machines.get(*at as usize));
        let local = machine.and_then(|machine| machine.pods.get(&event.about));
        let first = local.and_then(|local| local.pod.spec.containers.first());
        let of_container = |name: &str| event.field_path.ends_with(&format!("{{{name}}}"));
        event.field_path.is_empty() || first.is_none_or(|first| of_container(&first.name))
    }

    /// A container's process starts.
    pub(crate) fn started_due(&mut self, number: u32, epoch: u32, id: ObjId, at: ContainerRef) {
        let is_current =
            self.local(number, epoch, id).is_some_and(|local| local.record.current_mut(at).is_some());
        if !is_current {
            return;
        }
        let now = self.now;
        let name = self.name_of(id);
        let Some(process) = self.process(number, id, at) else { return };
        let (behavior, cause) = (process.behavior.clone(), process.fact);
        let boot = self.delay(behavior.boot);
        let fact = self.happened(number, Some(name), "a container starts", cause);
        if let Some(process) = self.process(number, id, at) {
            process.started_at = Some(now);
            process.answers_at = now.plus(boot);
            process.wedged = false;
            process.fact = fact;
        }
        if let Some(after) = behavior.run_for {
            self.ends_at(number, id, at, now.plus(after), behavior.exit_code);
        }
        let answered = self.with_pod(number, id, |cx, local| {
            local.last_fact = fact;
            kubelet::container_started(cx, &local.pod, &mut local.record, at)
        });
        self.say(answered.unwrap_or_default(), fact);
        self.sync_pod(number, id);
        if self.catalogue.is_fake {
            self.probe_from_start(number, epoch, id, at);
        }
        self.write_at_start(number, id, at);
        self.first_memory(number, id, at);
    }

    /// A fake kubelet has no workers with ticks of their own: it probes first when the delay since the start is over.
    fn probe_from_start(&mut self, number: u32, epoch: u32, id: ObjId, at: ContainerRef) {
        let now = self.now;
        let Some(local) = self.local(number, epoch, id) else { return };
        let slot = local.probes.get_mut(&(at, ProbeKind::Readiness));
        let probe =
            kubelet::spec_of(&local.pod.spec, at).and_then(|container| container.readiness_probe.clone());
        let (Some(slot), Some(probe)) = (slot, probe) else { return };
        let delay = i64::from(probe.initial_delay_seconds.unwrap_or(0)) * SECOND;
        let due = now.plus(delay.max(1));
        *slot = Some(due);
        let kind = ProbeKind::Readiness;
        self.queue.push(due, Wake::Probe { machine: number, epoch, pod: id, at, kind });
    }

    /// A container's process ends.
    pub(crate) fn exited_due(&mut self, number: u32, epoch: u32, id: ObjId, at: ContainerRef, code: i32) {
        let now = self.now;
        let Some(local) = self.local(number, epoch, id) else { return };
        let is_alive = local.record.current_mut(at).is_some_and(|record| record.is_alive());
        if !is_alive {
            return;
        }
        let cause = local.last_fact;
        let name = local.pod.metadata.name.clone();
        let is_oom = self.process(number, id, at).is_some_and(|process| std::mem::take(&mut process.is_oom));
        let why = if is_oom { ": out of memory" } else { "" };
        let fact =
            self.happened(number, Some(name), format!("a container ends with code {code}{why}"), cause);
        if let Some(process) = self.process(number, id, at) {
            process.started_at = None;
            process.wedged = false;
            process.ends = None;
            process.fact = fact;
        }
        let (ledger, machines) = (&mut self.ledger, &mut self.machines);
        if let Some(local) = machines[number as usize].pods.get_mut(&id) {
            local.last_fact = fact;
            local.sampled = None;
            lose_requests(&mut local.serving, now, Outcome::Killed, fact, ledger);
            kubelet::container_exited(
                &mut local.record,
                at,
                code,
                if is_oom { "OOMKilled" } else { "" },
                now,
            );
        }
        if self.machines[number as usize].has_kubelet() {
            self.sync_pod(number, id);
        }
    }

    /// A container's process is going to end, unless it does so sooner.
    fn ends_at(&mut self, number: u32, id: ObjId, at: ContainerRef, when: Time, code: i32) {
        let epoch = self.machines[number as usize].epoch;
        if let Some(process) = self.process(number, id, at)
            && process.ends.is_none_or(|(sooner, _)| when < sooner)
        {
            process.ends = Some((when, code));
        }
        self.queue.push(when, Wake::Exited { machine: number, epoch, pod: id, at, code });
    }

    /// Sees to it that every probe that is being made has a wake-up, unless its outcome can change nothing.
    fn schedule_probes(&mut self, number: u32, epoch: u32, id: ObjId) {
        let now = self.now;
        let timers = self.with_pod(number, id, |cx, local| {
            let timers = kubelet::probe_schedule(cx, &local.pod, &local.record);
            local.probes.retain(|(at, kind), _| {
                timers.iter().any(|timer| timer.container == *at && timer.kind == *kind)
            });
            let mut due = Vec::new();
            for timer in timers {
                let known = local.probes.entry((timer.container, timer.kind)).or_insert(Some(Time(-1)));
                if known.is_some_and(|at| at < now) {
                    *known = Some(timer.first_at);
                    due.push((timer.first_at, timer.container, timer.kind));
                }
            }
            due
        });
        for (at, container, kind) in timers.unwrap_or_default() {
            self.queue.push(at, Wake::Probe { machine: number, epoch, pod: id, at: container, kind });
        }
    }

    /// A pod behaves otherwise than before: probes that had come to rest are made again, at their next tick.
    pub(crate) fn wake_probes(&mut self, number: u32, id: ObjId) {
        if !self.machines[number as usize].has_kubelet() {
            return;
        }
        let epoch = self.machines[number as usize].epoch;
        let woken = self.with_pod(number, id, |cx, local| {
            let timers = kubelet::probe_schedule(cx, &local.pod, &local.record);
            let mut due = Vec::new();
            for timer in timers {
                let slot = local.probes.get_mut(&(timer.container, timer.kind));
                if let Some(rest) = slot.filter(|at| at.is_none()) {
                    let next = timer.next_after(cx.now);
                    *rest = Some(next);
                    due.push((next, timer.container, timer.kind));
                }
            }
            due
        });
        for (at, container, kind) in woken.unwrap_or_default() {
            self.queue.push(at, Wake::Probe { machine: number, epoch, pod: id, at: container, kind });
        }
    }

    /// A probe is due.
    pub(crate) fn probe_due(
        &mut self,
        number: u32,
        epoch: u32,
        id: ObjId,
        at: ContainerRef,
        kind: ProbeKind,
    ) {
        let (now, is_fake) = (self.now, self.catalogue.is_fake);
        let Some(local) = self.local(number, epoch, id) else { return };
        if local.probes.get(&(at, kind)) != Some(&Some(now)) {
            return;
        }
        let Some(process) = self.process(number, id, at).cloned() else { return };
        let probed = self.with_pod(number, id, |cx, local| {
            let timers = kubelet::probe_schedule(cx, &local.pod, &local.record);
            let Some(timer) = timers.iter().find(|timer| timer.container == at && timer.kind == kind) else {
                local.probes.remove(&(at, kind));
                return None;
            };
            let step = kubelet::probe_step(cx, &local.pod, &mut local.record, at, kind);
            let outcome = look(&process, local, at, kind, timer.timeout, now);
            let effect = if step == ProbeStep::Probe {
                kubelet::probe_result(cx, &local.pod, &mut local.record, at, kind, outcome.clone())
            } else {
                Default::default()
            };
            let is_settled = step == ProbeStep::Probe
                && local.serving.wait(now) < SLOW
                && kubelet::probe_is_settled(&local.record, at, kind, &outcome);
            let next = if is_fake { now.plus(timer.period) } else { timer.next_after(now) };
            let next = (!is_settled && step != ProbeStep::End).then_some(next);
            local.probes.insert((at, kind), next);
            Some((effect, next, local.last_fact))
        });
        let Some(Some((effect, next, mut cause))) = probed else { return };
        if effect.changed && kind != ProbeKind::Readiness {
            cause = self.probe_decided(number, id, at, kind, cause);
        }
        if let Some(next) = next {
            self.queue.push(next, Wake::Probe { machine: number, epoch, pod: id, at, kind });
        }
        self.say(effect.events, cause);
        if effect.changed {
            self.sync_pod(number, id);
        }
    }

    /// A liveness or startup probe has told something new: what the kubelet does then has that as its cause.
    fn probe_decided(
        &mut self,
        number: u32,
        id: ObjId,
        at: ContainerRef,
        kind: ProbeKind,
        cause: u64,
    ) -> u64 {
        let Some(local) = self.machines.get(number as usize).and_then(|machine| machine.pods.get(&id)) else {
            return cause;
        };
        let verdict = local.record.container(at).and_then(|state| state.verdict(kind));
        let probe = kubelet::spec_of(&local.pod.spec, at).and_then(|container| kind.spec(container));
        if verdict != Some(kubelet::Verdict::Failure) {
            return cause;
        }
        let times = probe.and_then(|probe| probe.failure_threshold).unwrap_or(3);
        let word = if kind == ProbeKind::Startup { "startup" } else { "liveness" };
        let name = local.pod.metadata.name.clone();
        let what = format!("its {word} probe failed {times} times in a row");
        let fact = self.happened(number, Some(name), what, cause);
        if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
            local.last_fact = fact;
        }
        fact
    }

    /// Ends the first container of a pod, as a crash does.
    pub(crate) fn crash_pod(&mut self, id: ObjId, fact: u64) -> Result<(), String> {
        let (number, at) = self.serving_container(id)?;
        let epoch = self.machines[number as usize].epoch;
        if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
            local.last_fact = fact;
        }
        self.exited_due(number, epoch, id, at, 1);
        Ok(())
    }

    /// Makes the first container of a pod hang.
    pub(crate) fn wedge_pod(&mut self, id: ObjId, fact: u64) -> Result<(), String> {
        let (number, at) = self.serving_container(id)?;
        let name = self.name_of(id);
        let fact = self.happened(number, Some(name), "a process hangs", fact);
        if let Some(process) = self.process(number, id, at) {
            process.wedged = true;
            process.fact = fact;
        }
        if let Some(local) = self.machines[number as usize].pods.get_mut(&id) {
            local.last_fact = fact;
        }
        self.wake_probes(number, id);
        Ok(())
    }

    /// The first container of a pod, if it runs.
    pub(crate) fn serving_container(&mut self, id: ObjId) -> Result<(u32, ContainerRef), String> {
        let name = self.name_of(id);
        let number = self.machine_of_pod.get(id.0).copied();
        let machine = number
            .and_then(|number| self.machines.get_mut(number as usize))
            .filter(|machine| machine.is_up());
        let local = machine.and_then(|machine| machine.pods.get_mut(&id));
        let first = local.and_then(|local| {
            let at = local.record.refs().into_iter().find(|at| !at.is_init)?;
            local.record.container(at).filter(|record| record.is_running()).map(|_| at)
        });
        match (number, first) {
            (Some(number), Some(at)) => Ok((number, at)),
            _ => Err(format!("Nothing runs in pod {name} at this moment.")),
        }
    }
}

/// What really answers a probe.
fn look(
    process: &Process,
    local: &LocalPod,
    at: ContainerRef,
    kind: ProbeKind,
    timeout: i64,
    now: Time,
) -> ProbeOutcome {
    let Some(container) = kubelet::spec_of(&local.pod.spec, at) else { return ProbeOutcome::Success };
    let Some(probe) = kind.spec(container) else { return ProbeOutcome::Success };
    let is_http = probe.http_get.is_some() || probe.grpc.is_some();
    let failing = if !process.listens(now) {
        // A command in the container needs no listening process.
        if probe.exec.is_some() && process.started_at.is_some() { None } else { Some(Failing::Refused) }
    } else if process.wedged && probe.tcp_socket.is_none() {
        Some(Failing::TimedOut)
    } else if process.behavior.answers_errors && is_http {
        Some(Failing::Status(500))
    } else if is_http && process.serves && local.serving.wait(now) > timeout {
        Some(Failing::TimedOut)
    } else {
        None
    };
    let address = local.record.pod_ip.as_deref().unwrap_or("");
    failing.map_or(ProbeOutcome::Success, |failing| {
        ProbeOutcome::Failure(kubelet::failure_words(container, probe, address, failing))
    })
}

/// The runtime's words for an image that its registry does not have.
fn not_found(image: &str) -> String {
    let name = if image.contains('/') { image.to_string() } else { format!("docker.io/library/{image}") };
    format!(
        "failed to pull and unpack image {name:?}: failed to resolve reference {name:?}: {name}: not found"
    )
}

fn processes(
    pod: &Pod,
    catalogue: &Catalogue,
    known: &mut Map<Str, Rc<Behavior>>,
    fact: u64,
) -> Vec<Process> {
    // Without a word of the pod itself all containers of an image behave alike.
    let is_told = pod.metadata.annotations.keys().any(|key| key.starts_with("sim/"));
    let mut behavior = |container: &Container| {
        let is_told = is_told || !container.command.is_empty() || !container.args.is_empty();
        match known.get(&container.image).filter(|_| !is_told) {
            Some(behavior) => behavior.clone(),
            None => {
                let behavior = Rc::new(catalogue.behavior(container, pod));
                if !is_told {
                    known.insert(container.image.clone(), behavior.clone());
                }
                behavior
            }
        }
    };
    let first_served = pod.spec.init_containers.len();
    let containers = pod.spec.init_containers.iter().chain(pod.spec.containers.iter()).enumerate();
    containers
        .map(|(index, container)| Process {
            memory: 0,
            is_oom: false,
            behavior: behavior(container),
            started_at: None,
            answers_at: Time(0),
            wedged: false,
            ends: None,
            serves: index == first_served,
            fact,
        })
        .gather()
}

/// The pod with a readiness probe that finds what its annotations tell of its readiness.
pub(crate) fn with_told_probe(pod: &Rc<Pod>) -> Rc<Pod> {
    let has_probe = pod.spec.containers.first().is_none_or(|container| container.readiness_probe.is_some());
    if !has_told_readiness(pod) || has_probe {
        return pod.clone();
    }
    let is_never = pod.metadata.annotation("sim/never-ready").is_some();
    let told = pod.metadata.annotation("sim/ready-delay").and_then(parse_float);
    let delay = told.unwrap_or(if is_never { 5.0 } else { 0.0 });
    let probe = Probe {
        http_get: Some(HttpGetAction {
            path: "/".into(),
            port: IntOrPercent::Int(80),
            ..HttpGetAction::default()
        }),
        initial_delay_seconds: Some(delay.clamp(0.0, 86_400.0) as i32),
        period_seconds: Some(if is_never { 10 } else { 1 }),
        ..Probe::default()
    };
    let mut told = (**pod).clone();
    if let Some(container) = Rc::make_mut(&mut told.spec.containers).first_mut() {
        container.readiness_probe = Some(Rc::new(probe));
    }
    Rc::new(told)
}

/// A machine that got its power back finds its pods as the crash left them; what was deleted meanwhile is forgotten.
pub(crate) fn recover(machine: &mut Machine, now: Time, is_bound: impl Fn(ObjId) -> Option<Rc<Pod>>) {
    machine.pods.retain(|id, local| match is_bound(*id) {
        Some(pod) => {
            local.seen = pod.clone();
            local.pod = with_told_probe(&pod);
            local.record = PodRecord::restored(&local.pod, now);
            local.probes.clear();
            local.sampled = None;
            local.wake_at = None;
            local.serving = Serving::default();
            local.last_fact = machine.last_fact;
            true
        }
        None => false,
    });
}
