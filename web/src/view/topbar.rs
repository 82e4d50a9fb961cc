//! The bar on top: what this is, and time.

use super::number::Number;
use super::parts::{CLOSE, icon};
use super::sheet;
use crate::app::{Msg, Send};
use crate::browser::{address, theme::Theme};
use crate::desk::{self, Desk, Sheet};
use crate::pace::SPEEDS;
use crate::words;
use setpoint_lab::frame::{Frame, Period};
use setpoint_lab::{Action, builtin};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What the bar shows.
pub struct Bar<'a> {
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
    pub desk: &'a Desk,
    /// The picture of now, for what help offers in it.
    pub frame: &'a Frame,
    pub send: &'a Send,
    /// A seed that was typed; one value for the life of the page, so that its field is left alone.
    pub on_seed: &'a Callback<String>,
}

/// Name, scenario, clock and its buttons, theme.
pub fn view(bar: &Bar) -> Html {
    html! {
        <header class="topbar">
            <h1 class="brand">{ mark() }{ "Setpoint" }</h1>
            { scenarios(bar) }
            { transport(bar) }
            <span class="seed">
                <label for="seed" title="The same seed gives the same run">{ "Seed" }</label>
                <Number id="seed" value={bar.seed.to_string()} onchange={bar.on_seed.clone()} />
            </span>
            <div class="tools">
                { timing(bar) }
                { sheet_button(bar, Sheet::Keys, "Keys and help", html! { "?" }, "round help") }
                { theme_switch(bar) }
            </div>
            <div class="words">
                { guide(bar) }
                { timing_note(bar) }
            </div>
            { sheet::view(bar.desk, bar.frame, bar.send) }
        </header>
    }
}

/// The scenarios that come with the page; another one opens the page anew.
fn scenarios(bar: &Bar) -> Html {
    let open = Callback::from(|event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        address::open_scenario(&chosen, chosen == builtin::ALL[0].0);
    });
    html! {
        <label class="scenario"><span class="muted">{ "Scenario" }</span>
            <select onchange={open}>
                { for builtin::ALL.iter().map(|(name, title)| html! {
                    <option value={*name} selected={**title == *bar.scenario}>{ *title }</option>
                }) }
            </select>
        </label>
    }
}

/// One line, in a place of its own, that says what this is or what to watch.
fn guide(bar: &Bar) -> Html {
    let words = match (&*bar.desk.guide, bar.desk.quiet) {
        ("", true) => return html! { <p class="guide" /> },
        ("", false) => html! {
            <>
                { "A simulated Kubernetes cluster. " }
                <strong>{ "Kill a node, raise the load or deploy v2" }</strong>
                { ", and watch its control loops put it right." }
            </>
        },
        _ => html! { bar.desk.guide.clone() },
    };
    let dismiss = bar.send.reform(|_: MouseEvent| Msg::Desk(desk::Msg::Dismiss));
    html! {
        <p class="guide">
            <span title={bar.desk.guide.clone()}>{ words }</span>
            <button class="bare" onclick={dismiss} aria-label="Dismiss this hint">{ icon(CLOSE) }</button>
        </p>
    }
}

fn transport(bar: &Bar) -> Html {
    let press = |msg: fn() -> Msg| bar.send.reform(move |_: MouseEvent| msg());
    let restart = format!("Restart with seed {}", bar.seed);
    let (play, path) =
        if bar.playing { ("Pause", "M5.5 3.5v9M10.5 3.5v9") } else { ("Play", "M5 3l8 5-8 5z") };
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
                { words::clock(bar.tenths * 100_000) }
            </span>
            { speed(bar) }
        </div>
    }
}

fn speed(bar: &Bar) -> Html {
    let wished = words::speed(SPEEDS.get(bar.notch).copied().unwrap_or(1.0));
    let spoken = format!("{} times", wished.trim_start_matches('×'));
    let oninput = bar.send.reform(|event: InputEvent| {
        let notch = event.target_unchecked_into::<HtmlInputElement>().value().parse().unwrap_or(0);
        Msg::Speed(notch)
    });
    html! {
        <label class="speed">
            <span class="sr">{ "Speed" }</span>
            <input type="range" min="0" max={(SPEEDS.len() - 1).to_string()} value={bar.notch.to_string()}
                aria-valuetext={spoken} {oninput} />
            <span class="speed-words">
                if let Some(reached) = bar.reached {
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

fn timing(bar: &Bar) -> Html {
    let choose = |real: bool| bar.send.reform(move |_: MouseEvent| Msg::Act(Action::SetProfile { real }));
    let pressed = |on: bool| if on { "true" } else { "false" };
    html! {
        <div class="segments timing" role="group" aria-label="Timing" aria-describedby="timing-note">
            <button onclick={choose(false)} aria-pressed={pressed(!bar.real_timing)}>{ "Classroom" }</button>
            <button onclick={choose(true)} aria-pressed={pressed(bar.real_timing)}>{ "Real" }</button>
        </div>
    }
}

/// Which periods are in force, with the one that people meet first, and a way to the others.
fn timing_note(bar: &Bar) -> Html {
    let name = if bar.real_timing { "Real timing: " } else { "Classroom timing: " };
    let own = |row: &&Period| row.here_us != row.upstream_us;
    let grace = bar.desk.periods.iter().find(|row| row.row == "node_monitor_grace");
    let note = match grace {
        Some(row) if own(&row) => {
            // A number and its unit stay on one line.
            let [here, upstream] =
                [row.here_us, row.upstream_us].map(|us| words::span(us).replace(' ', "\u{a0}"));
            format!("node loss is noticed after {here}, not {upstream}.")
        }
        _ if bar.desk.periods.iter().any(|row| own(&row)) => "some periods are not upstream's.".to_string(),
        _ => "node loss is noticed after 50 s, as by default.".to_string(),
    };
    html! {
        <p class="note">
            <span id="timing-note"><b>{ name }</b>{ note }</span>
            { " " }
            { sheet_button(bar, Sheet::Timing, "All periods, to see and to change", html! { "All periods" }, "bare link") }
        </p>
    }
}

/// A button that unfolds a sheet.
fn sheet_button(bar: &Bar, sheet: Sheet, label: &'static str, inside: Html, class: &'static str) -> Html {
    let onclick = bar.send.reform(move |_: MouseEvent| Msg::Desk(desk::Msg::Sheet(sheet)));
    let is_open = bar.desk.sheet == Some(sheet);
    html! {
        <button {class} {onclick} title={label} aria-label={label} aria-expanded={if is_open { "true" } else { "false" }}
            aria-controls={is_open.then_some("sheet")}>{ inside }</button>
    }
}

fn theme_switch(bar: &Bar) -> Html {
    let label = format!("Theme: {}. Switch to {}", bar.theme.name(), bar.theme.next().name());
    let path = match bar.theme {
        Theme::System => "M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3",
        Theme::Light => {
            "M8 5.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M3.2 12.8l1-1M11.8 4.2l1-1"
        }
        Theme::Dark => "M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z",
    };
    html! {
        <button class="round theme" onclick={bar.send.reform(|_: MouseEvent| Msg::Theme)} aria-label={label.clone()} title={label}>
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
