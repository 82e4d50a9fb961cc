//! What happens in one frame of the browser: each part of the page in its turn, and as much simulation as there is time for.

use super::App;
use crate::browser::{address, frame_loop};
use crate::view;
use setpoint_lab::Action;
use setpoint_lab::frame::Frame;
use std::rc::Rc;

/// Most and least simulation work per frame of the browser, in milliseconds.
pub(super) const BUDGET_MS: [f64; 2] = [8.0, 2.0];
/// The same while the simulation keeps up, bursts aside, which are spread over some frames.
const EASY_MS: f64 = 3.0;
/// What part of it is left to the simulation in a frame in which a part of the page is drawn as well.
const DRAWING_SHARE: f64 = 0.5;
/// A frame that came later than this had too much to do.
const LATE_MS: f64 = 20.0;
/// Time between two pictures, in milliseconds; what moves does so on the canvas, in every frame.
const PICTURE_MS: f64 = 30.0;
/// The same for a crowd of pods.
const CROWD_MS: f64 = 60.0;
/// So many pods are a crowd.
const CROWD: usize = 400;
/// How long the first picture stands before time begins to pass, in milliseconds.
const OPENING_MS: f64 = 500.0;
/// How often the slow parts of the page (counters, chart) are brought up to date, in milliseconds.
const CALM_MS: f64 = 250.0;
/// The same for the panel beside the cluster, which is mostly text.
const TOLD_MS: f64 = 400.0;
/// How long the load slider must rest before its value is an action.
const REST_MS: f64 = 160.0;

impl App {
    /// One frame of the browser: dots move, a part of the page is drawn anew, and time passes within the budget.
    pub(super) fn beat(&mut self, now_ms: f64) -> bool {
        let began_ms = frame_loop::now_ms();
        let wall_ms = self.pace.wall_ms(now_ms);
        let moving_ms = if self.playing { wall_ms } else { 0.0 };
        let mut changed = self.stage.beat(&self.frame, now_ms, moving_ms, self.pace.speed());
        let is_open = now_ms - *self.opened_ms.get_or_insert(now_ms) >= OPENING_MS;
        // Who moves the pointer over the chart does something in every frame; then turns are taken in every other.
        self.waits = std::mem::take(&mut self.is_busy) && !self.waits;
        let draws = !self.waits && (self.settle_load(now_ms) || self.take_turns(now_ms));
        changed |= draws;
        if self.playing && is_open && wall_ms > 0.0 {
            self.run(wall_ms, began_ms, draws);
        }
        if self.language.waits() {
            let (is_new, effect) = self.language.beat(now_ms, &mut self.session);
            changed |= is_new;
            self.heed(effect);
        }
        if let Some(status) = self.crier.listen(now_ms, &self.frame) {
            self.status = status.into();
            changed = true;
        }
        changed
    }

    /// Counters, lines and pictures take turns, so that no frame has to draw all of them. Says whether one has to be drawn.
    fn take_turns(&mut self, now_ms: f64) -> bool {
        let is_due =
            |shown: &Rc<Frame>, at_ms: f64, ms: f64| now_ms - at_ms >= ms && !Rc::ptr_eq(shown, &self.frame);
        if is_due(&self.told, self.told_ms, TOLD_MS) {
            self.told_ms = now_ms;
            self.told = self.frame.clone();
            self.measure();
            self.inspect();
        } else if is_due(&self.calm, self.calm_ms, CALM_MS) {
            self.calm_ms = now_ms;
            self.calm = self.frame.clone();
            self.desk.settle();
        } else if std::mem::take(&mut self.is_moved) {
            let seed = Some(self.frame.seed).filter(|seed| *seed != address::query_seed().unwrap_or(1));
            address::set_fragment(&self.side.to_fragment(seed));
            return false;
        } else if self.playing && now_ms - self.looked_ms >= self.picture_ms() {
            self.looked_ms = now_ms;
            self.frame = self.session.frame_in_turns();
            self.desk.see(&self.frame);
        } else {
            return false;
        }
        true
    }

    /// Time between two pictures.
    fn picture_ms(&self) -> f64 {
        let pods: usize = self.frame.nodes.iter().map(|node| node.pods.len()).sum();
        if pods > CROWD { CROWD_MS } else { PICTURE_MS }
    }

    /// Lets time pass. `began_ms` is when the frame's work began.
    fn run(&mut self, wall_ms: f64, began_ms: f64, draws: bool) {
        let from_us = self.session.now_us();
        // What must be drawn comes first: late frames leave less to the simulation, good ones more again.
        let wished_ms = if wall_ms > LATE_MS { self.budget_ms * 0.7 } else { self.budget_ms + 0.2 };
        self.budget_ms = wished_ms.clamp(BUDGET_MS[1], BUDGET_MS[0]);
        let share = match (self.waits, draws) {
            (true, _) => 0.0,
            (_, true) => DRAWING_SHARE,
            (_, false) => 1.0,
        };
        let easy_ms = EASY_MS + self.pace.debt() * (BUDGET_MS[0] - EASY_MS);
        let budget_ms = self.budget_ms.min(easy_ms) * share;
        self.session.advance(from_us + self.pace.span_us(wall_ms), &mut || {
            frame_loop::now_ms() - began_ms < budget_ms
        });
        self.pace.record(wall_ms, self.session.now_us() - from_us);
    }

    /// Sends the slider's value once it has rested, so that one drag is one action.
    fn settle_load(&mut self, now_ms: f64) -> bool {
        let Some(load) = &mut self.load else { return false };
        if now_ms - *load.since_ms.get_or_insert(now_ms) < REST_MS {
            return false;
        }
        let rps = load.rps;
        self.load = None;
        if let Some((namespace, service)) = view::service_of(&self.frame) {
            self.act(Action::SetLoad { namespace, service, rps });
        }
        true
    }
}
