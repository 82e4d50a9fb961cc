//! `kubectl edit`: the text of the objects goes to an editor, and what comes back is sent as a patch.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go.

use super::change::{self, Dry, FILES, Fault, VALIDATE};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::resource::{self, Resource};
use super::verb::Verb;
use super::{Output, Terminal, Wish, named};
use crate::Session;
use serde_json::Value;
use setpoint_api::text::{self, to_yaml};
use setpoint_api::{decode, manifest, patch, schema};
use setpoint_sim::{FieldValidation, Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "edit",
    brief: "Edit a resource on the server",
    usage: "kubectl edit (RESOURCE/NAME | -f FILENAME) [options]",
    flags: &[
        FILES,
        VALIDATE,
        &[
            flag("output", 'o', "'yaml'", "Output format. One of: (json, yaml)."),
            flag("output-patch", '\0', "false", "Output the patch if the resource is edited."),
            flag(
                "save-config",
                '\0',
                "false",
                "If true, the configuration of current object will be saved in its annotation.",
            ),
            flag("selector", 'l', "''", "Selector (label query) to filter on."),
            flag(
                "subresource",
                '\0',
                "''",
                "If specified, edit will operate on the subresource of the requested object.",
            ),
            flag(
                "windows-line-endings",
                '\0',
                "false",
                "Defaults to the line ending native to your platform.",
            ),
        ],
    ],
    run,
    ..Verb::NONE
};

/// What stands above the objects.
const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n\
# and an empty file will abort the edit. If an error occurs while saving this file will be\n\
# reopened with the relevant failures.\n#\n";

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (found, faults) = named::objects(cx, call, &call.args)?;
    Fault::end(faults)?;
    let values: Vec<Value> = found.into_iter().map(|(_, object)| object.to_value()).collect();
    let value = match values.as_slice() {
        [] => return Err(Failure::error("edit cancelled, no objects found")),
        [one] => one.clone(),
        many => serde_json::json!({ "apiVersion": "v1", "items": many, "kind": "List", "metadata": {} }),
    };
    cx.wish = Some(Wish::Edit { text: format!("{HEADER}{}", to_yaml(&value)) });
    Ok(())
}

impl Session {
    /// Saves what `kubectl edit` opened.
    pub fn save_edit(&mut self, terminal: &mut Terminal, text: &str) -> Output {
        let mut cx = Context::new(self, terminal, "");
        let result = save(&mut cx, text);
        let mut output = cx.output;
        output.end(result);
        output
    }
}

fn save(cx: &mut Context, edited: &str) -> Result<(), Failure> {
    let read = text::read(edited);
    if let Some(error) = read.error() {
        return Err(Failure::error(format!(
            "the edited file had a syntax error: error converting YAML to JSON: {}",
            error.go_yaml(edited)
        )));
    }
    let values =
        read.documents.iter().flat_map(|document| manifest::items(&document.root)).map(text::Node::to_value);
    let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
    if values.is_empty() {
        cx.say("Edit cancelled, saved file was empty.");
        return Ok(());
    }
    let (mut faults, mut is_changed) = (Vec::new(), false);
    for value in values {
        match save_object(cx, &value) {
            Ok(saved) => is_changed |= saved,
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() && !is_changed {
        cx.say("Edit cancelled, no changes made.");
    }
    Fault::end(faults)
}

/// Sends what is different in an object; says whether anything is.
fn save_object(cx: &mut Context, value: &Value) -> Result<bool, Fault> {
    let (api_version, kind) = decode::type_meta(value);
    let word = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (name, namespace) = (word("name"), word("namespace"));
    let resource = resource::of_manifest(cx.store(), &api_version, &kind)
        .ok_or_else(|| Fault::Client(decode::no_match(&api_version, &kind)))?;
    let Some(live) = resource.find(cx.store(), &namespace, &name) else {
        return Err(resource.not_found(&name).into());
    };
    let live = live.to_value();
    let body = difference(&resource, &live, value);
    if body == serde_json::json!({}) {
        return Ok(false);
    }
    let typed = schema::type_of(&resource.api_version, &resource.kind).is_some();
    let request = Request {
        body,
        patch_type: if typed { PatchType::Strategic } else { PatchType::Merge },
        field_validation: FieldValidation::Strict,
        ..change::request(&resource, Method::Patch, &namespace, &name)
    };
    change::send(cx, Dry::No, request)?;
    cx.say(format!("{}/{name} edited", resource.printed()));
    Ok(true)
}

/// What a person has changed in the text of an object. The status and the version are not theirs to change.
fn difference(resource: &Resource, live: &Value, edited: &Value) -> Value {
    let mut edited = edited.clone();
    if let Some(fields) = edited.as_object_mut() {
        match live.get("status") {
            Some(status) => drop(fields.insert("status".into(), status.clone())),
            None => drop(fields.remove("status")),
        }
    }
    for key in ["resourceVersion", "generation", "uid", "creationTimestamp"] {
        if let Some(value) = live["metadata"].get(key) {
            edited["metadata"][key] = value.clone();
        }
    }
    match schema::type_of(&resource.api_version, &resource.kind) {
        Some(of) => patch::two_way(live, &edited, of),
        None => patch::merge_diff(live, &edited, true, true),
    }
}
