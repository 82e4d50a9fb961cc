//! Setpoint: lab.
