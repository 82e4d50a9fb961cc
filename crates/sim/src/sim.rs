//! The whole simulation as one value, and the loop that moves it through time.

use crate::admission::Admitted;
use crate::broadcast::Saying;
use crate::control_loop::{Calls, ControlLoop};
use crate::fact::{Actor, Facts, What};
use crate::image::{Behavior, Catalogue};
use crate::ledger::Ledger;
use crate::load::LoadSource;
use crate::machine::Machine;
use crate::proxy::{Proxy, Routes};
use crate::queue::{Queue, Wake};
use crate::recorder::Recorder;
use crate::server::concerns_proxies;
use crate::streams::Streams;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::slab::Slab;
use setpoint_api::{
    Change, Kind, Micros, Namespace, ObjId, Object, ObjectMeta, Resource, Status, Store, Str, Time, Uid,
};
use setpoint_control::kubelet::ContainerRef;
use setpoint_control::{CONTROLLERS, Memory, Metrics, Profile, Tuning};
use std::collections::VecDeque;
use std::rc::Rc;

/// What a cluster is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Seeds every generator of the run.
    pub seed: u64,
    /// Periods, graces and rates.
    pub profile: Profile,
    /// Changes of single rows of the tuning table.
    pub overrides: Vec<(String, i64)>,
    /// The machines, each with the name of its node.
    pub machines: Vec<MachineConfig>,
    /// How images behave.
    pub catalogue: Rc<Catalogue>,
    /// The arguments of the scheduler's plugins.
    pub scheduler: Rc<setpoint_control::scheduler::strategy::Profile>,
}

/// A machine as it is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// Name of its node.
    pub node: Str,
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// Bytes.
    pub memory_bytes: i64,
    /// Pods that its kubelet takes.
    pub pods_max: i64,
    /// Labels of its node.
    pub labels: Map<Str, Str>,
}

impl MachineConfig {
    /// Four cores, 8 GiB, 110 pods.
    pub fn named(node: &str) -> Self {
        Self { node: node.into(), cpu_milli: 4000, memory_bytes: 8 << 30, pods_max: 110, labels: Map::new() }
    }
}

/// The simulation. A clone is a checkpoint: most of it is shared.
#[derive(Clone, Debug)]
pub struct Sim {
    pub(crate) now: Time,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) api_up: bool,
    pub(crate) memory: Memory,
    pub(crate) tuning: Tuning,
    pub(crate) profile: Profile,
    pub(crate) loops: Vec<ControlLoop>,
    pub(crate) ready_loops: Vec<usize>,
    pub(crate) calls: Calls,
    pub(crate) service_addresses: u32,
    pub(crate) admitted: Map<Uid, Admitted>,
    pub(crate) streams: Streams,
    pub(crate) facts: Facts,
    pub(crate) recorder: Recorder,
    pub(crate) drafts: VecDeque<Saying>,
    pub(crate) expiries: VecDeque<(Time, ObjId)>,
    pub(crate) delivered: u64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) machine_of_node: Map<Str, u32>,
    pub(crate) machine_of_pod: Slab<u32>,
    pub(crate) catalogue: Rc<Catalogue>,
    pub(crate) behaviors: Map<Str, Rc<Behavior>>,
    pub(crate) pulls: Map<(u32, ObjId, ContainerRef), (Time, Time)>,
    pub(crate) metrics: Metrics,
    pub(crate) loads: Vec<LoadSource>,
    pub(crate) load_fact: u64,
    pub(crate) cpu_loads: Map<(Str, Str), i64>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) routes: Routes,
    pub(crate) ledger: Ledger,
    pub(crate) wakes: u64,
    /// What containers have written.
    pub(crate) files: crate::files::Files,
    /// Counts changes of the resync period.
    pub(crate) resync_epoch: u32,
    /// The fact that set it; 0 for the profile.
    pub(crate) resync_fact: u64,
    /// The evictions that budgets have refused.
    pub(crate) refusals: crate::drain::Refusals,
}

impl Sim {
    /// A cluster that has just been switched on: a control plane, its machines booted, no workload.
    pub fn new(config: &Config) -> Self {
        let mut tuning = Tuning::of(config.profile);
        for (name, value) in &config.overrides {
            tuning.set(name, *value);
        }
        let mut sim = Self {
            now: Time(0),
            queue: Queue::default(),
            store: Store::new(config.seed),
            api_up: true,
            memory: Memory::default(),
            tuning,
            profile: config.profile,
            loops: vec![ControlLoop::default(); CONTROLLERS.len()],
            ready_loops: Vec::new(),
            calls: Calls::default(),
            service_addresses: 10,
            admitted: Map::new(),
            streams: Streams::new(config.seed),
            facts: Facts::default(),
            recorder: Recorder::default(),
            drafts: VecDeque::new(),
            expiries: VecDeque::new(),
            delivered: 0,
            machines: Vec::new(),
            machine_of_node: Map::new(),
            machine_of_pod: Slab::default(),
            catalogue: config.catalogue.clone(),
            behaviors: Map::new(),
            pulls: Map::new(),
            metrics: Metrics::default(),
            loads: Vec::new(),
            load_fact: 0,
            cpu_loads: Map::new(),
            proxies: vec![Proxy::default()],
            routes: Routes::default(),
            ledger: Ledger::default(),
            wakes: 0,
            files: Map::new(),
            resync_epoch: 0,
            resync_fact: 0,
            refusals: crate::drain::Refusals::new(),
        };
        sim.memory.scheduler.cache.profile = config.scheduler.clone();
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let namespace = Namespace { metadata: ObjectMeta::named("", name), ..Namespace::default() };
            let _ = sim.create(namespace.into_object(), Actor::World, 0);
        }
        for controller in 0..CONTROLLERS.len() {
            sim.set_controller(controller, true, 0);
        }
        for machine in &config.machines {
            sim.add_machine(machine.clone(), 0);
        }
        sim.queue.push(sim.now.plus(sim.tuning.metrics_resolution), Wake::Sample);
        sim.begin_resync(0);
        sim
    }

    /// Simulated time.
    pub fn now(&self) -> Time {
        self.now
    }
    /// The cluster's state as stored: what it believes.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// The machines: what is.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }
    /// The machine behind a node.
    pub fn machine(&self, node: &str) -> Option<&Machine> {
        self.machines.get(*self.machine_of_node.get(node)? as usize)
    }
    /// What the controllers keep in memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
    /// Periods, graces and rates in force.
    pub fn tuning(&self) -> &Tuning {
        &self.tuning
    }
    /// Which profile they come from.
    pub fn profile(&self) -> Profile {
        self.profile
    }
    /// The controllers' processes, in the order of `setpoint_control::CONTROLLERS`.
    pub fn loops(&self) -> &[ControlLoop] {
        &self.loops
    }
    /// What has happened.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The events about an object that is still there, as far as they have not expired.
    pub fn events_about(&self, object: ObjId) -> Vec<&Rc<setpoint_api::Event>> {
        self.recorder.about(object).into_iter().filter_map(|event| self.store.get(event)).gather()
    }
    /// What became of requests.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    /// The newest samples of the metrics server.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
    /// The load sources.
    pub fn loads(&self) -> &[LoadSource] {
        &self.loads
    }
    /// Whether the API server answers.
    pub fn is_api_up(&self) -> bool {
        self.api_up
    }
    /// How many wake-ups have been handled.
    pub fn wakes(&self) -> u64 {
        self.wakes
    }
    /// Time of the next wake-up.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// A hash over everything that has happened and is: equal for equal runs, on every target.
    pub fn hash(&self) -> u64 {
        let mut facts = self.facts.clone();
        facts.mix(&[self.now.0 as u64, self.wakes, self.store.revision()]);
        facts.mix(&self.ledger.words());
        for object in self.store.objects() {
            let text = object.to_value().to_string();
            let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            facts.mix(&[text.bytes().fold(0xcbf2_9ce4_8422_2325, fold)]);
        }
        facts.hash()
    }

    /// Handles the next wake-up, if it is due by `until`; says whether there was one.
    pub fn step(&mut self, until: Time) -> bool {
        if self.queue.next_at().is_none_or(|at| at > until) {
            return false;
        }
        let Some((at, wake)) = self.queue.pop() else { return false };
        self.now = at;
        self.wakes += 1;
        self.handle(wake);
        while let Some(controller) = self.ready_loops.pop() {
            self.work(controller);
        }
        true
    }

    /// Runs up to a time.
    pub fn run_until(&mut self, until: Time) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    fn handle(&mut self, wake: Wake) {
        match wake {
            Wake::Deliver { revision } => self.deliver(revision),
            Wake::Enqueue { controller, key, cause } => self.enqueue_due(usize::from(controller), key, cause),
            Wake::Resync { epoch } => self.resync_due(epoch),
            Wake::Tick { controller, epoch } => self.tick_due(usize::from(controller), epoch),
            Wake::Release { controller, key, epoch } => self.release_due(usize::from(controller), key, epoch),
            Wake::Land { call } => self.land_due(call),
            Wake::Record => self.record_due(),
            Wake::Say { controller, epoch } => self.say_due(controller, epoch),
            Wake::Arrive { load, epoch } => self.arrive_due(load, epoch),
            Wake::Sample => self.sample_due(),
            Wake::ProxySync { proxy } => self.proxy_sync_due(proxy),
            Wake::Heartbeat { machine, epoch } => self.heartbeat_due(machine, epoch),
            Wake::Report { machine, epoch } => self.report_due(machine, epoch),
            Wake::Booted { machine, epoch } => self.booted_due(machine, epoch),
            Wake::SyncPod { machine, epoch, pod } => self.sync_pod_due(machine, epoch, pod),
            Wake::Sandbox { machine, epoch, pod, attempt } => self.sandbox_due(machine, epoch, pod, attempt),
            Wake::Pressure { machine, epoch } => self.pressure_due(machine, epoch),
            Wake::Mounted { machine, epoch, pod } => self.mounted_due(machine, epoch, pod),
            Wake::Pulled { machine, epoch, pod, at, took } => self.pulled_due(machine, epoch, pod, at, took),
            Wake::Started { machine, epoch, pod, at } => self.started_due(machine, epoch, pod, at),
            Wake::Exited { machine, epoch, pod, at, code } => self.exited_due(machine, epoch, pod, at, code),
            Wake::Evict { pod, cause } => self.evict_due(pod, cause),
            Wake::Probe { machine, epoch, pod, at, kind } => self.probe_due(machine, epoch, pod, at, kind),
        }
    }

    /// Changes up to a revision reach the watchers.
    fn deliver(&mut self, revision: u64) {
        let changes: Vec<Change> = self
            .store
            .changes_after(self.delivered)
            .take_while(|change| change.revision <= revision)
            .cloned()
            .gather();
        let Some(last) = changes.last() else { return };
        self.delivered = last.revision;
        let mut proxies_are_late = false;
        for change in &changes {
            let kind = change.new.kind();
            for (controller, row) in CONTROLLERS.iter().enumerate() {
                if self.loops[controller].up && row.watches.contains(&kind) {
                    self.notify(controller, change);
                }
            }
            match &change.new {
                Object::Pod(pod) => self.pod_changed(change, pod),
                Object::Node(node) => self.node_changed(change, node),
                object if concerns_proxies(object.kind()) => proxies_are_late = true,
                _ => {}
            }
            if change.op == setpoint_api::Op::Deleted && kind != Kind::Event {
                self.recorder.forget(change.new.id());
            }
        }
        if proxies_are_late {
            self.proxies_changed();
        }
        for controller in 0..CONTROLLERS.len() {
            self.work(controller);
        }
        self.store.forget_changes(self.delivered);
    }

    /// What really led a controller to look at a key. Periodic work has no cause of its own: the autoscaler acts because of
    /// a sample, which changed with the load.
    pub(crate) fn underlying_cause(&self, controller: usize, cause: u64) -> u64 {
        match CONTROLLERS[controller].name {
            "horizontal-pod-autoscaler" if self.load_fact != 0 => self.load_fact,
            _ => cause,
        }
    }

    /// Creates an object for the person, defaulted and admitted.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn create_object(&mut self, object: Object, cause: u64) -> Result<ObjId, Status> {
        self.check_api_up()?;
        self.create(object, Actor::Person, cause)
    }

    /// How long a machine's step takes: between two times, from the stream of delays.
    pub(crate) fn delay(&mut self, (low, high): (Micros, Micros)) -> Micros {
        self.streams.between(crate::streams::Purpose::Delays, low, high)
    }

    /// Files a fact of the world.
    pub(crate) fn happened(
        &mut self,
        machine: u32,
        pod: Option<Str>,
        what: impl Into<std::borrow::Cow<'static, str>>,
        cause: u64,
    ) -> u64 {
        self.facts.add(self.now, cause, What::Happened { machine, pod, what: what.into() })
    }
}
