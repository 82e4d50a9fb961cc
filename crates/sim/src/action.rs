//! What a person can do. The seed and the list of actions with their times are the whole run.

use crate::request::Request;
use serde_json::Value;
use setpoint_api::wire::{FieldError, FieldReader, FieldWriter, Fields, Reader, put_fields, take_fields};
use std::rc::Rc;

/// Defines the actions with their names and those of their fields; a field with `or` may be left out.
macro_rules! actions {
    ($( $(#[$meta:meta])* $name:ident = $word:literal {
        $( $(#[$fmeta:meta])* $field:ident : $type:ty = $key:literal $(or $default:expr)?; )*
    } )*) => {
        /// One thing that a person does. Names are those of the API; an action that no longer applies becomes a fact that says so.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Action { $( $(#[$meta])* $name { $( $(#[$fmeta])* $field: $type, )* }, )* }

        impl Action {
            /// The names of all actions.
            const WORDS: &[&str] = &[$($word),*];

            /// Its name.
            pub fn word(&self) -> &'static str {
                match self { $( Action::$name { .. } => $word, )* }
            }

            /// The action of a name, with nothing in its fields.
            fn named(word: &str) -> Option<Action> {
                match word {
                    $( $word => Some(Action::$name { $( $field: actions!(@default $($default)?), )* }), )*
                    _ => None,
                }
            }
        }

        impl Fields for Action {
            fn take_each(&mut self, from: &mut FieldReader) {
                match self { $( Action::$name { $($field),* } => {
                    $( actions!(@take from, $field, $key $(, $default)?); )*
                } )* }
                from.nothing_else(self);
            }
            fn put_each(&self, to: &mut FieldWriter) {
                match self { $( Action::$name { $($field),* } => { $( to.always($key, $field); )* } )* }
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@take $from:ident, $field:ident, $key:literal) => { $from.required($key, $field) };
    (@take $from:ident, $field:ident, $key:literal, $default:expr) => { $from.field($key, $field) };
}

actions! {
    /// Sends `rps` requests per second to a Service, from outside of the cluster.
    SetLoad = "setLoad" {
        /// Namespace of the Service.
        namespace: String = "namespace" or "default".to_string();
        /// The Service.
        service: String = "service";
        /// Requests per second, 0 to 100,000.
        rps: u32 = "rps";
    }
    /// Makes the pods behind a Service use `milli` thousandths of a core together, shared by the ready ones, without requests.
    SetCpuLoad = "setCpuLoad" {
        /// Namespace of the Service.
        namespace: String = "namespace" or "default".to_string();
        /// The Service.
        service: String = "service";
        /// Thousandths of a core.
        milli: u32 = "milli";
    }
    /// Cuts the power of a node's machine.
    KillMachine = "killMachine" {
        /// The node.
        node: String = "node";
    }
    /// Gives the machine its power back.
    RestoreMachine = "restoreMachine" {
        /// The node.
        node: String = "node";
    }
    /// Stops the kubelet of a node, while its machine and the containers on it run on.
    StopKubelet = "stopKubelet" {
        /// The node.
        node: String = "node";
    }
    /// Starts the kubelet of a node again.
    StartKubelet = "startKubelet" {
        /// The node.
        node: String = "node";
    }
    /// Adds a machine, which registers a node.
    AddMachine = "addMachine" {
        /// Name of the node.
        node: String = "node";
    }
    /// Sets the replicas of a Deployment.
    Scale = "scale" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The Deployment.
        deployment: String = "deployment";
        /// Wanted pods.
        replicas: i32 = "replicas";
    }
    /// Sets the image of the first container of a Deployment.
    SetImage = "setImage" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The Deployment.
        deployment: String = "deployment";
        /// The image.
        image: String = "image";
    }
    /// Puts an earlier revision of a Deployment back.
    Undo = "undo" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The Deployment.
        deployment: String = "deployment";
        /// Revision; the one before the current if unset.
        to_revision: Option<i64> = "toRevision" or None;
    }
    /// Pauses or resumes the rollout of a Deployment.
    SetPaused = "setPaused" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The Deployment.
        deployment: String = "deployment";
        /// Whether it is paused.
        paused: bool = "paused";
    }
    /// Deletes a pod, with its own grace unless given.
    DeletePod = "deletePod" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The pod.
        pod: String = "pod";
        /// Grace in seconds.
        grace_seconds: Option<i64> = "graceSeconds" or None;
    }
    /// Deletes the pods that a label selector matches, one request after the other in the order of their names; with
    /// `nth` only one of them, counted from the oldest, which is 0. A scenario can so name a pod whose name is random.
    DeletePods = "deletePods" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// Label selector, such as `app=web`.
        selector: String = "selector";
        /// Which one.
        nth: Option<u32> = "nth" or None;
        /// Grace in seconds.
        grace_seconds: Option<i64> = "graceSeconds" or None;
    }
    /// Makes the first container of a pod exit.
    CrashPod = "crashPod" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The pod.
        pod: String = "pod";
    }
    /// Makes the first container of a pod hang: it runs, but answers nothing.
    WedgePod = "wedgePod" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The pod.
        pod: String = "pod";
    }
    /// Fills the disk of a node's machine, or frees it.
    SetDiskFull = "setDiskFull" {
        /// The node.
        node: String = "node";
        /// Whether it is full.
        full: bool = "full" or true;
    }
    /// Makes the first container of a pod use so much memory.
    UseMemory = "useMemory" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The pod.
        pod: String = "pod";
        /// How much, such as `600Mi`.
        memory: String = "memory";
    }
    /// Writes to a file in a container, as a shell there does.
    WriteFile = "writeFile" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The pod.
        pod: String = "pod";
        /// The container.
        container: String = "container";
        /// Whole path of the file.
        path: String = "path";
        /// What is written.
        text: String = "text";
        /// Whether it goes behind what is there.
        append: bool = "append" or false;
    }
    /// Cordons or uncordons a node.
    SetCordoned = "setCordoned" {
        /// The node.
        node: String = "node";
        /// Whether it is cordoned.
        cordoned: bool = "cordoned";
    }
    /// Sets the rolling update's bounds of a Deployment, as `kubectl patch` would.
    SetStrategy = "setStrategy" {
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// The Deployment.
        deployment: String = "deployment";
        /// `maxSurge`: pods or a percentage, such as `1` or `25%`.
        max_surge: String = "maxSurge";
        /// `maxUnavailable`: pods or a percentage.
        max_unavailable: String = "maxUnavailable";
    }
    /// Cordons a node and evicts its pods, as `kubectl drain --ignore-daemonsets --force` does.
    Drain = "drain" {
        /// The node.
        node: String = "node";
    }
    /// Creates or changes objects from a manifest.
    Apply = "apply" {
        /// YAML or JSON, one or more documents.
        manifest: String = "manifest";
    }
    /// Deletes an object.
    Delete = "delete" {
        /// Kind, such as `Deployment`.
        kind: String = "kind";
        /// Namespace.
        namespace: String = "namespace" or "default".to_string();
        /// Name.
        name: String = "name";
    }
    /// Sends a request to the API server, as kubectl does.
    Request = "request" {
        /// The request.
        request: Rc<Request> = "request";
    }
    /// Switches between upstream's periods and the short ones.
    SetProfile = "setProfile" {
        /// Whether upstream's defaults are in force.
        real: bool = "real";
    }
    /// Gives one of the cluster's periods another length.
    SetPeriod = "setPeriod" {
        /// Name of a row of the tuning table, such as `node_monitor_grace`.
        period: String = "period";
        /// Its length.
        micros: i64 = "micros";
    }
    /// Stops or starts a component of the control plane.
    SetComponent = "setComponent" {
        /// Name, such as `default-scheduler`.
        component: String = "component";
        /// Whether it runs.
        up: bool = "up";
    }
}

impl Action {
    /// Reads an action from a mapping with its name under `do` and its fields beside it.
    ///
    /// # Errors
    /// All that is wrong, each with the field it is about; the path is empty where it is about the action as a whole.
    pub fn read(mut value: Value) -> Result<Action, Vec<FieldError>> {
        let fail = |message: String| Err(vec![FieldError { path: String::new(), message }]);
        let Some(word) = value.as_object_mut().and_then(|map| map.remove("do")) else {
            return fail("missing field `do`".to_string());
        };
        let word = word.as_str().unwrap_or_default();
        let Some(mut action) = Action::named(word) else {
            let known = Action::WORDS.join("`, `");
            return fail(format!("unknown variant `{word}`, expected one of `{known}`"));
        };
        let mut r = Reader::default();
        take_fields(&mut action, value, &mut r);
        if r.errors.is_empty() { Ok(action) } else { Err(r.errors) }
    }

    /// The mapping that [`Action::read`] reads.
    pub fn to_value(&self) -> Value {
        let mut value = put_fields(self, true).unwrap_or_default();
        if let Value::Object(map) = &mut value {
            map.insert("do".into(), self.word().into());
        }
        value
    }

    /// The same as JSON text, with the fields in the order of their declaration.
    pub fn to_json(&self) -> String {
        let mut text = format!("{{\"do\":\"{}\"", self.word());
        let mut out = |key: &str, value: Value| text.push_str(&format!(",\"{key}\":{value}"));
        self.put_each(&mut FieldWriter { out: &mut out });
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_back_as_they_were_written() {
        for (action, text) in [
            (
                Action::Scale { namespace: "a".into(), deployment: "web".into(), replicas: 0 },
                r#"{"do":"scale","namespace":"a","deployment":"web","replicas":0}"#,
            ),
            (
                Action::Undo { namespace: "default".into(), deployment: "web".into(), to_revision: None },
                r#"{"do":"undo","namespace":"default","deployment":"web","toRevision":null}"#,
            ),
            (Action::SetProfile { real: false }, r#"{"do":"setProfile","real":false}"#),
        ] {
            assert_eq!(action.to_json(), text);
            assert_eq!(Action::read(action.to_value()), Ok(action));
        }
    }
}
