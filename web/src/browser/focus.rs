//! Moving the keyboard's focus.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};
use yew::Callback;

/// Puts the focus on the element with the id, and says whether there is one.
pub fn focus_id(id: &str) -> bool {
    let found = by_id(id);
    found.as_ref().map(focus).is_some()
}

/// As [`focus_id`], but only if the element is in what is seen of the page, and not away from a field: nobody is carried
/// away from where they look or what they choose.
pub fn focus_in_sight(id: &str) {
    if focused().is_some_and(|active| active.matches("input, select").unwrap_or(false)) {
        return;
    }
    let height = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64()).unwrap_or(0.0);
    if let Some(element) = by_id(id).filter(|element| element.get_bounding_client_rect().bottom() < height) {
        focus(&element);
    }
}

/// What has the focus, unless that is inside the element with the id `but`, or nothing.
pub fn origin(but: &str) -> Option<Element> {
    let outside = |active: &Element| !matches!(active.closest(&format!("#{but}, body:focus")), Ok(Some(_)));
    focused().filter(outside)
}

/// Puts the focus back on an element; if that is gone, on the one that has its id now. Says whether there is one.
pub fn focus_again(element: &Element) -> bool {
    if element.is_connected() {
        focus(element);
        return true;
    }
    focus_id(&element.id())
}

/// Scrolls the element with the id to its top.
pub fn scroll_up(id: &str) {
    if let Some(element) = by_id(id) {
        element.set_scroll_top(0);
    }
}

/// Puts a text on the clipboard, and tells whether that worked. Frames and plain http may have none; there the element with the
/// id is selected, one key press from a copy.
pub fn copy(text: &str, else_id: &'static str, told: Callback<bool>) {
    let get = |from: &JsValue, name: &str| Reflect::get(from, &name.into()).ok();
    let window = web_sys::window().map(JsValue::from).unwrap_or_default();
    let clipboard = get(&window, "navigator").and_then(|navigator| get(&navigator, "clipboard"));
    let write =
        clipboard.as_ref().and_then(|clipboard| get(clipboard, "writeText")?.dyn_into::<Function>().ok());
    let done =
        write.and_then(|write| write.call1(&clipboard?, &text.into()).ok()?.dyn_into::<Promise>().ok());
    let fail = {
        let told = told.clone();
        move || {
            let selection = web_sys::window().and_then(|window| window.get_selection().ok()?);
            if let (Some(selection), Some(element)) = (selection, by_id(else_id)) {
                let _ = selection.select_all_children(&element);
            }
            told.emit(false);
        }
    };
    let Some(done) = done else { return fail() };
    let good = Closure::once(move |_: JsValue| told.emit(true));
    let bad = Closure::once(move |_: JsValue| fail());
    let _ = done.then2(&good, &bad);
    good.forget();
    bad.forget();
}

/// The element with the id.
pub fn by_id(id: &str) -> Option<Element> {
    web_sys::window()?.document()?.get_element_by_id(id)
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
