//! Objects as manifests that another cluster takes: what people wrote, without what the cluster added.

use crate::inspect::Subject;
use serde_json::{Map, Value};
use setpoint_api::text::to_yaml;
use setpoint_api::{Object, order};

/// Kinds that a cluster makes by itself.
const MADE: [&str; 7] =
    ["Event", "Lease", "Endpoints", "EndpointSlice", "Node", "ControllerRevision", "VolumeAttachment"];
/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// What every cluster has in all namespaces.
const EVERYWHERE: [(&str, &str); 2] = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];
/// What others need comes first.
const FIRST: [&str; 10] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
];
/// Annotations that controllers and clients write.
const WRITTEN: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
];

impl crate::Session {
    /// A thing, or all that people made, as YAML that another cluster takes; `None` if there is no such thing.
    pub fn export(&self, subject: Option<&Subject>) -> Option<String> {
        let store = self.sim().store();
        let Some(subject) = subject else {
            let mut objects: Vec<&Object> =
                store.objects().filter(|object| is_made_by_people(object)).collect();
            let rank = |object: &Object| {
                let kind = object.kind().as_str();
                FIRST.iter().position(|first| *first == kind).unwrap_or(FIRST.len())
            };
            order::sort_by_key(&mut objects, |object| (rank(object), object.metadata().id));
            let documents: Vec<String> = objects.into_iter().map(|object| to_yaml(&plain(object))).collect();
            return Some(documents.join("---\n"));
        };
        let Subject::Object { kind, namespace, name } = subject else { return None };
        let is_it = |object: &&Object| {
            let meta = object.metadata();
            *meta.name == **name
                && object.kind().as_str().eq_ignore_ascii_case(kind)
                && (*meta.namespace == **namespace || meta.namespace.is_empty())
        };
        store.objects().find(is_it).map(|object| to_yaml(&plain(object)))
    }
}

fn is_made_by_people(object: &Object) -> bool {
    let (kind, meta) = (object.kind().as_str(), object.metadata());
    let name = &*meta.name;
    let is_given = match kind {
        "Namespace" => NAMESPACES.contains(&name),
        "Service" => *meta.namespace == *"default" && name == "kubernetes",
        "ClusterRole" | "ClusterRoleBinding" | "PriorityClass" => {
            name.starts_with("system") || ["cluster-admin", "admin", "edit", "view"].contains(&name)
        }
        _ => EVERYWHERE.contains(&(kind, name)),
    };
    !is_given
        && !MADE.contains(&kind)
        && !meta.namespace.starts_with("kube-")
        && meta.controller().is_none()
        && !meta.is_deleting()
}

/// The object without what the cluster added.
fn plain(object: &Object) -> Value {
    let mut value = object.to_value();
    let kind = object.kind().as_str();
    let Value::Object(fields) = &mut value else { return value };
    fields.remove("status");
    if let Some(Value::Object(meta)) = fields.get_mut("metadata") {
        let keeps = ["name", "generateName", "namespace", "labels", "annotations"];
        meta.retain(|key, _| keeps.contains(&key.as_str()));
        if let Some(Value::Object(annotations)) = meta.get_mut("annotations") {
            annotations.retain(|key, _| !WRITTEN.iter().any(|written| key.starts_with(written)));
        }
        meta.retain(|_, value| !is_empty(value));
    }
    if let Some(Value::Object(spec)) = fields.get_mut("spec") {
        plain_spec(kind, spec);
        if let Some(Value::Object(meta)) =
            spec.get_mut("template").and_then(|template| template.get_mut("metadata"))
        {
            meta.remove("creationTimestamp");
        }
    }
    value
}

/// What the cluster chose in a spec.
fn plain_spec(kind: &str, spec: &mut Map<String, Value>) {
    let chosen: &[&str] = match kind {
        "Pod" => &["nodeName"],
        "Node" => &["podCIDR", "podCIDRs", "providerID", "taints"],
        "Namespace" => &["finalizers"],
        "PersistentVolumeClaim" => &["volumeName"],
        "PersistentVolume" => &["claimRef"],
        // A Service without an address of its own says so in its spec.
        "Service" if spec.get("clusterIP").and_then(Value::as_str) == Some("None") => &["clusterIPs"],
        "Service" => &["clusterIP", "clusterIPs"],
        _ => &[],
    };
    spec.retain(|key, _| !chosen.contains(&key.as_str()));
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Object(map) if map.is_empty()) || value.is_null()
}
