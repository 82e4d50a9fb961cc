//! `kubectl certificate`: requests for certificates are approved or denied.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/certificates/certificates.go.
//! Simplified: nobody signs what is approved.

use super::change::{self, COMMON, Dry, FILES, Fault};
use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::named;
use super::verb::Verb;
use serde_json::json;
use setpoint_api::text::go_quote;
use setpoint_sim::{Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "certificate",
    brief: "Modify certificate resources",
    long: "Modify certificate resources.",
    usage: "kubectl certificate SUBCOMMAND [options]",
    verbs: &[&APPROVE, &DENY],
    ..Verb::NONE
};
static FORCE: &[Flag] = &[flag("force", '\0', "false", "Update the CSR even if it is already approved.")];
static APPROVE: Verb = Verb {
    name: "approve",
    brief: "Approve a certificate signing request",
    usage: "kubectl certificate approve (-f FILENAME | NAME) [options]",
    flags: &[FILES, COMMON, FORCE],
    run: |cx, call| judge(cx, call, ["Approved", "Denied", "KubectlApprove", "approved", "approve"]),
    ..Verb::NONE
};
static DENY: Verb = Verb {
    name: "deny",
    brief: "Deny a certificate signing request",
    usage: "kubectl certificate deny (-f FILENAME | NAME) [options]",
    flags: &[FILES, COMMON, FORCE],
    run: |cx, call| judge(cx, call, ["Denied", "Approved", "KubectlDeny", "denied", "deny"]),
    ..Verb::NONE
};

/// Adds the condition of a judgement, which may not go with its opposite.
fn judge(
    cx: &mut Context,
    call: &Invocation,
    [condition, opposite, reason, done, verb]: [&str; 5],
) -> Result<(), Failure> {
    if call.args.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error("one or more CSRs must be specified as <name> or -f <filename>"));
    }
    let dry = Dry::of(cx, call)?;
    let words: Vec<String> =
        call.args.iter().map(|name| format!("certificatesigningrequest/{name}")).collect();
    let (found, mut faults) = named::objects(cx, call, &words)?;
    for (resource, object) in found {
        let name = object.metadata().name.clone();
        let value = object.to_value();
        let mut conditions = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.iter().any(|known| known["type"] == opposite) {
            let shown = go_quote(&name);
            let why = format!("certificate signing request {shown} is already {opposite}");
            faults.push(Fault::Client(why));
            continue;
        }
        let has_it = conditions.iter().any(|known| known["type"] == condition);
        if has_it && !call.is_on("force") {
            change::done(cx, call, &resource, &value, done, dry)?;
            continue;
        }
        conditions.retain(|known| known["type"] != condition);
        conditions.push(json!({
            "type": condition,
            "status": "True",
            "reason": reason,
            "message": format!("This CSR was {done} by kubectl certificate {verb}."),
            "lastUpdateTime": cx.now().to_rfc3339(0),
            "lastTransitionTime": cx.now().to_rfc3339(0),
        }));
        let request = Request {
            body: json!({ "status": { "conditions": conditions } }),
            patch_type: PatchType::Merge,
            subresource: "status".into(),
            ..change::request(&resource, Method::Patch, "", &name)
        };
        match change::send(cx, dry, request) {
            Ok(reply) => change::done(cx, call, &resource, &reply.object, done, dry)?,
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}
