//! Points in simulated time, and how the API writes them.

use crate::wire::{Reader, Wire};
use serde_json::Value;

/// A length of simulated time in microseconds; may be negative.
pub type Micros = i64;
/// One millisecond.
pub const MILLISECOND: Micros = 1_000;
/// One second.
pub const SECOND: Micros = 1_000_000;
/// One minute.
pub const MINUTE: Micros = 60 * SECOND;

/// So many seconds as a person gives them, who may give very many.
pub fn seconds(count: i64) -> Micros {
    count.saturating_mul(SECOND)
}

/// A point in simulated time: microseconds since the start of the simulation.
///
/// On the wire it is RFC 3339 in whole seconds, as `metav1.Time`; the simulation starts at 2026-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Micros);

/// 2026-01-01T00:00:00Z in seconds since the Unix epoch.
const EPOCH_UNIX_SECONDS: i64 = 1_767_225_600;

impl Time {
    /// The same point cut down to whole seconds, which is all that `metav1.Time` keeps.
    pub fn whole_seconds(self) -> Time {
        Time(self.0.div_euclid(SECOND) * SECOND)
    }
    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(SECOND).saturating_add(EPOCH_UNIX_SECONDS)
    }
    /// The point so many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_sub(EPOCH_UNIX_SECONDS).saturating_mul(SECOND))
    }
    /// Time passed from `earlier` to `self`.
    // Saturation is long in wasm, and times are added in a hundred places.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn since(self, earlier: Time) -> Micros {
        self.0.saturating_sub(earlier.0)
    }
    /// The point `micros` later.
    // Saturation is long in wasm, and times are added in a hundred places.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub fn plus(self, micros: Micros) -> Time {
        Time(self.0.saturating_add(micros))
    }
    /// RFC 3339 with `digits` (0 or 6) decimals.
    pub fn to_rfc3339(self, digits: usize) -> String {
        let micros = self.0.rem_euclid(SECOND);
        let unix = self.unix_seconds();
        let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let fraction = if digits == 0 { String::new() } else { format!(".{micros:06}") };
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
    /// Reads RFC 3339, in UTC (`Z`) or with an offset, with or without decimals.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let number = |text: &str, width: usize| -> Option<i64> {
            let is_number = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok())?
        };
        let (date, clock) = text.split_once('T')?;
        let mut date = date.splitn(3, '-');
        let (year, month, day) =
            (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
        let (clock, offset) = if let Some(clock) = clock.strip_suffix('Z') {
            (clock, 0)
        } else {
            let (clock, zone) = clock.split_at_checked(clock.rfind(['+', '-'])?)?;
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = number(hours, 2)? * 60 + number(minutes, 2)?;
            (clock, if zone.starts_with('-') { -minutes } else { minutes })
        };
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
        let mut clock = clock.splitn(3, ':');
        let hour = clock.next()?;
        let (hour, minute, second) =
            (number(hour, hour.len().min(2))?, number(clock.next()?, 2)?, number(clock.next()?, 2)?);
        let days = days_from_civil(year, month, day);
        let is_date = (1..=12).contains(&month) && civil_from_days(days) == (year, month, day);
        let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if !is_date || !is_fraction || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let micros = digits.parse::<i64>().ok()?;
        let unix = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
        Some(Time((unix - EPOCH_UNIX_SECONDS) * SECOND + micros))
    }
}

/// Year, month and day of a count of days since 1970-01-01 in the proleptic Gregorian calendar.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl Wire for Time {
    fn take(&mut self, value: Value, r: &mut Reader) {
        match value.as_str().and_then(Time::parse_rfc3339) {
            Some(time) => *self = time,
            None => r.mismatch("a time such as 2026-01-01T00:00:00Z", &value),
        }
    }
    fn put(&self, _: bool) -> Option<Value> {
        Some(Value::String(self.to_rfc3339(0)))
    }
}

/// A point in time that keeps its microseconds on the wire, as `metav1.MicroTime`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MicroTime(pub Time);

impl Wire for MicroTime {
    fn take(&mut self, value: Value, r: &mut Reader) {
        self.0.take(value, r);
    }
    fn put(&self, _: bool) -> Option<Value> {
        Some(Value::String(self.0.to_rfc3339(6)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_and_parse() {
        for (time, text) in [
            (Time(0), "2026-01-01T00:00:00Z"),
            (Time(59 * 86_400 * SECOND), "2026-03-01T00:00:00Z"),
            (Time(90 * MINUTE + 7 * SECOND), "2026-01-01T01:30:07Z"),
            (Time(-SECOND), "2025-12-31T23:59:59Z"),
        ] {
            assert_eq!(time.to_rfc3339(0), text);
            assert_eq!(Time::parse_rfc3339(text), Some(time));
        }
        assert_eq!(Time(1_500_000).to_rfc3339(6), "2026-01-01T00:00:01.500000Z");
        assert_eq!(Time::parse_rfc3339("2026-01-01T00:00:01.5Z"), Some(Time(1_500_000)));
        assert_eq!(Time::parse_rfc3339("2026-01-01T01:30:00+01:00"), Some(Time(30 * MINUTE)));
        assert_eq!(
            Time::parse_rfc3339("2026-02-28T23:30:00-00:30"),
            Time::parse_rfc3339("2026-03-01T00:00:00Z")
        );
        for text in
            ["yesterday", "2026-01-01", "2026-1-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T00:00:60Z"]
        {
            assert_eq!(Time::parse_rfc3339(text), None, "{text}");
        }
    }
}
