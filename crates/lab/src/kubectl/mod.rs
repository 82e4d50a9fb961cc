//! kubectl, as far as people use it by hand: a command line in, kubectl's own text out.
//!
//! **A verb** is a file with `pub(super) static VERB: Verb` (name, flags, help) and its `run` function, and a row in
//! [`table::ROOT`]. Sub-commands are verbs in the `verbs` of another. When `run` is called, flags are read and checked:
//! `call.text("output")`, `call.is_on("watch")`, `call.list("filename")`, `call.args`. It works with a [`Context`]:
//!
//! - `cx.say(..)`, `cx.print(..)` print; `Err(Failure)` ends with kubectl's words: `Failure::error` ("error: ..."),
//!   `call.misuse` (with "See ... -h"), and any `Status` turns into one with `?` ("Error from server (NotFound): ...").
//! - [`resource::targets`] reads `pods,svc`, `deploy/web`, `pod a b`; `cx.resource("po")` one word.
//! - `cx.request(..)` changes the cluster; `cx.store()` and `cx.now()` read it; `cx.file(path)` reads `-f`.
//! - [`print::Format`] prints objects as `-o` says.
//! - What goes on (`wait`, `rollout status`) is given to `cx.go_on(..)`: an [`Ongoing`] that is asked at once and then after
//!   each advance of time. A [`Watch`](crate::Watch) of its own tells it every change since it was last asked.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd, staging/src/k8s.io/cli-runtime.

mod apply;
mod attached;
mod change;
mod cluster;
mod complete;
mod config;
mod context;
mod create;
mod delete;
mod describe;
mod diff;
mod drain;
mod edit;
mod equivalent;
mod events;
mod exec;
mod explain;
mod failure;
mod flag;
mod get;
mod help;
mod invocation;
mod jsonpath;
mod label;
mod line;
mod logs;
mod make;
mod manifest;
mod named;
mod patch;
mod print;
mod replace;
mod resource;
mod rollout;
mod scale;
mod served;
mod set;
mod shell;
mod source;
mod synthetic;
mod table;
mod taint;
mod template;
mod top;
mod verb;
mod wait;

pub use context::{Context, Ongoing};
pub use equivalent::Equivalent;
pub use failure::Failure;
pub use invocation::Invocation;
pub use print::{cells, titles};
pub use rollout::status::status as rollout_status;

use crate::Session;
use setpoint_api::Micros;
use setpoint_api::map::Map;

/// A person's terminal: what kubectl would find on their disk, and the context they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Namespace of the context.
    pub namespace: String,
    /// The folder that `-f` reads from: path to text.
    pub files: Map<String, String>,
    /// How long a request takes at least before the next one of the same command goes out; nothing, so that a cluster that
    /// stands still takes all objects of a file.
    pub pace: Micros,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { namespace: "default".into(), files: Map::new(), pace: 0 }
    }
}

/// A piece of output, in the order of printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Whether it goes to standard error.
    pub is_error: bool,
    /// The text, with its line ends.
    pub text: String,
}

/// What a command has printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What was printed.
    pub chunks: Vec<Chunk>,
    /// Exit code; `None` while the command still runs.
    pub code: Option<i32>,
}

impl Output {
    /// All that was printed to standard output.
    pub fn out(&self) -> String {
        self.text(false)
    }
    /// All that was printed to standard error.
    pub fn err(&self) -> String {
        self.text(true)
    }
    fn text(&self, is_error: bool) -> String {
        self.chunks.iter().filter(|chunk| chunk.is_error == is_error).map(|chunk| &*chunk.text).collect()
    }
    /// Prints to standard output.
    pub fn print(&mut self, text: impl Into<String>) {
        self.chunks.push(Chunk { is_error: false, text: text.into() });
    }
    /// Prints to standard error.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.chunks.push(Chunk { is_error: true, text: text.into() });
    }
    /// Ends with a result.
    fn end(&mut self, result: Result<(), Failure>) {
        match result {
            Ok(()) => self.code = Some(0),
            Err(failure) => {
                if !failure.text.is_empty() {
                    self.complain(failure.text);
                }
                self.code = Some(failure.code);
            }
        }
    }
}

/// A command that has begun. Commands that wait or watch go on as simulated time passes: ask [`crate::Session::follow`]
/// again and again until it says an exit code. Dropping it is Ctrl-C.
pub struct Command {
    ongoing: Box<dyn Ongoing>,
    terminal: Terminal,
    namespace: String,
}

/// What a command wants of the one who runs it, besides showing its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `kubectl edit`: open an editor on a text; saving it is `kubectl apply`-like, with [`crate::Session::save_edit`].
    Edit {
        /// The text to edit.
        text: String,
    },
    /// `clear`.
    Clear,
}

/// What [`crate::Session::kubectl`] answers.
pub struct Started {
    /// What it printed at once.
    pub output: Output,
    /// The command, if it goes on.
    pub command: Option<Command>,
    /// What else is to be done.
    pub wish: Option<Wish>,
}

/// A completion for the word under the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, in bytes.
    pub from: usize,
    /// What it may become.
    pub candidates: Vec<String>,
}

impl Session {
    /// Runs a command line, with or without the word `kubectl` in front. `stdin` is what `-f -` reads.
    pub fn kubectl(&mut self, terminal: &mut Terminal, line: &str, stdin: &str) -> Started {
        match line::read(line) {
            Ok(line) => shell::run(self, terminal, &line, stdin),
            Err(why) => {
                let mut output = Output::default();
                output.end(Err(Failure { text: format!("bash: {why}\n"), code: 2 }));
                Started { output, command: None, wish: None }
            }
        }
    }
    /// Runs kubectl with words that a shell has read already.
    pub fn kubectl_words(&mut self, terminal: &mut Terminal, words: &[String], stdin: &str) -> Started {
        run(self, terminal, words, stdin)
    }
    /// What a command has printed since it was last asked.
    pub fn follow(&mut self, command: &mut Command) -> Output {
        let Command { ongoing, terminal, namespace } = command;
        let mut cx = Context::new(self, terminal, "");
        cx.namespace.clone_from(namespace);
        let result = ongoing.poll(&mut cx);
        let mut output = cx.output;
        match result {
            Ok(false) => {}
            Ok(true) => output.end(Ok(())),
            Err(failure) => output.end(Err(failure)),
        }
        output
    }
    /// What Tab offers at a place in a line.
    pub fn complete(&self, terminal: &Terminal, line: &str, cursor: usize) -> Completion {
        complete::complete(self, terminal, line, cursor)
    }
}

/// Runs kubectl with words that are read already.
fn run(session: &mut Session, terminal: &mut Terminal, words: &[String], stdin: &str) -> Started {
    let mut cx = Context::new(session, terminal, stdin);
    let mut result = verb::find(words).and_then(|call| dispatch(&mut cx, &call));
    let Context { mut output, wish, namespace, ongoing, .. } = cx;
    let mut command = ongoing.map(|ongoing| Command { ongoing, terminal: terminal.clone(), namespace });
    if let Some(going) = command.as_mut().filter(|_| result.is_ok()) {
        let more = session.follow(going);
        output.chunks.extend(more.chunks);
        match more.code {
            None => return Started { output, command, wish },
            Some(0) => {}
            Some(code) => result = Err(Failure::exit(code)),
        }
    }
    output.end(result);
    Started { output, command: None, wish }
}

fn dispatch(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.is_help || call.verb.name.is_empty() {
        let help = help::of(call.verb, &call.path);
        cx.print(help);
        return Ok(());
    }
    if !call.verb.is_local && !cx.session.sim().is_api_up() {
        return Err(no_server());
    }
    if call.has("namespace") {
        cx.namespace = call.text("namespace").to_owned();
    }
    (call.verb.run)(cx, call)
}

/// What kubectl says when nothing answers where the API server should be.
fn no_server() -> Failure {
    Failure::plain(
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
    )
}
