//! What is wrong with a manifest, each with its place, and what is likely not meant.

use super::advice::advise;
use setpoint_api::text::{self, Diagnostic, Node, NodeValue, parse_path};
use setpoint_api::{default, manifest, order, validate};

impl crate::Session {
    /// What is wrong with a manifest, and what is likely not meant, in the order of its lines.
    pub fn check_manifest(&self, text: &str) -> Vec<Diagnostic> {
        let read = text::read(text);
        let mut found = read.diagnostics;
        for document in &read.documents {
            for item in items(&document.root) {
                check(item, &mut found);
            }
        }
        let items: Vec<&Node> = read.documents.iter().flat_map(|document| items(&document.root)).collect();
        advise(&items, self.sim(), &mut found);
        order::sort_by(&mut found, |a, b| (a.line, a.column).cmp(&(b.line, b.column)));
        found
    }
}

/// A document, or the items of a `List`.
fn items(root: &Node) -> Vec<&Node> {
    let is_list =
        matches!(root.get("kind").map(|kind| &kind.value), Some(NodeValue::Str(kind)) if &**kind == "List");
    match root.get("items").map(|items| &items.value) {
        Some(NodeValue::Seq(items)) if is_list => items.iter().collect(),
        // A document of comments alone is none.
        _ if root.value == NodeValue::Null => Vec::new(),
        _ => vec![root],
    }
}

fn check(item: &Node, found: &mut Vec<Diagnostic>) {
    let objects = match manifest::read_tree(item) {
        Ok(objects) => objects,
        Err(diagnostics) => return found.extend(diagnostics),
    };
    for mut object in objects {
        if object.kind().is_namespaced() && object.metadata().namespace.is_empty() {
            object.metadata_mut().namespace = "default".into();
        }
        default::apply(&mut object);
        for cause in validate::create_causes(&object) {
            let place = item.nearest(&parse_path(&cause.field));
            found.push(Diagnostic::error(place, cause.to_string()));
        }
    }
}
