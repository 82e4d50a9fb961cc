//! What the person wants: load, version, how a rollout goes, the autoscaler; and what they break.

use super::chaos;
use super::number::Number;
use super::panel::Props;
use crate::app::{Msg, Send};
use setpoint_lab::Action;
use setpoint_lab::frame::{App, Autoscaler, Metric, Revision, Rollout};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// Where the load slider stops, in requests per second: a log scale with round numbers.
const LOADS: [u32; 21] =
    [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000];
/// Most requests per second that can be asked for.
const LOAD_MAX: i32 = 100_000;
/// Images on offer, by the name that people see.
const VERSIONS: [&str; 4] = ["v1", "v2", "v3", "broken"];

/// The panel of controls.
pub fn view(props: &Props) -> Html {
    let frame = &props.frame;
    html! {
        <aside class="panel controls" aria-label="Desired state">
            <section>
                <h2 class="sr">{ "Desired state" }</h2>
                { load(props) }
                if let Some(app) = &frame.app {
                    { deploy(app, &props.send) }
                }
            </section>
            if let Some(app) = &frame.app {
                <section>
                    { rollout(app, &props.send) }
                    { autoscaler(app, &props.send) }
                </section>
            }
            { chaos::view(props) }
        </aside>
    }
}

fn load(props: &Props) -> Html {
    let rps = props.load;
    let notch = LOADS.iter().rposition(|load| *load <= rps).unwrap_or(0);
    let oninput = props.send.reform(|event: InputEvent| {
        let notch: usize = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
        Msg::Load(LOADS.get(notch).copied().unwrap_or(LOADS[0]))
    });
    let onchange = props.send.reform(|text: String| Msg::Load(text.parse().unwrap_or(0)));
    let tenfold = rps.saturating_mul(10).max(LOADS[0]);
    html! {
        <div class="field">
            <div class="row">
                <label for="load-number">{ "User load" }</label>
                <Number id="load-number" value={rps.to_string()} range={(0, LOAD_MAX)} {onchange} />
                <span class="unit">{ "requests/s" }</span>
            </div>
            <div class="load-row">
                <input type="range" min="0" max={(LOADS.len() - 1).to_string()} value={notch.to_string()} {oninput}
                    aria-label="User load" aria-valuetext={format!("{rps} requests per second")} />
                <button disabled={tenfold > LOAD_MAX.unsigned_abs()} aria-label="×10 load"
                    onclick={props.send.reform(move |_: MouseEvent| Msg::Load(tenfold))}>{ "×10" }</button>
            </div>
        </div>
    }
}

/// A callback that makes an action of the Deployment's namespace and name.
fn on_app<E: 'static>(
    app: &App,
    send: &Send,
    make: impl Fn(String, String, E) -> Action + 'static,
) -> Callback<E> {
    let (namespace, name) = (app.namespace.clone(), app.name.clone());
    send.reform(move |event| Msg::Act(make(namespace.to_string(), name.to_string(), event)))
}

fn deploy(app: &App, send: &Send) -> Html {
    let paused = app.rollout == Rollout::Paused;
    let buttons = VERSIONS.map(|version| {
        let onclick = on_app(app, send, move |namespace, deployment, _: MouseEvent| {
            let image = format!("{deployment}:{version}");
            Action::SetImage { namespace, deployment, image }
        });
        let pressed = if *app.version == *version { "true" } else { "false" };
        let class = if version == "broken" { "bad" } else { "" };
        html! { <button {class} {onclick} aria-pressed={pressed} aria-label={format!("Deploy {version}")}>{ version }</button> }
    });
    let pause = on_app(app, send, move |namespace, deployment, _: MouseEvent| Action::SetPaused {
        namespace,
        deployment,
        paused: !paused,
    });
    let undo = on_app(app, send, |namespace, deployment, _: MouseEvent| Action::Undo {
        namespace,
        deployment,
        to_revision: None,
    });
    html! {
        <div class="field" role="group" aria-labelledby="deploy">
            <span id="deploy">{ "Deploy version" }</span>
            <div class="segments">{ for buttons }</div>
            <div class="pair">
                <button onclick={pause}>{ if paused { "Resume rollout" } else { "Pause rollout" } }</button>
                <button onclick={undo} disabled={!app.can_undo}>{ "Undo rollout" }</button>
            </div>
        </div>
    }
}

/// How a rollout goes, and where it can go back to.
fn rollout(app: &App, send: &Send) -> Html {
    let (surge, unavailable) = (app.max_surge.to_string(), app.max_unavailable.to_string());
    let (kept_surge, kept_unavailable) = (surge.clone(), unavailable.clone());
    let on_surge = on_app(app, send, move |namespace, deployment, max_surge| Action::SetStrategy {
        namespace,
        deployment,
        max_surge,
        max_unavailable: kept_unavailable.clone(),
    });
    let on_unavailable = on_app(app, send, move |namespace, deployment, max_unavailable| {
        Action::SetStrategy { namespace, deployment, max_surge: kept_surge.clone(), max_unavailable }
    });
    let delete = on_app(app, send, |namespace, name, _: MouseEvent| Action::Delete {
        kind: "Deployment".to_string(),
        namespace,
        name,
    });
    html! {
        <details class="fold">
            <summary>{ "Rollout" }<span class="unit">{ format!("surge {surge}, unavailable {unavailable}") }</span></summary>
            <div class="cells">
                <label for="surge">{ "Max surge" }<Number id="surge" value={surge} onchange={on_surge} /></label>
                <label for="unavailable">{ "Max unavailable" }<Number id="unavailable" value={unavailable} onchange={on_unavailable} /></label>
            </div>
            <p class="hint">{ "Pods, or a share such as 25%." }</p>
            { for app.revisions.iter().filter(|revision| !revision.is_current).map(|revision| back_to(app, revision, send)) }
            <button onclick={delete}>{ "Delete the Deployment" }</button>
        </details>
    }
}

fn back_to(app: &App, revision: &Revision, send: &Send) -> Html {
    let number = revision.number;
    let onclick = on_app(app, send, move |namespace, deployment, _: MouseEvent| Action::Undo {
        namespace,
        deployment,
        to_revision: Some(number),
    });
    html! { <button key={number} {onclick}>{ format!("Back to revision {number} ({})", revision.version) }</button> }
}

fn autoscaler(app: &App, send: &Send) -> Html {
    let on = app.autoscaler.is_some();
    let onchange = on_app(app, send, move |namespace, name, _: Event| {
        if on {
            Action::Delete { kind: "HorizontalPodAutoscaler".to_string(), namespace, name }
        } else {
            Action::Apply { manifest: autoscaler_manifest(&namespace, &name, Metric::Cpu, [3, 20, 70]) }
        }
    });
    html! {
        <div class="row">
            <label class="switch">
                <input type="checkbox" role="switch" checked={on} {onchange} />
                <span>{ "Autoscaler" }</span>
            </label>
            if let Some(hpa) = &app.autoscaler {
                { bounds(app, hpa, send) }
            }
        </div>
    }
}

/// The autoscaler's numbers and its metric; each is applied when it is confirmed.
fn bounds(app: &App, hpa: &Autoscaler, send: &Send) -> Html {
    let (now, metric) = ([hpa.min, hpa.max, hpa.target], hpa.metric);
    let (target, short) = match metric {
        Metric::Cpu => ("CPU target %", format!("{}%", hpa.target)),
        Metric::Memory => ("Mem. target %", format!("mem {}%", hpa.target)),
        Metric::Requests => ("Req/s per pod", format!("{}/s", hpa.target)),
        Metric::Other => ("Target", "own metrics".to_string()),
    };
    let cells = [("hpa-min", "Min"), ("hpa-max", "Max"), ("hpa-target", target)];
    // Metrics that a manifest has set are changed by manifest.
    let cells = cells.into_iter().take(if metric == Metric::Other { 0 } else { 3 });
    let cells = cells.enumerate().map(|(at, (id, name))| {
        let onchange = on_app(app, send, move |namespace, name, text: String| {
            let mut numbers = now;
            numbers[at] = text.parse().unwrap_or(numbers[at]);
            Action::Apply { manifest: autoscaler_manifest(&namespace, &name, metric, numbers) }
        });
        html! { <label for={id}>{ name }<Number {id} value={now[at].to_string()} {onchange} /></label> }
    });
    let choose = on_app(app, send, move |namespace, name, event: Event| {
        let (metric, target) = match event.target_unchecked_into::<HtmlSelectElement>().value().as_str() {
            "memory" => (Metric::Memory, 70),
            "requests" => (Metric::Requests, 20),
            _ => (Metric::Cpu, 70),
        };
        Action::Apply { manifest: autoscaler_manifest(&namespace, &name, metric, [now[0], now[1], target]) }
    });
    let metrics = [
        ("cpu", Metric::Cpu, "CPU"),
        ("memory", Metric::Memory, "Memory"),
        ("requests", Metric::Requests, "Requests/s (custom)"),
    ];
    html! {
        <details class="fold">
            <summary aria-label="Bounds of the autoscaler"><span class="unit">{ format!("{}–{}, {short}", now[0], now[1]) }</span></summary>
            <div class="cells">{ for cells }</div>
            <label class="wide">{ "Metric" }
                <select onchange={choose}>
                    { for metrics.iter().map(|(value, of, title)| html! { <option value={*value} selected={*of == metric}>{ *title }</option> }) }
                    if metric == Metric::Other { <option value="" selected=true>{ "As its manifest says" }</option> }
                </select>
            </label>
        </details>
    }
}

/// The autoscaler with its metric, its lower and upper bound and its target.
fn autoscaler_manifest(namespace: &str, name: &str, metric: Metric, [min, max, target]: [i32; 3]) -> String {
    let resource = |resource: &str| {
        format!(
            "  - type: Resource\n    resource:\n      name: {resource}\n      target:\n        type: Utilization\n        \
             averageUtilization: {target}\n"
        )
    };
    let metric = match metric {
        Metric::Memory => resource("memory"),
        Metric::Requests => format!(
            "  - type: Pods\n    pods:\n      metric:\n        name: http_requests_per_second\n      target:\n        type: AverageValue\n        \
             averageValue: \"{target}\"\n"
        ),
        _ => resource("cpu"),
    };
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  \
         scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: {min}\n  maxReplicas: {max}\n  \
         metrics:\n{metric}"
    )
}
