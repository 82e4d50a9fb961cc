//! The terminal: what was said, and the prompt.

use super::when;
use crate::app::{Msg, Send};
use crate::browser::{files, focus};
use crate::language::line::Line;
use crate::language::log::{Block, Head, Piece};
use crate::language::{self, Shown};
use setpoint_lab::kubectl::Equivalent;
use std::rc::Rc;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

/// The id of the output.
const LOG: &str = "terminal-log";
/// The id of the prompt's field.
const PROMPT: &str = "prompt";
/// Most words that are offered at once.
const OFFERS_MAX: usize = 60;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub shown: Rc<Shown>,
    pub send: Send,
}

/// The terminal. It remembers where it put the cursor last.
pub struct Terminal {
    field: NodeRef,
    output: NodeRef,
    caret: u32,
}

impl Component for Terminal {
    type Message = ();
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        Self { field: NodeRef::default(), output: NodeRef::default(), caret: ctx.props().shown.line.caret.1 }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        let line = &ctx.props().shown.line;
        if line.caret.1 == self.caret {
            return;
        }
        self.caret = line.caret.1;
        if let Some(field) = self.field.cast::<HtmlInputElement>() {
            let at = files::units_of(line.field(), line.caret.0);
            let _ = field.set_selection_range(at, at);
        }
        // The box is turned over, so that it keeps to its end: there is zero.
        if let Some(output) = self.output.cast::<Element>() {
            output.set_scroll_top(0);
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let Props { shown, send } = ctx.props();
        html! {
            <div class="terminal">
                <div class="log" id={LOG} ref={self.output.clone()} role="log" aria-label="Terminal output" tabindex="0">
                    <div>
                        if shown.log.is_fresh() {
                            { welcome(send) }
                        }
                        { for shown.log.blocks.iter().map(|block| html! {
                            <Entry key={block.id} block={block.clone()} send={send.clone()} />
                        }) }
                    </div>
                </div>
                { self.prompt(shown, send) }
                { offers(&shown.line, send) }
            </div>
        }
    }
}

impl Terminal {
    fn prompt(&self, shown: &Shown, send: &Send) -> Html {
        let say = |msg: language::Msg| Msg::Language(msg);
        let oninput = send.reform(move |event: InputEvent| {
            say(language::Msg::Type(event.target_unchecked_into::<HtmlInputElement>().value()))
        });
        let onpaste = when(send, move |event: Event| {
            let text = files::pasted(&event).filter(|text| text.trim_end().contains('\n'))?;
            event.prevent_default();
            Some(say(language::Msg::Paste(text)))
        });
        let is_open = shown.line.search.is_some() || !shown.line.offers.is_empty();
        let onkeydown = when(send, move |event: KeyboardEvent| {
            let msg = pressed(&event, is_open)?;
            event.prevent_default();
            Some(msg)
        });
        let label = match &shown.line.search {
            Some(_) => "search:".to_string(),
            None => format!("{} $", shown.namespace),
        };
        // What a keyboard on glass has no keys for.
        let field = self.field.clone();
        let complete = when(send, move |_: MouseEvent| {
            let field = field.cast::<HtmlInputElement>()?;
            let cursor = field.selection_end().ok()??;
            let _ = field.focus();
            Some(say(language::Msg::Complete(files::byte_of(&field.value(), cursor))))
        });
        let older = send.reform(move |_: MouseEvent| say(language::Msg::Turn { older: true }));
        let stop = send.reform(move |_: MouseEvent| say(language::Msg::Interrupt));
        html! {
            <div class="prompt">
                <label for={PROMPT} class="ps"><span class="sr">{ "kubectl command, namespace " }</span>{ label }</label>
                <input id={PROMPT} ref={self.field.clone()} type="text" value={shown.line.field().to_string()}
                    autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="go"
                    aria-describedby="prompt-help"
                    placeholder={if shown.is_running { "running: Ctrl-C ends it" } else { "get pods" }}
                    {oninput} {onkeydown} {onpaste} />
                <button class="touch" onclick={complete}>{ "Tab" }</button>
                <button class="touch" onclick={older} aria-label="Earlier line">{ "↑" }</button>
                if shown.is_running {
                    <button class="stop" onclick={stop}>{ "Stop" }</button>
                }
                <p class="sr" id="prompt-help">{ "Enter runs it. Tab completes, arrow keys and Control R go back to earlier lines, Control C ends what runs, Escape leaves." }</p>
            </div>
        }
    }
}

/// What a key means at the prompt; `None` for what the field does by itself.
fn pressed(event: &KeyboardEvent, is_open: bool) -> Option<Msg> {
    use language::Msg as Said;
    if event.is_composing() || event.alt_key() || event.meta_key() {
        return None;
    }
    let field: HtmlInputElement = event.target_unchecked_into();
    let selection = (field.selection_start().ok()??, field.selection_end().ok()??);
    let said = match (event.ctrl_key(), &*event.key()) {
        (false, "Enter") => Said::Run,
        (false, "ArrowUp") => Said::Turn { older: true },
        (false, "ArrowDown") => Said::Turn { older: false },
        (false, "ArrowRight" | "ArrowLeft" | "End" | "Home") if is_open => Said::Settle,
        // On an empty line, and backwards, the key goes where it goes everywhere.
        (false, "Tab") if !event.shift_key() && !field.value().is_empty() => {
            Said::Complete(files::byte_of(&field.value(), selection.1))
        }
        (false, "Escape") if is_open => Said::Settle,
        (false, "Escape") => return Some(Msg::Leave),
        (true, "r") => Said::Search,
        (true, "l") => Said::Clear,
        (true, "u") => Said::Type(String::new()),
        // A selection is copied.
        (true, "c") if selection.0 == selection.1 => Said::Interrupt,
        _ => return None,
    };
    Some(Msg::Language(said))
}

/// The search's finding, or the words that Tab offers.
fn offers(line: &Line, send: &Send) -> Html {
    let choose = |word: &String| {
        let word = word.clone();
        send.reform(move |_: MouseEvent| Msg::Language(language::Msg::Choose(word.clone())))
    };
    let more = line.offers.len().saturating_sub(OFFERS_MAX);
    let inside = match &line.search {
        Some(search) => match line.found() {
            Some(found) => html! { <code>{ found.to_string() }</code> },
            None if search.wanted.is_empty() => html! { "Type a part of an earlier line." },
            None => html! { "No earlier line has that." },
        },
        None => html! {
            <>
                if !line.offers.is_empty() {
                    <span class="sr">{ format!("{} possible words: ", line.offers.len()) }</span>
                }
                { for line.offers.iter().take(OFFERS_MAX).map(|word| html! {
                    <button onclick={choose(word)}>{ word.clone() }</button>
                }) }
                if more > 0 {
                    <span>{ format!("and {more} more") }</span>
                }
            </>
        },
    };
    let class = if line.search.is_some() || !line.offers.is_empty() { "offers" } else { "offers none" };
    html! { <div {class} role="status">{ inside }</div> }
}

/// What stands where nothing was said yet: lines to try.
fn welcome(send: &Send) -> Html {
    let line = |line: &'static str, what: &'static str| {
        let onclick = send.reform(move |_: MouseEvent| Msg::Language(language::Msg::Paste(line.to_string())));
        html! { <li><button class="link mono" {onclick}>{ line }</button><span>{ what }</span></li> }
    };
    html! {
        <div class="welcome">
            <p>{ "kubectl, talking to the cluster above. What you do on the page is written here as well. Try:" }</p>
            <ul>
                { line("kubectl get pods -o wide", "where everything runs") }
                { line("kubectl scale deployment web --replicas=5", "the same as the stepper") }
                { line("kubectl get pods -w", "then kill a node") }
                { line("kubectl apply -f web.yaml", "a file of the Manifests tab") }
                { line("kubectl help", "all commands") }
            </ul>
        </div>
    }
}

/// What can be done with the terminal as a whole.
pub fn tools(shown: &Rc<Shown>, send: &Send) -> Html {
    let told = send.reform(|is_done| Msg::Language(language::Msg::Copied(is_done)));
    let log = shown.log.clone();
    let copy = Callback::from(move |_: MouseEvent| focus::copy(&log.text(), LOG, told.clone()));
    let clear = send.reform(|_: MouseEvent| Msg::Language(language::Msg::Clear));
    let is_empty = shown.log.blocks.is_empty();
    html! {
        <div class="dock-tools">
            <span role="status">{ shown.copied }</span>
            <button onclick={copy} disabled={is_empty}>{ "Copy" }</button>
            <button onclick={clear} disabled={is_empty}>{ "Clear" }</button>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct EntryProps {
    block: Rc<Block>,
    send: Send,
}

/// A command or an act. It is drawn anew only when it has changed.
#[component]
fn Entry(props: &EntryProps) -> Html {
    let block = &*props.block;
    html! {
        <div class="entry">
            { match &block.head {
                Head::Typed { namespace, line } => html! {
                    <p class="typed"><span class="ps">{ format!("{namespace} $ ") }</span>{ line.to_string() }</p>
                },
                Head::Act { done, equivalent } => act(block.id, done, equivalent.as_deref(), &props.send),
                Head::More => html! {},
            } }
            if block.forgotten > 0 {
                <p class="forgotten">{ format!("{} earlier lines are not kept", block.forgotten) }</p>
            }
            { for block.pieces.iter().map(|piece| printed(piece)) }
        </div>
    }
}

/// A piece of output. What went to standard error has a bar at its side.
pub fn printed(piece: &Piece) -> Html {
    html! {
        <div key={piece.id} class={if piece.is_error { "out err" } else { "out" }}>
            if piece.is_error {
                <span class="sr">{ "standard error: " }</span>
            }
            { piece.text.to_string() }
        </div>
    }
}

/// Something that was done on the page.
fn act(id: u32, done: &str, equivalent: Option<&Equivalent>, send: &Send) -> Html {
    let Some(same) = equivalent else {
        return html! { <p class="typed act">{ format!("# {done}: no kubectl line, it happens outside of the API") }</p> };
    };
    let line_id = format!("act-{id}");
    let line = same.pasteable();
    let told = send.reform(|is_done| Msg::Language(language::Msg::Copied(is_done)));
    let copy = Callback::from(move |_: MouseEvent| focus::copy(&line, LOG, told.clone()));
    html! {
        <div class="act">
            <p class="typed">
                <span class="ps"><span class="on-page">{ "page" }</span>{ " $ " }</span>
                <span id={line_id}>{ same.line.clone() }</span>
                { " " }<button class="link" onclick={copy} aria-label="Copy the kubectl line">{ "copy" }</button>
            </p>
            if let Some(yaml) = &same.yaml {
                <details><summary>{ "as YAML" }</summary><pre>{ yaml.clone() }</pre></details>
            }
        </div>
    }
}
