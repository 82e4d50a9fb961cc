//! How kubectl writes a text in YAML: plain, quoted one way or the other, or as a block.
//!
//! Upstream: `go.yaml.in/yaml/v2/emitterc.go` (scalar analysis), `encode.go` (`stringv`).

use super::scalar::{Plain, resolve};

/// The way a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// The style of a text, and whether it may be a key on one line with its value.
pub(super) fn style_of(text: &str) -> (Style, bool) {
    let facts = Facts::of(text);
    let simple_key = !text.contains(['\n', '\r']) && text.len() <= 128;
    let style = if text.contains('\n') {
        if facts.block_allowed() { Style::Literal } else { Style::Double }
    } else if resolve(text) != Plain::Text || is_base60(text) {
        Style::Double
    } else if facts.plain_allowed() {
        Style::Plain
    } else if facts.single_allowed() {
        Style::Single
    } else {
        Style::Double
    };
    (style, simple_key)
}

/// Whether a character is written as it is in a double-quoted text.
pub(super) fn is_printable(c: char) -> bool {
    // The line breaks of Unicode would be folded, and upstream does not know characters above 16 bits.
    matches!(c, ' '..='~' | '\u{a0}'..='\u{fffd}') && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// What matters of a text for the choice of its style.
#[derive(Default)]
struct Facts {
    /// Begins with, or contains, what would be syntax in a plain text.
    indicators: bool,
    /// Has characters that only a double-quoted text can hold.
    special: bool,
    breaks: bool,
    /// A space or break at the start or end.
    outer_whitespace: bool,
    trailing_space: bool,
    /// A break before a space.
    break_space: bool,
    /// A space before a break.
    space_break: bool,
}

impl Facts {
    fn of(text: &str) -> Facts {
        let mut facts =
            Facts { indicators: text.starts_with("---") || text.starts_with("..."), ..Facts::default() };
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            // A tab counts as blank here, though it is special too.
            let blank_next = next.is_none_or(|c| matches!(c, ' ' | '\t'));
            let blank_before = previous.is_none_or(|c| matches!(c, ' ' | '\t' | '\n'));
            facts.indicators |= match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    previous.is_none()
                }
                '?' | '-' => previous.is_none() && blank_next,
                ':' => blank_next,
                '#' => blank_before,
                _ => false,
            };
            facts.special |= c != '\n' && !is_printable(c);
            facts.breaks |= c == '\n';
            facts.break_space |= c == ' ' && previous == Some('\n');
            facts.space_break |= c == '\n' && previous == Some(' ');
            facts.trailing_space |= c == ' ' && next.is_none();
            facts.outer_whitespace |= matches!(c, ' ' | '\n') && (previous.is_none() || next.is_none());
            previous = Some(c);
        }
        facts
    }

    fn plain_allowed(&self) -> bool {
        !(self.indicators || self.special || self.breaks || self.outer_whitespace)
    }

    fn single_allowed(&self) -> bool {
        !(self.special || self.break_space || self.space_break)
    }

    fn block_allowed(&self) -> bool {
        !(self.special || self.space_break || self.trailing_space)
    }
}

/// A number in base 60 of YAML 1.1 (`1:30`), which upstream quotes for other readers:
/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let loose = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or("");
    let mut sixtieths = parts.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && loose(first)
        && loose(fraction)
        && sixtieths.peek().is_some()
        && sixtieths.all(|part| match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [b'0'..=b'5', digit] => digit.is_ascii_digit(),
            _ => false,
        })
}
