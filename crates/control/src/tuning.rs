//! Every period, grace and rate of the cluster in one table, in two profiles.
//!
//! `real` has upstream's defaults. `classroom` is a cluster whose flags are set short, so that a lesson fits in minutes;
//! the page always says which one is on.

use setpoint_api::time::{MILLISECOND, MINUTE, SECOND};

/// Which column of the table is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Upstream's defaults.
    Real,
    /// Short periods.
    #[default]
    Classroom,
}

macro_rules! tuning {
    ($($(#[$meta:meta])* $field:ident: $real:expr, $classroom:expr, $source:literal;)*) => {
        /// The values in force. Times are microseconds.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Tuning { $( $(#[$meta])* pub $field: i64, )* }

        impl Tuning {
            /// The values of a profile.
            pub fn of(profile: Profile) -> Self {
                match profile {
                    Profile::Real => Self { $($field: $real,)* },
                    Profile::Classroom => Self { $($field: $classroom,)* },
                }
            }
            /// Name, value in force, upstream's default and its source, of every row.
            pub fn rows(&self) -> Vec<(&'static str, i64, i64, &'static str)> {
                vec![$((stringify!($field), self.$field, $real, $source),)*]
            }
            /// Whether a row is a length of time, in microseconds or, where its name says so, in seconds.
            pub fn is_period(name: &str) -> bool {
                !["_milli", "_threshold", "_qps", "_burst"].iter().any(|end| name.ends_with(end))
            }
            /// Changes one value by name; `false` if there is no such row.
            pub fn set(&mut self, name: &str, value: i64) -> bool {
                match name {
                    $(stringify!($field) => self.$field = value,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

tuning! {
    /// One request to the API server, there and back.
    api_request: 4 * MILLISECOND, 4 * MILLISECOND, "measured: 2 to 30 ms on loopback";
    /// From a stored change to a watcher's handler.
    watch_delay: 2 * MILLISECOND, 2 * MILLISECOND, "measured: 1 to 10 ms on loopback";
    /// Requests per second of one controller's client.
    client_qps: 20, 20, "--kube-api-qps, staging/src/k8s.io/component-base/config/v1alpha1/defaults.go";
    /// Burst of one controller's client.
    client_burst: 30, 30, "--kube-api-burst, staging/src/k8s.io/component-base/config/v1alpha1/defaults.go";
    /// First retry of a key that failed.
    queue_retry_min: 5 * MILLISECOND, 5 * MILLISECOND, "client-go util/workqueue/default_rate_limiters.go";
    /// Longest retry of a key that failed.
    queue_retry_max: 1000 * SECOND, 1000 * SECOND, "client-go util/workqueue/default_rate_limiters.go";
    /// Period of the autoscaler.
    hpa_sync: 15 * SECOND, 5 * SECOND, "--horizontal-pod-autoscaler-sync-period, podautoscaler/config/v1alpha1/defaults.go";
    /// Deviation that the autoscaler ignores, in thousandths.
    hpa_tolerance_milli: 100, 100, "--horizontal-pod-autoscaler-tolerance, podautoscaler/config/v1alpha1/defaults.go";
    /// How long the highest recommendation holds a scale-down back.
    hpa_downscale_stabilization: 300 * SECOND, 30 * SECOND, "--horizontal-pod-autoscaler-downscale-stabilization";
    /// Start of a pod during which its CPU samples count only if it is ready.
    hpa_cpu_initialization: 300 * SECOND, 20 * SECOND, "--horizontal-pod-autoscaler-cpu-initialization-period";
    /// Time in which a pod that was never ready counts as not yet ready.
    hpa_initial_readiness_delay: 30 * SECOND, 5 * SECOND, "--horizontal-pod-autoscaler-initial-readiness-delay";
    /// Period of the metrics server.
    metrics_resolution: 15 * SECOND, 5 * SECOND, "metrics-server --metric-resolution";
    /// Age at which a container's first sample counts; a younger one waits for its second.
    metrics_fresh: 10 * SECOND, 4500 * MILLISECOND, "freshContainerMinMetricsResolution, metrics-server pkg/storage/pod.go";
    /// Validity of a node's lease.
    node_lease_duration: 40 * SECOND, 4 * SECOND, "nodeLeaseDurationSeconds, pkg/kubelet/apis/config/v1beta1/defaults.go";
    /// Period of its renewal: a quarter of the validity.
    node_lease_renew: 10 * SECOND, SECOND, "a quarter of nodeLeaseDurationSeconds, pkg/kubelet/kubelet.go";
    /// Period of node status reports without a change.
    node_status_report: 300 * SECOND, 300 * SECOND, "nodeStatusReportFrequency, pkg/kubelet/apis/config/v1beta1/defaults.go";
    /// Period of the node lifecycle controller.
    node_monitor_period: 5 * SECOND, 500 * MILLISECOND, "--node-monitor-period, cloud-provider config/v1alpha1/defaults.go";
    /// Silence after which a node counts as unknown.
    node_monitor_grace: 50 * SECOND, 4 * SECOND, "--node-monitor-grace-period, nodelifecycle/config/v1alpha1/defaults.go";
    /// The same for a node that has just registered.
    node_startup_grace: 60 * SECOND, 6 * SECOND, "--node-startup-grace-period, nodelifecycle/config/v1alpha1/defaults.go";
    /// Nodes that may get a NoExecute taint per 1000 seconds in a normal zone.
    node_eviction_rate_milli: 100, 1000, "--node-eviction-rate, app/options/nodelifecyclecontroller.go";
    /// The same in a partly disrupted large zone.
    node_secondary_eviction_rate_milli: 10, 100, "--secondary-node-eviction-rate";
    /// Nodes above which a zone is large.
    node_large_cluster_threshold: 50, 50, "--large-cluster-size-threshold";
    /// Share of silent nodes in thousandths from which a zone is disrupted.
    node_unhealthy_zone_milli: 550, 550, "--unhealthy-zone-threshold";
    /// Toleration of not-ready and unreachable that pods get by default, in seconds.
    default_toleration_seconds: 300, 5, "--default-unreachable-toleration-seconds, plugin/pkg/admission/defaulttolerationseconds";
    /// Period of pod garbage collection.
    pod_gc_period: 20 * SECOND, 5 * SECOND, "gcCheckPeriod, fixed in pkg/controller/podgc/gc_controller.go";
    /// How long a missing node must be missing before its pods are collected.
    pod_gc_quarantine: 40 * SECOND, 5 * SECOND, "quarantineTime, fixed in pkg/controller/podgc/gc_controller.go";
    /// Finished pods above which the oldest are collected.
    terminated_pod_gc_threshold: 12_500, 12_500, "--terminated-pod-gc-threshold, podgc/config/v1alpha1/defaults.go";
    /// Period of a pod's sync on its kubelet.
    kubelet_sync: 60 * SECOND, 60 * SECOND, "syncFrequency, pkg/kubelet/apis/config/v1beta1/defaults.go";
    /// First back-off of a crashing container.
    crash_backoff_min: 10 * SECOND, 2 * SECOND, "fixed in pkg/kubelet/kubelet.go";
    /// Longest back-off of a crashing container.
    crash_backoff_max: 300 * SECOND, 20 * SECOND, "crashLoopBackOff.maxContainerRestartPeriod, pkg/kubelet/kubelet.go";
    /// First back-off of an image that cannot be pulled.
    image_backoff_min: 10 * SECOND, 2 * SECOND, "fixed in pkg/kubelet/kubelet.go";
    /// Longest back-off of an image that cannot be pulled.
    image_backoff_max: 300 * SECOND, 20 * SECOND, "fixed in pkg/kubelet/kubelet.go";
    /// First back-off of a pod that did not fit.
    scheduler_backoff_min: SECOND, SECOND, "podInitialBackoffSeconds, pkg/scheduler/backend/queue";
    /// Longest back-off of a pod that did not fit.
    scheduler_backoff_max: 10 * SECOND, 10 * SECOND, "podMaxBackoffSeconds, pkg/scheduler/backend/queue";
    /// Time after which a pod that did not fit is tried again in any case.
    scheduler_flush: 5 * MINUTE, 5 * MINUTE, "--pod-max-in-unschedulable-pods-duration, pkg/scheduler/backend/queue";
    /// Time that one scheduling decision takes.
    scheduler_cycle: MILLISECOND, MILLISECOND, "test/integration/scheduler_perf: 680 to 810 pods per second";
    /// How long a storage driver takes to make, attach or detach a volume.
    volume_attach: 2 * SECOND, 500 * MILLISECOND, "no upstream value: depends on the storage";
    /// How long a volume that nobody needs stays attached to a node that is not ready and may still use it.
    volume_force_detach: 360 * SECOND, 20 * SECOND, "--attach-detach-reconcile-max-wait-unmount-duration";
    /// How often a kubelet looks at what is left of memory and disk.
    eviction_monitor: 10 * SECOND, 3 * SECOND, "evictionMonitoringPeriod, fixed in pkg/kubelet/kubelet.go";
    /// How long a node counts as short of something after it was.
    eviction_transition: 300 * SECOND, 15 * SECOND, "evictionPressureTransitionPeriod, pkg/kubelet/apis/config/v1beta1/defaults.go";
    /// Shortest distance of two rule updates of a kube-proxy.
    proxy_min_sync: SECOND, 200 * MILLISECOND, "iptables.minSyncPeriod, pkg/proxy/apis/config/v1alpha1/defaults.go";
    /// From power to a running kubelet.
    machine_boot: 20 * SECOND, 2 * SECOND, "no upstream value: depends on the machine";
    /// From a new node's registration until the network of its pods is set up.
    node_network: 10 * SECOND, 2 * SECOND, "no upstream value: depends on the network's add-on";
    /// Life of an event.
    event_ttl: 60 * MINUTE, 60 * MINUTE, "--event-ttl, pkg/controlplane/apiserver/options/options.go";
    /// After this time every controller gets every object that it watches once more. What it is for is to heal a controller
    /// that has overlooked a change; loops act on changes, not on this clock.
    resync: 720 * MINUTE, 720 * MINUTE, "--min-resync-period, component-base/config; upstream adds up to as much again";
}
