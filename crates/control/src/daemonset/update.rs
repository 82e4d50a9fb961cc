//! Which pods of a DaemonSet make room for new ones.
//!
//! Upstream: pkg/controller/daemon/update.go (`rollingUpdate`).
//! Simplified: nodes are gone through by name from one that is drawn; upstream's map has no order at all.

use super::{Sync, on_node};
use crate::pod::is_available;
use setpoint_api::{IntOrPercent, Pod, Str};
use std::rc::Rc;

/// The pods of the newest and of an older template on a node; nothing where there are several of a sort.
///
/// Upstream: `findUpdatedPodsOnNode`.
type Pair<'a> = (Option<&'a Rc<Pod>>, Option<&'a Rc<Pod>>);

impl<'a> Sync<'a> {
    fn pair(&self, pods: &[&'a Rc<Pod>]) -> Option<Pair<'a>> {
        let (mut new, mut old) = (None, None);
        for pod in pods.iter().filter(|pod| !pod.metadata.is_deleting()) {
            let place = if self.is_updated(pod) { &mut new } else { &mut old };
            if place.replace(*pod).is_some() {
                return None;
            }
        }
        Some((new, old))
    }

    fn is_up(&self, pod: &Pod) -> bool {
        is_available(pod, self.spec.min_ready_seconds, self.cx.now)
    }

    /// How many nodes may be without a pod, and how many may have two.
    ///
    /// Upstream: `updatedDesiredNodeCounts`.
    fn bounds(&self) -> (i32, i32) {
        let desired = self.wanted.iter().filter(|(_, (should_run, _))| *should_run).count() as i32;
        let rolling = self.spec.update_strategy.rolling_update.as_ref();
        let scaled = |value: Option<&IntOrPercent>| {
            value.and_then(|value| value.scaled(desired, true).ok()).unwrap_or(0)
        };
        let unavailable = scaled(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()));
        let surge = scaled(rolling.and_then(|rolling| rolling.max_surge.as_ref()));
        if desired > 0 && unavailable == 0 && surge == 0 { (1, 0) } else { (unavailable, surge) }
    }

    pub(super) fn roll(&mut self) {
        if &*self.spec.update_strategy.kind == "OnDelete" {
            return;
        }
        match self.bounds() {
            (unavailable, 0) => self.replace(unavailable),
            (_, surge) => self.surge(surge),
        }
    }

    /// Nodes that should have a pod or have one, by name from one that is drawn.
    fn nodes(&self) -> Vec<Str> {
        let should = self.wanted.iter().filter(|(_, (should_run, _))| *should_run);
        let mut names: setpoint_api::map::Set<Str> =
            should.map(|(node, _)| node.metadata.name.clone()).collect();
        names.extend(self.pods.keys().cloned());
        let mut names: Vec<Str> = names.iter().cloned().collect();
        let first = self.cx.draw % names.len().max(1) as u64;
        names.rotate_left(first as usize);
        names
    }

    /// Deletes old pods as far as may be missing; those that are of no use anyway go at once.
    fn replace(&mut self, most_unavailable: i32) {
        let (mut unavailable, mut useless, mut candidates) = (0, Vec::new(), Vec::new());
        for node in self.nodes() {
            match self.pair(on_node(&self.pods, &node)) {
                None | Some((None, None) | (Some(_), Some(_))) => unavailable += 1,
                Some((Some(new), None)) => unavailable += i32::from(!self.is_up(new)),
                Some((None, Some(old))) if !self.is_up(old) => useless.push(old),
                Some((None, Some(old))) => candidates.push(old),
            }
        }
        candidates.truncate(usize::try_from(most_unavailable - unavailable).unwrap_or(0));
        useless.extend(candidates);
        self.sync_nodes(useless, Vec::new());
    }

    /// Makes new pods beside old ones as far as may be too many, and deletes old ones whose successor is there.
    fn surge(&mut self, most: i32) {
        let (mut surging, mut done, mut allowed, mut candidates) = (0, Vec::new(), Vec::new(), Vec::new());
        for node in self.nodes() {
            match self.pair(on_node(&self.pods, &node)) {
                None => surging += 1,
                Some((_, None)) => {}
                Some((None, Some(old))) if !self.is_up(old) => allowed.push(node),
                Some((None, Some(_))) => candidates.push(node),
                Some((Some(new), Some(_))) if !self.is_up(new) => surging += 1,
                Some((Some(_), Some(old))) => done.push(old),
            }
        }
        candidates.truncate(usize::try_from(most - surging).unwrap_or(0));
        allowed.extend(candidates);
        self.sync_nodes(done, allowed);
    }
}
