//! `kubectl explain`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/explain/v2/templates/plaintext.tmpl.
//! Simplified: fields, their types, which are required and which words they take; no descriptions.

use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::verb::Verb;
use setpoint_api::schema::{self, Field, FieldType, Type};
use setpoint_api::text::go_quote;

pub(super) static VERB: Verb = Verb {
    name: "explain",
    brief: "Get documentation for a resource",
    long: "Describe fields and structure of various resources.\n\n This command describes the fields associated with each \
           supported API resource. Fields are identified via a simple JSONPath identifier:\n\n        \
           <type>.<fieldName>[.<fieldName>]",
    examples: "# Get the documentation of the resource and its fields\nkubectl explain pods\n\n# Get all the fields in the \
               resource\nkubectl explain pods --recursive\n\n# Get the documentation of a specific field of a \
               resource\nkubectl explain pods.spec.containers",
    usage: "kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2] [options]",
    flags: &[&[
        flag("api-version", '\0', "''", "Use given api-version (group/version) of the resource."),
        flag(
            "output",
            'o',
            "'plaintext'",
            "Format in which to render the schema. Valid values are: (plaintext, plaintext-openapiv2).",
        ),
        flag(
            "recursive",
            '\0',
            "false",
            "When true, print the name of all the fields recursively. Otherwise, print the available fields with their description.",
        ),
    ]],
    run,
    ..Verb::NONE
};

/// Types hold themselves in places; deeper than this nothing is told.
const MAX_DEPTH: usize = 24;

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let word = match call.args.as_slice() {
        [] => {
            return Err(Failure::error(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of \
                 supported resources.\n",
            ));
        }
        [word] => word,
        _ => return Err(Failure::error("We accept only this format: explain RESOURCE")),
    };
    let output = call.text("output");
    if !["plaintext", "plaintext-openapiv2"].contains(&output) {
        return Err(Failure::error(format!("unrecognized format: {output}")));
    }
    // A kind with its group (`deployments.apps.spec`) may stand in front of the fields.
    let parts: Vec<&str> = word.split('.').collect();
    let (resource, path) = (1..=parts.len())
        .rev()
        .find_map(|length| {
            let (head, tail) = parts.split_at(length);
            cx.resource(&head.join(".")).ok().map(|resource| (resource, tail.to_vec()))
        })
        .ok_or_else(|| {
            let name = go_quote(parts.first().unwrap_or(&""));
            Failure::plain(format!("the server doesn't have a resource type {name}"))
        })?;
    let version = if call.has("api-version") { call.text("api-version") } else { &resource.api_version };
    let Some(of) = schema::type_of(version, &resource.kind) else {
        return Err(Failure::error(format!(
            "couldn't find resource for \"{}{version}, Resource={}\"",
            if version.contains('/') { "" } else { "/" },
            resource.plural
        )));
    };
    let mut out = String::new();
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    if !group.is_empty() {
        out.push_str(&format!("GROUP:      {group}\n"));
    }
    out.push_str(&format!("KIND:       {}\nVERSION:    {number}\n\n", resource.kind));
    let recursive = call.is_on("recursive");
    match path.split_last() {
        None => whole(&mut out, of, recursive),
        Some((last, _)) => {
            let missing = || Failure::error(format!("field {} does not exist", go_quote(last)));
            let field = of.field_at(&path).ok_or_else(missing)?;
            told(&mut out, &field, recursive);
        }
    }
    cx.print(out);
    Ok(())
}

const NOTE: &str = "DESCRIPTION:\n    <no descriptions here: the fields below are those of the API server, see\n    https://kubernetes.io/docs/reference/kubernetes-api/>\n";

fn whole(out: &mut String, of: Type, recursive: bool) {
    out.push_str(NOTE);
    out.push_str("    \n");
    fields(out, of, recursive);
}

/// One field.
fn told(out: &mut String, field: &Field, recursive: bool) {
    out.push_str(&format!("FIELD: {} <{}>", field.name, type_name(field.of)));
    out.push_str(if field.is_required() { " -required-\n" } else { "\n" });
    words(out, field, "");
    out.push_str("\n\n");
    out.push_str(NOTE);
    out.push_str("    \n");
    if let Some(inner) = field.of.innermost().object() {
        fields(out, inner, recursive);
    }
}

fn fields(out: &mut String, of: Type, recursive: bool) {
    out.push_str("FIELDS:\n");
    if recursive {
        tree(out, of, 1, &mut Vec::new());
    } else {
        for field in of.fields() {
            line(out, &field, "  ");
            out.push('\n');
        }
    }
    out.push('\n');
}

fn line(out: &mut String, field: &Field, indent: &str) {
    let required = if field.is_required() { " -required-" } else { "" };
    out.push_str(&format!("{indent}{}\t<{}>{required}\n", field.name, type_name(field.of)));
    words(out, field, indent);
}

/// The words that a field takes.
fn words(out: &mut String, field: &Field, indent: &str) {
    let words: Vec<&str> = field.words().collect();
    if words.is_empty() {
        return;
    }
    let shown: Vec<&str> = words.iter().copied().take(4).collect();
    let more = if words.len() > shown.len() { ", ...." } else { "" };
    out.push_str(&format!("{indent}enum: {}{more}\n", shown.join(", ")));
}

/// All fields below; a type inside of itself is named and not entered.
fn tree(out: &mut String, of: Type, depth: usize, inside: &mut Vec<&'static str>) {
    inside.push(of.name);
    for field in of.fields() {
        line(out, &field, &"  ".repeat(depth));
        if let Some(inner) = field.of.innermost().object()
            && depth < MAX_DEPTH
            && !inside.contains(&inner.name)
        {
            tree(out, inner, depth + 1, inside);
        }
    }
    inside.pop();
}

/// The name of a type as explain writes it: `[]Container`, `map[string]string`.
fn type_name(of: FieldType) -> String {
    if let Some(item) = of.item() {
        return format!("[]{}", type_name(item));
    }
    if let Some(value) = of.value() {
        return format!("map[string]{}", type_name(value));
    }
    match of.short_name() {
        "any" => "<unknown>".into(),
        name => name.to_owned(),
    }
}
