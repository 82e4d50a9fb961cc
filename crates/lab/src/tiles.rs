//! What single parts of the frame show: the application, nodes, pods, traffic.

use crate::frame::{
    App, Autoscaler, Balancer, Metric, Nature, NodeTile, PodLook, PodTile, Revision, Rollout, Traffic,
    VersionCount,
};
use crate::inspect::storage;
use crate::picture::steady;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::time::{SECOND, seconds};
use setpoint_api::{
    ConditionStatus, Deployment, HorizontalPodAutoscaler, MetricSpec, Node, ObjId, PersistentVolumeClaim,
    Pod, PodPhase, Quantity, ReplicaSet, Service, Str, Time, condition, condition_status,
};
use setpoint_control::{deployment, hpa, kubelet, pod as pods};
use setpoint_sim::Sim;
use setpoint_sim::drain::{self, Refusal};
use setpoint_sim::ledger::Outcome;
use setpoint_sim::machine::{Machine, Power};
use std::rc::Rc;

/// Namespace and name of the Service that a scenario sends its load to, known before it does.
pub(crate) type Aim = Option<(Rc<str>, Rc<str>)>;

/// The Deployment that the page is about: the one that the load goes to or will go to, whatever else is applied; without one
/// the first of the default namespace, or of any.
fn shown_deployment<'a>(sim: &'a Sim, aim: &Aim) -> Option<&'a Rc<Deployment>> {
    let behind = |namespace: &str, service: &str| {
        let service = sim.store().find::<Service>(namespace, service)?;
        let mut deployments = sim.store().list_in::<Deployment>(namespace);
        deployments.find(|found| selects(service, &found.spec.template.metadata.labels))
    };
    let mut loads = sim.loads().iter().filter(|load| load.rps > 0);
    let loaded = loads
        .find_map(|load| behind(&load.namespace, &load.service))
        .or_else(|| aim.as_ref().and_then(|(namespace, service)| behind(namespace, service)));
    let mut in_default = sim.store().list_in::<Deployment>("default");
    loaded.or_else(|| in_default.next()).or_else(|| sim.store().list::<Deployment>().next())
}

/// Whether a Service sends requests to pods with these labels.
fn selects(service: &Service, labels: &setpoint_api::Labels) -> bool {
    let selector = &service.spec.selector;
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// The Service that sends requests to the shown Deployment's pods; without a Deployment the first one that selects pods.
fn shown_service<'a>(sim: &'a Sim, aim: &Aim) -> Option<&'a Rc<Service>> {
    let shown = shown_deployment(sim, aim);
    let namespace = shown.map_or("default", |shown| &shown.metadata.namespace);
    let labels = shown.map(|shown| &shown.spec.template.metadata.labels);
    sim.store().list_in::<Service>(namespace).find(|service| match labels {
        Some(labels) => selects(service, labels),
        None => !service.spec.selector.is_empty(),
    })
}

/// The part of an image that tells versions apart: its tag.
pub(crate) fn version_of(image: &str) -> Rc<str> {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.rsplit_once(':').map_or(last, |(_, tag)| tag).into()
}

pub(crate) fn first_image(spec: &setpoint_api::PodSpec) -> &str {
    spec.containers.first().map_or("", |container| &container.image)
}

/// The application in the middle of the page.
pub(crate) fn app(sim: &Sim, aim: &Aim, replicas_set_by: &Map<ObjId, Rc<str>>) -> Option<App> {
    let shown = shown_deployment(sim, aim)?;
    let (spec, status) = (&shown.spec, &shown.status);
    let target = spec.replicas.unwrap_or(1);
    let version = version_of(first_image(&spec.template.spec));
    let versions = versions(sim, shown, &version);
    let rollout = rollout(shown);
    let pods_there: i32 = versions.iter().map(|version| version.pods).sum();
    let revisions = revisions(sim, shown);
    let autoscaler =
        sim.store().list_in::<HorizontalPodAutoscaler>(&shown.metadata.namespace).find(|autoscaler| {
            let target = &autoscaler.spec.scale_target_ref;
            &*target.kind == "Deployment" && target.name == shown.metadata.name
        });
    Some(App {
        namespace: shown.metadata.namespace.clone().into(),
        name: shown.metadata.name.clone().into(),
        target_replicas: target,
        target_set_by: replicas_set_by.get(&shown.metadata.id).cloned().unwrap_or_else(|| "manifest".into()),
        ready: status.ready_replicas,
        missing: (target - pods_there).max(0),
        rollout_note: rollout_note(shown, rollout, &versions).into(),
        versions,
        version,
        rollout,
        max_surge: deployment::math::max_surge(shown),
        max_unavailable: deployment::math::max_unavailable(shown),
        can_undo: revisions.len() > 1,
        revisions,
        cpu_percent: cpu_percent(sim, shown),
        autoscaler: autoscaler.map(|autoscaler| self::autoscaler(sim, autoscaler)),
        beside: beside(sim, shown),
    })
}

/// Most Deployments beside the shown one that are told of.
const BESIDE_MAX: usize = 4;

/// The other Deployments of the namespace with their ready pods.
fn beside(sim: &Sim, shown: &Deployment) -> Rc<str> {
    let all = sim.store().list_in::<Deployment>(&shown.metadata.namespace);
    let others = all.filter(|other| other.metadata.name != shown.metadata.name).take(BESIDE_MAX + 1).gather();
    if others.len() > BESIDE_MAX {
        return "".into();
    }
    let told = others.iter().map(|other| {
        let wanted = other.spec.replicas.unwrap_or(1);
        format!("{} {}/{wanted}", other.metadata.name, other.status.ready_replicas)
    });
    told.gather().join(" · ").into()
}

/// The revisions that the Deployment can go back to and the current one, newest first.
fn revisions(sim: &Sim, shown: &Deployment) -> Vec<Revision> {
    let history = deployment::history(sim.store(), shown);
    let newest = history.last().map(|revision| revision.revision);
    let known = history.iter().rev().filter_map(|revision| {
        let set = sim.store().find::<ReplicaSet>(&shown.metadata.namespace, &revision.replica_set)?;
        Some(Revision {
            number: revision.revision,
            version: version_of(first_image(&set.spec.template.spec)),
            replicas: set.spec.replicas.unwrap_or(1),
            is_current: Some(revision.revision) == newest,
            at_us: set.metadata.creation_timestamp.map_or(0, |at| at.0),
        })
    });
    known.gather()
}

/// Pods that exist, by version, the wanted version last.
fn versions(sim: &Sim, shown: &Deployment, wanted: &Rc<str>) -> Vec<VersionCount> {
    let mut counts: Vec<VersionCount> = Vec::new();
    for set in sim.store().dependents::<ReplicaSet>(shown.metadata.uid) {
        let version = version_of(first_image(&set.spec.template.spec));
        let (mut all, mut ready) = (0, 0);
        for pod in sim.store().dependents::<Pod>(set.metadata.uid).filter(|pod| pods::is_active(pod)) {
            all += 1;
            ready += i32::from(pods::is_ready(pod));
        }
        match counts.iter_mut().find(|count| count.version == version) {
            Some(count) => {
                count.pods += all;
                count.ready += ready;
            }
            None => counts.push(VersionCount { version, pods: all, ready }),
        }
    }
    counts.retain(|count| count.pods > 0 || count.version == *wanted);
    order::sort_by_key(&mut counts, |count| count.version == *wanted);
    counts
}

fn rollout(shown: &Deployment) -> Rollout {
    let (spec, status) = (&shown.spec, &shown.status);
    let progressing = condition(&status.conditions, "Progressing");
    let is_stalled =
        progressing.is_some_and(|progressing| &*progressing.reason == "ProgressDeadlineExceeded");
    let target = spec.replicas.unwrap_or(1);
    let is_complete = status.observed_generation >= shown.metadata.generation
        && status.updated_replicas == target
        && status.replicas == target
        && status.available_replicas == target;
    if spec.paused {
        Rollout::Paused
    } else if is_stalled {
        Rollout::Stalled
    } else if is_complete {
        Rollout::Complete
    } else {
        Rollout::Progressing
    }
}

/// A sentence in the words of `kubectl rollout status` where it has one.
fn rollout_note(shown: &Deployment, rollout: Rollout, versions: &[VersionCount]) -> String {
    let (name, status) = (&shown.metadata.name, &shown.status);
    let target = shown.spec.replicas.unwrap_or(1);
    let is_rolling = versions.len() > 1;
    match rollout {
        Rollout::Paused => "Paused: changes of the template wait.".into(),
        Rollout::Stalled => format!("deployment {name:?} exceeded its progress deadline"),
        Rollout::Complete => format!("deployment {name:?} successfully rolled out"),
        Rollout::Progressing if is_rolling && status.updated_replicas < target => {
            format!("{} out of {target} new replicas have been updated", status.updated_replicas)
        }
        Rollout::Progressing if is_rolling && status.replicas > status.updated_replicas => {
            format!("{} old replicas are pending termination", status.replicas - status.updated_replicas)
        }
        Rollout::Progressing => {
            format!("{} of {target} updated replicas are available", status.available_replicas)
        }
    }
}

/// Average CPU of the pods with a sample, in percent of their request.
fn cpu_percent(sim: &Sim, shown: &Deployment) -> Option<i32> {
    let (mut used, mut requested) = (0, 0);
    for set in sim.store().dependents::<ReplicaSet>(shown.metadata.uid) {
        for pod in sim.store().dependents::<Pod>(set.metadata.uid) {
            let Some(sample) = sim.metrics().pods.get(pod.metadata.id.0) else { continue };
            used += sample.containers.iter().map(|container| container.1).sum::<i64>();
            requested += pods::requests(&pod.spec).get("cpu").copied().unwrap_or(0);
        }
    }
    (requested > 0).then(|| (used * 100 / requested) as i32)
}

fn autoscaler(sim: &Sim, autoscaler: &HorizontalPodAutoscaler) -> Autoscaler {
    let (metric, target) = metric_of(&autoscaler.spec.metrics);
    let decision = sim.memory().hpa.decision(autoscaler.metadata.id);
    let (min, max) = (autoscaler.spec.min_replicas.unwrap_or(1), autoscaler.spec.max_replicas);
    let rules = autoscaler.spec.behavior.as_ref().and_then(|behavior| behavior.scale_down.as_ref());
    let window = rules.and_then(|rules| rules.stabilization_window_seconds);
    Autoscaler {
        min,
        max,
        metric,
        target,
        next_look_us: decision.map(|decision| decision.next.0),
        arithmetic: decision
            .map(|decision| {
                let bound = match decision.proposed {
                    below if below < min => format!(", at least {min}"),
                    above if above > max => format!(", at most {max}"),
                    _ => String::new(),
                };
                format!("{}{bound}", decision.ratio).into()
            })
            .unwrap_or_default(),
        holding: decision
            .and_then(|decision| decision.stabilization.as_ref())
            .map(|held| (held.until.0, held.holding)),
        window_us: window
            .map_or(sim.tuning().hpa_downscale_stabilization, |seconds| i64::from(seconds) * SECOND),
        wish: decision.map(|decision| decision.proposed.min(max).max(min)),
    }
}

/// The metric that an autoscaler goes by, and its target.
fn metric_of(specs: &[MetricSpec]) -> (Metric, i32) {
    let [spec] = specs else { return (Metric::Other, 0) };
    if let Some(resource) = &spec.resource {
        let target = resource.target.average_utilization;
        return match (&*resource.name, target) {
            ("cpu", Some(percent)) => (Metric::Cpu, percent),
            ("memory", Some(percent)) => (Metric::Memory, percent),
            _ => (Metric::Other, 0),
        };
    }
    let pods = spec.rest.as_ref().and_then(|rest| rest.get("pods")).filter(|_| &*spec.kind == "Pods");
    let is_rate = pods.is_some_and(|pods| pods["metric"]["name"] == hpa::feed::REQUESTS);
    let target = pods.and_then(|pods| Quantity::parse(pods["target"]["averageValue"].as_str()?).ok());
    match target {
        Some(target) if is_rate => (Metric::Requests, target.value().clamp(0, i64::from(i32::MAX)) as i32),
        _ => (Metric::Other, 0),
    }
}

/// The counts of a moment that later ones are compared with.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    /// What happened then, in two or three words.
    name: Rc<str>,
    ended: [u64; Outcome::ALL.len()],
}

impl Since {
    /// The counts of now.
    pub(crate) fn now(sim: &Sim, name: Rc<str>) -> Self {
        Self { name, ended: Outcome::ALL.map(|outcome| sim.ledger().count(outcome)) }
    }
}

/// The counts of requests; failures by cause since the moment that is given, or since the start.
pub(crate) fn traffic(sim: &Sim, since: Option<&Since>) -> Traffic {
    let ledger = sim.ledger();
    let (served, failed) = ledger.second(sim.now().0.div_euclid(SECOND) - 1);
    let mut causes: Vec<(Rc<str>, u64)> = Vec::new();
    for (position, outcome) in Outcome::ALL.into_iter().enumerate().skip(1) {
        let count = ledger.count(outcome) - since.map_or(0, |since| since.ended[position]);
        if count > 0 {
            causes.push((outcome.describe().into(), count));
        }
    }
    order::sort_by_key(&mut causes, |(_, count)| std::cmp::Reverse(*count));
    let failed_since = causes.iter().map(|(_, count)| count).sum();
    Traffic {
        offered_rps: sim.loads().iter().map(|load| load.rps).sum(),
        served_per_second: served,
        failed_per_second: failed,
        ended: ledger.ended(),
        failed: ledger.failed(),
        failed_since: since.map(|since| (failed_since, since.name.clone())),
        p95_us: ledger.latency(sim.now(), 10, 95),
        causes,
    }
}

/// The Service in front of the application.
pub(crate) fn balancer(sim: &Sim, aim: &Aim) -> Option<Balancer> {
    let service = shown_service(sim, aim)?;
    let routes = sim.gateway().targets(service.metadata.id);
    let port = service.spec.ports.first().map_or(0, |port| port.port);
    let slices = sim.store().list_in::<setpoint_api::EndpointSlice>(&service.metadata.namespace);
    let own = slices
        .filter(|slice| slice.metadata.label("kubernetes.io/service-name") == Some(&service.metadata.name));
    let ready = own
        .flat_map(|slice| &slice.endpoints)
        .filter(|endpoint| endpoint.conditions.ready == Some(true))
        .count();
    Some(Balancer {
        name: format!("{}:{port}", service.metadata.name).into(),
        address: service.spec.cluster_ip.clone().into(),
        ready_endpoints: ready as i32,
        routes: routes.iter().map(|pod| pod.0).gather(),
        silent: Vec::new(),
    })
}

/// A node, with its pods' tiles and the CPU that they request and use.
pub(crate) fn node(
    sim: &Sim,
    node: &Node,
    pods: Vec<Rc<PodTile>>,
    (requested, used): (i64, i64),
) -> NodeTile {
    let name = &node.metadata.name;
    let machine = sim.machine(name);
    let ready = condition(&node.status.conditions, "Ready");
    let is_ready = ready.is_some_and(|ready| ready.status == ConditionStatus::True);
    let powered = machine.is_some_and(|machine| machine.power != Power::Off);
    NodeTile {
        name: name.clone().into(),
        powered,
        kubelet_stopped: machine.is_some_and(|machine| machine.is_kubelet_stopped),
        disk_full: machine.is_some_and(|machine| machine.pressure.is_disk_full),
        status: node_status(node).into(),
        ready: is_ready,
        cordoned: node.spec.unschedulable,
        note: node_note(sim, node, is_ready).map(Into::into),
        kept: kept(sim, name),
        cpu_used_milli: used,
        cpu_requested_milli: requested,
        cpu_allocatable_milli: node.status.allocatable.get("cpu").map_or(0, |cpu| cpu.milli_value()),
        pods,
    }
}

/// Which budget holds a drain of the node up, and when it is asked again.
fn kept(sim: &Sim, node: &str) -> Option<(Rc<str>, Rc<str>)> {
    let on_it = |refusal: &&Refusal| refusal.pod.spec.node_name.as_deref() == Some(node);
    let mut refusals = sim.refusals().filter(on_it);
    let first = refusals.next()?;
    let more = match refusals.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let status = first.budget.status();
    let left = (first.at.plus(drain::RETRY).since(sim.now()).max(0) + SECOND - 1) / SECOND;
    let budget = &first.budget.metadata.name;
    let (needs, has) = (status.desired_healthy, status.current_healthy);
    let why = match has > needs {
        // What it had to give was given a moment ago.
        true => format!("allows no more now; again in {left} s"),
        false => format!("needs {needs} ready, has {has}; again in {left} s"),
    };
    Some((format!("Budget {budget} keeps {}{more}", first.pod.metadata.name).into(), why.into()))
}

/// STATUS as `kubectl get nodes` prints it.
pub(crate) fn node_status(node: &Node) -> String {
    let is_ready = condition_status(&node.status.conditions, "Ready") == ConditionStatus::True;
    let mut status = String::from(if is_ready { "Ready" } else { "NotReady" });
    if node.spec.unschedulable {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// What is wrong with a node, and what happens next.
fn node_note(sim: &Sim, node: &Node, is_ready: bool) -> Option<String> {
    let name = &node.metadata.name;
    let machine = sim.machine(name);
    if machine.is_some_and(|machine| machine.power == Power::Booting) {
        return Some("Starting up.".into());
    }
    let lease = sim.store().find::<setpoint_api::Lease>("kube-node-lease", name);
    let renewed = lease.and_then(|lease| lease.spec.renew_time).map_or(Time(0), |time| time.0);
    let silent = sim.now().since(renewed) / SECOND;
    if is_ready {
        let left = (renewed.plus(sim.tuning().node_monitor_grace).since(sim.now()) + SECOND - 1) / SECOND;
        if machine.is_some_and(|machine| !machine.has_kubelet()) {
            return Some(format!("Silent {silent} s; believed {} s more.", left.max(0)));
        }
        let pressure = ["Disk", "Memory"].into_iter().find(|what| {
            condition_status(&node.status.conditions, &format!("{what}Pressure")) == ConditionStatus::True
        });
        return pressure.map(|what| format!("{what} pressure: it takes no new pods."));
    }
    let taint = node.spec.taints.iter().find(|taint| &*taint.effect == "NoExecute");
    let Some(added) = taint.and_then(|taint| taint.time_added) else {
        return Some(format!("No heartbeat for {silent} s."));
    };
    let evictions = sim.store().pods_on(name).filter(|pod| !pod.metadata.is_deleting()).filter_map(|pod| {
        let used = pod.spec.tolerations.iter().filter(|toleration| {
            taint.is_some_and(|taint| toleration.key == taint.key || toleration.key.is_empty())
        });
        used.filter_map(|toleration| toleration.toleration_seconds).min()
    });
    let first = evictions.min().map(|after| added.plus(seconds(after)).since(sim.now()));
    Some(match first {
        Some(left) if left > 0 => {
            format!("Silent {silent} s; pods evicted in {} s.", left.saturating_add(SECOND - 1) / SECOND)
        }
        _ => format!("No heartbeat for {silent} s."),
    })
}

/// Everything that a pod's tile depends on; equal keys give equal tiles.
#[derive(Clone, Debug)]
pub(crate) struct PodKey {
    pod: Rc<Pod>,
    /// Whether there are pods of other workloads as well.
    pub(crate) is_among_others: bool,
    powered: bool,
    pulling: bool,
    /// Begin and end of the pull.
    pull: Option<(Time, Time)>,
    wedged: bool,
    answers_at: Option<Time>,
    answers: bool,
    cpu_percent: Option<i32>,
    /// The claims that it uses, and how they stand.
    claims: Rc<[Str]>,
    volumes: Option<Rc<str>>,
    /// Who takes its place.
    preempted_by: Option<Rc<str>>,
    /// What it requests and uses, in thousandths of a core; the node's tile sums them up.
    pub(crate) requested_milli: i64,
    pub(crate) used_milli: Option<i64>,
}

impl PodKey {
    /// Whether it was read from this very object; a stored object is never changed in place.
    pub(crate) fn is_of(&self, pod: &Rc<Pod>) -> bool {
        Rc::ptr_eq(&self.pod, pod)
    }

    /// Whether a request to the pod gets no answer at all.
    pub(crate) fn is_silent(&self) -> bool {
        !self.powered || self.wedged || self.answers_at.is_none()
    }

    /// Keeps the CPU of an earlier picture if it has hardly changed.
    pub(crate) fn steady(&mut self, old: &PodKey, is_turn: bool) {
        if let (Some(new), Some(old)) = (&mut self.cpu_percent, old.cpu_percent) {
            *new = steady(i64::from(old), i64::from(*new), is_turn, 8) as i32;
        }
    }
}

impl PartialEq for PodKey {
    fn eq(&self, other: &Self) -> bool {
        self.is_of(&other.pod)
            && (self.powered, self.pulling, self.wedged, self.is_among_others)
                == (other.powered, other.pulling, other.wedged, other.is_among_others)
            && self.pull == other.pull
            && (self.answers_at, self.answers, self.cpu_percent)
                == (other.answers_at, other.answers, other.cpu_percent)
            && (&self.volumes, &self.preempted_by) == (&other.volumes, &other.preempted_by)
    }
}

/// How long a pod that answers may take to be found ready before it counts as not ready rather than as starting.
const PROBING: i64 = 3 * SECOND;

/// Reads what a pod's tile depends on; `machine` is the one that it runs on. What only the object tells is taken over from the last key if that is the same object.
pub(crate) fn pod_key(sim: &Sim, machine: Option<&Machine>, pod: &Rc<Pod>, last: Option<&PodKey>) -> PodKey {
    let id = pod.metadata.id;
    let local = machine.and_then(|machine| machine.pods.get(&id));
    let process = local.and_then(|local| local.processes.iter().find(|process| process.serves));
    let running = process.filter(|process| process.started_at.is_some());
    let (request, claims) = match last.filter(|last| last.is_of(pod)) {
        Some(last) => (last.requested_milli, last.claims.clone()),
        None => {
            let request = pods::requests(&pod.spec).get("cpu").copied().unwrap_or(0);
            (request, storage::claims_of(&pod.spec).into())
        }
    };
    let used = running.and_then(|_| sim.cpu_now(id));
    let pulling = local
        .is_some_and(|local| local.record.all().any(|container| container.image == kubelet::Image::Pulling));
    PodKey {
        pod: pod.clone(),
        is_among_others: false,
        powered: machine.is_none_or(|machine| machine.power == Power::On),
        pulling,
        pull: if pulling { sim.pull_of(id) } else { None },
        volumes: volumes(sim, pod, &claims),
        claims,
        preempted_by: preemptor(sim, pod),
        wedged: running.is_some_and(|process| process.wedged),
        answers_at: running.map(|process| process.answers_at),
        answers: running.is_some_and(|process| process.answers_at.plus(PROBING) <= sim.now()),
        cpu_percent: used.filter(|_| request > 0).map(|used| (used * 100 / request) as i32),
        requested_milli: request,
        used_milli: used,
    }
}

/// How the claims of a pod stand.
fn volumes(sim: &Sim, pod: &Pod, claims: &[Str]) -> Option<Rc<str>> {
    if claims.is_empty() {
        return None;
    }
    let told = |name: &Str| {
        let claim = sim.store().find::<PersistentVolumeClaim>(&pod.metadata.namespace, name);
        let Some(claim) = claim else { return format!("{name} missing") };
        let (state, attached) = (storage::claim_state(claim).1, storage::attached(sim, claim));
        let comma = if attached.is_empty() { "" } else { ", " };
        format!("{name} {state}{comma}{attached}")
    };
    Some(claims.iter().map(told).gather().join(", ").into())
}

/// The pod for whose sake the scheduler has this one deleted.
pub(crate) fn preemptor(sim: &Sim, pod: &Pod) -> Option<Rc<str>> {
    if !pod.metadata.is_deleting() {
        return None;
    }
    condition(&pod.status.conditions, "DisruptionTarget")
        .filter(|target| &*target.reason == "PreemptionByScheduler")?;
    let said = sim.events_about(pod.metadata.id);
    let said = said.iter().rev().find_map(|event| event.message.strip_prefix("Preempted by pod "));
    let uid = said.and_then(|said| said.split(' ').next());
    let other = sim.store().list::<Pod>().find(|other| Some(&*other.metadata.uid.to_string()) == uid);
    Some(other.map_or_else(|| "a pod of higher priority".into(), |other| other.metadata.name.clone().into()))
}

/// Whose a pod is.
fn nature(pod: &Pod) -> Nature {
    match pod.metadata.controller().map_or("", |owner| &*owner.kind) {
        "" => Nature::Bare,
        "StatefulSet" => Nature::Stateful,
        "DaemonSet" => Nature::Daemon,
        "Job" => Nature::Run,
        _ => Nature::Replica,
    }
}

/// The name of what a pod belongs to: its Deployment's or other owner's, or its own.
fn workload_of(pod: &Pod) -> &str {
    let Some(owner) = pod.metadata.controller() else { return &pod.metadata.name };
    let hash = pod.metadata.label("pod-template-hash");
    let deployment =
        hash.and_then(|hash| owner.name.strip_suffix(hash)).and_then(|name| name.strip_suffix('-'));
    deployment.unwrap_or(&owner.name)
}

/// A pod's tile.
pub(crate) fn pod(pod: &Pod, key: &PodKey) -> PodTile {
    let meta = &pod.metadata;
    let look = look(pod, key);
    let nature = nature(pod);
    let is_named = key.is_among_others || matches!(nature, Nature::Stateful | Nature::Daemon);
    let short_name = if nature == Nature::Stateful {
        // This is who it is, before and after it was replaced.
        &meta.name
    } else if is_named {
        workload_of(pod)
    } else {
        meta.name.rsplit('-').next().unwrap_or(&meta.name)
    };
    let statuses = &pod.status.container_statuses;
    let waiting = statuses.iter().find_map(|status| status.state.waiting.as_ref());
    let note = match look {
        PodLook::Pending => {
            condition(&pod.status.conditions, "PodScheduled").map(|scheduled| scheduled.message.clone())
        }
        PodLook::BackOff => waiting.map(|waiting| waiting.message.clone()),
        PodLook::Lost => Some("Its node has no power.".into()),
        _ => None,
    };
    let note = match &key.preempted_by {
        Some(other) => Some(format!("Preempted: {other} takes its place.").into()),
        None => note,
    };
    let step = match look {
        PodLook::Starting => key.answers_at.and_then(|end| {
            let started = statuses.first().and_then(|status| status.state.running.as_ref())?.started_at?;
            Some((started.0, end.0))
        }),
        PodLook::Pulling => key.pull.map(|(from, to)| (from.0, to.0)),
        PodLook::Terminating => meta.deletion_timestamp.map(|end| {
            let grace = seconds(meta.deletion_grace_period_seconds.unwrap_or(30));
            (end.plus(-grace).0, end.0)
        }),
        _ => None,
    };
    PodTile {
        id: meta.id.0,
        namespace: meta.namespace.clone().into(),
        name: meta.name.clone().into(),
        short_name: short_name.into(),
        version: version_of(first_image(&pod.spec)),
        look,
        status: tile_word(pod).into(),
        note: note.filter(|note| !note.is_empty()).map(Into::into),
        step,
        restarts: pods::restarts(statuses),
        cpu_percent: key.cpu_percent,
        wedged: key.wedged,
        nature,
        is_named,
        volumes: key.volumes.clone(),
        preempted_by: key.preempted_by.clone(),
    }
}

fn look(pod: &Pod, key: &PodKey) -> PodLook {
    let waiting = pod.status.container_statuses.iter().find_map(|status| status.state.waiting.as_ref());
    let is_backing_off = waiting.is_some_and(|waiting| {
        waiting.reason.ends_with("BackOff")
            || waiting.reason.starts_with("Err")
            || &*waiting.reason == "InvalidImageName"
    });
    let has_ended = pod.status.container_statuses.iter().any(|status| status.state.terminated.is_some());
    if pod.spec.node_name.is_none() {
        PodLook::Pending
    } else if !key.powered {
        PodLook::Lost
    } else if pod.metadata.is_deleting() {
        PodLook::Terminating
    } else if pod.status.phase.is_finished() {
        PodLook::Finished
    } else if is_backing_off || has_ended {
        PodLook::BackOff
    } else if pods::is_ready(pod) {
        PodLook::Ready
    } else if key.pulling {
        PodLook::Pulling
    } else if key.answers {
        PodLook::NotReady
    } else {
        PodLook::Starting
    }
}

/// What a tile says: as kubectl, but a pod that the cluster counts as failed is not told by a container that ended well.
fn tile_word(pod: &Pod) -> String {
    match (pod.status.phase, &*pod.status.reason) {
        (PodPhase::Failed, "") if status_word(pod) == "Completed" => "Failed".to_string(),
        (PodPhase::Failed, reason) if !reason.is_empty() => reason.to_string(),
        _ => status_word(pod),
    }
}

/// STATUS as `kubectl get pods` prints it.
///
/// Upstream: pkg/printers/internalversion/printers.go `printPod`. Simplified: no init containers.
pub fn status_word(pod: &Pod) -> String {
    let mut word = pod.status.phase.to_string();
    if !pod.status.reason.is_empty() {
        word = pod.status.reason.to_string();
    }
    let mut has_running = false;
    for status in pod.status.container_statuses.iter().rev() {
        if let Some(waiting) = status.state.waiting.as_ref().filter(|waiting| !waiting.reason.is_empty()) {
            word = waiting.reason.to_string();
        } else if let Some(terminated) = &status.state.terminated {
            word = match &*terminated.reason {
                "" if terminated.signal != 0 => format!("Signal:{}", terminated.signal),
                "" => format!("ExitCode:{}", terminated.exit_code),
                reason => reason.to_string(),
            };
        } else if status.ready && status.state.running.is_some() {
            has_running = true;
        }
    }
    if word == "Completed" && has_running {
        word = if pods::is_ready(pod) { "Running" } else { "NotReady" }.to_string();
    }
    if pod.metadata.is_deleting() && !pod.status.phase.is_finished() {
        word = if &*pod.status.reason == "NodeLost" { "Unknown" } else { "Terminating" }.to_string();
    }
    word
}
