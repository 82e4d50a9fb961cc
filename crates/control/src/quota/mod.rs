//! Keeps what a ResourceQuota says is used.
//!
//! Watches: ResourceQuota, and every kind that a quota can count, where its namespace has a quota.
//! Writes: the status of ResourceQuotas.
//! Rule: `used` is the sum over all objects of the namespace that the quota's scopes take in, for each name in `hard`.
//! Upstream: pkg/controller/resourcequota/resource_quota_controller.go `syncResourceQuota`, pkg/quota/v1/evaluator.
//! Simplified: custom kinds are not counted; every change of a namespace is counted anew.

mod usage;

pub use usage::{Usage, pod_usage, unnamed, usage};

use crate::kubelet::qos_class;
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Note, Outcome, Write};
use serde_json::{Value, json};
use setpoint_api::{Change, Kind, Object, Op, Pod, Quantity, ResourceQuota, Scope, Store, Str, schema};
use std::rc::Rc;

/// Kinds that quotas count.
const COUNTED: &[Kind] = &[
    Kind::ResourceQuota,
    Kind::Pod,
    Kind::Service,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::HorizontalPodAutoscaler,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::ReplicationController,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::ServiceAccount,
    Kind::PersistentVolumeClaim,
    Kind::Ingress,
    Kind::PodDisruptionBudget,
];

/// Those of them that count for more than their number.
const MORE: &[Kind] = &[
    Kind::Pod,
    Kind::Service,
    Kind::ReplicationController,
    Kind::ResourceQuota,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::PersistentVolumeClaim,
];

/// Its row.
pub const ROW: Controller = Controller {
    name: "resourcequota-controller",
    kind: Kind::ResourceQuota,
    watches: COUNTED,
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: false,
    forget: |_| {},
};

fn on_change(cx: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    // Nearly all clusters have no quota at all, and pay for no more than this look.
    if cx.view.ids(Kind::ResourceQuota).next().is_none() {
        return;
    }
    let has_ended = match (&change.old, &change.new) {
        (Some(Object::Pod(old)), Object::Pod(new)) => {
            old.status.phase.is_finished() != new.status.phase.is_finished()
        }
        (Some(old), new) => new.kind() == Kind::ResourceQuota && spec(old) != spec(new),
        (None, _) => true,
    };
    if change.op != Op::Modified || has_ended {
        let quotas = cx.view.list_in::<ResourceQuota>(&change.new.metadata().namespace);
        quotas.for_each(|quota| keys.add(quota.metadata.id));
    }
}

fn spec(object: &Object) -> Option<&Value> {
    object.rest().as_ref().and_then(|rest| rest.get("spec"))
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let Some(quota) = cx.view.get::<ResourceQuota>(id) else { return Outcome::idle("the quota is gone") };
    let hard = hard(quota);
    let used = used(cx.view, quota, &hard);
    let texts = |amounts: &Usage| -> Value {
        amounts.iter().map(|(name, amount)| (name.to_string(), Value::from(amount.to_string()))).collect()
    };
    let status = json!({ "hard": texts(&hard), "used": texts(&used) });
    let note =
        Note { observed: vec![("resources", hard.len() as i64)], decision: "update the status".into() };
    if quota.rest.as_ref().and_then(|rest| rest.get("status")) == Some(&status) {
        return Outcome::idle("nothing to do");
    }
    let mut changed = (**quota).clone();
    changed.metadata.resource_version = 0;
    Rc::make_mut(changed.rest.get_or_insert_default()).insert("status".into(), status);
    let writes = vec![Write::Update(Object::ResourceQuota(Rc::new(changed)), Scope::Status)];
    Outcome { writes, note, ..Outcome::default() }
}

/// What a quota allows.
pub fn hard(quota: &ResourceQuota) -> Usage {
    let hard = quota.rest.as_ref().and_then(|rest| rest.get("spec")?.get("hard")?.as_object());
    let read = |(name, amount): (&String, &Value)| {
        let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_string);
        Some((Str::from(name.as_str()), Quantity::parse(&text).ok()?))
    };
    hard.into_iter().flatten().filter_map(read).collect()
}

/// What the objects of a quota's namespace use of what it allows.
pub fn used(view: &Store, quota: &ResourceQuota, hard: &Usage) -> Usage {
    let namespace = &quota.metadata.namespace;
    let mut used: Usage = hard.keys().map(|name| (name.clone(), Quantity::ZERO)).collect();
    for kind in COUNTED {
        let ids = view.ids(*kind);
        let Some(resource) = schema::resource_of(kind.api_version(), kind.as_str()) else { continue };
        // Most kinds count as objects, and for nothing else.
        let is_plain = !MORE.contains(kind);
        if is_plain && !hard.contains_key(&usage::count_of(resource)) {
            continue;
        }
        let objects =
            ids.filter_map(|id| view.object(id)).filter(|object| object.metadata().namespace == *namespace);
        for object in objects.filter(|object| takes_in(quota, object)) {
            for (name, amount) in usage::usage_as(resource, object) {
                if let Some(sum) = used.get_mut(&name) {
                    *sum += amount;
                }
            }
        }
    }
    used
}

/// Whether the scopes of a quota take an object in; those are about pods alone.
pub fn takes_in(quota: &ResourceQuota, object: &Object) -> bool {
    let Some(spec) = quota.rest.as_ref().and_then(|rest| rest.get("spec")) else { return true };
    let named = spec["scopes"].as_array().into_iter().flatten();
    let selected = spec["scopeSelector"]["matchExpressions"].as_array().into_iter().flatten();
    let mut named = named.filter_map(Value::as_str).peekable();
    let mut selected = selected.peekable();
    let Object::Pod(pod) = object else { return named.peek().is_none() && selected.peek().is_none() };
    named.all(|scope| is_in(pod, scope)) && selected.all(|one| matches(pod, one))
}

fn matches(pod: &Pod, expression: &Value) -> bool {
    let scope = expression["scopeName"].as_str().unwrap_or_default();
    if scope != "PriorityClass" {
        return is_in(pod, scope);
    }
    let class = &*pod.spec.priority_class_name;
    let is_listed =
        expression["values"].as_array().is_some_and(|values| values.iter().any(|value| value == class));
    match expression["operator"].as_str() {
        Some("In") => is_listed,
        Some("NotIn") => !is_listed,
        Some("DoesNotExist") => class.is_empty(),
        _ => !class.is_empty(),
    }
}

fn is_in(pod: &Pod, scope: &str) -> bool {
    let is_terminating = pod.spec.active_deadline_seconds.is_some_and(|seconds| seconds >= 0);
    let is_best_effort = || qos_class(&pod.spec) == "BestEffort";
    match scope {
        "Terminating" => is_terminating,
        "NotTerminating" => !is_terminating,
        "BestEffort" => is_best_effort(),
        "NotBestEffort" => !is_best_effort(),
        "PriorityClass" => !pod.spec.priority_class_name.is_empty(),
        _ => true,
    }
}
