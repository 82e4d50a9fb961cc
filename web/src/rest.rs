//! The page's second file of wasm: what an untouched page does not need.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Fetches the file unless it is there, and puts its functions in place (web/boot.js).
    #[wasm_bindgen(js_namespace = window, js_name = setpointRest)]
    fn rest(exports: &JsValue);
}

/// Sees to it that all functions are there. Whoever calls one that is not comes through here first.
#[wasm_bindgen]
pub fn load_rest() {
    rest(&wasm_bindgen::exports());
}
