//! The fields of recordings, from a change of the store.

use serde_json::{Map, Value, json};
use setpoint_api::{Change, Op};

/// Fields that a recording has of a kind: its key, and where it stands in the object.
type Fields = &'static [(&'static str, &'static str)];

const WORKLOAD: Fields = &[
    ("specReplicas", "/spec/replicas"),
    ("gen", "/metadata/generation"),
    ("paused", "/spec/paused"),
    ("revision", "/metadata/annotations/deployment.kubernetes.io~1revision"),
    ("desired", "/metadata/annotations/deployment.kubernetes.io~1desired-replicas"),
    ("max", "/metadata/annotations/deployment.kubernetes.io~1max-replicas"),
];

/// Where the fields of a kind stand; those of its status stand there under their own names.
fn fields(kind: &str) -> Option<Fields> {
    Some(match kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" => WORKLOAD,
        "DaemonSet" => &[("gen", "/metadata/generation")],
        "Job" => &[
            ("parallelism", "/spec/parallelism"),
            ("completions", "/spec/completions"),
            ("backoffLimit", "/spec/backoffLimit"),
        ],
        "CronJob" => &[("suspend", "/spec/suspend")],
        "HorizontalPodAutoscaler" => &[("min", "/spec/minReplicas"), ("max", "/spec/maxReplicas")],
        "PodDisruptionBudget" => &[],
        "ResourceQuota" => &[("hard", "/spec/hard")],
        "ControllerRevision" => &[("revision", "/revision")],
        "Service" => &[("type", "/spec/type")],
        "Node" => &[("unschedulable", "/spec/unschedulable")],
        "EndpointSlice" => &[("service", "/metadata/labels/kubernetes.io~1service-name")],
        "Pod" => &[
            ("node", "/spec/nodeName"),
            ("nominated", "/status/nominatedNodeName"),
            ("state", "/status/containerStatuses/0/state"),
            ("restarts", "/status/containerStatuses/0/restartCount"),
            ("grace", "/metadata/deletionGracePeriodSeconds"),
        ],
        "Event" => &[
            ("reason", "/reason"),
            ("message", "/message"),
            ("count", "/count"),
            ("type", "/type"),
            ("series", "/series/count"),
        ],
        _ => return None,
    })
}

/// A change of an object of the namespace, or of a node, in the form of recordings.
pub fn reduced(change: &Change, namespace: &str) -> Option<Value> {
    let kind = change.new.kind().as_str();
    let fields = fields(kind)?;
    let whole = change.new.to_value();
    let at = |path: &str| whole.pointer(path).cloned().unwrap_or(Value::Null);
    let is_of_node = kind == "Node" || at("/involvedObject/kind") == "Node";
    if !is_of_node && at("/metadata/namespace") != namespace {
        return None;
    }
    let mut out = Map::new();
    // Fields of the status first: those that are told apart win.
    if let Some(status) = whole.get("status").and_then(Value::as_object) {
        out.extend(status.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    for (key, path) in fields {
        out.insert((*key).to_string(), at(path));
    }
    let mut set = |key: &str, value: Value| {
        out.insert(key.to_string(), value);
    };
    let ev = match change.op {
        Op::Added => "ADDED",
        Op::Modified => "MODIFIED",
        Op::Deleted => "DELETED",
    };
    set("ev", ev.into());
    set("kind", kind.into());
    set("name", at("/metadata/name"));
    set("finalizers", at("/metadata/finalizers"));
    set("owner", owner(&at("/metadata/ownerReferences")));
    set("deleting", Value::Bool(!at("/metadata/deletionTimestamp").is_null()));
    match kind {
        "Node" => set("taints", taints(&at("/spec/taints"))),
        "EndpointSlice" => set("endpoints", endpoints(&at("/endpoints"))),
        "Pod" => {
            let conditions = at("/status/conditions");
            let mut conditions = conditions.as_array().into_iter().flatten();
            let ready = conditions.find(|condition| condition["type"] == "Ready");
            set("ready", ready.map_or(Value::Null, |ready| ready["status"].clone()));
        }
        "Event" => {
            let object = at("/involvedObject");
            let name = |key: &str| object[key].as_str().unwrap_or("").to_string();
            set("object", format!("{}/{}", name("kind"), name("name")).into());
            let source = at("/source/component");
            let is_empty = source.as_str().unwrap_or("").is_empty();
            // A series tells its count by itself.
            if !at("/series/count").is_null() {
                set("count", at("/series/count"));
            }
            set("source", if is_empty { at("/reportingComponent") } else { source });
        }
        _ => {}
    }
    Some(Value::Object(out))
}

fn owner(all: &Value) -> Value {
    let all = all.as_array().into_iter().flatten();
    let name = |owner: &Value, key: &str| owner[key].as_str().unwrap_or("").to_string();
    all.map(|owner| Value::from(format!("{}/{}", name(owner, "kind"), name(owner, "name")))).collect()
}

fn taints(all: &Value) -> Value {
    let all = all.as_array().into_iter().flatten();
    all.map(|taint| {
        let part = |key: &str| taint[key].as_str().unwrap_or("").to_string();
        let value = Some(part("value")).filter(|value| !value.is_empty()).map(|value| format!("={value}"));
        Value::from(format!("{}{}:{}", part("key"), value.unwrap_or_default(), part("effect")))
    })
    .collect()
}

fn endpoints(all: &Value) -> Value {
    let word = |value: &Value| if value == &Value::Bool(true) { "True" } else { "False" };
    let all = all.as_array().into_iter().flatten();
    all.map(|endpoint| {
        let conditions = &endpoint["conditions"];
        json!({
            "ready": word(&conditions["ready"]),
            "serving": word(&conditions["serving"]),
            "terminating": word(&conditions["terminating"]),
        })
    })
    .collect()
}
