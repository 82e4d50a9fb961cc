//! `kubectl diff`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/diff/diff.go, and `diff -u -N` of the GNU diffutils.

use super::apply::{LAST_APPLIED, patch_of, with_last_applied};
use super::change::{self, FILES, Fault};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::source::{self, Item};
use super::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::text::to_yaml;
use setpoint_sim::{FieldValidation, Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "diff",
    brief: "Diff the live version against a would-be applied version",
    usage: "kubectl diff -f FILENAME [options]",
    flags: &[
        FILES,
        &[
            flag(
                "concurrency",
                '\0',
                "1",
                "Number of objects to process in parallel when diffing against the live version.",
            ),
            flag(
                "field-manager",
                '\0',
                "'kubectl-client-side-apply'",
                "Name of the manager used to track field ownership.",
            ),
            flag(
                "force-conflicts",
                '\0',
                "false",
                "If true, server-side apply will force the changes against conflicts.",
            ),
            flag("prune", '\0', "false", "Include resources that would be deleted by pruning."),
            flag("selector", 'l', "''", "Selector (label query) to filter on."),
            flag("server-side", '\0', "false", "If true, apply runs in the server instead of the client."),
            flag("show-managed-fields", '\0', "false", "If true, include managed fields in the diff."),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    // One says that something differs, so that what goes wrong is told by more.
    let wrong = |failure: Failure| Failure { code: 2, ..failure };
    if !call.args.is_empty() {
        return Err(wrong(call.misuse(format!("Unexpected args: [{}]", call.args.join(" ")))));
    }
    if call.list("filename").is_empty() {
        return Err(wrong(Failure::error("must specify one of -f and -k")));
    }
    let (items, mut faults) = source::items(cx, call).map_err(wrong)?;
    let mut differs = false;
    for item in items {
        match merged(cx, &item) {
            Ok((live, merged)) => differs |= print(cx, &item, &live, &merged),
            Err(fault) => faults.push(fault),
        }
    }
    match (faults.is_empty(), differs) {
        (true, false) => Ok(()),
        // The exit code says that there is something to be seen.
        (true, true) => Err(Failure::exit(1)),
        (false, _) => Fault::end(faults).map_err(wrong),
    }
}

/// The live object, and what it would be; null where there is none.
fn merged(cx: &mut Context, item: &Item) -> Result<(Value, Value), Fault> {
    let request = |method, name: &str, body| Request {
        body,
        dry_run: true,
        field_validation: FieldValidation::Strict,
        ..change::request(&item.resource, method, &item.namespace, name)
    };
    let Some(live) = item.live(cx) else {
        let reply = cx.request(request(Method::Create, "", item.value.clone()))?;
        return Ok((Value::Null, reply.object));
    };
    let live = live.to_value();
    let last = live["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap_or_default();
    let patch = patch_of(item, last, &with_last_applied(&item.value), &live);
    if patch == json!({}) {
        return Ok((live.clone(), live));
    }
    let patch_type = if item.is_typed() { PatchType::Strategic } else { PatchType::Merge };
    let reply = cx.request(Request { patch_type, ..request(Method::Patch, &item.name, patch) })?;
    Ok((live, reply.object))
}

/// Prints the difference, if there is one.
fn print(cx: &mut Context, item: &Item, live: &Value, merged: &Value) -> bool {
    let texts =
        [live, merged].map(|value| if value.is_null() { String::new() } else { to_yaml(&shown(value)) });
    if texts[0] == texts[1] {
        return false;
    }
    let (group, version) = (item.resource.group(), item.resource.version());
    let place = if group.is_empty() { version.to_owned() } else { format!("{group}.{version}") };
    let file = format!("{place}.{}.{}.{}", item.resource.kind, item.namespace, item.name);
    let at = cx.now().to_rfc3339(6).replace('T', " ").replace('Z', "000 +0000");
    let [live, merged] = ["LIVE", "MERGED"].map(|side| format!("/tmp/{side}-{}/{file}", number(side, &file)));
    cx.print(format!("diff -u -N {live} {merged}\n--- {live}\t{at}\n+++ {merged}\t{at}\n"));
    cx.print(unified(&texts[0], &texts[1]));
    true
}

/// The object without what is of no interest here.
fn shown(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
        let is_empty = match meta.get_mut("annotations").and_then(Value::as_object_mut) {
            Some(annotations) => {
                annotations.remove(LAST_APPLIED);
                annotations.is_empty()
            }
            None => false,
        };
        if is_empty {
            meta.remove("annotations");
        }
    }
    value
}

/// A number for the name of a temporary folder.
fn number(side: &str, file: &str) -> u64 {
    setpoint_api::mark(&[side, file]) % 10_000_000_000
}

/// Lines of both texts, with the difference in the form of `diff -u`.
fn unified(old: &str, new: &str) -> String {
    const CONTEXT: usize = 3;
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let steps = steps(&old, &new);
    let changed: Vec<usize> = (0..steps.len()).filter(|at| steps[*at].mark != ' ').collect();
    let mut text = String::new();
    let mut next = 0;
    while let Some(&first) = changed.get(next) {
        let mut last = first;
        while let Some(&more) = changed.get(next).filter(|more| **more <= last + 2 * CONTEXT + 1) {
            last = more;
            next += 1;
        }
        let hunk = &steps[first.saturating_sub(CONTEXT)..steps.len().min(last + CONTEXT + 1)];
        let count = |other: char| hunk.iter().filter(|step| step.mark != other).count();
        let (from, to) = (count('+'), count('-'));
        let start = |line: usize, count: usize| if count == 0 { line } else { line + 1 };
        let (old_line, new_line) = hunk.first().map_or((0, 0), |step| (step.old, step.new));
        text.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(start(old_line, from), from),
            range(start(new_line, to), to)
        ));
        for step in hunk {
            text.push(step.mark);
            text.push_str(step.text);
            text.push('\n');
        }
    }
    text
}

fn range(start: usize, count: usize) -> String {
    if count == 1 { start.to_string() } else { format!("{start},{count}") }
}

/// A line of either text, or of both, and how many lines of each stand before it.
struct Step<'a> {
    mark: char,
    text: &'a str,
    old: usize,
    new: usize,
}

/// More cells than this of the table are not filled: texts that long are shown as wholly different.
const CELLS_MAX: usize = 4_000_000;

/// The shortest way from one text to the other, by the longest common subsequence.
fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Step<'a>> {
    let width = new.len() + 1;
    let is_small = (old.len() + 1).saturating_mul(width) <= CELLS_MAX;
    let mut table = vec![0_u32; if is_small { (old.len() + 1) * width } else { 0 }];
    let common = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    if is_small {
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                let best = if old[i] == new[j] {
                    common(&table, i + 1, j + 1) + 1
                } else {
                    common(&table, i + 1, j).max(common(&table, i, j + 1))
                };
                table[i * width + j] = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    loop {
        let (mark, text) = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => (' ', *a),
            (Some(a), Some(_)) if common(&table, i + 1, j) >= common(&table, i, j + 1) => ('-', *a),
            (_, Some(b)) => ('+', *b),
            (Some(a), None) => ('-', *a),
            (None, None) => return steps,
        };
        steps.push(Step { mark, text, old: i, new: j });
        i += usize::from(mark != '+');
        j += usize::from(mark != '-');
    }
}
