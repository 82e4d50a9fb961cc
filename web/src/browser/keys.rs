//! Single keys that act wherever the focus is, except in a field. The person can switch them off, which this browser remembers.

use super::theme::storage;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, KeyboardEvent};

/// Where the choice is kept.
const KEY: &str = "setpoint-keys";
/// Keys that act, beside Escape, which always does.
const KEYS: [&str; 9] = [" ", ".", "[", "]", "R", "t", "c", "m", "?"];
/// What has its own use for keys.
const FIELDS: &str = "input:not([type='checkbox']), textarea, select, [contenteditable]";
/// What the space bar presses.
const PRESSED: &str = "button, a, summary, input, [role='button'], [role='tab'], [role='option']";

/// The switch.
#[derive(Clone, Debug)]
pub struct Keys(Rc<Cell<bool>>);

impl Keys {
    /// Listens for as long as the page lives, and tells each key that acts.
    pub fn listen(on_key: impl Fn(String) + 'static) -> Self {
        let stored = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
        let keys = Self(Rc::new(Cell::new(stored.as_deref() != Some("off"))));
        let switch = keys.0.clone();
        let listener = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            let key = event.key();
            if acts(&event, &key, switch.get()) {
                if key != "Escape" {
                    event.prevent_default();
                }
                on_key(key);
            }
        });
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            let _ = document.add_event_listener_with_callback("keydown", listener.as_ref().unchecked_ref());
        }
        listener.forget();
        keys
    }

    /// Whether they act.
    pub fn is_on(&self) -> bool {
        self.0.get()
    }

    /// Switches them off, or on again.
    pub fn toggle(&self) {
        self.0.set(!self.is_on());
        if let Some(storage) = storage() {
            let _ = if self.is_on() { storage.remove_item(KEY) } else { storage.set_item(KEY, "off") };
        }
    }
}

/// Whether a key is for the page as a whole.
fn acts(event: &KeyboardEvent, key: &str, is_on: bool) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if modified || event.default_prevented() {
        return false;
    }
    if key == "Escape" {
        return true;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let stands_on = |selector: &str| target.as_ref().is_some_and(|at| at.matches(selector).unwrap_or(false));
    is_on && KEYS.contains(&key) && !stands_on(FIELDS) && !(key == " " && stands_on(PRESSED))
}
