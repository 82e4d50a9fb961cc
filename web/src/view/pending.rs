//! Pods that no node has taken, and pods that are desired but do not exist.

use super::pod::Pod;
use crate::app::Send;
use crate::words::count;
use setpoint_lab::frame::{App, PodTile};
use std::rc::Rc;
use yew::prelude::*;

/// Most tiles of each kind; the count tells of the rest.
const TILES_MAX: usize = 30;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Vec<Rc<PodTile>>,
    pub app: Option<Rc<App>>,
    pub selected: Option<u32>,
    pub send: Send,
}

/// The tray below the nodes. It is there, and as high, when it is empty.
#[component]
pub fn Tray(props: &Props) -> Html {
    let missing = props.app.as_ref().map_or(0, |app| usize::try_from(app.missing).unwrap_or(0));
    let message = props.pods.iter().find_map(|pod| pod.note.clone());
    let waiting = i32::try_from(props.pods.len()).unwrap_or(i32::MAX);
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
            <ul class="pods">
                { for props.pods.iter().take(TILES_MAX).map(|pod| html! {
                    <li key={pod.id}>
                        <Pod pod={pod.clone()} at_us={0} stop={true} selected={props.selected == Some(pod.id)} send={props.send.clone()} />
                    </li>
                }) }
                { for (0..missing.min(TILES_MAX)).map(|at| html! {
                    <li key={format!("ghost-{at}")}><span class="ghost">{ "Missing" }</span></li>
                }) }
            </ul>
        </section>
    }
}
