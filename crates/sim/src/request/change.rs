//! Requests that change an object: updates, patches, and changes of its scale.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{update,patch}.go, pkg/registry/apps/deployment/storage
//! (scale), staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go (`ScaleREST`).

use super::{FieldValidation, Method, PatchType, Reply, Request, Target, nowhere};
use crate::fact::Actor;
use crate::sim::Sim;
use serde_json::{Value, json};
use setpoint_api::decode::Fault;
use setpoint_api::patch::{self, Failure};
use setpoint_api::schema::{self, Type};
use setpoint_api::status::Details;
use setpoint_api::text::go_quote;
use setpoint_api::validate::{Cause, CauseKind};
use setpoint_api::{Object, Reason, Scope, Status, decode};
use std::rc::Rc;

impl Sim {
    pub(super) fn change_requested(
        &mut self,
        target: &Target,
        request: &Request,
        fact: u64,
    ) -> Result<Reply, Status> {
        let name = request.named();
        let live = target.find(self.store(), name)?.clone();
        let (object, warnings) = match request.method {
            Method::Patch => target.patched(&live, request)?,
            _ => target.read(request.body.clone(), request.field_validation)?,
        };
        if *object.metadata().name != *name {
            let other = &object.metadata().name;
            return Err(Status::bad_request(format!(
                "the name of the object ({other}) does not match the name on the URL ({name})"
            )));
        }
        let scope = if &*request.subresource == "status" { Scope::Status } else { Scope::Main };
        self.change(target, &live, object, scope, fact)?;
        Ok(self.reply(live.id(), warnings))
    }

    /// Stores a changed object, if it may change so.
    fn change(
        &mut self,
        target: &Target,
        live: &Object,
        mut object: Object,
        scope: Scope,
        fact: u64,
    ) -> Result<(), Status> {
        target.place(&mut object)?;
        object.metadata_mut().id = live.id();
        if scope == Scope::Main {
            setpoint_api::default::apply(&mut object);
            keep_assigned(live, &mut object);
            // Who changes an old version is told that before all else.
            let version = object.metadata().resource_version;
            if version != 0 && version != live.metadata().resource_version {
                return Err(Status::outdated(live));
            }
            setpoint_api::validate::update(live, &object)?;
        }
        self.store_with(Actor::Person, fact, |store, stamp| store.update(object, scope, stamp)).map(|_| ())
    }

    pub(super) fn scale_requested(
        &mut self,
        target: &Target,
        request: &Request,
        fact: u64,
    ) -> Result<Reply, Status> {
        let places = target.scale().ok_or_else(nowhere)?;
        let live = target.find(self.store(), &request.name)?.clone();
        let mut value = live.to_value();
        let scale = scale_of(&value, &places);
        let mut wanted = match request.method {
            Method::Patch => apply(request, &scale, schema::type_of("autoscaling/v1", "Scale"))?,
            _ => request.body.clone(),
        };
        let problems = decode::problems(&mut wanted);
        if let Some(wrong) =
            problems.iter().find(|problem| matches!(problem.fault, Fault::Value | Fault::Type))
        {
            return Err(match request.method {
                Method::Patch => invalid_patch(&wanted.to_string(), &wrong.message),
                _ => Status::bad_request(wrong.message.clone()),
            });
        }
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            return Err(invalid_scale(&request.name, replicas));
        }
        set_number(&mut value, &places.0, replicas)?;
        if let Some(version) = wanted["metadata"].get("resourceVersion") {
            value["metadata"]["resourceVersion"] = version.clone();
        }
        let (object, _) = Object::from_value(live.kind(), value);
        self.change(target, &live, object, Scope::Main, fact)?;
        let stored = self.store().object(live.id()).map(Object::to_value).unwrap_or_default();
        Ok(Reply { object: scale_of(&stored, &places), warnings: Vec::new() })
    }
}

impl Target {
    /// The live object with a patch in it, and what is to be warned of.
    fn patched(&self, live: &Object, request: &Request) -> Result<(Object, Vec<String>), Status> {
        let of = schema::type_of(&live.api_version(), &live.kind_name());
        let mut value = apply(request, &live.to_value(), of)?;
        let refuse = |why: &str| {
            let shown = match request.patch_type {
                PatchType::Strategic => patch::go_print(&request.body),
                PatchType::Merge | PatchType::Json => value.to_string(),
            };
            invalid_patch(&shown, why)
        };
        if request.patch_type == PatchType::Strategic
            && let Some(why) = of.and_then(|of| patch::mismatch(&value, of))
        {
            return Err(refuse(&why));
        }
        let mut read = value.clone();
        let problems = decode::problems(&mut read);
        if let Some(wrong) =
            problems.iter().find(|problem| matches!(problem.fault, Fault::Value | Fault::Type))
        {
            return Err(refuse(&wrong.message));
        }
        let unknown: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        if request.field_validation == FieldValidation::Strict && !unknown.is_empty() {
            return Err(refuse(&format!("strict decoding error: {}", unknown.join(", "))));
        }
        value = read;
        let (object, errors) = Object::from_value(live.kind(), value.clone());
        match errors.first() {
            Some(error) => {
                Err(invalid_patch(&value.to_string(), &format!("{}: {}", error.path, error.message)))
            }
            None if request.field_validation == FieldValidation::Warn => Ok((object, unknown)),
            None => Ok((object, Vec::new())),
        }
    }
}

/// A value with the request's patch in it.
fn apply(request: &Request, value: &Value, of: Option<Type>) -> Result<Value, Status> {
    let patched = match (request.patch_type, of) {
        (PatchType::Json, _) => {
            patch::decode_json(&request.body).and_then(|ops| patch::apply_json(value, &ops))
        }
        (PatchType::Merge, _) => patch::apply_merge(value, &request.body),
        (PatchType::Strategic, Some(of)) => patch::apply_strategic(value, &request.body, of),
        (PatchType::Strategic, None) => {
            return Err(Status::new(
                Reason::UnsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            ));
        }
    };
    patched.map_err(|failure| match failure {
        Failure::Malformed(why) => Status::bad_request(why),
        Failure::Unfit(_) if request.patch_type == PatchType::Json => {
            Status::new(Reason::Invalid, "the server rejected our request due to an error in our request")
        }
        Failure::Unfit(why) => Status::new(Reason::InternalError, why),
    })
}

/// Upstream: `NewInvalid` without a kind, about the field `patch`.
fn invalid_patch(shown: &str, why: &str) -> Status {
    let message = format!("Invalid value: {}: {why}", go_quote(shown));
    let cause = Cause { kind: CauseKind::Invalid, field: "patch".into(), message };
    let message = format!(" \"\" is invalid: {cause}");
    let details = Details { causes: vec![cause], ..Details::default() };
    Status { reason: Reason::Invalid, message, details: Some(Box::new(details)) }
}

fn invalid_scale(name: &str, replicas: i64) -> Status {
    let message = format!("Invalid value: {replicas}: must be greater than or equal to 0");
    let cause = Cause { kind: CauseKind::Invalid, field: "spec.replicas".into(), message };
    let message = format!("Scale.autoscaling {} is invalid: {cause}", go_quote(name));
    let (name, group, kind) = (name.to_string(), "autoscaling".to_string(), "Scale".to_string());
    let details = Details { name, group, kind, causes: vec![cause] };
    Status { reason: Reason::Invalid, message, details: Some(Box::new(details)) }
}

/// Puts a number at a place such as `.spec.replicas`.
///
/// Upstream: `SetNestedField`.
fn set_number(value: &mut Value, place: &str, number: i64) -> Result<(), Status> {
    let (mut at, mut path) = (value, String::new());
    for key in place.split('.').filter(|key| !key.is_empty()) {
        let Value::Object(fields) = at else {
            let message = format!("value cannot be set because {path} is not a map[string]interface{{}}");
            return Err(Status::new(Reason::Unknown, message));
        };
        path = format!("{path}.{key}");
        at = fields.entry(key).or_insert_with(|| json!({}));
    }
    *at = number.into();
    Ok(())
}

/// What the scale subresource shows of an object that has its numbers, what is wanted and what there is, at these places.
fn scale_of(object: &Value, (wanted, there): &(String, String)) -> Value {
    let meta = &object["metadata"];
    let number = |place: &str| {
        let found = place.split('.').filter(|key| !key.is_empty()).fold(object, |at, key| &at[key]);
        found.as_i64().unwrap_or(0)
    };
    json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": { "replicas": number(wanted) },
        "status": { "replicas": number(there) },
    })
}

/// What an update leaves alone because the server has assigned it.
fn keep_assigned(stored: &Object, object: &mut Object) {
    match (stored, object) {
        (Object::Service(stored), Object::Service(object)) if object.spec.cluster_ip.is_empty() => {
            let object = Rc::make_mut(object);
            object.spec.cluster_ip = stored.spec.cluster_ip.clone();
            object.spec.cluster_ips = stored.spec.cluster_ips.clone();
        }
        _ => {}
    }
}
