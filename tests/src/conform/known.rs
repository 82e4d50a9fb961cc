//! Differences between recordings and runs that are known, with their reasons.

/// A kind of difference.
pub struct Known {
    /// Beginning of the recordings' names.
    pub recording: &'static str,
    /// Part of the topic and name of what is compared: `events: events pod web`.
    pub part: &'static str,
    /// Part of the difference.
    pub what: &'static str,
    /// Why it is so.
    pub why: &'static str,
}

const fn known(recording: &'static str, part: &'static str, what: &'static str, why: &'static str) -> Known {
    Known { recording, part, what, why }
}

const FAKE_END: &str =
    "The recordings' kubelets are fake: they let a pod whose containers never ran go without a last status";
const DRAWN: &str = "Which of several equal nodes or pods is taken is drawn";
const FAKE_STATUS: &str =
    "The recordings' kubelets are fake: they leave fields of a pod's status out that upstream's fills in";
const TWICE: &str = "The recordings' kubelets are fake: one that came back told twice how it started a pod";
const SLOW: &str =
    "The recorded machine was slow when this recording began: containers took a second longer to start";
const PHASES: &str = "How the periodic looks of the node lifecycle controller stand to what happens is drawn";
const RACE: &str = "Two controllers work on the same at the same moment; which of them comes first is drawn";
const SIDE_BY_SIDE: &str = "On the recorded machine a request took from 5 to 200 ms, as other work had it: how many of several \
                            pods that become ready one by one a Deployment's controller finds when it looks differs from \
                            run to run, and with it its steps, its status writes and what watchers print of them";
const HASHES: &str = "ReplicaSets are listed by name, and the names have a hash over Go's memory layout, which is not made here";
const FAKE_RESTART: &str = "The recordings' kubelets are fake: a container that failed for the first time starts again after a second";
const FAKE_ID: &str =
    "The recordings' kubelets are fake: a container that waits to be restarted has no identity";
const FAKE_STOP: &str =
    "The recordings' kubelets are fake: a container that is told to stop no longer ends by itself before";

const ORDER: &str = "Deletions that are sent side by side arrive in no order, and of pods that are equally good any goes: which \
                     pod goes when is drawn";
const LOOKS: &str = "Some hundredths of a second decide which of several changes the scheduler has seen when it looks at a \
                     pod again, and a pod's condition when it looks once more";
const MISSING: &str =
    "Which of several pods without a request is named is drawn each time; here it is always the same";
const STRUCTS: &str =
    "That a pod cannot be changed so is told with a comparison of Go's structs, which is not made here";

const OLDER: &str = "What older recordings had left in the cluster";

/// All that are known; the first that fits counts.
pub const KNOWN: &[Known] = &[
    known("", "kubectl explain", "", "`kubectl explain` has no descriptions of fields"),
    known(
        "",
        "kubectl: kubectl top",
        "",
        "What the fake metrics server of the recordings said of memory and nodes is its own",
    ),
    known("j-many", "", "waiting:ContainerCreating restarts=0 deleting grace=0", FAKE_END),
    known("", "", "last-change-trigger-time", "Endpoint slices do not note what triggered their last change"),
    known(
        "",
        "",
        "rpc error: code = NotFound",
        "How a container runtime words a missing image differs from version to version",
    ),
    known(
        "",
        "",
        "Failed to pull image",
        "How a container runtime words a missing image differs from version to version",
    ),
    known("g-all-dead", "events: events pod", " x2 kubelet: ", TWICE),
    known("g-all-dead", "kubectl: kubectl get nodes -o jsonpath", "", PHASES),
    known("g-node-death", "nodes: node worker-2", "is ", PHASES),
    known("g-node-death-default", "events: events pod web-rs1-pod", "Normal Pulled x1", SLOW),
    known("g-node-death-default", "kubectl: kubectl get pods -o wide", "worker-", SLOW),
    known("g-node-death-default", "kubectl: kubectl get deploy,rs", "web", SLOW),
    known("g-partial", "nodes: node worker-", "is ", DRAWN),
    known("g-partial", "kubectl: kubectl get nodes -o jsonpath", "", DRAWN),
    known("g-partial", "workloads: ", "ready=6", DRAWN),
    known("g-partial", "endpoints: endpoints web", "ready=6", DRAWN),
    known("h-", "pods: pod agent-pod", "", RACE),
    known("h-", "kubectl: kubectl get pods -o wide -w", "not recorded: ", RACE),
    known("h-", "kubectl: kubectl drain", "evict", DRAWN),
    known("m-", "events: events pod agent-pod", "Normal Killing x1", DRAWN),
    known("m-", "pods: pod agent-pod", "is ", DRAWN),
    known("m-", "kubectl: kubectl get pods -o wide -w", "is ", DRAWN),
    known("m-", "kubectl: kubectl get ds -w", "current=3 ready=3 up-to-date=3", RACE),
    known("m-", "kubectl: kubectl rollout status ds/agent", "3 out of 4", RACE),
    known("m-", "kubectl: kubectl rollout status ds/agent", "spec update to be observed", RACE),
    known("", "kubectl: kubectl get pod", "observedGeneration: 1", FAKE_STATUS),
    known("", "kubectl: kubectl get pod", "hostIPs:", FAKE_STATUS),
    known("", "kubectl: kubectl get pod", "- ip: ADDRESS", FAKE_STATUS),
    known(
        "",
        "endpointslices",
        "annotations:",
        "Endpoint slices do not note what triggered their last change",
    ),
    known("g-partial", "kubectl: kubectl get pods -o wide", "SET", DRAWN),
    known("", "kubectl", "Successfully assigned", DRAWN),
    known("c-", "workloads: deployment web", "generation=", SIDE_BY_SIDE),
    known("c-", "workloads: replicaset web", "behind=", SIDE_BY_SIDE),
    known("d-", "workloads: deployment web", "generation=", SIDE_BY_SIDE),
    known("d-", "workloads: replicaset web", "behind=", SIDE_BY_SIDE),
    known("q-", "workloads: deployment web", "generation=", SIDE_BY_SIDE),
    known("q-", "workloads: replicaset web", "behind=", SIDE_BY_SIDE),
    known("c-rolling-3", "conditions: conditions deployment", "Progressing=True:", SIDE_BY_SIDE),
    known("q-", "conditions: conditions deployment", "Progressing=True:", SIDE_BY_SIDE),
    known("d-", "workloads: sizes web", "web-rs", SIDE_BY_SIDE),
    known("d-", "events: events deployment web", "ScalingReplicaSet", SIDE_BY_SIDE),
    known("d-scale", "kubectl: kubectl describe deploy", "ScalingReplicaSet", SIDE_BY_SIDE),
    known("d-scale", "events: events pod web-rs2-pod", "off its time", SIDE_BY_SIDE),
    known("d-scale", "pods: pod web-rs2-pod", "off its time", SIDE_BY_SIDE),
    known("k-statefulset", "kubectl: kubectl rollout status", "spec update to be observed", SIDE_BY_SIDE),
    known("c-", "kubectl: kubectl rollout status", "Waiting for deployment", SIDE_BY_SIDE),
    known("d-", "kubectl: kubectl rollout status", "Waiting for deployment", SIDE_BY_SIDE),
    known("a-", "kubectl: kubectl get deploy", "", SIDE_BY_SIDE),
    known("c-", "kubectl: kubectl get deploy", "", SIDE_BY_SIDE),
    known("d-", "kubectl: kubectl get deploy", "", SIDE_BY_SIDE),
    known("q-", "kubectl: kubectl get deploy", "", SIDE_BY_SIDE),
    known("e-bad", "kubectl: kubectl get deploy,rs,pods", "pod/web-SET1-POD  0/1", SIDE_BY_SIDE),
    known("e-bad", "endpoints: endpoints web", "endpoints=", SIDE_BY_SIDE),
    known("f-self-heal", "kubectl: kubectl get deploy -w", "up-to-date=1", SIDE_BY_SIDE),
    known("q-", "kubectl: kubectl get pods", "web-SET", SIDE_BY_SIDE),
    known("q-", "kubectl: kubectl get all", "web", SIDE_BY_SIDE),
    known("q-", "kubectl: kubectl delete all", "replicaset.apps", SIDE_BY_SIDE),
    known("d-scale", "pods: placement", "n1=", DRAWN),
    known("e-bad", "pods: placement", "n1=", DRAWN),
    known("f-self-heal", "pods: placement", "n1=", DRAWN),
    known("g-partial", "pods: placement", "n1=", DRAWN),
    known("i-hpa-errors", "pods: placement", "n1=", DRAWN),
    known("j-many", "pods: placement", "n1=", DRAWN),
    known("p-", "pods: placement", "n1=", DRAWN),
    known("q-", "pods: placement", "n1=", DRAWN),
    known("d-scale", "kubectl: kubectl describe deploy", "OldReplicaSets:", HASHES),
    known(
        "",
        "kubectl: kubectl get componentstatuses",
        "",
        "The recording's scheduler and controller manager served their health elsewhere",
    ),
    known("", "kubectl: kubectl --help", "", "The help says which verbs are not simulated"),
    known("", "kubectl: kubectl get node ", "", "The recordings' kubelets are fake: they tell of a port 0"),
    known("f-crashloop", "kubectl: kubectl describe pods", "ID:", FAKE_ID),
    known("f-crashloop", "", "x2 kubelet: ", FAKE_RESTART),
    known("f-crashloop", "", "restarts", FAKE_RESTART),
    known("l-job", "", "onfail", FAKE_STOP),
    known("l-job", "pods: pod onfail-pod", "", FAKE_STOP),
    known("l-job", "kubectl: kubectl get pods -w", "restarts:2", FAKE_STOP),
    known("j-many", "", "FailedScheduling", LOOKS),
    known("j-many", "", "", ORDER),
    known("j-unschedulable", "", "FailedScheduling", LOOKS),
    known("j-spread", "", "FailedScheduling", LOOKS),
    known("j-preemption", "kubectl: kubectl ", "worker-", DRAWN),
    known("i-hpa-errors", "", "missing request for cpu", MISSING),
    known("i-hpa-spike", "", "is ", ORDER),
    known("p-invalid", "conditions: conditions deployment web2", "", SIDE_BY_SIDE),
    known("p-invalid", "workloads: deployment web2", "", SIDE_BY_SIDE),
    known("p-invalid", "events: events replicaset", "FailedCreate", SIDE_BY_SIDE),
    known("p-invalid", "kubectl: kubectl apply -f web.yaml", "", STRUCTS),
    known("h-", "kubectl: kubectl get events", "IPAddressWrongReference", OLDER),
    known("m-", "kubectl: kubectl get events", "IPAddressWrongReference", OLDER),
    known(
        "",
        "kubectl: kubectl delete ",
        "Warning: deleting cluster-scoped resources",
        "Some recordings gave each command its namespace as a flag, which they do not tell",
    ),
    known("g-node", "", "Node worker", OLDER),
    known("h-", "", "Node worker", OLDER),
    known("m-", "", "Node worker", OLDER),
];
