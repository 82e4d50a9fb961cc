//! How fast simulated time passes.

/// Speeds to choose from, in simulated seconds per second: a log scale with round numbers.
pub const SPEEDS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
/// The notch of [`SPEEDS`] that the page starts with.
pub const START_NOTCH: usize = 2;
/// Longest time that one frame may stand for, in milliseconds.
const FRAME_MS_MAX: f64 = 100.0;
/// A gap this long means that the tab was hidden or the machine slept; then no time has passed.
const GAP_MS: f64 = 1000.0;
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

    /// Simulated microseconds that a frame of `wall_ms` should bring.
    pub fn span_us(&self, wall_ms: f64) -> i64 {
        (wall_ms * 1000.0 * self.speed()) as i64
    }

    /// Takes note of what a frame brought.
    pub fn record(&mut self, wall_ms: f64, simulated_us: i64) {
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
    fn a_speed_that_is_not_held_is_told() {
        let mut pace = Pace::new();
        pace.set_notch(8);
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
