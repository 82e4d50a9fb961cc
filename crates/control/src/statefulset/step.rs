//! What one sync of a StatefulSet does to its pods.
//!
//! Upstream: pkg/controller/statefulset/stateful_set_control.go (`updateStatefulSet`, `processReplica`, `processCondemned`),
//! stateful_set_utils.go (`newVersionedStatefulSetPod`).

use super::claims::InTheWay;
use super::{MOST_MISSING, POD_INDEX, POD_NAME, Place, ROW, Sync, revision_of};
use crate::history::{self, Revision};
use crate::replicaset::{batches, controller_reference};
use crate::{EventDraft, Write};
use setpoint_api::Gather as _;
use setpoint_api::{DeleteOptions, Kind, ObjectMeta, Pod, PodPhase, Resource};
use std::rc::Rc;

impl<'a> Sync<'a> {
    /// Makes what is missing, deletes what is too many, and replaces what is old.
    pub(super) fn step(&mut self) {
        self.keep_claims();
        let is_ordered = &*self.spec.pod_management_policy != "Parallel";
        if self.grow(is_ordered) || self.shrink(is_ordered) {
            return;
        }
        self.replace();
    }

    /// Upstream: `processReplica` for each; true where the rest has to wait.
    fn grow(&mut self, is_ordered: bool) -> bool {
        let mut missing = Vec::new();
        for place in self.replicas.clone() {
            let Some(pod) = place.pod else {
                if let Some(claim) = self.claim_in_the_way(place.ordinal) {
                    // Side by side, only an error holds up the rest.
                    let goes_on = !is_ordered && matches!(claim, InTheWay::Stale);
                    if !goes_on {
                        self.create(&missing);
                    }
                    self.wait_for(place.ordinal, claim);
                    if goes_on {
                        continue;
                    }
                    return true;
                }
                if is_ordered {
                    self.create(&[place]);
                    return true;
                }
                missing.push(place);
                continue;
            };
            let is_ending = pod.metadata.is_deleting();
            if pod.status.phase == PodPhase::Pending {
                // Somebody may have deleted a claim that it waits for.
                let claims = self.missing_claims(place.ordinal);
                self.writes.extend(claims);
            }
            if pod.status.phase.is_finished() {
                if !is_ending {
                    self.delete(&[place]);
                }
                if is_ordered {
                    return true;
                }
                continue;
            }
            if is_ordered && (is_ending || !self.is_up(pod)) {
                return true;
            }
        }
        self.create(&missing);
        missing.len() >= MOST_MISSING
    }

    /// Upstream: `processCondemned` for each; true where the rest has to wait.
    fn shrink(&mut self, is_ordered: bool) -> bool {
        let lowest_condemned = self.condemned.iter().rev();
        let first_unavailable = self
            .replicas
            .iter()
            .chain(lowest_condemned)
            .find(|place| self.is_unavailable(place))
            .map(|place| place.ordinal);
        let mut doomed = Vec::new();
        for place in self.condemned.clone() {
            let Some(pod) = place.pod else { continue };
            if pod.metadata.is_deleting() {
                if is_ordered {
                    return true;
                }
                continue;
            }
            if is_ordered {
                if self.is_up(pod) || first_unavailable == Some(place.ordinal) {
                    self.delete(&[place]);
                }
                return true;
            }
            doomed.push(place);
        }
        self.delete(&doomed);
        false
    }

    /// Deletes the highest pod of another revision, unless a higher one is not available yet.
    fn replace(&mut self) {
        let strategy = &self.spec.update_strategy;
        if &*strategy.kind == "OnDelete" {
            return;
        }
        let partition = strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or(0);
        let first = self.start().saturating_add(partition);
        for place in self.replicas.clone().into_iter().rev().take_while(|place| place.ordinal >= first) {
            let is_old = place.pod.is_some_and(|pod| {
                revision_of(pod).as_ref() != Some(&self.update.name) && !pod.metadata.is_deleting()
            });
            if is_old {
                self.delete(&[place]);
                self.replaced = 1;
                return;
            }
            if self.is_unavailable(&place) {
                return;
            }
        }
    }

    fn create(&mut self, places: &[Place]) {
        if places.is_empty() {
            return;
        }
        let count = places.len();
        self.decision = match places {
            [place] => format!("create pod {}", self.name_of(place.ordinal)).into(),
            _ => format!("create {count} pods").into(),
        };
        let mut next = places.iter();
        for size in batches(count) {
            let (mut claims, mut pods) = (Vec::new(), Vec::new());
            for place in next.by_ref().take(size) {
                claims.extend(self.missing_claims(place.ordinal));
                pods.push(self.creation(place.ordinal));
            }
            if !claims.is_empty() {
                self.writes.push(Write::Together(claims));
            }
            self.writes.push(Write::Together(pods));
        }
    }

    fn wait_for(&mut self, ordinal: i32, claim: InTheWay) {
        self.retry = true;
        self.decision = "wait for the claims of a pod that is gone".into();
        if let InTheWay::Deleted(claim) = claim {
            let event = self.failed_create(ordinal, &format!("pvc {claim} is being deleted"));
            self.writes.push(Write::Event(event));
        }
    }

    fn creation(&self, ordinal: i32) -> Write {
        let (pod, set) = (self.name_of(ordinal), &self.set.metadata);
        let text = format!("Create Pod {pod} in StatefulSet {} successful", set.name);
        let event = EventDraft::normal(ROW.name, set.id, "SuccessfulCreate", text);
        Write::Create(self.pod(ordinal).into_object(), Some(event))
    }

    /// The first ordinal.
    fn start(&self) -> i32 {
        self.spec.ordinals.as_ref().map_or(0, |ordinals| ordinals.start)
    }

    /// The revision that a new pod is made from.
    ///
    /// Upstream: `newVersionedStatefulSetPod`.
    fn revision_for(&self, ordinal: i32) -> &Revision {
        let strategy = &self.spec.update_strategy;
        let kept = match &strategy.rolling_update {
            _ if &*strategy.kind != "RollingUpdate" => 0,
            Some(rolling) => rolling.partition.unwrap_or(0),
            None => self.set.status().current_replicas,
        };
        if ordinal < self.start().saturating_add(kept) { &self.current } else { &self.update }
    }

    /// Upstream: `newStatefulSetPod`.
    fn pod(&self, ordinal: i32) -> Pod {
        let (set, revision, name) = (&self.set.metadata, self.revision_for(ordinal), self.name_of(ordinal));
        let template = revision.template();
        let mut metadata = ObjectMeta {
            namespace: set.namespace.clone(),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            finalizers: template.metadata.finalizers.clone(),
            owner_references: Rc::new(vec![controller_reference(Kind::StatefulSet, set)]),
            ..ObjectMeta::default()
        };
        metadata.set_label(POD_NAME, &name);
        metadata.set_label(POD_INDEX, &ordinal.to_string());
        metadata.set_label(history::POD_HASH, &revision.name);
        let mut spec = (*template.spec).clone();
        spec.hostname = name.clone();
        if !self.spec.service_name.is_empty() {
            setpoint_api::wire::keep(&mut spec.rest, "subdomain", &self.spec.service_name);
        }
        self.mount_claims(ordinal, &mut spec);
        metadata.name = name;
        Pod { metadata, spec, ..Pod::default() }
    }

    fn delete(&mut self, places: &[Place]) {
        let pods = places.iter().filter_map(|place| place.pod);
        let set = &self.set.metadata;
        let delete = |pod: &Rc<Pod>| {
            let text = format!("Delete Pod {} in StatefulSet {} successful", pod.metadata.name, set.name);
            let event = EventDraft::normal(ROW.name, set.id, "SuccessfulDelete", text);
            Write::Delete(pod.metadata.id, DeleteOptions::default(), Some(event))
        };
        let writes = pods.map(delete).gather();
        if let [place] = places {
            self.decision = format!("delete pod {}", self.name_of(place.ordinal)).into();
        } else if !writes.is_empty() {
            self.decision = format!("delete {} pods", writes.len()).into();
        }
        if !writes.is_empty() {
            self.writes.push(Write::Together(writes));
        }
    }
}
