//! Runs a scenario and follows every change of the store.

use crate::reduce::{Seen, timeline};
use crate::timeline::Timeline;
use serde_json::{Map, Value, json};
use setpoint_api::{Change, Object, Op};
use setpoint_lab::Scenario;
use setpoint_sim::Sim;

/// The timeline of a scenario's run, and the time of the run in milliseconds at which it begins.
pub fn replay(scenario: &Scenario, seed: u64) -> (Timeline, i64) {
    let mut follower = Follower { sim: scenario.start(seed), revision: 0, seen: Vec::new() };
    follower.read();
    for (at, action) in &scenario.actions {
        follower.run_until(*at);
        follower.sim.act(action);
        follower.read();
    }
    follower.run_until(scenario.until);
    timeline(&follower.seen, "default")
}

struct Follower {
    sim: Sim,
    revision: u64,
    seen: Vec<Seen>,
}

impl Follower {
    fn run_until(&mut self, until: setpoint_api::Time) {
        // Changes stay in the log until the watchers are told, which takes a wake-up of its own.
        while self.sim.step(until) {
            self.read();
        }
        self.sim.run_until(until);
    }

    fn read(&mut self) {
        let changes: Vec<&Change> = self.sim.store().changes_after(self.revision).collect();
        for change in changes {
            assert!(change.revision == self.revision + 1, "revision {} was missed", self.revision + 1);
            self.revision = change.revision;
            if let Some(object) = reduced(change) {
                self.seen.push(Seen { at: change.stamp.at.0 / 1000, object });
            }
        }
    }
}

/// The fields of recordings, from a whole object.
fn reduced(change: &Change) -> Option<Value> {
    let kind = change.new.kind().as_str();
    let whole = change.new.to_value();
    let at = |path: &str| whole.pointer(path).cloned().unwrap_or(Value::Null);
    let mut out = Map::new();
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
    set("conditions", at("/status/conditions"));
    match &change.new {
        Object::Deployment(_) | Object::ReplicaSet(_) => {
            let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
            let more = ["unavailableReplicas", "terminatingReplicas", "observedGeneration"];
            for key in counts.into_iter().chain(more) {
                set(key, at(&format!("/status/{key}")));
            }
            set("specReplicas", at("/spec/replicas"));
            set("gen", at("/metadata/generation"));
            for (key, name) in
                [("revision", "revision"), ("desired", "desired-replicas"), ("max", "max-replicas")]
            {
                set(key, at(&format!("/metadata/annotations/deployment.kubernetes.io~1{name}")));
            }
        }
        Object::HorizontalPodAutoscaler(_) => {
            for key in ["currentReplicas", "desiredReplicas", "currentMetrics"] {
                set(key, at(&format!("/status/{key}")));
            }
        }
        Object::Job(_) | Object::CronJob(_) | Object::DaemonSet(_) | Object::PodDisruptionBudget(_) => {
            for part in ["/spec", "/status"] {
                for (key, value) in at(part).as_object().into_iter().flatten() {
                    set(key, value.clone());
                }
            }
            set("gen", at("/metadata/generation"));
        }
        Object::StatefulSet(_) => {
            for (key, value) in at("/status").as_object().into_iter().flatten() {
                set(key, value.clone());
            }
            set("specReplicas", at("/spec/replicas"));
            set("gen", at("/metadata/generation"));
        }
        Object::Node(_) => {
            set("unschedulable", at("/spec/unschedulable"));
            set("taints", taints(&at("/spec/taints")));
        }
        Object::EndpointSlice(_) => {
            set("service", at("/metadata/labels/kubernetes.io~1service-name"));
            set("endpoints", endpoints(&at("/endpoints")));
        }
        Object::Pod(_) => {
            set("phase", at("/status/phase"));
            set("node", at("/spec/nodeName"));
            set("state", at("/status/containerStatuses/0/state"));
            set("restarts", at("/status/containerStatuses/0/restartCount"));
            set("deleting", Value::Bool(!at("/metadata/deletionTimestamp").is_null()));
            set("grace", at("/metadata/deletionGracePeriodSeconds"));
            let conditions = at("/status/conditions");
            let mut conditions = conditions.as_array().into_iter().flatten();
            let ready = conditions.find(|condition| condition["type"] == "Ready");
            set("ready", ready.map_or(Value::Null, |ready| ready["status"].clone()));
        }
        Object::Event(_) => {
            for key in ["reason", "message", "count", "type"] {
                set(key, at(&format!("/{key}")));
            }
            let object = at("/involvedObject");
            let name = |key: &str| object[key].as_str().unwrap_or("").to_string();
            set("object", format!("{}/{}", name("kind"), name("name")).into());
            let source = at("/source/component");
            let is_empty = source.as_str().unwrap_or("").is_empty();
            set("source", if is_empty { at("/reportingComponent") } else { source });
        }
        _ => return None,
    }
    Some(Value::Object(out))
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
