//! One sync of a Deployment: a working copy, the writes that it asks for, and the steps that all strategies share.
//!
//! Upstream: pkg/controller/deployment/sync.go, pkg/controller/controller_ref_manager.go.

use super::math::{desired, new_size, size, total_size};
use super::progress::{self, Check, has_deadline, new_condition, set_condition};
use super::revision::{
    REVISION, active, annotate_new, annotate_size, beyond_history, equal_ignore_hash, find_new, find_old,
    max_revision, replica_set_name, size_annotations_differ, template_hash, with_hash,
};
use super::{ROW, math};
use crate::{Cx, EventDraft, Note, Outcome, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::{
    ConditionStatus, DeleteOptions, Deployment, Kind, LabelSelector, Micros, ObjectMeta, OwnerReference,
    PodTemplateSpec, ReplicaSet, ReplicaSetSpec, Resource, Scope, Str,
};
use std::borrow::Cow;
use std::rc::Rc;

/// A ReplicaSet and the size that it is to have.
#[derive(Clone, Debug)]
pub struct Scale {
    /// The ReplicaSet with the size that it has.
    pub set: Rc<ReplicaSet>,
    /// The size that it is to have.
    pub to: i32,
}

impl Scale {
    /// A ReplicaSet is to have a size.
    pub fn new(set: &Rc<ReplicaSet>, to: i32) -> Self {
        Self { set: set.clone(), to }
    }
}

/// The ReplicaSets of a Deployment.
#[derive(Clone, Debug, Default)]
pub struct ReplicaSets {
    /// The one of the current template, if there is one.
    pub new: Option<Rc<ReplicaSet>>,
    /// The others.
    pub old: Vec<Rc<ReplicaSet>>,
}

impl ReplicaSets {
    /// The old ones and the new one.
    pub fn all(&self) -> Vec<Rc<ReplicaSet>> {
        self.old.iter().chain(&self.new).cloned().gather()
    }
}

/// Why a sync ends before its last step.
pub(super) enum Stop {
    /// Upstream's next write would be made from a copy that is no longer the newest, and be refused. What was written wakes
    /// the controller again.
    Conflict,
    /// An error, tried again later.
    Failed(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Failed(message)
    }
}

pub(super) type Step<T = ()> = Result<T, Stop>;

/// The working copy of one sync.
pub(super) struct Sync<'a> {
    pub(super) cx: &'a Cx<'a>,
    stored: &'a Rc<Deployment>,
    /// The Deployment with the status and revision that this sync gives it.
    pub(super) deployment: Deployment,
    /// The ReplicaSets that are or become the Deployment's.
    pub(super) claimed: Vec<Rc<ReplicaSet>>,
    writes: Vec<Write>,
    status_written: bool,
    new_set_written: bool,
    retry: bool,
    requeue_after: Option<Micros>,
    decision: Cow<'static, str>,
}

impl<'a> Sync<'a> {
    pub(super) fn new(cx: &'a Cx<'a>, stored: &'a Rc<Deployment>) -> Self {
        Self {
            cx,
            stored,
            deployment: (**stored).clone(),
            claimed: Vec::new(),
            writes: Vec::new(),
            status_written: false,
            new_set_written: false,
            retry: false,
            requeue_after: None,
            decision: Cow::Borrowed("nothing to do"),
        }
    }

    /// The outcome of a sync that ended like this.
    pub(super) fn outcome(mut self, ended: Step) -> Outcome {
        if let Err(Stop::Failed(message)) = ended {
            self.retry = true;
            self.decision = Cow::Owned(message);
        }
        let wanted = i64::from(desired(&self.deployment));
        let total = i64::from(total_size(&self.claimed));
        let observed = vec![
            ("desired", wanted),
            ("total", total),
            ("updated", i64::from(self.deployment.status.updated_replicas)),
            ("available", i64::from(self.deployment.status.available_replicas)),
        ];
        Outcome {
            writes: self.writes,
            requeue_after: self.requeue_after,
            retry: self.retry,
            note: Note { observed, decision: self.decision },
            ..Outcome::default()
        }
    }

    pub(super) fn event(&mut self, draft: EventDraft) {
        self.writes.push(Write::Event(draft));
    }

    /// Takes on ReplicaSets without an owner that the selector matches, and lets go of own ones that it does not match.
    ///
    /// Upstream: `ClaimReplicaSets`.
    pub(super) fn claim(&mut self) -> Step {
        let meta = &self.stored.metadata;
        let selector = self.stored.spec.selector.to_selector()?;
        let view = self.cx.view;
        let owned = view.dependents::<ReplicaSet>(meta.uid);
        let owned = owned.filter(|set| set.metadata.controller().is_some_and(|owner| owner.uid == meta.uid));
        let mut sets: Vec<_> = owned.chain(view.free(&meta.namespace)).gather();
        order::sort_by(&mut sets, |a, b| a.metadata.name.cmp(&b.metadata.name));
        for set in sets {
            let matches = || selector.matches(&set.metadata.labels);
            match set.metadata.controller() {
                Some(_) if matches() => self.claimed.push(set.clone()),
                Some(_) if meta.is_deleting() => {}
                Some(_) => {
                    self.writes.push(Write::Patch(set.metadata.id, Patch::RemoveOwner(meta.uid)));
                }
                None if meta.is_deleting() || set.metadata.is_deleting() || !matches() => {}
                None => {
                    self.writes.push(Write::Patch(set.metadata.id, Patch::AddOwner(self.owner())));
                    self.claimed.push(set.clone());
                }
            }
        }
        Ok(())
    }

    fn owner(&self) -> OwnerReference {
        crate::replicaset::controller_reference(Kind::Deployment, &self.stored.metadata)
    }

    /// The new and the old ReplicaSets, with the new one's annotations and the Deployment's revision brought up to date.
    ///
    /// Upstream: `getAllReplicaSetsAndSyncRevision`.
    pub(super) fn replica_sets(&mut self, create: bool) -> Step<ReplicaSets> {
        let new = find_new(&self.deployment.spec.template, &self.claimed).cloned();
        let old = find_old(new.as_ref(), &self.claimed);
        let newest = max_revision(&old).saturating_add(1);
        let new = match new {
            Some(existing) => Some(self.refresh_new(&existing, newest)?),
            None if create => Some(self.create_new(&old, newest)?),
            None => None,
        };
        Ok(ReplicaSets { new, old })
    }

    /// Upstream: `getNewReplicaSet`, first half.
    fn refresh_new(&mut self, existing: &Rc<ReplicaSet>, newest: i64) -> Step<Rc<ReplicaSet>> {
        let mut set = (**existing).clone();
        let outdated = set.spec.min_ready_seconds != self.deployment.spec.min_ready_seconds;
        if annotate_new(&self.deployment, &mut set, newest, true) || outdated {
            // Upstream takes the same cached copy in the second look of one sync, whose update is then refused.
            if self.new_set_written {
                return Err(Stop::Conflict);
            }
            self.new_set_written = true;
            set.spec.min_ready_seconds = self.deployment.spec.min_ready_seconds;
            self.decision = format!("bring {} up to date", set.metadata.name).into();
            self.writes.push(Write::Update(set.clone().into_object(), Scope::Main));
            return Ok(Rc::new(set));
        }
        if let Some(revision) = existing.metadata.annotations.get(REVISION).cloned() {
            self.set_revision(&revision);
        }
        let conditions = &self.deployment.status.conditions;
        if has_deadline(&self.deployment) && setpoint_api::condition(conditions, "Progressing").is_none() {
            let message = format!("Found new replica set \"{}\"", existing.metadata.name);
            self.set_progressing(ConditionStatus::True, "FoundNewReplicaSet", &message);
        }
        self.write_status()?;
        Ok(existing.clone())
    }

    /// Upstream: `getNewReplicaSet`, second half.
    fn create_new(&mut self, old: &[Rc<ReplicaSet>], newest: i64) -> Step<Rc<ReplicaSet>> {
        let set = self.draft_new(old, newest)?;
        let name = set.metadata.name.clone();
        let taken = self.cx.view.find::<ReplicaSet>(&set.metadata.namespace, &name).cloned();
        if let Some(taken) = taken {
            let owner = taken.metadata.controller().map(|owner| owner.uid);
            let same = equal_ignore_hash(&taken.spec.template, &self.deployment.spec.template);
            if owner != Some(self.stored.metadata.uid) || !same {
                // Another template has the same hash: the count goes into the next one.
                let count = self.deployment.status.collision_count.unwrap_or(0).saturating_add(1);
                self.deployment.status.collision_count = Some(count);
                self.write_status()?;
                return Err(Stop::Failed(format!("replicasets.apps \"{name}\" already exists")));
            }
            self.set_revision(&newest.to_string());
            self.write_status()?;
            return Ok(taken);
        }
        let count = size(&set);
        self.writes.push(Write::Create(set.clone().into_object(), None));
        let pods = if count == 1 { "pod" } else { "pods" };
        self.decision = format!("create {name} with {count} {pods}").into();
        if count > 0 {
            self.scaled("up", &name, 0, count);
        }
        self.set_revision(&newest.to_string());
        if has_deadline(&self.deployment) {
            let message = format!("Created new replica set \"{name}\"");
            self.set_progressing(ConditionStatus::True, "NewReplicaSetCreated", &message);
        }
        self.write_status()?;
        Ok(Rc::new(set))
    }

    /// The ReplicaSet for the current template, at the size that it may have at once.
    fn draft_new(&self, old: &[Rc<ReplicaSet>], newest: i64) -> Step<ReplicaSet> {
        let Deployment { metadata, spec, status, .. } = &self.deployment;
        let hash = template_hash(&spec.template, status.collision_count);
        let labels = Rc::new(with_hash(&spec.template.metadata.labels, &hash));
        let pod_meta = ObjectMeta { labels: labels.clone(), ..spec.template.metadata.clone() };
        let selector = LabelSelector {
            match_labels: with_hash(&spec.selector.match_labels, &hash),
            match_expressions: spec.selector.match_expressions.clone(),
            is_given: true,
        };
        let mut set = ReplicaSet {
            metadata: ObjectMeta {
                labels,
                owner_references: Rc::new(vec![self.owner()]),
                ..ObjectMeta::named(&metadata.namespace, &replica_set_name(&metadata.name, &hash))
            },
            spec: ReplicaSetSpec {
                replicas: Some(new_size(&self.deployment, total_size(old), 0)?),
                min_ready_seconds: spec.min_ready_seconds,
                selector: Rc::new(selector),
                template: Rc::new(PodTemplateSpec { metadata: pod_meta, ..(*spec.template).clone() }),
                ..ReplicaSetSpec::default()
            },
            ..ReplicaSet::default()
        };
        annotate_new(&self.deployment, &mut set, newest, false);
        Ok(set)
    }

    fn set_revision(&mut self, revision: &str) {
        if self.deployment.metadata.annotation(REVISION) != Some(revision) {
            self.deployment.metadata.set_annotation(REVISION, revision);
        }
    }

    /// Sets the Progressing condition of the working copy.
    pub(super) fn set_progressing(&mut self, status: ConditionStatus, reason: &str, message: &str) {
        let new = new_condition("Progressing", status, reason, message, self.cx.now);
        set_condition(&mut self.deployment.status.conditions, new);
    }

    /// Writes status and revision if they changed. Upstream makes every status write of one sync from the copy that it began
    /// with, so that the second one is refused.
    pub(super) fn write_status(&mut self) -> Step {
        let (was, is) = (self.stored, &self.deployment);
        if self.status_written {
            return Err(Stop::Conflict);
        }
        if was.status != is.status || was.metadata.annotations != is.metadata.annotations {
            self.status_written = true;
            self.writes.push(Write::Update(is.clone().into_object(), Scope::Status));
            if self.decision == "nothing to do" {
                self.decision = Cow::Borrowed("update the status");
            }
        }
        Ok(())
    }

    /// Whether an active ReplicaSet was last scaled for another size of the Deployment.
    ///
    /// Upstream: `isScalingEvent`.
    pub(super) fn is_scaling_event(&mut self) -> Step<bool> {
        let sets = self.replica_sets(false)?;
        let noted =
            |set: &Rc<ReplicaSet>| set.metadata.annotation(math::DESIRED_REPLICAS)?.parse::<i32>().ok();
        let wanted = desired(&self.deployment);
        Ok(active(&sets.all()).iter().filter_map(noted).any(|noted| noted != wanted))
    }

    /// Changes the sizes that differ; says whether any did.
    pub(super) fn scale_all(&mut self, plan: &[Scale]) -> bool {
        let mut scaled = false;
        for scale in plan.iter().filter(|scale| size(&scale.set) != scale.to) {
            self.resize(scale);
            scaled = true;
        }
        scaled
    }

    /// Gives a ReplicaSet its size and notes the Deployment's on it.
    ///
    /// Upstream: `scaleReplicaSet`.
    pub(super) fn resize(&mut self, scale: &Scale) {
        let (from, to) = (size(&scale.set), scale.to);
        if from == to && !size_annotations_differ(&self.deployment, &scale.set) {
            return;
        }
        let mut set = (*scale.set).clone();
        set.spec.replicas = Some(to);
        annotate_size(&self.deployment, &mut set);
        let name = set.metadata.name.clone();
        self.writes.push(Write::Update(set.into_object(), Scope::Main));
        if from != to {
            let direction = if from < to { "up" } else { "down" };
            self.decision = format!("scale {name} {direction} from {from} to {to}").into();
            self.scaled(direction, &name, from, to);
        }
    }

    fn scaled(&mut self, direction: &str, name: &Str, from: i32, to: i32) {
        let message = format!("Scaled {direction} replica set {name} from {from} to {to}");
        self.event(EventDraft::normal(ROW.name, self.stored.metadata.id, "ScalingReplicaSet", message));
    }

    /// Whether the stored status says that the rollout is complete.
    pub(super) fn is_complete(&self) -> bool {
        progress::is_complete(&self.deployment, &self.deployment.status)
    }

    /// Deletes old ReplicaSets beyond the revision history limit.
    pub(super) fn clean_history(&mut self, old: &[Rc<ReplicaSet>]) {
        for set in beyond_history(old, self.deployment.spec.revision_history_limit) {
            self.writes.push(Write::Delete(set.metadata.id, DeleteOptions::default(), None));
        }
    }

    /// The last step of a rollout: status, and when to look for the deadline.
    ///
    /// Upstream: `syncRolloutStatus`.
    pub(super) fn finish_rollout(&mut self, sets: &ReplicaSets) -> Step {
        let status =
            progress::rollout_status(&self.deployment, &sets.all(), sets.new.as_deref(), self.cx.now);
        if status == self.deployment.status {
            match progress::next_check(&self.deployment, &status, self.cx.now) {
                Check::Never => {}
                Check::Soon => self.retry = true,
                Check::After(delay) => self.requeue_after = Some(delay),
            }
            return Ok(());
        }
        self.deployment.status = status;
        self.write_status()
    }

    /// The last step where no rollout goes on: counts and availability.
    ///
    /// Upstream: `syncDeploymentStatus`.
    pub(super) fn finish(&mut self, sets: &ReplicaSets) -> Step {
        let status = progress::status_of(&self.deployment, &sets.all(), sets.new.as_deref(), self.cx.now);
        if status == self.deployment.status {
            return Ok(());
        }
        self.deployment.status = status;
        self.write_status()
    }
}
