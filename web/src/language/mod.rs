//! The cluster's language on the page: the terminal, the manifest editor, and the kubectl line of whatever is done.

pub mod editor;
pub mod highlight;
pub mod line;
pub mod log;
mod paste;

use crate::browser::folder;
use crate::side::Dock;
use editor::Editor;
use line::Line;
use log::{Head, Log};
use setpoint_lab::inspect::Subject;
use setpoint_lab::kubectl::{Chunk, Command, Output, Started, Terminal, Wish};
use setpoint_lab::map::Map;
use setpoint_lab::{Action, Session, samples};
use std::collections::VecDeque;
use std::rc::Rc;

/// How often a command that goes on is asked for more, in milliseconds.
const ASK_MS: f64 = 100.0;

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Msg {
    /// The prompt holds this text.
    Type(String),
    /// The line is to be run.
    Run,
    /// An earlier line, or a later one.
    Turn { older: bool },
    /// Search among the earlier lines.
    Search,
    /// Ends what is unfolded at the prompt: the search, what Tab offered.
    Settle,
    /// Tab, with the cursor there.
    Complete(usize),
    /// One of the offered words.
    Choose(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-L.
    Clear,
    /// Several lines at once.
    Paste(String),
    /// What came of copying something.
    Copied(bool),
    /// Something happens to the editor.
    Editor(editor::Msg),
    /// A thing of the cluster, or all of them, as a file.
    Export(Option<Subject>),
}

/// What is drawn of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Namespace of the prompt.
    pub namespace: Rc<str>,
    /// The line that is being typed.
    pub line: Line,
    /// What was said.
    pub log: Rc<Log>,
    /// Whether a command goes on.
    pub is_running: bool,
    /// What the person did last on the page, and its kubectl line.
    pub act: Option<Head>,
    /// What came of copying.
    pub copied: &'static str,
    /// The manifest editor.
    pub editor: Editor,
}

/// What a message asks of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The cluster may have changed.
    pub changed: bool,
    /// Something else is to be seen.
    pub dock: Option<Dock>,
}

/// All of it.
pub struct Language {
    /// What is drawn.
    pub shown: Rc<Shown>,
    terminal: Terminal,
    /// The folder as the browser keeps it, once somebody has turned to it.
    kept: Option<Map<String, String>>,
    running: Option<Command>,
    /// Commands that were pasted, and wait for the one that runs.
    waiting: VecDeque<String>,
    asked_ms: f64,
    written_ms: Option<f64>,
}

impl Language {
    /// A terminal, whose folder is empty until somebody turns to it.
    pub fn new() -> Self {
        let terminal = Terminal::default();
        let shown = Shown { namespace: terminal.namespace.as_str().into(), ..Shown::default() };
        Self {
            shown: Rc::new(shown),
            terminal,
            kept: None,
            running: None,
            waiting: VecDeque::new(),
            asked_ms: 0.0,
            written_ms: None,
        }
    }

    /// Fills the folder, the first time: with samples, and with what the browser has kept.
    fn furnish(&mut self) {
        if self.kept.is_some() {
            return;
        }
        let files = &mut self.terminal.files;
        for (name, text) in samples::ALL {
            files.insert((*name).to_string(), (*text).to_string());
        }
        for (name, text) in folder::files() {
            files.insert(name, text);
        }
        self.kept = Some(files.clone());
    }

    /// Another run has begun: what ran has nothing to follow any more.
    pub fn start_over(&mut self) {
        self.interrupt();
        let namespace = self.shown.namespace.clone();
        let shown = Rc::make_mut(&mut self.shown);
        shown.act = None;
        Rc::make_mut(&mut shown.log).begin(Head::Typed { namespace, line: "# another run begins".into() });
    }

    /// Whether time brings it something: output, a text that has rested.
    pub fn waits(&self) -> bool {
        self.running.is_some() || self.shown.editor.is_stale
    }

    /// One frame of the browser, while [`Language::waits`]. Says whether something is to be drawn, and what else.
    pub fn beat(&mut self, now_ms: f64, session: &mut Session) -> (bool, Effect) {
        let mut changed = false;
        let mut effect = Effect::default();
        if now_ms - self.asked_ms >= ASK_MS
            && let Some(command) = &mut self.running
        {
            self.asked_ms = now_ms;
            let output = session.follow(command);
            changed = !output.chunks.is_empty() || output.code.is_some();
            if changed {
                self.hear(&output);
            }
            if output.code.is_some() {
                effect = self.go_on(session);
            }
        }
        if self.shown.editor.is_stale {
            let since_ms = *self.written_ms.get_or_insert(now_ms);
            if self.shown.editor.rests(since_ms, now_ms).is_some_and(|left| left <= 0.0) {
                self.check(session);
                changed = true;
            }
        }
        (changed, effect)
    }

    /// Takes note of an action of the page.
    pub fn act(&mut self, action: &Action, session: &Session, guide: &str) {
        let equivalent = session.equivalent(action).map(Rc::new);
        let done = guide.split_once(". Watch:").map_or(guide, |(done, _)| done);
        let head = Head::Act { done: done.into(), equivalent };
        let shown = Rc::make_mut(&mut self.shown);
        shown.act = Some(head.clone());
        shown.copied = "";
        Rc::make_mut(&mut shown.log).begin(head);
    }

    /// Sees to it that a file is open, once the editor is to be seen.
    pub fn unfold(&mut self) {
        self.furnish();
        if self.shown.editor.open.is_empty() {
            let first = samples::ALL.first().map_or("", |(name, _)| name);
            Rc::make_mut(&mut self.shown).editor.open(first, &self.terminal.files);
        }
    }

    /// Does what a message says.
    pub fn update(&mut self, msg: Msg, session: &mut Session) -> Effect {
        self.furnish();
        let shown = Rc::make_mut(&mut self.shown);
        shown.copied = "";
        match msg {
            Msg::Type(text) => shown.line.write(text),
            Msg::Run if self.running.is_some() => {}
            Msg::Run => {
                let line = shown.line.take();
                return self.run(&line, session);
            }
            Msg::Turn { older } => shown.line.turn(older),
            Msg::Search => shown.line.search(),
            Msg::Settle => {
                shown.line.settle();
                shown.line.offers.clear();
            }
            Msg::Complete(cursor) => {
                let found = session.complete(&self.terminal, &shown.line.text, cursor);
                shown.line.complete(found.from, cursor, found.candidates);
            }
            Msg::Choose(word) => shown.line.choose(&word),
            Msg::Interrupt => self.interrupt(),
            Msg::Clear => Rc::make_mut(&mut shown.log).clear(),
            Msg::Paste(text) if paste::is_manifest(&text) => {
                shown
                    .editor
                    .change(editor::Msg::Add("pasted.yaml".to_string(), text), &mut self.terminal.files);
                self.written_ms = None;
                return Effect { changed: false, dock: Some(Dock::Manifests) };
            }
            Msg::Paste(text) => {
                let text = shown.line.text.clone() + &text;
                shown.line.put(String::new());
                self.waiting.extend(paste::commands(&text));
                return self.go_on(session);
            }
            Msg::Copied(is_done) => {
                shown.copied = if is_done { "Copied" } else { "Selected: copy it from there" };
            }
            Msg::Editor(msg) => return self.edit(msg, session),
            Msg::Export(subject) => return self.export(subject.as_ref(), session),
        }
        Effect::default()
    }

    /// Runs what waits, until something goes on.
    fn go_on(&mut self, session: &mut Session) -> Effect {
        let mut effect = Effect::default();
        while self.running.is_none()
            && let Some(line) = self.waiting.pop_front()
        {
            let one = self.run(&line, session);
            effect = Effect { changed: effect.changed | one.changed, dock: one.dock.or(effect.dock) };
        }
        effect
    }

    fn run(&mut self, line: &str, session: &mut Session) -> Effect {
        let shown = Rc::make_mut(&mut self.shown);
        let log = Rc::make_mut(&mut shown.log);
        log.begin(Head::Typed { namespace: shown.namespace.clone(), line: line.into() });
        match line {
            "" => Effect::default(),
            "history" => {
                let lines = shown.line.history().iter().enumerate();
                let text = lines.map(|(at, line)| format!("{:>4}  {line}\n", at + 1)).collect();
                log.print(&[Chunk { is_error: false, text }]);
                Effect::default()
            }
            line => {
                let started = session.kubectl(&mut self.terminal, line, "");
                self.started(started)
            }
        }
    }

    fn started(&mut self, started: Started) -> Effect {
        let mut effect = Effect { changed: true, dock: None };
        self.running = started.command;
        self.hear(&started.output);
        let shown = Rc::make_mut(&mut self.shown);
        shown.namespace = self.terminal.namespace.as_str().into();
        shown.is_running = self.running.is_some();
        // A line may have written to a file, or removed one.
        shown.editor.list(&self.terminal.files);
        if !shown.editor.is_same(&self.terminal.files) {
            let name = shown.editor.open.clone();
            shown.editor.open(&name, &self.terminal.files);
        }
        match started.wish {
            Some(Wish::Clear) => Rc::make_mut(&mut shown.log).clear(),
            Some(Wish::Edit { text }) => {
                shown.editor.edit(&text);
                self.written_ms = None;
                effect.dock = Some(Dock::Manifests);
            }
            None => {}
        }
        effect
    }

    /// Shows what a command has printed.
    fn hear(&mut self, output: &Output) {
        let shown = Rc::make_mut(&mut self.shown);
        Rc::make_mut(&mut shown.log).print(&output.chunks);
        if output.code.is_some() {
            self.running = None;
            shown.is_running = false;
        }
    }

    fn interrupt(&mut self) {
        self.waiting.clear();
        let shown = Rc::make_mut(&mut self.shown);
        let log = Rc::make_mut(&mut shown.log);
        if self.running.take().is_none() {
            let line = format!("{}^C", shown.line.text);
            if line != "^C" {
                log.begin(Head::Typed { namespace: shown.namespace.clone(), line: line.into() });
            }
            shown.line.put(String::new());
        } else {
            log.print(&[Chunk { is_error: false, text: "^C".to_string() }]);
        }
        shown.is_running = false;
    }

    fn edit(&mut self, msg: editor::Msg, session: &mut Session) -> Effect {
        let shown = Rc::make_mut(&mut self.shown);
        match msg {
            editor::Msg::Send(way) => {
                let line = way.line(&shown.editor.open);
                let head = Head::Typed { namespace: shown.namespace.clone(), line: line.as_str().into() };
                let log = Rc::make_mut(&mut shown.log);
                log.begin(head);
                let started = session.kubectl(&mut self.terminal, &line, "");
                log.print(&started.output.chunks);
                shown.editor.hear(&line, &started.output);
                Effect { changed: true, dock: None }
            }
            editor::Msg::Finish(is_saved) => {
                let text = shown.editor.text.to_string();
                let mut output = Output::default();
                if is_saved {
                    output = session.save_edit(&mut self.terminal, &text);
                } else {
                    output.print("Edit cancelled, no changes made.\n");
                }
                Rc::make_mut(&mut shown.log).print(&output.chunks);
                let is_refused = output.code.is_some_and(|code| code != 0);
                if !is_refused {
                    shown.editor.finish(&self.terminal.files);
                }
                shown.editor.hear("kubectl edit", &output);
                self.written_ms = None;
                Effect { changed: is_saved, dock: None }
            }
            msg => {
                shown.editor.change(msg, &mut self.terminal.files);
                self.written_ms = None;
                Effect::default()
            }
        }
    }

    /// Opens a thing of the cluster, or all of them, as a file that a real cluster would take.
    fn export(&mut self, subject: Option<&Subject>, session: &Session) -> Effect {
        let (name, text) = match subject {
            Some(Subject::Object { kind, name, .. }) => {
                (format!("{kind}-{name}.yaml"), session.export(subject))
            }
            _ => ("cluster.yaml".to_string(), session.export(None)),
        };
        let Some(text) = text else { return Effect::default() };
        let files = &mut self.terminal.files;
        // The same thing again is the same file again.
        files.insert(name.clone(), text);
        Rc::make_mut(&mut self.shown).editor.open(&name, files);
        self.written_ms = None;
        Effect { changed: false, dock: Some(Dock::Manifests) }
    }

    fn check(&mut self, session: &Session) {
        let editor = &mut Rc::make_mut(&mut self.shown).editor;
        let problems = session.check_manifest(&editor.text);
        if *editor.problems != problems {
            editor.problems = Rc::new(problems);
        }
        editor.is_stale = false;
        self.written_ms = None;
        self.keep();
    }

    /// Has the browser keep what has changed in the folder since it was last asked; samples as they came need not be kept.
    fn keep(&mut self) {
        let files = &self.terminal.files;
        let kept = self.kept.get_or_insert_default();
        for (name, text) in files.iter().filter(|(name, text)| kept.get(*name) != Some(*text)) {
            let is_sample = samples::ALL.iter().any(|(sample, is)| sample == name && is == text);
            folder::keep(name, (!is_sample).then_some(text));
        }
        for name in kept.keys().filter(|name| files.get(*name).is_none()) {
            folder::keep(name, None);
        }
        kept.clone_from(files);
    }
}
