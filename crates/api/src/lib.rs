//! Setpoint: api.

/// A shared text.
pub type Str = std::rc::Rc<str>;

pub mod duration;
pub mod int_or_percent;
pub mod names;
pub mod quantity;
pub mod select;
pub mod text;
