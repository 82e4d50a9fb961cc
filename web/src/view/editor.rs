//! The manifest editor: the folder's files, the open one with its colours and what is wrong with it, and what can be done with it.

use super::parts::{CLOSE, PLUS, icon};
use super::when;
use crate::app::{Msg, Send};
use crate::browser::files;
use crate::language::editor::{self, Answer, BYTES_MAX, Msg as Said, Way};
use crate::language::{self, Shown, highlight};
use setpoint_lab::{Diagnostic, Severity};
use std::rc::Rc;
use web_sys::{DragEvent, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

/// The id of the text.
const TEXT: &str = "manifest";
/// Longer texts, in lines and in bytes, have no colours.
const COLOURED_MAX: (usize, usize) = (2000, 60_000);
/// Most words that are offered at once.
const OFFERS_MAX: usize = 60;
/// Most problems that are listed.
const PROBLEMS_MAX: usize = 50;
/// A pencil, a bin, an arrow into a tray and one out of it.
const PENCIL: &str = "M3 13l.6-2.7L10.8 3a1.4 1.4 0 0 1 2 2l-7.2 7.3z";
const BIN: &str = "M3.5 4.5h9M6.5 4.5v-2h3v2M4.8 4.5l.5 9h5.4l.5-9";
const INTO: &str = "M8 2.5v7M5 6.8l3 3 3-3M3 11v2.5h10V11";
const OUT_OF: &str = "M8 10V2.8M5 5.6l3-3 3 3M3 11v2.5h10V11";

#[derive(Properties, PartialEq)]
pub struct Props {
    pub shown: Rc<Shown>,
    pub send: Send,
}

/// The editor.
pub struct Editor {
    text: NodeRef,
    typed: u32,
}

/// A message about the editor.
fn say(said: Said) -> Msg {
    Msg::Language(language::Msg::Editor(said))
}

impl Component for Editor {
    type Message = ();
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        Self { text: NodeRef::default(), typed: ctx.props().shown.editor.typed.2 }
    }

    /// Types what the person has chosen, as if they had.
    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        // One begins to read at the beginning; browsers begin at the end.
        if let Some(text) = self.text.cast::<HtmlTextAreaElement>().filter(|_| first) {
            let _ = text.set_selection_range(0, 0);
        }
        let (word, (from, to), number) = &ctx.props().shown.editor.typed;
        if *number == self.typed {
            return;
        }
        self.typed = *number;
        if let Some(text) = self.text.cast::<HtmlTextAreaElement>() {
            let value = text.value();
            let _ = text.focus();
            let _ = text.set_selection_range(files::units_of(&value, *from), files::units_of(&value, *to));
            let _ = files::type_text(word);
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let Props { shown, send } = ctx.props();
        let editor = &shown.editor;
        let drop = when(send, {
            let send = send.clone();
            move |event: DragEvent| {
                let dropped = event.data_transfer()?.files()?;
                event.prevent_default();
                add(&dropped, &send);
                None
            }
        });
        let ondragover = Callback::from(|event: DragEvent| event.prevent_default());
        html! {
            <div class="editor" ondrop={drop} {ondragover}>
                { tools(editor, send) }
                <div class="work">
                    { self.sheet(editor, send) }
                    <div class="findings">
                        { self.findings(editor, send) }
                        { for editor.answer.as_ref().map(|answer| said(answer, send)) }
                    </div>
                </div>
            </div>
        }
    }
}

impl Editor {
    /// Numbers, colours and the text, one over the other, in one box that scrolls.
    fn sheet(&self, editor: &editor::Editor, send: &Send) -> Html {
        let oninput = send.reform(|event: InputEvent| {
            say(Said::Write(event.target_unchecked_into::<HtmlTextAreaElement>().value()))
        });
        let is_edit = editor.is_edit;
        let onkeydown = when(send, move |event: KeyboardEvent| pressed(&event, is_edit));
        let is_wrong = editor.problems.iter().any(|problem| problem.severity == Severity::Error);
        html! {
            // Another file begins at its top.
            <div class="code" key={editor.open.clone()}>
                { numbers(editor) }
                <div class="stack">
                    { colours(editor) }
                    <textarea id={TEXT} ref={self.text.clone()} value={editor.text.to_string()} wrap="off" spellcheck="false"
                        autocomplete="off" autocapitalize="off" aria-label={format!("Manifest {}", editor.open)}
                        aria-invalid={if is_wrong { "true" } else { "false" }} aria-describedby="findings" title="Ctrl Space offers what may stand here, Ctrl Enter applies, Esc leaves" {oninput} {onkeydown} />
                </div>
            </div>
        }
    }

    /// What is wrong, each line a way to its place.
    fn findings(&self, editor: &editor::Editor, send: &Send) -> Html {
        let (class, sum) = sum(editor);
        let undo = send.reform(|_: MouseEvent| say(Said::Restore));
        html! {
            <>
                <p {class} role="status" id="findings">
                    { sum }
                    if editor.has_gone() {
                        { " " }<button class="link" onclick={undo}>{ "Undo" }</button>
                    }
                </p>
                if !editor.offers.is_empty() {
                    <div class="offers" role="status">
                        <span class="sr">{ format!("{} possible words: ", editor.offers.len()) }</span>
                        { for editor.offers.iter().take(OFFERS_MAX).map(|word| {
                            let choose = Said::Choose(word.clone());
                            let onclick = send.reform(move |_: MouseEvent| say(choose.clone()));
                            html! { <button {onclick}>{ word.trim_end_matches([':', ' ']).to_string() }</button> }
                        }) }
                    </div>
                }
                if !editor.problems.is_empty() {
                    <ul class="problems" aria-label="Problems">
                        { for editor.problems.iter().take(PROBLEMS_MAX).map(|problem| self.problem(problem)) }
                    </ul>
                }
            </>
        }
    }

    fn problem(&self, problem: &Diagnostic) -> Html {
        let (line, column) = (problem.line, problem.column);
        let text = self.text.clone();
        let go = Callback::from(move |_: MouseEvent| {
            if let Some(text) = text.cast::<HtmlTextAreaElement>() {
                go_to(&text, line, column);
            }
        });
        let class = class_of(problem.severity);
        html! {
            <li {class}>
                <span class="mark" role="img" aria-label={class} />
                <button class="link" onclick={go} aria-label={format!("Line {line}, column {column}")}>{ format!("{line}:{column}") }</button>
                <p>
                    { problem.message.clone() }
                    if let Some(suggestion) = &problem.suggestion {
                        <span class="suggestion">{ " " }{ suggestion.clone() }</span>
                    }
                </p>
            </li>
        }
    }
}

/// All findings in a few words, and their class.
fn sum(editor: &editor::Editor) -> (&'static str, String) {
    if !editor.note.is_empty() {
        return ("sum", editor.note.to_string());
    }
    let of = |severity: Severity| {
        let number = editor.problems.iter().filter(|problem| problem.severity == severity).count();
        i32::try_from(number).unwrap_or(i32::MAX)
    };
    let counts =
        [(of(Severity::Error), "error"), (of(Severity::Warning), "warning"), (of(Severity::Note), "note")];
    let told: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| crate::words::count(*number, noun))
        .collect();
    match counts {
        [(0, _), (0, _), _] if editor.is_stale => ("sum", "…".to_string()),
        [(0, _), (0, _), (0, _)] => ("sum good", "✓ Nothing is wrong with it".to_string()),
        [(0, _), (0, _), _] => ("sum good", format!("✓ Nothing is wrong with it; {}", told.join(", "))),
        _ => ("sum", told.join(", ")),
    }
}

/// The class of a finding; it is its name as well.
fn class_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Puts the cursor at a place in the text, and that in sight.
fn go_to(text: &HtmlTextAreaElement, line: u32, column: u32) {
    let value = text.value();
    let lines = value.split('\n').take(line.saturating_sub(1) as usize);
    let start: usize = lines.map(|line| line.len() + 1).sum();
    let rest = value.get(start..).unwrap_or_default();
    let inside = rest.char_indices().nth(column.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at);
    let at = files::units_of(&value, start + inside);
    let _ = text.focus();
    let _ = text.set_selection_range(at, at);
    if let Some(code) = text.closest(".code").ok().flatten() {
        let height = text.offset_height() / i32::try_from(value.split('\n').count()).unwrap_or(1).max(1);
        let top = height * i32::try_from(line).unwrap_or(1);
        code.set_scroll_top((top - code.client_height() / 2).max(0));
    }
}

/// Enter keeps the indentation; with Ctrl it applies. Tab leaves, as everywhere.
fn pressed(event: &KeyboardEvent, is_edit: bool) -> Option<Msg> {
    let is_command = event.ctrl_key() || event.meta_key();
    match &*event.key() {
        _ if event.is_composing() => None,
        "Escape" => {
            event.prevent_default();
            Some(Msg::Leave)
        }
        " " if event.ctrl_key() => {
            event.prevent_default();
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            let cursor = field.selection_start().ok()??;
            Some(say(Said::Suggest(files::byte_of(&field.value(), cursor))))
        }
        "Enter" if is_command && is_edit => Some(say(Said::Finish(true))),
        "Enter" if is_command => Some(say(Said::Send(Way::Apply))),
        "Enter" if !event.shift_key() => {
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            let value = field.value();
            let cursor = files::byte_of(&value, field.selection_start().ok()??);
            let line = value.get(..cursor)?.rsplit('\n').next()?;
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let deeper = if line.trim_end().ends_with(':') { 2 } else { 0 };
            if files::type_text(&format!("\n{}", " ".repeat(spaces + deeper))) {
                event.prevent_default();
            }
            None
        }
        _ => None,
    }
}

/// Reads files into the folder.
fn add(list: &web_sys::FileList, send: &Send) {
    let send = send.clone();
    files::read(list, BYTES_MAX, &move |name: String, text: Result<String, usize>| {
        send.emit(say(match text {
            Ok(text) => Said::Add(name, text),
            Err(bytes) => Said::TooLarge(name, bytes),
        }));
    });
}

/// The file with what can be done to it, and the ways to the cluster.
fn tools(editor: &editor::Editor, send: &Send) -> Html {
    if editor.is_edit {
        let finish = |saved: bool| send.reform(move |_: MouseEvent| say(Said::Finish(saved)));
        return html! {
            <div class="bar-row">
                <p class="opened">{ "Opened by kubectl edit. Saving sends what you changed to the API server." }</p>
                <span class="grow" />
                <button onclick={finish(false)}>{ "Cancel" }</button>
                <button class="first" onclick={finish(true)} title="Ctrl Enter">{ "Save" }</button>
            </div>
        };
    }
    let open = send
        .reform(|event: Event| say(Said::Open(event.target_unchecked_into::<HtmlSelectElement>().value())));
    let (name, text) = (editor.open.clone(), editor.text.clone());
    let keep = Callback::from(move |_: MouseEvent| files::download(&name, &text));
    let press = |said: Said| send.reform(move |_: MouseEvent| say(said.clone()));
    let all = send.reform(|_: MouseEvent| Msg::Language(language::Msg::Export(None)));
    html! {
        <div class="bar-row">
            if editor.is_renaming {
                { rename(editor, send) }
            } else {
                <select aria-label="File" onchange={open}>
                    { for editor.names.iter().map(|name| html! {
                        <option value={name.clone()} selected={*name == editor.open}>{ name.clone() }</option>
                    }) }
                </select>
            }
            <div class="file-tools" role="group" aria-label="The file">
                { sign(PLUS, "New file", press(Said::New)) }
                { sign(PENCIL, "Rename the file", press(Said::Rename(None))) }
                { sign(BIN, "Delete the file", press(Said::Delete)) }
                { choose(send) }
                { sign(INTO, "Download the file", keep) }
            </div>
            <button onclick={all} title="All that people made in this cluster, as one file that a real cluster takes">{ "Export cluster" }</button>
            <span class="grow" />
            <button onclick={press(Said::Send(Way::Diff))} title="kubectl diff -f">{ "Diff" }</button>
            <button onclick={press(Said::Send(Way::DryRun))} title="kubectl apply --dry-run=server -f">{ "Dry run" }</button>
            <button class="first" onclick={press(Said::Send(Way::Apply))} title="kubectl apply -f (Ctrl Enter)">{ "Apply" }</button>
        </div>
    }
}

fn sign(path: &'static str, name: &'static str, onclick: Callback<MouseEvent>) -> Html {
    html! { <button class="sign" {onclick} aria-label={name} title={name}>{ icon(path) }</button> }
}

/// Files of the person's machine; the same as dropping them.
fn choose(send: &Send) -> Html {
    let send = send.clone();
    let onchange = Callback::from(move |event: Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        if let Some(list) = input.files() {
            add(&list, &send);
        }
        // The same file can be chosen again.
        input.set_value("");
    });
    html! {
        <label class="sign" title="Open files of this machine">
            { icon(OUT_OF) }
            <input type="file" multiple=true accept=".yaml,.yml,.json,text/*" {onchange} aria-label="Open files of this machine" />
        </label>
    }
}

fn rename(editor: &editor::Editor, send: &Send) -> Html {
    let done = send.reform(|event: Event| {
        say(Said::Rename(Some(event.target_unchecked_into::<HtmlInputElement>().value())))
    });
    let name = editor.open.clone();
    let onkeydown = when(send, move |event: KeyboardEvent| match &*event.key() {
        "Escape" => {
            event.prevent_default();
            Some(say(Said::Rename(Some(name.clone()))))
        }
        "Enter" => Some(say(Said::Rename(Some(event.target_unchecked_into::<HtmlInputElement>().value())))),
        _ => None,
    });
    html! { <input id="file-name" class="name" aria-label="Name of the file" value={editor.open.clone()} onchange={done} {onkeydown} /> }
}

/// The numbers of the lines; those where something is wrong have a sign.
fn numbers(editor: &editor::Editor) -> Html {
    let lines = editor.text.split('\n').count();
    if lines > COLOURED_MAX.0 {
        let all: String = (1..=lines).map(|number| format!("{number}\n")).collect();
        return html! { <div class="numbers" aria-hidden="true">{ all }</div> };
    }
    let class = |number: usize| {
        let on_line = editor.problems.iter().filter(|problem| problem.line as usize == number);
        let worst = on_line.min_by_key(|problem| problem.severity as u8);
        worst.map_or("", |problem| class_of(problem.severity))
    };
    html! {
        <div class="numbers" aria-hidden="true">
            { for (1..=lines).map(|number| html! { <i class={class(number)}>{ number }</i> }) }
        </div>
    }
}

/// The text in colours, which lies below the one that is typed in and gives it its size.
fn colours(editor: &editor::Editor) -> Html {
    if editor.text.len() > COLOURED_MAX.1 || editor.text.split('\n').count() > COLOURED_MAX.0 {
        return html! { <div class="colours plain" aria-hidden="true">{ editor.text.to_string() }{ "\n" }</div> };
    }
    let lines = highlight::lines(&editor.text).into_iter().enumerate().map(|(at, pieces)| {
        let wrong = editor.problems.iter().find(|problem| problem.line as usize == at + 1);
        let wrong = wrong.filter(|problem| problem.severity != Severity::Note);
        let mut column = 0;
        let pieces = pieces.into_iter().map(|(class, text)| {
            let from = column;
            column += text.chars().count();
            let is_wrong = wrong.is_some_and(|it| {
                (from..column.max(from + 1)).contains(&(it.column.saturating_sub(1) as usize))
            });
            let class = classes!(class, is_wrong.then_some("wrong"));
            html! { <span {class}>{ text.to_string() }</span> }
        });
        html! { <div>{ for pieces }{ "\n" }</div> }
    });
    html! { <div class="colours" aria-hidden="true">{ for lines }</div> }
}

/// What the cluster said.
fn said(answer: &Rc<Answer>, send: &Send) -> Html {
    let close = send.reform(|_: MouseEvent| say(Said::Dismiss));
    let is_diff = answer.line.starts_with("kubectl diff");
    let line = |line: &str, is_error: bool| {
        let class = match line.as_bytes().first() {
            _ if is_error => "err",
            Some(b'+') if is_diff => "more",
            Some(b'-') if is_diff => "less",
            _ => "",
        };
        html! { <div {class}>{ line.to_string() }</div> }
    };
    let lines =
        answer.chunks.iter().flat_map(|chunk| chunk.text.lines().map(move |text| line(text, chunk.is_error)));
    html! {
        <section class={if answer.failed { "answer failed" } else { "answer" }} aria-label="Answer of the cluster">
            <header><code>{ format!("$ {}", answer.line) }</code>
                <button class="bare" onclick={close} aria-label="Close the answer">{ icon(CLOSE) }</button></header>
            <pre tabindex="0" role="log" aria-label={format!("Output of {}", answer.line)}>
                if answer.chunks.is_empty() {
                    { if is_diff { "No difference." } else { "" } }
                } else {
                    { for lines.take(400) }
                }
            </pre>
        </section>
    }
}
