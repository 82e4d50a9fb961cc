//! Workloads described: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, disruption budgets.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go.

use super::pod;
use super::text::{Text, date, set, yes};
use crate::kubectl::print::look::{at, has, int, is, items, or, own_selector, plain, selector, text, time};
use serde_json::Value;
use setpoint_api::duration::human_duration;
use setpoint_api::{Deployment, ReplicaSet, Selector, Store};
use setpoint_control::deployment::revision;

pub(super) fn deployment(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    out.created(object);
    out.labels(object);
    out.field(0, "Selector", selector(object, "/spec/selector"));
    let count = |path: &str| int(object, path);
    out.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            count("/spec/replicas"),
            count("/status/updatedReplicas"),
            count("/status/replicas"),
            count("/status/availableReplicas"),
            count("/status/unavailableReplicas")
        ),
    );
    out.field(0, "StrategyType", text(object, "/spec/strategy/type"));
    out.field(0, "MinReadySeconds", count("/spec/minReadySeconds").to_string());
    if has(object, "/spec/strategy/rollingUpdate") {
        let of = |name: &str| plain(at(object, &format!("/spec/strategy/rollingUpdate/{name}")));
        let (unavailable, surge) = (of("maxUnavailable"), of("maxSurge"));
        out.field(0, "RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    pod::template(out, object, "/spec/template");
    out.conditions(object);
    let (old, new) = replica_sets(store, object);
    out.field(0, "OldReplicaSets", or(&old.join(", "), "<none>"));
    out.field(0, "NewReplicaSet", or(&new.join(", "), "<none>"));
    out.events(events);
}

/// The ReplicaSets of a Deployment with how far they are: the old ones, oldest first, and the one of its template.
fn replica_sets(store: &Store, object: &Value) -> (Vec<String>, Vec<String>) {
    let found = store.find::<Deployment>(text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let Some(deployment) = found else { return (Vec::new(), Vec::new()) };
    let mut sets: Vec<_> = store.dependents::<ReplicaSet>(deployment.metadata.uid).cloned().collect();
    sets.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    let newest = revision::find_new(&deployment.spec.template, &sets).map(|set| set.metadata.id);
    let told = |set: &ReplicaSet| {
        let (current, wanted) = (set.status.replicas, set.spec.replicas.unwrap_or(1));
        format!("{} ({current}/{wanted} replicas created)", set.metadata.name)
    };
    let is_new = |set: &ReplicaSet| newest == Some(set.metadata.id);
    let old = sets.iter().filter(|set| !is_new(set)).map(|set| told(set)).collect();
    let new = sets.iter().filter(|set| is_new(set)).map(|set| told(set)).collect();
    (old, new)
}

/// How many pods of a workload are in which phase.
fn pods_status(store: &Store, object: &Value) -> String {
    let uid = text(object, "/metadata/uid");
    let selector = Selector::parse(&own_selector(object, "/spec/selector")).unwrap_or_default();
    let pods = store.pods_matching(text(object, "/metadata/namespace"), &selector);
    let is_own = |pod: &&&std::rc::Rc<setpoint_api::Pod>| {
        pod.metadata.controller().is_none_or(|owner| owner.uid.to_string() == uid)
    };
    let count =
        |phase: &str| pods.iter().filter(is_own).filter(|pod| pod.status.phase.to_string() == phase).count();
    format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    )
}

pub(super) fn replica_set(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    let is_set = text(object, "/kind") == "ReplicaSet";
    out.field(0, "Selector", own_selector(object, "/spec/selector"));
    out.labels(object);
    if is_set {
        out.owner(object);
    }
    out.field(
        0,
        "Replicas",
        format!("{} current / {} desired", int(object, "/status/replicas"), int(object, "/spec/replicas")),
    );
    out.field(0, "Pods Status", pods_status(store, object));
    pod::template(out, object, "/spec/template");
    out.conditions(object);
    out.events(events);
}

pub(super) fn stateful_set(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    out.created(object);
    out.field(0, "Selector", selector(object, "/spec/selector"));
    out.labels(object);
    let (wanted, total) = (int(object, "/spec/replicas"), int(object, "/status/replicas"));
    out.field(0, "Replicas", format!("{wanted} desired | {total} total"));
    out.field(0, "Update Strategy", text(object, "/spec/updateStrategy/type"));
    let rolling = at(object, "/spec/updateStrategy/rollingUpdate");
    if has(rolling, "/partition") {
        out.field(1, "Partition", int(rolling, "/partition").to_string());
        if has(rolling, "/maxUnavailable") {
            out.field(1, "MaxUnavailable", plain(at(rolling, "/maxUnavailable")));
        }
    }
    out.field(0, "Pods Status", pods_status(store, object));
    pod::template(out, object, "/spec/template");
    claims(out, items(object, "/spec/volumeClaimTemplates"));
    out.events(events);
}

fn claims(out: &mut Text, claims: &[Value]) {
    if claims.is_empty() {
        out.line(0, "Volume Claims:\t<none>");
        return;
    }
    out.line(0, "Volume Claims:");
    for claim in claims {
        out.field(1, "Name", text(claim, "/metadata/name"));
        out.field(1, "StorageClass", text(claim, "/spec/storageClassName"));
        out.map("  Labels", claim, "/metadata/labels");
        out.map("  Annotations", claim, "/metadata/annotations");
        let capacity = at(claim, "/spec/resources/requests/storage");
        out.field(1, "Capacity", if capacity.is_null() { "<default>".into() } else { plain(capacity) });
        let modes: Vec<&str> = items(claim, "/spec/accessModes").iter().filter_map(Value::as_str).collect();
        out.field(1, "Access Modes", format!("[{}]", modes.join(" ")));
    }
}

pub(super) fn daemon_set(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    out.field(0, "Selector", selector(object, "/spec/selector"));
    out.field(
        0,
        "Node-Selector",
        crate::kubectl::print::look::labels(object, "/spec/template/spec/nodeSelector"),
    );
    out.labels(object);
    for (title, name) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        out.line(0, format!("{title}: {}", int(object, &format!("/status/{name}"))));
    }
    out.field(0, "Pods Status", pods_status(store, object));
    pod::template(out, object, "/spec/template");
    out.events(events);
}

pub(super) fn job(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.field(0, "Selector", selector(object, "/spec/selector"));
    out.labels(object);
    out.owner(object);
    let number = |path: &str| set(object, path);
    out.field(0, "Parallelism", number("/spec/parallelism"));
    out.field(0, "Completions", number("/spec/completions"));
    if has(object, "/spec/completionMode") {
        out.field(0, "Completion Mode", text(object, "/spec/completionMode"));
    }
    if has(object, "/spec/suspend") {
        out.field(0, "Suspend", is(object, "/spec/suspend").to_string());
    }
    if has(object, "/spec/backoffLimit") {
        out.field(0, "Backoff Limit", number("/spec/backoffLimit"));
    }
    if has(object, "/spec/ttlSecondsAfterFinished") {
        out.field(0, "TTL Seconds After Finished", number("/spec/ttlSecondsAfterFinished"));
    }
    let (start, end) = (time(object, "/status/startTime"), time(object, "/status/completionTime"));
    if start.is_some() {
        out.field(0, "Start Time", date(object, "/status/startTime"));
    }
    if end.is_some() {
        out.field(0, "Completed At", date(object, "/status/completionTime"));
    }
    if let (Some(start), Some(end)) = (start, end) {
        out.field(0, "Duration", human_duration(end.since(start)));
    }
    if has(object, "/spec/activeDeadlineSeconds") {
        out.field(0, "Active Deadline Seconds", format!("{}s", int(object, "/spec/activeDeadlineSeconds")));
    }
    let count = |name: &str| int(object, &format!("/status/{name}"));
    out.field(
        0,
        "Pods Statuses",
        format!(
            "{} Active ({} Ready) / {} Succeeded / {} Failed",
            count("active"),
            count("ready"),
            count("succeeded"),
            count("failed")
        ),
    );
    if text(object, "/spec/completionMode") == "Indexed" {
        out.field(0, "Completed Indexes", or(text(object, "/status/completedIndexes"), "<none>"));
    }
    pod::template(out, object, "/spec/template");
    out.events(events);
}

pub(super) fn cron_job(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    let number = |path: &str| set(object, path);
    out.field(0, "Schedule", text(object, "/spec/schedule"));
    out.field(0, "Concurrency Policy", text(object, "/spec/concurrencyPolicy"));
    out.field(0, "Suspend", yes(is(object, "/spec/suspend")));
    out.field(0, "Time Zone", number("/spec/timeZone"));
    out.field(0, "Successful Job History Limit", number("/spec/successfulJobsHistoryLimit"));
    out.field(0, "Failed Job History Limit", number("/spec/failedJobsHistoryLimit"));
    let deadline = number("/spec/startingDeadlineSeconds");
    out.field(0, "Starting Deadline Seconds", if deadline == "<unset>" { deadline } else { deadline + "s" });
    let template = at(object, "/spec/jobTemplate");
    let own = selector(template, "/spec/selector");
    out.field(0, "Selector", if own == "<none>" { "<unset>".to_owned() } else { own });
    out.field(0, "Parallelism", set(template, "/spec/parallelism"));
    out.field(0, "Completions", set(template, "/spec/completions"));
    pod::template(out, template, "/spec/template");
    out.field(0, "Last Schedule Time", date(object, "/status/lastScheduleTime"));
    let active: Vec<&str> = items(object, "/status/active").iter().map(|job| text(job, "/name")).collect();
    out.field(0, "Active Jobs", or(&active.join(", "), "<none>"));
    out.events(events);
}

pub(super) fn disruption_budget(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    for (title, name) in [("Min available", "minAvailable"), ("Max unavailable", "maxUnavailable")] {
        let value = at(object, &format!("/spec/{name}"));
        if !value.is_null() {
            out.field(0, title, plain(value));
        }
    }
    let own =
        if has(object, "/spec/selector") { selector(object, "/spec/selector") } else { "<unset>".into() };
    out.field(0, "Selector", own);
    out.line(0, "Status:");
    for (title, name) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        out.field(2, title, int(object, &format!("/status/{name}")).to_string());
    }
    out.events(events);
}
