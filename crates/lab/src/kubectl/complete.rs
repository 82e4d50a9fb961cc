//! Tab completion: verbs, kinds, names, flags and their values, namespaces, files.

use super::{Completion, Terminal};
use crate::Session;

/// What Tab offers at a place in a line.
pub(super) fn complete(_session: &Session, _terminal: &Terminal, _line: &str, cursor: usize) -> Completion {
    Completion { from: cursor, candidates: Vec::new() }
}
