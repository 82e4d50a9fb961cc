//! `kubectl taint`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/taint/{taint,utils}.go.

use super::change::{self, COMMON, Dry, Fault, SELECT};
use super::context::Context;
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::label::pairs;
use super::named;
use super::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::text::go_quote;
use setpoint_api::{Object, Taint, wire::Wire as _};

pub(super) static VERB: Verb = Verb {
    name: "taint",
    brief: "Update the taints on one or more nodes",
    usage: "kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N [options]",
    flags: &[
        COMMON,
        SELECT,
        &[
            flag(
                "overwrite",
                '\0',
                "false",
                "If true, allow taints to be overwritten, otherwise reject taint updates that overwrite existing taints.",
            ),
            flag("validate", '\0', "'strict'", "Must be one of: strict (or true), warn, ignore (or false).")
                .or_bare("strict"),
        ],
    ],
    run,
    ..Verb::NONE
};

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    // Taints may be written without a value, `key:NoSchedule`, which other pairs may not.
    let marked: Vec<String> = call
        .args
        .iter()
        .map(|word| {
            if word.contains(':') && !word.contains('=') && !word.ends_with('-') {
                format!("{word}=")
            } else {
                word.clone()
            }
        })
        .collect();
    let (objects, pairs) = pairs(&marked, "taint")?;
    if objects.is_empty() {
        return Err(Failure::error("one or more resources must be specified as <resource> <name>"));
    }
    if pairs.is_empty() {
        return Err(Failure::error("at least one taint update is required"));
    }
    if let Ok(resource) = cx.resource(&objects[0])
        && resource.kind != "Node"
    {
        let kind = objects.first().map_or("", |word| &**word);
        return Err(Failure::error(format!("invalid resource type {kind}, only node types are supported")));
    }
    if objects.len() == 1
        && !objects.iter().any(|word| word.contains('/'))
        && !call.is_on("all")
        && !call.has("selector")
    {
        return Err(Failure::error(
            "at least one resource name must be specified since 'all' parameter is not set",
        ));
    }
    let (added, removed) = parse(call, &pairs)?;
    let dry = Dry::of(cx, call)?;
    let (found, mut faults) = named::objects(cx, call, &objects)?;
    for (resource, object) in found {
        let Object::Node(node) = &object else { continue };
        let (taints, operation) =
            match merge(&node.metadata.name, &node.spec.taints, &added, &removed, call.is_on("overwrite")) {
                Ok(merged) => merged,
                Err(message) => {
                    faults.push(Fault::Client(message));
                    continue;
                }
            };
        let taints: Vec<Value> = taints.iter().map(Taint::write_always).collect();
        let patch =
            json!({ "spec": { "taints": if taints.is_empty() { Value::Null } else { json!(taints) } } });
        match change::send_patch(cx, dry, &resource, &object, patch) {
            // What was only tried is not said to be: kubectl prints the same line.
            Ok(object) => change::done(cx, call, &resource, &object, operation, Dry::No)?,
            Err(status) => faults.push(status.into()),
        }
    }
    Fault::end(faults)
}

/// Upstream: `parseTaints`, pkg/util/taints (`parseTaint`).
fn parse(call: &Invocation, pairs: &[String]) -> Result<(Vec<Taint>, Vec<Taint>), Failure> {
    let (mut added, mut removed) = (Vec::<Taint>::new(), Vec::<Taint>::new());
    for pair in pairs {
        // An empty value was put in by the caller, so that `key:Effect` counts as a pair.
        let spec = if pair.contains(':') && pair.ends_with('=') { pair.trim_end_matches('=') } else { pair };
        let (text, is_removed) = match spec.strip_suffix('-') {
            Some(rest) => (rest, true),
            None => (spec, false),
        };
        let wrong = |why: &str| call.misuse(format!("invalid taint spec: {text}{why}"));
        let mut parts = text.split(':');
        let (rest, effect) = (parts.next().unwrap_or(""), parts.next());
        if parts.next().is_some() {
            return Err(wrong(""));
        }
        if let Some(effect) = effect
            && !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect)
        {
            return Err(call.misuse(format!("invalid taint effect: {effect}, unsupported taint effect")));
        }
        let mut words = match effect {
            Some(_) => rest.split('='),
            // Without an effect all of it is the key.
            None => text.split('\n'),
        };
        let (key, value) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        if words.next().is_some() {
            return Err(wrong(""));
        }
        let bad = setpoint_api::names::is_valid_label_value(value);
        if !bad.is_empty() {
            return Err(wrong(&format!(", {}", bad.join("; "))));
        }
        let bad = setpoint_api::names::is_qualified_name(key);
        if !bad.is_empty() {
            return Err(wrong(&format!(", {}", bad.join("; "))));
        }
        let effect = effect.unwrap_or("");
        if effect.is_empty() && !is_removed {
            return Err(wrong(""));
        }
        let taint = Taint { key: key.into(), value: value.into(), effect: effect.into(), ..Taint::default() };
        if !is_removed && added.iter().any(|old| old.key == taint.key && old.effect == taint.effect) {
            return Err(call.misuse(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            )));
        }
        if is_removed { removed.push(taint) } else { added.push(taint) }
    }
    let both = |gone: &&Taint| {
        added.iter().any(|new| new.key == gone.key && (gone.effect.is_empty() || new.effect == gone.effect))
    };
    let both: Vec<String> =
        removed.iter().filter(both).map(|gone| format!("{}={}", gone.key, gone.value)).collect();
    if !both.is_empty() {
        return Err(Failure::error(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        )));
    }
    Ok((added, removed))
}

/// The taints of a node with the changes in them, and what was done to it.
///
/// Upstream: `reorganizeTaints`.
fn merge(
    node: &str,
    old: &[Taint],
    added: &[Taint],
    removed: &[Taint],
    overwrites: bool,
) -> Result<(Vec<Taint>, &'static str), String> {
    let same = |a: &Taint, b: &Taint| a.key == b.key && a.effect == b.effect;
    let there: Vec<&str> =
        added.iter().filter(|new| old.iter().any(|old| same(old, new))).map(|taint| &*taint.key).collect();
    if !there.is_empty() && !overwrites {
        let keys = there.join(",");
        return Err(format!(
            "node {node} already has {keys} taint(s) with same effect(s) and --overwrite is false"
        ));
    }
    let mut taints = added.to_vec();
    taints.extend(old.iter().filter(|old| !added.iter().any(|new| same(old, new))).cloned());
    let is_added = added.iter().any(|new| !old.iter().any(|old| same(old, new)));
    let mut is_removed = false;
    for gone in removed {
        let before = taints.len();
        taints.retain(|taint| {
            taint.key != gone.key || (!gone.effect.is_empty() && taint.effect != gone.effect)
        });
        if taints.len() == before {
            let name = if gone.effect.is_empty() {
                gone.key.to_string()
            } else {
                format!("{}:{}", gone.key, gone.effect)
            };
            return Err(format!("taint {} not found", go_quote(&name)));
        }
        is_removed = true;
    }
    let operation = match (is_added, is_removed) {
        (true, true) => "modified",
        _ if overwrites => "modified",
        (true, false) => "tainted",
        _ => "untainted",
    };
    Ok((taints, operation))
}
