//! The kinds that the simulator models, with the fields that it acts on; all other fields are kept in `rest`.
//!
//! Upstream: staging/src/k8s.io/api/{core,apps,autoscaling,batch,discovery,coordination}.

mod autoscaling;
mod batch;
mod network;
mod node;
mod pod;
mod stateful;
mod workload;

pub use autoscaling::*;
pub use batch::*;
pub use network::*;
pub use node::*;
pub use pod::*;
pub use stateful::*;
pub use workload::*;
