//! `kubectl get`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go.

use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::resource;
use super::verb::Verb;

pub(super) static VERB: Verb = Verb {
    name: "get",
    brief: "Display one or many resources",
    flags: &[&[flag("selector", 'l', "''", "Selector")]],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (found, failures) = resource::objects(cx, &call.args, call.text("selector"), false)?;
    for (resource, object) in found {
        cx.say(format!("{}/{}", resource.printed(), object.metadata().name));
    }
    Failure::all(failures)
}
