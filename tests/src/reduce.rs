//! Makes a timeline of changes of objects. Names that are random become roles: ReplicaSets are `rs1`, `rs2` in the order
//! of their creation, pods `p1`, `p2`; messages say `<pod>` and `<node>`.
//!
//! Recordings and runs come here in one reduced form: a JSON object per change with `kind`, `name`, `ev` (ADDED,
//! MODIFIED, DELETED) and the fields that are looked at, unset or 0 where absent.

use crate::timeline::Timeline;
use serde_json::Value;
use std::collections::BTreeMap;

/// One change.
pub struct Seen {
    /// Milliseconds since any fixed time.
    pub at: i64,
    /// The reduced object.
    pub object: Value,
}

/// Kinds the first object of which begins a timeline.
const WORKLOADS: [&str; 6] =
    ["Deployment", "Job", "CronJob", "StatefulSet", "DaemonSet", "ReplicationController"];

/// The timeline of changes in the order of their resource versions; it begins when the first workload is created, at the
/// time that is returned with it.
pub fn timeline(changes: &[Seen], namespace: &str) -> (Timeline, i64) {
    let is_start = |seen: &&Seen| WORKLOADS.contains(&text(&seen.object, "kind"));
    let origin = changes.iter().find(is_start).map_or(0, |seen| seen.at);
    let mut reducer = Reducer { namespace: namespace.to_string(), ..Reducer::default() };
    for seen in changes {
        reducer.learn_names(&seen.object);
    }
    for seen in changes {
        if seen.at >= origin {
            reducer.take(seen.at - origin, &seen.object);
        } else if text(&seen.object, "kind") == "Node" {
            // Nodes are older than the timeline: only their changes are part of it.
            reducer.nodes.insert(text(&seen.object, "name").to_string(), node(&seen.object));
        }
    }
    (reducer.timeline, origin)
}

#[derive(Default)]
struct Reducer {
    namespace: String,
    timeline: Timeline,
    /// Roles by name.
    sets: BTreeMap<String, String>,
    pods: BTreeMap<String, String>,
    /// Jobs that have the time in their names.
    jobs: BTreeMap<String, String>,
    sizes: BTreeMap<String, i64>,
    conditions: BTreeMap<(String, String), String>,
    events: BTreeMap<String, i64>,
    nodes: BTreeMap<String, String>,
}

/// A text field; empty when absent.
pub fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or("")
}

fn number(object: &Value, key: &str) -> i64 {
    match object.get(key) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

fn items<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn pairs(object: &Value, names: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        names.iter().map(|(name, key)| format!("{name}={}", number(object, key))).collect();
    pairs.join(" ")
}

fn conditions(object: &Value) -> String {
    let all = items(object, "conditions").iter();
    let words: Vec<String> =
        all.map(|c| format!("{}={}:{}", text(c, "type"), text(c, "status"), text(c, "reason"))).collect();
    words.join(" ")
}

impl Reducer {
    fn learn_names(&mut self, object: &Value) {
        let name = text(object, "name").to_string();
        let (roles, letters) = match text(object, "kind") {
            "ReplicaSet" => (&mut self.sets, "rs"),
            "Pod" => (&mut self.pods, "p"),
            "Job" if is_of_cron_job(&name) => (&mut self.jobs, "j"),
            _ => return,
        };
        let next = format!("{letters}{}", roles.len() + 1);
        roles.entry(name).or_insert(next);
    }

    /// A message with roles in place of names.
    fn plain(&self, message: &str) -> String {
        let mut plain = message.to_string();
        for pod in self.pods.keys() {
            plain = plain.replace(&format!("{}/{pod}", self.namespace), "<pod>").replace(pod, "<pod>");
        }
        // The kubelet names namespace and identity of a pod that it starts again.
        let full = format!("<pod>_{}(", self.namespace);
        if let Some((before, after)) = plain.clone().split_once(&full) {
            let after = after.split_once(')').map_or("", |(_, after)| after);
            plain = format!("{before}<pod>{after}");
        }
        if let Some((before, after)) = plain.clone().split_once("Preempted by pod ") {
            let after = after.split_once(' ').map_or("", |(_, after)| after);
            plain = format!("{before}Preempted by pod <uid> {after}");
        }
        for (set, role) in self.sets.iter().chain(&self.jobs) {
            plain = plain.replace(set, role);
        }
        plain
    }

    fn take(&mut self, at: i64, object: &Value) {
        let name = text(object, "name");
        let is_gone = text(object, "ev") == "DELETED";
        let (track, state) = match text(object, "kind") {
            "Deployment" => (format!("deployment {name}"), self.deployment(at, object)),
            "ReplicaSet" => {
                let role = self.sets.get(name).cloned().unwrap_or_default();
                self.size(at, &role, if is_gone { 0 } else { number(object, "specReplicas") });
                (format!("replicaset {role}"), replica_set(object))
            }
            "HorizontalPodAutoscaler" => {
                self.conditions_of(at, "hpa", object);
                (format!("hpa {name}"), autoscaler(object))
            }
            "Node" => {
                let state = node(object);
                if self.nodes.insert(name.to_string(), state.clone()).as_ref() == Some(&state) {
                    return;
                }
                (format!("node {name}"), state)
            }
            "Job" => {
                self.conditions_of(at, "job", object);
                (format!("job {}", self.plain(name)), job(object))
            }
            "CronJob" => (format!("cronjob {name}"), format!("active={}", items(object, "active").len())),
            "StatefulSet" => (format!("statefulset {name}"), stateful_set(object)),
            "DaemonSet" => (format!("daemonset {name}"), daemon_set(object)),
            "PodDisruptionBudget" => (format!("pdb {name}"), budget(object)),
            "EndpointSlice" => (format!("endpoints {}", text(object, "service")), endpoints(object)),
            "Pod" => {
                let role = self.pods.get(name).cloned().unwrap_or_default();
                (format!("pod {role}"), pod(object))
            }
            "Event" if !is_gone => return self.event(at, object),
            _ => return,
        };
        self.timeline.push(&track, at, if is_gone { "gone".into() } else { state });
    }

    fn deployment(&mut self, at: i64, object: &Value) -> String {
        self.conditions_of(at, "deployment", object);
        let counts = pairs(
            object,
            &[
                ("spec", "specReplicas"),
                ("revision", "revision"),
                ("generation", "gen"),
                ("observed", "observedGeneration"),
                ("replicas", "replicas"),
                ("updated", "updatedReplicas"),
                ("ready", "readyReplicas"),
                ("available", "availableReplicas"),
                ("unavailable", "unavailableReplicas"),
                ("terminating", "terminatingReplicas"),
            ],
        );
        format!("{counts} {}", conditions(object)).trim_end().to_string()
    }

    /// One list of what every condition said, with its message.
    fn conditions_of(&mut self, at: i64, kind: &str, object: &Value) {
        let track = format!("conditions {kind} {}", self.plain(text(object, "name")));
        for condition in items(object, "conditions") {
            let kind = text(condition, "type");
            let said = format!(
                "{kind}={}:{} {}",
                text(condition, "status"),
                text(condition, "reason"),
                self.plain(text(condition, "message"))
            );
            let last = self.conditions.entry((track.clone(), kind.to_string())).or_default();
            if *last != said {
                last.clone_from(&said);
                self.timeline.push(&format!("{track} {kind}"), at, said);
            }
        }
    }

    fn size(&mut self, at: i64, role: &str, size: i64) {
        let old = self.sizes.insert(role.to_string(), size).unwrap_or(0);
        if old != size {
            self.timeline.list("sizes", at, format!("{role} {old}>{size}"));
        }
    }

    fn event(&mut self, at: i64, object: &Value) {
        let (kind, name) = text(object, "object").split_once('/').unwrap_or_default();
        let of_pod = self.pods.get(name).filter(|_| kind == "Pod");
        let of_set = self.sets.get(name).filter(|_| kind == "ReplicaSet");
        let of_job = self.jobs.get(name).filter(|_| kind == "Job");
        let role = of_pod.or(of_set).or(of_job).map_or(name, String::as_str);
        let mut message = self.plain(text(object, "message"));
        if kind == "Pod" {
            message = message
                .split(' ')
                .map(|word| if is_node(word) { "<node>" } else { word })
                .collect::<Vec<_>>()
                .join(" ");
        }
        // Events of nodes go on counting what they said long before the recording.
        let count = if kind == "Node" { String::new() } else { format!(" x{}", number(object, "count")) };
        let source = text(object, "source");
        let said = format!("{} {}{count} {source}: {message}", text(object, "type"), text(object, "reason"));
        let track = format!("events {} {role}", kind.to_lowercase());
        // A change of nothing but its last time is no new state.
        let before = self.events.insert(text(object, "name").to_string(), number(object, "count"));
        if before != Some(number(object, "count")) || kind == "Node" {
            self.timeline.list(&track, at, said);
        }
    }
}

fn is_of_cron_job(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, minute)| minute.len() == 8 && minute.parse::<u32>().is_ok())
}

fn is_node(word: &str) -> bool {
    word.strip_prefix("worker-").is_some_and(|rest| rest.parse::<u32>().is_ok())
}

fn replica_set(object: &Value) -> String {
    pairs(
        object,
        &[
            ("spec", "specReplicas"),
            ("desired", "desired"),
            ("max", "max"),
            ("revision", "revision"),
            ("observed", "observedGeneration"),
            ("replicas", "replicas"),
            ("ready", "readyReplicas"),
            ("available", "availableReplicas"),
            ("terminating", "terminatingReplicas"),
        ],
    )
}

fn job(object: &Value) -> String {
    let counts = pairs(
        object,
        &[
            ("parallelism", "parallelism"),
            ("completions", "completions"),
            ("active", "active"),
            ("ready", "ready"),
            ("succeeded", "succeeded"),
            ("failed", "failed"),
            ("terminating", "terminating"),
        ],
    );
    let noted = |key: &str| {
        let uncounted = object.get("uncountedTerminatedPods").and_then(|uncounted| uncounted.get(key));
        uncounted.and_then(Value::as_array).map_or(0, Vec::len)
    };
    let indexes = text(object, "completedIndexes");
    let noted = noted("succeeded") + noted("failed");
    format!("{counts} noted={noted} indexes:{indexes} {}", conditions(object)).trim_end().to_string()
}

fn stateful_set(object: &Value) -> String {
    let counts = pairs(
        object,
        &[
            ("spec", "specReplicas"),
            ("generation", "gen"),
            ("observed", "observedGeneration"),
            ("replicas", "replicas"),
            ("current", "currentReplicas"),
            ("updated", "updatedReplicas"),
            ("ready", "readyReplicas"),
            ("available", "availableReplicas"),
        ],
    );
    let is_new = text(object, "currentRevision") != text(object, "updateRevision");
    format!("{counts}{}", if is_new { " updating" } else { "" })
}

fn daemon_set(object: &Value) -> String {
    pairs(
        object,
        &[
            ("generation", "gen"),
            ("observed", "observedGeneration"),
            ("desired", "desiredNumberScheduled"),
            ("current", "currentNumberScheduled"),
            ("mis", "numberMisscheduled"),
            ("updated", "updatedNumberScheduled"),
            ("ready", "numberReady"),
            ("available", "numberAvailable"),
            ("unavailable", "numberUnavailable"),
        ],
    )
}

fn budget(object: &Value) -> String {
    let counts = pairs(
        object,
        &[
            ("healthy", "currentHealthy"),
            ("desired", "desiredHealthy"),
            ("allowed", "disruptionsAllowed"),
            ("expected", "expectedPods"),
        ],
    );
    format!("{counts} {}", conditions(object)).trim_end().to_string()
}

fn autoscaler(object: &Value) -> String {
    let metric = items(object, "currentMetrics").first().and_then(|metric| {
        let current = metric.get("resource")?.get("current")?;
        Some(format!(" metric={}%/{}", number(current, "averageUtilization"), text(current, "averageValue")))
    });
    let counts = pairs(object, &[("current", "currentReplicas"), ("desired", "desiredReplicas")]);
    format!("{counts}{} {}", metric.unwrap_or_default(), conditions(object)).trim_end().to_string()
}

fn node(object: &Value) -> String {
    let taints: Vec<&str> = items(object, "taints")
        .iter()
        .filter_map(Value::as_str)
        .map(|taint| taint.split(" @").next().unwrap_or(taint))
        .collect();
    let cordoned = if object.get("unschedulable") == Some(&Value::Bool(true)) { " cordoned" } else { "" };
    format!("{} taints={}{cordoned}", conditions(object), taints.join(","))
}

fn endpoints(object: &Value) -> String {
    let all = items(object, "endpoints");
    let count = |key: &str| all.iter().filter(|endpoint| text(endpoint, key) == "True").count();
    format!(
        "endpoints={} ready={} serving={} terminating={}",
        all.len(),
        count("ready"),
        count("serving"),
        count("terminating")
    )
}

fn pod(object: &Value) -> String {
    let state = match object.get("state").and_then(Value::as_object).and_then(|state| state.iter().next()) {
        Some((state, detail)) => format!(" {state}:{}", text(detail, "reason")),
        None => String::new(),
    };
    let bound = if text(object, "node").is_empty() { "" } else { " bound" };
    let ready = if text(object, "ready") == "True" { " ready" } else { "" };
    let deleting = if object.get("deleting") == Some(&Value::Bool(true)) {
        format!(" deleting grace={}", number(object, "grace"))
    } else {
        String::new()
    };
    let restarts = number(object, "restarts");
    format!("{}{bound}{state}{ready} restarts={restarts}{deleting}", text(object, "phase"))
}
