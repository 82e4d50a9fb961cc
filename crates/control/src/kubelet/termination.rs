//! The end of a pod: containers are told to stop, sidecars after all others, then the sandbox goes and the final status
//! is reported.
//!
//! Upstream: pkg/kubelet/kubelet.go `SyncTerminatingPod`, `SyncTerminatedPod`; pod_workers.go
//! `calculateEffectiveGracePeriod`; kuberuntime/kuberuntime_container.go `killContainer`,
//! kuberuntime_termination_order.go.
//! Simplified: a sidecar's preStop sleep begins with its turn, and only sleeps take time.

use super::actions::{init, pre_stop_seconds, regular};
use super::record::*;
use super::status::pod_status;
use super::{Command, KubeletCx, StopReason, Sync, events};
use setpoint_api::Gather as _;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Pod, PodSpec};

/// Seconds that a container gets between TERM and KILL at least.
///
/// Upstream: kuberuntime_container.go `minimumGracePeriodInSeconds`.
pub const MINIMUM_GRACE_SECONDS: i64 = 2;

/// When TERM and KILL are sent, counted from a stop command. The preStop hook and the grace share one clock, and the
/// hook is cut off at the grace's end.
pub fn stop_times(grace_seconds: i64, pre_stop_seconds: Option<i64>) -> (Micros, Micros) {
    let hook = pre_stop_seconds.unwrap_or(0).clamp(0, grace_seconds.max(0));
    let rest = grace_seconds.saturating_sub(hook).max(MINIMUM_GRACE_SECONDS);
    (hook.saturating_mul(SECOND), hook.saturating_add(rest).saturating_mul(SECOND))
}

/// The grace that a pod's end has, in seconds: what the deletion says, or the pod's own, at least 1.
fn pod_grace_seconds(pod: &Pod) -> i64 {
    let given = pod.metadata.deletion_grace_period_seconds.filter(|_| pod.metadata.is_deleting());
    given.or(pod.spec.termination_grace_period_seconds).unwrap_or(0).max(1)
}

/// Begins the pod's end, or cuts its grace short if the deletion now says less.
pub fn begin(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord) {
    let grace_seconds = pod_grace_seconds(pod);
    if record.termination.is_none_or(|end| grace_seconds < end.grace_seconds) {
        record.termination = Some(Termination { since: cx.now, grace_seconds, is_announced: false });
    }
}

/// One step of the pod's end.
pub fn terminate(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, sync: &mut Sync) {
    begin(cx, pod, record);
    record.is_working = false;
    for state in record.all_mut() {
        state.cancel_attempt();
        state.is_replacing = false;
    }
    if record.sandbox == Sandbox::Creating {
        record.sandbox = Sandbox::Removed;
        sync.commands.push(Command::TearDown);
    }
    if record.is_alive() {
        // The worker is in the kill of the whole pod: what ends meanwhile is reported with the rest.
        let is_busy = record.termination.is_some_and(|end| end.is_announced);
        let since = record.termination.map_or(cx.now, |end| end.since);
        stop_all(cx, pod, record, sync);
        for state in record.all_mut().filter(|state| state.is_running()) {
            state.reported = state.instance;
        }
        if !is_busy || record.all().all(|state| state.exit().is_none_or(|end| end.finished_at < since)) {
            sync.report(pod, pod_status(cx, pod, record, false));
        }
        return;
    }
    if matches!(record.sandbox, Sandbox::Ready | Sandbox::NotReady) {
        record.sandbox = Sandbox::Removed;
        sync.commands.push(Command::TearDown);
    }
    sync.finished = pod.metadata.is_deleting();
    // A pod that had ended before this kubelet knew it has nothing on record here that its status lacks.
    let is_stranger = record.all().all(|state| state.instance == 0);
    if !(is_stranger && pod.status.phase.is_finished()) {
        sync.report(pod, pod_status(cx, pod, record, true));
    }
}

/// Stops what runs: containers at once, each sidecar once everything after it has ended or the grace is over.
fn stop_all(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, sync: &mut Sync) {
    let Some(end) = record.termination else { return };
    let ends_at = end.since.plus(end.grace_seconds.saturating_mul(SECOND));
    let is_over = cx.now >= ends_at;
    let waits = sidecars_that_wait(&pod.spec, record);
    for at in record.refs() {
        let (Some(container), Some(state)) = (spec_of(&pod.spec, at), record.container_mut(at)) else {
            continue;
        };
        let Some(started_at) = state.started_at() else {
            if state.runtime == Runtime::Unknown {
                state.end(137, "Error".into(), cx.now);
            }
            continue;
        };
        if !end.is_announced {
            let text = format!("Stopping container {}", container.name);
            sync.events.push(events::about_container(cx, pod, at, false, "Killing", text));
        }
        let is_told = end.is_announced && matches!(state.runtime, Runtime::Stopping { .. });
        if is_told {
            continue;
        }
        if waits.contains(&at) && !is_over {
            sync.wake(ends_at.since(cx.now));
            continue;
        }
        // What was waited for a turn is taken off, in whole seconds.
        let waited = cx.now.since(end.since) / SECOND;
        let grace_seconds = end.grace_seconds.saturating_sub(waited).max(0);
        let pre_stop_seconds = pre_stop_seconds(container).filter(|_| grace_seconds > 0);
        state.runtime = Runtime::Stopping { started_at };
        let reason = StopReason::Other;
        sync.commands.push(Command::Stop { container: at, grace_seconds, pre_stop_seconds, reason });
    }
    if let Some(end) = &mut record.termination {
        end.is_announced = true;
    }
}

/// Running sidecars before which something still runs that must end first.
fn sidecars_that_wait(spec: &PodSpec, record: &PodRecord) -> Vec<ContainerRef> {
    let mut is_blocked = regular(spec, record).any(|(_, _, state)| state.is_running());
    let sidecars: Vec<_> = init(spec, record).filter(|(_, container, _)| is_sidecar(container)).gather();
    let mut waits = Vec::new();
    for (at, _, state) in sidecars.into_iter().rev() {
        if is_blocked {
            waits.push(at);
        }
        is_blocked |= state.is_running();
    }
    waits
}
