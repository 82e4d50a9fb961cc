//! `--field-selector`.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/fields/selector.go; the fields that each kind knows are those of
//! pkg/apis/*/v1/conversion.go.

use crate::kubectl::print::look::{at, or, plain, text};
use serde_json::Value;
use setpoint_api::text::go_quote;

/// Fields by kind besides the name and the namespace.
const KNOWN: &[(&str, &str)] = &[
    (
        "Pod",
        "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase \
         status.podIP status.podIPs status.nominatedNodeName",
    ),
    ("Node", "spec.unschedulable"),
    ("Namespace", "status.phase"),
    ("Secret", "type"),
    ("Service", "spec.clusterIP spec.type"),
    ("ReplicaSet", "status.replicas"),
    ("ReplicationController", "status.replicas"),
    ("Job", "status.successful"),
    ("CertificateSigningRequest", "spec.signerName"),
    (
        "Event",
        "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion \
         involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type",
    ),
];

/// Requirements on fields that must all hold.
#[derive(Clone, Debug, Default)]
pub struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Reads `a=b,c!=d` for a kind.
    ///
    /// # Errors
    /// Fields that the kind does not know.
    pub fn parse(selector: &str, kind: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in selector.split(',').filter(|part| !part.is_empty()) {
            let split = part.split_once("!=").map(|(field, value)| (field, false, value));
            let split = split.or_else(|| part.split_once("==").map(|(field, value)| (field, true, value)));
            let split = split.or_else(|| part.split_once('=').map(|(field, value)| (field, true, value)));
            let Some((field, is_equal, value)) = split else {
                return Err(format!("invalid selector: '{part}'; can't understand '{part}'"));
            };
            check(field, kind)?;
            parts.push((field.to_owned(), is_equal, value.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether an object has all of it.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, is_equal, wanted)| (value(object, field) == *wanted) == *is_equal)
    }
}

fn check(field: &str, kind: &str) -> Result<(), String> {
    let known = KNOWN.iter().find(|(name, _)| *name == kind);
    let is_known = known.is_some_and(|(_, fields)| fields.split(' ').any(|known| known == field));
    if is_known || matches!(field, "metadata.name" | "metadata.namespace") {
        return Ok(());
    }
    Err(match known {
        Some(_) => format!("field label not supported: {field}"),
        None => {
            let quoted = go_quote(field);
            format!("{quoted} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
    })
}

fn value(object: &Value, field: &str) -> String {
    match field {
        "spec.unschedulable" | "spec.hostNetwork" => {
            (at(object, &pointer(field)) == &Value::Bool(true)).to_string()
        }
        "status.replicas" => or(&plain(at(object, &pointer(field))), "0").to_owned(),
        "status.successful" => or(&plain(at(object, "/status/succeeded")), "0").to_owned(),
        "source" => or(text(object, "/source/component"), text(object, "/reportingComponent")).to_owned(),
        _ => plain(at(object, &pointer(field))),
    }
}

fn pointer(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}
