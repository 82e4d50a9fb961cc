//! Reads the text form of selectors.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/labels/selector.go` (`Lexer`, `Parser`), whose order
//! of looking ahead decides which of several complaints a wrong text gets.

use super::{Operator, Requirement, label_key_problem};
use crate::Gather as _;
use crate::Str;
use crate::map::Set;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    Open,
    Close,
    Comma,
    Not,
    Word,
    Binary(Operator),
}

/// The tokens of a selector text, with what was written.
struct Tokens<'a> {
    items: Vec<(Token, &'a str)>,
    position: usize,
}

/// Reads requirements in the order in which they are written.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut tokens = Tokens { items: scan(text), position: 0 };
    let mut requirements = Vec::new();
    loop {
        match tokens.peek() {
            (Token::Word | Token::Not, _) => {
                let requirement = tokens.requirement();
                requirements
                    .push(requirement.map_err(|cause| format!("unable to parse requirement: {cause}"))?);
            }
            (Token::End, _) => return Ok(requirements),
            (_, found) => {
                return Err(format!("found '{found}', expected: !, identifier, or 'end of string'"));
            }
        }
        match tokens.next() {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, _) => match tokens.peek() {
                (Token::Word | Token::Not, _) => {}
                (_, found) => return Err(format!("found '{found}', expected: identifier after ','")),
            },
            (_, found) => return Err(format!("found '{found}', expected: ',' or 'end of string'")),
        }
    }
}

impl<'a> Tokens<'a> {
    /// The next token; `in` and `notin` are operators only where one is due.
    fn peek(&self) -> (Token, &'a str) {
        match self.raw() {
            (Token::Binary(Operator::In | Operator::NotIn), written) => (Token::Word, written),
            other => other,
        }
    }

    fn raw(&self) -> (Token, &'a str) {
        self.items.get(self.position).copied().unwrap_or((Token::End, ""))
    }

    fn next(&mut self) -> (Token, &'a str) {
        let token = self.peek();
        self.position += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut written) = self.next();
        let negated = token == Token::Not;
        if negated {
            (token, written) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{written}', expected: identifier"));
        }
        let key = Str::from(written);
        if let Some(problem) = label_key_problem("<nil>", &key) {
            return Err(problem);
        }
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let operator = match self.raw() {
            (Token::Binary(operator), _) => operator,
            (_, found) => return Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        self.position += 1;
        let values = match operator {
            Operator::In | Operator::NotIn => self.value_set()?,
            _ => self.exact_value()?,
        };
        Requirement::new(key, operator, values.into_iter().map(Str::from).gather())
    }

    /// `(a,b)`, where an empty place stands for the empty value.
    fn value_set(&mut self) -> Result<Set<&'a str>, String> {
        match self.next() {
            (Token::Open, _) => {}
            (_, found) => return Err(format!("found '{found}' expected: '('")),
        }
        match self.peek() {
            (Token::Word | Token::Comma, _) => self.value_list(),
            (Token::Close, _) => {
                self.position += 1;
                Ok(Set::from([""]))
            }
            (_, found) => Err(format!("found '{found}', expected: ',', ')' or identifier")),
        }
    }

    /// The values up to and with the closing bracket.
    fn value_list(&mut self) -> Result<Set<&'a str>, String> {
        let mut values = Set::new();
        loop {
            match self.next() {
                (Token::Word, value) => {
                    values.insert(value);
                    match self.peek() {
                        (Token::Comma, _) => continue,
                        (Token::Close, _) => {}
                        (_, found) => return Err(format!("found '{found}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() || matches!(self.peek().0, Token::Comma | Token::Close) {
                        values.insert("");
                    }
                }
                (_, found) => return Err(format!("found '{found}', expected: ',', or identifier")),
            }
            if self.peek().0 == Token::Close {
                self.position += 1;
                return Ok(values);
            }
        }
    }

    fn exact_value(&mut self) -> Result<Set<&'a str>, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(Set::from([""]));
        }
        match self.next() {
            (Token::Word, value) => Ok(Set::from([value])),
            (_, found) => Err(format!("found '{found}', expected: identifier")),
        }
    }
}

fn scan(text: &str) -> Vec<(Token, &str)> {
    let mut items = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            items.push((Token::End, ""));
            return items;
        }
        let (token, length) = match symbol(rest) {
            Some(found) => found,
            None => word(rest),
        };
        let (written, after) = rest.split_at(length);
        items.push((token, written));
        rest = after;
    }
}

/// The longest operator or bracket at the start of a text, with its length.
fn symbol(text: &str) -> Option<(Token, usize)> {
    const SYMBOLS: [(&str, Token); 9] = [
        ("==", Token::Binary(Operator::DoubleEquals)),
        ("!=", Token::Binary(Operator::NotEquals)),
        ("=", Token::Binary(Operator::Equals)),
        ("!", Token::Not),
        (">", Token::Binary(Operator::GreaterThan)),
        ("<", Token::Binary(Operator::LessThan)),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    SYMBOLS.iter().find(|(symbol, _)| text.starts_with(symbol)).map(|(symbol, token)| (*token, symbol.len()))
}

fn word(text: &str) -> (Token, usize) {
    let end = text.find(|c: char| "=!(),>< \t\r\n".contains(c)).unwrap_or(text.len());
    let token = match text.get(..end) {
        Some("in") => Token::Binary(Operator::In),
        Some("notin") => Token::Binary(Operator::NotIn),
        _ => Token::Word,
    };
    (token, end)
}
