//! Pods that no node has taken, and pods that are desired but do not exist.

use super::is_selected;
use super::pod::Pod;
use crate::app::Send;
use crate::words::count;
use setpoint_lab::frame::{Frame, PodTile};
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use yew::prelude::*;

/// Most tiles of each kind; the count tells of the rest.
const TILES_MAX: usize = 16;

/// The tray below the nodes. It is there, and as high, when it is empty.
pub fn view(frame: &Frame, selected: Option<&Subject>, send: &Send) -> Html {
    let missing = frame.app.as_ref().map_or(0, |app| usize::try_from(app.missing).unwrap_or(0));
    let waiting = i32::try_from(frame.pending.len()).unwrap_or(i32::MAX);
    let words = match (waiting, missing) {
        (0, 0) => "Nothing is waiting.".to_string(),
        (0, missing) => format!("{missing} not created yet"),
        (waiting, 0) => count(waiting, "pod"),
        (waiting, missing) => format!("{}, {missing} not created", count(waiting, "pod")),
    };
    let messages = messages(&frame.pending);
    html! {
        <section class={if messages.is_empty() { "tray" } else { "tray told" }} aria-labelledby="tray">
            <h2 id="tray">{ "Waiting for a node" }</h2>
            <p class="muted">{ words }</p>
            <ul class={if missing > 0 { "pods ghosts" } else { "pods" }} aria-label="Pods without a node">
                { for frame.pending.iter().take(TILES_MAX).enumerate().map(|(at, pod)| html! {
                    <li key={pod.id}>
                        <Pod pod={pod.clone()} at_us={0} selected={is_selected(pod, selected)} stop={at == 0}
                            send={send.clone()} />
                    </li>
                }) }
                { for (0..missing.min(TILES_MAX)).map(|at| html! {
                    <li class="gap" key={format!("ghost-{at}")}><span class="ghost">{ "Missing" }</span></li>
                }) }
            </ul>
            if !messages.is_empty() {
                <ul class="messages" tabindex="0" aria-label="What the scheduler says">
                    { for messages.into_iter().map(|(message, pods)| html! {
                        <li><b>{ count(pods, "pod") }</b>{ format!(": {message}") }</li>
                    }) }
                </ul>
            }
        </section>
    }
}

/// What the scheduler says of the pods, each message once, with the number of pods.
fn messages(pending: &[Rc<PodTile>]) -> Vec<(&str, i32)> {
    let mut messages: Vec<(&str, i32)> = Vec::new();
    for message in pending.iter().filter_map(|pod| pod.note.as_deref()) {
        match messages.iter_mut().find(|known| known.0 == message) {
            Some(known) => known.1 += 1,
            None => messages.push((message, 1)),
        }
    }
    messages
}
