//! What happens: the clock, the queue, generator streams, machines, network, load, faults, and the landing of writes.
//!
//! **Border**: nothing here knows of lessons or anything visual.

mod act;
mod action;
mod admission;
mod broadcast;
pub mod command;
mod control_loop;
pub mod drain;
pub mod fact;
pub mod files;
pub mod image;
pub mod invariants;
mod kubelet_process;
mod kubelet_run;
pub mod ledger;
pub mod load;
pub mod machine;
mod metrics;
mod node;
pub mod pressure;
pub mod proxy;
mod queue;
mod recorder;
mod request;
mod server;
mod sim;
mod streams;
pub mod volumes;

pub use act::RPS_MAX;
pub use action::Action;
pub use control_loop::{ControlLoop, Run};
pub use request::{FieldValidation, Method, PatchType, Reply, Request, scale};
pub use sim::{Config, MachineConfig, Sim};
