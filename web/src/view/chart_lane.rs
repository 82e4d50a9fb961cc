//! Lines of the chart as SVG paths in a box of [`WIDTH`] by [`HEIGHT`].

use std::fmt::Write;

/// Width of a lane's own units; the browser stretches them.
pub const WIDTH: i64 = 1000;
/// Height of a lane's own units.
pub const HEIGHT: i64 = 100;

/// The seconds that the chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Left end.
    pub from_us: i64,
    /// Length.
    pub length_us: i64,
}

impl Span {
    /// The shortest of one, two, five and ten minutes that holds the whole run; then its last ten minutes.
    pub fn of(at_us: i64) -> Self {
        let lengths = [60, 120, 300, 600].map(|seconds| seconds * 1_000_000);
        let length_us = lengths.into_iter().find(|length| at_us <= *length).unwrap_or(lengths[3]);
        Self { from_us: (at_us - length_us).max(0), length_us }
    }

    /// Place of a time, 0 to [`WIDTH`].
    pub fn x(self, at_us: i64) -> i64 {
        ((at_us - self.from_us) * WIDTH / self.length_us).clamp(0, WIDTH)
    }
}

/// Height of a value on a lane that ends at `top`.
fn y(value: i64, top: i64) -> i64 {
    HEIGHT - value.clamp(0, top) * HEIGHT / top.max(1)
}

/// A line that holds each value up to the next point. `None` breaks it.
pub fn steps(points: impl Iterator<Item = (i64, Option<i64>)>, top: i64) -> String {
    let mut path = String::new();
    let mut last = None;
    for (x, value) in points {
        let y = value.map(|value| y(value, top));
        // Points that change nothing would only make the path longer.
        match (last, y) {
            (_, None) => {}
            (None, Some(y)) => drop(write!(path, "M{x} {y}")),
            (Some(_), Some(y)) => drop(write!(path, "H{x}V{y}")),
        }
        last = y;
    }
    path
}

/// The same line, closed along the lower edge.
pub fn area(line: &str, from: i64, to: i64) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!("{line}V{HEIGHT}H{from}Z", line = line.to_string() + &format!("H{to}"))
    }
}

/// An upright bar for each value above zero.
pub fn bars(points: impl Iterator<Item = (i64, i64)>, top: i64) -> String {
    let mut path = String::new();
    for (x, value) in points.filter(|(_, value)| *value > 0) {
        // Even one failure among thousands must be seen.
        let _ = write!(path, "M{x} {HEIGHT}V{}", y(value, top).min(HEIGHT - 14));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_with_the_run() {
        for (seconds, from, length) in [(0, 0, 60), (60, 0, 60), (61, 0, 120), (599, 0, 600), (700, 100, 600)]
        {
            let span = Span::of(seconds * 1_000_000);
            assert_eq!((span.from_us, span.length_us), (from * 1_000_000, length * 1_000_000), "{seconds}");
        }
        assert_eq!(Span::of(0).x(30_000_000), 500);
    }

    #[test]
    fn paths() {
        let points = [(0, None), (10, Some(0)), (20, Some(5)), (30, None), (40, Some(20))];
        assert_eq!(steps(points.into_iter(), 10), "M10 100H20V50M40 0");
        assert_eq!(area("M0 50", 0, 30), "M0 50H30V100H0Z");
        assert_eq!(area("", 0, 30), "");
        assert_eq!(bars([(0, 0), (10, 1), (20, 50)].into_iter(), 100), "M10 100V86M20 100V50");
    }
}
