//! How a person drives the cluster: sessions, frames, scenarios.
//!
//! **Border**: no browser here; the page shows what this crate says.

pub mod frame;
mod session;

pub use session::{Advance, Session};
pub use setpoint_sim::Action;
