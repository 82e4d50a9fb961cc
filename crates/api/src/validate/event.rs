//! Events.
//!
//! Upstream: pkg/apis/core/validation/events.go `legacyValidateEvent`.

use super::cause::{Errors, Path};
use super::meta;
use crate::{Event, Kind};

pub(super) fn create(event: &Event, errors: &mut Errors) {
    let about = &event.involved_object.namespace;
    let namespace = &*event.metadata.namespace;
    // What lives in no namespace has its events in the default one.
    let fits = if about.is_empty() { matches!(namespace, "" | "default") } else { &**about == namespace };
    if !fits {
        let object = Path::root("involvedObject");
        errors.invalid(&object.child("namespace"), about, "does not match event.namespace");
    }
    meta::object(Kind::Event, &event.metadata, errors);
}

pub(super) fn update(old: &Event, new: &Event, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
}
