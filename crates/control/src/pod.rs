//! Questions about pods that several controllers ask.
//!
//! Upstream: pkg/api/v1/pod/util.go, staging/src/k8s.io/component-helpers/resource/helpers.go.

use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{ConditionStatus, ContainerStatus, Pod, PodSpec, ResourceList, Str, Time, condition};

/// Whether the pod's Ready condition is true.
pub fn is_ready(pod: &Pod) -> bool {
    condition(&pod.status.conditions, "Ready").is_some_and(|ready| ready.status == ConditionStatus::True)
}

/// Whether the pod has been ready for `min_ready_seconds`.
///
/// Upstream: `IsPodAvailable`.
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: Time) -> bool {
    if !is_ready(pod) {
        return false;
    }
    let since = condition(&pod.status.conditions, "Ready").and_then(|ready| ready.last_transition_time);
    let long_enough = |since: Time| since.plus(i64::from(min_ready_seconds) * SECOND) <= now;
    min_ready_seconds == 0 || since.is_some_and(long_enough)
}

/// Whether the pod is neither finished nor being deleted.
///
/// Upstream: `IsPodActive` in pkg/controller/controller_utils.go.
pub fn is_active(pod: &Pod) -> bool {
    !pod.status.phase.is_finished() && !pod.metadata.is_deleting()
}

/// The status of a container by name.
pub fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    pod.status.container_statuses.iter().find(|status| &*status.name == name)
}

/// How often containers have been started again. What stands in a status may be anybody's.
pub fn restarts<'a>(statuses: impl IntoIterator<Item = &'a ContainerStatus>) -> i32 {
    statuses.into_iter().map(|status| status.restart_count).fold(0, i32::saturating_add)
}

/// What the pod requests: the sum over containers and sidecars, or the largest init container if that is more, replaced
/// by what the pod as a whole requests, plus overhead. Amounts are thousandths for `cpu` and whole units for everything
/// else.
///
/// Upstream: `PodRequests`.
pub fn requests(spec: &PodSpec) -> Map<Str, i64> {
    requests_or(spec, &[])
}

/// The same, with amounts for containers that do not name a resource in their requests.
///
/// Upstream: `PodRequests` with `NonMissingContainerRequests`.
pub fn requests_or(spec: &PodSpec, missing: &[(&str, i64)]) -> Map<Str, i64> {
    let mut total = Map::new();
    let mut sidecars: Map<Str, i64> = Map::new();
    let mut init_peak: Map<Str, i64> = Map::new();
    for container in spec.containers.iter() {
        add(&mut total, &container.resources.requests, missing);
    }
    for container in spec.init_containers.iter() {
        let mut during = sidecars.clone();
        add(&mut during, &container.resources.requests, missing);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut total, &container.resources.requests, missing);
            sidecars = during.clone();
        }
        raise(&mut init_peak, &during);
    }
    raise(&mut total, &init_peak);
    for (name, value) in pod_level_requests(spec) {
        total.insert(name, value);
    }
    add(&mut total, &spec.overhead, &[]);
    total
}

/// Requests that the pod makes as a whole (`spec.resources.requests`); only CPU, memory and huge pages can be.
fn pod_level_requests(spec: &PodSpec) -> impl Iterator<Item = (Str, i64)> {
    let resources = spec.rest.as_deref().and_then(|rest| rest.get("resources"));
    let requests = resources.and_then(|resources| resources.get("requests")?.as_object());
    requests.into_iter().flatten().filter_map(|(name, value)| {
        let is_supported = name == "cpu" || name == "memory" || name.starts_with("hugepages-");
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        let quantity = setpoint_api::Quantity::parse(&text).ok()?;
        is_supported.then(|| (name.as_str().into(), amount(name, &quantity)))
    })
}

/// An amount as the scheduler counts it: thousandths for `cpu`, whole units for everything else.
pub fn amount(name: &str, quantity: &setpoint_api::Quantity) -> i64 {
    if name == "cpu" { quantity.milli_value() } else { quantity.value() }
}

fn add(total: &mut Map<Str, i64>, list: &ResourceList, missing: &[(&str, i64)]) {
    let mut put = |name: Str, value: i64| {
        let sum = total.entry(name).or_insert(0);
        *sum = sum.saturating_add(value);
    };
    for (name, quantity) in list {
        put(name.clone(), amount(name, quantity));
    }
    for (name, value) in missing.iter().filter(|(name, _)| !list.contains_key(*name)) {
        put((*name).into(), *value);
    }
}

fn raise(total: &mut Map<Str, i64>, peak: &Map<Str, i64>) {
    for (name, value) in peak {
        let sum = total.entry(name.clone()).or_insert(0);
        *sum = (*sum).max(*value);
    }
}
