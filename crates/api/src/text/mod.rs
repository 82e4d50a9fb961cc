//! Manifests as text: a reader of YAML and JSON that knows where everything stands, and a printer.
//!
//! Upstream reads with `sigs.k8s.io/yaml` over YAML 1.1 rules; `scalar` holds those rules, `read` the
//! tree builder, `emit` the printer of `kubectl -o yaml`.

mod base64;
mod emit;
mod explain;
mod float;
mod json;
mod node;
mod path;
mod pattern;
mod quote;
mod read;
mod scalar;
mod style;
mod suggest;

use std::fmt;

pub use base64::{base64_decode, base64_encode};
pub use emit::to_yaml;
pub use float::parse_float;
pub use json::{go_json_error, json_error};
pub use node::{Key, Node, NodeValue};
pub use path::{PathSegment, parse_path};
pub use pattern::Pattern;
pub use quote::go_quote;
pub use read::{Document, MAX_BYTES, MAX_DEPTH, MAX_NODES, Manifest, read};
pub use suggest::did_you_mean;

/// Where something begins in a text; both numbers count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Span {
    /// The beginning of a text.
    pub const START: Span = Span { line: 1, column: 1 };
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text is used, likely not as it was meant.
    Warning,
    /// Good to know.
    Note,
}

/// Something to say about a place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in upstream's words where upstream says it too.
    pub message: String,
    /// What to do about it, a sentence.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            line: at.line,
            column: at.column,
            severity: Severity::Error,
            message: message.into(),
            suggestion: None,
        }
    }

    /// A warning at a place.
    pub fn warning(at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(at, message) }
    }

    /// The same with advice.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Diagnostic {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl Diagnostic {
    /// The error as Go's reader words it, of a text with this error. Documents are read one by one, their lines counted anew:
    /// from 0 where the parser stumbles, and from 1 where the scanner does. A missing colon is noticed at the next token; of a
    /// key that is no text no line is told.
    pub fn go_yaml(&self, text: &str) -> String {
        let (before, end) = chunk(text, self.line);
        let lines = || text.lines().zip(1_u32..).take_while(|(_, line)| *line <= end);
        let has_content = |text: &str| !text.trim().is_empty() && !text.trim_start().starts_with('#');
        let next =
            || lines().find(|(text, line)| *line > self.line && has_content(text)).map(|(_, line)| line);
        let line = match &*self.message {
            message if message.starts_with("invalid map key") => before,
            message if message.starts_with("did not find expected") => self.line.saturating_sub(1),
            "could not find expected ':'" => next().unwrap_or(end + 1),
            "found unexpected end of stream" => end + 1,
            _ => self.line,
        };
        match line.saturating_sub(before) {
            0 => format!("yaml: {}", self.message),
            line => format!("yaml: line {line}: {}", self.message),
        }
    }
}

/// The document around a line as kubectl cuts it out of a text: the lines before it, and its last line. A separator belongs to
/// no document, except at the very beginning, or behind another one.
fn chunk(text: &str, line: u32) -> (u32, u32) {
    let (mut before, mut is_empty, mut last) = (0, true, 0);
    for (text, number) in text.lines().zip(1_u32..) {
        if text.starts_with("---") && !is_empty {
            if number >= line {
                return (before, number - 1);
            }
            (before, is_empty) = (number, true);
        } else {
            is_empty = false;
        }
        last = number;
    }
    (before, last)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}
