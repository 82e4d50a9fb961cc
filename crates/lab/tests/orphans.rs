//! What `--cascade=orphan` leaves behind is taken up again, and what must end ends.

mod common;

use common::{pass, run};
use setpoint_api::{ControllerRevision, Job, Namespace, Pod};
use setpoint_lab::Session;

const SCENARIO: &str = r#"
name: orphans
cluster: {nodes: 2, images: {preloaded: true}}
until: 5m
manifests:
- apiVersion: apps/v1
  kind: DaemonSet
  metadata: {name: agent}
  spec:
    selector: {matchLabels: {app: agent}}
    template:
      metadata: {labels: {app: agent}}
      spec: {containers: [{name: main, image: "agent:v1"}]}
- apiVersion: batch/v1
  kind: Job
  metadata: {name: work}
  spec:
    template:
      spec: {restartPolicy: Never, containers: [{name: main, image: "busybox:1", command: [sh, -c, "sleep 40"]}]}
- apiVersion: v1
  kind: ResourceQuota
  metadata: {name: few}
  spec: {hard: {pods: 10}}
"#;

const AGENT: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, \
    template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: main, image: \"agent:v1\"}]}}}}";

fn names(session: &Session, label: &str) -> Vec<String> {
    let pods = session.sim().store().list_in::<Pod>("default");
    pods.filter(|pod| pod.metadata.label("app") == Some(label))
        .map(|pod| pod.metadata.name.to_string())
        .collect()
}

#[test]
fn a_daemon_set_takes_up_the_pods_and_the_history_of_a_former_one() {
    let mut session = common::opened(SCENARIO, 20);
    let before = names(&session, "agent");
    assert_eq!(before.len(), 2);
    run(&mut session, "kubectl delete ds agent --cascade=orphan", "");
    pass(&mut session, 5);
    assert_eq!(names(&session, "agent"), before);
    run(&mut session, "kubectl apply -f -", AGENT);
    pass(&mut session, 10);
    assert_eq!(names(&session, "agent"), before);
    let store = session.sim().store();
    assert!(store.list_in::<Pod>("default").all(|pod| pod.metadata.controller().is_some()));
    let revisions: Vec<_> = store.list::<ControllerRevision>().collect();
    assert_eq!(revisions.len(), 1);
    assert!(revisions[0].metadata.controller().is_some());
    let listed = run(&mut session, "kubectl get ds agent --no-headers", "");
    assert!(listed.starts_with("agent   2     2     2     2     2"), "{listed}");
}

#[test]
fn a_pod_that_its_job_has_let_go_of_can_end() {
    let mut session = common::opened(SCENARIO, 20);
    run(&mut session, "kubectl delete job work --cascade=orphan", "");
    pass(&mut session, 60);
    let store = session.sim().store();
    assert_eq!(store.list::<Job>().count(), 0);
    let pod =
        store.list_in::<Pod>("default").find(|pod| pod.metadata.name.starts_with("work-")).expect("it stays");
    assert!(pod.metadata.controller().is_none());
    assert!(pod.metadata.finalizers.is_empty(), "{:?}", pod.metadata.finalizers);
}

#[test]
fn a_deletion_in_the_foreground_ends_for_every_kind() {
    let mut session = common::opened(SCENARIO, 20);
    let told = run(&mut session, "kubectl delete quota few --cascade=foreground --wait=false", "");
    assert_eq!(told, "resourcequota \"few\" deleted from default namespace\n");
    pass(&mut session, 5);
    let found = run(&mut session, "kubectl get quota", "");
    assert_eq!(found, "No resources found in default namespace.\n");
}

#[test]
fn a_namespace_that_is_applied_again_still_takes_its_contents_along() {
    let mut session = common::opened(SCENARIO, 20);
    const PLACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: aside}}";
    for manifest in
        [PLACE.to_string(), AGENT.replace("name: agent}, spec", "name: agent, namespace: aside}, spec")]
    {
        run(&mut session, "kubectl apply -f -", &manifest);
    }
    pass(&mut session, 5);
    run(&mut session, "kubectl replace -f -", PLACE);
    run(&mut session, "kubectl delete ns aside --wait=false", "");
    assert!(session.sim().store().find::<Namespace>("", "aside").is_some(), "it goes after its contents");
    pass(&mut session, 60);
    let left = session.sim().store().objects().filter(|object| &*object.metadata().namespace == "aside");
    assert_eq!(
        left.map(|object| object.metadata().name.to_string()).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}
