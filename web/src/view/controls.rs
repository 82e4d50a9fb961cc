//! What the person wants: load, replicas, version; and what they break.

use super::chaos;
use super::number::Number;
use super::panel::Props;
use crate::app::{Msg, Send};
use setpoint_lab::Action;
use setpoint_lab::frame::{App, Rollout};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Ends of the load slider, in requests per second.
const LOAD: (u32, u32) = (10, 1000);
/// Most replicas that the stepper asks for.
const REPLICAS_MAX: i32 = 200;
/// Images on offer, by the name that people see.
const VERSIONS: [&str; 4] = ["v1", "v2", "v3", "broken"];

/// The panel on the left.
pub fn view(props: &Props) -> Html {
    let frame = &props.frame;
    html! {
        <aside class="panel controls" aria-label="Desired state">
            <h2>{ "Desired state" }</h2>
            { load(props) }
            if let Some(app) = &frame.app {
                { replicas(app, &props.send) }
                { autoscaler(app, &props.send) }
                { deploy(app, &props.send) }
            }
            { chaos::view(props) }
        </aside>
    }
}

fn load(props: &Props) -> Html {
    let oninput = props.send.reform(|event: InputEvent| {
        let text = event.target_unchecked_into::<HtmlInputElement>().value();
        Msg::Load(text.parse().unwrap_or(LOAD.0))
    });
    let onchange = props.send.reform(|rps: i32| Msg::Load(rps.unsigned_abs()));
    let rps = props.load;
    let tenfold = rps.saturating_mul(10).clamp(LOAD.0, LOAD.1);
    html! {
        <div class="field">
            <label for="load-number">{ "User load" }<span class="unit">{ "requests/s" }</span></label>
            <input type="range" min={LOAD.0.to_string()} max={LOAD.1.to_string()} step="10"
                value={rps.to_string()} {oninput}
                aria-label="User load" aria-valuetext={format!("{rps} requests per second")} />
            <div class="load-row">
                <Number id="load-number" noun="request per second" value={i32::try_from(rps).unwrap_or(i32::MAX)}
                    min={0} max={100_000} {onchange} />
                <button disabled={rps >= LOAD.1} aria-label="×10 load"
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

fn replicas(app: &App, send: &Send) -> Html {
    let onchange = on_app(app, send, |namespace, deployment, replicas| Action::Scale {
        namespace,
        deployment,
        replicas,
    });
    html! {
        <div class="field row">
            <label for="replicas">{ "Replicas" }</label>
            <Number id="replicas" noun="replica" value={app.target_replicas} min={0} max={REPLICAS_MAX} {onchange} />
        </div>
    }
}

fn autoscaler(app: &App, send: &Send) -> Html {
    let on = app.autoscaler.is_some();
    let onchange = on_app(app, send, move |namespace, name, _: Event| {
        if on {
            Action::Delete { kind: "HorizontalPodAutoscaler".to_string(), namespace, name }
        } else {
            Action::Apply { manifest: autoscaler_manifest(&namespace, &name) }
        }
    });
    html! {
        <label class="switch">
            <input type="checkbox" role="switch" checked={on} {onchange} />
            <span>{ "Autoscaler (HPA)" }</span>
        </label>
    }
}

/// What the switch applies: the autoscaler that the page starts with.
fn autoscaler_manifest(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  \
         scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: 3\n  maxReplicas: 20\n  \
         metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target:\n        type: Utilization\n        \
         averageUtilization: 70\n"
    )
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
