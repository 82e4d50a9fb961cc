//! Lines of the chart as SVG paths in a box of [`WIDTH`] by [`HEIGHT`].

use setpoint_lab::frame::Sample;
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
pub fn y(value: i64, top: i64) -> i64 {
    HEIGHT - value.clamp(0, top) * HEIGHT / top.max(1)
}

/// A second of the run with its place on the lane.
pub type Point<'a> = (i64, &'a Sample);

/// What a lane shows of a second.
pub type Value = fn(&Sample) -> Option<i64>;

/// The samples within the span, with their places.
pub fn points(samples: &[Sample], span: Span) -> Vec<Point<'_>> {
    let from = samples.partition_point(|sample| sample.at_us < span.from_us);
    samples.iter().skip(from).map(|sample| (span.x(sample.at_us), sample)).collect()
}

/// First figures of a scale's upper end, times ten.
const ROUND: [i64; 11] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100];

/// The upper end of a lane: a round number with some air above the highest value, so that a line never lies on the edge.
pub fn top(points: &[Point], least: i64, value: Value) -> i64 {
    let most = points.iter().filter_map(|(_, sample)| value(sample)).max().unwrap_or(0).max(least);
    let wanted = most + most / 20 + i64::from(most < 20);
    let mut unit = 1;
    while unit * 10 < wanted {
        unit *= 10;
    }
    let fits = |round: &i64| round * unit / 10 >= wanted && round * unit % 10 == 0;
    ROUND.into_iter().find(fits).unwrap_or(100) * unit / 10
}

/// A line that holds each value up to the next point. `None` breaks it.
pub fn steps(points: &[Point], value: Value, top: i64) -> String {
    let mut path = String::new();
    let mut before = None;
    for (x, sample) in points {
        let y = value(sample).map(|value| y(value, top));
        match (before, y) {
            (_, None) => {}
            (None, Some(y)) => drop(write!(path, "M{x} {y}")),
            (Some(before), Some(y)) if before == y => drop(write!(path, "H{x}")),
            (Some(_), Some(y)) => drop(write!(path, "H{x}V{y}")),
        }
        before = y;
    }
    path
}

/// The same line, closed along the lower edge.
pub fn area(line: &str, points: &[Point]) -> String {
    match points {
        [(from, _), .., (to, _)] => format!("{line}H{to}V{HEIGHT}H{from}Z"),
        _ => String::new(),
    }
}

/// An upright bar for each value above zero.
pub fn bars(points: &[Point], value: Value, top: i64) -> String {
    let mut path = String::new();
    for (x, sample) in points {
        if let Some(value) = value(sample).filter(|value| *value > 0) {
            // Even one failure among thousands must be seen.
            let _ = write!(path, "M{x} {HEIGHT}V{}", y(value, top).min(HEIGHT - 14));
        }
    }
    path
}

/// Place and value of the highest point of each run of values above zero, runs that are close together taken as one.
pub fn peaks(points: &[Point], value: Value) -> Vec<(i64, i64)> {
    let mut peaks: Vec<(i64, i64)> = Vec::new();
    let mut end = -WIDTH;
    for (x, sample) in points {
        let Some(value) = value(sample).filter(|value| *value > 0) else { continue };
        match peaks.last_mut() {
            Some(last) if x - end < WIDTH / 40 => {
                if value > last.1 {
                    *last = (*x, value);
                }
            }
            _ => peaks.push((*x, value)),
        }
        end = *x;
    }
    peaks
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
        let samples: Vec<Sample> = [None, Some(0), Some(5), Some(5), None, Some(20)]
            .into_iter()
            .enumerate()
            .map(|(at, cpu_percent)| Sample { at_us: at as i64 * 600_000, cpu_percent, ..Sample::default() })
            .collect();
        let points = points(&samples, Span { from_us: 0, length_us: 60_000_000 });
        let value: Value = |sample| sample.cpu_percent.map(i64::from);
        assert_eq!(steps(&points, value, 10), "M10 100H20V50H30M50 0");
        assert_eq!(area("M0 50", &points), "M0 50H50V100H0Z");
        assert_eq!(area("", &[]), "");
        assert_eq!(bars(&points, value, 100), "M20 100V86M30 100V86M50 100V80");
        assert_eq!([4, 10, 20, 100, 1000].map(|least| top(&points, least, value)), [25, 25, 25, 120, 1200]);
        assert_eq!(top(&[], 4, value), 5);
        assert_eq!(peaks(&points, value), [(50, 20)]);
        assert_eq!(peaks(&points[..4], value), [(20, 5)]);
    }
}
