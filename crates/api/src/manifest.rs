//! Manifest text to objects, with a complaint that has a line and a column for whatever does not fit.

use crate::text::{self, Diagnostic, Node, NodeValue, Severity};
use crate::{Kind, Object};

/// Reads all documents of a text, `List`s unpacked.
///
/// # Errors
/// Every syntax error, unknown kind and field of the wrong type, with its place.
pub fn read(text: &str) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let manifest = text::read(text);
    let mut diagnostics = manifest.diagnostics;
    let mut objects = Vec::new();
    for document in &manifest.documents {
        read_node(&document.root, &mut objects, &mut diagnostics);
    }
    refuse_errors(objects, diagnostics)
}

/// Reads an object, or the items of a `List`, from a tree that has been read already.
///
/// # Errors
/// Every unknown kind and field of the wrong type, with its place.
pub fn read_tree(node: &Node) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let (mut objects, mut diagnostics) = (Vec::new(), Vec::new());
    read_node(node, &mut objects, &mut diagnostics);
    refuse_errors(objects, diagnostics)
}

fn refuse_errors(objects: Vec<Object>, diagnostics: Vec<Diagnostic>) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let is_refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if is_refused { Err(diagnostics) } else { Ok(objects) }
}

fn read_node(node: &Node, objects: &mut Vec<Object>, diagnostics: &mut Vec<Diagnostic>) {
    let value = node.to_value();
    let word = |key: &str| value.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_string();
    let (api_version, kind_name) = (word("apiVersion"), word("kind"));
    if kind_name == "List" {
        if let Some(NodeValue::Seq(items)) = node.get("items").map(|items| &items.value) {
            items.iter().for_each(|item| read_node(item, objects, diagnostics));
        }
        return;
    }
    let Some(kind) = Kind::from_manifest(&api_version, &kind_name) else {
        let message = format!("no matches for kind {kind_name:?} in version {api_version:?}");
        let mut diagnostic = Diagnostic::error(node.nearest(&text::parse_path("kind")), message);
        let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
        if let Some(near) = text::did_you_mean(&kind_name, kinds) {
            let version =
                Kind::ALL.iter().find(|kind| kind.as_str() == near).map_or("", |kind| kind.api_version());
            diagnostic = diagnostic.suggest(format!("Did you mean kind {near} of {version}?"));
        }
        diagnostics.push(diagnostic);
        return;
    };
    let (object, errors) = Object::from_value(kind, value);
    for error in errors {
        let span = node.nearest(&text::parse_path(&error.path));
        diagnostics.push(Diagnostic::error(span, format!("{}: {}", error.path, error.message)));
    }
    objects.push(object);
}
