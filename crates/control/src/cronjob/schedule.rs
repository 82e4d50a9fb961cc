//! Which start of a CronJob is due.
//!
//! Upstream: pkg/controller/cronjob/utils.go.
//! Simplified: schedules are in UTC, whatever time zone is asked for.

use setpoint_api::cron::Schedule;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::{Micros, Time};

/// A start is looked for a little later, so that it is there.
const DELTA: Micros = 100 * MILLISECOND;

/// The last start that should have been, and how many there were since the last Job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The last start, if there was one.
    pub at: Option<Time>,
    /// Starts missed, roughly.
    pub missed: i64,
}

/// The last start after `since`.
///
/// Upstream: `mostRecentScheduleTime`.
pub fn due(schedule: &Schedule, since: Time, now: Time) -> Due {
    let Some(first) = schedule.next(since).filter(|first| *first <= now) else { return Due::default() };
    let Some(second) = schedule.next(first).filter(|second| *second <= now) else {
        return Due { at: Some(first), missed: 0 };
    };
    let between = (second.since(first) / SECOND).max(1);
    let missed = now.since(first) / SECOND / between + 1;
    let mut next = schedule.next(first.plus((missed - 2) * between * SECOND));
    let mut last = None;
    while let Some(at) = next.filter(|at| *at <= now) {
        last = Some(at);
        next = schedule.next(at);
    }
    Due { at: last, missed }
}

/// Time until the next start.
///
/// Upstream: `nextScheduleTimeDuration`.
pub fn until_next(schedule: &Schedule, since: Time, now: Time) -> Option<Micros> {
    let due = due(schedule, since, now);
    let from = due.at.unwrap_or(if due.missed == 0 { since } else { now });
    Some(schedule.next(from)?.plus(DELTA).since(now).max(0))
}
