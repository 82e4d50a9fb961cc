//! Kinds as a command line names them, and the objects that its arguments mean.
//!
//! Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go, staging/src/k8s.io/client-go/restmapper.

use super::context::Context;
use super::failure::Failure;
use super::synthetic;
use serde_json::Value;
use setpoint_api::text::go_quote;
use setpoint_api::{Kind, Object, Status, Store, custom_name, schema};

/// A kind as the API server serves it: one of upstream's, or one that a definition has taught the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Plural name: `deployments`.
    pub plural: String,
    /// Name of one, as kubectl prints it: `deployment`.
    pub singular: String,
    /// Short names.
    pub short: Vec<String>,
    /// Group and version: `apps/v1`.
    pub api_version: String,
    /// Kind: `Deployment`.
    pub kind: String,
    /// Whether objects live in a namespace.
    pub is_namespaced: bool,
    /// Groups of resources that it belongs to, such as `all`.
    pub categories: Vec<String>,
    /// The kind under which the store has it.
    pub model: Kind,
}

impl Resource {
    fn built_in(row: schema::Resource) -> Self {
        let texts = |texts: &mut dyn Iterator<Item = &'static str>| texts.map(str::to_owned).collect();
        // The same objects are served under both groups.
        let api_version = match row.api_version {
            "events.k8s.io/v1" => "v1",
            "autoscaling/v1" => "autoscaling/v2",
            other => other,
        };
        Self {
            plural: row.plural.into(),
            singular: row.singular(),
            short: texts(&mut row.short_names()),
            api_version: row.api_version.into(),
            kind: row.kind.into(),
            is_namespaced: row.namespaced,
            categories: texts(&mut row.categories()),
            model: Kind::from_manifest(api_version, row.kind).unwrap_or(Kind::Custom),
        }
    }
    /// What Go calls the type of its objects in messages.
    pub(super) fn go_type(&self) -> String {
        match schema::type_of(&self.api_version, &self.kind) {
            Some(_) => format!("*{}.{}", self.version(), self.kind),
            None => "*unstructured.Unstructured".to_owned(),
        }
    }
    /// What the `scale` of a workload is.
    pub(super) fn scale() -> Self {
        Self {
            plural: "scales".into(),
            singular: "scale".into(),
            short: Vec::new(),
            api_version: "autoscaling/v1".into(),
            kind: "Scale".into(),
            is_namespaced: true,
            categories: Vec::new(),
            model: Kind::Custom,
        }
    }
    /// The kinds that one CustomResourceDefinition teaches: one per version.
    fn custom(definition: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
        let spec = &definition["spec"];
        let names = &spec["names"];
        let versions = spec["versions"].as_array()?;
        let is_stored = |version: &&Value| version["storage"] == true;
        let version = versions.iter().find(is_stored).or(versions.first())?;
        let kind = text(&names["kind"]);
        let singular = text(&names["singular"]);
        Some(Self {
            plural: text(&names["plural"]),
            singular: if singular.is_empty() { kind.to_lowercase() } else { singular },
            short: texts(&names["shortNames"]),
            api_version: format!("{}/{}", text(&spec["group"]), text(&version["name"])),
            kind,
            is_namespaced: spec["scope"] != "Cluster",
            categories: texts(&names["categories"]),
            model: Kind::Custom,
        })
    }
    /// Group without version, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
    /// Version without group.
    pub fn version(&self) -> &str {
        self.api_version.rsplit('/').next().unwrap_or("")
    }
    /// Plural with group: `deployments.apps`.
    pub fn full_name(&self) -> String {
        join_group(&self.plural, self.group())
    }
    /// The name of one with its group, as kubectl prints it before a name: `deployment.apps`.
    pub fn printed(&self) -> String {
        join_group(&self.singular, self.group())
    }
    /// The refusal for a name that is not there.
    pub fn not_found(&self, name: &str) -> Status {
        Status::resource_not_found(&self.plural, self.group(), name)
    }
    /// All objects of the kind, by namespace and name.
    pub fn list(&self, store: &Store) -> Vec<Object> {
        let objects = store.ids(self.model).filter_map(|id| store.object(id));
        let mut all: Vec<Object> = objects.filter(|object| self.has(object)).cloned().collect();
        synthetic::add_given(self.model, store, &mut all);
        all
    }
    /// One object.
    pub fn find(&self, store: &Store, namespace: &str, name: &str) -> Option<Object> {
        if self.model == Kind::Custom {
            let name = custom_name(self.group(), &self.kind, name);
            return store.id_of(self.model, namespace, &name).and_then(|id| store.object(id)).cloned();
        }
        let stored = store.id_of(self.model, namespace, name).and_then(|id| store.object(id)).cloned();
        stored.or_else(|| synthetic::given(self.model, store, namespace, name))
    }
    /// Whether an object is of this kind.
    pub fn has(&self, object: &Object) -> bool {
        if self.model != Kind::Custom || object.kind() != Kind::Custom {
            return self.model == object.kind();
        }
        *object.kind_name() == *self.kind && *object.group() == *self.group()
    }
    fn is_called(&self, name: &str) -> bool {
        self.plural == name || self.singular == name || self.kind.to_lowercase() == name
    }
    /// Whether what follows the first dot of a word names this group, or this version and group.
    fn is_placed(&self, rest: Option<&str>) -> bool {
        let with_version = |rest: &str| {
            rest.strip_prefix(self.version()).and_then(|rest| rest.strip_prefix('.')) == Some(self.group())
        };
        rest.is_none_or(|rest| rest == self.group() || with_version(rest))
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn join_group(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// All kinds that the cluster serves, in the order of `kubectl api-resources`: upstream's, then the taught ones.
pub fn all(store: &Store) -> Vec<Resource> {
    let built_in = schema::resources().filter(|row| row.preferred).map(Resource::built_in);
    built_in.chain(customs(store)).collect()
}

fn customs(store: &Store) -> Vec<Resource> {
    let definitions = store.ids(Kind::CustomResourceDefinition).filter_map(|id| store.object(id));
    definitions.filter_map(|definition| Resource::custom(&definition.to_value())).collect()
}

/// The kind that a word names, in any case: plural, singular, short name, with group or with version and group.
pub fn find(store: &Store, word: &str) -> Option<Resource> {
    if let Some(row) = schema::resource_named(word) {
        // Names are found in any case, short names as they are written.
        let name = word.split('.').next().unwrap_or(word);
        let is_short = row.short_names().any(|short| short.eq_ignore_ascii_case(name) && short != name);
        return (!is_short).then(|| Resource::built_in(row));
    }
    let word = word.to_lowercase();
    let (name, rest) = word.split_once('.').map_or((&*word, None), |(name, rest)| (name, Some(rest)));
    let customs = customs(store);
    let called = customs.iter().find(|resource| resource.is_called(name) && resource.is_placed(rest));
    let short =
        |resource: &&Resource| resource.short.iter().any(|short| short == name) && resource.is_placed(rest);
    called.or_else(|| customs.iter().find(short)).cloned()
}

/// The kind of a manifest, which may be written without capital letters: it is the server that minds.
pub fn of_manifest(store: &Store, api_version: &str, kind: &str) -> Option<Resource> {
    let in_small = |row: &schema::Resource| row.api_version == api_version && row.kind.to_lowercase() == kind;
    let built_in = schema::resource_of(api_version, kind).or_else(|| schema::resources().find(in_small));
    if let Some(row) = built_in {
        return Some(Resource::built_in(row));
    }
    let is_it = |resource: &Resource| resource.kind == kind && resource.group() == group_of(api_version);
    customs(store).into_iter().find(is_it)
}

/// What the arguments of a command name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The kind.
    pub resource: Resource,
    /// The name; `None` for all objects of the kind.
    pub name: Option<String>,
}

/// What the arguments name: `pods`, `pods a b`, `pods,svc`, `pod/a svc/b`, `all`.
///
/// # Errors
/// Kinds that the cluster does not know, names mixed with kinds.
pub fn targets(cx: &Context, args: &[String]) -> Result<Vec<Target>, Failure> {
    let Some(first) = args.first() else { return Ok(Vec::new()) };
    if args.iter().any(|arg| arg.contains('/')) {
        return args.iter().map(|arg| slashed(cx, arg)).collect();
    }
    let mut targets = Vec::new();
    for resource in kinds(cx, first)? {
        let target = |name: Option<String>| Target { resource: resource.clone(), name };
        match args.get(1..) {
            Some(names) if !names.is_empty() => {
                targets.extend(names.iter().map(|name| target(Some(name.clone()))))
            }
            _ => targets.push(target(None)),
        }
    }
    Ok(targets)
}

/// `deployment/web`.
fn slashed(cx: &Context, arg: &str) -> Result<Target, Failure> {
    let parts: Vec<&str> = arg.split('/').collect();
    match *parts.as_slice() {
        [_] => Err(Failure::error(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name \
             form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        )),
        ["", _] | [_, ""] => {
            Err(Failure::error("arguments in resource/name form must have a single resource and name"))
        }
        [kind, name] if !kind.contains(',') => {
            Ok(Target { resource: cx.resource(kind)?, name: Some(name.to_owned()) })
        }
        [_, _] => Err(Failure::error("arguments in resource/name form must have a single resource and name")),
        _ => Err(Failure::error("arguments in resource/name form may not have more than one slash")),
    }
}

/// The kinds of `pods,svc,all`, each once.
fn kinds(cx: &Context, words: &str) -> Result<Vec<Resource>, Failure> {
    let mut kinds: Vec<Resource> = Vec::new();
    for word in words.split(',') {
        let named = resource_or_category(cx, word)?;
        for resource in named {
            if !kinds.contains(&resource) {
                kinds.push(resource);
            }
        }
    }
    Ok(kinds)
}

fn resource_or_category(cx: &Context, word: &str) -> Result<Vec<Resource>, Failure> {
    if let Some(resource) = find(cx.store(), word) {
        return Ok(vec![resource]);
    }
    let of_category = |resource: &Resource| resource.categories.iter().any(|category| category == word);
    let members: Vec<Resource> = all(cx.store()).into_iter().filter(of_category).collect();
    if members.is_empty() { Err(Failure::no_resource(word)) } else { Ok(members) }
}

/// A selector that the API server does not take.
pub fn bad_query(resource: &Resource, labels: &str, fields: &str, why: &str) -> Failure {
    let group = resource.group();
    let place = if group.is_empty() { "/".to_owned() } else { format!("{group}/") };
    Failure::plain(format!(
        "Error from server (BadRequest): Unable to find \"{place}{}, Resource={}\" that match label selector {}, field \
         selector {}: {why}",
        resource.version(),
        resource.plural,
        go_quote(labels),
        go_quote(fields),
    ))
}
