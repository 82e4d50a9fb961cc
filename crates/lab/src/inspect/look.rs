//! Looks at a thing: what all kinds have in common, and then what is particular to its kind.

use super::parts::{kind_of, link, row, state};
use super::{Inspection, Link, Subject, Tone};
use super::{autoscaler, component, jobs, node, pod, policy, service, sets, storage, workload};
use crate::frame::FeedLine;
use crate::picture::{Painter, line_of};
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::{Event, Kind, ObjId, Object, Op};
use setpoint_control::CONTROLLERS;
use setpoint_sim::Sim;
use setpoint_sim::fact::{Actor, Fact, Turn, What};
use std::rc::Rc;

/// Events that are shown of one thing.
const EVENTS_MAX: usize = 30;

/// One thing from all sides; `None` if there is and was no such thing.
pub(crate) fn inspect(sim: &Sim, painter: &Painter, subject: &Subject) -> Option<Inspection> {
    let mut page = Inspection {
        subject: subject.clone(),
        at_us: sim.now().0,
        kind: "".into(),
        name: "".into(),
        state: (Tone::Plain, "".into()),
        exists: true,
        owners: Vec::new(),
        children: Vec::new(),
        rows: Vec::new(),
        conditions: Vec::new(),
        timers: Vec::new(),
        working: None,
        events: Vec::new(),
        fact: 0,
        path: Vec::new(),
        lens: None,
    };
    match subject {
        Subject::Component(name) => {
            component::fill(sim, name, &mut page)?;
            page.events = painter.lines(&|line| line.source == *name);
        }
        Subject::Object { kind, namespace, name } => {
            let kind = kind_of(kind)?;
            page.name = name.clone();
            page.kind = kind.as_str().into();
            let found = sim.store().id_of(kind, namespace, name).and_then(|id| sim.store().object(id));
            match found {
                Some(object) => {
                    fill(sim, object, &mut page);
                    page.events = events(sim, painter, object.id());
                }
                None => {
                    gone(sim, kind, (namespace, name), &mut page)?;
                    page.events = painter.lines(&|line| line.subject.as_ref() == Some(subject));
                }
            }
        }
    }
    Some(page)
}

/// A way to a thing, if it is still there.
pub(super) fn link_of(sim: &Sim, to: Subject) -> Option<Link> {
    let Subject::Object { kind, namespace, name } = &to else { return None };
    let id = sim.store().id_of(kind_of(kind)?, namespace, name)?;
    sim.store().object(id).map(|object| link(sim, object))
}

fn fill(sim: &Sim, object: &Object, page: &mut Inspection) {
    page.state = state(sim, object);
    page.fact = turning_point(sim, object.id());
    match object {
        Object::Node(of) => node::fill(sim, of, page),
        Object::Pod(of) => pod::fill(sim, of, page),
        Object::Deployment(of) => workload::deployment(sim, of, page),
        Object::ReplicaSet(of) => workload::replica_set(sim, of, page),
        Object::Service(of) => service::fill(sim, of, page),
        Object::EndpointSlice(of) => service::slice(sim, of, page),
        Object::HorizontalPodAutoscaler(of) => autoscaler::fill(sim, of, page),
        Object::StatefulSet(of) => sets::stateful_set(sim, of, page),
        Object::DaemonSet(of) => sets::daemon_set(sim, of, page),
        Object::ReplicationController(of) => sets::replication_controller(sim, of, page),
        Object::Job(of) => jobs::job(sim, of, page),
        Object::CronJob(of) => jobs::cron_job(sim, of, page),
        Object::PodDisruptionBudget(of) => policy::budget(sim, of, page),
        Object::ResourceQuota(of) => policy::quota(sim, of, page),
        Object::LimitRange(of) => policy::limits(of, page),
        Object::PriorityClass(of) => policy::priority(sim, of, page),
        Object::PersistentVolumeClaim(of) => storage::claim(sim, of, page),
        Object::PersistentVolume(of) => storage::volume(sim, of, page),
        Object::VolumeAttachment(of) => storage::attachment(sim, of, page),
        Object::StorageClass(of) => storage::class(of, page),
        _ => {}
    }
    let meta = object.metadata();
    page.rows.push(row("resourceVersion", &"", &meta.resource_version));
}

/// A thing that is no more, as far as the facts tell of it.
fn gone(sim: &Sim, of: Kind, named: (&str, &str), page: &mut Inspection) -> Option<()> {
    let is_it = |fact: &&Fact| match &fact.what {
        What::Stored { kind, namespace, name, .. } => *kind == of && (&**namespace, &**name) == named,
        _ => false,
    };
    let last = sim.facts().before(u64::MAX).find(is_it)?;
    page.exists = false;
    page.state = (Tone::Plain, "deleted".into());
    page.fact = last.id;
    page.rows.push(row("deleted", &"", &super::parts::ago(sim, last.at)));
    Some(())
}

/// The fact that a person would ask about: the object's creation, or the last change that was more than a report.
fn turning_point(sim: &Sim, object: ObjId) -> u64 {
    let decides = |by: &Actor| match by {
        Actor::Person => true,
        Actor::Controller(number) => {
            CONTROLLERS.get(usize::from(*number)).is_some_and(|row| row.name == "horizontal-pod-autoscaler")
        }
        _ => false,
    };
    let is_it = |fact: &&Fact| match &fact.what {
        What::Stored { id, op, turn, by, kind, .. } => {
            let is_told = *kind != Kind::HorizontalPodAutoscaler && decides(by);
            *id == object && (*op == Op::Added || *turn != Turn::Other || is_told)
        }
        _ => false,
    };
    sim.facts().before(u64::MAX).find(is_it).map_or(0, |fact| fact.id)
}

/// Events about an object, newest first. Those that the feed still has are the feed's own lines.
fn events(sim: &Sim, painter: &Painter, about: ObjId) -> Vec<Rc<FeedLine>> {
    let mut found = sim.events_about(about);
    let at = |event: &Event| event.last_timestamp.or(event.event_time.map(|time| time.0));
    order::sort_by_key(&mut found, |event| std::cmp::Reverse((at(event), event.metadata.id)));
    found.truncate(EVENTS_MAX);
    let mut lines: Vec<Rc<FeedLine>> = Vec::new();
    let mut unknown: Map<ObjId, &Rc<Event>> = Map::new();
    for event in found {
        match painter.line(event.metadata.id) {
            Some(line) => lines.push(line.clone()),
            None => drop(unknown.insert(event.metadata.id, event)),
        }
    }
    for fact in sim.facts().before(u64::MAX) {
        if unknown.is_empty() {
            break;
        }
        if let What::Said { event } = &fact.what
            && let Some(event) = unknown.remove(event)
        {
            lines.push(Rc::new(line_of(event, Some(fact))));
        }
    }
    lines.extend(unknown.into_values().map(|event| Rc::new(line_of(event, None))));
    order::sort_by_key(&mut lines, |line| std::cmp::Reverse((line.at_us, line.id)));
    lines
}
