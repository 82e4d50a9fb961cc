//! Removes Jobs some time after their end.
//!
//! Watches: Jobs.
//! Writes: deletions in the foreground.
//! Rule: a Job goes ttlSecondsAfterFinished after it was complete or had failed.
//! Upstream: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.

use super::is_finished;
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Note, Outcome, Write};
use setpoint_api::time::SECOND;
use setpoint_api::{Change, ConditionStatus, DeleteOptions, Job, Kind, Object, Op, Propagation};

/// Its row.
pub const ROW: Controller = Controller {
    name: "ttl-after-finished-controller",
    kind: Kind::Job,
    watches: &[Kind::Job],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: false,
    forget: |_| {},
};

fn on_change(_: &ChangeCx, change: &Change, _: &mut Memory, keys: &mut Keys) {
    if let Object::Job(job) = &change.new
        && change.op != Op::Deleted
        && !job.metadata.is_deleting()
        && job.spec().ttl_seconds_after_finished.is_some()
        && is_finished(&job.status())
    {
        keys.add(job.metadata.id);
    }
}

fn reconcile(cx: &Cx, key: Key, _: &mut Memory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let Some(job) = cx.view.get::<Job>(id).filter(|job| !job.metadata.is_deleting()) else {
        return Outcome::idle("gone");
    };
    let status = job.status();
    let mut ends = status.conditions.iter().filter(|condition| {
        ["Complete", "Failed"].contains(&&*condition.kind) && condition.status == ConditionStatus::True
    });
    let ended = ends.find_map(|condition| condition.last_transition_time);
    let (Some(seconds), Some(ended)) = (job.spec().ttl_seconds_after_finished, ended) else {
        return Outcome::idle("nothing to do");
    };
    let left = i64::from(seconds) * SECOND - cx.now.since(ended);
    let note = |decision: &'static str| Note {
        observed: vec![("seconds left", left / SECOND)],
        decision: decision.into(),
    };
    if left > 0 {
        return Outcome { requeue_after: Some(left), note: note("wait"), ..Outcome::default() };
    }
    let options = DeleteOptions { propagation: Propagation::Foreground, ..DeleteOptions::default() };
    Outcome {
        writes: vec![Write::Delete(id, options, None)],
        note: note("delete the Job"),
        ..Outcome::default()
    }
}
