//! StatefulSets, DaemonSets and ReplicationControllers: what is asked for against what there is, place by place.

use super::parts::{links, owners, row, row_if};
use super::{Inspection, Row, Tone};
use crate::tiles::first_image;
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::wire::kept;
use setpoint_api::{
    DaemonSet, Node, ObjectMeta, PersistentVolumeClaim, Pod, ReplicationController, StatefulSet, Uid,
};
use setpoint_control::pod as pods;
use setpoint_sim::Sim;
use std::rc::Rc;

/// Places that are shown one by one.
const PLACES_MAX: i32 = 30;

/// So many of so many are ready.
pub(super) fn counted(ready: i32, wanted: i32) -> (Tone, Rc<str>) {
    let tone = if ready == wanted { Tone::Good } else { Tone::Busy };
    (tone, format!("{ready}/{wanted} ready").into())
}

/// The revision of a StatefulSet's template, by its hash.
fn hash(revision: &str) -> &str {
    revision.rsplit('-').next().unwrap_or(revision)
}

/// Fills in what is particular to StatefulSets.
pub(super) fn stateful_set(sim: &Sim, of: &StatefulSet, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let wanted = spec.replicas.unwrap_or(1);
    let or = |text: &str, other: &str| if text.is_empty() { other.to_string() } else { text.to_string() };
    let rolling = spec.update_strategy.rolling_update.as_ref();
    let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or(0);
    let order = or(&spec.pod_management_policy, "OrderedReady");
    let how = if order == "Parallel" { "all at once" } else { "one after the other, each ready first" };
    let retention = &spec.persistent_volume_claim_retention_policy;
    let is_updating = status.update_revision != status.current_revision;
    page.rows = vec![
        row("replicas", &wanted, &status.replicas),
        row("ready", &wanted, &status.ready_replicas),
        row("available", &wanted, &status.available_replicas),
        row_if(is_updating, "updated", &wanted, &if is_updating { status.updated_replicas } else { wanted }),
        row_if(
            is_updating,
            "revision",
            &hash(&status.update_revision),
            &format_args!("{} is current", hash(&status.current_revision)),
        ),
        row("image", &"", &first_image(&spec.template.spec)),
        row("order", &"", &format_args!("{order}: {how}")),
        row("partition", &"", &format_args!("{partition}: places below keep their revision")),
        row("Service", &"", &or(&spec.service_name, "none")),
        row(
            "claims",
            &"",
            &format_args!(
                "{} when deleted, {} when scaled down",
                or(&retention.when_deleted, "Retain"),
                or(&retention.when_scaled, "Retain")
            ),
        ),
    ];
    let start = spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start);
    let templates: Vec<_> =
        spec.volume_claim_templates.iter().map(|template| template.metadata.name.clone()).gather();
    for ordinal in start..start.saturating_add(wanted.clamp(0, PLACES_MAX)) {
        page.rows.push(place(sim, &of.metadata, ordinal, &templates));
    }
    own_pods(sim, of.metadata.uid, page);
    let is_own = |claim: &&Rc<PersistentVolumeClaim>| {
        let place = |template: &setpoint_api::Str| {
            let rest = claim.metadata.name.strip_prefix(&**template)?.strip_prefix('-')?;
            rest.strip_prefix(&*of.metadata.name)?.strip_prefix('-')?.parse::<u32>().ok()
        };
        templates.iter().any(|template| place(template).is_some())
    };
    let claims = sim.store().list_in::<PersistentVolumeClaim>(&of.metadata.namespace).filter(is_own);
    page.children.extend(links(sim, claims.filter_map(|claim| sim.store().object(claim.metadata.id))));
}

/// One place of a StatefulSet: its name never changes, whoever sits there.
fn place(sim: &Sim, set: &ObjectMeta, ordinal: i32, templates: &[setpoint_api::Str]) -> Row {
    let name = format!("{}-{ordinal}", set.name);
    let claims = templates.iter().map(|template| format!("{template}-{name}"));
    let claims = claims.gather().join(", ");
    let wanted = if claims.is_empty() { "a pod".to_string() } else { format!("a pod with {claims}") };
    let pod = sim.store().find::<Pod>(&set.namespace, &name);
    let (is_ready, is) = match pod {
        None => (false, "no pod yet".to_string()),
        Some(pod) => {
            let word = if pods::is_ready(pod) && !pod.metadata.is_deleting() {
                "ready".to_string()
            } else {
                crate::words::status_word(pod)
            };
            let node = pod.spec.node_name.as_deref().map_or(String::new(), |node| format!(" on {node}"));
            (word == "ready", format!("{word}{node}"))
        }
    };
    row_if(!is_ready, &name, &wanted, &is)
}

fn own_pods(sim: &Sim, uid: Uid, page: &mut Inspection) {
    let own = sim.store().dependents::<Pod>(uid);
    page.children = links(sim, own.filter_map(|pod| sim.store().object(pod.metadata.id)));
}

/// Fills in what is particular to DaemonSets.
pub(super) fn daemon_set(sim: &Sim, of: &DaemonSet, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let wanted = status.desired_number_scheduled;
    let rolling = spec.update_strategy.rolling_update.clone().unwrap_or_default();
    let told = |bound: &Option<setpoint_api::IntOrPercent>, default: &str| {
        bound.as_ref().map_or_else(|| default.to_string(), ToString::to_string)
    };
    page.rows = vec![
        row("scheduled", &wanted, &status.current_number_scheduled),
        row("ready", &wanted, &status.number_ready),
        row("available", &wanted, &status.number_available),
        row("updated", &wanted, &status.updated_number_scheduled),
        row("misscheduled", &0, &status.number_misscheduled),
        row("image", &"", &first_image(&spec.template.spec)),
        row(
            "update",
            &"",
            &format_args!(
                "{}, at most {} nodes without, {} with two",
                spec.update_strategy.kind,
                told(&rolling.max_unavailable, "1"),
                told(&rolling.max_surge, "0")
            ),
        ),
    ];
    let pods: Vec<&Rc<Pod>> = sim.store().dependents::<Pod>(of.metadata.uid).gather();
    let demand = setpoint_control::daemonset::nodes::Demand::of(&spec.template.spec);
    for node in sim.store().list::<Node>().take(PLACES_MAX as usize) {
        let name = &node.metadata.name;
        let (should, _) = demand.of_node(node);
        let pod = pods.iter().find(|pod| pod.spec.node_name.as_ref() == Some(name));
        let is = pod.map_or_else(
            || "no pod".to_string(),
            |pod| format!("{} {}", pod.metadata.name, crate::words::status_word(pod)),
        );
        let is_well = pod.is_some_and(|pod| pods::is_ready(pod)) == should;
        let wanted = if should { "one pod" } else { "none: its taints or labels do not fit" };
        page.rows.push(row_if(!is_well, name, &wanted, &is));
    }
    own_pods(sim, of.metadata.uid, page);
}

/// Wanted and ready pods of a ReplicationController, and how many there are.
fn counts(of: &ReplicationController) -> [i64; 3] {
    let (spec, status): (Value, Value) = (kept(&of.rest, "spec"), kept(&of.rest, "status"));
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    [spec["replicas"].as_i64().unwrap_or(1), count(&status["readyReplicas"]), count(&status["replicas"])]
}

/// How a ReplicationController stands.
pub(super) fn controller_state(of: &ReplicationController) -> (Tone, Rc<str>) {
    let [wanted, ready, _] = counts(of);
    counted(ready as i32, wanted as i32)
}

/// Fills in what is particular to ReplicationControllers.
pub(super) fn replication_controller(sim: &Sim, of: &ReplicationController, page: &mut Inspection) {
    let [wanted, ready, there] = counts(of);
    page.owners = owners(sim, &of.metadata);
    page.rows = vec![row("replicas", &wanted, &there), row("ready", &wanted, &ready)];
    own_pods(sim, of.metadata.uid, page);
}
