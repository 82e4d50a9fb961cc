//! Moving the keyboard's focus.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Puts the focus on the element with the id.
pub fn focus_id(id: &str) {
    let element =
        web_sys::window().and_then(|window| window.document()).and_then(|d| d.get_element_by_id(id));
    if let Some(element) = element {
        focus(&element);
    }
}

/// Moves the focus `by` places among the elements inside `scope` that match `selector`; `false` if there is no such place.
pub fn step(scope: &Element, selector: &str, by: i32) -> bool {
    let Ok(list) = scope.query_selector_all(selector) else { return false };
    let elements: Vec<Element> =
        (0..list.length()).filter_map(|at| list.item(at)).filter_map(|node| node.dyn_into().ok()).collect();
    let Some(active) = focused() else { return false };
    let Some(at) = elements.iter().position(|element| *element == active) else { return false };
    let target = i32::try_from(at).ok().and_then(|at| usize::try_from(at + by).ok());
    match target.and_then(|at| elements.get(at)) {
        Some(element) => {
            focus(element);
            true
        }
        None => false,
    }
}

/// Puts the focus on the first element inside `scope` that matches `selector`.
pub fn enter(scope: &Element, selector: &str) -> bool {
    let found = scope.query_selector(selector).ok().flatten();
    found.as_ref().map(focus).is_some()
}

/// Puts the focus on the first element inside the element with the id that matches `selector`.
pub fn focus_inside(id: &str, selector: &str) {
    let scope = web_sys::window().and_then(|window| window.document()).and_then(|d| d.get_element_by_id(id));
    if let Some(scope) = scope {
        enter(&scope, selector);
    }
}

/// Where the focus is.
pub fn focused() -> Option<Element> {
    web_sys::window()?.document()?.active_element()
}

fn focus(element: &Element) {
    // Parts of a drawing can have the focus as well; the call is the same.
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}
