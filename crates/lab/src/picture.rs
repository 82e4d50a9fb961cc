//! Draws frames from the simulation, and keeps what did not change.

use crate::frame::{Component, FeedLine, Flight, Frame, Mark, PodTile, Sample};
use crate::inspect::{subject, subject_of};
use crate::words::{author_of, describe_outcome, mark_of};
use crate::{things, tiles};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::slab::Slab;
use setpoint_api::time::SECOND;
use setpoint_api::{Event, Kind, ObjId, Str};
use setpoint_control::{CONTROLLERS, Profile};
use setpoint_sim::fact::{Actor, Fact, What};
use setpoint_sim::ledger::Outcome;
use setpoint_sim::{Action, RPS_MAX, Sim};
use std::collections::VecDeque;
use std::rc::Rc;

mod pods;

/// Lines that the feed keeps.
const FEED_MAX: usize = 200;
/// Seconds that the chart keeps.
const HISTORY_MAX: usize = 600;
/// Facts of the last second that are looked through for what was stored.
const WRITES_LOOKED_AT: usize = 256;
/// Requests that are shown as dots.
const FLIGHTS_MAX: usize = 48;

/// Draws frames; remembers the last one so that unchanged parts stay the same value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Painter {
    last: Frame,
    /// What the page is about before any load has come.
    aim: tiles::Aim,
    seen: u64,
    feed: VecDeque<(ObjId, Rc<FeedLine>)>,
    marks: Vec<Mark>,
    history: VecDeque<Sample>,
    /// Counts of requests when the person last did something, and what that was.
    since: Option<tiles::Since>,
    /// Who last set the replicas, by Deployment.
    replicas_set_by: Map<ObjId, Rc<str>>,
    pods: Slab<(tiles::PodKey, Rc<PodTile>)>,
    /// How many pictures there were.
    pictures: u64,
    /// In how many pictures all nodes are looked at.
    turns: u64,
    /// Whether the cluster has more than one Deployment or Service, so that tiles say whose they are.
    has_several_workloads: bool,
    /// The things besides Deployments and pods, as they were drawn last.
    things: things::Known,
}

impl Painter {
    /// Draws a scenario that will send its load to a Service.
    pub(crate) fn new(aim: tiles::Aim) -> Self {
        Self { aim, ..Self::default() }
    }

    /// Books one second of the chart. Called once per simulated second.
    pub(crate) fn sample(&mut self, sim: &mut Sim) {
        sim.settle_requests();
        let app = tiles::app(sim, &self.aim, &self.replicas_set_by);
        let at_us = sim.now().0;
        let (_, failed) = sim.ledger().second(at_us / SECOND - 1);
        self.history.push_back(Sample {
            at_us,
            rps: sim.loads().iter().map(|load| load.rps).sum(),
            ready: app.as_ref().map_or(0, |app| app.ready),
            desired: app.as_ref().map_or(0, |app| app.target_replicas),
            cpu_percent: app.as_ref().and_then(|app| app.cpu_percent),
            failed,
        });
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
    }

    /// Reads the facts since the last call.
    fn read_facts(&mut self, sim: &Sim) {
        let facts: Vec<_> = sim.facts().after(self.seen).gather();
        for fact in facts {
            self.seen = fact.id;
            match &fact.what {
                What::Said { event } => self.say(sim, *event, fact),
                What::Action { action, is_scripted } => {
                    self.mark(sim, fact.at.0, action, *is_scripted);
                    let message =
                        format!("{} {}.", author_of(*is_scripted), describe_outcome(sim, fact.id, action));
                    self.author(fact, "Action", message, *is_scripted, action);
                }
                What::Refused(sentence) => {
                    if let Some(What::Action { action, is_scripted }) =
                        sim.facts().get(fact.cause).map(|action| &action.what)
                        && !is_told(action, sentence)
                    {
                        self.author(fact, "NotDone", sentence.clone(), *is_scripted, action);
                    }
                }
                What::Denied { by: Actor::Person, pod, message } => self.refuse(fact, pod.as_ref(), message),
                What::Stored { by: Actor::Controller(controller), kind: Kind::Deployment, id, .. }
                    if CONTROLLERS[usize::from(*controller)].name == "horizontal-pod-autoscaler" =>
                {
                    self.replicas_set_by.insert(*id, "HPA".into());
                }
                _ => {}
            }
        }
    }

    fn mark(&mut self, sim: &Sim, at_us: i64, action: &Action, is_scripted: bool) {
        if let Action::Scale { namespace, deployment, .. } = action
            && let Some(id) = sim.store().id_of(Kind::Deployment, namespace, deployment)
        {
            self.replicas_set_by.insert(id, if is_scripted { "scenario" } else { "you" }.into());
        }
        let Some(mut name) = mark_of(action) else { return };
        // The chart shows the load on all Services together.
        if let Action::SetLoad { namespace, service, rps } = action {
            let others = sim
                .loads()
                .iter()
                .filter(|load| (&*load.namespace, &*load.service) != (namespace.as_str(), service.as_str()));
            let others: u32 = others.map(|load| load.rps).sum();
            name = format!("load {}", others + (*rps).min(RPS_MAX));
        }
        let name: Rc<str> = name.into();
        // A slider sends many loads in a row; the chart shows where it came to rest.
        let is_drag = self.marks.last().is_some_and(|last| {
            last.name.starts_with("load") && name.starts_with("load") && at_us - last.at_us < 2 * SECOND
        });
        // What is done to several things at once is one mark.
        let is_again = self.marks.last().is_some_and(|last| last.name == name && last.at_us == at_us);
        if is_drag || is_again {
            self.marks.pop();
        }
        self.marks.push(Mark { at_us, name: name.clone() });
        if self.marks.len() > 100 {
            self.marks.remove(0);
        }
        if !matches!(action, Action::SetLoad { .. }) {
            self.since = Some(tiles::Since::now(sim, name));
        }
    }

    /// A line of the person, or of the scenario in their place.
    fn author(&mut self, fact: &Fact, reason: &str, message: String, is_scripted: bool, action: &Action) {
        let line = FeedLine {
            id: fact.id,
            at_us: fact.at.0,
            is_warning: reason == "NotDone",
            reason: reason.into(),
            object: "".into(),
            subject: subject_of(action),
            message: message.into(),
            count: 1,
            source: if is_scripted { "scenario" } else { "you" }.into(),
            fact: fact.id,
        };
        // A slider sends many loads in a row; the line says where it came to rest.
        let is_drag = self.feed.front().is_some_and(|(_, last)| {
            matches!(action, Action::SetLoad { .. })
                && (&last.reason, &last.source, &last.subject) == (&line.reason, &line.source, &line.subject)
                && line.at_us - last.at_us < 2 * SECOND
        });
        if is_drag {
            self.feed.pop_front();
        }
        self.push_line(ObjId(0), line);
    }

    /// A refusal of the API server; one that comes again is counted up.
    fn refuse(&mut self, fact: &Fact, pod: Option<&(Str, Str)>, message: &str) {
        let about = pod.map(|(namespace, name)| subject("pod", namespace, name));
        let reason = if pod.is_some() { "EvictionRefused" } else { "Refused" };
        let is_same = |line: &FeedLine| {
            *line.reason == *reason && line.subject == about && (pod.is_some() || *line.message == *message)
        };
        let known = self.feed.iter().position(|(_, line)| is_same(line));
        let before = known.and_then(|at| self.feed.remove(at)).map_or(0, |(_, line)| line.count);
        let line = FeedLine {
            id: fact.id,
            at_us: fact.at.0,
            is_warning: true,
            reason: reason.into(),
            object: pod.map_or_else(String::new, |(_, name)| format!("Pod/{name}")).into(),
            subject: about,
            message: message.into(),
            count: before + 1,
            source: "kube-apiserver".into(),
            fact: fact.id,
        };
        self.push_line(ObjId(0), line);
    }

    fn say(&mut self, sim: &Sim, id: ObjId, fact: &Fact) {
        let Some(event) = sim.store().get::<Event>(id) else { return };
        // An event that is counted up moves to the top; it is still one line.
        self.feed.retain(|(known, _)| *known != id);
        self.push_line(id, line_of(event, Some(fact)));
    }

    /// The feed's line of an event.
    pub(crate) fn line(&self, event: ObjId) -> Option<&Rc<FeedLine>> {
        self.feed.iter().find(|(id, _)| *id == event).map(|(_, line)| line)
    }

    /// The feed's lines of a choice, newest first.
    pub(crate) fn lines(&self, is_wanted: &dyn Fn(&FeedLine) -> bool) -> Vec<Rc<FeedLine>> {
        self.feed.iter().map(|(_, line)| line).filter(|line| is_wanted(line)).cloned().gather()
    }

    fn push_line(&mut self, id: ObjId, line: FeedLine) {
        self.feed.push_front((id, Rc::new(line)));
        self.feed.truncate(FEED_MAX);
    }

    /// The picture of now. `in_turns` looks at the nodes of a crowd in several pictures.
    pub(crate) fn frame(&mut self, sim: &mut Sim, seed: u64, in_turns: bool) -> Rc<Frame> {
        self.pictures += 1;
        let several = |kind| sim.store().ids(kind).nth(1).is_some();
        let any = |kind| sim.store().ids(kind).next().is_some();
        let has_several = several(Kind::Deployment)
            || several(Kind::Service)
            || [Kind::StatefulSet, Kind::DaemonSet, Kind::Job].into_iter().any(any);
        let is_same = std::mem::replace(&mut self.has_several_workloads, has_several) == has_several;
        self.turns = if in_turns && is_same { pods::turns(self.pods.len()) } else { 1 };
        sim.settle_requests();
        self.read_facts(sim);
        let feed: Vec<Rc<FeedLine>> = self.feed.iter().map(|(_, line)| line.clone()).gather();
        let history: Vec<Sample> =
            if self.last.history.last() == self.history.back() && !self.history.is_empty() {
                Vec::new()
            } else {
                self.history.iter().cloned().gather()
            };
        let nodes = self.nodes(sim);
        let pending = self.pending(sim);
        let mut balancer = tiles::balancer(sim, &self.aim);
        if let Some(balancer) = &mut balancer {
            let is_silent = |id: &u32| self.pods.get(*id).is_none_or(|(key, _)| key.is_silent());
            balancer.silent = balancer.routes.iter().copied().filter(is_silent).gather();
        }
        let things = things::things(sim, &mut self.things);
        let app = tiles::app(sim, &self.aim, &self.replicas_set_by);
        let said = self.feed.iter().map(|(_, line)| &**line);
        let missing = things::missing(sim, app.as_ref(), said);
        let old = &self.last;
        let frame = Frame {
            at_us: sim.now().0,
            real_timing: sim.profile() == Profile::Real,
            seed,
            app: keep_option(&old.app, app),
            traffic: keep(&old.traffic, tiles::traffic(sim, self.since.as_ref())),
            balancer: keep_option(&old.balancer, balancer),
            nodes,
            pending,
            things: if same(&old.things, &things) { old.things.clone() } else { Rc::new(things) },
            missing: keep(&old.missing, missing),
            feed: if same(&old.feed, &feed) { old.feed.clone() } else { Rc::new(feed) },
            components: components(sim, &old.components),
            flights: keep(&old.flights, flights(sim)),
            history: if history.is_empty() { old.history.clone() } else { Rc::new(history) },
            marks: keep(&old.marks, self.marks.clone()),
        };
        self.last = frame.clone();
        Rc::new(frame)
    }
}

/// Whether a budget has refused an eviction: of that there is a line already.
fn is_told(action: &Action, sentence: &str) -> bool {
    let is_eviction = matches!(action, Action::Request { request } if *request.subresource == *"eviction");
    is_eviction && sentence.starts_with("Cannot evict pod")
}

/// An event as a line of the feed, with the fact of its last occurrence if that is known.
pub(crate) fn line_of(event: &Event, fact: Option<&Fact>) -> FeedLine {
    let at = event.last_timestamp.or(event.event_time.map(|time| time.0));
    let about = &event.involved_object;
    FeedLine {
        id: u64::from(event.metadata.id.0) | 1 << 40,
        at_us: fact.map(|fact| fact.at).or(at).unwrap_or_default().0,
        is_warning: &*event.kind == "Warning",
        reason: event.reason.clone().into(),
        object: format!("{}/{}", about.kind, about.name).into(),
        subject: Some(subject(&about.kind, &about.namespace, &about.name)),
        message: event.message.clone().into(),
        // Events of events.k8s.io count their repetitions, the older ones their occurrences.
        count: event.count.saturating_add(i32::from(event.event_time.is_some())),
        source: event.source.component.clone().into(),
        fact: fact.map_or(0, |fact| fact.id),
    }
}

/// The old value unless it is its turn to change, or it has changed by more than `most`.
pub(crate) fn steady(old: i64, new: i64, is_turn: bool, most: i64) -> i64 {
    if is_turn || (new - old).abs() > most { new } else { old }
}

fn keep<T: PartialEq>(old: &Rc<T>, new: T) -> Rc<T> {
    if **old == new { old.clone() } else { Rc::new(new) }
}

fn keep_option<T: PartialEq>(old: &Option<Rc<T>>, new: Option<T>) -> Option<Rc<T>> {
    let new = new?;
    Some(match old {
        Some(old) => keep(old, new),
        None => Rc::new(new),
    })
}

/// Whether both are lists of the same values.
fn same<T>(old: &[Rc<T>], new: &[Rc<T>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(a, b)| Rc::ptr_eq(a, b))
}

/// The control plane's parts, with what each did in the last second.
fn components(sim: &Sim, old: &[Rc<Component>]) -> Vec<Rc<Component>> {
    let titles = [
        ("kube-apiserver", "API server"),
        ("etcd", "etcd"),
        ("default-scheduler", "Scheduler"),
        ("deployment-controller", "Deployment controller"),
        ("replicaset-controller", "ReplicaSet controller"),
        ("endpoint-slice-controller", "EndpointSlice controller"),
        ("horizontal-pod-autoscaler", "HPA"),
        ("node-controller", "Node controller"),
    ];
    let stored = last_stored(sim);
    let component = |(name, title): (&str, &str)| {
        let position = CONTROLLERS.iter().position(|row| row.name == name);
        let control = position.map(|position| &sim.loops()[position]);
        let runs = || control.into_iter().flat_map(|control| control.history.iter().rev());
        let recent =
            || runs().take_while(|run| sim.now().since(run.at) < SECOND).filter(|run| run.writes > 0);
        // A status that is brought up to date afterwards says less than what made that necessary.
        let is_telling = |decision: &str| decision != "nothing to do" && !decision.starts_with("update ");
        let last = recent().find(|run| is_telling(&run.note.decision)).or_else(|| recent().next());
        let acting = match (control, &stored) {
            (Some(_), _) => last.map(|run| Rc::from(&*run.note.decision)),
            (None, Some(_)) if name == "etcd" => Some(format!("revision {}", sim.store().revision()).into()),
            (None, stored) => stored.clone(),
        };
        let up = control.map_or(sim.is_api_up(), |control| control.up);
        Component { title: title.into(), name: name.into(), up, acting }
    };
    titles
        .into_iter()
        .map(component)
        .map(|new| match old.iter().find(|old| ***old == new) {
            Some(old) => old.clone(),
            None => Rc::new(new),
        })
        .gather()
}

/// What the API server has stored last, if that was within a second. Leases and events are stored all the time.
fn last_stored(sim: &Sim) -> Option<Rc<str>> {
    let facts = sim.facts().before(sim.facts().count() + 1);
    let mut recent = facts.take_while(|fact| sim.now().since(fact.at) < SECOND).take(WRITES_LOOKED_AT);
    recent.find_map(|fact| match &fact.what {
        What::Stored { kind, .. } if !matches!(kind, Kind::Lease | Kind::Event) => {
            Some(format!("store {}", kind.as_str()).into())
        }
        _ => None,
    })
}

fn flights(sim: &Sim) -> Vec<Flight> {
    // What is on its way to a machine without power shows at once: nobody there will answer.
    let waiting = sim.ledger().hopeless().rev().take(FLIGHTS_MAX / 2);
    let ended =
        sim.ledger().recent().rev().filter(|request| request.outcome != Outcome::NodeDown).take(FLIGHTS_MAX);
    let recent = waiting.chain(ended).filter(|request| sim.now().since(request.ended) < 2 * SECOND);
    recent
        .map(|request| Flight {
            id: request.id,
            from_us: request.sent.0,
            to_us: request.ended.0,
            pod: request.pod.map(|pod| pod.0),
            failed: request.outcome != Outcome::Served,
        })
        .gather()
}
