//! Builds the tree of each document of a YAML stream, within limits.

use crate::map::Map;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::emit::general;
use super::explain::{explain_scan_error, forbidden_character};
use super::quote::go_syntax;
use super::scalar::{Plain, resolve, to_node_value};
use super::{Diagnostic, Key, Node, NodeValue, Severity, Span, go_quote, json};
use crate::Str;

/// Largest text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting of lists and maps.
pub const MAX_DEPTH: usize = 100;
/// Most values in a text, each copy through an alias or anchor counted.
pub const MAX_NODES: usize = 100_000;

/// One document of a manifest that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The value of the document.
    pub root: Node,
}

/// What was read from a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The documents before the first error, all of them if there is none.
    pub documents: Vec<Document>,
    /// Warnings, and at the end the error that stopped the reading, if any.
    pub diagnostics: Vec<Diagnostic>,
}

impl Manifest {
    /// The error that stopped the reading.
    pub fn error(&self) -> Option<&Diagnostic> {
        self.diagnostics.last().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads a stream of YAML documents, or a JSON document. Never panics; time and memory are bounded by
/// the limits above.
pub fn read(text: &str) -> Manifest {
    let mut reader = Reader::default();
    if let Err(error) = reader.read(text) {
        reader.manifest.diagnostics.push(error);
    }
    reader.manifest
}

#[derive(Default)]
struct Reader {
    manifest: Manifest,
    frames: Vec<Frame>,
    anchors: Map<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    /// A key that is no text: told once the document has proved to be YAML, for that is when upstream looks at keys.
    wrong_key: Option<Diagnostic>,
}

/// A list or map that is not closed yet.
struct Frame {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map(MapContent),
}

#[derive(Default)]
struct MapContent {
    fields: Vec<(Key, Node)>,
    /// Where a key is among the fields, and whether it was written here rather than merged.
    index: Map<Str, (usize, bool)>,
    pending: Option<Pending>,
}

/// What the next value of a map belongs to.
enum Pending {
    Field(Key),
    Merge(Span),
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), Diagnostic> {
        if text.len() > MAX_BYTES {
            return Err(Diagnostic::error(
                Span::START,
                format!("the text has {} bytes, more than the limit of {MAX_BYTES}", text.len()),
            ));
        }
        if let Some(diagnostic) = forbidden_character(text) {
            return Err(diagnostic);
        }
        let yaml = json::as_yaml(text);
        let mut parser = Parser::new_from_str(&yaml);
        while let Some(event) = parser.next_event() {
            let (event, place) =
                event.map_err(|error| explain_scan_error(&error, &yaml, |list| self.innermost(list)))?;
            let span = span_of(&place);
            match event {
                Event::DocumentStart(_) => self.anchors.clear(),
                Event::DocumentEnd => self.end_document()?,
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(&text, style, anchor, tag.as_deref(), span)?;
                }
                Event::SequenceStart(anchor, _) => self.open(span, anchor, Content::Seq(Vec::new()))?,
                Event::MappingStart(anchor, _) => {
                    self.open(span, anchor, Content::Map(MapContent::default()))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::Alias(anchor) => {
                    let name = yaml.chars().skip(place.start.index() + 1).take(place.len().saturating_sub(1));
                    self.alias(anchor, || name.collect(), span)?;
                }
                Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
            }
        }
        Ok(())
    }

    /// Where the innermost open list or map begins.
    fn innermost(&self, list: bool) -> Option<Span> {
        let mut frames = self.frames.iter().rev();
        frames.find(|frame| matches!(frame.content, Content::Seq(_)) == list).map(|frame| frame.span)
    }

    fn end_document(&mut self) -> Result<(), Diagnostic> {
        if let Some(wrong) = self.wrong_key.take() {
            return Err(wrong);
        }
        // An empty document and a lone `null` are skipped, as kubectl does.
        if let Some(root) = self.root.take().filter(|root| root.value != NodeValue::Null) {
            self.manifest.documents.push(Document { root });
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let plain = style == ScalarStyle::Plain && tag.is_none();
        let pending = self.map_mut().map(|map| &mut map.pending);
        match pending {
            Some(pending @ None) if plain && text == "<<" => {
                *pending = Some(Pending::Merge(span));
                return Ok(());
            }
            _ => {}
        }
        // Nothing stands at the place of an empty value; its key does.
        let span = match self.map_mut().and_then(|map| map.pending.as_ref()) {
            Some(Pending::Field(key)) if plain && text.is_empty() => key.span,
            _ => span,
        };
        let value = scalar_value(text, style, tag).map_err(|message| Diagnostic::error(span, message))?;
        self.count(1, span)?;
        self.place(Node { span, value }, anchor)
    }

    fn map_mut(&mut self) -> Option<&mut MapContent> {
        match self.frames.last_mut() {
            Some(Frame { content: Content::Map(map), .. }) => Some(map),
            _ => None,
        }
    }

    fn open(&mut self, span: Span, anchor: usize, content: Content) -> Result<(), Diagnostic> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.count(1, span)?;
        self.frames.push(Frame { span, anchor, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::Seq(items) => NodeValue::Seq(items),
            Content::Map(map) => NodeValue::Map(map.fields),
        };
        self.place(Node { span: frame.span, value }, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, name: impl FnOnce() -> String, span: Span) -> Result<(), Diagnostic> {
        let Some(node) = self.anchors.get(&anchor) else {
            let inside = self.frames.iter().any(|frame| frame.anchor == anchor);
            let name = name();
            return Err(Diagnostic::error(
                span,
                if inside {
                    format!("anchor '{name}' value contains itself")
                } else {
                    format!("unknown anchor '{name}' referenced")
                },
            ));
        };
        let (nodes, height) = measure(node);
        let copy = Node { span, value: NodeValue::Null };
        if self.frames.len() + height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.count(nodes, span)?;
        let value = self.anchors.get(&anchor).map_or(NodeValue::Null, |node| node.value.clone());
        self.place(Node { value, ..copy }, 0)
    }

    /// Adds to the number of values before they are made.
    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Diagnostic> {
        self.nodes += nodes;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        Err(Diagnostic::error(span, format!("the text has more than {MAX_NODES} values"))
            .suggest("Values repeated through aliases (*name) count each time."))
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor > 0 {
            self.count(measure(&node).0, node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        let map = match self.frames.last_mut() {
            None => {
                self.root = Some(node);
                return Ok(());
            }
            Some(Frame { content: Content::Seq(items), .. }) => {
                items.push(node);
                return Ok(());
            }
            Some(Frame { content: Content::Map(map), .. }) => map,
        };
        match map.pending.take() {
            None => {
                let span = node.span;
                let key = to_key(node).unwrap_or_else(|wrong| {
                    self.wrong_key.get_or_insert(wrong);
                    Key { text: "".into(), span }
                });
                map.pending = Some(Pending::Field(key));
                Ok(())
            }
            Some(Pending::Field(key)) => {
                self.manifest.diagnostics.extend(map.insert(key, node, true));
                Ok(())
            }
            Some(Pending::Merge(span)) => {
                let maps = merged_maps(node).ok_or_else(|| {
                    Diagnostic::error(span, "map merge requires map or sequence of maps as the value")
                })?;
                // Of several maps the first has precedence, so it comes last.
                for (key, node) in maps.into_iter().rev().flatten() {
                    map.insert(key, node, false);
                }
                Ok(())
            }
        }
    }
}

impl MapContent {
    /// Sets a field; the last value wins, at the place of the first. A key that is written twice here
    /// gives a warning.
    fn insert(&mut self, key: Key, node: Node, written: bool) -> Option<Diagnostic> {
        let before = self.index.get(&key.text).copied();
        let position = before.map_or(self.fields.len(), |(position, _)| position);
        let written_before = before.is_some_and(|(_, written)| written);
        self.index.insert(key.text.clone(), (position, written || written_before));
        let Some(field) = self.fields.get_mut(position) else {
            self.fields.push((key, node));
            return None;
        };
        let warning = (written && written_before).then(|| {
            Diagnostic::warning(key.span, format!("key {} already set in map", go_quote(&key.text))).suggest(
                format!("The value on line {} is ignored; remove one of the two.", field.0.span.line),
            )
        });
        *field = (key, node);
        warning
    }
}

fn span_of(place: &saphyr_parser::Span) -> Span {
    // Texts are too short for these to overflow.
    Span { line: place.start.line() as u32, column: place.start.col() as u32 + 1 }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(span, format!("exceeded max depth of {MAX_DEPTH}"))
}

fn complex_key(node: &Node) -> Diagnostic {
    Diagnostic::error(node.span, format!("invalid map key: {}", go_syntax(node)))
        .suggest("Put text that begins with a bracket in quotes; fill in templates such as {{ … }} first.")
}

/// The value of a scalar by its style and tag. The error is upstream's text.
fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<NodeValue, String> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => to_node_value(resolve(text), text),
            _ => Ok(NodeValue::Str(text.into())),
        };
    };
    if !tag.is_yaml_core_schema() {
        return Ok(NodeValue::Str(text.into()));
    }
    let plain = resolve(text);
    let found = match plain {
        Plain::Null => "null",
        Plain::Bool(_) => "bool",
        Plain::Int(_) | Plain::Big(_) => "int",
        Plain::Float(_) => "float",
        Plain::Timestamp => "timestamp",
        Plain::Text => "str",
    };
    match (tag.suffix.as_str(), found) {
        ("binary", _) => Err("binary values (!!binary) are not supported".to_owned()),
        ("null", "null")
        | ("bool", "bool")
        | ("int", "int")
        | ("float", "float" | "int")
        | ("timestamp", "timestamp") => to_node_value(plain, text),
        (wanted @ ("null" | "bool" | "int" | "float" | "timestamp"), _) => {
            Err(format!("cannot decode !!{found} `{text}` as a !!{wanted}"))
        }
        _ => Ok(NodeValue::Str(text.into())),
    }
}

/// The name of a field. Numbers and booleans become text, as upstream does.
fn to_key(node: Node) -> Result<Key, Diagnostic> {
    let text = match node.value {
        NodeValue::Str(text) => text,
        NodeValue::Bool(value) => value.to_string().into(),
        NodeValue::Int(value) => value.to_string().into(),
        NodeValue::Float(value) => general(value).into(),
        NodeValue::Null => {
            return Err(
                Diagnostic::error(node.span, "invalid map key: null").suggest("Put the key in quotes.")
            );
        }
        NodeValue::Seq(_) | NodeValue::Map(_) => return Err(complex_key(&node)),
    };
    Ok(Key { text, span: node.span })
}

/// The maps that a merge key names.
fn merged_maps(node: Node) -> Option<Vec<Vec<(Key, Node)>>> {
    match node.value {
        NodeValue::Map(fields) => Some(vec![fields]),
        NodeValue::Seq(items) => items
            .into_iter()
            .map(|item| match item.value {
                NodeValue::Map(fields) => Some(fields),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The number of values in a tree, and how deep lists and maps are nested in it.
fn measure(node: &Node) -> (usize, usize) {
    let add = |(nodes, height): (usize, usize), child: &Node| {
        let (more, below) = measure(child);
        (nodes + more, height.max(below + 1))
    };
    match &node.value {
        NodeValue::Seq(items) => items.iter().fold((1, 1), add),
        NodeValue::Map(fields) => fields.iter().map(|(_, node)| node).fold((1, 1), add),
        _ => (1, 0),
    }
}
