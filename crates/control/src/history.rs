//! Revisions of the template of StatefulSets and DaemonSets.
//!
//! Upstream: pkg/controller/history/controller_history.go.
//! Simplified: the hash in a name runs over JSON rather than over Go's dump, so names differ from a real cluster's; hashes do not
//! collide.

use crate::Write;
use crate::claim::claim;
use crate::deployment::revision::hash_of;
use crate::replicaset::controller_reference;
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::wire::{Rest, keep, kept, peek};
use setpoint_api::{
    ControllerRevision, DeleteOptions, Kind, ObjectMeta, PodTemplateSpec, Resource, Scope, Selector, Store,
    Str,
};
use std::rc::Rc;

/// Label of a StatefulSet's revision with its hash.
const HASH: &str = "controller.kubernetes.io/hash";
/// Label of a pod with its revision, and of a DaemonSet's revision with its hash.
pub const POD_HASH: &str = "controller-revision-hash";

/// A revision of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its name.
    pub name: Str,
    /// The hash in its name.
    pub hash: Str,
    /// Its number.
    pub number: i64,
    /// What it stands for.
    pub data: Value,
}

impl Revision {
    /// What a stored revision says.
    pub fn of(stored: &ControllerRevision) -> Self {
        let hash = stored.metadata.label(HASH).or(stored.metadata.label(POD_HASH)).unwrap_or_default().into();
        let (number, data) = (kept(&stored.rest, "revision"), kept(&stored.rest, "data"));
        Self { name: stored.metadata.name.clone(), hash, number, data }
    }
    /// The template that it stands for.
    pub fn template(&self) -> Rc<PodTemplateSpec> {
        let mut template = self.data["spec"]["template"].clone();
        if let Value::Object(fields) = &mut template {
            fields.remove("$patch");
        }
        kept(&Some(Rc::new([("template".to_string(), template)].into_iter().collect())), "template")
    }
}

/// The revisions of an owner, oldest number first.
pub fn list<'a>(store: &'a Store, owner: &ObjectMeta) -> Vec<&'a Rc<ControllerRevision>> {
    let is_own = |revision: &&Rc<ControllerRevision>| {
        revision.metadata.controller().is_some_and(|controller| controller.uid == owner.uid)
    };
    sorted(store.dependents::<ControllerRevision>(owner.uid).filter(is_own).gather())
}

/// The same, with those that the owner takes up: they are free, and its selector matches them.
///
/// Upstream: `ListControllerRevisions`, `adoptOrphanRevisions`, `controlledHistories`.
pub fn claimed<'a>(
    store: &'a Store,
    owner: (Kind, &ObjectMeta),
    selector: &Selector,
    writes: &mut Vec<Write>,
) -> Vec<&'a Rc<ControllerRevision>> {
    sorted(claim(store, owner, selector, |_| true, writes))
}

fn sorted(mut all: Vec<&Rc<ControllerRevision>>) -> Vec<&Rc<ControllerRevision>> {
    order::sort_by(&mut all, |a, b| {
        let key = |revision: &ControllerRevision| {
            let meta = &revision.metadata;
            (kept::<i64>(&revision.rest, "revision"), meta.creation_timestamp, meta.name.clone())
        };
        key(a).cmp(&key(b))
    });
    all
}

/// What a revision of an owner stands for, as a patch that brings its template back.
///
/// Upstream: `getPatch`.
pub fn patch_of(rest: &Rest) -> Value {
    let mut template = peek(rest, "spec")["template"].clone();
    template["$patch"] = "replace".into();
    json!({ "spec": { "template": template } })
}

/// The revision of the template that an owner has now; writes it, or gives an old one that is equal the newest number.
///
/// Upstream: `getStatefulSetRevisions`, `constructHistory`.
pub fn newest(
    store: &Store,
    (kind, owner): (Kind, &ObjectMeta),
    rest: &Rest,
    known: &[&Rc<ControllerRevision>],
    writes: &mut Vec<Write>,
) -> Revision {
    let data = patch_of(rest);
    let labels: Value = data["spec"]["template"]["metadata"]["labels"].clone();
    let equal = known.iter().rev().find(|revision| *peek(&revision.rest, "data") == data);
    let number = known.last().map_or(0, |last| kept::<i64>(&last.rest, "revision")).saturating_add(1);
    if let Some(equal) = equal {
        let mut found = Revision::of(equal);
        if known.last().is_some_and(|last| last.metadata.id != equal.metadata.id) {
            found.number = number;
            let mut changed = (***equal).clone();
            changed.metadata.resource_version = 0;
            keep(&mut changed.rest, "revision", &number);
            writes.push(Write::Update(changed.into_object(), Scope::Main));
        }
        return found;
    }
    let hash: Str = hash_of(&data.to_string(), Some(0)).into();
    let cut = owner.name.char_indices().map(|(at, _)| at).find(|at| *at >= 223).unwrap_or(owner.name.len());
    let name: Str = format!("{}-{hash}", &owner.name[..cut]).into();
    // One of the same name and content does, whoever owns it (`CreateControllerRevision`).
    let same = store.find::<ControllerRevision>(&owner.namespace, &name);
    if let Some(same) = same.filter(|same| *peek(&same.rest, "data") == data) {
        return Revision::of(same);
    }
    let mut metadata = ObjectMeta {
        name: name.clone(),
        namespace: owner.namespace.clone(),
        annotations: owner.annotations.clone(),
        owner_references: Rc::new(vec![controller_reference(kind, owner)]),
        ..ObjectMeta::default()
    };
    for (key, value) in labels.as_object().into_iter().flatten() {
        metadata.set_label(key, value.as_str().unwrap_or_default());
    }
    metadata.set_label(if kind == Kind::DaemonSet { POD_HASH } else { HASH }, &hash);
    let mut revision = ControllerRevision { metadata, ..ControllerRevision::default() };
    keep(&mut revision.rest, "data", &data);
    keep(&mut revision.rest, "revision", &number);
    writes.push(Write::Create(revision.into_object(), None));
    Revision { name, hash, number, data }
}

/// The revision of a name among those that are stored.
pub fn find(known: &[&Rc<ControllerRevision>], name: &str) -> Option<Revision> {
    known.iter().find(|revision| *revision.metadata.name == *name).map(|revision| Revision::of(revision))
}

/// Deletes the oldest revisions that no pod has, beyond the limit.
///
/// Upstream: `truncateHistory`, `cleanupHistory`.
pub fn truncate(
    known: &[&Rc<ControllerRevision>],
    limit: Option<i32>,
    is_live: impl Fn(&ControllerRevision) -> bool,
    writes: &mut Vec<Write>,
) {
    let old: Vec<_> = known.iter().filter(|revision| !is_live(revision)).gather();
    let spare = old.len().saturating_sub(usize::try_from(limit.unwrap_or(10)).unwrap_or(0));
    let delete = |revision: &&Rc<ControllerRevision>| {
        Write::Delete(revision.metadata.id, DeleteOptions::default(), None)
    };
    writes.extend(old.into_iter().take(spare).map(delete));
}
