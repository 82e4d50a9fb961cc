//! Ages as kubectl prints them.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go`.

const SECOND: i64 = 1_000_000;
const DAYS_PER_YEAR: i64 = 365;

/// An age as in the AGE column: two units at most, coarser the older (`95s`, `3m20s`, `2d4h`).
///
/// Up to one second into the future counts as `0s`; more is `<invalid>`.
pub fn human_duration(micros: i64) -> String {
    let seconds = micros / SECOND;
    let (minutes, hours, days) = units(seconds);
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => pair(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => pair(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => pair(days, 'd', hours % 24, 'h'),
        () if days < 2 * DAYS_PER_YEAR => format!("{days}d"),
        () if days < 8 * DAYS_PER_YEAR => pair(days / DAYS_PER_YEAR, 'y', days % DAYS_PER_YEAR, 'd'),
        () => format!("{}y", days / DAYS_PER_YEAR),
    }
}

/// An age in its largest whole unit (`1m` for 119 seconds).
pub fn short_human_duration(micros: i64) -> String {
    let seconds = micros / SECOND;
    let (minutes, hours, days) = units(seconds);
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 60 => format!("{seconds}s"),
        () if minutes < 60 => format!("{minutes}m"),
        () if hours < 24 => format!("{hours}h"),
        () if days < DAYS_PER_YEAR => format!("{days}d"),
        () => format!("{}y", days / DAYS_PER_YEAR),
    }
}

fn units(seconds: i64) -> (i64, i64, i64) {
    (seconds / 60, seconds / 3600, seconds / 86_400)
}

fn pair(large: i64, large_unit: char, small: i64, small_unit: char) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}
