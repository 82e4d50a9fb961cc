//! Containers: names, images, ports, environment, resources.
//!
//! Upstream: pkg/apis/core/validation/validation.go `validateContainers`, `validateInitContainers`,
//! `ValidateContainerResourceRequirements`.

use super::cause::{Errors, Path};
use super::pod_spec::{field, items, text};
use super::probe::{self, lifecycle};
use super::volume::{devices, mounts};
use super::{environment, security};
use crate::map::{Map, Set};
use crate::names::{is_dns1123_label, is_qualified_name, is_valid_port_name};
use crate::{
    Container, ContainerPort, Gather as _, PodSpec, Quantity, ResourceList, ResourceRequirements, Str,
};
use serde_json::Value;

/// The pod's volumes by name, with whether each is a claim, which may be a block device.
pub(super) type Volumes<'a> = Map<&'a str, bool>;

const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];

/// Regular containers, of which there must be one.
pub(super) fn containers(spec: &PodSpec, volumes: &Volumes, path: &Path, errors: &mut Errors) {
    let (containers, grace) = (&spec.containers, spec.termination_grace_period_seconds);
    if containers.is_empty() {
        errors.required(path, "");
        return;
    }
    let mut names = Set::new();
    for (index, container) in containers.iter().enumerate() {
        let at = path.index(index);
        common(container, spec, volumes, &at, errors);
        if !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name, "");
        }
        checks(container, grace, &at, errors);
        if let Some(policy) = &container.restart_policy {
            errors.one_of(&at.child("restartPolicy"), policy, &RESTART_POLICIES);
        }
    }
    host_port_conflicts(containers, path, errors);
}

/// Init containers: checks of health only for those that go on as sidecars.
pub(super) fn init_containers(spec: &PodSpec, volumes: &Volumes, path: &Path, errors: &mut Errors) {
    let mut names: Set<_> = spec.containers.iter().map(|container| &container.name).collect();
    for (index, container) in spec.init_containers.iter().enumerate() {
        let at = path.index(index);
        common(container, spec, volumes, &at, errors);
        if let Some(policy) = &container.restart_policy {
            errors.one_of(&at.child("restartPolicy"), policy, &RESTART_POLICIES);
        }
        if !container.name.is_empty() && !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name, "");
        }
        host_port_conflicts(std::slice::from_ref(container), path, errors);
        if container.restart_policy.as_deref() == Some("Always") {
            checks(container, spec.termination_grace_period_seconds, &at, errors);
            continue;
        }
        let fields = [
            ("lifecycle", container.lifecycle.is_some()),
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
        ];
        for (name, _) in fields.into_iter().filter(|(_, is_set)| *is_set) {
            let detail = "may not be set for init containers without restartPolicy=Always";
            errors.forbidden(&at.child(name), detail);
        }
    }
}

fn checks(container: &Container, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(hooks) = &container.lifecycle {
        lifecycle(hooks, grace, &path.child("lifecycle"), errors);
    }
    if let Some(probe) = &container.liveness_probe {
        probe::failing_restarts(probe, &path.child("livenessProbe"), errors);
    }
    if let Some(probe) = &container.readiness_probe {
        probe::readiness(probe, &path.child("readinessProbe"), errors);
    }
    if let Some(probe) = &container.startup_probe {
        probe::failing_restarts(probe, &path.child("startupProbe"), errors);
    }
}

fn common(container: &Container, spec: &PodSpec, volumes: &Volumes, path: &Path, errors: &mut Errors) {
    let at = path.child("name");
    if container.name.is_empty() {
        errors.required(&at, "");
    } else {
        errors.problems(&at, &container.name, is_dns1123_label(&container.name));
    }
    if container.image.is_empty() {
        errors.required(&path.child("image"), "");
    }
    let policy = text(field(&container.rest, "terminationMessagePolicy"));
    errors.one_of(&path.child("terminationMessagePolicy"), policy, &["File", "FallbackToLogsOnError"]);
    ports(&container.ports, &path.child("ports"), errors);
    environment::variables(&container.env, &path.child("env"), errors);
    environment::groups(items(field(&container.rest, "envFrom")), &path.child("envFrom"), errors);
    let privileged = field(&container.rest, "securityContext").and_then(|context| context.get("privileged"));
    let is_privileged = privileged.and_then(Value::as_bool) == Some(true);
    let list = |key: &str| items(field(&container.rest, key));
    let (mounted, block) = (list("volumeMounts"), list("volumeDevices"));
    mounts(mounted, block, volumes, is_privileged, &path.child("volumeMounts"), errors);
    devices(block, mounted, volumes, &path.child("volumeDevices"), errors);
    let policy = container.image_pull_policy.as_deref().unwrap_or_default();
    errors.one_of(&path.child("imagePullPolicy"), policy, &["Always", "IfNotPresent", "Never"]);
    resources(&container.resources, spec, &path.child("resources"), errors);
    resize_policies(list("resizePolicy"), spec, &path.child("resizePolicy"), errors);
    if let Some(context) = field(&container.rest, "securityContext") {
        let has_own_users = field(&spec.rest, "hostUsers").and_then(Value::as_bool) == Some(false);
        security::of_container(context, has_own_users, &path.child("securityContext"), errors);
    }
}

/// What becomes of a container whose resources change.
fn resize_policies(policies: &[Value], spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let mut seen = Set::new();
    for (index, policy) in policies.iter().enumerate() {
        let (name, restart) = (text(policy.get("resourceName")), text(policy.get("restartPolicy")));
        if !seen.insert(name) {
            errors.duplicate(&path.index(index), name, "");
        }
        errors.one_of(path, name, &["cpu", "memory"]);
        errors.one_of(path, restart, &["NotRequired", "RestartContainer"]);
        if spec.restart_policy.as_deref() == Some("Never") && restart != "NotRequired" {
            errors.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
    }
}

fn ports(ports: &[ContainerPort], path: &Path, errors: &mut Errors) {
    let mut names = Set::new();
    for (index, port) in ports.iter().enumerate() {
        let at = path.index(index);
        if !port.name.is_empty() {
            let problems = is_valid_port_name(&port.name);
            if problems.is_empty() && !names.insert(&port.name) {
                errors.duplicate(&at.child("name"), &port.name, "");
            }
            errors.problems(&at.child("name"), &port.name, problems);
        }
        if port.container_port == 0 {
            errors.required(&at.child("containerPort"), "");
        } else {
            errors.port_number(&at.child("containerPort"), i64::from(port.container_port));
        }
        if port.host_port != 0 {
            errors.port_number(&at.child("hostPort"), i64::from(port.host_port));
        }
        errors.one_of(&at.child("protocol"), &port.protocol, &["SCTP", "TCP", "UDP"]);
    }
}

/// Two containers of a pod cannot have the same port of the node. A container alone is told as the first.
fn host_port_conflicts(containers: &[Container], path: &Path, errors: &mut Errors) {
    let mut taken = Set::new();
    for (i, container) in containers.iter().enumerate() {
        for (j, port) in container.ports.iter().enumerate().filter(|(_, port)| port.host_port != 0) {
            let key = format!("{}/{}/{}", port.protocol, port.host_ip, port.host_port);
            if taken.contains(&key) {
                let at = path.index(i);
                let at = at.child("ports");
                errors.duplicate(&at.index(j).child("hostPort"), key.as_str(), "");
            }
            taken.insert(key);
        }
    }
}

fn resources(resources: &ResourceRequirements, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let (limits, requests) = (path.child("limits"), path.child("requests"));
    for (name, limit) in &resources.limits {
        amount(name, limit, &limits.key(name), errors);
        whole_pages(name, limit, &limits.key(name), errors);
    }
    for (name, request) in &resources.requests {
        amount(name, request, &requests.key(name), errors);
        whole_pages(name, request, &requests.key(name), errors);
        match resources.limits.get(name) {
            Some(limit) if request != limit && !may_overcommit(name) => {
                let detail = format!("must be equal to {name} limit of {limit}");
                errors.invalid(&requests, request, &detail);
            }
            Some(limit) if request > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(&requests, request, &detail);
            }
            None if !may_overcommit(name) => {
                errors.required(&limits, "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
    }
    let names = || resources.limits.keys().chain(resources.requests.keys());
    let is_plain = |name: &Str| matches!(&**name, "cpu" | "memory");
    if names().any(|name| name.starts_with("hugepages-")) && !names().any(is_plain) {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
    claims(items(field(&resources.rest, "claims")), spec, &path.child("claims"), errors);
}

/// Claims of the pod that a container uses.
fn claims(claims: &[Value], spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let known = items(field(&spec.rest, "resourceClaims"));
    let mut known: Vec<&str> = known.iter().map(|claim| text(claim.get("name"))).gather();
    crate::order::sort(&mut known);
    let mut seen = Set::new();
    for (index, claim) in claims.iter().enumerate() {
        let (at, name) = (path.index(index), text(claim.get("name")));
        if name.is_empty() {
            errors.required(&at, "");
            continue;
        }
        if !seen.insert(name) {
            errors.duplicate(&at, name, "");
        }
        if !known.contains(&name) {
            let rest = match known.as_slice() {
                [] => " which is empty".to_owned(),
                names => format!(": {}", names.join(", ")),
            };
            let detail = format!("must be one of the names in pod.spec.resourceClaims{rest}");
            errors.not_found(&at, name, &detail);
        }
    }
}

/// Amounts by resource name.
pub(super) fn amounts(amounts: &ResourceList, path: &Path, errors: &mut Errors) {
    for (name, quantity) in amounts {
        amount(name, quantity, &path.key(name), errors);
    }
}

fn amount(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    resource_name(name, path, errors);
    if *quantity < Quantity::ZERO {
        errors.invalid(path, quantity, "must be greater than or equal to 0");
    }
    if !is_native(name) && quantity.milli_value() % 1000 != 0 {
        errors.invalid(path, quantity, "must be an integer");
    }
}

/// Large pages of memory are given out whole.
fn whole_pages(name: &str, quantity: &Quantity, path: &Path, errors: &mut Errors) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let size = Quantity::parse(size).map_or(0, |size| size.value());
    if size <= 0 || quantity.value() % size != 0 {
        let detail = format!("{quantity} is not positive integer multiple of {name}");
        errors.invalid(path, quantity, &detail);
    }
}

/// The name of something that a container may ask for.
pub(super) fn resource_name(name: &str, path: &Path, errors: &mut Errors) {
    let problems = is_qualified_name(name);
    let is_wrong = !problems.is_empty();
    errors.problems(path, name, problems);
    if !name.contains('/') && !is_standard(name) {
        if !is_wrong && !super::limits::is_standard(name) {
            errors.invalid(path, name, "must be a standard resource type or fully qualified");
        }
        errors.invalid(path, name, "must be a standard resource for containers");
    } else if !is_native(name) && name.starts_with("requests.") {
        errors.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

fn is_standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
}

/// Resources of Kubernetes itself have no domain, or one of its own.
pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Only amounts that the kernel shares out may be promised more than once.
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !name.starts_with("hugepages-")
}
