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
    if call.is_on("local") && call.list("filename").is_empty() {
        return Err(Failure::error(
            "can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        ));
    }
    let (found, mut faults) = named::objects(cx, call, &objects)?;
    let is_one = match objects.as_slice() {
        [one] => one.contains('/'),
        [_, _] => !objects.iter().any(|object| object.contains('/')),
        _ => false,
    };
    if call.has("resource-version") && !is_one {
        return Err(Failure::error("--resource-version may only be used with a single resource"));
    }
    for (resource, object) in found {
        let value = object.to_value();
        let field = if what == "label" { "labels" } else { "annotations" };
        let now = value["metadata"][field].as_object().cloned().unwrap_or_default();
        if call.is_on("list") {
            if !is_one {
                let (kind, group, name) = (&resource.kind, resource.group(), &object.metadata().name);
                cx.say(format!("Listing {field} for {kind}.{group}/{name}:"));
            }
            let indent = if is_one { "" } else { " " };
            for (key, text) in &now {
                cx.say(format!("{indent}{key}={}", text.as_str().unwrap_or_default()));
            }
            continue;
        }
        let refused = set
            .iter()
            .filter_map(|(key, text)| now.get(key).filter(|old| *old != text).map(|old| (key, old)));
        let mut refused: Vec<String> = refused
            .map(|(key, old)| (key, old.as_str().unwrap_or_default(), what == "label"))
            .map(|(key, old, is_label)| {
                let rest = if is_label { ", and --overwrite is false" } else { "" };
                format!("'{key}' already has a value ({old}){rest}")
            })
            .collect();
        if !refused.is_empty() && !call.is_on("overwrite") {
            if what != "label" {
                refused = vec![format!(
                    "--overwrite is false but found the following declared annotation(s): {}",
                    refused.join("; ")
                )];
            }
            faults.extend(refused.into_iter().map(Fault::Client));
            continue;
        }
        let operation = if what == "label" { said(cx, call, &value, &set, &unset) } else { "annotated" };
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
        Some(_) if what == "label" => {
            Err(Failure::error("can not both modify and remove a label in the same command"))
        }
        Some(both) => Err(Failure::error(format!(
            "can not both modify and remove the following annotation(s) in the same command: {both}"
        ))),
        None => Ok((set, unset)),
    }
}

/// What `kubectl label` says that it did; it says first which labels were not there.
///
/// Upstream: `updateDataChangeMsg`, which goes by the length of the object.
fn said(cx: &mut Context, call: &Invocation, old: &Value, set: &Texts, unset: &[String]) -> &'static str {
    let mut new = old.clone();
    for key in unset {
        let labels = new["metadata"]["labels"].as_object_mut();
        if labels.and_then(|labels| labels.remove(key)).is_none() {
            cx.say(format!("label {} not found.", go_quote(key)));
        }
    }
    for (key, text) in set {
        new["metadata"]["labels"][key] = text.clone();
    }
    if new["metadata"]["labels"].is_null() || new == *old {
        return "not labeled";
    }
    let is_shorter = new.to_string().len() < old.to_string().len();
    if is_shorter && !call.is_on("overwrite") { "unlabeled" } else { "labeled" }
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
