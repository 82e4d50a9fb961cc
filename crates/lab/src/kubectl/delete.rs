//! `kubectl delete`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go.

use super::change::{self, COMMON, Dry, FILES, Fault, SELECT, nothing_named};
use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::named::{self, Found};
use super::resource::Resource;
use super::source;
use super::verb::Verb;
use setpoint_api::text::go_quote;
use setpoint_api::{Object, Time, Uid};
use setpoint_sim::{Method, Request};

pub(super) static VERB: Verb = Verb {
    name: "delete",
    brief: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
    usage: "kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        &[
            flag("all-namespaces", 'A', "false", "If present, list the requested object(s) across all namespaces."),
            flag("cascade", '\0', "'background'", "Must be \"background\", \"orphan\", or \"foreground\". Selects the deletion cascading strategy for the dependents (e.g. Pods created by a ReplicationController). Defaults to background.").or_bare("background"),
            flag("field-selector", '\0', "''", "Selector (field query) to filter on."),
            flag("force", '\0', "false", "If true, immediately remove resources from API and bypass graceful deletion."),
            flag("grace-period", '\0', "-1", "Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true (force deletion)."),
            flag("ignore-not-found", '\0', "false", "Treat \"resource not found\" as a successful delete. Defaults to \"true\" when --all is specified."),
            flag("interactive", 'i', "false", "If true, delete resource only when user confirms."),
            flag("now", '\0', "false", "If true, resources are signaled for immediate shutdown (same as --grace-period=1)."),
            flag("raw", '\0', "''", "Raw URI to DELETE to the server."),
            flag("timeout", '\0', "0s", "The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object"),
            flag("wait", '\0', "true", "If true, wait for resources to be gone before returning. This waits for finalizers."),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    let (grace, mut waits) = grace(cx, call)?;
    let propagation = match call.text("cascade") {
        "background" | "true" => "Background",
        "foreground" => "Foreground",
        "orphan" | "false" => "Orphan",
        other => {
            return Err(Failure::error(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    let selects = call.has("selector") || call.has("field-selector");
    if call.is_on("all") && selects {
        return Err(Failure::error("setting 'all' parameter but found a non empty selector. "));
    }
    if !["", "name"].contains(&call.text("output")) {
        let mode = call.text("output");
        return Err(Failure::error(format!("unexpected -o output mode: {mode}. We only support '-o name'")));
    }
    let from_files = !call.list("filename").is_empty();
    if !from_files && call.args.is_empty() {
        if call.is_on("all") || selects {
            return Err(Failure::error("at least one resource must be specified to use a selector"));
        }
        return Err(nothing_named());
    }
    let is_named = call.args.len() > 1 || call.args.iter().any(|arg| arg.contains('/'));
    if call.is_on("all") && is_named && !from_files {
        return Err(Failure::error("name cannot be provided when a selector is specified"));
    }
    if let old @ ("true" | "false") = call.text("cascade") {
        let new = if old == "true" { "background" } else { "orphan" };
        cx.complain(format!(
            "warning: --cascade={old} is deprecated (boolean value) and can be replaced with --cascade={new}."
        ));
    }
    let (found, mut faults) =
        if from_files { in_files(cx, call)? } else { named::objects(cx, call, &call.args)? };
    if call.is_on("ignore-not-found") || call.is_on("all") {
        faults.retain(|fault| !is_missing(fault));
    }
    if found.is_empty() && faults.is_empty() {
        if !call.is_on("ignore-not-found") {
            cx.say("No resources found");
        }
        return Ok(());
    }
    if call.has("namespace") && found.iter().any(|(resource, _)| !resource.is_namespaced) {
        cx.complain("Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    waits &= dry == Dry::No && call.is_on("wait");
    let timeout = call.duration("timeout");
    cx.go_on(Deleting {
        call: call.clone(),
        dry,
        propagation,
        grace,
        due: cx.now(),
        left: found.into_iter().rev().collect(),
        waits,
        waiting: Waiting { gone: Vec::new(), until: (timeout > 0).then(|| cx.now().plus(timeout)), faults },
    });
    Ok(())
}

/// The requests go out one after the other, each when the one before is answered.
struct Deleting {
    call: Invocation,
    dry: Dry,
    propagation: &'static str,
    grace: Option<i64>,
    /// When the next request goes out.
    due: Time,
    /// What is still to be deleted, the next one last.
    left: Found,
    waits: bool,
    waiting: Waiting,
}

impl Ongoing for Deleting {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        while let Some((resource, object)) = self.left.pop_if(|_| self.due <= cx.now()) {
            self.delete(cx, resource, &object);
        }
        if !self.left.is_empty() {
            return Ok(false);
        }
        if self.waits {
            return self.waiting.poll(cx);
        }
        Fault::end(std::mem::take(&mut self.waiting.faults)).map(|()| true)
    }
}

impl Deleting {
    fn delete(&mut self, cx: &mut Context, resource: Resource, object: &Object) {
        let meta = object.metadata();
        // A kind is listed when its turn has come: what went with its owner before that is not in the list.
        let is_there = meta.uid == Uid::default() || cx.store().id_of_uid(meta.uid).is_some();
        if self.call.is_on("all") && !is_there {
            return;
        }
        self.due = self.due.plus(cx.session.sim().tuning().api_request.max(cx.terminal.pace));
        let request = Request {
            propagation_policy: self.propagation.into(),
            grace_period_seconds: self.grace,
            ..change::request(&resource, Method::Delete, &meta.namespace, &meta.name)
        };
        let dry = self.dry;
        let sent = if dry == Dry::Client { Ok(()) } else { change::send(cx, dry, request).map(|_| ()) };
        match sent {
            Ok(()) => {
                cx.say(line(&self.call, &resource, &meta.namespace, &meta.name, self.grace == Some(0), dry));
                self.waiting.gone.push((resource, meta.name.to_string(), meta.uid));
            }
            Err(status) => self.waiting.faults.push(status.into()),
        }
    }
}

/// The grace in seconds, and whether the command waits for the end.
fn grace(cx: &mut Context, call: &Invocation) -> Result<(Option<i64>, bool), Failure> {
    let given = call.number("grace-period");
    let is_forced = call.is_on("force");
    if call.is_on("now") {
        if given != -1 {
            return Err(Failure::error("--now and --grace-period cannot be specified together"));
        }
        return Ok((Some(1), true));
    }
    if is_forced && given > 0 {
        return Err(Failure::error("--force and --grace-period greater than 0 cannot be specified together"));
    }
    if is_forced {
        cx.complain("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
        return Ok((Some(0), false));
    }
    // Without --force, 0 becomes 1 and the end is waited for.
    Ok((if given == 0 { Some(1) } else { Some(given).filter(|seconds| *seconds > 0) }, true))
}

fn in_files(cx: &Context, call: &Invocation) -> Result<(Found, Vec<Fault>), Failure> {
    let (items, mut faults) = source::items(cx, call)?;
    let mut found = Vec::new();
    for item in items {
        match item.live(cx) {
            Some(object) => found.push((item.resource, object)),
            None => {
                let what = format!("error when deleting {}", go_quote(&item.source));
                faults.push(Fault::Server(item.resource.not_found(&item.name)).about(&what));
            }
        }
    }
    Ok((found, faults))
}

fn is_missing(fault: &Fault) -> bool {
    matches!(fault, Fault::Server(status) if status.reason == setpoint_api::Reason::NotFound)
}

fn line(
    call: &Invocation,
    resource: &Resource,
    namespace: &str,
    name: &str,
    is_forced: bool,
    dry: Dry,
) -> String {
    if call.text("output") == "name" {
        return format!("{}/{name}", resource.printed());
    }
    let operation = if is_forced { "force deleted" } else { "deleted" };
    let kind = resource.printed();
    let suffix = dry.suffix();
    let from = if namespace.is_empty() { String::new() } else { format!(" from {namespace} namespace") };
    format!("{kind} {} {operation}{suffix}{from}", go_quote(name))
}

/// Waits until the objects are gone.
struct Waiting {
    gone: Vec<(Resource, String, Uid)>,
    until: Option<Time>,
    faults: Vec<Fault>,
}

impl Ongoing for Waiting {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        self.gone.retain(|(_, _, uid)| cx.store().id_of_uid(*uid).is_some());
        if self.gone.is_empty() {
            return Fault::end(std::mem::take(&mut self.faults)).map(|()| true);
        }
        if self.until.is_some_and(|until| cx.now() >= until) {
            let mut faults = std::mem::take(&mut self.faults);
            for (resource, name, _) in &self.gone {
                faults.push(Fault::Client(format!(
                    "timed out waiting for the condition on {}/{name}",
                    resource.plural
                )));
            }
            return Fault::end(faults).map(|()| true);
        }
        Ok(false)
    }
}
