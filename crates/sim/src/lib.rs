//! What happens: the clock, the queue, generator streams, machines, network, load, faults, and the landing of writes.
//!
//! **Border**: nothing here knows of text, lessons or anything visual.

mod action;

pub use action::Action;
