//! `kubectl logs`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go, staging/src/k8s.io/kubectl/pkg/polymorphichelpers/logsforobject.go.
//! Simplified: no container writes anything here. The lines are made from what the simulation knows of it: its start, the
//! requests that it has lately answered, its end; a first line says so.

use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::{self, flag};
use super::invocation::Invocation;
use super::print::look::{has, items, own_selector, text, time};
use super::resource::{self, Resource};
use super::verb::Verb;
use serde_json::Value;
use setpoint_api::decode::time_fault;
use setpoint_api::text::go_quote;
use setpoint_api::{Kind, ObjId, Object, Pod, Selector, Time};
use setpoint_sim::ledger::Outcome;

pub(super) static VERB: Verb = Verb {
    name: "logs",
    brief: "Print the logs for a container in a pod",
    long: "Print the logs for a container in a pod or specified resource. If the pod has only one container, the container \
           name is optional.",
    examples: "# Return snapshot logs from pod nginx with only one container\nkubectl logs nginx\n\n# Return snapshot of \
               previous terminated ruby container logs from pod web-1\nkubectl logs -p -c ruby web-1\n\n# Begin streaming \
               the logs of the ruby container in pod web-1\nkubectl logs -f -c ruby web-1\n\n# Begin streaming the logs \
               from all containers in pods defined by label app=nginx\nkubectl logs -f -l app=nginx \
               --all-containers=true\n\n# Display only the most recent 20 lines of output in pod nginx\nkubectl logs \
               --tail=20 nginx",
    usage: "kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
    flags: &[&[
        flag("all-containers", '\0', "false", "Get all containers' logs in the pod(s)."),
        flag("all-pods", '\0', "false", "Get logs from all pod(s). Sets prefix to true."),
        flag("container", 'c', "''", "Print the logs of this container"),
        flag("follow", 'f', "false", "Specify if the logs should be streamed."),
        flag(
            "ignore-errors",
            '\0',
            "false",
            "If watching / following pod logs, allow for any errors that occur to be non-fatal",
        ),
        flag("limit-bytes", '\0', "0", "Maximum bytes of logs to return. Defaults to no limit."),
        flag(
            "max-log-requests",
            '\0',
            "5",
            "Specify maximum number of concurrent logs to follow when using by a selector. Defaults to 5.",
        ),
        flag(
            "pod-running-timeout",
            '\0',
            "20s",
            "The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running",
        ),
        flag(
            "prefix",
            '\0',
            "false",
            "Prefix each log line with the log source (pod name and container name)",
        ),
        flag(
            "previous",
            'p',
            "false",
            "If true, print the logs for the previous instance of the container in a pod if it exists.",
        ),
        flag(
            "selector",
            'l',
            "''",
            "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
        ),
        flag(
            "since",
            '\0',
            "0s",
            "Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs. Only one of since-time / since may be used.",
        ),
        flag(
            "since-time",
            '\0',
            "''",
            "Only return logs after a specific date (RFC3339). Defaults to all logs. Only one of since-time / since may be used.",
        ),
        flag(
            "tail",
            '\0',
            "-1",
            "Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10, if a selector is provided.",
        ),
        flag("timestamps", '\0', "false", "Include timestamps on each line in the log output"),
    ]],
    run,
    ..Verb::NONE
};

/// What is said in front of lines that nobody has written.
const NOTE: &str = "simulated: the lines below are made from what the simulation knows of the container";

/// One container whose log is read.
#[derive(Clone)]
struct Stream {
    pod: ObjId,
    name: String,
    container: String,
}

struct Wanted {
    streams: Vec<Stream>,
    previous: bool,
    since: Option<Time>,
    tail: Option<usize>,
    with_time: bool,
    with_prefix: bool,
}

/// Upstream: `Validate`, and pkg/apis/core/validation (`ValidatePodLogOptions`).
fn check(call: &Invocation) -> Result<(), Failure> {
    if call.args.len() > 1 && call.has("container") {
        return Err(Failure::error("only one of -c or an inline [CONTAINER] arg is allowed"));
    }
    if call.args.len() > 2 {
        return Err(call.misuse("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command"));
    }
    if call.is_on("all-containers") && (call.has("container") || call.args.len() > 1) {
        let container = call.args.get(1).map_or(call.text("container"), |container| container);
        return Err(Failure::error(format!(
            "--all-containers=true should not be specified with container name {container}"
        )));
    }
    if call.number("tail") < -1 {
        return Err(Failure::error("--tail must be greater than or equal to -1"));
    }
    if call.has("limit-bytes") && call.number("limit-bytes") < 1 {
        return Err(Failure::error("--limit-bytes must be greater than 0"));
    }
    if flag::duration(call.text("since")).unwrap_or(0) != 0 && call.has("since-time") {
        return Err(Failure::error("at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    Ok(())
}

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    check(call)?;
    let since = match (flag::duration(call.text("since")).unwrap_or(0), call.text("since-time")) {
        (0, "") => None,
        (0, at) => {
            let why = || format!("parsing time {}{}", go_quote(at), time_fault(at));
            Some(Time::parse_rfc3339(at).ok_or_else(|| Failure::error(why()))?)
        }
        (back, _) => Some(cx.now().plus(-back)),
    };
    let pods = pods(cx, call)?;
    let mut streams = Vec::new();
    let by_selector = call.has("selector");
    for pod in &pods {
        streams.extend(containers(cx, call, pod, pods.len() == 1)?);
    }
    let limit = usize::try_from(call.number("max-log-requests")).unwrap_or(0);
    if call.is_on("follow") && streams.len() > limit.max(1) {
        return Err(Failure::error(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {limit}, use \
             --max-log-requests to increase the limit",
            streams.len()
        )));
    }
    if streams.is_empty() && by_selector {
        cx.complain(format!("No resources found in {} namespace.", cx.namespace));
        return Ok(());
    }
    let tail = usize::try_from(call.number("tail")).ok();
    let mut wanted = Wanted {
        streams,
        previous: call.is_on("previous"),
        since,
        tail: tail.or(if by_selector && !call.has("tail") { Some(10) } else { None }),
        with_time: call.is_on("timestamps"),
        with_prefix: call.is_on("prefix") || call.is_on("all-pods"),
    };
    for (index, stream) in wanted.streams.clone().iter().enumerate() {
        wanted.print(cx, stream, index == 0)?;
    }
    if call.is_on("follow") {
        let told = cx.now();
        wanted.tail = None;
        cx.go_on(Following { wanted, told });
    }
    Ok(())
}

/// The pods whose logs are wanted: by name, by a workload, by labels.
fn pods(cx: &mut Context, call: &Invocation) -> Result<Vec<Value>, Failure> {
    let all = |cx: &Context, selector: &Selector| {
        let pods = cx.store().pods_matching(&cx.namespace, selector);
        let mut values: Vec<Value> = pods.iter().map(|pod| Object::Pod((*pod).clone()).to_value()).collect();
        values.sort_by(|a, b| text(a, "/metadata/name").cmp(text(b, "/metadata/name")));
        values
    };
    if call.has("selector") {
        if !call.args.is_empty() {
            return Err(call.misuse("only a selector (-l) or a POD name is allowed"));
        }
        let selector = Selector::parse(call.text("selector")).map_err(Failure::error)?;
        return Ok(all(cx, &selector));
    }
    let Some(first) = call.args.first() else {
        return Err(call.misuse("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command"));
    };
    if !first.contains('/') {
        let found = cx.value_of(Kind::Pod, &cx.namespace, first);
        let missing = || {
            let (name, namespace) = (go_quote(first), go_quote(&cx.namespace));
            Failure::plain(format!(
                "error: error from server (NotFound): pods {name} not found in namespace {namespace}"
            ))
        };
        return Ok(vec![found.ok_or_else(missing)?]);
    }
    let targets = resource::targets(cx, std::slice::from_ref(first))?;
    let Some(target) = targets.into_iter().next() else { return Ok(Vec::new()) };
    let name = target.name.as_deref().unwrap_or("");
    let object = cx.object(&target.resource, name).map_err(|_| {
        let (name, namespace) = (go_quote(name), go_quote(&cx.namespace));
        Failure::error(format!(
            "error from server (NotFound): {} {name} not found in namespace {namespace}",
            target.resource.full_name()
        ))
    })?;
    if target.resource.model == Kind::Pod {
        return Ok(vec![object.to_value()]);
    }
    let selector = selector_of(&target.resource, &object.to_value())?;
    let found = all(cx, &selector);
    if found.len() > 1 && !call.is_on("all-pods") {
        let names: Vec<String> =
            found.iter().map(|pod| format!("pod/{}", text(pod, "/metadata/name"))).collect();
        cx.complain(format!("Found {} pods, using {}", found.len(), names.first().map_or("", |name| name)));
        return Ok(found.into_iter().take(1).collect());
    }
    Ok(found)
}

/// The labels of a workload's pods.
fn selector_of(resource: &Resource, object: &Value) -> Result<Selector, Failure> {
    let text = own_selector(object, "/spec/selector");
    if text == "<none>" {
        let of = resource.go_type();
        return Err(Failure::error(format!(
            "cannot get the logs from {of}: selector for {of} not implemented"
        )));
    }
    Selector::parse(&text).map_err(Failure::error)
}

/// The containers of a pod whose logs are wanted.
fn containers(
    cx: &mut Context,
    call: &Invocation,
    pod: &Value,
    is_only: bool,
) -> Result<Vec<Stream>, Failure> {
    let name = text(pod, "/metadata/name").to_owned();
    let id = cx.store().id_of(Kind::Pod, text(pod, "/metadata/namespace"), &name).unwrap_or_default();
    let names = |path: &str| {
        items(pod, path).iter().map(|container| text(container, "/name").to_owned()).collect::<Vec<_>>()
    };
    let (own, init) = (names("/spec/containers"), names("/spec/initContainers"));
    let stream = |container: String| Stream { pod: id, name: name.clone(), container };
    if call.is_on("all-containers") {
        return Ok(init.into_iter().chain(own).map(stream).collect());
    }
    let asked = call.args.get(1).map_or(call.text("container"), |container| container);
    if !asked.is_empty() {
        if own.iter().chain(&init).any(|container| container == asked) {
            return Ok(vec![stream(asked.to_owned())]);
        }
        return Err(Failure::error(format!("container {asked} is not valid for pod {name}")));
    }
    if own.len() > 1 && is_only {
        let first = own.first().cloned().unwrap_or_default();
        let others = own.iter().chain(&init).cloned().collect::<Vec<_>>().join(", ");
        cx.complain(format!("Defaulted container {} out of: {others}", go_quote(&first)));
    }
    Ok(own.into_iter().take(1).map(stream).collect())
}

impl Wanted {
    /// Prints what a container has written so far.
    fn print(&self, cx: &mut Context, stream: &Stream, is_first: bool) -> Result<(), Failure> {
        let Some(pod) = cx.store().get::<Pod>(stream.pod).cloned() else { return Ok(()) };
        let value = Object::Pod(pod).to_value();
        let mut lines = lines(cx, &value, stream, self.previous)?;
        lines.retain(|(at, _)| self.since.is_none_or(|since| *at >= since));
        if let Some(tail) = self.tail {
            lines.drain(..lines.len().saturating_sub(tail));
        }
        if is_first {
            cx.complain(NOTE);
        }
        for (at, line) in lines {
            self.say(cx, stream, at, &line);
        }
        Ok(())
    }
    fn say(&self, cx: &mut Context, stream: &Stream, at: Time, line: &str) {
        let prefix = if self.with_prefix {
            format!("[pod/{}/{}] ", stream.name, stream.container)
        } else {
            String::new()
        };
        let stamp = if self.with_time { at.to_rfc3339(6).replace('Z', "000Z ") } else { String::new() };
        cx.say(format!("{prefix}{stamp}{line}"));
    }
}

/// The lines of a container, oldest first.
fn lines(cx: &Context, pod: &Value, stream: &Stream, previous: bool) -> Result<Vec<(Time, String)>, Failure> {
    let refused = |why: String| Failure::plain(format!("Error from server (BadRequest): {why}"));
    let (name, container) = (&stream.name, &stream.container);
    let mut statuses =
        items(pod, "/status/containerStatuses").iter().chain(items(pod, "/status/initContainerStatuses"));
    let status = statuses.find(|status| text(status, "/name") == container.as_str());
    let waiting = |why: &str| {
        refused(format!(
            "container {} in pod {} is waiting to start: {why}",
            go_quote(container),
            go_quote(name)
        ))
    };
    let Some(status) = status else {
        return Err(match text(pod, "/spec/nodeName") {
            "" => refused(format!("pod {name} does not have a host assigned")),
            _ => waiting("ContainerCreating"),
        });
    };
    let node = text(pod, "/spec/nodeName");
    if let Some(refusal) = cx.refusal(node) {
        let address = text(pod, "/status/hostIP");
        let namespace = text(pod, "/metadata/namespace");
        return Err(Failure::plain(format!(
            "Error from server: Get \"https://{address}:10250/containerLogs/{namespace}/{name}/{container}\": dial tcp \
             {address}:10250: connect: {refusal}"
        )));
    }
    let (state, life) = if previous { ("/lastState", "previous terminated ") } else { ("/state", "") };
    let ended = has(status, &format!("{state}/terminated"));
    let part = |part: &str| format!("{state}/{}/{part}", if ended { "terminated" } else { "running" });
    let Some(start) = time(status, &part("startedAt")) else {
        if previous {
            return Err(refused(format!(
                "{life}container {} in pod {} not found",
                go_quote(container),
                go_quote(name)
            )));
        }
        // A container that waits for its next start still has the log of its last one.
        if has(status, "/lastState/terminated") {
            return lines(cx, pod, stream, true);
        }
        let why = text(status, "/state/waiting/reason");
        return Err(waiting(match why {
            "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
            why => why,
        }));
    };
    let end = if ended { time(status, &part("finishedAt")) } else { None };
    let mut lines = vec![(start, format!("{container}: started, image {}", text(status, "/image")))];
    lines.extend(requests(cx, stream.pod, start, end));
    if let Some(end) = end {
        let code = super::print::look::int(status, &part("exitCode"));
        lines.push((end, format!("{container}: {}", ending(code, text(status, &part("reason"))))));
    }
    Ok(lines)
}

fn ending(code: i64, reason: &str) -> String {
    match code {
        0 => "done".into(),
        137 => "killed (signal 9)".into(),
        143 => "terminated (signal 15)".into(),
        code => format!("fatal: {}, exit code {code}", super::print::look::or(reason, "Error")),
    }
}

/// The newest requests that a pod has answered.
fn requests(cx: &Context, pod: ObjId, start: Time, end: Option<Time>) -> Vec<(Time, String)> {
    let is_own = |request: &&setpoint_sim::ledger::Request| {
        request.pod == Some(pod)
            && request.ended >= start
            && end.is_none_or(|end| request.ended <= end)
            && matches!(
                request.outcome,
                Outcome::Served | Outcome::Error | Outcome::TooSlow | Outcome::Overloaded
            )
    };
    let line = |request: &setpoint_sim::ledger::Request| {
        let code = match request.outcome {
            Outcome::Served | Outcome::TooSlow => 200,
            Outcome::Overloaded => 503,
            _ => 500,
        };
        let took = request.ended.since(request.sent) / 1000;
        (request.ended, format!("GET / HTTP/1.1 {code} {took}ms request={}", request.id))
    };
    let mut lines: Vec<_> = cx.session.sim().ledger().recent().filter(is_own).map(line).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines
}

struct Following {
    wanted: Wanted,
    told: Time,
}

impl Ongoing for Following {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        let now = cx.now();
        let told = std::mem::replace(&mut self.told, now);
        let mut is_over = true;
        for stream in self.wanted.streams.clone() {
            let Some(pod) = cx.store().get::<Pod>(stream.pod).cloned() else { continue };
            let value = Object::Pod(pod).to_value();
            let Ok(lines) = lines(cx, &value, &stream, false) else { continue };
            for (at, line) in lines.into_iter().filter(|(at, _)| *at > told && *at <= now) {
                self.wanted.say(cx, &stream, at, &line);
            }
            let statuses = items(&value, "/status/containerStatuses");
            let is_ended = |status: &&Value| {
                text(status, "/name") == stream.container && has(status, "/state/terminated")
            };
            is_over &= statuses.iter().any(|status| is_ended(&status));
        }
        Ok(is_over)
    }
}
