//! Pods of a StatefulSet have claims of their own, which are bound and outlive them.

mod common;

use common::{opened, pass, run, said};
use setpoint_api::{PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet, VolumeAttachment};
use setpoint_lab::Session;
use setpoint_sim::{Action, Method, PatchType, Request};

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

/// What stands on the nodes: where the volume is attached, and where it is used.
fn attachments(session: &Session) -> Vec<String> {
    let of = |it: &std::rc::Rc<VolumeAttachment>| {
        let part = |key: &str| setpoint_api::wire::kept::<serde_json::Value>(&it.rest, key);
        format!("{} {}", part("spec")["nodeName"], part("status")["attached"])
    };
    session.sim().store().list::<VolumeAttachment>().map(of).collect()
}

fn exec(session: &mut Session, pod: &str, script: &str) -> String {
    run(session, &format!("kubectl exec {pod} -- sh -c '{script}'"), "")
}

/// A pod that moves takes its volume and what was written to it along; another node gets the volume once the first has let go.
#[test]
fn a_volume_follows_its_pod() {
    let text = SCENARIO.replace("WHEN", "Retain").replace(
        r#"{name: db, image: "postgres:16"}"#,
        r#"{name: db, image: "postgres:16", command: [sh, -c, "hostname >> /data/starts; sleep infinity"], volumeMounts: [{name: data, mountPath: /data}]}"#,
    );
    let second = 1_000_000;
    for fault in ["moved", "dead", "out of service"] {
        let mut session = Session::read(&text, 1).expect("a scenario");
        session.advance(20 * second, &mut || true);
        let node =
            session.sim().store().find::<Pod>("default", "db-0").and_then(|pod| pod.spec.node_name.clone());
        let node = node.expect("it is placed").to_string();
        assert_eq!(
            exec(&mut session, "db-0", "echo kept > /data/word; echo lost > /tmp/word; cat /tmp/word"),
            "lost\n"
        );
        if fault == "moved" {
            session.act(Action::SetCordoned { node: node.clone(), cordoned: true });
            session.act(Action::DeletePod {
                namespace: "default".into(),
                pod: "db-0".into(),
                grace_seconds: None,
            });
        } else {
            session.act(Action::KillMachine { node: node.clone() });
            session.advance(30 * second, &mut || true);
            // A StatefulSet does not replace a pod that may still run.
            assert!(
                session
                    .sim()
                    .store()
                    .find::<Pod>("default", "db-0")
                    .expect("it is there")
                    .metadata
                    .is_deleting()
            );
            if fault == "dead" {
                session.act(Action::DeletePod {
                    namespace: "default".into(),
                    pod: "db-0".into(),
                    grace_seconds: Some(0),
                });
            } else {
                run(
                    &mut session,
                    &format!(
                        "kubectl taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
                    ),
                    "",
                );
            }
            session.advance(42 * second, &mut || true);
        }
        session.advance(session.now_us() + 8 * second, &mut || true);
        let waits = &said(&session, "FailedAttachVolume");
        assert_eq!(waits.len(), 1, "{fault}: {waits:?}");
        // A node that is silent but not known to be gone keeps the volume for long.
        let pod = session.sim().store().find::<Pod>("default", "db-0").expect("it is back");
        assert_eq!(setpoint_control::pod::is_ready(pod), fault != "dead", "{fault}");
        assert!(waits.iter().all(|text| text.ends_with(
            "Volume is already exclusively attached to one node and can't be attached to another"
        )));
        session.advance(session.now_us() + 40 * second, &mut || true);
        let pod = session.sim().store().find::<Pod>("default", "db-0").expect("it is back").clone();
        assert!(
            setpoint_control::pod::is_ready(&pod) && pod.spec.node_name.as_deref() != Some(&node),
            "{fault}"
        );
        assert_eq!(attachments(&session).len(), 2, "{fault}: {:?}", attachments(&session));
        let found = exec(&mut session, "db-0", "cat /data/starts /data/word; cat /tmp/word");
        assert!(found.starts_with("db-0\ndb-0\nkept\ncat: can't open '/tmp/word'"), "{fault}: {found}");
    }
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

/// A claim that is deleted while its pod runs stays until the pod is gone, and its volume as long.
#[test]
fn what_is_in_use_stays() {
    let mut session = Session::read(&SCENARIO.replace("WHEN", "Retain"), 1).expect("a scenario");
    session.advance(30_000_000, &mut || true);
    run(&mut session, "kubectl delete pvc data-db-1 --wait=false", "");
    session.advance(40_000_000, &mut || true);
    let found = run(&mut session, "kubectl get pvc data-db-1 --no-headers", "");
    assert!(found.contains("Terminating"), "{found}");
    assert_eq!(session.sim().store().list::<PersistentVolume>().count(), 2);
    run(&mut session, "kubectl scale sts db --replicas=1", "");
    session.advance(90_000_000, &mut || true);
    assert_eq!(claims(&session), ["data-db-0 Bound"]);
    assert_eq!(session.sim().store().list::<PersistentVolume>().count(), 1);
}

/// A claim that is being deleted is in the way of a pod; its set says so, unless the claim goes with the pod before.
#[test]
fn a_claim_that_is_being_deleted_is_in_the_way() {
    let error = "Create Pod db-1 in StatefulSet db failed error: pvc data-db-1 is being deleted";
    for (policy, wanted) in [("Retain", &[error][..]), ("Delete", &[])] {
        let mut session = Session::read(&SCENARIO.replace("WHEN", policy), 1).expect("a scenario");
        session.advance(30_000_000, &mut || true);
        // What would remove the claim is held up, and its owner is a pod db-1 that is gone.
        let body = r#"{"metadata":{"finalizers":["example.com/keep"],"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"db-1","uid":"5c9d7d6c-7a19-4a6f-9e0e-0d6b2b1e2f11"}]}}"#;
        run(&mut session, &format!("kubectl patch pvc data-db-1 --type=merge -p '{body}'"), "");
        run(&mut session, "kubectl delete pod db-1 --wait=false", "");
        session.advance(80_000_000, &mut || true);
        let claim = run(&mut session, "kubectl get pvc data-db-1 --no-headers", "");
        assert!(claim.contains("Terminating"), "{policy}: {claim}");
        assert!(session.sim().store().find::<Pod>("default", "db-1").is_none(), "{policy}");
        assert_eq!(said(&session, "FailedCreate"), wanted, "{policy}");
        let body = r#"{"metadata":{"finalizers":null}}"#;
        run(&mut session, &format!("kubectl patch pvc data-db-1 --type=merge -p '{body}'"), "");
        session.advance(170_000_000, &mut || true);
        assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"], "{policy}");
        let pod = session.sim().store().find::<Pod>("default", "db-1").expect("it is back");
        assert!(setpoint_control::pod::is_ready(pod), "{policy}");
    }
}

/// Runs until the scheduler has chosen a node for the first pod and waits for the pod's volume.
fn until_chosen(session: &mut Session) {
    let is_chosen = |session: &Session| {
        let claim = session.sim().store().find::<PersistentVolumeClaim>("default", "data-db-0");
        claim.is_some_and(|claim| {
            claim.metadata.annotations.contains_key("volume.kubernetes.io/selected-node")
        })
    };
    while !is_chosen(session) {
        session.advance(session.now_us() + 1_000, &mut || true);
    }
}

/// A claim that is deleted while its volume is made, and made anew: the scheduler gives its binding up and tries once more.
#[test]
fn a_pod_whose_claim_is_made_anew_is_scheduled_again() {
    let mut session = Session::read(&SCENARIO.replace("WHEN", "Retain"), 1).expect("a scenario");
    until_chosen(&mut session);
    assert_eq!(claims(&session), ["data-db-0 Pending"]);
    run(&mut session, "kubectl delete pvc data-db-0 --wait=false", "");
    session.advance(session.now_us() + 40_000_000, &mut || true);
    let refusals = said(&session, "FailedScheduling");
    let binding = r#"running PreBind plugin "VolumeBinding": binding volumes: "#;
    assert!(refusals.iter().any(|text| text.starts_with(binding)), "{refusals:?}");
    assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"]);
    let pod = session.sim().store().find::<Pod>("default", "db-0").expect("it is there");
    assert!(setpoint_control::pod::is_ready(pod));
}

/// Nobody makes the volume: after ten minutes the scheduler gives the node up, says why, and begins again.
#[test]
fn a_pod_does_not_wait_for_its_volumes_for_ever() {
    let mut session = Session::read(&SCENARIO.replace("WHEN", "Retain"), 1).expect("a scenario");
    until_chosen(&mut session);
    session.act(Action::SetComponent { component: "persistentvolume-binder".into(), up: false });
    let error = r#"running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded"#;
    for (seconds, wanted) in [(595, &[][..]), (610, &[error])] {
        session.advance(seconds * 1_000_000, &mut || true);
        assert_eq!(said(&session, "FailedScheduling"), wanted, "after {seconds} s");
    }
    session.act(Action::SetComponent { component: "persistentvolume-binder".into(), up: true });
    session.advance(700_000_000, &mut || true);
    assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"]);
}

/// Volumes made by hand, and claims of no class.
fn by_hand(volumes: &[&str], claims: &[&str]) -> Session {
    let volume = |it: &&str| {
        let (name, more) = it.split_once(": ").expect("a name and a spec");
        format!(
            "- {{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {name}, labels: {{disk: {name}}}}}, spec: {{accessModes: \
             [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain, {more}, csi: {{driver: d, volumeHandle: {name}}}}}}}\n"
        )
    };
    let claim = |it: &&str| {
        let (name, more) = it.split_once(": ").expect("a name and a spec");
        format!(
            "- {{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}, namespace: default}}, spec: \
             {{accessModes: [ReadWriteOnce], storageClassName: \"\", resources: {{requests: {{storage: 1Gi}}}}, {more}}}}}\n"
        )
    };
    let all: String = volumes.iter().map(volume).chain(claims.iter().map(claim)).collect();
    opened(&format!("cluster: {{nodes: 1}}\nuntil: 2m\nmanifests:\n{all}"), 10)
}

/// Which volume each claim has, with its phase.
fn found(session: &Session) -> Vec<String> {
    let claims = session.sim().store().list::<PersistentVolumeClaim>();
    claims.map(|claim| format!("{} {}", claim.status().phase, claim.spec().volume_name)).collect()
}

#[test]
fn a_claim_takes_what_is_kept_for_it_or_the_smallest_that_it_selects() {
    let volumes = [
        "large: capacity: {storage: 9Gi}",
        "small: capacity: {storage: 1Gi}",
        "kept: capacity: {storage: 5Gi}, claimRef: {namespace: default, name: data}",
    ];
    for (claim, expected) in [
        ("data: volumeMode: Filesystem", "Bound kept"),
        ("other: volumeMode: Filesystem", "Bound small"),
        ("other: selector: {matchLabels: {disk: large}}", "Bound large"),
        ("other: selector: {matchLabels: {disk: none}}", "Pending "),
        ("other: volumeName: large", "Bound large"),
    ] {
        assert_eq!(found(&by_hand(&volumes, &[claim])), [expected], "{claim}");
    }
    // Who bound them is written where it was not a person.
    let mut session = by_hand(&volumes, &["data: volumeMode: Filesystem", "other: volumeName: large"]);
    let mut bound = |what: &str| {
        let line = format!("kubectl get {what} -o jsonpath='{{.metadata.annotations}}'");
        run(&mut session, &line, "").contains("bound-by-controller")
    };
    assert_eq!((bound("pv/kept"), bound("pvc/data")), (false, true));
    assert_eq!((bound("pv/large"), bound("pvc/other")), (true, false));
}

/// A driver makes what a claim asks for, but nothing for one that selects.
#[test]
fn a_volume_is_made_as_it_is_asked_for() {
    let claim = |more: &str| {
        format!(
            "cluster: {{nodes: 1}}\nuntil: 2m\nmanifests:\n- {{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: \
             {{name: fast}}, provisioner: disk.csi.setpoint.dev}}\n- {{apiVersion: v1, kind: PersistentVolumeClaim, metadata: \
             {{name: a}}, spec: {{accessModes: [ReadWriteOnce], storageClassName: fast, resources: {{requests: {{storage: \
             1Gi}}}}, {more}}}}}\n"
        )
    };
    for (more, phase, mode) in [
        ("volumeMode: Filesystem", "Bound", "Filesystem ext4"),
        ("volumeMode: Block", "Bound", "Block "),
        ("selector: {}", "Pending", " "),
    ] {
        let mut session = opened(&claim(more), 60);
        let made = "kubectl get pv -o jsonpath='{.items[*].spec.volumeMode} {.items[*].spec.csi.fsType}'";
        let found = run(&mut session, made, "");
        assert_eq!((&*claims(&session)[0], &*found), (&*format!("a {phase}"), mode));
        let why = "failed to provision volume with StorageClass \"fast\": claim Selector is not supported";
        let failed = said(&session, "ProvisioningFailed");
        assert!(
            failed.iter().all(|text| text == why) && failed.is_empty() == (phase == "Bound"),
            "{failed:?}"
        );
    }
}

#[test]
fn a_claim_waits_for_the_volume_that_it_names() {
    let volumes = ["small: capacity: {storage: 512Mi}", "taken: capacity: {storage: 1Gi}"];
    let pick = |name: &str| format!("mine: volumeName: {name}");
    let session = by_hand(&volumes, &[&pick("nowhere")]);
    assert_eq!((found(&session), said(&session, "FailedBinding").len()), (vec!["Pending nowhere".into()], 0));
    let session = by_hand(&volumes, &[&pick("small")]);
    let text = "Cannot bind to requested volume \"small\": requested PV is too small";
    assert_eq!(
        (found(&session), said(&session, "VolumeMismatch")),
        (vec!["Pending small".into()], vec![text.into()])
    );
    let session = by_hand(&volumes, &["first: volumeName: taken", &pick("taken")]);
    let text = "volume \"taken\" already bound to a different claim.";
    assert_eq!(found(&session), ["Bound taken", "Pending taken"]);
    assert_eq!(said(&session, "FailedBinding"), [text]);
}

#[test]
fn a_claim_whose_volume_is_gone_is_lost() {
    let mut session = by_hand(&["disk: capacity: {storage: 1Gi}"], &["data: volumeMode: Filesystem"]);
    assert_eq!(found(&session), ["Bound disk"]);
    run(&mut session, r#"kubectl patch pv disk -p '{"metadata":{"finalizers":null}}'"#, "");
    run(&mut session, "kubectl delete pv disk", "");
    pass(&mut session, 5);
    assert_eq!(found(&session), ["Lost disk"]);
    let text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    assert_eq!(said(&session, "ClaimLost"), [text]);
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}], volumes: \
               [{name: v, persistentVolumeClaim: {claimName: data}}]}}";
    run(&mut session, "kubectl apply -f -", pod);
    pass(&mut session, 5);
    let told = said(&session, "FailedScheduling").join("");
    assert!(
        told.contains("persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"disk\""),
        "{told}"
    );
}

/// The binder stops when the volume is made and the claim does not know of it: it goes on where it was.
#[test]
fn a_binder_that_starts_again_finishes_what_it_had_begun() {
    let mut session = Session::read(&SCENARIO.replace("WHEN", "Retain"), 1).expect("a scenario");
    while session.sim().store().list::<PersistentVolume>().next().is_none() {
        session.advance(session.now_us() + 1_000, &mut || true);
    }
    assert_eq!(claims(&session), ["data-db-0 Pending"]);
    session.act(Action::SetComponent { component: "persistentvolume-binder".into(), up: false });
    pass(&mut session, 5);
    assert_eq!(claims(&session), ["data-db-0 Pending"]);
    session.act(Action::SetComponent { component: "persistentvolume-binder".into(), up: true });
    pass(&mut session, 30);
    assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"]);
    assert_eq!(session.sim().store().list::<PersistentVolume>().count(), 2);
}

/// The node that was chosen for a pod is deleted while the pod's volume is made: both are begun anew elsewhere.
#[test]
fn a_node_that_goes_while_a_volume_is_made_is_chosen_no_more() {
    let mut session = Session::read(&SCENARIO.replace("WHEN", "Retain"), 1).expect("a scenario");
    until_chosen(&mut session);
    let path = "{.metadata.annotations.volume\\.kubernetes\\.io/selected-node}";
    let node = run(&mut session, &format!("kubectl get pvc data-db-0 -o jsonpath='{path}'"), "");
    session.act(Action::KillMachine { node: node.clone() });
    run(&mut session, &format!("kubectl delete node {node} --wait=false"), "");
    session.advance(session.now_us() + 40_000_000, &mut || true);
    let why = format!("binding volumes: failed to get node \"{node}\": node \"{node}\" not found");
    let refusals = said(&session, "FailedScheduling");
    assert!(refusals.iter().any(|text| text.ends_with(&why)), "{refusals:?}");
    assert_eq!(claims(&session), ["data-db-0 Bound", "data-db-1 Bound"]);
    let pod = session.sim().store().find::<Pod>("default", "db-0").expect("it is there");
    assert!(setpoint_control::pod::is_ready(pod));
    assert_ne!(pod.spec.node_name.as_deref(), Some(&*node));
}
