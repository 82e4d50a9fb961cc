//! Text that comes from outside of the page and goes there: files, what is dropped and pasted, downloads; and typing for the
//! person, in a way that they can undo.

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Event, FileList, HtmlElement, Url};

/// Reads files, and tells of each its name and its text. One that is larger than `bytes_max` has no text, but its size.
pub fn read(
    files: &FileList,
    bytes_max: usize,
    told: &(impl Fn(String, Result<String, usize>) + Clone + 'static),
) {
    for file in (0..files.length()).filter_map(|at| files.get(at)) {
        let (name, size) = (file.name(), file.size() as usize);
        if size > bytes_max {
            told(name, Err(size));
            continue;
        }
        let told = told.clone();
        let arrived =
            Closure::once(move |text: JsValue| told(name, Ok(text.as_string().unwrap_or_default())));
        let _ = file.text().then(&arrived);
        arrived.forget();
    }
}

/// Offers a text as a file to keep.
pub fn download(name: &str, text: &str) {
    let parts = Array::of1(&text.into());
    let Ok(blob) = Blob::new_with_str_sequence(&parts) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(link) = document.and_then(|document| document.create_element("a").ok()) {
        let _ = link.set_attribute("href", &url);
        let _ = link.set_attribute("download", name);
        link.unchecked_ref::<HtmlElement>().click();
    }
    let _ = Url::revoke_object_url(&url);
}

/// The text that is being pasted.
pub fn pasted(event: &Event) -> Option<String> {
    let board = Reflect::get(event, &"clipboardData".into()).ok()?;
    let get = Reflect::get(&board, &"getData".into()).ok()?.dyn_into::<Function>().ok()?;
    get.call1(&board, &"text".into()).ok()?.as_string()
}

/// Types a text where the cursor is; `false` if the browser does not let that be done.
pub fn type_text(text: &str) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let command = Reflect::get(&document, &"execCommand".into()).ok();
    let Some(command) = command.and_then(|command| command.dyn_into::<Function>().ok()) else { return false };
    command
        .call3(&document, &"insertText".into(), &false.into(), &text.into())
        .is_ok_and(|done| done.is_truthy())
}

/// The place in a text that is so many UTF-16 units, which is what fields count in, after its beginning.
pub fn byte_of(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (at, letter) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(letter.len_utf16());
    }
    text.len()
}

/// What [`byte_of`] counts from.
pub fn units_of(text: &str, byte: usize) -> u32 {
    let units = text.get(..byte).unwrap_or(text).encode_utf16().count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_fields_count_them() {
        let text = "a é 𝄞 b";
        for (units, byte) in [(0, 0), (2, 2), (3, 4), (4, 5), (6, 9), (8, 11), (99, 11)] {
            assert_eq!(byte_of(text, units), byte);
        }
        for (byte, units) in [(0, 0), (4, 3), (9, 6), (11, 8), (99, 8)] {
            assert_eq!(units_of(text, byte), units);
        }
    }
}
