//! A pod in a table.
//!
//! Upstream: pkg/printers/internalversion/printers.go (`printPod`).

use super::look::{at, has, int, is, is_true, items, or, text, time};
use serde_json::Value;
use setpoint_api::Time;
use setpoint_api::duration::human_duration;

/// READY, STATUS, RESTARTS.
pub(super) struct Summary {
    /// Containers that are ready, and all.
    pub ready: (usize, usize),
    /// The word of the STATUS column.
    pub status: String,
    /// Restarts, and how long ago the last one was.
    pub restarts: String,
}

/// Restarts so far, and when the last container ended.
#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += int(status, "/restartCount");
        self.last = self.last.max(time(status, "/lastState/terminated/finishedAt"));
    }
}

/// What the table says about a pod.
pub(super) fn summary(pod: &Value, now: Time) -> Summary {
    let phase = text(pod, "/status/phase");
    let mut status = or(text(pod, "/status/reason"), phase).to_owned();
    let is_gated =
        |condition: &Value| condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated";
    if items(pod, "/status/conditions").iter().any(is_gated) {
        status = "SchedulingGated".into();
    }
    let sidecars: Vec<&str> = items(pod, "/spec/initContainers")
        .iter()
        .filter(|container| text(container, "/restartPolicy") == "Always")
        .map(|container| text(container, "/name"))
        .collect();
    let all = items(pod, "/spec/containers").len() + sidecars.len();
    let (mut restarts, mut of_sidecars) = (Restarts::default(), Restarts::default());
    let mut ready = 0;
    let mut is_initializing = false;
    for (index, container) in items(pod, "/status/initContainerStatuses").iter().enumerate() {
        restarts.add(container);
        let is_sidecar = sidecars.contains(&text(container, "/name"));
        if is_sidecar {
            of_sidecars.add(container);
        }
        if at(container, "/state/terminated/exitCode") == &Value::from(0) {
            continue;
        }
        if is_sidecar && is(container, "/started") {
            ready += usize::from(is(container, "/ready"));
            continue;
        }
        status = init_status(container, index, items(pod, "/spec/initContainers").len());
        is_initializing = true;
        break;
    }
    if !is_initializing || is_true(pod, "Initialized") {
        restarts = of_sidecars;
        let mut has_running = false;
        for container in items(pod, "/status/containerStatuses").iter().rev() {
            restarts.add(container);
            if let Some(word) = container_status(container) {
                status = word;
            } else if is(container, "/ready") && has(container, "/state/running") {
                has_running = true;
                ready += 1;
            }
        }
        if status == "Completed" && has_running {
            status = if is_true(pod, "Ready") { "Running" } else { "NotReady" }.into();
        }
    }
    if has(pod, "/metadata/deletionTimestamp") {
        if text(pod, "/status/reason") == "NodeLost" {
            status = "Unknown".into();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            status = "Terminating".into();
        }
    }
    Summary { ready: (ready, all), status, restarts: restarts_text(&restarts, now) }
}

fn restarts_text(restarts: &Restarts, now: Time) -> String {
    match restarts.last {
        Some(last) if restarts.count != 0 => {
            format!("{} ({} ago)", restarts.count, human_duration(now.since(last)))
        }
        _ => restarts.count.to_string(),
    }
}

/// What a container that does not run says of its pod.
fn container_status(container: &Value) -> Option<String> {
    let waiting = text(container, "/state/waiting/reason");
    if !waiting.is_empty() {
        return Some(waiting.into());
    }
    has(container, "/state/terminated").then(|| ended(container))
}

fn ended(container: &Value) -> String {
    let (reason, signal) =
        (text(container, "/state/terminated/reason"), int(container, "/state/terminated/signal"));
    match reason {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", int(container, "/state/terminated/exitCode")),
        reason => reason.into(),
    }
}

fn init_status(container: &Value, index: usize, all: usize) -> String {
    let waiting = text(container, "/state/waiting/reason");
    if has(container, "/state/terminated") {
        format!("Init:{}", ended(container))
    } else if !waiting.is_empty() && waiting != "PodInitializing" {
        format!("Init:{waiting}")
    } else {
        format!("Init:{index}/{all}")
    }
}

/// The cells of a pod.
pub(super) fn cells(pod: &Value, now: Time) -> Vec<String> {
    let Summary { ready, status, restarts } = summary(pod, now);
    let ip = match items(pod, "/status/podIPs").first() {
        Some(first) => text(first, "/ip"),
        None => text(pod, "/status/podIP"),
    };
    let gates = items(pod, "/spec/readinessGates");
    let passed = gates.iter().filter(|gate| is_true(pod, text(gate, "/conditionType"))).count();
    let gates = if gates.is_empty() { "<none>".into() } else { format!("{passed}/{}", gates.len()) };
    vec![
        text(pod, "/metadata/name").into(),
        format!("{}/{}", ready.0, ready.1),
        status,
        restarts,
        super::rows::age(pod, now),
        or(ip, "<none>").into(),
        or(text(pod, "/spec/nodeName"), "<none>").into(),
        or(text(pod, "/status/nominatedNodeName"), "<none>").into(),
        gates,
    ]
}
