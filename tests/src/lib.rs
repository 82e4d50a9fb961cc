//! Setpoint: tests.
