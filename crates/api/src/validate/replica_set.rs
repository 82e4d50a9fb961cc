//! ReplicaSets.
//!
//! Upstream: pkg/apis/apps/validation/validation.go `ValidateReplicaSetSpec`, pkg/registry/apps/replicaset/strategy.go.

use super::cause::Errors;
use super::template::{selector_and_template, selector_is_kept};
use super::{SPEC, meta};
use crate::{Kind, ReplicaSet, ReplicaSetSpec};

pub(super) fn create(set: &ReplicaSet, errors: &mut Errors) {
    meta::object(Kind::ReplicaSet, &set.metadata, errors);
    spec(&set.spec, errors);
}

pub(super) fn update(old: &ReplicaSet, new: &ReplicaSet, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    spec(&new.spec, errors);
    selector_is_kept(&old.spec.selector, &new.spec.selector, &SPEC, errors);
}

fn spec(spec: &ReplicaSetSpec, errors: &mut Errors) {
    errors.nonnegative(&SPEC.child("replicas"), i64::from(spec.replicas.unwrap_or(1)));
    errors.nonnegative(&SPEC.child("minReadySeconds"), i64::from(spec.min_ready_seconds));
    selector_and_template("replicaset", &spec.selector, &spec.template, &SPEC, errors);
}
