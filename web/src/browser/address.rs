//! What the page's address says, and what the page leaves behind for a report.

use std::fmt::Write;
use wasm_bindgen::JsValue;

/// The seed that the address asks for; its fragment, which follows what the person does, before its query.
pub fn seed() -> Option<u64> {
    number("seed", &fragment()).or_else(query_seed)
}

/// The seed that the address's query asks for.
pub fn query_seed() -> Option<u64> {
    number("seed", &web_sys::window()?.location().search().ok()?)
}

/// The scenario that the address's query asks for, by name.
pub fn scenario() -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    Some(pairs(&query).into_iter().find(|(key, _)| key == "scenario")?.1)
}

/// Opens the page with another scenario; the first needs no name.
pub fn open_scenario(name: &str, is_first: bool) {
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let query = if is_first { String::new() } else { format!("?scenario={name}") };
    let path = location.pathname().unwrap_or_default();
    // A frame that may not leave its address keeps its scenario.
    let _ = location.assign(&(path + &query));
}

/// The part of the address after `#`, with it.
pub fn fragment() -> String {
    web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default()
}

/// Puts another fragment in its place, without an entry in the browser's history.
pub fn set_fragment(new: &str) {
    let Some(window) = web_sys::window() else { return };
    if fragment().trim_start_matches('#') == new {
        return;
    }
    let location = window.location();
    let mut url = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if !new.is_empty() {
        url = format!("{url}#{new}");
    }
    // Frames without an address of their own refuse; their page just has none to share.
    if let Ok(history) = window.history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
    }
}

/// The pairs of a query or a fragment, decoded. Parts that are no pairs are passed over.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.trim_start_matches(['?', '#']).split('&');
    parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (decoded(key), decoded(value))).collect()
}

/// What [`pairs`] reads.
pub fn joined(pairs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        let sep = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{sep}{key}=");
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    text.push(char::from(byte));
                }
                _ => drop(write!(text, "%{byte:02X}")),
            }
        }
    }
    text
}

fn number(name: &str, text: &str) -> Option<u64> {
    pairs(text).into_iter().find(|(key, _)| key == name)?.1.parse().ok()
}

/// Text with its `%41` resolved. A `%` without two digits stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Leaves the run so far where the crash card finds it when this module can no longer be asked.
pub fn leave_report(report: &str) {
    if let Some(window) = web_sys::window() {
        let _ = js_sys::Reflect::set(&window, &"setpointReport".into(), &report.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases = [
            ("?seed=7", Some(7)),
            ("#tab=events&seed=8", Some(8)),
            ("?a=1&seed=18446744073709551615", Some(u64::MAX)),
            ("?seed=-1", None),
            ("?seed", None),
            ("?seeds=3", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number("seed", text), expected, "{text}");
        }
    }
}
