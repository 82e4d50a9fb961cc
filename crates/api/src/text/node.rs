//! The tree of a document, each node with its place.

use crate::Gather as _;
use serde_json::{Map, Number, Value};

use super::{PathSegment, Span};
use crate::Str;

/// A value with the place where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value begins; for an empty value, where its key does; for an alias, the alias.
    pub span: Span,
    /// The value.
    pub value: NodeValue,
}

/// A value of a document, after the rules that kubectl applies to plain text.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, and `yes`, `on`, `y` and their opposites where they are not quoted.
    Bool(bool),
    /// A whole number that fits 64 bits, however it is written (`0x1F`, `1e3`).
    Int(i64),
    /// Any other finite number.
    Float(f64),
    /// A text.
    Str(Str),
    /// A list.
    Seq(Vec<Node>),
    /// Fields in the order of their first appearance, each key once.
    Map(Vec<(Key, Node)>),
}

/// The name of a field, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name as text, also where it is written as a number.
    pub text: Str,
    /// Where the name begins.
    pub span: Span,
}

impl Node {
    /// The plain value, without places.
    pub fn to_value(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::Bool(*value),
            NodeValue::Int(value) => Value::from(*value),
            NodeValue::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            NodeValue::Str(text) => Value::String(text.as_ref().to_owned()),
            NodeValue::Seq(items) => Value::Array(items.iter().map(Node::to_value).gather()),
            NodeValue::Map(fields) => {
                let mut map = Map::new();
                for (key, node) in fields {
                    map.insert(key.text.as_ref().to_owned(), node.to_value());
                }
                Value::Object(map)
            }
        }
    }

    /// The field of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.field(key).map(|(_, node)| node)
    }

    /// The value at a path.
    pub fn value_at(&self, path: &[PathSegment]) -> Option<&Node> {
        path.iter().try_fold(self, Node::child)
    }

    /// Where the value at a path begins.
    pub fn at_path(&self, path: &[PathSegment]) -> Option<Span> {
        self.value_at(path).map(|node| node.span)
    }

    /// Where the name of the field at a path begins; an item of a list has none, its value counts.
    pub fn key_at_path(&self, path: &[PathSegment]) -> Option<Span> {
        let (last, parents) = path.split_last()?;
        let parent = parents.iter().try_fold(self, Node::child)?;
        match last.field_in(parent) {
            Some((key, _)) => Some(key.span),
            None => parent.child(last).map(|node| node.span),
        }
    }

    /// Where the value at a path begins or, failing that, the name of the nearest field around it.
    pub fn nearest(&self, path: &[PathSegment]) -> Span {
        if let Some(span) = self.at_path(path) {
            return span;
        }
        let ancestors = (0..path.len()).rev().filter_map(|length| path.get(..length));
        ancestors.filter_map(|ancestor| self.key_at_path(ancestor)).next().unwrap_or(self.span)
    }

    fn child(&self, segment: &PathSegment) -> Option<&Node> {
        match (&self.value, segment) {
            (NodeValue::Seq(items), PathSegment::Index(index)) => items.get(*index),
            _ => segment.field_in(self).map(|(_, node)| node),
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&(Key, Node)> {
        match &self.value {
            NodeValue::Map(fields) => fields.iter().find(|(key, _)| key.text.as_ref() == name),
            _ => None,
        }
    }
}
