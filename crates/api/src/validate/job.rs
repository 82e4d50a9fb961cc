//! Jobs and CronJobs.
//!
//! Upstream: pkg/apis/batch/validation/validation.go.

use super::cause::{Errors, Omitted, Path, Raw};
use super::ingress::domain_prefixed;
use super::meta::{label_selector, shown_labels};
use super::template::pod_template;
use super::tree::{
    at, get, immutable, is_true, items, nonnegative, number, one_of, read, selector, template, text, top,
};
use super::{METADATA, SPEC};
use crate::map::Map;
use crate::names::{is_dns1123_label, is_qualified_name};
use crate::text::go_quote;
use crate::wire::Wire;
use crate::{Gather as _, LabelSelector, Object, PodTemplateSpec, Str};
use serde_json::Value;

/// Time zones, those of an area in a line behind it.
const ZONES: &str = include_str!("zones.txt");
/// Longest name of a CronJob: its Jobs add eleven characters.
const MAX_CRON_JOB_NAME: usize = 52;
const MAX_INDEXED_PODS: i64 = 100_000;

pub(super) fn job(job: &Object, errors: &mut Errors) {
    let spec = top(job, "spec");
    let selector = selector(spec, "selector");
    let template = template(spec);
    let is_manual = is_true(spec, "manualSelector");
    if let Some(selector) = selector.as_ref().filter(|_| !is_manual) {
        generated(job, selector, errors);
    }
    job_spec(spec, &SPEC, errors);
    let at = SPEC.child("selector");
    match &selector {
        Some(selector) => label_selector(selector, &at, errors),
        None if is_manual => errors.required(&at, ""),
        // The server makes one that fits.
        None => {}
    }
    let parsed = selector.map(|selector| selector.to_selector());
    let found = &template.metadata.labels;
    let is_other = match parsed {
        Some(Ok(selector)) => !selector.matches(found),
        Some(Err(_)) => false,
        None => is_manual,
    };
    if is_other {
        let at = SPEC.child("template");
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&at.child("metadata").child("labels"), shown_labels(found), detail);
    }
    let completions = number(spec, "completions").unwrap_or(0);
    if text(spec, "completionMode") == "Indexed" && completions > 0 {
        let name = &job.metadata().name;
        let host = format!("{name}-{}", completions - 1);
        if !is_dns1123_label(&host).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            errors.invalid(&METADATA.child("name"), name, &detail);
        }
    }
}

/// A selector that the server makes may say nothing of other labels than its own.
fn generated(job: &Object, selector: &LabelSelector, errors: &mut Errors) {
    let meta = job.metadata();
    let uid: Str = meta.uid.to_string().into();
    let own: Map<Str, Str> = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &meta.name),
        ("controller-uid", &uid),
        ("job-name", &meta.name),
    ]
    .into_iter()
    .map(|(key, value)| (key.into(), value.clone()))
    .collect();
    if selector.to_selector().is_ok_and(|selector| !selector.matches(&own)) {
        let shown = selector.write_always();
        errors.invalid(&SPEC.child("selector"), &shown, "`selector` not auto-generated");
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
    if let Some(manager) = at(spec, "managedBy").as_str() {
        let at = path.child("managedBy");
        domain_prefixed(manager, &at, errors);
        if manager.len() > 63 {
            errors.too_long(&at, 63);
        }
    }
    one_of(spec, "completionMode", &["NonIndexed", "Indexed"], path, errors);
    let is_indexed = text(spec, "completionMode") == "Indexed";
    if is_indexed {
        indexed(spec, path, errors);
    }
    let is_plain = matches!(text(spec, "completionMode"), "" | "NonIndexed");
    for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
        if let Some(number) = number(spec, key).filter(|_| is_plain) {
            errors.invalid(&path.child(key), number, "requires indexed completion mode");
        }
    }
    if let Some(policy) = get(spec, "podFailurePolicy") {
        failure_policy(policy, spec, &path.child("podFailurePolicy"), errors);
    }
    match get(spec, "successPolicy") {
        Some(policy) if is_indexed => {
            let completions = number(spec, "completions").unwrap_or(0);
            success_policy(policy, completions, &path.child("successPolicy"), errors);
        }
        Some(policy) => {
            let rule = |rule: &Value| {
                let part = |key| at(rule, key).to_string();
                let (indexes, count) = (part("succeededIndexes"), part("succeededCount"));
                format!("{{\"SucceededIndexes\":{indexes},\"SucceededCount\":{count}}}")
            };
            let rules: Vec<String> = items(policy, "rules").iter().map(rule).gather();
            let rules = if rules.is_empty() { "null".into() } else { format!("[{}]", rules.join(",")) };
            let shown = Raw(format!("{{\"Rules\":{rules}}}"));
            errors.invalid(&path.child("successPolicy"), shown, "requires indexed completion mode");
        }
        None => {}
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
    let (completions, failed) = (number(spec, "completions"), number(spec, "maxFailedIndexes"));
    let parallelism = number(spec, "parallelism");
    if completions.is_none() {
        errors.required(&path.child("completions"), "when completion mode is Indexed");
    }
    let at_most = |key: &str, count: Option<i64>, most: i64, rest: &str, errors: &mut Errors| {
        if let Some(count) = count.filter(|count| *count > most) {
            let detail = format!("must be less than or equal to {most}{rest}");
            errors.invalid(&path.child(key), count, &detail);
        }
    };
    at_most("parallelism", parallelism, MAX_INDEXED_PODS, " when completion mode is Indexed", errors);
    if let (Some(completions), Some(count)) = (completions, failed)
        && count > completions
    {
        let detail = "must be less than or equal to completions";
        errors.invalid(&path.child("maxFailedIndexes"), count, detail);
    }
    at_most("maxFailedIndexes", failed, MAX_INDEXED_PODS, "", errors);
    if completions.is_some_and(|count| count > MAX_INDEXED_PODS)
        && get(spec, "backoffLimitPerIndex").is_some()
    {
        if failed.is_none() {
            let detail = format!("must be specified when completions is above {MAX_INDEXED_PODS}");
            errors.required(&path.child("maxFailedIndexes"), &detail);
        }
        let rest =
            format!(" when completions are above {MAX_INDEXED_PODS} and used with backoff limit per index");
        at_most("parallelism", parallelism, 10_000, &rest, errors);
        at_most("maxFailedIndexes", failed, 10_000, &rest, errors);
    }
}

/// What becomes of a Job some of whose pods fail.
fn failure_policy(policy: &Value, spec: &Value, path: &Path, errors: &mut Errors) {
    const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
    let path = path.child("rules");
    let rules = items(policy, "rules");
    if rules.len() > 20 {
        errors.too_many(&path, rules.len(), 20);
    }
    let pod = at(at(spec, "template"), "spec");
    let containers = || items(pod, "containers").iter().chain(items(pod, "initContainers"));
    for (index, rule) in rules.iter().enumerate() {
        let at = path.index(index);
        let action = text(rule, "action");
        let place = at.child("action");
        match action {
            "" => valid_values(&place, &ACTIONS, errors),
            "FailIndex" if get(spec, "backoffLimitPerIndex").is_none() => {
                errors.invalid(&place, action, "requires the backoffLimitPerIndex to be set");
            }
            _ => one_of(rule, "action", &ACTIONS, &at, errors),
        }
        let (codes, conditions) = (get(rule, "onExitCodes"), items(rule, "onPodConditions"));
        if let Some(codes) = codes {
            let name = super::tree::at(codes, "containerName").as_str();
            let is_known = |name: &str| containers().any(|container| text(container, "name") == name);
            exit_codes(codes, name.filter(|name| !is_known(name)), &at.child("onExitCodes"), errors);
        }
        pod_conditions(conditions, &at.child("onPodConditions"), errors);
        match (codes.is_some(), conditions.is_empty()) {
            (true, false) => errors.invalid(
                &at,
                Omitted,
                "specifying both OnExitCodes and OnPodConditions is not supported",
            ),
            (false, true) => {
                errors.invalid(&at, Omitted, "specifying one of OnExitCodes and OnPodConditions is required");
            }
            _ => {}
        }
    }
}

/// A field that is missing, with what it may be.
fn valid_values(path: &Path, values: &[&str], errors: &mut Errors) {
    let quoted: Vec<String> = values.iter().map(|value| go_quote(value)).gather();
    errors.required(path, &format!("valid values: [{}]", quoted.join(" ")));
}

/// Codes with which a container ends; `unknown` is a container that the pod has not.
fn exit_codes(codes: &Value, unknown: Option<&str>, path: &Path, errors: &mut Errors) {
    let operator = text(codes, "operator");
    match operator {
        "" => valid_values(&path.child("operator"), &["In", "NotIn"], errors),
        _ => one_of(codes, "operator", &["In", "NotIn"], path, errors),
    }
    if let Some(name) = unknown {
        let detail = "must be one of the container or initContainer names in the pod template";
        errors.invalid(&path.child("containerName"), name, detail);
    }
    let at = path.child("values");
    let values = items(codes, "values");
    match values.len() {
        0 => errors.invalid(&at, super::tree::at(codes, "values"), "at least one value is required"),
        count if count > 255 => errors.too_many(&at, count, 255),
        _ => {}
    }
    let numbers: Vec<i64> = values.iter().filter_map(Value::as_i64).gather();
    for (index, code) in numbers.iter().enumerate() {
        if operator == "In" && *code == 0 {
            errors.invalid(&at.index(index), *code, "must not be 0 for the In operator");
        }
        if numbers.iter().take(index).any(|earlier| earlier == code) {
            errors.duplicate(&at.index(index), *code, "");
        }
    }
    if numbers.windows(2).any(|pair| pair.first() > pair.last()) {
        errors.invalid(&at, super::tree::at(codes, "values"), "must be ordered");
    }
}

fn pod_conditions(conditions: &[Value], path: &Path, errors: &mut Errors) {
    const STATES: [&str; 3] = ["False", "True", "Unknown"];
    if conditions.len() > 20 {
        errors.too_many(path, conditions.len(), 20);
    }
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        let kind = text(condition, "type");
        errors.problems(&at.child("type"), kind, is_qualified_name(kind));
        match text(condition, "status") {
            "" => valid_values(&at.child("status"), &STATES, errors),
            _ => one_of(condition, "status", &STATES, &at, errors),
        }
    }
}

/// When a Job counts as done before all of its pods are.
fn success_policy(policy: &Value, completions: i64, path: &Path, errors: &mut Errors) {
    let path = path.child("rules");
    let rules = items(policy, "rules");
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.required(&path, detail);
    }
    if rules.len() > 20 {
        errors.too_many(&path, rules.len(), 20);
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = path.index(index);
        let (indexes, count) =
            (super::tree::at(rule, "succeededIndexes").as_str(), number(rule, "succeededCount"));
        if indexes.is_none() && count.is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.required(&at, detail);
        }
        let mut total = 0;
        if let Some(indexes) = indexes {
            let place = at.child("succeededIndexes");
            if indexes.len() > 64 * 1024 {
                errors.too_long(&place, 64 * 1024);
            }
            match count_indexes(indexes, completions) {
                Ok(count) => total = count,
                Err(why) => {
                    errors.invalid(&place, indexes, &format!("error parsing succeededIndexes: {why}"));
                }
            }
        }
        let Some(count) = count else { continue };
        let place = at.child("succeededCount");
        errors.nonnegative(&place, count);
        let mut at_most = |most: i64, what: &str| {
            if count > most {
                errors.invalid(&place, count, &format!("must be less than or equal to {most} ({what})"));
            }
        };
        at_most(completions, "the number of specified completions");
        if indexes.is_some() {
            at_most(total, "the number of indexes in the specified succeededIndexes field");
        }
    }
}

/// How many indexes a text such as `0-2,5` names, which must rise and be below the completions.
fn count_indexes(text: &str, completions: i64) -> Result<i64, String> {
    let index = |text: &str| {
        let index = text.parse::<i64>();
        let index =
            index.map_err(|_| format!("cannot convert string to integer for index: {}", go_quote(text)))?;
        if index < completions { Ok(index) } else { Err(format!("too large index: {}", go_quote(text))) }
    };
    let falls = |one: i64, two: i64| format!("non-increasing order, previous: {one}, current: {two}");
    let (mut total, mut last) = (0, None);
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (first, end) = part.split_once('-').map_or((part, None), |(first, end)| (first, Some(end)));
        if end.is_some_and(|end| end.contains('-')) {
            return Err(format!(
                "the fragment {} violates the requirement that an index interval can have at most two parts separated by \
                 '-'",
                go_quote(part)
            ));
        }
        let first = index(first)?;
        let end = match end.map(index) {
            None => first,
            Some(end) => end.and_then(|end| if first < end { Ok(end) } else { Err(falls(first, end)) })?,
        };
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(falls(last, first));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
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
    nonnegative(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &SPEC, errors);
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
    // A zone in front is read, to be refused.
    let zoned = ["TZ=", "CRON_TZ="].into_iter().find_map(|prefix| text.strip_prefix(prefix)?.split_once(' '));
    let outcome = match zoned {
        Some((zone, _)) if !is_zone(zone) => {
            Err(format!("provided bad location {zone}: unknown time zone {zone}"))
        }
        Some((_, rest)) => crate::cron::Schedule::parse(rest.trim()).map(drop),
        None => crate::cron::Schedule::parse(text).map(drop),
    };
    if let Err(why) = outcome {
        errors.invalid(&at, text, &why);
    }
    if text.contains("TZ") {
        errors.invalid(&at, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
}

fn time_zone(zone: &str, errors: &mut Errors) {
    let at = SPEC.child("timeZone");
    if zone.is_empty() {
        errors.invalid(&at, zone, "timeZone must be nil or non-empty string");
        return;
    }
    if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(&at, zone, detail);
    }
    if !is_zone(zone) {
        errors.invalid(&at, zone, &format!("unknown time zone {zone}"));
    }
}

/// Whether a zone can be loaded; the server's own always can.
fn is_zone(zone: &str) -> bool {
    let (area, place) = zone.rsplit_once('/').unwrap_or(("-", zone));
    let of_area = |line: &&str| line.split(' ').next() == Some(area);
    let mut lines = ZONES.lines().filter(of_area);
    zone == "Local" || lines.any(|line| line.split(' ').skip(1).any(|name| name == place))
}
