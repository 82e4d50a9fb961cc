//! The person's own manifests, kept in this browser from one visit to the next.

use super::theme::storage;

/// How the keys of files begin.
const KEY: &str = "setpoint-file:";

/// All files that are kept, by name.
pub fn files() -> Vec<(String, String)> {
    let Some(storage) = storage() else { return Vec::new() };
    let length = storage.length().unwrap_or(0);
    let keys = (0..length).filter_map(|at| storage.key(at).ok().flatten());
    let file = |key: String| {
        let text = storage.get_item(&key).ok().flatten()?;
        Some((key.strip_prefix(KEY)?.to_string(), text))
    };
    keys.filter_map(file).collect()
}

/// Keeps a file, or forgets it. Browsers that allow no storage, or no more of it, do not keep it.
pub fn keep(name: &str, text: Option<&str>) {
    let Some(storage) = storage() else { return };
    let key = format!("{KEY}{name}");
    let _ = match text {
        Some(text) => storage.set_item(&key, text),
        None => storage.remove_item(&key),
    };
}
