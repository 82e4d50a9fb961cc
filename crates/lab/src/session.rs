//! One run as a person drives it: time, actions, pictures.

use crate::frame::Frame;
use setpoint_sim::Action;
use std::rc::Rc;

/// What stopped [`Session::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The time that was asked for is reached.
    Reached,
    /// The caller's budget ran out before.
    OutOfBudget,
}

/// A running cluster with its history of actions.
pub struct Session {
    seed: u64,
    now_us: i64,
    frame: Rc<Frame>,
    log: Vec<(i64, Action)>,
}

impl Session {
    /// Opens the scenario that the page starts with.
    pub fn welcome(seed: u64) -> Self {
        Self { seed, now_us: 0, frame: Rc::new(Frame { seed, ..Frame::default() }), log: Vec::new() }
    }
    /// Simulated time.
    pub fn now_us(&self) -> i64 {
        self.now_us
    }
    /// Runs up to a time. `within_budget` is asked now and then whether to go on.
    pub fn advance(&mut self, to_us: i64, within_budget: &mut dyn FnMut() -> bool) -> Advance {
        while self.now_us < to_us {
            if !within_budget() {
                return Advance::OutOfBudget;
            }
            self.now_us = to_us;
        }
        Advance::Reached
    }
    /// Runs to the next thing that the feed shows, at most ten simulated minutes ahead.
    pub fn step(&mut self) {
        self.now_us += 1_000_000;
    }
    /// Does something now.
    pub fn act(&mut self, action: Action) {
        self.log.push((self.now_us, action));
    }
    /// The picture of now. Parts that did not change since the last call keep their `Rc`.
    pub fn frame(&mut self) -> Rc<Frame> {
        let frame = Rc::make_mut(&mut self.frame);
        frame.at_us = self.now_us;
        self.frame.clone()
    }
    /// Seed and actions as text, for a report or to run the same again.
    pub fn report(&self) -> String {
        serde_json::json!({ "seed": self.seed, "actions": self.log }).to_string()
    }
}
