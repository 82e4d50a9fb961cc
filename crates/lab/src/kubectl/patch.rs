//! `kubectl patch`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/patch/patch.go.

use super::change::{self, COMMON, Dry, FILES, Fault, RECORD};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::verb::Verb;
use super::{named, resource};
use serde_json::Value;
use setpoint_api::Status;
use setpoint_api::text::{self, go_json_error, go_quote};
use setpoint_sim::{Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "patch",
    brief: "Update fields of a resource",
    usage: "kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
    flags: &[
        FILES,
        COMMON,
        RECORD,
        &[
            flag("patch", 'p', "''", "The patch to be applied to the resource JSON file."),
            flag(
                "local",
                '\0',
                "false",
                "If true, patch will operate on the content of the file, not the server-side resource.",
            ),
            flag("patch-file", '\0', "''", "A file containing a patch to be applied to the resource."),
            flag(
                "type",
                '\0',
                "'strategic'",
                "The type of patch being provided; one of [json merge strategic]",
            ),
            flag(
                "subresource",
                '\0',
                "''",
                "If specified, patch will operate on the subresource of the requested object.",
            ),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let patch_type = match &*call.text("type").to_lowercase() {
        "json" => PatchType::Json,
        "merge" => PatchType::Merge,
        "strategic" => PatchType::Strategic,
        _ => {
            let given = go_quote(call.text("type"));
            return Err(Failure::error(format!("--type must be one of [json merge strategic], not {given}")));
        }
    };
    let text = match (call.text("patch"), call.text("patch-file")) {
        ("", "") => {
            return Err(Failure::error(
                "must specify --patch or --patch-file containing the contents of the patch",
            ));
        }
        ("", path) => cx.file(path).map_err(|_| {
            Failure::error(format!("unable to read patch file: open {path}: no such file or directory"))
        })?,
        (_, path) if !path.is_empty() => {
            return Err(Failure::error("cannot specify --patch and --patch-file together"));
        }
        (text, _) => text.to_owned(),
    };
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &call.args)?;
    let body = if found.is_empty() { Value::Null } else { read(&text)? };
    for (resource, object) in found {
        let meta = object.metadata();
        let request = Request {
            patch_type,
            body: body.clone(),
            subresource: call.text("subresource").into(),
            ..change::request(&resource, Method::Patch, &meta.namespace, &meta.name)
        };
        // A client's dry run asks as well, so that the outcome can be shown.
        let tried = if dry == Dry::Client { Dry::Server } else { dry };
        match change::send(cx, tried, request) {
            Ok(reply) => {
                let is_changed = differs(&object.to_value(), &reply.object);
                let operation = if is_changed { "patched" } else { "patched (no change)" };
                let scale = resource::Resource::scale();
                let shown = if call.text("subresource") == "scale" { &scale } else { &resource };
                // What was only tried is not said to be: kubectl prints the same line.
                change::done(cx, call, shown, &reply.object, operation, Dry::No)?;
            }
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}

fn differs(old: &Value, new: &Value) -> bool {
    old["metadata"]["resourceVersion"] != new["metadata"]["resourceVersion"]
}

/// The patch of a text: JSON, or else YAML.
fn read(text: &str) -> Result<Value, Failure> {
    let start = text.trim_start();
    // What kubectl takes for JSON goes to the server as it is.
    if start.starts_with('{') || start.starts_with('[') {
        return serde_json::from_str(text)
            .map_err(|error| Status::bad_request(go_json_error(text, &error).1).into());
    }
    let read = text::read(text);
    if let Some(error) = read.error() {
        let why = error.go_yaml(text);
        return Err(Failure::error(format!("unable to parse {}: {why}", go_quote(text))));
    }
    let value = read.documents.first().map(|document| document.root.to_value()).unwrap_or_default();
    if value.is_object() || value.is_array() {
        return Ok(value);
    }
    let what = if value.is_string() { "string" } else { "number" };
    let message = format!("json: cannot unmarshal {what} into Go value of type map[string]interface {{}}");
    Err(Status::bad_request(message).into())
}
