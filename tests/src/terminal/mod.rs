//! What kubectl printed for people at a real cluster, against what it prints here.

mod compare;
mod normal;
pub mod watch;

pub use compare::{Score, compare};
pub use normal::{Normal, squeeze};
