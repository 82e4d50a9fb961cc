//! Where pods go by what they ask for: each case is a pod beside others, and the node that it gets or why it gets none.

use setpoint_api::{Event, Pod};
use setpoint_lab::Session;

/// Three nodes in two zones; on each a pod `there-N` of its own colour, the first of an older version.
const CLUSTER: &str = r#"
cluster:
  nodes:
  - {name: a1, cpu: 4, memory: 8Gi, labels: {topology.kubernetes.io/zone: a}}
  - {name: a2, cpu: 4, memory: 8Gi, labels: {topology.kubernetes.io/zone: a}}
  - {name: b1, cpu: 4, memory: 8Gi, labels: {topology.kubernetes.io/zone: b}}
until: 1m
manifests:
- {apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {team: red}}}
- {apiVersion: v1, kind: Pod, metadata: {name: there-1, labels: {app: web, v: "1"}}, spec: {nodeName: a1, containers: [{name: c, image: nginx}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: there-2, labels: {app: db, v: "2"}}, spec: {nodeName: a2, containers: [{name: c, image: nginx}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: there-3, namespace: team, labels: {app: web, v: "2"}}, spec: {nodeName: b1, containers: [{name: c, image: nginx}]}}
- {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: now}, provisioner: disk.csi.setpoint.dev, volumeBindingMode: Immediate}
- {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: in-b}, provisioner: disk.csi.setpoint.dev, volumeBindingMode: WaitForFirstConsumer, allowedTopologies: [{matchLabelExpressions: [{key: topology.kubernetes.io/zone, values: [b]}]}]}
- {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: local}, provisioner: kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}
- {apiVersion: v1, kind: PersistentVolume, metadata: {name: disk-a2}, spec: {capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], storageClassName: local, local: {path: /mnt}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [a2]}]}]}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: in-b}, spec: {accessModes: [ReadWriteOnce], storageClassName: in-b, resources: {requests: {storage: 1Gi}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: local}, spec: {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: 1Gi}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: large}, spec: {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: 9Gi}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: now}, spec: {accessModes: [ReadWriteOnce], storageClassName: now, resources: {requests: {storage: 1Gi}}}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: alone}, spec: {accessModes: [ReadWriteOncePod], storageClassName: now, resources: {requests: {storage: 1Gi}}}}
- {apiVersion: v1, kind: Pod, metadata: {name: has-it}, spec: {nodeName: a1, containers: [{name: c, image: nginx}], volumes: [{name: v, persistentVolumeClaim: {claimName: alone}}]}}
"#;

/// What became of a pod with this spec: its node, or what the scheduler last said.
fn outcome(labels: &str, spec: &str) -> String {
    let pod = format!(
        "- {{apiVersion: v1, kind: Pod, metadata: {{name: new, labels: {{{labels}}}}}, spec: {{{spec}, containers: [{{name: c, image: nginx}}]}}}}\n"
    );
    let mut session =
        Session::read(&format!("{CLUSTER}{pod}"), 1).unwrap_or_else(|errors| panic!("{spec}: {errors:?}"));
    session.advance(15_000_000, &mut || true);
    let pod = session.sim().store().find::<Pod>("default", "new").expect("it was made");
    if let Some(node) = &pod.spec.node_name {
        return node.to_string();
    }
    let said = session.sim().store().list::<Event>();
    let said = said.filter(|event| {
        &*event.reason == "FailedScheduling" && event.involved_object.name == pod.metadata.name
    });
    let last = said.last().map(|event| event.message.to_string());
    let gated = setpoint_api::condition(&pod.status.conditions, "PodScheduled").map(|c| c.reason.to_string());
    last.or(gated).unwrap_or_default()
}

#[test]
fn pods_go_where_upstream_puts_them() {
    let claim = |name: &str| format!("volumes: [{{name: v, persistentVolumeClaim: {{claimName: {name}}}}}]");
    let affinity = |kind: &str, more: &str| {
        format!(
            "affinity: {{{kind}: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, {more}}}]}}}}"
        )
    };
    let none = |reason: &str| {
        format!(
            "0/3 nodes are available: {reason}. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not \
             helpful for scheduling."
        )
    };
    let both = "labelSelector: {matchLabels: {app: web}}";
    let cases = [
        ("", claim("in-b"), "b1".to_string()),
        ("", claim("local"), "a2".into()),
        ("", claim("large"), none("3 node(s) didn't find available persistent volumes to bind")),
        ("", claim("missing"), none("persistentvolumeclaim \"missing\" not found")),
        ("", claim("alone"), "0/3 nodes are available: 3 node has pod using PersistentVolumeClaim with the same name and \
                              ReadWriteOncePod access mode. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No \
                              preemption victims found for incoming pod.".into()),
        ("", "schedulingGates: [{name: example.com/wait}]".into(), "SchedulingGated".into()),
        // Pods of one's own namespace, of another by name, and by label.
        ("", affinity("podAffinity", both), "a1".into()),
        ("", affinity("podAffinity", &format!("{both}, namespaces: [team]")), "b1".into()),
        ("", affinity("podAffinity", &format!("{both}, namespaceSelector: {{matchLabels: {{team: red}}}}")), "b1".into()),
        // Only pods with the same version, or with another.
        ("v: \"2\"", affinity("podAffinity", "labelSelector: {matchExpressions: [{key: app, operator: Exists}]}, matchLabelKeys: [v]"), "a2".into()),
        ("v: \"2\"", affinity("podAffinity", "labelSelector: {matchExpressions: [{key: app, operator: Exists}]}, mismatchLabelKeys: [v]"), "a1".into()),
    ];
    for (labels, spec, expected) in cases {
        assert_eq!(outcome(labels, &spec), expected, "{spec}");
    }
    // A claim of a class that binds at once is bound when its pod is looked at again.
    assert_ne!(outcome("", &claim("now")).chars().next(), Some('0'));
}
