//! Pods that no node has taken, and pods that are desired but do not exist.

use super::is_selected;
use super::pod::{self, Place};
use crate::app::Send;
use crate::words::count;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use yew::prelude::*;

/// Most tiles of each kind; the count tells of the rest.
const TILES_MAX: usize = 30;

/// The tray below the nodes. It is there, and as high, when it is empty.
pub fn view(frame: &Frame, selected: Option<&Subject>, send: &Send) -> Html {
    let missing = frame.app.as_ref().map_or(0, |app| usize::try_from(app.missing).unwrap_or(0));
    let message = frame.pending.iter().find_map(|pod| pod.note.clone());
    let waiting = i32::try_from(frame.pending.len()).unwrap_or(i32::MAX);
    let words = match (waiting, missing) {
        (0, 0) => "Nothing is waiting.".to_string(),
        (0, missing) => format!("{missing} not created yet"),
        (waiting, 0) => count(waiting, "pod"),
        (waiting, missing) => format!("{}, {missing} not created", count(waiting, "pod")),
    };
    html! {
        <section class="tray" aria-labelledby="tray">
            <h2 id="tray">{ "Waiting for a node" }</h2>
            <p class="muted">{ words }</p>
            <p class="message" title={message.as_deref().unwrap_or_default().to_string()}>
                { message.as_deref().unwrap_or_default().to_string() }
            </p>
            <ul class="pods" tabindex={(missing > 0).then_some("0")} aria-label="Pods without a node">
                { for frame.pending.iter().take(TILES_MAX).map(|pod| html! {
                    <li key={pod.id}>
                        { pod::view(pod, Place { at_us: 0, selected: is_selected(pod, selected), stop: true }, send) }
                    </li>
                }) }
                { for (0..missing.min(TILES_MAX)).map(|at| html! {
                    <li key={format!("ghost-{at}")}><span class="ghost">{ "Missing" }</span></li>
                }) }
            </ul>
        </section>
    }
}
