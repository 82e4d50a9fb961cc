//! `kubectl set`: image, resources, env, serviceaccount, selector.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set.
//! Simplified: `set env --from` takes all keys; nothing is read from the terminal's own environment.

use super::change::{self, COMMON, Dry, FILES, Fault, RECORD, SELECT};
use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::invocation::Invocation;
use super::label::pairs;
use super::resource::Resource;
use super::verb::Verb;
use super::{named, rollout};
use serde_json::{Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Kind, Object, Quantity, patch};
use setpoint_sim::{Method, PatchType, Request};

pub(super) static VERB: Verb = Verb {
    name: "set",
    brief: "Set specific features on objects",
    long: "Configure application resources.\n\n These commands help you make changes to existing application resources.",
    usage: "kubectl set SUBCOMMAND [options]",
    verbs: &[&ENV, &IMAGE, &RESOURCES, &SELECTOR, &SERVICE_ACCOUNT],
    ..Verb::NONE
};
static CONTAINERS: &[Flag] = &[flag(
    "containers",
    'c',
    "'*'",
    "The names of containers in the selected pod templates to change, all containers are selected by default - may use wildcards",
)];
static IMAGE: Verb = Verb {
    name: "image",
    brief: "Update the image of a pod template",
    usage: "kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]",
    flags: &[FILES, COMMON, SELECT, RECORD],
    run: image,
    ..Verb::NONE
};
static RESOURCES: Verb = Verb {
    name: "resources",
    brief: "Update resource requests/limits on objects with pod templates",
    usage: "kubectl set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS] [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        RECORD,
        CONTAINERS,
        &[
            flag(
                "limits",
                '\0',
                "''",
                "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.",
            ),
            flag(
                "requests",
                '\0',
                "''",
                "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.",
            ),
        ],
    ],
    run: resources,
    ..Verb::NONE
};
static ENV: Verb = Verb {
    name: "env",
    brief: "Update environment variables on a pod template",
    usage: "kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        RECORD,
        CONTAINERS,
        &[
            flag(
                "env",
                'e',
                "[]",
                "Specify a key-value pair for an environment variable to set into each container.",
            ),
            flag("from", '\0', "''", "The name of a resource from which to inject environment variables"),
            flag("keys", '\0', "[]", "Comma-separated list of keys to import from specified resource"),
            flag(
                "list",
                '\0',
                "false",
                "If true, display the environment and any changes in the standard format.",
            ),
            flag(
                "overwrite",
                '\0',
                "true",
                "If true, allow environment to be overwritten, otherwise reject updates that overwrite existing environment.",
            ),
            flag("prefix", '\0', "''", "Prefix to append to variable names"),
            flag(
                "resolve",
                '\0',
                "false",
                "If true, show secret or configmap references when listing variables",
            ),
        ],
    ],
    run: env,
    ..Verb::NONE
};
static SERVICE_ACCOUNT: Verb = Verb {
    name: "serviceaccount",
    aliases: &["sa"],
    brief: "Update the service account of a resource",
    usage: "kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]",
    flags: &[FILES, COMMON, SELECT, RECORD],
    run: service_account,
    ..Verb::NONE
};
static SELECTOR: Verb = Verb {
    name: "selector",
    brief: "Set the selector on a resource",
    usage: "kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version] [options]",
    flags: &[
        FILES,
        COMMON,
        SELECT,
        RECORD,
        &[flag(
            "resource-version",
            '\0',
            "''",
            "If non-empty, the selectors update will only succeed if this is the current resource-version for the object.",
        )],
    ],
    run: selector,
    ..Verb::NONE
};

/// Where the pod spec of a kind stands.
fn pod_spec_path(resource: &Resource) -> Option<&'static str> {
    Some(match resource.model {
        Kind::Pod => "/spec",
        Kind::CronJob => "/spec/jobTemplate/spec/template/spec",
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::ReplicationController => "/spec/template/spec",
        _ => return None,
    })
}

/// Changes the pod specs of all objects that are named, and sends what has become different.
fn each(
    cx: &mut Context,
    call: &Invocation,
    objects: &[String],
    (operation, failed): (&str, &str),
    edit: &mut dyn FnMut(&mut Value) -> Result<(), String>,
) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    if call.is_on("record") {
        cx.complain("Flag --record has been deprecated, --record will be removed in the future");
    }
    let (found, mut faults) = named::objects(cx, call, objects)?;
    for (resource, object) in found {
        let before = object.to_value();
        let mut after = before.clone();
        let spec = pod_spec_path(&resource).and_then(|path| after.pointer_mut(path));
        let done = match spec {
            Some(spec) => edit(spec),
            None => Err(format!(
                "{}/{} the object is not a pod or does not have a pod template: {}",
                resource.plural,
                object.metadata().name,
                resource.go_type()
            )),
        };
        if let Err(mut message) = done {
            if message.starts_with('\'') {
                message = format!("{}/{} {message}", resource.plural, object.metadata().name);
            }
            faults.push(Fault::Client(message));
            continue;
        }
        if before == after && operation != "serviceaccount updated" {
            continue;
        }
        if call.is_on("record") {
            after["metadata"]["annotations"]["kubernetes.io/change-cause"] = call.said().into();
        }
        match send(cx, &resource, &object, (&before, &after), dry) {
            Ok(object) => change::done(cx, call, &resource, &object, operation, dry)?,
            Err(status) => faults.push(Fault::Client(format!("{failed}: {}", status.message))),
        }
    }
    Fault::end(faults)
}

fn send(
    cx: &mut Context,
    resource: &Resource,
    object: &Object,
    (before, after): (&Value, &Value),
    dry: Dry,
) -> Result<Value, setpoint_api::Status> {
    if dry == Dry::Client {
        return Ok(after.clone());
    }
    let meta = object.metadata();
    let (body, patch_type) = match rollout::type_of(resource) {
        Some(of) => (patch::two_way(before, after, of), PatchType::Strategic),
        None => (patch::merge_diff(before, after, true, true), PatchType::Merge),
    };
    let request =
        Request { body, patch_type, ..change::request(resource, Method::Patch, &meta.namespace, &meta.name) };
    change::send(cx, dry, request).map(|reply| reply.object)
}

/// Complains about what is not there, before anything else is looked at.
fn need_objects(cx: &Context, call: &Invocation, objects: &[String]) -> Result<(), Failure> {
    let (_, faults) = named::objects(cx, call, objects)?;
    Fault::end(faults)
}

/// The containers of a pod spec, those that start it included.
fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    let lists = spec.as_object_mut().into_iter().flat_map(|spec| spec.iter_mut());
    let lists = lists.filter(|(key, _)| ["containers", "initContainers"].contains(&&***key));
    lists.filter_map(|(_, list)| list.as_array_mut()).flatten()
}

fn is_called(container: &Value, pattern: &str) -> bool {
    let name = container["name"].as_str().unwrap_or_default();
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => name == pattern,
    }
}

fn image(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (objects, pairs) = pairs(&call.args, "image")?;
    need_objects(cx, call, &objects)?;
    if pairs.is_empty() {
        return Err(Failure::error("at least one image update is required"));
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().filter_map(|pair| pair.split_once('=')).collect();
    let words = ("image updated", "failed to patch image update to pod template");
    each(cx, call, &objects, words, &mut |spec| {
        for (name, image) in &pairs {
            let mut is_found = false;
            for container in containers(spec).filter(|container| is_called(container, name)) {
                container["image"] = (*image).into();
                is_found = true;
            }
            if !is_found {
                return Err(format!("unable to find container named {}", go_quote(name)));
            }
        }
        Ok(())
    })
}

fn amounts(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let read = |pair: &str| {
        let (name, amount) = pair.split_once('=').ok_or_else(|| {
            Failure::error(format!("Invalid argument syntax {pair}, expected <resource>=<value>"))
        })?;
        let amount = Quantity::parse(amount).map_err(|_| {
            Failure::error(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            )
        })?;
        Ok((name.to_owned(), amount.to_string()))
    };
    text.split(',').filter(|pair| !pair.is_empty()).map(read).collect()
}

fn resources(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    need_objects(cx, call, &call.args)?;
    let (limits, requests) = (amounts(call.text("limits"))?, amounts(call.text("requests"))?);
    if limits.is_empty() && requests.is_empty() {
        return Err(Failure::error(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let pattern = call.text("containers").to_owned();
    let words = ("resource requirements updated", "failed to patch resources update to pod template");
    each(cx, call, &call.args, words, &mut |spec| {
        let mut is_found = false;
        let list = spec["containers"].as_array_mut().into_iter().flatten();
        for container in list.filter(|container| is_called(container, &pattern)) {
            is_found = true;
            for (key, amounts) in [("limits", &limits), ("requests", &requests)] {
                for (name, amount) in amounts {
                    container["resources"][key][name] = (**amount).into();
                }
            }
        }
        if is_found { Ok(()) } else { Err(format!("unable to find container named {pattern}")) }
    })
}

fn env(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (objects, mut pairs) = pairs(&call.args, "environment variable")?;
    if objects.is_empty() && call.list("filename").is_empty() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    need_objects(cx, call, &objects)?;
    pairs.extend(call.every("env").into_iter().map(str::to_owned));
    let from = imported(cx, call)?;
    if call.is_on("list") {
        return list_env(cx, call, &objects);
    }
    let (mut found, _) = named::objects(cx, call, &objects)?;
    // Those that come to be edited.
    found.retain(|(resource, _)| pod_spec_path(resource).is_some());
    let pattern = call.text("containers").to_owned();
    let overwrites = call.is_on("overwrite");
    let words = ("env updated", "failed to patch env update to pod template");
    for one in &from {
        let (key, name) = (reference_key(one), one["name"].as_str().unwrap_or_default());
        let name = name.strip_prefix(call.text("prefix")).unwrap_or(name);
        if key != name {
            cx.complain(format!("Warning: key {key} transferred to {name}"));
        }
    }
    let (mut at, mut without) = (0, Vec::new());
    let ended = each(cx, call, &objects, words, &mut |spec| {
        at += 1;
        if !containers(spec).any(|container| is_called(container, &pattern)) {
            without.push(at - 1);
        }
        for container in containers(spec).filter(|container| is_called(container, &pattern)) {
            let mut env = container["env"].as_array().cloned().unwrap_or_default();
            for one in &from {
                env.retain(|old| old["name"] != one["name"]);
                env.push(one.clone());
            }
            for pair in &pairs {
                set_variable(&mut env, pair, overwrites)?;
            }
            if env.is_empty() {
                container.as_object_mut().and_then(|fields| fields.remove("env"));
            } else {
                container["env"] = env.into();
            }
        }
        Ok(())
    });
    for (resource, object) in without.into_iter().filter_map(|at: usize| found.get(at)) {
        cx.complain(format!(
            "Warning: {}/{} does not have any containers matching {}",
            resource.kind,
            object.metadata().name,
            go_quote(&pattern)
        ));
    }
    ended
}

/// The key that an imported variable stands for.
fn reference_key(variable: &Value) -> &str {
    let from = variable["valueFrom"].as_object().and_then(|from| from.values().next());
    from.and_then(|reference| reference["key"].as_str()).unwrap_or_default()
}

fn set_variable(env: &mut Vec<Value>, pair: &str, overwrites: bool) -> Result<(), String> {
    let Some((name, value)) = pair.split_once('=') else {
        let name = pair.trim_end_matches('-');
        env.retain(|old| old["name"] != *name);
        return Ok(());
    };
    match env.iter_mut().find(|old| old["name"] == *name) {
        Some(old) if !overwrites && old["value"] != *value => {
            let old = old["value"].as_str().unwrap_or_default();
            return Err(format!("'{name}' already has a value ({old}), and --overwrite is false"));
        }
        Some(old) => *old = json!({ "name": name, "value": value }),
        None => env.push(json!({ "name": name, "value": value })),
    }
    Ok(())
}

/// Variables that refer to the keys of a ConfigMap or Secret.
fn imported(cx: &Context, call: &Invocation) -> Result<Vec<Value>, Failure> {
    let from = call.text("from");
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let (kind, name) = from.split_once('/').unwrap_or((from, ""));
    let resource = cx.resource(kind)?;
    let source = cx.object(&resource, name)?.to_value();
    let reference = match &*resource.kind {
        "ConfigMap" => "configMapKeyRef",
        "Secret" => "secretKeyRef",
        _ => return Err(Failure::error(format!("unsupported resource specified in --from: {kind}"))),
    };
    let (keys, prefix) = (call.list("keys"), call.text("prefix"));
    let data = source["data"].as_object().cloned().unwrap_or_default();
    let wanted = data.keys().filter(|key| keys.is_empty() || keys.contains(key));
    Ok(wanted
        .map(|key| {
            let variable = format!("{prefix}{}", key.to_uppercase().replace(['-', '.'], "_"));
            json!({ "name": variable, "valueFrom": { reference: { "key": key, "name": name } } })
        })
        .collect())
}

fn list_env(cx: &mut Context, call: &Invocation, objects: &[String]) -> Result<(), Failure> {
    let (found, faults) = named::objects(cx, call, objects)?;
    for (resource, object) in found {
        let mut value = object.to_value();
        let Some(spec) = pod_spec_path(&resource).and_then(|path| value.pointer_mut(path)) else {
            continue;
        };
        for container in containers(spec) {
            let name = container["name"].as_str().unwrap_or_default();
            cx.say(format!("# {} {}, container {name}", resource.kind, object.metadata().name));
            for one in container["env"].as_array().into_iter().flatten() {
                let name = one["name"].as_str().unwrap_or_default();
                match one["value"].as_str() {
                    None if call.is_on("resolve") && resolved(cx, &one["valueFrom"]).is_some() => {
                        let value = resolved(cx, &one["valueFrom"]).unwrap_or_default();
                        cx.say(format!("{name}={value}"));
                    }
                    None if one.get("valueFrom").is_some() => {
                        cx.say(format!("# {name} from {}", reference_words(&one["valueFrom"])))
                    }
                    value => cx.say(format!("{name}={}", value.unwrap_or_default())),
                }
            }
        }
    }
    Fault::end(faults)
}

/// The value that a key of a ConfigMap or Secret has.
fn resolved(cx: &Context, from: &Value) -> Option<String> {
    for (key, kind) in [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)] {
        let Some(reference) = from.get(key) else { continue };
        let source = cx.value_of(kind, &cx.namespace, reference["name"].as_str()?)?;
        let text = source["data"][reference["key"].as_str()?].as_str()?;
        if kind == Kind::ConfigMap {
            return Some(text.to_owned());
        }
        return setpoint_api::text::base64_decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    }
    None
}

fn reference_words(from: &Value) -> String {
    for (key, what) in [("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")] {
        if let Some(reference) = from.get(key) {
            let word = |key: &str| reference[key].as_str().unwrap_or_default();
            return format!("{what} {}, key {}", word("name"), word("key"));
        }
    }
    format!("field path {}", from["fieldRef"]["fieldPath"].as_str().unwrap_or_default())
}

fn service_account(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let Some((account, objects)) =
        call.args.split_last().filter(|(_, rest)| !rest.is_empty() || !call.list("filename").is_empty())
    else {
        return Err(Failure::error("serviceaccount is required"));
    };
    let words = ("serviceaccount updated", "failed to patch ServiceAccountName");
    each(cx, call, objects, words, &mut |spec| {
        spec["serviceAccountName"] = (**account).into();
        spec["serviceAccount"] = (**account).into();
        Ok(())
    })
}

fn selector(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    // The last argument is the selector.
    let (last, objects) = call.args.split_last().ok_or_else(|| Failure::error("one selector is required"))?;
    let pairs: Vec<String> = last.split(',').map(str::to_owned).collect();
    let objects = objects.to_vec();
    need_objects(cx, call, if last.contains('=') { &objects } else { &call.args })?;
    let labels: serde_json::Map<String, Value> = pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &objects)?;
    for (resource, object) in found {
        if resource.model != Kind::Service {
            faults.push(Fault::Client("setting a selector is only supported for Services".into()));
            continue;
        }
        let before = object.to_value();
        let mut after = before.clone();
        after["spec"]["selector"] = Value::Object(labels.clone());
        match send(cx, &resource, &object, (&before, &after), dry) {
            Ok(object) => change::done(cx, call, &resource, &object, "selector updated", dry)?,
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}
