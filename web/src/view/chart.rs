//! The run so far in three lanes on one time axis: load and failures, pods, CPU.

use super::chart_lane::{HEIGHT, Point, Span, Value, WIDTH, area, bars, peaks, points, steps, top, y};
use super::panel::Props;
use crate::app::Msg;
use crate::desk;
use crate::words;
use setpoint_lab::frame::{Autoscaler, Frame, Mark, Sample};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Width of a letter in a mark's name, in the chart's own units, on a chart of middling width.
const LETTER: i64 = 9;
/// Upper edges of the lanes, and their height, in pixels.
const LANES: [i64; 3] = [17, 51, 85];
const LANE: i64 = 29;
/// Seconds between two rows of the table.
const ROW_SECONDS: i64 = 5;

/// The lanes with their names, scales and values: those of now, or of the time that is pointed at.
pub fn view(props: &Props) -> Html {
    let (frame, look) = (&*props.frame, props.look);
    let span = Span::of(frame.at_us);
    let at = look.cursor.and_then(|cursor| sample_at(&frame.history, cursor));
    html! {
        <section class="chart" aria-label="History">
            { names(frame, at) }
            if look.table {
                { table(frame) }
            } else {
                { plot(props, span, at) }
            }
        </section>
    }
}

/// Switches between lines and numbers.
pub fn table_switch(props: &Props) -> Html {
    let toggle = props.send.reform(|_: MouseEvent| Msg::Desk(desk::Msg::Table));
    html! { <button onclick={toggle} aria-pressed={if props.look.table { "true" } else { "false" }}>{ "Data as table" }</button> }
}

/// What each line stands for, with its value.
fn names(frame: &Frame, at: Option<&Sample>) -> Html {
    let app = frame.app.as_deref();
    let target = app
        .and_then(|app| app.autoscaler.as_ref())
        .and_then(Autoscaler::cpu_target)
        .map(|target| format!("{target}%"));
    let now = Sample {
        at_us: frame.at_us,
        rps: frame.traffic.offered_rps,
        ready: app.map_or(0, |app| app.ready),
        desired: app.map_or(0, |app| app.target_replicas),
        cpu_percent: app.and_then(|app| app.cpu_percent),
        failed: frame.traffic.failed_per_second,
    };
    let shown = at.unwrap_or(&now);
    let cpu = shown.cpu_percent.map_or_else(|| "–".to_string(), |cpu| format!("{cpu}%"));
    let row = |line: &'static str, name: &'static str, value: String| {
        html! { <><dt><i class={classes!("k", line)} />{ name }</dt><dd>{ value }</dd></> }
    };
    html! {
        <dl class="names">
            <div class="when"><dt>{ if at.is_some() { "at" } else { "now" } }</dt><dd>{ words::minute(shown.at_us) }</dd></div>
            <div>{ row("load", "Load", format!("{}/s", shown.rps)) }{ row("failed", "failed", format!("{}/s", shown.failed)) }</div>
            <div>{ row("ready", "Pods ready", shown.ready.to_string()) }{ row("desired", "desired", shown.desired.to_string()) }</div>
            <div>{ row("cpu", "CPU", cpu) }{ for target.map(|target| row("target", "target", target)) }</div>
        </dl>
    }
}

fn plot(props: &Props, span: Span, at: Option<&Sample>) -> Html {
    let frame = &*props.frame;
    let points = points(&frame.history, span);
    let target = frame
        .app
        .as_ref()
        .and_then(|app| app.autoscaler.as_ref())
        .and_then(Autoscaler::cpu_target)
        .map(i64::from);
    let tops = [
        top(&points, 20, |sample| Some(i64::from(sample.rps.max(sample.failed)))),
        top(&points, 4, |sample| Some(i64::from(sample.desired.max(sample.ready)))),
        top(&points, 100, |sample| sample.cpu_percent.map(i64::from)),
    ];
    let line = |class: &'static str, at_us: i64| {
        let at = x(span.x(at_us));
        html! { <line {class} x1={at.clone()} x2={at} y1="17" y2="118" /> }
    };
    html! {
        <>
            <div class="scales" aria-hidden="true">
                { for tops.iter().zip(["", "", "%"]).map(|(top, unit)| html! {
                    <p><span>{ format!("{}{unit}", words::thousands(top.unsigned_abs())) }</span><span>{ "0" }</span></p>
                }) }
            </div>
            <div class="plot">
                <svg role="img" aria-label={summary(frame, span)}>
                    { for marks(&frame.marks, span) }
                    { load_lane(&points, tops[0]) }
                    { pods_lane(&points, tops[1]) }
                    { cpu_lane(&points, target, tops[2]) }
                    { axis(span) }
                    { line("now", frame.at_us) }
                    { for at.map(|sample| line("cursor", sample.at_us)) }
                </svg>
                { pointer(props, span, at) }
            </div>
        </>
    }
}

/// An invisible slider over the lanes: the pointer or the arrow keys choose the time that the names tell of.
fn pointer(props: &Props, span: Span, at: Option<&Sample>) -> Html {
    let (from, length) = (span.from_us / 1_000_000, span.length_us / 1_000_000);
    let last = props.frame.history.last();
    let tell = |cursor: Option<i64>| Msg::Desk(desk::Msg::Cursor(cursor));
    let oninput = props.send.reform(move |event: InputEvent| {
        let seconds: i64 = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
        tell(Some(seconds * 1_000_000))
    });
    let onpointermove = props.send.reform(move |event: PointerEvent| {
        let width = event.target_unchecked_into::<HtmlInputElement>().client_width().max(1);
        tell(Some((from + length * i64::from(event.offset_x()) / i64::from(width)) * 1_000_000))
    });
    let onpointerleave = props.send.reform(move |_: PointerEvent| tell(None));
    let onblur = props.send.reform(move |_: FocusEvent| tell(None));
    let shown = at.or(last);
    html! {
        <input type="range" class="pointer" aria-label="Time on the chart" min={from.to_string()} max={(from + length).to_string()}
            value={shown.map_or(from, |sample| sample.at_us / 1_000_000).to_string()}
            aria-valuetext={shown.map_or_else(|| "no data yet".to_string(), spoken)}
            {oninput} {onpointermove} {onpointerleave} {onblur} />
    }
}

/// The second that holds a time, or the nearest one.
fn sample_at(history: &[Sample], at_us: i64) -> Option<&Sample> {
    let next = history.partition_point(|sample| sample.at_us < at_us);
    history.get(next).or(history.last())
}

fn spoken(sample: &Sample) -> String {
    let cpu = sample.cpu_percent.map_or_else(String::new, |cpu| format!(", CPU {cpu} percent"));
    format!(
        "{}: load {} requests per second, {} failed, {} of {} pods ready{cpu}",
        words::minute(sample.at_us),
        sample.rps,
        sample.failed,
        sample.ready,
        sample.desired,
    )
}

/// The same numbers in rows, newest first, with what was done in the seconds of each.
fn table(frame: &Frame) -> Html {
    let rows = frame.history.chunks(ROW_SECONDS as usize).rev().filter_map(|chunk| {
        let (first, last) = (chunk.first()?, chunk.last()?);
        let failed: u32 = chunk.iter().map(|sample| sample.failed).sum();
        let within = |mark: &&Mark| mark.at_us > first.at_us - 1_000_000 && mark.at_us <= last.at_us;
        let done: Vec<&str> = frame.marks.iter().filter(within).map(|mark| &*mark.name).collect();
        let cpu = last.cpu_percent.map_or_else(|| "–".to_string(), |cpu| format!("{cpu}%"));
        Some(html! {
            <tr key={last.at_us}>
                <th scope="row">{ words::minute(last.at_us) }</th>
                <td>{ last.rps }</td><td class={(failed > 0).then_some("failed")}>{ failed }</td>
                <td>{ last.ready }</td><td>{ last.desired }</td><td>{ cpu }</td><td class="done">{ done.join(", ") }</td>
            </tr>
        })
    });
    let head = ["Time", "Load per s", "Failed in 5 s", "Pods ready", "Pods desired", "CPU", "You"];
    html! {
        <div class="rows" tabindex="0" role="region" aria-label="History as a table">
            <table>
                <thead><tr>{ for head.map(|name| html! { <th scope="col" class={(name == "You").then_some("done")}>{ name }</th> }) }</tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}

/// One lane, stretched to the width of the chart.
fn lane(number: usize, paths: Html) -> Html {
    html! {
        <svg y={LANES[number].to_string()} width="100%" height={LANE.to_string()} viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none">
            <path class="base" d={format!("M0 {HEIGHT}H{WIDTH}")} />{ paths }
        </svg>
    }
}

fn load_lane(points: &[Point], top: i64) -> Html {
    let line = steps(points, |sample| Some(i64::from(sample.rps)), top);
    let failed: Value = |sample| Some(i64::from(sample.failed));
    // A cross on the highest bar of each run of failures: the colour alone would not tell.
    let crosses = peaks(points, failed).into_iter().map(|(at, value)| {
        let height = LANES[0] + (y(value, top) * LANE / HEIGHT).min(LANE - 8) - 2;
        html! { <svg x={x(at)} y={height.max(LANES[0]).to_string()} class="cross"><path d="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5" /></svg> }
    });
    let paths = html! {
        <>
            <path class="area" d={area(&line, points)} /><path class="load" d={line} />
            <path class="failed" d={bars(points, failed, top)} />
        </>
    };
    html! { <>{ lane(0, paths) }{ for crosses }</> }
}

fn pods_lane(points: &[Point], top: i64) -> Html {
    let line = |value: Value| steps(points, value, top);
    lane(
        1,
        html! {
            <>
                <path class="ready" d={line(|sample| Some(i64::from(sample.ready)))} />
                <path class="desired" d={line(|sample| Some(i64::from(sample.desired)))} />
            </>
        },
    )
}

fn cpu_lane(points: &[Point], target: Option<i64>, top: i64) -> Html {
    let goal = target.map(|target| format!("M0 {y}H{WIDTH}", y = y(target, top)));
    lane(
        2,
        html! {
            <>
                if let Some(goal) = goal {
                    <path class="target" d={goal} />
                }
                <path class="cpu" d={steps(points, |sample| sample.cpu_percent.map(i64::from), top)} />
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
                <line x1={x(at)} x2={x(at)} y1="2" y2="118"><title>{ title }</title></line>
                if named {
                    <text x={x(at)} dx={shift} y="11" text-anchor={anchor}>{ mark.name.clone() }</text>
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
        html! { <text class="tick" x={x(at)} y="132" text-anchor={anchor}>{ words::minute(span.from_us + span.length_us * part / 4) }</text> }
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
