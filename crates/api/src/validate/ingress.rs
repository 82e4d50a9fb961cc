//! Ingresses and IngressClasses.
//!
//! Upstream: pkg/apis/networking/validation/validation.go.

use super::SPEC;
use super::cause::{Errors, Path};
use super::tree::{at, get, items, number, text, top};
use crate::Object;
use crate::names::{is_dns1123_label, is_dns1123_subdomain, is_valid_port_name, is_wildcard_subdomain};
use serde_json::Value;
use std::net::IpAddr;

const CLASS: &str = "kubernetes.io/ingress.class";

/// A new Ingress may name its class in two ways, but not two classes.
pub(super) fn class_is_one(ingress: &Object, errors: &mut Errors) {
    let class = at(top(ingress, "spec"), "ingressClassName").as_str();
    if let (Some(annotation), Some(class)) = (ingress.metadata().annotation(CLASS), class)
        && annotation != class
    {
        let path = Path::root("annotations");
        errors.invalid(
            &path.child(CLASS),
            annotation,
            "must match `ingressClassName` when both are specified",
        );
    }
}

pub(super) fn content(ingress: &Object, errors: &mut Errors) {
    let spec = top(ingress, "spec");
    let default = get(spec, "defaultBackend");
    if items(spec, "rules").is_empty() && default.is_none() {
        errors.invalid(&SPEC, &Value::Null, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(default) = default {
        backend(default, &SPEC.child("defaultBackend"), errors);
    }
    for (index, rule) in items(spec, "rules").iter().enumerate() {
        self::rule(rule, &SPEC.child("rules").index(index), errors);
    }
    for (index, tls) in items(spec, "tls").iter().enumerate() {
        self::tls(tls, &SPEC.child("tls").index(index), errors);
    }
    if let Some(class) = at(spec, "ingressClassName").as_str() {
        errors.problems(&SPEC.child("ingressClassName"), class, is_dns1123_subdomain(class));
    }
}

fn host_problems(host: &str) -> Vec<String> {
    if host.contains('*') { is_wildcard_subdomain(host) } else { is_dns1123_subdomain(host) }
}

fn tls(tls: &Value, path: &Path, errors: &mut Errors) {
    for (index, host) in items(tls, "hosts").iter().enumerate() {
        let host = host.as_str().unwrap_or_default();
        errors.problems(&path.child("hosts").index(index), host, host_problems(host));
    }
    let secret = text(tls, "secretName");
    if !secret.is_empty() {
        errors.problems(&path.child("secretName"), secret, is_dns1123_subdomain(secret));
    }
}

fn rule(rule: &Value, path: &Path, errors: &mut Errors) {
    let host = text(rule, "host");
    if !host.is_empty() {
        let at = path.child("host");
        if host.parse::<IpAddr>().is_ok() {
            errors.invalid(&at, host, "must be a DNS name, not an IP address");
        }
        errors.problems(&at, host, host_problems(host));
    }
    let Some(http) = get(rule, "http") else { return };
    let path = path.child("http");
    let path = path.child("paths");
    if items(http, "paths").is_empty() {
        errors.required(&path, "");
    }
    for (index, place) in items(http, "paths").iter().enumerate() {
        self::place(place, &path.index(index), errors);
    }
}

/// A path with its backend.
fn place(place: &Value, path: &Path, errors: &mut Errors) {
    let Some(kind) = at(place, "pathType").as_str() else {
        errors.required(&path.child("pathType"), "pathType must be specified");
        return;
    };
    let text = text(place, "path");
    let at = path.child("path");
    let is_relative = !text.starts_with('/');
    match kind {
        "Exact" | "Prefix" => {
            if is_relative {
                errors.invalid(&at, text, "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if text.contains(part) {
                    errors.invalid(&at, text, &format!("must not contain '{part}'"));
                }
            }
            for end in ["/..", "/."] {
                if text.ends_with(end) {
                    errors.invalid(&at, text, &format!("cannot end with '{end}'"));
                }
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && is_relative {
                errors.invalid(&at, text, "must be an absolute path");
            }
        }
        other => {
            let kinds = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.not_supported(&path.child("pathType"), other, &kinds);
        }
    }
    backend(super::tree::at(place, "backend"), &path.child("backend"), errors);
}

fn backend(backend: &Value, path: &Path, errors: &mut Errors) {
    match (get(backend, "resource"), get(backend, "service")) {
        (Some(_), Some(_)) => errors.invalid(path, "", "cannot set both resource and service backends"),
        (Some(resource), None) => reference(resource, &path.child("resource"), errors),
        (None, Some(service)) => self::service(service, path, errors),
        (None, None) => errors.invalid(path, "", "resource or service backend is required"),
    }
}

fn service(service: &Value, path: &Path, errors: &mut Errors) {
    let inner = path.child("service");
    let name = text(service, "name");
    if name.is_empty() {
        errors.required(&inner.child("name"), "");
    } else {
        errors.problems(&inner.child("name"), name, is_dns1123_label(name));
    }
    let port = at(service, "port");
    let inner = inner.child("port");
    match (text(port, "name"), number(port, "number").unwrap_or(0)) {
        ("", 0) => errors.required(path, "port name or number is required"),
        ("", number) => errors.port_number(&inner.child("number"), number),
        (name, 0) => errors.problems(&inner.child("name"), name, is_valid_port_name(name)),
        _ => errors.invalid(path, "", "cannot set both port name & port number"),
    }
}

/// What another object is called; it may be of any kind.
fn reference(reference: &Value, path: &Path, errors: &mut Errors) {
    if let Some(group) = at(reference, "apiGroup").as_str() {
        errors.problems(&path.child("apiGroup"), group, is_dns1123_subdomain(group));
    }
    for key in ["kind", "name"] {
        let text = text(reference, key);
        if text.is_empty() {
            errors.required(&path.child(key), "");
        } else {
            errors.problems(&path.child(key), text, super::rbac::path_segment_problems(text));
        }
    }
}

pub(super) fn class(class: &Object, errors: &mut Errors) {
    let spec = top(class, "spec");
    let controller = text(spec, "controller");
    let at = SPEC.child("controller");
    if controller.is_empty() {
        errors.required(&at, "");
    } else {
        if controller.len() > 250 {
            errors.too_long(&at, 250);
        }
        domain_prefixed(controller, &at, errors);
    }
    let Some(parameters) = get(spec, "parameters") else { return };
    let path = SPEC.child("parameters");
    reference(parameters, &path, errors);
    let namespace = super::tree::at(parameters, "namespace").as_str();
    match (super::tree::at(parameters, "scope").as_str(), namespace) {
        (None, _) => errors.required(&path.child("scope"), ""),
        (Some("Namespace"), None) => {
            errors.required(&path.child("namespace"), "`parameters.scope` is set to 'Namespace'");
        }
        (Some("Namespace"), Some(name)) => {
            errors.problems(&path.child("namespace"), name, is_dns1123_label(name));
        }
        (Some("Cluster"), Some(_)) => {
            errors.forbidden(&path.child("namespace"), "`parameters.scope` is set to 'Cluster'");
        }
        (Some("Cluster"), None) => {}
        (Some(other), _) => errors.not_supported(&path.child("scope"), other, &["Cluster", "Namespace"]),
    }
}

/// `example.com/controller`: a domain and a path.
pub(super) fn domain_prefixed(text: &str, path: &Path, errors: &mut Errors) {
    let Some((domain, rest)) =
        text.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        errors.invalid(path, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        return;
    };
    for problem in is_dns1123_subdomain(domain) {
        errors.invalid(path, domain, &problem);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c);
    if !rest.chars().all(fits) {
        let detail = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        errors.invalid(path, rest, detail);
    }
}

pub(super) fn class_update(old: &Object, new: &Object, errors: &mut Errors) {
    super::tree::immutable(top(old, "spec"), top(new, "spec"), "controller", &SPEC, errors);
    class(new, errors);
}

/// The annotation that named a class before there was a field is still warned of.
pub(super) fn class_warning(ingress: &Object) -> Option<String> {
    ingress.metadata().annotation(CLASS)?;
    Some(format!("annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"))
}
