//! The five counters: what is wanted, and what is.

use super::panel::Props;
use super::parts::{MINUS, PLUS, bar, icon};
use super::tally::Tally;
use crate::app::{Msg, Send};
use crate::words;
use setpoint_lab::Action;
use setpoint_lab::frame::{App, Autoscaler, Rollout, Traffic};
use yew::prelude::*;

/// CPU percent at the right end of its bar.
const CPU_BAR_MAX: i64 = 150;

/// The row of counters.
pub fn view(props: &Props) -> Html {
    let frame = &props.frame;
    let Some(app) = &frame.app else {
        return html! { <section class="gauges" aria-label="Counters">{ for TITLES.map(empty) }</section> };
    };
    html! {
        <section class="gauges" aria-label="Counters">
            { target(app, frame.at_us, &props.send) }
            { healthy(app, Tally::of(frame)) }
            { version(app) }
            { cpu(app, frame.at_us) }
            { requests(&frame.traffic) }
        </section>
    }
}

const TITLES: [&str; 5] = ["Target replicas", "Healthy pods", "Version", "Average CPU", "Requests"];

fn empty(title: &'static str) -> Html {
    gauge(title, "", html! {}, html! { "–" }, html! {}, ["No Deployment yet".to_string(), String::new()])
}

/// Every card has the same lines, so that none moves when its content changes.
fn gauge(
    title: &'static str,
    tone: &'static str,
    state: Html,
    big: Html,
    bar: Html,
    foot: [String; 2],
) -> Html {
    let [first, second] = foot;
    let class = if second.is_empty() { "foot tall" } else { "foot" };
    html! {
        <article class={format!("gauge {tone}")}>
            <header><h2>{ title }</h2><span class="state">{ state }</span></header>
            <p class="big">{ big }</p>
            <div class="bar-line">{ bar }</div>
            <p {class} title={first.clone()}>{ first }</p>
            <p class="foot" title={second.clone()}>{ second }</p>
        </article>
    }
}

fn target(app: &App, at_us: i64, send: &Send) -> Html {
    let who = match &*app.target_set_by {
        "manifest" => "by manifest".to_string(),
        other => format!("by {other}"),
    };
    let change = |by: i32| {
        let (namespace, deployment) = (app.namespace.to_string(), app.name.to_string());
        let replicas = (app.target_replicas + by).max(0);
        send.reform(move |_: MouseEvent| {
            Msg::Act(Action::Scale { namespace: namespace.clone(), deployment: deployment.clone(), replicas })
        })
    };
    let foot = match &app.autoscaler {
        None => ["Autoscaler off".to_string(), String::new()],
        Some(hpa) => [format!("Autoscaler: {} to {}", hpa.min, hpa.max), holding(hpa, at_us)],
    };
    let big = html! {
        <>
            { app.target_replicas }<small>{ who }</small>
            <span class="nudge">
                <button class="round" onclick={change(-1)} aria-label="Lower the target">{ icon(MINUS) }</button>
                <button class="round" onclick={change(1)} aria-label="Raise the target">{ icon(PLUS) }</button>
            </span>
        </>
    };
    gauge("Target replicas", "", html! {}, big, html! {}, foot)
}

fn holding(hpa: &Autoscaler, at_us: i64) -> String {
    match hpa.holding {
        Some((until_us, replicas)) if until_us > at_us => {
            format!("Holds {replicas} for {}", words::seconds_left(until_us - at_us))
        }
        _ => String::new(),
    }
}

fn healthy(app: &App, tally: Tally) -> Html {
    let wanted = i64::from(app.target_replicas.max(1));
    let tone = if app.ready >= app.target_replicas { "ok" } else { "warn" };
    let mut foot = tally.lines();
    if foot[0].is_empty() {
        foot[0] = if tone == "ok" { "All are ready".to_string() } else { "Waiting".to_string() };
    }
    let big = html! { <>{ app.ready }<small>{ format!("of {}", app.target_replicas) }</small></> };
    gauge(
        "Healthy pods",
        tone,
        sign(tone),
        big,
        bar(&[("fill", i64::from(app.ready) * 100 / wanted)], None),
        foot,
    )
}

/// The shape that goes with a tone.
fn sign(tone: &str) -> Html {
    match tone {
        "ok" => html! { <span class="sign">{ icon("M3 8.5 6.5 12 13 4.5") }</span> },
        "bad" => html! { <span class="sign">{ icon("M4 4l8 8M12 4l-8 8") }</span> },
        _ => html! { <span class="sign">{ icon("M8 3v6M8 12.4v.2") }</span> },
    }
}

fn version(app: &App) -> Html {
    let total: i32 = app.versions.iter().map(|version| version.pods).sum();
    let parts: Vec<(&'static str, i64)> = app
        .versions
        .iter()
        .map(|version| {
            (words::version_class(&version.version), i64::from(version.pods) * 100 / i64::from(total.max(1)))
        })
        .collect();
    let names = app.versions.iter().enumerate().map(|(at, version)| {
        html! {
            <>
                if at > 0 { <span class="arrow">{ "→" }</span> }
                <span class={words::version_class(&version.version)}>{ version.version.clone() }</span>
                <small>{ version.pods }</small>
            </>
        }
    });
    let (tone, state) = match app.rollout {
        Rollout::Complete => ("", "Complete"),
        Rollout::Progressing if app.versions.len() < 2 => ("", "Progressing"),
        Rollout::Progressing => ("", "Rolling out"),
        Rollout::Stalled => ("bad", "Stalled"),
        Rollout::Paused => ("warn", "Paused"),
    };
    let big = html! { <>{ for names }</> };
    let foot = format!("{}; surge {}, unavailable {}", app.rollout_note, app.max_surge, app.max_unavailable);
    let state = html! { <>if !tone.is_empty() { { sign(tone) } }{ state }</> };
    gauge("Version", tone, state, big, bar(&parts, None), [foot, String::new()])
}

fn cpu(app: &App, at_us: i64) -> Html {
    let goal = app.autoscaler.as_ref().map(|hpa| hpa.target_percent);
    let scaled = |percent: i32| i64::from(percent) * 100 / CPU_BAR_MAX;
    let tone = match (app.cpu_percent, goal) {
        (Some(cpu), Some(goal)) if cpu * 10 > goal * 11 => "warn",
        _ => "",
    };
    let look = app.autoscaler.as_ref().and_then(|hpa| hpa.next_look_us);
    let state = match look {
        Some(look) if look > at_us => {
            html! { <><span class="roomy">{ "next " }</span>{ format!("in {}", words::seconds_left(look - at_us)) }</> }
        }
        _ => html! {},
    };
    let foot = match (&app.autoscaler, goal) {
        (Some(hpa), Some(goal)) => format!("Target {goal}%. {}", hpa.arithmetic),
        _ => "No autoscaler watches it".to_string(),
    };
    let big = match app.cpu_percent {
        Some(cpu) => html! { <>{ cpu }<small>{ "% of request" }</small></> },
        None => html! { <>{ "–" }<small>{ "no sample yet" }</small></> },
    };
    let fill = bar(&[("fill", app.cpu_percent.map_or(0, scaled))], goal.map(scaled));
    gauge("Average CPU", tone, state, big, fill, [foot, String::new()])
}

fn requests(traffic: &Traffic) -> Html {
    let (failed, since) = match &traffic.failed_since {
        Some((failed, mark)) => (*failed, format!(" since {mark}")),
        None => (traffic.failed, format!(" of {}", words::thousands(traffic.ended))),
    };
    let failing = traffic.failed_per_second > 0;
    let state = match traffic.p95_us {
        Some(us) => html! { <>if failing { { sign("bad") } }{ format!("p95 {}", words::latency(us)) }</> },
        None => html! {},
    };
    let big = html! { <>{ traffic.served_per_second }<small>{ format!("of {}/s served", traffic.offered_rps) }</small></> };
    let all = traffic.served_per_second + traffic.failed_per_second;
    let served = i64::from(traffic.served_per_second) * 100 / i64::from(all.max(1));
    let parts = if all == 0 { vec![] } else { vec![("fill", served), ("failed", 100 - served)] };
    let now = if failing { format!("{}/s fail; ", traffic.failed_per_second) } else { String::new() };
    let cause =
        traffic.causes.first().filter(|_| failed > 0).map_or_else(String::new, |cause| cause.0.to_string());
    let foot = [format!("{now}{} failed{since}", words::thousands(failed)), cause];
    gauge("Requests", if failing { "bad" } else { "" }, state, big, bar(&parts, None), foot)
}
