//! What a kubelet decides about its pods and its node, as pure functions; what happens is the machine's business.
//!
//! Watches: pods bound to its node, and what the runtime and the probes report.
//! Writes: the status of its pods and of its node, events, and the removal of pods that have ended.
//! Rule: bring each pod to what its spec says, one sync after another, and report what is.
//! Upstream: pkg/kubelet/kubelet.go `SyncPod`, `SyncTerminatingPod`, `SyncTerminatedPod`; pkg/kubelet/kuberuntime
//! `SyncPod`, `startContainer`; pkg/kubelet/pod_workers.go; the files of this folder name the rest.
//! Simplified: of volumes only those that are claimed, no static or ephemeral containers and in-place resizing, since nothing here uses
//! them. A container in back-off shows so one runtime relist after its end. What is still in back-off is said
//! once, and again after each resync period, instead of at every sync.

mod actions;
mod backoff;
mod conditions;
mod events;
mod eviction;
mod images;
mod node;
mod probes;
mod record;
mod start;
mod status;
mod termination;
mod volumes;

pub use actions::{Actions, Kill, RestartPolicy, StopReason, actions, restart_policy, should_be_restarted};
pub use backoff::Backoff;
pub use conditions::{containers_ready, initialized, ready, ready_to_start_containers};
pub use events::{COMPONENT, go_duration};
pub use eviction::{
    EVICTED, Scarce, Signal, Usage, admit_under_pressure, evict, message as eviction_message, victim,
};
pub use images::{PullPolicy, container_id, image_id, name_error, pull_policy, with_tag};
pub use node::*;
pub use probes::*;
pub use record::*;
pub use start::{Pulled, container_exited, container_started, image_failed, image_pulled, sandbox_ready};
pub use status::{phase, pod_status};
pub use termination::{MINIMUM_GRACE_SECONDS, stop_times};

use crate::{EventDraft, Tuning};
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Pod, PodStatus, Str, Time};

/// What a kubelet knows besides its pods.
pub struct KubeletCx<'a> {
    /// Simulated time.
    pub now: Time,
    /// Periods in force.
    pub tuning: &'a Tuning,
    /// Its node.
    pub node_name: &'a Str,
    /// Its node's address.
    pub host_ip: &'a Str,
    /// When its process began.
    pub kubelet_since: Time,
    /// Whether the machine has an image; asked with the tag, as in `nginx:latest`.
    pub has_image: &'a dyn Fn(&str) -> bool,
}

/// What one sync of a pod worker asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sync {
    /// For the machine, in order.
    pub commands: Vec<Command>,
    /// Status to write; `None` if it is what the pod already has.
    pub status: Option<PodStatus>,
    /// What to tell people.
    pub events: Vec<EventDraft>,
    /// Sync again after this time, whatever happens.
    pub wake_after: Option<Micros>,
    /// Nothing of the pod is left: once `status` is written, its object may be deleted with grace 0.
    pub finished: bool,
}

/// What the machine is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make a sandbox; answered by [`sandbox_ready`].
    CreateSandbox {
        /// Number of the sandbox.
        attempt: u32,
        /// Whether it needs an address of its own (it is not on the host's network).
        needs_address: bool,
    },
    /// Pull an image; answered by [`image_pulled`] or [`image_failed`].
    Pull {
        /// For which container.
        container: ContainerRef,
        /// Image as in the spec.
        image: Str,
    },
    /// Start a container; answered by [`container_started`], later by [`container_exited`].
    Start {
        /// Which.
        container: ContainerRef,
    },
    /// Stop a container; answered by [`container_exited`]. A second command for the same instance replaces the first.
    /// [`stop_times`] says when TERM and KILL are due.
    Stop {
        /// Which.
        container: ContainerRef,
        /// Seconds until KILL, the preStop hook included.
        grace_seconds: i64,
        /// Seconds that the preStop hook sleeps before TERM.
        pre_stop_seconds: Option<i64>,
        /// Why.
        reason: StopReason,
    },
    /// Take the sandbox and its address away.
    TearDown,
}

impl Sync {
    /// Wishes to be woken after a time, if not sooner.
    fn wake(&mut self, after: Micros) {
        let after = after.max(0);
        self.wake_after = Some(self.wake_after.map_or(after, |sooner| sooner.min(after)));
    }

    /// Writes the status if it differs from what the pod has, whatever the order of its conditions.
    fn report(&mut self, pod: &Pod, mut status: PodStatus) {
        let find = |kind: &str| setpoint_api::condition(&pod.status.conditions, kind);
        let same_conditions = status.conditions.len() == pod.status.conditions.len()
            && status.conditions.iter().all(|new| find(&new.kind) == Some(new));
        if same_conditions {
            status.conditions = pod.status.conditions.clone();
        }
        if status != pod.status {
            self.status = Some(status);
        }
    }
}

/// One sync of a pod's worker. It looks at what is, so it may be called at any time, any number of times.
///
/// `pod` is the newest object that this kubelet knows, with the last status that it wrote itself.
pub fn sync_pod(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord) -> Sync {
    let mut sync = Sync::default();
    if record.termination.is_none() {
        let is_late = deadline_passed(cx, pod, record, &mut sync);
        if is_late || pod.metadata.is_deleting() || pod.status.phase.is_finished() {
            termination::begin(cx, pod, record);
        } else {
            run(cx, pod, record, &mut sync);
        }
    }
    if record.termination.is_some() {
        termination::terminate(cx, pod, record, &mut sync);
    }
    sync
}

/// Upstream: pkg/kubelet/active_deadline.go.
fn deadline_passed(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, sync: &mut Sync) -> bool {
    let Some(seconds) = pod.spec.active_deadline_seconds else { return false };
    let start = pod.status.start_time.unwrap_or(record.since.whole_seconds());
    let left = start.plus(seconds.saturating_mul(SECOND)).since(cx.now);
    if left > 0 {
        sync.wake(left);
        return false;
    }
    let (reason, message) =
        ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
    record.verdict = Some((reason.into(), message.into()));
    sync.events.push(events::about_pod(cx, pod, reason, message));
    true
}

/// One sync of a pod that should run: report, then stop what is wrong, then start what is missing, one after another.
/// Ends by beginning the pod's end if all its containers are done.
fn run(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, sync: &mut Sync) {
    if let Some(since) = record.volumes_since {
        return volumes::wait(cx, pod, record, since, sync);
    }
    let mut todo = if record.is_busy() { Actions::default() } else { actions(pod, record) };
    if !todo.create_sandbox {
        todo.start.retain(|at| !start::is_held_back(cx, pod, record, *at, sync));
    }
    let status = pod_status(cx, pod, record, false);
    if status.phase.is_finished() && !record.is_alive() {
        termination::begin(cx, pod, record);
        return;
    }
    let status = match start::carry_out(cx, pod, record, &todo, sync) {
        // What failed without any delay is reported at once.
        true => pod_status(cx, pod, record, false),
        false => status,
    };
    // A worker that is still in the sync that makes its containers has nothing to report before that sync is over.
    let is_working = record.is_busy();
    let was_working = std::mem::replace(&mut record.is_working, is_working);
    let is_known = |state: &ContainerRecord| state.is_running() && state.reported == state.instance;
    if was_working && is_working && !record.all().any(is_known) {
        return;
    }
    for state in record.all_mut().filter(|state| state.is_running()) {
        state.reported = state.instance;
    }
    sync.report(pod, status);
}
