//! A command line that has been read: the verb, its arguments, its flags.

use super::failure::Failure;
use super::flag::{self, Read};
use super::verb::Verb;

/// What a verb is asked to do.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The verb.
    pub verb: &'static Verb,
    /// Its words: `kubectl rollout status`.
    pub path: String,
    /// Arguments that are no flags.
    pub args: Vec<String>,
    /// How many of them stood before `--`, if that was there.
    pub dash: Option<usize>,
    /// Whether its help is wanted instead.
    pub is_help: bool,
    flags: Vec<(&'static str, String)>,
}

impl Invocation {
    pub(super) fn new(verb: &'static Verb, path: String, read: Read) -> Self {
        Self { verb, path, args: read.args, dash: read.dash, is_help: read.is_help, flags: read.flags }
    }
    /// Whether a flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }
    fn given(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(flag, _)| *flag == name).map(|(_, value)| &**value)
    }
    /// The text of a flag, or its default.
    pub fn text(&self, name: &str) -> &str {
        let default = || self.verb.flag(name).map_or("", |flag| flag.default_value());
        self.given(name).unwrap_or_else(default)
    }
    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        flag::switch(self.text(name)).unwrap_or(false)
    }
    /// A number.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }
    /// A duration in microseconds.
    pub fn duration(&self, name: &str) -> i64 {
        flag::duration(self.text(name)).unwrap_or(0)
    }
    /// The parts of a list, from all of its flags, each of which may hold several with commas between.
    pub fn list(&self, name: &str) -> Vec<String> {
        let given = self.every(name);
        given.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
    }
    /// The values of a flag that may be given several times, as they stand.
    pub fn every(&self, name: &str) -> Vec<&str> {
        let given = self.flags.iter().filter(|(flag, _)| *flag == name);
        given.map(|(_, value)| &**value).collect()
    }
    /// The line as `--record` writes it down.
    pub fn said(&self) -> String {
        let flags = self.flags.iter().map(|(name, value)| format!(" --{name}={value}"));
        format!("{} {}{}", self.path, self.args.join(" "), flags.collect::<String>())
    }
    /// A complaint about how the verb is used, with the way to its help.
    pub fn misuse(&self, message: impl AsRef<str>) -> Failure {
        Failure::usage(&self.path, message)
    }
}
