//! `kubectl config`: the one context that there is, and its namespace.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/config.
//! Simplified: one cluster, one user, one context; its namespace is all that can be set.

use super::cluster::SERVER;
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::print::{self, Format, Tabs};
use super::verb::{self, Verb};
use serde_json::{Value, json};
use setpoint_api::text::to_yaml;

pub(super) static VERB: Verb = Verb {
    name: "config",
    brief: "Modify kubeconfig files",
    long: "Modify kubeconfig files using subcommands like \"kubectl config set current-context my-context\".",
    usage: "kubectl config SUBCOMMAND [options]",
    verbs: &[&CURRENT_CONTEXT, &GET_CLUSTERS, &GET_CONTEXTS, &GET_USERS, &SET_CONTEXT, &USE_CONTEXT, &VIEW],
    is_local: true,
    run: verb::only_sub_commands,
    ..Verb::NONE
};

/// The one context that there is.
const CONTEXT: &str = "kind";

static CURRENT_CONTEXT: Verb = Verb {
    name: "current-context",
    brief: "Display the current-context",
    long: "Display the current-context.",
    usage: "kubectl config current-context [flags] [options]",
    is_local: true,
    run: |cx, _| {
        cx.say(CONTEXT);
        Ok(())
    },
    ..Verb::NONE
};

static GET_CLUSTERS: Verb = Verb {
    name: "get-clusters",
    brief: "Display clusters defined in the kubeconfig",
    long: "Display clusters defined in the kubeconfig.",
    usage: "kubectl config get-clusters [options]",
    is_local: true,
    run: |cx, _| {
        cx.print("NAME\nc\n");
        Ok(())
    },
    ..Verb::NONE
};

static GET_USERS: Verb = Verb {
    name: "get-users",
    brief: "Display users defined in the kubeconfig",
    long: "Display users defined in the kubeconfig.",
    usage: "kubectl config get-users [options]",
    is_local: true,
    run: |cx, _| {
        cx.print("NAME\nu\n");
        Ok(())
    },
    ..Verb::NONE
};

static GET_CONTEXTS: Verb = Verb {
    name: "get-contexts",
    brief: "Describe one or many contexts",
    long: "Display one or many contexts from the kubeconfig file.",
    usage: "kubectl config get-contexts [(-o|--output=)name)] [options]",
    flags: &[&[
        flag(
            "no-headers",
            '\0',
            "false",
            "When using the default or custom-column output format, don't print headers (default print headers).",
        ),
        flag("output", 'o', "''", "Output format. One of: (name)."),
    ]],
    is_local: true,
    run: get_contexts,
    ..Verb::NONE
};

fn get_contexts(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    match call.text("output") {
        "" => {}
        "name" => {
            cx.say(CONTEXT);
            return Ok(());
        }
        other => {
            return Err(Failure::error(format!("output must be one of '' or 'name': {other}")));
        }
    }
    let missing: Vec<&String> = call.args.iter().filter(|name| *name != CONTEXT).collect();
    let is_shown = call.args.is_empty() || missing.len() < call.args.len();
    let header = if call.is_on("no-headers") { "" } else { "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n" };
    let shown =
        if cx.terminal.namespace == "default" { String::new() } else { cx.terminal.namespace.clone() };
    let row = if is_shown { format!("*\t{CONTEXT}\tc\tu\t{shown}\n") } else { String::new() };
    cx.print(Tabs::table().align(&format!("{header}{row}")));
    let failures = missing.into_iter().map(|name| Failure::error(format!("context {name} not found")));
    Failure::all(failures.collect())
}

static SET_CONTEXT: Verb = Verb {
    name: "set-context",
    brief: "Set a context entry in kubeconfig",
    long: "Set a context entry in kubeconfig.\n\n Specifying a name that already exists will merge new fields on top of \
           existing values for those fields.",
    examples: "# Set the namespace of the current context\nkubectl config set-context --current --namespace=shop",
    usage: "kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace] [options]",
    flags: &[&[flag("current", '\0', "false", "Modify the current context")]],
    is_local: true,
    run: set_context,
    ..Verb::NONE
};

fn set_context(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = call.args.first().map(|name| &**name);
    match name {
        None if !call.is_on("current") => {
            return Err(Failure::error("you must specify a non-empty context name or --current"));
        }
        Some(name) if name != CONTEXT => {
            return Err(Failure::error(format!(
                "context {name:?} is not simulated: there is one cluster, {CONTEXT:?}"
            )));
        }
        _ => {}
    }
    if call.has("namespace") {
        let namespace = call.text("namespace");
        cx.terminal.namespace = if namespace.is_empty() { "default".into() } else { namespace.to_owned() };
    }
    cx.say(format!("Context \"{CONTEXT}\" modified."));
    Ok(())
}

static USE_CONTEXT: Verb = Verb {
    name: "use-context",
    aliases: &["use"],
    brief: "Set the current-context in a kubeconfig file",
    long: "Set the current-context in a kubeconfig file.",
    usage: "kubectl config use-context CONTEXT_NAME [options]",
    is_local: true,
    run: |cx, call| match call.args.first() {
        Some(name) if name == CONTEXT => {
            cx.say(format!("Switched to context \"{CONTEXT}\"."));
            Ok(())
        }
        Some(name) => Err(Failure::error(format!("no context exists with the name: {name:?}"))),
        None => {
            let help = super::help::of(call.verb, &call.path);
            cx.print(help);
            Err(Failure::error("Unexpected args: []"))
        }
    },
    ..Verb::NONE
};

static VIEW: Verb = Verb {
    name: "view",
    brief: "Display merged kubeconfig settings or a specified kubeconfig file",
    long: "Display merged kubeconfig settings or a specified kubeconfig file.",
    usage: "kubectl config view [flags] [options]",
    flags: &[
        &[
            flag(
                "minify",
                '\0',
                "false",
                "Remove all information not used by current-context from the output",
            ),
            flag("raw", '\0', "false", "Display raw byte data and sensitive data"),
            flag(
                "flatten",
                '\0',
                "false",
                "Flatten the resulting kubeconfig file into self-contained output (useful for creating portable kubeconfig files)",
            ),
        ],
        print::FLAGS,
    ],
    is_local: true,
    run: view,
    ..Verb::NONE
};

fn view(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    // The namespace `default` is what holds where none is given.
    let context = match &*cx.terminal.namespace {
        "default" => json!({ "cluster": "c", "user": "u" }),
        namespace => json!({ "cluster": "c", "namespace": namespace, "user": "u" }),
    };
    let token = if call.is_on("raw") { "simulated" } else { "REDACTED" };
    let config: Value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "c", "cluster": { "insecure-skip-tls-verify": true, "server": SERVER } }],
        "contexts": [{ "name": CONTEXT, "context": context }],
        "current-context": CONTEXT,
        "users": [{ "name": "u", "user": { "token": token } }],
    });
    let format = Format::of(cx, call)?;
    let text = if format.is_table() { to_yaml(&config) } else { format.print(None, &config)? };
    cx.print(text);
    Ok(())
}
