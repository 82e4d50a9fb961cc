//! `kubectl exec`: a small shell inside of a container.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/exec/exec.go.
//! Simplified: no image is run here. A handful of programs answer from what the simulation knows: the container's
//! environment, its mounted configuration and what was written to files, its processes, the names of Services and the routes of its node.

mod files;
mod net;
mod programs;

pub(super) use files::decoded;

use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::print::look::{has, items, own_selector, text};
use super::resource;
use super::verb::Verb;
use programs::{Container, Ended};
use serde_json::Value;
use setpoint_api::text::go_quote;
use setpoint_api::{Kind, Object, Selector};

pub(super) static VERB: Verb = Verb {
    name: "exec",
    brief: "Execute a command in a container",
    long: "Execute a command in a container.",
    examples: "# Get output from running the 'date' command from pod mypod, using the first container by default\nkubectl exec \
               mypod -- date\n\n# Get output from running the 'date' command in ruby-container from pod mypod\nkubectl exec \
               mypod -c ruby-container -- date\n\n# Get output from running 'date' command from the first pod of the \
               deployment mydeployment, using the first container by default\nkubectl exec deploy/mydeployment -- date",
    usage: "kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
    flags: &[&[
        flag(
            "container",
            'c',
            "''",
            "Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen",
        ),
        flag("filename", 'f', "[]", "to use to exec into the resource"),
        flag(
            "pod-running-timeout",
            '\0',
            "1m0s",
            "The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running",
        ),
        flag("quiet", 'q', "false", "Only print output from the remote session"),
        flag("stdin", 'i', "false", "Pass stdin to the container"),
        flag("tty", 't', "false", "Stdin is a TTY"),
    ]],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let Some(target) = call.args.first().filter(|_| call.dash != Some(0)) else {
        return Err(Failure::error("pod, type/name or --filename must be specified"));
    };
    if call.dash.is_none() && call.args.len() > 1 {
        return Err(
            call.misuse("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
        );
    }
    let command: Vec<String> = call.args.get(1..).unwrap_or(&[]).to_vec();
    if command.is_empty() {
        return Err(Failure::error("you must specify at least one command for the container"));
    }
    let pod = pod(cx, target)?;
    let spec = container(cx, call, &pod)?;
    match inside(cx, &pod, &spec, &command)? {
        0 => Ok(()),
        code => Err(Failure { text: format!("command terminated with exit code {code}\n"), code }),
    }
}

/// Runs a command inside of a container, prints what it says, and returns its exit code.
pub(super) fn inside(
    cx: &mut Context,
    pod: &Value,
    spec: &Value,
    command: &[String],
) -> Result<i32, Failure> {
    let container = Container { pod: pod.clone(), spec: spec.clone(), written: Default::default() };
    let Ended { out, err, code, crash } = programs::run(cx, &container, command)?;
    if !out.is_empty() {
        cx.print(out);
    }
    if !err.is_empty() {
        cx.output.complain(err);
    }
    let of = |value: &Value, path: &str| text(value, path).to_owned();
    let (namespace, pod) = (of(pod, "/metadata/namespace"), of(pod, "/metadata/name"));
    for (path, text, append) in container.written.take() {
        let (namespace, pod, container) = (namespace.clone(), pod.clone(), of(spec, "/name"));
        cx.session.act(setpoint_sim::Action::WriteFile { namespace, pod, container, path, text, append });
    }
    if crash {
        cx.session.act(setpoint_sim::Action::CrashPod { namespace, pod });
    }
    Ok(code)
}

/// The pod that is named, or the first of a workload.
fn pod(cx: &Context, target: &str) -> Result<Value, Failure> {
    if !target.contains('/') {
        let pods = cx.resource("pods")?;
        return Ok(super::served::value(&pods, &cx.object(&pods, target)?));
    }
    let targets = resource::targets(cx, &[target.to_owned()])?;
    let Some(target) = targets.into_iter().next() else { return Err(Failure::error("pod not found")) };
    let object = cx.object(&target.resource, target.name.as_deref().unwrap_or(""))?;
    let pods = cx.resource("pods")?;
    if target.resource.model == Kind::Pod {
        return Ok(super::served::value(&pods, &object));
    }
    let value = object.to_value();
    if own_selector(&value, "/spec/selector") == "<none>" {
        let of = target.resource.go_type();
        return Err(Failure::error(format!("cannot attach to {of}: selector for {of} not implemented")));
    }
    let selector = Selector::parse(&own_selector(&value, "/spec/selector")).map_err(Failure::error)?;
    let mut found = cx.store().pods_matching(&cx.namespace, &selector);
    found.sort_by_key(|pod| (!setpoint_control::pod::is_ready(pod), pod.metadata.name.clone()));
    let first = found.first().map(|pod| Object::Pod((*pod).clone()));
    let missing = || {
        Failure::error(format!(
            "timed out waiting for the condition: no pods of {} are running",
            target.resource.printed()
        ))
    };
    Ok(super::served::value(&pods, &first.ok_or_else(missing)?))
}

/// The container that is meant, if something runs in it.
fn container(cx: &mut Context, call: &Invocation, pod: &Value) -> Result<Value, Failure> {
    let name = text(pod, "/metadata/name");
    let phase = text(pod, "/status/phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::error(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    if text(pod, "/spec/nodeName").is_empty() {
        return Err(Failure::plain(format!(
            "Error from server (BadRequest): pod {name} does not have a host assigned"
        )));
    }
    if let Some(refusal) = cx.refusal(text(pod, "/spec/nodeName")) {
        let address = text(pod, "/status/hostIP");
        return Err(Failure::plain(format!(
            "Error from server: error dialing backend: dial tcp {address}:10250: connect: {refusal}"
        )));
    }
    let names: Vec<&str> =
        items(pod, "/spec/containers").iter().map(|container| text(container, "/name")).collect();
    let asked = call.text("container");
    let default = text(pod, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
    let first = if default.is_empty() { names.first().copied().unwrap_or("") } else { default };
    if asked.is_empty() && names.len() > 1 && !call.is_on("quiet") {
        cx.complain(format!("Defaulted container {} out of: {}", go_quote(first), names.join(", ")));
    }
    let chosen = if asked.is_empty() { first } else { asked };
    let spec = items(pod, "/spec/containers").iter().find(|container| text(container, "/name") == chosen);
    let Some(spec) = spec else {
        return Err(Failure::plain(format!(
            "Error from server (BadRequest): container {chosen} is not valid for pod {name}"
        )));
    };
    let status =
        items(pod, "/status/containerStatuses").iter().find(|status| text(status, "/name") == chosen);
    if !status.is_some_and(|status| has(status, "/state/running")) {
        return Err(Failure::error(format!(
            "Internal error occurred: unable to upgrade connection: container not found ({})",
            go_quote(chosen)
        )));
    }
    Ok(spec.clone())
}
