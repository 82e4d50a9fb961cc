//! Kinds of upstream's that nothing in the cluster acts on: runtimes, requests for certificates, APIs that others serve.
//!
//! Upstream: pkg/apis/{node,certificates,core}/validation/validation.go,
//! staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/validation/validation.go.
//! Simplified: what is inside of a request for a certificate is not read; claims and slices of devices, and ranges of
//! addresses, are taken as they come.

use super::cause::{Errors, Path};
use super::tree::{at, get, is_true, items, number, read, text, top, words};
use super::{METADATA, SPEC, admission, driver, flow};
use crate::names::{is_dns1035_label, is_dns1123_label, is_dns1123_subdomain};
use crate::{Object, ResourceList, Toleration};

/// What holds for an object of one of upstream's kinds that has no model here.
pub(super) fn content(object: &Object, errors: &mut Errors) {
    match (&*object.group(), &*object.kind_name()) {
        ("admissionregistration.k8s.io", kind) => {
            let mutates = kind.starts_with("Mutating");
            match kind.trim_start_matches("Mutating").trim_start_matches("Validating") {
                "WebhookConfiguration" => admission::webhooks(object, mutates, errors),
                "AdmissionPolicy" => admission::policy(object, mutates, errors),
                "AdmissionPolicyBinding" => admission::binding(object, mutates, errors),
                _ => {}
            }
        }
        ("node.k8s.io", "RuntimeClass") => runtime(object, errors),
        ("storage.k8s.io", "CSIDriver") => driver::driver(object, errors),
        ("storage.k8s.io", "CSINode") => driver::node(object, errors),
        ("storage.k8s.io", "CSIStorageCapacity") => driver::capacity(object, errors),
        ("storage.k8s.io", "VolumeAttachment") => driver::attachment(object, errors),
        ("storage.k8s.io", "VolumeAttributesClass") => driver::attributes_class(object, errors),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => flow::schema(object, errors),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => flow::level(object, errors),
        ("certificates.k8s.io", "CertificateSigningRequest") => certificate(object, errors),
        ("apiregistration.k8s.io", "APIService") => api_service(object, errors),
        _ => {}
    }
}

/// What holds for a changed object besides.
pub(super) fn update(old: &Object, new: &Object, errors: &mut Errors) {
    match (&*new.group(), &*new.kind_name()) {
        // Upstream asks for no more once the class is there.
        ("node.k8s.io", "RuntimeClass") => immutable(old, new, "handler", errors),
        ("storage.k8s.io", "VolumeAttributesClass") => driver::attributes_class_update(old, new, errors),
        _ => content(new, errors),
    }
}

fn immutable(old: &Object, new: &Object, key: &str, errors: &mut Errors) {
    if top(old, key) != top(new, key) {
        errors.invalid(&Path::root(key), top(new, key), "field is immutable");
    }
}

/// How containers of a class are run.
fn runtime(object: &Object, errors: &mut Errors) {
    let handler = top(object, "handler").as_str().unwrap_or_default();
    errors.problems(&Path::root("handler"), handler, is_dns1123_label(handler));
    let overhead: ResourceList = read(at(top(object, "overhead"), "podFixed"));
    let path = Path::root("overhead");
    super::container::amounts(&overhead, &path.child("limits"), errors);
    let scheduling = top(object, "scheduling");
    let path = Path::root("scheduling");
    super::meta::labels(&read(at(scheduling, "nodeSelector")), &path.child("nodeSelector"), errors);
    let tolerations: Vec<Toleration> = read(at(scheduling, "tolerations"));
    super::scheduling::tolerations(&tolerations, &path.child("tolerations"), errors);
    for (index, toleration) in tolerations.iter().enumerate() {
        if tolerations.iter().take(index).any(|earlier| earlier == toleration) {
            let place = path.child("tolerations");
            errors.duplicate(&place.index(index), super::scheduling::shown_toleration(toleration), "");
        }
    }
}

/// A request for a certificate.
fn certificate(object: &Object, errors: &mut Errors) {
    const USAGES: [&str; 23] = [
        "any",
        "cert sign",
        "client auth",
        "code signing",
        "content commitment",
        "crl sign",
        "data encipherment",
        "decipher only",
        "digital signature",
        "email protection",
        "encipher only",
        "ipsec end system",
        "ipsec tunnel",
        "ipsec user",
        "key agreement",
        "key encipherment",
        "microsoft sgc",
        "netscape sgc",
        "ocsp signing",
        "s/mime",
        "server auth",
        "signing",
        "timestamping",
    ];
    let spec = top(object, "spec");
    let request = crate::text::base64_decode(text(spec, "request")).unwrap_or_default();
    if !String::from_utf8_lossy(&request).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        let detail = "PEM block type must be CERTIFICATE REQUEST";
        // Bytes are shown as they were sent.
        errors.invalid(&SPEC.child("request"), at(spec, "request"), detail);
    }
    let usages = words(spec, "usages");
    let path = SPEC.child("usages");
    if usages.is_empty() {
        errors.required(&path, "");
    }
    for (index, usage) in usages.iter().enumerate().filter(|(_, usage)| !USAGES.contains(usage)) {
        errors.not_supported(&path.index(index), *usage, &USAGES);
    }
    for (index, usage) in usages.iter().enumerate() {
        if usages.iter().take(index).any(|earlier| earlier == usage) {
            errors.duplicate(&path.index(index), *usage, "");
        }
    }
    signer(text(spec, "signerName"), &SPEC.child("signerName"), errors);
    if let Some(seconds) = number(spec, "expirationSeconds").filter(|seconds| *seconds < 600) {
        let detail = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.invalid(&SPEC.child("expirationSeconds"), seconds, detail);
    }
}

/// Who signs: `example.com/name`.
fn signer(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.required(path, "");
        return;
    }
    if name == "kubernetes.io/legacy-unknown" {
        errors.invalid(path, name, "the legacy signerName is not allowed via this API version");
        return;
    }
    let Some((domain, rest)) = name.split_once('/').filter(|(_, rest)| !rest.contains('/')) else {
        let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        errors.invalid(path, name, detail);
        return;
    };
    errors.problems(path, domain, is_dns1123_subdomain(domain));
    if !is_dns1123_subdomain(domain).is_empty() {
        return;
    }
    if !domain.contains('.') {
        errors.invalid(path, domain, "should be a domain with at least two segments separated by dots");
    }
    errors.problems(path, rest, is_dns1123_subdomain(rest));
}

/// Addresses behind a Service in their old form.
pub(super) fn endpoints(object: &Object, errors: &mut Errors) {
    let subsets = top(object, "subsets").as_array().map_or(&[][..], Vec::as_slice);
    for (index, subset) in subsets.iter().enumerate() {
        let path = Path::root("subsets");
        let path = path.index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|key| items(subset, key).is_empty()) {
            errors.required(&path, "must specify `addresses` or `notReadyAddresses`");
        }
        for key in lists {
            for (index, address) in items(subset, key).iter().enumerate() {
                let at = path.child(key);
                let at = at.index(index);
                super::service::outer_address(text(address, "ip"), &at.child("ip"), errors);
                let host = text(address, "hostname");
                if !host.is_empty() {
                    errors.problems(&at.child("hostname"), host, is_dns1123_label(host));
                }
                if let Some(node) = super::tree::at(address, "nodeName").as_str() {
                    errors.problems(&at.child("nodeName"), node, is_dns1123_subdomain(node));
                }
            }
        }
        let ports = items(subset, "ports");
        for (index, port) in ports.iter().enumerate() {
            let at = path.child("ports");
            let at = at.index(index);
            let name = text(port, "name");
            if !name.is_empty() {
                errors.problems(&at.child("name"), name, is_dns1123_label(name));
            } else if ports.len() > 1 {
                errors.required(&at.child("name"), "");
            }
            errors.port_number(&at.child("port"), number(port, "port").unwrap_or(0));
            errors.one_of(&at.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        }
    }
}

fn api_service(object: &Object, errors: &mut Errors) {
    let spec = top(object, "spec");
    let (group, version) = (text(spec, "group"), text(spec, "version"));
    let wanted = format!("{version}.{group}");
    let name = &object.metadata().name;
    if **name != *wanted {
        let detail = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
        errors.invalid(&METADATA.child("name"), name, &detail);
    }
    if group.is_empty() && version != "v1" {
        let detail = "only v1 may have an empty group and it better be legacy kube";
        errors.required(&SPEC.child("group"), detail);
    } else if !group.is_empty() {
        errors.problems(&SPEC.child("group"), group, is_dns1123_subdomain(group));
    }
    errors.problems(&SPEC.child("version"), version, is_dns1035_label(version));
    for (key, most, detail) in [
        ("groupPriorityMinimum", 20000, "must be positive and less than 20000"),
        ("versionPriority", 1000, "must be positive and less than 1000"),
    ] {
        let value = number(spec, key).unwrap_or(0);
        if !(1..=most).contains(&value) {
            errors.invalid(&SPEC.child(key), value, detail);
        }
    }
    let (bundle, is_blind) = (text(spec, "caBundle"), is_true(spec, "insecureSkipTLSVerify"));
    let Some(service) = get(spec, "service") else {
        if !bundle.is_empty() {
            let bytes = crate::text::base64_decode(bundle).unwrap_or_default().len();
            let shown = format!("{bytes} bytes");
            errors.invalid(&SPEC.child("caBundle"), &*shown, "local APIServices may not have a caBundle");
        }
        if is_blind {
            let detail = "local APIServices may not have insecureSkipTLSVerify";
            errors.invalid(&SPEC.child("insecureSkipTLSVerify"), true, detail);
        }
        return;
    };
    let path = SPEC.child("service");
    for key in ["namespace", "name"] {
        if text(service, key).is_empty() {
            errors.required(&path.child(key), "");
        }
    }
    admission::port(service, &path, errors);
    if is_blind && !bundle.is_empty() {
        let detail = "may not be true if caBundle is present";
        errors.invalid(&SPEC.child("insecureSkipTLSVerify"), true, detail);
    }
}
