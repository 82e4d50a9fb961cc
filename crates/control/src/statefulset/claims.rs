//! The claims on storage that each pod of a StatefulSet has for itself.
//!
//! Upstream: pkg/controller/statefulset/stateful_pod_control.go (`createPersistentVolumeClaims`, `PodClaimIsStale`),
//!             stateful_set_utils.go (`updateStorage`, `getPersistentVolumeClaims`, `updateClaimOwnerRefForSetAndPod`, `hasStaleOwnerRef`).
//! Simplified: owners of claims are put right by each sync, not before a pod is made or deleted; a set that waits for a claim
//!             of a pod that is gone looks again by itself, where upstream waits for the next event.

use super::{ROW, Sync};
use crate::replicaset::controller_reference;
use crate::{EventDraft, Patch, Write};
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::wire::{keep, kept};
use setpoint_api::{
    Kind, ObjectMeta, OwnerReference, PersistentVolumeClaim, PodSpec, Resource, VolumeClaimTemplate,
};

/// What keeps a pod from being made.
pub(super) enum InTheWay {
    /// A claim of the pod that was there before.
    Stale,
    /// The claim of this name is being deleted.
    Deleted(String),
}

impl<'a> Sync<'a> {
    fn claim_name(&self, template: &VolumeClaimTemplate, ordinal: i32) -> String {
        format!("{}-{}", template.metadata.name, self.name_of(ordinal))
    }

    /// Claims of a place that are not there yet.
    pub(super) fn missing_claims(&self, ordinal: i32) -> Vec<Write> {
        let set = &self.set.metadata;
        let is_missing = |template: &&VolumeClaimTemplate| {
            let name = self.claim_name(template, ordinal);
            self.cx.view.find::<PersistentVolumeClaim>(&set.namespace, &name).is_none()
        };
        let create = |template: &VolumeClaimTemplate| {
            let name = self.claim_name(template, ordinal);
            let mut metadata = ObjectMeta {
                labels: template.metadata.labels.clone(),
                annotations: template.metadata.annotations.clone(),
                ..ObjectMeta::named(&set.namespace, &name)
            };
            for (key, value) in &self.spec.selector.match_labels {
                metadata.set_label(key, value);
            }
            let mut claim = PersistentVolumeClaim { metadata, ..PersistentVolumeClaim::default() };
            keep(&mut claim.rest, "spec", &template.spec);
            let pod = self.name_of(ordinal);
            let text = format!("Create Claim {name} Pod {pod} in StatefulSet {} success", set.name);
            let event = EventDraft::normal(ROW.name, set.id, "SuccessfulCreate", text);
            Write::Create(claim.into_object(), Some(event))
        };
        self.spec.volume_claim_templates.iter().filter(is_missing).map(create).gather()
    }

    /// Why the pod of a place, which is missing, cannot be made yet: a claim that goes with the pod before it is still
    /// there, or one is being deleted.
    ///
    /// Upstream: `PodClaimIsStale`, which says nothing, and the error of `createPersistentVolumeClaims`.
    pub(super) fn claim_in_the_way(&self, ordinal: i32) -> Option<InTheWay> {
        let namespace = &self.set.metadata.namespace;
        let pod = self.name_of(ordinal);
        let goes_with_pod = &*self.spec.persistent_volume_claim_retention_policy.when_scaled == "Delete";
        let mut deleted = None;
        for template in &self.spec.volume_claim_templates {
            let name = self.claim_name(template, ordinal);
            let Some(claim) = self.cx.view.find::<PersistentVolumeClaim>(namespace, &name) else { continue };
            let is_pod = |owner: &OwnerReference| &*owner.kind == "Pod" && owner.name == pod;
            if goes_with_pod && claim.metadata.owner_references.iter().any(is_pod) {
                return Some(InTheWay::Stale);
            }
            if claim.metadata.is_deleting() {
                deleted.get_or_insert(name);
            }
        }
        deleted.map(InTheWay::Deleted)
    }

    /// Puts the claims of a place among the volumes of its pod, in the place of volumes of the same name.
    pub(super) fn mount_claims(&self, ordinal: i32, spec: &mut PodSpec) {
        if self.spec.volume_claim_templates.is_empty() {
            return;
        }
        let mut volumes: Vec<Value> = self
            .spec
            .volume_claim_templates
            .iter()
            .map(|template| {
                let claim = json!({ "claimName": self.claim_name(template, ordinal) });
                json!({ "name": &*template.metadata.name, "persistentVolumeClaim": claim })
            })
            .gather();
        let own: Vec<Value> = kept(&spec.rest, "volumes");
        let is_other = |volume: &Value| {
            !self.spec.volume_claim_templates.iter().any(|t| volume["name"] == *t.metadata.name)
        };
        volumes.extend(own.into_iter().filter(is_other));
        keep(&mut spec.rest, "volumes", &volumes);
    }

    /// Makes the set or the pod the owner of claims that are to go with it.
    pub(super) fn keep_claims(&mut self) {
        if self.spec.volume_claim_templates.is_empty() {
            return;
        }
        let policy = &self.spec.persistent_volume_claim_retention_policy;
        let with_set = &*policy.when_deleted == "Delete";
        let with_pod = &*policy.when_scaled == "Delete";
        let set = &self.set.metadata;
        let mut writes = Vec::new();
        for (place, is_condemned) in self
            .replicas
            .iter()
            .map(|place| (place, false))
            .chain(self.condemned.iter().map(|place| (place, true)))
        {
            let Some(pod) = place.pod else { continue };
            for template in &self.spec.volume_claim_templates {
                let name = self.claim_name(template, place.ordinal);
                let Some(claim) = self.cx.view.find::<PersistentVolumeClaim>(&set.namespace, &name) else {
                    continue;
                };
                let by_pod = is_condemned && with_pod;
                let mut own = |owner: OwnerReference, is_wanted: bool| {
                    let has = claim.metadata.owner_references.iter().any(|known| known.uid == owner.uid);
                    let id = claim.metadata.id;
                    match (has, is_wanted) {
                        (false, true) => writes.push(Write::Patch(id, Patch::AddOwner(owner))),
                        (true, false) => writes.push(Write::Patch(id, Patch::RemoveOwner(owner.uid))),
                        _ => {}
                    }
                };
                own(controller_reference(Kind::StatefulSet, set), with_set && !by_pod);
                let pod = OwnerReference {
                    controller: None,
                    block_owner_deletion: None,
                    ..controller_reference(Kind::Pod, &pod.metadata)
                };
                own(pod, by_pod);
            }
        }
        self.writes.extend(writes);
    }
}
