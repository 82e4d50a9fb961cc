//! Objects as the API server hands them out.
//!
//! Upstream: plugin/pkg/admission/{serviceaccount,priority}/admission.go, pkg/apis/core/v1/conversion.go.
//! Simplified: the volume with the token of its account and the default preemption policy are given to a pod when it is
//! read, not when it is stored; the volume's name follows from the pod's identity.

use super::print::look::{has, items, text};
use super::resource::Resource;
use serde_json::{Value, json};
use setpoint_api::{Kind, Object};

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The letters of drawn names.
const DRAWN: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// An object in the version that was asked for.
pub(super) fn value(resource: &Resource, object: &Object) -> Value {
    let mut value = object.to_value();
    if object.kind() == Kind::Pod {
        give_token(&mut value, object.metadata().uid.0);
        fill_pod(&mut value);
        value.get_mut("spec").into_iter().for_each(repeat_account);
    }
    if object.kind() != Kind::Custom
        && let Some(map) = value.as_object_mut()
    {
        map.insert("apiVersion".into(), resource.api_version.clone().into());
        for template in ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
            value.pointer_mut(template).into_iter().for_each(repeat_account);
        }
    }
    value
}

/// Gives a pod the volume of its account's token, and its containers the mount.
fn give_token(pod: &mut Value, identity: u128) {
    if pod["spec"]["automountServiceAccountToken"] == false
        || text(pod, "/spec/serviceAccountName").is_empty()
    {
        return;
    }
    let mut rest = identity;
    let mut name = String::from("kube-api-access-");
    for _ in 0..5 {
        let letters = DRAWN.len() as u128;
        name.push(char::from(DRAWN.get((rest % letters) as usize).copied().unwrap_or(b'x')));
        rest /= letters;
    }
    let mut is_mounted = false;
    for list in ["initContainers", "containers"] {
        let Some(containers) =
            pod.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut)
        else {
            continue;
        };
        for container in containers {
            if items(container, "/volumeMounts").iter().any(|mount| text(mount, "/mountPath") == MOUNT) {
                continue;
            }
            is_mounted = true;
            add(container, "volumeMounts", json!({ "mountPath": MOUNT, "name": name, "readOnly": true }));
        }
    }
    if is_mounted && !has(pod, "/metadata/annotations/kubernetes.io~1config.mirror") {
        let volume = token_volume(&name);
        if let Some(spec) = pod.get_mut("spec") {
            add(spec, "volumes", volume);
        }
    }
}

/// Fields that every pod has upstream, and that hold nothing here until someone gives them a value.
///
/// Upstream: plugin/pkg/admission/priority/admission.go; a condition's `lastProbeTime` is written even when it is not set.
fn fill_pod(pod: &mut Value) {
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("preemptionPolicy").or_insert_with(|| "PreemptLowerPriority".into());
    }
    let conditions = pod.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.entry("lastProbeTime").or_insert(Value::Null);
    }
}

/// Writes the name of a pod's account under its old key too.
///
/// Upstream: pkg/apis/core/v1/conversion.go (`Convert_core_PodSpec_To_v1_PodSpec`).
fn repeat_account(spec: &mut Value) {
    let Some(spec) = spec.as_object_mut() else { return };
    if let Some(account) = spec.get("serviceAccountName").filter(|account| **account != "").cloned() {
        spec.insert("serviceAccount".into(), account);
    }
}

fn add(to: &mut Value, list: &str, item: Value) {
    let Some(map) = to.as_object_mut() else { return };
    if let Value::Array(items) = map.entry(list).or_insert_with(|| json!([])) {
        items.push(item);
    }
}

fn token_volume(name: &str) -> Value {
    json!({
        "name": name,
        "projected": {
            "defaultMode": 420,
            "sources": [
                { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                { "configMap": { "items": [{ "key": "ca.crt", "path": "ca.crt" }], "name": "kube-root-ca.crt" } },
                { "downwardAPI": { "items": [
                    { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" }, "path": "namespace" }
                ] } },
            ],
        },
    })
}
