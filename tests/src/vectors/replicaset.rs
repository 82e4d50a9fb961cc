//! Upstream's table tests of the ReplicaSet controller.

use super::Case;
use super::forms::{int, pod, read, time};
use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::wire::{Reader, Wire};
use setpoint_api::{Condition, Kind, Pod, ReplicaSet, ReplicaSetStatus, Time};
use setpoint_control::replicaset::ranking::{self, Ranked};
use setpoint_control::replicaset::{batches, status};
use std::rc::Rc;

fn pods(list: &Value) -> Vec<Rc<Pod>> {
    list.as_array().into_iter().flatten().map(pod).collect()
}

fn names<'a>(pods: impl IntoIterator<Item = &'a Rc<Pod>>) -> Vec<String> {
    pods.into_iter().map(|pod| pod.metadata.name.to_string()).collect()
}

/// `pod-deletion-ranking`.
pub(super) fn deletion_order(Case { name, op, input, expect }: Case) {
    let found = match op.as_str() {
        "sortActivePods" => {
            let pods = pods(&input["pods"]);
            let mut shuffled: Vec<_> = pods.iter().map(|pod| Ranked { pod, rank: 0 }).collect();
            shuffled.reverse();
            let sorted = ranking::sort(shuffled, None);
            json!({"order": names(sorted.iter().map(|ranked| ranked.pod))})
        }
        "less" => {
            let (a, b) = (pod(&input["a"]), pod(&input["b"]));
            let rank = |key: &str| input[key].as_i64().unwrap_or(0);
            let a = Ranked { pod: &a, rank: rank("rankA") };
            let b = Ranked { pod: &b, rank: rank("rankB") };
            assert_eq!(
                (&input["logarithmicScaleDown"], &input["podDeletionCost"]),
                (&json!(true), &json!(true))
            );
            let now = Some(time(&input["now"]));
            json!({"aBeforeB": ranking::less(&a, &b, now), "bBeforeA": ranking::less(&b, &a, now)})
        }
        "podsToDelete" => {
            let own = pods(&input["pods"]);
            let related = if input["relatedPods"] == "same as pods" {
                own.clone()
            } else {
                pods(&input["relatedPods"])
            };
            let own: Vec<_> = own.iter().collect();
            let related: Vec<_> = related.iter().collect();
            let count = usize::try_from(int(&input["diff"])).expect("a count");
            json!({"deleted": names(ranking::to_delete(&own, &related, count, Time(0)))})
        }
        "slowStartBatch" => {
            assert_eq!(int(&input["initialBatchSize"]), 1);
            let count = usize::try_from(int(&input["count"])).expect("a count");
            slow_start(count, int(&input["callsThatSucceed"]))
        }
        other => panic!("{name}: unknown op {other}"),
    };
    assert_eq!(found, expect, "{name}");
}

/// Plays the batches against a server that takes the first `good` requests; a batch with a refusal is the last one.
fn slow_start(count: usize, good: i32) -> Value {
    let (mut calls, mut successes, mut failed) = (0, 0, false);
    for batch in batches(count) {
        for _ in 0..batch {
            calls += 1;
            if calls <= good { successes += 1 } else { failed = true }
        }
        if failed {
            break;
        }
    }
    json!({"calls": calls, "successes": successes, "failed": failed})
}

/// `pod-availability`.
pub(super) fn availability_and_status(Case { name, op, input, expect }: Case) {
    let (now, seconds) = (time(&input["now"]), int(&input["minReadySeconds"]));
    match op.as_str() {
        "nextAvailabilityCheck" => {
            let next = status::next_available(&[&pod(&input["pod"])], seconds, now);
            assert_eq!(json!({"seconds": next.map(|micros| micros / SECOND)}), expect, "{name}");
        }
        "replicaSetStatus" => {
            let spec = json!({
                "replicas": input["replicas"],
                "minReadySeconds": seconds,
                "selector": input["selector"],
                "template": {"metadata": {"labels": input["templateLabels"]}, "spec": {"containers": []}},
            });
            let set: Rc<ReplicaSet> =
                read(Kind::ReplicaSet, json!({"metadata": {"name": "web"}, "spec": spec}));
            let active = pods(&input["activePods"]);
            let active: Vec<_> = active.iter().collect();
            let terminating = u32::try_from(int(&input["terminatingPodCount"])).unwrap();
            let tally = status::Tally::of(&set, &active, terminating, now);
            let found = status::status_of(&set, &tally, input["manageError"].as_str(), now);
            check_status(&name, &found, &expect);
        }
        other => panic!("{name}: unknown op {other}"),
    }
}

fn check_status(name: &str, found: &ReplicaSetStatus, expect: &Value) {
    let mut reader = Reader::default();
    let mut wanted = ReplicaSetStatus::read(expect["status"].clone(), &mut reader);
    let conditions = Vec::<Condition>::read(expect["conditions"].clone(), &mut reader);
    assert_eq!(reader.errors, [], "{name}");
    let row = |c: &Condition| (c.kind.clone(), c.status, c.reason.clone(), c.message.clone());
    let rows = |list: &[Condition]| list.iter().map(row).collect::<Vec<_>>();
    assert_eq!(rows(&found.conditions), rows(&conditions), "{name}");
    wanted.conditions = found.conditions.clone();
    wanted.terminating_replicas = wanted.terminating_replicas.or(found.terminating_replicas);
    assert_eq!(*found, wanted, "{name}");
}
