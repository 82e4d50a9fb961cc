//! Paths to fields, as upstream writes them in messages: `spec.containers[0].image`,
//! `metadata.labels[app.kubernetes.io/name]`.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/field/path.go`.

use super::{Key, Node};
use crate::Str;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A field, or a key of a map.
    Field(Str),
    /// The item of a list, from 0; in a map, the key of that number.
    Index(usize),
}

impl PathSegment {
    /// The field of a map that the segment names.
    pub(super) fn field_in<'a>(&self, node: &'a Node) -> Option<&'a (Key, Node)> {
        match self {
            PathSegment::Field(name) => node.field(name),
            PathSegment::Index(index) => node.field(&index.to_string()),
        }
    }
}

/// Reads a path. What stands in brackets is one step, whatever characters it has; text that does not
/// have the form of a path is taken as names of fields.
pub fn parse_path(text: &str) -> Vec<PathSegment> {
    let mut path = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let bracketed = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'));
        if let Some((step, after)) = bracketed {
            path.push(match step.parse() {
                Ok(index) => PathSegment::Index(index),
                Err(_) => PathSegment::Field(step.trim_matches(['"', '\'']).into()),
            });
            rest = after;
            continue;
        }
        // The first character is taken in any case, so that a lone bracket makes progress.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end =
            rest.get(first..).and_then(|tail| tail.find(['.', '['])).map_or(rest.len(), |end| first + end);
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            path.push(PathSegment::Field(name.into()));
        }
        rest = after;
    }
    path
}
