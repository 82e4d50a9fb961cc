//! What the autoscaler reads while it evaluates: pods and the metrics APIs.
//!
//! Upstream: pkg/controller/podautoscaler/metrics/client.go.
//! Simplified: besides the metrics server there is an adapter that knows one custom metric of pods,
//! `http_requests_per_second`; any other custom or external metric answers as on a cluster without an adapter.

use super::replicas::{Sample, Samples};
use crate::Metrics;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{ObjId, Pod, Selector, Store, Str};
use std::rc::Rc;

/// Selectors of autoscalers that have been evaluated, with namespace and name.
pub type Selectors = Map<ObjId, (Str, Str, Selector)>;

/// Where pods and metrics come from.
pub trait Feed {
    /// Pods of the autoscaler's namespace that a selector matches.
    fn pods<'b>(&'b self, selector: &'b Selector) -> Vec<&'b Rc<Pod>>;
    /// Names of all autoscalers whose targets share a pod with this one's, itself included.
    fn claimants(&mut self, selector: &Selector) -> Vec<Str>;
    /// Usage of a resource by pod, of one container if named.
    ///
    /// # Errors
    /// The metrics API has no answer.
    fn resource(&self, resource: &str, container: &str, pods: &[&Rc<Pod>]) -> Result<Samples, String>;
    /// A custom metric by pod.
    ///
    /// # Errors
    /// The custom metrics API has no answer.
    fn custom(&self, name: &str) -> Result<Samples, String>;
    /// A custom metric of one object, in thousandths.
    ///
    /// # Errors
    /// The custom metrics API has no answer.
    fn object(&self, name: &str) -> Result<i64, String>;
    /// The series of an external metric, in thousandths.
    ///
    /// # Errors
    /// The external metrics API has no answer.
    fn external(&self, name: &str) -> Result<Vec<i64>, String>;
}

/// The feed of the simulated cluster.
pub struct Cluster<'a> {
    /// Stored state.
    pub view: &'a Store,
    /// What the metrics server knows.
    pub metrics: &'a Metrics,
    /// The autoscaler.
    pub id: ObjId,
    /// Its namespace.
    pub namespace: &'a Str,
    /// Its name.
    pub name: &'a Str,
    /// Selectors of all autoscalers.
    pub selectors: &'a mut Selectors,
}

/// The custom metric that the adapter serves: requests that a pod takes in per second.
pub const REQUESTS: &str = "http_requests_per_second";

const NO_ADAPTER: &str = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

impl Feed for Cluster<'_> {
    fn pods<'b>(&'b self, selector: &'b Selector) -> Vec<&'b Rc<Pod>> {
        self.view.pods_matching(self.namespace, selector)
    }

    fn claimants(&mut self, selector: &Selector) -> Vec<Str> {
        self.selectors.insert(self.id, (self.namespace.clone(), self.name.clone(), selector.clone()));
        let others =
            |(id, other): &(&ObjId, &(Str, Str, Selector))| **id != self.id && other.0 == *self.namespace;
        let mut names = vec![self.name.clone()];
        // Most autoscalers are alone in their namespace, so the pods are only looked at when one is not.
        let mut others = self.selectors.iter().filter(others).peekable();
        if others.peek().is_some() {
            let pods = self.pods(selector);
            let shares = |other: &Selector| pods.iter().any(|pod| other.matches(&pod.metadata.labels));
            names.extend(others.filter(|(_, other)| shares(&other.2)).map(|(_, other)| other.1.clone()));
        }
        order::sort(&mut names);
        names
    }

    fn resource(&self, resource: &str, container: &str, pods: &[&Rc<Pod>]) -> Result<Samples, String> {
        resource_samples(self.metrics, resource, container, pods)
    }

    fn custom(&self, name: &str) -> Result<Samples, String> {
        if name != REQUESTS {
            return Err(NO_ADAPTER.into());
        }
        let mut samples = Samples::new();
        if let Some((_, _, selector)) = self.selectors.get(&self.id) {
            for pod in self.pods(selector) {
                let id = pod.metadata.id;
                let Some(known) = self.metrics.pods.get(id.0) else { continue };
                let value = known.requests_milli;
                samples.insert(id, Sample { at: known.at.whole_seconds(), window: known.window, value });
            }
        }
        if samples.is_empty() {
            return Err("unable to fetch metrics from custom metrics API: no metrics returned".into());
        }
        Ok(samples)
    }

    fn object(&self, _: &str) -> Result<i64, String> {
        Err(NO_ADAPTER.into())
    }

    fn external(&self, name: &str) -> Result<Vec<i64>, String> {
        let what =
            format!("the server could not find the requested resource (get {name}.external.metrics.k8s.io)");
        Err(format!("unable to fetch metrics from external metrics API: {what}"))
    }
}

/// What the metrics server knows of a resource. A pod whose containers do not all report it, or that has no such
/// container, has no sample.
///
/// Upstream: `GetResourceMetric`, `getPodMetrics`, `getContainerMetrics`.
///
/// # Errors
/// It knows none of the pods.
pub fn resource_samples(
    metrics: &Metrics,
    resource: &str,
    container: &str,
    pods: &[&Rc<Pod>],
) -> Result<Samples, String> {
    let known = |pod: &&Rc<Pod>| Some((pod.metadata.id, metrics.pods.get(pod.metadata.id.0)?));
    let mut answer = pods.iter().filter_map(known).peekable();
    if answer.peek().is_none() {
        return Err("no metrics returned from resource metrics API".into());
    }
    let usage = |cpu: i64, memory: i64| match resource {
        "cpu" => Some(cpu),
        "memory" => Some(memory.saturating_mul(1000)),
        _ => None,
    };
    let mut samples = Samples::new();
    for (id, pod) in answer {
        let counted = pod.containers.iter().filter(|c| container.is_empty() || *c.0 == *container);
        let parts: Option<Vec<i64>> = counted.map(|c| usage(c.1, c.2)).collect();
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            let value = parts.into_iter().fold(0, i64::saturating_add);
            samples.insert(id, Sample { at: pod.at.whole_seconds(), window: pod.window, value });
        }
    }
    Ok(samples)
}
