//! The panel beside the cluster: what was said, or one thing closely.

use super::panel::Props;
use super::{feed, inspector, when, why};
use crate::app::{Msg, Send};
use crate::browser::focus;
use crate::side::{Filter, Side, Tab, Turn, tab_id};
use setpoint_lab::inspect::Subject;
use web_sys::Element;
use yew::prelude::*;

/// Two tabs and what belongs to the chosen one.
pub fn view(props: &Props) -> Html {
    let side = &props.side;
    if side.is_wide {
        return both(props);
    }
    let onkeydown = {
        let tab = other(side.tab);
        when(&props.send, move |event: KeyboardEvent| {
            ["ArrowLeft", "ArrowRight", "Home", "End"].contains(&&*event.key()).then(|| {
                event.prevent_default();
                let _ = focus::focus_id(tab_id(tab));
                Msg::Side(Turn::Show(tab))
            })
        })
    };
    html! {
        <aside class="panel side" aria-label="Events and details" tabindex="-1" onclick={follow(side, &props.send)}>
            <div class="tab-row">
                <div class="tabs" role="tablist" aria-label="Beside the cluster" {onkeydown}>
                    { tab(Tab::Events, "Events", props) }
                    { tab(Tab::Details, "Details", props) }
                </div>
                if side.tab == Tab::Events {
                    { feed::news(props) }
                }
            </div>
            <div class="tab-body" id="side-body" role="tabpanel" aria-labelledby={tab_id(side.tab)}>
                { match (side.tab, &side.why) {
                    (Tab::Events, _) => feed::view(props),
                    (Tab::Details, Some(why)) => why::view(why, &props.send),
                    (Tab::Details, None) => inspector::view(props),
                } }
            </div>
        </aside>
    }
}

/// Events and details side by side, where there is room for both.
fn both(props: &Props) -> Html {
    let side = &props.side;
    let half = |tab: Tab, name: &'static str, tools: Html, inside: Html| {
        html! {
            <section class="half" aria-labelledby={tab_id(tab)}>
                <div class="tab-row"><h2 id={tab_id(tab)} tabindex="-1">{ name }</h2>{ tools }</div>
                <div class="tab-body">{ inside }</div>
            </section>
        }
    };
    let details = match &side.why {
        Some(why) => why::view(why, &props.send),
        None => inspector::view(props),
    };
    html! {
        <aside class="panel side wide" aria-label="Events and details" tabindex="-1" onclick={follow(side, &props.send)}>
            { half(Tab::Events, "Events", feed::news(props), feed::view(props)) }
            { half(Tab::Details, "Details", html! {}, details) }
        </aside>
    }
}

fn other(tab: Tab) -> Tab {
    match tab {
        Tab::Events => Tab::Details,
        Tab::Details => Tab::Events,
    }
}

fn tab(tab: Tab, name: &'static str, props: &Props) -> Html {
    let chosen = props.side.tab == tab;
    html! {
        <button id={tab_id(tab)} role="tab" aria-selected={if chosen { "true" } else { "false" }} aria-controls="side-body"
            tabindex={if chosen { "0" } else { "-1" }}
            onclick={props.send.reform(move |_: MouseEvent| Msg::Side(Turn::Show(tab)))}>{ name }</button>
    }
}

/// One listener for all links of the panel, of which there may be hundreds.
fn follow(side: &Side, send: &Send) -> Callback<MouseEvent> {
    let warnings = side.filter.warnings;
    when(send, move |event: MouseEvent| {
        let button = event.target_dyn_into::<Element>()?.closest("button").ok()??;
        let (way, to) =
            button.get_attribute("data-way").and_then(|way| Some((way, button.get_attribute("data-to")?)))?;
        Some(match &*way {
            "go" => Msg::Select(Subject::from_text(&to)?),
            "why" => Msg::Side(Turn::Why(to.parse().ok()?)),
            _ => Msg::Side(Turn::Filter(Filter { warnings, text: to.into() })),
        })
    })
}

/// A link to something. Links outside of the details have ids, by which one finds back.
pub fn go(to: &Subject, text: &str, id: Option<String>) -> Html {
    html! { <button class="link" data-way="go" data-to={to.to_text()} {id}>{ text.to_string() }</button> }
}

/// Asks for the causes of a fact, if there is one.
pub fn ask(fact: u64, about: &str, id: Option<String>) -> Html {
    if fact == 0 {
        return html! {};
    }
    html! {
        <button class="link ask" data-way="why" data-to={fact.to_string()} aria-label={format!("why? {about}")} {id}>{ "why?" }</button>
    }
}

/// Narrows the feed to lines with a text.
pub fn only(text: &str, label: Html, name: String) -> Html {
    html! { <button class="link only" data-way="only" data-to={text.to_string()} aria-label={name.clone()} title={name}>{ label }</button> }
}
