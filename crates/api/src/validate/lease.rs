//! Leases.
//!
//! Upstream: pkg/apis/coordination/validation/validation.go.

use super::cause::Errors;
use super::pod_spec::{field, text};
use super::{SPEC, meta};
use crate::{Kind, Lease};
use serde_json::Value;

pub(super) fn create(lease: &Lease, errors: &mut Errors) {
    meta::object(Kind::Lease, &lease.metadata, errors);
    spec(lease, errors);
}

pub(super) fn update(old: &Lease, new: &Lease, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    spec(new, errors);
}

fn spec(lease: &Lease, errors: &mut Errors) {
    if let Some(seconds) = lease.spec.lease_duration_seconds
        && seconds <= 0
    {
        errors.invalid(&SPEC.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    if let Some(count) = field(&lease.spec.rest, "leaseTransitions").and_then(Value::as_i64) {
        errors.nonnegative(&SPEC.child("leaseTransitions"), count);
    }
    let strategy = text(field(&lease.spec.rest, "strategy"));
    if !text(field(&lease.spec.rest, "preferredHolder")).is_empty() && strategy.is_empty() {
        let detail = "may only be specified when `strategy` is defined";
        errors.forbidden(&SPEC.child("preferredHolder"), detail);
    }
}
