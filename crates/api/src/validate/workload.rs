//! StatefulSets, DaemonSets, ReplicationControllers and ControllerRevisions.
//!
//! Upstream: pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go
//! `ValidateReplicationControllerSpec`.

use super::SPEC;
use super::cause::{Errors, Path, Raw};
use super::deployment::{amount, count_or_percent, not_over_100_percent};
use super::meta::{annotations, label_selector, labels, shown_labels};
use super::template::pod_template;
use super::tree::{
    at, check_selector, get, int_or_percent, nonnegative, number, one_of, read, selector, template, text, top,
};
use crate::map::Map;
use crate::names::is_dns1123_label;
use crate::text::go_quote;
use crate::wire::Wire;
use crate::{IntOrPercent, LabelSelector, Object, PodTemplateSpec, Selector, Str};
use serde_json::Value;

const MISMATCH: &str = "`selector` does not match template `labels`";

/// What a selector matches; one that is absent matches nothing.
fn matches(selector: Option<&LabelSelector>, template: &PodTemplateSpec) -> bool {
    let found = &template.metadata.labels;
    selector.and_then(|selector| selector.to_selector().ok()).is_some_and(|selector| selector.matches(found))
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

/// Pods of such a workload are always restarted, and have no deadline.
fn runs_for_ever(template: &PodTemplateSpec, kind: &str, path: &Path, errors: &mut Errors) {
    let path = path.child("spec");
    let policy = template.spec.restart_policy.as_deref().unwrap_or_default();
    if policy != "Always" {
        errors.not_supported(&path.child("restartPolicy"), policy, &["Always"]);
    }
    if template.spec.active_deadline_seconds.is_some() {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&path.child("activeDeadlineSeconds"), &detail);
    }
}

pub(super) fn stateful_set(set: &Object, errors: &mut Errors) {
    let spec = top(set, "spec");
    let at = SPEC.child("podManagementPolicy");
    match text(spec, "podManagementPolicy") {
        "" => errors.required(&at, ""),
        "OrderedReady" | "Parallel" => {}
        other => errors.invalid(&at, other, "must be 'OrderedReady' or 'Parallel'"),
    }
    stateful_strategy(super::tree::at(spec, "updateStrategy"), &SPEC.child("updateStrategy"), errors);
    if let Some(policy) = get(spec, "persistentVolumeClaimRetentionPolicy") {
        let path = SPEC.child("persistentVolumeClaimRetentionPolicy");
        one_of(policy, "whenDeleted", &["Delete", "Retain"], &path, errors);
        one_of(policy, "whenScaled", &["Delete", "Retain"], &path, errors);
    }
    nonnegative(spec, &["replicas", "minReadySeconds"], &SPEC, errors);
    if let Some(ordinals) = get(spec, "ordinals") {
        nonnegative(ordinals, &["start"], &SPEC.child("ordinals"), errors);
    }
    let service = text(spec, "serviceName");
    if !service.is_empty() {
        errors.problems(&SPEC.child("serviceName"), service, is_dns1123_label(service));
    }
    stateful_template(spec, errors);
}

fn stateful_strategy(strategy: &Value, path: &Path, errors: &mut Errors) {
    let rolling = get(strategy, "rollingUpdate");
    let at = path.child("rollingUpdate");
    match (text(strategy, "type"), rolling) {
        ("", _) => errors.required(path, ""),
        ("OnDelete", Some(rolling)) => {
            // Upstream prints its internal form.
            let partition = number(rolling, "partition").unwrap_or(0);
            let unavailable =
                get(rolling, "maxUnavailable").map_or_else(|| "null".to_owned(), Value::to_string);
            let shown = Raw(format!("{{\"Partition\":{partition},\"MaxUnavailable\":{unavailable}}}"));
            errors.invalid(&at, shown, "only allowed for updateStrategy 'RollingUpdate'");
        }
        ("RollingUpdate", Some(rolling)) => {
            nonnegative(rolling, &["partition"], &at, errors);
            if let Some(value) = int_or_percent(rolling, "maxUnavailable") {
                let at = at.child("maxUnavailable");
                count_or_percent(&value, &at, errors);
                if amount(&value) == 0 {
                    errors.invalid(&at, &value, "cannot be 0");
                }
                not_over_100_percent(&value, &at, errors);
            }
        }
        ("OnDelete" | "RollingUpdate", None) => {}
        (other, _) => {
            let shown = Raw(format!("{{\"Type\":{},\"RollingUpdate\":null}}", go_quote(other)));
            errors.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

/// The pods of a StatefulSet are not checked before they are made: their volumes come from claims.
fn stateful_template(spec: &Value, errors: &mut Errors) {
    let at = SPEC.child("selector");
    let selector = selector(spec, "selector");
    match &selector {
        None => errors.required(&at, ""),
        Some(selector) => {
            label_selector(selector, &at, errors);
            if is_empty(selector) {
                errors.invalid(&at, &selector.write_always(), "empty selector is invalid for statefulset");
            }
        }
    }
    let template = template(spec);
    let path = SPEC.child("template");
    if let Some(Err(_)) = selector.as_ref().map(LabelSelector::to_selector) {
        let shown = selector.map(|selector| selector.write_always()).unwrap_or_default();
        errors.invalid(&at, &shown, "");
    } else {
        let is_wanted = selector.as_ref().is_some_and(|selector| !is_empty(selector));
        let found = &template.metadata.labels;
        if is_wanted && !matches(selector.as_ref(), &template) {
            errors.invalid(&path.child("metadata").child("labels"), shown_labels(found), MISMATCH);
        }
        labels(found, &path.child("labels"), errors);
        annotations(&template.metadata.annotations, &path.child("annotations"), errors);
    }
    runs_for_ever(&template, "StatefulSet", &path, errors);
}

pub(super) fn stateful_set_update(old: &Object, new: &Object, errors: &mut Errors) {
    stateful_set(new, errors);
    let kept = |set: &Object| {
        let mut spec = top(set, "spec").clone();
        if let Value::Object(fields) = &mut spec {
            for key in [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ] {
                fields.remove(key);
            }
        }
        spec
    };
    if kept(old) != kept(new) {
        errors.forbidden(
            &SPEC,
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}

pub(super) fn daemon_set(set: &Object, errors: &mut Errors) {
    let spec = top(set, "spec");
    check_selector(spec, "selector", &SPEC, errors);
    let (selector, template) = (selector(spec, "selector"), template(spec));
    let path = SPEC.child("template");
    let is_read = selector.as_ref().is_none_or(|selector| selector.to_selector().is_ok());
    if is_read && !matches(selector.as_ref(), &template) {
        let shown = shown_labels(&template.metadata.labels);
        errors.invalid(&path.child("metadata").child("labels"), shown, MISMATCH);
    }
    if let Some(selector) = selector.filter(is_empty) {
        let shown = selector.write_always();
        errors.invalid(&SPEC.child("selector"), &shown, "empty selector is invalid for daemonset");
    }
    pod_template(&template, &path, errors);
    runs_for_ever(&template, "DaemonSet", &path, errors);
    nonnegative(spec, &["minReadySeconds"], &SPEC, errors);
    daemon_strategy(at(spec, "updateStrategy"), &SPEC.child("updateStrategy"), errors);
    nonnegative(spec, &["revisionHistoryLimit"], &SPEC, errors);
}

fn daemon_strategy(strategy: &Value, path: &Path, errors: &mut Errors) {
    match (text(strategy, "type"), get(strategy, "rollingUpdate")) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.required(&path.child("rollingUpdate"), ""),
        ("RollingUpdate", Some(rolling)) => {
            daemon_rolling_update(rolling, &path.child("rollingUpdate"), errors)
        }
        (other, _) => {
            let shown = Raw(format!("{{\"Type\":{},\"RollingUpdate\":null}}", go_quote(other)));
            errors.not_supported(path, shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}

fn daemon_rolling_update(rolling: &Value, path: &Path, errors: &mut Errors) {
    let value = |key| int_or_percent(rolling, key).unwrap_or(IntOrPercent::Int(0));
    let (unavailable, surge) = (value("maxUnavailable"), value("maxSurge"));
    let pairs = [("maxUnavailable", &unavailable), ("maxSurge", &surge)];
    for (key, value) in pairs {
        count_or_percent(value, &path.child(key), errors);
    }
    for (key, value) in pairs {
        not_over_100_percent(value, &path.child(key), errors);
    }
    match (amount(&unavailable) != 0, amount(&surge) != 0) {
        (true, true) => {
            let detail = "may not be set when maxUnavailable is non-zero";
            errors.invalid(&path.child("maxSurge"), &surge, detail);
        }
        (false, false) => errors.required(&path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"),
        _ => {}
    }
}

pub(super) fn daemon_set_update(old: &Object, new: &Object, errors: &mut Errors) {
    daemon_set(new, errors);
    super::tree::immutable(top(old, "spec"), top(new, "spec"), "selector", &SPEC, errors);
}

pub(super) fn replication_controller(controller: &Object, errors: &mut Errors) {
    let spec = top(controller, "spec");
    nonnegative(spec, &["minReadySeconds"], &SPEC, errors);
    let selector: Map<Str, Str> = read(at(spec, "selector"));
    if selector.is_empty() {
        errors.required(&SPEC.child("selector"), "");
    }
    nonnegative(spec, &["replicas"], &SPEC, errors);
    let path = SPEC.child("template");
    if get(spec, "template").is_none() {
        errors.required(&path, "");
        return;
    }
    let template = template(spec);
    let found = &template.metadata.labels;
    if !selector.is_empty() && !Selector::from_match_labels(&selector).matches(found) {
        errors.invalid(&path.child("metadata").child("labels"), shown_labels(found), MISMATCH);
    }
    pod_template(&template, &path, errors);
    runs_for_ever(&template, "ReplicationController", &path, errors);
}

pub(super) fn pod_template_object(object: &Object, errors: &mut Errors) {
    pod_template(&read(top(object, "template")), &Path::root("template"), errors);
}

pub(super) fn revision(revision: &Object, errors: &mut Errors) {
    if top(revision, "data").is_null() {
        errors.required(&Path::root("data"), "data is mandatory");
    }
    if let Some(number) = top(revision, "revision").as_i64() {
        errors.nonnegative(&Path::root("revision"), number);
    }
}

pub(super) fn revision_update(old: &Object, new: &Object, errors: &mut Errors) {
    revision(new, errors);
    let data = top(new, "data");
    if top(old, "data") != data {
        errors.invalid(&Path::root("data"), data, "field is immutable");
    }
}
