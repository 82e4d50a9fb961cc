//! `kubectl rollout history`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/history.go.

use super::revisions;
use crate::kubectl::change::{COMMON, FILES, Fault};
use crate::kubectl::context::Context;
use crate::kubectl::describe;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::flag;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::named;
use crate::kubectl::print::Format;
use crate::kubectl::verb::Verb;
use setpoint_api::text::go_quote;

pub(super) static VERB: Verb = Verb {
    name: "history",
    brief: "View rollout history",
    usage: "kubectl rollout history (TYPE NAME | TYPE/NAME) [flags] [options]",
    flags: &[
        FILES,
        COMMON,
        super::SELECT,
        &[flag("revision", '\0', "0", "See the details, including podTemplate of the revision specified")],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error("required resource not specified"));
    }
    let wanted = call.number("revision");
    if wanted < 0 {
        return Err(Failure::error(format!("revision must be a positive integer: {wanted}")));
    }
    let format = Format::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &call.args)?;
    for (resource, object) in found {
        let Some(revisions) = revisions::all(cx, &object) else {
            faults.push(Fault::Client(format!(
                "no history viewer has been implemented for {}",
                go_quote(&resource.kind)
            )));
            continue;
        };
        let subject = format!("{}/{}", resource.printed(), object.metadata().name);
        if !format.is_table() {
            let shown = revisions.iter().filter(|one| wanted == 0 || one.number == wanted);
            let mut texts = Vec::new();
            for one in shown {
                let (kind, whole) = &one.whole;
                let resource = cx.resource(kind.plural())?;
                texts.push(format.print(Some(&resource), whole)?);
            }
            if texts.is_empty() && wanted > 0 {
                faults.push(Fault::Client("unable to find the specified revision".into()));
            }
            cx.print(texts.join(if matches!(format, Format::Yaml) { "---\n" } else { "" }));
            continue;
        }
        if wanted > 0 {
            match revisions.iter().find(|one| one.number == wanted) {
                Some(one) => {
                    cx.say(format!("{subject} with revision #{wanted}"));
                    let details = describe::template(&one.template, cx.now());
                    cx.say(details);
                }
                None => faults.push(Fault::Client("unable to find the specified revision".into())),
            }
            continue;
        }
        let mut text = format!("{subject} \n");
        if revisions.is_empty() {
            text.push_str("No rollout history found.\n");
        } else {
            text.push_str("REVISION  CHANGE-CAUSE\n");
            for one in &revisions {
                let cause = one.change_cause.as_deref().unwrap_or("<none>");
                text.push_str(&format!("{:<10}{cause}\n", one.number));
            }
        }
        cx.say(text);
    }
    Fault::end(faults)
}
