//! Help texts.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/util/templates/{templates,templater}.go.

use super::flag::Flag;
use super::table::{self, GLOBAL_FLAGS, GROUPS};
use super::verb::Verb;

/// What `kubectl VERB --help` prints.
pub(super) fn of(verb: &Verb, path: &str) -> String {
    if verb.name.is_empty() {
        return root();
    }
    let mut out = String::new();
    out.push_str(if verb.long.is_empty() { verb.brief } else { verb.long });
    out.push('\n');
    if !verb.aliases.is_empty() {
        out.push_str(&format!("\nAliases:\n{}, {}\n", verb.name, verb.aliases.join(", ")));
    }
    if !verb.examples.is_empty() {
        out.push_str("\nExamples:\n");
        for line in verb.examples.lines() {
            out.extend(["  ", line, "\n"]);
        }
    }
    if !verb.verbs.is_empty() {
        out.push_str("\nAvailable Commands:\n");
        let width = verb.verbs.iter().map(|verb| verb.name.len() + 2).max().unwrap_or(0).max(13);
        for verb in verb.verbs {
            out.push_str(&format!("  {:width$} {}\n", verb.name, verb.brief));
        }
    }
    let mut flags: Vec<&Flag> = verb.own_flags().collect();
    flags.sort_by_key(|flag| flag.name);
    if !flags.is_empty() {
        out.push_str("\nOptions:\n");
        out.push_str(&options(flags.into_iter()));
    }
    let usage =
        if verb.usage.is_empty() { format!("{path} [flags] [options]") } else { verb.usage.to_owned() };
    // Options end with an empty line of their own.
    out.push_str(if out.ends_with("\n\n") { "Usage:\n" } else { "\nUsage:\n" });
    out.push_str(&format!("  {usage}\n\n"));
    if !verb.verbs.is_empty() {
        out.push_str(&format!(
            "Use \"{path} <command> --help\" for more information about a given command.\n"
        ));
    }
    out.push_str(FOOT);
    out
}

const FOOT: &str =
    "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";

fn options<'a>(flags: impl Iterator<Item = &'a Flag>) -> String {
    flags.map(option).collect()
}

fn option(flag: &Flag) -> String {
    let short = if flag.short == '\0' { String::new() } else { format!("-{}, ", flag.short) };
    format!("    {short}--{}={}:\n\t{}\n\n", flag.name, flag.default, flag.usage)
}

/// What `kubectl --help` prints.
fn root() -> String {
    let mut out = format!(
        "{}\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n",
        table::ROOT.brief
    );
    for (title, verbs) in GROUPS {
        out.extend([title, "\n"]);
        for (name, brief) in *verbs {
            out.push_str(&format!("  {name:15} {brief}\n"));
        }
        out.push('\n');
    }
    out.push_str(&format!("Not simulated here: {}\n\n", absent().collect::<Vec<_>>().join(", ")));
    out.push_str("Usage:\n  kubectl [flags] [options]\n\n");
    out.push_str("Use \"kubectl <command> --help\" for more information about a given command.\n");
    out.push_str(FOOT);
    out
}

/// Verbs that kubectl has and that are not here.
pub(super) fn absent() -> impl Iterator<Item = &'static str> {
    let is_here = |name: &str| table::ROOT.verbs.iter().any(|verb| verb.name == name);
    let listed = GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().map(|(name, _)| *name));
    listed.filter(move |name| !is_here(name))
}

/// What `kubectl options` prints.
pub(super) fn global_options() -> String {
    format!("The following options can be passed to any command:\n\n{}", options(GLOBAL_FLAGS.iter()))
}
