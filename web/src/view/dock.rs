//! The panel below the cluster: the run so far, the terminal, or the manifest editor.

use super::editor::Editor;
use super::panel::Props;
use super::terminal::Terminal;
use super::{chart, terminal, when};
use crate::app::{Msg, Send};
use crate::browser::focus;
use crate::language::log::Head;
use crate::language::{self, Shown};
use crate::side::{Dock, Turn};
use js_sys::Reflect;
use std::rc::Rc;
use yew::prelude::*;

/// The id of the line that says what was done last.
const LAST: &str = "last-act";

/// Tabs, what can be done with the chosen one, and itself.
pub fn view(props: &Props) -> Html {
    let dock = props.side.dock;
    let Some(shown) = &props.shown else { return html! {} };
    let [_, id, _] = dock.names();
    html! {
        <section class="panel dock" id="dock" aria-label="History, kubectl and manifests">
            <div class="tab-row">
                <div class="tabs" role="tablist" aria-label="Below the cluster" onkeydown={walk(dock, &props.send)}>
                    { for Dock::ALL.map(|tab| one(tab, dock, &props.send)) }
                </div>
                { match dock {
                    Dock::History => html! { <>{ last(shown, &props.send) }{ chart::table_switch(props) }</> },
                    Dock::Terminal => terminal::tools(shown, &props.send),
                    Dock::Manifests => html! {},
                } }
            </div>
            <div class="dock-body" id="dock-body" role="tabpanel" aria-labelledby={id}>
                { inside(props, shown) }
            </div>
        </section>
    }
}

fn inside(props: &Props, shown: &Rc<Shown>) -> Html {
    match props.side.dock {
        Dock::History => chart::view(props),
        Dock::Terminal => html! { <Terminal shown={shown.clone()} send={props.send.clone()} /> },
        Dock::Manifests => html! { <Editor shown={shown.clone()} send={props.send.clone()} /> },
    }
}

fn one(tab: Dock, chosen: Dock, send: &Send) -> Html {
    let [name, id, _] = tab.names();
    let chosen = tab == chosen;
    let onclick = send.reform(move |event: MouseEvent| {
        // Whoever has a mouse has a keyboard at hand; a touch must not make one cover the page.
        let pointer = Reflect::get(&event, &"pointerType".into()).ok().and_then(|kind| kind.as_string());
        if pointer.as_deref() == Some("mouse") && tab != Dock::History {
            Msg::ToDock(tab)
        } else {
            Msg::Side(Turn::Dock(tab))
        }
    });
    html! {
        <button {id} role="tab" aria-selected={if chosen { "true" } else { "false" }} aria-controls="dock-body"
            tabindex={if chosen { "0" } else { "-1" }} {onclick}>{ name }</button>
    }
}

/// Arrow keys go from tab to tab.
fn walk(dock: Dock, send: &Send) -> Callback<KeyboardEvent> {
    when(send, move |event: KeyboardEvent| {
        let at = Dock::ALL.iter().position(|tab| *tab == dock)?;
        let to = match &*event.key() {
            "ArrowLeft" => at + Dock::ALL.len() - 1,
            "ArrowRight" => at + 1,
            "Home" => 0,
            "End" => Dock::ALL.len() - 1,
            _ => return None,
        };
        let tab = *Dock::ALL.get(to % Dock::ALL.len())?;
        event.prevent_default();
        let _ = focus::focus_id(tab.names()[1]);
        Some(Msg::Side(Turn::Dock(tab)))
    })
}

/// What the person did last, as a kubectl line.
fn last(shown: &Shown, send: &Send) -> Html {
    match &shown.act {
        Some(Head::Act { equivalent: Some(same), .. }) => {
            let line = same.pasteable();
            let told = send.reform(|is_done| Msg::Language(language::Msg::Copied(is_done)));
            let copy = Callback::from(move |_: MouseEvent| focus::copy(&line, LAST, told.clone()));
            let more = send.reform(|_: MouseEvent| Msg::Side(Turn::Dock(Dock::Terminal)));
            html! {
                <div class="last">
                    <code id={LAST} title={same.line.clone()}><span aria-hidden="true">{ "$ " }</span>{ same.line.clone() }</code>
                    <button onclick={copy} aria-label="Copy the kubectl line">{ "Copy" }</button>
                    if same.yaml.is_some() {
                        <button onclick={more} aria-label="The same as YAML, in the terminal">{ "YAML" }</button>
                    }
                    <span role="status">{ shown.copied }</span>
                </div>
            }
        }
        _ => html! { <div class="last" /> },
    }
}
