//! Requests that create, and how the body of a request becomes an object.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go.

use super::{FieldValidation, Reply, Request, Target};
use crate::fact::Actor;
use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::{ObjId, Object, Reason, Status, custom, decode, validate};

impl Sim {
    pub(super) fn create_requested(
        &mut self,
        target: &Target,
        request: &Request,
        fact: u64,
    ) -> Result<Reply, Status> {
        let (mut object, warnings) = target.read(request.body.clone(), request.field_validation)?;
        target.place(&mut object)?;
        if object.metadata().resource_version != 0 {
            return Err(Status::new(
                Reason::Unknown,
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let id = self.create(object, Actor::Person, fact)?;
        Ok(self.reply(id, warnings))
    }

    /// The answer that shows an object as it is now stored.
    pub(super) fn reply(&self, id: ObjId, mut warnings: Vec<String>) -> Reply {
        let object = self.store().object(id);
        warnings.extend(object.into_iter().flat_map(validate::warnings));
        Reply { object: object.map(Object::to_value).unwrap_or_default(), warnings }
    }
}

impl Target {
    /// Reads an object of the target's kind, and what is to be warned of.
    pub(super) fn read(
        &self,
        value: Value,
        validation: FieldValidation,
    ) -> Result<(Object, Vec<String>), Status> {
        let Value::Object(mut fields) = value else {
            return Err(Status::bad_request("the body of the request was in an unknown format"));
        };
        for (key, word) in [("apiVersion", &self.api_version), ("kind", &self.kind_name)] {
            fields.entry(key).or_insert_with(|| word.to_string().into());
        }
        if let Some(kind) = fields["kind"].as_str().filter(|kind| *kind != &*self.kind_name) {
            let (wanted, api_version) = (&self.kind_name, &self.api_version);
            let version = api_version.rsplit('/').next().unwrap_or(api_version);
            return Err(Status::bad_request(format!(
                "{kind} in version {version:?} cannot be handled as a {wanted}: no kind {kind:?} is registered for version \
                 {:?} in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                &**api_version
            )));
        }
        let (value, is_strict) = (Value::Object(fields), validation == FieldValidation::Strict);
        let decoded = match &self.definition {
            Some(definition) => {
                let decoded = custom::decode(value, definition, is_strict)?;
                let causes = custom::causes(&decoded.object, definition);
                if !causes.is_empty() {
                    return Err(Status::invalid(&decoded.object, causes));
                }
                decoded
            }
            None => decode::decode(value, is_strict)?,
        };
        let (mut object, unknown) = (decoded.object, decoded.unknown);
        forget_bookkeeping(&mut object);
        Ok((object, if validation == FieldValidation::Warn { unknown } else { Vec::new() }))
    }

    /// Puts an object into the namespace of the request.
    pub(super) fn place(&self, object: &mut Object) -> Result<(), Status> {
        let given = &mut object.metadata_mut().namespace;
        if self.is_namespaced && !given.is_empty() && *given != self.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        *given = self.namespace.clone();
        Ok(())
    }
}

/// Leaves out of the metadata what is the server's own affair.
fn forget_bookkeeping(object: &mut Object) {
    let rest = &mut object.metadata_mut().rest;
    if let Some(fields) = rest.as_mut().map(std::rc::Rc::make_mut) {
        fields.retain(|key, _| !["managedFields", "selfLink"].contains(&&**key));
        if fields.is_empty() {
            *rest = None;
        }
    }
}
