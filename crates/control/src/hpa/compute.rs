//! From the metrics of an autoscaler's spec to one number of replicas.
//!
//! Upstream: pkg/controller/podautoscaler/horizontal.go, `computeReplicasForMetrics` and `computeStatusFor*Metric`.

use super::feed::Feed;
use super::replicas::{Calculator, Proposal, Samples};
use serde_json::{Map, Value};
use setpoint_api::wire::{Reader, Wire};
use setpoint_api::{
    CrossVersionObjectReference, LabelSelector, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
    Quantity, ResourceMetricSource, ResourceMetricStatus, Str, wire,
};
use std::rc::Rc;

wire! {
    /// The fields of ContainerResource, Pods, Object and External sources together.
    pub struct OtherSource {
        /// Resource, for ContainerResource.
        pub name: Str = "name";
        /// Container, for ContainerResource.
        pub container: Str = "container";
        /// Whose metric it is, for Object.
        pub described_object: Option<CrossVersionObjectReference> = "describedObject";
        /// Which metric, for Pods, Object and External.
        pub metric: Option<MetricIdentifier> = "metric";
        /// What to hold.
        pub target: MetricTarget = "target";
    }
    /// Names a metric.
    pub struct MetricIdentifier {
        /// Name.
        pub name: Str = "name", always;
        /// Which series.
        pub selector: Option<LabelSelector> = "selector";
    }
}

/// What one metric proposes.
pub struct Measured {
    /// The proposal.
    pub proposal: Proposal,
    /// How messages call the metric.
    pub name: String,
    /// What goes into the autoscaler's status.
    pub status: MetricStatus,
}

/// A metric that could not be used.
pub struct Unusable {
    /// Reason of the event and of the condition ScalingActive.
    pub reason: &'static str,
    /// Message of the event.
    pub cause: String,
    /// The same as the whole evaluation reports it.
    pub error: String,
}

/// What all metrics together propose.
pub struct Computed {
    /// The winning metric, or why there is none.
    pub result: Result<Measured, Invalid>,
    /// One per metric; empty where the metric could not be used.
    pub statuses: Vec<MetricStatus>,
    /// Every metric that could not be used, in order.
    pub unusable: Vec<Unusable>,
}

/// No replicas follow from the metrics.
pub struct Invalid {
    /// Reason of the condition ScalingActive.
    pub reason: &'static str,
    /// Message of that condition.
    pub message: String,
}

/// The sum of the errors of a computation, if there were any.
pub fn error_of(unusable: &[Unusable], metrics: usize) -> Option<String> {
    let first = unusable.first()?;
    let count = unusable.len();
    Some(format!("invalid metrics ({count} invalid out of {metrics}), first error is: {}", first.error))
}

/// Asks every metric; the highest proposal wins. A metric that cannot be used forbids scaling down.
pub fn compute(
    specs: &[MetricSpec],
    calculator: &Calculator,
    status_replicas: i32,
    namespace: &str,
    feed: &dyn Feed,
) -> Computed {
    let mut best: Option<Measured> = None;
    let mut computed = Vec::new();
    let mut unusable = Vec::new();
    for spec in specs {
        match measure(spec, calculator, status_replicas, namespace, feed) {
            Ok(measured) => {
                computed.push(measured.status.clone());
                let wins = |best: &Measured| {
                    best.proposal.replicas == 0 || measured.proposal.replicas > best.proposal.replicas
                };
                if best.as_ref().is_none_or(wins) {
                    best = Some(measured);
                }
            }
            Err(failed) => {
                computed.push(MetricStatus::default());
                unusable.push(failed);
            }
        }
    }
    let lowers = |best: &Measured| !unusable.is_empty() && best.proposal.replicas < calculator.current;
    let result = match (best.filter(|best| !lowers(best)), unusable.first()) {
        (Some(best), _) => Ok(best),
        (None, first) => Err(Invalid {
            reason: first.map_or("InvalidMetricSourceType", |first| first.reason),
            message: format!(
                "the HPA was unable to compute the replica count: {}",
                first.map_or("no metrics were given", |first| &*first.cause)
            ),
        }),
    };
    Computed { result, statuses: computed, unusable }
}

fn measure(
    spec: &MetricSpec,
    calculator: &Calculator,
    status_replicas: i32,
    namespace: &str,
    feed: &dyn Feed,
) -> Result<Measured, Unusable> {
    match &*spec.kind {
        "Resource" => resource(&spec.resource.clone().unwrap_or_default(), calculator, feed),
        "ContainerResource" => container_resource(&other(spec, "containerResource"), calculator, feed),
        "Pods" => pods(&other(spec, "pods"), calculator, feed),
        "Object" => object(&other(spec, "object"), calculator, status_replicas, namespace, feed),
        "External" => external(&other(spec, "external"), calculator, status_replicas, namespace, feed),
        unknown => {
            let cause = format!("unknown metric source type {unknown:?}");
            Err(Unusable { reason: "InvalidMetricSourceType", error: cause.clone(), cause })
        }
    }
}

/// Reads a source that the API types keep unread.
fn other(spec: &MetricSpec, key: &str) -> OtherSource {
    let value = spec.rest.as_ref().and_then(|rest| rest.get(key)).cloned().unwrap_or(Value::Null);
    OtherSource::read(value, &mut Reader::default())
}

fn resource(
    source: &ResourceMetricSource,
    calculator: &Calculator,
    feed: &dyn Feed,
) -> Result<Measured, Unusable> {
    let resource = &*source.name;
    let measured = of_resource(resource, "", &source.target, calculator, feed);
    let (proposal, current) = measured.map_err(|cause| Unusable {
        reason: "FailedGetResourceMetric",
        error: format!("failed to get {resource} resource metric value: {cause}"),
        cause,
    })?;
    let name = match proposal.utilization {
        Some(_) => format!("{resource} resource utilization (percentage of request)"),
        None => format!("{resource} resource"),
    };
    let resource = Some(ResourceMetricStatus { name: source.name.clone(), current, rest: None });
    Ok(Measured { proposal, name, status: MetricStatus { kind: "Resource".into(), resource, rest: None } })
}

fn container_resource(
    source: &OtherSource,
    calculator: &Calculator,
    feed: &dyn Feed,
) -> Result<Measured, Unusable> {
    let (resource, container) = (&*source.name, &*source.container);
    let measured = of_resource(resource, container, &source.target, calculator, feed);
    let (proposal, current) = measured.map_err(|cause| Unusable {
        reason: "FailedGetContainerResourceMetric",
        error: format!("failed to get {container} container metric value: {cause}"),
        cause,
    })?;
    let name = match proposal.utilization {
        Some(_) => format!("{resource} container resource utilization (percentage of request)"),
        None => format!("{resource} resource"),
    };
    let fields = [("name", source.name.write_always()), ("container", source.container.write_always())];
    let status = status("ContainerResource", "containerResource", &fields, current);
    Ok(Measured { proposal, name, status })
}

/// Upstream: `computeStatusForResourceMetricGeneric`.
fn of_resource(
    resource: &str,
    container: &str,
    target: &MetricTarget,
    calculator: &Calculator,
    feed: &dyn Feed,
) -> Result<(Proposal, MetricValueStatus), String> {
    let samples = || -> Result<Samples, String> {
        let samples = feed.resource(resource, container, calculator.pods);
        samples.map_err(|error| format!("unable to get metrics for resource {resource}: {error}"))
    };
    if let Some(value) = &target.average_value {
        let proposal =
            samples().and_then(|all| calculator.per_pod_samples(resource, value.milli_value(), &all));
        let proposal = proposal.map_err(|error| format!("failed to get {resource} usage: {error}"))?;
        let current = average(proposal.usage);
        return Ok((proposal, current));
    }
    let Some(percent) = target.average_utilization else {
        let text = "neither an average utilization target nor an average value (usage) target was set";
        return Err(format!("invalid resource metric source: {text}"));
    };
    let proposal = samples().and_then(|all| calculator.utilization(resource, container, percent, &all));
    let proposal = proposal.map_err(|error| format!("failed to get {resource} utilization: {error}"))?;
    let current = MetricValueStatus { average_utilization: proposal.utilization, ..average(proposal.usage) };
    Ok((proposal, current))
}

fn pods(source: &OtherSource, calculator: &Calculator, feed: &dyn Feed) -> Result<Measured, Unusable> {
    let metric = source.metric.clone().unwrap_or_default();
    let target = source.target.average_value.as_ref().map_or(0, |value| value.milli_value());
    let samples =
        feed.custom(&metric.name).map_err(|error| format!("unable to get metric {}: {error}", metric.name));
    let proposal = samples.and_then(|samples| calculator.per_pod_samples("", target, &samples));
    let proposal = proposal.map_err(|cause| Unusable {
        reason: "FailedGetPodsMetric",
        error: format!("failed to get pods metric value: {cause}"),
        cause,
    })?;
    let current = average(proposal.usage);
    let status = status("Pods", "pods", &[("metric", metric.write_always())], current);
    Ok(Measured { proposal, name: format!("pods metric {}", metric.name), status })
}

fn object(
    source: &OtherSource,
    calculator: &Calculator,
    status_replicas: i32,
    namespace: &str,
    feed: &dyn Feed,
) -> Result<Measured, Unusable> {
    let metric = source.metric.clone().unwrap_or_default();
    let whose = source.described_object.clone().unwrap_or_default();
    let fail = |cause: String, error: String| Unusable {
        reason: "FailedGetObjectMetric",
        cause,
        error: format!("failed to get object metric value: {error}"),
    };
    // Upstream's text has the error at the end of the object's path.
    let usage = feed.object(&metric.name).map_err(|error| {
        format!("unable to get metric {}: {} on {namespace} {}/{error}", metric.name, whose.kind, whose.name)
    });
    match (&*source.target.kind, &source.target.value, &source.target.average_value) {
        ("Value", Some(target), _) => {
            let proposal = usage.and_then(|usage| calculator.total(usage, target.milli_value()));
            let proposal = proposal.map_err(|cause| fail(cause.clone(), cause))?;
            let fields = [("describedObject", whose.write_always()), ("metric", metric.write_always())];
            let status = status("Object", "object", &fields, whole(proposal.usage));
            Ok(Measured { proposal, name: format!("{} metric {}", whose.kind, metric.name), status })
        }
        ("AverageValue", _, Some(target)) => {
            let text = |cause: &str| format!("failed to get {} object metric: {cause}", metric.name);
            let usage = usage.map_err(|cause| fail(cause.clone(), text(&cause)))?;
            let proposal = calculator.shared(status_replicas, usage, target.milli_value());
            let whose = CrossVersionObjectReference::default();
            let fields = [("describedObject", whose.write_always()), ("metric", metric.write_always())];
            let status = status("Object", "object", &fields, average(proposal.usage));
            Ok(Measured { proposal, name: external_name(&metric), status })
        }
        _ => {
            let text = "neither a value target nor an average value target was set";
            let cause = format!("invalid object metric source: {text}");
            Err(fail(cause.clone(), cause))
        }
    }
}

fn external(
    source: &OtherSource,
    calculator: &Calculator,
    status_replicas: i32,
    namespace: &str,
    feed: &dyn Feed,
) -> Result<Measured, Unusable> {
    let metric = source.metric.clone().unwrap_or_default();
    let fail = |cause: String, error: String| Unusable {
        reason: "FailedGetExternalMetric",
        cause,
        error: format!("failed to get {} external metric value: {error}", metric.name),
    };
    let series = feed.external(&metric.name).map_err(|error| {
        let selector = LabelSelector::go_text(metric.selector.as_ref());
        format!("unable to get external metric {namespace}/{}/{selector}: {error}", metric.name)
    });
    let usage = series.map(|series| series.into_iter().fold(0, i64::saturating_add));
    let (proposal, current) = if let Some(target) = &source.target.average_value {
        let text = |cause: &str| format!("failed to get {} external metric: {cause}", metric.name);
        let usage = usage.map_err(|cause| fail(cause.clone(), text(&cause)))?;
        let proposal = calculator.shared(status_replicas, usage, target.milli_value());
        let current = average(proposal.usage);
        (proposal, current)
    } else if let Some(target) = &source.target.value {
        let text = |cause: &str| format!("failed to get external metric {}: {cause}", metric.name);
        let proposal = usage.and_then(|usage| calculator.total(usage, target.milli_value()));
        let proposal = proposal.map_err(|cause| fail(cause.clone(), text(&cause)))?;
        let current = whole(proposal.usage);
        (proposal, current)
    } else {
        let text = "neither a value target nor an average value target was set";
        let cause = format!("invalid external metric source: {text}");
        return Err(fail(cause.clone(), cause));
    };
    let status = status("External", "external", &[("metric", metric.write_always())], current);
    Ok(Measured { proposal, name: external_name(&metric), status })
}

fn average(milli: i64) -> MetricValueStatus {
    MetricValueStatus { average_value: Some(Quantity::from_milli(milli)), ..Default::default() }
}

fn whole(milli: i64) -> MetricValueStatus {
    MetricValueStatus { value: Some(Quantity::from_milli(milli)), ..Default::default() }
}

/// The status of a source that the API types keep unread.
fn status(kind: &str, key: &str, fields: &[(&str, Value)], current: MetricValueStatus) -> MetricStatus {
    let mut inner = Map::new();
    for (name, value) in fields {
        inner.insert((*name).to_string(), value.clone());
    }
    inner.insert("current".into(), current.write_always());
    let mut rest = Map::new();
    rest.insert(key.to_string(), Value::Object(inner));
    MetricStatus { kind: kind.into(), resource: None, rest: Some(Rc::new(rest)) }
}

fn external_name(metric: &MetricIdentifier) -> String {
    format!("external metric {}({})", metric.name, LabelSelector::go_text(metric.selector.as_ref()))
}
