//! What an object counts for in a ResourceQuota.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/quota/v1/resources.go, pkg/quota/v1/evaluator/core/{pods,services,
//! persistent_volume_claims}.go, staging/src/k8s.io/component-helpers/resource/helpers.go.
//! Simplified: a claim counts with its storage class, but not with its resize.

use serde_json::Value;
use setpoint_api::map::Map;
use setpoint_api::{Object, Pod, PodSpec, Quantity, ResourceList, ResourceRequirements, Str, schema};

/// Amounts by the names that quotas have for them.
pub type Usage = Map<Str, Quantity>;

const ONE: Quantity = Quantity::from_value(1, setpoint_api::quantity::Format::DecimalSi);

/// The name of the number of objects of a resource.
pub(super) fn count_of(resource: schema::Resource) -> Str {
    format!("count/{}", resource.full_name()).into()
}

/// What an object counts for.
pub fn usage(object: &Object) -> Usage {
    let served = schema::resource_of(&object.api_version(), &object.kind_name());
    served.map(|resource| usage_as(resource, object)).unwrap_or_default()
}

/// The same for an object of a resource, which it takes long to look up.
pub(super) fn usage_as(resource: schema::Resource, object: &Object) -> Usage {
    let mut used = Usage::new();
    used.insert(count_of(resource), ONE);
    match object {
        Object::Pod(pod) => used.extend(pod_usage(pod)),
        Object::Service(service) => {
            used.insert("services".into(), ONE);
            if &*service.spec.kind == "LoadBalancer" {
                used.insert("services.loadbalancers".into(), ONE);
            }
            if matches!(&*service.spec.kind, "LoadBalancer" | "NodePort") {
                let ports = service.spec.ports.len() as i64;
                let ports = Quantity::from_value(ports, setpoint_api::quantity::Format::DecimalSi);
                used.insert("services.nodeports".into(), ports);
            }
        }
        Object::PersistentVolumeClaim(claim) => {
            let spec = claim.rest.as_ref().and_then(|rest| rest.get("spec")).unwrap_or(&Value::Null);
            let amount =
                spec["resources"]["requests"]["storage"].as_str().and_then(|text| Quantity::parse(text).ok());
            let class = spec["storageClassName"].as_str().filter(|class| !class.is_empty());
            let prefixes = class.map(|class| format!("{class}.storageclass.storage.k8s.io/"));
            for prefix in prefixes.into_iter().chain([String::new()]) {
                used.insert(format!("{prefix}persistentvolumeclaims").into(), ONE);
                if let Some(amount) = amount {
                    used.insert(format!("{prefix}requests.storage").into(), amount);
                }
            }
        }
        Object::ConfigMap(_)
        | Object::Secret(_)
        | Object::ReplicationController(_)
        | Object::ResourceQuota(_) => {
            used.insert(resource.plural.into(), ONE);
        }
        _ => {}
    }
    used
}

/// What a pod counts for: finished ones only as objects.
pub fn pod_usage(pod: &Pod) -> Usage {
    let mut used = Usage::new();
    used.insert("count/pods".into(), ONE);
    if pod.status.phase.is_finished() {
        return used;
    }
    used.insert("pods".into(), ONE);
    let requests = total(&pod.spec, "requests", |resources| &resources.requests);
    let limits = total(&pod.spec, "limits", |resources| &resources.limits);
    used.extend(compute(&requests, &limits));
    used
}

/// Requests and limits under the names of quotas.
///
/// Upstream: `podComputeUsageHelper`.
fn compute(requests: &Usage, limits: &Usage) -> Usage {
    let mut used = Usage::new();
    for (name, amount) in requests {
        let is_plain =
            matches!(&**name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        let is_extended = (name.contains('/') && !name.contains("kubernetes.io/"))
            || name.starts_with("deviceclass.resource.kubernetes.io/");
        if is_plain {
            used.insert(name.clone(), *amount);
        }
        if is_plain || is_extended {
            used.insert(format!("requests.{name}").into(), *amount);
        }
    }
    for name in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(amount) = limits.get(name) {
            used.insert(format!("limits.{name}").into(), *amount);
        }
    }
    used
}

/// The requests or limits of a pod: of its containers together, or of the greatest init container, or of the pod as a whole.
fn total(spec: &PodSpec, field: &str, pick: fn(&ResourceRequirements) -> &ResourceList) -> Usage {
    let mut total = Usage::new();
    for container in spec.containers.iter() {
        add(&mut total, pick(&container.resources));
    }
    let (mut peak, mut sidecars) = (Usage::new(), Usage::new());
    for container in spec.init_containers.iter() {
        let own = pick(&container.resources);
        let mut during = sidecars.clone();
        add(&mut during, own);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut total, own);
            sidecars = during.clone();
        }
        raise(&mut peak, &during);
    }
    raise(&mut total, &peak);
    let of_pod = spec.rest.as_deref().and_then(|rest| rest.get("resources")?.get(field)?.as_object());
    for (name, amount) in of_pod.into_iter().flatten() {
        if let Some(amount) = amount.as_str().and_then(|text| Quantity::parse(text).ok()) {
            total.insert(name.as_str().into(), amount);
        }
    }
    for (name, amount) in spec.overhead.iter() {
        // Overhead adds to a limit only where there is one.
        if field == "requests" || total.contains_key(name) {
            *total.entry(name.clone()).or_default() += *amount;
        }
    }
    total
}

fn add(total: &mut Usage, amounts: &ResourceList) {
    for (name, amount) in amounts.iter() {
        *total.entry(name.clone()).or_default() += *amount;
    }
}

fn raise(total: &mut Usage, amounts: &Usage) {
    for (name, amount) in amounts {
        let slot = total.entry(name.clone()).or_default();
        *slot = (*slot).max(*amount);
    }
}

/// Resources of a quota that a container does not say how much it needs of.
pub fn unnamed(resources: &ResourceRequirements, hard: &Usage) -> Vec<Str> {
    let own =
        |list: &ResourceList| list.iter().map(|(name, amount)| (name.clone(), *amount)).collect::<Usage>();
    let named = compute(&own(&resources.requests), &own(&resources.limits));
    let must_be = |name: &&Str| {
        matches!(
            &***name,
            "cpu" | "memory" | "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory"
        )
    };
    hard.keys().filter(must_be).filter(|name| !named.contains_key(*name)).cloned().collect()
}
