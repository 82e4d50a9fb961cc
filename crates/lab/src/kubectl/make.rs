//! Objects that verbs make out of flags: `run`, `expose`, `autoscale`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{run/run,expose/expose,autoscale/autoscale}.go.

use super::attached::Attached;
use super::change::{self, COMMON, Dry, FILES, Fault, RECORD};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::resource::{Resource, of_manifest};
use super::verb::Verb;
use super::{apply, named};
use serde_json::{Map, Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Object, Status};
use setpoint_sim::{Method, Request};

pub(super) static RUN: Verb = Verb {
    name: "run",
    brief: "Run a particular image on the cluster",
    usage: "kubectl run NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...] [options]",
    flags: &[
        COMMON,
        &[
            flag("image", '\0', "''", "The image for the container to run."),
            flag("annotations", '\0', "[]", "Annotations to apply to the pod."),
            flag(
                "attach",
                '\0',
                "false",
                "If true, wait for the Pod to start running, and then attach to the Pod.",
            ),
            flag(
                "command",
                '\0',
                "false",
                "If true and extra arguments are present, use them as the 'command' field in the container, rather than the 'args' field which is the default.",
            ),
            flag("env", 'e', "[]", "Environment variables to set in the container."),
            flag(
                "expose",
                '\0',
                "false",
                "If true, create a ClusterIP service associated with the pod.  Requires `--port`.",
            ),
            flag("image-pull-policy", '\0', "''", "The image pull policy for the container."),
            flag("labels", 'l', "''", "Comma separated labels to apply to the pod."),
            flag(
                "leave-stdin-open",
                '\0',
                "false",
                "If the pod is started in interactive mode or with stdin, leave stdin open after the first attach completes.",
            ),
            flag("overrides", '\0', "''", "An inline JSON override for the generated object."),
            flag(
                "pod-running-timeout",
                '\0',
                "1m0s",
                "The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod is running",
            ),
            flag("port", '\0', "''", "The port that this container exposes."),
            flag("privileged", '\0', "false", "If true, run the container in privileged mode."),
            flag("quiet", 'q', "false", "If true, suppress prompt messages."),
            flag(
                "restart",
                '\0',
                "'Always'",
                "The restart policy for this Pod.  Legal values [Always, OnFailure, Never].",
            ),
            flag("rm", '\0', "false", "If true, delete the pod after it exits."),
            flag(
                "save-config",
                '\0',
                "false",
                "If true, the configuration of current object will be saved in its annotation.",
            ),
            flag(
                "stdin",
                'i',
                "false",
                "Keep stdin open on the container in the pod, even if nothing is attached.",
            ),
            flag("tty", 't', "false", "Allocate a TTY for the container in the pod."),
        ],
    ],
    required: &["image"],
    run,
    ..Verb::NONE
};
pub(super) static EXPOSE: Verb = Verb {
    name: "expose",
    brief: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
    usage: "kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type] [options]",
    flags: &[
        FILES,
        COMMON,
        &[
            flag(
                "cluster-ip",
                '\0',
                "''",
                "ClusterIP to be assigned to the service. Leave empty to auto-allocate, or set to 'None' to create a headless service.",
            ),
            flag(
                "external-ip",
                '\0',
                "''",
                "Additional external IP address (not managed by Kubernetes) to accept for the service.",
            ),
            flag("labels", 'l', "''", "Labels to apply to the service created by this call."),
            flag("load-balancer-ip", '\0', "''", "IP to assign to the LoadBalancer."),
            flag("name", '\0', "''", "The name for the newly created object."),
            flag("overrides", '\0', "''", "An inline JSON override for the generated object."),
            flag(
                "port",
                '\0',
                "''",
                "The port that the service should serve on. Copied from the resource being exposed, if unspecified",
            ),
            flag(
                "protocol",
                '\0',
                "''",
                "The network protocol for the service to be created. Default is 'TCP'.",
            ),
            flag(
                "save-config",
                '\0',
                "false",
                "If true, the configuration of current object will be saved in its annotation.",
            ),
            flag("selector", '\0', "''", "A label selector to use for this service."),
            flag(
                "session-affinity",
                '\0',
                "''",
                "If non-empty, set the session affinity for the service to this; legal values: 'None', 'ClientIP'",
            ),
            flag(
                "target-port",
                '\0',
                "''",
                "Name or number for the port on the container that the service should direct traffic to. Optional.",
            ),
            flag(
                "type",
                '\0',
                "''",
                "Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName. Default is 'ClusterIP'.",
            ),
        ],
    ],
    run: expose,
    ..Verb::NONE
};
pub(super) static AUTOSCALE: Verb = Verb {
    name: "autoscale",
    brief: "Auto-scale a deployment, replica set, stateful set, or replication controller",
    usage: "kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY] [options]",
    flags: &[
        FILES,
        COMMON,
        RECORD,
        &[
            flag(
                "cpu",
                '\0',
                "''",
                "Target CPU utilization over all the pods. When specified as a percentage (e.g.\"70%\" for 70% of requested CPU) it will target average utilization. When specified as quantity (e.g.\"500m\" for 500 milliCPU) it will target average value.",
            ),
            flag(
                "cpu-percent",
                '\0',
                "-1",
                "The target average CPU utilization (represented as a percent of requested CPU) over all the pods.",
            ),
            flag(
                "max",
                '\0',
                "-1",
                "The upper limit for the number of pods that can be set by the autoscaler. Required.",
            ),
            flag("memory", '\0', "''", "Target memory utilization over all the pods."),
            flag(
                "min",
                '\0',
                "-1",
                "The lower limit for the number of pods that can be set by the autoscaler.",
            ),
            flag(
                "name",
                '\0',
                "''",
                "The name for the newly created object. If not specified, the name of the input resource will be used.",
            ),
            flag(
                "save-config",
                '\0',
                "false",
                "If true, the configuration of current object will be saved in its annotation.",
            ),
        ],
    ],
    required: &["max"],
    run: autoscale,
    ..Verb::NONE
};

/// Creates an object that was made out of flags, and says so.
pub(super) fn create(
    cx: &mut Context,
    call: &Invocation,
    object: Value,
    operation: &str,
) -> Result<(), Failure> {
    let dry = Dry::of(cx, call)?;
    create_as(cx, call, object, operation, dry, |status| status.into())
}

pub(super) fn create_as(
    cx: &mut Context,
    call: &Invocation,
    object: Value,
    operation: &str,
    dry: Dry,
    refused: impl FnOnce(Status) -> Failure,
) -> Result<(), Failure> {
    let (resource, object) = created(cx, call, object, dry, refused)?;
    change::done(cx, call, &resource, &object, operation, dry)
}

/// Creates an object and says nothing of it.
fn created(
    cx: &mut Context,
    call: &Invocation,
    mut object: Value,
    dry: Dry,
    refused: impl FnOnce(Status) -> Failure,
) -> Result<(Resource, Value), Failure> {
    let word = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (word("apiVersion"), word("kind"));
    let resource = of_manifest(cx.store(), &api_version, &kind).ok_or_else(|| Failure::no_resource(&kind))?;
    let namespace = cx.namespace_of(&resource);
    // What is shown of a dry run has the namespace only if the line has it.
    if resource.is_namespaced && (call.has("namespace") || dry != Dry::Client) {
        object["metadata"]["namespace"] = namespace.clone().into();
    }
    if call.verb.flag("save-config").is_some() && call.is_on("save-config") {
        object = apply::with_last_applied(&object);
    }
    if dry == Dry::Client {
        return Ok((resource, object));
    }
    let request = Request {
        body: object,
        field_validation: setpoint_sim::FieldValidation::Strict,
        ..change::request(&resource, Method::Create, &namespace, "")
    };
    let reply = change::send(cx, dry, request).map_err(refused)?;
    Ok((resource, reply.object))
}

/// `a=b,c=d` as a mapping.
pub(super) fn texts(list: &str) -> Result<Map<String, Value>, Failure> {
    let pairs = list.split(',').filter(|pair| !pair.is_empty());
    let read = |pair: &str| match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), Value::from(value))),
        _ => Err(Failure::error(format!("unexpected label spec: {pair}"))),
    };
    pairs.map(read).collect()
}

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (name, words) = match call.args.split_first() {
        Some((name, words)) if call.dash != Some(0) => (name, words),
        _ => return Err(call.misuse("NAME is required for run")),
    };
    let image = call.text("image");
    if image.is_empty() {
        return Err(Failure::error("--image is required"));
    }
    if image.contains(char::is_whitespace) {
        return Err(Failure::error(format!(
            "Invalid image name {}: invalid reference format",
            go_quote(image)
        )));
    }
    let restart = call.text("restart");
    if !["Always", "OnFailure", "Never"].contains(&restart) {
        return Err(call.misuse(format!("invalid restart policy: {restart}")));
    }
    let pull = call.text("image-pull-policy");
    if !["", "Always", "IfNotPresent", "Never"].contains(&pull) {
        return Err(call.misuse(format!("invalid image pull policy: {pull}")));
    }
    let is_attached = call.is_on("attach") || call.is_on("stdin") || call.is_on("tty");
    if call.is_on("tty") && !call.is_on("stdin") {
        return Err(call.misuse("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if call.is_on("rm") && !is_attached {
        return Err(call.misuse("--rm should only be used for attached containers"));
    }
    if is_attached && Dry::of(cx, call)? != Dry::No {
        return Err(call.misuse(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ));
    }
    if call.is_on("expose") && call.text("port").is_empty() {
        return Err(call.misuse("--port must be set when exposing a service"));
    }
    check_port(call.text("port"))?;
    let mut container = json!({ "name": name, "image": image, "resources": {} });
    let mut env = Vec::new();
    for pair in call.every("env") {
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::error(format!("invalid env: {pair}")));
        };
        env.push(json!({ "name": name, "value": value }));
    }
    let port: Option<i64> = call.text("port").parse().ok();
    let mut put = |key: &str, value: Value, is_given: bool| {
        if is_given {
            container[key] = value;
        }
    };
    put("env", env.clone().into(), !env.is_empty());
    put("ports", json!([{ "containerPort": port }]), port.is_some());
    put(if call.is_on("command") { "command" } else { "args" }, json!(words), !words.is_empty());
    put("imagePullPolicy", call.text("image-pull-policy").into(), call.has("image-pull-policy"));
    put("stdin", true.into(), call.is_on("stdin"));
    put("stdinOnce", true.into(), call.is_on("stdin") && !call.is_on("leave-stdin-open"));
    put("tty", true.into(), call.is_on("tty"));
    put("securityContext", json!({ "privileged": true }), call.is_on("privileged"));
    let labels =
        if call.has("labels") { texts(call.text("labels"))? } else { texts(&format!("run={name}"))? };
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": labels },
        "spec": { "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart },
        "status": {},
    });
    let annotations = texts(&call.every("annotations").join(","))?;
    if !annotations.is_empty() {
        pod["metadata"]["annotations"] = annotations.into();
    }
    if call.has("overrides") {
        let overrides: Value =
            serde_json::from_str(call.text("overrides")).map_err(|_| Failure::error("Invalid JSON Patch"))?;
        pod = setpoint_api::patch::apply_merge(&pod, &overrides).unwrap_or(pod);
    }
    let service = call.is_on("expose").then(|| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name },
            "spec": { "ports": [{ "port": port, "protocol": "TCP", "targetPort": port }], "selector": labels },
            "status": { "loadBalancer": {} },
        })
    });
    if is_attached {
        let mut kinds = Vec::new();
        for object in [Some(pod), service].into_iter().flatten() {
            kinds.push(created(cx, call, object, Dry::No, |status| status.into())?.0);
        }
        cx.go_on(Attached::new(cx, call, kinds));
        return Ok(());
    }
    if let Some(service) = service {
        create(cx, call, service, "created")?;
    }
    create(cx, call, pod, "created")
}

/// The kinds that a Service can be made for.
const EXPOSED: &[&str] = &["Service", "Pod", "ReplicationController", "Deployment", "ReplicaSet"];

/// Complains about a port that is no number, as Go does.
fn check_port(text: &str) -> Result<(), Failure> {
    let is_number = |port: &str| port.is_empty() || port.parse::<i64>().is_ok();
    match text.split(',').find(|port| !is_number(port)) {
        Some(port) => {
            Err(Failure::error(format!("strconv.Atoi: parsing {}: invalid syntax", go_quote(port))))
        }
        None => Ok(()),
    }
}

fn expose(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (found, faults) = named::objects(cx, call, &call.args)?;
    Fault::end(faults)?;
    for (resource, object) in found {
        if !EXPOSED.contains(&&*resource.kind) {
            return Err(Failure::error(format!("cannot expose a {}", resource.kind)));
        }
        let given = call.text("name");
        let name = if given.is_empty() { object.metadata().name.to_string() } else { given.to_owned() };
        let value = object.to_value();
        let selector = if call.has("selector") {
            texts(call.text("selector"))?
        } else {
            selector_of(&object, &value).ok_or_else(|| {
                Failure::error(format!("cannot expose a {}: no selector found", resource.kind))
            })?
        };
        let ports = ports_of(call, &value)?;
        let mut labels = value["metadata"]["labels"].as_object().cloned().unwrap_or_default();
        if call.has("labels") {
            labels = texts(call.text("labels"))?;
        }
        let mut service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name },
            "spec": { "ports": ports, "selector": selector },
            "status": { "loadBalancer": {} },
        });
        if !labels.is_empty() {
            service["metadata"]["labels"] = labels.into();
        }
        for (flag, field) in [
            ("type", "type"),
            ("cluster-ip", "clusterIP"),
            ("session-affinity", "sessionAffinity"),
            ("load-balancer-ip", "loadBalancerIP"),
        ] {
            if call.has(flag) {
                service["spec"][field] = call.text(flag).into();
            }
        }
        if call.has("external-ip") {
            service["spec"]["externalIPs"] = json!([call.text("external-ip")]);
        }
        create(cx, call, service, "exposed")?;
    }
    Ok(())
}

/// The labels by which the pods of an object are found.
fn selector_of(object: &Object, value: &Value) -> Option<Map<String, Value>> {
    match object {
        Object::Pod(_) => value["metadata"]["labels"].as_object().cloned(),
        Object::Service(_) | Object::ReplicationController(_) => {
            value["spec"]["selector"].as_object().cloned()
        }
        _ => value["spec"]["selector"]["matchLabels"].as_object().cloned(),
    }
}

/// The ports of the new Service: given, or those of the object.
fn ports_of(call: &Invocation, value: &Value) -> Result<Vec<Value>, Failure> {
    let target = call.text("target-port");
    let port_value = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let protocol = |own: &Value| {
        if call.has("protocol") {
            call.text("protocol").into()
        } else if own.is_string() {
            own.clone()
        } else {
            "TCP".into()
        }
    };
    let spec = value.pointer("/spec/template/spec").unwrap_or(&value["spec"]);
    let own: Vec<(i64, Value)> = match spec["containers"].as_array() {
        Some(containers) => {
            let ports =
                containers.iter().flat_map(|container| container["ports"].as_array().into_iter().flatten());
            ports
                .filter_map(|port| Some((port["containerPort"].as_i64()?, port["protocol"].clone())))
                .collect()
        }
        None => {
            let ports = spec["ports"].as_array().into_iter().flatten();
            ports.filter_map(|port| Some((port["port"].as_i64()?, port["protocol"].clone()))).collect()
        }
    };
    check_port(call.text("port"))?;
    let given: Vec<i64> = call.text("port").split(',').filter_map(|port| port.parse().ok()).collect();
    let ports: Vec<(i64, Value)> = if given.is_empty() {
        own
    } else {
        let of_own = |port: i64| {
            own.iter().find(|(own, _)| *own == port).map_or(Value::Null, |(_, protocol)| protocol.clone())
        };
        given.into_iter().map(|port| (port, of_own(port))).collect()
    };
    if ports.is_empty() {
        return Err(Failure::error("couldn't find port via --port flag or introspection"));
    }
    let is_alone = ports.len() == 1;
    let made = ports.into_iter().enumerate().map(|(index, (port, own))| {
        let target = if target.is_empty() { Value::from(port) } else { port_value(target) };
        let mut made = json!({ "port": port, "protocol": protocol(&own), "targetPort": target });
        if !is_alone {
            made["name"] = format!("port-{}", index + 1).into();
        }
        made
    });
    Ok(made.collect())
}

fn autoscale(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let (min, max) = (call.number("min"), call.number("max"));
    if max < 1 {
        return Err(call.misuse(format!("--max=MAXPODS is required and must be at least 1, max: {max}")));
    }
    if max < min {
        return Err(Failure::error(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    let (found, faults) = named::objects(cx, call, &call.args)?;
    Fault::end(faults)?;
    let mut metrics = Vec::new();
    if call.number("cpu-percent") > 0 {
        cx.complain("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).");
        metrics.push(metric("cpu", &format!("{}%", call.number("cpu-percent"))));
    }
    for name in ["cpu", "memory"] {
        if call.has(name) {
            metrics.push(metric(name, call.text(name)));
        }
    }
    for (resource, object) in found {
        if !SCALED.contains(&&*resource.kind) {
            let (kind, version, plural) = (&resource.kind, &resource.api_version, &resource.plural);
            let place = if version.contains('/') { version.clone() } else { format!("/{version}") };
            return Err(Failure::error(format!(
                "cannot autoscale a {kind}: could not find scale subresource for {place}, Resource={plural} in discovery \
                 information"
            )));
        }
        let scaled = &object.metadata().name;
        let name = if call.has("name") { call.text("name").to_owned() } else { scaled.to_string() };
        let mut autoscaler = json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": name },
            "spec": {
                "maxReplicas": max,
                "scaleTargetRef": { "apiVersion": resource.api_version, "kind": resource.kind, "name": &**scaled },
            },
            "status": { "currentMetrics": null, "desiredReplicas": 0 },
        });
        if min > 0 {
            autoscaler["spec"]["minReplicas"] = min.into();
        }
        if !metrics.is_empty() {
            autoscaler["spec"]["metrics"] = metrics.clone().into();
        }
        let operation = if Dry::of(cx, call)? == Dry::Client { "created" } else { "autoscaled" };
        create(cx, call, autoscaler, operation)?;
    }
    Ok(())
}

/// The kinds that have a scale.
const SCALED: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"];

/// A target for a resource: a share of the request, or an amount.
fn metric(name: &str, text: &str) -> Value {
    let target = match text.strip_suffix('%').and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) => json!({ "averageUtilization": percent, "type": "Utilization" }),
        None => json!({ "averageValue": text, "type": "AverageValue" }),
    };
    json!({ "resource": { "name": name, "target": target }, "type": "Resource" })
}
