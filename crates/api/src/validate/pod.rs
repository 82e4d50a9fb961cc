//! Pods.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidatePodCreate`, `ValidatePodUpdate`.
//! Simplified: where a pod's spec may not change, upstream's message goes on with a diff of its internal form; this
//! one ends before it. The node affinity of a pod that is held back by gates may only be added, not extended.

use super::cause::{Errors, Path};
use super::meta::{self, shown_labels};
use super::pod_spec::{field, items, no_outer_whitespace, pod_spec};
use super::scheduling::tolerations;
use super::{METADATA, SPEC};
use crate::Gather as _;
use crate::map::Map;
use crate::{Affinity, Container, Kind, Pod, PodSpec, Str, Toleration};
use std::rc::Rc;

const GATES: &str = "schedulingGates";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const CHANGE_REFUSED: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn create(pod: &Pod, errors: &mut Errors) {
    content(pod, errors);
    let spec = &pod.spec;
    if !items(field(&spec.rest, "ephemeralContainers")).is_empty() {
        errors.forbidden(&SPEC.child("ephemeralContainers"), "cannot be set on create");
    }
    let has_node = spec.node_name.as_deref().is_some_and(|node| !node.is_empty());
    if has_node && !items(field(&spec.rest, "schedulingGates")).is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.forbidden(&SPEC.child("nodeName"), detail);
    }
}

/// What holds for new and changed pods alike.
fn content(pod: &Pod, errors: &mut Errors) {
    meta::object(Kind::Pod, &pod.metadata, errors);
    if let Some(cost) = pod.metadata.annotation(DELETION_COST)
        && !is_deletion_cost(cost)
    {
        let annotations = METADATA.child("annotations");
        errors.invalid(&annotations.key(DELETION_COST), cost, "must be a 32bit integer");
    }
    pod_spec(&pod.spec, true, &SPEC, errors);
    no_outer_whitespace(&pod.spec.containers, &SPEC.child("containers"), errors);
    no_outer_whitespace(&pod.spec.init_containers, &SPEC.child("initContainers"), errors);
}

pub(super) fn update(old: &Pod, new: &Pod, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    content(new, errors);
    let pairs = [
        ("containers", &old.spec.containers, &new.spec.containers),
        ("initContainers", &old.spec.init_containers, &new.spec.init_containers),
    ];
    for (field, old, new) in pairs {
        let path = SPEC.child(field);
        if old.len() != new.len() {
            errors.forbidden(&path, "pod updates may not add or remove containers");
            return;
        }
        images(new, &path, errors);
    }
    if !active_deadline(&old.spec, &new.spec, errors) {
        return;
    }
    only_added_tolerations(&old.spec.tolerations, &new.spec.tolerations, errors);
    only_deleted_gates(&gates(&old.spec), &gates(&new.spec), errors);
    if !gates(&old.spec).is_empty() {
        only_added_node_labels(&old.spec.node_selector, &new.spec.node_selector, errors);
    }
    if with_old_mutables(&old.spec, &new.spec) != old.spec {
        errors.forbidden(&SPEC, CHANGE_REFUSED);
    }
}

/// A 32-bit integer in upstream's one spelling: no plus sign, no leading zeros.
fn is_deletion_cost(text: &str) -> bool {
    let zeros = text.trim_start_matches('-').starts_with('0') && text != "0";
    text.parse::<i32>().is_ok() && !text.starts_with('+') && !zeros
}

fn images(containers: &[Container], path: &Path, errors: &mut Errors) {
    for (index, container) in containers.iter().enumerate() {
        if container.image.is_empty() {
            errors.required(&path.index(index).child("image"), "");
        }
    }
    no_outer_whitespace(containers, path, errors);
}

/// A deadline may be set or brought forward. Whether the update is worth looking at further.
fn active_deadline(old: &PodSpec, new: &PodSpec, errors: &mut Errors) -> bool {
    let at = SPEC.child("activeDeadlineSeconds");
    match (old.active_deadline_seconds, new.active_deadline_seconds) {
        (_, Some(seconds)) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.invalid(&at, seconds, "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(old), Some(new)) if old < new => {
            errors.invalid(&at, new, "must be less than or equal to previous value");
            false
        }
        (Some(_), None) => {
            let detail = "must not update from a positive integer to nil value";
            errors.invalid(&at, super::cause::Raw("null".to_owned()), detail);
            true
        }
        _ => true,
    }
}

fn only_added_tolerations(old: &[Toleration], new: &[Toleration], errors: &mut Errors) {
    let path = SPEC.child("tolerations");
    let is_kept = |old: &Toleration| {
        new.iter().any(|new| *new == Toleration { toleration_seconds: new.toleration_seconds, ..old.clone() })
    };
    if old.iter().all(is_kept) {
        tolerations(new, &path, errors);
    } else {
        errors.forbidden(&path, "existing toleration can not be modified except its tolerationSeconds");
    }
}

/// The names of what holds a pod back.
fn gates(spec: &PodSpec) -> Vec<String> {
    let gates = spec.rest.as_deref().and_then(|rest| rest.get(GATES)?.as_array());
    gates.into_iter().flatten().map(|gate| gate["name"].as_str().unwrap_or_default().to_owned()).gather()
}

fn only_deleted_gates(old: &[String], new: &[String], errors: &mut Errors) {
    for (index, gate) in new.iter().enumerate().filter(|(_, gate)| !old.contains(gate)) {
        let at = SPEC.child(GATES);
        let detail = format!("only deletion is allowed, but found new scheduling gate '{gate}'");
        errors.forbidden(&at.index(index).child("name"), &detail);
    }
}

/// Upstream: `validateNodeSelectorMutation`.
fn only_added_node_labels(old: &Map<Str, Str>, new: &Map<Str, Str>, errors: &mut Errors) {
    if old.iter().any(|(key, value)| new.get(key) != Some(value)) {
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.invalid(&SPEC.child("nodeSelector"), shown_labels(new), detail);
    }
}

/// Without the rules about nodes that were added to a pod which had none.
fn with_old_node_affinity(new: &mut PodSpec, old: &PodSpec) {
    let had_rules = old.affinity.as_ref().is_some_and(|affinity| affinity.node_affinity.is_some());
    let Some(affinity) = new.affinity.as_mut().filter(|_| !had_rules) else { return };
    Rc::make_mut(affinity).node_affinity = None;
    if old.affinity.is_none() && **affinity == Affinity::default() {
        new.affinity = None;
    }
}

/// The new spec with the old values of everything that may change.
fn with_old_mutables(old: &PodSpec, new: &PodSpec) -> PodSpec {
    let with_images = |old: &[Container], new: &[Container]| {
        let pairs = new.iter().zip(old);
        Rc::new(pairs.map(|(new, old)| Container { image: old.image.clone(), ..new.clone() }).gather())
    };
    let mut munged = PodSpec {
        containers: with_images(&old.containers, &new.containers),
        init_containers: with_images(&old.init_containers, &new.init_containers),
        active_deadline_seconds: old.active_deadline_seconds,
        tolerations: old.tolerations.clone(),
        ..new.clone()
    };
    let without_gates = |spec: &PodSpec| {
        let mut rest = spec.rest.as_deref().cloned().unwrap_or_default();
        rest.remove(GATES);
        rest
    };
    if without_gates(old) == without_gates(new) {
        munged.rest = old.rest.clone();
    }
    if !gates(old).is_empty() {
        munged.node_selector = old.node_selector.clone();
        with_old_node_affinity(&mut munged, old);
    }
    let was_negative = old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0);
    if was_negative && munged.termination_grace_period_seconds == Some(1) {
        munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    munged
}
