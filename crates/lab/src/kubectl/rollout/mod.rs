//! `kubectl rollout`: pause, resume, restart, undo; what it looks like is in the files beside.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/rollout, pkg/polymorphichelpers/{objectpauser,objectrestarter,rollback}.go.

mod history;
mod revisions;
pub(super) mod status;

use super::change::{self, COMMON, Dry, FILES, Fault};
use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::named;
use super::resource::Resource;
use super::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Deployment, Object, Resource as _, schema};
use setpoint_control::deployment;
use setpoint_sim::{Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "rollout",
    brief: "Manage the rollout of a resource",
    long: "Manage the rollout of one or many resources.\n        \n Valid resource types include:\n\n  *  deployments\n  *  daemonsets\n  *  statefulsets",
    examples: "# Rollback to the previous deployment\nkubectl rollout undo deployment/abc\n\n# Check the rollout status of a daemonset\nkubectl rollout status daemonset/foo\n\n# Restart a deployment\nkubectl rollout restart deployment/abc\n\n# Restart deployments with the 'app=nginx' label\nkubectl rollout restart deployment --selector=app=nginx",
    usage: "kubectl rollout SUBCOMMAND [options]",
    verbs: &[&history::VERB, &PAUSE, &RESTART, &RESUME, &status::VERB, &UNDO],
    ..Verb::NONE
};

pub(super) static SELECT: &[Flag] = &[flag(
    "selector",
    'l',
    "''",
    "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.",
)];

static PAUSE: Verb = Verb {
    name: "pause",
    brief: "Mark the provided resource as paused",
    usage: "kubectl rollout pause RESOURCE [options]",
    flags: &[FILES, COMMON, SELECT],
    run: |cx, call| each(cx, call, pause),
    ..Verb::NONE
};
static RESUME: Verb = Verb {
    name: "resume",
    brief: "Resume a paused resource",
    usage: "kubectl rollout resume RESOURCE [options]",
    flags: &[FILES, COMMON, SELECT],
    run: |cx, call| each(cx, call, resume),
    ..Verb::NONE
};
static RESTART: Verb = Verb {
    name: "restart",
    brief: "Restart a resource",
    usage: "kubectl rollout restart RESOURCE [options]",
    flags: &[FILES, COMMON, SELECT],
    run: |cx, call| each(cx, call, restart),
    ..Verb::NONE
};
static UNDO: Verb = Verb {
    name: "undo",
    brief: "Undo a previous rollout",
    usage: "kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags] [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        &[flag("to-revision", '\0', "0", "The revision to rollback to. Default to 0 (last revision).")],
    ],
    run: |cx, call| each(cx, call, undo),
    ..Verb::NONE
};

/// What a sub-command changes in an object: the operation it reports and the patch, or why it may not be.
type Change = fn(&mut Context, &Invocation, &Resource, &Object) -> Result<(String, Option<Request>), String>;

/// Does a sub-command to all objects that are named.
fn each(cx: &mut Context, call: &Invocation, change: Change) -> Result<(), Failure> {
    if call.args.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error("required resource not specified"));
    }
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &call.args)?;
    if found.is_empty() && faults.is_empty() {
        cx.complain(format!("No resources found in {} namespace.", cx.namespace));
    }
    for (resource, object) in found {
        let (operation, request) = match change(cx, call, &resource, &object) {
            Ok(changed) => changed,
            Err(message) => {
                faults.push(Fault::Client(format!("error: {message}")));
                continue;
            }
        };
        let Some(request) = request.filter(|_| dry != Dry::Client) else {
            change::done(cx, call, &resource, &object.to_value(), &operation, dry)?;
            continue;
        };
        match change::send(cx, dry, request) {
            Ok(reply) => change::done(cx, call, &resource, &reply.object, &operation, dry)?,
            Err(status) => faults.push(Fault::Client(format!("failed to patch: {}", status.message))),
        }
    }
    Fault::end(faults)
}

fn patch(resource: &Resource, object: &Object, body: Value) -> Request {
    let meta = object.metadata();
    Request { body, ..change::request(resource, Method::Patch, &meta.namespace, &meta.name) }
}

fn pause(
    _: &mut Context,
    _: &Invocation,
    resource: &Resource,
    object: &Object,
) -> Result<(String, Option<Request>), String> {
    let Object::Deployment(deployment) = object else {
        return Err(format!(
            "{} {} pausing is not supported",
            resource.full_name(),
            go_quote(&object.metadata().name)
        ));
    };
    if deployment.spec.paused {
        return Err(format!(
            "{} {} is already paused",
            resource.full_name(),
            go_quote(&deployment.metadata.name)
        ));
    }
    Ok(("paused".into(), Some(patch(resource, object, json!({ "spec": { "paused": true } })))))
}

fn resume(
    _: &mut Context,
    _: &Invocation,
    resource: &Resource,
    object: &Object,
) -> Result<(String, Option<Request>), String> {
    let Object::Deployment(deployment) = object else {
        return Err(format!(
            "{} {} resuming is not supported",
            resource.full_name(),
            go_quote(&object.metadata().name)
        ));
    };
    if !deployment.spec.paused {
        return Err(format!(
            "{} {} is not paused",
            resource.full_name(),
            go_quote(&deployment.metadata.name)
        ));
    }
    Ok(("resumed".into(), Some(patch(resource, object, json!({ "spec": { "paused": null } })))))
}

fn restart(
    cx: &mut Context,
    _: &Invocation,
    resource: &Resource,
    object: &Object,
) -> Result<(String, Option<Request>), String> {
    if !["Deployment", "DaemonSet", "StatefulSet"].contains(&&*resource.kind) {
        return Err(format!(
            "{} {} restarting is not supported",
            resource.full_name(),
            go_quote(&object.metadata().name)
        ));
    }
    if let Object::Deployment(deployment) = object
        && deployment.spec.paused
    {
        let name = go_quote(&deployment.metadata.name);
        return Err(format!(
            "{} {name} can't restart paused deployment (run rollout resume first)",
            resource.full_name()
        ));
    }
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": cx.now().to_rfc3339(0) });
    let body = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    Ok(("restarted".into(), Some(patch(resource, object, body))))
}

fn undo(
    cx: &mut Context,
    call: &Invocation,
    resource: &Resource,
    object: &Object,
) -> Result<(String, Option<Request>), String> {
    if !["Deployment", "DaemonSet", "StatefulSet"].contains(&&*resource.kind) {
        return Err(format!("no rollbacker has been implemented for {}", go_quote(&resource.kind)));
    }
    if object.metadata().annotation(super::apply::LAST_APPLIED).is_some() {
        cx.complain(format!(
            "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
            resource.plural, object.metadata().name, super::apply::LAST_APPLIED
        ));
    }
    let wanted = call.number("to-revision");
    let Some(deployment) = Deployment::from_object(object) else {
        return match revisions::rollback(cx.store(), object, wanted) {
            Ok(body) => Ok(("rolled back".into(), Some(patch(resource, object, body)))),
            Err(message) if message.starts_with("skipped rollback") => Ok((message, None)),
            Err(message) => Err(message),
        };
    };
    let back = match deployment::rollback(cx.store(), deployment, Some(wanted)) {
        Ok(back) => back.into_object().to_value(),
        Err(message) if message.starts_with("skipped rollback") => return Ok((message, None)),
        Err(message) => return Err(message),
    };
    let annotations = back["metadata"].get("annotations").cloned().unwrap_or_else(|| json!({}));
    let body = json!([
        { "op": "replace", "path": "/spec/template", "value": back["spec"]["template"] },
        { "op": "add", "path": "/metadata/annotations", "value": annotations },
    ]);
    let request = Request { patch_type: PatchType::Json, ..patch(resource, object, body) };
    Ok(("rolled back".into(), Some(request)))
}

/// The type of a kind that is modelled or only stored.
pub(super) fn type_of(resource: &Resource) -> Option<schema::Type> {
    schema::type_of(&resource.api_version, &resource.kind)
}
