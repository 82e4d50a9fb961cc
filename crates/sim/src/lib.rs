//! Setpoint: sim.
