//! The API server as a value: object types, a store with resource versions and a watch log, selectors, quantities,
//! defaulting, validation and manifest text.
//!
//! **Border**: no time passes here, nothing is random, and no controller is known. Time and generated names are given by
//! the caller.

pub mod cron;
pub mod custom;
pub mod decode;
pub mod default;
pub mod duration;
pub mod gather;
mod indexes;
pub mod int_or_percent;
pub mod kinds;
pub mod list;
pub mod manifest;
pub mod map;
pub mod meta;
pub mod names;
pub mod object;
pub mod order;
pub mod patch;
pub mod quantity;
pub mod schema;
pub mod select;
pub mod slab;
pub mod status;
pub mod store;
mod str;
pub mod text;
pub mod time;
pub mod validate;
pub mod wire;

pub use gather::Gather;
pub use indexes::{PodCount, mark};
pub use int_or_percent::IntOrPercent;
pub use kinds::*;
pub use list::{Ids, List};
pub use meta::*;
pub use object::*;
pub use quantity::Quantity;
pub use select::{LabelSelector, LabelSelectorRequirement, Selector};
pub use status::{Details, Reason, Status};
pub use store::{Change, DeleteOptions, Op, Propagation, Scope, Stamp, Store};
pub use str::Str;
pub use time::{MicroTime, Micros, Time};
