//! Tab completion: verbs, kinds, names, flags and their values, namespaces, containers, files.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/util/completion/completion.go.

use super::flag::Flag;
use super::print::look::{items, text};
use super::resource::{self, Resource};
use super::verb::Verb;
use super::{Completion, Terminal, table};
use crate::Session;
use setpoint_api::{Kind, Namespace, Store};

/// What may be typed after `-o`.
const FORMATS: &[&str] =
    &["wide", "yaml", "json", "name", "jsonpath=", "custom-columns=", "jsonpath-file=", "jsonpath-as-json="];

/// What Tab offers at a place in a line.
pub(super) fn complete(session: &Session, terminal: &Terminal, line: &str, cursor: usize) -> Completion {
    let mut cursor = cursor.min(line.len());
    while !line.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let before = line.get(..cursor).unwrap_or("");
    let from = before.rfind([' ', '\t', '\n', '|']).map_or(0, |at| at + 1);
    let word = before.get(from..).unwrap_or("");
    let mut words: Vec<String> =
        before.get(..from).unwrap_or("").split_whitespace().map(str::to_owned).collect();
    let is_first = words.is_empty();
    if words.first().is_some_and(|first| first == "kubectl" || first == "k") {
        words.remove(0);
    }
    let typed = Typed::of(terminal, words);
    let mut candidates = typed.candidates(session.sim().store(), terminal, word);
    if is_first {
        candidates.push("kubectl".into());
    }
    // What stands before an equals sign, a comma or a slash of the word stays.
    let kept = typed.kept(word);
    let rest = word.get(kept..).unwrap_or("");
    candidates.retain(|candidate| candidate.starts_with(rest) && candidate != rest);
    candidates.sort_unstable();
    candidates.dedup();
    Completion { from: from + kept, candidates }
}

/// The line in front of the word.
struct Typed {
    verb: &'static Verb,
    args: Vec<String>,
    namespace: String,
    /// The flag that the word is the value of.
    awaits: Option<&'static Flag>,
    file_given: bool,
}

impl Typed {
    fn of(terminal: &Terminal, words: Vec<String>) -> Self {
        let mut typed = Self {
            verb: &table::ROOT,
            args: Vec::new(),
            namespace: terminal.namespace.clone(),
            awaits: None,
            file_given: false,
        };
        for word in words {
            if let Some(flag) = typed.awaits.take() {
                typed.note(flag, &word);
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                typed.flag(typed.verb.flag(name), value);
            } else if word.starts_with('-') && word.len() > 1 {
                let letters: Vec<char> = word.chars().skip(1).collect();
                let flag = letters.first().and_then(|letter| typed.verb.short_flag(*letter));
                let value: String = letters.iter().skip(1).collect();
                typed.flag(flag, Some(value.trim_start_matches('=')).filter(|value| !value.is_empty()));
            } else if let Some(verb) = typed.verb.verbs.iter().find(|verb| verb.is_called(&word)) {
                typed.verb = verb;
            } else {
                typed.args.push(word);
            }
        }
        typed
    }

    fn flag(&mut self, flag: Option<&'static Flag>, value: Option<&str>) {
        let Some(flag) = flag else { return };
        match value {
            Some(value) => self.note(flag, value),
            None if flag.bare.is_empty() => self.awaits = Some(flag),
            None => {}
        }
    }

    fn note(&mut self, flag: &Flag, value: &str) {
        match flag.name {
            "namespace" => self.namespace = value.to_owned(),
            "filename" => self.file_given = true,
            _ => {}
        }
    }

    /// How much of the word stays as it is.
    fn kept(&self, word: &str) -> usize {
        if word.starts_with('-') {
            return word.find('=').map_or(0, |at| at + 1);
        }
        if self.awaits.is_some() {
            return word.rfind(',').map_or(0, |at| at + 1);
        }
        word.rfind(['/', ',']).map_or(0, |at| at + 1)
    }

    fn candidates(&self, store: &Store, terminal: &Terminal, word: &str) -> Vec<String> {
        if let Some(flag) = self.awaits {
            return self.values(flag, store, terminal);
        }
        if word.starts_with('-') {
            let name = word.trim_start_matches('-').split_once('=').map(|(name, _)| name);
            if let Some(flag) = name.and_then(|name| self.verb.flag(name)) {
                return self.values(flag, store, terminal);
            }
            let own = self
                .verb
                .own_flags()
                .chain(["namespace", "help"].iter().filter_map(|name| self.verb.flag(name)));
            return own.map(|flag| format!("--{}", flag.name)).collect();
        }
        if !self.verb.verbs.is_empty() && self.args.is_empty() {
            return self.verb.verbs.iter().map(|verb| verb.name.to_owned()).collect();
        }
        self.arguments(store, word)
    }

    fn values(&self, flag: &Flag, store: &Store, terminal: &Terminal) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        match flag.name {
            "namespace" => {
                store.list::<Namespace>().map(|namespace| namespace.metadata.name.to_string()).collect()
            }
            "filename" => terminal.files.keys().cloned().collect(),
            "output" => texts(FORMATS),
            "dry-run" => texts(&["client", "server", "none"]),
            "cascade" => texts(&["background", "foreground", "orphan"]),
            "type" if self.verb.name == "patch" => texts(&["strategic", "merge", "json"]),
            "types" => texts(&["Normal", "Warning"]),
            "container" => self.containers(store),
            "sort-by" => texts(&[".metadata.name", ".metadata.creationTimestamp", ".status.startTime"]),
            "field-selector" => texts(&["metadata.name=", "status.phase=", "spec.nodeName="]),
            "selector" => self.labels(store),
            _ if flag.default == "false" || flag.default == "true" => texts(&["true", "false"]),
            _ => Vec::new(),
        }
    }

    /// Kinds and names.
    fn arguments(&self, store: &Store, word: &str) -> Vec<String> {
        match self.verb.name {
            "" | "options" | "version" | "api-resources" | "api-versions" | "cluster-info" | "apply"
            | "diff" => Vec::new(),
            "logs" | "exec" if self.args.is_empty() => {
                if let Some((kind, _)) = word.split_once('/') {
                    return resource::find(store, kind)
                        .map(|kind| self.names(store, &kind))
                        .unwrap_or_default();
                }
                resource::find(store, "pods").map(|pods| self.names(store, &pods)).unwrap_or_default()
            }
            "cordon" | "uncordon" | "drain" | "node" => {
                resource::find(store, "nodes").map(|nodes| self.names(store, &nodes)).unwrap_or_default()
            }
            "pod" => resource::find(store, "pods").map(|pods| self.names(store, &pods)).unwrap_or_default(),
            "explain" => self.fields(store, word),
            _ => self.kinds_or_names(store, word),
        }
    }

    fn kinds_or_names(&self, store: &Store, word: &str) -> Vec<String> {
        if let Some((kind, _)) = word.split_once('/') {
            return resource::find(store, kind).map(|kind| self.names(store, &kind)).unwrap_or_default();
        }
        match self.args.first() {
            None => {
                let mut all: Vec<String> =
                    resource::all(store).into_iter().map(|resource| resource.plural).collect();
                if self.verb.name == "get" || self.verb.name == "delete" {
                    all.push("all".into());
                }
                all
            }
            Some(kind) => {
                resource::find(store, kind).map(|kind| self.names(store, &kind)).unwrap_or_default()
            }
        }
    }

    fn names(&self, store: &Store, resource: &Resource) -> Vec<String> {
        let objects = resource.list(store).into_iter();
        let here = objects
            .filter(|object| !resource.is_namespaced || *object.metadata().namespace == *self.namespace);
        here.map(|object| object.metadata().name.to_string())
            .filter(|name| !self.args.contains(name))
            .collect()
    }

    fn containers(&self, store: &Store) -> Vec<String> {
        let Some(name) = self.args.first() else { return Vec::new() };
        let pod = store
            .id_of(Kind::Pod, &self.namespace, name.trim_start_matches("pod/"))
            .and_then(|id| store.object(id));
        let Some(pod) = pod else { return Vec::new() };
        let value = pod.to_value();
        items(&value, "/spec/containers")
            .iter()
            .map(|container| text(container, "/name").to_owned())
            .collect()
    }

    /// The labels of the pods of the namespace.
    fn labels(&self, store: &Store) -> Vec<String> {
        let pods = store.list_in::<setpoint_api::Pod>(&self.namespace);
        pods.flat_map(|pod| {
            pod.metadata.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        })
        .collect()
    }

    /// `explain deployment.spec.`
    fn fields(&self, store: &Store, word: &str) -> Vec<String> {
        let Some((head, _)) = word.rsplit_once('.') else {
            return resource::all(store).into_iter().map(|resource| resource.plural).collect();
        };
        let mut parts = head.split('.');
        let Some(resource) = parts.next().and_then(|kind| resource::find(store, kind)) else {
            return Vec::new();
        };
        let path: Vec<&str> = parts.collect();
        let of = setpoint_api::schema::type_of(&resource.api_version, &resource.kind);
        let of = match path.is_empty() {
            true => of,
            false => of.and_then(|of| of.field_at(&path)).and_then(|field| field.of.innermost().object()),
        };
        of.map(|of| of.fields().map(|field| format!("{head}.{}", field.name)).collect()).unwrap_or_default()
    }
}
