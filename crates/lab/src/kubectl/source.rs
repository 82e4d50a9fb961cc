//! Objects as `-f` gives them: files, folders and standard input of the terminal.
//!
//! Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/{builder,visitor}.go.
//! Simplified: no addresses on the web, no kustomizations.

use super::change::Fault;
use super::context::Context;
use super::failure::Failure;
use super::invocation::Invocation;
use super::resource::{self, Resource};
use serde_json::{Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Object, decode, manifest, text};

/// One object of a file.
pub(super) struct Item {
    /// As it was written, with its namespace filled in.
    pub value: Value,
    /// Its kind.
    pub resource: Resource,
    /// What kubectl calls the file.
    pub source: String,
    /// Its namespace; empty for kinds without one.
    pub namespace: String,
    /// Its name; empty if it has none.
    pub name: String,
}

impl Item {
    /// The object of the cluster that has its name.
    pub fn live(&self, cx: &Context) -> Option<Object> {
        self.resource.find(cx.store(), &self.namespace, &self.name)
    }
    /// How kubectl names it in messages about failed requests.
    pub fn described(&self) -> String {
        let (group, version) = (self.resource.group(), self.resource.version());
        let place = if group.is_empty() { format!("/{version}") } else { format!("{group}/{version}") };
        format!(
            "Resource: \"{place}, Resource={}\", GroupVersionKind: \"{place}, Kind={}\"\nName: {}, Namespace: {}",
            self.resource.plural,
            self.resource.kind,
            go_quote(&self.name),
            go_quote(&self.namespace)
        )
    }
}

/// All objects that `-f` names, and what cannot be read.
///
/// # Errors
/// A path that is not there.
pub(super) fn items(cx: &Context, call: &Invocation) -> Result<(Vec<Item>, Vec<Fault>), Failure> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for path in call.list("filename") {
        for (name, source) in texts(cx, &path)? {
            read(cx, call, &name, &source, &mut found, &mut faults);
        }
    }
    Ok((found, faults))
}

/// The files that a path names, with what kubectl calls them.
fn texts(cx: &Context, path: &str) -> Result<Vec<(String, String)>, Failure> {
    if path == "-" {
        return Ok(vec![("STDIN".into(), cx.stdin.to_owned())]);
    }
    let folder = path.trim_start_matches("./").trim_end_matches('/');
    let prefix = if folder.is_empty() || folder == "." { String::new() } else { format!("{folder}/") };
    let is_manifest = |name: &str| [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending));
    let inside =
        |name: &str| name.strip_prefix(&*prefix).is_some_and(|rest| !rest.contains('/') && is_manifest(rest));
    let files = &cx.terminal.files;
    if !files.contains_key(folder) && files.keys().any(|name| inside(name)) {
        let inside = files.iter().filter(|(name, _)| inside(name));
        return Ok(inside.map(|(name, text)| (name.clone(), text.clone())).collect());
    }
    Ok(vec![(path.to_owned(), cx.file(path)?)])
}

fn read(
    cx: &Context,
    call: &Invocation,
    path: &str,
    source: &str,
    found: &mut Vec<Item>,
    faults: &mut Vec<Fault>,
) {
    let read = text::read(source);
    for document in &read.documents {
        for node in manifest::items(&document.root) {
            let value = node.to_value();
            if value.is_null() {
                continue;
            }
            match item(cx, call, path, value) {
                Ok(item) => found.push(item),
                Err(message) => faults.push(Fault::Client(message)),
            }
        }
    }
    if let Some(error) = read.error() {
        let what = format!("error converting YAML to JSON: {}", error.go_yaml(source));
        faults.push(Fault::Client(format!("error parsing {path}: {what}")));
    }
}

fn item(cx: &Context, call: &Invocation, path: &str, mut value: Value) -> Result<Item, String> {
    let quoted = go_quote(path);
    if let Some(missing) = decode::nameless(&value) {
        return Err(format!(
            "error validating {quoted}: error validating data: {missing}; if you choose to ignore these errors, turn \
             validation off with --validate=false"
        ));
    }
    // kubectl reads the metadata of every object before it sends it.
    let mut carrier = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": value["metadata"] });
    let problems = decode::problems(&mut carrier);
    if let Some(wrong) =
        problems.iter().find(|problem| matches!(problem.fault, decode::Fault::Type | decode::Fault::Value))
    {
        return Err(format!("unable to decode {quoted}: {}", wrong.message));
    }
    let (api_version, kind) = decode::type_meta(&value);
    let word = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (name, given) = (word("name"), word("namespace"));
    let Some(resource) = resource::of_manifest(cx.store(), &api_version, &kind) else {
        return Err(format!(
            "resource mapping not found for name: {} namespace: {} from {quoted}: {}\nensure CRDs are installed first",
            go_quote(&name),
            go_quote(&given),
            decode::no_match(&api_version, &kind)
        ));
    };
    let namespace = match (resource.is_namespaced, given.is_empty()) {
        (false, _) => String::new(),
        (true, true) => cx.namespace.clone(),
        (true, false) if call.has("namespace") && given != cx.namespace => {
            return Err(format!(
                "the namespace from the provided object {} does not match the namespace {}. You must pass \
                 '--namespace={given}' to perform this operation.",
                go_quote(&given),
                go_quote(&cx.namespace)
            ));
        }
        (true, false) => given,
    };
    if resource.is_namespaced
        && let Some(fields) = value.as_object_mut()
    {
        let meta = fields.entry("metadata").or_insert_with(|| Value::Object(Default::default()));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("namespace".into(), namespace.clone().into());
        }
    }
    Ok(Item { value, resource, source: path.to_owned(), namespace, name })
}
