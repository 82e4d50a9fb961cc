//! EndpointSlices.
//!
//! Upstream: pkg/apis/discovery/validation/validation.go.

use super::cause::{Errors, Path};
use super::pod_spec::field;
use super::{meta, service};
use crate::map::{Map, Set};
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name};
use crate::wire::kept;
use crate::{Endpoint, EndpointPort, EndpointSlice, Kind, Str};
use serde_json::Value;
use std::net::IpAddr;

const MAX_ENDPOINTS: usize = 1000;
const MAX_ADDRESSES: usize = 100;
const MAX_PORTS: usize = 20000;
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const ADDRESS_TYPE: Path<'static> = Path::root("addressType");
const ENDPOINTS: Path<'static> = Path::root("endpoints");
const PORTS: Path<'static> = Path::root("ports");

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
        self::endpoint(endpoint, &slice.address_type, &ENDPOINTS.index(index), errors);
    }
    if slice.ports.len() > MAX_PORTS {
        errors.too_many(&PORTS, slice.ports.len(), MAX_PORTS);
        return;
    }
    let mut names = Set::new();
    for (index, port) in slice.ports.iter().enumerate() {
        let at = PORTS.index(index);
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            errors.problems(&at.child("name"), name, is_dns1123_label(name));
        }
        if !names.insert(name) {
            errors.duplicate(&at.child("name"), name, "");
        }
        self::port(port, &at, errors);
    }
}

fn port(port: &EndpointPort, path: &Path, errors: &mut Errors) {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    if !PROTOCOLS.contains(&protocol) {
        errors.not_supported(&path.child("protocol"), protocol, &PROTOCOLS);
    }
    if let Some(spoken) = field(&port.rest, "appProtocol").and_then(Value::as_str) {
        errors.problems(&path.child("appProtocol"), spoken, is_qualified_name(spoken));
    }
}

fn endpoint(endpoint: &Endpoint, family: &str, path: &Path, errors: &mut Errors) {
    let at = path.child("addresses");
    match endpoint.addresses.len() {
        0 => errors.required(&at, "must contain at least 1 address"),
        count if count > MAX_ADDRESSES => errors.too_many(&at, count, MAX_ADDRESSES),
        _ => {}
    }
    for (index, text) in endpoint.addresses.iter().enumerate() {
        address(text, family, &at.index(index), errors);
    }
    if let Some(node) = &endpoint.node_name {
        errors.problems(&path.child("nodeName"), node, is_dns1123_subdomain(node));
    }
    let topology: Map<Str, Str> = kept(&endpoint.rest, "deprecatedTopology");
    meta::labels(&topology, &path.child("deprecatedTopology"), errors);
    if let Some(host) = field(&endpoint.rest, "hostname").and_then(Value::as_str) {
        errors.problems(&path.child("hostname"), host, is_dns1123_label(host));
    }
}

/// An address of the slice's type. Upstream tells first that it is of another, then that it is special.
fn address(text: &str, family: &str, path: &Path, errors: &mut Errors) {
    match family {
        "IPv4" if !matches!(text.parse(), Ok(IpAddr::V4(_))) => {
            errors.invalid(path, text, "must be a valid IPv4 address");
        }
        "IPv6" if !matches!(text.parse(), Ok(IpAddr::V6(_))) => {
            errors.invalid(path, text, "must be a valid IPv6 address");
        }
        _ => {}
    }
    match family {
        "IPv4" | "IPv6" => service::outer_address(text, path, errors),
        "FQDN" => full_domain(text, path, errors),
        _ => {}
    }
}

/// A domain of two labels at least; the dot of the root may stand behind it.
fn full_domain(name: &str, path: &Path, errors: &mut Errors) {
    let name = name.strip_suffix('.').unwrap_or(name);
    let problems = is_dns1123_subdomain(name);
    if name.is_empty() {
        errors.required(path, "");
    } else if !problems.is_empty() {
        errors.problems(path, name, problems);
    } else if !name.contains('.') {
        errors.invalid(path, name, "should be a domain with at least two segments separated by dots");
    } else {
        for label in name.split('.') {
            errors.problems(path, label, is_dns1123_label(label));
        }
    }
}
