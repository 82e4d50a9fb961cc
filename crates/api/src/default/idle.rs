//! Default values of upstream's kinds that nothing in the cluster acts on.
//!
//! Upstream: pkg/apis/{admissionregistration,flowcontrol,storage}/v1/defaults.go,
//! staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go.

use super::stored::{Fields, each, inside, present, set, set_number};
use serde_json::json;

/// Fills in what an object of a group and kind leaves out.
pub(super) fn apply(group: &str, kind: &str, fields: &mut Fields) {
    match (group, kind) {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => {
            each(fields, "webhooks", webhook)
        }
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration") => {
            each(fields, "webhooks", |hook| {
                webhook(hook);
                set(hook, "reinvocationPolicy", || "Never".into());
            })
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
            inside(fields, "spec", |spec| {
                set(spec, "failurePolicy", || "Fail".into());
                present(spec, "matchConstraints", match_resources);
                if kind.starts_with("Mutating") {
                    set(spec, "reinvocationPolicy", || "Never".into());
                }
            });
        }
        (
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding",
        ) => {
            present(fields, "spec", |spec| present(spec, "matchResources", match_resources));
        }
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            // Who asks is told by the server; here it is always the same person.
            present(fields, "spec", |spec| {
                set(spec, "username", || "kubernetes-admin".into());
                set(spec, "groups", || json!(["system:masters", "system:authenticated"]));
            });
            set(fields, "status", || json!({}));
        }
        ("apiregistration.k8s.io", "APIService") => {
            present(fields, "spec", |spec| present(spec, "service", port));
            set(fields, "status", || json!({}));
        }
        ("storage.k8s.io", "CSIDriver") => inside(fields, "spec", |spec| {
            set(spec, "attachRequired", || true.into());
            for key in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
                set(spec, key, || false.into());
            }
            set(spec, "fsGroupPolicy", || "ReadWriteOnceWithFSType".into());
            set(spec, "volumeLifecycleModes", || json!(["Persistent"]));
        }),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => {
            inside(fields, "spec", |spec| set_number(spec, "matchingPrecedence", 1000));
            set(fields, "status", || json!({}));
        }
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => {
            present(fields, "spec", |spec| {
                for (key, shares) in [("exempt", 0), ("limited", 30)] {
                    present(spec, key, |part| {
                        set(part, "nominalConcurrencyShares", || shares.into());
                        set(part, "lendablePercent", || 0.into());
                        present(part, "limitResponse", |answer| present(answer, "queuing", queuing));
                    });
                }
            });
            set(fields, "status", || json!({}));
        }
        _ => {}
    }
}

fn webhook(hook: &mut Fields) {
    set(hook, "failurePolicy", || "Fail".into());
    match_resources(hook);
    set(hook, "timeoutSeconds", || 10.into());
    each(hook, "rules", |rule| set(rule, "scope", || "*".into()));
    present(hook, "clientConfig", |client| present(client, "service", port));
}

fn match_resources(resources: &mut Fields) {
    set(resources, "matchPolicy", || "Equivalent".into());
    set(resources, "namespaceSelector", || json!({}));
    set(resources, "objectSelector", || json!({}));
    for key in ["resourceRules", "excludeResourceRules"] {
        each(resources, key, |rule| set(rule, "scope", || "*".into()));
    }
}

fn port(service: &mut Fields) {
    set(service, "port", || 443.into());
}

fn queuing(queuing: &mut Fields) {
    set_number(queuing, "handSize", 8);
    set_number(queuing, "queues", 64);
    set_number(queuing, "queueLengthLimit", 50);
}
