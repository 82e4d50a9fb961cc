//! A verb of kubectl: its name, its flags, its help, and the function that does it.
//!
//! Upstream: github.com/spf13/cobra (command.go).

use super::context::Context;
use super::failure::Failure;
use super::flag::{self, Flag};
use super::invocation::Invocation;
use super::table;
use setpoint_api::text::go_quote;

/// Does a verb: reads what it was told, prints through the context.
pub type Run = fn(&mut Context, &Invocation) -> Result<(), Failure>;

/// A verb, or the sub-command of one. Rows are `static`; what a verb does not have is left as in [`Verb::NONE`].
#[derive(Debug)]
pub struct Verb {
    /// The word.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// What it is listed as.
    pub brief: &'static str,
    /// What its help begins with; `brief` if empty.
    pub long: &'static str,
    /// Examples of its help, each line as printed but for the two blanks in front.
    pub examples: &'static str,
    /// How it is used, after `Usage:`.
    pub usage: &'static str,
    /// Its flags, in lists that verbs share.
    pub flags: &'static [&'static [Flag]],
    /// Flags that must be given.
    pub required: &'static [&'static str],
    /// Its sub-commands.
    pub verbs: &'static [&'static Verb],
    /// Whether it works without the API server.
    pub is_local: bool,
    /// What it does.
    pub run: Run,
}

impl Verb {
    /// A verb without anything: for the fields that a row does not need.
    pub const NONE: Verb = Verb {
        name: "",
        aliases: &[],
        brief: "",
        long: "",
        examples: "",
        usage: "",
        flags: &[],
        required: &[],
        verbs: &[],
        is_local: false,
        run: only_sub_commands,
    };

    /// Its own flags, by name.
    pub fn own_flags(&self) -> impl Iterator<Item = &'static Flag> {
        let flags = self.flags.iter().copied();
        flags.flatten()
    }
    /// The flag of a name, its own or one that every verb takes.
    pub fn flag(&self, name: &str) -> Option<&'static Flag> {
        self.own_flags().chain(table::GLOBAL_FLAGS).find(|flag| flag.name == name)
    }
    /// The flag of a letter.
    pub fn short_flag(&self, letter: char) -> Option<&'static Flag> {
        self.own_flags().chain(table::GLOBAL_FLAGS).find(|flag| flag.short == letter && letter != '\0')
    }
    /// Whether a word names it.
    pub(super) fn is_called(&self, word: &str) -> bool {
        self.name == word || self.aliases.contains(&word)
    }
}

/// What a verb with sub-commands does when none of them is named: its help, or a complaint about the word.
pub(super) fn only_sub_commands(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.is_empty() {
        let help = super::help::of(call.verb, &call.path);
        if call.verb.name == "rollout" {
            cx.print(help)
        } else {
            cx.output.complain(help)
        }
        return Err(Failure::exit(1));
    }
    Err(Failure::usage(&call.path, format!("unknown command {}", go_quote(&call.args.join(" ")))))
}

/// Finds the verb that a line calls and reads its flags.
pub(super) fn find(words: &[String]) -> Result<Invocation, Failure> {
    let mut rest: Vec<String> = words.to_vec();
    let asks_help = rest.first().is_some_and(|word| word == "help");
    if asks_help {
        rest.remove(0);
    }
    if let Some(word) = rest.first().filter(|_| asks_help)
        && first_argument(&table::ROOT, &rest) == Some(0)
        && !table::ROOT.verbs.iter().any(|verb| verb.is_called(word))
        && !super::help::absent().any(|name| name == word)
    {
        return Err(Failure {
            text: format!("Unknown help topic [`{word}`]\n{}", super::help::of(&table::ROOT, "kubectl")),
            code: 0,
        });
    }
    let mut verb: &'static Verb = &table::ROOT;
    let mut path = String::from("kubectl");
    while let Some(at) = first_argument(verb, &rest) {
        let word = rest.get(at).map_or("", |word| &**word);
        let Some(found) = verb.verbs.iter().find(|verb| verb.is_called(word)) else { break };
        verb = found;
        path.extend([" ", found.name]);
        rest.remove(at);
    }
    if verb.name.is_empty()
        && let Some(at) = first_argument(verb, &rest)
    {
        return Err(unknown_command(rest.get(at).map_or("", |word| &**word)));
    }
    let with_usage = |failure: Failure| Failure {
        text: format!("{}See '{path} --help' for usage.\n", failure.text),
        ..failure
    };
    let read = flag::read(verb, &rest).map_err(with_usage)?;
    let mut call = Invocation::new(verb, path, read);
    call.is_help |= asks_help;
    if !call.is_help {
        let is_missing = |name: &&&str| !call.has(name);
        let missing: Vec<String> =
            verb.required.iter().filter(is_missing).map(|name| go_quote(name)).collect();
        if !missing.is_empty() {
            return Err(Failure::error(format!("required flag(s) {} not set", missing.join(", "))));
        }
    }
    Ok(call)
}

/// Where the first word stands that is neither a flag nor the value of one.
fn first_argument(verb: &Verb, words: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            return None;
        }
        if !word.starts_with('-') || word == "-" {
            return Some(at);
        }
        let takes_next = match word.strip_prefix("--") {
            Some(name) => {
                !name.contains('=')
                    && verb.flag(name).is_none_or(|flag| flag.bare.is_empty())
                    && name != "help"
            }
            None => {
                let letter = word.chars().nth(1).unwrap_or('h');
                let flag = verb.short_flag(letter);
                word.chars().count() == 2 && letter != 'h' && flag.is_none_or(|flag| flag.bare.is_empty())
            }
        };
        at += 1 + usize::from(takes_next);
    }
    None
}

fn unknown_command(word: &str) -> Failure {
    if super::help::absent().any(|name| name == word) {
        return Failure::error(format!(
            "kubectl {word} is not simulated here: nothing of the cluster changes by it"
        ));
    }
    let mut text = format!("unknown command {} for \"kubectl\"", go_quote(word));
    let near: Vec<&str> =
        table::ROOT.verbs.iter().map(|verb| verb.name).filter(|name| is_near(word, name)).collect();
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in near {
            text.extend(["\t", name, "\n"]);
        }
    }
    Failure::error(text)
}

/// Whether cobra would suggest a name: two edits apart at most, or begun by what was typed.
fn is_near(word: &str, name: &str) -> bool {
    let word = word.to_lowercase();
    word.len() < 64 && (name.starts_with(&word) || distance(&word, name) <= 2)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("gte", "get"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("same", "same"), 0);
    }
}
