//! A Service: the endpoints that the cluster believes in against what really answers, and the list that kube-proxy goes by.

use super::parts::{links, row, row_if};
use super::{Inspection, Row};
use setpoint_api::Gather as _;
use setpoint_api::{Endpoint, EndpointSlice, Pod, Selector, Service};
use setpoint_control::pod as pods;
use setpoint_sim::Sim;
use std::rc::Rc;

/// Endpoints that are listed one by one.
const ENDPOINTS_MAX: usize = 40;

/// Fills in what is particular to Services.
pub(super) fn fill(sim: &Sim, service: &Service, page: &mut Inspection) {
    let store = sim.store();
    let (meta, spec) = (&service.metadata, &service.spec);
    let pods = store.pods_matching(&meta.namespace, &Selector::from_match_labels(&spec.selector));
    let slices: Vec<&Rc<EndpointSlice>> = store.dependents::<EndpointSlice>(meta.uid).gather();
    let endpoints: Vec<&Rc<Endpoint>> = slices.iter().flat_map(|slice| &slice.endpoints).gather();
    let is_listed = |endpoint: &&&Rc<Endpoint>| endpoint.conditions.ready == Some(true);
    let ready = endpoints.iter().filter(is_listed).count();
    let routed = sim.gateway().targets(meta.id).len();
    let told = |(key, value): (&setpoint_api::Str, &setpoint_api::Str)| format!("{key}={value}");
    let selector = spec.selector.iter().map(told).gather().join(",");
    let ports = spec.ports.iter().map(|port| {
        let target = port.target_port.as_ref().map_or_else(|| port.port.to_string(), ToString::to_string);
        format!("{} → {target}", port.port)
    });
    let is_ready = |pod: &&&Rc<Pod>| pods::is_ready(pod) && !pod.metadata.is_deleting();
    let ready_pods = pods.iter().filter(is_ready).count();
    page.kind = "Service".into();
    page.state = match ready {
        0 => (super::Tone::Bad, "no ready endpoint".into()),
        _ => (super::Tone::Good, format!("{ready} ready").into()),
    };
    page.rows = vec![
        row("address", &"", &format_args!("{} (never changes)", spec.cluster_ip)),
        row("ports", &"", &ports.gather().join(", ")),
        row_if(pods.is_empty(), "selector", &selector, &format_args!("{} pods match", pods.len())),
        row_if(
            ready != ready_pods,
            "endpoints",
            &format_args!("{ready_pods} ready pods"),
            &format_args!("{ready} ready endpoints"),
        ),
        row("kube-proxy's list", &format_args!("{ready} ready"), &format_args!("{routed} ready")),
    ];
    if ready == 0 && routed > 0 {
        // Without a ready endpoint requests go to those that still serve while they terminate.
        page.rows.pop();
        page.rows.push(row_if(
            false,
            "kube-proxy's list",
            &"none ready",
            &format_args!("{routed} that terminate"),
        ));
    }
    page.rows.extend(endpoints.iter().take(ENDPOINTS_MAX).map(|endpoint| endpoint_row(sim, endpoint)));
    page.children = links(sim, pods.iter().filter_map(|pod| store.object(pod.metadata.id)));
    let slices = slices.iter().filter_map(|slice| store.object(slice.metadata.id));
    page.children.extend(links(sim, slices));
}

/// One endpoint: belief, then truth.
fn endpoint_row(sim: &Sim, endpoint: &Endpoint) -> Row {
    let conditions = &endpoint.conditions;
    let believed = match (conditions.ready, conditions.serving, conditions.terminating) {
        (Some(true), ..) => "ready",
        (_, Some(true), Some(true)) => "serving, terminating",
        (_, _, Some(true)) => "terminating",
        _ => "not ready",
    };
    let pod = endpoint.target_ref.as_ref().and_then(|target| {
        let id = sim.store().id_of_uid(target.uid?)?;
        sim.store().get::<Pod>(id)
    });
    let machine = endpoint.node_name.as_ref().and_then(|node| sim.machine(node));
    let local = pod.and_then(|pod| machine?.pods.get(&pod.metadata.id));
    let process = local.and_then(|local| local.processes.iter().find(|process| process.serves));
    let truth = match (machine.map(|machine| machine.is_up()), process) {
        (Some(false), _) => "its node has no power",
        (_, None) => "gone",
        (_, Some(process)) if process.wedged => "hangs",
        (_, Some(process)) if process.listens(sim.now()) => "answers",
        _ => "does not listen",
    };
    let differs = (believed == "ready") != (truth == "answers");
    let name = endpoint.addresses.first().map_or("", |address| &**address);
    row_if(differs, name, &believed, &truth)
}

/// Fills in what is particular to EndpointSlices.
pub(super) fn slice(sim: &Sim, slice: &EndpointSlice, page: &mut Inspection) {
    page.kind = "EndpointSlice".into();
    page.owners = super::parts::owners(sim, &slice.metadata);
    page.rows =
        slice.endpoints.iter().take(ENDPOINTS_MAX).map(|endpoint| endpoint_row(sim, endpoint)).gather();
}
