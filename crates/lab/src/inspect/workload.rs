//! Deployments and ReplicaSets: what is asked for against what there is.

use super::parts::{field, links, owners, row, row_if, timer, yes_no};
use super::{Inspection, Row};
use crate::tiles::{first_image, version_of};
use setpoint_api::Gather as _;
use setpoint_api::time::SECOND;
use setpoint_api::{Deployment, HorizontalPodAutoscaler, ReplicaSet, condition};
use setpoint_control::deployment::{self, math};
use setpoint_sim::Sim;
use std::rc::Rc;

/// Reasons of Progressing during which no deadline runs.
const NOT_TIMED: [&str; 3] =
    [deployment::progress::NEW_RS_AVAILABLE, deployment::progress::TIMED_OUT, deployment::progress::PAUSED];

fn count(name: &str, wanted: i32, is: i32) -> Row {
    row(name, &wanted, &is)
}

fn deployment_rows(of: &Deployment, sets: &[Rc<ReplicaSet>]) -> Vec<Row> {
    let (spec, status) = (&of.spec, &of.status);
    let wanted = spec.replicas.unwrap_or(1);
    let image = first_image(&spec.template.spec);
    let running = sets.iter().filter(|set| set.status.replicas > 0);
    let running = running
        .map(|set| format!("{} × {}", set.status.replicas, version_of(first_image(&set.spec.template.spec))));
    let (surge, missing) = (math::max_surge(of), math::max_unavailable(of));
    let rolling = spec.strategy.rolling_update.as_ref();
    let told =
        |bound: Option<&setpoint_api::IntOrPercent>| bound.map_or_else(String::new, ToString::to_string);
    vec![
        count("replicas", wanted, status.replicas),
        count("updated", wanted, status.updated_replicas),
        count("ready", wanted, status.ready_replicas),
        count("available", wanted, status.available_replicas),
        row_if(
            sets.iter().filter(|set| set.status.replicas > 0).count() > 1,
            "image",
            &image,
            &running.gather().join(", "),
        ),
        row_if(
            of.metadata.generation != status.observed_generation,
            "generation",
            &of.metadata.generation,
            &format_args!("{} observed", status.observed_generation),
        ),
        row_if(spec.paused, "paused", &"no", &yes_no(spec.paused)),
        row_if(
            false,
            "maxSurge",
            &told(rolling.and_then(|rolling| rolling.max_surge.as_ref())),
            &format_args!("at most {} pods", wanted.saturating_add(surge)),
        ),
        row_if(
            false,
            "maxUnavailable",
            &told(rolling.and_then(|rolling| rolling.max_unavailable.as_ref())),
            &format_args!("at least {} available", (wanted - missing).max(0)),
        ),
        row("minReadySeconds", &"", &format_args!("{} s", spec.min_ready_seconds)),
        row("strategy", &"", &spec.strategy.kind),
    ]
}

/// Fills in what is particular to Deployments.
pub(super) fn deployment(sim: &Sim, of: &Deployment, page: &mut Inspection) {
    let (spec, status) = (&of.spec, &of.status);
    let sets: Vec<_> = sim.store().dependents::<ReplicaSet>(of.metadata.uid).cloned().gather();
    page.kind = "Deployment".into();
    page.rows = deployment_rows(of, &sets);
    page.conditions = super::parts::conditions(&status.conditions);
    let progressing = condition(&status.conditions, "Progressing");
    if let (Some(seconds), Some(since)) =
        (spec.progress_deadline_seconds, progressing.and_then(|condition| condition.last_update_time))
        && deployment::progress::has_deadline(of)
        && !deployment::progress::is_complete(of, status)
        && progressing.is_some_and(|condition| !NOT_TIMED.contains(&&*condition.reason))
    {
        let seconds = i64::from(seconds);
        page.timers.push(timer(
            "progress deadline",
            "without progress until then the rollout counts as stalled; nothing is rolled back by itself",
            (since, since.plus(seconds * SECOND)),
            field(seconds, 600, "progressDeadlineSeconds"),
        ));
    }
    page.children = links(sim, sets.iter().filter_map(|set| sim.store().object(set.metadata.id)));
    page.children.reverse();
    let scalers = sim.store().list_in::<HorizontalPodAutoscaler>(&of.metadata.namespace);
    let of_it = scalers.filter(|scaler| {
        let target = &scaler.spec.scale_target_ref;
        &*target.kind == "Deployment" && target.name == of.metadata.name
    });
    page.children.extend(links(sim, of_it.filter_map(|scaler| sim.store().object(scaler.metadata.id))));
}

/// Fills in what is particular to ReplicaSets.
pub(super) fn replica_set(sim: &Sim, of: &ReplicaSet, page: &mut Inspection) {
    let (spec, status) = (&of.spec, &of.status);
    let wanted = spec.replicas.unwrap_or(1);
    let revision = of.metadata.annotation(deployment::revision::REVISION).unwrap_or("none");
    page.kind = "ReplicaSet".into();
    page.owners = owners(sim, &of.metadata);
    page.rows = vec![
        count("replicas", wanted, status.replicas),
        count("ready", wanted, status.ready_replicas),
        count("available", wanted, status.available_replicas),
        row("terminating", &"", &status.terminating_replicas.unwrap_or(0)),
        row("image", &"", &first_image(&spec.template.spec)),
        row("revision", &"", &revision),
    ];
    page.conditions = super::parts::conditions(&status.conditions);
    let pods = sim.store().dependent_ids(of.metadata.uid);
    page.children = links(sim, pods.filter_map(|id| sim.store().object(id)));
}
