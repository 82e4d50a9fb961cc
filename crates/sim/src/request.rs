//! Requests to the API server as clients send them: the one door through which kubectl, the page's manifest editor and the
//! headless runner change a cluster.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch,delete}.go.
//! Simplified: a person's request is decided the moment it is sent; nobody is authenticated.

use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::{Reason, Status, Str, wire, words};

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

/// What the API server answers when it does not refuse.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The object as it is, or would be, stored.
    pub object: Value,
    /// What kubectl prints as `Warning: ...`, in order.
    pub warnings: Vec<String>,
}

impl Sim {
    /// Does a request now, as a consequence of a fact.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn ask_server(&mut self, _request: &Request, _fact: u64) -> Result<Reply, Status> {
        Err(Status::new(
            Reason::MethodNotAllowed,
            "the server does not allow this method on the requested resource",
        ))
    }
}
