//! The five counters: what is wanted, and what is.

use super::number::Number;
use super::panel::Props;
use super::parts::{CLOSE, bar, icon};
use super::tally::Tally;
use crate::app::{Msg, Send};
use crate::words;
use setpoint_lab::frame::{App, Autoscaler, Frame, Metric, Rollout, Traffic};
use setpoint_lab::inspect::Subject;
use setpoint_lab::{Action, Session};
use yew::prelude::*;

/// CPU percent at the right end of its bar.
const CPU_BAR_MAX: i64 = 150;
/// Most replicas that the field asks for.
const REPLICAS_MAX: i32 = 200;

/// The row of counters.
pub fn view(props: &Props) -> Html {
    let (frame, send) = (&*props.frame, &props.send);
    let cards = match &frame.app {
        None => nothing(send),
        Some(app) => html! {
            <>{ target(app, frame, send) }{ healthy(app, Tally::of(frame), send) }{ version(app, send) }{ cpu(app, frame.at_us, send) }</>
        },
    };
    html! {
        <section class="gauges" aria-label="Counters">{ cards }{ requests(frame, send) }</section>
    }
}

/// A cluster that nobody has asked for anything.
fn nothing(send: &Send) -> Html {
    let apply = send.reform(|_: MouseEvent| Msg::Act(Action::Apply { manifest: Session::sample() }));
    html! {
        <article class="gauge none">
            <h2>{ "There is no Deployment" }</h2>
            <p>{ "The cluster runs, but nobody has told it what to run. Its controllers watch, and have nothing to do." }</p>
            <button class="first" onclick={apply}>{ "Apply the sample: web, 3 replicas" }</button>
        </article>
    }
}

/// One counter. Every card has the same lines, so that none moves when its content changes.
struct Gauge {
    title: &'static str,
    /// What its heading selects: kind, namespace and name.
    of: Option<(&'static str, String, String)>,
    tone: &'static str,
    state: Html,
    big: Html,
    bar: Html,
    foot: String,
}

impl Gauge {
    fn draw(self, send: &Send) -> Html {
        let title = match self.of {
            None => html! { self.title },
            Some((kind, namespace, name)) => {
                let subject =
                    Subject::Object { kind: kind.into(), namespace: namespace.into(), name: name.into() };
                let onclick = send.reform(move |_: MouseEvent| Msg::Select(subject.clone()));
                html! { <button class="bare" {onclick}>{ self.title }</button> }
            }
        };
        html! {
            <article class={classes!("gauge", self.tone)}>
                <header><h2>{ title }</h2><span class="state">{ self.state }</span></header>
                <div class="big">{ self.big }</div>
                <div class="bar-line">{ self.bar }</div>
                <p class="foot" title={self.foot.clone()}>{ self.foot }</p>
            </article>
        }
    }
}

fn deployment(app: &App) -> Option<(&'static str, String, String)> {
    Some(("deployment", app.namespace.to_string(), app.name.to_string()))
}

fn target(app: &App, frame: &Frame, send: &Send) -> Html {
    let (namespace, name) = (app.namespace.clone(), app.name.clone());
    let onchange = send.reform(move |text: String| {
        let (namespace, deployment) = (namespace.to_string(), name.to_string());
        Msg::Act(Action::Scale { namespace, deployment, replicas: text.parse().unwrap_or(0) })
    });
    let who = match &*app.target_set_by {
        "manifest" => "by manifest".to_string(),
        other => format!("by {other}"),
    };
    let held = app.autoscaler.as_ref().and_then(|hpa| holding(hpa, frame));
    let foot = match (&app.autoscaler, &held) {
        (None, _) => "No autoscaler: it stays as it is set.".to_string(),
        (Some(hpa), None) => format!("The HPA keeps it between {} and {}.", hpa.min, hpa.max),
        (_, Some(held)) => held.words.clone(),
    };
    let state = held.as_ref().map(|held| html! { <>{ ring(held.share) }{ words::span(held.left_us) }</> });
    Gauge {
        title: "Target replicas",
        of: deployment(app),
        tone: "",
        state: state.unwrap_or_default(),
        big: html! {
            <>
                <label class="sr" for="replicas">{ "Replicas" }</label>
                <Number id="replicas" noun="replica" value={app.target_replicas.to_string()} range={(0, REPLICAS_MAX)} {onchange} />
                <small>{ who }</small>
            </>
        },
        bar: held.map_or_else(|| html! {}, |held| bar(&[("wait", held.share)], None)),
        foot,
    }
    .draw(send)
}

/// A scale-down that waits.
struct Held {
    /// What is left, in whole seconds.
    left_us: i64,
    /// What is left of the window, in percent.
    share: i64,
    words: String,
}

/// The stabilisation window, while a higher wish of the past holds a lower one back.
fn holding(hpa: &Autoscaler, frame: &Frame) -> Option<Held> {
    let (until_us, replicas) = hpa.holding.filter(|(until_us, _)| *until_us > frame.at_us)?;
    let wish = hpa.wish.filter(|wish| *wish < replicas.min(hpa.max))?;
    let left_us = (until_us - frame.at_us + 999_999) / 1_000_000 * 1_000_000;
    let label = if frame.real_timing { "" } else { " (classroom)" };
    Some(Held {
        left_us,
        share: (until_us - frame.at_us) * 100 / hpa.window_us.max(1),
        words: format!(
            "Holding {replicas}. Down to {wish} in {}: the highest wish of {} counts{label}.",
            words::span(left_us),
            words::span(hpa.window_us),
        ),
    })
}

/// A ring that empties.
fn ring(share: i64) -> Html {
    html! {
        <svg class="window" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="6" />
            <circle class="left" cx="8" cy="8" r="6" pathLength="100" stroke-dasharray={format!("{} 100", share.clamp(0, 100))} />
        </svg>
    }
}

fn healthy(app: &App, tally: Tally, send: &Send) -> Html {
    let wanted = i64::from(app.target_replicas.max(1));
    let is_alone = app.beside.is_empty();
    let tone = match app.ready {
        ready if ready >= app.target_replicas => "ok",
        // Beside others it counts that none is left; alone it may just not have begun.
        0 if !is_alone => "bad",
        _ => "warn",
    };
    let mut name = String::new();
    let mut foot = tally.words();
    if !is_alone {
        name = format!(" {}", app.name);
        let comma = if foot.is_empty() { "" } else { " · " };
        foot = format!("{}{comma}{foot}", app.beside);
    } else if foot.is_empty() {
        foot = if tone == "ok" { "All are ready" } else { "Waiting" }.to_string();
    }
    Gauge {
        title: "Healthy pods",
        of: deployment(app),
        tone,
        state: sign(tone),
        big: html! { <>{ app.ready }<small>{ format!("of {}{name}", app.target_replicas) }</small></> },
        bar: bar(&[("fill", i64::from(app.ready) * 100 / wanted)], None),
        foot,
    }
    .draw(send)
}

/// The shape that goes with a tone.
fn sign(tone: &str) -> Html {
    let path = match tone {
        "ok" => "M3 8.5 6.5 12 13 4.5",
        "bad" => CLOSE,
        _ => "M8 3v6M8 12.4v.2",
    };
    html! { <span class="sign">{ icon(path) }</span> }
}

fn version(app: &App, send: &Send) -> Html {
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
    Gauge {
        title: "Version",
        of: deployment(app),
        tone,
        state: html! { <>if !tone.is_empty() { { sign(tone) } }{ state }</> },
        big: html! { <>{ for names }</> },
        bar: bar(&parts, None),
        // What went wrong needs the room.
        foot: match app.rollout {
            Rollout::Stalled => app.rollout_note.to_string(),
            _ => {
                format!("{}; surge {}, unavailable {}", app.rollout_note, app.max_surge, app.max_unavailable)
            }
        },
    }
    .draw(send)
}

fn cpu(app: &App, at_us: i64, send: &Send) -> Html {
    let hpa = app.autoscaler.as_ref();
    let goal = hpa.and_then(Autoscaler::cpu_target);
    let scaled = |percent: i32| i64::from(percent) * 100 / CPU_BAR_MAX;
    let tone = match (app.cpu_percent, goal) {
        (Some(cpu), Some(goal)) if cpu * 10 > goal * 11 => "warn",
        _ => "",
    };
    let look = hpa.and_then(|hpa| hpa.next_look_us).filter(|look| *look > at_us);
    Gauge {
        title: "Average CPU",
        of: hpa.and(Some(("horizontalpodautoscaler", app.namespace.to_string(), app.name.to_string()))),
        tone,
        state: look.map_or_else(
            || html! {},
            |look| html! { <><span class="roomy">{ "HPA looks " }</span>{ format!("in {}", words::seconds_left(look - at_us)) }</> },
        ),
        big: match app.cpu_percent {
            Some(cpu) => html! { <>{ cpu }<small>{ "% of request" }</small></> },
            None => html! { <>{ "–" }<small>{ "no sample yet" }</small></> },
        },
        bar: bar(&[("fill", app.cpu_percent.map_or(0, scaled))], goal.map(scaled)),
        foot: match hpa {
            // The policies let it grow in steps; then it asks for fewer than the formula says.
            Some(hpa) if *app.target_set_by == *"HPA" && hpa.wish > Some(app.target_replicas) => {
                format!("{}. {}, at first {}", goal_of(hpa), hpa.arithmetic, app.target_replicas)
            }
            Some(hpa) => format!("{}. {}", goal_of(hpa), hpa.arithmetic),
            None => "No autoscaler watches it".to_string(),
        },
    }
    .draw(send)
}

/// What the autoscaler holds, in a few words.
fn goal_of(hpa: &Autoscaler) -> String {
    match hpa.metric {
        Metric::Cpu => format!("Target {}%", hpa.target),
        Metric::Memory => format!("HPA: memory {}%", hpa.target),
        Metric::Requests => format!("HPA: {} requests/s per pod", hpa.target),
        Metric::Other => "HPA: metrics of its manifest".to_string(),
    }
}

fn requests(frame: &Frame, send: &Send) -> Html {
    let traffic: &Traffic = &frame.traffic;
    let (failed, since) = match &traffic.failed_since {
        Some((failed, mark)) => (*failed, format!(" since {mark}")),
        None => (traffic.failed, format!(" of {}", words::thousands(traffic.ended))),
    };
    let failing = traffic.failed_per_second > 0;
    let all = traffic.served_per_second + traffic.failed_per_second;
    let served = i64::from(traffic.served_per_second) * 100 / i64::from(all.max(1));
    let parts = if all == 0 { vec![] } else { vec![("fill", served), ("failed", 100 - served)] };
    let now = if failing { format!("{}/s fail; ", traffic.failed_per_second) } else { String::new() };
    let causes: Vec<String> = match &traffic.causes[..] {
        _ if failed == 0 => Vec::new(),
        [(cause, _)] => vec![cause.to_string()],
        causes => {
            causes.iter().map(|(cause, count)| format!("{} {cause}", words::thousands(*count))).collect()
        }
    };
    let causes = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join("; ")) };
    Gauge {
        title: "Requests",
        of: super::service_of(frame).map(|(namespace, name)| ("service", namespace, name)),
        tone: if failing { "bad" } else { "" },
        state: match traffic.p95_us {
            Some(us) => html! { <>if failing { { sign("bad") } }{ format!("p95 {}", words::latency(us)) }</> },
            None => html! {},
        },
        big: html! { <>{ traffic.served_per_second }<small>{ format!("served/s, load {}/s", traffic.offered_rps) }</small></> },
        bar: bar(&parts, None),
        foot: format!("{now}{} failed{since}{causes}", words::thousands(failed)),
    }
    .draw(send)
}
