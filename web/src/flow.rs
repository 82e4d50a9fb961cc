//! Requests in motion: wires from the load balancer to where it sends, and dots for the requests.
//!
//! Everything is drawn on one canvas over the cluster. Positions are measured at the start of a browser frame, when the
//! layout of the last one still stands, so that measuring costs no second layout, and only now and then.

use crate::density::{Density, Level};
use crate::wire::{Point, Wire};
use setpoint_lab::frame::{Balancer, Flight, Frame};
use setpoint_lab::map::Map;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, DomRect, Element, HtmlCanvasElement, Path2d, Window};
use yew::NodeRef;

/// How long a dot travels, in milliseconds: real latencies would be too short to see.
const TRAVEL_MS: f64 = 620.0;
/// How long the cross of a failed request stays.
const CROSS_MS: f64 = 800.0;
/// Dots that start in a second, about; beyond, a dot stands for more requests.
const DOTS_PER_SECOND: f64 = 40.0;
/// Most dots at a time.
const DOTS_MAX: usize = 120;
/// Most crosses at a time; the counter has the exact number.
const CROSSES_MAX: usize = 12;
/// So many requests the frame tells one by one.
const FLIGHTS_TOLD: usize = 24;
/// Time between two looks at where things are.
const MEASURE_MS: f64 = 250.0;
/// A whole turn.
const TURN: f64 = 2.0 * std::f64::consts::PI;

/// How many requests a dot stands for, at a load and a speed: a round number.
pub fn requests_per_dot(rps: u32, speed: f64) -> u32 {
    let wanted = f64::from(rps) * speed / DOTS_PER_SECOND;
    let mut decade = 1;
    loop {
        if let Some(step) = [1, 2, 5].into_iter().find(|step| f64::from(step * decade) >= wanted) {
            return step * decade;
        }
        decade *= 10;
    }
}

/// The painter with its dots.
#[derive(Default)]
pub struct Flow {
    surface: Option<Surface>,
    lines: Vec<Line>,
    /// The line that leads to a pod.
    line_of: Map<u32, usize>,
    paths: Option<(Path2d, Path2d)>,
    rates: Vec<(Point, String)>,
    start: Point,
    dots: Vec<Dot>,
    /// Requests, successful and failed, that no dot has stood for yet.
    owed: [f64; 2],
    seen_us: i64,
    seen_counts: [u64; 2],
    drawn: Option<Drawn>,
}

/// A wire with the place where the rate of its node is written.
struct Line {
    wire: Wire,
    gutter: Point,
}

/// Where and in which colours to draw.
struct Surface {
    context: CanvasRenderingContext2d,
    size: (f64, f64),
    ratio: f64,
    measured_ms: f64,
    calm: bool,
    dot: String,
    wire: String,
    cross: String,
}

/// What is on the canvas, so that a page at rest draws nothing.
struct Drawn {
    balancer: Option<Rc<Balancer>>,
    measured_ms: f64,
}

struct Dot {
    pod: Option<u32>,
    failed: bool,
    age_ms: f64,
    /// Where refused requests drop, to the side of the balancer.
    side: f64,
}

/// Whether a request has ended since the last frame, or was sent since then if its end is still to come.
fn is_new(flight: &Flight, seen_us: i64, now_us: i64) -> bool {
    if flight.to_us > now_us { flight.from_us > seen_us } else { flight.to_us > seen_us }
}

impl Flow {
    /// Whether the person wants no motion.
    pub fn is_calm(&self) -> bool {
        self.surface.as_ref().is_some_and(|surface| surface.calm)
    }

    /// Draws one picture. `moving_ms` is how far dots move; 0 while time stands still. Says whether it has looked where
    /// things are.
    pub fn paint(
        &mut self,
        canvas: &NodeRef,
        frame: &Frame,
        density: Density,
        now_ms: f64,
        moving_ms: f64,
        per_dot: u32,
    ) -> bool {
        let measures = self.surface.as_ref().is_none_or(|surface| now_ms - surface.measured_ms > MEASURE_MS);
        if measures {
            self.measure(canvas, frame, density, now_ms);
        }
        self.launch(frame, f64::from(per_dot.max(1)));
        for dot in &mut self.dots {
            dot.age_ms += moving_ms;
        }
        self.dots.retain(|dot| dot.age_ms < TRAVEL_MS + if dot.failed { CROSS_MS } else { 0.0 });
        self.draw(frame, moving_ms > 0.0);
        measures
    }

    /// Starts dots for the requests that have ended since the last picture.
    fn launch(&mut self, frame: &Frame, per_dot: f64) {
        let seen_us = std::mem::replace(&mut self.seen_us, frame.at_us);
        let counts = [frame.traffic.ended - frame.traffic.failed, frame.traffic.failed];
        let seen = std::mem::replace(&mut self.seen_counts, counts);
        if self.is_calm() || frame.at_us == seen_us {
            self.dots.retain(|_| frame.at_us == seen_us);
            return;
        }
        for failed in [true, false] {
            let fresh: Vec<&Flight> = frame
                .flights
                .iter()
                .filter(|flight| flight.failed == failed && is_new(flight, seen_us, frame.at_us))
                .collect();
            let kind = usize::from(failed);
            let Some(owed) = self.owed.get_mut(kind) else { continue };
            // Where the frame could not tell all of them, the counts do.
            let all = match fresh.len() {
                few @ 0..FLIGHTS_TOLD => few as u64,
                _ => counts[kind].saturating_sub(seen[kind]),
            };
            let is_first = failed && all > 0 && !self.dots.iter().any(|dot| dot.failed);
            *owed = if is_first { per_dot } else { *owed + all as f64 };
            let starts = ((*owed / per_dot) as usize).min(fresh.len());
            *owed = (*owed - starts as f64 * per_dot).min(per_dot);
            let stride = fresh.len().checked_div(starts).unwrap_or(1).max(1);
            for flight in fresh.into_iter().step_by(stride).take(starts) {
                let crowded = failed && self.dots.iter().filter(|dot| dot.failed).count() >= CROSSES_MAX;
                if self.dots.len() < DOTS_MAX && !crowded {
                    let side = (flight.id % 11) as f64 * 14.0 - 70.0;
                    self.dots.push(Dot { pod: flight.pod, failed, age_ms: 0.0, side });
                }
            }
        }
    }

    /// Looks where the balancer, the nodes and the tiles are.
    fn measure(&mut self, canvas: &NodeRef, frame: &Frame, density: Density, now_ms: f64) -> Option<()> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let canvas = canvas.cast::<HtmlCanvasElement>()?;
        let own = canvas.get_bounding_client_rect();
        let balancer = document.get_element_by_id("balancer")?.get_bounding_client_rect();
        self.start = (balancer.x() + balancer.width() / 2.0 - own.x(), balancer.bottom() - own.y());
        self.surface = Surface::of(&window, canvas, (own.width(), own.height()), now_ms, self.surface.take());
        self.lines.clear();
        self.line_of = Map::new();
        self.paths = None;
        let to_tiles = density.level <= Level::Compact;
        let rect = |id: String| {
            document.get_element_by_id(&id).map(|found: Element| found.get_bounding_client_rect())
        };
        let mut top = None;
        for node in &frame.nodes {
            let Some(area) = rect(format!("node-{}", node.name)) else { continue };
            let (x, y) = (area.x() - own.x(), area.y() - own.y());
            // All wires come from one height, however many rows of nodes there are.
            let gutter = (x - 6.0, *top.get_or_insert(y));
            if !to_tiles {
                let end = (x + (area.width() / 2.0).min(40.0), y);
                self.lines.push(Line { wire: Wire::new(self.start, gutter, end), gutter });
            }
            for pod in &node.pods {
                if to_tiles {
                    let Some(tile) = rect(format!("pod-{}", pod.id)) else { continue };
                    self.lines
                        .push(Line { wire: Wire::new(self.start, gutter, middle(&tile, &own)), gutter });
                }
                self.line_of.insert(pod.id, self.lines.len().saturating_sub(1));
            }
        }
        Some(())
    }

    fn draw(&mut self, frame: &Frame, moving: bool) {
        let Some(surface) = &self.surface else { return };
        let same = |drawn: &Drawn| {
            drawn.measured_ms.to_bits() == surface.measured_ms.to_bits()
                && match (&drawn.balancer, &frame.balancer) {
                    (Some(a), Some(b)) => Rc::ptr_eq(a, b),
                    (a, b) => a.is_none() && b.is_none(),
                }
        };
        let is_same = self.drawn.as_ref().is_some_and(same);
        if is_same && (self.dots.is_empty() || !moving) {
            return;
        }
        let now = Drawn { balancer: frame.balancer.clone(), measured_ms: surface.measured_ms };
        if !is_same || self.paths.is_none() {
            self.plan(frame);
        }
        // The picture with its last dots gone must be drawn once more.
        self.drawn = (self.dots.is_empty() || !moving).then_some(now);
        let Some(surface) = &self.surface else { return };
        let context = &surface.context;
        let _ = context.set_transform(surface.ratio, 0.0, 0.0, surface.ratio, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, surface.size.0, surface.size.1);
        self.draw_wires(surface);
        self.draw_dots(surface);
        self.draw_crosses(surface);
    }

    /// Which wires are drawn whole and which broken, and what flows to each node.
    fn plan(&mut self, frame: &Frame) {
        self.rates.clear();
        let (Ok(whole), Ok(broken)) = (Path2d::new(), Path2d::new()) else { return };
        if let Some(balancer) = &frame.balancer {
            // Per line: routes, and those of them that answer nothing.
            let mut routes = vec![(0u32, 0u32); self.lines.len()];
            for (ids, is_silent) in [(&balancer.routes, false), (&balancer.silent, true)] {
                for line in ids.iter().filter_map(|id| self.line_of.get(id)) {
                    let Some(route) = routes.get_mut(*line) else { continue };
                    if is_silent { route.1 += 1 } else { route.0 += 1 }
                }
            }
            for (line, (all, silent)) in self.lines.iter().zip(&routes).filter(|(_, route)| route.0 > 0) {
                trace(&line.wire, if all == silent { &broken } else { &whole });
            }
            let sent = frame.traffic.served_per_second + frame.traffic.failed_per_second;
            if self.is_calm() && sent > 0 {
                self.rates =
                    rates(&self.lines, &routes, f64::from(sent) / balancer.routes.len().max(1) as f64);
            }
        }
        self.paths = Some((whole, broken));
    }

    fn draw_wires(&self, surface: &Surface) {
        let context = &surface.context;
        context.set_line_width(1.6);
        if let Some((whole, broken)) = &self.paths {
            context.set_stroke_style_str(&surface.wire);
            context.stroke_with_path(whole);
            dashes(context, &[2.0, 6.0]);
            context.set_stroke_style_str(&surface.cross);
            context.stroke_with_path(broken);
            dashes(context, &[]);
        }
        if !self.rates.is_empty() {
            context.set_font("600 11.5px system-ui, sans-serif");
            context.set_fill_style_str(&surface.dot);
            for ((x, y), rate) in &self.rates {
                let _ = context.fill_text(rate, x + 8.0, y - 5.0);
            }
        }
    }

    fn draw_dots(&self, surface: &Surface) {
        let context = &surface.context;
        for failed in [false, true] {
            context.begin_path();
            for dot in self.dots.iter().filter(|dot| dot.failed == failed && dot.age_ms < TRAVEL_MS) {
                if let Some((x, y)) = self.place(dot) {
                    context.move_to(x + 3.0, y);
                    let _ = context.arc(x, y, 3.0, 0.0, TURN);
                }
            }
            if failed {
                context.set_stroke_style_str(&surface.cross);
                context.stroke();
            } else {
                context.set_fill_style_str(&surface.dot);
                context.fill();
            }
        }
    }

    /// Where a request died there is a cross, with a ring that widens.
    fn draw_crosses(&self, surface: &Surface) {
        let context = &surface.context;
        context.set_stroke_style_str(&surface.cross);
        context.set_line_width(2.2);
        context.begin_path();
        for dot in self.dots.iter().filter(|dot| dot.failed && dot.age_ms >= TRAVEL_MS) {
            if let Some((x, y)) = self.place(dot) {
                let radius = (dot.age_ms - TRAVEL_MS) / CROSS_MS * 30.0;
                if radius < 10.0 {
                    context.move_to(x + radius, y);
                    let _ = context.arc(x, y, radius, 0.0, TURN);
                }
                context.move_to(x - 4.0, y - 4.0);
                context.line_to(x + 4.0, y + 4.0);
                context.move_to(x + 4.0, y - 4.0);
                context.line_to(x - 4.0, y + 4.0);
            }
        }
        context.stroke();
    }

    fn place(&self, dot: &Dot) -> Option<Point> {
        let share = dot.age_ms / TRAVEL_MS;
        match dot.pod {
            Some(pod) => self.lines.get(*self.line_of.get(&pod)?)?.wire.at(share),
            None => {
                let fallen = share.min(1.0);
                Some((self.start.0 + dot.side * fallen, self.start.1 + 18.0 * fallen))
            }
        }
    }
}

/// The middle of a tile's upper edge.
fn middle(tile: &DomRect, own: &DomRect) -> Point {
    (tile.x() + tile.width() / 2.0 - own.x(), tile.y() - own.y())
}

fn trace(wire: &Wire, path: &Path2d) {
    for (at, point) in wire.points.iter().enumerate() {
        if at == 0 { path.move_to(point.0, point.1) } else { path.line_to(point.0, point.1) }
    }
}

fn dashes(context: &CanvasRenderingContext2d, lengths: &[f64]) {
    let _ = context.set_line_dash(
        &lengths.iter().map(|length| js_sys::Number::from(*length)).collect::<js_sys::Array>(),
    );
}

/// What flows to each node, where its wires begin to run beside it.
fn rates(lines: &[Line], routes: &[(u32, u32)], each: f64) -> Vec<(Point, String)> {
    let mut rates: Vec<(Point, f64)> = Vec::new();
    for (line, (count, _)) in lines.iter().zip(routes).filter(|(_, route)| route.0 > 0) {
        let rate = f64::from(*count) * each;
        match rates.last_mut() {
            Some((at, sum)) if at.0.to_bits() == line.gutter.0.to_bits() => *sum += rate,
            _ => rates.push((line.gutter, rate)),
        }
    }
    rates.into_iter().map(|(at, rate)| (at, format!("{rate:.0}/s"))).collect()
}

impl Surface {
    /// Takes the canvas as it is now; the colours are what its style sheet says.
    fn of(
        window: &Window,
        canvas: HtmlCanvasElement,
        size: (f64, f64),
        now_ms: f64,
        before: Option<Self>,
    ) -> Option<Self> {
        let ratio = window.device_pixel_ratio();
        let pixels = ((size.0 * ratio) as u32, (size.1 * ratio) as u32);
        // Setting a size clears the canvas, so only a new one is set.
        if (canvas.width(), canvas.height()) != pixels {
            canvas.set_width(pixels.0);
            canvas.set_height(pixels.1);
        }
        let style = window.get_computed_style(&canvas).ok().flatten()?;
        let colour = |name| style.get_property_value(name).unwrap_or_default();
        let calm = window
            .match_media("(prefers-reduced-motion: reduce)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches());
        let context = match before {
            Some(before) => before.context,
            None => canvas.get_context("2d").ok().flatten()?.dyn_into().ok()?,
        };
        Some(Self {
            context,
            size,
            ratio,
            measured_ms: now_ms,
            calm,
            dot: colour("color"),
            wire: colour("border-top-color"),
            cross: colour("outline-color"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_stands_for_a_round_number_of_requests() {
        for (rps, speed, expected) in [
            (0, 1.0, 1),
            (10, 1.0, 1),
            (40, 1.0, 1),
            (60, 1.0, 2),
            (1000, 1.0, 50),
            (1000, 4.0, 100),
            (20_000, 60.0, 50_000),
        ] {
            assert_eq!(requests_per_dot(rps, speed), expected, "{rps} at {speed}");
        }
    }
}
