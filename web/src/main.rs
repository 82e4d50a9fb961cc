//! Setpoint: the page.
fn main() {}
