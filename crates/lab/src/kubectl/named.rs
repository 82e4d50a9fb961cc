//! The stored objects that a changing verb is about: by arguments, by `-l`, by `--all`, or by the names in `-f`.
//!
//! Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go.

use super::change::{Fault, nothing_named};
use super::context::Context;
use super::failure::Failure;
use super::get::FieldSelector;
use super::invocation::Invocation;
use super::resource::{self, Resource};
use super::source;
use setpoint_api::{Object, Selector};

/// Objects, each with its kind.
pub(super) type Found = Vec<(Resource, Object)>;

/// The objects that are named, and those that are not there.
///
/// # Errors
/// Kinds that the cluster does not know; nothing named at all.
pub(super) fn objects(
    cx: &Context,
    call: &Invocation,
    args: &[String],
) -> Result<(Found, Vec<Fault>), Failure> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    if !call.list("filename").is_empty() {
        let (items, unread) = source::items(cx, call)?;
        faults.extend(unread);
        for item in items {
            match item.live(cx) {
                Some(object) => found.push((item.resource, object)),
                None => faults.push(item.resource.not_found(&item.name).into()),
            }
        }
        return Ok((found, faults));
    }
    if call.verb.flag("local").is_some() && call.is_on("local") {
        return Err(Failure::error(
            "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   \
             '-f rsrc.yaml'\n   '--filename=rsrc.json'",
        ));
    }
    if args.is_empty() {
        return Err(nothing_named());
    }
    // What `expose --selector` says is about the Service that it makes.
    let selector = if call.verb.name == "expose" { "" } else { call.text("selector") };
    let is_on = |flag: &str| call.verb.flag(flag).is_some() && call.is_on(flag);
    // Without a name, `rollout` and `edit` are about all of a kind.
    let means_all = call.path.starts_with("kubectl rollout ") || call.verb.name == "edit";
    let (takes_all, everywhere) = (is_on("all") || means_all, is_on("all-namespaces"));
    let fields = if call.verb.flag("field-selector").is_some() { call.text("field-selector") } else { "" };
    for target in resource::targets(cx, args)? {
        let resource = target.resource;
        match target.name {
            Some(_) if !selector.is_empty() || !fields.is_empty() => {
                return Err(Failure::error("name cannot be provided when a selector is specified"));
            }
            Some(name) => match resource.find(cx.store(), &cx.namespace_of(&resource), &name) {
                Some(object) => found.push((resource, object)),
                None => faults.push(resource.not_found(&name).into()),
            },
            None if selector.is_empty() && fields.is_empty() && !takes_all => {
                return Err(Failure::error("resource(s) were provided, but no name was specified"));
            }
            None => {
                let parsed = Selector::parse(selector)
                    .map_err(|why| resource::bad_query(&resource, selector, "", &why.to_string()))?;
                let by_fields = FieldSelector::parse(fields, &resource.kind)
                    .map_err(|why| resource::bad_query(&resource, selector, fields, &why))?;
                let mut all = cx.objects(&resource, everywhere, &parsed);
                // What is not stored can neither be changed nor deleted.
                all.retain(|object| object.id() != setpoint_api::ObjId::default());
                all.retain(|object| fields.is_empty() || by_fields.matches(&object.to_value()));
                found.extend(all.into_iter().map(|object| (resource.clone(), object)));
            }
        }
    }
    Ok((found, faults))
}
