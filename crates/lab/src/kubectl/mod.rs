//! kubectl, as far as people use it by hand: a command line in, kubectl's own text out.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd, staging/src/k8s.io/cli-runtime.

use setpoint_api::map::Map;

/// A person's terminal: what kubectl would find on their disk, and the context they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Namespace of the context.
    pub namespace: String,
    /// The folder that `-f` reads from: path to text.
    pub files: Map<String, String>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { namespace: "default".into(), files: Map::new() }
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
}

/// A command that has begun. Commands that wait or watch go on as simulated time passes: ask [`crate::Session::follow`]
/// again and again until it says an exit code. Dropping it is Ctrl-C.
pub struct Command {
    _private: (),
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

impl crate::Session {
    /// Runs a command line, with or without the word `kubectl` in front. `stdin` is what `-f -` reads.
    pub fn kubectl(&mut self, _terminal: &mut Terminal, line: &str, _stdin: &str) -> Started {
        let mut output = Output::default();
        output.complain(format!("error: unknown command {line:?} for \"kubectl\"\n"));
        output.code = Some(1);
        Started { output, command: None, wish: None }
    }
    /// What a command has printed since it was last asked.
    pub fn follow(&mut self, _command: &mut Command) -> Output {
        Output { code: Some(0), ..Output::default() }
    }
    /// Saves what `kubectl edit` opened.
    pub fn save_edit(&mut self, _terminal: &mut Terminal, _text: &str) -> Output {
        Output { code: Some(0), ..Output::default() }
    }
    /// What Tab offers at a place in a line.
    pub fn complete(&self, _terminal: &Terminal, _line: &str, cursor: usize) -> Completion {
        Completion { from: cursor, candidates: Vec::new() }
    }
    /// The kubectl line that an action equals, and the manifest or patch behind it; `None` for what no client can do.
    pub fn equivalent(_action: &setpoint_sim::Action) -> Option<Equivalent> {
        None
    }
}

/// An action of the page, said in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivalent {
    /// The command line.
    pub line: String,
    /// The change as YAML, where it is one.
    pub yaml: Option<String>,
}
