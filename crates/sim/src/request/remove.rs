//! Requests that delete.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go, plugin/pkg/admission/namespace/lifecycle.

use super::{Reply, Request, Target};
use crate::fact::Actor;
use crate::sim::Sim;
use serde_json::json;
use setpoint_api::{DeleteOptions, Kind, Propagation, Status};

/// Namespaces that nobody may delete.
const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];

impl Sim {
    pub(super) fn delete_requested(
        &mut self,
        target: &Target,
        request: &Request,
        fact: u64,
    ) -> Result<Reply, Status> {
        let object = target.find(self.store(), &request.name)?;
        if target.kind == Kind::Namespace && IMMORTAL.contains(&&*request.name) {
            return Err(Status::refused(object, "this namespace may not be deleted"));
        }
        let id = object.id();
        let propagation = match &*request.propagation_policy {
            "" | "Background" => Propagation::Background,
            "Foreground" => Propagation::Foreground,
            "Orphan" => Propagation::Orphan,
            other => {
                let known = "supported values: \"Background\", \"Foreground\", \"Orphan\"";
                return Err(Status::bad_request(format!("invalid propagationPolicy {other:?}: {known}")));
            }
        };
        let options = DeleteOptions { grace_seconds: request.grace_period_seconds, propagation };
        self.store_with(Actor::Person, fact, |store, stamp| store.delete(id, options, stamp))?;
        let mut reply = self.reply(id, Vec::new());
        if reply.object.is_null() {
            reply.object = json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" });
        }
        Ok(reply)
    }
}
