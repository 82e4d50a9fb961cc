//! Flags: which a verb takes, and how they are read off a command line.
//!
//! Upstream: github.com/spf13/pflag (flag.go), github.com/spf13/cobra (command.go), which kubectl reads its line with.

use super::failure::Failure;
use super::verb::Verb;
use setpoint_api::text::go_quote;

/// A flag of a verb. What sort of value it takes shows in its default, which is written as the help prints it.
#[derive(Debug)]
pub struct Flag {
    /// Long name.
    pub name: &'static str,
    /// One-letter name; `\0` for none.
    pub short: char,
    /// Default as help prints it: `false` or `true` for a switch, `''` for a text, `[]` for a list, `30s` for a
    /// duration, a number.
    pub default: &'static str,
    /// What help says about it.
    pub usage: &'static str,
    /// The value that the flag has when it is given without one; empty where a value must be given.
    pub bare: &'static str,
}

/// The sort of value that a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// On or off.
    Switch,
    /// Any text.
    Text,
    /// Texts, separated by commas or given several times.
    List,
    /// A whole number.
    Number,
    /// A time such as `1m30s`.
    Duration,
}

/// A flag with a short name (`\0` for none), a default as help prints it, and a description.
pub const fn flag(name: &'static str, short: char, default: &'static str, usage: &'static str) -> Flag {
    let is_switch = matches!(default.as_bytes(), b"false" | b"true");
    Flag { name, short, default, usage, bare: if is_switch { "true" } else { "" } }
}

/// `-A` of the verbs that list.
pub const ALL_NAMESPACES: Flag = flag(
    "all-namespaces",
    'A',
    "false",
    "If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.",
);

/// How much one answer of the API server may hold; there is one answer only here.
pub const CHUNK_SIZE: Flag = flag(
    "chunk-size",
    '\0',
    "500",
    "Return large lists in chunks rather than all at once. Pass 0 to disable.",
);

impl Flag {
    /// The same flag, with the value that it has when it is given without one.
    pub const fn or_bare(mut self, bare: &'static str) -> Flag {
        self.bare = bare;
        self
    }
    /// The sort of value.
    pub fn sort(&self) -> Sort {
        match self.default {
            "false" | "true" => Sort::Switch,
            "[]" => Sort::List,
            number if number.parse::<i64>().is_ok() => Sort::Number,
            text if text.is_empty() || text.starts_with('\'') => Sort::Text,
            _ => Sort::Duration,
        }
    }
    /// The default as a value.
    pub fn default_value(&self) -> &'static str {
        match self.default {
            "[]" => "",
            text => text.trim_matches('\''),
        }
    }
    /// The flag in messages: `-w, --watch`.
    fn full_name(&self) -> String {
        if self.short == '\0' {
            format!("--{}", self.name)
        } else {
            format!("-{}, --{}", self.short, self.name)
        }
    }
    /// What is wrong with a value.
    fn check(&self, value: &str) -> Result<(), Failure> {
        let wrong = match self.sort() {
            Sort::Switch if switch(value).is_none() => "strconv.ParseBool: parsing {}: invalid syntax",
            Sort::Number if value.parse::<i64>().is_err() => "strconv.ParseInt: parsing {}: invalid syntax",
            Sort::Duration if duration(value).is_none() => "time: invalid duration {}",
            _ => return Ok(()),
        };
        let wrong = wrong.replace("{}", &go_quote(value));
        let quoted = go_quote(value);
        Err(Failure::error(format!("invalid argument {quoted} for \"{}\" flag: {wrong}", self.full_name())))
    }
}

/// A switch's value as Go reads it.
pub(super) fn switch(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A duration in microseconds as Go reads it: `300ms`, `-1.5h`, `1h15m30s`, `0`.
pub fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() || whole.len() > 18 || part.contains('.') {
            return None;
        }
        nanos += whole.parse::<i128>().unwrap_or(0) * unit;
        let mut scale = unit;
        for digit in part.chars().filter_map(|c| c.to_digit(10)).take(15) {
            scale /= 10;
            nanos += i128::from(digit) * scale;
        }
        rest = after;
    }
    i64::try_from(nanos / 1_000).ok().map(|micros| sign * micros)
}

/// The flags and arguments of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Arguments that are no flags.
    pub args: Vec<String>,
    /// How many of them stood before `--`.
    pub dash: Option<usize>,
    /// Flags as given, in order.
    pub flags: Vec<(&'static str, String)>,
    /// Whether help was asked for.
    pub is_help: bool,
}

/// Reads flags in any order among the arguments.
pub(super) fn read(verb: &Verb, words: &[String]) -> Result<Read, Failure> {
    let mut read = Read::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            read.dash = Some(read.args.len());
            read.args.extend(words.cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            read.long(verb, word, long, &mut words)?;
        } else if word.len() > 1 && word.starts_with('-') {
            read.shorts(verb, word.get(1..).unwrap_or(""), &mut words)?;
        } else {
            read.args.push(word.clone());
        }
    }
    Ok(read)
}

type Words<'a> = std::slice::Iter<'a, String>;

impl Read {
    fn long(&mut self, verb: &Verb, word: &str, text: &str, words: &mut Words) -> Result<(), Failure> {
        let (name, given) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name.is_empty() || name.starts_with('-') {
            return Err(Failure::error(format!("bad flag syntax: {word}")));
        }
        let Some(flag) = verb.flag(name) else {
            if name == "help" {
                self.is_help = true;
                return Ok(());
            }
            return Err(Failure::error(format!("unknown flag: --{name}")));
        };
        let value = match given {
            Some(value) => value,
            None if !flag.bare.is_empty() => flag.bare,
            None => match words.next() {
                Some(value) => value,
                None => return Err(Failure::error(format!("flag needs an argument: --{name}"))),
            },
        };
        self.set(flag, value)
    }

    /// Reads letters that stand together: `-Aw`, `-ojson`, `-n=kube-system`.
    fn shorts(&mut self, verb: &Verb, letters: &str, words: &mut Words) -> Result<(), Failure> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            let after = rest.get(letter.len_utf8()..).unwrap_or("");
            let Some(flag) = verb.short_flag(letter) else {
                if letter == 'h' {
                    self.is_help = true;
                    return Ok(());
                }
                return Err(Failure::error(format!("unknown shorthand flag: '{letter}' in -{rest}")));
            };
            if let Some(value) = after.strip_prefix('=').filter(|_| after.len() > 1) {
                return self.set(flag, value);
            }
            if !flag.bare.is_empty() {
                self.set(flag, flag.bare)?;
                rest = after;
                continue;
            }
            if !after.is_empty() {
                return self.set(flag, after);
            }
            return match words.next() {
                Some(value) => self.set(flag, value),
                None => Err(Failure::error(format!("flag needs an argument: '{letter}' in -{rest}"))),
            };
        }
        Ok(())
    }

    fn set(&mut self, flag: &'static Flag, value: &str) -> Result<(), Failure> {
        flag.check(value)?;
        self.flags.push((flag.name, value.to_owned()));
        Ok(())
    }
}
