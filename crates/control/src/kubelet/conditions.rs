//! A pod's conditions.
//!
//! Upstream: pkg/kubelet/status/generate.go.

use super::actions::listed;
use super::record::is_sidecar;
use setpoint_api::{
    Condition, ConditionStatus, Container, ContainerStatus, PodPhase, PodSpec, Str, condition,
};

/// Conditions that the kubelet owns, in the order in which it reports them.
pub const OWN: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

fn of(kind: &'static str, status: bool, reason: &'static str, message: String) -> Condition {
    let status = if status { ConditionStatus::True } else { ConditionStatus::False };
    Condition {
        kind: Str::fixed(kind),
        status,
        reason: Str::fixed(reason),
        message: message.into(),
        ..Condition::default()
    }
}

/// Whether a sandbox with an address is there.
pub fn ready_to_start_containers(has_sandbox: bool) -> Condition {
    of("PodReadyToStartContainers", has_sandbox, "", String::new())
}

/// Whether all containers and sidecars are ready. `statuses` is `None` if nothing at all is known of them.
pub fn containers_ready(spec: &PodSpec, statuses: Option<&[ContainerStatus]>, phase: PodPhase) -> Condition {
    let kind = "ContainersReady";
    let Some(statuses) = statuses else { return of(kind, false, "UnknownContainerStatuses", String::new()) };
    let sidecars = spec.init_containers.iter().filter(|container| is_sidecar(container));
    let wanted = sidecars.chain(spec.containers.iter());
    let (unknown, unready) = sort(wanted, statuses, |_, status| status.ready);
    match phase {
        PodPhase::Succeeded if unknown.is_empty() => of(kind, false, "PodCompleted", String::new()),
        PodPhase::Failed => of(kind, false, "PodFailed", String::new()),
        _ if unknown.is_empty() && unready.is_empty() => of(kind, true, "", String::new()),
        _ => of(kind, false, "ContainersNotReady", complaint(&unknown, "unready", &unready)),
    }
}

/// Whether the pod may take requests: its containers are ready, as the given condition says, and so are its readiness gates.
pub fn ready(spec: &PodSpec, known: &[Condition], containers: &Condition) -> Condition {
    if containers.status != ConditionStatus::True {
        return Condition { kind: Str::fixed("Ready"), ..containers.clone() };
    }
    let mut complaints = Vec::new();
    for gate in readiness_gates(spec) {
        match condition(known, gate) {
            None => complaints
                .push(format!("corresponding condition of pod readiness gate {gate:?} does not exist.")),
            Some(found) if found.status != ConditionStatus::True => complaints.push(format!(
                "the status of pod readiness gate {gate:?} is not \"True\", but {}",
                found.status
            )),
            Some(_) => {}
        }
    }
    if complaints.is_empty() {
        of("Ready", true, "", String::new())
    } else {
        of("Ready", false, "ReadinessGatesNotReady", complaints.join(", "))
    }
}

/// Condition types that must be true besides the containers' readiness; not modelled, so they are read from the rest.
fn readiness_gates(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let gates =
        spec.rest.as_ref().and_then(|rest| rest.get("readinessGates")).and_then(|gates| gates.as_array());
    gates.into_iter().flatten().filter_map(|gate| gate.get("conditionType")?.as_str())
}

/// Whether all init containers have done their part.
pub fn initialized(spec: &PodSpec, statuses: Option<&[ContainerStatus]>, phase: PodPhase) -> Condition {
    let kind = "Initialized";
    let statuses = match statuses {
        None if !spec.init_containers.is_empty() => {
            return of(kind, false, "UnknownContainerStatuses", String::new());
        }
        statuses => statuses.unwrap_or_default(),
    };
    let is_complete = |container: &Container, status: &ContainerStatus| {
        if is_sidecar(container) { status.started == Some(true) } else { status.ready }
    };
    let (unknown, incomplete) = sort(spec.init_containers.iter(), statuses, is_complete);
    if phase == PodPhase::Succeeded && unknown.is_empty() {
        return of(kind, true, "PodCompleted", String::new());
    }
    if has_any_container_started(spec, statuses) || (unknown.is_empty() && incomplete.is_empty()) {
        return of(kind, true, "", String::new());
    }
    of(kind, false, "ContainersNotInitialized", complaint(&unknown, "incomplete", &incomplete))
}

/// Whether a container has run at least once in the present sandbox.
///
/// Upstream: pkg/kubelet/container/helpers.go `HasAnyRegularContainerStarted`.
pub fn has_any_container_started(spec: &PodSpec, statuses: &[ContainerStatus]) -> bool {
    let ran = |status: &&ContainerStatus| status.state.running.is_some() || status.state.terminated.is_some();
    let is_regular = |status: &ContainerStatus| spec.containers.iter().any(|c| c.name == status.name);
    statuses.iter().filter(ran).any(is_regular)
}

/// Names of containers without a status, and names of those whose status is not good.
fn sort<'a>(
    containers: impl Iterator<Item = &'a Container>,
    statuses: &[ContainerStatus],
    is_good: impl Fn(&Container, &ContainerStatus) -> bool,
) -> (Vec<Str>, Vec<Str>) {
    let (mut unknown, mut bad) = (Vec::new(), Vec::new());
    for container in containers {
        match statuses.iter().find(|status| status.name == container.name) {
            None => unknown.push(container.name.clone()),
            Some(status) if !is_good(container, status) => bad.push(container.name.clone()),
            Some(_) => {}
        }
    }
    (unknown, bad)
}

fn complaint(unknown: &[Str], word: &str, bad: &[Str]) -> String {
    let mut parts = Vec::new();
    if !unknown.is_empty() {
        parts.push(format!("containers with unknown status: {}", listed(unknown)));
    }
    if !bad.is_empty() {
        parts.push(format!("containers with {word} status: {}", listed(bad)));
    }
    parts.join(", ")
}
