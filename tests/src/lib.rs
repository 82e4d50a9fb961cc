//! Setpoint: tests.
//!
//! Golden scenarios: what a real control plane did, as recorded, and what Setpoint does with the same manifests and
//! actions, both as a [`timeline::Timeline`] and compared by [`compare`].

pub mod compare;
pub mod conform;
pub mod fuzz;
pub mod reduce;
pub mod reference;
pub mod replay;
pub mod terminal;
pub mod timeline;
pub mod vectors;
