//! Nodes that fall silent, their taints, and what becomes of their pods.

mod play;

use play::{Play, running_pod};
use serde_json::{Value, json};
use setpoint_api::*;
use setpoint_control::node_lifecycle::{self, ZoneState};
use setpoint_control::taint_eviction;
use setpoint_control::{pod_gc, taints};

fn cluster(nodes: &[&str]) -> Play {
    let mut play = Play::new(vec![node_lifecycle::ROW, taint_eviction::ROW, pod_gc::ROW]);
    nodes.iter().for_each(|name| play.node(name, json!({})));
    play
}

fn tolerates_for(seconds: i64) -> Value {
    json!([{ "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds }])
}

/// The recording g-node-death-tol10, its own times aside.
#[test]
fn a_silent_node_is_given_up_and_comes_back() {
    let mut play = cluster(&["worker-1", "worker-2", "worker-3"]);
    play.put(running_pod("a", "worker-2", tolerates_for(10)), Kind::Pod);
    play.run_until(10, &["worker-1", "worker-2", "worker-3"]);
    assert_eq!(
        play.take_log(),
        [1, 2, 3].map(|n| format!(
            "5.0 Normal Node/worker-{n} RegisteredNode: Node worker-{n} event: Registered Node worker-{n} in Controller"
        ))
    );
    // The last lease is of second 10, so 60 is just not yet too late.
    play.run_until(64, &["worker-1", "worker-3"]);
    assert_eq!(play.take_log(), [] as [&str; 0]);
    play.run_until(100, &["worker-1", "worker-3"]);
    assert_eq!(
        play.take_log(),
        [
            "65.0 Node/worker-2 Ready=Unknown",
            "65.0 Normal Node/worker-2 NodeNotReady: Node worker-2 status is now: NodeNotReady",
            "65.0 Pod/a Ready=False ",
            "65.0 Warning Pod/a NodeNotReady: Node is not ready",
            "65.0 Node/worker-2 taints [unreachable:NoSchedule]",
            "65.1 Node/worker-2 taints [unreachable:NoSchedule unreachable:NoExecute]",
            "75.1 Normal Pod/a TaintManagerEviction: Marking for deletion Pod test/a",
            "75.1 Pod/a DisruptionTarget=True DeletionByTaintManager",
            "75.1 delete Pod/a",
        ]
    );
    let pod = play.store.find::<Pod>("test", "a").unwrap();
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(30), "no kubelet confirms");
    play.run_until(102, &["worker-1", "worker-3"]);
    play.report("worker-2", ConditionStatus::True);
    play.beat("worker-2");
    play.run_until(120, &["worker-1", "worker-2", "worker-3"]);
    assert_eq!(
        play.take_log(),
        ["102.0 Node/worker-2 taints [unreachable:NoExecute]", "105.0 Node/worker-2 taints []",]
    );
}

#[test]
fn a_node_that_comes_back_in_time_keeps_its_pods() {
    let mut play = cluster(&["worker-1", "worker-2"]);
    for name in ["a", "b"] {
        play.put(running_pod(name, "worker-2", tolerates_for(300)), Kind::Pod);
    }
    play.run_until(70, &["worker-1"]);
    let b = play.store.id_of(Kind::Pod, "test", "b").unwrap();
    assert!(play.memory.taint_eviction.due(b).is_some());
    play.take_log();
    play.delete(Kind::Pod, "test", "b", DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() });
    assert_eq!(
        play.take_log(),
        ["70.0 Normal Pod/b TaintManagerEviction: Cancelling deletion of Pod test/b"]
    );
    play.report("worker-2", ConditionStatus::True);
    play.run_until(500, &["worker-1", "worker-2"]);
    assert_eq!(
        play.take_log(),
        [
            "70.0 Node/worker-2 taints [unreachable:NoExecute]",
            "75.0 Node/worker-2 taints []",
            "75.0 Normal Pod/a TaintManagerEviction: Cancelling deletion of Pod test/a",
        ]
    );
}

/// The recording g-all-dead.
#[test]
fn nothing_is_evicted_while_no_node_answers() {
    let mut play = cluster(&["worker-1", "worker-2", "worker-3"]);
    play.put(running_pod("a", "worker-1", tolerates_for(10)), Kind::Pod);
    // worker-1 falls silent one look before the others.
    play.run_until(10, &["worker-2", "worker-3"]);
    play.take_log();
    play.run_until(200, &[]);
    assert_eq!(
        play.take_log(),
        [
            "60.0 Node/worker-1 Ready=Unknown",
            "60.0 Normal Node/worker-1 NodeNotReady: Node worker-1 status is now: NodeNotReady",
            "60.0 Pod/a Ready=False ",
            "60.0 Warning Pod/a NodeNotReady: Node is not ready",
            "60.0 Node/worker-1 taints [unreachable:NoSchedule]",
            "60.1 Node/worker-1 taints [unreachable:NoSchedule unreachable:NoExecute]",
            "65.0 Node/worker-2 Ready=Unknown",
            "65.0 Node/worker-3 Ready=Unknown",
            "65.0 Normal Node/worker-2 NodeNotReady: Node worker-2 status is now: NodeNotReady",
            "65.0 Normal Node/worker-3 NodeNotReady: Node worker-3 status is now: NodeNotReady",
            "65.0 Node/worker-1 taints [unreachable:NoSchedule]",
            "65.0 Node/worker-2 taints [unreachable:NoSchedule]",
            "65.0 Node/worker-3 taints [unreachable:NoSchedule]",
            "65.0 Normal Pod/a TaintManagerEviction: Cancelling deletion of Pod test/a",
        ]
    );
    // One comes back: the others are given up at the usual rate from then on.
    play.report("worker-3", ConditionStatus::True);
    play.run_until(300, &["worker-3"]);
    assert_eq!(
        play.take_log(),
        [
            "200.0 Node/worker-3 taints []",
            "215.0 Node/worker-1 taints [unreachable:NoSchedule unreachable:NoExecute]",
            "225.0 Node/worker-2 taints [unreachable:NoSchedule unreachable:NoExecute]",
            "225.0 Normal Pod/a TaintManagerEviction: Marking for deletion Pod test/a",
            "225.0 Pod/a DisruptionTarget=True DeletionByTaintManager",
            "225.0 delete Pod/a",
        ]
    );
}

#[test]
fn no_node_is_given_up_when_all_fall_silent_together() {
    let mut play = cluster(&["worker-1", "worker-2", "worker-3"]);
    play.run_until(300, &[]);
    let log = play.take_log();
    assert_eq!(log.iter().filter(|line| line.contains("NoSchedule")).count(), 3, "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("NoExecute")), "{log:#?}");
}

/// The recording g-partial-disruption: with three of five silent only the first is given up, and the rest once the zone is
/// normal again.
#[test]
fn a_partly_disrupted_zone_gives_one_node_up() {
    let mut play = cluster(&["worker-1", "worker-2", "worker-3", "worker-4", "worker-5"]);
    let give_ups = |play: &mut Play| {
        let log = play.take_log();
        log.into_iter().filter(|line| line.contains("NoExecute")).collect::<Vec<_>>()
    };
    play.run_until(10, &["worker-1", "worker-2", "worker-3", "worker-4", "worker-5"]);
    play.run_until(107, &["worker-1", "worker-2"]);
    assert_eq!(
        give_ups(&mut play),
        ["65.1 Node/worker-3 taints [unreachable:NoSchedule unreachable:NoExecute]"]
    );
    play.report("worker-3", ConditionStatus::True);
    play.run_until(150, &["worker-1", "worker-2", "worker-3"]);
    assert_eq!(
        give_ups(&mut play),
        [
            "107.0 Node/worker-3 taints [unreachable:NoExecute]",
            "120.0 Node/worker-4 taints [unreachable:NoSchedule unreachable:NoExecute]",
            "130.0 Node/worker-5 taints [unreachable:NoSchedule unreachable:NoExecute]",
        ]
    );
}

#[test]
fn nodes_that_never_reported_are_told_apart() {
    let mut play = cluster(&["worker-1"]);
    play.put(json!({ "metadata": { "name": "worker-2" } }), Kind::Node);
    play.run_until(70, &["worker-1"]);
    let node = play.store.find::<Node>("", "worker-2").unwrap();
    let said: Vec<_> =
        node.status.conditions.iter().map(|c| (&*c.kind, c.status, &*c.reason, &*c.message)).collect();
    let never = |kind| {
        (kind, ConditionStatus::Unknown, "NodeStatusNeverUpdated", "Kubelet never posted node status.")
    };
    assert_eq!(said, ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map(never));
    let log = play.take_log();
    assert!(!log.iter().any(|line| line.contains("NodeNotReady")), "it was never ready: {log:#?}");
}

#[test]
fn taints_follow_conditions_and_cordons() {
    let mut play = cluster(&["worker-1"]);
    play.change::<Node>("", "worker-1", Scope::Main, |node| node.spec.unschedulable = true);
    play.report("worker-1", ConditionStatus::False);
    play.change::<Node>("", "worker-1", Scope::Status, |node| {
        node.status.conditions[0].status = ConditionStatus::True;
    });
    play.change::<Node>("", "worker-1", Scope::Main, |node| node.spec.unschedulable = false);
    play.report("worker-1", ConditionStatus::True);
    assert_eq!(
        play.take_log(),
        [
            "0.0 Node/worker-1 taints [unschedulable:NoSchedule]",
            "0.0 Node/worker-1 taints [unschedulable:NoSchedule not-ready:NoSchedule]",
            "0.0 Node/worker-1 taints [unschedulable:NoSchedule not-ready:NoSchedule memory-pressure:NoSchedule]",
            "0.0 Node/worker-1 taints [not-ready:NoSchedule memory-pressure:NoSchedule]",
            "0.0 Node/worker-1 taints []",
        ]
    );
}

#[test]
fn a_node_that_turns_from_unknown_to_not_ready_swaps_its_taint() {
    let mut play = cluster(&["worker-1", "worker-2"]);
    play.run_until(72, &["worker-1"]);
    play.take_log();
    play.report("worker-2", ConditionStatus::False);
    play.run_until(75, &["worker-1", "worker-2"]);
    assert_eq!(
        play.take_log(),
        [
            "72.0 Node/worker-2 taints [unreachable:NoExecute not-ready:NoSchedule]",
            "75.0 Node/worker-2 taints [not-ready:NoSchedule not-ready:NoExecute]",
        ]
    );
}

/// The recording g-node-deleted.
#[test]
fn pods_of_a_deleted_node_are_removed_after_the_quarantine() {
    let mut play = cluster(&["worker-1", "worker-2"]);
    for (name, node) in [("a", "worker-1"), ("b", "worker-2"), ("c", "worker-2")] {
        play.put(running_pod(name, node, json!([])), Kind::Pod);
    }
    play.run_until(12, &["worker-1", "worker-2"]);
    play.take_log();
    play.delete(Kind::Node, "", "worker-2", DeleteOptions::default());
    play.run_until(100, &["worker-1"]);
    assert_eq!(
        play.take_log(),
        [
            "15.0 Normal Node/worker-2 RemovingNode: Node worker-2 event: Removing Node worker-2 from Controller",
            "60.0 Pod/b Failed PodGC: node no longer exists",
            "60.0 delete Pod/b",
            "60.0 Pod/c Failed PodGC: node no longer exists",
            "60.0 delete Pod/c",
        ]
    );
    assert_eq!(play.store.list::<Pod>().count(), 1);
}

#[test]
fn a_node_that_is_back_before_the_quarantine_ends_keeps_its_pods() {
    let mut play = cluster(&["worker-1"]);
    play.put(running_pod("a", "worker-2", json!([])), Kind::Pod);
    play.run_until(50, &["worker-1"]);
    play.node("worker-2", json!({}));
    play.run_until(100, &["worker-1", "worker-2"]);
    assert_eq!(play.store.list::<Pod>().count(), 1);
}

#[test]
fn leftover_pods_are_removed() {
    let mut play = cluster(&["worker-1"]);
    play.tuning.terminated_pod_gc_threshold = 1;
    for name in ["a", "b", "c"] {
        let mut pod = running_pod(name, "worker-1", json!([]));
        pod["status"]["phase"] = json!("Succeeded");
        play.put(pod, Kind::Pod);
        play.run_until(play.now.0 / play::SECOND + 1, &["worker-1"]);
    }
    let mut held = running_pod("d", "", json!([]));
    held["spec"].as_object_mut().unwrap().remove("nodeName");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    play.put(held, Kind::Pod);
    play.delete(Kind::Pod, "test", "d", DeleteOptions::default());
    play.put(running_pod("e", "worker-1", json!([])), Kind::Pod);
    play.delete(Kind::Pod, "test", "e", DeleteOptions::default());
    play.report("worker-1", ConditionStatus::False);
    play.change::<Node>("", "worker-1", Scope::Main, |node| {
        let taint = taints::taint(taints::OUT_OF_SERVICE, taints::NO_SCHEDULE, None);
        std::rc::Rc::make_mut(&mut node.spec.taints).push(taint);
    });
    play.take_log();
    play.run_until(20, &["worker-1"]);
    let log: Vec<_> = play.take_log().into_iter().filter(|line| line.contains("Pod/")).collect();
    assert_eq!(
        log,
        [
            "20.0 delete Pod/a",
            "20.0 delete Pod/b",
            "20.0 Pod/e Failed ",
            "20.0 delete Pod/e",
            "20.0 Pod/d Failed ",
            "20.0 delete Pod/d",
        ]
    );
}

/// Pods that tolerate a person's taint for a while, for ever, and not at all; a second taint shortens no running timer.
#[test]
fn a_persons_taint_drives_pods_away() {
    let mut play = cluster(&["worker-1"]);
    let tolerates = |key: &str, seconds: Option<i64>| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds });
    play.put(
        running_pod("soon", "worker-1", json!([tolerates("x", Some(20)), tolerates("y", Some(5))])),
        Kind::Pod,
    );
    play.put(running_pod("stays", "worker-1", json!([tolerates("", None)])), Kind::Pod);
    play.put(running_pod("goes", "worker-1", json!([])), Kind::Pod);
    let taint = |play: &mut Play, key: &str| {
        play.change::<Node>("", "worker-1", Scope::Main, |node| {
            std::rc::Rc::make_mut(&mut node.spec.taints).push(taints::taint(key, taints::NO_EXECUTE, None));
        });
    };
    play.run_until(7, &["worker-1"]);
    play.take_log();
    taint(&mut play, "x");
    play.run_until(12, &["worker-1"]);
    taint(&mut play, "y");
    play.run_until(40, &["worker-1"]);
    let evicted = |at: &str, name: &str| {
        [
            format!("{at} Normal Pod/{name} TaintManagerEviction: Marking for deletion Pod test/{name}"),
            format!("{at} Pod/{name} DisruptionTarget=True DeletionByTaintManager"),
            format!("{at} delete Pod/{name}"),
        ]
    };
    let mut expected = evicted("7.0", "goes").to_vec();
    // Upstream looks at it anew with each change of the taints, though it is already on its way out.
    expected.push("12.0 Normal Pod/goes TaintManagerEviction: Marking for deletion Pod test/goes".into());
    expected.push("12.0 delete Pod/goes".into());
    expected.extend(evicted("27.0", "soon"));
    assert_eq!(play.take_log(), expected);
}

#[test]
fn nodes_of_several_zones_are_given_up_zone_by_zone() {
    let mut play = cluster(&[]);
    for (name, zone) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")] {
        play.node(name, json!({ "topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": zone }));
    }
    play.run_until(100, &["b1"]);
    let log = play.take_log();
    let give_ups: Vec<_> =
        log.iter().filter(|line| line.contains("NoExecute")).map(|line| &line[..14]).collect();
    // A zone that is down as a whole goes at the usual rate as long as another one answers.
    assert_eq!(give_ups, ["60.1 Node/a1 ta", "70.0 Node/a2 ta", "80.0 Node/a3 ta"].map(|line| &line[..14]));
    let states: Vec<_> =
        play.memory.node_lifecycle.zones().map(|(zone, state)| (&*zone.zone, state)).collect();
    assert_eq!(states, [("a", ZoneState::FullDisruption), ("b", ZoneState::Normal)]);
}
