//! What the cluster serves, and what kubectl knows about itself: `api-resources`, `api-versions`, `version`, `cluster-info`,
//! `options`, `auth can-i`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{apiresources,version,clusterinfo,auth}.
//! Simplified: everybody may do everything.

use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::print::{Tabs, json_text};
use super::resource::{self, Resource};
use super::verb::{self, Verb};
use serde_json::json;
use setpoint_api::schema;
use setpoint_api::text::to_yaml;

/// The address that kubectl says it talks to.
pub(super) const SERVER: &str = "https://127.0.0.1:6443";

pub(super) static API_RESOURCES: Verb = Verb {
    name: "api-resources",
    brief: "Print the supported API resources on the server",
    long: "Print the supported API resources on the server.",
    examples: "# Print the supported API resources\nkubectl api-resources\n\n# Print the supported API resources with more \
               information\nkubectl api-resources -o wide\n\n# Print the supported namespaced resources\nkubectl \
               api-resources --namespaced=true\n\n# Print the supported API resources with a specific APIGroup\nkubectl \
               api-resources --api-group=rbac.authorization.k8s.io",
    usage: "kubectl api-resources [flags] [options]",
    flags: &[&[
        flag("api-group", '\0', "''", "Limit to resources in the specified API group."),
        flag("cached", '\0', "false", "Use the cached list of resources if available."),
        flag("categories", '\0', "[]", "Limit to resources that belong to the specified categories."),
        flag(
            "namespaced",
            '\0',
            "true",
            "If false, non-namespaced resources will be returned, otherwise returning namespaced resources by default.",
        ),
        flag(
            "no-headers",
            '\0',
            "false",
            "When using the default or custom-column output format, don't print headers (default print headers).",
        ),
        flag("output", 'o', "''", "Output format. One of: (json, yaml, kyaml, name, wide)."),
        flag(
            "sort-by",
            '\0',
            "''",
            "If non-empty, sort list of resources using specified field. The field can be either 'name' or 'kind'.",
        ),
        flag("verbs", '\0', "[]", "Limit to resources that support the specified verbs."),
    ]],
    run: api_resources,
    ..Verb::NONE
};

fn api_resources(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if let Some(extra) = call.args.first() {
        return Err(call.misuse(format!("unexpected arguments: [{extra}]")));
    }
    let (verbs, categories) = (call.list("verbs"), call.list("categories"));
    let mut rows: Vec<Resource> = resource::all(cx.store());
    rows.retain(|row| {
        (!call.has("namespaced") || row.is_namespaced == call.is_on("namespaced"))
            && (!call.has("api-group") || row.group() == call.text("api-group"))
            && verbs.iter().all(|verb| verbs_of(row).split(',').any(|known| known == verb))
            && categories.iter().all(|category| row.categories.contains(category))
    });
    match call.text("sort-by") {
        "" => {}
        "name" => rows.sort_by(|a, b| a.plural.cmp(&b.plural)),
        "kind" => rows.sort_by(|a, b| a.kind.cmp(&b.kind)),
        _ => return Err(Failure::error("--sort-by accepts only name or kind")),
    }
    let is_wide = match call.text("output") {
        "" => false,
        "wide" => true,
        "name" => {
            for row in rows {
                cx.say(row.full_name());
            }
            return Ok(());
        }
        other => return Err(Failure::error(format!("--output {other} is not available"))),
    };
    let mut text = String::new();
    if !call.is_on("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if is_wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for row in rows {
        let (name, short, version) = (&row.plural, row.short.join(","), &row.api_version);
        text.push_str(&format!("{name}\t{short}\t{version}\t{}\t{}", row.is_namespaced, row.kind));
        if is_wide {
            text.push_str(&format!("\t{}\t{}", verbs_of(&row), row.categories.join(",")));
        }
        text.push('\n');
    }
    cx.print(Tabs::table().align(&text));
    Ok(())
}

fn verbs_of(row: &Resource) -> String {
    let known = schema::resource_of(&row.api_version, &row.kind);
    let all = "create,delete,deletecollection,get,list,patch,update,watch";
    known.map_or_else(|| all.into(), |known| known.verbs().collect::<Vec<_>>().join(","))
}

pub(super) static API_VERSIONS: Verb = Verb {
    name: "api-versions",
    brief: "Print the supported API versions on the server, in the form of \"group/version\"",
    long: "Print the supported API versions on the server, in the form of \"group/version\".",
    examples: "# Print the supported API versions\nkubectl api-versions",
    usage: "kubectl api-versions",
    run: api_versions,
    ..Verb::NONE
};

fn api_versions(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if !call.args.is_empty() {
        return Err(call.misuse(format!("unexpected arguments: [{}]", call.args.join(" "))));
    }
    let mut versions: Vec<String> = schema::resources().map(|row| row.api_version.to_owned()).collect();
    versions.extend(resource::all(cx.store()).into_iter().map(|row| row.api_version));
    versions.sort_unstable();
    versions.dedup();
    for version in versions {
        cx.say(version);
    }
    Ok(())
}

pub(super) static VERSION: Verb = Verb {
    name: "version",
    brief: "Print the client and server version information",
    long: "Print the client and server version information for the current context.",
    examples: "# Print the client and server versions for the current context\nkubectl version",
    usage: "kubectl version [options]",
    flags: &[&[
        flag("client", '\0', "false", "If true, shows client version only (no server required)."),
        flag("output", 'o', "''", "One of 'yaml' or 'json'."),
    ]],
    is_local: true,
    run: version,
    ..Verb::NONE
};

/// What `/version` answers.
pub(super) fn version_of_server() -> serde_json::Value {
    let number = schema::version();
    let minor = number.split('.').nth(1).unwrap_or("");
    json!({ "major": "1", "minor": minor, "gitVersion": number, "platform": "setpoint/simulated" })
}

fn version(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if !call.args.is_empty() {
        return Err(Failure::error(format!("extra arguments: [{}]", call.args.join(" "))));
    }
    let number = schema::version();
    let one = version_of_server();
    let mut all = json!({ "clientVersion": one, "kustomizeVersion": "v5.8.1" });
    let with_server = !call.is_on("client") && cx.session.sim().is_api_up();
    if with_server && let Some(map) = all.as_object_mut() {
        map.insert("serverVersion".into(), one);
    }
    match call.text("output") {
        "" => {
            cx.print(format!("Client Version: {number}\nKustomize Version: v5.8.1\n"));
            if with_server {
                cx.say(format!("Server Version: {number}"));
            }
        }
        "json" => {
            let text = json_text(&all).replace("    ", "  ");
            cx.print(text);
        }
        "yaml" => cx.print(to_yaml(&all)),
        _ => return Err(Failure::error("--output must be 'yaml' or 'json'")),
    }
    if !call.is_on("client") && !with_server {
        return Err(super::no_server());
    }
    Ok(())
}

pub(super) static CLUSTER_INFO: Verb = Verb {
    name: "cluster-info",
    brief: "Display cluster information",
    long: "Display addresses of the control plane and services with label kubernetes.io/cluster-service=true. To further \
           debug and diagnose cluster problems, use 'kubectl cluster-info dump'.",
    examples: "# Print the address of the control plane and cluster services\nkubectl cluster-info",
    usage: "kubectl cluster-info [options]",
    run: cluster_info,
    ..Verb::NONE
};

fn cluster_info(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.args.first().is_some_and(|arg| arg == "dump") {
        return Err(Failure::error("cluster-info dump is not simulated; use kubectl get all -A -o yaml"));
    }
    cx.print(format!(
        "Kubernetes control plane is running at {SERVER}\n\nTo further debug and diagnose cluster problems, use 'kubectl \
         cluster-info dump'.\n"
    ));
    Ok(())
}

pub(super) static OPTIONS: Verb = Verb {
    name: "options",
    brief: "Print the list of flags inherited by all commands",
    usage: "kubectl options",
    is_local: true,
    run: |cx, _| {
        cx.print(super::help::global_options());
        Ok(())
    },
    ..Verb::NONE
};

pub(super) static AUTH: Verb = Verb {
    name: "auth",
    brief: "Inspect authorization",
    long: "Inspect authorization.",
    usage: "kubectl auth [flags] [options]",
    verbs: &[&CAN_I, &WHO_AM_I],
    run: verb::only_sub_commands,
    ..Verb::NONE
};

static CAN_I: Verb = Verb {
    name: "can-i",
    brief: "Check whether an action is allowed",
    long: "Check whether an action is allowed.\n\n VERB is a logical Kubernetes API verb like 'get', 'list', 'watch', \
           'delete', etc. TYPE is a Kubernetes resource.",
    usage: "kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
    flags: &[&[
        flag("all-namespaces", 'A', "false", "If true, check the specified action in all namespaces."),
        flag("list", '\0', "false", "If true, prints all allowed actions."),
        flag("no-headers", '\0', "false", "If true, prints allowed actions without headers"),
        flag("subresource", '\0', "''", "SubResource such as pod/log or deployment/scale"),
        flag("quiet", 'q', "false", "If true, suppress output and just return the exit code."),
    ]],
    run: can_i,
    ..Verb::NONE
};

/// Verbs that `can-i` does not wonder at.
const KNOWN_VERBS: &[&str] = &[
    "*",
    "approve",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "impersonate",
    "list",
    "patch",
    "sign",
    "update",
    "use",
    "watch",
];

fn can_i(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.is_on("list") {
        if !call.args.is_empty() {
            return Err(Failure::error("list option must be specified with no arguments"));
        }
        let rules = "Resources\tNon-Resource URLs\tResource Names\tVerbs\n*.*\t[]\t[]\t[*]\n\t[*]\t[]\t[*]\n";
        cx.print(Tabs::table().align(rules));
        return Ok(());
    }
    if !(2..=3).contains(&call.args.len()) {
        return Err(Failure::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ));
    }
    let (verb, kind) = (call.args.first().map_or("", |verb| verb), call.args.get(1).map_or("", |kind| kind));
    if !KNOWN_VERBS.contains(&verb) {
        cx.complain(format!("Warning: verb '{verb}' is not a known verb\n"));
    }
    if !kind.starts_with('/') && kind != "*" {
        match resource::find(cx.store(), kind.split('/').next().unwrap_or(kind)) {
            None => cx.complain(format!("Warning: the server doesn't have a resource type '{kind}'\n")),
            Some(resource) if !resource.is_namespaced && !call.is_on("all-namespaces") => {
                let group = resource.group();
                let group = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
                let plural = &resource.plural;
                cx.complain(format!("Warning: resource '{plural}' is not namespace scoped{group}\n"));
            }
            Some(_) => {}
        }
    }
    if !call.is_on("quiet") {
        cx.say("yes");
    }
    Ok(())
}

static WHO_AM_I: Verb = Verb {
    name: "whoami",
    brief: "Experimental: Check self subject attributes",
    usage: "kubectl auth whoami [options]",
    run: |cx, _| {
        let text =
            "ATTRIBUTE\tVALUE\nUsername\tkubernetes-admin\nGroups\t[system:masters system:authenticated]\n";
        cx.print(Tabs::table().align(text));
        Ok(())
    },
    ..Verb::NONE
};
