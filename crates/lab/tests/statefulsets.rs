//! StatefulSets that are very large, that are updated side by side, and pods that only look like theirs.

mod common;

use common::{opened, pass, run, said};
use setpoint_api::{Pod, StatefulSet, condition};
use setpoint_lab::Session;

fn scenario(spec: &str, pod: &str) -> String {
    format!(
        "cluster: {{nodes: 3, images: {{preloaded: true}}}}\nuntil: 10m\nmanifests:\n- {{apiVersion: apps/v1, kind: StatefulSet, \
         metadata: {{name: web}}, spec: {{serviceName: web, selector: {{matchLabels: {{app: web}}}}, {spec}, template: \
         {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: nginx}}]}}}}}}}}\n{pod}"
    )
}

fn pods(session: &Session) -> Vec<String> {
    session.sim().store().list_in::<Pod>("default").map(|pod| pod.metadata.name.to_string()).collect()
}

/// As many pods are made as the client's rate allows, and nothing is counted that is not there.
#[test]
fn two_billion_pods_are_begun() {
    for policy in ["Parallel", "OrderedReady"] {
        let spec =
            format!("replicas: 2147483647, ordinals: {{start: 2147483647}}, podManagementPolicy: {policy}");
        assert_eq!(pods(&opened(&scenario(&spec, ""), 5)), [""; 0], "{policy}: no number is left");
        let spec = format!("replicas: 2147483647, podManagementPolicy: {policy}");
        let mut session = opened(&scenario(&spec, ""), 5);
        let made = pods(&session).len() as i32;
        assert!(if policy == "Parallel" { (50..1000).contains(&made) } else { made < 5 }, "{policy}: {made}");
        let set = session.sim().store().find::<StatefulSet>("default", "web").expect("the set");
        assert!(set.status().replicas <= made && made > 0, "{policy}: {made}");
        let missing = &session.frame().missing[0];
        assert_eq!((missing.count, missing.places.len() < 31), (2_147_483_647 - made, true), "{policy}");
    }
}

/// Upstream's pattern for the names of pods is `(.*)-([0-9]+)$`.
#[test]
fn a_name_with_two_dashes_is_no_place() {
    let pod = "- {apiVersion: v1, kind: Pod, metadata: {name: web--5, namespace: default, labels: {app: web}}, spec: \
               {containers: [{name: c, image: nginx}]}}\n";
    let mut session = opened(&scenario("replicas: 1", pod), 30);
    run(&mut session, "kubectl scale sts web --replicas=0", "");
    pass(&mut session, 60);
    assert_eq!(pods(&session), ["web--5"]);
}

/// The next pod is replaced once the last one has been ready for `minReadySeconds`, whatever the order of starts is.
#[test]
fn an_update_waits_until_a_pod_is_available() {
    for policy in ["Parallel", "OrderedReady"] {
        let spec = format!("replicas: 2, minReadySeconds: 20, podManagementPolicy: {policy}");
        let mut session = opened(&scenario(&spec, ""), 60);
        run(&mut session, "kubectl set image sts/web c=nginx:2", "");
        let image = |session: &Session, name: &str| {
            let pod = session.sim().store().find::<Pod>("default", name)?;
            let is_new = &*pod.spec.containers.first()?.image == "nginx:2";
            let ready = condition(&pod.status.conditions, "Ready")?;
            is_new.then_some((ready.status.as_str() == "True").then_some(ready.last_transition_time?.0)?)
        };
        while image(&session, "web-1").is_none() {
            session.advance(session.now_us() + 100_000, &mut || true);
        }
        let since = image(&session, "web-1").expect("it is ready");
        let is_going = |session: &Session| {
            let pod = session.sim().store().find::<Pod>("default", "web-0");
            pod.is_none_or(|pod| pod.metadata.is_deleting())
        };
        while !is_going(&session) {
            session.advance(session.now_us() + 100_000, &mut || true);
        }
        let waited = (session.now_us() - since) / 1_000_000;
        assert!((20..45).contains(&waited), "{policy}: {waited} s");
    }
}

/// Side by side, a pod whose old claim is still there holds up nobody else.
#[test]
fn a_stale_claim_holds_up_only_its_own_pod() {
    let spec = "replicas: 3, podManagementPolicy: Parallel, persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}, \
                volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: \
                {storage: 1Gi}}}}]";
    let mut session = opened(&scenario(spec, ""), 40);
    let body = r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"web-0","uid":"5c9d7d6c-7a19-4a6f-9e0e-0d6b2b1e2f11"}],"finalizers":["example.com/keep"]}}"#;
    run(&mut session, &format!("kubectl patch pvc data-web-0 --type=merge -p '{body}'"), "");
    run(&mut session, "kubectl delete pod web-0 web-2 --wait=false", "");
    pass(&mut session, 60);
    assert_eq!(pods(&session), ["web-1", "web-2"]);
    assert_eq!(said(&session, "FailedCreate"), [""; 0]);
}
