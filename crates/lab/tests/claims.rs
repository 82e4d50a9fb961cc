//! Pods of a StatefulSet have claims of their own, which are bound and outlive them.

use setpoint_api::{PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet};
use setpoint_lab::Session;
use setpoint_sim::{Method, PatchType, Request};

const SCENARIO: &str = r#"
name: claims
cluster: {nodes: 3}
until: 2m
manifests:
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: db}
  spec:
    replicas: 2
    serviceName: db
    selector: {matchLabels: {app: db}}
    persistentVolumeClaimRetentionPolicy: {whenScaled: WHEN}
    template:
      metadata: {labels: {app: db}}
      spec: {containers: [{name: db, image: "postgres:16"}]}
    volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"#;

fn claims(session: &Session) -> Vec<String> {
    let claims = session.sim().store().list::<PersistentVolumeClaim>();
    claims.map(|claim| format!("{} {}", claim.metadata.name, claim.status().phase)).collect()
}

#[test]
fn claims_are_bound_and_stay_unless_told_otherwise() {
    for (policy, left) in [("Retain", 2), ("Delete", 1)] {
        let mut session = Session::read(&SCENARIO.replace("WHEN", policy), 1).expect("a scenario");
        session.advance(30_000_000, &mut || true);
        assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"], "{policy}");
        assert_eq!(session.sim().store().list::<PersistentVolume>().count(), 2);
        let pod = session.sim().store().find::<Pod>("default", "db-1").expect("the second pod").clone();
        let volumes: serde_json::Value = setpoint_api::wire::kept(&pod.spec.rest, "volumes");
        assert_eq!(volumes[0]["persistentVolumeClaim"]["claimName"], "data-db-1");
        let scale = Request {
            method: Method::Patch,
            api_version: "apps/v1".into(),
            kind: "StatefulSet".into(),
            namespace: "default".into(),
            name: "db".into(),
            patch_type: PatchType::Merge,
            body: serde_json::json!({ "spec": { "replicas": 1 } }),
            ..Request::default()
        };
        session.request(scale).expect("a StatefulSet can be scaled");
        session.advance(60_000_000, &mut || true);
        assert_eq!(session.sim().store().list::<Pod>().count(), 1);
        assert_eq!(claims(&session).len(), left, "{policy}");
        assert_eq!(session.sim().store().list::<PersistentVolume>().count(), left, "{policy}");
        let set = session.sim().store().find::<StatefulSet>("default", "db").expect("the set").status();
        assert_eq!((set.replicas, set.ready_replicas), (1, 1));
    }
}
