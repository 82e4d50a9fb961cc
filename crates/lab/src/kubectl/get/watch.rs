//! `kubectl get --watch`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go (`watch`).

use super::{Query, options};
use crate::Watch;
use crate::kubectl::context::{Context, Ongoing};
use crate::kubectl::failure::Failure;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::print::{Format, Table};
use crate::kubectl::resource::{Resource, Target};
use crate::kubectl::served;
use serde_json::{Value, json};
use setpoint_api::{Change, Object, Op, Time};

struct Watching {
    watch: Watch,
    resource: Resource,
    name: Option<String>,
    query: Query,
    format: Format,
    table: Table,
    with_event: bool,
    has_printed: bool,
    until: Option<Time>,
}

/// Prints what is there and goes on with what changes.
pub(super) fn begin(
    cx: &mut Context,
    call: &Invocation,
    format: Format,
    targets: &[Target],
) -> Result<(), Failure> {
    let [Target { resource, name }] = targets else {
        return Err(Failure::error("you may only specify a single resource type"));
    };
    let query = super::query(call, resource)?;
    let table = Table::new(cx.store(), resource, options(call, &format, &[resource]));
    let timeout = crate::kubectl::flag::duration(call.text("request-timeout")).filter(|timeout| *timeout > 0);
    let mut watching = Watching {
        watch: cx.session.watch(),
        resource: resource.clone(),
        name: name.clone(),
        query,
        format,
        table,
        with_event: call.is_on("output-watch-events"),
        has_printed: false,
        until: timeout.map(|timeout| cx.now().plus(timeout)),
    };
    if !call.is_on("watch-only") {
        let values = match name {
            Some(name) => vec![super::one(cx, resource, name)?],
            None => watching.query.list(cx, resource),
        };
        let rows: Vec<(&str, Value)> = values.into_iter().map(|value| ("ADDED", value)).collect();
        watching.print(cx, &rows, cx.now())?;
    }
    cx.go_on(watching);
    Ok(())
}

impl Watching {
    fn print(&mut self, cx: &mut Context, rows: &[(&str, Value)], now: Time) -> Result<(), Failure> {
        if self.format.is_table() {
            let text = self.table.rows(rows, now);
            cx.print(text);
            return Ok(());
        }
        for (event, value) in rows {
            let whole = json!({ "type": event, "object": value });
            let value = if self.with_event { &whole } else { value };
            let mut text = match &self.format {
                Format::Custom(columns) => columns.print(std::slice::from_ref(value), !self.has_printed)?,
                format => format.print(Some(&self.resource), value)?,
            };
            if matches!(self.format, Format::Yaml) && self.has_printed {
                text.insert_str(0, "---\n");
            }
            self.has_printed = true;
            cx.print(text);
        }
        Ok(())
    }

    /// What a change is to one who watches only some of the objects.
    fn event(&self, cx: &Context, change: &Change) -> Option<(&'static str, Value)> {
        let sees = |object: &Object| self.resource.has(object) && self.selects(cx, object);
        let (before, after) = (change.old.as_ref().is_some_and(sees), sees(&change.new));
        let event = match (change.op, before, after) {
            (Op::Deleted, ..) if before || after => "DELETED",
            (Op::Added, _, true) | (Op::Modified, false, true) => "ADDED",
            (Op::Modified, true, true) => "MODIFIED",
            (Op::Modified, true, false) => "DELETED",
            _ => return None,
        };
        Some((event, served::value(&self.resource, &change.new)))
    }

    fn selects(&self, cx: &Context, object: &Object) -> bool {
        let meta = object.metadata();
        let is_here =
            self.query.everywhere || !self.resource.is_namespaced || *meta.namespace == *cx.namespace;
        is_here
            && self.name.as_ref().is_none_or(|name| **name == *meta.name)
            && self.query.labels.matches(&meta.labels)
            && self.query.fields.matches(&object.to_value())
    }
}

impl Ongoing for Watching {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        for change in cx.session.changes(&self.watch) {
            if self.until.is_some_and(|until| change.stamp.at > until) {
                break;
            }
            if let Some(row) = self.event(cx, &change) {
                self.print(cx, &[row], change.stamp.at)?;
            }
        }
        Ok(self.until.is_some_and(|until| cx.now() >= until))
    }
}
