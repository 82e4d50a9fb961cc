//! Deployments.
//!
//! Upstream: pkg/apis/apps/validation/validation.go `ValidateDeploymentSpec`, pkg/registry/apps/deployment/strategy.go.

use super::cause::{Errors, Path, Raw};
use super::template::{selector_and_template, selector_is_kept};
use super::{SPEC, meta};
use crate::text::go_quote;
use crate::{Deployment, DeploymentSpec, DeploymentStrategy, IntOrPercent, Kind, RollingUpdateDeployment};

pub(super) fn create(deployment: &Deployment, errors: &mut Errors) {
    meta::object(Kind::Deployment, &deployment.metadata, errors);
    spec(&deployment.spec, errors);
}

pub(super) fn update(old: &Deployment, new: &Deployment, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    spec(&new.spec, errors);
    selector_is_kept(&old.spec.selector, &new.spec.selector, &SPEC, errors);
}

fn spec(spec: &DeploymentSpec, errors: &mut Errors) {
    errors.nonnegative(&SPEC.child("replicas"), i64::from(spec.replicas.unwrap_or(1)));
    selector_and_template("deployment", &spec.selector, &spec.template, &SPEC, errors);
    strategy(&spec.strategy, &SPEC.child("strategy"), errors);
    errors.nonnegative(&SPEC.child("minReadySeconds"), i64::from(spec.min_ready_seconds));
    if let Some(limit) = spec.revision_history_limit {
        errors.nonnegative(&SPEC.child("revisionHistoryLimit"), i64::from(limit));
    }
    if let Some(deadline) = spec.progress_deadline_seconds {
        let at = SPEC.child("progressDeadlineSeconds");
        errors.nonnegative(&at, i64::from(deadline));
        if deadline <= spec.min_ready_seconds {
            errors.invalid(&at, deadline, "must be greater than minReadySeconds");
        }
    }
}

fn strategy(strategy: &DeploymentStrategy, path: &Path, errors: &mut Errors) {
    let at = path.child("rollingUpdate");
    match (&*strategy.kind, &strategy.rolling_update) {
        ("Recreate", None) => {}
        ("Recreate", Some(_)) => {
            errors.forbidden(&at, "may not be specified when strategy `type` is 'Recreate'");
        }
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &at, errors),
        ("RollingUpdate", None) => errors.required(&at, "this should be defaulted and never be nil"),
        (kind, rolling) => {
            let count = |value: &Option<IntOrPercent>| match value {
                Some(IntOrPercent::Int(count)) => count.to_string(),
                Some(IntOrPercent::Text(text)) => go_quote(text),
                None => "0".to_owned(),
            };
            let rolling = rolling.as_ref().map_or("null".to_owned(), |rolling| {
                let (unavailable, surge) = (count(&rolling.max_unavailable), count(&rolling.max_surge));
                format!("{{\"MaxUnavailable\":{unavailable},\"MaxSurge\":{surge}}}")
            });
            let shown = format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", go_quote(kind));
            errors.not_supported(path, Raw(shown), &["Recreate", "RollingUpdate"]);
        }
    }
}

fn rolling_update(rolling: &RollingUpdateDeployment, path: &Path, errors: &mut Errors) {
    let zero = IntOrPercent::default();
    let unavailable = rolling.max_unavailable.as_ref().unwrap_or(&zero);
    let surge = rolling.max_surge.as_ref().unwrap_or(&zero);
    let at = path.child("maxUnavailable");
    count_or_percent(unavailable, &at, errors);
    count_or_percent(surge, &path.child("maxSurge"), errors);
    if amount(unavailable) == 0 && amount(surge) == 0 {
        errors.invalid(&at, unavailable, "may not be 0 when `maxSurge` is 0");
    }
    not_over_100_percent(unavailable, &at, errors);
}

pub(super) fn not_over_100_percent(value: &IntOrPercent, path: &Path, errors: &mut Errors) {
    if percent(value).is_some_and(|percent| percent > 100) {
        errors.invalid(path, value, "must not be greater than 100%");
    }
}

pub(super) fn count_or_percent(value: &IntOrPercent, path: &Path, errors: &mut Errors) {
    match value {
        IntOrPercent::Int(count) => errors.nonnegative(path, i64::from(*count)),
        IntOrPercent::Text(text) if percent_digits(text).is_none() => {
            let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                          '93%', regex used for validation is '[0-9]+%')";
            errors.invalid(path, text, detail);
        }
        IntOrPercent::Text(_) => {}
    }
}

/// The digits of a text that is a percentage.
fn percent_digits(text: &str) -> Option<&str> {
    let digits = text.strip_suffix('%')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The percentage, where the value is one; too many digits count as the most that fits.
fn percent(value: &IntOrPercent) -> Option<i64> {
    let IntOrPercent::Text(text) = value else { return None };
    percent_digits(text).map(|digits| digits.parse().unwrap_or(i64::MAX))
}

/// The number in front of a percent sign, or the count; 0 for a text that is neither.
pub(super) fn amount(value: &IntOrPercent) -> i64 {
    match value {
        IntOrPercent::Int(count) => i64::from(*count),
        IntOrPercent::Text(text) => percent(value).unwrap_or_else(|| text.parse().unwrap_or(0)),
    }
}
