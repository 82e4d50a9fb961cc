//! A pod's tile. Its state has a word, a shape and a line style; its version has a colour and a name. How much of that is
//! seen is the style sheet's, by the class of the nodes; all of it is heard.

use super::parts::{icon, percent};
use super::subject_of;
use crate::app::{Msg, Send};
use crate::words;
use setpoint_lab::frame::{Nature, PodLook, PodTile};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pod: Rc<PodTile>,
    /// Time, for progress; 0 if nothing is under way.
    pub at_us: i64,
    pub selected: bool,
    /// Whether the Tab key stops here; the arrow keys reach the others.
    pub stop: bool,
    pub send: Send,
}

/// One pod; a component, so that a tile that did not change is not drawn again.
#[component]
pub fn Pod(props: &Props) -> Html {
    let pod = &*props.pod;
    let subject = subject_of(pod);
    let (class, word, path) = look(pod);
    let class = format!(
        "pod {} {class}{}{}",
        words::version_class(&pod.version),
        if pod.wedged { " hung" } else { "" },
        if pod.is_named { " named" } else { "" }
    );
    html! {
        <button {class} id={format!("pod-{}", pod.id)} title={title(pod)}
            tabindex={if props.stop { "0" } else { "-1" }}
            aria-pressed={if props.selected { "true" } else { "false" }}
            onclick={props.send.reform(move |_: MouseEvent| Msg::Select(subject.clone()))}>
            { fill(pod, props.at_us) }
            <span><b>{ pod.version.clone() }</b><i class="name">{ sign(pod.nature) }{ pod.short_name.clone() }</i></span>
            <span class="word">{ icon(path) }<i>{ word }</i><em>{ figure(pod, props.at_us) }</em></span>
            <span class="sr">{ more(pod) }</span>
        </button>
    }
}

/// What the pointer is told of a pod.
pub fn title(pod: &PodTile) -> String {
    let word = look(pod).1;
    let mut title = format!("{}: {word}", pod.name);
    for more in [&pod.note, &pod.volumes].into_iter().flatten() {
        title.push_str(". ");
        title.push_str(more.trim_end_matches('.'));
    }
    title
}

/// The sign of what a pod belongs to, if that is not a ReplicaSet.
fn sign(nature: Nature) -> Html {
    let path = match nature {
        Nature::Replica => return html! {},
        // A cylinder: it keeps something. A stake: it stands on its node. A flag: it runs to an end.
        Nature::Stateful => "M3 4c0-2.4 10-2.4 10 0v8c0 2.4-10 2.4-10 0zM3 4c0 2.4 10 2.4 10 0",
        Nature::Daemon => "M8 2v9M4.5 7.5 8 11l3.5-3.5M3 14h10",
        Nature::Run => "M4 14V2.5h8L10 5.8 12 9H4",
        Nature::Bare => "M8 5.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5",
    };
    html! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg> }
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
        PodLook::Terminating if pod.preempted_by.is_some() => {
            ("terminating preempted", "Preempted", "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3.5 13.5h9")
        }
        PodLook::Terminating => ("terminating", "Terminating", "M4 4l8 8M12 4l-8 8"),
        // The cluster has given it up, but its kubelet cannot confirm.
        PodLook::Lost if *pod.status == *"Terminating" => {
            ("lost given-up", "Terminating", "M4 4l8 8M12 4l-8 8")
        }
        PodLook::Lost => ("lost", "Unknown", "M5.6 5.6a2.5 2.5 0 1 1 3.6 2.6C8.3 8.7 8 9.2 8 10M8 12.8v.1"),
        PodLook::Finished if *pod.status == *"Completed" => {
            ("finished well", "Completed", "M3 8.5 6.5 12 13 4.5")
        }
        PodLook::Finished if *pod.status == *"Evicted" => ("finished badly", "Evicted", "M4 4l8 8M12 4l-8 8"),
        PodLook::Finished => ("finished badly", "Failed", "M4 4l8 8M12 4l-8 8"),
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
            let passed = (at_us - from_us).clamp(0, to_us - from_us) * 100 / (to_us - from_us);
            // What starts fills up, what ends drains.
            ("fill progress", if pod.look == PodLook::Terminating { 100 - passed } else { passed })
        }
        (_, Some(cpu)) => ("fill cpu", i64::from(cpu)),
        _ => return html! {},
    };
    html! { <svg {class} aria-hidden="true"><rect width={percent(share)} height="100%" /></svg> }
}

/// What the tile has no room for, for those who hear it.
pub fn more(pod: &PodTile) -> String {
    let mut more = format!(", pod {}, status {}", pod.name, pod.status);
    if pod.restarts > 0 {
        more.push_str(&format!(", {}", words::count(pod.restarts, "restart")));
    }
    let nature = match pod.nature {
        Nature::Stateful => Some("of a StatefulSet"),
        Nature::Daemon => Some("of a DaemonSet"),
        Nature::Run => Some("of a Job"),
        Nature::Replica | Nature::Bare => None,
    };
    let volumes = pod.volumes.as_ref().map(|volumes| format!("volume {volumes}"));
    let taken = pod.preempted_by.as_ref().map(|other| format!("{other} takes its place"));
    for part in nature.map(str::to_string).into_iter().chain(volumes).chain(taken) {
        more.push_str(", ");
        more.push_str(&part);
    }
    more
}
