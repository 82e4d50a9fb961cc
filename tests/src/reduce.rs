//! Makes a timeline of changes of objects. Names that are drawn become roles: what the owner's role is, and the ordinal of
//! the creation: the second ReplicaSet of the Deployment `web` is `web-rs2`, its first pod `web-rs2-pod1`.
//!
//! Recordings and runs come here in one reduced form: a JSON object per change with `kind`, `name`, `ev` (ADDED,
//! MODIFIED, DELETED) and the fields that are looked at, unset or 0 where absent.

use crate::timeline::Timeline;
use serde_json::Value;
use setpoint_api::Quantity;
use std::collections::BTreeMap;

/// One change.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Milliseconds since the recording began.
    pub at: i64,
    /// The reduced object.
    pub object: Value,
}

/// The timeline of changes in the order of their resource versions.
pub fn timeline(changes: &[Seen]) -> Timeline {
    let mut reducer = Reducer { roles: Roles::of(changes), ..Reducer::default() };
    for seen in changes {
        if seen.at >= 0 {
            reducer.take(seen.at, &seen.object);
        } else if text(&seen.object, "kind") == "Node" {
            // Nodes are older than the timeline: only their changes are part of it.
            reducer.nodes.insert(text(&seen.object, "name").to_string(), node(&seen.object));
        }
    }
    reducer.timeline
}

/// What stands for drawn names.
#[derive(Default)]
pub struct Roles {
    /// By kind and name, and by name alone.
    roles: BTreeMap<(String, String), String>,
    names: BTreeMap<String, String>,
    /// The same of what owns pods with drawn names.
    owners: BTreeMap<String, String>,
    ordinals: BTreeMap<String, usize>,
}

#[derive(Default)]
struct Reducer {
    timeline: Timeline,
    roles: Roles,
    sizes: BTreeMap<String, i64>,
    /// How often a ReplicaSet's spec was written, its creation included: its generation.
    written: BTreeMap<String, i64>,
    conditions: BTreeMap<(String, String), String>,
    events: BTreeMap<String, (i64, i64)>,
    nodes: BTreeMap<String, String>,
    /// Nodes of pods that hold one.
    places: BTreeMap<String, String>,
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

impl Roles {
    /// The roles of all objects.
    pub fn of(changes: &[Seen]) -> Self {
        let mut roles = Self::default();
        changes.iter().for_each(|seen| roles.learn_name(&seen.object));
        roles
    }

    fn learn_name(&mut self, object: &Value) {
        let (kind, name) = (text(object, "kind"), text(object, "name"));
        let letters = match kind {
            "ReplicaSet" => "rs",
            "Pod" => "pod",
            "Job" => "job",
            "ControllerRevision" => "rev",
            "DaemonSet" | "ReplicationController" => {
                self.owners.insert(name.to_string(), name.to_string());
                return;
            }
            _ => return,
        };
        let key = (kind.to_string(), name.to_string());
        if self.roles.contains_key(&key) {
            return;
        }
        let owner =
            items(object, "owner").first().and_then(Value::as_str).and_then(|owner| owner.split_once('/'));
        let role = match owner {
            // A CronJob's Jobs are called after the minute.
            _ if kind == "Job" => match name.rsplit_once('-').filter(|(_, minute)| is_minute(minute)) {
                Some((owner, _)) => self.next(format!("{owner}-{letters}")),
                None => name.to_string(),
            },
            // Names that are not drawn stay.
            None | Some(("StatefulSet", _)) if kind != "ControllerRevision" => name.to_string(),
            owner => {
                let (kind, owner) = owner.unwrap_or_default();
                let owner = self.role(kind, owner);
                self.next(format!("{owner}-{letters}"))
            }
        };
        // Which pod a message is about is as drawn as its name.
        let plain = if kind == "Pod" { role.trim_end_matches(|c: char| c.is_ascii_digit()) } else { &role };
        self.names.insert(name.to_string(), if role == name { name } else { plain }.to_string());
        if kind == "ReplicaSet" || kind == "Job" {
            self.owners.insert(name.to_string(), role.clone());
        }
        self.roles.insert(key, role);
    }

    fn next(&mut self, stem: String) -> String {
        let ordinal = self.ordinals.entry(stem.clone()).or_default();
        *ordinal += 1;
        format!("{stem}{ordinal}")
    }

    /// The role of an object; its name, if that is not drawn.
    pub fn role(&self, kind: &str, name: &str) -> String {
        let role = self.roles.get(&(kind.to_string(), name.to_string()));
        role.cloned().unwrap_or_else(|| name.to_string())
    }

    /// A message with roles in place of names.
    pub fn plain(&self, message: &str) -> String {
        let mut plain = String::new();
        let mut word = String::new();
        for c in message.chars().chain(['\0']) {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                word.push(c);
                continue;
            }
            let name = word.trim_end_matches('.');
            plain.push_str(&self.plain_name(name));
            plain.push_str(&word[name.len()..]);
            word.clear();
            if c != '\0' {
                plain.push(c);
            }
        }
        plain
    }
}

impl Roles {
    /// A word of a message with its role in place of a name. Objects that could not be made have names too: they are called
    /// after their owner, whose role says what they would have been.
    fn plain_name(&self, name: &str) -> String {
        if let Some(role) = self.names.get(name) {
            return role.clone();
        }
        // Identities are drawn as well; a volume is called after that of its claim.
        let start = name.len().saturating_sub(36);
        if let Some((prefix, _)) = name.split_at_checked(start).filter(|(_, id)| is_identity(id)) {
            return format!("{prefix}<uid>");
        }
        match name.rsplit_once('-').and_then(|(owner, drawn)| Some((self.owners.get(owner)?, drawn))) {
            Some((owner, "")) => format!("{owner}-"),
            Some((owner, drawn)) if is_drawn(drawn) => format!("{owner}-pod"),
            _ => name.to_string(),
        }
    }
}

fn is_identity(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Whether this is what the API server appends to `generateName`.
fn is_drawn(text: &str) -> bool {
    text.len() == 5 && text.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
}

impl Reducer {
    fn take(&mut self, at: i64, object: &Value) {
        let (kind, name) = (text(object, "kind"), text(object, "name"));
        let is_gone = text(object, "ev") == "DELETED";
        let role = self.roles.role(kind, name);
        let word = match kind {
            "HorizontalPodAutoscaler" => "hpa".to_string(),
            "PodDisruptionBudget" => "pdb".to_string(),
            "EndpointSlice" => "endpoints".to_string(),
            kind => kind.to_lowercase(),
        };
        let state = match kind {
            "Deployment" => deployment(object),
            "ReplicaSet" => {
                self.size(at, &role, if is_gone { 0 } else { number(object, "specReplicas") });
                if text(object, "ev") == "ADDED" {
                    self.written.insert(role.clone(), 1);
                }
                // How often it was scaled is said by `sizes`; here only whether the last time has been seen.
                let behind = self.written.get(&role).unwrap_or(&0) - number(object, "observedGeneration");
                format!("{} behind={behind}", replica_set(object))
            }
            "StatefulSet" => self.stateful_set(object),
            "DaemonSet" => daemon_set(object),
            "Job" => job(object),
            "CronJob" => cron_job(object),
            "ControllerRevision" => format!("revision={}", number(object, "revision")),
            "Service" => format!("type:{}", text(object, "type")),
            "ResourceQuota" => {
                format!("{} {}", amounts(object, "hard"), amounts(object, "used")).trim_end().into()
            }
            "PodDisruptionBudget" => budget(object),
            "HorizontalPodAutoscaler" => autoscaler(object),
            "Node" => {
                let state = if is_gone { "gone".to_string() } else { node(object) };
                if self.nodes.insert(name.to_string(), state.clone()).as_ref() == Some(&state) {
                    return;
                }
                state
            }
            "EndpointSlice" => endpoints(object),
            "Pod" => {
                self.place(at, name, object, is_gone);
                pod(object)
            }
            "Event" if !is_gone => return self.event(at, object),
            _ => return,
        };
        if ["Deployment", "ReplicaSet", "HorizontalPodAutoscaler", "Job", "PodDisruptionBudget"]
            .contains(&kind)
        {
            self.conditions_of(at, &word, &role, object);
        }
        let role = if kind == "EndpointSlice" { text(object, "service").to_string() } else { role };
        self.timeline.push(&format!("{word} {role}"), at, if is_gone { "gone".into() } else { state });
    }

    /// One list of what every condition said, with its message.
    fn conditions_of(&mut self, at: i64, kind: &str, role: &str, object: &Value) {
        let track = format!("conditions {kind} {role}");
        for condition in items(object, "conditions") {
            let kind = text(condition, "type");
            let said = format!(
                "{kind}={}:{} {}",
                text(condition, "status"),
                text(condition, "reason"),
                self.roles.plain(text(condition, "message"))
            );
            let last = self.conditions.entry((track.clone(), kind.to_string())).or_default();
            if *last != said {
                last.clone_from(&said);
                self.timeline.push(&format!("{track} {kind}"), at, said);
            }
        }
    }

    fn size(&mut self, at: i64, role: &str, size: i64) {
        let known = self.sizes.insert(role.to_string(), size);
        let old = known.unwrap_or(0);
        if known != Some(size) {
            *self.written.entry(role.to_string()).or_default() += 1;
        }
        if old != size {
            let owner = role.rsplit_once("-rs").map_or(role, |(owner, _)| owner);
            self.timeline.list(&format!("sizes {owner}"), at, format!("{role} {old}>{size}"));
        }
    }

    /// How many pods the nodes hold, the fullest first: which of several equal nodes a pod gets is drawn, how the pods are
    /// spread is not.
    fn place(&mut self, at: i64, name: &str, object: &Value, is_gone: bool) {
        let is_over = is_gone || ["Succeeded", "Failed"].contains(&text(object, "phase"));
        let node = text(object, "node");
        if is_over || node.is_empty() {
            if self.places.remove(name).is_none() {
                return;
            }
        } else if self.places.insert(name.to_string(), node.to_string()).is_some() {
            return;
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        self.places.values().for_each(|node| *counts.entry(node).or_default() += 1);
        let mut counts: Vec<i64> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.resize(counts.len().max(3), 0);
        let words: Vec<String> =
            counts.iter().enumerate().map(|(place, count)| format!("n{}={count}", place + 1)).collect();
        self.timeline.push("placement", at, words.join(" "));
    }

    fn stateful_set(&self, object: &Value) -> String {
        let counts = pairs(
            object,
            &[
                ("spec", "specReplicas"),
                ("generation", "gen"),
                ("observed", "observedGeneration"),
                ("replicas", "replicas"),
                ("ready", "readyReplicas"),
                ("available", "availableReplicas"),
                ("current", "currentReplicas"),
                ("updated", "updatedReplicas"),
            ],
        );
        let revision = |key: &str| self.roles.role("ControllerRevision", text(object, key));
        format!("{counts} {}/{}", revision("currentRevision"), revision("updateRevision"))
    }

    fn event(&mut self, at: i64, object: &Value) {
        let (kind, name) = text(object, "object").split_once('/').unwrap_or_default();
        let role = self.roles.role(kind, name);
        let mut message = self.roles.plain(text(object, "message"));
        if kind == "Pod" {
            let words = message.split(' ').map(|word| if is_node(word) { "<node>" } else { word });
            message = words.collect::<Vec<_>>().join(" ");
        }
        let counts = (number(object, "count"), number(object, "series"));
        // Events of nodes go on counting what they said long before the recording.
        let series = if counts.1 > 0 { format!(" series={}", counts.1) } else { String::new() };
        let count = if kind == "Node" { String::new() } else { format!(" x{}{series}", counts.0) };
        let source = text(object, "source");
        let said = format!("{} {}{count} {source}: {message}", text(object, "type"), text(object, "reason"));
        let track = format!("events {} {role}", kind.to_lowercase());
        // A change of nothing but its last time is no new state.
        let before = self.events.insert(text(object, "name").to_string(), counts);
        if before != Some(counts) || kind == "Node" {
            self.timeline.list(&track, at, said);
        }
    }
}

fn is_minute(word: &str) -> bool {
    word.len() == 8 && word.chars().all(|c| c.is_ascii_digit())
}

fn is_node(word: &str) -> bool {
    word.strip_prefix("worker-").is_some_and(|rest| rest.parse::<u32>().is_ok())
}

fn deployment(object: &Value) -> String {
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
    let paused = if object["paused"] == true { " paused" } else { "" };
    format!("{counts}{paused} {}", conditions(object)).trim_end().to_string()
}

fn replica_set(object: &Value) -> String {
    pairs(
        object,
        &[
            ("spec", "specReplicas"),
            ("desired", "desired"),
            ("max", "max"),
            ("revision", "revision"),
            ("replicas", "replicas"),
            ("ready", "readyReplicas"),
            ("available", "availableReplicas"),
            ("terminating", "terminatingReplicas"),
        ],
    )
}

fn daemon_set(object: &Value) -> String {
    pairs(
        object,
        &[
            ("generation", "gen"),
            ("observed", "observedGeneration"),
            ("desired", "desiredNumberScheduled"),
            ("current", "currentNumberScheduled"),
            ("misscheduled", "numberMisscheduled"),
            ("ready", "numberReady"),
            ("updated", "updatedNumberScheduled"),
            ("unavailable", "numberUnavailable"),
            ("available", "numberAvailable"),
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
    let indexes = text(object, "completedIndexes");
    let indexes = if indexes.is_empty() { String::new() } else { format!(" indexes:{indexes}") };
    format!("{counts}{indexes} {}", conditions(object)).trim_end().to_string()
}

fn cron_job(object: &Value) -> String {
    let has = |key: &str| i32::from(!text(object, key).is_empty());
    let suspended = if object["suspend"] == true { " suspended" } else { "" };
    let active = items(object, "active").len();
    format!(
        "active={active} scheduled={} succeeded={}{suspended}",
        has("lastScheduleTime"),
        has("lastSuccessfulTime")
    )
}

/// Quantities by name, in thousandths.
fn amounts(object: &Value, key: &str) -> String {
    let all = object.get(key).and_then(Value::as_object).into_iter().flatten();
    let words = all.map(|(name, amount)| {
        let amount = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
        match Quantity::parse(&amount) {
            Ok(amount) => format!("{key}.{name}={}", amount.milli_value()),
            Err(_) => format!("{key}.{name}:{amount}"),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn budget(object: &Value) -> String {
    let counts = pairs(
        object,
        &[
            ("allowed", "disruptionsAllowed"),
            ("healthy", "currentHealthy"),
            ("desired", "desiredHealthy"),
            ("expected", "expectedPods"),
        ],
    );
    let disrupted = object.get("disruptedPods").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    format!("{counts} disrupted={disrupted} {}", conditions(object)).trim_end().to_string()
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
    let nominated = if text(object, "nominated").is_empty() { "" } else { " nominated" };
    let ready = if text(object, "ready") == "True" { " ready" } else { "" };
    let mut said = String::new();
    for condition in items(object, "conditions") {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        if (kind, status) == ("PodScheduled", "False") || (kind, status) == ("DisruptionTarget", "True") {
            said += &format!(" {kind}:{}", text(condition, "reason"));
        }
    }
    let deleting = if object.get("deleting") == Some(&Value::Bool(true)) {
        format!(" deleting grace={}", number(object, "grace"))
    } else {
        String::new()
    };
    let restarts = number(object, "restarts");
    let held = if items(object, "finalizers").is_empty() { "" } else { " finalizers" };
    format!(
        "{}{bound}{nominated}{state}{ready} restarts={restarts}{said}{deleting}{held}",
        text(object, "phase")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_in_messages_become_roles() {
        let change = |kind: &str, name: &str, owner: &str| Seen {
            at: 0,
            object: json!({"kind": kind, "name": name, "ev": "ADDED", "owner": [owner]}),
        };
        let roles = Roles::of(&[
            change("Deployment", "web", ""),
            change("ReplicaSet", "web-c84cd455f", "Deployment/web"),
            change("ReplicaSet", "web-5469b659cd", "Deployment/web"),
            change("Pod", "web-5469b659cd-2xgbv", "ReplicaSet/web-5469b659cd"),
            change("DaemonSet", "agent", ""),
            change("Pod", "db-0", "StatefulSet/db"),
        ]);
        for (message, expected) in [
            ("Created pod: web-5469b659cd-2xgbv", "Created pod: web-rs2-pod"),
            // Pods that were never made.
            ("pods \"web-c84cd455f-dwqc5\" is forbidden", "pods \"web-rs1-pod\" is forbidden"),
            ("pods \"web-c84cd455f-\" is forbidden", "pods \"web-rs1-\" is forbidden"),
            (
                "Error creating: pods \"agent-x7k2p\" not found.",
                "Error creating: pods \"agent-pod\" not found.",
            ),
            ("scaled up web-5469b659cd from 1 to 2.", "scaled up web-rs2 from 1 to 2."),
            ("claim pvc-0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f", "claim pvc-<uid>"),
            // What is not drawn stays, and with it a wrong object.
            ("Created pod: db-0", "Created pod: db-0"),
            ("pods \"web-aaaaaaaaaa-dwqc5\" is forbidden", "pods \"web-aaaaaaaaaa-dwqc5\" is forbidden"),
            ("pods \"agent-x7k2pp\" is forbidden", "pods \"agent-x7k2pp\" is forbidden"),
            ("web-extra", "web-extra"),
        ] {
            assert_eq!(roles.plain(message), expected);
        }
    }

    #[test]
    fn a_wrong_object_in_a_message_is_caught() {
        let run = |object: &str| {
            let set = |name: &str| json!({"kind": "ReplicaSet", "name": name, "ev": "ADDED", "owner": ["Deployment/web"]});
            let event = json!({
                "kind": "Event", "name": "e", "ev": "ADDED", "object": "ReplicaSet/web-b", "type": "Warning",
                "reason": "FailedCreate", "count": 1, "source": "replicaset-controller",
                "message": format!("Error creating: pods \"{object}\" is forbidden"),
            });
            let objects = [set("web-a"), set("web-b"), event];
            timeline(&objects.map(|object| Seen { at: 0, object }))
        };
        let matches = |a: &str, b: &str| {
            let parts = crate::compare::compare(&run(a), &run(b), &[]);
            parts.iter().filter(|part| part.topic == "events").all(|part| part.matched == part.all)
        };
        assert!(matches("web-b-x7k2p", "web-b-dwqc5"), "the same but for what is drawn");
        assert!(!matches("web-b-x7k2p", "web-a-x7k2p"), "a pod of another set");
        assert!(!matches("web-b-x7k2p", "db-0"), "another pod");
        assert!(!matches("web-b-x7k2p", "web-b"), "another object");
    }
}
