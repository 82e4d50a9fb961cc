//! `kubectl rollout history`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/history.go.

use super::revisions;
use crate::kubectl::change::{COMMON, FILES, Fault};
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::flag;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::named;
use crate::kubectl::verb::Verb;
use setpoint_api::text::go_quote;

pub(super) static VERB: Verb = Verb {
    name: "history",
    brief: "View rollout history",
    usage: "kubectl rollout history (TYPE NAME | TYPE/NAME) [flags] [options]",
    flags: &[
        FILES,
        COMMON,
        super::SELECT,
        &[flag("revision", '\0', "0", "See the details, including podTemplate of the revision specified")],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error("required resource not specified"));
    }
    let wanted = call.number("revision");
    if wanted < 0 {
        return Err(Failure::error(format!("revision must be a positive integer: {wanted}")));
    }
    let (found, mut faults) = named::objects(cx, call, &call.args)?;
    for (resource, object) in found {
        let Some(revisions) = revisions::all(cx, &object) else {
            faults.push(Fault::Client(format!(
                "no history viewer has been implemented for {}",
                go_quote(&resource.kind)
            )));
            continue;
        };
        let subject = format!("{}/{}", resource.printed(), object.metadata().name);
        if wanted > 0 {
            match revisions.iter().find(|one| one.number == wanted) {
                Some(one) => {
                    cx.say(format!("{subject} with revision #{wanted}"));
                    cx.print(details(&one.template));
                }
                None => faults.push(Fault::Client("unable to find the specified revision".into())),
            }
            continue;
        }
        let mut text = format!("{subject} \n");
        if revisions.is_empty() {
            text.push_str("No rollout history found.\n");
        } else {
            text.push_str("REVISION  CHANGE-CAUSE\n");
            for one in &revisions {
                let cause = one.change_cause.as_deref().unwrap_or("<none>");
                text.push_str(&format!("{:<10}{cause}\n", one.number));
            }
        }
        cx.say(text);
    }
    Fault::end(faults)
}

/// A template in the words of `kubectl describe`, but with tabs where that has columns.
fn details(template: &serde_json::Value) -> String {
    let mut text = String::from("Pod Template:\n");
    for (title, key) in [("Labels", "labels"), ("Annotations", "annotations")] {
        let pairs = template["metadata"][key].as_object();
        let join = if key == "labels" { "=" } else { ": " };
        let lines: Vec<String> = pairs
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}{join}{}", value.as_str().unwrap_or_default()))
            .collect();
        if !lines.is_empty() {
            text.push_str(&format!("  {title}:\t{}\n", lines.join("\n\t")));
        }
    }
    for (title, key) in [("Init Containers", "initContainers"), ("Containers", "containers")] {
        let containers = template["spec"][key].as_array().map_or(&[][..], Vec::as_slice);
        if !containers.is_empty() {
            text.push_str(&format!("  {title}:\n"));
        }
        containers.iter().for_each(|container| describe_container(container, &mut text));
    }
    text.push_str("  Volumes:\t<none>\n  Node-Selectors:\t<none>\n  Tolerations:\t<none>\n\n");
    text
}

fn describe_container(container: &serde_json::Value, text: &mut String) {
    let word = |key: &str| container[key].as_str().unwrap_or_default();
    text.push_str(&format!("   {}:\n    Image:\t{}\n", word("name"), word("image")));
    let ports = container["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let list = |key: &str| {
        let one = |port: &serde_json::Value| {
            format!("{}/{}", port[key].as_i64().unwrap_or(0), port["protocol"].as_str().unwrap_or("TCP"))
        };
        if ports.is_empty() {
            "<none>".to_owned()
        } else {
            ports.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    let plural = if ports.len() > 1 { "s" } else { "" };
    text.push_str(&format!(
        "    Port{plural}:\t{}\n    Host Port{plural}:\t{}\n",
        list("containerPort"),
        list("hostPort")
    ));
    for (title, key) in [("Limits", "limits"), ("Requests", "requests")] {
        let Some(amounts) = container["resources"][key].as_object().filter(|amounts| !amounts.is_empty())
        else {
            continue;
        };
        text.push_str(&format!("    {title}:\n"));
        for (name, amount) in amounts {
            text.push_str(&format!("      {name}:\t{}\n", amount.as_str().unwrap_or_default()));
        }
    }
    match container["env"].as_array().filter(|env| !env.is_empty()) {
        None => text.push_str("    Environment:\t<none>\n"),
        Some(env) => {
            text.push_str("    Environment:\n");
            for one in env {
                text.push_str(&format!(
                    "      {}:\t{}\n",
                    one["name"].as_str().unwrap_or_default(),
                    one["value"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    text.push_str("    Mounts:\t<none>\n");
}
