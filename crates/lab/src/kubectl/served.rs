//! Objects as the API server hands them out.
//!
//! Upstream: plugin/pkg/admission/serviceaccount/admission.go.
//! Simplified: the volume with the token of its account is given to a pod when it is read, not when it is stored; its name
//! follows from the pod's identity.

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
    }
    if object.kind() != Kind::Custom
        && let Some(map) = value.as_object_mut()
    {
        map.insert("apiVersion".into(), resource.api_version.clone().into());
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
        let Some(containers) = pod["spec"][list].as_array_mut() else { continue };
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
