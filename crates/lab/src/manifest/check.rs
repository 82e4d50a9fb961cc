//! What is wrong with a manifest, each with its place, and what is likely not meant.

use super::advice::advise;
use setpoint_api::text::{self, Diagnostic, Node};
use setpoint_api::{manifest, order};

impl crate::Session {
    /// What is wrong with a manifest, what is likely not meant, and what nothing acts on, in the order of its lines.
    pub fn check_manifest(&self, text: &str) -> Vec<Diagnostic> {
        let mut found = manifest::check(text);
        let read = text::read(text);
        let items: Vec<&Node> =
            read.documents.iter().flat_map(|document| manifest::items(&document.root)).collect();
        advise(&items, self.sim(), &mut found);
        order::sort_by(&mut found, |a, b| (a.line, a.column).cmp(&(b.line, b.column)));
        found
    }
}
