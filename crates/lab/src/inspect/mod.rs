//! What the inspector shows of one thing, and the chain of causes behind a fact, as plain data in the page's words.

mod autoscaler;
mod belongings;
mod component;
pub(crate) mod jobs;
mod look;
mod node;
pub(crate) mod parts;
mod pod;
mod policy;
mod scheduling;
mod service;
mod sets;
pub(crate) mod storage;
mod subject;
mod workload;

pub(crate) use look::inspect;
pub(crate) use subject::{object, subject, subject_of};

use crate::frame::FeedLine;
use std::rc::Rc;

/// Something that can be looked at closely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An object of the API. The namespace is empty for nodes.
    Object {
        /// Kind in lower case, such as `pod`.
        kind: Rc<str>,
        /// Namespace.
        namespace: Rc<str>,
        /// Name.
        name: Rc<str>,
    },
    /// A part of the control plane, by its name in events, such as `default-scheduler`.
    Component(Rc<str>),
}

/// How good or bad something is. The page adds a shape to each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// On its way, or worth a look.
    Busy,
    /// Wrong.
    Bad,
}

/// One thing from all sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What it is about.
    pub subject: Subject,
    /// When it was seen so, in µs; pictures of the cluster may be older.
    pub at_us: i64,
    /// Kind for people, such as `Pod` or `Controller`.
    pub kind: Rc<str>,
    /// Name.
    pub name: Rc<str>,
    /// Its state in a word or two.
    pub state: (Tone, Rc<str>),
    /// Whether the thing still exists. What was deleted is shown as it was last seen.
    pub exists: bool,
    /// Owners, outermost first.
    pub owners: Vec<Link>,
    /// What it owns or holds: the pods of a ReplicaSet or a node, the endpoints of a Service.
    pub children: Vec<Link>,
    /// Spec against status, or belief against truth.
    pub rows: Vec<Row>,
    /// Conditions of its status.
    pub conditions: Vec<Condition>,
    /// What it waits for.
    pub timers: Vec<Timer>,
    /// The arithmetic of its last decision, line by line: of the autoscaler, of the scheduler about a pod.
    pub working: Option<Working>,
    /// What was said about it, newest first.
    pub events: Vec<Rc<FeedLine>>,
    /// The fact of its creation or its last change, to ask why; 0 if forgotten.
    pub fact: u64,
    /// Of a pod, its way from what somebody did, or what happened, until it was ready: each step with who took it, oldest first.
    pub path: Vec<Cause>,
    /// If it is a part of the control plane.
    pub lens: Option<Lens>,
}

/// A way to another thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub to: Subject,
    /// Such as `ReplicaSet web-5bb4c446b6`.
    pub text: Rc<str>,
    /// Its state in a word or two.
    pub state: (Tone, Rc<str>),
}

/// One line of spec against status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Such as `replicas`.
    pub name: Rc<str>,
    /// What is asked for; empty if nothing is.
    pub wanted: Rc<str>,
    /// What is.
    pub is: Rc<str>,
    /// Whether the two differ: this is what a control loop acts on.
    pub differs: bool,
}

/// A condition of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Such as `Progressing`.
    pub name: Rc<str>,
    /// `True`, `False` or `Unknown`.
    pub status: Rc<str>,
    /// Whether that is good.
    pub tone: Tone,
    /// Reason in one word.
    pub reason: Rc<str>,
    /// Message.
    pub message: Rc<str>,
    /// Since when.
    pub since_us: i64,
}

/// Something that will happen at a known time unless something else comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Such as `readiness probe`.
    pub name: Rc<str>,
    /// What happens then, in a sentence.
    pub then: Rc<str>,
    /// When it was set.
    pub from_us: i64,
    /// When it rings.
    pub to_us: i64,
    /// Its length with upstream's default and where that stands, such as `4 s here; upstream 50 s (--node-monitor-grace-period)`.
    pub length: Rc<str>,
}

/// Arithmetic that can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// Such as `3 → 4 replicas` or `Scheduled to node-02`.
    pub title: Rc<str>,
    /// When it was done.
    pub at_us: i64,
    /// Lines: what, the formula with its numbers, a remark.
    pub lines: Vec<(Rc<str>, Rc<str>, Rc<str>)>,
    /// A table, such as the scheduler's nodes with filters and scores: the head, then the rows; empty if there is none.
    pub table: Vec<Vec<Rc<str>>>,
}

/// A part of the control plane at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Whether it runs.
    pub up: bool,
    /// What it does, in one or two sentences.
    pub does: Rc<str>,
    /// What it is like in daily life.
    pub like: Rc<str>,
    /// Keys that wait in its queue.
    pub queued: u32,
    /// Keys it works on now.
    pub working: u32,
    /// Runs so far; of the API server writes; 0 where nobody counts.
    pub runs: u64,
    /// Runs that found nothing to do.
    pub idle_runs: u64,
    /// When it gets all that it watches once more, and upstream's and the present length of that period; of controllers.
    pub resync: Option<Resync>,
    /// The last runs, newest first.
    pub history: Vec<Reconcile>,
}

/// The period after which a controller looks at everything again, whether it has changed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    /// When it is due, if somebody has set its period.
    pub next_us: Option<i64>,
    /// Its length here.
    pub here_us: i64,
    /// Upstream's default.
    pub upstream_us: i64,
}

/// One run of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconcile {
    /// When.
    pub at_us: i64,
    /// On what.
    pub about: Option<Link>,
    /// What it observed, such as `want 3`, `have 2`.
    pub observed: Vec<Rc<str>>,
    /// The difference in a few words, such as `1 short`; `none` if there is none.
    pub diff: Rc<str>,
    /// What it did, such as `create 1 pod`, or `nothing to do`.
    pub act: Rc<str>,
    /// Whether it found nothing to do.
    pub is_idle: bool,
    /// Whether it ran because of a resync, and not because something had changed.
    pub is_resync: bool,
    /// The fact of it, to ask why.
    pub fact: u64,
}

/// One link of a chain of causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The fact.
    pub fact: u64,
    /// When.
    pub at_us: i64,
    /// Who: a component, `You`, `The scenario`, or the machine.
    pub who: Rc<str>,
    /// What they did, as the rest of the sentence that `who` begins.
    pub what: Rc<str>,
    /// The thing it was done to.
    pub about: Option<Subject>,
    /// Whether it is where the chain begins: a person's act, or a draw of the generator.
    pub is_origin: bool,
}

impl Subject {
    /// The text form, for addresses: `node/node-01`, `pod/default/web-x`, `component/default-scheduler`.
    pub fn to_text(&self) -> String {
        match self {
            Subject::Component(name) => format!("component/{name}"),
            Subject::Object { kind, namespace, name } if namespace.is_empty() => format!("{kind}/{name}"),
            Subject::Object { kind, namespace, name } => format!("{kind}/{namespace}/{name}"),
        }
    }

    /// Reads the text form; `None` if it is none. Whether the thing exists is another question.
    pub fn from_text(text: &str) -> Option<Subject> {
        let (kind, rest) = text.split_once('/')?;
        if kind.is_empty() || rest.is_empty() {
            return None;
        }
        if kind == "component" {
            return Some(Subject::Component(rest.into()));
        }
        let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
        Some(Subject::Object { kind: kind.into(), namespace: namespace.into(), name: name.into() })
    }
}
