//! Which slices to create, update and delete.
//!
//! Upstream: staging/src/k8s.io/endpointslice/reconciler.go, utils.go.

use super::endpoint::{endpoint_ports, has_endpoint, pod_to_endpoint};
use super::{LABEL_MANAGED_BY, LABEL_SERVICE_NAME, MANAGED_BY};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::order;
use setpoint_api::{
    Container, Endpoint, EndpointPort, EndpointSlice, IntOrPercent, Kind, Labels, Node, ObjId, ObjectMeta,
    OwnerReference, Pod, Service, Store, Str, Uid,
};
use std::rc::Rc;

/// Endpoints that a slice holds at most.
pub const MAX_ENDPOINTS: usize = 100;

/// What is to be done for one Service.
#[derive(Debug, Default)]
pub struct Plan {
    /// New slices.
    pub create: Vec<EndpointSlice>,
    /// Changed slices.
    pub update: Vec<EndpointSlice>,
    /// Slices that are not needed.
    pub delete: Vec<ObjId>,
    /// Endpoints that the Service is to have.
    pub endpoints: usize,
    /// Pods that were left out because their node does not exist, as upstream says it.
    pub skipped: Vec<String>,
}

/// Endpoints with the same ports.
struct Group {
    ports: Vec<EndpointPort>,
    slices: Vec<Rc<EndpointSlice>>,
    endpoints: Wanted,
}

/// Endpoints by the identity of their pods. The order is that of the pods.
#[derive(Default)]
struct Wanted {
    order: Vec<Option<Rc<Endpoint>>>,
    at: Map<Uid, usize>,
    left: usize,
}

impl Wanted {
    fn insert(&mut self, pod: Uid, endpoint: Rc<Endpoint>) {
        self.at.insert(pod, self.order.len());
        self.order.push(Some(endpoint));
        self.left += 1;
    }
    fn take(&mut self, pod: Uid) -> Option<Rc<Endpoint>> {
        let endpoint = self.order.get_mut(*self.at.get(&pod)?)?.take()?;
        self.left -= 1;
        Some(endpoint)
    }
    /// Moves the first endpoints into a slice until that is full.
    fn fill(&mut self, slice: &mut EndpointSlice) {
        let room = MAX_ENDPOINTS.saturating_sub(slice.endpoints.len());
        let taken = self.order.iter_mut().filter_map(Option::take).take(room);
        let before = slice.endpoints.len();
        slice.endpoints.extend(taken);
        self.left -= slice.endpoints.len() - before;
    }
}

/// Which endpoints a plan is about: all, or those of a few pods; and so which slices it has to read.
struct Scope<'a> {
    pods: Option<&'a Set<Uid>>,
    slices: Set<ObjId>,
}

impl<'a> Scope<'a> {
    fn of(pods: Option<&'a Set<Uid>>, view: &Store) -> Self {
        let slices = pods.into_iter().flatten().flat_map(|pod| view.slices_of_pod(*pod)).collect();
        Self { pods, slices }
    }
    fn has_pod(&self, pod: Uid) -> bool {
        self.pods.is_none_or(|pods| pods.contains(&pod))
    }
    fn has_slice(&self, slice: ObjId) -> bool {
        self.pods.is_none() || self.slices.contains(&slice)
    }
}

/// Compares pods that a Service selects, in creation order, with the slices that it owns. Where `changed` is given, only
/// endpoints of these pods are looked at and all others are taken to be right; `pods` then has those of them that count.
pub fn plan(
    service: &Service,
    pods: &[&Rc<Pod>],
    changed: Option<&Set<Uid>>,
    slices: &[&Rc<EndpointSlice>],
    view: &Store,
) -> Plan {
    let mut plan = Plan::default();
    let scope = Scope::of(changed, view);
    for mut group in group(service, pods, &scope, slices, view, &mut plan) {
        plan_group(service, &mut group, &scope, &mut plan);
    }
    if plan.delete.len() == slices.len() && plan.create.is_empty() {
        place_placeholder(service, slices, &mut plan);
    }
    reuse_slices(service, slices, &mut plan);
    plan
}

/// Sorts pods and slices by their ports.
fn group(
    service: &Service,
    pods: &[&Rc<Pod>],
    scope: &Scope,
    slices: &[&Rc<EndpointSlice>],
    view: &Store,
    plan: &mut Plan,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for slice in slices {
        let index = group_of(&mut groups, &slice.ports);
        groups[index].slices.push(Rc::clone(slice));
    }
    let existing = slices.iter().filter(|slice| scope.has_slice(slice.metadata.id));
    let existing = existing.flat_map(|slice| &slice.endpoints);
    let existing = existing.filter_map(|endpoint| Some((pod_of(endpoint)?, endpoint)));
    let existing: Map<Uid, &Rc<Endpoint>> = existing.filter(|(pod, _)| scope.has_pod(*pod)).collect();
    let is_numbered =
        |port: &setpoint_api::ServicePort| !matches!(port.target_port, Some(IntOrPercent::Text(_)));
    let all_numbered = service.spec.ports.iter().all(is_numbered);
    // Pods of one template share their containers, and so their ports.
    let mut last: Option<(&Rc<Vec<Container>>, usize)> = None;
    for pod in pods.iter().filter(|pod| has_endpoint(pod)) {
        let index = match last {
            Some((containers, index)) if all_numbered || Rc::ptr_eq(containers, &pod.spec.containers) => {
                index
            }
            _ => group_of(&mut groups, &endpoint_ports(service, pod)),
        };
        last = Some((&pod.spec.containers, index));
        let node = pod.spec.node_name.as_ref().and_then(|name| view.find::<Node>("", name));
        if node.is_none() && !service.spec.publish_not_ready_addresses {
            let meta = &service.metadata;
            let node = pod.spec.node_name.as_deref().unwrap_or_default();
            plan.skipped.push(format!(
                "skipping Pod {} for Service {}/{}: Node {node} Not Found",
                pod.metadata.name, meta.namespace, meta.name
            ));
            continue;
        }
        let kept = existing.get(&pod.metadata.uid).copied();
        if let Some(endpoint) = pod_to_endpoint(pod, node.map(|node| &**node), service, kept) {
            groups[index].endpoints.insert(pod.metadata.uid, endpoint);
        }
    }
    groups
}

fn group_of(groups: &mut Vec<Group>, ports: &[EndpointPort]) -> usize {
    groups.iter().position(|group| group.ports == ports).unwrap_or_else(|| {
        groups.push(Group { ports: ports.to_vec(), slices: Vec::new(), endpoints: Wanted::default() });
        groups.len() - 1
    })
}

fn pod_of(endpoint: &Endpoint) -> Option<Uid> {
    endpoint.target_ref.as_ref()?.uid
}

/// Upstream: `reconcileByPortMapping`.
fn plan_group(service: &Service, group: &mut Group, scope: &Scope, plan: &mut Plan) {
    let wanted = &mut group.endpoints;
    let mut updated: Vec<EndpointSlice> = Vec::new();
    let mut unchanged: Vec<&Rc<EndpointSlice>> = Vec::new();
    for slice in &group.slices {
        let is_settled = !scope.has_slice(slice.metadata.id) && !slice.endpoints.is_empty();
        if is_settled && has_labels_of(slice, service) {
            plan.endpoints += slice.endpoints.len();
            unchanged.push(slice);
            continue;
        }
        let keep = |endpoint: &Rc<Endpoint>| {
            let pod = pod_of(endpoint)?;
            if scope.has_pod(pod) { wanted.take(pod) } else { Some(Rc::clone(endpoint)) }
        };
        let kept: Vec<Rc<Endpoint>> = slice.endpoints.iter().filter_map(keep).gather();
        plan.endpoints += kept.len();
        let is_same = kept.len() == slice.endpoints.len()
            && kept.iter().zip(&slice.endpoints).all(|(new, old)| Rc::ptr_eq(new, old));
        if kept.is_empty() {
            plan.delete.push(slice.metadata.id);
        } else if is_same && has_labels_of(slice, service) {
            unchanged.push(slice);
        } else {
            let mut slice = EndpointSlice::clone(slice);
            slice.endpoints = kept;
            slice.metadata.labels = slice_labels(service);
            updated.push(slice);
        }
    }
    plan.endpoints += wanted.left;
    // Slices that are written anyway are filled first, the fullest before the others.
    order::sort_by_key(&mut updated, |slice| std::cmp::Reverse(slice.endpoints.len()));
    updated.iter_mut().for_each(|slice| wanted.fill(slice));
    // What is left goes into the one slice that it fills best, or into new ones.
    while wanted.left > 0 {
        let is_few = wanted.left < MAX_ENDPOINTS;
        let best = if is_few { slice_to_fill(&unchanged, wanted.left) } else { None };
        let mut slice = match best {
            Some(index) => EndpointSlice::clone(unchanged.remove(index)),
            None => new_slice(service, &group.ports),
        };
        wanted.fill(&mut slice);
        if slice.metadata.id == ObjId::default() { plan.create.push(slice) } else { updated.push(slice) }
    }
    plan.update.append(&mut updated);
}

/// The slice that is closest to full with so many more endpoints.
///
/// Upstream: `getSliceToFill`.
fn slice_to_fill(slices: &[&Rc<EndpointSlice>], more: usize) -> Option<usize> {
    let room = |slice: &EndpointSlice| MAX_ENDPOINTS.checked_sub(slice.endpoints.len() + more);
    let rooms = slices.iter().enumerate().filter_map(|(index, slice)| Some((room(slice)?, index)));
    rooms.min().map(|(_, index)| index)
}

/// Without any endpoint there is still one slice, so that somebody who looks finds that there are none.
fn place_placeholder(service: &Service, slices: &[&Rc<EndpointSlice>], plan: &mut Plan) {
    let placeholder = new_slice(service, &[]);
    let is_there = |slice: &EndpointSlice| {
        slice.endpoints.is_empty()
            && slice.ports.is_empty()
            && slice.metadata.labels == placeholder.metadata.labels
    };
    if let [slice] = slices
        && is_there(slice)
    {
        plan.delete.clear();
    } else {
        plan.create.push(placeholder);
    }
}

/// Slices that would be deleted are rewritten instead of creating new ones.
///
/// Upstream: `finalize`.
fn reuse_slices(service: &Service, slices: &[&Rc<EndpointSlice>], plan: &mut Plan) {
    let mut spare = std::mem::take(&mut plan.delete).into_iter();
    while let Some(id) = if plan.create.is_empty() { None } else { spare.next() } {
        let Some(old) = slices.iter().find(|slice| slice.metadata.id == id) else { continue };
        let Some(mut slice) = plan.create.pop() else { break };
        let labels = slice.metadata.labels;
        slice.metadata = ObjectMeta { labels, ..old.metadata.clone() };
        plan.update.push(slice);
    }
    plan.delete = spare.gather();
    // The garbage collector is about to remove the slices of a Service that goes; none must replace them.
    if service.metadata.is_deleting() {
        plan.create.clear();
    }
}

/// Upstream: `newEndpointSlice`.
fn new_slice(service: &Service, ports: &[EndpointPort]) -> EndpointSlice {
    let owner = OwnerReference {
        api_version: Kind::Service.api_version().into(),
        kind: Kind::Service.as_str().into(),
        name: service.metadata.name.clone(),
        uid: service.metadata.uid,
        controller: Some(true),
        block_owner_deletion: Some(true),
        rest: None,
    };
    let metadata = ObjectMeta {
        generate_name: Some(format!("{}-", service.metadata.name).into()),
        namespace: service.metadata.namespace.clone(),
        labels: slice_labels(service),
        owner_references: Rc::new(vec![owner]),
        ..ObjectMeta::default()
    };
    EndpointSlice { metadata, address_type: "IPv4".into(), ports: ports.to_vec(), ..EndpointSlice::default() }
}

const HEADLESS: &str = "service.kubernetes.io/headless";

fn is_reserved(label: &str) -> bool {
    [LABEL_SERVICE_NAME, LABEL_MANAGED_BY, HEADLESS].contains(&label)
}

fn own_labels(labels: &Labels) -> impl Iterator<Item = (&Str, &Str)> {
    labels.iter().filter(|(key, _)| !is_reserved(key))
}

/// Labels of the Service, and those that say whose slice it is.
///
/// Upstream: `setEndpointSliceLabels`.
fn slice_labels(service: &Service) -> Labels {
    let own = own_labels(&service.metadata.labels);
    let mut labels: Map<Str, Str> = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    if service.spec.cluster_ip.is_empty() || &*service.spec.cluster_ip == "None" {
        labels.insert(HEADLESS.into(), "".into());
    }
    labels.insert(LABEL_SERVICE_NAME.into(), service.metadata.name.clone());
    labels.insert(LABEL_MANAGED_BY.into(), MANAGED_BY.into());
    Rc::new(labels)
}

fn has_labels_of(slice: &EndpointSlice, service: &Service) -> bool {
    own_labels(&slice.metadata.labels).eq(own_labels(&service.metadata.labels))
}
