//! Probe workers: which probes are due when, what a result means, and what a container is because of them.
//!
//! Upstream: pkg/kubelet/prober/worker.go, prober.go, prober_manager.go `UpdatePodStatus`, pkg/probe/http/http.go.
//! Simplified: after a kubelet restart the workers begin at once instead of after a random part of their period, and
//! each status report of an unready container does not trigger a readiness probe of its own, only the first one does.

use super::actions::restarts_after;
use super::record::*;
use super::{KubeletCx, events};
use crate::EventDraft;
use setpoint_api::time::SECOND;
use setpoint_api::{Container, IntOrPercent, Micros, Pod, Probe, Time};

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// Holds the others back until it succeeds.
    Startup,
    /// Restarts the container when it fails.
    Liveness,
    /// Takes the pod out of Services when it fails.
    Readiness,
}

/// All kinds, in the order of `ContainerRecord::probes`.
pub const PROBE_KINDS: [ProbeKind; 3] = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];

/// What a probe has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Success,
    /// It does not.
    Failure,
    /// Nothing is known yet.
    Unknown,
}

/// The outcome of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It works.
    Success,
    /// It does not, with the prober's words.
    Failure(String),
    /// The prober itself failed; the outcome does not count.
    Error(String),
}

/// The memory of one probe worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeRecord {
    /// Instance that the worker looks at.
    pub instance: u32,
    /// What counts as true about that instance.
    pub verdict: Option<Verdict>,
    /// Last outcome, of whatever instance.
    pub last: Option<Verdict>,
    /// How often in a row, as far as it matters.
    pub run: i32,
    /// No more probing of this instance.
    pub is_on_hold: bool,
}

/// A probe that is to be made again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeTimer {
    /// Which container.
    pub container: ContainerRef,
    /// What for.
    pub kind: ProbeKind,
    /// The first probe.
    pub first_at: Time,
    /// The worker's beginning; it probes at whole periods from here.
    pub anchor: Time,
    /// Distance of probes.
    pub period: Micros,
    /// Limit of one probe.
    pub timeout: Micros,
}

impl ProbeTimer {
    /// The first of the worker's ticks after `time`.
    pub fn next_after(&self, time: Time) -> Time {
        let ticks = time.since(self.anchor).div_euclid(self.period.max(1)).saturating_add(1);
        self.anchor.plus(ticks.saturating_mul(self.period))
    }
}

/// What a result has changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeEffect {
    /// Whether the pod must be synced.
    pub changed: bool,
    /// What to tell people.
    pub events: Vec<EventDraft>,
}

/// What a worker does at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeStep {
    /// It ends.
    End,
    /// It looks again at the next tick.
    Wait,
    /// It probes.
    Probe,
}

impl ProbeKind {
    /// Name as in events.
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }

    /// The container's probe of this kind.
    pub fn spec(self, container: &Container) -> Option<&Probe> {
        match self {
            ProbeKind::Startup => container.startup_probe.as_deref(),
            ProbeKind::Liveness => container.liveness_probe.as_deref(),
            ProbeKind::Readiness => container.readiness_probe.as_deref(),
        }
    }

    fn initial(self) -> Verdict {
        match self {
            ProbeKind::Startup => Verdict::Unknown,
            ProbeKind::Liveness => Verdict::Success,
            ProbeKind::Readiness => Verdict::Failure,
        }
    }
}

impl ContainerRecord {
    /// What a probe has found out about the newest instance.
    pub fn verdict(&self, kind: ProbeKind) -> Option<Verdict> {
        let probe = &self.probes[kind as usize];
        if probe.instance == self.instance { probe.verdict } else { None }
    }
}

/// Whether a running container has passed its startup probe, or has none.
///
/// A container that ran before the kubelet was restarted stays what its reported status says until it is probed.
pub fn is_started(cx: &KubeletCx, pod: &Pod, container: &Container, state: &ContainerRecord) -> bool {
    let has_passed = match state.verdict(ProbeKind::Startup) {
        _ if container.startup_probe.is_none() => true,
        Some(verdict) => verdict == Verdict::Success,
        None => ran_before_kubelet(cx, state) && was_started(pod, &container.name),
    };
    state.is_running() && has_passed
}

fn was_started(pod: &Pod, name: &str) -> bool {
    let mut all = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
    all.any(|status| &*status.name == name && status.started == Some(true))
}

/// Whether a started container may take requests.
///
/// One that ran before the kubelet was restarted stays what the pod's Ready condition says until it is probed.
pub fn is_ready(cx: &KubeletCx, pod: &Pod, container: &Container, state: &ContainerRecord) -> bool {
    if !is_started(cx, pod, container, state) {
        return false;
    }
    match state.verdict(ProbeKind::Readiness) {
        _ if container.readiness_probe.is_none() => true,
        Some(verdict) => verdict == Verdict::Success,
        None => ran_before_kubelet(cx, state) && crate::pod::is_ready(pod),
    }
}

/// Upstream: prober_manager.go `kubeletRestartGracePeriod`.
fn ran_before_kubelet(cx: &KubeletCx, state: &ContainerRecord) -> bool {
    state.started_at().is_some_and(|started| started.plus(10 * SECOND) < cx.kubelet_since)
}

/// Probes that are being made now. Startup and liveness probes end with the pod's deletion; all but startup probes wait
/// until the container has started; no probe begins before its initial delay has passed.
pub fn probe_schedule(cx: &KubeletCx, pod: &Pod, record: &PodRecord) -> Vec<ProbeTimer> {
    let mut timers = Vec::new();
    for at in record.refs() {
        let (Some(container), Some(state)) = (spec_of(&pod.spec, at), record.container(at)) else { continue };
        let Some(started_at) = state.started_at().filter(|_| state.reported == state.instance) else {
            continue;
        };
        for kind in PROBE_KINDS {
            let Some(probe) = kind.spec(container) else { continue };
            let worker = &state.probes[kind as usize];
            let is_held = worker.instance == state.instance && worker.is_on_hold;
            let is_ending = is_ending(pod, record) && kind != ProbeKind::Readiness;
            let is_gated = is_started(cx, pod, container, state) == (kind == ProbeKind::Startup);
            if is_held || is_ending || is_gated || (at.is_init && !is_sidecar(container)) {
                continue;
            }
            let period = i64::from(probe.period_seconds.unwrap_or(10).max(1)) * SECOND;
            let timeout = i64::from(probe.timeout_seconds.unwrap_or(1).max(1)) * SECOND;
            let open = started_at.whole_seconds().plus(initial_delay(probe) * SECOND).max(cx.now);
            let mut timer =
                ProbeTimer { container: at, kind, first_at: open, anchor: record.since, period, timeout };
            // A status report triggers the first readiness probe; all others come at the worker's ticks.
            if kind != ProbeKind::Readiness || open > cx.now {
                timer.first_at = timer.next_after(open.plus(-1));
            }
            timers.push(timer);
        }
    }
    timers
}

fn is_ending(pod: &Pod, record: &PodRecord) -> bool {
    pod.metadata.is_deleting() || record.termination.is_some()
}

fn initial_delay(probe: &Probe) -> i64 {
    i64::from(probe.initial_delay_seconds.unwrap_or(0).max(0))
}

/// What a worker does at a tick, given the pod's reported phase; sees to it that the worker knows the newest instance.
///
/// Upstream: worker.go `doProbe`, up to the probe itself.
pub fn probe_step(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
    kind: ProbeKind,
) -> ProbeStep {
    if pod.status.phase.is_finished() {
        return ProbeStep::End;
    }
    let Some(container) = spec_of(&pod.spec, at) else { return ProbeStep::End };
    let Some(probe) = kind.spec(container) else { return ProbeStep::End };
    let is_ending = is_ending(pod, record);
    let Some(state) = record.container_mut(at) else { return ProbeStep::End };
    if matches!(state.runtime, Runtime::Absent | Runtime::Starting(None)) {
        return ProbeStep::Wait;
    }
    let (instance, started_at) = (state.instance, state.started_at());
    let has_started = is_started(cx, pod, container, state);
    let has_ended = state.exit().is_some_and(|exit| !restarts_after(&pod.spec, container, exit.code));
    let is_old = ran_before_kubelet(cx, state);
    let worker = &mut state.probes[kind as usize];
    if worker.instance != instance {
        let verdict = (!is_old).then(|| kind.initial());
        *worker = ProbeRecord { instance, verdict, is_on_hold: false, ..*worker };
    }
    if worker.is_on_hold {
        return ProbeStep::Wait;
    }
    let Some(started_at) = started_at else {
        worker.verdict = Some(Verdict::Failure);
        return if has_ended { ProbeStep::End } else { ProbeStep::Wait };
    };
    if is_ending && kind != ProbeKind::Readiness {
        worker.verdict = Some(Verdict::Success);
        return ProbeStep::End;
    }
    // Reported times are whole seconds, and that is what the worker reads.
    let is_delayed = cx.now.since(started_at.whole_seconds()) / SECOND < initial_delay(probe);
    if is_delayed || has_started == (kind == ProbeKind::Startup) { ProbeStep::Wait } else { ProbeStep::Probe }
}

/// Takes the outcome of a probe. Outcomes of an older instance, or of a probe that is no longer made, change nothing.
///
/// Upstream: worker.go `doProbe`, from the probe on; prober.go for the events.
pub fn probe_result(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
    kind: ProbeKind,
    probed: ProbeOutcome,
) -> ProbeEffect {
    let mut effect = ProbeEffect::default();
    if record.current_mut(at).is_none() || probe_step(cx, pod, record, at, kind) != ProbeStep::Probe {
        return effect;
    }
    let name = kind.as_str();
    let verdict = match probed {
        ProbeOutcome::Success => Verdict::Success,
        ProbeOutcome::Failure(words) => {
            let text = format!("{name} probe failed: {words}");
            effect.events.push(events::about_container(cx, pod, at, true, "Unhealthy", text));
            Verdict::Failure
        }
        ProbeOutcome::Error(words) => {
            let text = format!("{name} probe errored and resulted in unknown state: {words}");
            effect.events.push(events::about_container(cx, pod, at, true, "Unhealthy", text));
            return effect;
        }
    };
    let threshold = spec_of(&pod.spec, at).and_then(|container| kind.spec(container)).map_or(1, |probe| {
        let (given, default) = match verdict {
            Verdict::Failure => (probe.failure_threshold, 3),
            _ => (probe.success_threshold, 1),
        };
        given.unwrap_or(default).max(1)
    });
    let Some(state) = record.container_mut(at) else { return effect };
    let worker = &mut state.probes[kind as usize];
    let run = if worker.last == Some(verdict) { worker.run.saturating_add(1) } else { 1 };
    // Beyond the threshold the count means nothing; cut off, equal outcomes leave the record as it is.
    worker.run = run.min(threshold);
    worker.last = Some(verdict);
    if run < threshold {
        return effect;
    }
    effect.changed = worker.verdict != Some(verdict);
    worker.verdict = Some(verdict);
    if kind == ProbeKind::Startup || (kind == ProbeKind::Liveness && verdict == Verdict::Failure) {
        worker.is_on_hold = true;
        worker.run = 0;
    }
    effect
}

/// Whether further equal outcomes can change nothing and say nothing, so that this timer may rest until the container
/// behaves otherwise. A failure is said each time, so only a success settles, or the end of probing this instance.
pub fn probe_is_settled(
    record: &PodRecord,
    at: ContainerRef,
    kind: ProbeKind,
    probed: &ProbeOutcome,
) -> bool {
    let Some(state) = record.container(at).filter(|state| state.instance == at.instance) else { return true };
    let worker = &state.probes[kind as usize];
    let is_settled_success = *probed == ProbeOutcome::Success
        && worker.last == Some(Verdict::Success)
        && state.verdict(kind) == Some(Verdict::Success);
    worker.instance == at.instance && (worker.is_on_hold || is_settled_success)
}

/// How a check of an application fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It answers with this HTTP status.
    Status(u16),
    /// Nothing listens.
    Refused,
    /// It does not answer in time.
    TimedOut,
}

/// The prober's words for a failure.
pub fn failure_words(container: &Container, probe: &Probe, pod_ip: &str, failing: Failing) -> String {
    let Some(get) = &probe.http_get else {
        let port =
            probe.tcp_socket.as_ref().and_then(|tcp| tcp.get("port")).map(|port| match port.as_str() {
                Some(name) => named_port(container, name).to_string(),
                None => port.to_string(),
            });
        return match (port, failing) {
            (None, Failing::Status(code)) => format!("command exited with {code}"),
            (None, _) => format!("command timed out after {}s", probe.timeout_seconds.unwrap_or(1)),
            (Some(port), Failing::TimedOut) => format!("dial tcp {pod_ip}:{port}: i/o timeout"),
            (Some(port), _) => format!("dial tcp {pod_ip}:{port}: connect: connection refused"),
        };
    };
    let port = match &get.port {
        IntOrPercent::Int(port) => *port,
        IntOrPercent::Text(name) => named_port(container, name),
    };
    let scheme = if &*get.scheme == "HTTPS" { "https" } else { "http" };
    let path = get.path.strip_prefix('/').unwrap_or(&get.path);
    let url = format!("{scheme}://{pod_ip}:{port}/{path}");
    match failing {
        Failing::Status(code) => format!("HTTP probe failed with statuscode: {code}"),
        Failing::Refused => format!("Get {url:?}: dial tcp {pod_ip}:{port}: connect: connection refused"),
        Failing::TimedOut => {
            format!("Get {url:?}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        }
    }
}

fn named_port(container: &Container, name: &str) -> i32 {
    let found = container.ports.iter().find(|port| &*port.name == name);
    found.map_or(0, |port| port.container_port)
}
