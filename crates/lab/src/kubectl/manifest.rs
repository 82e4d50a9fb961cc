//! `-f` of verbs that read: the objects of manifests, as if they had been named.

use super::change::Fault;
use super::context::Context;
use super::failure::Failure;
use super::invocation::Invocation;
use super::source;

/// The objects that `-f` names as `kind.group/name` arguments.
pub(super) fn names(cx: &Context, call: &Invocation) -> Result<Vec<String>, Failure> {
    let (items, faults) = source::items(cx, call)?;
    Fault::end(faults)?;
    Ok(items.into_iter().map(|item| format!("{}/{}", item.resource.full_name(), item.name)).collect())
}
