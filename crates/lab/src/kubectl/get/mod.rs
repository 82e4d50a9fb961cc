//! `kubectl get`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go.
//! Simplified: a watch is told every change, and never starts anew.

mod fields;
mod flags;
mod sort;
mod watch;

use super::context::Context;
use super::failure::Failure;
use super::invocation::Invocation;
use super::print::{self, Format, Shown, Table};
use super::resource::{self, Resource, Target};
use super::served;
use super::verb::Verb;
pub(super) use fields::FieldSelector;
use serde_json::Value;
use setpoint_api::Selector;
use setpoint_sim::Method;

pub(super) static VERB: Verb = Verb {
    name: "get",
    brief: "Display one or many resources",
    long: flags::LONG,
    examples: flags::EXAMPLES,
    usage: flags::USAGE,
    flags: &[flags::FLAGS],
    run,
    ..Verb::NONE
};

/// What is looked for: labels and fields, in one namespace or in all.
#[derive(Clone)]
struct Query {
    labels: Selector,
    fields: FieldSelector,
    everywhere: bool,
}

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if call.has("raw") {
        return raw(cx, call);
    }
    let mut args = call.args.clone();
    if call.has("filename") {
        args.extend(super::manifest::names(cx, call)?);
    }
    if args.is_empty() {
        cx.complain(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported \
             resources.\n",
        );
        return Err(call.misuse(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that \
             resource (e.g. kubectl explain pods).",
        ));
    }
    let format = Format::of(cx, call)?;
    let targets = resource::targets(cx, &args)?;
    if call.has("subresource") && targets.iter().any(|target| target.name.is_none()) {
        return Err(Failure::error("subresource cannot be used when bulk resources are specified"));
    }
    let subresource = call.text("subresource");
    if !["", "status", "scale", "resize"].contains(&subresource) {
        let shown = setpoint_api::text::go_quote(subresource);
        let message = format!("invalid subresource value: {shown}. Must be one of [status scale resize]");
        return Err(Failure::error(message));
    }
    if call.is_on("watch") || call.is_on("watch-only") {
        return watch::begin(cx, call, format, &targets);
    }
    let (found, failures) = find(cx, call, &targets)?;
    let found = sort::sorted(call, found)?;
    warn_of_old_kinds(cx, &targets);
    let is_empty = found.is_empty();
    if format.is_table() {
        tables(cx, call, &format, &targets, found);
    } else if let Format::Custom(columns) = &format {
        let values: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
        let text = columns.print(&values, !call.is_on("no-headers"))?;
        cx.print(if values.is_empty() && call.is_on("no-headers") { String::new() } else { text });
    } else {
        print_whole(cx, &format, &args, found, &failures)?;
    }
    if is_empty && failures.is_empty() && format.is_table() && !call.is_on("ignore-not-found") {
        cx.complain(nothing_found(cx, call, &targets));
    }
    Failure::all(failures)
}

/// What the API server answers at a path, as far as that is no object.
fn raw(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    if !call.args.is_empty() {
        return Err(Failure::error("arguments may not be passed when --raw is specified"));
    }
    if call.has("output") {
        return Err(Failure::error("--raw and --output are mutually exclusive"));
    }
    match call.text("raw") {
        "/healthz" | "/livez" | "/readyz" => cx.print("ok"),
        "/version" => {
            let text = print::json_text(&super::cluster::version_of_server()).replace("    ", "  ");
            cx.print(text.trim_end());
        }
        _ => {
            return Err(Failure::error(
                "--raw knows /healthz, /livez, /readyz and /version only: there is no HTTP in front of this API server",
            ));
        }
    }
    Ok(())
}

type Found = Vec<(Resource, Value)>;

/// The objects that the arguments name, and what is not there.
fn find(cx: &Context, call: &Invocation, targets: &[Target]) -> Result<(Found, Vec<Failure>), Failure> {
    let everywhere = call.is_on("all-namespaces");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for Target { resource, name } in targets {
        if let Some(name) = name {
            if call.has("selector") || call.has("field-selector") {
                return Err(Failure::error("name cannot be provided when a selector is specified"));
            }
            if everywhere && resource.is_namespaced {
                return Err(Failure::error("a resource cannot be retrieved by name across all namespaces"));
            }
            match one(cx, resource, name)
                .and_then(|value| part(cx, resource, value, call.text("subresource")))
            {
                Ok(found_one) => found.push(found_one),
                Err(_) if call.is_on("ignore-not-found") => {}
                Err(failure) => failures.push(failure),
            }
            continue;
        }
        match query(call, resource) {
            Ok(query) => {
                let values = query.list(cx, resource);
                found.extend(values.into_iter().map(|value| (resource.clone(), value)));
            }
            Err(failure) => failures.push(failure),
        }
    }
    Ok((found, failures))
}

fn one(cx: &Context, resource: &Resource, name: &str) -> Result<Value, Failure> {
    if let Some(values) = super::synthetic::list(cx, resource) {
        let namespace = cx.namespace_of(resource);
        let is_it = |value: &&Value| {
            value["metadata"]["name"] == *name
                && (namespace.is_empty() || value["metadata"]["namespace"] == *namespace)
        };
        return values.iter().find(is_it).cloned().ok_or_else(|| resource.not_found(name).into());
    }
    cx.object(resource, name).map(|object| served::value(resource, &object))
}

/// A subresource of an object: how it is scaled, or the object itself.
fn part(
    cx: &Context,
    resource: &Resource,
    value: Value,
    subresource: &str,
) -> Result<(Resource, Value), Failure> {
    if subresource != "scale" {
        return Ok((resource.clone(), value));
    }
    let name = value["metadata"]["name"].as_str().unwrap_or_default();
    let request = super::change::request(resource, Method::Update, &cx.namespace_of(resource), name);
    let mut scale = setpoint_sim::scale(cx.store(), &request)?;
    let selector = print::scale_selector(&value);
    if !selector.is_empty() {
        scale["status"]["selector"] = selector.into();
    }
    Ok((Resource::scale(), scale))
}

fn query(call: &Invocation, resource: &Resource) -> Result<Query, Failure> {
    let (labels, fields) = (call.text("selector"), call.text("field-selector"));
    let refuse = |why: &String| resource::bad_query(resource, labels, fields, why);
    Ok(Query {
        labels: Selector::parse(labels).map_err(|why| refuse(&why))?,
        fields: FieldSelector::parse(fields, &resource.kind).map_err(|why| refuse(&why))?,
        everywhere: call.is_on("all-namespaces"),
    })
}

impl Query {
    fn list(&self, cx: &Context, resource: &Resource) -> Vec<Value> {
        let mut values = match super::synthetic::list(cx, resource) {
            Some(values) => {
                let namespace = cx.namespace_of(resource);
                let is_here = |value: &Value| {
                    self.everywhere || namespace.is_empty() || value["metadata"]["namespace"] == *namespace
                };
                values.into_iter().filter(is_here).collect()
            }
            None => {
                let objects = cx.objects(resource, self.everywhere, &self.labels);
                objects.iter().map(|object| served::value(resource, object)).collect::<Vec<_>>()
            }
        };
        values.retain(|value| self.fields.matches(value));
        values
    }
}

fn options(call: &Invocation, format: &Format, kinds: &[&Resource]) -> Shown {
    Shown {
        is_wide: matches!(format, Format::Table { is_wide: true }),
        with_namespace: call.is_on("all-namespaces"),
        with_kind: call.is_on("show-kind") || kinds.iter().any(|resource| kinds.first() != Some(resource)),
        without_headers: call.is_on("no-headers"),
        with_labels: call.is_on("show-labels"),
        label_columns: call.list("label-columns"),
        with_event: call.is_on("output-watch-events"),
    }
}

/// One table for each run of objects of a kind.
fn tables(
    cx: &mut Context,
    call: &Invocation,
    format: &Format,
    targets: &[Target],
    found: Vec<(Resource, Value)>,
) {
    // A kind that is listed counts even if there is nothing of it; one that is looked up by name only where it is found.
    let listed = targets.iter().filter(|target| target.name.is_none()).map(|target| &target.resource);
    let kinds: Vec<&Resource> = listed.chain(found.iter().map(|(resource, _)| resource)).collect();
    let shown = options(call, format, &kinds);
    let by_server = call.is_on("server-print");
    let now = cx.now();
    let mut found = found.into_iter().peekable();
    let mut is_first = true;
    while let Some((resource, value)) = found.next() {
        let mut rows = vec![("", value)];
        while let Some((_, value)) = found.next_if(|(next, _)| *next == resource) {
            rows.push(("", value));
        }
        let mut table = if by_server {
            Table::new(cx.store(), &resource, shown.clone())
        } else {
            Table::plain(&resource, shown.clone())
        };
        let text = table.rows(&rows, now);
        if !is_first && !shown.without_headers {
            cx.print("\n");
        }
        is_first = false;
        cx.print(text);
    }
}

/// YAML, JSON and templates see a list, unless one object was asked for by name.
fn print_whole(
    cx: &mut Context,
    format: &Format,
    args: &[String],
    found: Vec<(Resource, Value)>,
    failures: &[Failure],
) -> Result<(), Failure> {
    if matches!(format, Format::Name) {
        for (resource, value) in &found {
            let text = format.print(Some(resource), value)?;
            cx.print(text);
        }
        return Ok(());
    }
    let is_one = args.len() == 1 && args.iter().any(|arg| arg.contains('/'))
        || args.len() == 2 && !args.iter().any(|arg| arg.contains('/'));
    if is_one && found.len() <= 1 {
        if let Some((resource, value)) = found.first() {
            let text = format.print(Some(resource), value)?;
            cx.print(text);
        }
        return Ok(());
    }
    if found.is_empty() && !failures.is_empty() {
        return Ok(());
    }
    let values = found.into_iter().map(|(_, value)| value).collect();
    let text = format.print(None, &print::list(values))?;
    cx.print(text);
    Ok(())
}

fn nothing_found(cx: &Context, call: &Invocation, targets: &[Target]) -> String {
    let all_namespaced = targets.iter().all(|target| target.resource.is_namespaced);
    if all_namespaced && !call.is_on("all-namespaces") {
        format!("No resources found in {} namespace.", cx.namespace)
    } else {
        "No resources found".into()
    }
}

/// The API server's warnings about kinds that are on their way out.
fn warn_of_old_kinds(cx: &mut Context, targets: &[Target]) {
    for target in targets {
        match &*target.resource.kind {
            "Endpoints" => {
                cx.complain(
                    "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
                );
            }
            "ComponentStatus" => cx.complain("Warning: v1 ComponentStatus is deprecated in v1.19+"),
            _ => {}
        }
    }
}
