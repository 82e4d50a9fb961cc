//! Machines that run short of memory or disk: whom the kernel kills, whom the kubelet evicts, and who comes back.

mod common;

use common::said;
use setpoint_api::{Node, Pod, condition_status};
use setpoint_lab::Session;

const SECOND: i64 = 1_000_000;

/// A cluster of two nodes with some pods on the first, and what happens from the twentieth second on.
fn play(pods: &[&str], actions: &[&str]) -> Session {
    let pods: String = pods.iter().map(|pod| format!("- {{apiVersion: v1, kind: Pod, {pod}}}\n")).collect();
    let actions: String = actions.iter().map(|action| format!("- {{at: 20s, do: {action}}}\n")).collect();
    let text = format!(
        "cluster: {{nodes: [{{name: node-01, memory: 1Gi, cpu: 4}}, {{name: node-02, memory: 8Gi, cpu: 4}}]}}\nuntil: 5m\n\
         manifests:\n- {{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: high}}, value: 10}}\n\
         {pods}actions:\n{actions}"
    );
    let mut session = Session::read(&text, 1).expect("a good scenario");
    session.advance(40 * SECOND, &mut || true);
    session
}

/// A pod on the first node.
fn pod(name: &str, more: &str, resources: &str) -> String {
    format!(
        "metadata: {{name: {name}, namespace: default}}, spec: {{nodeName: node-01, {more}containers: [{{name: c, image: nginx, \
         resources: {{{resources}}}}}]}}"
    )
}

/// Phase, reason, and how its container last ended and how often.
fn state(session: &Session, name: &str) -> String {
    let pod = session.sim().store().find::<Pod>("default", name).expect("a pod");
    let container = pod.status.container_statuses.first();
    let ended = container.and_then(|container| container.last_state.terminated.clone());
    let ended = ended.map_or(String::new(), |end| format!(" {} {}", end.reason, end.exit_code));
    let restarts = container.map_or(0, |container| container.restart_count);
    format!("{} {}{ended} x{restarts}", pod.status.phase.as_str(), pod.status.reason).replace("  ", " ")
}

fn pressure(session: &Session, kind: &str) -> (String, bool) {
    let node = session.sim().store().find::<Node>("", "node-01").expect("a node");
    let status = condition_status(&node.status.conditions, kind).as_str().to_string();
    (status, node.spec.taints.iter().any(|taint| taint.key.ends_with("-pressure")))
}

#[test]
fn a_container_above_its_limit_is_killed_and_started_again() {
    let limited = pod("limited", "", "limits: {memory: 128Mi}");
    let session = play(
        &[&limited],
        &["useMemory, pod: limited, memory: 128Mi", "useMemory, pod: limited, memory: 129Mi"],
    );
    assert_eq!(state(&session, "limited"), "Running OOMKilled 137 x1");
    assert!(said(&session, "SystemOOM").is_empty());
    assert_eq!(pressure(&session, "MemoryPressure"), ("False".into(), false));
}

#[test]
fn the_kernel_kills_the_least_protected_where_a_machine_has_no_memory_left() {
    let cases = [
        // Quality of service counts first, then the share of the machine.
        (["", "requests: {memory: 500Mi}"], ["600Mi", "450Mi"], ["Running OOMKilled 137 x1", "Running x0"]),
        (["", ""], ["300Mi", "900Mi"], ["Running x0", "Running OOMKilled 137 x1"]),
        (
            ["limits: {memory: 1000Mi, cpu: 100m}", "requests: {memory: 20Mi}"],
            ["800Mi", "300Mi"],
            ["Running x0", "Running OOMKilled 137 x1"],
        ),
    ];
    for (resources, memory, expected) in cases {
        let pods = [pod("a", "", resources[0]), pod("b", "", resources[1])];
        let use_of = |name: &str, memory: &str| format!("useMemory, pod: {name}, memory: {memory}");
        let actions = [use_of("a", memory[0]), use_of("b", memory[1])];
        let session = play(&[&pods[0], &pods[1]], &[&actions[0], &actions[1]]);
        assert_eq!([state(&session, "a"), state(&session, "b")], expected, "{resources:?} {memory:?}");
        assert_eq!(said(&session, "SystemOOM").len(), 1);
    }
}

#[test]
fn the_kubelet_evicts_who_uses_most_above_what_was_asked_for() {
    let cases = [
        // Above the request comes before below it, the less important before the more important, then the amount.
        (["requests: {memory: 600Mi}", ""], ["550Mi", "400Mi"], "", "b"),
        (["", ""], ["550Mi", "400Mi"], "", "a"),
        (["", ""], ["550Mi", "400Mi"], "priorityClassName: high, ", "b"),
        (["requests: {memory: 300Mi}", ""], ["550Mi", "400Mi"], "", "b"),
    ];
    for (resources, memory, of_first, expected) in cases {
        let pods = [pod("a", of_first, resources[0]), pod("b", "", resources[1])];
        let use_of = |name: &str, memory: &str| format!("useMemory, pod: {name}, memory: {memory}");
        let actions = [use_of("a", memory[0]), use_of("b", memory[1])];
        let session = play(&[&pods[0], &pods[1]], &[&actions[0], &actions[1]]);
        let evicted: Vec<&str> = ["a", "b"]
            .into_iter()
            .filter(|name| state(&session, name).starts_with("Failed Evicted"))
            .collect();
        assert_eq!(evicted, [expected], "{resources:?} {memory:?}");
        let texts = said(&session, "Evicted");
        let amount = if expected == "a" { memory[0] } else { memory[1] };
        let end = format!("Container c was using {amount}, request is 0, has larger consumption of memory. ");
        assert!(texts.len() == 1 && texts[0].ends_with(&end), "{texts:?}");
        assert_eq!(said(&session, "NodeHasInsufficientMemory").len(), 1);
    }
}

#[test]
fn a_full_disk_empties_a_node_and_what_has_no_owner_stays_dead() {
    let set = "metadata: {name: web, namespace: default}, spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: \
               {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}}";
    let text = format!(
        "cluster: {{nodes: 2}}\nuntil: 5m\nmanifests:\n- {{apiVersion: v1, kind: Pod, {}}}\n- {{apiVersion: apps/v1, kind: Deployment, \
         {set}}}\nactions:\n- {{at: 20s, do: setDiskFull, node: node-01}}\n- {{at: 60s, do: setDiskFull, node: node-01, full: false}}\n",
        pod("loner", "", "")
    );
    let mut session = Session::read(&text, 1).expect("a good scenario");
    session.advance(50 * SECOND, &mut || true);
    assert_eq!(pressure(&session, "DiskPressure"), ("True".into(), true));
    assert_eq!(state(&session, "loner"), "Failed Evicted x0");
    let on_first = |session: &Session| {
        let pods = session.sim().store().pods_on("node-01");
        pods.filter(|pod| !pod.status.phase.is_finished()).count()
    };
    assert_eq!(on_first(&session), 0);
    let ready = |session: &Session| {
        session.sim().store().list::<Pod>().filter(|pod| setpoint_control::pod::is_ready(pod)).count()
    };
    assert_eq!(ready(&session), 3, "the Deployment is whole again, on the other node");
    session.advance(90 * SECOND, &mut || true);
    assert_eq!(pressure(&session, "DiskPressure"), ("False".into(), false));
    assert_eq!(said(&session, "NodeHasNoDiskPressure").len(), 1);
    assert_eq!(state(&session, "loner"), "Failed Evicted x0");
}
