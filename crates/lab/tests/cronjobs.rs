//! CronJobs whose Jobs cannot be made.

mod common;

use setpoint_api::CronJob;

/// A quota keeps the next Job away: what becomes of the present one is told nevertheless, and once.
#[test]
fn what_is_found_is_written_though_no_job_can_be_made() {
    let session = common::opened(
        r#"
cluster: {nodes: 1, images: {preloaded: true}}
until: 5m
manifests:
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: one}, spec: {hard: {count/jobs.batch: 1}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: tick}
  spec:
    schedule: "* * * * *"
    jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1", command: [sh, -c, "sleep 80"]}]}}}}
"#,
        200,
    );
    let status = session.sim().store().find::<CronJob>("default", "tick").expect("the CronJob").status();
    assert_eq!((status.active.len(), status.last_successful_time.is_some()), (0, true));
    assert!(!common::said(&session, "FailedCreate").is_empty());
    assert_eq!(common::said(&session, "SawCompletedJob").len(), 1);
}
