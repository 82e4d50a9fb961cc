//! Leases.
//!
//! Upstream: pkg/apis/coordination/validation/validation.go.

use super::cause::Errors;
use super::{SPEC, meta};
use crate::{Kind, Lease};

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
}
