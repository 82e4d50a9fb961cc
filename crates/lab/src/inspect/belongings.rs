//! What a pod consists of and what it has a part in: containers, what they share, claims, budget, priority.

use super::parts::{link, row, row_if};
use super::storage::claims_of;
use super::{Inspection, Row};
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::{Container, ContainerStatus, Kind, PersistentVolumeClaim, Pod};
use setpoint_control::{disruption, pod as pods};
use setpoint_sim::Sim;
use std::rc::Rc;

/// The containers of a pod one by one, if there are several, and what they share.
pub(super) fn containers(pod: &Pod) -> Vec<Row> {
    let init = pod.spec.init_containers.iter().map(|container| (container, true));
    let all: Vec<(&Container, bool)> =
        init.chain(pod.spec.containers.iter().map(|container| (container, false))).gather();
    if all.len() < 2 {
        return Vec::new();
    }
    let mut rows: Vec<Row> = all.iter().map(|(container, is_init)| one(pod, container, *is_init)).collect();
    let names = all.iter().filter(|(_, is_init)| !is_init).map(|(container, _)| container.name.to_string());
    let names = names.gather().join(", ");
    let address = if pod.status.pod_ip.is_empty() { "none yet" } else { &*pod.status.pod_ip };
    rows.push(row("shared address", &"", &format_args!("{address}, and localhost, for {names}")));
    for (volume, users) in shared_volumes(&all) {
        rows.push(row("shared volume", &"", &format_args!("{volume}: {users}")));
    }
    rows
}

fn one(pod: &Pod, container: &Container, is_init: bool) -> Row {
    let sidecar = container.restart_policy.as_deref() == Some("Always");
    let wanted = match (is_init, sidecar) {
        (true, true) => "runs beside (sidecar)",
        (true, false) => "ends before the others start",
        _ => "runs",
    };
    let all = &pod.status.init_container_statuses;
    let status = if is_init {
        all.iter().find(|status| status.name == container.name)
    } else {
        pods::container_status(pod, &container.name)
    };
    let (is_well, is) = status.map_or((false, "not started".to_string()), told);
    row_if(!is_well, &format!("container {}", container.name), &wanted, &is)
}

/// Whether a container is well, and how it is.
fn told(status: &ContainerStatus) -> (bool, String) {
    let restarts = match status.restart_count {
        0 => String::new(),
        1 => ", 1 restart".to_string(),
        count => format!(", {count} restarts"),
    };
    let state = &status.state;
    let (is_well, is) = if let Some(waiting) = &state.waiting {
        (false, waiting.reason.to_string())
    } else if let Some(ended) = &state.terminated {
        (ended.exit_code == 0, format!("{}, exit code {}", ended.reason, ended.exit_code))
    } else if state.running.is_some() {
        (status.ready, if status.ready { "runs, ready" } else { "runs, not ready" }.to_string())
    } else {
        (false, "not started".to_string())
    };
    (is_well, is + &restarts)
}

/// Volumes that more than one container mounts.
fn shared_volumes(all: &[(&Container, bool)]) -> Vec<(String, String)> {
    let mut users: Vec<(String, Vec<String>)> = Vec::new();
    for (container, _) in all {
        let mounts =
            container.rest.as_ref().and_then(|rest| rest.get("volumeMounts")).and_then(Value::as_array);
        for mount in mounts.into_iter().flatten() {
            let name = mount["name"].as_str().unwrap_or_default();
            match users.iter_mut().find(|(known, _)| known == name) {
                Some((_, names)) => names.push(container.name.to_string()),
                None => users.push((name.to_string(), vec![container.name.to_string()])),
            }
        }
    }
    users.retain(|(name, names)| names.len() > 1 && !name.starts_with("kube-api-access"));
    users.into_iter().map(|(name, names)| (name, names.join(", "))).collect()
}

/// Claims, budget and priority, with ways to them.
pub(super) fn ties(sim: &Sim, pod: &Rc<Pod>, page: &mut Inspection) {
    let store = sim.store();
    for name in claims_of(&pod.spec) {
        let claim = store.find::<PersistentVolumeClaim>(&pod.metadata.namespace, &name);
        let state = claim
            .map_or_else(|| "there is no such claim".into(), |claim| super::storage::claim_state(claim).1);
        let attached = claim.map_or_else(String::new, |claim| super::storage::attached(sim, claim));
        let comma = if attached.is_empty() { "" } else { ", " };
        let is_there = state.starts_with("Bound") && !attached.contains("ing ");
        page.rows.push(row_if(!is_there, "volume", &name, &format_args!("{state}{comma}{attached}")));
        let claim = claim.and_then(|claim| store.object(claim.metadata.id));
        page.children.extend(claim.map(|claim| link(sim, claim)));
    }
    for budget in disruption::budgets_of(store, pod) {
        page.children.extend(store.object(budget.metadata.id).map(|budget| link(sim, budget)));
    }
    if let Some(refusal) = sim.refusals().find(|refusal| refusal.pod.metadata.id == pod.metadata.id) {
        let budget = &refusal.budget.metadata.name;
        let is = format!("budget {budget} refuses; asked again every 5 s");
        page.rows.push(row_if(true, "eviction", &"asked for", &is));
    }
    let class = &pod.spec.priority_class_name;
    if let (Some(value), false) = (pod.spec.priority, class.is_empty()) {
        page.rows.push(row("priority", &"", &format_args!("{class}, {value}")));
        let class = store.id_of(Kind::PriorityClass, "", class).and_then(|id| store.object(id));
        page.children.extend(class.map(|class| link(sim, class)));
    }
    if let Some(other) = crate::tiles::preemptor(sim, pod) {
        page.rows.push(row_if(true, "preempted", &"to stay", &format_args!("{other} takes its place")));
    }
    let nominated = &pod.status.nominated_node_name;
    if !nominated.is_empty() && pod.spec.node_name.is_none() {
        let is = format!("{nominated}, once those that make room are gone");
        page.rows.push(row("nominated for", &"", &is));
    }
}
