//! Which ReplicaSet stands for which template: revisions, annotations, hashes and names.
//!
//! Upstream: pkg/controller/deployment/util/deployment_util.go, pkg/controller/controller_utils.go (`ComputeHash`).

use super::math::{DESIRED_REPLICAS, MAX_REPLICAS, desired, max_total, size};
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::wire::Wire;
use setpoint_api::{Deployment, ObjectMeta, PodTemplateSpec, ReplicaSet, Str};
use std::cmp::Ordering;
use std::rc::Rc;

/// Label that tells the pods of one template from those of another.
pub const TEMPLATE_HASH: &str = "pod-template-hash";
/// Annotation: number of the revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// Annotation of a ReplicaSet: numbers that it had before, with commas.
pub const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// Longest revision history in characters.
const HISTORY_LENGTH: usize = 2000;
/// Annotations that belong to the Deployment or to the ReplicaSet alone.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// Whether a Deployment and its ReplicaSets share an annotation.
pub(super) fn is_copied(annotation: &str) -> bool {
    !NOT_COPIED.contains(&annotation)
}

/// The revision of a ReplicaSet: 0 if it has none, nothing if it is no number.
///
/// Upstream: `Revision`.
pub fn revision(meta: &ObjectMeta) -> Option<i64> {
    meta.annotation(REVISION).map_or(Some(0), |text| text.parse().ok())
}

/// The highest revision of these ReplicaSets; 0 if there is none.
///
/// Upstream: `MaxRevision`.
pub fn max_revision(sets: &[Rc<ReplicaSet>]) -> i64 {
    sets.iter().filter_map(|set| revision(&set.metadata)).fold(0, i64::max)
}

/// Older first; equally old ones by name.
///
/// Upstream: `ReplicaSetsByCreationTimestamp`.
pub fn by_age(a: &ReplicaSet, b: &ReplicaSet) -> Ordering {
    let (a, b) = (&a.metadata, &b.metadata);
    a.creation_timestamp.cmp(&b.creation_timestamp).then_with(|| a.name.cmp(&b.name))
}

/// Whether two templates make the same pods, whatever hash they carry.
///
/// Upstream: `EqualIgnoreHash`.
pub fn equal_ignore_hash(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    if !Rc::ptr_eq(&a.spec, &b.spec) && a.spec != b.spec {
        return false;
    }
    fn labels(template: &PodTemplateSpec) -> impl Iterator<Item = (&Str, &Str)> {
        template.metadata.labels.iter().filter(|(key, _)| &***key != TEMPLATE_HASH)
    }
    labels(a).eq(labels(b)) && same_but_labels(&a.metadata, &b.metadata) && a.rest == b.rest
}

fn same_but_labels(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    let ObjectMeta {
        id,
        name,
        generate_name,
        namespace,
        uid,
        resource_version,
        generation,
        creation_timestamp,
        deletion_timestamp,
        deletion_grace_period_seconds,
        labels: _,
        annotations,
        owner_references,
        finalizers,
        rest,
    } = a;
    (id, name, generate_name, namespace, uid) == (&b.id, &b.name, &b.generate_name, &b.namespace, &b.uid)
        && (resource_version, generation) == (&b.resource_version, &b.generation)
        && (creation_timestamp, deletion_timestamp) == (&b.creation_timestamp, &b.deletion_timestamp)
        && *deletion_grace_period_seconds == b.deletion_grace_period_seconds
        && (annotations, owner_references) == (&b.annotations, &b.owner_references)
        && (finalizers, rest) == (&b.finalizers, &b.rest)
}

/// The oldest ReplicaSet with the Deployment's template.
///
/// Upstream: `FindNewReplicaSet`.
pub fn find_new<'a>(template: &PodTemplateSpec, sets: &'a [Rc<ReplicaSet>]) -> Option<&'a Rc<ReplicaSet>> {
    let same = sets.iter().filter(|set| equal_ignore_hash(&set.spec.template, template));
    same.min_by(|a, b| by_age(a, b))
}

/// All ReplicaSets but the new one.
///
/// Upstream: `FindOldReplicaSets`.
pub fn find_old(new: Option<&Rc<ReplicaSet>>, sets: &[Rc<ReplicaSet>]) -> Vec<Rc<ReplicaSet>> {
    sets.iter().filter(|set| new.is_none_or(|new| !Rc::ptr_eq(new, set))).cloned().gather()
}

/// ReplicaSets that want pods.
///
/// Upstream: `FilterActiveReplicaSets`.
pub fn active(sets: &[Rc<ReplicaSet>]) -> Vec<Rc<ReplicaSet>> {
    sets.iter().filter(|set| size(set) > 0).cloned().gather()
}

/// ReplicaSets to delete, oldest revision first, so that no more than `limit` old ones are kept. Those that still have or
/// want pods, or whose controller is behind, stay.
///
/// Upstream: `cleanupDeployment`.
pub fn beyond_history(old: &[Rc<ReplicaSet>], limit: Option<i32>) -> Vec<Rc<ReplicaSet>> {
    let Some(limit) = limit.filter(|limit| *limit != i32::MAX) else { return Vec::new() };
    let mut alive: Vec<_> = old.iter().filter(|set| !set.metadata.is_deleting()).cloned().gather();
    // An annotation that is no number sorts by age among the unnumbered, so that the order stays one.
    order::sort_by(&mut alive, |a, b| {
        let key = |set: &ReplicaSet| revision(&set.metadata).unwrap_or(0);
        key(a).cmp(&key(b)).then_with(|| by_age(a, b))
    });
    let excess = alive.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    alive.truncate(excess);
    alive.retain(|set| {
        let caught_up = set.metadata.generation <= set.status.observed_generation;
        set.status.replicas == 0 && size(set) == 0 && caught_up
    });
    alive
}

/// Brings the new ReplicaSet's annotations up to date: the Deployment's own, the revision and its history and, for one that
/// is about to be created, the sizes. Says whether anything changed.
///
/// Upstream: `SetNewReplicaSetAnnotations`.
pub fn annotate_new(deployment: &Deployment, set: &mut ReplicaSet, newest: i64, exists: bool) -> bool {
    let mut changed = false;
    for (key, value) in deployment.metadata.annotations.iter().filter(|(key, _)| is_copied(key)) {
        changed |= put(set, key, value);
    }
    let had = set.metadata.annotation(REVISION).map(str::to_string);
    // A revision that is no number is left alone, as upstream does.
    let Some(current) = revision(&set.metadata) else { return false };
    if current < newest {
        put(set, REVISION, &newest.to_string());
        changed = true;
        if let Some(had) = had {
            let before = set.metadata.annotation(REVISION_HISTORY).unwrap_or_default();
            let history = longer_history(before, &had);
            put(set, REVISION_HISTORY, &history);
        }
    }
    if !exists {
        changed |= annotate_size(deployment, set);
    }
    changed
}

/// The history with one more revision; the oldest ones go if it would be too long.
fn longer_history(history: &str, revision: &str) -> String {
    if history.is_empty() {
        return revision.to_string();
    }
    let mut kept = history;
    while kept.len() + 1 + revision.len() > HISTORY_LENGTH {
        match kept.split_once(',') {
            Some((_, rest)) => kept = rest,
            None => return revision.to_string(),
        }
    }
    format!("{kept},{revision}")
}

/// Notes the Deployment's size on a ReplicaSet, for a later proportional scaling. Says whether anything changed.
///
/// Upstream: `SetReplicasAnnotations`.
pub fn annotate_size(deployment: &Deployment, set: &mut ReplicaSet) -> bool {
    let desired = put(set, DESIRED_REPLICAS, &desired(deployment).to_string());
    put(set, MAX_REPLICAS, &max_total(deployment).to_string()) || desired
}

/// Whether a ReplicaSet's size annotations are out of date.
///
/// Upstream: `ReplicasAnnotationsNeedUpdate`.
pub fn size_annotations_differ(deployment: &Deployment, set: &ReplicaSet) -> bool {
    set.metadata.annotation(DESIRED_REPLICAS) != Some(&desired(deployment).to_string())
        || set.metadata.annotation(MAX_REPLICAS) != Some(&max_total(deployment).to_string())
}

fn put(set: &mut ReplicaSet, key: &str, value: &str) -> bool {
    let changed = set.metadata.annotation(key) != Some(value);
    if changed {
        set.metadata.set_annotation(key, value);
    }
    changed
}

/// The hash of a template. Upstream runs 32-bit FNV-1a over Go's dump of the template and spells the decimal digits in
/// letters that make no words; here the same hash runs over the template's JSON with sorted keys.
///
/// Upstream: `ComputeHash`, staging/src/k8s.io/apimachinery/pkg/util/rand (`SafeEncodeString`).
pub fn template_hash(template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    hash_of(&template.write_always().to_string(), collisions)
}

/// The hash of a text, spelled in letters that make no words.
pub fn hash_of(text: &str, collisions: Option<i32>) -> String {
    const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    // Upstream writes the count as 32 bits into eight bytes.
    let count = collisions.map(|count| u64::from(count as u32).to_le_bytes());
    let bytes = text.bytes().chain(count.into_iter().flatten());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string().bytes().map(|digit| char::from(LETTERS[usize::from(digit) % LETTERS.len()])).collect()
}

/// The name of the ReplicaSet for a hash; a name that would be too long is cut.
///
/// Upstream: `generateReplicaSetName`.
pub fn replica_set_name(deployment: &str, hash: &str) -> String {
    const LONGEST: usize = 253;
    let room = LONGEST.saturating_sub(hash.len() + 1);
    let cut = deployment.char_indices().map(|(at, _)| at).find(|at| *at >= room).unwrap_or(deployment.len());
    format!("{}-{hash}", &deployment[..cut])
}

/// Labels with the hash among them.
pub fn with_hash(labels: &Map<Str, Str>, hash: &str) -> Map<Str, Str> {
    let mut labels = labels.clone();
    labels.insert(TEMPLATE_HASH.into(), hash.into());
    labels
}
