//! The text of FailedScheduling.
//!
//! Upstream: pkg/scheduler/framework/types.go (`FitError.Error`), pkg/scheduler/schedule_one.go (`truncateMessage`).

use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use std::borrow::Cow;

/// Longest note of an event, in bytes.
const NOTE_LIMIT: usize = 1024;

/// The nodes that do not do, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FitError {
    /// Nodes in all.
    pub nodes: i64,
    /// Nodes by reason.
    pub reasons: Map<Cow<'static, str>, i64>,
    /// What refused the pod before any node was looked at; empty if nothing did.
    pub before: String,
    /// What was found out about preemption; empty if nothing.
    pub after: String,
}

impl FitError {
    /// Counts nodes for a reason.
    pub fn count(&mut self, reason: Cow<'static, str>, nodes: i64) {
        if nodes > 0 {
            *self.reasons.entry(reason).or_insert(0) += nodes;
        }
    }
    /// Upstream's text.
    pub fn text(&self) -> String {
        let mut out = format!("0/{} nodes are available:", self.nodes);
        if !self.before.is_empty() {
            out.push_str(&format!(" {}.", self.before));
        } else if !self.reasons.is_empty() {
            let mut parts: Vec<String> =
                self.reasons.iter().map(|(reason, nodes)| format!("{nodes} {reason}")).gather();
            order::sort(&mut parts);
            out.push_str(&format!(" {}.", parts.join(", ")));
        }
        if !self.after.is_empty() {
            out.push_str(&format!(" {}", self.after));
        }
        out
    }
}

/// Cuts a message down to what an event can carry.
pub fn truncate(message: &str) -> String {
    if message.len() <= NOTE_LIMIT {
        return message.to_string();
    }
    let mut end = NOTE_LIMIT - " ...".len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} ...", &message[..end])
}
