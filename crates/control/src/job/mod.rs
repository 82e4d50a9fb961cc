//! The Job controller: runs pods to completion, and counts each of them once.
//!
//! Watches: Jobs, their Pods.
//! Writes: Pods (create, delete, finalizer batch.kubernetes.io/job-tracking), Job status, events.
//! Rule: as many pods at a time as allowed and still needed; a finished pod is noted in the status, loses its finalizer, and is
//! then counted; the end is announced (SuccessCriteriaMet, FailureTarget) and said once no pod is left.
//! Upstream: pkg/controller/job/job_controller.go (`syncJob`).
//! Simplified: no expectations, for a sync sees its own last writes, but for the one after a refusal, which only counts; what could
//! not be made is tried again after a second, whatever the number of failures.

pub mod backoff;
pub mod indexes;
mod manage;
pub mod policies;
mod track;
pub mod ttl;

use crate::claim::claim;
use crate::namespace::is_ending;
use crate::pod::{is_active, is_ready, restarts};
use crate::{
    ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Patch, Write,
};
use backoff::Record;
use indexes::Indexes;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, Condition, ConditionStatus, Job, JobSpec, JobStatus, Kind, Micros, ObjId, Object, Op, Pod,
    Reason, Str, Time, condition, condition_status,
};
use std::borrow::Cow;
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "job-controller",
    kind: Kind::Job,
    watches: &[Kind::Job, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |memory| memory.job = Memory::default(),
};

/// Holds a finished pod until it is counted.
pub const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
/// Changes of pods are gathered for this long.
const BATCH: Micros = SECOND;

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Failures since the last success, by Job.
    pub backoff: Map<ObjId, Record>,
}

fn on_change(cx: &ChangeCx, change: &Change, _: &mut AllMemory, keys: &mut Keys) {
    match &change.new {
        Object::Job(job) if change.op == Op::Deleted => {
            // Nobody will count the pods any more.
            let pods = cx.view.dependents::<Pod>(job.metadata.uid);
            pods.filter(|pod| has_finalizer(pod)).for_each(|pod| keys.add(pod.metadata.id));
        }
        Object::Job(job) => {
            let before = change.old.as_ref().map(|old| old.metadata().generation);
            // A change of the status alone mostly comes of a change of pods, of which more may follow.
            let is_status = before == Some(job.metadata.generation);
            keys.add_after(job.metadata.id, if is_status { BATCH } else { 0 });
        }
        Object::Pod(pod) => {
            let owner = pod.metadata.controller();
            if owner.is_some_and(|owner| &*owner.kind != "Job") {
                return;
            }
            match owner.and_then(|owner| cx.view.id_of_uid(owner.uid)) {
                Some(id) => keys.add_after(id, BATCH),
                None if change.op != Op::Deleted && has_finalizer(pod) => keys.add(pod.metadata.id),
                None => {}
            }
        }
        _ => {}
    }
}

/// Whether a pod is not counted yet.
pub(crate) fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().any(|name| &**name == FINALIZER)
}

/// Whether a Job has come to its end, well or badly.
pub fn is_finished(status: &JobStatus) -> bool {
    ["Complete", "Failed"]
        .iter()
        .any(|kind| condition_status(&status.conditions, kind) == ConditionStatus::True)
}

/// Whether only pods that have failed are replaced, and not those that are being deleted.
fn replaces_failed_only(spec: &JobSpec) -> bool {
    &*spec.pod_replacement_policy == "Failed"
}

/// Upstream: `isPodFailed`.
fn is_failed(pod: &Pod, spec: &JobSpec) -> bool {
    let phase = pod.status.phase.as_str();
    // A pod that is being deleted may never come to the phase Failed.
    phase == "Failed" || (!replaces_failed_only(spec) && pod.metadata.is_deleting() && phase != "Succeeded")
}

fn is_indexed(spec: &JobSpec) -> bool {
    &*spec.completion_mode == "Indexed"
}

/// A Job in the middle of a sync.
struct Sync<'a> {
    job: &'a Rc<Job>,
    spec: JobSpec,
    status: JobStatus,
    now: Time,
    pods: Vec<&'a Rc<Pod>>,
    active: Vec<&'a Rc<Pod>>,
    /// Counts that the status is to have.
    counts: Counts,
    /// Successes and failures, those included that the status does not count yet.
    succeeded: i32,
    failed: i32,
    before_indexes: Indexes,
    succeeded_indexes: Indexes,
    failed_indexes: Option<Indexes>,
    /// The last failed pod of each index that is tried again.
    waiting: Map<i32, &'a Rc<Pod>>,
    backoff: Record,
    /// The end that the Job has come to.
    finished: Option<Condition>,
    writes: Vec<Write>,
    requeue: Option<Micros>,
    decision: Cow<'static, str>,
    /// Whether all is done that was asked for before; else pods are left as they are and no end is declared.
    is_settled: bool,
}

/// Pods by state.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    active: i32,
    ready: i32,
    terminating: i32,
}

/// Upstream: `syncJob`.
fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    if let Some(pod) = cx.view.get::<Pod>(id) {
        return let_go(cx, pod);
    }
    let records = &mut memory.job.backoff;
    let Some(job) = cx.view.get::<Job>(id) else {
        records.remove(&id);
        return Outcome::idle("gone");
    };
    let (spec, status) = (job.spec(), job.status());
    if is_finished(&status) {
        records.remove(&id);
        return Outcome::idle("finished");
    }
    if !spec.managed_by.is_empty() && &*spec.managed_by != "kubernetes.io/job-controller" {
        return Outcome::idle("managed by another controller");
    }
    if let Some(failure) = cx.failure.filter(|failure| failure.about.is_some()) {
        return report(job, failure);
    }
    let mut sync = Sync::begin(cx, job, spec, status, records.get(&id).copied().unwrap_or_default());
    if let Some(refused) = cx.failure {
        // What could be made counts all the same.
        sync.is_settled = false;
        if !is_ending(cx.view, &job.metadata.namespace) {
            let told = report(job, refused);
            sync.writes.extend(told.writes);
            sync.requeue = told.requeue_after;
        }
    }
    sync.judge();
    sync.act();
    let observed = vec![
        ("active", sync.active.len() as i64),
        ("succeeded", i64::from(sync.succeeded)),
        ("failed", i64::from(sync.failed)),
    ];
    records.insert(id, sync.backoff);
    sync.track();
    let note = Note { observed, decision: sync.decision };
    Outcome { writes: sync.writes, requeue_after: sync.requeue, note, ..Outcome::default() }
}

/// A pod whose Job is gone, or has let go of it.
///
/// Upstream: `syncOrphanPod`.
fn let_go(cx: &Cx, pod: &Rc<Pod>) -> Outcome {
    let owner = pod.metadata.controller().and_then(|owner| cx.view.id_of_uid(owner.uid));
    if owner.is_some() || !has_finalizer(pod) {
        return Outcome::idle("nothing to do");
    }
    let writes = vec![Write::Patch(pod.metadata.id, Patch::RemoveFinalizer(FINALIZER.into()))];
    let note = Note { observed: Vec::new(), decision: "let a pod go that no Job has".into() };
    Outcome { writes, note, ..Outcome::default() }
}

/// Reports that pods could not be made or deleted, and asks for another try.
fn report(job: &Job, failure: &crate::Failure) -> Outcome {
    let mut outcome = Outcome { requeue_after: Some(SECOND), ..Outcome::idle("try again") };
    if failure.status.reason != Reason::NotFound && failure.about.is_none() {
        let text = format!("Error creating: {}", failure.status.message);
        outcome.writes.push(Write::Event(EventDraft::warning(
            ROW.name,
            job.metadata.id,
            "FailedCreate",
            text,
        )));
    }
    outcome
}

fn new_condition(kind: &str, reason: &str, message: &str, now: Time) -> Condition {
    let now = Some(now.whole_seconds());
    Condition {
        kind: kind.into(),
        status: ConditionStatus::True,
        last_probe_time: now,
        last_transition_time: now,
        reason: reason.into(),
        message: message.into(),
        ..Condition::default()
    }
}

/// Sets a condition; false where it has been so already. One that is not there is not made only to say False.
///
/// Upstream: `ensureJobConditionStatus`.
fn ensure(conditions: &mut Vec<Condition>, wanted: Condition) -> bool {
    match conditions.iter_mut().find(|old| old.kind == wanted.kind) {
        Some(old) => {
            let is_same =
                old.status == wanted.status && old.reason == wanted.reason && old.message == wanted.message;
            if !is_same {
                *old = wanted;
            }
            !is_same
        }
        None if wanted.status == ConditionStatus::False => false,
        None => {
            conditions.push(wanted);
            true
        }
    }
}

impl<'a> Sync<'a> {
    fn begin(cx: &Cx<'a>, job: &'a Rc<Job>, spec: JobSpec, status: JobStatus, backoff: Record) -> Self {
        let mut writes = Vec::new();
        let selector = spec.selector.as_ref().and_then(|selector| selector.to_selector().ok());
        let owner = (Kind::Job, &job.metadata);
        let pods = selector.map(|selector| claim(cx.view, owner, &selector, |_| true, &mut writes));
        let pods = pods.unwrap_or_default();
        let active: Vec<&Rc<Pod>> = pods.iter().copied().filter(|pod| is_active(pod)).gather();
        let is_ending = |pod: &&&Rc<Pod>| pod.metadata.is_deleting() && !pod.status.phase.is_finished();
        let counts = Counts {
            active: active.len() as i32,
            ready: active.iter().filter(|pod| is_ready(pod)).count() as i32,
            terminating: pods.iter().filter(is_ending).count() as i32,
        };
        let mut sync = Self {
            now: cx.now,
            counts,
            succeeded: status.succeeded,
            failed: status.failed,
            before_indexes: Indexes::default(),
            succeeded_indexes: Indexes::default(),
            failed_indexes: None,
            waiting: Map::new(),
            backoff,
            finished: None,
            writes,
            requeue: None,
            decision: Cow::Borrowed("nothing to do"),
            is_settled: true,
            job,
            spec,
            status,
            pods,
            active,
        };
        sync.count_finished();
        sync
    }

    /// Upstream: `getNewFinishedPods`, `nonIgnoredFailedPodsCount`.
    fn count_finished(&mut self) {
        let uncounted = self.status.uncounted_terminated_pods.get_or_insert_default().clone();
        let is_new = |pod: &&&Rc<Pod>| {
            let is_counted = |uids: &[setpoint_api::Uid]| uids.contains(&pod.metadata.uid);
            has_finalizer(pod)
                && !is_counted(&uncounted.succeeded)
                && !is_counted(&uncounted.failed)
                && (!is_indexed(&self.spec) || indexes::valid_index(pod, &self.spec).is_some())
        };
        let ended: Vec<&Rc<Pod>> = self.pods.iter().filter(is_new).copied().gather();
        let is_success = |pod: &&Pod| pod.status.phase.as_str() == "Succeeded";
        let good: Vec<&Pod> = ended.iter().map(|pod| &***pod).filter(is_success).gather();
        let bad: Vec<&Pod> =
            ended.iter().map(|pod| &***pod).filter(|pod| is_failed(pod, &self.spec)).gather();
        let policy = self.spec.pod_failure_policy.as_ref();
        let counted = bad.iter().filter(|pod| policies::judge(policy, pod).counts).count();
        // What stands in the status may be anybody's.
        let and = |count: i32, more: usize| count.max(0).saturating_add(more as i32);
        self.succeeded = and(self.succeeded, good.len() + uncounted.succeeded.len());
        self.failed = and(self.failed, counted + uncounted.failed.len());
        self.backoff = self.backoff.with(&good, &bad);
        if is_indexed(&self.spec) {
            (self.before_indexes, self.succeeded_indexes) =
                indexes::succeeded(&self.status.completed_indexes, &self.spec, &self.pods);
            self.succeeded = self.succeeded_indexes.total();
        }
        if is_indexed(&self.spec) && self.spec.backoff_limit_per_index.is_some() {
            let stored = self.status.failed_indexes.clone().unwrap_or_default();
            self.failed_indexes = Some(indexes::failed(&stored, &self.spec, &self.pods));
        }
        self.waiting = if self.failed_indexes.is_some() { indexes::waiting(self) } else { Map::new() };
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    /// Decides whether the Job has come to its end. What has failed it comes before what suffices.
    fn judge(&mut self) {
        if self.status.start_time.is_none() && !self.is_suspended() {
            self.status.start_time = Some(self.now.whole_seconds());
        }
        let is_true =
            |kind| condition(&self.status.conditions, kind).filter(|c| c.status == ConditionStatus::True);
        self.finished = is_true("SuccessCriteriaMet").cloned();
        if self.finished.is_none() {
            self.finished = is_true("FailureTarget")
                .map(|target| new_condition("Failed", &target.reason, &target.message, self.now))
                .or_else(|| self.failed_by_policy());
        }
        if self.finished.is_none()
            && let Some((reason, message)) = self.failure()
        {
            self.finished = Some(new_condition("FailureTarget", reason, message, self.now));
        }
        if self.finished.is_none() && is_indexed(&self.spec) {
            self.finished = self
                .succeeded_indexes
                .suffice(&self.spec)
                .map(|message| new_condition("SuccessCriteriaMet", "SuccessPolicy", &message, self.now));
        }
    }

    /// Upstream: `getFailJobMessage`.
    fn failed_by_policy(&self) -> Option<Condition> {
        let policy = Some(self.spec.pod_failure_policy.as_ref()?);
        let failed = self.pods.iter().filter(|pod| is_failed(pod, &self.spec));
        let message = failed.filter_map(|pod| policies::judge(policy, pod).message).next()?;
        Some(new_condition("FailureTarget", "PodFailurePolicy", &message, self.now))
    }

    /// Why the Job has failed, if it has: failures, time, indexes.
    fn failure(&mut self) -> Option<(&'static str, &'static str)> {
        let spec = &self.spec;
        if self.failed > spec.backoff_limit.unwrap_or(6) || self.has_restarted_too_often() {
            return Some(("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        }
        if let (Some(seconds), Some(start), false) =
            (spec.active_deadline_seconds, self.status.start_time, self.is_suspended())
        {
            let left = seconds.saturating_mul(SECOND).saturating_sub(self.now.since(start));
            if left <= 0 {
                return Some(("DeadlineExceeded", "Job was active longer than specified deadline"));
            }
            self.requeue = Some(left);
        }
        let failed = self.failed_indexes.as_ref().map_or(0, Indexes::total);
        if self.spec.max_failed_indexes.is_some_and(|most| failed > most) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(("MaxFailedIndexesExceeded", message));
        }
        let is_over =
            failed.saturating_add(self.succeeded_indexes.total()) >= self.spec.completions.unwrap_or(0);
        (failed > 0 && is_over).then_some(("FailedIndexes", "Job has failed indexes"))
    }

    /// Upstream: `pastBackoffLimitOnFailure`.
    fn has_restarted_too_often(&self) -> bool {
        if self.spec.template.spec.restart_policy.as_deref() != Some("OnFailure") {
            return false;
        }
        let is_under_way = |pod: &&&Rc<Pod>| matches!(pod.status.phase.as_str(), "Running" | "Pending");
        let statuses = |pod: &&'a Rc<Pod>| {
            pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses)
        };
        let total = restarts(self.pods.iter().filter(is_under_way).flat_map(statuses));
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if limit == 0 { total > 0 } else { total >= limit }
    }

    fn say(&mut self, is_warning: bool, reason: &'static str, message: impl Into<Cow<'static, str>>) {
        let draft = EventDraft::normal(ROW.name, self.job.metadata.id, reason, message);
        self.writes.push(Write::Event(EventDraft { is_warning, ..draft }));
    }

    fn wake_after(&mut self, delay: Micros) {
        self.requeue = Some(self.requeue.map_or(delay, |known| known.min(delay)));
    }
}

/// The reason of a condition, as events want it.
fn fixed_reason(reason: &Str) -> &'static str {
    let known = [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
        "MaxFailedIndexesExceeded",
        "FailedIndexes",
        "PodFailurePolicy",
    ];
    known.into_iter().find(|word| *word == &**reason).unwrap_or("Failed")
}
