//! `kubectl create`, from files and by its sub-commands.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create.

mod access;
mod config;
mod hash;
mod policy;
mod service;
mod workload;

use super::change::{self, COMMON, Dry, FILES, Fault, VALIDATE};
use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::make;
use super::verb::Verb;
use super::{apply, source};
use serde_json::Value;

pub(super) static VERB: Verb = Verb {
    name: "create",
    brief: "Create a resource from a file or from stdin",
    long: "Create a resource from a file or from stdin.\n\n JSON and YAML formats are accepted.",
    usage: "kubectl create -f FILENAME [options]",
    flags: &[
        FILES,
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag("edit", '\0', "false", "Edit the API resource before creating"),
            flag("raw", '\0', "''", "Raw URI to POST to the server."),
            flag("selector", 'l', "''", "Selector (label query) to filter on."),
        ],
    ],
    verbs: &[
        &access::CLUSTER_ROLE,
        &access::CLUSTER_ROLE_BINDING,
        &config::CONFIG_MAP,
        &workload::CRON_JOB,
        &workload::DEPLOYMENT,
        &service::INGRESS,
        &workload::JOB,
        &policy::NAMESPACE,
        &policy::BUDGET,
        &policy::PRIORITY_CLASS,
        &policy::QUOTA,
        &access::ROLE,
        &access::ROLE_BINDING,
        &config::SECRET,
        &service::SERVICE,
        &access::SERVICE_ACCOUNT,
    ],
    run,
    ..Verb::NONE
};

/// `--save-config`.
static SAVE: &[Flag] = &[flag(
    "save-config",
    '\0',
    "false",
    "If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to perform kubectl apply on this object in the future.",
)];

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.first().is_some_and(|arg| arg == "token") {
        return Err(Failure::error("create token is not simulated: nobody is authenticated here"));
    }
    if !call.args.is_empty() {
        return Err(call.misuse(format!("Unexpected args: [{}]", call.args.join(" "))));
    }
    if call.list("filename").is_empty() {
        return Err(Failure::plain(format!(
            "error: must specify one of -f and -k\n\n{}",
            super::help::of(call.verb, &call.path)
        )));
    }
    let dry = Dry::of(cx, call)?;
    let (items, unread) = source::items(cx, call)?;
    if items.is_empty() && unread.is_empty() {
        return Err(Failure::error("no objects passed to create"));
    }
    let mut faults = Vec::new();
    for item in items {
        let body = if call.is_on("save-config") {
            apply::with_last_applied(&item.value)
        } else {
            item.value.clone()
        };
        let sent = if dry == Dry::Client { Ok(body) } else { apply::create(cx, call, &item, body, dry) };
        match sent {
            Ok(object) => change::done(cx, call, &item.resource, &object, "created", dry)?,
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(Fault::many(unread));
    Fault::end(faults)
}

/// The one name that a sub-command takes.
fn name(call: &Invocation) -> Result<&str, Failure> {
    let own = call.dash.unwrap_or(call.args.len());
    match call.args.get(..own) {
        Some([name]) => Ok(name),
        _ => Err(call.misuse(format!("exactly one NAME is required, got {own}"))),
    }
}

/// Creates what a sub-command has made; a refusal is told after `failed to create ...`.
fn make(cx: &mut Context, call: &Invocation, object: Value, what: &str) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    make::create_as(cx, call, object, "created", dry, |status| {
        if what.is_empty() {
            status.into()
        } else {
            Failure::of_step(&format!("failed to create {what}"), &status)
        }
    })
}

/// A pair that a flag gives, `KEY=VALUE`.
fn pair(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| Failure::error(format!("invalid literal source {text}, expected key=value")))
}
