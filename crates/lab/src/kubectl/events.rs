//! `kubectl events`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/events/events.go.

use super::context::{Context, Ongoing};
use super::failure::Failure;
use super::flag::{ALL_NAMESPACES, CHUNK_SIZE, flag};
use super::invocation::Invocation;
use super::print::look::{has, int, text, time};
use super::print::{self, Format, Tabs};
use super::verb::Verb;
use crate::Watch;
use serde_json::Value;
use setpoint_api::duration::human_duration;
use setpoint_api::{Event, Object, Time};

pub(super) static VERB: Verb = Verb {
    name: "events",
    brief: "List events",
    long: "Display events.\n\n Prints a table of the most important information about events. You can request events for a \
           namespace, for all namespace, or filtered to only those pertaining to a specified resource.",
    examples: "# List recent events in the default namespace\nkubectl events\n\n# List recent events in all \
               namespaces\nkubectl events --all-namespaces\n\n# List recent events for the specified pod, then wait for \
               more events and list them as they arrive\nkubectl events --for pod/web-pod-13je7 --watch\n\n# List \
               recent events in YAML format\nkubectl events -oyaml\n\n# List recent only events of type 'Warning' or \
               'Normal'\nkubectl events --types=Warning,Normal",
    usage: "kubectl events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning] [options]",
    flags: &[
        print::FLAGS,
        &[
            ALL_NAMESPACES,
            CHUNK_SIZE,
            flag("for", '\0', "''", "Filter events to only those pertaining to the specified resource."),
            flag("no-headers", '\0', "false", "When using the default output format, don't print headers."),
            flag("types", '\0', "[]", "Output only events of given types."),
            flag("watch", 'w', "false", "After listing the requested events, watch for more events."),
        ],
    ],
    run,
    ..Verb::NONE
};

/// Which events are wanted.
struct Filter {
    everywhere: bool,
    about: Option<(String, String)>,
    types: Vec<String>,
}

impl Filter {
    fn of(cx: &Context, call: &Invocation) -> Result<Self, Failure> {
        let types = call.list("types");
        for kind in &types {
            if !["Normal", "Warning"].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
                return Err(Failure::error("valid --types are Normal or Warning"));
            }
        }
        let about = match call.text("for") {
            "" => None,
            text => match text.split_once('/') {
                Some((_, name)) if name.contains('/') => {
                    return Err(Failure::error(
                        "arguments in resource/name form may not have more than one slash",
                    ));
                }
                Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
                    let missing = |failure: Failure| Failure {
                        text: failure.text.trim_start_matches("error: ").to_owned(),
                        ..failure
                    };
                    Some((cx.resource(kind).map_err(missing)?.kind, name.to_owned()))
                }
                _ => return Err(Failure::error("--for must be in resource/name form")),
            },
        };
        Ok(Self { everywhere: call.is_on("all-namespaces"), about, types })
    }
    fn wants(&self, cx: &Context, event: &Event) -> bool {
        let about = &event.involved_object;
        (self.everywhere || *event.metadata.namespace == *cx.namespace)
            && self.about.as_ref().is_none_or(|(kind, name)| *about.kind == **kind && *about.name == **name)
            && (self.types.is_empty() || self.types.iter().any(|kind| kind.eq_ignore_ascii_case(&event.kind)))
    }
}

fn run(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let format = Format::of(cx, call)?;
    let filter = Filter::of(cx, call)?;
    let watch = cx.session.watch();
    let mut events: Vec<_> =
        cx.store().list::<Event>().filter(|event| filter.wants(cx, event)).cloned().collect();
    events.sort_by_key(|event| event.last_timestamp);
    let values: Vec<Value> = events.into_iter().map(|event| Object::Event(event).to_value()).collect();
    if !format.is_table() {
        let text = format.print(None, &print::list(values))?;
        cx.print(text);
        return Ok(());
    }
    let is_watch = call.is_on("watch");
    if values.is_empty() && !is_watch {
        cx.complain(match filter.everywhere {
            true => "No events found.".to_owned(),
            false => format!("No events found in {} namespace.", cx.namespace),
        });
        return Ok(());
    }
    let mut printed = Printed { watch, filter, tabs: Tabs::table(), with_header: !call.is_on("no-headers") };
    printed.print(cx, &values, cx.now());
    if is_watch {
        cx.go_on(printed);
    }
    Ok(())
}

struct Printed {
    watch: Watch,
    filter: Filter,
    tabs: Tabs,
    with_header: bool,
}

impl Printed {
    fn print(&mut self, cx: &mut Context, events: &[Value], now: Time) {
        let mut out = String::new();
        if self.with_header && !events.is_empty() {
            self.with_header = false;
            out.push_str(if self.filter.everywhere { "NAMESPACE\t" } else { "" });
            out.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
        }
        for event in events {
            if self.filter.everywhere {
                out.extend([text(event, "/metadata/namespace"), "\t"]);
            }
            let about =
                format!("{}/{}", text(event, "/involvedObject/kind"), text(event, "/involvedObject/name"));
            let message = text(event, "/message").trim();
            let cells =
                [&*interval(event, now), text(event, "/type"), text(event, "/reason"), &about, message];
            out.push_str(&cells.join("\t"));
            out.push('\n');
        }
        if !out.is_empty() {
            let aligned = self.tabs.align(&out);
            cx.print(aligned);
        }
    }
}

fn interval(event: &Value, now: Time) -> String {
    let since = |path: &str| {
        time(event, path).map_or_else(|| "<unknown>".into(), |then| human_duration(now.since(then)))
    };
    let first = if has(event, "/eventTime") { since("/eventTime") } else { since("/firstTimestamp") };
    match int(event, "/count") {
        _ if has(event, "/series") => {
            format!("{} (x{} over {first})", since("/series/lastObservedTime"), int(event, "/series/count"))
        }
        count if count > 1 => format!("{} (x{count} over {first})", since("/lastTimestamp")),
        _ => first,
    }
}

impl Ongoing for Printed {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        for change in cx.session.changes(&self.watch) {
            let Object::Event(event) = &change.new else { continue };
            if change.op != setpoint_api::Op::Deleted && self.filter.wants(cx, event) {
                self.print(cx, &[change.new.to_value()], change.stamp.at);
            }
        }
        Ok(false)
    }
}
