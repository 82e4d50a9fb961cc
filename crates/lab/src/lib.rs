//! How a person drives the cluster: sessions, frames, scenarios.
//!
//! **Border**: no browser here; the page shows what this crate says.

pub mod bench;
pub mod builtin;
pub mod frame;
pub mod headless;
pub mod inspect;
pub mod kubectl;
mod manifest;
mod picture;
mod scenario;
mod session;
pub mod swarm;
mod things;
mod tiles;
pub mod verdict;
mod why;
pub mod words;

pub use manifest::{samples, suggest::suggest};
pub use scenario::{Scenario, parse_duration};
pub use session::{Advance, Session, Watch};
pub use setpoint_api::map;
pub use setpoint_api::text::{Diagnostic, Severity};
pub use setpoint_sim::{Action, Sim};
