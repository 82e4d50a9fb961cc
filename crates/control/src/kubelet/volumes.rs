//! A pod that waits for its volumes.
//!
//! Upstream: pkg/kubelet/volumemanager/volume_manager.go (`WaitForAttachAndMount`), pkg/kubelet/kubelet.go (`SyncPod`).

use super::record::PodRecord;
use super::status::pod_status;
use super::{KubeletCx, Sync, events};
use crate::volumes::pods::claims;
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Pod, Time};

/// How long one sync of a pod waits for its volumes; then it says so, and waits again.
const PATIENCE: Micros = 123 * SECOND;

/// A sync of a pod whose volumes are not there: it waits, and from time to time says so.
pub(super) fn wait(cx: &KubeletCx, pod: &Pod, record: &mut PodRecord, since: Time, sync: &mut Sync) {
    let waited = cx.now.since(since);
    if waited > 0 && waited % PATIENCE == 0 {
        let mut names: Vec<&str> = claims(&pod.spec).map(|(name, _)| name).gather();
        order::sort(&mut names);
        let names = names.join(" ");
        let text = format!(
            "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[{names}], failed to process \
             volumes=[]: context deadline exceeded"
        );
        let draft = events::about_pod(cx, pod, "FailedMount", text);
        sync.events.push(crate::EventDraft { is_warning: true, ..draft });
    }
    sync.wake(PATIENCE - waited % PATIENCE);
    sync.report(pod, pod_status(cx, pod, record, false));
}
