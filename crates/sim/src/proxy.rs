//! kube-proxy: each node's own list of where a Service's requests go, and how late that list is.
//!
//! Upstream: pkg/proxy/iptables/proxier.go, pkg/proxy/topology.go.
//! Simplified: no session affinity, no topology hints; rules take effect at once when they are written.

use crate::queue::Wake;
use crate::sim::Sim;
use crate::streams::Purpose;
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::time::MILLISECOND;
use setpoint_api::{Change, EndpointSlice, Kind, ObjId, Object, Op, Store, Str, Time};
use std::rc::Rc;

/// Where requests go, by Service. Shared by all proxies that have read the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// Pods that take requests.
    services: Map<ObjId, Rc<Vec<ObjId>>>,
}

impl RouteTable {
    /// Pods that take the requests of a Service.
    pub fn targets(&self, service: ObjId) -> &[ObjId] {
        self.services.get(&service).map_or(&[], |targets| targets)
    }
}

/// The table as a proxy would read it now, kept up to date slice by slice: many proxies read after every change, and a Service
/// may have hundreds of slices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    table: Rc<RouteTable>,
    /// Targets by Service and by the name of the slice, which is their order.
    slices: Map<ObjId, Map<Str, Targets>>,
    /// Where the targets of a slice are.
    places: Map<ObjId, (ObjId, Str)>,
    stale_slices: Set<ObjId>,
    is_stale: bool,
}

#[derive(Clone, Debug, Default)]
struct Targets {
    ready: Vec<ObjId>,
    /// Pods that still serve while they terminate.
    draining: Vec<ObjId>,
}

impl Routes {
    /// Notes what a change makes stale. A pod that is gone from the store takes no more requests, listed or not.
    pub(crate) fn note(&mut self, change: &Change, store: &Store) {
        match &change.new {
            Object::Service(_) => self.is_stale = true,
            Object::EndpointSlice(slice) => drop(self.stale_slices.insert(slice.metadata.id)),
            Object::Pod(pod) if change.op == Op::Deleted => {
                self.stale_slices.extend(store.slices_of_pod(pod.metadata.uid));
            }
            _ => {}
        }
    }

    /// The table as of now.
    fn read(&mut self, store: &Store) -> Rc<RouteTable> {
        if std::mem::take(&mut self.is_stale) {
            *self = Self::default();
            let services = store.ids(Kind::Service).map(|id| (id, Map::new()));
            self.slices = services.collect();
            self.stale_slices = store.ids(Kind::EndpointSlice).collect();
            self.table =
                Rc::new(RouteTable { services: self.slices.keys().map(|id| (*id, Rc::default())).collect() });
        }
        let mut touched = Set::new();
        for id in std::mem::take(&mut self.stale_slices) {
            if let Some((service, name)) = self.places.remove(&id) {
                self.slices.entry(service).or_default().remove(&name);
                touched.insert(service);
            }
            let Some(slice) = store.get::<EndpointSlice>(id) else { continue };
            let service = slice.metadata.label("kubernetes.io/service-name");
            let service =
                service.and_then(|name| store.id_of(Kind::Service, &slice.metadata.namespace, name));
            let Some(service) = service else { continue };
            let name = slice.metadata.name.clone();
            self.slices.entry(service).or_default().insert(name.clone(), Targets::of(slice, store));
            self.places.insert(id, (service, name));
            touched.insert(service);
        }
        if !touched.is_empty() {
            let table = Rc::make_mut(&mut self.table);
            for id in touched {
                let slices = self.slices.get(&id).into_iter().flat_map(Map::values);
                table.services.insert(id, Rc::new(chosen(slices)));
            }
        }
        self.table.clone()
    }
}

impl Targets {
    fn of(slice: &EndpointSlice, store: &Store) -> Self {
        let mut targets = Self::default();
        for endpoint in &slice.endpoints {
            let uid = endpoint.target_ref.as_ref().and_then(|target| target.uid);
            let Some(pod) = uid.and_then(|uid| store.id_of_uid(uid)) else { continue };
            if endpoint.conditions.ready == Some(true) {
                targets.ready.push(pod);
            } else if endpoint.conditions.serving == Some(true)
                && endpoint.conditions.terminating == Some(true)
            {
                targets.draining.push(pod);
            }
        }
        targets
    }
}

/// Ready endpoints; where a Service has none, those that still serve while they terminate.
fn chosen<'a>(slices: impl Iterator<Item = &'a Targets> + Clone) -> Vec<ObjId> {
    let ready: Vec<ObjId> = slices.clone().flat_map(|targets| &targets.ready).copied().gather();
    if ready.is_empty() { slices.flat_map(|targets| &targets.draining).copied().gather() } else { ready }
}

/// One kube-proxy. Proxy 0 stands at the gateway where requests from outside arrive.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    routes: Rc<RouteTable>,
    last_sync: Option<Time>,
    pending: bool,
}

impl Proxy {
    /// What it believes.
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }
}

impl Sim {
    /// The list that requests from outside are routed by.
    pub fn gateway(&self) -> &RouteTable {
        self.proxies[0].routes()
    }

    /// The list that requests from a machine's pods are routed by.
    pub fn routes_on(&self, node: &str) -> Option<&RouteTable> {
        let number = *self.machine_of_node.get(node)? as usize;
        self.proxies.get(number + 1).map(Proxy::routes)
    }

    /// Services or endpoints have changed: every proxy will read them, each in its own time.
    pub(crate) fn proxies_changed(&mut self) {
        for number in 0..self.proxies.len() {
            if self.proxies[number].pending || !self.proxy_is_up(number) {
                continue;
            }
            let jitter = self.streams.between(Purpose::Delays, 0, 5 * MILLISECOND);
            let proxy = &mut self.proxies[number];
            let earliest = proxy.last_sync.map_or(self.now, |last| last.plus(self.tuning.proxy_min_sync));
            proxy.pending = true;
            self.queue.push(self.now.plus(jitter).max(earliest), Wake::ProxySync { proxy: number as u32 });
        }
    }

    fn proxy_is_up(&self, number: usize) -> bool {
        number == 0 || self.machines[number - 1].is_up()
    }

    /// A proxy reads services and endpoints and rewrites its rules.
    pub(crate) fn proxy_sync_due(&mut self, number: u32) {
        let number = number as usize;
        self.proxies[number].pending = false;
        if !self.proxy_is_up(number) || !self.api_up {
            return;
        }
        let routes = self.routes.read(&self.store);
        let proxy = &mut self.proxies[number];
        proxy.routes = routes;
        proxy.last_sync = Some(self.now);
    }
}
