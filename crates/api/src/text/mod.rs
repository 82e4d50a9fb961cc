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
mod quote;
mod read;
mod scalar;
mod style;
mod suggest;

use std::fmt;

pub use base64::{base64_decode, base64_encode};
pub use emit::to_yaml;
pub use float::parse_float;
pub use node::{Key, Node, NodeValue};
pub use path::{PathSegment, parse_path};
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
    /// The error as Go's reader words it, for a document that begins after some lines of the text. That counts lines from 0
    /// where its parser stumbles, and from 1 where its scanner does.
    pub fn go_yaml(&self, before: u32) -> String {
        let is_parsers = self.message.starts_with("did not find expected");
        match self.line.saturating_sub(before + u32::from(is_parsers)) {
            0 => format!("yaml: {}", self.message),
            line => format!("yaml: line {line}: {}", self.message),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}
