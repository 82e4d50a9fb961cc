//! Setpoint: the page.

use wasm_bindgen::prelude::*;
use yew::prelude::*;

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

#[component]
fn App() -> Html {
    html! { <main><h1>{ "Setpoint" }</h1><p>{ "Hello, cluster." }</p></main> }
}

fn main() {
    // Under node there is no page to show; only the exported functions are used.
    let Some(window) = web_sys::window() else { return };
    // Yew would put a hook of its own in the way of the standard library's.
    yew::set_custom_panic_hook(Box::new(|info| crashed(&info.to_string())));
    if let Some(root) = window.document().and_then(|document| document.get_element_by_id("app")) {
        yew::Renderer::<App>::with_root(root).render();
    }
}
