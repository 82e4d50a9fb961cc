//! A part of the control plane: what it does, what it is like in daily life, and its last runs as observe, diff, act.

use super::object;
use super::parts::{self, length, link, row, row_if, span};
use super::{Inspection, Lens, Link, Reconcile, Resync, Subject, Tone};
use crate::why::{stored_words, who_did};
use crate::words::title_of;
use setpoint_api::Gather as _;
use setpoint_api::{Kind, ObjId, Str};
use setpoint_control::{CONTROLLERS, Key, Note};
use setpoint_sim::fact::{Fact, What};
use setpoint_sim::{Run, Sim};
use std::rc::Rc;

/// Writes that are shown of the API server.
const WRITES_SHOWN: usize = 24;

/// What each part does and what it is like, and the rows of the tuning table that it goes by.
const PARTS: [(&str, &str, &str, &[&str]); 22] = [
    (
        "kube-apiserver",
        "The only door to the cluster's state. Every read and write passes it: it checks and stores objects, and tells watchers what changed. It decides nothing by itself.",
        "A reception desk: everybody leaves and picks up messages there, and nobody walks past it.",
        &["api_request", "watch_delay", "event_ttl"],
    ),
    (
        "etcd",
        "Keeps every object with a revision that counts up. Here it is one store behind the API server, without members of its own.",
        "The filing cabinet behind the reception desk: only the receptionist opens it.",
        &[],
    ),
    (
        "default-scheduler",
        "Picks a node for every pod that has none: filters reject nodes, scores rank the rest, and the pod is bound to one of the best.",
        "A host who seats guests: first the tables that are large enough, then the nicest of them.",
        &["scheduler_backoff_min", "scheduler_backoff_max", "scheduler_flush"],
    ),
    (
        "deployment-controller",
        "Rolls ReplicaSets from one template to the next, within maxSurge and maxUnavailable, and reports the progress.",
        "A theatre director who swaps the cast one actor at a time, so that the play goes on.",
        &[],
    ),
    (
        "replicaset-controller",
        "Keeps as many pods as asked for: too few, it creates; too many, it deletes. It does not care why one is missing.",
        "A thermostat, for a number of pods instead of degrees.",
        &["client_qps", "client_burst"],
    ),
    (
        "endpoint-slice-controller",
        "Lists the addresses of the pods that a Service selects, and whether each is ready. kube-proxy goes by that list.",
        "The switchboard's list of who is at their desk.",
        &["proxy_min_sync"],
    ),
    (
        "horizontal-pod-autoscaler",
        "Compares what the pods use with the target and sets the replicas: ⌈pods × measured ÷ target⌉, within tolerance, window, limits and bounds.",
        "A shop manager who opens tills as the queues grow, and waits a while before closing one.",
        &["hpa_sync", "hpa_downscale_stabilization", "metrics_resolution", "hpa_cpu_initialization"],
    ),
    (
        "node-controller",
        "Watches the nodes' leases. A node that is silent for the grace period is Unknown: it is tainted, and its pods no longer count as ready.",
        "A lighthouse keeper: no light for long enough, and the ship is reported missing.",
        &["node_monitor_period", "node_monitor_grace", "node_startup_grace"],
    ),
    (
        "taint-eviction-controller",
        "Deletes pods that do not tolerate a NoExecute taint of their node, or no longer: each toleration may have an end.",
        "A night porter who lets guests stay until their ticket runs out.",
        &["default_toleration_seconds"],
    ),
    (
        "pod-garbage-collector-controller",
        "Removes pods that nobody else will: of nodes that are gone, and the oldest finished ones when there are too many.",
        "The street cleaner after the market.",
        &["pod_gc_period", "pod_gc_quarantine"],
    ),
    (
        "garbage-collector-controller",
        "Deletes objects whose owners are gone: the pods of a deleted ReplicaSet, the ReplicaSets of a deleted Deployment.",
        "An executor who clears the house once the owner has left.",
        &[],
    ),
    (
        "namespace-controller",
        "Empties a namespace that is being deleted, kind by kind, and lets it go when nothing is left in it.",
        "A removal firm: room by room, and the keys are handed back last.",
        &[],
    ),
    (
        "resourcequota-controller",
        "Counts what a namespace uses and writes it beside the limits. The API server refuses what would go beyond.",
        "A bookkeeper who keeps the balance; the cashier is somebody else.",
        &[],
    ),
    (
        "job-controller",
        "Starts pods until as many have succeeded as asked for, and gives up after too many failures or too long a time.",
        "A foreman with a list of tasks: ticked off when done, tried again when spoilt.",
        &[],
    ),
    (
        "ttl-after-finished-controller",
        "Deletes a finished Job once its time to live is over, and its pods with it.",
        "The kitchen help that clears the tables some time after the guests have left.",
        &[],
    ),
    (
        "cronjob-controller",
        "Makes a Job whenever its schedule says so, and clears the old ones away.",
        "An alarm clock that hands out work orders.",
        &[],
    ),
    (
        "statefulset-controller",
        "Keeps pods with a name, an order and storage of their own: one after the other up, the last one first down.",
        "Numbered seats in a theatre: seat 2 stays seat 2, whoever sits there.",
        &[],
    ),
    (
        "daemonset-controller",
        "Keeps one pod on every node that fits, new nodes included.",
        "A caretaker for each house of the street.",
        &[],
    ),
    (
        "replication-controller",
        "What ReplicaSets were before: keeps as many pods as asked for.",
        "An older thermostat, with one dial less.",
        &[],
    ),
    (
        "disruption-controller",
        "Works out how many pods of a budget may be moved on purpose right now. Evictions beyond that are refused.",
        "The shift planner: holidays only while enough people stay.",
        &[],
    ),
    (
        "persistentvolume-binder",
        "Brings claims and volumes together, and has volumes made where the class provides them.",
        "The cloakroom: a ticket for a hook, and the hook is kept for the ticket.",
        &[],
    ),
    (
        "attachdetach-controller",
        "Attaches volumes to the nodes whose pods use them, and detaches them where no pod does any more. A volume for one node alone has to be let go first.",
        "A librarian: the next reader gets the book when the last one has brought it back.",
        &["volume_attach", "volume_force_detach"],
    ),
];

/// Everything about a component, if there is one of that name.
pub(super) fn fill(sim: &Sim, name: &str, page: &mut Inspection) -> Option<()> {
    let (_, does, like, settings) = PARTS.iter().find(|part| part.0 == name)?;
    let position = CONTROLLERS.iter().position(|row| row.name == name);
    let control = position.and_then(|position| sim.loops().get(position));
    page.kind = if position.is_some() { "Controller" } else { "Control plane" }.into();
    page.name = title_of(name).into();
    let up = control.map_or(sim.is_api_up(), |control| control.up);
    page.state = if up { (Tone::Good, "runs".into()) } else { (Tone::Bad, "stopped".into()) };
    page.rows = settings.iter().filter_map(|setting| setting_row(sim, setting)).gather();
    let (mut queued, working) = control.map_or((0, 0), |control| control.load());
    let waiting = sim.memory().scheduler.queue.sizes();
    if name == "default-scheduler" {
        let (active, backing_off, unschedulable) = waiting;
        let told =
            format!("{active} to be tried, {backing_off} backing off, {unschedulable} that fit nowhere");
        page.rows.push(row("pods that wait", &"", &told));
        queued = active + backing_off + unschedulable;
    }
    let mut lens = Lens {
        up,
        does: (*does).into(),
        like: (*like).into(),
        queued,
        working,
        runs: control.map_or(sim.store().revision(), |control| control.runs),
        idle_runs: control.map_or(0, |control| control.idle_runs),
        resync: control.and_then(|_| resync(sim)),
        history: Vec::new(),
    };
    match (position, control) {
        (Some(position), Some(control)) => {
            let told = |run: &Run| reconcile(sim, CONTROLLERS[position].kind, name, run);
            lens.history = control.history.iter().rev().map(told).gather();
            let ticked = control.history.iter().rev().find(|run| run.key == Key::Tick);
            let period = (CONTROLLERS[position].period)(sim.tuning());
            if let (Some(period), Some(run), true) = (period, ticked, up) {
                let setting =
                    settings.first().map_or(String::new(), |setting| parts::setting(sim.tuning(), setting));
                let times = (run.at, run.at.plus(period));
                page.timers.push(parts::timer("next look", "it looks at everything again", times, setting));
            }
        }
        _ => {
            lens.history = writes(sim);
            page.rows.extend(store_rows(sim));
            page.children = (0..CONTROLLERS.len()).filter_map(|number| loop_link(sim, number)).gather();
        }
    }
    page.fact = lens.history.iter().find(|run| !run.is_idle).map_or(0, |run| run.fact);
    page.lens = Some(lens);
    Some(())
}

/// A way to a control loop, with its queue and what it last did.
fn loop_link(sim: &Sim, number: usize) -> Option<Link> {
    let (row, control) = (CONTROLLERS.get(number)?, sim.loops().get(number)?);
    let did = control.history.iter().rev().find(|run| run.writes > 0);
    let did = did.map_or("nothing yet", |run| &*run.note.decision);
    let state = match control.up {
        true => (Tone::Good, format!("queue {}, last: {did}", control.load().0).into()),
        false => (Tone::Bad, "stopped".into()),
    };
    Some(Link { to: Subject::Component(row.name.into()), text: title_of(row.name).into(), state })
}

/// A period or a rate: upstream's default on the left, what is in force on the right.
fn setting_row(sim: &Sim, name: &str) -> Option<super::Row> {
    let (_, here, real, source) = sim.tuning().rows().into_iter().find(|row| row.0 == name)?;
    let amount = |value: i64| match name {
        "client_qps" => format!("{value} requests per second"),
        "client_burst" => format!("{value} at once"),
        "default_toleration_seconds" => format!("{value} s"),
        _ if value < 100_000 => format!("{} ms", value / 1000),
        _ => span(value),
    };
    let source = source.split([',', ';']).next().unwrap_or(source);
    let words = name.replace('_', " ");
    let text = length(amount(here), amount(real), source);
    Some(row_if(here != real, &words, &amount(real), &text))
}

/// When everything is looked at again. Upstream's own period is too long to count it down.
// Inlined, it would move all that inspections are made of to the page's first file.
#[inline(never)]
fn resync(sim: &Sim) -> Option<Resync> {
    let (_, here_us, upstream_us, _) = sim.tuning().rows().into_iter().find(|row| row.0 == "resync")?;
    // Nobody has set upstream's own, so no fact needs to be looked for.
    let set = if here_us == upstream_us {
        None
    } else {
        sim.facts().before(u64::MAX).find(|fact| sets_resync(fact))
    };
    let next_us = set.map(|set| set.at.0 + (sim.now().since(set.at) / here_us + 1) * here_us);
    Some(Resync { next_us, here_us, upstream_us })
}

/// Whether this is where somebody set the period of the resync, which is the cause of the runs that come of it.
fn sets_resync(fact: &Fact) -> bool {
    let What::Action { action, .. } = &fact.what else { return false };
    matches!(&**action, setpoint_sim::Action::SetPeriod { period, .. } if period == "resync")
}

/// What the store holds.
fn store_rows(sim: &Sim) -> Vec<super::Row> {
    let store = sim.store();
    let mut rows = vec![row("revision", &"", &store.revision())];
    // Events have no order of their own; counting them would mean to look at everything.
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Event) {
        let count = store.ids(*kind).count();
        if count > 0 {
            rows.push(row(kind.as_str(), &"", &count));
        }
    }
    rows
}

/// The last writes that passed the API server.
fn writes(sim: &Sim) -> Vec<Reconcile> {
    let told = |fact: &Fact| {
        let (kind, id, namespace, name, what) = match &fact.what {
            What::Stored { kind, id, namespace, name, .. } if !matches!(kind, Kind::Event | Kind::Lease) => {
                (*kind, *id, namespace, name, stored_words(fact))
            }
            _ => return None,
        };
        let about = sim.store().object(id).map(|object| link(sim, object));
        Some(Reconcile {
            at_us: fact.at.0,
            about: Some(about.unwrap_or_else(|| gone_link(kind, namespace, name))),
            observed: vec![format!("from {}", who_did(sim, fact)).into()],
            diff: "".into(),
            act: what.into(),
            is_idle: false,
            is_resync: false,
            fact: fact.id,
        })
    };
    sim.facts().before(u64::MAX).filter_map(told).take(WRITES_SHOWN).gather()
}

/// One run of a controller.
fn reconcile(sim: &Sim, kind: Kind, name: &str, run: &Run) -> Reconcile {
    let about = match run.key {
        Key::Object(id) => match sim.store().object(id) {
            Some(object) => Some(link(sim, object)),
            None => Some(gone(sim, kind, id)),
        },
        Key::Tick => None,
    };
    let is_set = name == "replicaset-controller";
    let observed = run.note.observed.iter().filter(|(what, value)| *value != 0 || *what != "terminating");
    let observed = observed.map(|(what, value)| {
        Rc::from(match (what.strip_suffix(" %"), *what) {
            (Some(what), _) => format!("{what} {value} %"),
            (_, "desired") if is_set => format!("want {value}"),
            (_, "active") if is_set => format!("have {value}"),
            (_, "terminating") => format!("{value} terminating, not counted"),
            (_, what) => format!("{what} {value}"),
        })
    });
    Reconcile {
        at_us: run.at.0,
        about,
        observed: observed.gather(),
        diff: difference(name, &run.note, run.writes > 0).into(),
        act: (&*run.note.decision).into(),
        is_idle: run.writes == 0,
        is_resync: run.writes == 0 && sim.facts().get(run.fact).is_some_and(sets_resync),
        fact: run.fact,
    }
}

fn gone_link(kind: Kind, namespace: &str, name: &str) -> Link {
    let text = format!("{} {name}", kind.as_str()).into();
    Link { to: object(kind, namespace, name), text, state: (Tone::Plain, "gone".into()) }
}

/// The object of a run that is gone, as far as the facts tell its name.
fn gone(sim: &Sim, kind: Kind, key: ObjId) -> Link {
    let known = sim.facts().before(u64::MAX).take(4000).find_map(|fact| match &fact.what {
        What::Stored { id, namespace, name, kind, .. } if *id == key => Some((*kind, namespace, name)),
        _ => None,
    });
    let nothing = Str::default();
    let (kind, namespace, name) = known.unwrap_or((kind, &nothing, &nothing));
    gone_link(kind, namespace, name)
}

/// The difference between wanted and found, in a few words.
fn difference(name: &str, note: &Note, wrote: bool) -> String {
    let seen = |key: &str| note.observed.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let counted = |wanted: Option<i64>, had: Option<i64>| match (wanted?, had?) {
        (wanted, had) if wanted > had => Some(format!("{} short", wanted - had)),
        (wanted, had) if wanted < had => Some(format!("{} too many", had - wanted)),
        _ => None,
    };
    let told = match name {
        "replicaset-controller" => counted(seen("desired"), seen("active")),
        "deployment-controller" => {
            counted(seen("desired"), seen("updated")).map(|text| format!("updated: {text}"))
        }
        "horizontal-pod-autoscaler" => counted(seen("desired"), seen("current")),
        "default-scheduler" => seen("feasible").map(|feasible| match feasible {
            0 => "a pod without a node, and none fits".into(),
            _ => "a pod without a node".into(),
        }),
        "taint-eviction-controller" => {
            seen("seconds left").map(|left| format!("{left} s of toleration left"))
        }
        _ => None,
    };
    let status = || if wrote { "the status is out of date" } else { "none" };
    told.unwrap_or_else(|| match (name, wrote) {
        ("replicaset-controller" | "deployment-controller" | "horizontal-pod-autoscaler", _) => {
            status().into()
        }
        (_, true) => "something to do".into(),
        _ => "none".into(),
    })
}
