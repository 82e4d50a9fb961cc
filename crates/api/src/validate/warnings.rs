//! What the API server warns of while it accepts an object.
//!
//! Upstream: pkg/api/pod/warnings.go, pkg/api/{persistentvolume,persistentvolumeclaim,service,storage,node}/util.go,
//! pkg/registry/core/secret/strategy.go.
//! Simplified: of the warnings about pods those on deprecated fields, labels and annotations, on names that stand twice, and
//! on quantities that are likely a slip.

use super::tree::{at, get, items, read, text, top};
use super::{config, ingress};
use crate::text::go_quote;
use crate::{Gather as _, Object, Quantity};
use serde_json::Value;

/// Sources of volumes that are going away or gone.
const VOLUMES: [(&str, &str); 9] = [
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
];

/// Node labels with a newer name.
const NODE_LABELS: [(&str, &str); 6] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// What the API server warns of, in order.
pub fn warnings(object: &Object) -> Vec<String> {
    let mut said = Vec::new();
    match object {
        Object::Pod(_) => {
            let value = object.to_value();
            pod_warnings(at(&value, "metadata"), at(&value, "spec"), "", &mut said);
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
        Object::Service(_) => {
            let value = object.to_value();
            if !items(at(&value, "spec"), "externalIPs").is_empty() {
                said.push(
                    "spec.externalIPs is deprecated and may no longer be implemented in some clusters".into(),
                );
            }
        }
        Object::Secret(_) => said.extend(config::tls_warning(object)),
        Object::Ingress(_) => said.extend(ingress::class_warning(object)),
        _ => {}
    }
    said
}

fn template_warnings(spec: &Value, path: &str, said: &mut Vec<String>) {
    let template = at(spec, "template");
    pod_warnings(at(template, "metadata"), at(template, "spec"), &format!("{path}template."), said);
}

/// Warnings about a pod whose fields begin at a path.
fn pod_warnings(meta: &Value, spec: &Value, path: &str, said: &mut Vec<String>) {
    for (key, _) in at(spec, "nodeSelector").as_object().into_iter().flatten() {
        if let Some(advice) = node_label(key) {
            said.push(format!("{path}spec.nodeSelector[{key}]: {advice}"));
        }
    }
    affinity_warnings(spec, path, said);
    let annotations = at(meta, "annotations");
    if let Some(name) =
        ["scheduler.alpha.kubernetes.io/critical-pod"].into_iter().find(|key| get(annotations, key).is_some())
    {
        said.push(format!(
            "{path}metadata.annotations[{name}]: non-functional in v1.16+; use the \"priorityClassName\" field instead"
        ));
    }
    for (index, volume) in items(spec, "volumes").iter().enumerate() {
        for (source, advice) in VOLUMES {
            if get(volume, source).is_some() {
                said.push(format!("{path}spec.volumes[{index}].{source}: {advice}"));
            }
        }
    }
    for list in ["initContainers", "containers"] {
        for (index, container) in items(spec, list).iter().enumerate() {
            container_warnings(container, &format!("{path}spec.{list}[{index}]"), said);
        }
    }
}

fn node_label(key: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(name, _)| *name == key).map(|(_, advice)| *advice)
}

fn affinity_warnings(spec: &Value, path: &str, said: &mut Vec<String>) {
    let affinity = at(at(spec, "affinity"), "nodeAffinity");
    let required = at(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    for (i, term) in items(required, "nodeSelectorTerms").iter().enumerate() {
        for (j, expression) in items(term, "matchExpressions").iter().enumerate() {
            if let Some(advice) = node_label(text(expression, "key")) {
                let place = format!(
                    "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{i}].matchExpressions[{j}].key"
                );
                said.push(format!("{path}spec.{place}: {} is {advice}", text(expression, "key")));
            }
        }
    }
}

fn container_warnings(container: &Value, path: &str, said: &mut Vec<String>) {
    for list in ["limits", "requests"] {
        for (name, amount) in at(at(container, "resources"), list).as_object().into_iter().flatten() {
            let amount: Quantity = read(amount);
            if matches!(name.as_str(), "memory" | "ephemeral-storage") && amount.milli_value() % 1000 != 0 {
                let shown = go_quote(&amount.to_string());
                said.push(format!(
                    "{path}.resources.{list}[{name}]: fractional byte value {shown} is invalid, must be an integer"
                ));
            }
        }
    }
    let names: Vec<&str> = items(container, "env").iter().map(|variable| text(variable, "name")).gather();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            let shown = go_quote(name);
            said.push(format!(
                "{path}.env[{index}]: hides previous definition of {shown}, which may be dropped when using apply"
            ));
        }
    }
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
    for (source, advice) in VOLUMES {
        if get(spec, source).is_some() {
            said.push(format!("spec.{source}: {advice}"));
        }
    }
}
