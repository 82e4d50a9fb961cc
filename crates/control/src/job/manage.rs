//! How many pods a Job has, and what it does to have them.
//!
//! Upstream: pkg/controller/job/job_controller.go (`manageJob`, `deleteActivePods`, `deleteJobPods`).

use super::{FINALIZER, ROW, Sync, backoff, indexes, is_indexed, new_condition, replaces_failed_only};
use crate::pod::is_ready;
use crate::replicaset::{batches, controller_reference, ranking};
use crate::{EventDraft, Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::Set;
use setpoint_api::{
    Condition, ConditionStatus, DeleteOptions, EnvVar, Kind, ObjectMeta, Pod, PodSpec, Resource, Str,
};
use std::rc::Rc;

/// Pods made or deleted in one sync.
const BURST: usize = 500;

impl<'a> Sync<'a> {
    /// Makes and deletes pods, unless the Job has come to its end; then all go.
    pub(super) fn act(&mut self) {
        if self.finished.is_some() {
            let all = self.active.clone();
            self.delete(&all, false);
            if !self.is_settled {
                self.finished = None;
            }
            return;
        }
        if !self.is_settled {
            return;
        }
        if self.job.metadata.is_deleting() {
            self.decision = "is being deleted".into();
        } else {
            self.manage();
        }
        let is_complete = match self.spec.completions {
            None => self.succeeded > 0,
            Some(wanted) => self.succeeded >= wanted,
        };
        if is_complete && self.counts.active == 0 {
            let message = "Reached expected number of succeeded pods";
            self.finished =
                Some(new_condition("SuccessCriteriaMet", "CompletionsReached", message, self.now));
        } else if !self.job.metadata.is_deleting() {
            self.say_suspended();
        }
    }

    fn say_suspended(&mut self) {
        let mut suspended = new_condition("Suspended", "JobSuspended", "Job suspended", self.now);
        if self.is_suspended() {
            if super::ensure(&mut self.status.conditions, suspended) {
                self.say(false, "Suspended", "Job suspended");
            }
            return;
        }
        suspended = Condition {
            status: ConditionStatus::False,
            reason: "JobResumed".into(),
            message: "Job resumed".into(),
            ..suspended
        };
        if super::ensure(&mut self.status.conditions, suspended) {
            self.say(false, "Resumed", "Job resumed");
            self.status.start_time = Some(self.now.whole_seconds());
        }
    }

    fn manage(&mut self) {
        let active = self.active.len() as i32;
        let parallelism = self.spec.parallelism.unwrap_or(1);
        let wanted = match self.spec.completions {
            _ if self.is_suspended() => 0,
            None if self.succeeded > 0 => active,
            None => parallelism,
            Some(completions) => (completions - self.succeeded).min(parallelism).max(0),
        };
        let remove = self.too_many((active - wanted).max(0) as usize);
        if !remove.is_empty() {
            return self.delete(&remove, true);
        }
        let ending = if replaces_failed_only(&self.spec) { self.counts.terminating } else { 0 };
        let missing = wanted - ending - active;
        if missing > 0 && !self.is_suspended() {
            self.create((missing as usize).min(BURST));
        }
    }

    /// Upstream: `activePodsForRemoval`.
    fn too_many(&self, at_least: usize) -> Vec<&'a Rc<Pod>> {
        let [mut remove, left] = if is_indexed(&self.spec) {
            indexes::duplicates(&self.active, &self.spec, self.now)
        } else {
            [Vec::new(), self.active.clone()]
        };
        let more = at_least.saturating_sub(remove.len());
        if more > 0 {
            remove.extend(ranking::to_delete(&left, &[], more, self.now));
        }
        remove.truncate(BURST);
        remove
    }

    /// Deletes pods; those that are not to count as failures are let go of first.
    fn delete(&mut self, pods: &[&'a Rc<Pod>], uncounted: bool) {
        if pods.is_empty() {
            return;
        }
        self.decision = format!("delete {}", counted(pods.len())).into();
        if uncounted {
            let release =
                |pod: &&Rc<Pod>| Write::Patch(pod.metadata.id, Patch::RemoveFinalizer(FINALIZER.into()));
            self.writes.push(Write::Together(pods.iter().map(release).gather()));
        }
        let delete = |pod: &&Rc<Pod>| {
            let text = format!("Deleted pod: {}", pod.metadata.name);
            let event = EventDraft::normal(ROW.name, self.job.metadata.id, "SuccessfulDelete", text);
            Write::Delete(pod.metadata.id, DeleteOptions::default(), Some(event))
        };
        self.writes.push(Write::Together(pods.iter().map(delete).gather()));
        let ready = pods.iter().filter(|pod| is_ready(pod)).count() as i32;
        let count = pods.len() as i32;
        self.counts.active -= count;
        self.counts.ready -= ready;
        self.counts.terminating += count;
        if uncounted {
            // They are no longer the Job's to count.
            self.pods.retain(|pod| !pods.iter().any(|gone| gone.metadata.id == pod.metadata.id));
        }
    }

    fn create(&mut self, missing: usize) {
        if self.spec.backoff_limit_per_index.is_none() {
            let wait = self.backoff.remaining(self.now, backoff::FIRST, backoff::LONGEST);
            if wait > 0 {
                self.decision = "wait before the next try".into();
                return self.wake_after(wait);
            }
        }
        let indexes: Vec<Option<i32>> = if is_indexed(&self.spec) {
            self.indexes_to_add(missing).into_iter().map(Some).gather()
        } else {
            vec![None; missing]
        };
        if indexes.is_empty() {
            return;
        }
        self.decision = format!("create {}", counted(indexes.len())).into();
        self.counts.active += indexes.len() as i32;
        let mut next = indexes.iter();
        for size in batches(indexes.len()) {
            let create = |index: &Option<i32>| {
                let event = EventDraft::normal(
                    ROW.name,
                    self.job.metadata.id,
                    "SuccessfulCreate",
                    "Created pod: {name}",
                );
                Write::Create(self.pod(*index).into_object(), Some(event))
            };
            let batch = Write::Together(next.by_ref().take(size).map(create).gather());
            self.writes.push(batch);
        }
    }

    /// Upstream: `firstPendingIndexes`, `getPodCreationInfoForIndependentIndexes`.
    fn indexes_to_add(&mut self, count: usize) -> Vec<i32> {
        let mut taken: Set<i32> = self.active.iter().filter_map(|pod| indexes::index_of(pod)).collect();
        if replaces_failed_only(&self.spec) {
            let ending =
                self.pods.iter().filter(|pod| pod.metadata.is_deleting() && !pod.status.phase.is_finished());
            taken.extend(ending.filter_map(|pod| indexes::index_of(pod)));
        }
        let failed = self.failed_indexes.iter().flat_map(|failed| failed.0.iter().copied());
        let taken = self.succeeded_indexes.with(&taken).and_all(failed);
        let pending = indexes::pending(&taken, count, self.spec.completions.unwrap_or(0));
        let wait = |index: &i32| {
            let failed = self.waiting.get(index);
            failed.map_or(0, |pod| {
                let failures = indexes::tries(pod).saturating_add(1);
                let record = backoff::Record { failures, last: Some(backoff::finished_at(pod)) };
                record.remaining(self.now, backoff::FIRST, backoff::LONGEST)
            })
        };
        let shortest = pending.iter().map(wait).min().unwrap_or(0);
        let now: Vec<i32> = pending.iter().filter(|index| wait(index) == 0).copied().gather();
        if now.is_empty() && shortest > 0 {
            self.decision = "wait before the next try".into();
            self.wake_after(shortest);
        }
        now
    }

    /// The next pod, of an index if there are any.
    fn pod(&self, index: Option<i32>) -> Pod {
        let (template, job) = (&self.spec.template, &self.job.metadata);
        let mut metadata = ObjectMeta {
            generate_name: Some(format!("{}-", job.name).into()),
            namespace: job.namespace.clone(),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            finalizers: template.metadata.finalizers.clone(),
            owner_references: Rc::new(vec![controller_reference(Kind::Job, job)]),
            ..ObjectMeta::default()
        };
        Rc::make_mut(&mut metadata.finalizers).push(FINALIZER.into());
        let mut spec = (*template.spec).clone();
        if let Some(index) = index {
            metadata.generate_name = Some(format!("{}-{index}-", job.name).into());
            metadata.set_annotation(indexes::INDEX, &index.to_string());
            metadata.set_label(indexes::INDEX, &index.to_string());
            spec.hostname = format!("{}-{index}", job.name).into();
            tell_index(&mut spec);
            if self.spec.backoff_limit_per_index.is_some() {
                for (key, value) in
                    indexes::failure_annotations(&self.spec, self.waiting.get(&index).copied())
                {
                    metadata.set_annotation(key, &value);
                }
            }
        }
        Pod { metadata, spec, ..Pod::default() }
    }
}

/// Upstream: `addCompletionIndexEnvVariables`.
fn tell_index(spec: &mut PodSpec) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    for containers in [&mut spec.init_containers, &mut spec.containers] {
        for container in Rc::make_mut(containers) {
            if container.env.iter().any(|variable| &*variable.name == NAME) {
                continue;
            }
            let path = format!("metadata.labels['{}']", indexes::INDEX);
            let source = serde_json::json!({ "fieldRef": { "apiVersion": "v1", "fieldPath": path } });
            let mut variable = EnvVar { name: Str::fixed(NAME), ..EnvVar::default() };
            setpoint_api::wire::keep(&mut variable.rest, "valueFrom", &source);
            container.env.push(variable);
        }
    }
}

fn counted(count: usize) -> String {
    format!("{count} {}", if count == 1 { "pod" } else { "pods" })
}
