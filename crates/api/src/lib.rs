//! Setpoint: api.
