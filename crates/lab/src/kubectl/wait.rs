//! `kubectl wait`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/wait/{wait,condition,delete,json}.go.

use super::change::{COMMON, FILES, Fault};
use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::flag;
use super::invocation::Invocation;
use super::jsonpath::JsonPath;
use super::resource::{self, Resource};
use super::verb::Verb;
use super::{change, named};
use serde_json::Value;
use setpoint_api::text::go_quote;
use setpoint_api::{Object, Reason, Time};

pub(super) static VERB: Verb = Verb {
    name: "wait",
    brief: "Wait for a specific condition on one or many resources",
    usage: "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] [options]",
    flags: &[
        FILES,
        COMMON,
        change::SELECT,
        &[
            flag(
                "all-namespaces",
                'A',
                "false",
                "If present, list the requested object(s) across all namespaces.",
            ),
            flag("field-selector", '\0', "''", "Selector (field query) to filter on."),
            flag(
                "for",
                '\0',
                "''",
                "The condition to wait on: [create|delete|condition=condition-name[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value]]. The default condition-value is true. Condition values are compared after Unicode simple case folding, which is a more general form of case-insensitivity.",
            ),
            flag(
                "timeout",
                '\0',
                "30s",
                "The length of time to wait before giving up.  Zero means check once and don't wait, negative means wait for a week.",
            ),
        ],
    ],
    run,
    ..Verb::NONE
};

/// A week, which stands for ever.
const EVER: i64 = 7 * 24 * 3_600 * 1_000_000;

/// What is waited for.
enum Wanted {
    Created,
    Deleted,
    Condition(String, String),
    Path(JsonPath, Option<String>),
}

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let wanted = wanted(call.text("for"))?;
    let timeout = call.duration("timeout");
    let until = cx.now().plus(if timeout < 0 { EVER } else { timeout });
    let waiting = match wanted {
        Wanted::Created if !call.is_on("all") && !call.has("selector") => expected(cx, call)?,
        _ => {
            let (found, mut faults) = named::objects(cx, call, &call.args)?;
            let is_missing =
                |fault: &Fault| matches!(fault, Fault::Server(status) if status.reason == Reason::NotFound);
            if matches!(wanted, Wanted::Deleted) {
                faults.retain(|fault| !is_missing(fault));
            } else if found.is_empty() && faults.is_empty() && !matches!(wanted, Wanted::Created) {
                return Err(Failure::error("no matching resources found"));
            }
            Fault::end(faults)?;
            found.into_iter().map(|(resource, object)| Awaited::of(resource, &object)).collect()
        }
    };
    cx.go_on(Waiting { call: call.clone(), wanted, waiting, until });
    Ok(())
}

/// Upstream: `conditionFuncFor`.
fn wanted(text: &str) -> Result<Wanted, Failure> {
    let lower = text.to_lowercase();
    match &*lower {
        "create" => return Ok(Wanted::Created),
        "delete" => return Ok(Wanted::Deleted),
        _ => {}
    }
    if let Some(condition) =
        text.get(..10).filter(|start| start.eq_ignore_ascii_case("condition=")).and_then(|_| text.get(10..))
    {
        let (name, value) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(Wanted::Condition(name.to_owned(), value.to_owned()));
    }
    if let Some(path) = text.strip_prefix("jsonpath=") {
        let path = path.trim_matches(['\'', '"']);
        // A path without braces is one as well.
        let (path, braced) = match path.split_once('=') {
            Some((bare, value)) if !path.starts_with('{') => (format!("{{{bare}}}={value}"), true),
            _ => (path.to_owned(), path.starts_with('{')),
        };
        let path = &*path;
        let close = path.rfind('}').map_or(path.len(), |at| at + 1);
        let (expression, rest) = (path.get(..close).unwrap_or(path), path.get(close..).unwrap_or_default());
        let value = rest.strip_prefix('=').map(|value| value.trim_matches(['\'', '"']).to_owned());
        if value.as_deref() == Some("") {
            return Err(Failure::error(
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            ));
        }
        if braced && !path.contains('}') {
            return Err(Failure::error(
                "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
            ));
        }
        let expression =
            if expression.starts_with('{') { expression.to_owned() } else { format!("{{{expression}}}") };
        let parsed = JsonPath::parse(&expression, true).map_err(Failure::error)?;
        return Ok(Wanted::Path(parsed, value));
    }
    Err(Failure::error(format!("unrecognized condition: {}", go_quote(text))))
}

/// An object that is waited for.
struct Awaited {
    resource: Resource,
    namespace: String,
    name: String,
    uid: Option<setpoint_api::Uid>,
}

impl Awaited {
    fn of(resource: Resource, object: &Object) -> Self {
        let meta = object.metadata();
        Self {
            resource,
            namespace: meta.namespace.to_string(),
            name: meta.name.to_string(),
            uid: Some(meta.uid),
        }
    }
}

/// Names that need not be there yet.
fn expected(cx: &Context, call: &Invocation) -> Result<Vec<Awaited>, Failure> {
    let targets = resource::targets(cx, &call.args)?;
    let named = targets.into_iter().filter_map(|target| {
        let namespace = cx.namespace_of(&target.resource);
        Some(Awaited { resource: target.resource, namespace, name: target.name?, uid: None })
    });
    Ok(named.collect())
}

struct Waiting {
    call: Invocation,
    wanted: Wanted,
    waiting: Vec<Awaited>,
    until: Time,
}

impl Ongoing for Waiting {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        // One after the other, as kubectl asks.
        while let Some(first) = self.waiting.first() {
            let live = first.resource.find(cx.store(), &first.namespace, &first.name);
            let live = live.filter(|object| first.uid.is_none_or(|uid| object.metadata().uid == uid));
            let is_met = match (&self.wanted, &live) {
                (Wanted::Created, live) => live.is_some(),
                (Wanted::Deleted, live) => live.is_none(),
                (_, None) => return Err(first.resource.not_found(&first.name).into()),
                (Wanted::Condition(name, value), Some(object)) => {
                    has_condition(&object.to_value(), name, value)
                }
                (Wanted::Path(path, value), Some(object)) => {
                    has_value(path, value.as_deref(), &object.to_value())?
                }
            };
            if is_met {
                let shown = live.as_ref().map_or_else(
                    || serde_json::json!({ "metadata": { "name": first.name } }),
                    Object::to_value,
                );
                let (call, resource) = (self.call.clone(), first.resource.clone());
                change::done(cx, &call, &resource, &shown, "condition met", change::Dry::No)?;
                self.waiting.remove(0);
            } else if cx.now() >= self.until {
                if matches!(self.wanted, Wanted::Created) {
                    return Err(Failure::error("timed out waiting for the condition"));
                }
                let is_check = self.call.duration("timeout") == 0;
                let why =
                    if is_check { "condition not met for" } else { "timed out waiting for the condition on" };
                let late =
                    |one: &Awaited| Fault::Client(format!("{why} {}/{}", one.resource.plural, one.name));
                return Fault::end(self.waiting.iter().map(late).collect()).map(|()| true);
            } else {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a condition holds for the newest generation.
fn has_condition(object: &Value, name: &str, value: &str) -> bool {
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let is_it = |one: &&Value| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    let Some(condition) = conditions.find(is_it) else { return false };
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    let observed =
        condition["observedGeneration"].as_i64().or(object["status"]["observedGeneration"].as_i64());
    if observed.is_some_and(|observed| observed < generation) {
        return false;
    }
    condition["status"].as_str().is_some_and(|status| status.eq_ignore_ascii_case(value))
}

fn has_value(path: &JsonPath, wanted: Option<&str>, object: &Value) -> Result<bool, Failure> {
    let found = path.find(object).map_err(Failure::error)?;
    let found: Vec<_> = found.iter().flatten().collect();
    if wanted.is_some() {
        if found.len() > 1 {
            return Err(Failure::error("given jsonpath expression matches more than one value"));
        }
        if found.iter().any(|value| value.is_array() || value.is_object()) {
            return Err(Failure::error("jsonpath leads to a nested object or list which is not supported"));
        }
    }
    let text = path.print(object).map_err(Failure::error)?;
    Ok(match wanted {
        Some(wanted) => text == wanted,
        None => !text.is_empty(),
    })
}
