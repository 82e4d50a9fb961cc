//! What goes wrong, or what somebody does.

use super::cast::{Member, PLACE, named};
use super::dice::Dice;
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::{Kind, Pod, StatefulSet};
use setpoint_sim::{Action, Method, Request, Sim};
use std::rc::Rc;

/// Machines that a life has at most.
const MACHINES_MAX: usize = 7;

/// What happens to the Deployment `web` and to machines. `calm` lives have no faults.
fn usual(dice: &mut Dice, sim: &Sim, calm: bool) -> Option<Action> {
    let namespace = || "default".to_string();
    let node = |dice: &mut Dice| {
        let machines: Vec<String> =
            sim.machines().iter().map(|machine| machine.config.node.to_string()).gather();
        dice.pick(&machines).cloned().unwrap_or_default()
    };
    let pod = |dice: &mut Dice| {
        let names: Vec<String> =
            sim.store().list_in::<Pod>("default").map(|pod| pod.metadata.name.to_string()).gather();
        dice.pick(&names).cloned().unwrap_or_default()
    };
    let deployment = || "web".to_string();
    let images =
        if calm { &["v1", "v2", "v3"][..] } else { &["v1", "v2", "v3", "broken", "missing", "crash"][..] };
    Some(match dice.roll(if calm { 8 } else { 18 }) {
        0 => Action::SetLoad { namespace: namespace(), service: "web".into(), rps: dice.roll(120) as u32 },
        1 => {
            Action::Scale { namespace: namespace(), deployment: deployment(), replicas: dice.roll(10) as i32 }
        }
        2 | 3 => {
            let tag = dice.pick(images)?;
            Action::SetImage { namespace: namespace(), deployment: deployment(), image: format!("web:{tag}") }
        }
        4 => Action::Undo { namespace: namespace(), deployment: deployment(), to_revision: None },
        5 => Action::SetPaused { namespace: namespace(), deployment: deployment(), paused: dice.chance(50) },
        6 => Action::DeletePod { namespace: namespace(), pod: pod(dice), grace_seconds: None },
        7 => Action::SetStrategy {
            namespace: namespace(),
            deployment: deployment(),
            max_surge: dice.pick(&["0", "1", "2", "25%", "100%"])?.to_string(),
            max_unavailable: dice.pick(&["0", "1", "25%", "50%", "one"])?.to_string(),
        },
        16 if dice.chance(50) => Action::Drain { node: node(dice) },
        16 if dice.chance(50) => Action::StopKubelet { node: node(dice) },
        16 => Action::StartKubelet { node: node(dice) },
        8 | 17 => Action::KillMachine { node: node(dice) },
        9 | 10 => Action::RestoreMachine { node: node(dice) },
        11 => Action::CrashPod { namespace: namespace(), pod: pod(dice) },
        12 => Action::WedgePod { namespace: namespace(), pod: pod(dice) },
        13 => Action::SetCordoned { node: node(dice), cordoned: dice.chance(50) },
        14 => Action::DeletePod { namespace: namespace(), pod: pod(dice), grace_seconds: Some(0) },
        _ => {
            let names: Vec<&str> = setpoint_control::CONTROLLERS.iter().map(|row| row.name).gather();
            let component = dice.pick(&names)?.to_string();
            Action::SetComponent { component, up: dice.chance(60) }
        }
    })
}

/// The next thing that goes wrong, or that somebody does.
pub(super) fn draw(dice: &mut Dice, sim: &Sim, cast: &[Member], calm: bool) -> Vec<Action> {
    if cast.is_empty() || dice.chance(40) {
        return usual(dice, sim, calm).into_iter().gather();
    }
    match dice.roll(if calm { 7 } else { 13 }) {
        0 => resize(dice, cast, 7),
        1 | 2 => roll_out(dice, cast, calm),
        3 => tune(dice, cast),
        4 => evict(dice, sim, |_| true, true),
        5 => delete(dice, cast),
        6 => with(dice.pick(cast), |member| vec![apply(member)]),
        7 => {
            let node = node(dice, sim);
            let mut actions = vec![Action::SetCordoned { node: node.clone(), cordoned: true }];
            actions.extend(evict(dice, sim, |pod| pod.spec.node_name.as_deref() == Some(&*node), false));
            actions
        }
        8 => taint(dice, sim),
        9 if dice.chance(50) => lose_node(dice, sim),
        9 if sim.machines().len() < MACHINES_MAX => {
            vec![Action::AddMachine { node: format!("node-{:02}", sim.machines().len() + 1) }]
        }
        10 => hurt(dice, sim),
        11 if dice.chance(50) => {
            vec![Action::SetComponent { component: "kube-apiserver".into(), up: dice.chance(50) }]
        }
        12 if dice.chance(30) => vec![delete_request(Kind::Namespace, "", PLACE, "")],
        _ => resize(dice, cast, 3),
    }
}

fn with<T>(found: Option<T>, act: impl FnOnce(T) -> Vec<Action>) -> Vec<Action> {
    found.map(act).unwrap_or_default()
}

fn node(dice: &mut Dice, sim: &Sim) -> String {
    let machines: Vec<String> = sim.machines().iter().map(|machine| machine.config.node.to_string()).gather();
    dice.pick(&machines).cloned().unwrap_or_default()
}

fn request(request: Request) -> Action {
    Action::Request { request: Rc::new(request) }
}

/// A strategic merge patch of the spec of a member.
pub(super) fn patch(member: &Member, spec: Value) -> Action {
    patch_of(member.kind, member.namespace, member.name, json!({ "spec": spec }))
}

fn patch_of(kind: Kind, namespace: &str, name: &str, body: Value) -> Action {
    request(Request {
        method: Method::Patch,
        api_version: kind.api_version().into(),
        kind: kind.as_str().into(),
        namespace: namespace.into(),
        name: name.into(),
        body,
        ..Request::default()
    })
}

pub(super) fn delete_request(kind: Kind, namespace: &str, name: &str, cascade: &str) -> Action {
    request(Request {
        method: Method::Delete,
        api_version: kind.api_version().into(),
        kind: kind.as_str().into(),
        namespace: namespace.into(),
        name: name.into(),
        propagation_policy: cascade.into(),
        ..Request::default()
    })
}

pub(super) fn apply(member: &Member) -> Action {
    Action::Apply { manifest: member.manifest.clone() }
}

fn resize(dice: &mut Dice, cast: &[Member], most: u64) -> Vec<Action> {
    let kinds = [Kind::StatefulSet, Kind::Deployment, Kind::ReplicationController];
    with(dice.pick(&named(cast, &kinds)), |member| {
        vec![patch(member, json!({ "replicas": dice.roll(most) }))]
    })
}

/// Another image for whatever rolls out.
fn roll_out(dice: &mut Dice, cast: &[Member], calm: bool) -> Vec<Action> {
    let tags =
        if calm { &["v1", "v2", "v3"][..] } else { &["v1", "v2", "v3", "broken", "missing", "crash"][..] };
    let tag = dice.pick(tags).copied().unwrap_or_default();
    let kinds = [Kind::StatefulSet, Kind::DaemonSet, Kind::Deployment, Kind::ReplicationController];
    with(dice.pick(&named(cast, &kinds)), |member| {
        let container = json!({ "name": "main", "image": format!("{}:{tag}", member.name) });
        vec![patch(member, json!({ "template": { "spec": { "containers": [container] } } }))]
    })
}

/// Settings that only some kinds have.
fn tune(dice: &mut Dice, cast: &[Member]) -> Vec<Action> {
    let kinds = [Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob, Kind::ResourceQuota];
    with(dice.pick(&named(cast, &kinds)), |member| {
        let spec = match member.kind {
            Kind::StatefulSet => {
                let partition = dice.roll(4);
                json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": partition } } })
            }
            Kind::DaemonSet => {
                let bounds = [
                    json!({ "maxSurge": "50%", "maxUnavailable": 0 }),
                    json!({ "maxSurge": 0, "maxUnavailable": 2 }),
                ];
                let bounds = dice.pick(&bounds).cloned();
                json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": bounds } })
            }
            Kind::Job if dice.chance(50) => json!({ "parallelism": dice.roll(5) }),
            Kind::ResourceQuota => json!({ "hard": { "pods": 3 + dice.roll(20) } }),
            _ => json!({ "suspend": dice.chance(50) }),
        };
        vec![patch(member, spec)]
    })
}

/// Evictions: of one pod of those that `is_meant`, or of all.
fn evict(dice: &mut Dice, sim: &Sim, is_meant: impl Fn(&Pod) -> bool, only_one: bool) -> Vec<Action> {
    let is_daemon = |pod: &Pod| pod.metadata.controller().is_some_and(|owner| &*owner.kind == "DaemonSet");
    let pods: Vec<&Rc<Pod>> =
        sim.store().list::<Pod>().filter(|pod| is_meant(pod) && (only_one || !is_daemon(pod))).gather();
    let action = |pod: &Rc<Pod>| {
        request(Request {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            subresource: "eviction".into(),
            ..Request::default()
        })
    };
    if only_one {
        return dice.pick(&pods).map(|pod| action(pod)).into_iter().gather();
    }
    pods.into_iter().map(action).gather()
}

fn delete(dice: &mut Dice, cast: &[Member]) -> Vec<Action> {
    let cascade = dice.pick(&["Background", "Foreground", "Orphan"]).copied().unwrap_or_default();
    let is_meant = |member: &&Member| !matches!(member.kind, Kind::Namespace | Kind::PriorityClass);
    let members: Vec<&Member> = cast.iter().filter(is_meant).gather();
    with(dice.pick(&members), |member| {
        vec![delete_request(member.kind, member.namespace, member.name, cascade)]
    })
}

fn taint(dice: &mut Dice, sim: &Sim) -> Vec<Action> {
    let effect = dice.pick(&["NoSchedule", "NoExecute", "PreferNoSchedule"]).copied().unwrap_or_default();
    let node = node(dice, sim);
    vec![if dice.chance(50) { set_taint(&node, Some(effect)) } else { set_taint(&node, None) }]
}

/// Puts the taint `swarm` on a node, or takes it away.
pub(super) fn set_taint(node: &str, effect: Option<&str>) -> Action {
    let taint = match effect {
        Some(effect) => json!({ "key": "swarm", "effect": effect }),
        None => json!({ "key": "swarm", "$patch": "delete" }),
    };
    patch_of(Kind::Node, "", node, json!({ "spec": { "taints": [taint] } }))
}

/// A machine is lost for good, as far as the cluster is told: its node is deleted.
fn lose_node(dice: &mut Dice, sim: &Sim) -> Vec<Action> {
    let node = node(dice, sim);
    vec![Action::KillMachine { node: node.clone() }, delete_request(Kind::Node, "", &node, "")]
}

/// Something happens to a pod of the cast, or to a claim.
fn hurt(dice: &mut Dice, sim: &Sim) -> Vec<Action> {
    let namespace = || PLACE.to_string();
    let pods: Vec<String> =
        sim.store().list_in::<Pod>(PLACE).map(|pod| pod.metadata.name.to_string()).gather();
    let Some(pod) = dice.pick(&pods).cloned() else { return Vec::new() };
    vec![match dice.roll(5) {
        0 => Action::CrashPod { namespace: namespace(), pod },
        1 => Action::WedgePod { namespace: namespace(), pod },
        2 => Action::DeletePod { namespace: namespace(), pod, grace_seconds: Some(0) },
        3 => {
            let ordinal = sim.store().list_in::<StatefulSet>(PLACE).count() as u64 * dice.roll(3);
            delete_request(Kind::PersistentVolumeClaim, PLACE, &format!("data-db-{ordinal}"), "")
        }
        _ => Action::DeletePod { namespace: namespace(), pod, grace_seconds: None },
    }]
}
