//! A pod's status, made from the kubelet's memory of it.
//!
//! Upstream: pkg/kubelet/kubelet_pods.go `generateAPIPodStatus`, `convertToAPIContainerStatuses`, `getPhase`;
//! pkg/kubelet/status/status_manager.go `TerminatePod`, `mergePodStatus`.
//! Simplified: the PodScheduled condition that came with the binding is kept as it is.

use super::actions::{is_restartable, restarts_after, should_be_restarted};
use super::record::*;
use super::{EVICTED, KubeletCx};
use super::{conditions, probes};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::*;

/// The status to report. With `is_final` everything has stopped and will not start again.
pub fn pod_status(cx: &KubeletCx, pod: &Pod, record: &PodRecord, is_final: bool) -> PodStatus {
    let (spec, old) = (&pod.spec, &pod.status);
    let mut all = statuses(cx, pod, record, true);
    let init_len = all.len();
    let mut regular = statuses(cx, pod, record, false);
    order::sort_by(&mut regular, |a, b| a.name.cmp(&b.name));
    all.append(&mut regular);
    let has_sandbox = record.sandbox == Sandbox::Ready;
    let mut phase = phase(spec, &all, is_final, has_sandbox && has_ever_run(record));
    if is_final {
        end_all(spec, &mut all, init_len);
        if !phase.is_finished() || record.verdict.is_some() {
            phase = PodPhase::Failed;
        }
    }
    if old.phase.is_finished() {
        phase = old.phase;
    }
    let (reason, message) = match record.verdict.clone().filter(|_| is_final) {
        Some(verdict) => verdict,
        None if phase == old.phase => (old.reason.clone(), old.message.clone()),
        None => Default::default(),
    };
    let (host_ip, pod_ip) = addresses(cx, pod, record);
    let mut conditions = conditions_of(cx, pod, has_sandbox, &all, phase);
    if &*reason == EVICTED && condition(&conditions, "DisruptionTarget").is_none() {
        conditions.push(Condition {
            kind: Str::fixed("DisruptionTarget"),
            status: ConditionStatus::True,
            observed_generation: Some(pod.metadata.generation),
            last_transition_time: Some(cx.now.whole_seconds()),
            reason: Str::fixed("TerminationByKubelet"),
            message: message.clone(),
            ..Condition::default()
        });
    }
    let container_statuses = all.split_off(init_len);
    PodStatus {
        observed_generation: pod.metadata.generation,
        phase,
        conditions,
        message,
        reason,
        nominated_node_name: old.nominated_node_name.clone(),
        host_ips: listed(&host_ip),
        host_ip,
        pod_ips: listed(&pod_ip),
        pod_ip,
        start_time: old.start_time.or(Some(record.since.whole_seconds())),
        init_container_statuses: all,
        container_statuses,
        qos_class: old.qos_class.clone(),
        rest: old.rest.clone(),
    }
}

fn has_ever_run(record: &PodRecord) -> bool {
    record.containers.iter().any(|state| state.is_running() || state.exit().is_some())
}

/// The node's address and the pod's, which once reported stays until there is another.
fn addresses(cx: &KubeletCx, pod: &Pod, record: &PodRecord) -> (Str, Str) {
    let old = &pod.status;
    let host_ip = cx.host_ip.clone();
    let pod_ip = match &record.pod_ip {
        _ if pod.spec.host_network == Some(true) => host_ip.clone(),
        Some(own) => own.clone(),
        None => old.pod_ip.clone(),
    };
    (host_ip, pod_ip)
}

fn listed(ip: &Str) -> Vec<PodIp> {
    if ip.is_empty() { Vec::new() } else { vec![PodIp { ip: ip.clone(), rest: None }] }
}

/// The kubelet's own conditions, then those of others.
fn conditions_of(
    cx: &KubeletCx,
    pod: &Pod,
    has_sandbox: bool,
    all: &[ContainerStatus],
    phase: PodPhase,
) -> Vec<Condition> {
    let (spec, known) = (&pod.spec, &pod.status.conditions);
    let containers_ready = conditions::containers_ready(spec, Some(all), phase);
    let mut own = vec![
        conditions::ready_to_start_containers(has_sandbox),
        conditions::initialized(spec, Some(all), phase),
        conditions::ready(spec, known, &containers_ready),
        containers_ready,
    ];
    let now = Some(cx.now.whole_seconds());
    for new in &mut own {
        let old = condition(known, &new.kind).filter(|old| old.status == new.status);
        new.last_transition_time = old.and_then(|old| old.last_transition_time).or(now);
        new.observed_generation = (pod.metadata.generation != 0).then_some(pod.metadata.generation);
    }
    own.push(condition(known, "PodScheduled").cloned().unwrap_or_else(|| Condition {
        kind: Str::fixed("PodScheduled"),
        status: ConditionStatus::True,
        last_transition_time: now,
        ..Condition::default()
    }));
    own.extend(known.iter().filter(|old| !conditions::OWN.contains(&&*old.kind)).cloned());
    own
}

/// Statuses of one of the two lists, in the spec's order.
fn statuses(cx: &KubeletCx, pod: &Pod, record: &PodRecord, is_init: bool) -> Vec<ContainerStatus> {
    let (containers, states, old) = if is_init {
        (&pod.spec.init_containers, &record.init, &pod.status.init_container_statuses)
    } else {
        (&pod.spec.containers, &record.containers, &pod.status.container_statuses)
    };
    let is_ending = record.termination.is_some();
    let status = |(container, state): (&Container, &ContainerRecord)| {
        let mut status = container_status(pod, container, state, is_init, is_ending);
        let is_up = status.state.running.is_some() && state.is_running();
        status.started = Some(is_up && probes::is_started(cx, pod, container, state));
        status.ready = if is_init && !is_sidecar(container) {
            status.state.terminated.as_ref().is_some_and(|end| end.exit_code == 0)
        } else {
            is_up && probes::is_ready(cx, pod, container, state)
        };
        let old = old.iter().find(|old| old.name == container.name);
        if let Some(old) = old.filter(|_| status.state.running.is_some() && !is_up) {
            (status.started, status.ready) = (old.started, old.ready);
        }
        status.rest = old.and_then(|old| old.rest.clone());
        status
    };
    containers.iter().zip(states).map(status).gather()
}

/// The status of one container, without what its probes say.
fn container_status(
    pod: &Pod,
    container: &Container,
    state: &ContainerRecord,
    is_init: bool,
    is_ending: bool,
) -> ContainerStatus {
    let mut status = ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        restart_count: state.restart_count,
        ..ContainerStatus::default()
    };
    if let Some(last) = &state.last {
        status.last_state = terminated(last);
    }
    let known = |status: &mut ContainerStatus, id: &Str| {
        status.container_id = id.clone();
        status.image_id = state.image_id.clone();
    };
    if let Some(started_at) = state.started_at() {
        known(&mut status, &state.id);
        status.image = state.attempted.clone();
        status.state = running(started_at);
        return status;
    }
    let Some(exit) = state.exit() else {
        let reason =
            if pod.spec.init_containers.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        status.state = match state.waiting.as_ref().filter(|_| !is_ending) {
            Some(waiting) => waiting_state(waiting.reason, waiting.message.clone()),
            None => waiting_state(reason, Str::default()),
        };
        return status;
    };
    known(&mut status, &exit.id);
    // Upstream's worker is still in the sync that stops and starts the container; it has not reported the end.
    if state.is_replacing {
        status.state = running(exit.started_at);
        return status;
    }
    status.state = terminated(exit);
    let is_done = is_init && exit.code == 0 && !is_sidecar(container);
    if let Some(waiting) = &state.waiting
        && !is_ending
        && !is_done
        && should_be_restarted(pod, container, state)
    {
        status.last_state = terminated(exit);
        status.state = waiting_state(waiting.reason, waiting.message.clone());
    }
    status
}

fn running(started_at: Time) -> ContainerState {
    let started_at = Some(started_at.whole_seconds());
    ContainerState {
        running: Some(ContainerStateRunning { started_at, rest: None }),
        ..ContainerState::default()
    }
}

fn waiting_state(reason: &'static str, message: Str) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Str::fixed(reason), message, rest: None };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn terminated(exit: &Exit) -> ContainerState {
    let terminated = ContainerStateTerminated {
        exit_code: exit.code,
        reason: exit.reason.clone(),
        started_at: Some(exit.started_at.whole_seconds()),
        finished_at: Some(exit.finished_at.whole_seconds()),
        container_id: exit.id.clone(),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

/// A container of a pod that has ended must have ended itself: what has no end on record counts as lost.
///
/// Upstream: status_manager.go `TerminatePod`, `hasPodInitialized`, `initializedContainers`.
fn end_all(spec: &PodSpec, all: &mut [ContainerStatus], init_len: usize) {
    let (init, regular) = all.split_at_mut(init_len);
    let has_run =
        |status: &ContainerStatus| status.last_state.terminated.is_some() || status.state.waiting.is_none();
    let succeeded = |state: &ContainerState| state.terminated.as_ref().is_some_and(|end| end.exit_code == 0);
    let last_init = spec.init_containers.last().zip(init.last());
    let is_initialized = spec.init_containers.is_empty()
        || regular.iter().any(has_run)
        || last_init.is_some_and(|(container, last)| {
            !is_sidecar(container) && (succeeded(&last.state) || succeeded(&last.last_state))
        });
    let begun = init.iter().rposition(has_run).map_or(0, |last| last + 1);
    let init = init.iter_mut().take(begun);
    let regular = regular.iter_mut().filter(|_| is_initialized);
    for container in init.chain(regular).filter(|container| container.state.terminated.is_none()) {
        let terminated = ContainerStateTerminated {
            exit_code: 137,
            reason: "ContainerStatusUnknown".into(),
            message: "The container could not be located when the pod was terminated".into(),
            ..ContainerStateTerminated::default()
        };
        container.state = ContainerState { terminated: Some(terminated), ..ContainerState::default() };
        (container.ready, container.started) = (false, Some(false));
    }
}

/// A pod's phase. `is_final`: nothing will be started again. `has_initialized`: a container has run in this sandbox.
///
/// Upstream: kubelet_pods.go `getPhase`.
pub fn phase(
    spec: &PodSpec,
    statuses: &[ContainerStatus],
    is_final: bool,
    has_initialized: bool,
) -> PodPhase {
    let find = |container: &Container| statuses.iter().find(|status| status.name == container.name);
    let (mut pending, mut has_failed_init) = (false, false);
    let (mut unknown, mut running, mut waiting) = (0, 0, 0);
    for container in spec.init_containers.iter() {
        let state = find(container).map(|status| (&status.state, status));
        let is_sidecar = is_sidecar(container);
        match state {
            None if is_sidecar => unknown += 1,
            None => pending = true,
            Some((state, status)) if is_sidecar => {
                let has_ended = state.terminated.is_some() || status.last_state.terminated.is_some();
                if state.running.is_some() {
                    running += 1;
                    pending |= status.started != Some(true);
                } else if !has_ended {
                    pending = true;
                    if state.waiting.is_some() { waiting += 1 } else { unknown += 1 }
                }
            }
            Some((state, status)) => {
                let last = status.last_state.terminated.as_ref().filter(|_| state.waiting.is_some());
                match state.terminated.as_ref().or(last) {
                    None => pending = true,
                    Some(end) => {
                        let is_over = match &state.terminated {
                            Some(end) => !restarts_after(spec, container, end.exit_code),
                            None => !is_restartable(spec, container),
                        };
                        has_failed_init |= end.exit_code != 0 && is_over;
                    }
                }
            }
        }
    }
    let (mut stopped, mut succeeded, mut restarting) = (0, 0, 0);
    for container in spec.containers.iter() {
        let Some(status) = find(container) else {
            unknown += 1;
            continue;
        };
        if status.state.running.is_some() {
            running += 1;
        } else if let Some(end) = &status.state.terminated {
            stopped += 1;
            succeeded += i32::from(end.exit_code == 0);
            restarting += i32::from(restarts_after(spec, container, end.exit_code));
        } else if status.state.waiting.is_none() {
            unknown += 1;
        } else if status.last_state.terminated.is_some() {
            stopped += 1;
            restarting += i32::from(is_restartable(spec, container));
        } else {
            waiting += 1;
        }
    }
    if has_failed_init {
        PodPhase::Failed
    } else if (pending && !has_initialized) || waiting > 0 {
        PodPhase::Pending
    } else if running > 0 && unknown == 0 {
        PodPhase::Running
    } else if running > 0 || stopped == 0 || unknown > 0 {
        PodPhase::Pending
    } else if restarting > 0 && !is_final {
        PodPhase::Running
    } else if stopped == succeeded {
        PodPhase::Succeeded
    } else {
        PodPhase::Failed
    }
}
