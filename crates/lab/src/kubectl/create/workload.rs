//! `kubectl create deployment`, `job` and `cronjob`.

use super::{SAVE, VALIDATE, make, name};
use crate::kubectl::change::COMMON;
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::flag;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::verb::Verb;
use serde_json::{Value, json};

pub(super) static DEPLOYMENT: Verb = Verb {
    name: "deployment",
    aliases: &["deploy"],
    brief: "Create a deployment with the specified name",
    usage: "kubectl create deployment NAME --image=image -- [COMMAND] [args...] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag(
                "image",
                '\0',
                "[]",
                "Image names to run. A deployment can have multiple images set for multi-container pod.",
            ),
            flag("port", '\0', "-1", "The containerPort that this deployment exposes."),
            flag("replicas", 'r', "1", "Number of replicas to create. Default is 1."),
        ],
    ],
    required: &["image"],
    run: deployment,
    ..Verb::NONE
};
pub(super) static JOB: Verb = Verb {
    name: "job",
    brief: "Create a job with the specified name",
    usage: "kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag("image", '\0', "''", "Image name to run."),
            flag(
                "from",
                '\0',
                "''",
                "The name of the resource to create a Job from (only cronjob is supported).",
            ),
        ],
    ],
    run: job,
    ..Verb::NONE
};
pub(super) static CRON_JOB: Verb = Verb {
    name: "cronjob",
    aliases: &["cj"],
    brief: "Create a cron job with the specified name",
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag("image", '\0', "''", "Image name to run."),
            flag("schedule", '\0', "''", "A schedule in the Cron format the job should be run with."),
            flag("restart", '\0', "''", "job's restart policy. supported values: OnFailure, Never"),
        ],
    ],
    required: &["image", "schedule"],
    run: cron_job,
    ..Verb::NONE
};

/// What stands behind `--`.
fn words(call: &Invocation) -> &[String] {
    call.dash.and_then(|dash| call.args.get(dash..)).unwrap_or(&[])
}

fn container(name: &str, image: &str, words: &[String]) -> Value {
    let mut container = json!({ "image": image, "name": name, "resources": {} });
    if !words.is_empty() {
        container["command"] = json!(words);
    }
    container
}

/// The name that an image gives its container.
fn name_of(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let bare = last.split([':', '@']).next().unwrap_or(last);
    let clean = bare.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-");
    clean.trim_matches('-').to_owned()
}

fn deployment(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    let images = call.list("image");
    if images.len() > 1 && !words(call).is_empty() {
        return Err(Failure::error("cannot specify multiple --image options and command"));
    }
    let mut containers: Vec<Value> =
        images.iter().map(|image| container(&name_of(image), image, words(call))).collect();
    if let (port @ 0.., Some(first)) = (call.number("port"), containers.first_mut()) {
        first["ports"] = json!([{ "containerPort": port }]);
    }
    let labels = json!({ "app": name });
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "labels": labels, "name": name },
        "spec": {
            "replicas": call.number("replicas"),
            "selector": { "matchLabels": labels },
            "strategy": {},
            "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
        },
        "status": {},
    });
    make(cx, call, object, "deployment")
}

fn job(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    let (image, from) = (call.text("image"), call.text("from"));
    if image.is_empty() == from.is_empty() {
        return Err(Failure::error("either --image or --from must be specified"));
    }
    let object = if from.is_empty() {
        let spec = json!({ "containers": [container(name, image, words(call))], "restartPolicy": "Never" });
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "name": name },
            "spec": { "template": { "metadata": {}, "spec": spec } },
            "status": {},
        })
    } else {
        job_of_cron_job(cx, name, from)?
    };
    make(cx, call, object, "job")
}

fn job_of_cron_job(cx: &Context, name: &str, from: &str) -> Result<Value, Failure> {
    let (kind, source) = from.split_once('/').unwrap_or((from, ""));
    let resource = cx.resource(kind)?;
    if resource.model != setpoint_api::Kind::CronJob {
        return Err(Failure::error(format!("unknown object type {}", resource.go_type())));
    }
    let source = cx.object(&resource, source)?.to_value();
    let template = &source["spec"]["jobTemplate"];
    let mut annotations = template["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert("cronjob.kubernetes.io/instantiate".into(), "manual".into());
    let owner = json!([{
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": source["metadata"]["name"],
        "uid": source["metadata"]["uid"],
        "controller": true,
    }]);
    let mut metadata = json!({ "name": name, "annotations": annotations, "ownerReferences": owner });
    if let Some(labels) = template["metadata"].get("labels") {
        metadata["labels"] = labels.clone();
    }
    Ok(
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"], "status": {} }),
    )
}

fn cron_job(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    let restart = if call.has("restart") { call.text("restart") } else { "OnFailure" };
    let spec =
        json!({ "containers": [container(name, call.text("image"), words(call))], "restartPolicy": restart });
    let object = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": { "name": name },
        "spec": {
            "jobTemplate": {
                "metadata": { "name": name },
                "spec": { "template": { "metadata": {}, "spec": spec } },
            },
            "schedule": call.text("schedule"),
        },
        "status": {},
    });
    make(cx, call, object, "cronjob")
}
