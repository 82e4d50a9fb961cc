//! What the page shows, as plain data in the page's words. Parts that did not change keep their `Rc`, so that the page can
//! skip them.

use crate::inspect::{Subject, Tone};
use std::rc::Rc;

/// One picture of the cluster. Times are microseconds of simulated time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Simulated time of the picture.
    pub at_us: i64,
    /// Whether upstream's periods are in force rather than the short ones of a lesson.
    pub real_timing: bool,
    /// The seed of the run.
    pub seed: u64,
    /// The application in the middle of the page; `None` before there is a Deployment.
    pub app: Option<Rc<App>>,
    /// Requests.
    pub traffic: Rc<Traffic>,
    /// The Service in front of the application.
    pub balancer: Option<Rc<Balancer>>,
    /// Nodes, by name.
    pub nodes: Vec<Rc<NodeTile>>,
    /// Pods that no node has taken yet.
    pub pending: Vec<Rc<PodTile>>,
    /// What there is besides Deployments and pods: sets, Jobs, budgets, quotas, claims.
    pub things: Rc<Vec<Rc<Thing>>>,
    /// Pods that are desired but do not exist.
    pub missing: Rc<Vec<Missing>>,
    /// What the cluster said, newest first; at most 200 lines.
    pub feed: Rc<Vec<Rc<FeedLine>>>,
    /// The control plane's parts.
    pub components: Vec<Rc<Component>>,
    /// Requests on their way or just ended, for the dots.
    pub flights: Rc<Vec<Flight>>,
    /// The chart's history, oldest first, one sample per second; at most 600.
    pub history: Rc<Vec<Sample>>,
    /// What the person did, for the chart's marks, oldest first.
    pub marks: Rc<Vec<Mark>>,
}

/// The Deployment in the middle of the page, with its autoscaler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct App {
    /// Namespace of the Deployment.
    pub namespace: Rc<str>,
    /// Name of the Deployment.
    pub name: Rc<str>,
    /// Wanted pods.
    pub target_replicas: i32,
    /// Who set them: `you`, `HPA`, `scenario` or `manifest`.
    pub target_set_by: Rc<str>,
    /// Ready pods.
    pub ready: i32,
    /// Pods that are desired but do not exist yet.
    pub missing: i32,
    /// Versions with their pods, the wanted one last.
    pub versions: Vec<VersionCount>,
    /// Version that is wanted, such as `v2`.
    pub version: Rc<str>,
    /// Where the rollout is.
    pub rollout: Rollout,
    /// One sentence on the rollout.
    pub rollout_note: Rc<str>,
    /// Pods above the wanted number that a rollout may make.
    pub max_surge: i32,
    /// Pods that a rollout may miss.
    pub max_unavailable: i32,
    /// Whether there is an earlier revision to go back to.
    pub can_undo: bool,
    /// The revisions of its history, newest first.
    pub revisions: Vec<Revision>,
    /// Average CPU of the ready pods in percent of their request, as last sampled.
    pub cpu_percent: Option<i32>,
    /// The autoscaler, if there is one.
    pub autoscaler: Option<Autoscaler>,
    /// Ready and wanted pods of the other Deployments of its namespace, such as `cart 2/2 · pay 1/2`; empty if there are none, or
    /// more than a few.
    pub beside: Rc<str>,
}

/// A template that the Deployment has had, kept by a ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// Its number, for `Action::Undo`.
    pub number: i64,
    /// Version of its image, such as `v1`.
    pub version: Rc<str>,
    /// Pods that its ReplicaSet asks for now.
    pub replicas: i32,
    /// Whether it is the one that the Deployment asks for.
    pub is_current: bool,
    /// When its ReplicaSet was made.
    pub at_us: i64,
}

/// Where a rollout is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rollout {
    /// All pods are of the wanted version and available.
    #[default]
    Complete,
    /// Going on.
    Progressing,
    /// No progress within the deadline.
    Stalled,
    /// Paused.
    Paused,
}

/// Pods of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionCount {
    /// Such as `v1`: the image's tag.
    pub version: Rc<str>,
    /// Pods.
    pub pods: i32,
    /// Ready ones.
    pub ready: i32,
}

/// What an autoscaler goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// CPU in percent of the request.
    #[default]
    Cpu,
    /// Memory in percent of the request.
    Memory,
    /// Requests per second of each pod, a custom metric.
    Requests,
    /// Something else, or several together.
    Other,
}

/// The autoscaler's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Autoscaler {
    /// Lower bound.
    pub min: i32,
    /// Upper bound.
    pub max: i32,
    /// What it holds.
    pub metric: Metric,
    /// Target: percent of the request, or requests per second of each pod.
    pub target: i32,
    /// When it looks next.
    pub next_look_us: Option<i64>,
    /// The arithmetic of its last decision, such as `3 × 160/70 = 6.86 → 7`, and the bound that it met.
    pub arithmetic: Rc<str>,
    /// Until when a higher recommendation holds a scale-down back, and the replicas it holds.
    pub holding: Option<(i64, i32)>,
    /// How far back a scale-down looks for a higher recommendation.
    pub window_us: i64,
    /// Replicas that the last decision would have asked for without that, within the bounds.
    pub wish: Option<i32>,
}

impl Autoscaler {
    /// Its target of CPU in percent, if it goes by that.
    pub fn cpu_target(&self) -> Option<i32> {
        (self.metric == Metric::Cpu).then_some(self.target)
    }
}

/// A period of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Its row of the tuning table, such as `node_monitor_grace`.
    pub row: &'static str,
    /// Its name, such as `node monitor grace`.
    pub name: Rc<str>,
    /// Its length here.
    pub here_us: i64,
    /// Upstream's default.
    pub upstream_us: i64,
    /// Where upstream's default stands: a flag or a file.
    pub source: &'static str,
}

/// Requests since the start and in the last second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests per second that the load source sends.
    pub offered_rps: u32,
    /// Requests that were answered in the last second.
    pub served_per_second: u32,
    /// Requests that failed in the last second.
    pub failed_per_second: u32,
    /// All requests that have ended.
    pub ended: u64,
    /// All that failed.
    pub failed: u64,
    /// Those that failed since the last mark (rollout, kill), with the mark's name.
    pub failed_since: Option<(u64, Rc<str>)>,
    /// 95th percentile of the latency of served requests over the last ten seconds.
    pub p95_us: Option<i64>,
    /// Why requests failed since the last mark, most frequent first.
    pub causes: Vec<(Rc<str>, u64)>,
}

/// The Service in front of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balancer {
    /// Name and port, such as `web:80`.
    pub name: Rc<str>,
    /// Virtual address.
    pub address: Rc<str>,
    /// Ready endpoints.
    pub ready_endpoints: i32,
    /// Pods that the balancer would send to, by pod id; it may be out of date, as kube-proxy may.
    pub routes: Vec<u32>,
    /// Those of the routes that answer nothing: no power, a process that hangs, or none. The truth, which the balancer does
    /// not know yet.
    pub silent: Vec<u32>,
}

/// A node and its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeTile {
    /// Name in the API, such as `node-01`.
    pub name: Rc<str>,
    /// Whether the machine has power: the truth.
    pub powered: bool,
    /// Whether its kubelet was stopped while it runs on: the truth.
    pub kubelet_stopped: bool,
    /// Whether its disk is full.
    pub disk_full: bool,
    /// What the cluster believes: `Ready`, `NotReady`, `Unknown`, ...
    pub status: Rc<str>,
    /// Whether the cluster believes it ready.
    pub ready: bool,
    /// Whether it is cordoned.
    pub cordoned: bool,
    /// A sentence when something is wrong, such as `No heartbeat for 3 s.`
    pub note: Option<Rc<str>>,
    /// What holds its drain up, in two short lines: which budget keeps which pod, and when it is asked again.
    pub kept: Option<(Rc<str>, Rc<str>)>,
    /// CPU that its pods use, in thousandths of a core.
    pub cpu_used_milli: i64,
    /// CPU that its pods request.
    pub cpu_requested_milli: i64,
    /// CPU that pods may request.
    pub cpu_allocatable_milli: i64,
    /// Pods, in creation order.
    pub pods: Vec<Rc<PodTile>>,
}

/// An object besides Deployments and pods, in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What it is, to be looked at closely.
    pub subject: Subject,
    /// Its kind, such as `StatefulSet`.
    pub kind: Rc<str>,
    /// Its name, with its namespace if that is not `default`.
    pub name: Rc<str>,
    /// How it stands, such as `2/3 ready`.
    pub state: Rc<str>,
    /// How good that is.
    pub tone: Tone,
    /// When its next run begins.
    pub next_us: Option<i64>,
    /// Why it waits.
    pub why: Option<Rc<str>>,
}

/// Pods of one owner that are desired but do not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Who wants them.
    pub owner: Subject,
    /// Its name.
    pub name: Rc<str>,
    /// How many.
    pub count: i32,
    /// Their names, where those are known before.
    pub places: Vec<Rc<str>>,
    /// Why they were not made, as far as that is known.
    pub why: Option<Rc<str>>,
}

/// Whose a pod is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nature {
    /// One of many equals, of a ReplicaSet.
    #[default]
    Replica,
    /// One with a name and a place of its own, of a StatefulSet.
    Stateful,
    /// One for each node, of a DaemonSet.
    Daemon,
    /// A run to completion, of a Job.
    Run,
    /// Nobody's.
    Bare,
}

/// How a pod looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodLook {
    /// Not yet on a node.
    #[default]
    Pending,
    /// Its image is being pulled.
    Pulling,
    /// Its container starts, or runs and is not yet ready for the first time.
    Starting,
    /// Ready.
    Ready,
    /// Runs but is not ready.
    NotReady,
    /// Crashed and waiting for a restart, or its image cannot be pulled.
    BackOff,
    /// Being deleted.
    Terminating,
    /// Its machine is off: nobody knows.
    Lost,
    /// Ended for good.
    Finished,
}

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodTile {
    /// Identity that does not change; never reused.
    pub id: u32,
    /// Namespace.
    pub namespace: Rc<str>,
    /// Name.
    pub name: Rc<str>,
    /// Last part of the name; among pods of other workloads, the name of its own.
    pub short_name: Rc<str>,
    /// The image's tag, such as `v1`.
    pub version: Rc<str>,
    /// How it looks.
    pub look: PodLook,
    /// STATUS as `kubectl get pods` prints it.
    pub status: Rc<str>,
    /// A few words: `starting`, the scheduler's message, why it waits.
    pub note: Option<Rc<str>>,
    /// When the present step began and is expected to end, where that is known.
    pub step: Option<(i64, i64)>,
    /// Restarts.
    pub restarts: i32,
    /// CPU in percent of the request, if it runs.
    pub cpu_percent: Option<i32>,
    /// Whether its process hangs: the truth, which the cluster may not know.
    pub wedged: bool,
    /// Whose it is.
    pub nature: Nature,
    /// Whether the short name says so.
    pub is_named: bool,
    /// The claims that it uses, with their state, such as `data-db-0 Bound 1Gi`.
    pub volumes: Option<Rc<str>>,
    /// The pod that takes its place, if it has to go for one of higher priority.
    pub preempted_by: Option<Rc<str>>,
}

/// One line of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedLine {
    /// Identity of the line.
    pub id: u64,
    /// When it was last seen.
    pub at_us: i64,
    /// Whether it is a warning.
    pub is_warning: bool,
    /// Reason in one word.
    pub reason: Rc<str>,
    /// Object, such as `Pod/web-5bb4c446b6-2xgbv`; empty where there is none.
    pub object: Rc<str>,
    /// The object as something to look at.
    pub subject: Option<Subject>,
    /// Message.
    pub message: Rc<str>,
    /// How often.
    pub count: i32,
    /// Who says it: a component, `you`, or `scenario` for what the scenario does in a person's place.
    pub source: Rc<str>,
    /// The fact behind it, to ask why.
    pub fact: u64,
}

/// A part of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Name for people.
    pub title: Rc<str>,
    /// Name in events, and in `Action::SetComponent`.
    pub name: Rc<str>,
    /// Whether it runs.
    pub up: bool,
    /// What it did in the last half second, such as `create 1 pod`.
    pub acting: Option<Rc<str>>,
}

/// A request on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Identity.
    pub id: u64,
    /// When it left the balancer.
    pub from_us: i64,
    /// When it ends.
    pub to_us: i64,
    /// Pod that it goes to; `None` if it was refused before.
    pub pod: Option<u32>,
    /// Whether it fails.
    pub failed: bool,
}

/// One second of the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// End of the second.
    pub at_us: i64,
    /// Load in requests per second.
    pub rps: u32,
    /// Ready pods.
    pub ready: i32,
    /// Desired pods.
    pub desired: i32,
    /// Average CPU in percent of the request.
    pub cpu_percent: Option<i32>,
    /// Failed requests in that second.
    pub failed: u32,
}

/// Something that the person did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at_us: i64,
    /// What, in a few words: `load 240`, `deploy v2`, `node-03 off`.
    pub name: Rc<str>,
}
