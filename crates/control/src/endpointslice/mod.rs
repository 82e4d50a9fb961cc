//! Keeps the EndpointSlices of every Service that has a selector.
//!
//! Watches: Service, Pod, EndpointSlice (only when one goes, changes hands or is changed by somebody else).
//! Writes: EndpointSlices; an event on the Service when a pod's node is missing.
//! Rule: every pod that the selector matches, has an address and is not finished is one endpoint, in slices of at most 100, one
//! set of slices per set of port numbers; as few slices as possible are touched.
//! Upstream: pkg/controller/endpointslice/endpointslice_controller.go `syncService`,
//! staging/src/k8s.io/endpointslice/reconciler.go `reconcileByAddressType`, `reconcileByPortMapping`, `finalize`.
//! Simplified: IPv4 only; no topology hints, no appProtocol; the annotation endpoints.kubernetes.io/last-change-trigger-time is
//! left out, for nothing here measures programming latency; endpoints join slices in the order of their pods' creation, where upstream
//! leaves it to chance; its view is never older than its own last write, where upstream finds an outdated cache when two pods
//! change within milliseconds, and puts the second change off by a second.

mod endpoint;
mod plan;

pub use endpoint::{endpoint_ports, has_endpoint, pod_to_endpoint};
pub use plan::{MAX_ENDPOINTS, Plan, plan};

use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, DeleteOptions, EndpointSlice, Kind, ObjId, Object, ObjectMeta, Op, Pod, Resource, Scope,
    Selector, Service, Store, Str, Uid,
};
use std::rc::Rc;

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Services by namespace and one pair of their selector: where a pod without that pair need not look.
    by_pair: Map<(Str, Str, Str), Set<ObjId>>,
    /// What has changed since a Service was last looked at; without an entry all of it is looked at.
    todo: Map<ObjId, Todo>,
    /// How often in a row a Service could not be finished.
    failures: Map<ObjId, u32>,
    /// The generation of each slice that was changed last.
    ///
    /// Upstream: `EndpointSliceTracker`.
    written: Map<ObjId, i64>,
    /// The nodes that there were when all pods were last found to lie on them: how many, and the newest.
    nodes: (usize, Option<ObjId>),
}

#[derive(Clone, Debug)]
enum Todo {
    /// The Service itself or its slices.
    Whole,
    /// Only these pods.
    Pods(Set<Uid>),
}

const NAME: &str = "endpoint-slice-controller";
/// Value of the label that says whose slice it is.
pub const MANAGED_BY: &str = "endpointslice-controller.k8s.io";
/// Label that names the Service of a slice.
pub const LABEL_SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Label that names the controller of a slice.
pub const LABEL_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

/// Its row.
pub const ROW: Controller = Controller {
    name: NAME,
    kind: Kind::Service,
    watches: &[Kind::Service, Kind::Pod, Kind::EndpointSlice],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: false,
    forget: |memory| memory.endpointslice = Memory::default(),
};

fn on_change(cx: &ChangeCx, change: &Change, memory: &mut AllMemory, keys: &mut Keys) {
    let memory = &mut memory.endpointslice;
    match (&change.new, &change.old) {
        (Object::Service(service), old) => {
            if let Some(Object::Service(old)) = old {
                memory.forget_selector(old);
            }
            if change.op != Op::Deleted {
                memory.learn_selector(service);
            }
            memory.todo.insert(service.metadata.id, Todo::Whole);
            keys.add(service.metadata.id);
        }
        (Object::Pod(pod), old) => {
            let old = old.as_ref().and_then(Pod::from_object).filter(|_| change.op != Op::Deleted);
            for id in memory.services_to_update(cx, old.map(|old| &**old), pod) {
                let todo = memory.todo.entry(id).or_insert_with(|| Todo::Pods(Set::new()));
                if let Todo::Pods(pods) = todo {
                    pods.insert(pod.metadata.uid);
                }
                keys.add(id);
            }
        }
        (Object::EndpointSlice(slice), old) => {
            let (id, generation) = (slice.metadata.id, slice.metadata.generation);
            let known = memory.written.get(&id).copied().unwrap_or(1);
            let is_changed = is_managed(&slice.metadata) && generation > known;
            if change.op == Op::Deleted {
                memory.written.remove(&id);
            } else if is_changed {
                memory.written.insert(id, generation);
            }
            let hands = |meta: &ObjectMeta| (meta.labels.get(LABEL_SERVICE_NAME).cloned(), is_managed(meta));
            let before = old.as_ref().map(|old| hands(old.metadata()));
            let after = (change.op != Op::Deleted).then(|| hands(&slice.metadata));
            if old.is_some() && (before != after || is_changed) {
                let names = [before, after].into_iter().flatten().filter_map(|(name, _)| name);
                let ids =
                    names.filter_map(|name| cx.view.id_of(Kind::Service, &slice.metadata.namespace, &name));
                for id in ids.collect::<Set<_>>() {
                    memory.todo.insert(id, Todo::Whole);
                    keys.add_after(id, SECOND);
                }
            }
        }
        _ => {}
    }
}

fn is_managed(meta: &ObjectMeta) -> bool {
    meta.label(LABEL_MANAGED_BY) == Some(MANAGED_BY)
}

impl Memory {
    fn pair(service: &Service) -> Option<(Str, Str, Str)> {
        let (key, value) = service.spec.selector.first_key_value()?;
        Some((service.metadata.namespace.clone(), key.clone(), value.clone()))
    }
    fn learn_selector(&mut self, service: &Service) {
        if let Some(pair) = Self::pair(service) {
            self.by_pair.entry(pair).or_default().insert(service.metadata.id);
        }
    }
    fn forget_selector(&mut self, service: &Service) {
        let Some(pair) = Self::pair(service) else { return };
        if let Some(ids) = self.by_pair.get_mut(&pair) {
            ids.remove(&service.metadata.id);
            if ids.is_empty() {
                self.by_pair.remove(&pair);
            }
        }
    }
    /// Services that select a pod.
    fn services_of(&self, cx: &ChangeCx, pod: &Pod) -> Set<ObjId> {
        let selects = |service: &Service| {
            service.spec.selector.iter().all(|(key, value)| pod.metadata.labels.get(key) == Some(value))
        };
        let at = |(key, value): (&Str, &Str)| {
            self.by_pair.get(&(pod.metadata.namespace.clone(), key.clone(), value.clone()))
        };
        let candidates = pod.metadata.labels.iter().filter_map(at).flatten().copied();
        candidates.filter(|id| cx.view.get::<Service>(*id).is_some_and(|service| selects(service))).collect()
    }
    /// Services whose endpoints a change of a pod may touch; without `old` it came or went.
    ///
    /// Upstream: `GetServicesToUpdateOnPodChange`.
    fn services_to_update(&self, cx: &ChangeCx, old: Option<&Pod>, new: &Pod) -> Set<ObjId> {
        let Some(old) = old else {
            return if has_endpoint(new) { self.services_of(cx, new) } else { Set::new() };
        };
        let has_changed = endpoint::differs(old, new);
        if old.metadata.labels == new.metadata.labels {
            return if has_changed { self.services_of(cx, new) } else { Set::new() };
        }
        let (before, after) = (self.services_of(cx, old), self.services_of(cx, new));
        if has_changed { &before | &after } else { &before ^ &after }
    }
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let Memory { todo, failures, written, nodes, .. } = &mut memory.endpointslice;
    let todo = todo.remove(&id);
    let Some(service) = cx.view.get::<Service>(id) else {
        failures.remove(&id);
        return Outcome::idle("the Service is gone; its slices are garbage");
    };
    if service.spec.selector.is_empty() || &*service.spec.kind == "ExternalName" {
        return Outcome::idle("no selector: somebody else keeps the endpoints");
    }
    let selector = Selector::from_match_labels(&service.spec.selector);
    let slices = cx.view.dependents::<EndpointSlice>(service.metadata.uid);
    let slices: Vec<_> =
        slices.filter(|slice| is_managed(&slice.metadata) && !slice.metadata.is_deleting()).gather();
    // A pod whose node is missing is told of whatever has changed.
    let lacks_node = lacks_node(cx.view, nodes) || failures.contains_key(&id);
    let (pods, changed) = match todo {
        Some(Todo::Pods(uids)) if !lacks_node => (selected(cx.view, service, &selector, &uids), Some(uids)),
        _ => (cx.view.pods_matching(&service.metadata.namespace, &selector), None),
    };
    let plan = plan(service, &pods, changed.as_ref(), &slices, cx.view);

    let observed = vec![
        ("pods looked at", pods.len() as i64),
        ("endpoints", plan.endpoints as i64),
        ("slices to create", plan.create.len() as i64),
        ("slices to update", plan.update.len() as i64),
        ("slices to delete", plan.delete.len() as i64),
    ];
    let is_idle = plan.create.is_empty() && plan.update.is_empty() && plan.delete.is_empty();
    let decision = if is_idle { "the slices fit the pods" } else { "change slices" };
    for new in &plan.update {
        let old = slices.iter().find(|old| old.metadata.id == new.metadata.id);
        let is_newer = old.is_some_and(|old| old.endpoints != new.endpoints || old.ports != new.ports);
        written.insert(new.metadata.id, new.metadata.generation + i64::from(is_newer));
    }
    let creates = plan.create.into_iter().map(|slice| Write::Create(slice.into_object(), None));
    let updates = plan.update.into_iter().map(|slice| Write::Update(slice.into_object(), Scope::Main));
    let deletes = plan.delete.into_iter().map(|id| Write::Delete(id, DeleteOptions::default(), None));
    let mut writes: Vec<Write> = creates.chain(updates).chain(deletes).gather();
    let mut requeue_after = None;
    if plan.skipped.is_empty() {
        if changed.is_none() {
            failures.remove(&id);
        }
    } else {
        writes.push(Write::Event(skipped_event(service, &plan.skipped)));
        let times = failures.entry(id).or_insert(0);
        // Upstream: defaultSyncBackOff and maxSyncBackOff of this controller's queue.
        requeue_after = Some((SECOND << (*times).min(10)).min(1000 * SECOND));
        *times += 1;
    }
    Outcome {
        writes,
        requeue_after,
        note: Note { observed, decision: decision.into() },
        ..Outcome::default()
    }
}

/// Whether some pod lies on a node that is not there. A pod that is bound to a node which never was is found when it comes.
fn lacks_node(view: &Store, seen: &mut (usize, Option<ObjId>)) -> bool {
    let now = view.ids(Kind::Node).fold((0, None), |(count, newest), id| (count + 1, newest.max(Some(id))));
    if *seen == now {
        return false;
    }
    let lacks = view.nodes_with_pods().any(|node| view.id_of(Kind::Node, "", node).is_none());
    if !lacks {
        *seen = now;
    }
    lacks
}

/// The pods of a Service among those with the given identities, in creation order.
fn selected<'a>(
    view: &'a Store,
    service: &Service,
    selector: &Selector,
    uids: &Set<Uid>,
) -> Vec<&'a Rc<Pod>> {
    let ids: Set<ObjId> = uids.iter().filter_map(|uid| view.id_of_uid(*uid)).collect();
    let is_selected = |pod: &&Rc<Pod>| {
        pod.metadata.namespace == service.metadata.namespace && selector.matches(&pod.metadata.labels)
    };
    ids.into_iter().filter_map(|id| view.get::<Pod>(id)).filter(is_selected).gather()
}

fn skipped_event(service: &Service, skipped: &[String]) -> EventDraft {
    let meta = &service.metadata;
    let reasons = if let [one] = skipped { one.clone() } else { format!("[{}]", skipped.join(", ")) };
    let message =
        format!("Error updating Endpoint Slices for Service {}/{}: {reasons}", meta.namespace, meta.name);
    EventDraft::warning(NAME, meta.id, "FailedToUpdateEndpointSlices", message)
}
