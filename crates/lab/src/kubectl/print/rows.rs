//! The cells of `kubectl get`, one row per object.
//!
//! Upstream: pkg/printers/internalversion/printers.go.
//! Simplified: resource claims have a name and an age alone.

use super::look::{
    at, entries, has, int, is, is_true, items, labels, or, own_selector, plain, selector, since, text, time,
};
use super::{autoscaler, network, pod, storage};
use serde_json::Value;
use setpoint_api::Time;
use setpoint_api::duration::human_duration;

/// How old an object is.
pub(super) fn age(object: &Value, now: Time) -> String {
    since(time(object, "/metadata/creationTimestamp"), now)
}

/// All cells of an object, in the order of its kind's columns, those of `-o wide` included.
pub fn cells(kind: &str, object: &Value, now: Time) -> Vec<String> {
    match kind {
        "Pod" => return pod::cells(object, now),
        "Event" => return event(object, now),
        _ => {}
    }
    let mut name = text(object, "/metadata/name").to_owned();
    if is_default_class(object) {
        name.push_str(" (default)");
    }
    let mut cells = vec![name];
    let age = age(object, now);
    cells.extend(workload(kind, object, &age, now).unwrap_or_else(|| other(kind, object, age)));
    cells
}

/// The cells of nodes and of what runs pods, after the name.
fn workload(kind: &str, object: &Value, age: &str, now: Time) -> Option<Vec<String>> {
    let age = age.to_owned();
    let count = |path: &str| int(object, path).to_string();
    Some(match kind {
        "Node" => node(object, age),
        "Deployment" => with_template(
            object,
            "/spec/template",
            vec![ready(object), count("/status/updatedReplicas"), count("/status/availableReplicas"), age],
        ),
        "ReplicaSet" | "ReplicationController" => {
            let counts = ["/spec/replicas", "/status/replicas", "/status/readyReplicas"].map(count);
            with_template(object, "/spec/template", counts.into_iter().chain([age]).collect())
        }
        "StatefulSet" => {
            let mut cells = with_template(object, "/spec/template", vec![ready(object), age]);
            cells.pop();
            cells
        }
        "DaemonSet" => {
            let counts =
                ["desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled"];
            let mut cells: Vec<String> =
                counts.iter().map(|name| count(&format!("/status/{name}"))).collect();
            cells.push(count("/status/numberAvailable"));
            cells.extend([labels(object, "/spec/template/spec/nodeSelector"), age]);
            with_template(object, "/spec/template", cells)
        }
        "Job" => with_template(
            object,
            "/spec/template",
            vec![job_status(object), completions(object), job_duration(object, now), age],
        ),
        "CronJob" => cron_job(object, age, now),
        _ => return None,
    })
}

/// The cells of the other kinds, after the name.
fn other(kind: &str, object: &Value, age: String) -> Vec<String> {
    let count = |path: &str| int(object, path).to_string();
    let word = |path: &str| text(object, path).to_owned();
    match kind {
        "Service" | "Ingress" | "IngressClass" | "Endpoints" | "EndpointSlice" => {
            network::cells(kind, object, age)
        }
        "HorizontalPodAutoscaler" => autoscaler::cells(object, age),
        "PersistentVolume" | "PersistentVolumeClaim" | "StorageClass" | "VolumeAttachment" => {
            storage::cells(kind, object, age)
        }
        "Namespace" => vec![word("/status/phase"), age],
        "Secret" => vec![word("/type"), entries(object, "/data").len().to_string(), age],
        "ConfigMap" => {
            vec![(entries(object, "/data").len() + entries(object, "/binaryData").len()).to_string(), age]
        }
        "PodDisruptionBudget" => {
            let number = |path: &str| or(&plain(at(object, path)), "N/A").to_owned();
            vec![
                number("/spec/minAvailable"),
                number("/spec/maxUnavailable"),
                count("/status/disruptionsAllowed"),
                age,
            ]
        }
        "NetworkPolicy" => vec![selector(object, "/spec/podSelector"), age],
        "RoleBinding" | "ClusterRoleBinding" => role_binding(object, age),
        "Role" | "ClusterRole" | "LimitRange" | "CustomResourceDefinition" => {
            vec![word("/metadata/creationTimestamp")]
        }
        "Lease" => vec![word("/spec/holderIdentity"), age],
        "PriorityClass" => {
            let mut cells = vec![count("/value"), is(object, "/globalDefault").to_string(), age];
            cells.extend(Some(word("/preemptionPolicy")).filter(|policy| !policy.is_empty()));
            cells
        }
        "CertificateSigningRequest" => {
            let seconds = at(object, "/spec/expirationSeconds").as_i64();
            let duration = seconds.map(|seconds| human_duration(seconds.saturating_mul(1_000_000)));
            let conditions = items(object, "/status/conditions").iter();
            let kinds: Vec<&str> = conditions.map(|condition| text(condition, "/type")).collect();
            let mut condition: Vec<&str> =
                ["Approved", "Denied", "Failed"].into_iter().filter(|kind| kinds.contains(kind)).collect();
            if !text(object, "/status/certificate").is_empty() {
                condition.push("Issued");
            }
            vec![
                age,
                word("/spec/signerName"),
                word("/spec/username"),
                duration.unwrap_or_else(|| "<none>".to_owned()),
                if condition.is_empty() { "Pending".to_owned() } else { condition.join(",") },
            ]
        }
        "Scale" => vec![count("/spec/replicas"), count("/status/replicas"), age],
        "ControllerRevision" => vec![controller(object), count("/revision"), age],
        "ResourceQuota" => quota(object, age),
        "ComponentStatus" => {
            let healthy =
                items(object, "/conditions").iter().find(|condition| condition["type"] == "Healthy");
            let of = |path: &str| healthy.map_or("", |condition| text(condition, path)).to_owned();
            vec![
                if of("/status") == "True" { "Healthy" } else { "Unhealthy" }.to_owned(),
                of("/message"),
                of("/error"),
            ]
        }
        "PodTemplate" => {
            let mut cells = with_template(object, "/template", Vec::new());
            cells.pop();
            cells.push(labels(object, "/template/metadata/labels"));
            cells
        }
        _ => vec![age],
    }
}

fn ready(object: &Value) -> String {
    format!("{}/{}", int(object, "/status/readyReplicas"), int(object, "/spec/replicas"))
}

/// Cells with the containers, images and selector of `-o wide`.
fn with_template(object: &Value, template: &str, mut cells: Vec<String>) -> Vec<String> {
    let containers = items(object, &format!("{template}/spec/containers"));
    let each =
        |path: &str| containers.iter().map(|container| text(container, path)).collect::<Vec<_>>().join(",");
    cells.extend([each("/name"), each("/image")]);
    let spec = template.rsplit_once('/').map_or("", |(spec, _)| spec);
    cells.push(own_selector(object, &format!("{spec}/selector")));
    cells
}

fn node(object: &Value, age: String) -> Vec<String> {
    let ready = items(object, "/status/conditions").iter().find(|condition| condition["type"] == "Ready");
    let mut status = match ready {
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if is(object, "/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let address = |kind: &str| {
        let addresses = items(object, "/status/addresses");
        let found = addresses.iter().find(|address| address["type"] == kind);
        found.map_or("<none>", |address| text(address, "/address")).to_owned()
    };
    let info = |name: &str| or(text(object, &format!("/status/nodeInfo/{name}")), "<unknown>").to_owned();
    let mut kernel = info("kernelVersion");
    let architecture = text(object, "/status/nodeInfo/architecture");
    if !architecture.is_empty() {
        kernel.push_str(&format!(" ({architecture})"));
    }
    vec![
        status,
        roles(object),
        age,
        text(object, "/status/nodeInfo/kubeletVersion").to_owned(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        kernel,
        info("containerRuntimeVersion"),
    ]
}

/// The roles that a node's labels give it.
pub fn roles(node: &Value) -> String {
    let role = |(key, value): (&str, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => Some(plain(value)),
        None => None,
    };
    let labels = entries(node, "/metadata/labels");
    let mut roles: Vec<String> =
        labels.into_iter().filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { "<none>".into() } else { roles.join(",") }
}

fn event(object: &Value, now: Time) -> Vec<String> {
    let at_micro = |path: &str| since(time(object, path), now);
    let first = match time(object, "/firstTimestamp") {
        None => at_micro("/eventTime"),
        first => since(first, now),
    };
    let mut last = match time(object, "/lastTimestamp") {
        None => first.clone(),
        last => since(last, now),
    };
    let mut count = int(object, "/count").max(1);
    if has(object, "/series") {
        last = at_micro("/series/lastObservedTime");
        count = int(object, "/series/count");
    }
    let (kind, name) = (text(object, "/involvedObject/kind"), text(object, "/involvedObject/name"));
    let mut target = kind.to_lowercase();
    if !name.is_empty() {
        target.extend(["/", name]);
    }
    let (component, host) = event_source(object);
    let source = if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") };
    let word = |path: &str| text(object, path).to_owned();
    vec![
        last,
        word("/type"),
        word("/reason"),
        target,
        word("/involvedObject/fieldPath"),
        source,
        text(object, "/message").trim().to_owned(),
        first,
        count.to_string(),
        word("/metadata/name"),
    ]
}

/// Who says an event, and where it is.
pub fn event_source(event: &Value) -> (&str, &str) {
    let component = or(text(event, "/source/component"), text(event, "/reportingComponent"));
    (component, or(text(event, "/source/host"), text(event, "/reportingInstance")))
}

fn job_status(object: &Value) -> String {
    let words = [("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating")];
    let more = [
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ];
    let is_so = |(condition, _): &&(&str, &str)| match *condition {
        "" => has(object, "/metadata/deletionTimestamp"),
        condition => is_true(object, condition),
    };
    words.iter().chain(&more).find(is_so).map_or("Running", |(_, word)| word).to_owned()
}

fn completions(object: &Value) -> String {
    let done = int(object, "/status/succeeded");
    let parallelism = int(object, "/spec/parallelism");
    match at(object, "/spec/completions").as_i64() {
        Some(wanted) => format!("{done}/{wanted}"),
        None if parallelism > 1 => format!("{done}/1 of {parallelism}"),
        None => format!("{done}/1"),
    }
}

fn job_duration(object: &Value, now: Time) -> String {
    let start = time(object, "/status/startTime");
    let end = time(object, "/status/completionTime").unwrap_or(now);
    start.map_or_else(String::new, |start| human_duration(end.since(start)))
}

fn cron_job(object: &Value, age: String, now: Time) -> Vec<String> {
    let suspend = match at(object, "/spec/suspend") {
        Value::Bool(true) => "True",
        Value::Bool(false) => "False",
        _ => "<unset>",
    };
    let last = time(object, "/status/lastScheduleTime");
    let cells = vec![
        text(object, "/spec/schedule").to_owned(),
        or(text(object, "/spec/timeZone"), "<none>").to_owned(),
        suspend.to_owned(),
        items(object, "/status/active").len().to_string(),
        last.map_or_else(|| "<none>".into(), |last| human_duration(now.since(last))),
        age,
    ];
    with_template(object, "/spec/jobTemplate/spec/template", cells)
}

fn role_binding(object: &Value, age: String) -> Vec<String> {
    let of_kind = |kind: &str| {
        let subjects = items(object, "/subjects").iter().filter(|subject| subject["kind"] == kind);
        let name = |subject: &Value| match text(subject, "/namespace") {
            "" => text(subject, "/name").to_owned(),
            namespace => format!("{namespace}/{}", text(subject, "/name")),
        };
        subjects.map(name).collect::<Vec<_>>().join(", ")
    };
    let role = format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"));
    vec![role, age, of_kind("User"), of_kind("Group"), of_kind("ServiceAccount")]
}

/// `deployment.apps/web`, the controlling owner.
fn controller(object: &Value) -> String {
    let owners = items(object, "/metadata/ownerReferences");
    let owner = owners.iter().find(|owner| is(owner, "/controller"));
    owner.map_or_else(
        || "<none>".into(),
        |owner| {
            let kind = text(owner, "/kind").to_lowercase();
            let group = text(owner, "/apiVersion").split_once('/').map(|(group, _)| format!(".{group}"));
            format!("{kind}{}/{}", group.unwrap_or_default(), text(owner, "/name"))
        },
    )
}

fn quota(object: &Value, age: String) -> Vec<String> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (name, hard) in entries(object, "/status/hard") {
        let used = plain(at(object, &format!("/status/used/{}", name.replace('/', "~1"))));
        let line = format!("{name}: {}/{}", or(&used, "0"), plain(hard));
        if name.starts_with("limits") { limits.push(line) } else { requests.push(line) }
    }
    vec![requests.join(", "), limits.join(", "), age]
}

fn is_default_class(object: &Value) -> bool {
    text(object, "/metadata/annotations/storageclass.kubernetes.io~1is-default-class") == "true"
}
