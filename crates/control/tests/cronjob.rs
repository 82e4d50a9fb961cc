//! CronJobs with their controller alone: missed starts, concurrency, history.

mod play;

use play::Play;
use serde_json::{Value, json};
use setpoint_api::{CronJob, Job, JobStatus, Kind, Resource, Scope};
use setpoint_control::cronjob;

fn cluster(spec: Value) -> Play {
    let mut play = Play::new(vec![cronjob::ROW]);
    let mut manifest = json!({
        "metadata": { "name": "tick", "namespace": "default" },
        "spec": {
            "schedule": "* * * * *", "concurrencyPolicy": "Allow", "suspend": false,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
            "jobTemplate": { "spec": { "template": { "spec": { "containers": [] } } } },
        },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        manifest["spec"][key] = value.clone();
    }
    play.put(manifest, Kind::CronJob);
    play
}

fn jobs(play: &Play) -> Vec<String> {
    play.store.list::<Job>().map(|job| job.metadata.name.to_string()).collect()
}

fn status(play: &Play) -> setpoint_api::CronJobStatus {
    play.store.find::<CronJob>("default", "tick").expect("the CronJob").status()
}

/// Ends a Job as its controller would.
fn end(play: &mut Play, name: &str, how: &str) {
    let at = play.now.to_rfc3339(0);
    let mut status = json!({ "startTime": at, "conditions": [{ "type": how, "status": "True", "lastTransitionTime": at }] });
    if how == "Complete" {
        status["completionTime"] = at.into();
    }
    let (object, _) =
        setpoint_api::Object::from_value(Kind::Job, json!({ "metadata": {}, "status": status }));
    let ended: JobStatus = Job::from_object(&object).expect("a Job").status();
    play.change::<Job>("default", name, Scope::Status, |job| *job = job.with_status(&ended));
}

#[test]
fn each_minute_makes_a_job() {
    let mut play = cluster(json!({}));
    play.run_until(59, &[]);
    assert_eq!(jobs(&play), [""; 0]);
    play.run_until(125, &[]);
    assert_eq!(jobs(&play), ["tick-29453761", "tick-29453762"]);
    let active: Vec<String> = status(&play).active.iter().map(|job| job.name.to_string()).collect();
    assert_eq!(active, ["tick-29453761", "tick-29453762"]);
    assert_eq!(status(&play).last_schedule_time.map(|at| at.0), Some(120_000_000));
}

#[test]
fn a_job_that_runs_may_forbid_the_next_or_be_replaced() {
    let mut play = cluster(json!({ "concurrencyPolicy": "Forbid" }));
    play.run_until(125, &[]);
    assert_eq!(jobs(&play), ["tick-29453761"]);
    assert!(play.take_log().iter().any(|line| line.contains("JobAlreadyActive")));
    end(&mut play, "tick-29453761", "Complete");
    // The start that was put off is made up for at once.
    assert_eq!(jobs(&play), ["tick-29453761", "tick-29453762"]);

    let mut play = cluster(json!({ "concurrencyPolicy": "Replace" }));
    play.run_until(125, &[]);
    assert_eq!(jobs(&play), ["tick-29453762"]);
    let cron_jobs = play.store.changes_after(0).filter_map(|change| CronJob::from_object(&change.new));
    let active: Vec<usize> = cron_jobs.map(|cron_job| cron_job.status().active.len()).collect();
    assert_eq!(active, [0, 1, 1], "the old Job goes from the list as the new one comes");
}

#[test]
fn old_jobs_go_beyond_their_limits() {
    let mut play = cluster(json!({ "successfulJobsHistoryLimit": 1 }));
    for (minute, how) in [(1, "Complete"), (2, "Failed"), (3, "Complete"), (4, "Failed")] {
        play.run_until(minute * 60 + 1, &[]);
        end(&mut play, &format!("tick-2945376{minute}"), how);
    }
    assert_eq!(jobs(&play), ["tick-29453763", "tick-29453764"]);
    assert_eq!(status(&play).last_successful_time.map(|at| at.0), Some(181_000_000));
    let log = play.take_log();
    let seen = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    assert_eq!((seen("condition: Complete"), seen("condition: Failed"), seen("UnexpectedJob")), (2, 2, 0));
}

#[test]
fn starts_that_were_missed_are_made_up_for_once_unless_it_is_too_late() {
    for (deadline, expected) in [(Value::Null, vec!["tick-29453770"]), (json!(5), vec![])] {
        let mut play = cluster(json!({ "suspend": true, "startingDeadlineSeconds": deadline.clone() }));
        play.run_until(630, &[]);
        assert_eq!(jobs(&play), [""; 0]);
        play.change::<CronJob>("default", "tick", Scope::Main, |tick| {
            let mut spec: Value = setpoint_api::wire::kept(&tick.rest, "spec");
            spec["suspend"] = false.into();
            setpoint_api::wire::keep(&mut tick.rest, "spec", &spec);
        });
        assert_eq!(jobs(&play), expected, "{deadline}");
    }
}
