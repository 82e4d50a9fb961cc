//! Kinds with short descriptions, and any other kind by its fields.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go.
//! Simplified: kinds without a description of their own are described by their fields, as custom kinds are.

use super::text::Text;
use crate::kubectl::jsonpath::go_value;
use crate::kubectl::print::look::{at, entries, items, or, plain, text};
use serde_json::Value;
use setpoint_api::{Kind, Object, Store};

/// What the field printer leaves out, for it stands above.
const KNOWN: [&str; 5] = [
    ".metadata.managedFields",
    ".metadata.labels",
    ".metadata.annotations",
    ".metadata.name",
    ".metadata.namespace",
];

pub(super) fn namespace(out: &mut Text, object: &Value, store: &Store) {
    out.name(object);
    out.labels(object);
    out.field(0, "Status", text(object, "/status/phase"));
    let name = text(object, "/metadata/name");
    let of_kind = |kind: Kind| {
        let objects = store.ids(kind).filter_map(|id| store.object(id));
        objects
            .filter(|object| *object.metadata().namespace == *name)
            .map(Object::to_value)
            .collect::<Vec<_>>()
    };
    let (quotas, ranges) = (of_kind(Kind::ResourceQuota), of_kind(Kind::LimitRange));
    if quotas.is_empty() {
        out.line(0, "\nNo resource quota.");
    } else {
        out.line(0, "\nResource Quotas");
        for quota in &quotas {
            out.field(1, "Name", text(quota, "/metadata/name"));
            out.line(1, "Resource\tUsed\tHard");
            out.line(1, "--------\t---\t---");
            amounts(out, 1, quota);
        }
    }
    if ranges.is_empty() {
        out.line(0, "\nNo LimitRange resource.");
    } else {
        out.line(0, "\nResource Limits");
        limit_table(out, 0, &ranges.iter().collect::<Vec<_>>(), " ");
    }
}

pub(super) fn quota(out: &mut Text, object: &Value) {
    out.name(object);
    let scopes: Vec<&str> = items(object, "/spec/scopes").iter().filter_map(Value::as_str).collect();
    if !scopes.is_empty() {
        out.field(0, "Scopes", scopes.join(", "));
    }
    out.line(0, "Resource\tUsed\tHard");
    out.line(0, "--------\t----\t----");
    amounts(out, 0, object);
}

fn amounts(out: &mut Text, level: usize, quota: &Value) {
    for (name, hard) in entries(quota, "/status/hard") {
        let used = plain(at(quota, &format!("/status/used/{}", name.replace('/', "~1"))));
        out.line(level, format!("{name}\t{}\t{}", or(&used, "0"), plain(hard)));
    }
}

pub(super) fn limit_range(out: &mut Text, object: &Value) {
    out.name(object);
    limit_table(out, 0, &[object], "");
}

fn limit_table(out: &mut Text, level: usize, ranges: &[&Value], indent: &str) {
    out.line(
        level,
        format!("{indent}Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"),
    );
    out.line(
        level,
        format!("{indent}----\t--------\t---\t---\t---------------\t-------------\t-----------------------"),
    );
    for limit in ranges.iter().flat_map(|range| items(range, "/spec/limits")) {
        let fields = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
        let mut names: Vec<&str> = fields
            .iter()
            .flat_map(|field| entries(limit, &format!("/{field}")))
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let cell = |field: &&str| {
                let value = plain(at(limit, &format!("/{field}/{}", name.replace('/', "~1"))));
                or(&value, "-").to_owned()
            };
            let cells: Vec<String> = fields.iter().map(cell).collect();
            out.line(level, format!("{indent}{}\t{name}\t{}", text(limit, "/type"), cells.join("\t")));
        }
    }
}

pub(super) fn config_map(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    out.line(0, "\nData\n====");
    for (key, value) in entries(object, "/data") {
        out.line(0, format!("{key}:\n----\n{}\n", plain(value)));
    }
    out.line(0, "\nBinaryData\n====");
    for (key, value) in entries(object, "/binaryData") {
        out.line(0, format!("{key}: {} bytes", decoded_length(value)));
    }
    out.line(0, "");
    out.events(events);
}

pub(super) fn secret(out: &mut Text, object: &Value) {
    out.name(object);
    out.labels(object);
    out.line(0, "");
    out.field(0, "Type", text(object, "/type"));
    out.line(0, "\nData\n====");
    for (key, value) in entries(object, "/data") {
        out.field(0, key, format!("{} bytes", decoded_length(value)));
    }
}

/// How many bytes a base64 text stands for.
fn decoded_length(value: &Value) -> usize {
    let text = value.as_str().unwrap_or("");
    text.trim_end_matches('=').len() * 3 / 4
}

pub(super) fn service_account(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    for (title, path) in [("Image pull secrets", "/imagePullSecrets"), ("Mountable secrets", "/secrets")] {
        let names: Vec<&str> = items(object, path).iter().map(|secret| text(secret, "/name")).collect();
        out.field(0, title, names.first().copied().unwrap_or("<none>"));
        for name in names.iter().skip(1) {
            out.line(0, format!("\t{name}"));
        }
    }
    out.field(0, "Tokens", "<none>");
    out.events(events);
}

/// Any kind, by its fields.
pub(super) fn generic(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.field(0, "Name", text(object, "/metadata/name"));
    out.field(0, "Namespace", text(object, "/metadata/namespace"));
    out.labels(object);
    fields(out, 0, object, "");
    out.events(events);
}

fn fields(out: &mut Text, level: usize, object: &Value, path: &str) {
    for (name, value) in entries(object, "") {
        let path = format!("{path}.{name}");
        if KNOWN.contains(&&*path) {
            continue;
        }
        let title = title(name);
        match value {
            Value::Object(_) => {
                out.line(level, format!("{title}:"));
                fields(out, level + 1, value, &path);
            }
            Value::Array(items) => {
                out.line(level, format!("{title}:"));
                for item in items {
                    if item.is_object() {
                        fields(out, level + 1, item, &path);
                    } else {
                        out.line(level + 1, go_value(item));
                    }
                }
            }
            other => out.field(level, &title, go_value(other)),
        }
    }
}

/// The words of a field's name: `apiVersion` as `API Version`.
fn title(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !c.is_uppercase() || word.chars().all(char::is_uppercase) && word.len() > 1 => {
                word.push(c)
            }
            _ => words.push(c.to_string()),
        }
    }
    let word = |word: String| match &*word.to_uppercase() {
        upper @ ("API" | "URL" | "UID" | "OSB" | "GUID") => upper.to_owned(),
        upper => {
            let first: String = upper.chars().take(1).collect();
            first + &word.chars().skip(1).collect::<String>()
        }
    };
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}
