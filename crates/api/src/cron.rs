//! Schedules of CronJobs: `minute hour day-of-month month day-of-week`.
//!
//! Upstream: github.com/robfig/cron/v3 `ParseStandard`.

use crate::Gather as _;
use crate::Time;
use crate::text::go_quote;
use crate::time::{SECOND, civil_from_days};

/// When a CronJob fires: for each part the numbers that fit, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Minutes, 0 to 59.
    pub minute: u64,
    /// Hours, 0 to 23.
    pub hour: u64,
    /// Days of a month, 1 to 31.
    pub day: u64,
    /// Months, 1 to 12.
    pub month: u64,
    /// Days of a week, 0 (Sunday) to 6.
    pub weekday: u64,
    /// Whether the day of the month is any, so that the day of the week alone decides.
    pub any_day: bool,
    /// Whether the day of the week is any.
    pub any_weekday: bool,
    /// Seconds from one firing to the next, of `@every`; the parts do not count then.
    pub every: Option<i64>,
}

/// The numbers that a part may have, and names for them from the first on.
struct Bounds {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const BOUNDS: [Bounds; 5] = [
    Bounds { low: 0, high: 59, names: &[] },
    Bounds { low: 0, high: 23, names: &[] },
    Bounds { low: 1, high: 31, names: &[] },
    Bounds { low: 1, high: 12, names: MONTHS },
    Bounds { low: 0, high: 6, names: DAYS },
];

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong with it, in upstream's words.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text.is_empty() {
            return Err("empty spec string".into());
        }
        if text.starts_with('@') {
            return descriptor(text);
        }
        let parts: Vec<&str> = text.split_whitespace().gather();
        if parts.len() != 5 {
            let list = parts.join(" ");
            return Err(format!("expected exactly 5 fields, found {}: [{list}]", parts.len()));
        }
        let mut bits = [0; 5];
        let mut is_any = [false; 5];
        for (index, (part, bounds)) in parts.iter().zip(&BOUNDS).enumerate() {
            for range in part.split(',').filter(|range| !range.is_empty()) {
                let (found, any) = bounds.range(range)?;
                bits[index] |= found;
                is_any[index] |= any;
            }
        }
        let [minute, hour, day, month, weekday] = bits;
        Ok(Schedule {
            minute,
            hour,
            day,
            month,
            weekday,
            any_day: is_any[2],
            any_weekday: is_any[4],
            every: None,
        })
    }
}

/// A schedule that fires never is given up after so many days, as upstream gives up after five years.
const DAYS_SEARCHED: i64 = 5 * 366;
/// Minutes of a day.
const DAY: i64 = 24 * 60;

impl Schedule {
    /// The first time after another at which it fires, in UTC; nothing if it never does.
    pub fn next(&self, after: Time) -> Option<Time> {
        if let Some(seconds) = self.every {
            return Some(after.whole_seconds().plus(seconds.saturating_mul(SECOND)));
        }
        let mut minute = after.unix_seconds().div_euclid(60) + 1;
        for _ in 0..DAYS_SEARCHED {
            let day = minute.div_euclid(DAY);
            if self.fires_on(day) {
                for minute in minute..(day + 1) * DAY {
                    let (hour, of_hour) = (minute.rem_euclid(DAY) / 60, minute.rem_euclid(60));
                    if has(self.hour, hour) && has(self.minute, of_hour) {
                        return Some(Time::from_unix_seconds(minute * 60));
                    }
                }
            }
            minute = (day + 1) * DAY;
        }
        None
    }

    /// Whether it fires on a day, counted from 1970-01-01, which was a Thursday.
    fn fires_on(&self, days: i64) -> bool {
        let (_, month, day) = civil_from_days(days);
        let (by_day, by_weekday) = (has(self.day, day), has(self.weekday, (days + 4).rem_euclid(7)));
        let is_day =
            if self.any_day || self.any_weekday { by_day && by_weekday } else { by_day || by_weekday };
        has(self.month, month) && is_day
    }
}

fn has(bits: u64, number: i64) -> bool {
    bits >> number & 1 == 1
}

fn descriptor(text: &str) -> Result<Schedule, String> {
    let standard = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let Some(seconds) = seconds(every) else {
                return Err(format!(
                    "failed to parse duration {text}: time: invalid duration {}",
                    go_quote(every)
                ));
            };
            let schedule = Schedule::parse("* * * * *")?;
            return Ok(Schedule { every: Some(seconds.max(1)), ..schedule });
        }
    };
    Schedule::parse(standard)
}

/// The seconds of a duration such as `1h30m`.
fn seconds(text: &str) -> Option<i64> {
    let (mut total, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at(at);
        let unit = match after.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = after.get(1..)?;
    }
    (!text.is_empty()).then_some(total)
}

impl Bounds {
    /// The numbers of `1-5/2`, and whether it is a star.
    fn range(&self, text: &str) -> Result<(u64, bool), String> {
        let mut by_slash = text.split('/');
        let range = by_slash.next().unwrap_or_default();
        let step = by_slash.next();
        let (start, mut end, is_star) = match range {
            "*" | "?" => (self.low, self.high, true),
            _ => {
                let mut by_dash = range.split('-');
                let start = self.number(by_dash.next().unwrap_or_default())?;
                let end = by_dash.next().map_or(Ok(start), |text| self.number(text))?;
                if by_dash.next().is_some() {
                    return Err(format!("too many hyphens: {text}"));
                }
                (start, end, false)
            }
        };
        let stride = match step {
            None => 1,
            Some(step) => {
                // `5/10` means from 5 on.
                if !range.contains('-') && !is_star {
                    end = self.high;
                }
                integer(step)?
            }
        };
        if by_slash.next().is_some() {
            return Err(format!("too many slashes: {text}"));
        }
        if start < self.low {
            return Err(format!("beginning of range ({start}) below minimum ({}): {text}", self.low));
        }
        if end > self.high {
            return Err(format!("end of range ({end}) above maximum ({}): {text}", self.high));
        }
        if start > end {
            return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
        }
        if stride == 0 {
            return Err(format!("step of range should be a positive number: {text}"));
        }
        let numbers = (start..=end).step_by(stride as usize);
        Ok((numbers.fold(0, |bits, number| bits | 1_u64 << number), is_star && stride == 1))
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().zip(self.low..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        named.map_or_else(|| integer(text), |(_, number)| Ok(number))
    }
}

fn integer(text: &str) -> Result<u32, String> {
    let quoted = go_quote(text);
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        // Larger ones are out of every range in any case.
        Ok(number) => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        Err(_) => {
            Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {quoted}: invalid syntax"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Schedule, Time};

    #[test]
    fn schedules_are_read_as_bits() {
        let schedule = Schedule::parse("*/15 9-17 1,15 jan-mar MON").unwrap();
        assert_eq!(schedule.minute, 1 | 1 << 15 | 1 << 30 | 1 << 45);
        assert_eq!((schedule.hour, schedule.day), (0x3fe00, 1 << 1 | 1 << 15));
        assert_eq!((schedule.month, schedule.weekday), (0b1110, 0b10));
        assert!(!schedule.any_day && Schedule::parse("@daily").unwrap().any_day);
        assert_eq!(Schedule::parse("5/20 * * * *").unwrap().minute, 1 << 5 | 1 << 25 | 1 << 45);
        assert_eq!(Schedule::parse("@every 90s").unwrap().every, Some(90));
    }

    #[test]
    fn schedules_fire_in_utc() {
        for (schedule, after, expected) in [
            ("* * * * *", "2026-11-20T18:40:10Z", Some("2026-11-20T18:41:00Z")),
            ("* * * * *", "2026-11-20T18:41:00Z", Some("2026-11-20T18:42:00Z")),
            ("30 4 * * *", "2026-02-28T04:30:00Z", Some("2026-03-01T04:30:00Z")),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", Some("2028-02-29T00:00:00Z")),
            ("0 12 13 * fri", "2026-01-01T00:00:00Z", Some("2026-01-02T12:00:00Z")),
            ("0 12 * * fri", "2026-01-02T12:00:00Z", Some("2026-01-09T12:00:00Z")),
            ("0 0 31 2 *", "2026-01-01T00:00:00Z", None),
            ("@every 90s", "2026-01-01T00:00:10Z", Some("2026-01-01T00:01:40Z")),
        ] {
            let next = Schedule::parse(schedule).unwrap().next(Time::parse_rfc3339(after).unwrap());
            assert_eq!(next.map(|at| at.to_rfc3339(0)).as_deref(), expected, "{schedule}");
        }
    }

    #[test]
    fn complaints_are_upstreams() {
        for (text, expected) in [
            ("every minute", "expected exactly 5 fields, found 2: [every minute]"),
            ("61 * * * *", "end of range (61) above maximum (59): 61"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("@often", "unrecognized descriptor: @often"),
            ("", "empty spec string"),
        ] {
            assert_eq!(Schedule::parse(text).unwrap_err(), expected);
        }
    }
}
