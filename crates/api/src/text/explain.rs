//! Says what a syntax error means: the words of kubectl (`yaml: line 3: <words>`), and advice.

use saphyr_parser::ScanError;

use super::{Diagnostic, MAX_DEPTH, Span};

/// The first character that no YAML text may have.
pub(super) fn forbidden_character(text: &str) -> Option<Diagnostic> {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..)
            && !matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let at = text.find(|c| !allowed(c))?;
    let before = text.get(..at).unwrap_or("");
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
    Some(Diagnostic::error(Span { line, column }, "control characters are not allowed"))
}

/// The diagnostic for an error of the YAML scanner. `innermost` tells where the innermost open list
/// (`true`) or map (`false`) begins.
pub(super) fn explain_scan_error(
    error: &ScanError,
    text: &str,
    innermost: impl Fn(bool) -> Option<Span>,
) -> Diagnostic {
    let marker = error.marker();
    let at = Span { line: marker.line() as u32, column: marker.col() as u32 + 1 };
    let info = error.info();
    let lines = Lines { text, at };
    let has = |part: &str| info.contains(part);
    let unclosed = |list: bool| {
        let closer = if list { ']' } else { '}' };
        let diagnostic = Diagnostic::error(at, format!("did not find expected ',' or '{closer}'"));
        match innermost(list) {
            Some(open) => diagnostic.suggest(format!("Close what opens at {open} with `{closer}`.")),
            None => diagnostic,
        }
    };
    if has("mapping values are not allowed") {
        return lines.misplaced_colon();
    }
    if has("simple key expect") {
        return lines.missing_colon();
    }
    if has("flow sequence") {
        return unclosed(true);
    }
    if has("flow mapping") {
        return unclosed(false);
    }
    if has("illegal placement of ':'") {
        return unclosed(innermost(true) > innermost(false));
    }
    if has("unknown anchor") {
        let name = lines.word_at(at.column as usize);
        return Diagnostic::error(at, format!("unknown anchor '{name}' referenced"));
    }
    if has("recursion limit") {
        return Diagnostic::error(at, format!("exceeded max depth of {MAX_DEPTH}"));
    }
    for (part, message, suggestion) in PLAIN_WORDS {
        if has(part) {
            return Diagnostic::error(at, *message).suggest(*suggestion);
        }
    }
    // Of `while scanning this, did not find that`, kubectl prints the second half.
    let message = match info.split_once(", ") {
        Some((context, rest)) if context.starts_with("while ") => rest,
        _ => info,
    };
    Diagnostic::error(at, message)
}

/// Part of the scanner's message, kubectl's words, advice.
const PLAIN_WORDS: &[(&str, &str, &str)] = &[
    (
        "unexpected character",
        "found character that cannot start any token",
        "Put the value in quotes: @, ` and % cannot begin one.",
    ),
    (
        "tab",
        "found character that cannot start any token",
        "Use spaces here; YAML does not allow tabs in indentation.",
    ),
    (
        "found unexpected end of stream",
        "found unexpected end of stream",
        "The quote that opens here is never closed.",
    ),
    (
        "invalid indentation in quoted scalar",
        "found unexpected end of stream",
        "The quote that opens here is not closed on its line; indent the lines that continue it.",
    ),
    (
        "invalid trailing content",
        "did not find expected key",
        "Text follows the closing quote. Inside '…' write a quote twice, inside \"…\" write \\\".",
    ),
    (
        "while parsing a block mapping, did not find expected key",
        "did not find expected key",
        "The indentation of this line matches no line above it; align it with its neighbours.",
    ),
    (
        "did not find expected '-' indicator",
        "did not find expected '-' indicator",
        "List items and fields stand in the same column; begin the line with `- ` or indent it otherwise.",
    ),
    (
        "block sequence entries are not allowed",
        "block sequence entries are not allowed in this context",
        "Begin the list on the line after its key.",
    ),
    (
        "unknown escape character",
        "found unknown escape character",
        "Write \\\\ for a backslash, or use single quotes.",
    ),
    (
        "expected alphabetic or numeric",
        "did not find expected alphabetic or numeric character",
        "Put a value that begins with * or & in quotes.",
    ),
    (
        "misplaced bracket",
        "did not find expected node content",
        "Nothing that this bracket could close is open; put a value that begins with a bracket in quotes.",
    ),
    (
        "only valid inside a block",
        "did not find expected node content",
        "Fill in templates such as {{- … }} first; put a value that begins with a bracket in quotes.",
    ),
    (
        "did not find expected node content",
        "did not find expected node content",
        "A value is missing before this place.",
    ),
    (
        "expected <document start>",
        "did not find expected <document start>",
        "Put `---` on a line of its own between documents.",
    ),
];

/// The lines around an error.
struct Lines<'a> {
    text: &'a str,
    at: Span,
}

impl<'a> Lines<'a> {
    fn line(&self, number: u32) -> &'a str {
        let index = (number as usize).saturating_sub(1);
        self.text.split('\n').nth(index).unwrap_or("").trim_end_matches('\r')
    }

    /// The last line with content that ends before the error.
    fn before(&self) -> Option<(u32, &'a str)> {
        let lines = self.text.split('\n').zip(1..).take_while(|(_, number)| *number < self.at.line);
        lines.filter(|(line, _)| has_content(line)).last().map(|(line, number)| (number, line))
    }

    fn word_at(&self, column: usize) -> String {
        let word = self.line(self.at.line).chars().skip(column);
        word.take_while(|c| !c.is_whitespace() && !",[]{}".contains(*c)).collect()
    }

    fn misplaced_colon(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.at, "mapping values are not allowed in this context");
        let column = (self.at.column as usize).saturating_sub(1);
        let written: String = self.line(self.at.line).chars().take(column).collect();
        if written.contains(": ") {
            return diagnostic.suggest("Put the value in quotes: it contains a colon and a space.");
        }
        match self.before() {
            Some((number, line)) if glued_colon(line) => {
                diagnostic.suggest(format!("Put a space after the colon on line {number}."))
            }
            Some((number, _)) => diagnostic.suggest(format!(
                "Line {number} already ends its value; check the indentation, or what is missing there."
            )),
            None => diagnostic,
        }
    }

    /// The scanner notices on a later line that a key had no colon.
    fn missing_colon(&self) -> Diagnostic {
        let column = (self.at.column as usize).saturating_sub(1);
        let written: String = self.line(self.at.line).chars().take(column).collect();
        let culprit =
            if has_content(&written) { Some((self.at.line, self.line(self.at.line))) } else { self.before() };
        let Some((number, line)) = culprit else {
            return Diagnostic::error(self.at, "could not find expected ':'");
        };
        let indentation = line.chars().take_while(|c| *c == ' ').count() as u32;
        let at = Span { line: number, column: indentation + 1 };
        Diagnostic::error(at, "could not find expected ':'").suggest(if glued_colon(line) {
            "Put a space after the colon."
        } else {
            "Write `key: value`; each field has a colon and a space after its name."
        })
    }
}

fn has_content(line: &str) -> bool {
    let content = line.trim();
    !content.is_empty() && !content.starts_with('#')
}

/// Whether a line looks like a field whose colon has no space after it (`image:nginx`).
fn glued_colon(line: &str) -> bool {
    let content = line.trim();
    content.contains(':') && !content.contains(": ") && !content.ends_with(':')
}
