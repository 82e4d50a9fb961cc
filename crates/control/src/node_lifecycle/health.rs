//! Whether a node still shows signs of life.
//!
//! Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go `tryUpdateNodeHealth`.

use crate::Tuning;
use setpoint_api::Gather as _;
use setpoint_api::{Condition, ConditionStatus, MicroTime, Micros, Node, Time, condition};

/// What the controller remembers of a node, by its own clock: a kubelet's clock may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// When the controller last noticed a sign of life.
    pub seen_at: Time,
    /// Heartbeat of the Ready condition as last seen; `None` if there was no such condition.
    pub heartbeat: Option<Option<Time>>,
    /// Renewal of the lease as last seen.
    pub lease_renewed: Option<MicroTime>,
}

/// Outcome of one look at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Silence that the node is granted.
    pub grace: Micros,
    /// Ready as the node came; `Unknown` if nobody has reported it yet.
    pub observed: ConditionStatus,
    /// Ready as it is now; `None` if there is no such condition.
    pub current: Option<ConditionStatus>,
    /// Conditions that the silence makes unknown.
    pub unknown: Vec<Condition>,
}

impl Checked {
    /// Whether the conditions are to be written. Upstream writes them only along with Ready.
    pub fn is_news(&self) -> bool {
        self.unknown.iter().any(|condition| &*condition.kind == READY)
    }
}

const READY: &str = "Ready";

/// Looks at a node and its lease, and at what is remembered of it.
pub fn check(
    node: &Node,
    lease_renewed: Option<MicroTime>,
    saved: Option<&Health>,
    now: Time,
    tuning: &Tuning,
) -> (Health, Checked) {
    let ready = condition(&node.status.conditions, READY);
    let grace = if ready.is_some() { tuning.node_monitor_grace } else { tuning.node_startup_grace };
    let created = node.metadata.creation_timestamp.unwrap_or_default();
    let heartbeat = ready.map(|ready| ready.last_heartbeat_time);
    let new = |seen_at| Health { seen_at, heartbeat, lease_renewed: None };
    let mut health = match (saved, heartbeat) {
        (None, None) => new(created),
        (None, Some(_)) => new(now),
        // A node that reports nothing is left to its start-up grace.
        (Some(saved), None) => Health { heartbeat: None, ..saved.clone() },
        (Some(saved), Some(_)) if saved.heartbeat == heartbeat => saved.clone(),
        (Some(_), Some(_)) => new(now),
    };
    let renewed_before = saved.and_then(|saved| saved.lease_renewed);
    if lease_renewed.is_some() && renewed_before < lease_renewed {
        health.lease_renewed = lease_renewed;
        health.seen_at = now;
    }
    let observed = ready.map_or(ConditionStatus::Unknown, |ready| ready.status);
    let mut checked =
        Checked { grace, observed, current: ready.map(|ready| ready.status), unknown: Vec::new() };
    if now > health.seen_at.plus(grace) {
        checked.unknown = turn_unknown(node, created, now);
        checked.current = Some(ConditionStatus::Unknown);
        if checked.is_news() {
            health.heartbeat = Some(heartbeat.unwrap_or(Some(created)));
            health.lease_renewed = lease_renewed;
        }
    }
    (health, checked)
}

/// The kubelet's conditions that are not unknown yet, made so.
fn turn_unknown(node: &Node, created: Time, now: Time) -> Vec<Condition> {
    let turn = |kind: &str| match condition(&node.status.conditions, kind) {
        Some(condition) if condition.status == ConditionStatus::Unknown => None,
        Some(condition) => Some(Condition {
            status: ConditionStatus::Unknown,
            reason: "NodeStatusUnknown".into(),
            message: "Kubelet stopped posting node status.".into(),
            last_transition_time: Some(now.whole_seconds()),
            ..condition.clone()
        }),
        None => Some(Condition {
            kind: kind.into(),
            reason: "NodeStatusNeverUpdated".into(),
            message: "Kubelet never posted node status.".into(),
            last_heartbeat_time: Some(created),
            last_transition_time: Some(now.whole_seconds()),
            ..Condition::default()
        }),
    };
    [READY, "MemoryPressure", "DiskPressure", "PIDPressure"].into_iter().filter_map(turn).gather()
}
