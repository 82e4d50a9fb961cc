//! Setpoint: tests.
//!
//! [`conform`] plays recordings of a real control plane and compares what happened there with what happens here, both as a
//! [`timeline::Timeline`]; [`vectors`] runs upstream's own tables.

pub mod compare;
pub mod conform;
pub mod fuzz;
pub mod reduce;
pub mod reference;
pub mod replay;
pub mod terminal;
pub mod timeline;
pub mod vectors;
