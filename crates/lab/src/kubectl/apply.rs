//! `kubectl apply`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/apply/{apply,patcher}.go, pkg/util/apply.go.
//! Simplified: with `--server-side` the server merges strategically and asks nobody who owns a field; nothing is pruned.

use super::change::{self, COMMON, Dry, FILES, Fault, VALIDATE};
use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::named;
use super::print::{self, compact_json};
use super::source::{self, Item};
use super::verb::Verb;
use serde_json::{Map, Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Time, patch, schema};
use setpoint_sim::{FieldValidation, Method, PatchType, Request};

/// The annotation that remembers what was applied last.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) static VERB: Verb = Verb {
    name: "apply",
    brief: "Apply a configuration to a resource by file name or stdin",
    usage: "kubectl apply (-f FILENAME | -k DIRECTORY) [options]",
    flags: &[
        FILES,
        COMMON,
        VALIDATE,
        &[
            flag("server-side", '\0', "false", "If true, apply runs in the server instead of the client."),
            flag(
                "force-conflicts",
                '\0',
                "false",
                "If true, server-side apply will force the changes against conflicts.",
            ),
            flag(
                "overwrite",
                '\0',
                "true",
                "Automatically resolve conflicts between the modified and live configuration by using values from the modified configuration",
            ),
            flag(
                "force",
                '\0',
                "false",
                "If true, immediately remove resources from API and bypass graceful deletion.",
            ),
            flag(
                "wait",
                '\0',
                "false",
                "If true, wait for resources to be gone before returning. This waits for finalizers.",
            ),
            flag("selector", 'l', "''", "Selector (label query) to filter on."),
            flag(
                "prune",
                '\0',
                "false",
                "Automatically delete resource objects that do not appear in the configs.",
            ),
            flag(
                "all",
                '\0',
                "false",
                "Select all resources in the namespace of the specified resource types.",
            ),
            flag("cascade", '\0', "'background'", "Must be \"background\", \"orphan\", or \"foreground\".")
                .or_bare("background"),
            flag(
                "grace-period",
                '\0',
                "-1",
                "Period of time in seconds given to the resource to terminate gracefully.",
            ),
            flag("timeout", '\0', "0s", "The length of time to wait before giving up on a delete."),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.has("filename") && call.has("kustomize") {
        return Err(Failure::error("only one of -f or -k can be specified"));
    }
    if call.has("kustomize") {
        return Err(Failure::error("kustomizations are not simulated: apply the files themselves with -f"));
    }
    if call.args.first().is_some_and(|arg| arg == "view-last-applied") {
        return view_last_applied(cx, call);
    }
    if !call.args.is_empty() {
        return Err(call.misuse(format!("Unexpected args: [{}]", call.args.join(" "))));
    }
    if call.list("filename").is_empty() {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let dry = Dry::of(cx, call)?;
    let (items, unread) = source::items(cx, call)?;
    if items.is_empty() && unread.is_empty() {
        return Err(Failure::error("no objects passed to apply"));
    }
    let left = items.into_iter().rev().collect();
    let faults = Fault::many(unread).into_iter().collect();
    cx.go_on(Applying { call: call.clone(), dry, left, due: cx.now(), faults });
    Ok(())
}

/// `kubectl apply view-last-applied`.
fn view_last_applied(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (found, faults) = named::objects(cx, call, call.args.get(1..).unwrap_or(&[]))?;
    Fault::end(faults)?;
    for (resource, object) in found {
        let name = &object.metadata().name;
        let Some(text) = object.metadata().annotation(LAST_APPLIED) else {
            return Err(Failure::error(format!(
                "no last-applied-configuration annotation found on resource: {name}"
            )));
        };
        let value: Value = serde_json::from_str(text)
            .map_err(|_| Failure::error(format!("{}/{name} holds no JSON there", resource.printed())))?;
        let is_json = call.text("output") == "json";
        let text = if is_json { print::json_text(&value) } else { setpoint_api::text::to_yaml(&value) };
        cx.print(text);
    }
    Ok(())
}

/// Objects are applied one after the other, each when the one before is answered.
struct Applying {
    call: Invocation,
    dry: Dry,
    /// What is still to be applied, the next one last.
    left: Vec<Item>,
    /// When the next request goes out.
    due: Time,
    faults: Vec<Fault>,
}

impl Ongoing for Applying {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        while let Some(item) = self.left.pop_if(|_| self.due <= cx.now()) {
            self.due = self.due.plus(cx.terminal.pace);
            if let Err(fault) = apply(cx, &self.call, &item, self.dry)? {
                self.faults.push(fault);
            }
        }
        if !self.left.is_empty() {
            return Ok(false);
        }
        Fault::end(std::mem::take(&mut self.faults)).map(|()| true)
    }
}

/// How strictly the API server is to read, as `--validate` says.
pub(super) fn validation(call: &Invocation) -> FieldValidation {
    match call.text("validate") {
        "warn" => FieldValidation::Warn,
        "ignore" | "false" => FieldValidation::Ignore,
        _ => FieldValidation::Strict,
    }
}

fn apply(cx: &mut Context, call: &Invocation, item: &Item, dry: Dry) -> Result<Result<(), Fault>, Failure> {
    let quoted = go_quote(&item.source);
    if item.name.is_empty() {
        let why = if item.value["metadata"]["generateName"].is_string() {
            format!("from {}: cannot use generate name with apply", item.source)
        } else {
            let about = item.described();
            format!(
                "error when retrieving current configuration of:\n{about}\nfrom server for: {quoted}: resource name may not be empty"
            )
        };
        return Ok(Err(Fault::Client(why)));
    }
    if call.is_on("server-side") {
        return apply_on_server(cx, call, item, dry);
    }
    let modified = with_last_applied(&item.value);
    let Some(live) = item.live(cx) else {
        let sent = if dry == Dry::Client { Ok(modified) } else { create(cx, call, item, modified, dry) };
        return match sent {
            Ok(object) => change::done(cx, call, &item.resource, &object, "created", dry).map(Ok),
            Err(fault) => Ok(Err(fault)),
        };
    };
    let live = live.to_value();
    let last = live["metadata"]["annotations"][LAST_APPLIED].as_str().map(str::to_owned);
    if last.is_none() {
        cx.complain(format!(
            "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            item.resource.plural, item.name
        ));
    }
    if dry == Dry::Client {
        return change::done(cx, call, &item.resource, &live, "configured", dry).map(Ok);
    }
    let patch = patch_of(item, last.as_deref().unwrap_or_default(), &modified, &live);
    if patch == json!({}) {
        return change::done(cx, call, &item.resource, &live, "unchanged", dry).map(Ok);
    }
    let mut request = change::request(&item.resource, Method::Patch, &item.namespace, &item.name);
    request.patch_type = if item.is_typed() { PatchType::Strategic } else { PatchType::Merge };
    request.field_validation = validation(call);
    request.field_manager = "kubectl-client-side-apply".into();
    request.body = patch.clone();
    match change::send(cx, dry, request) {
        Ok(reply) => change::done(cx, call, &item.resource, &reply.object, "configured", dry).map(Ok),
        Err(status) => {
            let (patch, about) = (compact_json(&patch), item.described());
            let what = format!("error when applying patch:\n{patch}\nto:\n{about}\nfor: {quoted}");
            Ok(Err(Fault::Server(status).about(&what)))
        }
    }
}

impl Item {
    /// Whether the schema knows its fields.
    pub(super) fn is_typed(&self) -> bool {
        schema::type_of(&self.resource.api_version, &self.resource.kind).is_some()
    }
}

/// The patch that makes the live object what the configuration says.
pub(super) fn patch_of(item: &Item, last: &str, modified: &Value, live: &Value) -> Value {
    let last: Value = serde_json::from_str(last).unwrap_or_else(|_| json!({}));
    let of = schema::type_of(&item.resource.api_version, &item.resource.kind);
    patch::three_way(&last, modified, live, of)
}

/// Creates an object of a file.
pub(super) fn create(
    cx: &mut Context,
    call: &Invocation,
    item: &Item,
    body: Value,
    dry: Dry,
) -> Result<Value, Fault> {
    let request = Request {
        body,
        field_validation: validation(call),
        ..change::request(&item.resource, Method::Create, &item.namespace, "")
    };
    let reply = change::send(cx, dry, request);
    let what = format!("error when creating {}", go_quote(&item.source));
    reply.map(|reply| reply.object).map_err(|status| Fault::Server(status).about(&what))
}

fn apply_on_server(
    cx: &mut Context,
    call: &Invocation,
    item: &Item,
    dry: Dry,
) -> Result<Result<(), Fault>, Failure> {
    if dry == Dry::Client {
        return Err(Failure::error(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    let sent = match item.live(cx) {
        None => create(cx, call, item, item.value.clone(), dry),
        Some(live) => {
            let patch_type = if item.is_typed() { PatchType::Strategic } else { PatchType::Merge };
            let meta = live.metadata();
            let request = Request {
                body: item.value.clone(),
                patch_type,
                field_validation: validation(call),
                ..change::request(&item.resource, Method::Patch, &meta.namespace, &meta.name)
            };
            change::send(cx, dry, request).map(|reply| reply.object).map_err(Fault::Server)
        }
    };
    match sent {
        Ok(object) => change::done(cx, call, &item.resource, &object, "serverside-applied", dry).map(Ok),
        Err(fault) => Ok(Err(fault)),
    }
}

/// The object with the annotation that remembers it.
pub(super) fn with_last_applied(value: &Value) -> Value {
    let mut bare = value.clone();
    if let Some(annotations) = annotations(&mut bare) {
        annotations.remove(LAST_APPLIED);
    }
    let text = compact_json(&bare) + "\n";
    if let Some(annotations) = annotations(&mut bare) {
        annotations.insert(LAST_APPLIED.into(), text.into());
    }
    bare
}

/// The annotations of an object, made if there are none.
fn annotations(value: &mut Value) -> Option<&mut Map<String, Value>> {
    let meta = value.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
    let annotations = meta.as_object_mut()?.entry("annotations").or_insert_with(|| json!({}));
    if annotations.is_null() {
        *annotations = json!({});
    }
    annotations.as_object_mut()
}
