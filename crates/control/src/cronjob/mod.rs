//! The CronJob controller: makes Jobs by the clock.
//!
//! Watches: CronJobs, their Jobs.
//! Writes: Jobs (create, delete), CronJob status, events.
//! Rule: the last start that is due makes a Job, unless it is too late for it or another one still runs and that is forbidden;
//! finished Jobs beyond the limits go, the oldest first.
//! Upstream: pkg/controller/cronjob/cronjob_controllerv2.go (`syncCronJob`, `cleanupFinishedJobs`).
//! Simplified: a new Job comes to the list of active ones by the sync that sees it, a moment after the one that made it.

pub mod schedule;

use crate::job::is_finished;
use crate::replicaset::controller_reference;
use crate::{ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Write};
use schedule::{due, until_next};
use setpoint_api::Gather as _;
use setpoint_api::cron::Schedule;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::time::SECOND;
use setpoint_api::{
    Change, ConditionStatus, CronJob, CronJobSpec, CronJobStatus, DeleteOptions, Job, JobStatus, Kind, ObjId,
    Object, ObjectMeta, ObjectReference, Reason, Resource, Scope, Str, Time, condition_status,
};
use std::borrow::Cow;
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "cronjob-controller",
    kind: Kind::CronJob,
    watches: &[Kind::CronJob, Kind::Job],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: true,
    forget: |memory| memory.cronjob = Memory::default(),
};

/// What syncs that made a Job have found; the sync that sees the Job writes it, with the Job, as one.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    found: Map<ObjId, CronJobStatus>,
}

/// Annotation of a Job with the time that it was made for.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// So many missed starts are told of.
const MANY: i64 = 100;

fn on_change(cx: &ChangeCx, change: &Change, _: &mut AllMemory, keys: &mut Keys) {
    let meta = change.new.metadata();
    match &change.new {
        Object::CronJob(_) => keys.add(meta.id),
        Object::Job(_) => {
            let owner = meta.controller().and_then(|owner| cx.view.id_of_uid(owner.uid));
            if let Some(owner) = owner.filter(|id| cx.view.get::<CronJob>(*id).is_some()) {
                keys.add(owner);
            }
        }
        _ => {}
    }
}

/// A CronJob in the middle of a sync.
struct Sync<'a> {
    cron_job: &'a Rc<CronJob>,
    spec: CronJobSpec,
    status: CronJobStatus,
    now: Time,
    jobs: Vec<(&'a Rc<Job>, JobStatus)>,
    has_made: bool,
    writes: Vec<Write>,
    decision: Cow<'static, str>,
}

fn reconcile(cx: &Cx, key: Key, memory: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(cron_job) = cx.view.get::<CronJob>(id) else {
        memory.cronjob.found.remove(&id);
        return Outcome::idle("gone");
    };
    if let Some(failure) = cx.failure {
        let mut outcome = Outcome { retry: true, ..Outcome::idle("try again") };
        if failure.about.is_none() && failure.status.reason != Reason::AlreadyExists {
            let text = format!("Error creating job: {}", failure.status.message);
            outcome.writes.push(Write::Event(EventDraft::warning(ROW.name, id, "FailedCreate", text)));
        }
        // No Job came: what was found besides is written without it.
        if let Some(found) = memory.cronjob.found.remove(&id).filter(|found| *found != cron_job.status()) {
            outcome.writes.push(Write::Update(cron_job.with_status(&found).into_object(), Scope::Status));
        }
        return outcome;
    }
    let is_own = |job: &&Rc<Job>| job.metadata.controller().is_some_and(|o| o.uid == cron_job.metadata.uid);
    let jobs = cx.view.dependents::<Job>(cron_job.metadata.uid).filter(is_own);
    let mut sync = Sync {
        cron_job,
        spec: cron_job.spec(),
        status: memory.cronjob.found.remove(&id).unwrap_or_else(|| cron_job.status()),
        now: cx.now,
        jobs: jobs.map(|job| (job, job.status())).gather(),
        has_made: false,
        writes: Vec::new(),
        decision: "nothing to do".into(),
    };
    sync.clean_up();
    sync.take_stock();
    let requeue_after = sync.start();
    if sync.has_made {
        memory.cronjob.found.insert(id, sync.status.clone());
    } else if sync.status != cron_job.status() {
        let write = Write::Update(cron_job.with_status(&sync.status).into_object(), Scope::Status);
        sync.writes.push(write);
        if &*sync.decision == "nothing to do" {
            sync.decision = "update the status".into();
        }
    }
    let observed = vec![("jobs", sync.jobs.len() as i64), ("active", sync.status.active.len() as i64)];
    let note = Note { observed, decision: sync.decision };
    Outcome { writes: sync.writes, requeue_after, note, ..Outcome::default() }
}

fn has_ended(status: &JobStatus, kind: &str) -> bool {
    condition_status(&status.conditions, kind) == ConditionStatus::True
}

impl<'a> Sync<'a> {
    fn say(&mut self, is_warning: bool, reason: &'static str, message: impl Into<Cow<'static, str>>) {
        let draft = EventDraft::normal(ROW.name, self.cron_job.metadata.id, reason, message);
        self.writes.push(Write::Event(EventDraft { is_warning, ..draft }));
    }

    /// Upstream: `cleanupFinishedJobs`.
    fn clean_up(&mut self) {
        let limits = [
            ("Complete", self.spec.successful_jobs_history_limit),
            ("Failed", self.spec.failed_jobs_history_limit),
        ];
        for (kind, limit) in limits {
            let Some(limit) = limit else { continue };
            let ended = self.jobs.iter().filter(|(_, status)| has_ended(status, kind));
            let mut ended: Vec<(Option<Time>, &'a Rc<Job>)> =
                ended.map(|(job, status)| (status.start_time, *job)).gather();
            order::sort_by(&mut ended, |a, b| {
                let key = |(start, job): &(Option<Time>, &Rc<Job>)| {
                    (start.is_none(), *start, job.metadata.name.clone())
                };
                key(a).cmp(&key(b))
            });
            let spare = ended.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
            for (_, job) in ended.into_iter().take(spare) {
                self.delete(job);
            }
        }
    }

    /// Upstream: `deleteJob`.
    fn delete(&mut self, job: &'a Rc<Job>) {
        let text = format!("Deleted job {}", job.metadata.name);
        self.decision = format!("delete job {}", job.metadata.name).into();
        let event = EventDraft::normal(ROW.name, self.cron_job.metadata.id, "SuccessfulDelete", text);
        self.writes.push(Write::Delete(job.metadata.id, DeleteOptions::default(), Some(event)));
        self.status.active.retain(|active| active.uid != Some(job.metadata.uid));
    }

    /// Brings the list of active Jobs up to date.
    fn take_stock(&mut self) {
        for (job, status) in self.jobs.clone() {
            let (meta, finished) = (&job.metadata, is_finished(&status));
            if let Some(at) = self.just_made(meta) {
                self.status.active.push(reference(job));
                self.status.last_schedule_time = Some(at);
            }
            let is_active = self.status.active.iter().any(|active| active.uid == Some(meta.uid));
            if !is_active && !finished {
                let text = format!("Saw a job that the controller did not create or forgot: {}", meta.name);
                self.say(true, "UnexpectedJob", text);
            } else if is_active && finished {
                let end = if has_ended(&status, "Complete") { "Complete" } else { "Failed" };
                self.status.active.retain(|active| active.uid != Some(meta.uid));
                self.say(
                    false,
                    "SawCompletedJob",
                    format!("Saw completed job: {}, condition: {end}", meta.name),
                );
            }
            if has_ended(&status, "Complete") && status.completion_time > self.status.last_successful_time {
                self.status.last_successful_time = status.completion_time;
            }
        }
        let jobs = &self.jobs;
        let is_there =
            |active: &ObjectReference| jobs.iter().any(|(job, _)| active.uid == Some(job.metadata.uid));
        let missing: Vec<ObjectReference> =
            self.status.active.iter().filter(|active| !is_there(active)).cloned().gather();
        for gone in missing {
            self.say(false, "MissingJob", format!("Active job went missing: {}", gone.name));
            self.status.active.retain(|active| active.uid != gone.uid);
        }
    }

    /// The time that a Job was made for, if it is a Job of this controller that the status does not know yet.
    fn just_made(&self, job: &ObjectMeta) -> Option<Time> {
        let at = Time::parse_rfc3339(job.annotation(SCHEDULED)?)?;
        let is_new = self.status.last_schedule_time.is_none_or(|last| last < at);
        (is_new && *job.name == *self.name_of(at)).then_some(at)
    }

    /// Upstream: `getJobName`.
    fn name_of(&self, at: Time) -> Str {
        format!("{}-{}", self.cron_job.metadata.name, at.unix_seconds().div_euclid(60)).into()
    }

    /// Makes the Job that is due; yields the time until the next.
    fn start(&mut self) -> Option<i64> {
        if self.cron_job.metadata.is_deleting() || self.spec.suspend == Some(true) {
            return None;
        }
        let schedule = Schedule::parse(&self.spec.schedule).ok()?;
        let created = self.cron_job.metadata.creation_timestamp.unwrap_or_default();
        let since = self.status.last_schedule_time.unwrap_or(created);
        let deadline = self.spec.starting_deadline_seconds.map(|seconds| seconds.saturating_mul(SECOND));
        let earliest = deadline.map_or(since, |deadline| since.max(self.now.plus(-deadline)));
        let due = due(&schedule, earliest, self.now);
        let next = until_next(&schedule, since, self.now);
        let Some(at) = due.at else { return next };
        if due.missed > MANY {
            let text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.say(true, "TooManyMissedTimes", text);
        }
        if self.status.last_schedule_time == Some(at) {
            return next;
        }
        if &*self.spec.concurrency_policy == "Forbid" && !self.status.active.is_empty() {
            let text = "Not starting job because prior execution is running and concurrency policy is Forbid";
            self.say(false, "JobAlreadyActive", text);
            return next;
        }
        if &*self.spec.concurrency_policy == "Replace" {
            let is_active = |status: &CronJobStatus, job: &Job| {
                status.active.iter().any(|active| active.uid == Some(job.metadata.uid))
            };
            let active = self.jobs.iter().filter(|(job, _)| is_active(&self.status, job));
            for job in active.map(|(job, _)| *job).gather() {
                self.delete(job);
            }
        }
        let job = self.job(at);
        let text = format!("Created job {}", job.metadata.name);
        self.decision = format!("create job {}", job.metadata.name).into();
        let event = EventDraft::normal(ROW.name, self.cron_job.metadata.id, "SuccessfulCreate", text);
        self.writes.push(Write::Create(job.into_object(), Some(event)));
        self.has_made = true;
        next
    }

    /// Upstream: `getJobFromTemplate2`.
    fn job(&self, at: Time) -> Job {
        let template = &self.spec.job_template;
        let mut metadata = ObjectMeta {
            name: self.name_of(at),
            namespace: self.cron_job.metadata.namespace.clone(),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            owner_references: Rc::new(vec![controller_reference(Kind::CronJob, &self.cron_job.metadata)]),
            ..ObjectMeta::default()
        };
        metadata.set_annotation(SCHEDULED, &at.to_rfc3339(0));
        let mut job = Job { metadata, ..Job::default() };
        setpoint_api::wire::keep(&mut job.rest, "spec", &template.spec);
        job
    }
}

fn reference(job: &Job) -> ObjectReference {
    ObjectReference {
        api_version: Str::fixed(Kind::Job.api_version()),
        kind: Str::fixed(Kind::Job.as_str()),
        namespace: job.metadata.namespace.clone(),
        name: job.metadata.name.clone(),
        uid: Some(job.metadata.uid),
        resource_version: job.metadata.resource_version.to_string().into(),
        ..ObjectReference::default()
    }
}
