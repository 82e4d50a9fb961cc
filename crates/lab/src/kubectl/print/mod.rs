//! Printing of objects as `-o` says.
//!
//! Upstream: staging/src/k8s.io/cli-runtime/pkg/genericclioptions/print_flags.go, staging/src/k8s.io/cli-runtime/pkg/printers.

mod autoscaler;
mod columns;
mod custom;
mod kyaml;
pub mod look;
mod network;
mod pod;
pub mod rows;
mod storage;
mod table;
mod tabs;

pub use custom::relaxed;
pub use storage::access_modes;
pub use table::{Shown, Table, cells, titles};
pub use tabs::Tabs;

use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::jsonpath::{JsonPath, go_syntax};
use super::resource::Resource;
use super::template::Template;
use custom::CustomColumns;
use serde_json::{Value, json};
use setpoint_api::text::{go_quote, to_yaml};

/// The flags of verbs that print the objects which they have changed.
pub static FLAGS: &[Flag] = &[
    flag(
        "allow-missing-template-keys",
        '\0',
        "true",
        "If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.",
    ),
    flag(
        "output",
        'o',
        "''",
        "Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).",
    ),
    flag(
        "show-managed-fields",
        '\0',
        "false",
        "If true, keep the managedFields when printing objects in JSON or YAML format.",
    ),
    flag(
        "template",
        '\0',
        "''",
        "Template string or path to template file to use when -o=go-template, -o=go-template-file. The template format is golang templates [http://golang.org/pkg/text/template/#pkg-overview].",
    ),
];

/// The selector of what is scaled, as text.
pub fn scale_selector(object: &Value) -> String {
    if object["kind"] == "ReplicationController" {
        let labels = look::entries(object, "/spec/selector");
        let pairs = labels.iter().map(|(key, value)| format!("{key}={}", look::plain(value)));
        return pairs.collect::<Vec<_>>().join(",");
    }
    look::selector(object, "/spec/selector")
}

/// How objects are to be printed.
pub enum Format {
    /// As a table.
    Table {
        /// With the columns of `-o wide`.
        is_wide: bool,
    },
    /// YAML.
    Yaml,
    /// The strict form of YAML that looks like JSON.
    Kyaml,
    /// JSON.
    Json,
    /// `deployment.apps/web`.
    Name,
    /// A JSONPath template, with its text.
    Path(JsonPath, String),
    /// The JSON of what a JSONPath template finds.
    PathAsJson(JsonPath),
    /// A Go template, with its text.
    Template(Template, String),
    /// Columns that the person has chosen.
    Custom(CustomColumns),
}

/// The formats of `get`; the others print no tables.
const ALLOWED: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                       jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

impl Format {
    /// What `-o` says.
    ///
    /// # Errors
    /// Formats that there are not, templates that cannot be read.
    pub fn of(cx: &Context, call: &Invocation) -> Result<Self, Failure> {
        let text = call.text("output");
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name, argument),
            None if text.is_empty() && call.has("template") => ("template", call.text("template")),
            None => (text, call.text("template")),
        };
        let is_get = call.verb.flag("label-columns").is_some();
        let allows_missing = call.is_on("allow-missing-template-keys");
        let path = |text: &str| {
            if text.is_empty() {
                return Err(Failure::error("template format specified but no template given"));
            }
            let path = JsonPath::parse(text, allows_missing);
            path.map_err(|why| Failure::error(format!("error parsing jsonpath {text}, {why}")))
        };
        Ok(match name {
            "" => Format::Table { is_wide: false },
            "wide" if is_get && text == "wide" => Format::Table { is_wide: true },
            "yaml" => Format::Yaml,
            "kyaml" => Format::Kyaml,
            "go-template" | "template" => template(argument)?,
            "go-template-file" | "templatefile" => template(&template_file(cx, argument)?)?,
            "json" => Format::Json,
            "name" => Format::Name,
            "jsonpath" => Format::Path(path(argument)?, argument.to_owned()),
            "jsonpath-as-json" => Format::PathAsJson(path(argument)?),
            "jsonpath-file" => {
                let text = template_file(cx, argument)?;
                Format::Path(path(&text)?, text)
            }
            "custom-columns" if is_get => Format::Custom(CustomColumns::parse(argument)?),
            "custom-columns-file" if is_get => {
                Format::Custom(CustomColumns::of_file(&template_file(cx, argument)?)?)
            }
            _ => return Err(no_format(text, is_get)),
        })
    }

    /// Whether it is the table that `get` prints by default.
    pub fn is_table(&self) -> bool {
        matches!(self, Format::Table { .. })
    }

    /// One object, or a list, as text; nothing for tables.
    ///
    /// # Errors
    /// Templates that do not fit the object.
    pub fn print(&self, resource: Option<&Resource>, value: &Value) -> Result<String, Failure> {
        Ok(match self {
            Format::Table { .. } => String::new(),
            Format::Yaml => to_yaml(value),
            Format::Kyaml => kyaml::text(value),
            Format::Json => json_text(value),
            Format::Template(template, text) => {
                let fail = |why: String| {
                    Failure::error(format!("error executing template {}: {why}", go_quote(text)))
                };
                template.print(value).map_err(fail)?
            }
            Format::Name => name(resource, value),
            Format::Path(path, text) => {
                path.print(value).map_err(|why| Failure { text: path_error(text, &why, value), code: 1 })?
            }
            Format::PathAsJson(path) => {
                let found = path.find(value).map_err(Failure::error)?;
                let lists = found
                    .into_iter()
                    .map(|list| json!(list.into_iter().map(|v| v.into_owned()).collect::<Vec<_>>()));
                lists.map(|list| json_text(&list)).collect()
            }
            Format::Custom(columns) => columns.print(std::slice::from_ref(value), true)?,
        })
    }
}

fn template(text: &str) -> Result<Format, Failure> {
    if text.is_empty() {
        return Err(Failure::error("template format specified but no template given"));
    }
    let parsed = Template::parse(text)
        .map_err(|why| Failure::error(format!("error parsing template {text}, {why}")))?;
    Ok(Format::Template(parsed, text.to_owned()))
}

fn template_file(cx: &Context, path: &str) -> Result<String, Failure> {
    let missing =
        || Failure::error(format!("error reading --template {path}, open {path}: no such file or directory"));
    cx.file(path).map_err(|_| missing())
}

fn no_format(text: &str, is_get: bool) -> Failure {
    let is_allowed = |name: &&str| is_get || !(name.starts_with("custom") || *name == "wide");
    let allowed: Vec<&str> = ALLOWED.split(',').filter(is_allowed).collect();
    Failure::error(format!(
        "unable to match a printer suitable for the output format {}, allowed formats are: {}",
        go_quote(text),
        allowed.join(",")
    ))
}

fn path_error(template: &str, why: &str, value: &Value) -> String {
    format!(
        "error: error executing jsonpath {}: Error executing template: {why}. Printing more information for debugging the \
         template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        go_quote(template),
        go_syntax(value)
    )
}

fn name(resource: Option<&Resource>, value: &Value) -> String {
    if let Some(items) = value["items"].as_array().filter(|_| value["kind"] == "List") {
        return items.iter().map(|item| name(None, item)).collect();
    }
    let kind = match resource {
        Some(resource) => resource.printed(),
        None => {
            let group = value["apiVersion"].as_str().and_then(|version| version.split_once('/'));
            let kind = look::text(value, "/kind").to_lowercase();
            group.map_or(kind.clone(), |(group, _)| format!("{kind}.{group}"))
        }
    };
    format!("{kind}/{}\n", look::text(value, "/metadata/name"))
}

/// Objects as the list that `get -o yaml` prints.
pub fn list(items: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": { "resourceVersion": "" } })
}

/// JSON as kubectl prints it: four blanks, and what a browser could take for markup escaped.
pub fn json_text(value: &Value) -> String {
    let mut out = String::new();
    indent(value, 0, &mut out);
    out.push('\n');
    out
}

/// JSON in one line.
pub fn compact_json(value: &Value) -> String {
    escaped(&value.to_string())
}

fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn indent(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                line(out, depth + 1);
                indent(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                line(out, depth + 1);
                out.push_str(&escaped(&Value::from(&**key).to_string()));
                out.push_str(": ");
                indent(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        other => out.push_str(&compact_json(other)),
    }
}
