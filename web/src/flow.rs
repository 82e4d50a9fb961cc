//! Requests in motion: wires from the load balancer to the pods that it sends to, and a dot for each request.
//!
//! Everything is drawn on one canvas over the cluster. Positions are measured at the start of a browser frame, when the
//! layout of the last one still stands, so that measuring costs no second layout. Past a limit the dots are a sample.

use crate::wire::{Point, Wire};
use setpoint_lab::frame::{Flight, Frame};
use setpoint_lab::map::Map;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Document, HtmlCanvasElement, Window};
use yew::NodeRef;

/// How long a dot travels, in milliseconds: real latencies would be too short to see.
const TRAVEL_MS: f64 = 620.0;
/// How long the cross of a failed request stays.
const CROSS_MS: f64 = 800.0;
/// Most dots at a time.
const DOTS_MAX: usize = 120;
/// Most dots that start in one frame, of each kind.
const STARTS_MAX: usize = 2;
/// Most failed requests that are shown at a time; the counter has the exact number.
const FAILED_MAX: usize = 10;
/// Most tiles that get a wire of their own.
const WIRES_MAX: usize = 300;
/// Time between two looks at where things are.
const MEASURE_MS: f64 = 200.0;
/// A whole turn.
const TURN: f64 = 2.0 * std::f64::consts::PI;

/// The painter with its dots.
#[derive(Default)]
pub struct Flow {
    surface: Option<Surface>,
    wires: Map<u32, Wire>,
    start: Point,
    dots: Vec<Dot>,
    seen_us: i64,
    drawn: Option<Drawn>,
}

/// Whether a request has ended since the last frame, or was sent since then if its end is still to come.
fn is_new(flight: &Flight, seen_us: i64, now_us: i64) -> bool {
    if flight.to_us > now_us { flight.from_us > seen_us } else { flight.to_us > seen_us }
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
#[derive(PartialEq)]
struct Drawn {
    routes: Vec<u32>,
    measured_ms: f64,
}

struct Dot {
    pod: Option<u32>,
    failed: bool,
    age_ms: f64,
    /// Where refused requests drop, to the side of the balancer.
    side: f64,
}

impl Flow {
    /// Draws one picture. `wall_ms` is how far dots move; 0 while time stands still.
    pub fn paint(&mut self, canvas: &NodeRef, frame: &Frame, now_ms: f64, wall_ms: f64) {
        if self.surface.as_ref().is_none_or(|surface| now_ms - surface.measured_ms > MEASURE_MS) {
            self.measure(canvas, frame, now_ms);
        }
        let calm = self.surface.as_ref().is_none_or(|surface| surface.calm);
        self.launch(frame, calm);
        for dot in &mut self.dots {
            dot.age_ms += wall_ms;
        }
        self.dots.retain(|dot| dot.age_ms < TRAVEL_MS + if dot.failed { CROSS_MS } else { 0.0 });
        let routes = frame.balancer.as_ref().map_or(&[][..], |balancer| &balancer.routes);
        self.draw(routes, wall_ms > 0.0);
    }

    /// Starts dots for the requests that have ended since the last picture, at most a few per frame and evenly taken.
    fn launch(&mut self, frame: &Frame, calm: bool) {
        let seen_us = std::mem::replace(&mut self.seen_us, frame.at_us);
        if calm {
            self.dots.clear();
            return;
        }
        for failed in [true, false] {
            let fresh: Vec<&Flight> = frame
                .flights
                .iter()
                .filter(|flight| is_new(flight, seen_us, frame.at_us) && flight.failed == failed)
                .collect();
            let stride = fresh.len().div_ceil(STARTS_MAX).max(1);
            for flight in fresh.into_iter().step_by(stride) {
                let crowded = failed && self.dots.iter().filter(|dot| dot.failed).count() >= FAILED_MAX;
                if self.dots.len() < DOTS_MAX && !crowded {
                    let side = (flight.id % 11) as f64 * 14.0 - 70.0;
                    self.dots.push(Dot { pod: flight.pod, failed, age_ms: 0.0, side });
                }
            }
        }
    }

    /// Looks where the balancer and the tiles are.
    fn measure(&mut self, canvas: &NodeRef, frame: &Frame, now_ms: f64) -> Option<()> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let canvas = canvas.cast::<HtmlCanvasElement>()?;
        let own = canvas.get_bounding_client_rect();
        let balancer = document.get_element_by_id("balancer")?.get_bounding_client_rect();
        self.start = (balancer.x() + balancer.width() / 2.0 - own.x(), balancer.bottom() - own.y());
        self.surface = Surface::of(&window, canvas, (own.width(), own.height()), now_ms, self.surface.take());
        self.wires = wires(&document, frame, self.start, (own.x(), own.y()));
        Some(())
    }

    fn draw(&mut self, routes: &[u32], moving: bool) {
        let Some(surface) = &self.surface else { return };
        let now = Drawn { routes: routes.to_vec(), measured_ms: surface.measured_ms };
        if self.drawn.as_ref() == Some(&now) && (self.dots.is_empty() || !moving) {
            return;
        }
        // The picture with its last dots gone must be drawn once more.
        self.drawn = self.dots.is_empty().then_some(now);
        let context = &surface.context;
        let _ = context.set_transform(surface.ratio, 0.0, 0.0, surface.ratio, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, surface.size.0, surface.size.1);
        self.draw_wires(surface, routes);
        self.draw_dots(surface);
        self.draw_crosses(surface);
    }

    /// One path for all of them, so that where they run together they are drawn once.
    fn draw_wires(&self, surface: &Surface, routes: &[u32]) {
        let context = &surface.context;
        context.begin_path();
        for wire in routes.iter().filter_map(|id| self.wires.get(id)) {
            for (at, point) in wire.points.iter().enumerate() {
                if at == 0 { context.move_to(point.0, point.1) } else { context.line_to(point.0, point.1) }
            }
        }
        context.set_stroke_style_str(&surface.wire);
        context.set_line_width(1.6);
        context.stroke();
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

    fn draw_crosses(&self, surface: &Surface) {
        let context = &surface.context;
        context.set_stroke_style_str(&surface.cross);
        context.set_line_width(2.0);
        context.begin_path();
        for dot in self.dots.iter().filter(|dot| dot.failed && dot.age_ms >= TRAVEL_MS) {
            if let Some((x, y)) = self.place(dot) {
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
            Some(pod) => self.wires.get(&pod)?.at(share),
            None => {
                let fallen = share.min(1.0);
                Some((self.start.0 + dot.side * fallen, self.start.1 + 18.0 * fallen))
            }
        }
    }
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

/// A wire to every tile, from positions on the screen less `origin`.
fn wires(document: &Document, frame: &Frame, start: Point, origin: Point) -> Map<u32, Wire> {
    let mut found = Map::new();
    let mut top = None;
    for node in &frame.nodes {
        let Some(element) = document.get_element_by_id(&format!("node-{}", node.name)) else { continue };
        let area = element.get_bounding_client_rect();
        let top = *top.get_or_insert(area.y() - origin.1);
        for pod in node.pods.iter().take(WIRES_MAX.saturating_sub(found.len())) {
            let Some(tile) = document.get_element_by_id(&format!("pod-{}", pod.id)) else { continue };
            let tile = tile.get_bounding_client_rect();
            let end = (tile.x() + tile.width() / 2.0 - origin.0, tile.y() - origin.1);
            found.insert(pod.id, Wire::new(start, (area.x() - 6.0 - origin.0, top), end));
        }
    }
    found
}
