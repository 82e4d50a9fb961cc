//! `kubectl cordon`, `kubectl uncordon` and `kubectl drain`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go, pkg/drain/{drain,filters,cordon}.go.
//! Simplified: pods are evicted in the order of their names.

use super::change::{self, COMMON, Dry, Fault, SELECT};
use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::{CHUNK_SIZE, Flag, flag};
use super::invocation::Invocation;
use super::named::Found;
use super::resource::{self, Resource, Target};
use super::verb::Verb;
use serde_json::json;
use setpoint_api::text::go_quote;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{Object, Pod, Reason, Selector, Status, Time};
use setpoint_sim::{Method, Request};
use std::rc::Rc;

pub(super) static CORDON: Verb = Verb {
    name: "cordon",
    brief: "Mark node as unschedulable",
    usage: "kubectl cordon NODE [options]",
    flags: &[COMMON, SELECT],
    run: |cx, call| run_cordon(cx, call, true),
    ..Verb::NONE
};
pub(super) static UNCORDON: Verb = Verb {
    name: "uncordon",
    brief: "Mark node as schedulable",
    usage: "kubectl uncordon NODE [options]",
    flags: &[COMMON, SELECT],
    run: |cx, call| run_cordon(cx, call, false),
    ..Verb::NONE
};
pub(super) static DRAIN: Verb = Verb {
    name: "drain",
    brief: "Drain node in preparation for maintenance",
    usage: "kubectl drain NODE [options]",
    flags: &[COMMON, SELECT, OWN],
    run: run_drain,
    ..Verb::NONE
};
static OWN: &[Flag] = &[
    CHUNK_SIZE,
    flag(
        "delete-emptydir-data",
        '\0',
        "false",
        "Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).",
    ),
    flag(
        "disable-eviction",
        '\0',
        "false",
        "Force drain to use delete, even if eviction is supported. This will bypass checking PodDisruptionBudgets, use with caution.",
    ),
    flag("force", '\0', "false", "Continue even if there are pods that do not declare a controller."),
    flag(
        "grace-period",
        '\0',
        "-1",
        "Period of time in seconds given to each pod to terminate gracefully. If negative, the default value specified in the pod will be used.",
    ),
    flag("ignore-daemonsets", '\0', "false", "Ignore DaemonSet-managed pods."),
    flag("pod-selector", '\0', "''", "Label selector to filter pods on the node"),
    flag(
        "skip-wait-for-delete-timeout",
        '\0',
        "0",
        "If pod DeletionTimestamp older than N seconds, skip waiting for the pod. Seconds must be greater than 0 to skip.",
    ),
    flag("timeout", '\0', "0s", "The length of time to wait before giving up, zero means infinite"),
];

/// How long an eviction that a budget has refused waits for its next try.
const RETRY: i64 = 5 * SECOND;
/// What kubectl asks before the first eviction takes this long: whether there are evictions, which pods the node has, and
/// who owns each of them.
const LOOK: i64 = 240 * MILLISECOND;

/// The nodes of a line: by name, by `-l`.
fn nodes(cx: &Context, call: &Invocation) -> Result<(Found, Vec<Fault>), Failure> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let resource = cx.resource("nodes")?;
    let selector = call.text("selector");
    if call.args.is_empty() && selector.is_empty() {
        return Err(Failure::error(format!(
            "USAGE: {} NODE [flags]\nSee '{} -h' for help and examples",
            call.verb.name, call.path
        )));
    }
    if !call.args.is_empty() && !selector.is_empty() {
        return Err(call.misuse("cannot specify both a node name and a --selector option"));
    }
    if !selector.is_empty() {
        let parsed =
            Selector::parse(selector).map_err(|why| resource::bad_query(&resource, selector, "", &why))?;
        found.extend(cx.objects(&resource, false, &parsed).into_iter().map(|node| (resource.clone(), node)));
    }
    let names = if call.args.iter().any(|arg| arg.contains('/')) {
        resource::targets(cx, &call.args)?
    } else {
        call.args.iter().map(|name| Target { resource: resource.clone(), name: Some(name.clone()) }).collect()
    };
    for name in names.into_iter().filter_map(|target| target.name) {
        match resource.find(cx.store(), "", &name) {
            Some(node) => found.push((resource.clone(), node)),
            None => faults.push(resource.not_found(&name).into()),
        }
    }
    Ok((found, faults))
}

fn run_cordon(cx: &mut Context, call: &Invocation, cordoned: bool) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = nodes(cx, call)?;
    if !faults.is_empty() {
        return Fault::end(faults);
    }
    for (resource, node) in &found {
        if let Err(status) = cordon(cx, call, resource, node, cordoned, dry)? {
            faults.push(status.into());
        }
    }
    Fault::end(faults)
}

fn cordon(
    cx: &mut Context,
    call: &Invocation,
    resource: &Resource,
    object: &Object,
    cordoned: bool,
    dry: Dry,
) -> Result<Result<(), Status>, Failure> {
    let Object::Node(node) = object else { return Ok(Ok(())) };
    let word = if cordoned { "cordoned" } else { "uncordoned" };
    if node.spec.unschedulable == cordoned {
        return change::done(cx, call, resource, &object.to_value(), &format!("already {word}"), dry).map(Ok);
    }
    let value = if cordoned { json!(true) } else { json!(null) };
    match change::send_patch(cx, dry, resource, object, json!({ "spec": { "unschedulable": value } })) {
        Ok(object) => change::done(cx, call, resource, &object, word, dry).map(Ok),
        Err(status) => Ok(Err(status)),
    }
}

fn run_drain(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    if Selector::parse(call.text("pod-selector")).is_err() {
        return Err(Failure::error("--pod-selector=<pod_selector> must be a valid label selector"));
    }
    let (found, faults) = nodes(cx, call)?;
    if !faults.is_empty() {
        return Fault::end(faults);
    }
    for (resource, node) in &found {
        if let Err(status) = cordon(cx, call, resource, node, true, dry)? {
            return Err(status.into());
        }
    }
    let timeout = call.duration("timeout");
    cx.go_on(Drain {
        call: call.clone(),
        dry,
        waiting: found.into_iter().rev().collect(),
        current: None,
        until: (timeout > 0).then(|| cx.now().plus(timeout)),
        left: Vec::new(),
        fatal: Vec::new(),
    });
    Ok(())
}

/// A drain under way, one node after the other.
struct Drain {
    call: Invocation,
    dry: Dry,
    waiting: Found,
    current: Option<(Resource, Object, Vec<Leaving>)>,
    until: Option<Time>,
    left: Vec<String>,
    fatal: Vec<String>,
}

/// A pod that is to leave.
struct Leaving {
    pod: Rc<Pod>,
    /// When its eviction is asked for; `None` once it was granted.
    due: Option<Time>,
}

impl Ongoing for Drain {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        loop {
            let Some((resource, node, mut pods)) = self.current.take() else {
                let Some((resource, node)) = self.waiting.pop() else { return self.end(cx) };
                match self.begin(cx, &node) {
                    Ok(pods) => self.current = Some((resource, node, pods)),
                    Err(errors) => self.give_up(cx, &node, errors),
                }
                continue;
            };
            if let Err(errors) = self.evict(cx, &mut pods) {
                self.give_up(cx, &node, errors);
                continue;
            }
            pods.retain(|leaving| {
                let pod = &leaving.pod.metadata;
                let is_gone =
                    leaving.due.is_none() && (self.dry != Dry::No || cx.store().id_of_uid(pod.uid).is_none());
                if is_gone && self.dry == Dry::No {
                    let word = if self.call.is_on("disable-eviction") { "deleted" } else { "evicted" };
                    cx.say(format!("pod/{} {word}", pod.name));
                }
                !is_gone
            });
            if !pods.is_empty() {
                if self.is_over(cx) && pods.iter().all(|leaving| leaving.due.is_none()) {
                    self.time_out(cx, &node, &pods);
                    continue;
                }
                self.current = Some((resource, node, pods));
                return Ok(false);
            }
            let call = self.call.clone();
            change::done(cx, &call, &resource, &node.to_value(), "drained", self.dry)?;
        }
    }
}

impl Drain {
    /// The pods that are to leave a node, or why that may not be.
    fn begin(&self, cx: &mut Context, node: &Object) -> Result<Vec<Leaving>, Vec<String>> {
        let name = &node.metadata().name;
        let selector = Selector::parse(self.call.text("pod-selector")).unwrap_or_default();
        let mut pods: Vec<Rc<Pod>> =
            cx.store().pods_on(name).filter(|pod| selector.matches(&pod.metadata.labels)).cloned().collect();
        setpoint_api::order::sort_by_key(&mut pods, |pod| pod.metadata.full_name());
        let (mut errors, mut warnings) = (Groups::default(), Groups::default());
        let mut leaving = Vec::new();
        for pod in pods {
            match self.judge(&pod) {
                Judgement::Leaves(warning) => {
                    warnings.add(warning, &pod);
                    leaving.push(Leaving { pod, due: Some(cx.now().plus(LOOK)) });
                }
                Judgement::Stays(warning) => warnings.add(warning, &pod),
                Judgement::Forbids(error) => errors.add(error, &pod),
            }
        }
        if !errors.0.is_empty() {
            return Err(errors.lines());
        }
        if !warnings.0.is_empty() {
            cx.complain(format!("Warning: {}", warnings.lines().join("; ")));
        }
        if self.dry != Dry::No {
            for leaving in &mut leaving {
                let meta = &leaving.pod.metadata;
                let suffix = self.dry.suffix();
                cx.say(format!("evicting pod {}/{}{suffix}", meta.namespace, meta.name));
                leaving.due = None;
            }
        }
        Ok(leaving)
    }

    /// Upstream: the filters of `makeFilters`, the last word of which counts.
    fn judge(&self, pod: &Pod) -> Judgement {
        let is_on = |flag: &str| self.call.is_on(flag);
        let owner = pod.metadata.controller();
        let is_finished = pod.status.phase.is_finished();
        if owner.is_some_and(|owner| &*owner.kind == "DaemonSet") && !is_finished {
            return if is_on("ignore-daemonsets") {
                Judgement::Stays("ignoring DaemonSet-managed Pods")
            } else {
                Judgement::Forbids("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
            };
        }
        if pod.metadata.annotation("kubernetes.io/config.mirror").is_some() {
            return Judgement::Stays("");
        }
        let volumes =
            pod.spec.rest.as_ref().and_then(|rest| rest.get("volumes")).and_then(|list| list.as_array());
        let has_data = volumes.is_some_and(|list| list.iter().any(|volume| volume.get("emptyDir").is_some()));
        let mut warning = "";
        if has_data && !is_finished {
            if !is_on("delete-emptydir-data") {
                return Judgement::Forbids(
                    "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
                );
            }
            warning = "deleting Pods with local storage";
        }
        if owner.is_none() && !is_finished {
            if !is_on("force") {
                return Judgement::Forbids(
                    "cannot delete Pods that declare no controller (use --force to override)",
                );
            }
            warning = "deleting Pods that declare no controller";
        }
        Judgement::Leaves(warning)
    }

    /// Asks for the evictions that are due.
    fn evict(&self, cx: &mut Context, pods: &mut [Leaving]) -> Result<(), Vec<String>> {
        let by_eviction = !self.call.is_on("disable-eviction");
        let grace = Some(self.call.number("grace-period")).filter(|seconds| *seconds >= 0);
        for leaving in pods {
            if leaving.due.is_none_or(|due| due > cx.now()) {
                continue;
            }
            let meta = &leaving.pod.metadata;
            if by_eviction {
                cx.say(format!("evicting pod {}/{}", meta.namespace, meta.name));
                // Upstream looks at the clock only here: a drain ends with the next try after its timeout.
                if self.is_over(cx) {
                    leaving.due = None;
                    continue;
                }
            }
            let request = Request {
                method: if by_eviction { Method::Create } else { Method::Delete },
                api_version: "v1".into(),
                kind: "Pod".into(),
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                subresource: if by_eviction { "eviction".into() } else { Default::default() },
                grace_period_seconds: grace,
                ..Request::default()
            };
            let what =
                format!("error when evicting pods/{} -n {}", go_quote(&meta.name), go_quote(&meta.namespace));
            match cx.request(request) {
                Err(status) if status.reason == Reason::TooManyRequests => {
                    cx.complain(format!("{what} (will retry after 5s): {}", status.message));
                    leaving.due = Some(cx.now().plus(RETRY));
                }
                Err(status) if status.reason != Reason::NotFound => {
                    return Err(vec![format!("{what}: {}", status.message)]);
                }
                _ => leaving.due = None,
            }
        }
        Ok(())
    }

    fn is_over(&self, cx: &Context) -> bool {
        self.until.is_some_and(|until| cx.now() >= until)
    }

    fn time_out(&mut self, cx: &mut Context, node: &Object, pods: &[Leaving]) {
        let limit = change::go_duration(self.call.duration("timeout"));
        let what = |leaving: &Leaving| {
            let meta = &leaving.pod.metadata;
            let (name, namespace) = (go_quote(&meta.name), go_quote(&meta.namespace));
            format!("error when evicting pods/{name} -n {namespace}: global timeout reached: {limit}")
        };
        let errors: Vec<String> = pods.iter().map(what).collect();
        let name = go_quote(&node.metadata().name);
        cx.complain(format!(
            "There are pending pods in node {name} when an error occurred: {}",
            aggregate(&errors)
        ));
        for leaving in pods {
            cx.complain(format!("pod/{}", leaving.pod.metadata.name));
        }
        self.give_up(cx, node, errors);
    }

    fn give_up(&mut self, cx: &mut Context, node: &Object, errors: Vec<String>) {
        let name = &node.metadata().name;
        let list = aggregate(&errors);
        cx.complain(format!(
            "error: unable to drain node {} due to error: {list}, continuing command...",
            go_quote(name)
        ));
        self.left.push(name.to_string());
        self.fatal.extend(errors);
    }

    fn end(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        if self.left.is_empty() {
            return Ok(true);
        }
        cx.complain("There are pending nodes to be drained:");
        for name in &self.left {
            cx.complain(format!(" {name}"));
        }
        Err(Failure::plain(self.fatal.join("\n")))
    }
}

/// Upstream: an aggregate of errors as text.
fn aggregate(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// Whether a pod is to leave, with what is said about it.
enum Judgement {
    Leaves(&'static str),
    Stays(&'static str),
    Forbids(&'static str),
}

/// Pods by what is said about them.
#[derive(Default)]
struct Groups(Vec<(&'static str, Vec<String>)>);

impl Groups {
    fn add(&mut self, text: &'static str, pod: &Pod) {
        if text.is_empty() {
            return;
        }
        let name = pod.metadata.full_name();
        match self.0.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => self.0.push((text, vec![name])),
        }
    }
    fn lines(&self) -> Vec<String> {
        self.0.iter().map(|(text, names)| format!("{text}: {}", names.join(", "))).collect()
    }
}
