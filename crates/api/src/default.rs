//! Default values that the API server fills in.
//!
//! Upstream: pkg/apis/{core,apps,autoscaling}/v*/defaults.go.

mod idle;
mod stored;

pub use stored::{count_template, own_selector};

use crate::wire::Rest;
use crate::*;
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// Fills in what an object leaves out.
pub fn apply(object: &mut Object) {
    match object {
        Object::Namespace(namespace) => self::namespace(Rc::make_mut(namespace)),
        Object::Node(node) => self::node(Rc::make_mut(node)),
        Object::Pod(pod) => self::pod(Rc::make_mut(pod)),
        Object::ReplicaSet(set) => replica_set(Rc::make_mut(set)),
        Object::Deployment(deployment) => self::deployment(Rc::make_mut(deployment)),
        Object::Service(service) => self::service(Rc::make_mut(service)),
        Object::EndpointSlice(slice) => endpoint_slice(Rc::make_mut(slice)),
        Object::HorizontalPodAutoscaler(autoscaler) => autoscaler_spec(&mut Rc::make_mut(autoscaler).spec),
        _ => stored::apply(object),
    }
}

fn set(field: &mut Str, value: &str) {
    if field.is_empty() {
        *field = value.into();
    }
}

/// Name and default of an unmodelled field.
type Default = (&'static str, fn() -> Value);

/// Sets unmodelled fields that are absent or null. What is complete stays the same shared value.
fn set_rest(rest: &mut Rest, defaults: &[Default]) {
    for (key, default) in defaults {
        if rest.as_ref().and_then(|map| map.get(*key)).is_none_or(Value::is_null) {
            Rc::make_mut(rest.get_or_insert_default()).insert((*key).to_string(), default());
        }
    }
}

fn namespace(namespace: &mut Namespace) {
    const NAME: &str = "kubernetes.io/metadata.name";
    let name = namespace.metadata.name.clone();
    if !name.is_empty() && namespace.metadata.label(NAME) != Some(&*name) {
        namespace.metadata.set_label(NAME, &name);
    }
    set(&mut namespace.status.phase, "Active");
}

fn node(node: &mut Node) {
    if node.status.allocatable.is_empty() {
        node.status.allocatable = node.status.capacity.clone();
    }
}

fn replica_set(set: &mut ReplicaSet) {
    set.spec.replicas.get_or_insert(1);
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

fn template(template: &mut Rc<PodTemplateSpec>) {
    pod_spec(Rc::make_mut(&mut Rc::make_mut(template).spec));
}

/// What only a pod itself is given, not the template that it was made from.
fn pod(pod: &mut Pod) {
    let spec = &mut pod.spec;
    pod_spec(spec);
    set_rest(&mut spec.rest, &[("enableServiceLinks", || true.into())]);
    // Upstream takes a negative grace for one second.
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        spec.termination_grace_period_seconds = Some(1);
    }
    let is_host_network = spec.host_network == Some(true);
    for containers in [&mut spec.init_containers, &mut spec.containers] {
        complete(containers, |container| {
            // What has a limit and no request requests its limit.
            for (name, limit) in &container.resources.limits {
                container.resources.requests.entry(name.clone()).or_insert(*limit);
            }
            for port in container.ports.iter_mut().filter(|port| is_host_network && port.host_port == 0) {
                port.host_port = port.container_port;
            }
        });
    }
}

fn pod_spec(spec: &mut PodSpec) {
    account(spec);
    spec.restart_policy.get_or_insert_with(|| "Always".into());
    spec.termination_grace_period_seconds.get_or_insert(30);
    set(&mut spec.scheduler_name, "default-scheduler");
    set_rest(&mut spec.rest, &[("dnsPolicy", || "ClusterFirst".into()), ("securityContext", || json!({}))]);
    volumes(&mut spec.rest);
    complete(&mut spec.init_containers, container);
    complete(&mut spec.containers, container);
}

/// The account's old name counts where the new one is not given.
fn account(spec: &mut PodSpec) {
    if spec.service_account_name.is_empty()
        && let Some(name) =
            spec.rest.as_ref().and_then(|rest| rest.get("serviceAccount")).and_then(Value::as_str)
    {
        spec.service_account_name = name.into();
    }
}

/// Completes containers. Templates are completed once and then shared: what is complete stays the same value.
fn complete(containers: &mut Rc<Vec<Container>>, change: impl FnMut(&mut Container)) {
    let mut completed = (**containers).clone();
    completed.iter_mut().for_each(change);
    if completed != **containers {
        *containers = Rc::new(completed);
    }
}

/// Volumes, which are kept but not modelled.
fn volumes(rest: &mut Rest) {
    let Some(Value::Array(volumes)) = rest.as_ref().and_then(|map| map.get("volumes")) else { return };
    let mut completed = volumes.clone();
    completed.iter_mut().filter_map(Value::as_object_mut).for_each(volume);
    if completed != *volumes
        && let Some(map) = rest
    {
        Rc::make_mut(map).insert("volumes".into(), Value::Array(completed));
    }
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.iter().all(|(key, value)| key == "name" || value.is_null()) {
        volume.insert("emptyDir".into(), json!({}));
    }
    for (source, field, value) in [
        ("hostPath", "type", json!("")),
        ("secret", "defaultMode", json!(0o644)),
        ("configMap", "defaultMode", json!(0o644)),
        ("downwardAPI", "defaultMode", json!(0o644)),
        ("projected", "defaultMode", json!(0o644)),
    ] {
        if let Some(Value::Object(source)) = volume.get_mut(source) {
            source.entry(field).or_insert(value);
        }
    }
    source_of_drivers(volume);
    let projected = volume.get_mut("projected").and_then(|source| source.get_mut("sources"));
    for part in projected.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::Object(token)) = part.get_mut("serviceAccountToken") {
            token.entry("expirationSeconds").or_insert_with(|| 3600.into());
        }
        if let Some(source) = part.get_mut("downwardAPI") {
            pod_fields(source);
        }
    }
    if let Some(source) = volume.get_mut("downwardAPI") {
        pod_fields(source);
    }
}

/// Fields of a pod as files name the version of those fields.
fn pod_fields(source: &mut Value) {
    for file in source.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::Object(field)) = file.get_mut("fieldRef") {
            field.entry("apiVersion").or_insert_with(|| "v1".into());
        }
    }
}

/// What drivers of volumes are told where nothing else is said, in pods and in volumes of the cluster.
fn source_of_drivers(spec: &mut Map<String, Value>) {
    const DEFAULTS: [(&str, &[(&str, &str)]); 4] = [
        ("iscsi", &[("iscsiInterface", "default")]),
        ("rbd", &[("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")]),
        ("azureDisk", &[("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4")]),
        ("scaleIO", &[("storageMode", "ThinProvisioned"), ("fsType", "xfs")]),
    ];
    for (source, defaults) in DEFAULTS {
        let Some(Value::Object(source)) = spec.get_mut(source) else { continue };
        for (key, value) in defaults {
            source.entry(*key).or_insert_with(|| (*value).into());
        }
    }
    if let Some(Value::Object(disk)) = spec.get_mut("azureDisk") {
        disk.entry("readOnly").or_insert_with(|| false.into());
    }
}

fn container(container: &mut Container) {
    let policy = || if has_latest_tag(&container.image) { "Always" } else { "IfNotPresent" };
    if container.image_pull_policy.is_none() {
        container.image_pull_policy = Some(policy().into());
    }
    set_rest(
        &mut container.rest,
        &[
            ("terminationMessagePath", || "/dev/termination-log".into()),
            ("terminationMessagePolicy", || "File".into()),
        ],
    );
    for port in &mut container.ports {
        set(&mut port.protocol, "TCP");
    }
    for amounts in [&mut container.resources.limits, &mut container.resources.requests] {
        amounts.values_mut().for_each(whole_millis);
    }
    let probes =
        [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    for probe in probes.into_iter().flatten() {
        self::probe(Rc::make_mut(probe));
    }
    for variable in &mut container.env {
        environment(variable);
    }
}

/// Rounds an amount up to thousandths, the finest that the API keeps.
fn whole_millis(amount: &mut Quantity) {
    if amount.nano_value() % 1_000_000 != 0 {
        *amount = Quantity::from_milli(amount.milli_value());
    }
}

/// A variable that takes its value from a field of the pod names the version of that field.
fn environment(variable: &mut EnvVar) {
    let source =
        variable.rest.as_ref().and_then(|map| map.get("valueFrom")).and_then(|from| from.get("fieldRef"));
    if source.is_none_or(|source| !source.is_object() || source.get("apiVersion").is_some()) {
        return;
    }
    if let Some(map) = &mut variable.rest
        && let Some(source) = Rc::make_mut(map).get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef"))
        && let Some(source) = source.as_object_mut()
    {
        source.insert("apiVersion".into(), "v1".into());
    }
}

/// Whether an image has the tag `latest`, or neither a tag nor a digest.
fn has_latest_tag(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none() && !image.is_empty(),
    }
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
    if let Some(Value::Object(grpc)) = &mut probe.grpc {
        grpc.entry("service").or_insert_with(|| "".into());
    }
}

fn service(service: &mut Service) {
    let spec = &mut service.spec;
    set(&mut spec.session_affinity, "None");
    match &*spec.session_affinity {
        "ClientIP" => client_ip(&mut spec.rest),
        "None" if spec.rest.as_ref().is_some_and(|map| map.contains_key("sessionAffinityConfig")) => {
            Rc::make_mut(spec.rest.get_or_insert_default()).remove("sessionAffinityConfig");
        }
        _ => {}
    }
    set(&mut spec.kind, "ClusterIP");
    if &*spec.kind != "ExternalName" {
        // Upstream's registry gives the families out together with the address.
        spec.ip_family_policy.get_or_insert_with(|| "SingleStack".into());
        if spec.ip_families.is_empty() {
            spec.ip_families.push("IPv4".into());
        }
    }
    if matches!(&*spec.kind, "ClusterIP" | "NodePort" | "LoadBalancer") {
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".into());
    }
    // Addresses of one's own let traffic in from outside, too.
    let addresses = spec.rest.as_ref().and_then(|rest| rest.get("externalIPs")).and_then(Value::as_array);
    let has_addresses = addresses.is_some_and(|addresses| !addresses.is_empty());
    if matches!(&*spec.kind, "NodePort" | "LoadBalancer") || (&*spec.kind == "ClusterIP" && has_addresses) {
        set_rest(&mut spec.rest, &[("externalTrafficPolicy", || "Cluster".into())]);
    }
    if &*spec.kind == "LoadBalancer" {
        set_rest(&mut spec.rest, &[("allocateLoadBalancerNodePorts", || true.into())]);
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
    if service.status.is_null() {
        service.status = json!({ "loadBalancer": {} });
    }
}

/// Clients that stick to a pod do so for three hours.
fn client_ip(rest: &mut Rest) {
    set_rest(rest, &[("sessionAffinityConfig", || json!({ "clientIP": { "timeoutSeconds": 10800 } }))]);
}

fn endpoint_slice(slice: &mut EndpointSlice) {
    for port in &mut slice.ports {
        port.name.get_or_insert_default();
        port.protocol.get_or_insert_with(|| "TCP".into());
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
