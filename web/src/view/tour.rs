//! Kubernetes in thirty seconds: what it is good for, a sentence at a time, each with something to press that shows it here.

use crate::app::{Msg, Send};
use crate::side::Dock;
use setpoint_lab::Action;
use setpoint_lab::frame::{Frame, PodLook};
use yew::prelude::*;

/// Most requests per second that are offered.
const RPS_MAX: u32 = 1000;

/// What a line offers.
enum Offer {
    Do(Action),
    Show(Dock),
}

/// The sentences, with what they offer in the cluster as it is.
pub fn view(frame: &Frame, send: &Send) -> Html {
    let line = |(sentence, word, offer): (&'static str, &'static str, Option<Offer>)| {
        let off = offer.is_none();
        let onclick = offer.map(|offer| {
            send.reform(move |_: MouseEvent| match &offer {
                Offer::Do(action) => Msg::Act(action.clone()),
                Offer::Show(dock) => Msg::ToDock(*dock),
            })
        });
        html! { <li><span>{ sentence }</span><button {onclick} disabled={off}>{ word }</button></li> }
    };
    html! { <ol class="tour">{ for lines(frame).into_iter().map(line) }</ol> }
}

fn lines(frame: &Frame) -> [(&'static str, &'static str, Option<Offer>); 8] {
    let app = frame.app.as_deref();
    let on_app = |make: &dyn Fn(String, String) -> Action| {
        app.map(|app| Offer::Do(make(app.namespace.to_string(), app.name.to_string())))
    };
    let ship = |version: &str| {
        on_app(&|namespace, deployment| {
            let image = format!("{deployment}:{version}");
            Action::SetImage { namespace, deployment, image }
        })
    };
    let replicas = app.map_or(0, |app| app.target_replicas + 2);
    let pod = frame.nodes.iter().flat_map(|node| &node.pods).find(|pod| pod.look == PodLook::Ready);
    let node = frame.nodes.iter().rev().find(|node| node.powered && !node.pods.is_empty());
    let rps = (frame.traffic.offered_rps * 10).min(RPS_MAX);
    [
        (
            "You say how many copies you want. A control loop compares, and makes it so.",
            "Two more",
            on_app(&|namespace, deployment| Action::Scale { namespace, deployment, replicas }),
        ),
        (
            "A copy that is lost is replaced, and callers notice nothing.",
            "Delete one",
            pod.map(|pod| {
                let (namespace, pod) = (pod.namespace.to_string(), pod.name.to_string());
                Offer::Do(Action::DeletePod { namespace, pod, grace_seconds: None })
            }),
        ),
        (
            "A machine that dies is noticed, and its work starts elsewhere.",
            "Cut its power",
            node.map(|node| Offer::Do(Action::KillMachine { node: node.name.to_string() })),
        ),
        (
            "More load brings more copies, less load fewer: you pay for what you use.",
            "Load × 10",
            super::service_of(frame)
                .map(|(namespace, service)| Offer::Do(Action::SetLoad { namespace, service, rps })),
        ),
        ("A new version comes a copy at a time, without an outage.", "Ship v2", ship("v2")),
        ("A bad one stalls while the old one serves, and is undone.", "Ship a bad one", ship("broken")),
        (
            "Everything is an API: each click has its kubectl line, which a pipeline (CI/CD) could run.",
            "Type it",
            Some(Offer::Show(Dock::Terminal)),
        ),
        (
            "What you want is text. Keep it in git (GitOps), and apply it here, to minikube or K3s, or to any cloud.",
            "See the text",
            Some(Offer::Show(Dock::Manifests)),
        ),
    ]
}
