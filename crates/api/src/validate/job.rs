//! Jobs and CronJobs.
//!
//! Upstream: pkg/apis/batch/validation/validation.go.
//! Simplified: of a pod failure policy and a success policy only that they are there where they may be; time zones are known
//! by their area.

use super::cause::{Errors, Path};
use super::meta::{label_selector, shown_labels};
use super::template::pod_template;
use super::tree::{
    at, get, immutable, is_true, nonnegative, number, one_of, read, selector, template, text, top,
};
use super::{METADATA, SPEC};
use crate::{Object, PodTemplateSpec};
use serde_json::Value;

/// Longest name of a CronJob: its Jobs add eleven characters.
const MAX_CRON_JOB_NAME: usize = 52;
const MAX_INDEXED_PODS: i64 = 100_000;

pub(super) fn job(job: &Object, errors: &mut Errors) {
    let spec = top(job, "spec");
    job_spec(spec, &SPEC, errors);
    let selector = selector(spec, "selector");
    let template = template(spec);
    if is_true(spec, "manualSelector") {
        match &selector {
            None => errors.required(&SPEC.child("selector"), ""),
            Some(selector) => label_selector(selector, &SPEC.child("selector"), errors),
        }
    } else if selector.is_none() {
        // The server makes one that fits.
        return;
    }
    let parsed = selector.map(|selector| selector.to_selector());
    let found = &template.metadata.labels;
    if !matches!(parsed, Some(Err(_))) && !matches!(parsed, Some(Ok(selector)) if selector.matches(found)) {
        let at = SPEC.child("template");
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&at.child("metadata").child("labels"), shown_labels(found), detail);
    }
}

fn job_spec(spec: &Value, path: &Path, errors: &mut Errors) {
    let counts = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    nonnegative(spec, &counts, path, errors);
    if get(spec, "maxFailedIndexes").is_some() && get(spec, "backoffLimitPerIndex").is_none() {
        errors.required(&path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    one_of(spec, "completionMode", &["NonIndexed", "Indexed"], path, errors);
    let is_indexed = text(spec, "completionMode") == "Indexed";
    if is_indexed {
        indexed(spec, path, errors);
    }
    for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
        if let Some(number) = number(spec, key).filter(|_| !is_indexed) {
            errors.invalid(&path.child(key), number, "requires indexed completion mode");
        }
    }
    if !is_indexed && get(spec, "successPolicy").is_some() {
        let shown = at(spec, "successPolicy");
        errors.invalid(&path.child("successPolicy"), shown, "requires indexed completion mode");
    }
    let replacement: &[&str] = if get(spec, "podFailurePolicy").is_some() {
        &["Failed"]
    } else {
        &["Failed", "TerminatingOrFailed"]
    };
    one_of(spec, "podReplacementPolicy", replacement, path, errors);
    let template = template(spec);
    let path = path.child("template");
    pod_template(&template, &path, errors);
    restart_policy(&template, &path.child("spec"), errors);
    if get(spec, "podFailurePolicy").is_some() && template.spec.restart_policy.as_deref() == Some("OnFailure")
    {
        let detail = "only \"Never\" is supported when podFailurePolicy is specified";
        errors.invalid(&path.child("spec").child("restartPolicy"), "OnFailure", detail);
    }
}

fn indexed(spec: &Value, path: &Path, errors: &mut Errors) {
    let completions = number(spec, "completions");
    if completions.is_none() {
        errors.required(&path.child("completions"), "when completion mode is Indexed");
    }
    if let Some(count) = number(spec, "parallelism").filter(|count| *count > MAX_INDEXED_PODS) {
        let detail =
            format!("must be less than or equal to {MAX_INDEXED_PODS} when completion mode is Indexed");
        errors.invalid(&path.child("parallelism"), count, &detail);
    }
    if let (Some(completions), Some(failed)) = (completions, number(spec, "maxFailedIndexes"))
        && failed > completions
    {
        errors.invalid(&path.child("maxFailedIndexes"), failed, "must be less than or equal to completions");
    }
}

/// A Job's pods may not be started again for ever.
fn restart_policy(template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    let at = path.child("restartPolicy");
    match template.spec.restart_policy.as_deref().unwrap_or_default() {
        "OnFailure" | "Never" => {}
        "" | "Always" => errors.required(&at, "valid values: \"OnFailure\", \"Never\""),
        other => errors.not_supported(&at, other, &["OnFailure", "Never"]),
    }
}

pub(super) fn job_update(old: &Object, new: &Object, errors: &mut Errors) {
    job(new, errors);
    let (old, new) = (top(old, "spec"), top(new, "spec"));
    let may_scale = text(new, "completionMode") == "Indexed"
        && at(new, "completions") == at(new, "parallelism")
        && at(old, "completions") == at(old, "parallelism");
    if !may_scale {
        immutable(old, new, "completions", &SPEC, errors);
    }
    for key in [
        "selector",
        "template",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        let is_suspended = is_true(old, "suspend");
        if key != "template" || !is_suspended {
            immutable(old, new, key, &SPEC, errors);
        }
    }
}

pub(super) fn cron_job(cron_job: &Object, errors: &mut Errors) {
    let spec = top(cron_job, "spec");
    schedule(text(spec, "schedule"), errors);
    nonnegative(spec, &["startingDeadlineSeconds"], &SPEC, errors);
    if let Some(zone) = at(spec, "timeZone").as_str() {
        time_zone(zone, errors);
    }
    errors.one_of(
        &SPEC.child("concurrencyPolicy"),
        text(spec, "concurrencyPolicy"),
        &["Allow", "Forbid", "Replace"],
    );
    nonnegative(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &SPEC, errors);
    let job = at(at(spec, "jobTemplate"), "spec");
    let path = SPEC.child("jobTemplate");
    let path = path.child("spec");
    job_spec(job, &path, errors);
    if let Some(selector) = get(job, "selector") {
        errors.invalid(&path.child("selector"), selector, "`selector` will be auto-generated");
    }
    if is_true(job, "manualSelector") {
        errors.not_supported(
            &path.child("manualSelector"),
            &read::<Value>(&Value::Bool(true)),
            &["nil", "false"],
        );
    }
    let name = &cron_job.metadata().name;
    if name.len() > MAX_CRON_JOB_NAME {
        errors.invalid(&METADATA.child("name"), name, "must be no more than 52 characters");
    }
}

fn schedule(text: &str, errors: &mut Errors) {
    let at = SPEC.child("schedule");
    if text.is_empty() {
        errors.required(&at, "");
        return;
    }
    if let Err(why) = crate::cron::Schedule::parse(text) {
        errors.invalid(&at, text, &why);
    }
    if text.contains("TZ") {
        errors.invalid(&at, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
}

fn time_zone(zone: &str, errors: &mut Errors) {
    const AREAS: [&str; 11] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Etc",
        "Europe",
        "Indian",
        "Pacific",
    ];
    let at = SPEC.child("timeZone");
    if zone.is_empty() {
        errors.invalid(&at, zone, "timeZone must be nil or non-empty string");
        return;
    }
    if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(&at, zone, detail);
        return;
    }
    let is_known = match zone.split_once('/') {
        Some((area, place)) => AREAS.contains(&area) && !place.is_empty(),
        None => matches!(
            zone,
            "UTC" | "GMT" | "CET" | "EET" | "EST" | "HST" | "MET" | "MST" | "WET" | "Zulu" | "UCT"
        ),
    };
    if !is_known {
        errors.invalid(&at, zone, &format!("unknown time zone {zone}"));
    }
}
