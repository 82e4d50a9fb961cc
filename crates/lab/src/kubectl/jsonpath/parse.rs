//! Reading of templates.
//!
//! Upstream: staging/src/k8s.io/client-go/util/jsonpath/{parser,node}.go.

use setpoint_api::text::parse_float;

/// Filters in filters and unions in unions that are read.
const MAX_DEPTH: usize = 16;

/// A step of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// What stands in one pair of braces.
    List(Vec<Node>),
    Field(String),
    Wildcard,
    Recursive,
    Slice([Bound; 3]),
    Filter {
        left: Vec<Node>,
        operator: String,
        right: Vec<Node>,
    },
    Union(Vec<Vec<Node>>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// `range` or `end`.
    Identifier(String),
}

/// Where a slice begins, ends, or how far it steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    pub value: i64,
    pub is_known: bool,
    /// Whether it follows from the beginning: `[3]` ends at 4.
    pub is_derived: bool,
}

/// Reads a template: text, and steps in braces.
pub(super) fn template(text: &str) -> Result<Vec<Node>, String> {
    Parser { input: text.chars().collect(), at: 0, start: 0, depth: 0 }.template()
}

struct Parser {
    input: Vec<char>,
    at: usize,
    start: usize,
    depth: usize,
}

impl Parser {
    fn template(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            let open = self.input.iter().skip(self.at).position(|c| *c == '{').map(|ahead| self.at + ahead);
            let end = open.unwrap_or(self.input.len());
            if end > self.at {
                nodes.push(Node::Text(self.slice(self.at, end)));
            }
            let Some(open) = open else { return Ok(nodes) };
            self.at = open + 1;
            self.start = self.at;
            nodes.push(Node::List(self.action()?));
        }
    }

    /// What is in braces, to the closing one.
    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            self.start = self.at;
            if self.skips("}") {
                return Ok(nodes);
            }
            if self.skips("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.skips("..") {
                if nodes.last() == Some(&Node::Recursive) {
                    return Err("invalid multiple recursive descent".into());
                }
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(is_alphanumeric) {
                    self.start = self.at;
                    nodes.push(self.field());
                }
                continue;
            }
            let Some(next) = self.next() else { return Err("unclosed action".into()) };
            match next {
                '\r' | '\n' => return Err("unclosed action".into()),
                ' ' | '@' | '$' => {}
                '[' => self.array(&mut nodes)?,
                '"' | '\'' => nodes.push(self.quote(next)?),
                '.' => {
                    self.start = self.at;
                    nodes.push(self.field());
                }
                '+' | '-' | '0'..='9' => nodes.push(self.number()?),
                c if is_alphanumeric(c) => nodes.push(self.identifier()),
                c => return Err(format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c))),
            }
        }
    }

    fn identifier(&mut self) -> Node {
        while self.peek().is_some_and(|c| !is_terminator(c)) {
            self.at += 1;
        }
        let word = self.taken();
        match &*word.to_lowercase() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ => Node::Identifier(word),
        }
    }

    fn number(&mut self) -> Result<Node, String> {
        while self.peek().is_some_and(|c| c == '.' || c.is_ascii_digit()) {
            self.at += 1;
        }
        let text = self.taken();
        if let Ok(int) = text.parse() {
            return Ok(Node::Int(int));
        }
        parse_float(&text).map(Node::Float).ok_or_else(|| format!("cannot parse number {text}"))
    }

    fn field(&mut self) -> Node {
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.at += 2;
            } else if is_terminator(c) {
                break;
            } else {
                self.at += 1;
            }
        }
        self.at = self.at.min(self.input.len());
        match self.taken() {
            name if name == "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn quote(&mut self, end: char) -> Result<Node, String> {
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated quoted string".into()),
                Some(c) if c == end && self.before_last() != Some('\\') => break,
                Some(_) => {}
            }
        }
        let quoted = self.taken();
        unquote(&quoted)
            .map(Node::Text)
            .ok_or_else(|| format!("unquote string {quoted} error invalid syntax"))
    }

    /// `[0]`, `[1:3]`, `[*]`, `['a']`, `[0,2]`; the opening bracket is read.
    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated array".into()),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let taken = self.taken();
        let text = taken.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or("");
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let part = |part: &str| self.inner(&format!("[{}]", part.trim_matches(' ')));
            nodes.push(Node::Union(text.split(',').map(part).collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            nodes.extend(self.inner(&format!(".{key}"))?);
            return Ok(());
        }
        nodes.push(Node::Slice(slice(text).ok_or_else(|| format!("invalid array index {text}"))?));
        Ok(())
    }

    /// `[?(@.a == "b")]`; the opening is read.
    fn filter(&mut self) -> Result<Node, String> {
        self.start = self.at;
        let mut quote: Option<char> = None;
        let mut is_closed = true;
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated filter".into()),
                Some(c @ ('"' | '\'')) => match quote {
                    None => (quote, is_closed) = (Some(c), false),
                    Some(open) if c == open && self.before_last() != Some('\\') => is_closed = true,
                    Some(_) => {}
                },
                Some(')') if is_closed => break,
                Some(_) => {}
            }
        }
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        let taken = self.taken();
        let text = taken.strip_suffix(")]").unwrap_or("");
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let begin = text.find(is_operator).filter(|begin| *begin > 0);
        let parts = begin.and_then(|begin| {
            let (left, rest) = text.split_at(begin);
            // All of the operator's letters, but one must be left to compare with.
            let end = rest.find(|c| !is_operator(c))?;
            let (operator, right) = rest.split_at(end);
            Some((left, operator, right))
        });
        let Some((left, operator, right)) = parts else {
            return Ok(Node::Filter {
                left: self.inner(text)?,
                operator: "exists".into(),
                right: Vec::new(),
            });
        };
        Ok(Node::Filter { left: self.inner(left)?, operator: operator.into(), right: self.inner(right)? })
    }

    /// The steps of a part, read as if it stood in braces.
    fn inner(&self, text: &str) -> Result<Vec<Node>, String> {
        if self.depth == MAX_DEPTH {
            return Err("too many nested expressions".into());
        }
        let input = format!("{{{text}}}").chars().collect();
        let nodes = Parser { input, at: 0, start: 0, depth: self.depth + 1 }.template()?;
        match nodes.into_iter().next() {
            Some(Node::List(nodes)) => Ok(nodes),
            _ => Ok(Vec::new()),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }
    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }
    /// The character in front of the one that was read last.
    fn before_last(&self) -> Option<char> {
        self.at.checked_sub(2).and_then(|at| self.input.get(at)).copied()
    }
    fn skips(&mut self, prefix: &str) -> bool {
        let mut at = self.at;
        for c in prefix.chars() {
            if self.input.get(at) != Some(&c) {
                return false;
            }
            at += 1;
        }
        self.at = at;
        true
    }
    fn taken(&self) -> String {
        self.slice(self.start, self.at)
    }
    fn slice(&self, from: usize, to: usize) -> String {
        self.input.get(from..to).unwrap_or(&[]).iter().collect()
    }
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

/// `1`, `-2`, `1:3`, `:`, `::2`.
fn slice(text: &str) -> Option<[Bound; 3]> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut bounds = [Bound::default(); 3];
    for (index, bound) in bounds.iter_mut().enumerate() {
        match parts.get(index) {
            Some(&"") => {}
            Some(part) => {
                let digits = part.strip_prefix('-').unwrap_or(part);
                if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
                    return None;
                }
                *bound = Bound { value: part.parse().ok()?, is_known: true, is_derived: false };
            }
            None => {}
        }
    }
    if let ([first, end, _], 1) = (&mut bounds, parts.len()) {
        *end = Bound { value: first.value.checked_add(1)?, is_known: true, is_derived: true };
    }
    Some(bounds)
}

/// The text of a Go string in double or single quotes.
pub fn unquote(quoted: &str) -> Option<String> {
    let mut chars = quoted.chars();
    let quote = chars.next()?;
    let inner = chars.as_str().strip_suffix(quote)?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            '\\' => '\\',
            '\'' => '\'',
            '"' => '"',
            'x' => hex(&mut chars, 2)?,
            'u' => hex(&mut chars, 4)?,
            _ => return None,
        });
    }
    Some(out)
}

fn hex(chars: &mut std::str::Chars, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
