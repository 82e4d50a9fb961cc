//! The kubelet's events and their texts.
//!
//! Upstream: pkg/kubelet/events/event.go and the places that record them, named beside each text.

use super::KubeletCx;
use super::record::ContainerRef;
use super::record::spec_of;
use crate::EventDraft;
use setpoint_api::time::{MILLISECOND, MINUTE, SECOND};
use setpoint_api::{Container, Micros, Pod};
use std::borrow::Cow;

/// The component that says all of this.
pub const COMPONENT: &str = "kubelet";

/// An event about a container.
pub fn about_container(
    cx: &KubeletCx,
    pod: &Pod,
    at: ContainerRef,
    is_warning: bool,
    reason: &'static str,
    message: impl Into<Cow<'static, str>>,
) -> EventDraft {
    let name = spec_of(&pod.spec, at).map_or("", |container| &container.name);
    let list = if at.is_init { "initContainers" } else { "containers" };
    let field_path = format!("spec.{list}{{{name}}}").into();
    EventDraft { field_path, is_warning, ..about_pod(cx, pod, reason, message) }
}

/// An event about a pod.
pub fn about_pod(
    cx: &KubeletCx,
    pod: &Pod,
    reason: &'static str,
    message: impl Into<Cow<'static, str>>,
) -> EventDraft {
    let draft = EventDraft::normal(COMPONENT, pod.metadata.id, reason, message);
    EventDraft { host: Some(cx.node_name.clone()), ..draft }
}

/// `name_namespace(uid)`.
///
/// Upstream: pkg/kubelet/util/format/pod.go `Pod`.
pub fn pod_name(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!("{}_{}({})", meta.name, meta.namespace, meta.uid)
}

/// Upstream: kuberuntime_manager.go `doBackOff`, the event.
pub fn back_off_event(pod: &Pod, container: &Container) -> String {
    format!("Back-off restarting failed container {} in pod {}", container.name, pod_name(pod))
}

/// Upstream: kuberuntime_manager.go `doBackOff`, the container's waiting message.
pub fn back_off_message(pod: &Pod, container: &Container, wait: Micros) -> String {
    let (wait, name, pod) = (go_duration(wait), &container.name, pod_name(pod));
    format!("back-off {wait} restarting failed container={name} pod={pod}")
}

/// A duration in milliseconds as Go prints it: `300ms`, `2.1s`, `1m20s`, `5m0s`, `1h0m0s`.
pub fn go_duration(micros: Micros) -> String {
    let millis = micros.max(0) / MILLISECOND;
    if millis == 0 {
        return "0s".into();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (micros / (60 * MINUTE), micros / MINUTE % 60);
    let (seconds, fraction) = (micros / SECOND % 60, millis % 1000);
    let mut text = match (hours, minutes) {
        (0, 0) => String::new(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    };
    text.push_str(&seconds.to_string());
    if fraction > 0 {
        text.push_str(format!(".{fraction:03}").trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_in_go() {
        for (micros, text) in [
            (0, "0s"),
            (308 * MILLISECOND, "308ms"),
            (2100 * MILLISECOND, "2.1s"),
            (1317 * MILLISECOND, "1.317s"),
            (10 * SECOND, "10s"),
            (80 * SECOND, "1m20s"),
            (300 * SECOND, "5m0s"),
            (61 * MINUTE, "1h1m0s"),
        ] {
            assert_eq!(go_duration(micros), text);
        }
    }
}
