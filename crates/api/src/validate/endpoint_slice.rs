//! EndpointSlices.
//!
//! Upstream: pkg/apis/discovery/validation/validation.go.

use super::cause::{Errors, Path};
use super::meta;
use crate::{EndpointSlice, Kind};

const MAX_ENDPOINTS: usize = 1000;
const MAX_ADDRESSES: usize = 100;
const ADDRESS_TYPE: Path<'static> = Path::root("addressType");
const ENDPOINTS: Path<'static> = Path::root("endpoints");

pub(super) fn create(slice: &EndpointSlice, errors: &mut Errors) {
    meta::object(Kind::EndpointSlice, &slice.metadata, errors);
    content(slice, errors);
}

pub(super) fn update(old: &EndpointSlice, new: &EndpointSlice, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    content(new, errors);
    if old.address_type != new.address_type {
        errors.invalid(&ADDRESS_TYPE, &new.address_type, "field is immutable");
    }
}

fn content(slice: &EndpointSlice, errors: &mut Errors) {
    errors.one_of(&ADDRESS_TYPE, &slice.address_type, &["FQDN", "IPv4", "IPv6"]);
    if slice.endpoints.len() > MAX_ENDPOINTS {
        errors.too_many(&ENDPOINTS, slice.endpoints.len(), MAX_ENDPOINTS);
        return;
    }
    for (index, endpoint) in slice.endpoints.iter().enumerate() {
        let at = ENDPOINTS.index(index);
        let at = at.child("addresses");
        match endpoint.addresses.len() {
            0 => errors.required(&at, "must contain at least 1 address"),
            count if count > MAX_ADDRESSES => errors.too_many(&at, count, MAX_ADDRESSES),
            _ => {}
        }
    }
}
