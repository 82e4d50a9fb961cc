//! The page's heartbeat: one call per frame that the browser is about to paint.

use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

type Beat = Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>>;

/// Calls `on_frame` before every paint for as long as the page lives, with the time of the frame in milliseconds.
/// A hidden tab is not painted, so there it rests.
pub fn start(on_frame: impl Fn(f64) + 'static) {
    let beat = Beat::default();
    let again = beat.clone();
    *beat.borrow_mut() = Some(Closure::new(move |now_ms| {
        request(&again);
        on_frame(now_ms);
    }));
    request(&beat);
}

fn request(beat: &Beat) {
    if let (Some(window), Some(closure)) = (web_sys::window(), beat.borrow().as_ref()) {
        // It fails only in a document that is no longer shown, which needs no more frames.
        let _ = window.request_animation_frame(closure.as_ref().unchecked_ref());
    }
}

/// Milliseconds since the page was opened, to hold a budget.
pub fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}
