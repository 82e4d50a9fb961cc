//! How a life ends: everything is put right, and must come to rest as desired.

use super::actions::{apply, delete_request, patch, set_taint};
use super::cast::{Member, PLACE};
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::time::MINUTE;
use setpoint_api::wire::kept;
use setpoint_api::{
    ConditionStatus, CronJob, DaemonSet, Deployment, HorizontalPodAutoscaler, Job, Kind, Namespace, Node,
    Object, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicationController, ResourceQuota,
    StatefulSet, condition,
};
use setpoint_control::job::is_finished;
use setpoint_control::pod as pods;
use setpoint_control::volumes::pods::claims;
use setpoint_sim::{Action, Sim};
use std::rc::Rc;

/// Everything is put right: power, cordons, taints, components, good versions, little load.
pub(super) fn repairs(sim: &Sim, cast: &[Member]) -> Vec<Action> {
    let mut actions = vec![Action::SetComponent { component: "kube-apiserver".into(), up: true }];
    for machine in sim.machines() {
        let node = machine.config.node.to_string();
        if machine.power == setpoint_sim::machine::Power::Off {
            actions.push(Action::RestoreMachine { node: node.clone() });
        }
        if machine.is_kubelet_stopped {
            actions.push(Action::StartKubelet { node: node.clone() });
        }
        if machine.pressure.is_disk_full {
            actions.push(Action::SetDiskFull { node: node.clone(), full: false });
        }
        let Some(found) = sim.store().find::<Node>("", &node) else { continue };
        if found.spec.taints.iter().any(|taint| &*taint.key == "swarm") {
            actions.push(set_taint(&node, None));
        }
        if found.spec.unschedulable {
            actions.push(Action::SetCordoned { node, cordoned: false });
        }
    }
    // The workloads of a lonely machine may not fit on it while they are rolled over: upstream's rollout would wait for ever.
    if sim.machines().len() < 3 {
        actions.push(Action::AddMachine { node: "node-spare".into() });
    }
    for (row, control) in setpoint_control::CONTROLLERS.iter().zip(sim.loops()) {
        if !control.up {
            actions.push(Action::SetComponent { component: row.name.into(), up: true });
        }
    }
    // A process that hangs without a liveness probe hangs for ever, upstream too: somebody has to delete its pod.
    let hanging = sim.machines().iter().flat_map(|machine| machine.pods.values());
    for local in hanging.filter(|local| local.processes.iter().any(|process| process.wedged)) {
        actions.push(delete_pod(&local.pod));
    }
    let (namespace, deployment) = ("default".to_string(), "web".to_string());
    actions.extend([
        Action::SetPaused { namespace: namespace.clone(), deployment: deployment.clone(), paused: false },
        Action::SetImage {
            namespace: namespace.clone(),
            deployment: deployment.clone(),
            image: "web:v1".into(),
        },
        Action::Scale { namespace: namespace.clone(), deployment, replicas: 2 },
        Action::SetLoad { namespace, service: "web".into(), rps: 1 },
    ]);
    actions.extend(cast.iter().flat_map(reset));
    actions
}

fn delete_pod(pod: &Pod) -> Action {
    let (namespace, pod) = (pod.metadata.namespace.to_string(), pod.metadata.name.to_string());
    Action::DeletePod { namespace, pod, grace_seconds: None }
}

/// A member as it was in the beginning, or so that it comes to an end.
fn reset(member: &Member) -> Vec<Action> {
    let set = |spec: Value| patch(member, spec);
    match member.kind {
        Kind::Deployment => vec![apply(member), set(json!({ "replicas": 1 }))],
        Kind::Job => vec![set(json!({ "suspend": false, "parallelism": 2 }))],
        Kind::CronJob => vec![set(json!({ "suspend": true }))],
        // What is below the partition stays at the revision that was rolled out last, which may be a bad one.
        Kind::StatefulSet if member.manifest.contains("partition") => {
            vec![apply(member), set(json!({ "updateStrategy": { "rollingUpdate": { "partition": 0 } } }))]
        }
        Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::ReplicationController
        | Kind::PodDisruptionBudget
        | Kind::ResourceQuota => vec![apply(member)],
        _ => Vec::new(),
    }
}

/// What a person goes on doing until all is well: members that are gone are made again; pods of a rollout that has failed are
/// deleted by hand, and so are those whose claim was deleted, for a StatefulSet in order waits for them for ever, and
/// OnDelete and ReplicationControllers wait for a person in any case.
pub(super) fn upkeep(sim: &Sim, cast: &[Member]) -> Vec<Action> {
    let store = sim.store();
    if store.find::<Namespace>("", PLACE).is_some_and(|namespace| namespace.metadata.is_deleting()) {
        // The last failed pod of an index waits for the next one, which cannot be made any more.
        let jobs = store.list_in::<Job>(PLACE).filter(|job| !job.metadata.is_deleting());
        return jobs.map(|job| delete_request(Kind::Job, PLACE, &job.metadata.name, "")).gather();
    }
    let is_missing = |member: &&Member| {
        // One that is gone after its time is not made again.
        let is_done = member.kind == Kind::Job && member.manifest.contains("ttlSecondsAfterFinished");
        !is_done && !member.is_there(store)
    };
    let mut actions: Vec<Action> = Vec::new();
    for member in cast.iter().filter(is_missing) {
        actions.push(apply(member));
        actions.extend(reset(member));
    }
    let is_stuck = |pod: &&Rc<Pod>| {
        let owner = pod.metadata.controller().and_then(|owner| store.object(store.id_of_uid(owner.uid)?));
        let label = pod.metadata.label("controller-revision-hash").unwrap_or_default();
        let is_old = match owner {
            Some(Object::StatefulSet(set)) => &*set.status().update_revision != label,
            Some(Object::ReplicationController(_)) => true,
            Some(Object::DaemonSet(set)) => &*set.spec().update_strategy.kind == "OnDelete",
            _ => false,
        };
        let is_using = claims(&pod.spec).any(|(_, name)| {
            let claim = store.find::<PersistentVolumeClaim>(PLACE, name);
            claim.is_some_and(|claim| claim.metadata.is_deleting())
        });
        let age = pod.metadata.creation_timestamp.map_or(0, |at| sim.now().since(at));
        pods::is_active(pod) && (is_using || (is_old && !pods::is_ready(pod) && age > MINUTE))
    };
    // A DaemonSet with a surge makes a new pod for each that a kubelet refuses, and a StatefulSet in order that shrinks waits
    // where more than one of those too many have failed, upstream too: somebody has to clear them away.
    let is_refused = |pod: &&Rc<Pod>| {
        let owner = pod.metadata.controller();
        &*pod.status.reason == setpoint_control::kubelet::EVICTED
            && owner.is_some_and(|owner| ["DaemonSet", "StatefulSet"].contains(&&*owner.kind))
    };
    actions.extend(
        store.list_in::<Pod>(PLACE).filter(|pod| is_stuck(pod) || is_refused(pod)).map(|pod| delete_pod(pod)),
    );
    actions
}

/// What is not yet as desired; `None` at rest.
pub(super) fn unrest(sim: &Sim, cast: &[Member]) -> Option<String> {
    nodes(sim).or_else(|| web(sim)).or_else(|| leftovers(sim)).or_else(|| {
        let (_, rest) = cast.split_first()?;
        rest.iter().find_map(|member| state(sim, member))
    })
}

fn nodes(sim: &Sim) -> Option<String> {
    let is_well = |name: &str| {
        sim.store().find::<Node>("", name).is_some_and(|node| {
            let ready = condition(&node.status.conditions, "Ready");
            ready.is_some_and(|ready| ready.status == ConditionStatus::True) && node.spec.taints.is_empty()
        })
    };
    let sick = sim.machines().iter().find(|machine| !is_well(&machine.config.node))?;
    Some(format!("node {} is gone, not ready or tainted", sick.config.node))
}

/// The Deployment of the classic life, its routes, its autoscaler.
fn web(sim: &Sim) -> Option<String> {
    let store = sim.store();
    let deployment = store.find::<Deployment>("default", "web")?;
    let wanted = deployment.spec.replicas.unwrap_or(1);
    if let Some(what) = deployed(deployment) {
        return Some(what);
    }
    // What was evicted stays, so that a person can read why.
    let stays = |pod: &&std::rc::Rc<Pod>| &*pod.status.reason == setpoint_control::kubelet::EVICTED;
    let there: Vec<_> = store.list_in::<Pod>("default").filter(|pod| !stays(pod)).gather();
    if there.len() as i32 != wanted || there.iter().any(|pod| !pods::is_active(pod)) {
        return Some(format!("{} pods for {wanted} replicas", there.len()));
    }
    let routes = store.id_of(Kind::Service, "default", "web").map_or(0, |id| sim.gateway().targets(id).len());
    if routes as i32 != wanted {
        return Some(format!("{routes} routes for {wanted} replicas"));
    }
    let autoscaler = store.find::<HorizontalPodAutoscaler>("default", "web")?;
    let (low, high) = (autoscaler.spec.min_replicas.unwrap_or(1), autoscaler.spec.max_replicas);
    (!(low..=high).contains(&wanted)).then(|| format!("{} replicas, outside of {low} to {high}", wanted))
}

fn deployed(deployment: &Deployment) -> Option<String> {
    let (name, wanted, status) =
        (&deployment.metadata.name, deployment.spec.replicas.unwrap_or(1), &deployment.status);
    let counts =
        (status.replicas, status.updated_replicas, status.available_replicas, status.observed_generation);
    let generation = deployment.metadata.generation;
    (counts != (wanted, wanted, wanted, generation))
        .then(|| format!("deployment {name} wants {wanted} at generation {generation}, has {counts:?}"))
}

/// Deletions that do not end, and objects whose owners are all gone.
fn leftovers(sim: &Sim) -> Option<String> {
    let store = sim.store();
    for object in store.objects() {
        let (kind, meta) = (object.kind().as_str(), object.metadata());
        if meta.is_deleting() {
            return Some(format!(
                "{kind} {} is still being deleted: {:?}",
                meta.full_name(),
                meta.finalizers
            ));
        }
        let owners = &meta.owner_references;
        if !owners.is_empty() && owners.iter().all(|owner| store.id_of_uid(owner.uid).is_none()) {
            return Some(format!("{kind} {} has no living owner", meta.full_name()));
        }
    }
    None
}

/// What is wrong with a member.
fn state(sim: &Sim, member: &Member) -> Option<String> {
    let (store, name) = (sim.store(), member.name);
    let what = match member.kind {
        Kind::Deployment => deployed(store.find::<Deployment>(PLACE, name)?)?,
        Kind::StatefulSet => stateful(sim, store.find::<StatefulSet>(PLACE, name)?)?,
        Kind::DaemonSet => daemons(sim, store.find::<DaemonSet>(PLACE, name)?)?,
        Kind::Job => job(sim, store.find::<Job>(PLACE, name)?)?,
        Kind::CronJob => {
            let cron_job = store.find::<CronJob>(PLACE, name)?;
            let jobs = store.dependents::<Job>(cron_job.metadata.uid);
            let spec = cron_job.spec();
            let most =
                spec.successful_jobs_history_limit.unwrap_or(3) + spec.failed_jobs_history_limit.unwrap_or(1);
            let (left, active) = (jobs.count() as i32, cron_job.status().active.len());
            (left > most || active > 0).then(|| format!("{left} jobs, {active} of them active"))?
        }
        Kind::ReplicationController => {
            let found = store.find::<ReplicationController>(PLACE, name)?;
            let (spec, status): (Value, Value) = (kept(&found.rest, "spec"), kept(&found.rest, "status"));
            (spec["replicas"] != status["readyReplicas"] && spec["replicas"] != 0)
                .then(|| format!("wants {}, has {status}", spec["replicas"]))?
        }
        Kind::PodDisruptionBudget => {
            let (budget, status) = store
                .find::<PodDisruptionBudget>(member.namespace, name)
                .map(|budget| (budget, budget.status()))?;
            let selector = budget.spec().selector?.to_selector().ok()?;
            let pods = store.pods_matching(&budget.metadata.namespace, &selector);
            let healthy = pods.iter().filter(|pod| pods::is_ready(pod)).count() as i32;
            let is_known = status.observed_generation == budget.metadata.generation;
            (!is_known || status.current_healthy != healthy)
                .then(|| format!("{healthy} pods are healthy, it says {status:?}"))?
        }
        Kind::ResourceQuota => {
            let quota = store.find::<ResourceQuota>(PLACE, name)?;
            let status: Value = kept(&quota.rest, "status");
            let pods = store.list_in::<Pod>(PLACE).filter(|pod| !pod.status.phase.is_finished()).count();
            (status["used"]["pods"] != *pods.to_string())
                .then(|| format!("{pods} pods, it says {}", status["used"]))?
        }
        _ => return None,
    };
    Some(format!("{} {name}: {what}", member.kind.as_str()))
}

fn stateful(sim: &Sim, set: &Rc<StatefulSet>) -> Option<String> {
    let (spec, status) = (set.spec(), set.status());
    let wanted = spec.replicas.unwrap_or(1);
    let counts = (status.replicas, status.available_replicas, status.observed_generation);
    if counts != (wanted, wanted, set.metadata.generation) {
        return Some(format!("wants {wanted}, has {counts:?}"));
    }
    let rolling = spec.update_strategy.rolling_update.and_then(|rolling| rolling.partition);
    if &*spec.update_strategy.kind == "RollingUpdate"
        && rolling.unwrap_or(0) == 0
        && status.updated_replicas != wanted
    {
        return Some(format!("{} of {wanted} pods are updated", status.updated_replicas));
    }
    let start = spec.ordinals.map_or(0, |ordinals| ordinals.start);
    for (ordinal, template) in (start..start + wanted)
        .flat_map(|ordinal| spec.volume_claim_templates.iter().map(move |t| (ordinal, t)))
    {
        let name = format!("{}-{}-{ordinal}", template.metadata.name, set.metadata.name);
        let claim = sim.store().find::<PersistentVolumeClaim>(PLACE, &name);
        if claim.is_none_or(|claim| &*claim.status().phase != "Bound") {
            return Some(format!("claim {name} is missing or not bound"));
        }
    }
    None
}

fn daemons(sim: &Sim, set: &Rc<DaemonSet>) -> Option<String> {
    let (nodes, status) = (sim.machines().len() as i32, set.status());
    let counts = (status.desired_number_scheduled, status.number_available, status.observed_generation);
    if counts != (nodes, nodes, set.metadata.generation) {
        return Some(format!("wants {nodes}, has {counts:?}"));
    }
    let there = sim.store().dependents::<Pod>(set.metadata.uid).count() as i32;
    if there != nodes {
        return Some(format!("{there} pods on {nodes} nodes"));
    }
    (&*set.spec().update_strategy.kind == "RollingUpdate" && status.updated_number_scheduled != nodes)
        .then(|| format!("{} of {nodes} pods are updated", status.updated_number_scheduled))
}

fn job(sim: &Sim, job: &Rc<Job>) -> Option<String> {
    let status = job.status();
    let uncounted = status.uncounted_terminated_pods.clone().unwrap_or_default();
    if !is_finished(&status) || !uncounted.succeeded.is_empty() || !uncounted.failed.is_empty() {
        return Some(format!("not finished: {status:?}"));
    }
    let mut pods = sim.store().dependents::<Pod>(job.metadata.uid);
    pods.find(|pod| pods::is_active(pod)).map(|pod| format!("finished, but {} is active", pod.metadata.name))
}
