//! What the changing verbs share: their flags, dry runs, the line that says what was done, and failures in a row.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go, staging/src/k8s.io/cli-runtime/pkg/genericclioptions.

use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::print::Format;
use super::resource::Resource;
use serde_json::Value;
use setpoint_api::{Object, Status};
use setpoint_sim::{Method, Reply, Request};

/// `-f`, and what belongs to it.
pub(super) static FILES: &[Flag] = &[
    flag("filename", 'f', "[]", "The files that contain the configurations to apply."),
    flag(
        "kustomize",
        'k',
        "''",
        "Process a kustomization directory. This flag can't be used together with -f or -R.",
    ),
    flag(
        "recursive",
        'R',
        "false",
        "Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.",
    ),
];
/// Flags of nearly every changing verb.
pub(super) static COMMON: &[Flag] = &[
    flag(
        "dry-run",
        '\0',
        "'none'",
        "Must be \"none\", \"server\", or \"client\". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.",
    )
    .or_bare("unchanged"),
    flag(
        "output",
        'o',
        "''",
        "Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).",
    ),
    flag("field-manager", '\0', "''", "Name of the manager used to track field ownership."),
    flag(
        "allow-missing-template-keys",
        '\0',
        "true",
        "If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.",
    ),
    flag("show-managed-fields", '\0', "false", "If true, keep the managedFields when printing objects in JSON or YAML format."),
    flag("template", '\0', "''", "Template string or path to template file to use when -o=go-template, -o=go-template-file."),
];
/// How strictly the API server reads.
pub(super) static VALIDATE: &[Flag] =
    &[flag("validate", '\0', "'strict'", "Must be one of: strict (or true), warn, ignore (or false).")
        .or_bare("strict")];
/// `-l` and its like.
pub(super) static SELECT: &[Flag] = &[
    flag(
        "selector",
        'l',
        "''",
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    ),
    flag("all", '\0', "false", "Select all resources in the namespace of the specified resource types"),
    flag("local", '\0', "false", "If true, the command will NOT contact api-server but run locally."),
];
/// `--record` of old.
pub(super) static RECORD: &[Flag] =
    &[flag("record", '\0', "false", "Record current kubectl command in the resource annotation.")];

/// Whether a change is only to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dry {
    No,
    Client,
    Server,
}

impl Dry {
    /// As `--dry-run` says.
    pub fn of(cx: &mut Context, call: &Invocation) -> Result<Self, Failure> {
        match call.text("dry-run") {
            "none" | "false" => Ok(Dry::No),
            "server" => Ok(Dry::Server),
            "client" => Ok(Dry::Client),
            "unchanged" | "true" => {
                cx.complain("W: --dry-run is deprecated and can be replaced with --dry-run=client.");
                Ok(Dry::Client)
            }
            other => Err(Failure::error(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
    /// What stands behind what was done.
    pub fn suffix(self) -> &'static str {
        match self {
            Dry::No => "",
            Dry::Client => " (dry run)",
            Dry::Server => " (server dry run)",
        }
    }
}

/// A request about an object of a kind.
pub(super) fn request(resource: &Resource, method: Method, namespace: &str, name: &str) -> Request {
    Request {
        method,
        api_version: (*resource.api_version).into(),
        kind: (*resource.kind).into(),
        namespace: if resource.is_namespaced { namespace.into() } else { Default::default() },
        name: name.into(),
        field_validation: setpoint_sim::FieldValidation::Warn,
        ..Request::default()
    }
}

/// Sends a request, as a dry run if it is one, and prints the server's warnings.
pub(super) fn send(cx: &mut Context, dry: Dry, request: Request) -> Result<Reply, Status> {
    let reply = cx.request(Request { dry_run: dry == Dry::Server, ..request })?;
    cx.warn(&reply.warnings);
    Ok(reply)
}

/// A patch of a stored object, sent; of a client's dry run the object comes back as it is.
pub(super) fn send_patch(
    cx: &mut Context,
    dry: Dry,
    resource: &Resource,
    object: &Object,
    body: Value,
) -> Result<Value, Status> {
    if dry == Dry::Client {
        return Ok(object.to_value());
    }
    let meta = object.metadata();
    let request = Request { body, ..request(resource, Method::Patch, &meta.namespace, &meta.name) };
    send(cx, dry, request).map(|reply| reply.object)
}

/// Says what was done to an object, in the form that `-o` asks for.
pub(super) fn done(
    cx: &mut Context,
    call: &Invocation,
    resource: &Resource,
    object: &Value,
    operation: &str,
    dry: Dry,
) -> Result<(), Failure> {
    let format = Format::of(cx, call)?;
    if format.is_table() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        cx.say(format!("{}/{name} {operation}{}", resource.printed(), dry.suffix()));
    } else {
        let text = format.print(Some(resource), object)?;
        cx.print(text);
    }
    Ok(())
}

/// Why one of several objects was not changed.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// kubectl's own complaint.
    Client(String),
    /// The API server's.
    Server(Status),
    /// Several that belong together.
    Many(Vec<Fault>),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Fault::Server(status)
    }
}

impl Fault {
    /// The same, with what was tried in front.
    pub fn about(self, what: &str) -> Self {
        match self {
            Fault::Client(message) => Fault::Client(format!("{what}: {message}")),
            Fault::Server(status) => {
                Fault::Server(Status { message: format!("{what}: {}", status.message), ..status })
            }
            Fault::Many(faults) => Fault::Many(faults.into_iter().map(|fault| fault.about(what)).collect()),
        }
    }
    /// Several as one; none if there are none.
    pub fn many(faults: Vec<Fault>) -> Option<Self> {
        (!faults.is_empty()).then_some(Fault::Many(faults))
    }
    /// Ends a verb with all that went wrong: a failure that stands alone has a form of its own, also if it is alone in a
    /// group, but not if that is alone in another one.
    pub fn end(mut faults: Vec<Fault>) -> Result<(), Failure> {
        let mut fault = match faults.len() {
            0 => return Ok(()),
            1 => faults.remove(0),
            _ => Fault::Many(faults),
        };
        if let Fault::Many(inner) = &mut fault
            && inner.len() == 1
        {
            fault = inner.remove(0);
        }
        match fault {
            Fault::Client(message) => Err(Failure::error(message)),
            Fault::Server(status) => Err(status.into()),
            Fault::Many(faults) => {
                let text = faults.iter().map(|fault| fault.line() + "\n").collect();
                Err(Failure { text, code: 1 })
            }
        }
    }
    /// As one of several lines.
    fn line(&self) -> String {
        match self {
            Fault::Server(status) => super::failure::from_server(status),
            other => {
                let mut messages = Vec::new();
                other.messages(&mut messages);
                match messages.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(", ")),
                }
            }
        }
    }
    /// What is said, each thing once.
    fn messages(&self, said: &mut Vec<String>) {
        match self {
            Fault::Many(faults) => faults.iter().for_each(|fault| fault.messages(said)),
            Fault::Client(message) | Fault::Server(Status { message, .. }) => {
                if !said.contains(message) {
                    said.push(message.clone());
                }
            }
        }
    }
}

/// The complaint of a verb that was given nothing to work on.
pub(super) fn nothing_named() -> Failure {
    Failure::error(
        "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   \
         '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
    )
}

/// A duration as Go prints it: `8s`, `1m30s`, `500ms`.
pub(super) fn go_duration(micros: i64) -> String {
    let (millis, seconds) = (micros / 1_000, micros / 1_000_000);
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let rest = micros % 60_000_000;
    let fraction = format!("{:06}", rest % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let tail = format!("{}{dot}{fraction}s", rest / 1_000_000);
    match (hours, minutes) {
        (0, 0) => tail,
        (0, minutes) => format!("{minutes}m{tail}"),
        (hours, minutes) => format!("{hours}h{minutes}m{tail}"),
    }
}
