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
use setpoint_api::text::{go_json_error, go_quote, json_error};
use setpoint_api::{Object, decode, text};
use std::borrow::Cow;

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
    let (source, odd) = before_odd_separator(source);
    let source = &*without_second_documents(source);
    let read = text::read(source);
    for document in &read.documents {
        let value = document.root.to_value();
        if let Some(what) = not_an_object(&value) {
            // What is behind is not looked at any more.
            faults.push(Fault::Client(format!(
                "error validating {}: error validating data: {what}; if you choose to ignore these errors, turn \
                 validation off with --validate=false",
                go_quote(path)
            )));
            return;
        }
        let outcome = whole(cx, path, &value).and_then(|is_list| {
            if is_list {
                Ok(list(cx, call, path, value))
            } else {
                item(cx, call, path, value).map(|item| vec![Ok(item)])
            }
        });
        let outcomes = match outcome {
            Ok(outcomes) => outcomes,
            Err(message) => {
                faults.push(Fault::Client(message));
                continue;
            }
        };
        let mut refused = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(item) => found.push(item),
                Err(message) => refused.push(Fault::Client(message)),
            }
        }
        faults.extend(Fault::many(refused));
    }
    if let Some(error) = read.error() {
        // What begins as JSON and is no YAML either is told as JSON.
        let json = if source.trim_start().starts_with('{') { json_error(source) } else { None };
        let what = match json.map(|error| go_json_error(source, &error)) {
            Some((Some(end), why)) => format!("json: offset {end}: {why}"),
            Some((None, _)) => "unexpected EOF".to_owned(),
            None => format!("error converting YAML to JSON: {}", error.go_yaml(source)),
        };
        faults.push(Fault::Client(format!("error parsing {path}: {what}")));
    } else if let Some(odd) = odd {
        faults.push(Fault::Client(format!("error parsing {path}: invalid Yaml document separator: {odd}")));
    }
}

/// The documents before the first separator that has something behind it, and what that is. The document that it ends is
/// not read any more.
fn before_odd_separator(source: &str) -> (&str, Option<&str>) {
    if source.trim_start().starts_with('{') {
        return (source, None);
    }
    let (mut start, mut at) = (0, 0);
    for line in source.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return (source.get(..start).unwrap_or_default(), Some(rest));
            }
            start = end;
        }
        at = end;
    }
    (source, None)
}

/// A text without the lines between a line that ends a document and the next separator: only the first document of what
/// separators cut out is read.
fn without_second_documents(source: &str) -> Cow<'_, str> {
    let ends = |line: &str| line.strip_prefix("...").is_some_and(|rest| rest.trim().is_empty());
    if !source.lines().any(ends) {
        return Cow::Borrowed(source);
    }
    let mut is_over = false;
    let kept = source.lines().map(|line| {
        is_over = (is_over || ends(line)) && !line.starts_with("---");
        if is_over && !ends(line) { "\n".to_owned() } else { format!("{line}\n") }
    });
    Cow::Owned(kept.collect())
}

/// What is wrong with a document that does not call itself something.
fn not_an_object(value: &Value) -> Option<String> {
    let (api_version, kind) = decode::type_meta(value);
    if let Some(missing) = decode::nameless(value) {
        return Some(missing);
    }
    if api_version.split('/').count() > 2 {
        return Some(format!("unexpected GroupVersion string: {api_version}"));
    }
    if (&*api_version, &*kind) != ("v1", "List") {
        return None;
    }
    // A list without a kind of its own is looked through before it is taken apart.
    let Some(items) = value["items"].as_array() else { return Some("invalid object to validate".into()) };
    let mut said: Vec<String> = Vec::new();
    for missing in items.iter().filter_map(decode::nameless) {
        for one in missing.trim_matches(['[', ']']).split(", ") {
            if !said.iter().any(|other| other == one) {
                said.push(one.to_owned());
            }
        }
    }
    match said.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

/// Whether a document is a list, of a kind that there is.
fn whole(cx: &Context, path: &str, value: &Value) -> Result<bool, String> {
    let (api_version, kind) = decode::type_meta(value);
    let quoted = go_quote(path);
    let kindless = |value: &Value| {
        let text = serde_json::to_string(value).unwrap_or_default();
        format!("unable to decode {quoted}: Object 'Kind' is missing in '{text}'")
    };
    if kind.is_empty() {
        return Err(kindless(value));
    }
    let Some(items) = value["items"].as_array() else { return Ok(false) };
    let is_half_named = |item: &&Value| {
        let (api_version, kind) = decode::type_meta(item);
        kind.is_empty() && !api_version.is_empty()
    };
    if let Some(item) = items.iter().find(is_half_named) {
        return Err(kindless(item));
    }
    let is_known = match kind.strip_suffix("List") {
        Some("") => resource::all(cx.store()).iter().any(|resource| resource.api_version == api_version),
        Some(kind) => resource::of_manifest(cx.store(), &api_version, kind).is_some(),
        None => resource::of_manifest(cx.store(), &api_version, &kind).is_some(),
    };
    if is_known { Ok(true) } else { Err(unmapped(path, value)) }
}

/// The objects of a list, those of lists in it last.
fn list(cx: &Context, call: &Invocation, path: &str, value: Value) -> Vec<Result<Item, String>> {
    let mut outcomes = Vec::new();
    let mut lists = std::collections::VecDeque::from([value]);
    while let Some(mut list) = lists.pop_front() {
        let (api_version, kind) = decode::type_meta(&list);
        let Value::Array(items) = list["items"].take() else { continue };
        for mut value in items {
            if value["items"].is_array() {
                lists.push_back(value);
                continue;
            }
            let is_nameless = decode::type_meta(&value) == (String::new(), String::new());
            if let Value::Object(fields) = &mut value
                && is_nameless
            {
                fields.insert("apiVersion".into(), (&*api_version).into());
                fields.insert("kind".into(), kind.trim_end_matches("List").into());
            }
            let (own_version, own_kind) = decode::type_meta(&value);
            if resource::of_manifest(cx.store(), &own_version, &own_kind).is_none() {
                let why = decode::no_match(&own_version, &own_kind);
                outcomes.push(Err(format!("unable to recognize {why}")));
                continue;
            }
            outcomes.push(item(cx, call, path, value));
        }
    }
    outcomes
}

/// No such kind is there.
fn unmapped(path: &str, value: &Value) -> String {
    let (api_version, kind) = decode::type_meta(value);
    let word = |key: &str| go_quote(value["metadata"][key].as_str().unwrap_or_default());
    format!(
        "resource mapping not found for name: {} namespace: {} from {}: {}\nensure CRDs are installed first",
        word("name"),
        word("namespace"),
        go_quote(path),
        decode::no_match(&api_version, &kind)
    )
}

fn item(cx: &Context, call: &Invocation, path: &str, mut value: Value) -> Result<Item, String> {
    let quoted = go_quote(path);
    // kubectl reads the metadata of every object before it sends it.
    let mut carrier = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": value["metadata"] });
    let problems = decode::problems(&mut carrier);
    if let Some(wrong) =
        problems.iter().find(|problem| matches!(problem.fault, decode::Fault::Type | decode::Fault::Value))
    {
        let message = wrong.message.replace("ConfigMap.metadata", "metadataOnlyObject.metadata");
        return Err(format!("unable to decode {quoted}: {message}"));
    }
    let (api_version, kind) = decode::type_meta(&value);
    let word = |key: &str| value["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (name, given) = (word("name"), word("namespace"));
    let Some(resource) = resource::of_manifest(cx.store(), &api_version, &kind) else {
        return Err(unmapped(path, &value));
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
