//! `kubectl label` and `kubectl annotate`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{label/label,annotate/annotate}.go.

use super::change::{self, COMMON, Dry, FILES, Fault, RECORD, SELECT};
use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::named;
use super::resource::Resource;
use super::verb::Verb;
use serde_json::{Map, Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Object, names};
use setpoint_sim::{Method, PatchType, Request};

static OWN: &[Flag] = &[
    flag("all-namespaces", 'A', "false", "If true, check the specified action in all namespaces."),
    flag(
        "overwrite",
        '\0',
        "false",
        "If true, allow labels to be overwritten, otherwise reject label updates that overwrite existing labels.",
    ),
    flag("list", '\0', "false", "If true, display the labels for a given resource."),
    flag(
        "resource-version",
        '\0',
        "''",
        "If non-empty, the labels update will only succeed if this is the current resource-version for the object.",
    ),
    flag("field-selector", '\0', "''", "Selector (field query) to filter on."),
];

pub(super) static LABEL: Verb = Verb {
    name: "label",
    brief: "Update the labels on a resource",
    usage: "kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]",
    flags: &[FILES, COMMON, SELECT, RECORD, OWN],
    run: |cx, call| run(cx, call, "label"),
    ..Verb::NONE
};
pub(super) static ANNOTATE: Verb = Verb {
    name: "annotate",
    brief: "Update the annotations on a resource",
    usage: "kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] [options]",
    flags: &[FILES, COMMON, SELECT, RECORD, OWN],
    run: |cx, call| run(cx, call, "annotation"),
    ..Verb::NONE
};

/// Tells the arguments that name objects from those that say what to set or (`key-`) to take away.
pub(super) fn pairs(args: &[String], what: &str) -> Result<(Vec<String>, Vec<String>), Failure> {
    let is_pair =
        |word: &str| (word.contains('=') && !word.starts_with('=')) || (word.ends_with('-') && word != "-");
    let first = args.iter().position(|word| is_pair(word)).unwrap_or(args.len());
    let (objects, pairs) = args.split_at(first);
    if let Some(late) = pairs.iter().find(|word| !is_pair(word)) {
        return Err(Failure::error(format!("all resources must be specified before {what} changes: {late}")));
    }
    Ok((objects.to_vec(), pairs.to_vec()))
}

fn run(cx: &mut Context, call: &Invocation, what: &str) -> Result<(), Failure> {
    let (objects, pairs) = pairs(&call.args, what)?;
    if objects.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if pairs.is_empty() && !call.is_on("list") {
        return Err(Failure::error(format!("at least one {what} update is required")));
    }
    let (set, unset) = changes(&pairs, what)?;
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &objects)?;
    for (resource, object) in found {
        let value = object.to_value();
        let field = if what == "label" { "labels" } else { "annotations" };
        let now = value["metadata"][field].as_object().cloned().unwrap_or_default();
        if call.is_on("list") {
            for (key, text) in &now {
                cx.say(format!("{key}={}", text.as_str().unwrap_or_default()));
            }
            continue;
        }
        let refused =
            set.iter().find_map(|(key, text)| now.get(key).filter(|old| *old != text).map(|old| (key, old)));
        if let Some((key, old)) = refused.filter(|_| !call.is_on("overwrite")) {
            let old = old.as_str().unwrap_or_default();
            faults.push(Fault::Client(format!(
                "'{key}' already has a value ({old}), and --overwrite is false"
            )));
            continue;
        }
        let operation = if what == "label" { said(cx, &now, &set, &unset) } else { "annotated" };
        match send(cx, &resource, &object, (field, &set, &unset), dry) {
            Ok(object) => change::done(cx, call, &resource, &object, operation, dry)?,
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}

type Texts = Map<String, Value>;

/// What is to be set, and what is to go.
fn changes(pairs: &[String], what: &str) -> Result<(Texts, Vec<String>), Failure> {
    let (mut set, mut unset) = (Map::new(), Vec::new());
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, text)) => {
                let wrong = if what == "label" { names::is_valid_label_value(text) } else { Vec::new() };
                if !wrong.is_empty() {
                    let wrong = wrong.join("; ");
                    return Err(Failure::error(format!("invalid label value: {}: {wrong}", go_quote(pair))));
                }
                set.insert(key.to_owned(), text.into());
            }
            None => unset.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    match unset.iter().find(|key| set.contains_key(*key)) {
        Some(both) => Err(Failure::error(format!(
            "can not both modify and remove {} {} in the same command",
            if what == "label" { "label" } else { "annotation" },
            go_quote(both)
        ))),
        None => Ok((set, unset)),
    }
}

/// What `kubectl label` says that it did; it says first which labels were not there.
fn said(cx: &mut Context, now: &Texts, set: &Texts, unset: &[String]) -> &'static str {
    let mut operation = "not labeled";
    for key in unset {
        if now.contains_key(key) {
            operation = "unlabeled";
        } else {
            cx.say(format!("label {} not found.", go_quote(key)));
        }
    }
    if set.iter().any(|(key, text)| now.get(key) != Some(text)) { "labeled" } else { operation }
}

fn send(
    cx: &mut Context,
    resource: &Resource,
    object: &Object,
    (field, set, unset): (&str, &Texts, &[String]),
    dry: Dry,
) -> Result<Value, setpoint_api::Status> {
    let mut changed = set.clone();
    changed.extend(unset.iter().map(|key| (key.clone(), Value::Null)));
    let meta = object.metadata();
    let request = Request {
        patch_type: PatchType::Merge,
        body: json!({ "metadata": { field: changed } }),
        ..change::request(resource, Method::Patch, &meta.namespace, &meta.name)
    };
    if dry == Dry::Client {
        let changed = request.body;
        return Ok(setpoint_api::patch::apply_merge(&object.to_value(), &changed).unwrap_or_default());
    }
    change::send(cx, dry, request).map(|reply| reply.object)
}
