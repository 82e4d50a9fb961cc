//! The columns of `kubectl get`.
//!
//! Upstream: pkg/printers/internalversion/printers.go (`AddHandlers`).

/// Titles by kind, with commas between; a plus marks what only `-o wide` shows.
const COLUMNS: &[(&str, &str)] = &[
    ("Pod", "Name,Ready,Status,Restarts,Age,+IP,+Node,+Nominated Node,+Readiness Gates"),
    ("PodTemplate", "Name,Containers,Images,Pod Labels"),
    ("PodDisruptionBudget", "Name,Min Available,Max Unavailable,Allowed Disruptions,Age"),
    ("ReplicationController", "Name,Desired,Current,Ready,Age,+Containers,+Images,+Selector"),
    ("ReplicaSet", "Name,Desired,Current,Ready,Age,+Containers,+Images,+Selector"),
    (
        "DaemonSet",
        "Name,Desired,Current,Ready,Up-to-date,Available,Node Selector,Age,+Containers,+Images,+Selector",
    ),
    ("Job", "Name,Status,Completions,Duration,Age,+Containers,+Images,+Selector"),
    ("CronJob", "Name,Schedule,Timezone,Suspend,Active,Last Schedule,Age,+Containers,+Images,+Selector"),
    ("Service", "Name,Type,Cluster-IP,External-IP,Port(s),Age,+Selector"),
    ("Ingress", "Name,Class,Hosts,Address,Ports,Age"),
    ("IngressClass", "Name,Controller,Parameters,Age"),
    ("StatefulSet", "Name,Ready,Age,+Containers,+Images"),
    ("Endpoints", "Name,Endpoints,Age"),
    (
        "Node",
        "Name,Status,Roles,Age,Version,+Internal-IP,+External-IP,+OS-Image,+Kernel-Version,+Container-Runtime",
    ),
    ("Event", "Last Seen,Type,Reason,Object,+Subobject,+Source,Message,+First Seen,+Count,+Name"),
    ("Namespace", "Name,Status,Age"),
    ("Secret", "Name,Type,Data,Age"),
    (
        "PersistentVolume",
        "Name,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,+VolumeMode",
    ),
    (
        "PersistentVolumeClaim",
        "Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,+VolumeMode",
    ),
    ("ComponentStatus", "Name,Status,Message,Error"),
    ("Deployment", "Name,Ready,Up-to-date,Available,Age,+Containers,+Images,+Selector"),
    ("HorizontalPodAutoscaler", "Name,Reference,Targets,MinPods,MaxPods,Replicas,Age"),
    ("ConfigMap", "Name,Data,Age"),
    ("NetworkPolicy", "Name,Pod-Selector,Age"),
    ("RoleBinding", "Name,Role,Age,+Users,+Groups,+ServiceAccounts"),
    ("ClusterRoleBinding", "Name,Role,Age,+Users,+Groups,+ServiceAccounts"),
    ("Role", "Name,Created At"),
    ("ClusterRole", "Name,Created At"),
    ("LimitRange", "Name,Created At"),
    ("CustomResourceDefinition", "Name,Created At"),
    ("Lease", "Name,Holder,Age"),
    ("StorageClass", "Name,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age"),
    ("VolumeAttachment", "Name,Attacher,PV,Node,Attached,Age"),
    ("PriorityClass", "Name,Value,Global-Default,Age,PreemptionPolicy"),
    ("ControllerRevision", "Name,Controller,Revision,Age"),
    ("ResourceQuota", "Name,Request,Limit,Age"),
    ("CertificateSigningRequest", "Name,Age,SignerName,Requestor,RequestedDuration,Condition"),
    ("Scale", "Name,Desired,Available,Age"),
    ("EndpointSlice", "Name,AddressType,Ports,Endpoints,Age"),
];

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Title, in upstream's letters.
    pub title: String,
    /// Whether only `-o wide` shows it.
    pub is_wide: bool,
}

impl Column {
    /// A column that is always shown.
    pub fn plain(title: &str) -> Self {
        Self { title: title.into(), is_wide: false }
    }
}

/// The columns of a kind; name and age for kinds without columns of their own.
pub fn of(kind: &str) -> Vec<Column> {
    let row = COLUMNS.iter().find(|(name, _)| *name == kind).map_or("Name,Age", |(_, titles)| titles);
    let column = |title: &str| Column {
        title: title.trim_start_matches('+').to_owned(),
        is_wide: title.starts_with('+'),
    };
    row.split(',').map(column).collect()
}
