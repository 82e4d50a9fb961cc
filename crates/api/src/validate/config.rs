//! ConfigMaps and Secrets.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateConfigMap`, `ValidateSecret`,
//! staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go `IsConfigMapKey`.

use super::METADATA;
use super::cause::{Errors, Path};
use super::tree::{at, get, top};
use crate::Object;
use crate::decode::json_name;
use crate::text::{base64_decode, go_json_error};
use serde_json::Value;

const MAX_BYTES: usize = 1 << 20;
const ACCOUNT: &str = "kubernetes.io/service-account.name";

/// What is wrong with the key of a setting, which may become the name of a file.
pub(super) fn key_problems(key: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if key.len() > 253 {
        problems.push("must be no more than 253 characters".to_owned());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.is_empty() || !key.chars().all(fits) {
        problems.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
             'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .to_owned(),
        );
    }
    match key {
        "." => problems.push("must not be '.'".to_owned()),
        ".." => problems.push("must not be '..'".to_owned()),
        _ if key.starts_with("..") => problems.push("must not start with '..'".to_owned()),
        _ => {}
    }
    problems
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

pub(super) fn config_map(map: &Object, errors: &mut Errors) {
    let (data, binary) = (top(map, "data"), top(map, "binaryData"));
    let mut bytes = 0;
    for (field, own, other) in [("data", data, binary), ("binaryData", binary, data)] {
        for (key, value) in own.as_object().into_iter().flatten() {
            let path = Path::root(field);
            let path = path.key(key);
            errors.problems(&path, key, key_problems(key));
            if field == "data" && other.get(key).is_some() {
                errors.invalid(&path, &**key, "duplicate of key present in binaryData");
            }
            bytes += if field == "data" { length(value) } else { length(value) / 4 * 3 };
        }
    }
    if bytes > MAX_BYTES {
        errors.too_long(&Path::root(""), MAX_BYTES);
    }
}

/// What is immutable stays so, with its data.
pub(super) fn kept(old: &Object, new: &Object, fields: &[&'static str], errors: &mut Errors) {
    if top(old, "immutable").as_bool() != Some(true) {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if top(new, "immutable").as_bool() != Some(true) {
        errors.forbidden(&Path::root("immutable"), detail);
    }
    for field in fields {
        let has = |object: &Object| top(object, field).as_object().cloned().unwrap_or_default();
        if has(old) != has(new) {
            errors.forbidden(&Path::root(field), detail);
        }
    }
}

pub(super) fn secret(secret: &Object, errors: &mut Errors) {
    let data = top(secret, "data");
    let path = Path::root("data");
    let mut bytes = 0;
    for (key, value) in data.as_object().into_iter().flatten() {
        errors.problems(&path.key(key), key, key_problems(key));
        bytes += length(value) / 4 * 3;
    }
    if bytes > MAX_BYTES {
        errors.too_long(&path, MAX_BYTES);
    }
    let has = |key: &str| get(data, key).is_some();
    match top(secret, "type").as_str().unwrap_or_default() {
        "kubernetes.io/service-account-token"
            if secret.metadata().annotation(ACCOUNT).unwrap_or_default().is_empty() =>
        {
            errors.required(&METADATA.child("annotations").key(ACCOUNT), "");
        }
        "kubernetes.io/dockercfg" => json(data, ".dockercfg", &path, errors),
        "kubernetes.io/dockerconfigjson" => json(data, ".dockerconfigjson", &path, errors),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            errors.required(&path.key("username"), "");
            errors.required(&path.key("password"), "");
        }
        "kubernetes.io/ssh-auth" if at(data, "ssh-privatekey").as_str().unwrap_or_default().is_empty() => {
            errors.required(&path.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !has(key) {
                    errors.required(&path.key(key), "");
                }
            }
        }
        _ => {}
    }
}

/// A registry's credentials must be a JSON object.
fn json(data: &Value, key: &str, path: &Path, errors: &mut Errors) {
    let at = path.key(key);
    let Some(text) = get(data, key).and_then(Value::as_str) else {
        errors.required(&at, "");
        return;
    };
    let bytes = base64_decode(text).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let why = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(value) => {
            format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                json_name(&value)
            )
        }
        Err(error) => go_json_error(&text, &error).1,
    };
    errors.invalid(&at, "<secret contents redacted>", &why);
}

pub(super) fn secret_update(old: &Object, new: &Object, errors: &mut Errors) {
    let kind = |secret: &Object| top(secret, "type").as_str().unwrap_or_default().to_owned();
    if kind(old) != kind(new) {
        errors.invalid(&Path::root("type"), &*kind(new), "field is immutable");
    }
    kept(old, new, &["data"], errors);
    secret(new, errors);
}

/// What a certificate makes the server warn of.
pub(super) fn tls_warning(secret: &Object) -> Option<String> {
    if top(secret, "type").as_str() != Some("kubernetes.io/tls") {
        return None;
    }
    let data = top(secret, "data");
    let part = |key: &str| {
        base64_decode(at(data, key).as_str()?).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let (certificate, key) = (part("tls.crt").unwrap_or_default(), part("tls.key").unwrap_or_default());
    let begins = |text: &str| text.contains("-----BEGIN ") && text.contains("-----END ");
    if !begins(&certificate) {
        return Some("tls: failed to find any PEM data in certificate input".into());
    }
    (!begins(&key)).then(|| "tls: failed to find any PEM data in key input".into())
}
