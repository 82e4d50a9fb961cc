//! The run so far in three lanes on one time axis: load and failures, pods, CPU.

use super::chart_lane::{HEIGHT, Point, Span, Value, WIDTH, area, bars, points, steps, top};
use crate::words;
use setpoint_lab::frame::{Frame, Mark, Sample};
use yew::prelude::*;

/// Width of a letter in a mark's name, in the chart's own units, on a chart of middling width.
const LETTER: i64 = 9;

/// The lanes with their names and present values.
pub fn view(frame: &Frame) -> Html {
    let span = Span::of(frame.at_us);
    let points = points(&frame.history, span);
    let target =
        frame.app.as_ref().and_then(|app| app.autoscaler.as_ref()).map(|hpa| i64::from(hpa.target_percent));
    html! {
        <section class="panel chart" aria-label="History">
            { names(frame, target) }
            <svg class="plot" role="img" aria-label={summary(frame, span)}>
                { for marks(&frame.marks, span) }
                { load_lane(&points) }
                { pods_lane(&points) }
                { cpu_lane(&points, target) }
                { axis(span) }
                <line class="now" x1={x(span.x(frame.at_us))} x2={x(span.x(frame.at_us))} y1="14" y2="94" />
            </svg>
        </section>
    }
}

fn names(frame: &Frame, target: Option<i64>) -> Html {
    let app = frame.app.as_deref();
    let cpu = app.and_then(|app| app.cpu_percent).map_or_else(|| "–".to_string(), |cpu| format!("{cpu}%"));
    html! {
        <dl class="names">
            <div><dt><i class="k load" />{ "Load" }</dt><dd>{ format!("{}/s", frame.traffic.offered_rps) }</dd>
                <dt><i class="k failed" />{ "failed" }</dt><dd>{ format!("{}/s", frame.traffic.failed_per_second) }</dd></div>
            <div><dt><i class="k ready" />{ "Pods ready" }</dt><dd>{ app.map_or(0, |app| app.ready) }</dd>
                <dt><i class="k desired" />{ "desired" }</dt><dd>{ app.map_or(0, |app| app.target_replicas) }</dd></div>
            <div><dt><i class="k cpu" />{ "CPU" }</dt><dd>{ cpu }</dd>
                if let Some(target) = target {
                    <dt><i class="k target" />{ "target" }</dt><dd>{ format!("{target}%") }</dd>
                }
            </div>
        </dl>
    }
}

/// One lane, stretched to the width of the chart.
fn lane(y: &'static str, paths: Html) -> Html {
    html! {
        <svg {y} width="100%" height="23" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none">
            <path class="base" d={format!("M0 {HEIGHT}H{WIDTH}")} />{ paths }
        </svg>
    }
}

fn load_lane(points: &[Point]) -> Html {
    let load: Value = |sample| Some(i64::from(sample.rps));
    let top = top(points, 20, load);
    let line = steps(points, load, top);
    let failed = bars(points, |sample| Some(i64::from(sample.failed)), top);
    lane(
        "14",
        html! {
            <><path class="area" d={area(&line, points)} /><path class="load" d={line} /><path class="failed" d={failed} /></>
        },
    )
}

fn pods_lane(points: &[Point]) -> Html {
    let top = top(points, 4, |sample| Some(i64::from(sample.desired.max(sample.ready))));
    let line = |value: Value| steps(points, value, top);
    lane(
        "41",
        html! {
            <>
                <path class="desired" d={line(|sample| Some(i64::from(sample.desired)))} />
                <path class="ready" d={line(|sample| Some(i64::from(sample.ready)))} />
            </>
        },
    )
}

fn cpu_lane(points: &[Point], target: Option<i64>) -> Html {
    let cpu: Value = |sample| sample.cpu_percent.map(i64::from);
    let top = top(points, 100, cpu);
    let goal =
        target.map(|target| format!("M0 {y}H{WIDTH}", y = HEIGHT - target.clamp(0, top) * HEIGHT / top));
    lane(
        "68",
        html! {
            <>
                if let Some(goal) = goal {
                    <path class="target" d={goal} />
                }
                <path class="cpu" d={steps(points, cpu, top)} />
            </>
        },
    )
}

/// A line for each mark, and names where there is room, the newest first. Names on the right side stand before their line.
fn marks(marks: &[Mark], span: Span) -> Vec<Html> {
    let mut free = WIDTH;
    let mut drawn = Vec::new();
    for mark in marks.iter().rev().filter(|mark| mark.at_us >= span.from_us) {
        let at = span.x(mark.at_us);
        let width = i64::try_from(mark.name.len()).unwrap_or(WIDTH) * LETTER;
        let (anchor, shift, from) = if at + width > free || at > WIDTH * 3 / 4 {
            ("end", "-4", at - width)
        } else {
            ("start", "4", at)
        };
        let named = from >= 0 && at.max(from + width) <= free;
        if named {
            free = from;
        }
        let title = format!("{} at {}", mark.name, words::minute(mark.at_us));
        drawn.push(html! {
            <g class="event">
                <line x1={x(at)} x2={x(at)} y1="0" y2="94"><title>{ title }</title></line>
                if named {
                    <text x={x(at)} dx={shift} y="10" text-anchor={anchor}>{ mark.name.clone() }</text>
                }
            </g>
        });
    }
    drawn
}

/// Five times along the lower edge.
fn axis(span: Span) -> Html {
    let ticks = (0..=4).map(|part| {
        let at = WIDTH * part / 4;
        let anchor = ["start", "middle", "middle", "middle", "end"][part as usize];
        html! { <text class="tick" x={x(at)} y="107" text-anchor={anchor}>{ words::minute(span.from_us + span.length_us * part / 4) }</text> }
    });
    html! { <g>{ for ticks }</g> }
}

/// Thousandths as SVG's percent.
fn x(thousandths: i64) -> String {
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

fn summary(frame: &Frame, span: Span) -> String {
    let range = |value: fn(&Sample) -> i64| {
        let all = || frame.history.iter().map(value);
        format!("{} to {}", all().min().unwrap_or(0), all().max().unwrap_or(0))
    };
    let failed: i64 = frame.history.iter().map(|sample| i64::from(sample.failed)).sum();
    format!(
        "The last {}: load {} requests per second, {failed} failed, {} pods ready",
        words::count((span.length_us / 60_000_000) as i32, "minute"),
        range(|sample| i64::from(sample.rps)),
        range(|sample| i64::from(sample.ready)),
    )
}
