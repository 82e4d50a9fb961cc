//! `kubectl replace`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/replace/replace.go.

use super::apply::{self, validation};
use super::change::{self, COMMON, Dry, FILES, Fault, VALIDATE};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::source;
use super::verb::Verb;
use setpoint_api::text::go_quote;
use setpoint_sim::{Method, Request};

pub(super) static VERB: Verb = Verb {
    name: "replace",
    brief: "Replace a resource by file name or stdin",
    usage: "kubectl replace -f FILENAME [options]",
    flags: &[
        FILES,
        COMMON,
        VALIDATE,
        &[
            flag(
                "force",
                '\0',
                "false",
                "If true, immediately remove resources from API and bypass graceful deletion.",
            ),
            flag(
                "grace-period",
                '\0',
                "-1",
                "Period of time in seconds given to the resource to terminate gracefully.",
            ),
            flag(
                "save-config",
                '\0',
                "false",
                "If true, the configuration of current object will be saved in its annotation.",
            ),
            flag(
                "subresource",
                '\0',
                "''",
                "If specified, replace will operate on the subresource of the requested object.",
            ),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.list("filename").is_empty() {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let dry = Dry::of(cx, call)?;
    let (items, unread) = source::items(cx, call)?;
    let mut faults = Vec::new();
    for item in items {
        let body = if call.is_on("save-config") {
            apply::with_last_applied(&item.value)
        } else {
            item.value.clone()
        };
        let is_forced = call.is_on("force") && dry == Dry::No;
        if is_forced && item.live(cx).is_some() {
            let mut request = change::request(&item.resource, Method::Delete, &item.namespace, &item.name);
            request.grace_period_seconds = Some(0);
            if let Err(status) = change::send(cx, dry, request) {
                faults.push(status.into());
                continue;
            }
            cx.say(format!("{} \"{}\" deleted", item.resource.printed(), item.name));
        }
        let method = if is_forced { Method::Create } else { Method::Update };
        let request = Request {
            body: body.clone(),
            field_validation: validation(call),
            subresource: call.text("subresource").into(),
            ..change::request(
                &item.resource,
                method,
                &item.namespace,
                if is_forced { "" } else { &item.name },
            )
        };
        let sent = if dry == Dry::Client {
            Ok(body)
        } else {
            change::send(cx, dry, request).map(|reply| reply.object)
        };
        match sent {
            Ok(object) => change::done(cx, call, &item.resource, &object, "replaced", dry)?,
            Err(status) => {
                let what = format!("error when replacing {}", go_quote(&item.source));
                faults.push(Fault::Server(status).about(&what));
            }
        }
    }
    faults.extend(Fault::many(unread));
    Fault::end(faults)
}
