//! Jobs and CronJobs: runs to completion, what is left of them, and when the next one begins.

use super::parts::{links, owners, row, row_if, span, timer};
use super::{Inspection, Tone};
use setpoint_api::Gather as _;
use setpoint_api::cron::Schedule;
use setpoint_api::time::{self, SECOND};
use setpoint_api::{ConditionStatus, CronJob, Job, JobStatus, Pod, Time, condition};
use setpoint_control::job::is_finished;
use setpoint_sim::Sim;
use std::rc::Rc;

/// How a Job stands, in a word or two.
pub(super) fn job_state(job: &Job) -> (Tone, Rc<str>) {
    let (spec, status) = (job.spec(), job.status());
    let is = |kind: &str| {
        condition(&status.conditions, kind).filter(|condition| condition.status == ConditionStatus::True)
    };
    let failed = match status.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let done = match spec.completions {
        Some(all) => format!("{} of {all} done{failed}", status.succeeded),
        None => format!("{} done{failed}", status.succeeded),
    };
    if let Some(end) = is("Failed") {
        let why = match &*end.reason {
            "BackoffLimitExceeded" => format!("{} failures", status.failed),
            "DeadlineExceeded" => "deadline".to_string(),
            reason => reason.to_string(),
        };
        (Tone::Bad, format!("Failed: {why}").into())
    } else if is("Complete").is_some() {
        (Tone::Good, done.into())
    } else if is("Suspended").is_some() {
        (Tone::Plain, format!("suspended, {done}").into())
    } else {
        (Tone::Busy, done.into())
    }
}

/// Why a Job was given up.
pub(crate) fn why_failed(job: &Job) -> Option<Rc<str>> {
    let status = job.status();
    let failed = condition(&status.conditions, "Failed")?;
    Some(failed.message.clone().into())
}

/// Fills in what is particular to Jobs.
pub(super) fn job(sim: &Sim, of: &Job, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let limit = spec.backoff_limit.unwrap_or(6);
    let is_over = is_finished(&status);
    let parallel = spec.parallelism.unwrap_or(1);
    let wanted = spec.completions.map_or_else(|| "any one".to_string(), |all| all.to_string());
    page.owners = owners(sim, &of.metadata);
    page.rows = vec![
        row_if(
            spec.completions.is_some_and(|all| status.succeeded < all),
            "succeeded",
            &wanted,
            &status.succeeded,
        ),
        row_if(
            status.failed > 0,
            "failed",
            &format_args!("gives up after {} (backoffLimit {limit})", limit.saturating_add(1)),
            &status.failed,
        ),
        row_if(
            !is_over && status.active < parallel,
            "active",
            &format_args!("up to {parallel} side by side"),
            &status.active,
        ),
    ];
    if &*spec.completion_mode == "Indexed" {
        let done = if status.completed_indexes.is_empty() { "none" } else { &status.completed_indexes };
        page.rows.push(row("completed indexes", &"", &done));
    }
    let pods = sim.store().dependents::<Pod>(of.metadata.uid);
    let policy = spec.template.spec.restart_policy.clone().unwrap_or_default();
    let how = match &*policy {
        "OnFailure" => "the kubelet starts a failed container again in the same pod",
        _ => "a failed pod stays as it is, and another is made",
    };
    page.rows.push(row("retries", &policy, &how));
    page.rows.iter_mut().filter(|row| &*row.name == "retries").for_each(|row| row.differs = false);
    page.conditions = super::parts::conditions(&status.conditions);
    page.children = links(sim, pods.filter_map(|pod| sim.store().object(pod.metadata.id)));
    job_timers(of, &status, page);
}

fn job_timers(of: &Job, status: &JobStatus, page: &mut Inspection) {
    let spec = of.spec();
    let is_over = is_finished(status);
    if let (Some(seconds), Some(start)) =
        (spec.active_deadline_seconds.filter(|_| !is_over), status.start_time)
    {
        page.timers.push(timer(
            "deadline",
            "the Job fails with DeadlineExceeded, and what still runs is ended",
            (start, start.plus(time::seconds(seconds))),
            format!("{seconds} s (activeDeadlineSeconds); upstream sets none"),
        ));
    }
    let ended = status.conditions.iter().find(|condition| {
        ["Complete", "Failed"].contains(&&*condition.kind) && condition.status == ConditionStatus::True
    });
    let ended = ended.and_then(|condition| condition.last_transition_time);
    if let (Some(seconds), Some(end)) = (spec.ttl_seconds_after_finished, ended) {
        page.timers.push(timer(
            "time to live",
            "the Job is deleted, and its pods with it",
            (end, end.plus(i64::from(seconds) * SECOND)),
            format!("{seconds} s (ttlSecondsAfterFinished); upstream keeps it"),
        ));
    }
}

/// The last and the next start of a CronJob by its schedule; `None` while it rests.
pub(crate) fn next_run(of: &CronJob, now: Time) -> Option<(Time, Time)> {
    let spec = of.spec();
    if spec.suspend == Some(true) || of.metadata.is_deleting() {
        return None;
    }
    let schedule = Schedule::parse(&spec.schedule).ok()?;
    let last = of.status().last_schedule_time.or(of.metadata.creation_timestamp).unwrap_or_default();
    Some((last, schedule.next(now)?))
}

/// How a CronJob stands.
pub(super) fn cron_job_state(of: &CronJob) -> (Tone, Rc<str>) {
    let (spec, status) = (of.spec(), of.status());
    match (spec.suspend, status.active.len()) {
        (Some(true), _) => (Tone::Plain, "suspended".into()),
        (_, 0) => (Tone::Good, "waits".into()),
        (_, active) => (Tone::Busy, format!("{active} running").into()),
    }
}

/// Fills in what is particular to CronJobs.
pub(super) fn cron_job(sim: &Sim, of: &CronJob, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let ago = |at: Option<Time>| at.map_or_else(|| "never yet".to_string(), |at| super::parts::ago(sim, at));
    page.rows = vec![
        row("schedule", &"", &spec.schedule),
        row("last start", &"", &ago(status.last_schedule_time)),
        row("last success", &"", &ago(status.last_successful_time)),
        row("running", &"", &status.active.len()),
        row(
            "if one still runs",
            &"",
            &match &*spec.concurrency_policy {
                "Forbid" => "Forbid: the next start is left out",
                "Replace" => "Replace: the old Job is ended for the new one",
                _ => "Allow: they run side by side",
            },
        ),
        row(
            "Jobs kept",
            &"",
            &format_args!(
                "{} that succeeded, {} that failed",
                spec.successful_jobs_history_limit.unwrap_or(3),
                spec.failed_jobs_history_limit.unwrap_or(1)
            ),
        ),
    ];
    if let Some(times) = next_run(of, sim.now()) {
        let length = format!("schedule {}, in UTC", spec.schedule);
        page.timers.push(timer("next run", "a Job is made from its template", times, length));
    }
    if let Some(seconds) = spec.starting_deadline_seconds {
        let late = span(time::seconds(seconds));
        let text = format!("{late} (startingDeadlineSeconds); upstream sets none");
        page.rows.push(row("may start late by", &"", &text));
    }
    let jobs: Vec<&Rc<Job>> = sim.store().dependents::<Job>(of.metadata.uid).gather();
    page.children = links(sim, jobs.iter().rev().filter_map(|job| sim.store().object(job.metadata.id)));
}
