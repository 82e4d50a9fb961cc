//! A kubelet that stops leaves its containers running, and takes them over when it starts again; a node that joins is not
//! ready at first.

mod common;

use common::pass;
use setpoint_api::{Event, Node, Pod};
use setpoint_lab::{Action, Session};

const SCENARIO: &str = r#"
name: kubelets
cluster: {nodes: 2}
until: 5m
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 2
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        containers:
        - {name: web, image: "web:1", readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}}
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ports: [{port: 80}]}
"#;

fn opened() -> Session {
    let mut session = common::opened(SCENARIO, 15);
    session.act(Action::SetLoad { namespace: "default".into(), service: "web".into(), rps: 20 });
    session
}

fn node() -> String {
    "node-02".to_string()
}

/// The node's Ready, the containers that run on its machine, those of its pods that the API shows with their restarts, and
/// the requests that failed.
fn told(session: &mut Session) -> String {
    let sim = session.sim();
    let ready = sim
        .store()
        .find::<Node>("", "node-02")
        .map(|node| setpoint_api::condition_status(&node.status.conditions, "Ready").as_str());
    let machine = sim.machine("node-02").expect("a machine");
    let processes = machine.pods.values().flat_map(|local| &local.processes);
    let running = processes.filter(|process| process.started_at.is_some()).count();
    let pods = sim.store().pods_on("node-02").map(|pod: &std::rc::Rc<Pod>| {
        let ready = if setpoint_control::pod::is_ready(pod) { "ready" } else { "unready" };
        let ending = if pod.metadata.is_deleting() { " ending" } else { "" };
        let restarts: i32 = pod.status.container_statuses.iter().map(|status| status.restart_count).sum();
        format!(", pod {ready}{ending} with {restarts} restarts")
    });
    let told = format!("Ready {}, {running} running{}", ready.unwrap_or("gone"), pods.collect::<String>());
    format!("{told}; {} failed", session.frame().traffic.failed)
}

#[test]
fn containers_outlive_their_kubelet() {
    let mut session = opened();
    pass(&mut session, 2);
    assert_eq!(told(&mut session), "Ready True, 1 running, pod ready with 0 restarts; 0 failed");
    session.act(Action::StopKubelet { node: node() });
    pass(&mut session, 2);
    assert_eq!(told(&mut session), "Ready True, 1 running, pod ready with 0 restarts; 0 failed", "unnoticed");
    pass(&mut session, 6);
    assert_eq!(
        told(&mut session),
        "Ready Unknown, 1 running, pod unready with 0 restarts; 0 failed",
        "noticed"
    );
    session.act(Action::StartKubelet { node: node() });
    pass(&mut session, 2);
    assert_eq!(
        told(&mut session),
        "Ready True, 1 running, pod ready with 0 restarts; 0 failed",
        "taken over"
    );
    // Nobody starts what ends while there is no kubelet.
    session.act(Action::StopKubelet { node: node() });
    let pod = session.sim().store().pods_on("node-02").next().expect("a pod").metadata.name.to_string();
    session.act(Action::SetLoad { namespace: "default".into(), service: "web".into(), rps: 0 });
    session.act(Action::CrashPod { namespace: "default".into(), pod });
    pass(&mut session, 2);
    assert_eq!(told(&mut session), "Ready True, 0 running, pod ready with 0 restarts; 0 failed", "crashed");
    session.act(Action::StartKubelet { node: node() });
    pass(&mut session, 6);
    assert_eq!(
        told(&mut session),
        "Ready True, 1 running, pod ready with 1 restarts; 0 failed",
        "started anew"
    );
}

#[test]
fn what_was_deleted_meanwhile_ends_when_the_kubelet_returns() {
    for (grace_seconds, before) in [(None, ", pod unready ending with 0 restarts"), (Some(0), "")] {
        let mut session = opened();
        session.act(Action::StopKubelet { node: node() });
        let pod = session.sim().store().pods_on("node-02").next().expect("a pod").metadata.name.to_string();
        session.act(Action::SetCordoned { node: node(), cordoned: true });
        pass(&mut session, 8);
        session.act(Action::DeletePod { namespace: "default".into(), pod, grace_seconds });
        pass(&mut session, 40);
        assert_eq!(told(&mut session), format!("Ready Unknown, 1 running{before}; 0 failed"));
        session.act(Action::StartKubelet { node: node() });
        pass(&mut session, 5);
        assert_eq!(told(&mut session), "Ready True, 0 running; 0 failed");
        assert_eq!(session.frame().app.as_ref().map(|app| app.ready), Some(2));
    }
}

#[test]
fn a_deleted_node_comes_back_when_its_kubelet_starts_anew() {
    let mut session = opened();
    session.act(Action::Delete { kind: "Node".into(), namespace: String::new(), name: node() });
    pass(&mut session, 90);
    assert!(told(&mut session).starts_with("Ready gone, 0 running"), "{}", told(&mut session));
    session.act(Action::AddMachine { node: node() });
    pass(&mut session, 5);
    assert!(told(&mut session).starts_with("Ready True"), "{}", told(&mut session));
}

#[test]
fn a_machine_that_loses_its_power_has_no_stopped_kubelet() {
    let mut session = opened();
    for action in [
        Action::StopKubelet { node: node() },
        Action::KillMachine { node: node() },
        Action::RestoreMachine { node: node() },
    ] {
        session.act(action);
    }
    pass(&mut session, 15);
    assert!(session.sim().machine("node-02").is_some_and(setpoint_sim::machine::Machine::has_kubelet));
    assert!(told(&mut session).starts_with("Ready True, 1 running, pod ready with 1 restarts"));
}

#[test]
fn a_node_that_joins_is_not_ready_at_first() {
    let mut session = opened();
    session.act(Action::AddMachine { node: "node-03".into() });
    let mut told: Vec<String> = Vec::new();
    for _ in 0..40 {
        let to = session.now_us() + 100_000;
        session.advance(to, &mut || true);
        let Some(node) = session.sim().store().find::<Node>("", "node-03") else { continue };
        let ready = setpoint_api::condition(&node.status.conditions, "Ready").expect("a condition");
        let taints: Vec<String> =
            node.spec.taints.iter().map(|t| format!("{}:{}", t.key, t.effect)).collect();
        let now = format!("{} {} {}", ready.status.as_str(), ready.reason, taints.join(" "));
        if told.last() != Some(&now) {
            told.push(now);
        }
    }
    let not_ready = "node.kubernetes.io/not-ready:NoSchedule";
    assert_eq!(told[0], format!("False KubeletNotReady {not_ready}"));
    assert_eq!(told.last().map(String::as_str), Some("True KubeletReady "));
    let events = session.sim().store().list::<Event>();
    let about = events.filter(|event| &*event.involved_object.name == "node-03");
    let reasons: Vec<&str> = about.map(|event| &*event.reason).collect();
    let expected = [
        "Starting",
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeAllocatableEnforced",
        "RegisteredNode",
        "NodeReady",
    ];
    assert_eq!(reasons, expected);
}

/// While the API server does not answer, nodes are taken for lost, and a pod ends that nobody hears of; kubelets say it again.
#[test]
fn what_the_api_server_did_not_take_is_said_again() {
    let mut session = opened();
    let pod =
        session.sim().store().list_in::<Pod>("default").next().expect("a pod").metadata.name.to_string();
    session.act(Action::DeletePod { namespace: "default".into(), pod: pod.clone(), grace_seconds: None });
    session.act(Action::SetComponent { component: "kube-apiserver".into(), up: false });
    pass(&mut session, 60);
    let is_ready = |conditions: &[setpoint_api::Condition]| {
        setpoint_api::condition_status(conditions, "Ready") == setpoint_api::ConditionStatus::True
    };
    session.act(Action::SetComponent { component: "kube-apiserver".into(), up: true });
    pass(&mut session, 30);
    let store = session.sim().store();
    assert!(store.find::<Pod>("default", &pod).is_none(), "its end is known");
    assert!(store.list::<Node>().all(|node| is_ready(&node.status.conditions)));
    assert_eq!(store.list_in::<Pod>("default").filter(|pod| is_ready(&pod.status.conditions)).count(), 2);
}
