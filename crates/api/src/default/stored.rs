//! Default values of kinds whose fields have no type here.
//!
//! Upstream: pkg/apis/{core,apps,batch,networking,storage,rbac,scheduling}/v1/defaults.go, pkg/registry/*/strategy.go,
//! staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go.

use crate::text::base64_encode;
use crate::wire::{Reader, Wire};
use crate::*;
use serde_json::{Map, Value, json};
use std::rc::Rc;

pub(super) type Fields = Map<String, Value>;

pub(super) fn apply(object: &mut Object) {
    let kind = object.kind();
    if !has_defaults(kind) {
        return;
    }
    let mut fields = object.rest().as_deref().cloned().unwrap_or_default();
    let (group, name) = (object.group(), object.kind_name());
    let meta = object.metadata_mut();
    match kind {
        Kind::Secret => secret(&mut fields),
        Kind::StorageClass => {
            set(&mut fields, "reclaimPolicy", || "Delete".into());
            set(&mut fields, "volumeBindingMode", || "Immediate".into());
        }
        Kind::PriorityClass => {
            set(&mut fields, "preemptionPolicy", || "PreemptLowerPriority".into());
            set(&mut fields, "value", || 0.into());
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => binding(&mut fields),
        Kind::PodTemplate => template(&mut fields),
        Kind::Endpoints => endpoints(&mut fields),
        Kind::Custom => super::idle::apply(&group, &name, &mut fields),
        _ => {
            inside(&mut fields, "spec", |spec| of_spec(kind, spec, meta));
            if let Some(status) = first_status(kind) {
                set(&mut fields, "status", || status);
            }
        }
    }
    let before = object.rest();
    if before.as_deref() != Some(&fields) && !(before.is_none() && fields.is_empty()) {
        *object.rest_mut() = Some(Rc::new(fields));
    }
}

fn has_defaults(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::ReplicationController
            | Kind::PodTemplate
            | Kind::Endpoints
            | Kind::Secret
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::StorageClass
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::PodDisruptionBudget
            | Kind::ResourceQuota
            | Kind::LimitRange
            | Kind::PriorityClass
            | Kind::RoleBinding
            | Kind::ClusterRoleBinding
            | Kind::CustomResourceDefinition
            | Kind::Custom
    )
}

fn of_spec(kind: Kind, spec: &mut Fields, meta: &mut ObjectMeta) {
    match kind {
        Kind::StatefulSet => stateful_set(spec),
        Kind::DaemonSet => daemon_set(spec, meta),
        Kind::Job => job(spec, meta),
        Kind::CronJob => cron_job(spec),
        Kind::ReplicationController => replication_controller(spec, meta),
        Kind::PersistentVolume => {
            set(spec, "persistentVolumeReclaimPolicy", || "Retain".into());
            set(spec, "volumeMode", || "Filesystem".into());
            if let Some(Value::Object(source)) = spec.get_mut("hostPath") {
                set(source, "type", || "".into());
            }
            super::source_of_drivers(spec);
        }
        Kind::PersistentVolumeClaim => set(spec, "volumeMode", || "Filesystem".into()),
        Kind::IngressClass => {
            if let Some(Value::Object(parameters)) = spec.get_mut("parameters") {
                set(parameters, "scope", || "Cluster".into());
            }
        }
        Kind::NetworkPolicy => network_policy(spec),
        Kind::LimitRange => each(spec, "limits", limit),
        Kind::CustomResourceDefinition => definition(spec),
        _ => {}
    }
}

/// The status with which the server stores a new object.
fn first_status(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::StatefulSet => json!({ "replicas": 0, "availableReplicas": 0 }),
        Kind::DaemonSet => json!({
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0 }),
        Kind::ReplicationController => json!({ "replicas": 0 }),
        Kind::PersistentVolume | Kind::PersistentVolumeClaim => json!({ "phase": "Pending" }),
        Kind::Job | Kind::CronJob | Kind::ResourceQuota => json!({}),
        Kind::Ingress => json!({ "loadBalancer": {} }),
        Kind::PodDisruptionBudget => json!({
            "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0 }),
        _ => return None,
    })
}

/// Sets a field that is absent or null.
pub(super) fn set(fields: &mut Fields, key: &str, value: impl FnOnce() -> Value) {
    if fields.get(key).is_none_or(Value::is_null) {
        fields.insert(key.to_owned(), value());
    }
}

/// Sets a field that is absent, null or an empty text.
fn set_text(fields: &mut Fields, key: &str, value: &str) {
    if fields.get(key).is_none_or(|old| old.is_null() || *old == "") {
        fields.insert(key.to_owned(), value.into());
    }
}

/// Changes the fields of a field, which are made if there are none.
pub(super) fn inside(fields: &mut Fields, key: &str, change: impl FnOnce(&mut Fields)) {
    let mut value = match fields.remove(key) {
        Some(Value::Object(value)) => value,
        _ => Fields::new(),
    };
    change(&mut value);
    fields.insert(key.to_owned(), Value::Object(value));
}

/// Changes the fields of a field, where there are some.
pub(super) fn present(fields: &mut Fields, key: &str, change: impl FnOnce(&mut Fields)) {
    if let Some(fields) = fields.get_mut(key).and_then(Value::as_object_mut) {
        change(fields);
    }
}

/// Sets a field that is absent, null or zero.
pub(super) fn set_number(fields: &mut Fields, key: &str, value: i64) {
    if fields.get(key).is_none_or(|old| old.is_null() || *old == 0) {
        fields.insert(key.to_owned(), value.into());
    }
}

/// Does something to each item of a list.
pub(super) fn each(fields: &mut Fields, key: &str, mut change: impl FnMut(&mut Fields)) {
    let items = fields.get_mut(key).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut change);
}

/// The pods of a template.
fn template(fields: &mut Fields) {
    let Some(value) = fields.get_mut("template") else { return };
    let mut template = PodTemplateSpec::read(std::mem::take(value), &mut Reader::default());
    super::pod_spec(Rc::make_mut(&mut template.spec));
    *value = template.write_always();
}

fn stateful_set(spec: &mut Fields) {
    set(spec, "podManagementPolicy", || "OrderedReady".into());
    rolling_update(spec, &[("partition", 0)]);
    inside(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
        set_text(policy, "whenDeleted", "Retain");
        set_text(policy, "whenScaled", "Retain");
    });
    set(spec, "replicas", || 1.into());
    set(spec, "revisionHistoryLimit", || 10.into());
    template(spec);
    each(spec, "volumeClaimTemplates", |claim| {
        claim.insert("apiVersion".into(), "v1".into());
        claim.insert("kind".into(), "PersistentVolumeClaim".into());
        inside(claim, "spec", |spec| set(spec, "volumeMode", || "Filesystem".into()));
        set(claim, "status", || json!({ "phase": "Pending" }));
    });
}

/// How a StatefulSet or DaemonSet is updated: with a rolling update and its counts, unless told otherwise.
fn rolling_update(spec: &mut Fields, counts: &[(&str, i32)]) {
    inside(spec, "updateStrategy", |strategy| {
        set_text(strategy, "type", "RollingUpdate");
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate") {
            inside(strategy, "rollingUpdate", |rolling| {
                counts.iter().for_each(|(key, count)| set(rolling, key, || (*count).into()));
            });
        }
    });
}

/// How often the template of a DaemonSet has changed; it is the server that counts.
const GENERATION: &str = "deprecated.daemonset.template.generation";

/// Counts a change of a DaemonSet's template.
///
/// Upstream: pkg/registry/apps/daemonset/strategy.go `PrepareForUpdate`.
pub fn count_template(old: &Object, new: &mut Object) {
    let Object::DaemonSet(set) = new else { return };
    let template = |rest: &crate::wire::Rest| {
        rest.as_ref().and_then(|rest| rest.get("spec")).and_then(|spec| spec.get("template")).cloned()
    };
    let before =
        old.metadata().annotation(GENERATION).and_then(|count| count.parse::<i64>().ok()).unwrap_or(0);
    let is_new = template(old.rest()) != template(&set.rest);
    let count = before.saturating_add(i64::from(is_new)).to_string();
    Rc::make_mut(set).metadata.set_annotation(GENERATION, &count);
}

fn daemon_set(spec: &mut Fields, meta: &mut ObjectMeta) {
    if meta.annotation(GENERATION).is_none() {
        meta.set_annotation(GENERATION, "1");
    }
    rolling_update(spec, &[("maxUnavailable", 1), ("maxSurge", 0)]);
    set(spec, "revisionHistoryLimit", || 10.into());
    template(spec);
}

/// Labels of the template, for what has none of its own.
fn template_labels(spec: &Fields) -> Fields {
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels"));
    labels.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn copy_labels(spec: &Fields, meta: &mut ObjectMeta) {
    if meta.labels.is_empty() {
        for (key, value) in template_labels(spec) {
            meta.set_label(&key, value.as_str().unwrap_or_default());
        }
    }
}

fn job(spec: &mut Fields, meta: &mut ObjectMeta) {
    let is_absent = |key: &str| spec.get(key).is_none_or(Value::is_null);
    let (completions, parallelism) = (is_absent("completions"), is_absent("parallelism"));
    if completions && parallelism {
        set(spec, "completions", || 1.into());
    }
    set(spec, "parallelism", || 1.into());
    let limit = if spec.get("backoffLimitPerIndex").is_none_or(Value::is_null) { 6 } else { i32::MAX };
    set(spec, "backoffLimit", || limit.into());
    set(spec, "completionMode", || "NonIndexed".into());
    set(spec, "suspend", || false.into());
    set(spec, "manualSelector", || false.into());
    let replace = if spec.get("podFailurePolicy").is_none_or(Value::is_null) {
        "TerminatingOrFailed"
    } else {
        "Failed"
    };
    set(spec, "podReplacementPolicy", || replace.into());
    present(spec, "podFailurePolicy", |policy| {
        each(policy, "rules", |rule| {
            each(rule, "onPodConditions", |condition| set_text(condition, "status", "True"));
        });
    });
    template(spec);
    copy_labels(spec, meta);
}

/// The selector of a new Job and the labels that it wants, made of the Job's identity. It is the server that makes them.
///
/// Upstream: pkg/registry/batch/job/strategy.go `generateSelector`.
pub fn own_selector(job: &mut Job) {
    let (name, uid) = (job.metadata.name.to_string(), job.metadata.uid.to_string());
    let mut fields = job.rest.as_deref().cloned().unwrap_or_default();
    inside(&mut fields, "spec", |spec| {
        if spec.get("manualSelector").is_some_and(|manual| *manual == true) {
            return;
        }
        let labels = [
            ("batch.kubernetes.io/controller-uid", &uid),
            ("batch.kubernetes.io/job-name", &name),
            ("controller-uid", &uid),
            ("job-name", &name),
        ];
        inside(spec, "template", |template| {
            inside(template, "metadata", |meta| {
                inside(meta, "labels", |known| {
                    for (key, value) in labels {
                        known.insert(key.to_owned(), value.as_str().into());
                    }
                });
            });
        });
        inside(spec, "selector", |selector| {
            inside(selector, "matchLabels", |known| {
                known.insert(labels[0].0.to_owned(), uid.as_str().into());
            });
        });
        copy_labels(spec, &mut job.metadata);
    });
    job.rest = Some(Rc::new(fields));
}

fn cron_job(spec: &mut Fields) {
    set_text(spec, "concurrencyPolicy", "Allow");
    set(spec, "suspend", || false.into());
    set(spec, "successfulJobsHistoryLimit", || 3.into());
    set(spec, "failedJobsHistoryLimit", || 1.into());
    inside(spec, "jobTemplate", |job| inside(job, "spec", template));
}

fn replication_controller(spec: &mut Fields, meta: &mut ObjectMeta) {
    let labels = template_labels(spec);
    if spec.get("selector").and_then(Value::as_object).is_none_or(Map::is_empty) && !labels.is_empty() {
        spec.insert("selector".into(), Value::Object(labels));
    }
    set(spec, "replicas", || 1.into());
    template(spec);
    copy_labels(spec, meta);
}

fn network_policy(spec: &mut Fields) {
    for rules in ["ingress", "egress"] {
        each(spec, rules, |rule| each(rule, "ports", |port| set(port, "protocol", || "TCP".into())));
    }
    let has = |key: &str| spec.get(key).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if !has("policyTypes") {
        let types = if has("egress") { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        spec.insert("policyTypes".into(), types);
    }
}

fn limit(limit: &mut Fields) {
    if limit.get("type").is_none_or(|kind| kind != "Container") {
        return;
    }
    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
        let given = limit.get(from).and_then(Value::as_object).cloned().unwrap_or_default();
        if given.is_empty() {
            continue;
        }
        inside(limit, to, |amounts| {
            for (name, amount) in given {
                amounts.entry(name).or_insert(amount);
            }
        });
    }
}

fn secret(fields: &mut Fields) {
    set_text(fields, "type", "Opaque");
    // Plain text is for writing only.
    if let Some(Value::Object(plain)) = fields.remove("stringData") {
        inside(fields, "data", |data| {
            for (key, value) in plain {
                data.insert(key, base64_encode(value.as_str().unwrap_or_default().as_bytes()).into());
            }
        });
    }
}

fn binding(fields: &mut Fields) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    inside(fields, "roleRef", |role| set_text(role, "apiGroup", GROUP));
    each(fields, "subjects", |subject| {
        if subject.get("kind").is_some_and(|kind| kind == "User" || kind == "Group") {
            set_text(subject, "apiGroup", GROUP);
        }
    });
}

fn endpoints(fields: &mut Fields) {
    each(fields, "subsets", |subset| each(subset, "ports", |port| set(port, "protocol", || "TCP".into())));
}

fn definition(spec: &mut Fields) {
    set(spec, "conversion", || json!({ "strategy": "None" }));
    inside(spec, "names", |names| {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !kind.is_empty() {
            set_text(names, "singular", &kind.to_ascii_lowercase());
            set_text(names, "listKind", &format!("{kind}List"));
        }
    });
}
