//! Reading of Go templates.
//!
//! Upstream: Go's text/template/parse.

use serde_json::Value;
use setpoint_api::text::parse_float;

/// Blocks in blocks and brackets in brackets that are read.
const MAX_DEPTH: usize = 32;

#[derive(Clone)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
}

/// Commands with `|` between, and the variables that take the result.
#[derive(Clone, Default)]
pub(super) struct Pipeline {
    pub declares: Vec<String>,
    pub commands: Vec<Command>,
}

/// A function with its arguments, or a value.
#[derive(Clone)]
pub(super) struct Command(pub Vec<Operand>);

#[derive(Clone)]
pub(super) enum Operand {
    Literal(Value),
    Function(String),
    Path(Vec<String>),
    Variable(String, Vec<String>),
    Group(Pipeline, Vec<String>),
}

/// A piece of a template: text, or what stands in double braces.
enum Piece {
    Text(String),
    Action(String),
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Node>, String> {
    let pieces = pieces(text)?;
    let mut parser = Parser { pieces, at: 0 };
    let (nodes, end) = parser.nodes(0)?;
    match end {
        None => Ok(nodes),
        Some(word) => Err(format!("unexpected {{{{{word}}}}}")),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    loop {
        let Some((before, inside)) = rest.split_once("{{") else {
            pieces.push(Piece::Text(if trims { rest.trim_start() } else { rest }.to_owned()));
            return Ok(pieces);
        };
        let end = closing(inside).ok_or("unclosed action")?;
        let (action, after) = inside.split_at(end);
        rest = after.get(2..).unwrap_or("");
        let mut before = if trims { before.trim_start() } else { before };
        let mut action = action;
        if let Some(inner) = action.strip_prefix("- ") {
            (action, before) = (inner, before.trim_end());
        }
        trims = action.ends_with(" -");
        if trims {
            action = action.get(..action.len() - 2).unwrap_or("");
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        if !action.trim().starts_with("/*") {
            pieces.push(Piece::Action(action.trim().to_owned()));
        }
    }
}

/// Where the braces close that are open; those in texts do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some('"') if is_escaped => is_escaped = false,
            Some('"') if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if text.get(at..).is_some_and(|rest| rest.starts_with("}}")) => return Some(at),
            None => {}
        }
    }
    None
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
}

impl Parser {
    /// Nodes up to an `end` or `else` that belongs to somebody else, which is handed back.
    fn nodes(&mut self, depth: usize) -> Result<(Vec<Node>, Option<String>), String> {
        if depth > MAX_DEPTH {
            return Err("too many nested blocks".into());
        }
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let action = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.clone()));
                    continue;
                }
                Piece::Action(action) => action.clone(),
            };
            let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((&action, ""));
            match word {
                "end" | "else" => return Ok((nodes, Some(action))),
                "if" | "with" | "range" => nodes.push(self.block(word, rest, depth)?),
                "define" | "template" | "block" | "break" | "continue" => {
                    return Err(format!("{{{{{word}}}}} is not simulated"));
                }
                _ => nodes.push(Node::Print(pipeline(&action)?)),
            }
        }
        Ok((nodes, None))
    }

    fn block(&mut self, word: &str, head: &str, depth: usize) -> Result<Node, String> {
        let head = pipeline(head)?;
        let (then, end) = self.nodes(depth + 1)?;
        let end = end.ok_or("unexpected EOF")?;
        let otherwise = match end.strip_prefix("else") {
            None => Vec::new(),
            Some(rest) => match rest.trim().split_once(char::is_whitespace) {
                Some((word @ ("if" | "with"), rest)) => vec![self.block(word, rest, depth + 1)?],
                _ => {
                    let (nodes, end) = self.nodes(depth + 1)?;
                    if end.as_deref() != Some("end") {
                        return Err("expected end".into());
                    }
                    nodes
                }
            },
        };
        Ok(match word {
            "if" => Node::If(head, then, otherwise),
            "with" => Node::With(head, then, otherwise),
            _ => Node::Range(head, then, otherwise),
        })
    }
}

/// Reads `$i, $x := .items | len`.
fn pipeline(text: &str) -> Result<Pipeline, String> {
    let mut lexer = Lexer { input: text.chars().collect(), at: 0 };
    let pipeline = lexer.pipeline(0)?;
    if lexer.at < lexer.input.len() {
        return Err(format!("unexpected {:?} in operand", lexer.input.get(lexer.at).copied().unwrap_or(' ')));
    }
    Ok(pipeline)
}

struct Lexer {
    input: Vec<char>,
    at: usize,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }
    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }
    fn skips(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(ahead, c)| self.input.get(self.at + ahead) == Some(&c));
        self.at += if found { text.chars().count() } else { 0 };
        found
    }
    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        self.input.get(start..self.at).unwrap_or(&[]).iter().collect()
    }

    fn pipeline(&mut self, depth: usize) -> Result<Pipeline, String> {
        if depth > MAX_DEPTH {
            return Err("too many nested brackets".into());
        }
        let declares = self.declared();
        let mut commands = Vec::new();
        loop {
            commands.push(self.command(depth)?);
            self.skip_blanks();
            if !self.skips("|") {
                return Ok(Pipeline { declares, commands });
            }
        }
    }

    /// `$a, $b :=` in front, if it is there.
    fn declared(&mut self) -> Vec<String> {
        let start = self.at;
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            if !self.skips("$") {
                break;
            }
            names.push(format!("${}", self.word()));
            self.skip_blanks();
            if self.skips(":=") || self.skips("=") {
                return names;
            }
            if !self.skips(",") {
                break;
            }
        }
        self.at = start;
        Vec::new()
    }

    fn command(&mut self, depth: usize) -> Result<Command, String> {
        let mut operands = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|' | ')') => break,
                Some(_) => operands.push(self.operand(depth)?),
            }
        }
        if operands.is_empty() {
            return Err("missing value for command".into());
        }
        Ok(Command(operands))
    }

    fn operand(&mut self, depth: usize) -> Result<Operand, String> {
        match self.peek() {
            Some('.') => Ok(Operand::Path(self.path())),
            Some('$') => {
                self.at += 1;
                let name = format!("${}", self.word());
                Ok(Operand::Variable(name, self.path()))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.pipeline(depth + 1)?;
                self.skip_blanks();
                if !self.skips(")") {
                    return Err("unclosed left paren".into());
                }
                Ok(Operand::Group(inner, self.path()))
            }
            Some('"') => self.quoted(),
            Some('`') => {
                self.at += 1;
                let start = self.at;
                while self.peek().is_some_and(|c| c != '`') {
                    self.at += 1;
                }
                let text: String = self.input.get(start..self.at).unwrap_or(&[]).iter().collect();
                self.at += 1;
                Ok(Operand::Literal(text.into()))
            }
            Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => self.number(),
            Some(c) if is_word(c) => Ok(match &*self.word() {
                "true" => Operand::Literal(true.into()),
                "false" => Operand::Literal(false.into()),
                "nil" => Operand::Literal(Value::Null),
                name => Operand::Function(name.to_owned()),
            }),
            Some(c) => Err(format!("unexpected {c:?} in operand")),
            None => Err("missing value for command".into()),
        }
    }

    /// `.a.b`; a dot alone is the value itself.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while self.peek() == Some('.') {
            self.at += 1;
            let name = self.word();
            if !name.is_empty() {
                path.push(name);
            }
        }
        path
    }

    fn quoted(&mut self) -> Result<Operand, String> {
        let start = self.at;
        self.at += 1;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => {
                    let text: String = self.input.get(start..self.at).unwrap_or(&[]).iter().collect();
                    let text = crate::kubectl::jsonpath::unquote(&text).ok_or("invalid syntax")?;
                    return Ok(Operand::Literal(text.into()));
                }
                '\\' => self.at += 1,
                _ => {}
            }
        }
        Err("unterminated quoted string".into())
    }

    fn number(&mut self) -> Result<Operand, String> {
        let start = self.at;
        self.at += 1;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
            self.at += 1;
        }
        let text: String = self.input.get(start..self.at).unwrap_or(&[]).iter().collect();
        let value = text.parse::<i64>().ok().map(Value::from).or_else(|| parse_float(&text).map(Value::from));
        value.map(Operand::Literal).ok_or_else(|| format!("bad number syntax: {text:?}"))
    }
}
