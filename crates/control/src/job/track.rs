//! Counts finished pods, each once, and says how the Job has ended.
//!
//! Upstream: pkg/controller/job/job_controller.go (`trackJobStatusAndRemoveFinalizers`, `enactJobFinished`).

use super::{
    FINALIZER, Sync, ensure, fixed_reason, has_finalizer, indexes, is_failed, is_indexed, new_condition,
};
use crate::{Patch, Write};
use setpoint_api::Gather as _;
use setpoint_api::map::Set;
use setpoint_api::{JobStatus, Pod, Resource, Scope, Uid};
use std::rc::Rc;

/// Finished pods that are counted in one sync.
const MOST_UNCOUNTED: usize = 500;

impl<'a> Sync<'a> {
    /// Notes the finished pods, lets them go, and counts them.
    pub(super) fn track(&mut self) {
        let mut stored = self.job.status();
        let counts = self.counts;
        self.status.active = counts.active;
        self.status.ready = Some(counts.ready);
        self.status.terminating = Some(counts.terminating);
        let held = self.pods.iter().filter(|pod| has_finalizer(pod));
        let mut held: Set<Uid> = held.map(|pod| pod.metadata.uid).collect();
        self.settle(&held);
        let (done, are_all) = self.note_finished();
        self.announce();
        self.flush(&mut stored);
        if !done.is_empty() {
            let release =
                |pod: &&Rc<Pod>| Write::Patch(pod.metadata.id, Patch::RemoveFinalizer(FINALIZER.into()));
            self.writes.push(Write::Together(done.iter().map(release).gather()));
        }
        for pod in &done {
            held.remove(&pod.metadata.uid);
        }
        self.settle(&held);
        let is_over = are_all && self.end();
        self.flush(&mut stored);
        if is_over {
            self.say_end();
        }
    }

    fn flush(&mut self, stored: &mut JobStatus) {
        if self.status != *stored {
            self.writes.push(Write::Update(self.job.with_status(&self.status).into_object(), Scope::Status));
            stored.clone_from(&self.status);
            if &*self.decision == "nothing to do" {
                self.decision = "update the status".into();
            }
        }
    }

    /// Counts the noted pods that have been let go.
    ///
    /// Upstream: `cleanUncountedPodsWithoutFinalizers`.
    fn settle(&mut self, held: &Set<Uid>) {
        let status = &mut self.status;
        let noted = status.uncounted_terminated_pods.get_or_insert_default();
        for (uids, count) in
            [(&mut noted.succeeded, &mut status.succeeded), (&mut noted.failed, &mut status.failed)]
        {
            let before = uids.len();
            uids.retain(|uid| held.contains(uid));
            *count = count.saturating_add((before - uids.len()) as i32);
        }
    }

    /// Notes finished pods in the status; yields those that may go, and whether these are all.
    fn note_finished(&mut self) -> (Vec<&'a Rc<Pod>>, bool) {
        let is_bad_end = self.finished.as_ref().is_some_and(|end| &*end.kind != "SuccessCriteriaMet");
        let mut noted = self.status.uncounted_terminated_pods.clone().unwrap_or_default();
        let (mut done, mut are_all, mut new_indexes) = (Vec::new(), true, Set::new());
        for pod in self.pods.iter().filter(|pod| has_finalizer(pod)) {
            let has_failed = is_failed(pod, &self.spec);
            if !self.may_go(pod, has_failed) {
                continue;
            }
            done.push(*pod);
            let (uid, index) = (pod.metadata.uid, indexes::valid_index(pod, &self.spec));
            let counts = !is_indexed(&self.spec) || index.is_some();
            let is_noted = noted.failed.contains(&uid);
            if pod.status.phase.as_str() == "Succeeded" && !is_noted {
                match index.filter(|_| is_indexed(&self.spec)) {
                    Some(index) if !self.before_indexes.has(index) => {
                        new_indexes.insert(index);
                    }
                    None if counts && !noted.succeeded.contains(&uid) => noted.succeeded.push(uid),
                    _ => {}
                }
            } else if (has_failed || is_bad_end) && !is_noted && counts {
                let policy = self.spec.pod_failure_policy.as_ref();
                if super::policies::judge(policy, pod).counts {
                    noted.failed.push(uid);
                }
            }
            if new_indexes.len() + noted.succeeded.len() + noted.failed.len() >= MOST_UNCOUNTED {
                are_all = false;
                break;
            }
        }
        self.status.uncounted_terminated_pods = Some(noted);
        if is_indexed(&self.spec) {
            let now = self.before_indexes.with(&new_indexes);
            self.status.succeeded = now.total();
            self.status.completed_indexes = now.to_string().into();
            self.status.failed_indexes = self.failed_indexes.as_ref().map(|failed| failed.to_string().into());
        }
        (done, are_all)
    }

    /// Upstream: `canRemoveFinalizer`.
    fn may_go(&self, pod: &Pod, has_failed: bool) -> bool {
        if self.job.metadata.is_deleting()
            || self.finished.is_some()
            || pod.status.phase.as_str() == "Succeeded"
        {
            return true;
        }
        let is_waiting =
            |index| self.waiting.get(&index).is_some_and(|last| last.metadata.id == pod.metadata.id);
        has_failed && !indexes::index_of(pod).is_some_and(is_waiting)
    }

    /// Says which end the Job is coming to.
    fn announce(&mut self) {
        let Some(end) = self.finished.take() else { return };
        let last = match &*end.kind {
            "FailureTarget" => "Failed",
            "SuccessCriteriaMet" => "Complete",
            _ => {
                self.finished = Some(end);
                return;
            }
        };
        self.finished = Some(new_condition(last, &end.reason, &end.message, self.now));
        if !self.status.conditions.iter().any(|known| known.kind == end.kind && known.status == end.status) {
            self.status.conditions.push(end);
        }
    }

    /// Says that the Job has ended, once everything is counted and no pod is left.
    fn end(&mut self) -> bool {
        let noted = self.status.uncounted_terminated_pods.as_ref();
        let is_counted = noted.is_none_or(|noted| noted.succeeded.is_empty() && noted.failed.is_empty());
        let Some(end) = self.finished.clone().filter(|_| is_counted && self.counts.terminating == 0) else {
            return false;
        };
        if &*end.kind == "Complete" {
            self.status.completion_time = end.last_transition_time;
        }
        ensure(&mut self.status.conditions, end);
        true
    }

    fn say_end(&mut self) {
        let Some(end) = self.finished.clone() else { return };
        self.decision = "say that the Job has ended".into();
        if &*end.kind != "Complete" {
            return self.say(true, fixed_reason(&end.reason), end.message.to_string());
        }
        if self.spec.completions.is_some_and(|wanted| self.status.succeeded > wanted) {
            let text = "Too many succeeded pods running after completion count reached";
            self.say(true, "TooManySucceededPods", text);
        }
        self.say(false, "Completed", "Job completed");
    }
}
