//! `kubectl create configmap` and `secret`.
//!
//! Simplified: files of the terminal are text, so that ConfigMaps get no `binaryData`; hashes are not appended to names.

use super::{SAVE, VALIDATE, make, name, pair};
use crate::kubectl::change::COMMON;
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::{Flag, flag};
use crate::kubectl::invocation::Invocation;
use crate::kubectl::verb::Verb;
use serde_json::{Map, Value, json};
use setpoint_api::text::base64_encode;

static FROM: &[Flag] = &[
    flag("append-hash", '\0', "false", "Append a hash of the object to its name."),
    flag(
        "from-env-file",
        '\0',
        "[]",
        "Specify the path to a file to read lines of key=val pairs to create a secret.",
    ),
    flag(
        "from-file",
        '\0',
        "[]",
        "Key files can be specified using their file path, in which case a default name will be given to them, or optionally with a name and file path, in which case the given name will be used.",
    ),
    flag(
        "from-literal",
        '\0',
        "[]",
        "Specify a key and literal value to insert in configmap (i.e. mykey=somevalue)",
    ),
];

pub(super) static CONFIG_MAP: Verb = Verb {
    name: "configmap",
    aliases: &["cm"],
    brief: "Create a config map from a local file, directory or literal value",
    usage: "kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, FROM],
    run: config_map,
    ..Verb::NONE
};
pub(super) static SECRET: Verb = Verb {
    name: "secret",
    brief: "Create a secret using a specified subcommand",
    usage: "kubectl create secret (docker-registry | generic | tls) [options]",
    verbs: &[&DOCKER, &GENERIC, &TLS],
    ..Verb::NONE
};
static GENERIC: Verb = Verb {
    name: "generic",
    brief: "Create a secret from a local file, directory, or literal value",
    usage: "kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, FROM, &[flag("type", '\0', "''", "The type of secret to create")]],
    run: generic,
    ..Verb::NONE
};
static TLS: Verb = Verb {
    name: "tls",
    brief: "Create a TLS secret",
    usage: "kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag("cert", '\0', "''", "Path to PEM encoded public key certificate."),
            flag("key", '\0', "''", "Path to private key associated with given certificate."),
        ],
    ],
    run: tls,
    ..Verb::NONE
};
static DOCKER: Verb = Verb {
    name: "docker-registry",
    brief: "Create a secret for use with a Docker registry",
    usage: "kubectl create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag("docker-email", '\0', "''", "Email for Docker registry"),
            flag("docker-password", '\0', "''", "Password for Docker registry authentication"),
            flag(
                "docker-server",
                '\0',
                "'https://index.docker.io/v1/'",
                "Server location for Docker registry",
            ),
            flag("docker-username", '\0', "''", "Username for Docker registry authentication"),
        ],
    ],
    run: docker,
    ..Verb::NONE
};

/// The keys and texts that the flags give.
fn data(cx: &Context, call: &Invocation) -> Result<Map<String, Value>, Failure> {
    if call.has("from-env-file") && (call.has("from-file") || call.has("from-literal")) {
        return Err(Failure::error("from-env-file cannot be combined with from-file or from-literal"));
    }
    let (what, name) = (if call.verb.name == "configmap" { "ConfigMap" } else { "Secret" }, name(call)?);
    let mut data = Map::new();
    let mut put = |key: &str, text: &str| {
        let is_valid = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_valid {
            return Err(Failure::error(format!(
                "{key:?} is not a valid key name for a {what}: a valid config key must consist of alphanumeric characters, '-', '_' or \
                 '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            )));
        }
        match data.insert(key.to_owned(), Value::from(text)) {
            Some(_) => Err(Failure::error(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for {what} {name:?}"
            ))),
            None => Ok(()),
        }
    };
    for path in call.list("from-file") {
        let (key, path) = path.split_once('=').map_or((None, &*path), |(key, path)| (Some(key), path));
        if key == Some("") {
            return Err(Failure::error(format!("key name for file path {path} missing")));
        }
        let inside = format!("{}/", path.trim_start_matches("./").trim_end_matches('/'));
        let folder: Vec<(String, String)> = cx
            .terminal
            .files
            .iter()
            .filter_map(|(name, text)| Some((name.strip_prefix(&*inside)?.to_owned(), text.clone())))
            .filter(|(name, _)| !name.contains('/'))
            .collect();
        if key.is_none() && !folder.is_empty() {
            for (name, text) in folder {
                put(&name, &text)?;
            }
            continue;
        }
        let text = cx
            .file(path)
            .map_err(|_| Failure::error(format!("error reading {path}: no such file or directory")))?;
        put(key.unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path)), &text)?;
    }
    for literal in call.every("from-literal") {
        let (key, value) = pair(literal)?;
        put(key, value.trim_matches(['"', '\'']))?;
    }
    for path in call.list("from-env-file") {
        let text = cx
            .file(&path)
            .map_err(|_| Failure::error(format!("error reading {path}: no such file or directory")))?;
        let lines =
            text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            put(key, value)?;
        }
    }
    Ok(data)
}

fn config_map(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    let data = data(cx, call)?;
    let mut object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    if !data.is_empty() {
        object["data"] = data.into();
    }
    append_hash(call, &mut object);
    make(cx, call, object, "configmap")
}

fn append_hash(call: &Invocation, object: &mut Value) {
    if call.is_on("append-hash") {
        object["metadata"]["name"] = super::hash::named(object).into();
    }
}

fn secret(cx: &mut Context, call: &Invocation, data: Map<String, Value>, kind: &str) -> Result<(), Failure> {
    let mut object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name(call)? } });
    let data = data
        .into_iter()
        .map(|(key, text)| (key, base64_encode(text.as_str().unwrap_or_default().as_bytes()).into()));
    let data: Map<String, Value> = data.collect();
    if !data.is_empty() {
        object["data"] = data.into();
    }
    if !kind.is_empty() {
        object["type"] = kind.into();
    }
    append_hash(call, &mut object);
    let dry = super::Dry::of(cx, call)?;
    crate::kubectl::make::create_as(cx, call, object, "created", dry, |status| {
        Failure::error(format!("failed to create secret {}", status.message))
    })
}

fn generic(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let data = data(cx, call)?;
    secret(cx, call, data, call.text("type"))
}

fn tls(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    name(call)?;
    let (cert, key) = (call.text("cert"), call.text("key"));
    if cert.is_empty() || key.is_empty() {
        return Err(Failure::error("key and cert must be specified"));
    }
    let read = |path: &str| {
        let why = format!("Cannot read file {path}, open {path}: no such file or directory");
        cx.file(path).map_err(|_| Failure::error(why))
    };
    let (cert, key) = (read(cert)?, read(key)?);
    if !cert.contains("-----BEGIN") {
        return Err(Failure::error("tls: failed to find any PEM data in certificate input"));
    }
    if !key.contains("-----BEGIN") {
        return Err(Failure::error("tls: failed to find any PEM data in key input"));
    }
    let data =
        [("tls.crt", cert), ("tls.key", key)].into_iter().map(|(key, text)| (key.to_owned(), text.into()));
    secret(cx, call, data.collect(), "kubernetes.io/tls")
}

fn docker(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let text = |flag: &str| call.text(flag).to_owned();
    let (user, password) = (text("docker-username"), text("docker-password"));
    if user.is_empty() || password.is_empty() {
        return Err(Failure::error(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        ));
    }
    let auth = base64_encode(format!("{user}:{password}").as_bytes());
    let (server, email) = (text("docker-server"), text("docker-email"));
    // In the order of kubectl's own fields, for the text is what is stored.
    let mut entry = vec![("username", user), ("password", password), ("email", email), ("auth", auth)];
    entry.retain(|(_, value)| !value.is_empty());
    let entry: Vec<String> =
        entry.into_iter().map(|(key, value)| format!("\"{key}\":{}", Value::from(value))).collect();
    let config = format!("{{\"auths\":{{{}:{{{}}}}}}}", Value::from(server), entry.join(","));
    let data = [(".dockerconfigjson".to_owned(), Value::from(config))].into_iter().collect();
    secret(cx, call, data, "kubernetes.io/dockerconfigjson")
}
