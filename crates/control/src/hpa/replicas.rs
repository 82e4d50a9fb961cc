//! One metric in, one proposal for the number of replicas out.
//!
//! Upstream: pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go.
//! Simplified: requests of the whole pod (`spec.resources`) are not modelled, so containers are always summed. Sums are
//! kept wide where upstream's 64 bits would wrap around.

use crate::pod::is_ready;
use setpoint_api::map::{Map, Set};
use setpoint_api::{ConditionStatus, Micros, ObjId, Pod, PodPhase, Time, condition};
use std::rc::Rc;

/// Usage of one pod, in thousandths, over a window that ends at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// End of the window.
    pub at: Time,
    /// Length of the window.
    pub window: Micros,
    /// Thousandths of a core, of a byte or of a custom metric.
    pub value: i64,
}

/// Samples by pod.
pub type Samples = Map<ObjId, Sample>;

/// How far the ratio of usage to target may be from 1 before anything happens, as fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// Below 1.
    pub down: f64,
    /// Above 1.
    pub up: f64,
}

impl Tolerances {
    /// Whether a ratio is too close to 1 to act on.
    pub fn is_within(self, ratio: f64) -> bool {
        (1.0 - self.down) <= ratio && ratio <= (1.0 + self.up)
    }
}

/// Which CPU samples of young pods count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Startup {
    /// Simulated time.
    pub now: Time,
    /// Start of a pod during which a sample counts only if the pod was ready for all of its window.
    pub cpu_initialization: Micros,
    /// Time after the start within which a pod that turned unready was never ready.
    pub initial_readiness_delay: Micros,
}

/// Pods sorted by what their samples are good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// How many count in full.
    pub ready: i32,
    /// Pending, or not ready yet: their samples do not count.
    pub unready: Set<ObjId>,
    /// Running without a sample.
    pub missing: Set<ObjId>,
    /// Failed or being deleted: as if they were not there.
    pub ignored: Set<ObjId>,
}

/// Sorts pods by what their samples are good for.
///
/// Upstream: `groupPods`.
pub fn group_pods(pods: &[&Rc<Pod>], samples: &Samples, resource: &str, startup: Startup) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        let id = pod.metadata.id;
        if pod.metadata.is_deleting() || pod.status.phase == PodPhase::Failed {
            groups.ignored.insert(id);
        } else if pod.status.phase == PodPhase::Pending {
            groups.unready.insert(id);
        } else if let Some(sample) = samples.get(&id) {
            if resource == "cpu" && is_starting(pod, sample, startup) {
                groups.unready.insert(id);
            } else {
                groups.ready += 1;
            }
        } else {
            groups.missing.insert(id);
        }
    }
    groups
}

/// Whether the pod's CPU sample still shows its start rather than its work.
fn is_starting(pod: &Pod, sample: &Sample, startup: Startup) -> bool {
    let (Some(ready), Some(start)) = (condition(&pod.status.conditions, "Ready"), pod.status.start_time)
    else {
        return true;
    };
    let is_unready = ready.status == ConditionStatus::False;
    let since = ready.last_transition_time.unwrap_or(Time(i64::MIN));
    if start.plus(startup.cpu_initialization) > startup.now {
        is_unready || sample.at < since.plus(sample.window)
    } else {
        is_unready && start.plus(startup.initial_readiness_delay) > since
    }
}

/// Why a proposal is the current number although the ratio alone says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The ratio is within the tolerance.
    Tolerance,
    /// With unready and missing pods put in, the change would turn around.
    Direction,
}

/// A proposal and how it came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// Proposed replicas.
    pub replicas: i32,
    /// Percent of the request that the pods with counted samples use, for utilization targets.
    pub utilization: Option<i32>,
    /// Usage in thousandths: per counted pod, or as a whole for a target value of an object or outside metric.
    pub usage: i64,
    /// Percent or thousandths that stand against the target, after corrections for unready and missing pods.
    pub weighed: i64,
    /// Percent or thousandths that should be held.
    pub target: i64,
    /// Pods (or replicas) that the ratio is multiplied with.
    pub counted: i64,
    /// Pods that were not ready yet.
    pub unready: i64,
    /// Pods without a sample.
    pub missing: i64,
    /// Why the current number was kept, if it was.
    pub kept: Option<Kept>,
}

/// What all proposals for one autoscaler start from.
#[derive(Clone, Copy)]
pub struct Calculator<'a> {
    /// Pods that the target's selector matches.
    pub pods: &'a [&'a Rc<Pod>],
    /// Replicas that the target asks for.
    pub current: i32,
    /// Deviation that is ignored.
    pub tolerances: Tolerances,
    /// Which CPU samples of young pods count.
    pub startup: Startup,
}

/// Usage against the target.
struct Ratio {
    ratio: f64,
    weighed: i64,
    average: i64,
}

const NO_PODS: &str = "no pods returned by selector while calculating replica count";
const NO_SAMPLES: &str = "did not receive metrics for targeted pods (pods might be unready)";

impl Calculator<'_> {
    /// For a target in percent of the request of `resource`, of one container if named.
    ///
    /// Upstream: `GetResourceReplicas`.
    ///
    /// # Errors
    /// No pods, no usable samples, or a container without a request; the text is upstream's.
    pub fn utilization(
        &self,
        resource: &str,
        container: &str,
        target: i32,
        samples: &Samples,
    ) -> Result<Proposal, String> {
        let (groups, mut values) = self.group(samples, resource)?;
        let requests = requests(self.pods, container, resource)?;
        let ratio = |values: &Map<ObjId, i64>| utilization_ratio(values, &requests, target);
        let before = ratio(&values)?;
        // Without a sample a pod counts as using all it asked for, or as much as the target if that is more.
        let fallback = |id: &ObjId| {
            let request = i128::from(requests.get(id).copied().unwrap_or(0));
            narrow(request * i128::from(target.max(100)) / 100)
        };
        let first = Proposal {
            utilization: Some(before.weighed as i32),
            target: i64::from(target),
            ..self.start(&groups, &before)
        };
        self.propose(first, &groups, &before, &mut values, fallback, ratio)
    }

    /// For a target per pod in thousandths. `resource` is empty for custom metrics.
    ///
    /// Upstream: `calcPlainMetricReplicas`.
    ///
    /// # Errors
    /// No pods or no usable samples; the text is upstream's.
    pub fn per_pod_samples(
        &self,
        resource: &str,
        target: i64,
        samples: &Samples,
    ) -> Result<Proposal, String> {
        let (groups, mut values) = self.group(samples, resource)?;
        let ratio = |values: &Map<ObjId, i64>| Ok(usage_ratio(values, target));
        let before = usage_ratio(&values, target);
        let first = Proposal { target, ..self.start(&groups, &before) };
        self.propose(first, &groups, &before, &mut values, |_| target, ratio)
    }

    /// For one value that belongs to all pods, such as an object's metric against a target value.
    ///
    /// Upstream: `getUsageRatioReplicaCount`.
    ///
    /// # Errors
    /// No pods; the text is upstream's.
    pub fn total(&self, usage: i64, target: i64) -> Result<Proposal, String> {
        let ratio = usage as f64 / target as f64;
        let base = Proposal { usage, weighed: usage, target, ..Proposal::default() };
        if self.current == 0 {
            return Ok(Proposal { replicas: rounded_up(ratio), counted: 1, ..base });
        }
        if self.tolerances.is_within(ratio) {
            let counted = i64::from(self.current);
            return Ok(Proposal { replicas: self.current, counted, kept: Some(Kept::Tolerance), ..base });
        }
        if self.pods.is_empty() {
            return Err(format!("unable to calculate ready pods: {NO_PODS}"));
        }
        let is_ready = |pod: &&&Rc<Pod>| pod.status.phase == PodPhase::Running && is_ready(pod);
        let ready = self.pods.iter().filter(is_ready).count() as i64;
        Ok(Proposal { replicas: rounded_up(ratio * ready as f64), counted: ready, ..base })
    }

    /// For one value that is to be shared out, so much per replica.
    ///
    /// Upstream: `GetObjectPerPodMetricReplicas`, `GetExternalPerPodMetricReplicas`.
    pub fn shared(&self, status_replicas: i32, usage: i64, target: i64) -> Proposal {
        let ratio = usage as f64 / (target as f64 * f64::from(status_replicas));
        let kept = self.tolerances.is_within(ratio).then_some(Kept::Tolerance);
        let needed = rounded_up(usage as f64 / target as f64);
        Proposal {
            replicas: if kept.is_some() { status_replicas } else { needed },
            usage: if usage == i64::MAX {
                usage
            } else {
                libm::ceil(usage as f64 / f64::from(status_replicas)) as i64
            },
            weighed: usage,
            target,
            counted: 1,
            kept,
            ..Proposal::default()
        }
    }

    /// Groups the pods and takes the samples out that do not count.
    fn group(&self, samples: &Samples, resource: &str) -> Result<(Groups, Map<ObjId, i64>), String> {
        if self.pods.is_empty() {
            return Err(NO_PODS.into());
        }
        let groups = group_pods(self.pods, samples, resource, self.startup);
        let counts = |id: &ObjId| !groups.ignored.contains(id) && !groups.unready.contains(id);
        let values: Map<ObjId, i64> =
            samples.iter().filter(|(id, _)| counts(id)).map(|(id, sample)| (*id, sample.value)).collect();
        if values.is_empty() {
            return Err(NO_SAMPLES.into());
        }
        Ok((groups, values))
    }

    fn start(&self, groups: &Groups, ratio: &Ratio) -> Proposal {
        Proposal {
            replicas: self.current,
            usage: ratio.average,
            weighed: ratio.weighed,
            counted: i64::from(groups.ready),
            unready: groups.unready.len() as i64,
            missing: groups.missing.len() as i64,
            ..Proposal::default()
        }
    }

    /// The part that utilization and plain targets share: unready and missing pods are put in on the side that
    /// dampens the change, and a change that this turns around is none.
    fn propose(
        &self,
        first: Proposal,
        groups: &Groups,
        before: &Ratio,
        values: &mut Map<ObjId, i64>,
        fallback: impl Fn(&ObjId) -> i64,
        ratio: impl Fn(&Map<ObjId, i64>) -> Result<Ratio, String>,
    ) -> Result<Proposal, String> {
        let up_with_unready = !groups.unready.is_empty() && before.ratio > 1.0;
        if !up_with_unready && groups.missing.is_empty() {
            if self.tolerances.is_within(before.ratio) {
                return Ok(Proposal { kept: Some(Kept::Tolerance), ..first });
            }
            let replicas = rounded_up(before.ratio * f64::from(groups.ready));
            return Ok(Proposal { replicas, ..first });
        }
        if before.ratio < 1.0 {
            values.extend(groups.missing.iter().map(|id| (*id, fallback(id))));
        } else if before.ratio > 1.0 {
            values.extend(groups.missing.iter().map(|id| (*id, 0)));
        }
        if up_with_unready {
            values.extend(groups.unready.iter().map(|id| (*id, 0)));
        }
        let after = ratio(values)?;
        let next = Proposal { weighed: after.weighed, counted: values.len() as i64, ..first };
        if self.tolerances.is_within(after.ratio) {
            return Ok(Proposal { kept: Some(Kept::Tolerance), ..next });
        }
        let replicas = rounded_up(after.ratio * values.len() as f64);
        let ratio_turns =
            (before.ratio < 1.0 && after.ratio > 1.0) || (before.ratio > 1.0 && after.ratio < 1.0);
        let count_turns =
            (after.ratio < 1.0 && replicas > self.current) || (after.ratio > 1.0 && replicas < self.current);
        if ratio_turns || count_turns {
            return Ok(Proposal { kept: Some(Kept::Direction), ..next });
        }
        Ok(Proposal { replicas, ..next })
    }
}

/// What each pod requests in thousandths, over all containers and sidecars or of one container.
///
/// Upstream: `calculateRequests`.
fn requests(pods: &[&Rc<Pod>], container: &str, resource: &str) -> Result<Map<ObjId, i64>, String> {
    let mut requests = Map::new();
    for pod in pods {
        let sidecars = pod.spec.init_containers.iter();
        let sidecars = sidecars.filter(|c| c.restart_policy.as_deref() == Some("Always"));
        let mut found = false;
        let mut sum: i64 = 0;
        for c in pod.spec.containers.iter().chain(sidecars) {
            if !container.is_empty() && container != &*c.name {
                continue;
            }
            found = true;
            let Some(request) = c.resources.requests.get(resource) else {
                let pod = &pod.metadata.name;
                return Err(format!("missing request for {resource} in container {} of Pod {pod}", c.name));
            };
            sum = sum.saturating_add(request.milli_value());
        }
        if !found && !container.is_empty() {
            return Err(format!("container {container} not found in Pod {}", pod.metadata.name));
        }
        requests.insert(pod.metadata.id, sum);
    }
    Ok(requests)
}

/// Upstream: `GetResourceUtilizationRatio`. Percent are cut to whole numbers before the division, as there.
fn utilization_ratio(
    values: &Map<ObjId, i64>,
    requests: &Map<ObjId, i64>,
    target: i32,
) -> Result<Ratio, String> {
    let (mut used, mut requested, mut pods) = (0_i128, 0_i128, 0_i128);
    for (id, value) in values {
        // Samples of pods that are not in the list are superfluous.
        let Some(request) = requests.get(id) else { continue };
        used += i128::from(*value);
        requested += i128::from(*request);
        pods += 1;
    }
    if requested == 0 || pods == 0 {
        return Err("no metrics returned matched known pods".into());
    }
    let percent = i32::try_from(used * 100 / requested).unwrap_or(i32::MAX);
    Ok(Ratio {
        ratio: f64::from(percent) / f64::from(target),
        weighed: i64::from(percent),
        average: narrow(used / pods),
    })
}

/// Upstream: `GetMetricUsageRatio`.
fn usage_ratio(values: &Map<ObjId, i64>, target: i64) -> Ratio {
    let used: i128 = values.values().map(|value| i128::from(*value)).sum();
    let average = narrow(used / (values.len().max(1) as i128));
    Ratio { ratio: average as f64 / target as f64, weighed: average, average }
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Upstream rounds every proposal up. The conversion saturates.
fn rounded_up(replicas: f64) -> i32 {
    libm::ceil(replicas) as i32
}
