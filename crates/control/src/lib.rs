//! Setpoint: control.
