//! How many nodes of a zone may be given up at a time.
//!
//! Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go `ComputeZoneState`, `handleDisruption`,
//! `setLimiterInZone`; pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go;
//! staging/src/k8s.io/component-helpers/node/topology/helpers.go.

use crate::Tuning;
use setpoint_api::map::{Map, Set};
use setpoint_api::{Micros, Node, Str, Time};
use std::collections::VecDeque;

/// Region and zone of a node, each empty if not labelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    /// Region.
    pub region: Str,
    /// Zone.
    pub zone: Str,
}

impl Zone {
    /// The zone of a node.
    pub fn of(node: &Node) -> Self {
        let value = |key: &str, old: &str| {
            let labels = &node.metadata.labels;
            labels.get(old).or_else(|| labels.get(key)).cloned().unwrap_or_default()
        };
        Self {
            region: value("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"),
            zone: value("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
        }
    }
}

/// How much of a zone is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneState {
    /// Not judged yet.
    #[default]
    Initial,
    /// Few nodes are silent.
    Normal,
    /// More than two nodes and a large share are silent: the zone may be cut off, so go slowly or not at all.
    PartialDisruption,
    /// No node answers.
    FullDisruption,
}

/// The state of a zone with so many ready and not ready nodes.
pub fn zone_state(ready: u32, not_ready: u32, tuning: &Tuning) -> ZoneState {
    let share = |milli: i64| i64::from(ready + not_ready).saturating_mul(milli);
    if ready == 0 && not_ready > 0 {
        ZoneState::FullDisruption
    } else if not_ready > 2 && i64::from(not_ready) * 1000 >= share(tuning.node_unhealthy_zone_milli) {
        ZoneState::PartialDisruption
    } else {
        ZoneState::Normal
    }
}

/// Nodes per 1000 seconds that may be given up in a zone of that size and state.
pub fn eviction_rate_milli(state: ZoneState, size: u32, tuning: &Tuning) -> i64 {
    match state {
        ZoneState::PartialDisruption if i64::from(size) > tuning.node_large_cluster_threshold => {
            tuning.node_secondary_eviction_rate_milli
        }
        ZoneState::PartialDisruption => 0,
        _ => tuning.node_eviction_rate_milli,
    }
}

/// A bucket of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limiter {
    rate_milli: i64,
    full_at: Time,
}

impl Limiter {
    /// A full bucket that refills at a rate in tokens per 1000 seconds; 0 never yields one.
    pub fn new(rate_milli: i64) -> Self {
        Self { rate_milli, full_at: Time(Micros::MIN) }
    }
    /// Takes the token if it is there.
    pub fn try_accept(&mut self, now: Time) -> bool {
        let is_there = self.rate_milli > 0 && self.full_at <= now;
        if is_there {
            self.full_at = now.plus(1_000_000_000 / self.rate_milli);
        }
        is_there
    }
    /// When the token is there; `None` is never.
    pub fn free_at(&self) -> Option<Time> {
        (self.rate_milli > 0).then_some(self.full_at)
    }
    /// Goes on at another rate. Whoever had to wait still has to: the new bucket starts empty then.
    pub fn swap(&mut self, rate_milli: i64, now: Time) {
        if self.rate_milli == rate_milli {
            return;
        }
        let was_free = self.try_accept(now);
        *self = Self::new(rate_milli);
        if !was_free {
            self.try_accept(now);
        }
    }
}

/// One zone: its state and the nodes that wait for their NoExecute taint.
#[derive(Clone, Debug, Default)]
pub struct ZoneMemory {
    /// As of the last look.
    pub state: ZoneState,
    /// Ready nodes of this look.
    pub ready: u32,
    /// Other nodes of this look.
    pub not_ready: u32,
    /// How fast nodes leave the queue.
    pub limiter: Limiter,
    /// Nodes that wait, by name.
    queue: VecDeque<Str>,
    /// Nodes that wait or have left the queue; these do not join again before they are taken out.
    members: Set<Str>,
}

impl ZoneMemory {
    /// A zone that has not been judged yet.
    pub fn new(tuning: &Tuning) -> Self {
        Self { limiter: Limiter::new(tuning.node_eviction_rate_milli), ..Self::default() }
    }
    /// Lets a node join the queue, unless it already has.
    pub fn join(&mut self, node: &Str) {
        if self.members.insert(node.clone()) {
            self.queue.push_back(node.clone());
        }
    }
    /// Takes a node out, so that it may join again.
    pub fn leave(&mut self, node: &str) {
        if self.members.remove(node) {
            self.queue.retain(|waiting| &**waiting != node);
        }
    }
    /// The next node whose turn it is.
    pub fn pop(&mut self, now: Time) -> Option<Str> {
        self.queue.front()?;
        if self.limiter.try_accept(now) { self.queue.pop_front() } else { None }
    }
    /// When the turn of the next node comes, if one waits and its turn comes at all.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.front().and_then(|_| self.limiter.free_at())
    }
}

/// What the states of all zones mean together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// Every zone goes by its own state.
    Local,
    /// No node answers at all, for the first time: it is rather this controller that is cut off.
    Begins,
    /// No node answers, as before.
    Lasts,
    /// Some node answers again.
    Ends,
}

/// Judges all zones by their counts and sets their rates.
pub fn handle_disruption(zones: &mut Map<Zone, ZoneMemory>, now: Time, tuning: &Tuning) -> Disruption {
    zones.retain(|_, zone| zone.ready + zone.not_ready > 0);
    let is_full = |state: ZoneState| state == ZoneState::FullDisruption;
    let all_were = zones.values().all(|zone| is_full(zone.state));
    let all_are = zones.values().all(|zone| is_full(zone_state(zone.ready, zone.not_ready, tuning)));
    for zone in zones.values_mut() {
        let state = zone_state(zone.ready, zone.not_ready, tuning);
        if all_are {
            zone.limiter.swap(0, now);
        } else if all_were || zone.state != state {
            zone.limiter.swap(eviction_rate_milli(state, zone.ready + zone.not_ready, tuning), now);
        }
        zone.state = state;
    }
    match (all_were, all_are) {
        (false, false) => Disruption::Local,
        (false, true) => Disruption::Begins,
        (true, true) => Disruption::Lasts,
        (true, false) => Disruption::Ends,
    }
}
