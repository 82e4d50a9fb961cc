//! That each invariant can fail.

use super::*;
use crate::image::Catalogue;
use crate::{Action, Config, MachineConfig};
use setpoint_api::Time;
use setpoint_control::Profile;
use std::rc::Rc;

fn cluster() -> Sim {
    let mut sim = Sim::new(&Config {
        seed: 1,
        profile: Profile::Classroom,
        overrides: Vec::new(),
        machines: vec![MachineConfig::named("node-01")],
        catalogue: Rc::new(Catalogue::standard()),
        scheduler: Rc::default(),
    });
    sim.run_until(Time(SECOND));
    sim
}

#[test]
fn a_node_with_too_much_on_it_is_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    assert_eq!(checker.check(&sim), Ok(()));
    // A pod that names its node goes past the scheduler; the kubelet will refuse it, but for now it is there.
    let manifest = "{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {nodeName: node-01, containers: [\
        {name: a, image: a, resources: {requests: {cpu: 5}}}]}}";
    sim.act(&Action::Apply { manifest: manifest.into() });
    let found = checker.check(&sim).unwrap_err();
    assert_eq!(found, "node node-01 has 4000 of cpu, its pods request 5000");
}

#[test]
fn a_request_that_gets_lost_is_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    sim.set_load("default", "web", 10);
    sim.run_until(Time(2 * SECOND));
    assert_eq!(checker.check(&sim), Ok(()));
    sim.ledger.send();
    assert!(checker.check(&sim).unwrap_err().contains("requests sent"));
}

#[test]
fn sets_that_grow_past_the_surge_are_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    let manifest = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, \
        selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [\
        {name: a, image: a}]}}}}";
    sim.act(&Action::Apply { manifest: manifest.into() });
    sim.run_until(Time(5 * SECOND));
    assert_eq!(checker.check(&sim), Ok(()));
    sim.run_until(Time(10 * SECOND));
    let set = sim.store().list::<ReplicaSet>().next().unwrap();
    let mut set = (**set).clone();
    set.spec.replicas = Some(9);
    sim.apply_object(setpoint_api::Resource::into_object(set), 0).unwrap();
    assert_eq!(checker.check(&sim).unwrap_err(), "the sets of deployment web grew to 9, past 3");
}

/// A workload whose pods have one container, which serves.
fn workload(kind: &str, name: &str, spec: &str) -> String {
    let api = match kind {
        "Job" => "batch/v1",
        "ReplicationController" => "v1",
        _ => "apps/v1",
    };
    let selector = match kind {
        "Job" => String::new(),
        "ReplicationController" => format!("selector: {{app: {name}}}, "),
        _ => format!("selector: {{matchLabels: {{app: {name}}}}}, "),
    };
    let policy = if kind == "Job" { "restartPolicy: Never, " } else { "" };
    format!(
        "{{apiVersion: {api}, kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}{selector}template: {{metadata: \
         {{labels: {{app: {name}}}}}, spec: {{{policy}containers: [{{name: a, image: \"a:v1\"}}]}}}}}}}}"
    )
}

fn id(sim: &Sim, kind: Kind, name: &str) -> ObjId {
    let namespace = if kind.is_namespaced() { "default" } else { "" };
    sim.store().id_of(kind, namespace, name).unwrap_or_else(|| panic!("no {name}"))
}

fn first_pod(sim: &Sim) -> Rc<Pod> {
    sim.store().list_in::<Pod>("default").next().unwrap().clone()
}

/// Stores a pod past everything that would keep it out.
fn copy_pod(sim: &mut Sim, name: &str) {
    let mut pod = (*first_pod(sim)).clone();
    pod.metadata.name = name.into();
    let pod = setpoint_api::Resource::into_object(pod);
    sim.store_with(Actor::World, 0, |store, stamp| store.create(pod, stamp)).unwrap();
}

/// Overwrites a field of the status of an object that keeps it as it came.
fn set_status(sim: &mut Sim, kind: Kind, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let mut object = sim.store().object(id(sim, kind, name)).unwrap().clone();
    let mut status = setpoint_api::wire::kept(object.rest(), "status");
    change(&mut status);
    setpoint_api::wire::keep(object.rest_mut(), "status", &status);
    sim.store_with(Actor::World, 0, |store, stamp| store.update(object, setpoint_api::Scope::Status, stamp))
        .unwrap();
}

fn mark(sim: &mut Sim, reason: &'static str) {
    let condition = setpoint_api::Condition {
        kind: "DisruptionTarget".into(),
        status: setpoint_api::ConditionStatus::True,
        reason: reason.into(),
        ..Default::default()
    };
    let write = setpoint_control::Write::Patch(
        first_pod(sim).metadata.id,
        setpoint_control::Patch::PodCondition(condition, None),
    );
    sim.land(write, Actor::World, 0, &mut Map::new()).unwrap();
}

fn delete_as(sim: &mut Sim, controller: &str, pod: &str, grace_seconds: Option<i64>) {
    let number = CONTROLLERS.iter().position(|row| row.name == controller);
    let by = number.map_or(Actor::World, |number| Actor::Controller(number as u8));
    let (pod, options) =
        (id(sim, Kind::Pod, pod), setpoint_api::DeleteOptions { grace_seconds, ..Default::default() });
    sim.store_with(by, 0, |store, stamp| store.delete(pod, options, stamp)).unwrap();
}

fn apply(sim: &mut Sim, manifest: &str) {
    let fact = sim.act(&Action::Apply { manifest: manifest.into() });
    let refused = sim.facts().after(fact).find_map(|fact| match &fact.what {
        What::Refused(why) => Some(why.clone()),
        _ => None,
    });
    assert_eq!(refused, None, "{manifest}");
}

/// Manifests, what breaks their cluster, and the beginning of what is found.
type Case<'a> = (&'a [String], fn(&mut Sim), &'a str);

/// What is found when somebody breaks what has been well for ten seconds.
fn broken(manifests: &[String], break_it: fn(&mut Sim)) -> String {
    let (mut sim, mut checker) = (cluster(), Checker::default());
    for manifest in manifests {
        apply(&mut sim, manifest);
    }
    while sim.step(Time(11 * SECOND)) {
        assert_eq!(checker.check(&sim), Ok(()));
    }
    break_it(&mut sim);
    checker.check(&sim).expect_err("it was not found")
}

/// Stops the controller of StatefulSets, and lets it be known that one pod is wanted.
fn shrink_unseen(sim: &mut Sim) {
    sim.act(&Action::SetComponent { component: "statefulset-controller".into(), up: false });
    apply(sim, &workload("StatefulSet", "db", "replicas: 1, "));
}

const NEVER: &str = "{metadata: {annotations: {sim/never-ready: \"true\"}, labels: {app: db}}";

#[test]
fn what_is_wrong_with_workloads_is_found() {
    let set = |spec| vec![workload("StatefulSet", "db", spec)];
    let stuck = vec![set("replicas: 3, ")[0].replace("{metadata: {labels: {app: db}}", NEVER)];
    let job = |spec| vec![workload("Job", "work", spec)];
    let done = vec![job("")[0].replace("a:v1", "busybox")];
    let cases: [Case; 18] = [
        (&set("replicas: 1, "), |sim| copy_pod(sim, "db-x"), "pod db-x of stateful set db has no place"),
        (&stuck, |sim| copy_pod(sim, "db-1"), "pod db-1 was made before db-0 was well"),
        (
            &stuck,
            |sim| delete_as(sim, "statefulset-controller", "db-0", None),
            "pod db-0 was replaced before db-1 was well",
        ),
        (
            &set("replicas: 1, "),
            |sim| delete_as(sim, "", "db-0", Some(0)),
            "pod default/db-0 was removed while it runs",
        ),
        (
            &set("replicas: 1, "),
            |sim| {
                let twin = sim.machines[0].pods.values().next().unwrap().clone();
                sim.machines[0].pods.insert(ObjId(99_999), twin);
                mark(sim, "Twin");
            },
            "two pods run as default/db-0",
        ),
        (
            &set("replicas: 1, "),
            |sim| set_status(sim, Kind::StatefulSet, "db", |status| status["observedGeneration"] = 9.into()),
            "db observed generation 9 of 1",
        ),
        (
            &[workload("DaemonSet", "agent", "")],
            |sim| copy_pod(sim, "agent-2"),
            "daemon set default/agent has 2 pods on Some(\"node-01\"), 1 at most",
        ),
        (
            &[workload("ReplicaSet", "web", "replicas: 1, ")],
            |sim| copy_pod(sim, "web-2"),
            "ReplicaSet default/web has 2 pods for 1",
        ),
        (
            &[workload("ReplicationController", "web", "replicas: 1, ")],
            |sim| copy_pod(sim, "web-2"),
            "ReplicationController default/web has 2 pods for 1",
        ),
        (&job("completions: 4, "), |sim| copy_pod(sim, "work-2"), "Job default/work has 2 pods for 1"),
        (
            &job("completions: 1, parallelism: 2, "),
            |sim| copy_pod(sim, "work-2"),
            "job work has 2 pods and 0 successes for 1",
        ),
        (
            &job("completionMode: Indexed, completions: 3, "),
            |sim| copy_pod(sim, "work-0-2"),
            "job work makes a pod for index 0, which is done, has one, or is none",
        ),
        (&done, |sim| copy_pod(sim, "work-2"), "job work has ended, and makes a pod"),
        (
            &done,
            |sim| set_status(sim, Kind::Job, "work", |status| status["succeeded"] = 0.into()),
            "job work had 1 successes, has 0",
        ),
        (
            &done,
            |sim| {
                set_status(sim, Kind::Job, "work", |status| status["conditions"] = serde_json::Value::Null);
            },
            "job work was finished and is not any more",
        ),
        (
            &done,
            |sim| {
                let failed = serde_json::json!({ "type": "Failed", "status": "True" });
                set_status(sim, Kind::Job, "work", |status| {
                    status["conditions"].as_array_mut().unwrap().push(failed);
                });
            },
            "job work is complete and failed",
        ),
        (
            &[workload("ReplicaSet", "web", "replicas: 1, ")],
            |sim| mark(sim, "PreemptionByScheduler"),
            "pod web-",
        ),
        (
            &[],
            |sim| {
                apply(sim, "{apiVersion: v1, kind: Namespace, metadata: {name: aside}}");
                let fact = sim.act(&Action::Delete {
                    kind: "Namespace".into(),
                    namespace: String::new(),
                    name: "aside".into(),
                });
                assert!(sim.facts().get(fact).is_some());
            },
            "ServiceAccount aside/default was made in an ending namespace",
        ),
    ];
    for (manifests, break_it, expected) in cases {
        let found = broken(manifests, break_it);
        assert!(found.starts_with(expected), "expected {expected:?}, found {found:?}");
    }
}

#[test]
fn a_stateful_set_that_shrinks_from_below_is_found() {
    let (mut sim, mut checker) = (cluster(), Checker::default());
    apply(&mut sim, &workload("StatefulSet", "db", "replicas: 3, podManagementPolicy: OrderedReady, "));
    sim.run_until(Time(30 * SECOND));
    assert_eq!(checker.check(&sim), Ok(()));
    shrink_unseen(&mut sim);
    while sim.step(Time(40 * SECOND)) {
        assert_eq!(checker.check(&sim), Ok(()));
    }
    delete_as(&mut sim, "statefulset-controller", "db-1", None);
    assert_eq!(checker.check(&sim).unwrap_err(), "pod db-1 was deleted before 1 higher ones");
}

#[test]
fn what_is_wrong_with_budgets_quotas_and_volumes_is_found() {
    let budget = |bound| {
        let spec = format!("{{{bound}, selector: {{matchLabels: {{app: web}}}}}}");
        vec![
            workload("ReplicaSet", "web", "replicas: 2, "),
            format!(
                "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: web}}, spec: {spec}}}"
            ),
        ]
    };
    let quota = vec![
        "{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {containers: [{name: a, image: \"a:v1\"}]}}".to_string(),
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {pods: 1}}}".to_string(),
    ];
    let claim = vec![
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], \
         resources: {requests: {storage: 1Gi}}}}"
            .to_string(),
        // The volume is made for the node of the first pod that asks for it.
        "{apiVersion: v1, kind: Pod, metadata: {name: user}, spec: {containers: [{name: a, image: \"a:v1\"}], \
         volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}"
            .to_string(),
    ];
    let cases: [Case; 7] = [
        (&budget("minAvailable: 1"), |sim| mark(sim, "EvictionByEvictionAPI"), "pod web-"),
        (
            &budget("minAvailable: 2"),
            |sim| {
                let at = serde_json::json!({ "web-1": "1970-01-01T00:00:00Z" });
                set_status(sim, Kind::PodDisruptionBudget, "web", |status| status["disruptedPods"] = at);
            },
            "budget web let web-1 go, but allowed nobody to",
        ),
        (
            &budget("minAvailable: 2"),
            |sim| {
                let pod = first_pod(sim).metadata.name.to_string();
                let at = serde_json::json!({ pod: "1970-01-01T00:00:00Z" });
                set_status(sim, Kind::PodDisruptionBudget, "web", |status| {
                    status["disruptionsAllowed"] = 1.into()
                });
                set_status(sim, Kind::PodDisruptionBudget, "web", |status| status["disruptedPods"] = at);
            },
            "budget web needs 2 pods, an eviction left 1",
        ),
        (
            &quota,
            |sim| copy_pod(sim, "two"),
            "quota default/few allows Some(1) of pods, a new pod makes it 2",
        ),
        (
            &claim,
            |sim| {
                let volume = sim.store().ids(Kind::PersistentVolume).next().unwrap();
                let mut free = sim.store().object(volume).unwrap().clone();
                free.metadata_mut().finalizers = Default::default();
                free.metadata_mut().resource_version = 0;
                sim.store_with(Actor::World, 0, |store, stamp| {
                    store.update(free, setpoint_api::Scope::Main, stamp)?;
                    store.delete(volume, Default::default(), stamp)
                })
                .unwrap();
                touch(sim, Kind::PersistentVolumeClaim, "data", |spec| spec["volumeMode"] = "Block".into());
            },
            "claim default/data has lost its volume pvc-",
        ),
        (
            &claim,
            |sim| touch(sim, Kind::PersistentVolumeClaim, "data", |spec| spec["volumeName"] = "other".into()),
            "claim default/data had volume pvc-",
        ),
        (
            &claim,
            |sim| {
                let volume = sim.store().ids(Kind::PersistentVolume).next().unwrap();
                let name = sim.store().object(volume).unwrap().metadata().name.to_string();
                touch(sim, Kind::PersistentVolume, &name, |spec| spec["claimRef"]["uid"] = "other".into());
            },
            "volume pvc-",
        ),
    ];
    for (manifests, break_it, expected) in cases {
        let found = broken(manifests, break_it);
        assert!(found.starts_with(expected), "expected {expected:?}, found {found:?}");
    }
}

/// Overwrites a field of the spec of an object that keeps it as it came.
fn touch(sim: &mut Sim, kind: Kind, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let mut object = sim.store().object(id(sim, kind, name)).unwrap().clone();
    let mut spec = setpoint_api::wire::kept(object.rest(), "spec");
    change(&mut spec);
    setpoint_api::wire::keep(object.rest_mut(), "spec", &spec);
    object.metadata_mut().resource_version = 0;
    sim.store_with(Actor::World, 0, |store, stamp| store.update(object, setpoint_api::Scope::Main, stamp))
        .unwrap();
}
