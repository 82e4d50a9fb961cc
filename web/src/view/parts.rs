//! Small things that are drawn in many places.

use yew::prelude::*;

/// A line drawing in a box of 16 by 16.
pub fn icon(path: &'static str) -> Html {
    html! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg> }
}

/// A power button's sign.
pub const POWER: &str = "M8 2v6M4.6 4.4a5 5 0 1 0 6.8 0";
/// An arrow that comes round.
pub const RESTORE: &str = "M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3.4H9.6";
/// A cross.
pub const CLOSE: &str = "M4 4l8 8M12 4l-8 8";
/// A plus.
pub const PLUS: &str = "M8 3.5v9M3.5 8h9";
/// A minus.
pub const MINUS: &str = "M3.5 8h9";

/// A share of the whole in percent, 0 to 100, as SVG writes it.
pub fn percent(share: i64) -> String {
    format!("{}%", share.clamp(0, 100))
}

/// A horizontal bar of parts (class, percent) with an optional mark. Widths are attributes, which the strictest
/// Content-Security-Policy allows; styles are not.
pub fn bar(parts: &[(&'static str, i64)], mark: Option<i64>) -> Html {
    let mut left = 0;
    let rects = parts.iter().map(|(class, width)| {
        let x = left;
        left += width;
        html! { <rect class={*class} x={percent(x)} width={percent(*width)} height="100%" /> }
    });
    html! {
        <svg class="bar" aria-hidden="true">
            { for rects }
            if let Some(mark) = mark {
                <rect class="mark" x={percent(mark)} width="2" height="100%" />
            }
        </svg>
    }
}

/// The start of a text, at most so many letters, with an ellipsis for the rest.
pub fn keeps(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_string(),
    }
}
