//! `kubectl scale`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/scale/scale.go, pkg/scale/scale.go.

use super::change::{self, COMMON, Dry, FILES, Fault, RECORD, SELECT};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::named;
use super::verb::Verb;
use serde_json::json;
use setpoint_sim::{Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "scale",
    brief: "Set a new size for a deployment, replica set, or replication controller",
    usage: "kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        RECORD,
        &[
            flag("replicas", '\0', "0", "The new desired number of replicas. Required."),
            flag(
                "current-replicas",
                '\0',
                "-1",
                "Precondition for current size. Requires that the current size of the resource match this value in order to scale. -1 (default) for no condition.",
            ),
            flag(
                "resource-version",
                '\0',
                "''",
                "Precondition for resource version. Requires that the current resource version match this value in order to scale.",
            ),
            flag(
                "timeout",
                '\0',
                "0s",
                "The length of time to wait before giving up on a scale operation, zero means don't wait.",
            ),
        ],
    ],
    required: &["replicas"],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let replicas = call.number("replicas");
    if replicas < 0 {
        return Err(Failure::error(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &call.args)?;
    if found.is_empty() && faults.is_empty() {
        return Err(Failure::error("no objects passed to scale"));
    }
    for (resource, object) in found {
        let value = object.to_value();
        let current = value["spec"]["replicas"].as_i64().unwrap_or(1);
        let (wanted, version) = (call.number("current-replicas"), call.text("resource-version"));
        if wanted != -1 && current != wanted {
            faults.push(Fault::Client(format!("Expected replicas to be {wanted}, was {current}")));
            continue;
        }
        let actual = value["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !version.is_empty() && actual != version {
            faults.push(Fault::Client(format!("Expected resource version to be {version}, was {actual}")));
            continue;
        }
        let meta = object.metadata();
        let request = Request {
            subresource: "scale".into(),
            patch_type: PatchType::Merge,
            body: json!({ "spec": { "replicas": replicas } }),
            ..change::request(&resource, Method::Patch, &meta.namespace, &meta.name)
        };
        match if dry == Dry::Client { Ok(Default::default()) } else { change::send(cx, dry, request) } {
            Ok(_) => change::done(cx, call, &resource, &value, "scaled", dry)?,
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}
