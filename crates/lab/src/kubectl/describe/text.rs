//! The text of `kubectl describe`: indented lines whose cells are aligned.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go (`PrefixWriter` and the functions that share it).

use crate::kubectl::print::Tabs;
use crate::kubectl::print::look::{at, entries, has, int, items, plain, text, time};
use serde_json::Value;
use setpoint_api::Time;
use setpoint_api::duration::human_duration;

/// Annotations that are longer stand in lines of their own.
const MAX_ANNOTATION: usize = 140;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A description on its way.
pub(super) struct Text {
    done: String,
    pending: String,
    /// When it is written.
    pub now: Time,
}

impl Text {
    pub(super) fn new(now: Time) -> Self {
        Self { done: String::new(), pending: String::new(), now }
    }
    /// A line, two blanks deeper for each level; tabs end cells.
    pub(super) fn line(&mut self, level: usize, line: impl AsRef<str>) {
        self.pending.extend(std::iter::repeat_n("  ", level));
        self.pending.push_str(line.as_ref());
        self.pending.push('\n');
    }
    /// `Name:` and its value.
    pub(super) fn field(&mut self, level: usize, name: &str, value: impl AsRef<str>) {
        self.line(level, format!("{name}:\t{}", value.as_ref()));
    }
    /// Lets what follows have columns of its own.
    pub(super) fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.done.push_str(&Tabs::describe().align(&pending));
        }
    }
    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.done
    }

    /// What was written, with its tabs.
    pub(super) fn unaligned(self) -> String {
        self.pending
    }

    /// Name and namespace.
    pub(super) fn name(&mut self, object: &Value) {
        self.field(0, "Name", text(object, "/metadata/name"));
        if has(object, "/metadata/namespace") {
            self.field(0, "Namespace", text(object, "/metadata/namespace"));
        }
    }
    /// A mapping, one entry a line.
    pub(super) fn map(&mut self, title: &str, object: &Value, path: &str) {
        let pairs = entries(object, path);
        if pairs.is_empty() {
            self.line(0, format!("{title}:\t<none>"));
        }
        for (index, (key, value)) in pairs.iter().enumerate() {
            let start = if index == 0 { format!("{title}:\t") } else { "\t".into() };
            self.line(0, format!("{start}{key}={}", plain(value)));
        }
    }
    /// Annotations; the ones that kubectl itself keeps stay out.
    pub(super) fn annotations(&mut self, title: &str, object: &Value, path: &str) {
        let pairs = entries(object, path);
        let shown = pairs.iter().filter(|(key, _)| *key != LAST_APPLIED);
        let mut start = format!("{title}:\t");
        let mut is_empty = true;
        for (key, value) in shown {
            let value = plain(value);
            let value = value.strip_suffix('\n').unwrap_or(&value);
            if key.len() + value.len() + 2 < MAX_ANNOTATION && !value.contains('\n') {
                self.line(0, format!("{start}{key}: {value}"));
            } else {
                self.line(0, format!("{start}{key}:"));
                for line in value.split('\n') {
                    let cut: String = line.chars().take(MAX_ANNOTATION - 2).collect();
                    let dots = if cut.len() < line.len() { "..." } else { "" };
                    self.line(0, format!("\t  {cut}{dots}"));
                }
            }
            start = "\t".into();
            is_empty = false;
        }
        if is_empty {
            self.line(0, format!("{start}<none>"));
        }
    }
    /// Labels and annotations.
    pub(super) fn labels(&mut self, object: &Value) {
        self.map("Labels", object, "/metadata/labels");
        self.annotations("Annotations", object, "/metadata/annotations");
    }
    /// `CreationTimestamp`.
    pub(super) fn created(&mut self, object: &Value) {
        self.field(0, "CreationTimestamp", date(object, "/metadata/creationTimestamp"));
    }
    /// The controlling owner.
    pub(super) fn owner(&mut self, object: &Value) {
        let owners = items(object, "/metadata/ownerReferences");
        if let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) {
            self.field(0, "Controlled By", format!("{}/{}", text(owner, "/kind"), text(owner, "/name")));
        }
    }
    /// Conditions with their reasons.
    pub(super) fn conditions(&mut self, object: &Value) {
        let conditions = items(object, "/status/conditions");
        if conditions.is_empty() {
            return;
        }
        self.line(0, "Conditions:");
        self.line(1, "Type\tStatus\tReason");
        self.line(1, "----\t------\t------");
        for condition in conditions {
            let word = |path: &str| text(condition, path);
            self.line(1, format!("{} \t{}\t{}", word("/type"), word("/status"), word("/reason")));
        }
    }
    /// Tolerations, by key.
    pub(super) fn tolerations(&mut self, title: &str, object: &Value, path: &str) {
        let mut list: Vec<&Value> = items(object, path).iter().collect();
        list.sort_by(|a, b| text(a, "/key").cmp(text(b, "/key")));
        if list.is_empty() {
            self.line(0, format!("{title}:\t<none>"));
        }
        for (index, toleration) in list.into_iter().enumerate() {
            let start = if index == 0 { format!("{title}:\t") } else { "\t".into() };
            self.line(0, format!("{start}{}", tolerated(toleration)));
        }
    }
    /// The last part: what the components have said. `None` where events are not shown.
    pub(super) fn events(&mut self, events: Option<&[Value]>) {
        let Some(events) = events else { return };
        if events.is_empty() {
            self.line(0, "Events:\t<none>");
            return;
        }
        self.flush();
        self.line(0, "Events:");
        self.line(1, "Type\tReason\tAge\tFrom\tMessage");
        self.line(1, "----\t------\t----\t----\t-------");
        for event in events {
            let line = event_line(event, self.now);
            self.line(1, line);
        }
    }
}

fn tolerated(toleration: &Value) -> String {
    let part = |path: &str| text(toleration, path);
    let mut out = part("/key").to_owned();
    if !part("/value").is_empty() {
        out.extend(["=", part("/value")]);
    }
    if !part("/effect").is_empty() {
        out.extend([":", part("/effect")]);
    }
    if part("/operator") == "Exists" && part("/value").is_empty() {
        out.push_str(if out.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if has(toleration, "/tolerationSeconds") {
        out.push_str(&format!(" for {}s", int(toleration, "/tolerationSeconds")));
    }
    out
}

fn event_line(event: &Value, now: Time) -> String {
    let since = |path: &str| {
        time(event, path).map_or_else(|| "<unknown>".into(), |then| human_duration(now.since(then)))
    };
    let first = if has(event, "/eventTime") { since("/eventTime") } else { since("/firstTimestamp") };
    let over = |last: &str, count: i64| format!("{} (x{count} over {first})", since(last));
    let age = match int(event, "/count") {
        _ if has(event, "/series") => over("/series/lastObservedTime", int(event, "/series/count")),
        count if count > 1 => over("/lastTimestamp", count),
        _ => first.clone(),
    };
    let source = crate::kubectl::print::rows::event_source(event).0;
    let message = text(event, "/message").trim();
    let message = match text(event, "/involvedObject/fieldPath") {
        "" => message.to_owned(),
        path => format!("{path}: {message}"),
    };
    format!("{}\t{}\t{age}\t{source}\t{message}", text(event, "/type"), text(event, "/reason"))
}

/// A point in time as RFC 1123 writes it: `Fri, 20 Nov 2026 18:25:34 +0000`.
pub(super) fn date(object: &Value, path: &str) -> String {
    let given = text(object, path);
    let parsed = time(object, path);
    let (Some(then), Some((day, clock))) = (parsed, given.split_once('T')) else { return "<unset>".into() };
    let mut parts = day.split('-');
    let (year, month, date) =
        (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let month: usize = month.parse().unwrap_or(1);
    // The simulation starts on a Thursday.
    let weekday = then.0.div_euclid(86_400_000_000).rem_euclid(7);
    let weekday = DAYS.get(usize::try_from(weekday).unwrap_or(0)).copied().unwrap_or("");
    let month = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or("");
    let clock = clock.split(['.', 'Z']).next().unwrap_or("");
    format!("{weekday}, {date} {month} {year} {clock} +0000")
}

/// `True` or `False`.
pub(super) fn yes(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// A value as text, or what stands for its absence.
pub(super) fn set(object: &Value, path: &str) -> String {
    match at(object, path) {
        Value::Null => "<unset>".into(),
        value => plain(value),
    }
}
