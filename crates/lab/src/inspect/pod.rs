//! A pod: what it should be, what its status says, and what its processes really do.

use super::parts::{field, length, owners, row, row_if, setting, span, timer};
use super::{Inspection, Row, Timer};
use crate::why::tenths;
use setpoint_api::Gather as _;
use setpoint_api::time::{self, SECOND};
use setpoint_api::{Container, Endpoint, EndpointSlice, Kind, ObjId, Pod, Time, condition};
use setpoint_control::kubelet::{self, ProbeKind, spec_of};
use setpoint_control::pod as pods;
use setpoint_sim::Sim;
use setpoint_sim::machine::{LocalPod, Machine};
use std::rc::Rc;

/// Fills in what is particular to pods.
pub(super) fn fill(sim: &Sim, pod: &Rc<Pod>, page: &mut Inspection) {
    let machine = pod.spec.node_name.as_ref().and_then(|node| sim.machine(node));
    let local = machine.and_then(|machine| machine.pods.get(&pod.metadata.id)).map(|local| &**local);
    page.kind = "Pod".into();
    page.owners = owners(sim, &pod.metadata);
    page.rows = rows(sim, pod, machine, local);
    page.conditions = super::parts::conditions(&pod.status.conditions);
    page.timers = timers(sim, pod, machine, local);
    page.working = super::scheduling::working(sim, pod);
    if let Some(node) = pod.spec.node_name.as_ref().and_then(|node| sim.store().id_of(Kind::Node, "", node))
        && let Some(node) = sim.store().object(node)
    {
        page.children.push(super::parts::link(sim, node));
    }
    if let Some(service) = listed(sim, pod).and_then(|(_, service)| sim.store().object(service?)) {
        page.children.push(super::parts::link(sim, service));
    }
    super::belongings::ties(sim, pod, page);
    page.path = crate::why::path(sim, pod);
}

fn rows(sim: &Sim, pod: &Rc<Pod>, machine: Option<&Machine>, local: Option<&LocalPod>) -> Vec<Row> {
    let status = &pod.status;
    let mut rows = Vec::new();
    for container in pod.spec.containers.iter() {
        let known = pods::container_status(pod, &container.name);
        let is = known.map_or_else(|| "not started".into(), |known| known.image.clone());
        let name = match pod.spec.containers.len() {
            1 => "image".to_string(),
            _ => format!("image of {}", container.name),
        };
        rows.push(row(&name, &container.image, &is));
    }
    rows.extend(super::belongings::containers(pod));
    rows.push(row_if(
        pod.spec.node_name.is_none(),
        "node",
        &"any that fits",
        &pod.spec.node_name.clone().unwrap_or_else(|| "none yet".into()),
    ));
    let word = crate::words::status_word(pod);
    let is_run = pod.metadata.controller().is_some_and(|owner| &*owner.kind == "Job");
    let wanted = if is_run { "Completed" } else { "Running" };
    rows.push(row_if(word != wanted, "status", &wanted, &word));
    rows.push(ready_row(sim, pod));
    rows.push(truth_row(sim, pod, machine, local));
    let amounts = |key: &str| {
        let told = |list: fn(&Container) -> &setpoint_api::ResourceList| {
            let all = pod.spec.containers.iter().filter_map(|container| list(container).get(key));
            all.map(ToString::to_string).gather().join(" + ")
        };
        let (request, limit) = (told(|c| &c.resources.requests), told(|c| &c.resources.limits));
        let or_none = |text: String| if text.is_empty() { "none".to_string() } else { text };
        format!("request {}, limit {}", or_none(request), or_none(limit))
    };
    let used = sim.cpu_now(pod.metadata.id);
    let limit = local.map_or(i64::MAX, |local| local.cpu_limit_milli);
    let cpu = used.map_or_else(
        || "unknown".into(),
        |used| format!("{used}m{}", if used * 100 >= limit * 98 { ", at its limit" } else { "" }),
    );
    rows.push(row_if(used.is_some_and(|used| used * 100 >= limit * 98), "cpu", &amounts("cpu"), &cpu));
    let memory = sim.metrics().pods.get(pod.metadata.id.0);
    let memory =
        memory.map(|sample| sample.containers.iter().map(|container| container.2).sum::<i64>() >> 20);
    rows.push(row_if(
        false,
        "memory",
        &amounts("memory"),
        &memory.map_or_else(|| "not sampled yet".into(), |memory| format!("{memory}Mi")),
    ));
    let restarts = pods::restarts(&status.container_statuses);
    rows.push(row_if(false, "restarts", &"any", &restarts));
    rows.push(row("address", &"", &status.pod_ip));
    rows.push(traffic_row(sim, pod));
    rows
}

fn ready_row(sim: &Sim, pod: &Pod) -> Row {
    let probe = pod.spec.containers.first().and_then(|container| container.readiness_probe.as_deref());
    let wanted = match probe.map(|probe| &probe.http_get) {
        Some(Some(get)) => format!("GET {} on {} answers", get.path, get.port),
        Some(None) => "its readiness probe passes".into(),
        None => "as soon as it runs".into(),
    };
    let ready = condition(&pod.status.conditions, "Ready");
    let since = ready.and_then(|ready| ready.last_transition_time);
    let is_ready = pods::is_ready(pod);
    let mut is = String::from(if is_ready { "yes" } else { "no" });
    if let Some(since) = since {
        is.push_str(&format!(", for {} s", tenths(sim.now().since(since).max(0))));
    }
    row_if(!is_ready, "ready", &wanted, &is)
}

/// Belief against truth: what the status says, and what the process does.
fn truth_row(sim: &Sim, pod: &Pod, machine: Option<&Machine>, local: Option<&LocalPod>) -> Row {
    let believed =
        if pods::is_ready(pod) { "the cluster counts on it" } else { "the cluster does not count on it" };
    let process = local.and_then(|local| local.processes.iter().find(|process| process.serves));
    let (answers, is) = match (machine, process) {
        (None, _) => (false, "does not exist yet".to_string()),
        (Some(machine), _) if !machine.is_up() => (false, "its machine has no power".into()),
        (_, None) => (false, "no process".into()),
        (_, Some(process)) if process.started_at.is_none() => (false, "no process runs".into()),
        (_, Some(process)) if process.wedged => (false, "hangs: runs, but answers nothing".into()),
        (_, Some(process)) if process.answers_at > sim.now() => {
            (false, format!("starts, answers in {} s", tenths(process.answers_at.since(sim.now()))))
        }
        (_, Some(process)) if process.behavior.answers_errors => {
            (false, "answers every request with an error".into())
        }
        _ => {
            let inside = local.map_or(0, |local| local.serving.inside());
            (true, format!("answers; {inside} requests inside"))
        }
    };
    row_if(answers != pods::is_ready(pod), "process", &believed, &is)
}

/// The endpoint that stands for a pod: whether it is ready, and the Service that it belongs to.
fn listed(sim: &Sim, pod: &Pod) -> Option<(bool, Option<ObjId>)> {
    let (store, uid) = (sim.store(), pod.metadata.uid);
    let mut slices = store.slices_of_pod(uid).filter_map(|id| store.get::<EndpointSlice>(id));
    slices.find_map(|slice| {
        let is_it = |endpoint: &&Rc<Endpoint>| {
            endpoint.target_ref.as_ref().is_some_and(|target| target.uid == Some(uid))
        };
        let endpoint = slice.endpoints.iter().find(is_it)?;
        let service = slice.metadata.label("kubernetes.io/service-name");
        let service = service.and_then(|name| store.id_of(Kind::Service, &slice.metadata.namespace, name));
        Some((endpoint.conditions.ready == Some(true), service))
    })
}

/// Whether requests come to it.
fn traffic_row(sim: &Sim, pod: &Pod) -> Row {
    let listed = listed(sim, pod);
    let service = listed.and_then(|(_, service)| service);
    let is_routed = service.is_some_and(|id| sim.gateway().targets(id).contains(&pod.metadata.id));
    let listed_as = match listed {
        None => "not an endpoint",
        Some((true, _)) => "endpoint, ready",
        Some((false, _)) => "endpoint, not ready",
    };
    let is = if is_routed { "gets requests" } else { "gets none" };
    row_if(is_routed != listed.is_some_and(|(is_ready, _)| is_ready), "traffic", &listed_as, &is)
}

fn timers(sim: &Sim, pod: &Pod, machine: Option<&Machine>, local: Option<&LocalPod>) -> Vec<Timer> {
    let id = pod.metadata.id;
    let mut timers = Vec::new();
    if let Some(end) = pod.metadata.deletion_timestamp {
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        timers.push(timer(
            "grace period",
            "what still runs is killed",
            (end.plus(-time::seconds(grace)), end),
            field(grace, 30, "terminationGracePeriodSeconds"),
        ));
    }
    if let Some(due) = sim.memory().taint_eviction.due(id) {
        let tolerated = pod.spec.tolerations.iter().filter_map(|toleration| toleration.toleration_seconds);
        let tolerated = tolerated.min().unwrap_or(0).max(0);
        let since = due.plus(-time::seconds(tolerated));
        timers.push(timer(
            "eviction",
            "it has tolerated its node's taint long enough and is deleted",
            (since, due),
            field(tolerated, 300, "tolerationSeconds"),
        ));
    }
    if let Some(times) = sim.pull_of(id) {
        let length = format!(
            "{}: as long as the registry takes; one pull at a time on a node",
            span(times.1.since(times.0))
        );
        timers.push(timer("image pull", "the image is on the node's disk", times, length));
    }
    if let Some(local) = local.filter(|_| machine.is_some_and(Machine::is_up)) {
        container_timers(sim, pod, local, &mut timers);
    }
    if let Some(waiting) = sim.memory().scheduler.queue.waiting(id).filter(|waiting| waiting.misses > 0) {
        timers.push(timer(
            "scheduler",
            "it is tried again in any case; sooner if a node or a pod changes that may help",
            (waiting.since, waiting.since.plus(sim.tuning().scheduler_flush)),
            setting(sim.tuning(), "scheduler_flush"),
        ));
    }
    let min_ready = pod.metadata.controller().and_then(|owner| {
        let set = sim.store().get::<setpoint_api::ReplicaSet>(sim.store().id_of_uid(owner.uid)?)?;
        Some(i64::from(set.spec.min_ready_seconds)).filter(|seconds| *seconds > 0)
    });
    let ready = condition(&pod.status.conditions, "Ready").filter(|_| pods::is_ready(pod));
    if let (Some(seconds), Some(since)) = (min_ready, ready.and_then(|ready| ready.last_transition_time))
        && since.plus(seconds * SECOND) > sim.now()
    {
        timers.push(timer(
            "min ready",
            "it counts as available",
            (since, since.plus(seconds * SECOND)),
            field(seconds, 0, "minReadySeconds"),
        ));
    }
    timers
}

/// Start, back-off and probes of the containers.
fn container_timers(sim: &Sim, pod: &Pod, local: &LocalPod, timers: &mut Vec<Timer>) {
    let (tuning, now) = (sim.tuning(), sim.now());
    let process = local.processes.iter().find(|process| process.serves);
    if let Some(process) = process.filter(|process| process.answers_at > now)
        && let Some(started) = process.started_at
    {
        let length = format!("{}: the application's own start", span(process.answers_at.since(started)));
        timers.push(timer("start", "its process answers", (started, process.answers_at), length));
    }
    for record in local.record.all() {
        if let Some(exit) = record.exit()
            && let Some(until) = record.crash.until_since(exit.finished_at, tuning.crash_backoff_max)
            && until > now
        {
            let length = format!(
                "{}; first {}; longest {}",
                span(record.crash.wait()),
                setting(tuning, "crash_backoff_min"),
                setting(tuning, "crash_backoff_max")
            );
            timers.push(timer(
                "crash back-off",
                "the container is started again",
                (exit.finished_at, until),
                length,
            ));
        }
        if let kubelet::Image::Failed { at, .. } = &record.image
            && let Some(until) = record.pull.until_since_update(now, tuning.image_backoff_max)
            && until > now
        {
            let length = format!(
                "{}; first {}; longest {}",
                span(record.pull.wait()),
                setting(tuning, "image_backoff_min"),
                setting(tuning, "image_backoff_max")
            );
            timers.push(timer("image back-off", "the image is pulled again", (*at, until), length));
        }
    }
    for ((at, kind), next) in &local.probes {
        let Some(container) = spec_of(&pod.spec, *at) else { continue };
        let Some(probe) = kind.spec(container) else { continue };
        let period = i64::from(probe.period_seconds.unwrap_or(10).max(1));
        let since_start = now.since(local.record.since).div_euclid(period * SECOND);
        // A probe whose outcome can change nothing costs no event; it is made all the same, at the worker's ticks.
        let next = next.filter(|next| *next > Time(0));
        let to = next.unwrap_or_else(|| local.record.since.plus((since_start + 1) * period * SECOND));
        let threshold = probe.failure_threshold.unwrap_or(3);
        let record = local.record.container(*at).map(|state| state.probes[*kind as usize]);
        let failed = record.filter(|record| record.last == Some(kubelet::Verdict::Failure));
        let failed = failed.map_or(0, |record| record.run);
        let then = match kind {
            ProbeKind::Readiness => {
                format!("{failed} of {threshold} failures in a row; then it leaves the Service")
            }
            _ => format!("{failed} of {threshold} failures in a row; then the container is restarted"),
        };
        let timeout = i64::from(probe.timeout_seconds.unwrap_or(1));
        let every = length(format!("every {period} s"), "every 10 s".into(), "periodSeconds");
        let name = format!("{} probe", kind.as_str().to_ascii_lowercase());
        let length = format!("{every}; gives up after {timeout} s (timeoutSeconds)");
        timers.push(timer(&name, &then, (to.plus(-period * SECOND), to), length));
    }
}
