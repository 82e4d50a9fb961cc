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

const POWER: &str = "Killing a node cuts its power here, and its containers start anew; the recordings stopped the kubelet \
                     alone, and containers went on";
const FAKE_END: &str =
    "The recordings' kubelets are fake: they let a pod whose containers never ran go without a last status";
const DRAWN: &str = "Which of several equal nodes or pods is taken is drawn";
const SIDE_BY_SIDE: &str = "Several writers within some hundredths of a second: how often the Deployment's controller comes \
                            to look while pods change one by one differs from run to run, and with it its steps";

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
    known("", "", "Machine ID:", "Identities of the recordings' machines are their own"),
    known("", "", "System UUID:", "Identities of the recordings' machines are their own"),
    known("", "", "Boot ID:", "Identities of the recordings' machines are their own"),
    known("", "", "machineID:", "Identities of the recordings' machines are their own"),
    known("", "", "systemUUID:", "Identities of the recordings' machines are their own"),
    known("", "", "bootID:", "Identities of the recordings' machines are their own"),
    known("", "", "ContainerStatusUnknown", FAKE_END),
    known("", "", "waiting:ContainerCreating restarts=0 deleting grace=0", FAKE_END),
    known("", "", "waiting:ImagePullBackOff restarts=0 deleting grace=0", FAKE_END),
    known("g-", "", "SandboxChanged", POWER),
    known("g-", "", "terminated:Unknown", POWER),
    known("g-", "", "restarts=1", POWER),
    known("g-", "", "Running  1 (AGE ago)", POWER),
    known("g-", "", "Normal Killing x1", POWER),
    known("g-", "", "Succeeded bound terminated:Completed", POWER),
    known("g-", "", "Starting kubelet", "The start of a kubelet is not told"),
    known("", "", "Starting kubelet", "The start of a kubelet is not told"),
    known("g-", "", "is 2", POWER),
    known("g-", "", "is 19", POWER),
    known("", "", "NodeNotSchedulable", "Kubelets do not tell that their node was cordoned"),
    known("", "", "NodeSchedulable", "Kubelets do not tell that their node was uncordoned"),
    known("", "", "node.alpha.kubernetes.io/ttl", "The node TTL controller is not modelled"),
    known("", "", "Annotations:  <none>", "The node TTL controller is not modelled"),
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
    known("", "kubectl: kubectl get pods -o wide", "SET", DRAWN),
    known("", "kubectl", "Successfully assigned", DRAWN),
    known("c-", "workloads", "", SIDE_BY_SIDE),
    known("c-", "events: events deployment", "", SIDE_BY_SIDE),
    known("c-", "kubectl: kubectl get", "", SIDE_BY_SIDE),
    known("d-", "workloads", "", SIDE_BY_SIDE),
    known("d-", "events: events deployment", "", SIDE_BY_SIDE),
    known("d-", "events: events replicaset", "", SIDE_BY_SIDE),
    known("d-", "kubectl: kubectl get", "", SIDE_BY_SIDE),
    known("", "placement", "", DRAWN),
    known(
        "j-many",
        "events: events replicaset",
        "",
        "Events do not share the rate limit of their controller's client",
    ),
    known(
        "j-many",
        "",
        "",
        "Deletions that are sent side by side arrive in their order; upstream's arrive in any, so that \
           waiting pods find a place before they go",
    ),
    known("", "kubectl: kubectl get events", "IPAddressWrongReference", OLDER),
    known("", "", "Node worker", OLDER),
];
