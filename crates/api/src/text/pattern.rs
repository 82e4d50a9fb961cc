//! Regular expressions as Go reads them, matched in time that grows with the text alone.
//!
//! No library, for each reads a dialect of its own: that a pattern is refused, and in which words, is Go's, and what is left to
//! do once it is read is small.
//!
//! Upstream: Go's regexp/syntax/{parse,perl_groups}.go, regexp/exec.go.
//! Simplified: classes of Unicode (`\pL`) are read as any letter; flags other than `(?i)`, `(?s)` and `(?m)` are refused.

/// A regular expression that was read.
pub struct Pattern {
    steps: Vec<Step>,
    ignores_case: bool,
}

/// One step of the machine that matches.
enum Step {
    One(Class),
    /// Nothing but the place counts.
    Assert(Place),
    /// Go on at both.
    Split(usize, usize),
    Jump(usize),
    Match,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    End,
    LineStart,
    LineEnd,
    WordEdge,
    NoWordEdge,
}

#[derive(Clone, Default)]
struct Class {
    ranges: Vec<(char, char)>,
    is_negated: bool,
}

impl Class {
    fn of(ranges: &[(char, char)]) -> Class {
        Class { ranges: ranges.to_vec(), is_negated: false }
    }
    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.is_negated
    }
    fn add(&mut self, other: Class) {
        if !other.is_negated {
            self.ranges.extend(other.ranges);
            return;
        }
        // What is outside of the other's ranges.
        let mut ranges = other.ranges;
        crate::order::sort(&mut ranges);
        let mut next = '\0';
        for (from, to) in ranges {
            if let Some(before) = char::from_u32((from as u32).wrapping_sub(1)).filter(|_| from > next) {
                self.ranges.push((next, before));
            }
            next = char::from_u32(to as u32 + 1).unwrap_or(char::MAX);
        }
        self.ranges.push((next, char::MAX));
    }
}

/// What was read, before it becomes steps.
enum Node {
    Empty,
    One(Class),
    Assert(Place),
    All(Vec<Node>),
    Any(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

impl Node {
    /// Whether parts within parts are repeated no more than so many times in all.
    fn repeats_within(&self, most: u32) -> bool {
        match self {
            Node::All(parts) | Node::Any(parts) => parts.iter().all(|part| part.repeats_within(most)),
            Node::Repeat(part, least, limit) => match limit.unwrap_or(*least) {
                0 => limit.is_some() || part.repeats_within(most),
                times => times <= most && part.repeats_within(most / times),
            },
            _ => true,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    ignores_case: bool,
    dot_is_all: bool,
    is_lines: bool,
}

const DIGITS: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];

/// Most times that a part may be repeated.
const MOST: u32 = 1000;

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// Go's message: ``error parsing regexp: missing closing ): `(a` ``.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let mut parser =
            Parser { text, at: 0, depth: 0, ignores_case: false, dot_is_all: false, is_lines: false };
        let wrong = |what: String| format!("error parsing regexp: {what}");
        let node = parser.alternatives().map_err(wrong)?;
        if parser.peek().is_some() {
            return Err(wrong(format!("unexpected ): `{text}`")));
        }
        let mut steps = Vec::new();
        build(&node, &mut steps);
        steps.push(Step::Match);
        Ok(Pattern { steps, ignores_case: parser.ignores_case })
    }

    /// Whether a text has a part that fits.
    pub fn is_in(&self, text: &str) -> bool {
        let (mut now, mut next) = (Vec::new(), Vec::new());
        let mut before = None;
        let mut chars = text.chars().peekable();
        loop {
            let after = chars.peek().copied();
            let mut seen = vec![false; self.steps.len()];
            let mut active = Vec::new();
            // A match may begin at any place.
            for start in std::mem::take(&mut now).into_iter().chain([0]) {
                if self.follow(start, before, after, &mut seen, &mut active) {
                    return true;
                }
            }
            let Some(c) = chars.next() else { return false };
            for at in active {
                if let Some(Step::One(class)) = self.steps.get(at)
                    && self.fits(class, c)
                {
                    next.push(at + 1);
                }
            }
            std::mem::swap(&mut now, &mut next);
            before = Some(c);
        }
    }

    fn fits(&self, class: &Class, c: char) -> bool {
        class.has(c)
            || self.ignores_case && (class.has(c.to_ascii_lowercase()) || class.has(c.to_ascii_uppercase()))
    }

    /// Follows the steps that take no letter; true if they lead to a match.
    fn follow(
        &self,
        at: usize,
        before: Option<char>,
        after: Option<char>,
        seen: &mut [bool],
        active: &mut Vec<usize>,
    ) -> bool {
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match &self.steps[at] {
                Step::One(_) => active.push(at),
                Step::Assert(place) if place.holds(before, after) => todo.push(at + 1),
                Step::Assert(_) => {}
                Step::Split(one, other) => todo.extend([*one, *other]),
                Step::Jump(to) => todo.push(*to),
                Step::Match => return true,
            }
        }
        false
    }
}

impl Place {
    fn holds(self, before: Option<char>, after: Option<char>) -> bool {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        match self {
            Place::Start => before.is_none(),
            Place::End => after.is_none(),
            Place::LineStart => before.is_none_or(|c| c == '\n'),
            Place::LineEnd => after.is_none_or(|c| c == '\n'),
            Place::WordEdge => is_word(before) != is_word(after),
            Place::NoWordEdge => is_word(before) == is_word(after),
        }
    }
}

fn build(node: &Node, steps: &mut Vec<Step>) {
    match node {
        Node::Empty => {}
        Node::One(class) => steps.push(Step::One(class.clone())),
        Node::Assert(place) => steps.push(Step::Assert(*place)),
        Node::All(parts) => parts.iter().for_each(|part| build(part, steps)),
        Node::Any(parts) => {
            let mut ends = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let split = steps.len();
                if index + 1 < parts.len() {
                    steps.push(Step::Split(split + 1, 0));
                }
                build(part, steps);
                if index + 1 < parts.len() {
                    ends.push(steps.len());
                    steps.push(Step::Jump(0));
                    steps[split] = Step::Split(split + 1, steps.len());
                }
            }
            let end = steps.len();
            ends.into_iter().for_each(|at| steps[at] = Step::Jump(end));
        }
        Node::Repeat(part, least, most) => {
            (0..*least).for_each(|_| build(part, steps));
            match most {
                None => {
                    let split = steps.len();
                    steps.push(Step::Split(split + 1, 0));
                    build(part, steps);
                    steps.push(Step::Jump(split));
                    steps[split] = Step::Split(split + 1, steps.len());
                }
                Some(most) => {
                    let splits: Vec<usize> = (*least..*most)
                        .map(|_| {
                            let split = steps.len();
                            steps.push(Step::Split(split + 1, 0));
                            build(part, steps);
                            split
                        })
                        .collect();
                    let end = steps.len();
                    splits.into_iter().for_each(|at| steps[at] = Step::Split(at + 1, end));
                }
            }
        }
    }
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }
    fn since(&self, start: usize) -> &str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        let mut parts = vec![self.sequence()?];
        while self.take("|") {
            parts.push(self.sequence()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Any(parts) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            let start = self.at;
            if matches!(c, '*' | '+' | '?') {
                self.next();
                return Err(format!("missing argument to repetition operator: `{c}`"));
            }
            let mut part = self.part()?;
            let mut repeats = 0;
            let mut before = self.at;
            while let Some((least, most)) = self.repetition()? {
                repeats += 1;
                if repeats > 1 {
                    let operators: String = self.since(start).chars().rev().take(2).collect();
                    let operators: String = operators.chars().rev().collect();
                    return Err(format!("invalid nested repetition operator: `{operators}`"));
                }
                part = Node::Repeat(Box::new(part), least, most);
                if !part.repeats_within(MOST) {
                    return Err(format!("invalid repeat count: `{}`", self.since(before)));
                }
                self.take("?");
                before = self.at;
            }
            parts.push(part);
        }
        Ok(Node::All(parts))
    }

    /// `*`, `+`, `?` or `{2,3}`.
    fn repetition(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let start = self.at;
        Ok(match self.peek() {
            Some('*') => self.next().map(|_| (0, None)),
            Some('+') => self.next().map(|_| (1, None)),
            Some('?') => self.next().map(|_| (0, Some(1))),
            Some('{') => {
                let Some((inside, _)) = self.rest().get(1..).and_then(|rest| rest.split_once('}')) else {
                    return Ok(None);
                };
                let (least, most) = inside.split_once(',').map_or((inside, None), |(a, b)| (a, Some(b)));
                let is_number =
                    |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                if !is_number(least) || most.is_some_and(|most| !most.is_empty() && !is_number(most)) {
                    // Braces without counts are letters.
                    return Ok(None);
                }
                let length = inside.len() + 2;
                let number = |text: &str| text.parse().unwrap_or(MOST + 1);
                let least: u32 = number(least);
                let most = match most {
                    None => Some(least),
                    Some("") => None,
                    Some(most) => Some(number(most)),
                };
                self.at += length;
                if least.max(most.unwrap_or(0)) > MOST || most.is_some_and(|most| most < least) {
                    return Err(format!("invalid repeat count: `{}`", self.since(start)));
                }
                Some((least, most))
            }
            _ => None,
        })
    }

    fn part(&mut self) -> Result<Node, String> {
        let Some(c) = self.next() else { return Ok(Node::Empty) };
        Ok(match c {
            '(' => return self.group(),
            '[' => Node::One(self.class()?),
            '.' if self.dot_is_all => Node::One(Class { ranges: Vec::new(), is_negated: true }),
            '.' => Node::One(Class { ranges: vec![('\n', '\n')], is_negated: true }),
            '^' => Node::Assert(if self.is_lines { Place::LineStart } else { Place::Start }),
            '$' => Node::Assert(if self.is_lines { Place::LineEnd } else { Place::End }),
            '\\' => return self.escape(),
            c => Node::One(Class::of(&[(c, c)])),
        })
    }

    fn group(&mut self) -> Result<Node, String> {
        let start = self.at - 1;
        self.depth += 1;
        if self.depth > 100 {
            return Err("expression nests too deeply".into());
        }
        if self.take("?") {
            if self.take("P<") || self.take("<") {
                let is_lookbehind = matches!(self.peek(), Some('=' | '!'));
                let length = self.rest().find('>').filter(|_| !is_lookbehind);
                let Some(length) = length else {
                    self.next();
                    return Err(format!("invalid or unsupported Perl syntax: `{}`", self.since(start)));
                };
                self.at += length + 1;
            } else {
                loop {
                    match self.next() {
                        Some('i') => self.ignores_case = true,
                        Some('s') => self.dot_is_all = true,
                        Some('m') => self.is_lines = true,
                        Some(':') => break,
                        Some(')') => {
                            self.depth -= 1;
                            return Ok(Node::Empty);
                        }
                        _ => {
                            let shown = self.since(start);
                            return Err(format!("invalid or unsupported Perl syntax: `{shown}`"));
                        }
                    }
                }
            }
        }
        let node = self.alternatives()?;
        if !self.take(")") {
            return Err(format!("missing closing ): `{}`", self.text));
        }
        self.depth -= 1;
        Ok(node)
    }

    fn escape(&mut self) -> Result<Node, String> {
        let start = self.at - 1;
        let place = match self.peek() {
            Some('A') => Some(Place::Start),
            Some('z') => Some(Place::End),
            Some('b') => Some(Place::WordEdge),
            Some('B') => Some(Place::NoWordEdge),
            _ => None,
        };
        if let Some(place) = place {
            self.next();
            return Ok(Node::Assert(place));
        }
        self.escaped(start).map(Node::One)
    }

    /// What stands behind a backslash, for one letter.
    fn escaped(&mut self, start: usize) -> Result<Class, String> {
        let Some(c) = self.next() else { return Err("trailing backslash at end of expression: ``".into()) };
        let not = |ranges: &[(char, char)]| Class { ranges: ranges.to_vec(), is_negated: true };
        let one = |c: char| Class::of(&[(c, c)]);
        Ok(match c {
            'd' => Class::of(DIGITS),
            'D' => not(DIGITS),
            'w' => Class::of(WORD),
            'W' => not(WORD),
            's' => Class::of(SPACE),
            'S' => not(SPACE),
            'n' => one('\n'),
            't' => one('\t'),
            'r' => one('\r'),
            'f' => one('\x0c'),
            'v' => one('\x0b'),
            'a' => one('\x07'),
            'x' => {
                let digits: String = if self.take("{") {
                    let digits: String = self.rest().chars().take_while(|c| *c != '}').collect();
                    self.at += digits.len() + 1;
                    digits
                } else {
                    let digits: String = self.rest().chars().take(2).collect();
                    self.at += digits.len();
                    digits
                };
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                    Some(c) => one(c),
                    None => return Err(format!("invalid escape sequence: `{}`", self.since(start))),
                }
            }
            'p' | 'P' => {
                if self.take("{") {
                    self.at += self.rest().find('}').map_or(0, |at| at + 1);
                } else {
                    self.next();
                }
                let letters = [('A', 'Z'), ('a', 'z'), ('\u{80}', char::MAX)];
                if c == 'p' { Class::of(&letters) } else { not(&letters) }
            }
            c if c.is_ascii_alphanumeric() => {
                return Err(format!("invalid escape sequence: `{}`", self.since(start)));
            }
            c => one(c),
        })
    }

    /// `a-z]`, after the bracket.
    fn class(&mut self) -> Result<Class, String> {
        let start = self.at - 1;
        let is_negated = self.take("^");
        let mut class = Class::default();
        let mut is_first = true;
        loop {
            let from = self.at;
            let Some(c) = self.next() else {
                return Err(format!("missing closing ]: `{}`", self.text.get(start..).unwrap_or_default()));
            };
            if c == ']' && !is_first {
                break;
            }
            is_first = false;
            if c == '['
                && self.rest().starts_with(':')
                && let Some(length) = self.rest().find(":]")
            {
                let name = self.rest().get(1..length).unwrap_or_default().to_owned();
                self.at += length + 2;
                match named(&name) {
                    Some(ranges) => class.add(ranges),
                    None => return Err(format!("invalid character class range: `{}`", self.since(from))),
                }
                continue;
            }
            let low = if c == '\\' { self.escaped(from)? } else { Class::of(&[(c, c)]) };
            let single = |class: &Class| match class.ranges.as_slice() {
                [(from, to)] if from == to && !class.is_negated => Some(*from),
                _ => None,
            };
            let has_more = self.rest().starts_with('-') && !self.rest().starts_with("-]");
            let Some(first) = single(&low).filter(|_| has_more) else {
                class.add(low);
                continue;
            };
            self.next();
            let at = self.at;
            let high = match self.next() {
                Some('\\') => single(&self.escaped(at)?),
                other => other,
            };
            match high.filter(|high| *high >= first) {
                Some(high) => class.ranges.push((first, high)),
                None => return Err(format!("invalid character class range: `{}`", self.since(from))),
            }
        }
        class.is_negated = is_negated;
        Ok(class)
    }
}

/// A class of POSIX: `alpha`; `^alpha` is what it has not.
fn named(name: &str) -> Option<Class> {
    let (plain, is_negated) = name.strip_prefix('^').map_or((name, false), |plain| (plain, true));
    let ranges: &[(char, char)] = match plain {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => DIGITS,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some(Class { ranges: ranges.to_vec(), is_negated })
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_are_found_in_texts() {
        for (pattern, yes, no) in [
            (r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$", "* * * * */5", "* * * *"),
            ("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "web-1", "Web"),
            ("b+", "abbc", "ac"),
            ("^(a|bc)$", "bc", "b"),
            ("^a{2,3}$", "aaa", "aaaa"),
            ("^a{2,}$", "aaaaa", "a"),
            ("^a{2}$", "aa", "a"),
            ("^[^a-c]$", "d", "b"),
            (r"^[\w.-]+$", "a_b.c-d", "a b"),
            (r"^[^\s]$", "x", " "),
            ("(?i)^abc$", "ABC", "abd"),
            ("^(?:x|y)*$", "xyx", "xz"),
            (r"\bfoo\b", "a foo b", "afoo"),
            ("^[[:alpha:]]+$", "abc", "ab1"),
            ("^a{x}$", "a{x}", "a"),
            ("^.*$", "anything", "two\nlines"),
            ("", "anything", "\u{0}never"),
        ] {
            let read = Pattern::parse(pattern).expect(pattern);
            assert!(read.is_in(yes), "{pattern} in {yes:?}");
            assert!(pattern.is_empty() || !read.is_in(no), "{pattern} not in {no:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_as_go_tells_it() {
        for (pattern, what) in [
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"),
            ("(a{100}){100}", "invalid repeat count: `{100}`"),
            ("[b-a]", "invalid character class range: `b-a`"),
            (r"\y", r"invalid escape sequence: `\y`"),
        ] {
            let wrong = Pattern::parse(pattern).err().unwrap_or_default();
            assert_eq!(wrong, format!("error parsing regexp: {what}"), "{pattern}");
        }
    }
}
