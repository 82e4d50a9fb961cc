//! Sentences for people: actions, facts, causes.

pub use crate::tiles::status_word;
use setpoint_sim::fact::{Fact, What};
use setpoint_sim::{Action, Method, Request, Sim};

/// What an action did, as the rest of the sentence that its author begins.
pub fn describe_action(action: &Action) -> String {
    match action {
        Action::SetLoad { service, rps, .. } => {
            format!("set the load on {service} to {rps} requests per second")
        }
        Action::SetCpuLoad { service, milli, .. } => {
            format!("set the CPU load behind {service} to {milli}m")
        }
        Action::KillMachine { node } => format!("cut the power of {node}"),
        Action::RestoreMachine { node } => format!("gave {node} its power back"),
        Action::StopKubelet { node } => format!("stopped the kubelet of {node}"),
        Action::StartKubelet { node } => format!("started the kubelet of {node}"),
        Action::AddMachine { node } => format!("added the machine {node}"),
        Action::Scale { deployment, replicas, .. } => {
            format!("set deployment {deployment} to {replicas} replicas")
        }
        Action::SetImage { deployment, image, .. } => {
            format!("deployed {image} to deployment {deployment}")
        }
        Action::Undo { deployment, to_revision: None, .. } => {
            format!("rolled deployment {deployment} back to the revision before")
        }
        Action::Undo { deployment, to_revision: Some(revision), .. } => {
            format!("rolled deployment {deployment} back to revision {revision}")
        }
        Action::SetPaused { deployment, paused: true, .. } => {
            format!("paused the rollout of deployment {deployment}")
        }
        Action::SetPaused { deployment, paused: false, .. } => {
            format!("resumed the rollout of deployment {deployment}")
        }
        Action::DeletePod { pod, .. } => format!("deleted pod {pod}"),
        Action::DeletePods { selector, nth: None, .. } => format!("deleted the pods with {selector}"),
        Action::DeletePods { selector, nth: Some(_), .. } => format!("deleted a pod with {selector}"),
        Action::CrashPod { pod, .. } => format!("crashed pod {pod}"),
        Action::WedgePod { pod, .. } => format!("made pod {pod} hang"),
        Action::SetDiskFull { node, full: true } => format!("filled the disk of {node}"),
        Action::SetDiskFull { node, full: false } => format!("freed the disk of {node}"),
        Action::UseMemory { pod, memory, .. } => format!("made pod {pod} use {memory} of memory"),
        Action::WriteFile { pod, path, .. } => format!("wrote {path} in pod {pod}"),
        Action::SetCordoned { node, cordoned: true } => format!("cordoned {node}"),
        Action::SetCordoned { node, cordoned: false } => format!("uncordoned {node}"),
        Action::SetStrategy { deployment, max_surge, max_unavailable, .. } => {
            format!("set deployment {deployment} to surge {max_surge}, unavailable {max_unavailable}")
        }
        Action::Drain { node } => format!("began to drain {node}"),
        Action::Apply { .. } => "applied a manifest".to_string(),
        Action::Delete { kind, name, .. } => format!("deleted {kind} {name}"),
        Action::SetPeriod { period, micros } => {
            format!(
                "set the period {} to {}",
                period.trim_end_matches("_seconds").replace('_', " "),
                crate::inspect::parts::span(*micros)
            )
        }
        Action::Request { request } => describe_request(request),
        Action::SetProfile { real: true } => "switched to upstream's default timing".to_string(),
        Action::SetProfile { real: false } => "switched to classroom timing".to_string(),
        Action::SetComponent { component, up: true } => format!("started {component}"),
        Action::SetComponent { component, up: false } => format!("stopped {component}"),
    }
}

/// What an action did, or tried: a request that the API server has refused did nothing.
pub fn describe_outcome(sim: &Sim, fact: u64, action: &Action) -> String {
    let refused = |later: &Fact| later.cause == fact && matches!(later.what, What::Refused(_));
    match action {
        // The refusal is filed right behind the request.
        Action::Request { request } if sim.facts().after(fact).take(4).any(refused) => {
            let ((_, verb), what) = request_words(request);
            format!("tried to {verb} {what}")
        }
        _ => describe_action(action),
    }
}

/// What a request did.
fn describe_request(request: &Request) -> String {
    let ((verb, _), what) = request_words(request);
    format!("{verb} {what}")
}

/// What a request did, as what it is to do, and to what.
fn request_words(request: &Request) -> ((&'static str, &'static str), String) {
    let what = format!("{} {}", request.kind.to_lowercase(), request.named());
    match (request.method, &*request.subresource) {
        (Method::Create, "eviction") => (("evicted", "evict"), what),
        (Method::Create, "binding") => (("bound", "bind"), what),
        (Method::Create, _) => (("created", "create"), what),
        (Method::Delete, _) => (("deleted", "delete"), what),
        (_, "scale") => {
            let replicas = &request.body["spec"]["replicas"];
            (("scaled", "scale"), format!("{what} to {replicas} replicas"))
        }
        _ => (("changed", "change"), what),
    }
}

/// The chart's mark of an action in two or three words; `None` for actions that leave none.
pub fn mark_of(action: &Action) -> Option<String> {
    Some(match action {
        Action::SetLoad { rps, .. } => format!("load {rps}"),
        Action::KillMachine { node } => format!("{node} off"),
        Action::RestoreMachine { node } => format!("{node} on"),
        Action::StopKubelet { node } => format!("{node} kubelet off"),
        Action::StartKubelet { node } => format!("{node} kubelet on"),
        Action::Scale { replicas, .. } => format!("scale {replicas}"),
        Action::SetImage { image, .. } => format!("deploy {}", crate::tiles::version_of(image)),
        Action::Undo { .. } => "undo".to_string(),
        Action::SetPaused { paused: true, .. } => "pause".to_string(),
        Action::SetPaused { paused: false, .. } => "resume".to_string(),
        Action::DeletePod { .. } | Action::DeletePods { .. } => "delete pod".to_string(),
        Action::CrashPod { .. } => "crash pod".to_string(),
        Action::WedgePod { .. } => "hang pod".to_string(),
        Action::SetDiskFull { node, full } => format!("{node} disk {}", if *full { "full" } else { "free" }),
        Action::UseMemory { memory, .. } => format!("use {memory}"),
        Action::Drain { node } => format!("drain {node}"),
        Action::Request { request } if &*request.subresource == "scale" => {
            format!("scale {}", request.body["spec"]["replicas"])
        }
        Action::SetComponent { component, up } => {
            format!("{} {}", title_of(component), if *up { "on" } else { "off" })
        }
        _ => return None,
    })
}

/// Who acted: the person, or the scenario in their place.
pub fn author_of(is_scripted: bool) -> &'static str {
    if is_scripted { "The scenario" } else { "You" }
}

/// Name for people of a component, by its name in events.
pub fn title_of(component: &str) -> &str {
    match component {
        "kube-apiserver" => "API server",
        "etcd" => "etcd",
        "default-scheduler" => "Scheduler",
        "deployment-controller" => "Deployment controller",
        "replicaset-controller" => "ReplicaSet controller",
        "endpoint-slice-controller" => "EndpointSlice controller",
        "horizontal-pod-autoscaler" => "HPA",
        "node-controller" => "Node lifecycle controller",
        "taint-eviction-controller" => "Taint eviction",
        "pod-garbage-collector-controller" => "Pod garbage collector",
        "garbage-collector-controller" => "Garbage collector",
        "namespace-controller" => "Namespace controller",
        "resourcequota-controller" => "ResourceQuota controller",
        "job-controller" => "Job controller",
        "cronjob-controller" => "CronJob controller",
        "statefulset-controller" => "StatefulSet controller",
        "daemonset-controller" => "DaemonSet controller",
        "replication-controller" => "ReplicationController",
        "disruption-controller" => "Disruption controller",
        "persistentvolume-binder" => "Volume binder",
        "ttl-after-finished-controller" => "Job clean-up",
        other => other,
    }
}
