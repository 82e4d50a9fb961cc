//! The scheduler at work on a store: what it binds, what it says, and what makes it try again.

mod sched;

use sched::{Cluster, node, pod};
use serde_json::{Value, json};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Pod, condition};
use setpoint_control::scheduler::explain;

const HELPLESS: &str = "3 Preemption is not helpful for scheduling.";
const NO_VICTIMS: &str = "3 No preemption victims found for incoming pod.";

fn three_nodes() -> Cluster {
    let mut cluster = Cluster::new();
    for number in 1..=3 {
        cluster.put(node(&format!("worker-{number}"), json!({})));
    }
    cluster
}

fn failed(reasons: &str, after: &str) -> String {
    let start = format!("0/3 nodes are available: {reasons}.");
    format!("{start} no new claims to deallocate, preemption: 0/3 nodes are available: {after}")
}

#[test]
fn a_pod_that_fits_nowhere_is_told_why() {
    let affinity = |rules: Value| json!({ "affinity": rules });
    let in_zone = json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["x"]}]}]});
    let near =
        json!([{"labelSelector": {"matchLabels": {"app": "none"}}, "topologyKey": "kubernetes.io/hostname"}]);
    let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]);
    let scalar = json!({"containers": [{"name": "c", "resources": {"requests": {"example.com/gpu": "1"}}}]});
    let named = json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["gone"]}]}]});
    let clashing = json!({"nodeSelectorTerms": [{"matchFields": [
        {"key": "metadata.name", "operator": "In", "values": ["worker-1"]},
        {"key": "metadata.name", "operator": "In", "values": ["worker-2"]}]}]});
    let required = |terms: Value| json!({"requiredDuringSchedulingIgnoredDuringExecution": terms});
    let cases: Vec<(Value, &str, &str)> = vec![
        (sched::requests("6", "64Mi"), "3 Insufficient cpu", HELPLESS),
        (sched::requests("100m", "20Gi"), "3 Insufficient memory", HELPLESS),
        (sched::requests("6", "20Gi"), "3 Insufficient cpu, 3 Insufficient memory", HELPLESS),
        (
            json!({"nodeSelector": {"disk": "ssd"}}),
            "3 node(s) didn't match Pod's node affinity/selector",
            HELPLESS,
        ),
        (
            affinity(json!({ "nodeAffinity": required(in_zone) })),
            "3 node(s) didn't match Pod's node affinity/selector",
            HELPLESS,
        ),
        (
            affinity(json!({ "podAffinity": required(near) })),
            "3 node(s) didn't match pod affinity rules",
            HELPLESS,
        ),
        (
            json!({ "topologySpreadConstraints": spread }),
            "3 node(s) didn't match pod topology spread constraints (missing required label)",
            HELPLESS,
        ),
        (scalar, "3 Insufficient example.com/gpu", HELPLESS),
        (
            affinity(json!({ "nodeAffinity": required(named) })),
            "3 node(s) didn't satisfy plugin(s) [NodeAffinity]",
            HELPLESS,
        ),
        (affinity(json!({ "nodeAffinity": required(clashing) })), "pod affinity terms conflict", HELPLESS),
    ];
    for (spec, reasons, after) in cases {
        let mut cluster = three_nodes();
        cluster.put(pod("web", spec.clone()));
        cluster.run();
        let expected = failed(reasons, after);
        assert_eq!(cluster.events, [format!("Warning FailedScheduling default/web: {expected}")], "{spec}");
        let web = cluster.get::<Pod>("default", "web");
        let scheduled = condition(&web.status.conditions, "PodScheduled").unwrap();
        assert_eq!((scheduled.status.as_str(), &*scheduled.reason), ("False", "Unschedulable"));
        assert_eq!(&*scheduled.message, expected);
    }
}

#[test]
fn full_nodes_are_told_apart_from_nodes_that_are_too_small() {
    let port = json!({"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 8080}]}]});
    let alone = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}]}}});
    let cases = [
        (sched::requests("2500m", "64Mi"), "3 Insufficient cpu"),
        (port, "3 node(s) didn't have free ports for the requested pod ports"),
        (alone, "3 node(s) didn't match pod anti-affinity rules"),
    ];
    for (spec, reasons) in cases {
        let mut cluster = three_nodes();
        for number in 0..4 {
            cluster.put(pod(&format!("web-{number}"), spec.clone()));
        }
        cluster.run();
        let bound = cluster.events.iter().filter(|event| event.contains("Successfully assigned")).count();
        assert_eq!(bound, 3, "{:?}", cluster.events);
        let message = failed(reasons, NO_VICTIMS);
        assert_eq!(
            cluster.events.last().unwrap(),
            &format!("Warning FailedScheduling default/web-3: {message}")
        );
    }
}

#[test]
fn mixed_reasons_are_counted_and_sorted_as_text() {
    let mut cluster = three_nodes();
    cluster.put(node("worker-1", json!({"spec": {"unschedulable": true}})));
    cluster.put(node(
        "worker-2",
        json!({"spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}}),
    ));
    cluster.put(pod("fill", sched::requests("3", "64Mi")));
    cluster.run();
    cluster.put(pod("mix", sched::requests("2", "64Mi")));
    cluster.run();
    let message = "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were \
        unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found \
        for incoming pod, 2 Preemption is not helpful for scheduling.";
    assert_eq!(cluster.events.last().unwrap(), &format!("Warning FailedScheduling default/mix: {message}"));
    cluster.put(pod("never", json!({"preemptionPolicy": "Never", "nodeSelector": {"disk": "ssd"}})));
    cluster.run();
    assert!(
        cluster.events.last().unwrap().ends_with("preemption: not eligible due to preemptionPolicy=Never.")
    );
}

#[test]
fn without_nodes_a_pod_is_tried_again_after_its_back_off() {
    let mut cluster = Cluster::new();
    cluster.put(pod("web", json!({})));
    cluster.run();
    assert_eq!(cluster.events, ["Warning FailedScheduling default/web: no nodes available to schedule pods"]);
    cluster.put(node("worker-1", json!({})));
    cluster.run();
    assert_eq!(cluster.events.len(), 1, "a new node does not end the back-off");
    cluster.pass(SECOND);
    assert_eq!(
        cluster.events[1],
        "Normal Scheduled default/web: Successfully assigned default/web to worker-1"
    );
}

#[test]
fn equal_nodes_fill_evenly() {
    for (pods, expected) in [(3, vec![1, 1, 1]), (7, vec![2, 2, 3]), (12, vec![4, 4, 4])] {
        for draw in 0..20 {
            let mut cluster = three_nodes();
            cluster.draw = draw;
            cluster.put_set("web", pods, sched::requests("100m", "64Mi"));
            cluster.run();
            let mut counts: Vec<usize> = cluster.pods_by_node().into_values().collect();
            counts.sort_unstable();
            assert_eq!(counts, expected, "draw {draw}");
        }
    }
}

#[test]
fn ties_are_broken_by_the_draw() {
    let mut seen: Map<String, u32> = Map::new();
    for draw in 0..60 {
        let mut cluster = three_nodes();
        cluster.draw = draw;
        cluster.put(pod("web", json!({})));
        cluster.run();
        *seen.entry(cluster.pods_by_node().into_keys().next().unwrap()).or_default() += 1;
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Pods of one set go to the zone that has fewer of them, though no rule says so.
#[test]
fn sets_spread_over_zones_by_default() {
    let mut cluster = Cluster::new();
    for (name, zone) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")] {
        let labels = json!({"metadata": {"labels": {"topology.kubernetes.io/zone": zone}}});
        cluster.put(node(name, labels));
    }
    cluster.put_set("web", 8, sched::requests("100m", "64Mi"));
    cluster.run();
    let counts = cluster.pods_by_node();
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [2, 2, 2, 2], "{counts:?}");
}

/// What may wake a pod that fits nowhere.
#[test]
fn a_pending_pod_is_tried_again_when_something_helps() {
    let small = sched::requests("2500m", "64Mi");
    let large = sched::requests("6", "64Mi");
    let ssd = json!({"nodeSelector": {"disk": "ssd"}});
    let labelled = |key: &str| json!({"metadata": {"labels": {key: "ssd"}}});
    let zone = |zone: &str| json!({"metadata": {"labels": {"zone": zone, "rack": format!("of {zone}")}}});
    let near = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "none"}}, "topologyKey": "zone"}]}}});
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]});
    let cordoned = json!({"spec": {"unschedulable": true}});
    let capacity =
        |cpu: &str| json!({"status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}});
    // Pod, change of worker-1 before, change of worker-1 after (nothing: a pod on it ends), whether the pod is tried again.
    let cases: Vec<(&str, &Value, Value, Option<Value>, bool)> = vec![
        ("label that matches", &ssd, json!({}), Some(labelled("disk")), true),
        ("label that does not", &ssd, json!({}), Some(labelled("rack")), false),
        ("label that goes", &ssd, labelled("rack"), Some(json!({})), false),
        ("a place for pods that it wants", &near, json!({}), Some(labelled("zone")), true),
        ("a label that makes no place", &near, labelled("zone"), Some(zone("ssd")), false),
        ("a node that moves to another zone", &spread, labelled("zone"), Some(zone("a")), true),
        ("a node that stays in its zone", &spread, labelled("zone"), Some(zone("ssd")), false),
        ("any taint", &ssd, json!({}), Some(cordoned.clone()), true),
        ("room for it", &large, json!({}), Some(capacity("8")), true),
        ("room, but too little", &large, json!({}), Some(capacity("5")), false),
        ("a pod ends", &small, json!({}), None, true),
        ("a pod ends, though the node is too small", &large, json!({}), None, true),
        ("a pod ends, though labels are missing", &ssd, json!({}), None, false),
    ];
    for (what, spec, before, after, expected) in cases {
        let mut cluster = three_nodes();
        cluster.put(node("worker-1", before));
        for number in 1..=3 {
            let mut filler = pod(&format!("filler-{number}"), sched::requests("2", "64Mi"));
            filler["spec"]["nodeName"] = format!("worker-{number}").into();
            cluster.put(filler);
        }
        cluster.run();
        cluster.put(pod("web", (*spec).clone()));
        cluster.run();
        assert_eq!(cluster.events.len(), 1, "{what}: {:?}", cluster.events);
        match after {
            Some(after) => cluster.put(node("worker-1", after)),
            None => cluster.remove::<Pod>("default", "filler-1"),
        }
        cluster.run();
        assert_eq!(cluster.events.len() == 2, expected, "{what}: {:?}", cluster.events);
    }
}

#[test]
fn uncordoning_a_node_and_removing_its_taint_wakes_pods() {
    let taint = json!({"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}});
    for shut in [json!({"spec": {"unschedulable": true}}), taint] {
        let mut cluster = Cluster::new();
        cluster.put(node("worker-1", shut));
        cluster.put(pod("web", json!({})));
        cluster.run();
        cluster.put(node("worker-1", json!({})));
        cluster.run();
        assert_eq!(
            cluster.events[1..],
            ["Normal Scheduled default/web: Successfully assigned default/web to worker-1"]
        );
    }
}

#[test]
fn a_finished_pod_gives_its_room_back() {
    let mut cluster = Cluster::new();
    cluster.put(node("worker-1", json!({})));
    cluster.put(pod("first", sched::requests("3", "64Mi")));
    cluster.run();
    cluster.put(pod("second", sched::requests("3", "64Mi")));
    cluster.run();
    let mut first = pod("first", sched::requests("3", "64Mi"));
    first["spec"]["nodeName"] = "worker-1".into();
    first["status"] = json!({"phase": "Succeeded"});
    cluster.put(first);
    cluster.run();
    assert_eq!(cluster.pods_by_node().get("worker-1"), Some(&2));
    assert!(
        cluster.events[2].ends_with("Successfully assigned default/second to worker-1"),
        "{:?}",
        cluster.events
    );
}

#[test]
fn the_condition_is_written_only_where_it_changed() {
    let mut cluster = three_nodes();
    cluster.put(pod("web", json!({"nodeSelector": {"disk": "ssd"}})));
    cluster.run();
    assert_eq!((cluster.events.len(), cluster.conditions_written), (1, 1));
    // A cordon wakes it, and the reasons are others now; a further taint changes nothing.
    cluster.put(node("worker-1", json!({"spec": {"unschedulable": true}})));
    cluster.run();
    assert_eq!((cluster.events.len(), cluster.conditions_written), (2, 2));
    let taint = json!({"spec": {"unschedulable": true, "taints": [{"key": "k", "effect": "NoSchedule"}]}});
    cluster.put(node("worker-1", taint));
    cluster.run();
    assert_eq!((cluster.events.len(), cluster.conditions_written), (3, 2));
}

#[test]
fn a_refused_binding_frees_the_node_and_is_tried_again() {
    let mut cluster = Cluster::new();
    cluster.put(node("worker-1", json!({})));
    cluster.refuse_bindings = true;
    cluster.put(pod("web", sched::requests("3", "64Mi")));
    cluster.run();
    let message = "running Bind plugin \"DefaultBinder\": pods \"web\" is forbidden: not now";
    assert_eq!(cluster.events, [format!("Warning FailedScheduling default/web: {message}")]);
    let web = cluster.get::<Pod>("default", "web");
    assert_eq!(&*condition(&web.status.conditions, "PodScheduled").unwrap().reason, "SchedulerError");
    cluster.refuse_bindings = false;
    cluster.run();
    assert_eq!(cluster.events.len(), 1, "only time helps");
    cluster.pass(SECOND);
    assert_eq!(
        cluster.events[1],
        "Normal Scheduled default/web: Successfully assigned default/web to worker-1"
    );
}

#[test]
fn a_pod_deleted_while_its_binding_is_on_its_way_leaves_no_trace() {
    let mut cluster = Cluster::new();
    cluster.put(node("worker-1", json!({})));
    cluster.put(pod("web", sched::requests("3", "64Mi")));
    cluster.hold_writes = true;
    cluster.run();
    cluster.remove::<Pod>("default", "web");
    cluster.run();
    cluster.hold_writes = false;
    cluster.put(pod("next", sched::requests("3", "64Mi")));
    cluster.run();
    assert_eq!(
        cluster.events,
        ["Normal Scheduled default/next: Successfully assigned default/next to worker-1"]
    );
}

#[test]
fn pods_of_others_and_pods_with_gates_are_left_alone() {
    let mut cluster = three_nodes();
    cluster.put(pod("other", json!({"schedulerName": "my-scheduler"})));
    cluster.put(pod("gated", json!({"schedulingGates": [{"name": "example.com/wait"}]})));
    cluster.run();
    assert_eq!(cluster.events, [] as [String; 0]);
    cluster.put(pod("gated", json!({})));
    cluster.run();
    assert_eq!(cluster.events.len(), 1);
}

#[test]
fn higher_priority_goes_first() {
    let mut cluster = Cluster::new();
    cluster.put(node("worker-1", json!({})));
    for (name, priority) in [("low", 1), ("high", 1000), ("middle", 10)] {
        cluster.put(pod(name, json!({ "priority": priority })));
    }
    cluster.run();
    let order: Vec<&str> = cluster.events.iter().filter_map(|event| event.split(' ').nth(2)).collect();
    assert_eq!(order, ["default/high:", "default/middle:", "default/low:"]);
}

#[test]
fn a_decision_can_be_explained() {
    let mut cluster = three_nodes();
    cluster.put(node("worker-3", json!({"spec": {"unschedulable": true}})));
    let mut there = pod("there", sched::requests("1", "1Gi"));
    there["spec"]["nodeName"] = "worker-1".into();
    cluster.put(there);
    cluster.put(pod("web", sched::requests("1", "1Gi")));
    cluster.run();
    let kept = cluster.memory.scheduler.decisions.back().unwrap().clone();
    assert_eq!((&*kept.pod, kept.node.as_deref()), ("default/web", Some("worker-2")));
    assert_eq!(kept.rejected, [("worker-3".into(), vec!["node(s) were unschedulable".into()])]);
    let scores: Vec<(&str, i64)> = kept.scores.iter().map(|score| (&*score.node, score.total)).collect();
    // Taints 300; least allocated (50 + 75) / 2 and (75 + 87) / 2; balance 93 > 87 and 100 > 93, so 75 less half of that.
    assert_eq!(scores, [("worker-1", 300 + 62 + 72), ("worker-2", 300 + 81 + 71)]);
    let web = cluster.get::<Pod>("default", "web");
    assert_eq!(explain(&cluster.store, &cluster.memory.scheduler, web.metadata.id), Some((*kept).clone()));
}

/// What is counted step by step must be what a fresh start counts.
#[test]
fn the_cache_stays_true() {
    let mut cluster = three_nodes();
    let alone = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "alone"}}, "topologyKey": "kubernetes.io/hostname"}]}});
    let mut word = 1u64;
    for step in 0..400 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = (word >> 33) % 20;
        match (word >> 40) % 8 {
            0 => cluster.remove::<Pod>("default", &format!("p{number}")),
            1 => cluster.remove::<setpoint_api::Node>("", &format!("worker-{}", number % 5)),
            2 => {
                let labels = json!({"metadata": {"labels": {"topology.kubernetes.io/zone": format!("z{}", number % 2)}}});
                cluster.put(node(&format!("worker-{}", number % 5), labels));
            }
            3 => {
                let mut spec = sched::requests("200m", "64Mi");
                spec["affinity"] = alone.clone();
                let mut alone = pod(&format!("p{number}"), spec);
                alone["metadata"]["labels"] = json!({"app": "alone"});
                cluster.put(alone);
            }
            4 => cluster.put_set(
                &format!("set-{}", number % 3),
                1 + number % 4,
                sched::requests("300m", "64Mi"),
            ),
            _ => {
                let mut web = pod(&format!("p{number}"), sched::requests("100m", "64Mi"));
                web["metadata"]["labels"] = json!({"app": format!("a{}", number % 3)});
                web["spec"]["topologySpreadConstraints"] = json!([{"maxSkew": 2, "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": format!("a{}", number % 3)}}}]);
                cluster.put(web);
            }
        }
        cluster.run();
        let fresh = cluster.restarted();
        let rooms = |cluster: &Cluster| -> Map<String, _> {
            let cache = &cluster.memory.scheduler.cache;
            let named = cache.nodes.iter().zip(&cache.rooms).filter(|(entry, _)| entry.node.is_some());
            named.map(|(entry, room)| (entry.name.to_string(), *room)).collect()
        };
        assert_eq!(rooms(&cluster), rooms(&fresh), "step {step}");
        // Both must come to the same scores for a further pod, whatever groups they have counted in.
        for id in cluster.store.ids(setpoint_api::Kind::Pod) {
            let sorted = |cluster: &Cluster| {
                explain(&cluster.store, &cluster.memory.scheduler, id).map(|mut decision| {
                    decision.node = None;
                    decision.scores.sort();
                    decision.rejected.sort();
                    decision
                })
            };
            assert_eq!(sorted(&cluster), sorted(&fresh), "step {step}");
        }
    }
    assert!(cluster.events.iter().any(|event| event.contains("spread constraints")), "the mix was too easy");
    assert!(cluster.events.iter().any(|event| event.contains("anti-affinity")), "the mix was too easy");
}
