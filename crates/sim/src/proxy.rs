//! kube-proxy: each node's own list of where a Service's requests go, and how late that list is.
//!
//! Upstream: pkg/proxy/iptables/proxier.go, pkg/proxy/topology.go.
//! Simplified: no session affinity, no topology hints; rules take effect at once when they are written.

use crate::queue::Wake;
use crate::sim::Sim;
use crate::streams::Purpose;
use setpoint_api::map::Map;
use setpoint_api::time::MILLISECOND;
use setpoint_api::{EndpointSlice, Kind, ObjId, Service, Time};
use std::rc::Rc;

/// Where requests go, by Service. Shared by all proxies that have read the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// Revision of the store that the table was made from.
    revision: u64,
    /// Pods that take requests.
    services: Map<ObjId, Rc<Vec<ObjId>>>,
}

impl RouteTable {
    /// Pods that take the requests of a Service.
    pub fn targets(&self, service: ObjId) -> &[ObjId] {
        self.services.get(&service).map_or(&[], |targets| targets)
    }
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
        if self.routes.revision != self.store.revision() {
            self.routes = Rc::new(self.read_routes());
        }
        let proxy = &mut self.proxies[number];
        proxy.routes = self.routes.clone();
        proxy.last_sync = Some(self.now);
    }

    /// Ready endpoints; where a Service has none, those that still serve while they terminate.
    fn read_routes(&self) -> RouteTable {
        let mut services: Map<ObjId, (Vec<ObjId>, Vec<ObjId>)> = Map::new();
        for service in self.store.list::<Service>() {
            services.insert(service.metadata.id, Default::default());
        }
        for slice in self.store.list::<EndpointSlice>() {
            let service = slice.metadata.label("kubernetes.io/service-name");
            let service =
                service.and_then(|name| self.store.id_of(Kind::Service, &slice.metadata.namespace, name));
            let Some((ready, draining)) = service.and_then(|id| services.get_mut(&id)) else { continue };
            for endpoint in &slice.endpoints {
                let uid = endpoint.target_ref.as_ref().and_then(|target| target.uid);
                let Some(pod) = uid.and_then(|uid| self.store.id_of_uid(uid)) else { continue };
                if endpoint.conditions.ready == Some(true) {
                    ready.push(pod);
                } else if endpoint.conditions.serving == Some(true)
                    && endpoint.conditions.terminating == Some(true)
                {
                    draining.push(pod);
                }
            }
        }
        let choose =
            |(ready, draining): (Vec<_>, Vec<_>)| Rc::new(if ready.is_empty() { draining } else { ready });
        let services = services.into_iter().map(|(id, targets)| (id, choose(targets))).collect();
        RouteTable { revision: self.store.revision(), services }
    }
}
