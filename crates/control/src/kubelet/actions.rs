//! What to do next for a pod: make its sandbox, start containers, stop containers.
//!
//! Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go `computePodActions`, kuberuntime_container.go
//! `computeInitContainerActions`, pkg/kubelet/container/helpers.go `ShouldContainerBeRestarted`.
//! Simplified: no ephemeral containers, no resizing in place, and the rule action
//! RestartAllContainers restarts its own container only.

use super::probes::{ProbeKind, Verdict};
use super::record::*;
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::{Container, Pod, PodSpec, Str};

/// Why a container is stopped; it decides the grace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Its liveness probe failed.
    Liveness,
    /// Its startup probe failed.
    Startup,
    /// Its definition changed, its state is unknown, or the pod ends.
    Other,
}

/// A container that is to be stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill {
    /// Which.
    pub container: ContainerRef,
    /// Text of the event.
    pub message: String,
    /// Why.
    pub reason: StopReason,
    /// Whether it is started again afterwards, whatever its restart policy says.
    pub is_restart: bool,
}

/// What to do next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    /// Stop everything first.
    pub kill_pod: bool,
    /// Make a sandbox.
    pub create_sandbox: bool,
    /// Number of the sandbox.
    pub attempt: u32,
    /// Containers to stop.
    pub kill: Vec<Kill>,
    /// Containers to start, in order: init containers, then containers.
    pub start: Vec<ContainerRef>,
}

/// When an ended container is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Always.
    Always,
    /// If its exit code was not 0.
    OnFailure,
    /// Never.
    Never,
}

/// The restart policy of a container: its own, or the pod's.
pub fn restart_policy(spec: &PodSpec, container: &Container) -> RestartPolicy {
    match container.restart_policy.as_deref().or(spec.restart_policy.as_deref()) {
        Some("Never") => RestartPolicy::Never,
        Some("OnFailure") => RestartPolicy::OnFailure,
        _ => RestartPolicy::Always,
    }
}

/// Whether a container that ended with `code` is started again, by its rules or by its policy.
pub fn restarts_after(spec: &PodSpec, container: &Container, code: i32) -> bool {
    let is_meant = |rule: &Value| {
        let codes = &rule["exitCodes"];
        let is_listed = codes["values"].as_array().is_some_and(|values| values.contains(&code.into()));
        match codes["operator"].as_str() {
            Some("In") => is_listed,
            Some("NotIn") => !is_listed,
            _ => false,
        }
    };
    if restart_rules(container).any(is_meant) {
        return true;
    }
    match restart_policy(spec, container) {
        RestartPolicy::Always => true,
        RestartPolicy::OnFailure => code != 0,
        RestartPolicy::Never => false,
    }
}

/// Whether a container is started again after some end or other.
pub fn is_restartable(spec: &PodSpec, container: &Container) -> bool {
    restart_policy(spec, container) != RestartPolicy::Never || restart_rules(container).next().is_some()
}

/// The container's restart rules; not modelled, so they are read from the rest.
fn restart_rules(container: &Container) -> impl Iterator<Item = &Value> {
    let rules = container.rest.as_ref().and_then(|rest| rest.get("restartPolicyRules"));
    rules.and_then(Value::as_array).into_iter().flatten()
}

/// Whether a container that does not run should be started.
pub fn should_be_restarted(pod: &Pod, container: &Container, record: &ContainerRecord) -> bool {
    if pod.metadata.is_deleting() {
        return false;
    }
    match &record.runtime {
        Runtime::Running { .. } | Runtime::Stopping { .. } => false,
        Runtime::Absent | Runtime::Created | Runtime::Unknown | Runtime::Starting(None) => true,
        Runtime::Exited(exit) | Runtime::Starting(Some(exit)) => {
            restarts_after(&pod.spec, container, exit.code)
        }
    }
}

/// What to do next for a pod that is not being ended.
pub fn actions(pod: &Pod, record: &PodRecord) -> Actions {
    let spec = &pod.spec;
    let is_sandbox_new = record.sandbox != Sandbox::Ready;
    let is_first = record.sandbox == Sandbox::Absent;
    let attempt = record.sandbox_attempt.saturating_add(u32::from(is_sandbox_new && !is_first));
    let mut out =
        Actions { kill_pod: is_sandbox_new, create_sandbox: is_sandbox_new, attempt, ..Actions::default() };
    if is_sandbox_new {
        start_over(pod, record, &mut out);
        return out;
    }
    let has_initialized = init_actions(spec, record, &mut out);
    if out.kill_pod || !has_initialized {
        return out;
    }
    let init_starts = out.start.len();
    let mut kept = 0;
    for (at, container, state) in regular(spec, record) {
        if !matches!(state.runtime, Runtime::Running { .. } | Runtime::Stopping { .. }) {
            if should_be_restarted(pod, container, state) || state.is_replacing {
                out.start.push(at);
                if state.runtime == Runtime::Unknown {
                    let message = "Container is in \"unknown\" state, try killing it before restart".into();
                    out.kill.push(kill(at, message, StopReason::Other, false));
                }
            }
            continue;
        }
        match reason_to_stop(spec, container, state, "Container") {
            None => kept += 1,
            Some((message, reason, is_restart)) => {
                if is_restart {
                    out.start.push(at);
                }
                let message = if is_restart { format!("{message}, will be restarted") } else { message };
                out.kill.push(kill(at, message, reason, is_restart));
            }
        }
    }
    if kept == 0 && out.start.len() == init_starts {
        // Sidecars must not keep a pod alive whose containers are all done.
        out.kill_pod = true;
        out.start.clear();
    }
    out
}

/// With a new sandbox everything begins anew, except what has ended for good.
fn start_over(pod: &Pod, record: &PodRecord, out: &mut Actions) {
    let spec = &pod.spec;
    let any_ran = record.all().any(|state| state.runtime != Runtime::Absent);
    if out.attempt != 0 && any_ran && !spec.containers.iter().any(|container| is_restartable(spec, container))
    {
        out.create_sandbox = false;
        return;
    }
    let is_done = |container: &Container, state: &ContainerRecord| match state.exit() {
        Some(exit) => !restarts_after(spec, container, exit.code),
        None => false,
    };
    let todo = regular(spec, record).filter(|(_, container, state)| !is_done(container, state));
    let todo: Vec<ContainerRef> = todo.map(|(at, _, _)| at).gather();
    let was_initialized = record.containers.iter().any(|state| state.runtime != Runtime::Absent);
    if todo.is_empty() && was_initialized {
        out.create_sandbox = false;
    } else if let Some((first, _, _)) = init(spec, record).next() {
        out.start = vec![first];
    } else {
        out.start = todo;
    }
}

/// Actions for init containers; returns whether all of them have done their part.
///
/// It walks backwards, since only the newest of them is sure to be known to the runtime.
fn init_actions(spec: &PodSpec, record: &PodRecord, out: &mut Actions) -> bool {
    if spec.init_containers.is_empty() {
        return true;
    }
    let has_run = |state: &ContainerRecord| {
        matches!(state.runtime, Runtime::Running { .. } | Runtime::Stopping { .. } | Runtime::Created)
    };
    let mut is_initialized = record.containers.iter().any(has_run);
    let mut is_past = is_initialized;
    let all: Vec<_> = init(spec, record).gather();
    let mut starts = Vec::new();
    for (index, (at, container, state)) in all.iter().enumerate().rev() {
        let next = all.get(index + 1).map(|(at, _, _)| *at);
        let is_sidecar = is_sidecar(container);
        if matches!(state.runtime, Runtime::Absent | Runtime::Starting(None)) {
            if is_past && is_sidecar {
                starts.push(*at);
            }
            continue;
        }
        if is_past && !is_sidecar {
            continue;
        }
        match &state.runtime {
            Runtime::Running { .. } | Runtime::Stopping { .. } => {
                let is_up = is_sidecar && is_started_up(container, state);
                match next {
                    None if is_up => is_initialized = true,
                    Some(next) if is_up && !is_past => starts.push(next),
                    _ => {}
                }
                let stop = reason_to_stop(spec, container, state, "Init container");
                if let Some((message, reason, _)) = stop.filter(|_| is_sidecar)
                    && (is_up || reason == StopReason::Startup)
                {
                    out.kill.push(kill(*at, message, reason, true));
                    starts.push(*at);
                }
            }
            Runtime::Exited(exit) | Runtime::Starting(Some(exit)) if !is_sidecar && !state.is_replacing => {
                if exit.code == 0 {
                    match next {
                        None => is_initialized = true,
                        Some(next) => starts.push(next),
                    }
                } else if !restarts_after(spec, container, exit.code) {
                    *out = Actions { kill_pod: true, attempt: out.attempt, ..Actions::default() };
                    return false;
                } else {
                    starts.push(*at);
                }
            }
            Runtime::Unknown => {
                if !is_sidecar && restart_policy(spec, container) == RestartPolicy::Never {
                    *out = Actions { kill_pod: true, attempt: out.attempt, ..Actions::default() };
                    return false;
                }
                let message = "Init container is in \"unknown\" state, try killing it before restart".into();
                out.kill.push(kill(*at, message, StopReason::Other, true));
                starts.push(*at);
            }
            _ => starts.push(*at),
        }
        is_past = true;
    }
    if !is_past && let Some((first, _, _)) = all.first() {
        starts.push(*first);
    }
    starts.reverse();
    out.start = starts;
    is_initialized
}

/// Whether a running sidecar has passed its startup probe, or has none.
fn is_started_up(container: &Container, state: &ContainerRecord) -> bool {
    container.startup_probe.is_none() || state.verdict(ProbeKind::Startup) == Some(Verdict::Success)
}

/// Why a running container is to be stopped, and whether it is to be started again.
fn reason_to_stop(
    spec: &PodSpec,
    container: &Container,
    state: &ContainerRecord,
    what: &str,
) -> Option<(String, StopReason, bool)> {
    let name = &container.name;
    let restarts = restart_policy(spec, container) != RestartPolicy::Never;
    if state.attempted != container.image {
        return Some((format!("{what} {name} definition changed"), StopReason::Other, true));
    }
    let has_failed = |kind| state.verdict(kind) == Some(Verdict::Failure);
    if has_failed(ProbeKind::Liveness) {
        Some((format!("{what} {name} failed liveness probe"), StopReason::Liveness, restarts))
    } else if has_failed(ProbeKind::Startup) {
        Some((format!("{what} {name} failed startup probe"), StopReason::Startup, restarts))
    } else {
        None
    }
}

fn kill(container: ContainerRef, message: String, reason: StopReason, is_restart: bool) -> Kill {
    Kill { container, message, reason, is_restart }
}

/// Init containers with their records.
pub fn init<'a>(
    spec: &'a PodSpec,
    record: &'a PodRecord,
) -> impl Iterator<Item = (ContainerRef, &'a Container, &'a ContainerRecord)> {
    paired(true, &spec.init_containers, &record.init)
}

/// Containers with their records.
pub fn regular<'a>(
    spec: &'a PodSpec,
    record: &'a PodRecord,
) -> impl Iterator<Item = (ContainerRef, &'a Container, &'a ContainerRecord)> {
    paired(false, &spec.containers, &record.containers)
}

fn paired<'a>(
    is_init: bool,
    containers: &'a [Container],
    records: &'a [ContainerRecord],
) -> impl Iterator<Item = (ContainerRef, &'a Container, &'a ContainerRecord)> {
    (0u32..).zip(containers.iter().zip(records)).map(move |(index, (container, state))| {
        (ContainerRef { is_init, index, instance: state.instance }, container, state)
    })
}

/// Grace in seconds of a container that is stopped while its pod goes on.
///
/// Upstream: kuberuntime_container.go `setTerminationGracePeriod`.
pub fn grace_seconds(pod: &Pod, container: &Container, reason: StopReason) -> i64 {
    let of_probe = match reason {
        StopReason::Liveness => container.liveness_probe.as_ref(),
        StopReason::Startup => container.startup_probe.as_ref(),
        StopReason::Other => None,
    };
    pod.metadata
        .deletion_grace_period_seconds
        .or_else(|| of_probe.and_then(|probe| probe.termination_grace_period_seconds))
        .or(pod.spec.termination_grace_period_seconds)
        .unwrap_or(super::MINIMUM_GRACE_SECONDS)
}

/// Length in seconds of the container's preStop sleep, if it has one.
pub fn pre_stop_seconds(container: &Container) -> Option<i64> {
    container.lifecycle.as_ref()?.pre_stop.as_ref()?.sleep.as_ref().map(|sleep| sleep.seconds.max(0))
}

/// Names of containers in Go's list form: `[a b]`.
pub fn listed(names: &[Str]) -> String {
    format!("[{}]", names.join(" "))
}
