//! A node: what the cluster believes, against its machine.

use super::parts::{ago, links, row, row_if, setting, span, timer, yes_no};
use super::{Inspection, Lens, Reconcile, Row, Timer};
use crate::why::kubelet_words;
use setpoint_api::Gather as _;
use setpoint_api::{ConditionStatus, Kind, Lease, Node, Time, condition_status};
use setpoint_control::pod as pods;
use setpoint_sim::Sim;
use setpoint_sim::fact::{Actor, Fact, What};
use setpoint_sim::machine::{Machine, Power};

/// Deeds of a kubelet that are shown.
const KUBELET_SHOWN: usize = 16;

/// Fills in what is particular to nodes.
pub(super) fn fill(sim: &Sim, node: &Node, page: &mut Inspection) {
    let name = &node.metadata.name;
    let machine = sim.machine(name);
    page.kind = "Node".into();
    page.rows = rows(sim, node, machine);
    page.conditions = super::parts::conditions(&node.status.conditions);
    page.timers = timers(sim, node, machine);
    page.lens = machine.map(|machine| kubelet(sim, machine));
    let on_it = sim.store().pods_on(name).filter_map(|pod| sim.store().object(pod.metadata.id));
    page.children = links(sim, on_it);
}

/// Belief on the left, truth on the right.
fn rows(sim: &Sim, node: &Node, machine: Option<&Machine>) -> Vec<Row> {
    let believed = condition_status(&node.status.conditions, "Ready");
    let has_kubelet = machine.is_some_and(Machine::has_kubelet);
    let believes = match believed {
        ConditionStatus::True => "Node says Ready",
        ConditionStatus::False => "Node says not Ready",
        ConditionStatus::Unknown => "Node says Unknown",
    };
    let truth = match machine.map(|machine| machine.power) {
        Some(Power::On) if has_kubelet => "power on, kubelet runs",
        Some(Power::On) => "power on, kubelet stopped; containers run on",
        Some(Power::Booting) => "power on, still booting",
        Some(Power::Off) => "no power",
        None => "no such machine",
    };
    let renewed = renewed(sim, &node.metadata.name);
    let silent = sim.now().since(renewed) > 2 * sim.tuning().node_lease_renew;
    let amount = |key: &str| {
        let bound = sim.store().pods_on(&node.metadata.name).filter(|pod| !pod.status.phase.is_finished());
        bound.map(|pod| pods::requests(&pod.spec).get(key).copied().unwrap_or(0)).sum::<i64>()
    };
    let has = |key: &str| node.status.allocatable.get(key).copied();
    let cpu = has("cpu").map_or(0, |cpu| cpu.milli_value());
    let memory = has("memory").map_or(0, |memory| memory.value()) >> 20;
    let on_it: Vec<_> = sim.store().pods_on(&node.metadata.name).gather();
    let used: i64 = on_it.iter().filter_map(|pod| sim.cpu_now(pod.metadata.id)).sum();
    let runs = machine.map_or(0, |machine| {
        let pods = machine.pods.values();
        pods.filter(|local| local.processes.iter().any(|process| process.started_at.is_some())).count()
    });
    let taints = node.spec.taints.iter().map(|taint| format!("{}:{}", taint.key, taint.effect));
    let taints = taints.gather().join(", ");
    let images = machine.map(|machine| machine.images.iter().map(|image| image.to_string()).gather());
    vec![
        row_if((believed == ConditionStatus::True) != has_kubelet, "machine", &believes, &truth),
        row_if(
            silent,
            "lease",
            &format_args!("renewed every {}", span(sim.tuning().node_lease_renew)),
            &ago(sim, renewed),
        ),
        row_if(
            runs != on_it.len(),
            "pods",
            &format_args!("{} bound", on_it.len()),
            &format_args!("{runs} running, of {} it takes", has("pods").map_or(0, |pods| pods.value())),
        ),
        row_if(
            false,
            "cpu",
            &format_args!("{}m of {cpu}m requested", amount("cpu")),
            &format_args!("{used}m used"),
        ),
        row_if(false, "memory", &format_args!("{}Mi of {memory}Mi requested", amount("memory") >> 20), &""),
        row_if(node.spec.unschedulable, "takes new pods", &"yes", &yes_no(!node.spec.unschedulable)),
        row("taints", &"", &(if taints.is_empty() { "none".into() } else { taints })),
        row("pod addresses", &"", &node.spec.pod_cidr),
        row("images on disk", &"", &images.unwrap_or_default().join(", ")),
    ]
}

/// The node's agent, with what it and its containers last did.
fn kubelet(sim: &Sim, machine: &Machine) -> Lens {
    let number = machine.number;
    let is_its = |fact: &&Fact| match &fact.what {
        What::Stored { by: Actor::Kubelet(by), kind, .. } => *by == number && *kind != Kind::Lease,
        What::Happened { machine, .. } => *machine == number,
        _ => false,
    };
    let told = |fact: &Fact| {
        let (act, about) = kubelet_words(sim, fact);
        let about = about.and_then(|about| super::look::link_of(sim, about));
        Reconcile {
            at_us: fact.at.0,
            about,
            observed: Vec::new(),
            diff: "".into(),
            act,
            is_idle: false,
            is_resync: false,
            fact: fact.id,
        }
    };
    let history: Vec<Reconcile> =
        sim.facts().before(u64::MAX).filter(is_its).take(KUBELET_SHOWN).map(told).gather();
    Lens {
        up: machine.has_kubelet(),
        does: "The kubelet is the node's agent: it has the containers of the pods bound to its node pulled, started, probed and stopped, and reports what came of it.".into(),
        like: "A foreman on the building site: takes the orders of the office, and phones in what is done.".into(),
        queued: 0,
        working: machine.pods.values().filter(|local| local.record.all().any(|c| !c.is_running())).count() as u32,
        runs: 0,
        idle_runs: 0,
        resync: None,
        history,
    }
}

/// The last renewal of a node's lease.
fn renewed(sim: &Sim, node: &str) -> Time {
    let lease = sim.store().find::<Lease>("kube-node-lease", node);
    lease.and_then(|lease| lease.spec.renew_time).map_or(Time(0), |time| time.0)
}

fn timers(sim: &Sim, node: &Node, machine: Option<&Machine>) -> Vec<Timer> {
    let (tuning, name) = (sim.tuning(), &node.metadata.name);
    let renewed = renewed(sim, name);
    let mut timers = Vec::new();
    match machine.map(|machine| (machine.power, machine.last_fact)) {
        Some((Power::On, _)) if machine.is_some_and(Machine::has_kubelet) => timers.push(timer(
            "lease",
            "the kubelet renews its lease: a sign of life",
            (renewed, renewed.plus(tuning.node_lease_renew)),
            setting(tuning, "node_lease_renew"),
        )),
        Some((Power::Booting, fact)) => {
            let since = sim.facts().get(fact).map_or(sim.now(), |fact| fact.at);
            timers.push(timer(
                "boot",
                "the kubelet runs again and takes up its pods",
                (since, since.plus(tuning.machine_boot)),
                setting(tuning, "machine_boot"),
            ));
        }
        _ => {}
    }
    let is_ready = condition_status(&node.status.conditions, "Ready") == ConditionStatus::True;
    if is_ready {
        timers.push(timer(
            "monitor grace",
            "without a renewal until then the Node lifecycle controller marks it Unknown",
            (renewed, renewed.plus(tuning.node_monitor_grace)),
            setting(tuning, "node_monitor_grace"),
        ));
    }
    let evictions = &sim.memory().taint_eviction;
    let due = sim.store().pods_on(name).filter_map(|pod| evictions.due(pod.metadata.id));
    let tainted = node.spec.taints.iter().find(|taint| &*taint.effect == "NoExecute");
    if let (Some(first), Some(since)) = (due.min(), tainted.and_then(|taint| taint.time_added)) {
        timers.push(timer(
            "eviction",
            "the first of its pods has tolerated the taint long enough and is deleted",
            (since, first),
            setting(tuning, "default_toleration_seconds"),
        ));
    }
    if let Some(reported) = machine.filter(|machine| machine.has_kubelet()).map(|machine| machine.reported_at)
    {
        timers.push(timer(
            "status report",
            "the kubelet reports the node's status, changed or not",
            (reported, reported.plus(tuning.node_status_report)),
            setting(tuning, "node_status_report"),
        ));
    }
    timers
}
