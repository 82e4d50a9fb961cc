//! The bar on top: what this is, and time.

use super::parts::icon;
use crate::app::{Msg, Send};
use crate::browser::theme::Theme;
use crate::pace::SPEEDS;
use crate::words;
use setpoint_lab::Action;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What the bar shows.
pub struct Bar {
    pub scenario: AttrValue,
    /// Simulated tenths of a second.
    pub tenths: i64,
    pub playing: bool,
    pub notch: usize,
    /// Speed that was reached where the wish is not met.
    pub reached: Option<f64>,
    pub real_timing: bool,
    pub seed: u64,
    pub theme: Theme,
    pub send: Send,
}

/// Name, scenario, clock and its buttons, theme.
pub fn view(props: &Bar) -> Html {
    html! {
        <header class="topbar">
            <h1 class="brand">{ mark() }{ "Setpoint" }</h1>
            <p class="scenario"><span class="muted">{ "Scenario" }</span>{ " " }{ props.scenario.clone() }</p>
            { transport(props) }
            { timing(props) }
            { theme_switch(props) }
            <div class="words">
                <p>
                    { "A simulated Kubernetes cluster: " }
                    <strong>{ "raise the load, kill a node or deploy v2" }</strong>
                    { ", and watch its control loops put it right." }
                </p>
                { timing_note(props.real_timing) }
            </div>
        </header>
    }
}

fn transport(props: &Bar) -> Html {
    let press = |msg: fn() -> Msg| props.send.reform(move |_: MouseEvent| msg());
    let restart = format!("Restart with seed {}", props.seed);
    let (play, path) =
        if props.playing { ("Pause", "M5.5 3.5v9M10.5 3.5v9") } else { ("Play", "M5 3l8 5-8 5z") };
    html! {
        <div class="transport" role="group" aria-label="Simulated time">
            <button class="round" onclick={press(|| Msg::Restart)} aria-label={restart.clone()} title={restart}>
                { icon("M3.5 3v10M13 3.5 6.5 8l6.5 4.5z") }
            </button>
            <button class="round primary" onclick={press(|| Msg::Toggle)} aria-label={play} title={play}>
                { icon(path) }
            </button>
            <button class="round" onclick={press(|| Msg::Step)} aria-label="Step to the next event" title="Step to the next event">
                { icon("M4 3.5 10 8l-6 4.5zM12.5 3.5v9") }
            </button>
            <span class="clock" role="timer" aria-label="Simulated time" aria-live="off">
                { words::clock(props.tenths * 100_000) }
            </span>
            { speed(props) }
        </div>
    }
}

fn speed(props: &Bar) -> Html {
    let wished = words::speed(SPEEDS.get(props.notch).copied().unwrap_or(1.0));
    let spoken = format!("{} times", wished.trim_start_matches('×'));
    let oninput = props.send.reform(|event: InputEvent| {
        let notch = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
        Msg::Speed(notch)
    });
    html! {
        <label class="speed">
            <span class="sr">{ "Speed" }</span>
            <input type="range" min="0" max={(SPEEDS.len() - 1).to_string()} value={props.notch.to_string()}
                aria-valuetext={spoken} {oninput} />
            <span class="speed-words">
                if let Some(reached) = props.reached {
                    <b class="behind" title="This machine does not keep up with the wished speed">
                        { format!("{} of {wished}", words::speed(reached)) }
                    </b>
                } else {
                    <b>{ wished }</b>
                }
            </span>
        </label>
    }
}

fn timing(props: &Bar) -> Html {
    let choose = |real: bool| props.send.reform(move |_: MouseEvent| Msg::Act(Action::SetProfile { real }));
    let pressed = |on: bool| if on { "true" } else { "false" };
    html! {
        <div class="segments timing" role="group" aria-label="Timing" aria-describedby="timing-note">
            <button onclick={choose(false)} aria-pressed={pressed(!props.real_timing)}>{ "Classroom" }</button>
            <button onclick={choose(true)} aria-pressed={pressed(props.real_timing)}>{ "Real" }</button>
        </div>
    }
}

fn timing_note(real: bool) -> Html {
    let (name, note) = if real {
        ("Real timing: ", "a dead node is noticed after 50 s, as by default.")
    } else {
        ("Classroom timing: ", "a dead node is noticed after 4 s, not 50 s.")
    };
    html! { <p class="note" id="timing-note"><b>{ name }</b>{ note }</p> }
}

fn theme_switch(props: &Bar) -> Html {
    let label = format!("Theme: {}. Switch to {}", props.theme.name(), props.theme.next().name());
    let path = match props.theme {
        Theme::System => "M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3",
        Theme::Light => {
            "M8 5.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M3.2 12.8l1-1M11.8 4.2l1-1"
        }
        Theme::Dark => "M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z",
    };
    html! {
        <button class="round theme" onclick={props.send.reform(|_: MouseEvent| Msg::Theme)} aria-label={label.clone()} title={label}>
            { icon(path) }
        </button>
    }
}

fn mark() -> Html {
    html! {
        <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="12" cy="12" r="9.2" stroke-width="1.8" stroke-dasharray="43 15" transform="rotate(126 12 12)" />
            <path d="M12 12 16.6 7.4" stroke-width="2.2" />
            <circle cx="12" cy="12" r="1" stroke-width="2" />
        </svg>
    }
}
