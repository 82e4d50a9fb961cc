//! The run so far in three lanes on one time axis: load and failures, pods, CPU.

use super::chart_lane::{HEIGHT, Span, WIDTH, area, bars, steps};
use crate::words;
use setpoint_lab::frame::{Frame, Mark, Sample};
use std::rc::Rc;
use yew::prelude::*;

/// Marks nearer than this many thousandths of the width would cover each other's names.
const NAME_GAP: i64 = 85;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub frame: Rc<Frame>,
}

/// The lanes with their names and present values.
#[component]
pub fn Chart(props: &Props) -> Html {
    let frame = &*props.frame;
    let span = Span::of(frame.at_us);
    let target =
        frame.app.as_ref().and_then(|app| app.autoscaler.as_ref()).map(|hpa| i64::from(hpa.target_percent));
    html! {
        <section class="panel chart" aria-label="History">
            { names(frame, target) }
            <svg class="plot" role="img" aria-label={summary(frame, span)}>
                { for marks(&frame.marks, span) }
                { load_lane(&frame.history, span) }
                { pods_lane(&frame.history, span) }
                { cpu_lane(&frame.history, span, target) }
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

/// A top with some air above the highest value, so that a line never lies on the lane's edge.
fn top(samples: &[Sample], least: i64, value: impl Fn(&Sample) -> i64) -> i64 {
    samples.iter().map(value).max().unwrap_or(0).max(least) * 115 / 100
}

/// The samples within the span, with their places.
fn places<'a>(samples: &'a [Sample], span: Span) -> impl Iterator<Item = (i64, &'a Sample)> {
    samples
        .iter()
        .filter(move |sample| sample.at_us >= span.from_us)
        .map(move |sample| (span.x(sample.at_us), sample))
}

fn load_lane(samples: &[Sample], span: Span) -> Html {
    let top = top(samples, 20, |sample| i64::from(sample.rps));
    let line = steps(places(samples, span).map(|(x, sample)| (x, Some(i64::from(sample.rps)))), top);
    let ends = (places(samples, span).next(), samples.last());
    let (from, to) = (ends.0.map_or(0, |(x, _)| x), ends.1.map_or(0, |sample| span.x(sample.at_us)));
    let failed = bars(places(samples, span).map(|(x, sample)| (x, i64::from(sample.failed))), top);
    lane(
        "14",
        html! {
            <><path class="area" d={area(&line, from, to)} /><path class="load" d={line} /><path class="failed" d={failed} /></>
        },
    )
}

fn pods_lane(samples: &[Sample], span: Span) -> Html {
    let top = top(samples, 4, |sample| i64::from(sample.desired.max(sample.ready)));
    let line = |value: fn(&Sample) -> i32| {
        steps(places(samples, span).map(|(x, sample)| (x, Some(i64::from(value(sample))))), top)
    };
    lane(
        "41",
        html! {
            <><path class="desired" d={line(|sample| sample.desired)} /><path class="ready" d={line(|sample| sample.ready)} /></>
        },
    )
}

fn cpu_lane(samples: &[Sample], span: Span, target: Option<i64>) -> Html {
    let top = top(samples, 100, |sample| sample.cpu_percent.map_or(0, i64::from));
    let line = steps(places(samples, span).map(|(x, sample)| (x, sample.cpu_percent.map(i64::from))), top);
    let goal =
        target.map(|target| format!("M0 {y}H{WIDTH}", y = HEIGHT - target.clamp(0, top) * HEIGHT / top));
    lane(
        "68",
        html! {
            <>
                if let Some(goal) = goal {
                    <path class="target" d={goal} />
                }
                <path class="cpu" d={line} />
            </>
        },
    )
}

/// A line for each mark, and names where there is room, the newest first. Names on the right side stand before their line.
fn marks(marks: &[Mark], span: Span) -> Vec<Html> {
    let mut free = WIDTH + NAME_GAP;
    let mut drawn = Vec::new();
    for mark in marks.iter().rev().filter(|mark| mark.at_us >= span.from_us) {
        let at = span.x(mark.at_us);
        let named = free - at >= NAME_GAP;
        if named {
            free = at;
        }
        let end = at > WIDTH * 3 / 4;
        drawn.push(html! {
            <g class="event">
                <line x1={x(at)} x2={x(at)} y1="0" y2="94"><title>{ format!("{} at {}", mark.name, words::minute(mark.at_us)) }</title></line>
                if named {
                    <text x={x(at)} dx={if end { "-4" } else { "4" }} y="10" text-anchor={if end { "end" } else { "start" }}>
                        { mark.name.clone() }
                    </text>
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
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    };
    let (load, ready) = (range(|sample| i64::from(sample.rps)), range(|sample| i64::from(sample.ready)));
    let failed: u64 = frame.history.iter().map(|sample| u64::from(sample.failed)).sum();
    format!(
        "The last {}: load {} to {} requests per second, {failed} failed, {} to {} pods ready",
        words::count((span.length_us / 60_000_000) as i32, "minute"),
        load.0,
        load.1,
        ready.0,
        ready.1
    )
}
