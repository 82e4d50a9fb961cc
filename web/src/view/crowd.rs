//! A node's pods as marks in one drawing, for when there are too many for tiles of their own. A mark's shape is its state,
//! its colour the version; one mark at a time is an element, which has the focus and says what it is.

use super::{pod, subject_of};
use crate::app::{Msg, Send};
use crate::density::Density;
use crate::words;
use setpoint_lab::frame::{NodeTile, PodLook, PodTile};
use std::fmt::Write as _;
use std::rc::Rc;
use yew::prelude::*;

/// Shapes of marks in a box of 8 by 8, to be drawn from its upper left corner.
const READY: &str = "h7v7h-7z";
const COMING: &str = "m.5 .5h6v6h-6z";
const WARNING: &str = "m3.5 0 3.5 7h-7z";
const BROKEN: &str = "m3.5 0 3.5 3.5-3.5 3.5-3.5-3.5z";
const LEAVING: &str = "m1 1 5 5m0-5-5 5";
const HUNG: &str = "m1.5 .5v6m4-6v6";

/// Class and shape of a mark.
fn shape(pod: &PodTile) -> (&'static str, &'static str) {
    match pod.look {
        PodLook::Ready if pod.wedged => ("line bad", HUNG),
        PodLook::Ready => ("solid", READY),
        PodLook::Pending | PodLook::Pulling | PodLook::Starting => ("line", COMING),
        PodLook::NotReady => ("solid warn", WARNING),
        PodLook::BackOff => ("solid bad", BROKEN),
        PodLook::Terminating | PodLook::Finished => ("line quiet", LEAVING),
        PodLook::Lost => ("line dotted", COMING),
    }
}

/// What the marks mean.
pub fn legend() -> Html {
    let marks = [
        ("solid", READY, "ready"),
        ("line", COMING, "starting"),
        ("solid warn", WARNING, "not ready"),
        ("solid bad", BROKEN, "back-off"),
        ("line quiet", LEAVING, "leaving"),
        ("line dotted", COMING, "unknown"),
    ];
    html! {
        <p class="legend of-marks">
            { for marks.into_iter().map(|(class, shape, word)| html! {
                <span>
                    <svg class="crowd v1" width="9" height="9" viewBox="0 0 8 8" aria-hidden="true">
                        <path {class} d={format!("M0 0{shape}")} />
                    </svg>
                    { word }
                </span>
            }) }
        </p>
    }
}

/// One path for all marks that look the same; places are in units of 8.
fn paths(pods: &[Rc<PodTile>], places: &[Option<u32>], per_row: usize) -> Vec<(String, String)> {
    let mut paths: Vec<(&str, &str, String)> = Vec::new();
    let mut last: (&str, &str) = ("", words::version_class(""));
    for (at, id) in places.iter().enumerate() {
        let Some(pod) = id.and_then(|id| find(pods, id)) else { continue };
        let (class, shape) = shape(pod);
        if *last.0 != *pod.version {
            last = (&pod.version, words::version_class(&pod.version));
        }
        let version = last.1;
        let known = paths.iter().position(|path| (path.0, path.1) == (version, class));
        let known = known.unwrap_or_else(|| {
            paths.push((version, class, String::new()));
            paths.len() - 1
        });
        if let Some((.., path)) = paths.get_mut(known) {
            let _ = write!(path, "M{} {}{shape}", at % per_row * 8, at / per_row * 8);
        }
    }
    paths.into_iter().map(|(version, class, path)| (format!("{version} {class}"), path)).collect()
}

fn find(pods: &[Rc<PodTile>], id: u32) -> Option<&Rc<PodTile>> {
    pods.iter().find(|pod| pod.id == id)
}

/// The drawing. `cursor` is the pod that the keyboard is at.
pub fn view(
    node: &Rc<NodeTile>,
    places: &[Option<u32>],
    density: Density,
    cursor: Option<u32>,
    selected: Option<u32>,
    send: &Send,
) -> Html {
    let per_row = density.per_row.max(1);
    let rows = places.len().div_ceil(per_row);
    let onclick = {
        let (node, places, pitch) = (node.clone(), places.to_vec(), density.pitch.max(1));
        let find_at = move |event: &MouseEvent| {
            let at = |offset: i32| usize::try_from(offset).unwrap_or(0) / pitch;
            let place = at(event.offset_y()) * per_row + at(event.offset_x()).min(per_row - 1);
            find(&node.pods, (*places.get(place)?)?).map(|pod| subject_of(pod))
        };
        let send = send.clone();
        Callback::from(move |event: MouseEvent| {
            if let Some(subject) = find_at(&event) {
                send.emit(Msg::Select(subject));
            }
        })
    };
    let cursor = cursor.and_then(|id| find(&node.pods, id));
    let place_of = |id: u32| places.iter().position(|place| *place == Some(id));
    html! {
        <svg class="crowd" {onclick} role="group" aria-label="Pods"
            viewBox={format!("0 0 {} {}", per_row * 8, rows * 8)}
            width={(per_row * density.pitch).to_string()} height={(rows * density.pitch).to_string()}>
            { for paths(&node.pods, places, per_row).into_iter().map(|(class, d)| html! { <path key={class.clone()} {class} {d} /> }) }
            if let Some(at) = selected.and_then(place_of) {
                <rect class="chosen" x={(at % per_row * 8).to_string()} y={(at / per_row * 8).to_string()} width="7" height="7" />
            }
            if let Some((pod, at)) = cursor.and_then(|pod| Some((pod, place_of(pod.id)?))) {
                { mark(pod, at % per_row * 8, at / per_row * 8, selected == Some(pod.id), send) }
            }
        </svg>
    }
}

/// The mark that the keyboard is at.
fn mark(pod: &PodTile, x: usize, y: usize, selected: bool, send: &Send) -> Html {
    let subject = subject_of(pod);
    let send = send.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if matches!(&*event.key(), "Enter" | " ") {
            event.prevent_default();
            send.emit(Msg::Select(subject.clone()));
        }
    });
    html! {
        <rect key={pod.id} class="pod" tabindex="-1" role="button" x={x.to_string()} y={y.to_string()} width="7" height="7"
            aria-label={format!("{} {}{}", pod.version, pod::look(pod).1, pod::more(pod))}
            aria-pressed={if selected { "true" } else { "false" }} {onkeydown} />
    }
}
