//! The Deployment and ReplicaSet controllers together: the sizes that ReplicaSets go through, as a real 1.36 control plane was
//! seen to choose them.

mod support {
    pub mod world;
}

use serde_json::json;
use setpoint_api::time::SECOND;
use setpoint_api::{Object, Pod, PodPhase, Resource, Scope, Stamp};
use setpoint_control::deployment::{history, rollback};
use std::rc::Rc;
use support::world::World;

#[test]
fn rollouts_go_through_the_recorded_sizes() {
    let rolling = |surge: &str, unavailable: &str| {
        let number = |text: &str| text.parse::<i32>().map_or(json!(text), |n| json!(n));
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": number(surge), "maxUnavailable": number(unavailable)}})
    };
    let default = rolling("25%", "25%");
    let cases = [
        (3, default.clone(), "v2 0>1, v1 3>2, v2 1>2, v1 2>1, v2 2>3, v1 1>0"),
        (4, default.clone(), "v2 0>1, v1 4>3, v2 1>2, v1 3>2, v2 2>3, v1 2>1, v2 3>4, v1 1>0"),
        (4, rolling("0", "1"), "v1 4>3, v2 0>1, v1 3>2, v2 1>2, v1 2>1, v2 2>3, v1 1>0, v2 3>4"),
        (3, rolling("1", "0"), "v2 0>1, v1 3>2, v2 1>2, v1 2>1, v2 2>3, v1 1>0"),
        (4, rolling("100%", "50%"), "v2 0>4, v1 4>2, v1 2>1, v1 1>0"),
        (3, json!({"type": "Recreate"}), "v1 3>0, v2 0>3"),
        (
            10,
            default,
            "v2 0>3, v1 10>8, v2 3>5, v1 8>7, v2 5>6, v1 7>6, v2 6>7, v1 6>5, v2 7>8, v1 5>4, v2 8>9, v1 4>3, v2 9>10, \
             v1 3>2, v1 2>1, v1 1>0",
        ),
    ];
    for (replicas, strategy, wanted) in cases {
        let mut world = World::new();
        world.create("web:v1", json!({"replicas": replicas, "strategy": strategy}));
        world.run(60);
        assert_eq!(world.scalings(), [format!("v1 0>{replicas}")]);
        world.set_image("web:v2");
        world.run(60);
        assert_eq!(world.scalings().join(", "), wanted, "{replicas} replicas, {strategy}");
        let web = world.web();
        let status = &web.status;
        assert_eq!([status.replicas, status.updated_replicas, status.available_replicas], [replicas; 3]);
        assert_eq!((status.terminating_replicas, status.observed_generation), (Some(0), 2));
        assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
        assert_eq!(world.condition("Available"), "True MinimumReplicasAvailable");
        assert_eq!(web.metadata.annotation("deployment.kubernetes.io/revision"), Some("2"));
    }
}

#[test]
fn recreate_waits_for_the_last_old_pod() {
    let mut world = World::new();
    world.create("web:v1", json!({"strategy": {"type": "Recreate"}}));
    world.run(10);
    world.set_image("web:v2");
    assert_eq!(world.web().status.terminating_replicas, Some(3));
    assert_eq!(world.sets().len(), 1, "pods in their grace may still run");
    // A pod that has finished holds nothing up, though its object is still there.
    let pods: Vec<_> = world.store.list::<Pod>().cloned().collect();
    for pod in &pods {
        let mut pod = (**pod).clone();
        pod.metadata.resource_version = 0;
        pod.status.phase = PodPhase::Succeeded;
        world.store.update(pod.into_object(), Scope::Status, Stamp::default()).expect("a pod");
    }
    world.settle();
    assert_eq!(world.scalings(), ["v1 0>3", "v1 3>0", "v2 0>3"]);
}

#[test]
fn a_new_deployment_reports_each_step() {
    let mut world = World::new();
    world.create("web:v1", json!({}));
    let mut wanted: Vec<String> = (1..=3)
        .map(|n| format!("SuccessfulCreate: Created pod: {}-0000{n}", world.sets()[0].metadata.name))
        .collect();
    wanted.insert(
        0,
        format!("ScalingReplicaSet: Scaled up replica set {} from 0 to 3", world.sets()[0].metadata.name),
    );
    assert_eq!(world.events, wanted);
    assert_eq!(world.condition("Progressing"), "True ReplicaSetUpdated");
    assert_eq!(world.condition("Available"), "False MinimumReplicasUnavailable");
    world.run(3);
    // Every status that the Deployment and its ReplicaSet went through, as the recording has it: ready and unavailable pods.
    let seen: Vec<String> = world
        .store
        .changes_after(0)
        .filter_map(|change| match &change.new {
            Object::Deployment(web) => Some(format!(
                "web gen {} replicas {} ready {} unavailable {}",
                web.status.observed_generation,
                web.status.replicas,
                web.status.ready_replicas,
                web.status.unavailable_replicas
            )),
            Object::ReplicaSet(set) => {
                Some(format!("rs replicas {} ready {}", set.status.replicas, set.status.ready_replicas))
            }
            _ => None,
        })
        .collect();
    let wanted = [
        "web gen 0 replicas 0 ready 0 unavailable 0",
        "rs replicas 0 ready 0",
        "web gen 0 replicas 0 ready 0 unavailable 0",
        "rs replicas 0 ready 0",
        "web gen 1 replicas 0 ready 0 unavailable 3",
        "rs replicas 3 ready 0",
        "web gen 1 replicas 3 ready 0 unavailable 3",
        "rs replicas 3 ready 1",
        "web gen 1 replicas 3 ready 1 unavailable 2",
        "rs replicas 3 ready 2",
        "web gen 1 replicas 3 ready 2 unavailable 1",
        "rs replicas 3 ready 3",
        "web gen 1 replicas 3 ready 3 unavailable 0",
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn a_change_of_size_in_the_middle_of_a_rollout_is_shared_out() {
    let mut world = World::new();
    world.create("web:v1", json!({"replicas": 10}));
    world.run(10);
    world.set_image("web:v2");
    world.scalings();
    world.scale(15);
    assert_eq!(world.scalings(), ["v1 8>12", "v2 5>7"]);
    world.run(60);
    assert_eq!(world.web().status.available_replicas, 15);

    // A third template, while the second has pods that are not ready, takes those away first.
    let mut world = World::new();
    world.create("web:v1", json!({"replicas": 10}));
    world.run(10);
    world.set_image("web:broken");
    world.scalings();
    world.set_image("web:v3");
    assert_eq!(world.scalings(), ["v2 5>0", "v3 0>5"]);
}

#[test]
fn a_pause_holds_the_template_but_not_the_size() {
    let mut world = World::new();
    world.create("web:v1", json!({"replicas": 4}));
    world.run(10);
    world.set_image("web:v2");
    world.edit(|web| web.spec.paused = true);
    world.run(10);
    assert_eq!(world.scalings(), ["v1 0>4", "v2 0>1", "v1 4>3", "v2 1>2"]);
    assert_eq!(world.condition("Progressing"), "Unknown DeploymentPaused");
    let refusal = rollback(&world.store, &world.web(), None).expect_err("a paused Deployment");
    assert_eq!(
        refusal,
        "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
    );
    world.scale(6);
    assert_eq!(world.scalings(), ["v1 3>5", "v2 2>3"]);
    world.run(10);
    world.edit(|web| web.spec.paused = false);
    assert_eq!(world.scalings(), ["v1 5>2", "v2 3>6"]);
    world.run(10);
    assert_eq!(world.scalings(), ["v1 2>1", "v1 1>0"]);
    assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn a_rollout_that_stalls_is_reported_and_can_be_undone() {
    let mut world = World::new();
    world.create("web:v1", json!({"progressDeadlineSeconds": 30}));
    world.run(10);
    world.edit(|web| web.metadata.set_annotation("kubernetes.io/change-cause", "good"));
    world.set_image("web:broken");
    world.edit(|web| web.metadata.set_annotation("kubernetes.io/change-cause", "bad"));
    assert_eq!(world.scalings(), ["v1 0>3", "v2 0>1"]);
    world.run(30);
    assert_eq!(world.condition("Progressing"), "True ReplicaSetUpdated");
    world.run(1);
    assert_eq!(world.condition("Progressing"), "False ProgressDeadlineExceeded");
    assert_eq!(world.web().status.available_replicas, 3);

    let error = |to| rollback(&world.store, &world.web(), to).expect_err("no such revision");
    assert_eq!(error(Some(7)), "unable to find specified revision 7 in history");
    assert_eq!(error(Some(-1)), "unable to find specified revision -1 in history");
    assert_eq!(error(Some(2)), "skipped rollback (current template already matches revision 2)");
    let back = rollback(&world.store, &world.web(), None).expect("a revision before");
    assert_eq!(back.metadata.annotation("kubernetes.io/change-cause"), Some("good"));
    world.edit(|web| *web = back);
    assert_eq!(world.scalings(), ["v2 1>0"]);
    world.run(10);
    assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
    let lines: Vec<_> = history(&world.store, &world.web())
        .into_iter()
        .map(|line| (line.revision, line.change_cause.map(|cause| cause.to_string())))
        .collect();
    assert_eq!(lines, [(2, Some("bad".to_string())), (3, Some("good".to_string()))]);
    let first = &world.sets()[0];
    assert_eq!(first.metadata.annotation("deployment.kubernetes.io/revision-history"), Some("1"));
}

#[test]
fn a_deployment_without_a_past_cannot_be_undone() {
    let mut world = World::new();
    world.create("web:v1", json!({}));
    let refusal = rollback(&world.store, &world.web(), None).expect_err("one revision only");
    assert_eq!(refusal, "no rollout history found for deployment \"web\"");
}

#[test]
fn old_revisions_beyond_the_limit_go() {
    let mut world = World::new();
    world.create("web:v1", json!({"replicas": 1, "revisionHistoryLimit": 2}));
    for image in ["web:v2", "web:v3", "web:v4", "web:v5"] {
        world.run(20);
        world.set_image(image);
    }
    world.run(20);
    let revisions: Vec<_> = history(&world.store, &world.web()).iter().map(|line| line.revision).collect();
    assert_eq!(revisions, [3, 4, 5]);
}

#[test]
fn pods_are_available_after_min_ready_seconds() {
    let mut world = World::new();
    world.create("web:v1", json!({"minReadySeconds": 6}));
    world.run(7);
    assert_eq!((world.web().status.ready_replicas, world.web().status.available_replicas), (3, 0));
    world.run(1);
    assert_eq!(world.web().status.available_replicas, 3);
    assert_eq!(world.now.0, 8 * SECOND);
}

#[test]
fn a_refused_pod_is_reported_and_tried_again() {
    let mut world = World::new();
    world.quota = 2;
    world.create("web:v1", json!({}));
    let text = "pods \"web\" is forbidden: exceeded quota";
    assert!(world.events.contains(&format!("FailedCreate: Error creating: {text}")), "{:?}", world.events);
    assert_eq!(world.condition("ReplicaFailure"), "True FailedCreate");
    assert_eq!(world.web().status.replicas, 2);
    world.quota = 3;
    world.run(5);
    assert_eq!(world.condition("ReplicaFailure"), "");
    assert_eq!(world.web().status.available_replicas, 3);
}

#[test]
fn pods_are_let_go_and_taken_on_by_their_labels() {
    let mut world = World::new();
    world.create("web:v1", json!({}));
    world.run(10);
    let pods = |world: &World| world.store.list::<Pod>().cloned().collect::<Vec<_>>();
    let relabel = |world: &mut World, pod: &Rc<Pod>, label: &str| {
        let mut pod = (**world.store.get::<Pod>(pod.metadata.id).expect("the pod")).clone();
        pod.metadata.set_label("app", label);
        world.store.update(pod.into_object(), Scope::Main, Stamp::default()).expect("the newest version");
        world.settle();
    };
    let first = pods(&world)[0].clone();
    relabel(&mut world, &first, "other");
    // The pod is nobody's now, and another one takes its place.
    assert_eq!(pods(&world).len(), 4);
    let free = world.store.get::<Pod>(first.metadata.id).expect("the pod").clone();
    assert!(free.metadata.owner_references.is_empty());
    world.run(5);
    relabel(&mut world, &first, "web");
    // It is taken on again, and one pod is too many: the youngest goes.
    let back = world.store.get::<Pod>(first.metadata.id).expect("the pod").clone();
    assert_eq!(back.metadata.controller().map(|owner| owner.uid), Some(world.sets()[0].metadata.uid));
    let deleting: Vec<_> = pods(&world).into_iter().filter(|pod| pod.metadata.is_deleting()).collect();
    assert_eq!(deleting.len(), 1);
    assert_eq!(deleting[0].metadata.name, pods(&world)[3].metadata.name);
}

#[test]
fn two_templates_with_one_hash_get_two_names() {
    let mut world = World::new();
    world.create("web:v1", json!({"replicas": 1}));
    world.run(5);
    // Someone's ReplicaSet has the name that the next template would get.
    let mut other = World::new();
    other.create("web:v2", json!({"replicas": 1}));
    let mut taken = (*other.sets()[0]).clone();
    taken.metadata.owner_references = Rc::default();
    taken.metadata.labels = Rc::default();
    taken.spec.replicas = Some(0);
    world.store.create(taken.into_object(), Stamp::default()).expect("a free name");
    world.set_image("web:v2");
    world.run(10);
    assert_eq!(world.web().status.collision_count, Some(1));
    assert_eq!(world.web().status.available_replicas, 1);
    assert_eq!(world.sets().len(), 3);
}
