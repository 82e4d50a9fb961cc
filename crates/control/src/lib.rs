//! What Kubernetes decides: every controller, the scheduler, the autoscaler's arithmetic, the kubelet's decisions.
//!
//! **Border**: nothing here changes the store, draws a random number or knows the event queue. A controller reads a view
//! and returns writes; the simulator lands them later, through the API server, where they may be refused.

pub mod claim;
pub mod controller;
pub mod cronjob;
pub mod daemonset;
pub mod deployment;
pub mod disruption;
pub mod endpointslice;
pub mod garbage_collector;
pub mod history;
pub mod hpa;
pub mod job;
pub mod kubelet;
pub mod namespace;
pub mod node_lifecycle;
pub mod pod;
pub mod pod_gc;
pub mod quota;
pub mod replicaset;
pub mod replication;
pub mod scheduler;
pub mod statefulset;
pub mod taint_eviction;
pub mod taints;
pub mod tuning;
pub mod volumes;

pub use controller::*;
pub use tuning::{Profile, Tuning};

/// All controllers, the scheduler included, in the order in which they are started.
pub const CONTROLLERS: &[Controller] = &[
    scheduler::ROW,
    deployment::ROW,
    replicaset::ROW,
    endpointslice::ROW,
    hpa::ROW,
    node_lifecycle::ROW,
    taint_eviction::ROW,
    pod_gc::ROW,
    garbage_collector::ROW,
    namespace::ROW,
    quota::ROW,
    job::ROW,
    job::ttl::ROW,
    cronjob::ROW,
    statefulset::ROW,
    daemonset::ROW,
    disruption::ROW,
    volumes::ROW,
    volumes::attach::ROW,
    replication::ROW,
];

/// What the controllers keep in memory between runs; lost when their process restarts.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Memory {
    pub scheduler: scheduler::Memory,
    pub endpointslice: endpointslice::Memory,
    pub hpa: hpa::Memory,
    pub node_lifecycle: node_lifecycle::Memory,
    pub taint_eviction: taint_eviction::Memory,
    pub pod_gc: pod_gc::Memory,
    pub job: job::Memory,
    pub cronjob: cronjob::Memory,
    pub daemonset: daemonset::Memory,
    pub volumes: volumes::Memory,
    pub attach: volumes::attach::Memory,
}
