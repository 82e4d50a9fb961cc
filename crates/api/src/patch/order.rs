//! The order of a list that was merged: what the patch names stands as the patch has it, what only the server knows keeps
//! its place as far as that goes.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (`normalizeElementOrder`, `mergeSortedSlice`).

use serde_json::Value;

/// Whether two items of a list are the same one: by their key, or, without one, by value.
pub(super) fn is_same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}

fn place(list: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    list.iter().position(|other| is_same(other, item, key))
}

/// Puts merged items into order: `wanted` is the order of the patch, `live` that of the server.
pub(super) fn normalize(
    merged: Vec<Value>,
    wanted: &[Value],
    live: &[Value],
    key: Option<&str>,
) -> Vec<Value> {
    let (mut ours, mut theirs): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(wanted, item, key).is_some());
    crate::order::sort_by_key(&mut ours, |item| place(wanted, item, key));
    // Items that the server does not know yet come last.
    crate::order::sort_by_key(&mut theirs, |item| place(live, item, key).unwrap_or(usize::MAX));
    let mut ours = ours.into_iter().peekable();
    let mut theirs = theirs.into_iter().peekable();
    let mut ordered = Vec::new();
    loop {
        let is_theirs = match (theirs.peek(), ours.peek()) {
            (Some(their), Some(our)) => match (place(live, their, key), place(live, our, key)) {
                (Some(their), Some(our)) => their < our,
                _ => false,
            },
            (theirs, _) => theirs.is_some(),
        };
        match if is_theirs { theirs.next() } else { ours.next() } {
            Some(item) => ordered.push(item),
            None => return ordered,
        }
    }
}
