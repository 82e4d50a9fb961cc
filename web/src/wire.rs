//! The way of a request on the screen, from the load balancer to a pod's tile.

/// A point in pixels.
pub type Point = (f64, f64);

/// Radius of a wire's corners.
const CORNER: f64 = 7.0;
/// Pieces of the curve below the balancer.
const CURVE_STEPS: u32 = 12;

/// A line of short pieces that knows its length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wire {
    /// Corner points.
    pub points: Vec<Point>,
    /// Length from the start up to each point.
    lengths: Vec<f64>,
}

impl Wire {
    /// From the balancer in a curve to the top of a gutter, down the gutter, along the gap above the tile, and into it.
    pub fn new(from: Point, gutter: Point, tile: Point) -> Self {
        let middle = (from.1 + gutter.1) / 2.0;
        let mut points: Vec<Point> = (0..=CURVE_STEPS)
            .map(|step| {
                let t = f64::from(step) / f64::from(CURVE_STEPS);
                cubic([from, (from.0, middle), (gutter.0, middle), gutter], t)
            })
            .collect();
        let row = tile.1 - 4.0;
        turn(&mut points, gutter, (gutter.0, row), (tile.0, row));
        turn(&mut points, (gutter.0, row), (tile.0, row), (tile.0, tile.1 + 5.0));
        points.push((tile.0, tile.1 + 5.0));
        let mut length = 0.0;
        let mut before = from;
        let lengths = points
            .iter()
            .map(|point| {
                length += distance(before, *point);
                before = *point;
                length
            })
            .collect();
        Self { points, lengths }
    }

    /// The point after a share of the way, 0 to 1.
    pub fn at(&self, share: f64) -> Option<Point> {
        let goal = share.clamp(0.0, 1.0) * self.lengths.last()?;
        let next = self.lengths.partition_point(|length| *length < goal).max(1);
        let (from, to) = (self.points.get(next - 1)?, self.points.get(next)?);
        let (start, end) = (self.lengths.get(next - 1)?, self.lengths.get(next)?);
        let part = if end > start { (goal - start) / (end - start) } else { 0.0 };
        Some((from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part))
    }
}

fn cubic([a, b, c, d]: [Point; 4], t: f64) -> Point {
    let s = 1.0 - t;
    let mix = |a: f64, b: f64, c: f64, d: f64| {
        a * s * s * s + 3.0 * b * s * s * t + 3.0 * c * s * t * t + d * t * t * t
    };
    (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
}

/// Adds a rounded corner at `corner`.
fn turn(points: &mut Vec<Point>, before: Point, corner: Point, after: Point) {
    let near = |other: Point| {
        let length = distance(corner, other).max(0.01);
        let part = (CORNER / length).min(0.5);
        (corner.0 + (other.0 - corner.0) * part, corner.1 + (other.1 - corner.1) * part)
    };
    let (enter, leave) = (near(before), near(after));
    for step in 0..=4 {
        let t = f64::from(step) / 4.0;
        points.push(cubic([enter, corner, corner, leave], t));
    }
}

fn distance(a: Point, b: Point) -> f64 {
    ((a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_leads_from_the_balancer_into_the_tile() {
        let wire = Wire::new((450.0, 10.0), (8.0, 60.0), (80.0, 120.0));
        let close = |a: Option<Point>, b: Point| a.is_some_and(|a| distance(a, b) < 0.5);
        assert!(close(wire.at(0.0), (450.0, 10.0)));
        assert!(close(wire.at(1.0), (80.0, 125.0)));
        assert!(close(wire.at(7.0), (80.0, 125.0)));
        // It passes the gutter, and never leaves the box of its corners.
        assert!(wire.points.iter().any(|point| distance(*point, (8.0, 60.0)) < 0.5));
        assert!(
            (0..=100)
                .filter_map(|part| wire.at(f64::from(part) / 100.0))
                .all(|(x, y)| { (8.0..=450.0).contains(&x) && (10.0..=125.0).contains(&y) })
        );
        assert_eq!(Wire::default().at(0.5), None);
    }
}
