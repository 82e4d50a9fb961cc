//! What a fresh cluster says of a manifest file: the answer of `kubectl create --dry-run=server -f FILE`.
//!
//! Namespaces that the file names are taken to be there: a file is judged by what is in it.

use crate::Session;
use crate::kubectl::Terminal;
use serde_json::Value;
use setpoint_api::{manifest, text};

/// What kubectl printed, and its exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Exit code.
    pub rc: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Verdict {
    /// As JSON, with the keys in order.
    pub fn to_value(&self) -> Value {
        serde_json::json!({ "err": self.err, "out": self.out, "rc": self.rc })
    }
}

/// The verdict on a file's text; `path` is what kubectl calls the file.
pub fn verdict(path: &str, source: &str) -> Verdict {
    let Ok(mut session) = Session::read("cluster: {nodes: 1}\n", 1) else { return Verdict::default() };
    session.advance(1_000_000, &mut || true);
    let mut terminal = Terminal::default();
    for namespace in namespaces(source) {
        session.kubectl(&mut terminal, &format!("create namespace {namespace}"), "");
    }
    terminal.files.insert(path.trim_start_matches("./").to_owned(), source.to_owned());
    let quoted = path.replace('\'', "'\\''");
    let output = session.kubectl(&mut terminal, &format!("create --dry-run=server -f '{quoted}'"), "").output;
    Verdict { rc: output.code.unwrap_or(0), out: output.out(), err: output.err() }
}

/// The namespaces that a file's objects name.
fn namespaces(source: &str) -> Vec<String> {
    let read = text::read(source);
    let objects = read.documents.iter().flat_map(|document| manifest::items(&document.root));
    let name = |node: &text::Node| {
        let name = node.to_value().pointer("/metadata/namespace")?.as_str()?.to_owned();
        let fits = !name.starts_with('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        fits.then_some(name)
    };
    objects.filter_map(name).collect()
}
