//! `kubectl rollout status`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/rollout/rollout_status.go, pkg/polymorphichelpers/rollout_status.go.

use crate::kubectl::change::{FILES, Fault};
use crate::kubectl::context::{Context, Ongoing};
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::flag;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::named;
use crate::kubectl::resource::Resource;
use crate::kubectl::verb::Verb;
use crate::session::Watch;
use serde_json::Value;
use setpoint_api::text::go_quote;
use setpoint_api::{Object, Op, Time, Uid};

pub(in crate::kubectl) static VERB: Verb = Verb {
    name: "status",
    brief: "Show the status of the rollout",
    usage: "kubectl rollout status (TYPE NAME | TYPE/NAME) [flags] [options]",
    flags: &[
        FILES,
        super::SELECT,
        &[
            flag(
                "revision",
                '\0',
                "0",
                "Pin to a specific revision for showing its status. Defaults to 0 (last revision).",
            ),
            flag(
                "timeout",
                '\0',
                "0s",
                "The length of time to wait before ending watch, zero means never. Any other values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
            ),
            flag("watch", 'w', "true", "Watch the status of the rollout until it's done."),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error("required resource not specified"));
    }
    let (found, faults) = named::objects(cx, call, &call.args)?;
    Fault::end(faults)?;
    if found.is_empty() {
        cx.complain(format!("No resources found in {} namespace.", cx.namespace));
    }
    let timeout = call.duration("timeout");
    let watch = cx.session.watch();
    cx.go_on(Following {
        waiting: found.into_iter().rev().collect(),
        current: None,
        watch,
        revision: call.number("revision"),
        watches: call.is_on("watch"),
        until: (timeout > 0).then(|| cx.now().plus(timeout)),
    });
    Ok(())
}

struct Following {
    waiting: Vec<(Resource, Object)>,
    current: Option<(Resource, Uid)>,
    watch: Watch,
    revision: i64,
    watches: bool,
    until: Option<Time>,
}

impl Ongoing for Following {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        let mut changes: Vec<_> =
            cx.session.changes(&self.watch).into_iter().map(|change| (change.op, change.new)).collect();
        loop {
            if self.current.is_none() {
                let Some((resource, object)) = self.waiting.pop() else { return Ok(true) };
                let uid = object.metadata().uid;
                // The list that begins a watch.
                let now =
                    cx.store().id_of_uid(uid).and_then(|id| cx.store().object(id)).cloned().unwrap_or(object);
                changes.clear();
                changes.push((Op::Added, now));
                self.current = Some((resource, uid));
            }
            let Some((resource, uid)) = self.current.clone() else { return Ok(true) };
            let mut is_done = false;
            for (op, object) in std::mem::take(&mut changes) {
                if object.metadata().uid != uid {
                    continue;
                }
                if op == Op::Deleted {
                    return Err(Failure::error("object has been deleted"));
                }
                let (text, done) =
                    status(&resource.kind, &object.to_value(), self.revision).map_err(Failure::error)?;
                cx.print(text);
                is_done = done || !self.watches;
                if is_done {
                    break;
                }
            }
            if is_done {
                self.current = None;
                continue;
            }
            if self.until.is_some_and(|until| cx.now() >= until) {
                return Err(Failure::error("timed out waiting for the condition"));
            }
            return Ok(false);
        }
    }
}

/// What is said of a rollout, and whether it is over.
///
/// # Errors
/// When it will not come to an end.
pub fn status(kind: &str, object: &Value, revision: i64) -> Result<(String, bool), String> {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let is_observed = number("/metadata/generation") <= number("/status/observedGeneration");
    let name = go_quote(object["metadata"]["name"].as_str().unwrap_or_default());
    match kind {
        "Deployment" => deployment(object, &name, revision, is_observed, &number),
        "DaemonSet" => daemon_set(object, &name, is_observed, &number),
        "StatefulSet" => stateful_set(object, is_observed, &number),
        _ => Err(format!("no status viewer has been implemented for {kind}")),
    }
}

type Said = Result<(String, bool), String>;

fn deployment(
    object: &Value,
    name: &str,
    revision: i64,
    is_observed: bool,
    number: &dyn Fn(&str) -> i64,
) -> Said {
    if revision > 0 {
        let annotations = &object["metadata"]["annotations"];
        let current: Option<i64> =
            annotations["deployment.kubernetes.io/revision"].as_str().and_then(|text| text.parse().ok());
        let Some(current) = current else {
            return Err(format!("cannot get the revision of deployment {name}"));
        };
        if revision != current {
            return Err(format!(
                "desired revision ({revision}) is different from the running revision ({current})"
            ));
        }
    }
    if !is_observed {
        return Ok(("Waiting for deployment spec update to be observed...\n".into(), false));
    }
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let is_late = |one: &Value| one["type"] == "Progressing" && one["reason"] == "ProgressDeadlineExceeded";
    if conditions.iter().any(is_late) {
        return Err(format!("deployment {name} exceeded its progress deadline"));
    }
    let wanted = object["spec"]["replicas"].as_i64();
    let (updated, replicas) = (number("/status/updatedReplicas"), number("/status/replicas"));
    let available = number("/status/availableReplicas");
    let text = if wanted.is_some_and(|wanted| updated < wanted) {
        let wanted = wanted.unwrap_or(0);
        format!("{updated} out of {wanted} new replicas have been updated...")
    } else if replicas > updated {
        format!("{} old replicas are pending termination...", replicas - updated)
    } else if available < updated {
        format!("{available} of {updated} updated replicas are available...")
    } else {
        return Ok((format!("deployment {name} successfully rolled out\n"), true));
    };
    Ok((format!("Waiting for deployment {name} rollout to finish: {text}\n"), false))
}

fn daemon_set(object: &Value, name: &str, is_observed: bool, number: &dyn Fn(&str) -> i64) -> Said {
    if object["spec"]["updateStrategy"]["type"] != "RollingUpdate" {
        return Err("rollout status is only available for RollingUpdate strategy type".into());
    }
    if !is_observed {
        return Ok(("Waiting for daemon set spec update to be observed...\n".into(), false));
    }
    let (updated, desired) =
        (number("/status/updatedNumberScheduled"), number("/status/desiredNumberScheduled"));
    let available = number("/status/numberAvailable");
    let text = if updated < desired {
        format!("{updated} out of {desired} new pods have been updated...")
    } else if available < desired {
        format!("{available} of {desired} updated pods are available...")
    } else {
        return Ok((format!("daemon set {name} successfully rolled out\n"), true));
    };
    Ok((format!("Waiting for daemon set {name} rollout to finish: {text}\n"), false))
}

fn stateful_set(object: &Value, is_observed: bool, number: &dyn Fn(&str) -> i64) -> Said {
    let strategy = &object["spec"]["updateStrategy"];
    if strategy["type"] != "RollingUpdate" {
        return Err("rollout status is only available for RollingUpdate strategy type".into());
    }
    if number("/status/observedGeneration") == 0 || !is_observed {
        return Ok(("Waiting for statefulset spec update to be observed...\n".into(), false));
    }
    let wanted = object["spec"]["replicas"].as_i64();
    let (ready, updated) = (number("/status/readyReplicas"), number("/status/updatedReplicas"));
    if wanted.is_some_and(|wanted| ready < wanted) {
        return Ok((format!("Waiting for {} pods to be ready...\n", wanted.unwrap_or(0) - ready), false));
    }
    let partition = strategy["rollingUpdate"]["partition"].as_i64();
    if let (Some(partition), Some(wanted)) = (partition, wanted) {
        let new = wanted - partition;
        if updated < new {
            let text = "new pods have been updated...";
            return Ok((
                format!("Waiting for partitioned roll out to finish: {updated} out of {new} {text}\n"),
                false,
            ));
        }
        return Ok((
            format!("partitioned roll out complete: {updated} new pods have been updated...\n"),
            true,
        ));
    }
    let word = |key: &str| object["status"][key].as_str().unwrap_or_default();
    let (update, current) = (word("updateRevision"), word("currentRevision"));
    if update != current {
        return Ok((
            format!(
                "waiting for statefulset rolling update to complete {updated} pods at revision {update}...\n"
            ),
            false,
        ));
    }
    let replicas = number("/status/currentReplicas");
    Ok((format!("statefulset rolling update complete {replicas} pods at revision {current}...\n"), true))
}
