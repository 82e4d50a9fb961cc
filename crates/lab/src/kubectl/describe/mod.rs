//! `kubectl describe`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/describe/describe.go, staging/src/k8s.io/kubectl/pkg/describe.

mod autoscaler;
mod network;
mod node;
mod pod;
mod policy;
mod rest;
mod text;
mod volumes;
mod workload;

pub(super) use pod::field_of;

/// A pod template by itself, its cells divided by tabs, as `rollout history` shows one.
pub(super) fn template(template: &Value, now: Time) -> String {
    let mut out = Text::new(now);
    pod::template(&mut out, template, "");
    out.unaligned()
}

use super::context::Context;
use super::failure::Failure;
use super::flag::{ALL_NAMESPACES, CHUNK_SIZE, flag};
use super::invocation::Invocation;
use super::print::look;
use super::resource::{self, Resource, Target};
use super::verb::Verb;
use serde_json::Value;
use setpoint_api::{Event, Kind, Object, Selector, Time};
use text::Text;

pub(super) static VERB: Verb = Verb {
    name: "describe",
    brief: "Show details of a specific resource or group of resources",
    long: "Show details of a specific resource or group of resources.\n\n Print a detailed description of the selected \
           resources, including related resources such as events or controllers. You may select a single object by name, \
           all objects of that type, provide a name prefix, or label selector.",
    examples: "# Describe a node\nkubectl describe nodes kubernetes-node-emt8.c.myproject.internal\n\n# Describe a \
               pod\nkubectl describe pods/nginx\n\n# Describe all pods\nkubectl describe pods\n\n# Describe pods by \
               label name=myLabel\nkubectl describe pods -l name=myLabel",
    usage: "kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
    flags: &[&[
        ALL_NAMESPACES,
        CHUNK_SIZE,
        flag(
            "filename",
            'f',
            "[]",
            "Filename, directory, or URL to files containing the resource to describe",
        ),
        flag(
            "kustomize",
            'k',
            "''",
            "Process the kustomization directory. This flag can't be used together with -f or -R.",
        ),
        flag("recursive", 'R', "false", "Process the directory used in -f, --filename recursively."),
        flag(
            "selector",
            'l',
            "''",
            "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
        ),
        flag("show-events", '\0', "true", "If true, display events related to the described object."),
    ]],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let mut args = call.args.clone();
    if call.has("filename") {
        args.extend(super::manifest::names(cx, call)?);
    }
    if args.is_empty() {
        return Err(Failure::error(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources.\n",
        ));
    }
    let targets = resource::targets(cx, &args)?;
    let (found, failures) = find(cx, call, &targets)?;
    if found.is_empty() && failures.is_empty() {
        cx.complain(if call.is_on("all-namespaces") {
            "No resources found".to_owned()
        } else {
            format!("No resources found in {} namespace.", cx.namespace)
        });
    }
    // The events of many are too much to read, unless they were asked for.
    let with_events = call.is_on("show-events") && (found.len() == 1 || call.has("show-events"));
    for (index, (resource, object)) in found.iter().enumerate() {
        if index > 0 {
            cx.print("\n\n");
        }
        let events = with_events.then(|| events_of(cx, object));
        let text = describe(cx, resource, object, events.as_deref());
        cx.print(text);
    }
    Failure::all(failures)
}

type Found = (Vec<(Resource, Object)>, Vec<Failure>);

/// What the arguments name; a name that is not there may be the beginning of others.
fn find(cx: &Context, call: &Invocation, targets: &[Target]) -> Result<Found, Failure> {
    let everywhere = call.is_on("all-namespaces");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for Target { resource, name } in targets {
        if let Some(values) = super::synthetic::list(cx, resource).filter(|_| resource.kind == "Endpoints") {
            let mut is_found = false;
            for value in values {
                let meta = &value["metadata"];
                let is_here = everywhere || meta["namespace"] == *cx.namespace;
                if is_here && name.as_ref().is_none_or(|name| meta["name"] == **name) {
                    is_found = true;
                    found.push((resource.clone(), Object::from_value(resource.model, value).0));
                }
            }
            if let Some(name) = name.as_ref().filter(|_| !is_found) {
                failures.push(resource.not_found(name).into());
            }
            continue;
        }
        let Some(name) = name else {
            let selector = call.text("selector");
            let parsed =
                Selector::parse(selector).map_err(|why| resource::bad_query(resource, selector, "", &why))?;
            let objects = cx.objects(resource, everywhere, &parsed);
            found.extend(objects.into_iter().map(|object| (resource.clone(), object)));
            continue;
        };
        if call.has("selector") {
            return Err(Failure::error("name cannot be provided when a selector is specified"));
        }
        match cx.object(resource, name) {
            Ok(object) => found.push((resource.clone(), object)),
            Err(failure) => {
                let mut begun = cx.objects(resource, everywhere, &Selector::default());
                begun.retain(|object| object.metadata().name.starts_with(&**name));
                if begun.is_empty() {
                    failures.push(failure);
                }
                found.extend(begun.into_iter().map(|object| (resource.clone(), object)));
            }
        }
    }
    Ok((found, failures))
}

/// The events about an object, by when they were last seen.
fn events_of(cx: &Context, object: &Object) -> Vec<Value> {
    let meta = object.metadata();
    let kind = object.kind_name();
    let is_about = |event: &Event| {
        let about = &event.involved_object;
        *about.kind == *kind
            && *about.name == *meta.name
            && (about.uid.is_none_or(|uid| uid == meta.uid) || object.kind() == Kind::Node)
            && (*about.namespace == *meta.namespace || meta.namespace.is_empty())
    };
    let mut events: Vec<_> = cx.store().list::<Event>().filter(|event| is_about(event)).collect();
    // Those of one second keep the order in which they were made.
    events.sort_by_key(|event| event.metadata.id);
    events.sort_by_key(|event| event.last_timestamp);
    events.into_iter().map(|event| Object::Event(event.clone()).to_value()).collect()
}

/// The description of an object.
fn describe(cx: &Context, resource: &Resource, object: &Object, events: Option<&[Value]>) -> String {
    let value = super::served::value(resource, object);
    let mut out = Text::new(cx.now());
    let store = cx.store();
    match look::text(&value, "/kind") {
        "Pod" => pod::describe(&mut out, &value, events),
        "Node" => node::describe(&mut out, &value, store, events),
        "Deployment" => workload::deployment(&mut out, &value, store, events),
        "ReplicaSet" | "ReplicationController" => workload::replica_set(&mut out, &value, store, events),
        "StatefulSet" => workload::stateful_set(&mut out, &value, store, events),
        "DaemonSet" => workload::daemon_set(&mut out, &value, store, events),
        "Job" => workload::job(&mut out, &value, events),
        "CronJob" => workload::cron_job(&mut out, &value, events),
        "PodDisruptionBudget" => workload::disruption_budget(&mut out, &value, events),
        "Service" => network::service(&mut out, &value, store, events),
        "EndpointSlice" => network::endpoint_slice(&mut out, &value, events),
        "Ingress" => network::ingress(&mut out, &value, store, events),
        "HorizontalPodAutoscaler" => autoscaler::describe(&mut out, &value, events),
        "Namespace" => rest::namespace(&mut out, &value, store),
        "ResourceQuota" => rest::quota(&mut out, &value),
        "LimitRange" => rest::limit_range(&mut out, &value),
        "ConfigMap" => rest::config_map(&mut out, &value, events),
        "Secret" => rest::secret(&mut out, &value),
        "ServiceAccount" => rest::service_account(&mut out, &value, events),
        "Role" | "ClusterRole" => policy::role(&mut out, &value),
        "RoleBinding" | "ClusterRoleBinding" => policy::binding(&mut out, &value),
        "PriorityClass" => policy::priority_class(&mut out, &value, events),
        "StorageClass" => policy::storage_class(&mut out, &value, events),
        "PersistentVolumeClaim" => policy::claim(&mut out, &value, store, events),
        "PersistentVolume" => policy::volume(&mut out, &value, events),
        "NetworkPolicy" => policy::network_policy(&mut out, &value),
        "Endpoints" => policy::endpoints(&mut out, &value, events),
        _ => rest::generic(&mut out, &value, events),
    }
    out.finish()
}
