//! The endpoint slices of Services.

mod play;

use play::{Play, labels};
use serde_json::{Value, json};
use setpoint_api::*;
use setpoint_control::endpointslice::{self, MAX_ENDPOINTS};
use std::rc::Rc;

fn cluster() -> Play {
    let mut play = Play::new(vec![endpointslice::ROW]);
    play.put(
        json!({ "metadata": { "name": "n1", "labels": { "topology.kubernetes.io/zone": "z" } } }),
        Kind::Node,
    );
    play.put(
        json!({
            "metadata": { "name": "web", "namespace": "test", "labels": { "team": "blue" } },
            "spec": { "selector": { "app": "web" }, "clusterIP": "10.96.0.3",
                      "ports": [{ "port": 80, "targetPort": 8080, "protocol": "TCP" }] },
        }),
        Kind::Service,
    );
    play.settle();
    play
}

/// A pod with an address, in the state `ready` or `unready`.
fn pod(number: usize, state: &str) -> Value {
    let ip = format!("10.1.{}.{}", number / 250, number % 250);
    json!({
        "metadata": { "name": format!("p{number}"), "namespace": "test", "labels": { "app": "web" } },
        "spec": { "nodeName": "n1", "containers": [{ "name": "c" }] },
        "status": { "phase": "Running", "podIP": ip, "podIPs": [{ "ip": ip }],
                    "conditions": [{ "type": "Ready", "status": if state == "ready" { "True" } else { "False" } }] },
    })
}

fn slices(play: &Play) -> Vec<Rc<EndpointSlice>> {
    let mut slices: Vec<_> = play.store.list::<EndpointSlice>().cloned().collect();
    slices.sort_by_key(|slice| slice.metadata.id);
    slices
}

/// Sizes of the slices, with the ports of each.
fn shape(play: &Play) -> Vec<(usize, Vec<i32>)> {
    let ports = |slice: &EndpointSlice| slice.ports.iter().filter_map(|port| port.port).collect();
    slices(play).iter().map(|slice| (slice.endpoints.len(), ports(slice))).collect()
}

/// `name ready serving terminating` of every endpoint, as `p0 R S -`.
fn endpoints(play: &Play) -> Vec<String> {
    let flag = |flag: Option<bool>, name| if flag == Some(true) { name } else { "-" };
    let text = |endpoint: &Endpoint| {
        let c = &endpoint.conditions;
        let name = endpoint.target_ref.as_ref().map_or("", |target| &target.name);
        format!("{name} {} {} {}", flag(c.ready, "R"), flag(c.serving, "S"), flag(c.terminating, "T"))
    };
    slices(play).iter().flat_map(|slice| &slice.endpoints).map(|endpoint| text(endpoint)).collect()
}

#[test]
fn a_service_has_one_slice_that_follows_its_pods() {
    let mut play = cluster();
    assert_eq!(shape(&play), [(0, vec![])], "a placeholder");
    let slice = Rc::clone(&slices(&play)[0]);
    assert!(slice.metadata.name.starts_with("web-"), "{}", slice.metadata.name);
    let expected = [
        ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"),
        ("kubernetes.io/service-name", "web"),
        ("team", "blue"),
    ];
    assert_eq!(*slice.metadata.labels, labels(&expected));
    let owner = &slice.metadata.owner_references[0];
    assert_eq!(
        (&*owner.kind, owner.controller, owner.block_owner_deletion),
        ("Service", Some(true), Some(true))
    );
    assert_eq!(&*slice.address_type, "IPv4");

    play.put(pod(0, "ready"), Kind::Pod);
    play.put(pod(1, "unready"), Kind::Pod);
    let mut waiting = pod(2, "ready");
    waiting["status"] = json!({ "phase": "Pending" });
    play.put(waiting, Kind::Pod);
    let mut other = pod(3, "ready");
    other["metadata"]["labels"] = json!({ "app": "db" });
    play.put(other, Kind::Pod);
    play.settle();
    assert_eq!(endpoints(&play), ["p0 R S -", "p1 - - -"]);
    assert_eq!(shape(&play), [(2, vec![8080])]);
    assert_eq!(slices(&play)[0].metadata.id, slice.metadata.id, "the placeholder is rewritten");

    play.delete(Kind::Pod, "test", "p0", DeleteOptions::default());
    assert_eq!(endpoints(&play), ["p0 - S T", "p1 - - -"], "draining");
    play.change::<Pod>("test", "p0", Scope::Status, |pod| pod.status.phase = PodPhase::Succeeded);
    assert_eq!(endpoints(&play), ["p1 - - -"]);
    play.change::<Pod>("test", "p1", Scope::Main, |pod| pod.metadata.set_label("app", "gone"));
    play.change::<Pod>("test", "p3", Scope::Main, |pod| pod.metadata.set_label("app", "web"));
    assert_eq!(endpoints(&play), ["p3 R S -"]);
    play.delete(
        Kind::Pod,
        "test",
        "p3",
        DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() },
    );
    assert_eq!(shape(&play), [(0, vec![])], "the placeholder again");
    assert_eq!(slices(&play)[0].metadata.id, slice.metadata.id);
}

#[test]
fn slices_hold_a_hundred_endpoints_and_few_are_touched() {
    let mut play = cluster();
    for number in 0..250 {
        play.put(pod(number, "ready"), Kind::Pod);
    }
    play.settle();
    let sizes = |play: &Play| shape(play).into_iter().map(|(size, _)| size).collect::<Vec<_>>();
    let mut sorted = sizes(&play);
    sorted.sort();
    assert_eq!(sorted, [50, MAX_ENDPOINTS, MAX_ENDPOINTS]);

    let before = slices(&play);
    play.change::<Pod>("test", "p7", Scope::Status, |pod| {
        pod.status.conditions[0].status = ConditionStatus::False;
    });
    let after = slices(&play);
    let touched: Vec<_> = before.iter().zip(&after).filter(|(old, new)| !Rc::ptr_eq(old, new)).collect();
    let [(old, new)] = touched[..] else { panic!("{} slices touched", touched.len()) };
    let is_kept = |(old, new): &(&Rc<Endpoint>, &Rc<Endpoint>)| Rc::ptr_eq(old, new);
    let kept = old.endpoints.iter().zip(&new.endpoints).filter(is_kept).count();
    assert_eq!(kept, old.endpoints.len() - 1, "all other endpoints are shared");

    // A few more go into the slice that still has room, and what falls free in a full slice stays free.
    let full = after.iter().find(|slice| slice.endpoints.len() == MAX_ENDPOINTS).unwrap();
    let name = full.endpoints[0].target_ref.as_ref().unwrap().name.clone();
    play.delete(
        Kind::Pod,
        "test",
        &name,
        DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() },
    );
    for number in 250..280 {
        play.put(pod(number, "ready"), Kind::Pod);
    }
    play.settle();
    let mut sorted = sizes(&play);
    sorted.sort();
    assert_eq!(sorted, [80, 99, 100]);
}

#[test]
fn named_ports_make_slices_of_their_own() {
    let mut play = cluster();
    play.change::<Service>("test", "web", Scope::Main, |service| {
        Rc::make_mut(&mut service.spec.ports)[0].target_port = Some(IntOrPercent::Text("http".into()));
    });
    for (number, port) in [(0, Some(8080)), (1, Some(9090)), (2, None), (3, Some(8080))] {
        let mut pod = pod(number, "ready");
        let ports = port.map(|port| json!([{ "name": "http", "containerPort": port, "protocol": "TCP" }]));
        pod["spec"]["containers"] = json!([{ "name": "c", "ports": ports }]);
        play.put(pod, Kind::Pod);
    }
    play.settle();
    let mut shape = shape(&play);
    shape.sort();
    assert_eq!(shape, [(1, vec![]), (1, vec![9090]), (2, vec![8080])]);
}

#[test]
fn early_addresses_are_published_on_demand() {
    let mut play = cluster();
    play.put(pod(0, "unready"), Kind::Pod);
    play.change::<Service>("test", "web", Scope::Main, |service| {
        service.spec.publish_not_ready_addresses = true
    });
    assert_eq!(endpoints(&play), ["p0 R - -"]);
}

#[test]
fn a_pod_whose_node_is_missing_is_skipped_and_said_so() {
    let mut play = cluster();
    play.put(pod(0, "ready"), Kind::Pod);
    let mut lost = pod(1, "ready");
    lost["spec"]["nodeName"] = json!("n2");
    play.put(lost, Kind::Pod);
    play.settle();
    assert_eq!(endpoints(&play), ["p0 R S -"]);
    let message = "FailedToUpdateEndpointSlices: Error updating Endpoint Slices for Service test/web: skipping Pod p1 for \
                   Service test/web: Node n2 Not Found";
    play.run_until(4, &[]);
    let at = ["0.0", "1.0", "3.0"].map(|at| format!("{at} Warning Service/web {message}"));
    assert_eq!(play.take_log(), at);
    play.put(json!({ "metadata": { "name": "n2" } }), Kind::Node);
    play.run_until(8, &[]);
    assert_eq!(endpoints(&play), ["p0 R S -", "p1 R S -"]);
    assert_eq!(play.take_log(), [] as [&str; 0]);
    // Nobody looks when a node goes, but then at all pods when one of them changes.
    play.delete(Kind::Node, "", "n2", DeleteOptions::default());
    assert_eq!(endpoints(&play), ["p0 R S -", "p1 R S -"]);
    play.put(pod(2, "ready"), Kind::Pod);
    play.settle();
    assert_eq!(endpoints(&play), ["p0 R S -", "p2 R S -"]);
    assert_eq!(play.take_log(), [format!("8.0 Warning Service/web {message}")]);
}

#[test]
fn slices_are_put_back_and_follow_the_labels_of_their_service() {
    let mut play = cluster();
    play.put(pod(0, "ready"), Kind::Pod);
    play.settle();
    play.change::<Service>("test", "web", Scope::Main, |service| service.metadata.set_label("team", "red"));
    assert_eq!(slices(&play)[0].metadata.label("team"), Some("red"));
    let name = slices(&play)[0].metadata.name.clone();
    play.delete(Kind::EndpointSlice, "test", &name, DeleteOptions::default());
    assert_eq!(shape(&play), []);
    play.run_until(2, &[]);
    assert_eq!(endpoints(&play), ["p0 R S -"]);
}

#[test]
fn services_without_a_selector_are_left_alone() {
    let mut play = Play::new(vec![endpointslice::ROW]);
    play.put(json!({ "metadata": { "name": "db", "namespace": "test" } }), Kind::Service);
    let external = json!({ "selector": { "app": "web" }, "type": "ExternalName" });
    play.put(json!({ "metadata": { "name": "x", "namespace": "test" }, "spec": external }), Kind::Service);
    play.settle();
    assert_eq!(shape(&play), []);
}

/// Only the pods that changed are looked at; a look at everything must find nothing left to do.
#[test]
fn looking_at_changes_alone_misses_nothing() {
    let mut play = cluster();
    let mut word = 1u64;
    let mut draw = |below: u64| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 33) % below
    };
    let mut made = 0;
    for _ in 0..1500 {
        let names: Vec<Str> = play.store.list::<Pod>().map(|pod| pod.metadata.name.clone()).collect();
        let name = names.get(draw(names.len().max(1) as u64) as usize);
        match (draw(6), name) {
            (0..=2, _) | (_, None) => {
                play.put(pod(made, if draw(2) == 0 { "ready" } else { "unready" }), Kind::Pod);
                made += 1;
            }
            (3, Some(name)) => play.change::<Pod>("test", name, Scope::Status, |pod| {
                let ready = &mut pod.status.conditions[0].status;
                *ready = if *ready == ConditionStatus::True {
                    ConditionStatus::False
                } else {
                    ConditionStatus::True
                };
            }),
            (4, Some(name)) => play.change::<Pod>("test", name, Scope::Main, |pod| {
                let label = if pod.metadata.label("app") == Some("web") { "db" } else { "web" };
                pod.metadata.set_label("app", label);
            }),
            (_, Some(name)) => {
                let grace_seconds = Some(draw(2) as i64 * 30);
                play.delete(
                    Kind::Pod,
                    "test",
                    name,
                    DeleteOptions { grace_seconds, ..DeleteOptions::default() },
                );
            }
        }
        if draw(4) == 0 {
            play.settle();
        }
    }
    play.settle();
    let service = play.store.find::<Service>("test", "web").unwrap();
    let selector = Selector::from_match_labels(&service.spec.selector);
    let pods = play.store.pods_matching("test", &selector);
    let slices: Vec<_> = play.store.dependents::<EndpointSlice>(service.metadata.uid).collect();
    let plan = endpointslice::plan(service, &pods, None, &slices, &play.store);
    assert!(pods.len() > MAX_ENDPOINTS, "{} pods", pods.len());
    assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 0, 0));
    assert_eq!(plan.endpoints, pods.len());
}

#[test]
fn what_somebody_changes_in_a_slice_is_put_right_after_a_second() {
    let mut play = cluster();
    for number in 0..2 {
        play.put(pod(number, "ready"), Kind::Pod);
    }
    play.run_until(10, &[]);
    let (before, name) = (endpoints(&play), slices(&play)[0].metadata.name.clone());
    assert_eq!(before.len(), 2);
    for left in [0, 1] {
        play.change::<EndpointSlice>("test", &name, Scope::Main, |slice| slice.endpoints.truncate(left));
        assert_eq!(endpoints(&play).len(), left);
        let now = play.now.0 / play::SECOND;
        play.run_until(now + 2, &[]);
        assert_eq!(endpoints(&play), before);
    }
    // What it writes itself is nothing to look at again.
    let revision = play.store.revision();
    play.run_until(60, &[]);
    assert_eq!((play.store.revision(), slices(&play)[0].metadata.generation), (revision, 6));
}
