//! Empties namespaces that are to go, and then lets them go.
//!
//! Watches: Namespace.
//! Writes: deletions of everything in the namespace, conditions of the Namespace, its finalizer `kubernetes`.
//! Rule: once a namespace is ending, its pods are deleted; when they are gone all else is; when nothing is left, its finalizer
//! is taken off.
//! Upstream: pkg/controller/namespace/namespace_controller.go, deletion/namespaced_resources_deleter.go.
//! Simplified: all kinds but pods are deleted side by side.

use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Note, Outcome, Write};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, Condition, ConditionStatus, DeleteOptions, Kind, Namespace, Object, Op, Resource as _, Scope,
    Store, Str,
};

/// Its row.
pub const ROW: Controller = Controller {
    name: "namespace-controller",
    kind: Kind::Namespace,
    watches: &[Kind::Namespace],
    on_change,
    reconcile,
    period: |_| None,
    workers: 10,
    wants_failures: false,
    forget: |_| {},
};

/// Whether nothing can be made in a namespace any more, which controllers take for no error.
pub(crate) fn is_ending(view: &Store, namespace: &str) -> bool {
    view.find::<Namespace>("", namespace).is_none_or(|namespace| namespace.metadata.is_deleting())
}

/// How long upstream waits before it looks at a namespace, so that its other servers have heard of the end as well.
const GRACE: i64 = 5 * SECOND;

/// How long upstream takes to go through all kinds.
const SYNC: i64 = 3 * SECOND / 10;

fn on_change(_: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    // Every change of an ending namespace, the controller's own conditions included, has it looked at again.
    if change.op == Op::Deleted || !change.new.metadata().is_deleting() {
        return;
    }
    let was_deleting = change.old.as_ref().is_some_and(|old| old.metadata().is_deleting());
    keys.add_after(change.new.id(), if was_deleting { GRACE + SYNC } else { GRACE });
}

/// How long upstream waits for what is left: half of the longest grace of a pod, and a second.
fn patience(left: &[&Object]) -> i64 {
    let grace = |object: &&Object| match object {
        Object::Pod(pod) => pod.spec.termination_grace_period_seconds.unwrap_or(30),
        _ => 0,
    };
    let longest = left.iter().map(grace).max().unwrap_or(0).clamp(0, 3_600);
    (longest / 2 + 1) * SECOND
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("nothing to do") };
    let Some(namespace) = cx.view.get::<Namespace>(id).filter(|namespace| namespace.metadata.is_deleting())
    else {
        return Outcome::idle("nothing to do");
    };
    let name = &namespace.metadata.name;
    let inside = cx.view.objects().filter(|object| object.metadata().namespace == *name);
    let (events, left): (Vec<&Object>, Vec<&Object>) =
        inside.partition(|object| object.kind() == Kind::Event);
    let delete = |object: &&Object| Write::Delete(object.id(), DeleteOptions::default(), None);
    // Nothing that pods may need to end well goes before them.
    let has_pods = left.iter().any(|object| object.kind() == Kind::Pod);
    let goes =
        |object: &&&Object| (object.kind() == Kind::Pod || !has_pods) && !object.metadata().is_deleting();
    let mut deletes: Vec<Write> = left.iter().filter(goes).map(delete).collect();
    // All but pods goes at once, unless somebody else holds it.
    let stays = |object: &&Object| object.kind() == Kind::Pod || !object.metadata().finalizers.is_empty();
    let stay: Vec<&Object> = left.iter().copied().filter(stays).collect();
    let observed = vec![("objects to delete", deletes.len() as i64), ("objects left", stay.len() as i64)];
    let mut changed = (**namespace).clone();
    changed.metadata.resource_version = 0;
    if stay.is_empty() {
        // Events go last: until then the end of the others is told in them.
        deletes.extend(events.iter().map(delete));
        changed.spec.finalizers.retain(|finalizer| &**finalizer != "kubernetes");
        let writes = vec![Write::Together(deletes), Write::Update(changed.into_object(), Scope::Binding)];
        let note = Note { observed, decision: "let the namespace go".into() };
        return Outcome { writes, note, ..Outcome::default() };
    }
    let decision =
        if deletes.is_empty() { "wait for what is left" } else { "delete what is in the namespace" };
    changed.status.conditions = conditions(namespace, &stay, cx);
    let mut writes = vec![Write::Update(changed.into_object(), Scope::Status)];
    if !deletes.is_empty() {
        writes.insert(0, Write::Together(deletes));
    }
    let note = Note { observed, decision: decision.into() };
    Outcome { writes, requeue_after: Some(patience(&stay)), note, ..Outcome::default() }
}

/// Conditions that say what is left in a namespace.
fn conditions(namespace: &Namespace, left: &[&Object], cx: &Cx) -> Vec<Condition> {
    let mut kinds: Map<Str, (String, i64)> = Map::new();
    for object in left {
        let plural = object.kind().resource();
        let name = if object.kind() == Kind::Custom { object.kind_name().to_lowercase() } else { plural };
        let name = if name.contains('.') { name } else { format!("{name}.") };
        kinds.entry((*name).into()).or_insert((name.clone(), 0)).1 += 1;
    }
    let list: Vec<String> =
        kinds.values().map(|(name, count)| format!("{name} has {count} resource instances")).collect();
    let held: Vec<&Object> =
        left.iter().copied().filter(|object| !object.metadata().finalizers.is_empty()).collect();
    let condition = |kind: &'static str, is_true: bool, reason: &'static str, message: String| {
        let status = if is_true { ConditionStatus::True } else { ConditionStatus::False };
        let before =
            setpoint_api::condition(&namespace.status.conditions, kind).filter(|old| old.status == status);
        Condition {
            kind: Str::fixed(kind),
            status,
            // A condition that stays as it was keeps its time.
            last_transition_time: before.map_or(Some(cx.now.whole_seconds()), |old| old.last_transition_time),
            reason: Str::fixed(reason),
            message: message.into(),
            ..Condition::default()
        }
    };
    let finalizers = if held.is_empty() {
        condition(
            "NamespaceFinalizersRemaining",
            false,
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished".into(),
        )
    } else {
        let count = held.len();
        let name =
            held.first().and_then(|object| object.metadata().finalizers.first()).cloned().unwrap_or_default();
        let message = format!(
            "Some content in the namespace has finalizers remaining: {name} in {count} resource instances"
        );
        condition("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain", message)
    };
    vec![
        condition(
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".into(),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".into(),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".into(),
        ),
        condition(
            "NamespaceContentRemaining",
            true,
            "SomeResourcesRemain",
            format!("Some resources are remaining: {}", list.join(", ")),
        ),
        finalizers,
    ]
}
