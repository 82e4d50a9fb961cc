//! Namespaces.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateNamespace`.

use super::cause::Errors;
use super::meta;
use crate::{Kind, Namespace};

pub(super) fn create(namespace: &Namespace, errors: &mut Errors) {
    meta::object(Kind::Namespace, &namespace.metadata, errors);
}

pub(super) fn update(old: &Namespace, new: &Namespace, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
}
