//! Pods that no node has taken, and pods that are desired but do not exist.

use super::is_selected;
use super::pod::Pod;
use crate::app::Send;
use crate::words::count;
use setpoint_lab::frame::{Frame, Missing};
use setpoint_lab::inspect::Subject;
use yew::prelude::*;

/// Most tiles of each kind; the count tells of the rest.
const TILES_MAX: usize = 16;

/// The tray below the nodes. It is there, and as high, when it is empty.
pub fn view(frame: &Frame, selected: Option<&Subject>, send: &Send) -> Html {
    let missing: usize = frame.missing.iter().map(|of| usize::try_from(of.count).unwrap_or(0)).sum();
    let waiting = i32::try_from(frame.pending.len()).unwrap_or(i32::MAX);
    let words = match (waiting, missing) {
        (0, 0) => "Nothing is waiting.".to_string(),
        (0, missing) => format!("{missing} not created yet"),
        (waiting, 0) => count(waiting, "pod"),
        (waiting, missing) => format!("{}, {missing} not created", count(waiting, "pod")),
    };
    let messages = messages(frame);
    let is_mixed = missing > 0 || frame.pending.iter().any(|pod| pod.is_named);
    html! {
        <section class={if messages.is_empty() { "tray" } else { "tray told" }} aria-labelledby="tray">
            <h2 id="tray">{ "Waiting for a node" }</h2>
            <p class="muted">{ words }</p>
            <ul class={if is_mixed { "pods mixed" } else { "pods" }} aria-label="Pods without a node">
                { for frame.pending.iter().take(TILES_MAX).enumerate().map(|(at, pod)| html! {
                    <li key={pod.id} class={pod.is_named.then_some("wide")}>
                        <Pod pod={pod.clone()} at_us={0} selected={is_selected(pod, selected)} stop={at == 0}
                            send={send.clone()} />
                    </li>
                }) }
                { for ghosts(frame).take(TILES_MAX).enumerate().map(|(at, (name, of))| html! {
                    <li class="gap" key={format!("ghost-{at}")}><span class="ghost" title={format!("{} wants it", of.name)}>{ name }</span></li>
                }) }
            </ul>
            if !messages.is_empty() {
                <ul class="messages" tabindex="0" aria-label="Why they wait">
                    { for messages.into_iter().map(|(whose, message)| html! {
                        <li><b>{ whose }</b>{ format!(": {message}") }</li>
                    }) }
                </ul>
            }
        </section>
    }
}

/// What stands for the pods that are not there: their names where those are known, or their owner's.
fn ghosts(frame: &Frame) -> impl Iterator<Item = (String, &Missing)> {
    let mut pods = frame.nodes.iter().flat_map(|node| &node.pods).chain(&frame.pending);
    let are_named = pods.next().is_some_and(|pod| pod.is_named);
    frame.missing.iter().flat_map(move |of| {
        let name = move |at: i32| {
            let place = usize::try_from(at).ok().and_then(|at| of.places.get(at));
            match (place, are_named) {
                (Some(place), _) => place.to_string(),
                (None, true) => of.name.rsplit('/').next().unwrap_or_default().to_string(),
                (None, false) => "Missing".to_string(),
            }
        };
        (0..of.count).map(move |at| (name(at), of))
    })
}

/// Why pods were not made, and what the scheduler says of those that were: each message once, with the number of pods.
fn messages(frame: &Frame) -> Vec<(String, &str)> {
    let refused = frame.missing.iter().filter_map(|of| Some((of, of.why.as_deref()?)));
    let refused = refused.map(|(of, why)| (format!("{}, {} missing", of.name, of.count), why));
    let mut waiting: Vec<(i32, &str)> = Vec::new();
    for message in frame.pending.iter().filter_map(|pod| pod.note.as_deref()) {
        match waiting.iter_mut().find(|known| known.1 == message) {
            Some(known) => known.0 += 1,
            None => waiting.push((1, message)),
        }
    }
    refused.chain(waiting.into_iter().map(|(pods, message)| (count(pods, "pod"), message))).collect()
}
