//! How many pods the scheduler places per second of CPU. Run with
//! `cargo test --release -p setpoint-control --test scheduler_speed -- --ignored --nocapture`.

mod sched;

use sched::{Cluster, node, pod, requests};
use serde_json::json;
use setpoint_api::{Object, Pod, ReplicaSet};
#[expect(clippy::disallowed_types, reason = "a measurement, not the engine")]
use std::time::Instant;

/// Pods of one ReplicaSet.
const REPLICAS: usize = 30;

/// Places two pods per node and returns pods per second, the store's own work left out.
#[expect(clippy::disallowed_types, reason = "a measurement, not the engine")]
fn burst(nodes: usize, spec: &serde_json::Value) -> f64 {
    let mut cluster = Cluster::new();
    for number in 0..nodes {
        let zone =
            json!({"metadata": {"labels": {"topology.kubernetes.io/zone": format!("z{}", number % 3)}}});
        cluster.put(node(&format!("node-{number}"), zone));
    }
    cluster.run();
    let pods = 2 * nodes;
    let (template, _) = Object::from_value(setpoint_api::Kind::Pod, pod("template", spec.clone()));
    let Object::Pod(template) = template else { panic!("a pod was asked for") };
    for set in 0..pods.div_ceil(REPLICAS) {
        let name = format!("set-{set}");
        cluster.put_set(&name, 0, json!({}));
        let owner = cluster.get::<ReplicaSet>("default", &name).metadata.uid;
        for number in 0..REPLICAS.min(pods - set * REPLICAS) {
            let mut pod = Pod::clone(&template);
            pod.metadata.name = format!("{name}-{number}").into();
            pod.metadata.set_label("app", &name);
            pod.metadata.owner_references = vec![setpoint_api::OwnerReference {
                kind: "ReplicaSet".into(),
                name: name.as_str().into(),
                uid: owner,
                controller: Some(true),
                ..Default::default()
            }]
            .into();
            cluster.create(pod);
        }
    }
    let mut spent = std::time::Duration::ZERO;
    let start = Instant::now();
    cluster.notify();
    spent += start.elapsed();
    for _ in 0..pods {
        let start = Instant::now();
        let outcome = cluster.decide();
        spent += start.elapsed();
        cluster.land_all(outcome.writes);
        let start = Instant::now();
        cluster.notify();
        spent += start.elapsed();
    }
    assert_eq!(cluster.pods_by_node().values().sum::<usize>(), pods);
    pods as f64 / spent.as_secs_f64()
}

#[test]
#[ignore = "a measurement; needs --release"]
fn pods_per_second() {
    let plain = requests("100m", "64Mi");
    let mut apart = requests("100m", "64Mi");
    apart["affinity"] = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10,
        "podAffinityTerm": {"labelSelector": {"matchLabels": {"app": "set-1"}}, "topologyKey": "kubernetes.io/hostname"}}]}});
    let mut strict = requests("100m", "64Mi");
    strict["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "set-1"}}}]);
    for (what, spec) in
        [("default spreading", &plain), ("strict spreading", &strict), ("anti-affinity", &apart)]
    {
        for (nodes, floor) in [(100, 50_000.0), (1000, 20_000.0), (5000, 10_000.0)] {
            let rate = burst(nodes, spec);
            println!("{what}: {nodes} nodes: {rate:.0} pods/s ({:.1} us each)", 1e6 / rate);
            assert!(what != "default spreading" || rate >= floor, "below the floor of {floor}");
        }
    }
}
