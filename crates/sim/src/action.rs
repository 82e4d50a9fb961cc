//! What a person can do. The seed and the list of actions with their times are the whole run.

use serde::{Deserialize, Serialize};

/// One thing that a person does. Names are those of the API; an action that no longer applies becomes a fact that says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Sends `rps` requests per second to a Service, from outside of the cluster.
    SetLoad {
        /// Namespace of the Service.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Service.
        service: String,
        /// Requests per second, 0 to 100,000.
        rps: u32,
    },
    /// Makes the pods behind a Service use `milli` thousandths of a core together, shared by the ready ones, without requests.
    SetCpuLoad {
        /// Namespace of the Service.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Service.
        service: String,
        /// Thousandths of a core.
        milli: u32,
    },
    /// Cuts the power of a node's machine.
    KillMachine {
        /// The node.
        node: String,
    },
    /// Gives the machine its power back.
    RestoreMachine {
        /// The node.
        node: String,
    },
    /// Adds a machine, which registers a node.
    AddMachine {
        /// Name of the node.
        node: String,
    },
    /// Sets the replicas of a Deployment.
    Scale {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Deployment.
        deployment: String,
        /// Wanted pods.
        replicas: i32,
    },
    /// Sets the image of the first container of a Deployment.
    SetImage {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Deployment.
        deployment: String,
        /// The image.
        image: String,
    },
    /// Puts an earlier revision of a Deployment back.
    Undo {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Deployment.
        deployment: String,
        /// Revision; the one before the current if unset.
        #[serde(default)]
        to_revision: Option<i64>,
    },
    /// Pauses or resumes the rollout of a Deployment.
    SetPaused {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The Deployment.
        deployment: String,
        /// Whether it is paused.
        paused: bool,
    },
    /// Deletes a pod, with its own grace unless given.
    DeletePod {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The pod.
        pod: String,
        /// Grace in seconds.
        #[serde(default)]
        grace_seconds: Option<i64>,
    },
    /// Deletes the pods that a label selector matches, one request after the other in the order of their names; with
    /// `nth` only one of them, counted from the oldest, which is 0. A scenario can so name a pod whose name is random.
    DeletePods {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// Label selector, such as `app=web`.
        selector: String,
        /// Which one.
        #[serde(default)]
        nth: Option<u32>,
        /// Grace in seconds.
        #[serde(default)]
        grace_seconds: Option<i64>,
    },
    /// Makes the first container of a pod exit.
    CrashPod {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The pod.
        pod: String,
    },
    /// Makes the first container of a pod hang: it runs, but answers nothing.
    WedgePod {
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// The pod.
        pod: String,
    },
    /// Cordons or uncordons a node.
    SetCordoned {
        /// The node.
        node: String,
        /// Whether it is cordoned.
        cordoned: bool,
    },
    /// Creates or changes objects from a manifest.
    Apply {
        /// YAML or JSON, one or more documents.
        manifest: String,
    },
    /// Deletes an object.
    Delete {
        /// Kind, such as `Deployment`.
        kind: String,
        /// Namespace.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// Name.
        name: String,
    },
    /// Switches between upstream's periods and the short ones.
    SetProfile {
        /// Whether upstream's defaults are in force.
        real: bool,
    },
    /// Stops or starts a component of the control plane.
    SetComponent {
        /// Name, such as `default-scheduler`.
        component: String,
        /// Whether it runs.
        up: bool,
    },
}

fn default_namespace() -> String {
    "default".to_string()
}
