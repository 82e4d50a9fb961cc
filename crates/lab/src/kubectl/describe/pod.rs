//! Pods and their templates, described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go (`describePod`, `DescribePodTemplate`, `describeContainers`).

use super::text::{Text, date, yes};
use super::volumes::volumes;
use crate::kubectl::print::look::{at, entries, has, int, is, items, or, plain, text, time};
use serde_json::Value;
use setpoint_api::duration::human_duration;
use setpoint_api::text::go_quote;

pub(super) fn describe(out: &mut Text, pod: &Value, events: Option<&[Value]>) {
    out.name(pod);
    if has(pod, "/spec/priority") {
        out.field(0, "Priority", int(pod, "/spec/priority").to_string());
    }
    let field = |out: &mut Text, name: &str, path: &str| {
        if !text(pod, path).is_empty() {
            out.field(0, name, text(pod, path));
        }
    };
    field(out, "Priority Class Name", "/spec/priorityClassName");
    field(out, "Runtime Class Name", "/spec/runtimeClassName");
    field(out, "Service Account", "/spec/serviceAccountName");
    match text(pod, "/spec/nodeName") {
        "" => out.field(0, "Node", "<none>"),
        node => out.field(0, "Node", format!("{node}/{}", text(pod, "/status/hostIP"))),
    }
    if has(pod, "/status/startTime") {
        out.field(0, "Start Time", date(pod, "/status/startTime"));
    }
    out.labels(pod);
    status(out, pod);
    field(out, "Reason", "/status/reason");
    field(out, "Message", "/status/message");
    field(out, "SeccompProfile", "/spec/securityContext/seccompProfile/type");
    out.field(0, "IP", text(pod, "/status/podIP"));
    match items(pod, "/status/podIPs") {
        [] => out.field(0, "IPs", "<none>"),
        ips => {
            out.line(0, "IPs:");
            for ip in ips {
                out.field(1, "IP", text(ip, "/ip"));
            }
        }
    }
    out.owner(pod);
    field(out, "NominatedNodeName", "/status/nominatedNodeName");
    containers(out, "Init Containers", pod, "/spec/initContainers", "/status/initContainerStatuses", "");
    containers(out, "Containers", pod, "/spec/containers", "/status/containerStatuses", "");
    gates(out, pod);
    conditions(out, pod);
    volumes(out, items(pod, "/spec/volumes"), "");
    field(out, "QoS Class", "/status/qosClass");
    out.map("Node-Selectors", pod, "/spec/nodeSelector");
    out.tolerations("Tolerations", pod, "/spec/tolerations");
    spread(out, pod, "");
    out.events(events);
}

fn status(out: &mut Text, pod: &Value) {
    let phase = text(pod, "/status/phase");
    if has(pod, "/metadata/deletionTimestamp") && !matches!(phase, "Failed" | "Succeeded") {
        let ends = time(pod, "/metadata/deletionTimestamp").unwrap_or_default();
        out.field(0, "Status", format!("Terminating (lasts {})", human_duration(out.now.since(ends))));
        let grace = int(pod, "/metadata/deletionGracePeriodSeconds");
        out.field(0, "Termination Grace Period", format!("{grace}s"));
    } else {
        out.field(0, "Status", phase);
    }
}

fn gates(out: &mut Text, pod: &Value) {
    let gates = items(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return;
    }
    out.line(0, "Readiness Gates:");
    out.line(1, "Type\tStatus");
    for gate in gates {
        let kind = text(gate, "/conditionType");
        let condition = items(pod, "/status/conditions").iter().find(|condition| condition["type"] == kind);
        let status = condition.map_or("<none>", |condition| text(condition, "/status"));
        out.line(1, format!("{kind} \t{status} "));
    }
}

fn conditions(out: &mut Text, pod: &Value) {
    let conditions = items(pod, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus");
    for condition in conditions {
        out.line(1, format!("{} \t{} ", text(condition, "/type"), text(condition, "/status")));
    }
}

/// The template of a workload.
pub(super) fn template(out: &mut Text, object: &Value, path: &str) {
    let template = at(object, path);
    out.line(0, "Pod Template:");
    if template.is_null() {
        out.line(1, "<unset>");
        return;
    }
    out.map("  Labels", template, "/metadata/labels");
    if !entries(template, "/metadata/annotations").is_empty() {
        out.annotations("  Annotations", template, "/metadata/annotations");
    }
    let account = text(template, "/spec/serviceAccountName");
    if !account.is_empty() {
        out.field(1, "Service Account", account);
    }
    containers(out, "Init Containers", template, "/spec/initContainers", "", "  ");
    containers(out, "Containers", template, "/spec/containers", "", "  ");
    volumes(out, items(template, "/spec/volumes"), "  ");
    spread(out, template, "  ");
    let class = text(template, "/spec/priorityClassName");
    if !class.is_empty() {
        out.field(1, "Priority Class Name", class);
    }
    out.map("  Node-Selectors", template, "/spec/nodeSelector");
    out.tolerations("  Tolerations", template, "/spec/tolerations");
}

fn containers(out: &mut Text, title: &str, of: &Value, path: &str, statuses: &str, space: &str) {
    let containers = items(of, path);
    if containers.is_empty() {
        return;
    }
    let indent = if space.is_empty() { "" } else { " " };
    out.line(0, format!("{space}{title}:"));
    for container in containers {
        let name = text(container, "/name");
        let status = items(of, statuses).iter().find(|status| status["name"] == name && !statuses.is_empty());
        out.line(1, format!("{indent}{name}:"));
        identity(out, container, status);
        for (title, path) in [("Command", "/command"), ("Args", "/args")] {
            let words = items(container, path);
            if !words.is_empty() {
                out.line(2, format!("{title}:"));
            }
            for line in words.iter().filter_map(Value::as_str).flat_map(|word| word.split('\n')) {
                out.line(3, line);
            }
        }
        if let Some(status) = status {
            states(out, status);
        }
        for (title, path) in [("Limits", "/resources/limits"), ("Requests", "/resources/requests")] {
            let amounts = entries(container, path);
            if !amounts.is_empty() {
                out.line(2, format!("{title}:"));
            }
            for (name, amount) in amounts {
                out.field(3, name, plain(amount));
            }
        }
        for (title, path) in
            [("Liveness", "/livenessProbe"), ("Readiness", "/readinessProbe"), ("Startup", "/startupProbe")]
        {
            if has(container, path) {
                out.field(2, title, probe(at(container, path)));
            }
        }
        environment(out, container, of);
        mounts(out, container);
    }
}

fn identity(out: &mut Text, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        out.field(2, "Container ID", text(status, "/containerID"));
    }
    out.field(2, "Image", text(container, "/image"));
    if let Some(status) = status {
        out.field(2, "Image ID", text(status, "/imageID"));
    }
    for (title, path) in [("Port", "/containerPort"), ("Host Port", "/hostPort")] {
        let ports = items(container, "/ports").iter();
        let ports: Vec<String> =
            ports.map(|port| format!("{}/{}", int(port, path), or(text(port, "/protocol"), "TCP"))).collect();
        let plural = if ports.len() > 1 { "s" } else { "" };
        out.field(2, &format!("{title}{plural}"), or(&ports.join(", "), "<none>"));
    }
}

fn states(out: &mut Text, status: &Value) {
    state(out, "State", at(status, "/state"));
    if has(status, "/lastState/terminated") {
        state(out, "Last State", at(status, "/lastState"));
    }
    out.field(2, "Ready", yes(is(status, "/ready")));
    out.field(2, "Restart Count", int(status, "/restartCount").to_string());
}

fn state(out: &mut Text, title: &str, state: &Value) {
    let word = |out: &mut Text, name: &str, path: &str| {
        if !text(state, path).is_empty() {
            out.field(3, name, text(state, path));
        }
    };
    if has(state, "/running") {
        out.field(2, title, "Running");
        out.field(3, "Started", date(state, "/running/startedAt"));
    } else if has(state, "/terminated") {
        out.field(2, title, "Terminated");
        word(out, "Reason", "/terminated/reason");
        word(out, "Message", "/terminated/message");
        out.field(3, "Exit Code", int(state, "/terminated/exitCode").to_string());
        let signal = int(state, "/terminated/signal");
        if signal > 0 {
            out.field(3, "Signal", signal.to_string());
        }
        out.field(3, "Started", date(state, "/terminated/startedAt"));
        out.field(3, "Finished", date(state, "/terminated/finishedAt"));
    } else {
        out.field(2, title, "Waiting");
        word(out, "Reason", "/waiting/reason");
    }
}

/// A probe in one line.
fn probe(probe: &Value) -> String {
    let number = |path: &str, absent: i64| at(probe, path).as_i64().unwrap_or(absent);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("/initialDelaySeconds", 0),
        number("/timeoutSeconds", 1),
        number("/periodSeconds", 10),
        number("/successThreshold", 1),
        number("/failureThreshold", 3)
    );
    let port = |of: &str| plain(at(probe, &format!("{of}/port")));
    let how = if has(probe, "/exec") {
        let words: Vec<&str> = items(probe, "/exec/command").iter().filter_map(Value::as_str).collect();
        format!("exec [{}]", words.join(" "))
    } else if has(probe, "/httpGet") {
        let scheme = or(text(probe, "/httpGet/scheme"), "HTTP").to_lowercase();
        let (host, path) = (text(probe, "/httpGet/host"), text(probe, "/httpGet/path"));
        format!("http-get {scheme}://{host}:{}{path}", port("/httpGet"))
    } else if has(probe, "/tcpSocket") {
        format!("tcp-socket {}:{}", text(probe, "/tcpSocket/host"), port("/tcpSocket"))
    } else if has(probe, "/grpc") {
        format!("grpc <pod>:{} {}", port("/grpc"), text(probe, "/grpc/service"))
    } else {
        "unknown".into()
    };
    format!("{how} {attributes}")
}

fn environment(out: &mut Text, container: &Value, pod: &Value) {
    let sources = items(container, "/envFrom");
    if !sources.is_empty() {
        out.line(2, "Environment Variables from:");
    }
    for source in sources {
        let (kind, path) =
            if has(source, "/secretRef") { ("Secret", "/secretRef") } else { ("ConfigMap", "/configMapRef") };
        let from = at(source, path);
        let prefix = match text(source, "/prefix") {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        out.line(3, format!("{}\t{kind}{prefix}\tOptional: {}", text(from, "/name"), is(from, "/optional")));
    }
    let variables = items(container, "/env");
    if variables.is_empty() {
        out.line(2, "Environment:\t<none>");
        return;
    }
    out.line(2, "Environment:");
    for variable in variables {
        let name = text(variable, "/name");
        let from = at(variable, "/valueFrom");
        if from.is_null() {
            let mut start = format!("{name}:");
            for line in text(variable, "/value").split('\n') {
                out.line(3, format!("{start}\t{line}"));
                start.clear();
            }
        } else {
            out.line(3, format!("{name}:\t{}", value_from(from, pod, container)));
        }
    }
}

fn value_from(from: &Value, pod: &Value, container: &Value) -> String {
    let key = |path: &str| {
        (
            text(from, &format!("{path}/key")),
            text(from, &format!("{path}/name")),
            is(from, &format!("{path}/optional")),
        )
    };
    if has(from, "/fieldRef") {
        let path = text(from, "/fieldRef/fieldPath");
        let version = or(text(from, "/fieldRef/apiVersion"), "v1");
        return format!("{} ({version}:{path})", field_of(pod, path));
    }
    if has(from, "/resourceFieldRef") {
        let resource = text(from, "/resourceFieldRef/resource");
        let (list, name) = resource.split_once('.').unwrap_or(("", resource));
        let amount = plain(at(container, &format!("/resources/{list}/{name}")));
        let amount =
            if amount.is_empty() && list == "limits" { "node allocatable" } else { or(&amount, "0") };
        return format!("{amount} ({resource})");
    }
    if has(from, "/secretKeyRef") {
        let (key, name, optional) = key("/secretKeyRef");
        return format!("<set to the key '{key}' in secret '{name}'>\tOptional: {optional}");
    }
    let (key, name, optional) = key("/configMapKeyRef");
    format!("<set to the key '{key}' of config map '{name}'>\tOptional: {optional}")
}

/// A field of a pod that a variable may take its value from. A template has none of its own.
pub(in crate::kubectl) fn field_of(pod: &Value, path: &str) -> String {
    let map = |map: &str, rest: &str| {
        let key = rest.trim_start_matches(['[', '\'', '"']).trim_end_matches([']', '\'', '"']);
        entries(pod, map)
            .into_iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| plain(value))
            .unwrap_or_default()
    };
    if let Some(rest) = path.strip_prefix("metadata.labels") {
        return map("/metadata/labels", rest);
    }
    if let Some(rest) = path.strip_prefix("metadata.annotations") {
        return map("/metadata/annotations", rest);
    }
    plain(at(pod, &format!("/{}", path.replace('.', "/"))))
}

fn mounts(out: &mut Text, container: &Value) {
    let mut mounts: Vec<&Value> = items(container, "/volumeMounts").iter().collect();
    if mounts.is_empty() {
        out.line(2, "Mounts:\t<none>");
        return;
    }
    out.line(2, "Mounts:");
    mounts.sort_by(|a, b| text(a, "/mountPath").cmp(text(b, "/mountPath")));
    for mount in mounts {
        let mut flags = if is(mount, "/readOnly") { "ro".to_owned() } else { "rw".to_owned() };
        let sub = text(mount, "/subPath");
        if !sub.is_empty() {
            flags.push_str(&format!(",path={}", go_quote(sub)));
        }
        out.line(3, format!("{} from {} ({flags})", text(mount, "/mountPath"), text(mount, "/name")));
    }
}

fn spread(out: &mut Text, of: &Value, space: &str) {
    let mut rules: Vec<&Value> = items(of, "/spec/topologySpreadConstraints").iter().collect();
    rules.sort_by(|a, b| text(a, "/topologyKey").cmp(text(b, "/topologyKey")));
    for (index, rule) in rules.into_iter().enumerate() {
        let start = if index == 0 { format!("{space}Topology Spread Constraints:\t") } else { "\t".into() };
        let (key, action) = (text(rule, "/topologyKey"), text(rule, "/whenUnsatisfiable"));
        let mut line = format!("{start}{key}:{action} when max skew {} is exceeded", int(rule, "/maxSkew"));
        if has(rule, "/labelSelector") {
            let selector = crate::kubectl::print::look::selector(rule, "/labelSelector");
            line.push_str(&format!(" for selector {selector}"));
        }
        out.line(0, line);
    }
}
