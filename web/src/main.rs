//! Setpoint: the page.
//!
//! **Border**: pixels and input. What is shown comes from `setpoint_lab` as frames, what a person does goes back as
//! actions; nothing here knows how a cluster works. Calls to the browser live in `browser` and in `flow`.

mod announce;
mod app;
mod browser;
#[cfg(test)]
mod contrast;
mod density;
mod desk;
mod engine;
mod faults;
mod flow;
mod guide;
mod language;
mod pace;
mod rest;
mod side;
mod slots;
mod stage;
mod view;
mod wire;
mod words;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Paints the crash card without any help from this module (web/boot.js).
    #[wasm_bindgen(js_namespace = window, js_name = setpointCrashed)]
    fn crashed(message: &str);
}

/// Panics with the given message, so that the crash card can be seen and tested.
#[wasm_bindgen]
pub fn force_panic(message: &str) {
    panic!("{message}");
}

fn main() {
    // Under node there is no page to show; only the exported functions are used.
    let Some(window) = web_sys::window() else { return };
    // Yew would put a hook of its own in the way of the standard library's.
    yew::set_custom_panic_hook(Box::new(|info| crashed(&info.to_string())));
    if let Some(root) = window.document().and_then(|document| document.get_element_by_id("app")) {
        yew::Renderer::<app::App>::with_root(root).render();
    }
}
