//! Default values that the API server fills in.
//!
//! Upstream: pkg/apis/{core,apps,autoscaling}/v*/defaults.go.

use crate::*;
use std::rc::Rc;

/// Fills in what an object leaves out.
pub fn apply(object: &mut Object) {
    match object {
        Object::Pod(pod) => pod_spec(&mut Rc::make_mut(pod).spec),
        Object::ReplicaSet(set) => replica_set(Rc::make_mut(set)),
        Object::Deployment(deployment) => self::deployment(Rc::make_mut(deployment)),
        Object::Service(service) => self::service(Rc::make_mut(service)),
        Object::HorizontalPodAutoscaler(autoscaler) => autoscaler_spec(&mut Rc::make_mut(autoscaler).spec),
        _ => {}
    }
}

fn set(field: &mut Str, value: &str) {
    if field.is_empty() {
        *field = value.into();
    }
}

fn replica_set(set: &mut ReplicaSet) {
    set.spec.replicas.get_or_insert(1);
    labels_from_template(&mut set.metadata, &set.spec.template);
    template(&mut set.spec.template);
}

fn deployment(deployment: &mut Deployment) {
    let spec = &mut deployment.spec;
    spec.replicas.get_or_insert(1);
    set(&mut spec.strategy.kind, "RollingUpdate");
    if &*spec.strategy.kind == "RollingUpdate" {
        let rolling = spec.strategy.rolling_update.get_or_insert_default();
        rolling.max_unavailable.get_or_insert(IntOrPercent::Text("25%".into()));
        rolling.max_surge.get_or_insert(IntOrPercent::Text("25%".into()));
    }
    spec.revision_history_limit.get_or_insert(10);
    spec.progress_deadline_seconds.get_or_insert(600);
    template(&mut spec.template);
}

/// ReplicaSets without labels take those of their template.
fn labels_from_template(metadata: &mut ObjectMeta, template: &PodTemplateSpec) {
    if metadata.labels.is_empty() {
        metadata.labels = template.metadata.labels.clone();
    }
}

fn template(template: &mut Rc<PodTemplateSpec>) {
    pod_spec(Rc::make_mut(&mut Rc::make_mut(template).spec));
}

fn pod_spec(spec: &mut PodSpec) {
    spec.restart_policy.get_or_insert_with(|| "Always".into());
    spec.termination_grace_period_seconds.get_or_insert(30);
    set(&mut spec.scheduler_name, "default-scheduler");
    let rest = Rc::make_mut(spec.rest.get_or_insert_default());
    rest.entry("dnsPolicy").or_insert_with(|| "ClusterFirst".into());
    rest.entry("securityContext").or_insert_with(|| serde_json::json!({}));
    let is_host_network = spec.host_network == Some(true);
    for containers in [&mut spec.init_containers, &mut spec.containers] {
        // Templates are defaulted once and then shared; a container that is complete stays the same value.
        let mut complete = (**containers).clone();
        complete.iter_mut().for_each(|c| container(c, is_host_network));
        if complete != **containers {
            *containers = Rc::new(complete);
        }
    }
}

fn container(container: &mut Container, is_host_network: bool) {
    let policy = || if has_latest_tag(&container.image) { "Always" } else { "IfNotPresent" };
    if container.image_pull_policy.is_none() {
        container.image_pull_policy = Some(policy().into());
    }
    let rest = Rc::make_mut(container.rest.get_or_insert_default());
    rest.entry("terminationMessagePath").or_insert_with(|| "/dev/termination-log".into());
    rest.entry("terminationMessagePolicy").or_insert_with(|| "File".into());
    for port in &mut container.ports {
        set(&mut port.protocol, "TCP");
        if is_host_network && port.host_port == 0 {
            port.host_port = port.container_port;
        }
    }
    // What has a limit and no request requests its limit.
    for (name, limit) in &container.resources.limits {
        container.resources.requests.entry(name.clone()).or_insert(*limit);
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
    {
        if let Some(probe) = probe {
            self::probe(Rc::make_mut(probe));
        }
    }
}

/// Whether an image has the tag `latest`, or none.
fn has_latest_tag(image: &str) -> bool {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    if name.len() != image.len() {
        return false;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn probe(probe: &mut Probe) {
    let or = |field: &mut Option<i32>, value| {
        if field.unwrap_or(0) == 0 {
            *field = Some(value);
        }
    };
    or(&mut probe.timeout_seconds, 1);
    or(&mut probe.period_seconds, 10);
    or(&mut probe.success_threshold, 1);
    or(&mut probe.failure_threshold, 3);
    if let Some(get) = &mut probe.http_get {
        set(&mut get.path, "/");
        set(&mut get.scheme, "HTTP");
    }
}

fn service(service: &mut Service) {
    let spec = &mut service.spec;
    set(&mut spec.kind, "ClusterIP");
    set(&mut spec.session_affinity, "None");
    if &*spec.kind != "ExternalName" {
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".into());
        spec.ip_family_policy.get_or_insert_with(|| "SingleStack".into());
        if spec.ip_families.is_empty() {
            spec.ip_families.push("IPv4".into());
        }
    }
    for port in Rc::make_mut(&mut spec.ports) {
        set(&mut port.protocol, "TCP");
        let is_unset = match &port.target_port {
            None => true,
            Some(IntOrPercent::Int(number)) => *number == 0,
            Some(IntOrPercent::Text(name)) => name.is_empty(),
        };
        if is_unset {
            port.target_port = Some(IntOrPercent::Int(port.port));
        }
    }
}

fn autoscaler_spec(spec: &mut HorizontalPodAutoscalerSpec) {
    spec.min_replicas.get_or_insert(1);
    if spec.metrics.is_empty() {
        let target = MetricTarget {
            kind: "Utilization".into(),
            average_utilization: Some(80),
            ..MetricTarget::default()
        };
        let resource = Some(ResourceMetricSource { name: "cpu".into(), target, rest: None });
        spec.metrics = Rc::new(vec![MetricSpec { kind: "Resource".into(), resource, rest: None }]);
    }
    let Some(behavior) = &mut spec.behavior else { return };
    let behavior = Rc::make_mut(behavior);
    let policy =
        |kind: &str, value| HpaScalingPolicy { kind: kind.into(), value, period_seconds: 15, rest: None };
    let up = behavior.scale_up.get_or_insert_default();
    up.stabilization_window_seconds.get_or_insert(0);
    up.select_policy.get_or_insert_with(|| "Max".into());
    if up.policies.is_empty() {
        up.policies = vec![policy("Pods", 4), policy("Percent", 100)];
    }
    // The window of scale-downs stays open: unset means the controller's own flag.
    let down = behavior.scale_down.get_or_insert_default();
    down.select_policy.get_or_insert_with(|| "Max".into());
    if down.policies.is_empty() {
        down.policies = vec![policy("Percent", 100)];
    }
}
