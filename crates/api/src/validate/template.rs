//! Pod templates and selectors of workloads.
//!
//! Upstream: pkg/apis/apps/validation/validation.go `ValidatePodTemplateSpecForReplicaSet`,
//! pkg/apis/core/validation/validation.go `ValidatePodTemplateSpec`.

use super::cause::{Errors, Path};
use super::meta::{annotations, label_selector, labels, shown_labels};
use super::pod_spec::{field, items, pod_spec};
use crate::wire::Wire;
use crate::{LabelSelector, PodTemplateSpec};

/// The selector and the template of a Deployment or ReplicaSet, which must fit. `kind` is in small letters.
pub(super) fn selector_and_template(
    kind: &str,
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path,
    errors: &mut Errors,
) {
    let at = path.child("selector");
    let is_empty = selector.match_labels.is_empty() && selector.match_expressions.is_empty();
    let is_missing = is_empty && !selector.is_given;
    if is_missing {
        errors.required(&at, "");
    } else if is_empty {
        let detail = format!("empty selector is invalid for {kind}");
        errors.invalid(&at, &selector.write_always(), &detail);
    } else {
        label_selector(selector, &at, errors);
    }
    let Ok(parsed) = selector.to_selector() else {
        errors.invalid(&at, &selector.write_always(), "invalid label selector");
        return;
    };
    let at = path.child("template");
    let found = &template.metadata.labels;
    if is_missing || !parsed.matches(found) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&at.child("metadata").child("labels"), shown_labels(found), detail);
    }
    pod_template(template, &at, errors);
    let spec = at.child("spec");
    let restart_policy = template.spec.restart_policy.as_deref().unwrap_or_default();
    if restart_policy != "Always" {
        errors.not_supported(&spec.child("restartPolicy"), restart_policy, &["Always"]);
    }
    if template.spec.active_deadline_seconds.is_some() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        errors.forbidden(&spec.child("activeDeadlineSeconds"), detail);
    }
}

/// A template on its own. Its labels are told without `metadata` in the path, as upstream does.
pub(super) fn pod_template(template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    labels(&template.metadata.labels, &path.child("labels"), errors);
    annotations(&template.metadata.annotations, &path.child("annotations"), errors);
    let path = path.child("spec");
    pod_spec(&template.spec, false, &path, errors);
    if !items(field(&template.spec.rest, "ephemeralContainers")).is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.forbidden(&path.child("ephemeralContainers"), detail);
    }
}

/// A workload's selector never changes.
pub(super) fn selector_is_kept(old: &LabelSelector, new: &LabelSelector, path: &Path, errors: &mut Errors) {
    if old != new {
        errors.invalid(&path.child("selector"), &new.write_always(), "field is immutable");
    }
}
