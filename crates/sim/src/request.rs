//! Requests to the API server as clients send them: the one door through which kubectl, the page's manifest editor and the
//! headless runner change a cluster.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch,delete}.go.
//! Simplified: a person's request is decided the moment it is sent; nobody is authenticated.

mod change;
mod create;
mod evict;
mod remove;

use crate::action::Action;
use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::object::custom_name;
use setpoint_api::schema;
use setpoint_api::{CustomResourceDefinition, Kind, Object, Reason, Status, Store, Str, wire, words};
use std::rc::Rc;

words! {
    /// What a request asks for.
    pub enum Method {
        Create = "create",
        Update = "update",
        Patch = "patch",
        Delete = "delete",
    }

    /// How the body of a patch is to be read.
    pub enum PatchType {
        /// Strategic merge patch: lists of mappings are merged by their keys.
        Strategic = "strategic",
        /// JSON merge patch, RFC 7386.
        Merge = "merge",
        /// JSON patch, RFC 6902.
        Json = "json",
    }

    /// What becomes of fields that the schema does not know.
    pub enum FieldValidation {
        Strict = "Strict",
        Warn = "Warn",
        Ignore = "Ignore",
    }
}

wire! {
    /// A request that changes something, or would.
    pub struct Request {
        /// What is asked for.
        pub method: Method = "method", always;
        /// Group and version, such as `apps/v1`.
        pub api_version: Str = "apiVersion", always;
        /// Kind, such as `Deployment`.
        pub kind: Str = "kind", always;
        /// Namespace; empty for kinds without one.
        pub namespace: Str = "namespace";
        /// Name; empty when the body has it.
        pub name: Str = "name";
        /// `status`, `scale`, `eviction`, or empty for the object itself.
        pub subresource: Str = "subresource";
        /// The object, the patch, or nothing.
        pub body: Value = "body";
        /// How a patch is to be read.
        pub patch_type: PatchType = "patchType";
        /// Whether the server only says what it would answer.
        pub dry_run: bool = "dryRun";
        /// What becomes of unknown fields.
        pub field_validation: FieldValidation = "fieldValidation";
        /// `Background`, `Foreground`, `Orphan`, or empty for the kind's own.
        pub propagation_policy: Str = "propagationPolicy";
        /// Grace in seconds; the object's own if unset.
        pub grace_period_seconds: Option<i64> = "gracePeriodSeconds";
        /// Who says it to hold the fields, such as `kubectl-client-side-apply`.
        pub field_manager: Str = "fieldManager";
    }
}

impl Request {
    /// The name of what it is about; empty if the server is to make one.
    pub fn named(&self) -> &str {
        let given = self.body["metadata"]["name"].as_str().unwrap_or_default();
        if self.name.is_empty() { given } else { &self.name }
    }
}

/// What the API server answers when it does not refuse.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The object as it is, or would be, stored.
    pub object: Value,
    /// What kubectl prints as `Warning: ...`, in order.
    pub warnings: Vec<String>,
}

impl Sim {
    /// Does a person's request now: files it as their action, with a refusal as a fact of its own. A dry run leaves no trace.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn request(&mut self, request: &Request) -> Result<Reply, Status> {
        if request.dry_run {
            return self.ask_server(request, 0);
        }
        let fact = self.begin_action(&Action::Request { request: Rc::new(request.clone()) }, false);
        let answer = self.ask_server(request, fact);
        self.end_action(fact, answer.as_ref().map(|_| ()).map_err(|status| status.message.clone()));
        answer
    }

    /// Does a request now, as a consequence of a fact.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn ask_server(&mut self, request: &Request, fact: u64) -> Result<Reply, Status> {
        if request.dry_run {
            // What would happen, happens to a copy.
            let mut real = Request { dry_run: false, ..request.clone() };
            // It is storing that minds a version, and nothing is stored.
            if let Some(meta) = real.body.get_mut("metadata").and_then(Value::as_object_mut)
                && request.method == Method::Create
            {
                meta.remove("resourceVersion");
            }
            let mut reply = self.clone().ask_server(&real, fact)?;
            self.keep_version(request, &mut reply)?;
            return Ok(reply);
        }
        self.check_api_up()?;
        let target = Target::of(self.store(), request)?;
        match (request.method, &*request.subresource) {
            (Method::Create, "") => self.create_requested(&target, request, fact),
            (Method::Create, "eviction") if target.kind == Kind::Pod => self.evict(&target, request, fact),
            (Method::Create, "binding") if target.kind == Kind::Pod => {
                self.bind_requested(&target, request, fact)
            }
            (Method::Update | Method::Patch, "" | "status") => self.change_requested(&target, request, fact),
            (Method::Update | Method::Patch, "scale") => self.scale_requested(&target, request, fact),
            (Method::Delete, "") => self.delete_requested(&target, request, fact),
            _ => Err(nowhere()),
        }
    }
}

impl Sim {
    /// What was not stored has the version that it had, or none.
    fn keep_version(&self, request: &Request, reply: &mut Reply) -> Result<(), Status> {
        let target = Target::of(self.store(), request)?;
        let live =
            target.find(self.store(), request.named()).ok().filter(|_| request.method != Method::Create);
        if let Some(meta) = reply.object.get_mut("metadata").and_then(Value::as_object_mut) {
            match live.map(|live| live.metadata().resource_version.to_string()) {
                Some(version) => drop(meta.insert("resourceVersion".into(), version.into())),
                None => drop(meta.remove("resourceVersion")),
            }
        }
        Ok(())
    }
}

fn nowhere() -> Status {
    Status::new(Reason::NotFound, "the server could not find the requested resource")
}

/// What a request is about.
struct Target {
    kind: Kind,
    api_version: Str,
    kind_name: Str,
    /// Plural name, for messages.
    plural: String,
    is_namespaced: bool,
    namespace: Str,
    /// The `spec` of its definition, of custom kinds.
    definition: Option<Value>,
}

impl Target {
    fn of(store: &Store, request: &Request) -> Result<Self, Status> {
        let (api_version, kind_name) = (request.api_version.clone(), request.kind.clone());
        // The same objects are served under both versions.
        let model = match &*api_version {
            "autoscaling/v1" => "autoscaling/v2",
            "events.k8s.io/v1" => "v1",
            other => other,
        };
        let served = schema::resource_of(&api_version, &kind_name);
        let definition = if served.is_none() { definition(store, &api_version, &kind_name) } else { None };
        let (plural, is_namespaced) = match (served, &definition) {
            (Some(row), _) => (row.plural.to_string(), row.namespaced),
            (None, Some(spec)) => {
                let plural = spec["names"]["plural"].as_str().unwrap_or_default();
                (plural.to_string(), spec["scope"] != "Cluster")
            }
            (None, None) => return Err(nowhere()),
        };
        let namespace = match (is_namespaced, request.namespace.is_empty()) {
            (false, _) => Str::default(),
            (true, true) => "default".into(),
            (true, false) => request.namespace.clone(),
        };
        Ok(Self {
            kind: Kind::from_manifest(model, &kind_name).unwrap_or(Kind::Custom),
            plural,
            is_namespaced,
            namespace,
            definition,
            api_version,
            kind_name,
        })
    }
    /// Where the scale of its objects has its numbers, what is wanted and what there is; `None` for kinds without a scale.
    fn scale(&self) -> Option<(String, String)> {
        const SCALED: [Kind; 4] =
            [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::ReplicationController];
        let Some(definition) = &self.definition else {
            return SCALED
                .contains(&self.kind)
                .then(|| (".spec.replicas".to_string(), ".status.replicas".to_string()));
        };
        let version = self.api_version.rsplit('/').next();
        let mut versions = definition["versions"].as_array()?.iter();
        let version = versions.find(|one| one["name"].as_str() == version)?;
        let place = |key: &str| version["subresources"]["scale"][key].as_str().map(str::to_string);
        Some((place("specReplicasPath")?, place("statusReplicasPath")?))
    }
    fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
    fn not_found(&self, name: &str) -> Status {
        Status::resource_not_found(&self.plural, self.group(), name)
    }
    /// The stored object of a name.
    fn find<'a>(&self, store: &'a Store, name: &str) -> Result<&'a Object, Status> {
        let stored_name = if self.kind == Kind::Custom {
            custom_name(self.group(), &self.kind_name, name)
        } else {
            name.into()
        };
        let id = store.id_of(self.kind, &self.namespace, &stored_name);
        id.and_then(|id| store.object(id)).ok_or_else(|| self.not_found(name))
    }
}

/// The `spec` of the definition that teaches a kind in a version.
fn definition(store: &Store, api_version: &str, kind: &str) -> Option<Value> {
    let (group, version) = api_version.split_once('/')?;
    let definitions = store.list::<CustomResourceDefinition>();
    let specs = definitions.filter_map(|object| object.rest.as_ref()?.get("spec").cloned());
    let serves = |spec: &Value| {
        let mut versions = spec["versions"].as_array().into_iter().flatten();
        spec["group"] == group
            && spec["names"]["kind"] == kind
            && versions.any(|one| one["name"] == version && one["served"] != false)
    };
    specs.into_iter().find(serves)
}
