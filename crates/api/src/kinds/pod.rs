//! Pods and what is in them.

use crate::map::Map;
use crate::{Condition, IntOrPercent, LabelSelector, Quantity, Str, Time, wire, words};
use serde_json::Value;
use std::rc::Rc;

/// Amounts by resource name (`cpu`, `memory`, `pods`, ...).
pub type ResourceList = Map<Str, Quantity>;

words! {
    /// Where a pod is in its life.
    pub enum PodPhase {
        Pending = "Pending",
        Running = "Running",
        Succeeded = "Succeeded",
        Failed = "Failed",
        Unknown = "Unknown",
    }
}

impl PodPhase {
    /// Whether every container has ended for good.
    pub fn is_finished(self) -> bool {
        matches!(self, PodPhase::Succeeded | PodPhase::Failed)
    }
}

wire! {
    /// What a pod should be.
    pub struct PodSpec {
        /// Containers that run side by side.
        pub containers: Rc<Vec<Container>> = "containers", always;
        /// Containers that run first, in order; with restartPolicy Always they go on as sidecars.
        pub init_containers: Rc<Vec<Container>> = "initContainers";
        /// Node that the pod is bound to; empty while it waits for the scheduler.
        pub node_name: Option<Str> = "nodeName";
        /// Labels that the node must have.
        pub node_selector: Rc<Map<Str, Str>> = "nodeSelector";
        /// Node and pod affinity.
        pub affinity: Option<Rc<Affinity>> = "affinity";
        /// Taints that the pod puts up with.
        pub tolerations: Rc<Vec<Toleration>> = "tolerations";
        /// Always, OnFailure or Never.
        pub restart_policy: Option<Str> = "restartPolicy";
        /// Seconds between TERM and KILL; 30 by default.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds";
        /// Seconds that the pod may be active.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds";
        /// Scheduling priority; 0 by default.
        pub priority: Option<i32> = "priority";
        /// Name of the PriorityClass.
        pub priority_class_name: Str = "priorityClassName";
        /// PreemptLowerPriority or Never.
        pub preemption_policy: Option<Str> = "preemptionPolicy";
        /// How pods spread over nodes.
        pub topology_spread_constraints: Rc<Vec<TopologySpreadConstraint>> = "topologySpreadConstraints";
        /// Whether the pod uses its node's network.
        pub host_network: Option<bool> = "hostNetwork";
        /// Which scheduler places it.
        pub scheduler_name: Str = "schedulerName";
        /// ServiceAccount.
        pub service_account_name: Str = "serviceAccountName";
        /// Resources that the sandbox itself takes.
        pub overhead: ResourceList = "overhead";
        /// Host name of the pod.
        pub hostname: Str = "hostname";
    }
    /// One container of a pod.
    pub struct Container {
        /// Name, unique in the pod.
        pub name: Str = "name", always;
        /// Image with its tag.
        pub image: Str = "image";
        /// Always, IfNotPresent or Never.
        pub image_pull_policy: Option<Str> = "imagePullPolicy";
        /// Entry point.
        pub command: Vec<Str> = "command";
        /// Arguments.
        pub args: Vec<Str> = "args";
        /// Ports that it listens on.
        pub ports: Vec<ContainerPort> = "ports";
        /// Environment.
        pub env: Vec<EnvVar> = "env";
        /// Requests and limits.
        pub resources: ResourceRequirements = "resources", always;
        /// Restarts the container when it fails.
        pub liveness_probe: Option<Rc<Probe>> = "livenessProbe";
        /// Takes the pod out of Services when it fails.
        pub readiness_probe: Option<Rc<Probe>> = "readinessProbe";
        /// Holds the other probes back until it succeeds.
        pub startup_probe: Option<Rc<Probe>> = "startupProbe";
        /// Hooks.
        pub lifecycle: Option<Lifecycle> = "lifecycle";
        /// Always makes an init container a sidecar.
        pub restart_policy: Option<Str> = "restartPolicy";
    }
    /// A port of a container.
    pub struct ContainerPort {
        /// Name for Services.
        pub name: Str = "name";
        /// Number.
        pub container_port: i32 = "containerPort";
        /// Port on the node, 0 for none.
        pub host_port: i32 = "hostPort";
        /// Address on the node.
        pub host_ip: Str = "hostIP";
        /// TCP, UDP or SCTP.
        pub protocol: Str = "protocol";
    }
    /// An environment variable; other sources than a plain value are kept in `rest`.
    pub struct EnvVar {
        /// Name.
        pub name: Str = "name", always;
        /// Value.
        pub value: Str = "value";
    }
    /// Requests and limits of a container.
    pub struct ResourceRequirements {
        /// What it may use at most.
        pub limits: ResourceList = "limits";
        /// What the scheduler reserves.
        pub requests: ResourceList = "requests";
    }
    /// A check of a container's health. Times are whole seconds.
    pub struct Probe {
        /// HTTP GET.
        pub http_get: Option<HttpGetAction> = "httpGet";
        /// TCP connect.
        pub tcp_socket: Option<Value> = "tcpSocket";
        /// Command in the container.
        pub exec: Option<Value> = "exec";
        /// gRPC health check.
        pub grpc: Option<Value> = "grpc";
        /// Wait before the first check; 0.
        pub initial_delay_seconds: Option<i32> = "initialDelaySeconds";
        /// Limit of one check; 1.
        pub timeout_seconds: Option<i32> = "timeoutSeconds";
        /// Distance of checks; 10.
        pub period_seconds: Option<i32> = "periodSeconds";
        /// Successes in a row that count; 1.
        pub success_threshold: Option<i32> = "successThreshold";
        /// Failures in a row that count; 3.
        pub failure_threshold: Option<i32> = "failureThreshold";
        /// Grace of a restart that this probe causes, instead of the pod's.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds";
    }
    /// An HTTP check.
    pub struct HttpGetAction {
        /// Path; `/`.
        pub path: Str = "path";
        /// Port by number or name.
        pub port: IntOrPercent = "port", always;
        /// HTTP or HTTPS.
        pub scheme: Str = "scheme";
    }
    /// Hooks around a container's life.
    pub struct Lifecycle {
        /// Runs before TERM is sent.
        pub pre_stop: Option<LifecycleHandler> = "preStop";
    }
    /// What a hook does; only `sleep` takes simulated time.
    pub struct LifecycleHandler {
        /// Waits.
        pub sleep: Option<SleepAction> = "sleep";
        /// Command in the container.
        pub exec: Option<Value> = "exec";
        /// HTTP GET.
        pub http_get: Option<Value> = "httpGet";
    }
    /// A wait.
    pub struct SleepAction {
        /// Length in seconds.
        pub seconds: i64 = "seconds", always;
    }
    /// A taint that a pod puts up with.
    pub struct Toleration {
        /// Taint key; empty with Exists means all.
        pub key: Str = "key";
        /// Exists or Equal (default).
        pub operator: Str = "operator";
        /// Taint value for Equal.
        pub value: Str = "value";
        /// NoSchedule, PreferNoSchedule, NoExecute, or empty for all.
        pub effect: Str = "effect";
        /// How long a NoExecute taint is put up with; for ever if unset.
        pub toleration_seconds: Option<i64> = "tolerationSeconds";
    }
    /// Rules about where a pod may and would like to run.
    pub struct Affinity {
        /// About nodes.
        pub node_affinity: Option<NodeAffinity> = "nodeAffinity";
        /// Near other pods.
        pub pod_affinity: Option<PodAffinity> = "podAffinity";
        /// Away from other pods.
        pub pod_anti_affinity: Option<PodAffinity> = "podAntiAffinity";
    }
    /// Rules about nodes.
    pub struct NodeAffinity {
        /// Must hold when the pod is placed.
        pub required: Option<NodeSelector> = "requiredDuringSchedulingIgnoredDuringExecution";
        /// Add to the score.
        pub preferred: Vec<PreferredSchedulingTerm> = "preferredDuringSchedulingIgnoredDuringExecution";
    }
    /// Any of its terms must match.
    pub struct NodeSelector {
        /// Terms.
        pub node_selector_terms: Vec<NodeSelectorTerm> = "nodeSelectorTerms", always;
    }
    /// All of its requirements must match.
    pub struct NodeSelectorTerm {
        /// About labels.
        pub match_expressions: Vec<NodeSelectorRequirement> = "matchExpressions";
        /// About fields (metadata.name).
        pub match_fields: Vec<NodeSelectorRequirement> = "matchFields";
    }
    /// One requirement.
    pub struct NodeSelectorRequirement {
        /// Label key or field.
        pub key: Str = "key", always;
        /// In, NotIn, Exists, DoesNotExist, Gt, Lt.
        pub operator: Str = "operator", always;
        /// Values.
        pub values: Vec<Str> = "values";
    }
    /// A weighted term.
    pub struct PreferredSchedulingTerm {
        /// 1 to 100.
        pub weight: i32 = "weight", always;
        /// Term.
        pub preference: NodeSelectorTerm = "preference", always;
    }
    /// Rules about other pods.
    pub struct PodAffinity {
        /// Must hold when the pod is placed.
        pub required: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution";
        /// Add to the score.
        pub preferred: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution";
    }
    /// Which pods, and over which topology.
    pub struct PodAffinityTerm {
        /// Pods that are meant.
        pub label_selector: Option<LabelSelector> = "labelSelector";
        /// Namespaces that are meant; the pod's own if empty.
        pub namespaces: Vec<Str> = "namespaces";
        /// Namespaces by label.
        pub namespace_selector: Option<LabelSelector> = "namespaceSelector";
        /// Node label that makes a place.
        pub topology_key: Str = "topologyKey", always;
    }
    /// A weighted term.
    pub struct WeightedPodAffinityTerm {
        /// 1 to 100.
        pub weight: i32 = "weight", always;
        /// Term.
        pub pod_affinity_term: PodAffinityTerm = "podAffinityTerm", always;
    }
    /// How evenly matching pods must spread over places.
    pub struct TopologySpreadConstraint {
        /// Largest allowed difference.
        pub max_skew: i32 = "maxSkew", always;
        /// Node label that makes a place.
        pub topology_key: Str = "topologyKey", always;
        /// DoNotSchedule or ScheduleAnyway.
        pub when_unsatisfiable: Str = "whenUnsatisfiable", always;
        /// Pods that are counted.
        pub label_selector: Option<LabelSelector> = "labelSelector";
        /// Fewest places that must be eligible.
        pub min_domains: Option<i32> = "minDomains";
        /// Honor or Ignore.
        pub node_affinity_policy: Option<Str> = "nodeAffinityPolicy";
        /// Honor or Ignore.
        pub node_taints_policy: Option<Str> = "nodeTaintsPolicy";
        /// Label keys taken from the incoming pod.
        pub match_label_keys: Vec<Str> = "matchLabelKeys";
    }
    /// What a pod is.
    pub struct PodStatus {
        /// Generation of the spec that the kubelet has seen.
        pub observed_generation: i64 = "observedGeneration";
        /// Where it is in its life.
        pub phase: PodPhase = "phase";
        /// Aspects of its state.
        pub conditions: Vec<Condition> = "conditions";
        /// Message for a person.
        pub message: Str = "message";
        /// Reason in one word, such as Evicted.
        pub reason: Str = "reason";
        /// Node that a preempting pod waits for.
        pub nominated_node_name: Str = "nominatedNodeName";
        /// Address of the node.
        pub host_ip: Str = "hostIP";
        /// Addresses of the node.
        pub host_ips: Vec<PodIp> = "hostIPs";
        /// Address of the pod.
        pub pod_ip: Str = "podIP";
        /// Addresses of the pod.
        pub pod_ips: Vec<PodIp> = "podIPs";
        /// When the kubelet took it on.
        pub start_time: Option<Time> = "startTime";
        /// State of init containers.
        pub init_container_statuses: Vec<ContainerStatus> = "initContainerStatuses";
        /// State of containers.
        pub container_statuses: Vec<ContainerStatus> = "containerStatuses";
        /// Guaranteed, Burstable or BestEffort.
        pub qos_class: Str = "qosClass";
    }
    /// An address.
    pub struct PodIp {
        /// IPv4 in text.
        pub ip: Str = "ip", always;
    }
    /// State of one container.
    pub struct ContainerStatus {
        /// Name.
        pub name: Str = "name", always;
        /// Now.
        pub state: ContainerState = "state", always;
        /// Before the last restart.
        pub last_state: ContainerState = "lastState", always;
        /// Whether its readiness counts as true.
        pub ready: bool = "ready", always;
        /// Restarts so far.
        pub restart_count: i32 = "restartCount", always;
        /// Image.
        pub image: Str = "image", always;
        /// Digest of the image.
        pub image_id: Str = "imageID", always;
        /// Identity in the runtime.
        pub container_id: Str = "containerID";
        /// Whether the startup probe has passed.
        pub started: Option<bool> = "started";
    }
    /// One of waiting, running, terminated; waiting if none.
    pub struct ContainerState {
        /// Not yet, or not again, running.
        pub waiting: Option<ContainerStateWaiting> = "waiting";
        /// Running.
        pub running: Option<ContainerStateRunning> = "running";
        /// Ended.
        pub terminated: Option<ContainerStateTerminated> = "terminated";
    }
    /// Why a container waits.
    pub struct ContainerStateWaiting {
        /// Reason in one word.
        pub reason: Str = "reason";
        /// Message.
        pub message: Str = "message";
    }
    /// Since when a container runs.
    pub struct ContainerStateRunning {
        /// Start.
        pub started_at: Option<Time> = "startedAt";
    }
    /// How a container ended.
    pub struct ContainerStateTerminated {
        /// Exit code.
        pub exit_code: i32 = "exitCode", always;
        /// Signal.
        pub signal: i32 = "signal";
        /// Reason in one word: Completed, Error, OOMKilled.
        pub reason: Str = "reason";
        /// Message.
        pub message: Str = "message";
        /// Start.
        pub started_at: Option<Time> = "startedAt";
        /// End.
        pub finished_at: Option<Time> = "finishedAt";
        /// Identity in the runtime.
        pub container_id: Str = "containerID";
    }
}
