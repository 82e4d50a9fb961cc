//! Prints values as `kubectl -o yaml` does: sorted keys, two spaces, lists not indented under their key.
//!
//! Upstream: `sigs.k8s.io/yaml` (`Marshal`), `go.yaml.in/yaml/v2/{encode,emitterc,sorter}.go`.

use crate::Gather as _;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::float::{plain, shortest};
use super::scalar::whole;
use super::style::{Style, is_printable, style_of};

/// Column after which a text is continued on the next line at a space.
const WIDTH: usize = 80;

/// The YAML of a value, with a line break at its end. Reading it gives the value back, except that a
/// whole float is read as an integer.
pub fn to_yaml(value: &Value) -> String {
    let mut printer = Printer { out: String::new(), column: 0, fresh: true };
    printer.value(value, 0, Place::Root);
    if printer.column > 0 {
        printer.newline();
    }
    printer.out
}

/// What a value stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing: it is the document.
    Root,
    /// `key:`
    Field,
    /// `-`, or the `:` of a key that has its own line; blocks begin on the same line.
    Item,
}

struct Printer {
    out: String,
    column: usize,
    /// Only indentation and indicators stand on the line so far, so that a block can begin here.
    fresh: bool,
}

impl Printer {
    /// Prints a value; `indent` is that of the block around it.
    fn value(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.map(map, if place == Place::Root { 0 } else { indent + 2 });
            }
            Value::Array(items) if !items.is_empty() => {
                self.list(items, if place == Place::Item { indent + 2 } else { indent });
            }
            Value::Object(_) => self.word("{}"),
            Value::Array(_) => self.word("[]"),
            Value::Null => self.word("null"),
            Value::Bool(value) => self.word(if *value { "true" } else { "false" }),
            Value::Number(number) => self.word(&number_text(number)),
            Value::String(text) => {
                let (style, _) = style_of(text);
                self.text(text, style, indent + 2, true);
            }
        }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize) {
        let mut fields: Vec<(&String, &Value)> = map.iter().gather();
        merge_sort(&mut fields, |(a, _), (b, _)| key_order(a, b));
        for (key, value) in fields {
            self.indent(indent);
            let (style, simple) = style_of(key);
            if simple {
                self.text(key, style, indent + 2, false);
                self.push(':');
                self.fresh = false;
                self.value(value, indent, Place::Field);
            } else {
                self.push('?');
                self.text(key, style, indent + 2, true);
                self.indent(indent);
                self.push(':');
                self.value(value, indent, Place::Item);
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.indent(indent);
            self.push('-');
            self.value(item, indent, Place::Item);
        }
    }

    /// Goes to a column: on this line if nothing but indicators stands on it, else on the next.
    fn indent(&mut self, indent: usize) {
        if self.column > 0 && (self.column > indent || !self.fresh) {
            self.newline();
        }
        while self.column < indent {
            self.push(' ');
        }
        self.fresh = true;
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.fresh = true;
    }

    fn push(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn word(&mut self, word: &str) {
        self.space();
        word.chars().for_each(|c| self.push(c));
        self.fresh = false;
    }

    /// A space, unless the line has only indentation.
    fn space(&mut self) {
        if self.column > 0 && !self.out.ends_with(' ') {
            self.push(' ');
        }
    }

    /// A text in a style; `indent` is that of its further lines, `breaks` whether it may have any.
    fn text(&mut self, text: &str, style: Style, indent: usize, breaks: bool) {
        self.space();
        match style {
            Style::Plain => self.folded(text, indent, breaks),
            Style::Single => {
                self.push('\'');
                self.folded(&text.replace('\'', "''"), indent, breaks);
                self.push('\'');
            }
            Style::Double => self.double(text, indent, breaks),
            Style::Literal => self.literal(text, indent),
        }
        self.fresh = false;
    }

    /// A text without escapes. Single spaces far to the right become line breaks.
    fn folded(&mut self, text: &str, indent: usize, breaks: bool) {
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let inner = previous.is_some_and(|c| c != ' ') && chars.peek().is_some_and(|c| *c != ' ');
            if c == ' ' && breaks && inner && self.column > WIDTH {
                self.continue_at(indent);
            } else {
                self.push(c);
            }
            previous = Some(c);
        }
    }

    fn double(&mut self, text: &str, indent: usize, breaks: bool) {
        self.push('"');
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let inner = previous.is_some_and(|c| c != ' ') && chars.peek().is_some();
            if c == ' ' && breaks && inner && self.column > WIDTH {
                self.continue_at(indent);
                if chars.peek() == Some(&' ') {
                    self.push('\\');
                }
            } else if is_printable(c) && !matches!(c, '"' | '\\') {
                self.push(c);
            } else {
                escape(c).chars().for_each(|c| self.push(c));
            }
            previous = Some(c);
        }
        self.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.push('|');
        if text.starts_with([' ', '\n']) {
            self.push('2');
        }
        if !text.ends_with('\n') {
            self.push('-');
        } else if text == "\n" || text.ends_with("\n\n") {
            self.push('+');
        }
        self.newline();
        let body = text.strip_suffix('\n').unwrap_or(text);
        for (index, line) in body.split('\n').enumerate() {
            if index > 0 {
                self.newline();
            }
            if !line.is_empty() {
                self.continue_within(indent);
                line.chars().for_each(|c| self.push(c));
            }
        }
        if text.ends_with('\n') {
            self.newline();
        }
    }

    fn continue_at(&mut self, indent: usize) {
        self.newline();
        self.continue_within(indent);
    }

    fn continue_within(&mut self, indent: usize) {
        while self.column < indent {
            self.push(' ');
        }
    }
}

/// The escape of a character in double quotes.
fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(c);
            return match code {
                0..=0xFF => format!("\\x{code:02X}"),
                0x100..=0xFFFF => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// A number as it comes out of JSON and YAML in turn.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if let Some(whole) = whole(float) {
        return whole.to_string();
    }
    // JSON's digits of a whole float below 2^64 are read as an unsigned integer.
    let (digits, exponent) = shortest(float);
    let plain = plain(&digits, exponent);
    if float >= 0.0 && plain.parse::<u64>().is_ok() { plain } else { general(float) }
}

/// A float as Go's `strconv.FormatFloat(value, 'g', -1, 64)` prints it, and what is no number as YAML does.
pub(super) fn general(value: f64) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return format!("{sign}.inf");
    }
    let (digits, last) = shortest(value);
    if digits.is_empty() {
        return format!("{sign}0");
    }
    let exponent = last + digits.len() as i32 - 1;
    if (-4..6).contains(&exponent) {
        return format!("{sign}{}", plain(&digits, last));
    }
    let (first, rest) = digits.split_at(1.min(digits.len()));
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.unsigned_abs())
}

/// Upstream's order of keys: letters after other characters, and runs of digits by their value.
fn key_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().gather(), b.chars().gather());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    let (Some(x), Some(y)) = (a.get(at), b.get(at)) else { return Ordering::Equal };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(y),
        (false, true) => return Ordering::Less,
        (true, false) => return Ordering::Greater,
        (false, false) => {}
    }
    // A zero inside a number counts as a digit of it, a leading zero does not.
    let run = a.get(..at).unwrap_or(&[]).iter().rev().take_while(|c| c.is_ascii_digit());
    let inside = (*x == '0' || *y == '0') && run.into_iter().any(|c| *c != '0');
    let start = i64::from(inside);
    let (x_number, x_length) = digits_from(&a, at, start);
    let (y_number, y_length) = digits_from(&b, at, start);
    x_number.cmp(&y_number).then(x_length.cmp(&y_length)).then(x.cmp(y))
}

/// The number at a place, after upstream's arithmetic, which wraps, and how many digits it has.
fn digits_from(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let digits = text.iter().skip(at).map_while(|c| c.to_digit(10));
    digits.fold((start, 0), |(number, length), digit| {
        (number.wrapping_mul(10).wrapping_add(i64::from(digit)), length + 1)
    })
}

/// A stable sort that bears an order with cycles, which upstream's is for some odd keys.
fn merge_sort<T: Copy>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering + Copy) {
    let middle = items.len() / 2;
    if middle == 0 {
        return;
    }
    let (left, right) = items.split_at_mut(middle);
    merge_sort(left, order);
    merge_sort(right, order);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if order(b, a) == Ordering::Less { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left.chain(right));
    items.copy_from_slice(&merged);
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn floats_print_as_in_go() {
        // What `strconv.FormatFloat(value, 'g', -1, 64)` gives, but for the last three, which YAML has names for.
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (-1e-4, "-0.0001"),
            (1e-5, "1e-05"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (1e30, "1e+30"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
            (f64::NAN, ".nan"),
        ];
        for (value, wanted) in cases {
            assert_eq!(general(value), wanted);
        }
    }
}
