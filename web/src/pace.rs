//! How fast simulated time passes.

/// Speeds to choose from, in simulated seconds per second: a log scale with round numbers.
pub const SPEEDS: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 25.0, 60.0];
/// The notch of [`SPEEDS`] that the page starts with.
pub const START_NOTCH: usize = 2;
/// Longest time that one frame may stand for, in milliseconds.
const FRAME_MS_MAX: f64 = 100.0;
/// A gap this long means that the tab was hidden or the machine slept; then no time has passed.
const GAP_MS: f64 = 1000.0;
/// So many milliseconds' worth of simulated time may be put off to the next frames, which spreads bursts over them. More is
/// dropped rather than caught up with: a slow machine shows a slower cluster, not a jumping one.
const DEBT_MS: f64 = 100.0;
/// How long the reached speed is averaged, in milliseconds.
const WINDOW_MS: f64 = 500.0;

/// Turns frames into simulated time, and notices when the wish is not met.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Index into [`SPEEDS`].
    pub notch: usize,
    /// Speed that was reached, where it is well below the wish.
    pub reached: Option<f64>,
    last_ms: Option<f64>,
    /// Simulated time that was put off.
    owed_us: i64,
    wished_us: f64,
    simulated_us: f64,
    wall_ms: f64,
}

impl Pace {
    /// At the speed that the page starts with.
    pub fn new() -> Self {
        Self {
            notch: START_NOTCH,
            reached: None,
            last_ms: None,
            owed_us: 0,
            wished_us: 0.0,
            simulated_us: 0.0,
            wall_ms: 0.0,
        }
    }

    /// Simulated seconds per second.
    pub fn speed(&self) -> f64 {
        SPEEDS.get(self.notch).copied().unwrap_or(1.0)
    }

    /// Changes the speed, and measures anew.
    pub fn set_notch(&mut self, notch: usize) {
        *self = Self { notch: notch.min(SPEEDS.len() - 1), last_ms: self.last_ms, ..Self::new() };
    }

    /// Milliseconds since the last frame, as far as they count.
    pub fn wall_ms(&mut self, now_ms: f64) -> f64 {
        let passed = now_ms - self.last_ms.replace(now_ms).unwrap_or(now_ms);
        if (0.0..GAP_MS).contains(&passed) { passed.min(FRAME_MS_MAX) } else { 0.0 }
    }

    /// Simulated microseconds that a frame of `wall_ms` should bring, with what earlier ones have put off.
    pub fn span_us(&self, wall_ms: f64) -> i64 {
        (wall_ms * 1000.0 * self.speed()) as i64 + self.owed_us
    }

    /// How much of what may be put off has been, 0 to 1.
    pub fn debt(&self) -> f64 {
        self.owed_us as f64 / self.debt_max_us() as f64
    }

    fn debt_max_us(&self) -> i64 {
        (DEBT_MS * 1000.0 * self.speed()) as i64
    }

    /// Takes note of what a frame brought.
    pub fn record(&mut self, wall_ms: f64, simulated_us: i64) {
        self.owed_us = (self.span_us(wall_ms) - simulated_us).clamp(0, self.debt_max_us());
        self.wall_ms += wall_ms;
        self.wished_us += wall_ms * 1000.0 * self.speed();
        self.simulated_us += simulated_us as f64;
        if self.wall_ms >= WINDOW_MS {
            let behind = self.simulated_us < 0.9 * self.wished_us;
            self.reached = behind.then(|| self.simulated_us / (self.wall_ms * 1000.0));
            (self.wall_ms, self.wished_us, self.simulated_us) = (0.0, 0.0, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_time() {
        let mut pace = Pace::new();
        // First frame, a usual one, a slow one, a hidden tab, a clock that went back.
        let cases = [(1000.0, 0.0), (1016.0, 16.0), (1416.0, 100.0), (9000.0, 0.0), (8000.0, 0.0)];
        for (now_ms, expected) in cases {
            assert!((pace.wall_ms(now_ms) - expected).abs() < 1e-9, "{now_ms}");
        }
        pace.set_notch(99);
        assert_eq!(pace.span_us(10.0), 600_000);
    }

    #[test]
    fn bursts_are_spread_and_what_is_too_much_is_dropped() {
        let mut pace = Pace::new();
        // Wall time, what it should bring, what it brings, the debt after it.
        let cases = [
            (16.0, 16_000, 16_000, 0.0),
            (16.0, 16_000, 6_000, 0.1),
            (16.0, 26_000, 26_000, 0.0),
            (100.0, 100_000, 50_000, 0.5),
            (100.0, 150_000, 0, 1.0),
            (16.0, 116_000, 200_000, 0.0),
        ];
        for (wall_ms, span_us, simulated_us, debt) in cases {
            assert_eq!(pace.span_us(wall_ms), span_us);
            pace.record(wall_ms, simulated_us);
            assert!((pace.debt() - debt).abs() < 1e-9, "{}", pace.debt());
        }
    }

    #[test]
    fn a_speed_that_is_not_held_is_told() {
        let mut pace = Pace::new();
        pace.set_notch(SPEEDS.len() - 1);
        for _ in 0..6 {
            pace.record(100.0, 3_000_000);
        }
        assert_eq!(pace.reached, Some(30.0));
        for _ in 0..6 {
            pace.record(100.0, 6_000_000);
        }
        assert_eq!(pace.reached, None);
    }
}
