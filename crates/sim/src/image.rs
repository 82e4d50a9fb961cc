//! How images behave: how long they take to pull, start and stop, what a request costs, and how they fail.
//!
//! A pod's annotations change single values: `sim/ready-delay` (seconds until it answers), `sim/never-ready`, `sim/stop-delay`
//! (seconds from TERM to the end), `sim/run-for` (seconds until it ends by itself, well), `sim/exit-code`, `sim/cpu-per-request`
//! (milliseconds of one core), `sim/idle-cpu` (thousandths of a core), `sim/memory` (such as 300Mi; above its limit a container is
//! killed).

use crate::command;
use setpoint_api::map::Map;
use setpoint_api::text::parse_float;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{Container, Micros, Pod, Quantity};

/// A time between two, drawn each time.
pub type Span = (Micros, Micros);

/// How an image behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    /// Whether the registry has it.
    pub exists: bool,
    /// Its size.
    pub size_bytes: i64,
    /// Pull from the registry.
    pub pull: Span,
    /// From the kubelet's start command to a running process.
    pub start: Span,
    /// From a running process to one that answers.
    pub boot: Span,
    /// Whether it answers every request with an error, probes included.
    pub answers_errors: bool,
    /// Until it ends by itself, if it does.
    pub run_for: Option<Micros>,
    /// Exit code when it ends by itself.
    pub exit_code: i32,
    /// From TERM to the end; it answers all the while.
    pub stop: Span,
    /// CPU that one request takes, in microseconds of one core.
    pub request_cpu: Micros,
    /// Time that one request takes besides.
    pub request_wait: Micros,
    /// Requests that may wait in it.
    pub queue_max: u32,
    /// CPU without requests, in thousandths of a core.
    pub idle_milli: i64,
    /// Memory.
    pub memory_bytes: i64,
}

impl Default for Behavior {
    /// A plain healthy web server.
    fn default() -> Self {
        Self {
            exists: true,
            size_bytes: 48_211_396,
            pull: (900 * MILLISECOND, 1600 * MILLISECOND),
            start: (250 * MILLISECOND, 500 * MILLISECOND),
            boot: (700 * MILLISECOND, 1200 * MILLISECOND),
            answers_errors: false,
            run_for: None,
            exit_code: 1,
            stop: (1500 * MILLISECOND, 2000 * MILLISECOND),
            request_cpu: 5 * MILLISECOND,
            request_wait: 12 * MILLISECOND,
            queue_max: 64,
            idle_milli: 4,
            memory_bytes: 48 << 20,
        }
    }
}

/// Tags and images that are in no registry; the last one is the slip of the Kubernetes documentation's page on Deployments.
const MISSING: &str = "missing does-not-exist doesnotexist nonexistent non-existent no-such-tag nosuchtag nope bad wrong typo \
    invalid notfound not-found nginx:1.161";

/// The simulated registry and what its images do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// For every image that is not named below.
    pub default: Behavior,
    /// By image as written in the pod, or by its tag alone.
    pub by_name: Map<String, Behavior>,
    /// Whether every image is on every machine's disk already.
    pub preloaded: bool,
    /// Whether containers do what their images do, whatever their command is.
    pub ignores_commands: bool,
    /// Whether kubelets are as simple as those that recordings of a control plane are made with: an image that is not there is
    /// asked for at once, and a pod whose containers never ran goes without a last status. Nodes have no range of addresses,
    /// are registered without a status, and all that is said of them is that kubelets start and that they are ready or cordoned.
    pub is_fake: bool,
    /// From a pod's arrival on its machine to its sandbox and address.
    pub sandbox: Span,
}

impl Catalogue {
    /// The catalogue that the page starts with: tag `broken` answers errors, `crash` and `fail` end after a second, and what
    /// people type when they want an image that cannot be pulled ([`MISSING`]) is in no registry.
    pub fn standard() -> Self {
        let plain = Behavior::default;
        let named = [
            ("broken", Behavior { answers_errors: true, ..plain() }),
            ("crash", Behavior { run_for: Some(SECOND), ..plain() }),
            ("fail", Behavior { run_for: Some(SECOND), ..plain() }),
        ];
        let missing = MISSING.split(' ').map(|name| (name, Behavior { exists: false, ..plain() }));
        let by_name =
            named.into_iter().chain(missing).map(|(name, behavior)| (name.to_string(), behavior)).collect();
        Self {
            default: plain(),
            by_name,
            preloaded: false,
            ignores_commands: false,
            is_fake: false,
            sandbox: (80 * MILLISECOND, 200 * MILLISECOND),
        }
    }

    /// Whether an image is on every machine's disk already.
    pub fn is_preloaded(&self, image: &str) -> bool {
        self.preloaded && self.named(image).exists
    }

    fn named(&self, image: &str) -> &Behavior {
        let tag = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let named = self.by_name.get(image).or_else(|| self.by_name.get(tag));
        named.unwrap_or(&self.default)
    }

    /// How a container behaves in a pod: as its image does, its command says, or the pod's annotations.
    pub fn behavior(&self, container: &Container, pod: &Pod) -> Behavior {
        let mut behavior = self.named(&container.image).clone();
        let end = command::end_of(container, pod.spec.restart_policy.as_deref());
        if let Some(end) = end.filter(|_| !self.ignores_commands) {
            behavior.run_for = end.after;
            behavior.exit_code = end.code;
        }
        let seconds = |key: &str| {
            let value = parse_float(pod.metadata.annotation(key)?)?;
            // A day is far beyond any lesson, and keeps sums of times far from overflow.
            Some((value.clamp(0.0, 86_400.0) * 1e6) as i64)
        };
        if let Some(delay) = seconds("sim/ready-delay") {
            behavior.boot = (delay, delay);
        }
        if let Some(delay) = seconds("sim/stop-delay") {
            behavior.stop = (delay, delay);
        }
        if let Some(time) = seconds("sim/run-for") {
            behavior.run_for = Some(time);
            behavior.exit_code = 0;
        }
        if let Some(milliseconds) = seconds("sim/cpu-per-request") {
            behavior.request_cpu = milliseconds / 1000;
        }
        if let Some(milli) = seconds("sim/idle-cpu") {
            behavior.idle_milli = milli / SECOND;
        }
        let told = pod.metadata.annotation("sim/memory").or_else(|| command::memory_of(container));
        if let Some(memory) = told.and_then(|told| Quantity::parse(told).ok()) {
            behavior.memory_bytes = memory.value().clamp(0, 1 << 50);
        }
        if let Some(code) = pod.metadata.annotation("sim/exit-code").and_then(|code| code.parse().ok()) {
            behavior.exit_code = code;
        }
        if pod.metadata.annotation("sim/never-ready") == Some("true") {
            behavior.answers_errors = true;
        }
        behavior
    }
}

/// Whether a pod's readiness is told by its annotations rather than by a probe of its own.
pub fn has_told_readiness(pod: &Pod) -> bool {
    ["sim/ready-delay", "sim/never-ready"].iter().any(|key| pod.metadata.annotation(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::Catalogue;

    #[test]
    fn a_mistyped_tag_is_in_no_registry() {
        let registry = Catalogue::standard();
        let exists = |image| registry.named(image).exists;
        assert!(["nginx", "nginx:1.16.1", "registry:5000/shop/web:v2"].into_iter().all(exists));
        assert!(!["nginx:1.161", "web:nope", "registry:5000/web:does-not-exist"].into_iter().any(exists));
    }
}
