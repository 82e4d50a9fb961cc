//! What the API server warns of while it accepts an object.
//!
//! Upstream: pkg/api/pod/warnings.go, pkg/api/{persistentvolume,persistentvolumeclaim,service,storage,node}/util.go,
//! pkg/registry/core/secret/strategy.go.
//! Simplified: addresses that are not in their shortest form are not told.

use super::pod_warnings::{gone_sources, of_pod};
use super::tree::{at, items, text, top};
use super::{config, ingress};
use crate::Object;
use crate::names::is_dns1123_label;
use crate::text::go_quote;
use serde_json::Value;

const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// What the API server warns of, in order.
pub fn warnings(object: &Object) -> Vec<String> {
    let mut said = Vec::new();
    name_warning(object, &mut said);
    match object {
        Object::Pod(_) => {
            let value = object.to_value();
            of_pod(at(&value, "metadata"), at(&value, "spec"), "", &mut said);
        }
        Object::Deployment(_) | Object::ReplicaSet(_) => {
            let value = object.to_value();
            template_warnings(at(&value, "spec"), "spec.", &mut said);
        }
        Object::StatefulSet(_) | Object::DaemonSet(_) | Object::Job(_) | Object::ReplicationController(_) => {
            template_warnings(top(object, "spec"), "spec.", &mut said);
        }
        Object::CronJob(_) => {
            let job = at(at(top(object, "spec"), "jobTemplate"), "spec");
            template_warnings(job, "spec.jobTemplate.spec.", &mut said);
        }
        Object::PersistentVolumeClaim(_) => claim_warnings(object, &mut said),
        Object::PersistentVolume(_) => persistent_warnings(object, &mut said),
        Object::Service(_) => service_warnings(at(&object.to_value(), "spec"), &mut said),
        Object::Endpoints(_) => {
            said.push("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".into());
        }
        Object::Secret(_) => said.extend(config::tls_warning(object)),
        Object::Ingress(_) => said.extend(ingress::class_warning(object)),
        _ => {}
    }
    said
}

/// Names of pods become host names.
fn name_warning(object: &Object, said: &mut Vec<String>) {
    let what = match object {
        Object::Pod(_) => "this is used in the Pod's hostname",
        Object::Deployment(_) | Object::ReplicaSet(_) | Object::ReplicationController(_) | Object::Job(_) => {
            "this is used in Pod names and hostnames"
        }
        _ => return,
    };
    let problems = is_dns1123_label(&object.metadata().name);
    if !problems.is_empty() {
        let list = problems.join(" ");
        said.push(format!(
            "metadata.name: {what}, which can result in surprising behavior; a DNS label is recommended: [{list}]"
        ));
    }
}

fn service_warnings(spec: &Value, said: &mut Vec<String>) {
    let has_addresses = !items(spec, "externalIPs").is_empty();
    if text(spec, "clusterIP") == "None" {
        if !text(spec, "loadBalancerIP").is_empty() {
            said.push("spec.loadBalancerIP is ignored for headless services".into());
        }
        if has_addresses {
            said.push("spec.externalIPs is ignored for headless services".into());
        }
        if text(spec, "sessionAffinity") != "None" {
            said.push("spec.SessionAffinity is ignored for headless services".into());
        }
    }
    let is_name = text(spec, "type") == "ExternalName";
    if is_name && has_addresses {
        said.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".into());
    }
    if !is_name && !text(spec, "externalName").is_empty() {
        said.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
    if has_addresses && !is_name {
        said.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters".into());
    }
}

fn template_warnings(spec: &Value, path: &str, said: &mut Vec<String>) {
    let template = at(spec, "template");
    of_pod(at(template, "metadata"), at(template, "spec"), &format!("{path}template."), said);
}

fn claim_warnings(claim: &Object, said: &mut Vec<String>) {
    if claim.metadata().annotation(BETA_CLASS).is_some() {
        said.push(format!(
            "metadata.annotations[{BETA_CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    let requests = at(at(top(claim, "spec"), "resources"), "requests");
    if let Some(amount) =
        super::tree::quantity(requests, "storage").filter(|amount| amount.milli_value() % 1000 != 0)
    {
        let shown = go_quote(&amount.to_string());
        said.push(format!(
            "spec.resources.requests[storage]: fractional byte value {shown} is invalid, must be an integer"
        ));
    }
}

fn persistent_warnings(volume: &Object, said: &mut Vec<String>) {
    if volume.metadata().annotation(BETA_CLASS).is_some() {
        said.push(format!(
            "metadata.annotations[{BETA_CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    let spec = top(volume, "spec");
    if text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        said.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach \
             is to use dynamic provisioning."
                .into(),
        );
    }
    said.extend(gone_sources(spec).map(|(name, advice)| format!("spec.{name}: {advice}")));
}
