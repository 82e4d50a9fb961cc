//! Probes and hooks.
//!
//! Upstream: pkg/apis/core/validation/validation.go `validateProbe`, `validateHandler`, `validateLifecycle`.

use super::cause::{Errors, Path};
use super::pod_spec::{field, items, text};
use crate::wire::{Reader, Wire};
use crate::{HttpGetAction, IntOrPercent, Lifecycle, LifecycleHandler, Probe};
use serde_json::Value;

/// What a probe or a hook does; it must be just one thing.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a Value>,
    http: Option<HttpGetAction>,
    tcp: Option<&'a Value>,
    grpc: Option<&'a Value>,
    sleep: Option<i64>,
}

/// A probe whose failure restarts the container: one success is enough.
pub(super) fn failing_restarts(probe: &Probe, path: &Path, errors: &mut Errors) {
    common(probe, path, errors);
    let successes = probe.success_threshold.unwrap_or(1);
    if successes != 1 {
        errors.invalid(&path.child("successThreshold"), successes, "must be 1");
    }
}

/// A readiness probe, which never restarts and so has no grace.
pub(super) fn readiness(probe: &Probe, path: &Path, errors: &mut Errors) {
    common(probe, path, errors);
    if let Some(seconds) = probe.termination_grace_period_seconds {
        let at = path.child("terminationGracePeriodSeconds");
        errors.invalid(&at, seconds, "must not be set for readinessProbes");
    }
}

fn common(probe: &Probe, path: &Path, errors: &mut Errors) {
    let does = Handler {
        exec: probe.exec.as_ref().filter(|value| !value.is_null()),
        http: probe.http_get.clone(),
        tcp: probe.tcp_socket.as_ref().filter(|value| !value.is_null()),
        grpc: probe.grpc.as_ref().filter(|value| !value.is_null()),
        sleep: None,
    };
    handler(&does, None, path, errors);
    for (name, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        errors.nonnegative(&path.child(name), i64::from(value.unwrap_or(0)));
    }
    if let Some(seconds) = probe.termination_grace_period_seconds
        && seconds <= 0
    {
        errors.invalid(&path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0");
    }
}

/// The hooks of a container in a pod with a grace of some seconds.
pub(super) fn lifecycle(hooks: &Lifecycle, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(value) = field(&hooks.rest, "postStart") {
        let hook = LifecycleHandler::read(value.clone(), &mut Reader::default());
        self::hook(&hook, grace, &path.child("postStart"), errors);
    }
    if let Some(hook) = &hooks.pre_stop {
        self::hook(hook, grace, &path.child("preStop"), errors);
    }
}

fn hook(hook: &LifecycleHandler, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    let http = hook.http_get.clone().filter(|value| !value.is_null());
    let does = Handler {
        exec: hook.exec.as_ref().filter(|value| !value.is_null()),
        http: http.map(|value| HttpGetAction::read(value, &mut Reader::default())),
        tcp: field(&hook.rest, "tcpSocket"),
        grpc: None,
        sleep: hook.sleep.as_ref().map(|sleep| sleep.seconds),
    };
    handler(&does, grace, path, errors);
}

fn handler(does: &Handler, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    let mut is_first = true;
    let mut is_only = |name: &str, errors: &mut Errors| {
        if !std::mem::take(&mut is_first) {
            errors.forbidden(&path.child(name), "may not specify more than 1 handler type");
            return false;
        }
        true
    };
    if let Some(exec) = does.exec
        && is_only("exec", errors)
        && items(exec.get("command")).is_empty()
    {
        errors.required(&path.child("exec").child("command"), "");
    }
    if let Some(get) = &does.http
        && is_only("httpGet", errors)
    {
        http_get(get, &path.child("httpGet"), errors);
    }
    if let Some(tcp) = does.tcp
        && is_only("tcpSocket", errors)
    {
        let port = tcp.get("port").cloned().unwrap_or(Value::from(0));
        let port = IntOrPercent::read(port, &mut Reader::default());
        errors.port(&path.child("tcpSocket").child("port"), &port);
    }
    if let Some(grpc) = does.grpc
        && is_only("grpc", errors)
    {
        let port = grpc.get("port").and_then(Value::as_i64).unwrap_or(0);
        errors.port_number(&path.child("grpc").child("port"), port);
    }
    if let Some(seconds) = does.sleep
        && is_only("sleep", errors)
        && let Some(grace) = grace
        && !(0..=grace).contains(&seconds)
    {
        let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(&path.child("sleep"), seconds, &detail);
    }
    if is_first {
        errors.required(path, "must specify a handler type");
    }
}

fn http_get(get: &HttpGetAction, path: &Path, errors: &mut Errors) {
    if get.path.is_empty() {
        errors.required(&path.child("path"), "");
    }
    errors.port(&path.child("port"), &get.port);
    if !matches!(&*get.scheme, "HTTP" | "HTTPS") {
        errors.not_supported(&path.child("scheme"), &get.scheme, &["HTTP", "HTTPS"]);
    }
    for header in items(field(&get.rest, "httpHeaders")) {
        let name = text(header.get("name"));
        let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !fits {
            let detail = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', \
                          regex used for validation is '[-A-Za-z0-9]+')";
            errors.invalid(&path.child("httpHeaders"), name, detail);
        }
    }
}
