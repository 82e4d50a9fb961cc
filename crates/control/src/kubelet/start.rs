//! Carrying out what a pod needs next: sandbox, stops, back-offs, image pulls and starts; and what the runtime answers.
//!
//! Upstream: pkg/kubelet/kuberuntime/kuberuntime_manager.go `SyncPod`, `doBackOff`; kuberuntime_container.go
//! `startContainer`; pkg/kubelet/images/image_manager.go `EnsureImageExists`; pkg/kubelet/reason_cache.go.
//! Simplified: a container that cannot be created or started is not modelled; it starts and ends.

use super::actions::{Actions, Kill, grace_seconds, pre_stop_seconds};
use super::images::{self, PullPolicy};
use super::record::*;
use super::{Backoff, Command, KubeletCx, Sync, events};
use crate::EventDraft;
use setpoint_api::time::SECOND;
use setpoint_api::{Container, Micros, Pod, Str, Time};

/// Distance of the runtime's relists: an end in back-off is acted upon this long after it was reported.
const RELIST: Micros = SECOND;
/// How long a failed pull shows its own error before it shows the back-off.
const PULL_ERROR_SHOWN: Micros = 2 * SECOND;
/// Time after which an attempt without a back-off of its own is made again.
const SYNC_RETRY: Micros = 10 * SECOND;

/// A pull that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Time of the pull itself.
    pub took: Micros,
    /// Time since it was asked for, waiting for other pulls included.
    pub waited: Micros,
    /// Size of the image.
    pub size_bytes: i64,
}

/// Asks the machine for the next step: one thing at a time, as upstream's worker does. Returns whether an attempt has
/// failed at once.
pub(super) fn carry_out(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    todo: &Actions,
    sync: &mut Sync,
) -> bool {
    for kill in &todo.kill {
        stop(cx, pod, record, kill, sync);
    }
    if todo.kill_pod {
        for at in record.refs() {
            if let Some(container) = spec_of(&pod.spec, at).filter(|_| is_alive(record, at)) {
                let message = format!("Stopping container {}", container.name);
                let reason = super::StopReason::Other;
                stop(cx, pod, record, &Kill { container: at, message, reason, is_restart: false }, sync);
            }
        }
    }
    if record.is_busy() {
        return false;
    }
    if todo.create_sandbox {
        create_sandbox(cx, pod, record, todo.attempt, sync);
        return false;
    }
    let mut has_failed = false;
    for at in &todo.start {
        attempt(cx, pod, record, *at, sync);
        if record.is_busy() {
            break;
        }
        has_failed = true;
    }
    has_failed
}

fn is_alive(record: &PodRecord, at: ContainerRef) -> bool {
    record.container(at).is_some_and(ContainerRecord::is_alive)
}

fn create_sandbox(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, attempt: u32, sync: &mut Sync) {
    if record.sandbox != Sandbox::Absent {
        let text = "Pod sandbox changed, it will be killed and re-created.";
        sync.events.push(events::about_pod(cx, pod, "SandboxChanged", text));
    }
    // Init containers of the old sandbox are forgotten; they run again.
    for state in &mut record.init {
        if let Runtime::Exited(exit) = std::mem::take(&mut state.runtime) {
            state.last = Some(exit);
        }
    }
    record.sandbox = Sandbox::Creating;
    record.sandbox_attempt = attempt;
    record.pod_ip = None;
    let needs_address = pod.spec.host_network != Some(true);
    sync.commands.push(Command::CreateSandbox { attempt, needs_address });
}

fn stop(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, kill: &Kill, sync: &mut Sync) {
    let at = kill.container;
    let (Some(container), Some(state)) = (spec_of(&pod.spec, at), record.container_mut(at)) else { return };
    sync.events.push(events::about_container(cx, pod, at, false, "Killing", kill.message.clone()));
    state.is_replacing = kill.is_restart;
    let Some(started_at) = state.started_at() else {
        state.end(137, "Error".into(), cx.now);
        return;
    };
    state.runtime = Runtime::Stopping { started_at };
    let grace_seconds = grace_seconds(pod, container, kill.reason);
    let pre_stop_seconds = pre_stop_seconds(container).filter(|_| grace_seconds > 0);
    sync.commands.push(Command::Stop { container: at, grace_seconds, pre_stop_seconds, reason: kill.reason });
}

/// Whether a container must not be started yet, because it or its image has failed; says so to people.
pub(super) fn is_held_back(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
    sync: &mut Sync,
) -> bool {
    let (Some(container), Some(state)) = (spec_of(&pod.spec, at), record.container_mut(at)) else {
        return true;
    };
    if state.image == Image::Present || state.is_alive() {
        return false;
    }
    if state.instance > 0 && state.attempted != container.image {
        // Another image is another definition, with waits of its own.
        state.image = Image::Unknown;
        state.waiting = None;
        (state.crash, state.pull) = (Backoff::default(), Backoff::default());
    }
    waits_for_crash(cx, pod, container, state, at, sync)
        || waits_for_image(cx, pod, container, state, at, sync)
}

fn waits_for_crash(
    cx: &KubeletCx,
    pod: &Pod,
    container: &Container,
    state: &mut ContainerRecord,
    at: ContainerRef,
    sync: &mut Sync,
) -> bool {
    let Some(ended) = state.exit().map(|exit| exit.finished_at) else { return false };
    let max = cx.tuning.crash_backoff_max;
    let since = restart_since(state);
    let until = since.and_then(|since| state.crash.until_since(since, max));
    let Some(mut until) = until.filter(|until| cx.now < *until) else { return false };
    let wait = state.crash.wait();
    let mut shown_at = ended.plus(RELIST.min(wait / 2));
    if state.is_replacing {
        state.is_replacing = false;
        (until, shown_at) = (ended.plus(wait), cx.now);
    }
    if cx.now < shown_at {
        sync.wake(shown_at.since(cx.now));
        return true;
    }
    if must_say(cx, state, "CrashLoopBackOff") {
        let text = events::back_off_event(pod, container);
        sync.events.push(events::about_container(cx, pod, at, true, "BackOff", text));
    }
    let message = events::back_off_message(pod, container, wait).into();
    state.waiting = Some(Waiting { reason: "CrashLoopBackOff", message });
    sync.wake(until.since(cx.now).min(cx.tuning.kubelet_sync));
    true
}

/// From when the wait before a restart counts. A container that the kubelet stopped in order to start it again is
/// judged by the instance before.
fn restart_since(state: &ContainerRecord) -> Option<Time> {
    let exit = if state.is_replacing { state.last.as_ref() } else { state.exit() };
    exit.map(|exit| exit.finished_at)
}

fn waits_for_image(
    cx: &KubeletCx,
    pod: &Pod,
    container: &Container,
    state: &mut ContainerRecord,
    at: ContainerRef,
    sync: &mut Sync,
) -> bool {
    let Image::Failed { reason, message, at: failed_at } = &state.image else { return false };
    let (reason, failed_at) = (*reason, *failed_at);
    let until = match reason {
        "ErrImagePull" => state.pull.until_since_update(cx.now, cx.tuning.image_backoff_max),
        _ => Some(failed_at.plus(SYNC_RETRY)),
    };
    let Some(until) = until.filter(|until| cx.now < *until) else { return false };
    let shown_at = failed_at.plus(PULL_ERROR_SHOWN.min(state.pull.wait() / 2));
    if reason != "ErrImagePull" || cx.now < shown_at {
        let next = if reason == "ErrImagePull" { shown_at } else { until };
        sync.wake(next.since(cx.now));
        return true;
    }
    let text = format!("Back-off pulling image {:?}", container.image);
    let why: Str = format!("{text}: {reason}: {message}").into();
    if must_say(cx, state, "ImagePullBackOff") {
        sync.events.push(events::about_container(cx, pod, at, false, "BackOff", text));
        sync.events.push(events::about_container(cx, pod, at, true, "Failed", "Error: ImagePullBackOff"));
    }
    state.waiting = Some(Waiting { reason: "ImagePullBackOff", message: why });
    sync.wake(until.since(cx.now).min(cx.tuning.kubelet_sync));
    true
}

/// Whether a wait is to be told to people: when it begins, and after each resync period.
fn must_say(cx: &KubeletCx, state: &mut ContainerRecord, reason: &str) -> bool {
    let is_new = state.waiting.as_ref().is_none_or(|waiting| waiting.reason != reason);
    let is_due = state.refused_at.is_none_or(|said| cx.now.since(said) >= cx.tuning.kubelet_sync);
    if is_new || is_due {
        state.refused_at = Some(cx.now);
    }
    is_new || is_due
}

/// Begins to start a container, or goes on once its image is there.
fn attempt(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, mut at: ContainerRef, sync: &mut Sync) {
    let (Some(container), Some(state)) = (spec_of(&pod.spec, at), record.container_mut(at)) else { return };
    if state.image == Image::Present {
        start(state, at, sync);
        return;
    }
    state.instance = state.instance.wrapping_add(1);
    at.instance = state.instance;
    state.attempted = container.image.clone();
    state.refused_at = None;
    if let Some(since) = restart_since(state) {
        let tuning = cx.tuning;
        state.crash.next(since, cx.now, tuning.crash_backoff_min, tuning.crash_backoff_max);
    }
    let mut say = |is_warning: bool, reason: &'static str, text: String| {
        sync.events.push(events::about_container(cx, pod, at, is_warning, reason, text));
    };
    let image = &container.image;
    let policy = images::pull_policy(container);
    if let Some(complaint) = images::name_error(image) {
        say(true, "InspectFailed", complaint.clone());
        say(true, "Failed", "Error: InvalidImageName".into());
        fail(state, "InvalidImageName", complaint.into(), cx.now);
    } else if policy != PullPolicy::Always && (cx.has_image)(&images::with_tag(image)) {
        say(
            false,
            "Pulled",
            format!("Container image {image:?} already present on machine and can be accessed by the pod"),
        );
        start(state, at, sync);
        return;
    } else if policy == PullPolicy::Never {
        let text = format!("Container image {image:?} is not present with pull policy of Never");
        say(true, "ErrImageNeverPull", text.clone());
        say(true, "Failed", "Error: ErrImageNeverPull".into());
        fail(state, "ErrImageNeverPull", text.into(), cx.now);
    } else {
        say(false, "Pulling", format!("Pulling image {image:?}"));
        state.image = Image::Pulling;
        sync.commands.push(Command::Pull { container: at, image: image.clone() });
        return;
    }
    sync.wake(SYNC_RETRY);
}

fn start(state: &mut ContainerRecord, at: ContainerRef, sync: &mut Sync) {
    state.image = Image::Present;
    let before = match std::mem::take(&mut state.runtime) {
        Runtime::Exited(exit) => Some(exit),
        _ => None,
    };
    state.runtime = Runtime::Starting(before);
    sync.commands.push(Command::Start { container: at });
}

fn fail(state: &mut ContainerRecord, reason: &'static str, message: Str, now: Time) {
    state.image = Image::Failed { reason, message: message.clone(), at: now };
    state.waiting = Some(Waiting { reason, message });
    state.is_replacing = false;
}

/// The sandbox is there, with its address unless the pod is on the host's network. Sync the pod next.
pub fn sandbox_ready(record: &mut PodRecord, attempt: u32, pod_ip: Option<Str>) {
    if record.sandbox == Sandbox::Creating && record.sandbox_attempt == attempt {
        record.sandbox = Sandbox::Ready;
        record.pod_ip = pod_ip;
    }
}

/// An image was pulled. Sync the pod next.
pub fn image_pulled(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
    pulled: Pulled,
) -> Vec<EventDraft> {
    let Some(state) = record.current_mut(at).filter(|state| state.image == Image::Pulling) else {
        return Vec::new();
    };
    state.image = Image::Present;
    let text = format!(
        "Successfully pulled image {:?} in {} ({} including waiting). Image size: {} bytes.",
        state.attempted,
        events::go_duration(pulled.took),
        events::go_duration(pulled.waited),
        pulled.size_bytes
    );
    vec![events::about_container(cx, pod, at, false, "Pulled", text)]
}

/// An image could not be pulled; `message` is the runtime's. Sync the pod next.
pub fn image_failed(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
    message: &str,
) -> Vec<EventDraft> {
    let Some(state) = record.current_mut(at).filter(|state| state.image == Image::Pulling) else {
        return Vec::new();
    };
    state.pull.next(cx.now, cx.now, cx.tuning.image_backoff_min, cx.tuning.image_backoff_max);
    let text = format!("Failed to pull image {:?}: {message}", state.attempted);
    fail(state, "ErrImagePull", message.into(), cx.now);
    vec![
        events::about_container(cx, pod, at, true, "Failed", text),
        events::about_container(cx, pod, at, true, "Failed", "Error: ErrImagePull"),
    ]
}

/// A container has started. Sync the pod next.
pub fn container_started(
    cx: &KubeletCx,
    pod: &Pod,
    record: &mut PodRecord,
    at: ContainerRef,
) -> Vec<EventDraft> {
    let name = spec_of(&pod.spec, at).map_or("", |container| &container.name);
    let Some(state) = record.current_mut(at) else { return Vec::new() };
    let Runtime::Starting(before) = &mut state.runtime else { return Vec::new() };
    if let Some(before) = before.take() {
        state.last = Some(before);
    }
    if state.last.is_some() {
        state.restart_count = state.restart_count.saturating_add(1);
    }
    state.runtime = Runtime::Running { started_at: cx.now };
    state.id = images::container_id(pod.metadata.uid, name, state.instance);
    state.image_id = images::image_id(&state.attempted);
    state.image = Image::Unknown;
    state.waiting = None;
    state.refused_at = None;
    state.is_replacing = false;
    vec![
        events::about_container(cx, pod, at, false, "Created", "Container created"),
        events::about_container(cx, pod, at, false, "Started", "Container started"),
    ]
}

/// A container has ended by itself or because it was stopped. `reason` is Completed, Error, OOMKilled or the like; empty
/// stands for what the code says. Sync the pod next.
pub fn container_exited(record: &mut PodRecord, at: ContainerRef, code: i32, reason: &str, now: Time) {
    let Some(state) = record.current_mut(at).filter(|state| state.is_alive()) else { return };
    let reason = match (reason, code) {
        ("", 0) => "Completed",
        ("", _) => "Error",
        (reason, _) => reason,
    };
    state.end(code, reason.into(), now);
}
