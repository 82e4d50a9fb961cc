//! ReplicationControllers keep their pods, as ReplicaSets do.

use setpoint_api::{Object, Pod, ReplicationController};
use setpoint_lab::Session;
use setpoint_sim::Action;

const SCENARIO: &str = r#"
name: controller
cluster: {nodes: 2}
until: 2m
manifests:
- apiVersion: v1
  kind: ReplicationController
  metadata: {name: web}
  spec:
    replicas: 2
    selector: {app: web}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: "web:1.0"}]}
"#;

#[test]
fn a_pod_that_is_deleted_is_replaced() {
    let mut session = Session::read(SCENARIO, 1).expect("a scenario");
    session.advance(20_000_000, &mut || true);
    let pods = |session: &Session| -> Vec<String> {
        session.sim().store().list::<Pod>().map(|pod| pod.metadata.name.to_string()).collect()
    };
    let before = pods(&session);
    assert_eq!(before.len(), 2);
    session.act(Action::DeletePod {
        namespace: "default".into(),
        pod: before[0].clone(),
        grace_seconds: None,
    });
    session.advance(60_000_000, &mut || true);
    let after = pods(&session);
    assert!(after.len() == 2 && after.contains(&before[1]) && !after.contains(&before[0]), "{after:?}");
    let controller =
        session.sim().store().find::<ReplicationController>("default", "web").expect("it").clone();
    let status = Object::ReplicationController(controller).to_value()["status"].clone();
    assert_eq!((&status["replicas"], &status["readyReplicas"]), (&2.into(), &2.into()));
    assert!(status.get("terminatingReplicas").is_none(), "{status}");
    let owner = session.sim().store().list::<Pod>().next().expect("a pod").metadata.controller().cloned();
    assert_eq!(&*owner.expect("an owner").kind, "ReplicationController");
}
