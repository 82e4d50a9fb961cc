//! A pod's tile. Its state has a word, a shape and a line style; its version has a colour and a name.

use super::parts::{icon, percent};
use super::subject_of;
use crate::app::{Msg, Send};
use crate::words;
use setpoint_lab::frame::{PodLook, PodTile};
use yew::prelude::*;

/// How a tile stands among others.
#[derive(Clone, Copy)]
pub struct Place {
    /// Time, for progress.
    pub at_us: i64,
    pub selected: bool,
    /// Whether the Tab key stops here; the arrow keys reach the others.
    pub stop: bool,
}

/// One pod.
pub fn view(pod: &PodTile, place: Place, send: &Send) -> Html {
    let subject = subject_of(pod);
    let (class, word, path) = look(pod);
    let class = format!(
        "pod {} {class}{}",
        words::version_class(&pod.version),
        if pod.wedged { " hung" } else { "" }
    );
    let figure = figure(pod, place.at_us);
    let title =
        pod.note.as_ref().map_or_else(|| pod.name.to_string(), |note| format!("{}: {note}", pod.name));
    html! {
        <button {class} id={format!("pod-{}", pod.id)} {title}
            tabindex={if place.stop { "0" } else { "-1" }}
            aria-pressed={if place.selected { "true" } else { "false" }}
            onclick={send.reform(move |_: MouseEvent| Msg::Select(subject.clone()))}>
            { fill(pod, place.at_us) }
            <span><b>{ pod.version.clone() }</b><i class="name">{ pod.short_name.clone() }</i></span>
            <span class="word">{ icon(path) }<i>{ word }</i>{ figure }</span>
            <span class="sr">{ more(pod) }</span>
        </button>
    }
}

/// Class, word and sign of a state.
pub fn look(pod: &PodTile) -> (&'static str, &'static str, &'static str) {
    match pod.look {
        PodLook::Pending => {
            ("pending", "Pending", "M4.5 2.5h7M4.5 13.5h7M5 2.5c0 5 6 6 6 11M11 2.5c0 5-6 6-6 11")
        }
        PodLook::Pulling => ("pulling", "Pulling", "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3.5 13.5h9"),
        PodLook::Starting => ("starting", "Starting", "M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5v3l2 1.5"),
        PodLook::Ready if pod.wedged => ("ready", "Hangs", "M5.5 3.5v9M10.5 3.5v9"),
        PodLook::Ready => ("ready", "Ready", "M3 8.5 6.5 12 13 4.5"),
        PodLook::NotReady => ("unready", "Not ready", "M8 3v6.5M8 12.6v.2"),
        PodLook::BackOff => ("backoff", "Back-off", "M3 8a5 5 0 1 0 1.6-3.7M3 1.8v3.4h3.4M8 5.4v3M8 10.6v.1"),
        PodLook::Terminating => ("terminating", "Terminating", "M4 4l8 8M12 4l-8 8"),
        // The cluster has given it up, but its kubelet cannot confirm.
        PodLook::Lost if *pod.status == *"Terminating" => {
            ("lost given-up", "Terminating", "M4 4l8 8M12 4l-8 8")
        }
        PodLook::Lost => ("lost", "Unknown", "M5.6 5.6a2.5 2.5 0 1 1 3.6 2.6C8.3 8.7 8 9.2 8 10M8 12.8v.1"),
        PodLook::Finished => ("finished", "Finished", "M4 4h8v8H4z"),
    }
}

/// The number beside the word: time left, CPU, or restarts.
fn figure(pod: &PodTile, at_us: i64) -> String {
    match (pod.step, pod.cpu_percent, pod.restarts) {
        (Some((_, end_us)), ..) if end_us > at_us && pod.look != PodLook::Terminating => {
            words::seconds_left(end_us - at_us)
        }
        (_, Some(cpu), _) if pod.look == PodLook::Ready => format!("{cpu}%"),
        (.., restarts) if restarts > 0 => format!("↻{restarts}"),
        _ => String::new(),
    }
}

/// Progress behind the words while a step lasts, CPU along the lower edge once it runs.
fn fill(pod: &PodTile, at_us: i64) -> Html {
    let (class, share) = match (pod.step, pod.cpu_percent) {
        (Some((from_us, to_us)), _) if to_us > from_us => {
            ("fill progress", (at_us - from_us).clamp(0, to_us - from_us) * 100 / (to_us - from_us))
        }
        (_, Some(cpu)) => ("fill cpu", i64::from(cpu)),
        _ => return html! {},
    };
    html! { <svg {class} aria-hidden="true"><rect width={percent(share)} height="100%" /></svg> }
}

/// What the tile has no room for, for those who hear it.
fn more(pod: &PodTile) -> String {
    let mut more = format!(", pod {}, status {}", pod.name, pod.status);
    if pod.restarts > 0 {
        more.push_str(&format!(", {}", words::count(pod.restarts, "restart")));
    }
    more
}
