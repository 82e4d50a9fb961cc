//! Numbers and times as people read them.

/// `00:04:37.2`, from microseconds.
pub fn clock(us: i64) -> String {
    let tenths = us.max(0) / 100_000;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{}", tenths / 10 % 60, tenths % 10)
}

/// `4:37`, from microseconds.
pub fn minute(us: i64) -> String {
    let seconds = us.max(0) / 1_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `4:37.2`, from microseconds.
pub fn moment(us: i64) -> String {
    format!("{}.{}", minute(us), us.max(0) / 100_000 % 10)
}

/// An age as kubectl prints it: `12s`, `3m20s`, `25m`, `3h`.
pub fn age(us: i64) -> String {
    let seconds = us.max(0) / 1_000_000;
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 != 0 => format!("{}m{}s", seconds / 60, seconds % 60),
        120..10_800 => format!("{}m", seconds / 60),
        _ => format!("{}h", seconds / 3600),
    }
}

/// Whole seconds that are left, rounded up: `6 s`.
pub fn seconds_left(us: i64) -> String {
    format!("{} s", (us.max(0) + 999_999) / 1_000_000)
}

/// Tenths of a second that are left while they are few: `2.8 s`, `42 s`.
pub fn tenths_left(us: i64) -> String {
    match us.max(0) {
        us @ ..10_000_000 => format!("{}.{} s", us / 1_000_000, us / 100_000 % 10),
        us => seconds_left(us),
    }
}

/// A length of time in its largest units: `500 ms`, `4 s`, `5 min`, `1 min 30 s`.
pub fn span(us: i64) -> String {
    match (us / 60_000_000, us / 1_000_000 % 60) {
        (0, 0) => format!("{} ms", us.max(0) / 1000),
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// A latency: `41 ms`, `1.2 s`.
pub fn latency(us: i64) -> String {
    match us {
        ..1_000_000 => format!("{} ms", (us + 500) / 1000),
        _ => format!("{}.{} s", us / 1_000_000, us / 100_000 % 10),
    }
}

/// Time that has passed since something: `+0`, `+18 ms`, `+9.7 s`.
pub fn since(us: i64) -> String {
    match us {
        ..=0 => "+0".to_string(),
        1..60_000_000 => format!("+{}", latency(us)),
        _ => format!("+{}", span(us)),
    }
}

/// `1,284`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Cores from thousandths: `0.25`, `2.3`, `4`.
pub fn cores(milli: i64) -> String {
    match (milli / 1000, milli % 1000 / 10) {
        (whole, 0..10) if whole > 0 => whole.to_string(),
        (0, 0) => "0".to_string(),
        (whole, part) if whole > 0 || part % 10 == 0 => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// `1 pod`, `2 pods`.
pub fn count(number: i32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A speed: `×0.25`, `×4`.
pub fn speed(speed: f64) -> String {
    let hundredths = match (speed * 100.0) as u32 {
        exact @ 1000.. => exact - exact % 100,
        exact @ 100.. => exact - exact % 10,
        exact => exact,
    };
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("×{whole}"),
        (whole, part) if part % 10 == 0 => format!("×{whole}.{}", part / 10),
        (whole, part) => format!("×{whole}.{part:02}"),
    }
}

/// The class that colours a version: by its last number, so that one version looks different from the next.
pub fn version_class(version: &str) -> &'static str {
    let digits = version.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let last = digits.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    match last.parse::<u64>().map(|number| number % 6) {
        Ok(0) => "v6",
        Ok(1) => "v1",
        Ok(2) => "v2",
        Ok(3) => "v3",
        Ok(4) => "v4",
        Ok(_) => "v5",
        Err(_) => "vx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(clock(277_250_000), "00:04:37.2");
        assert_eq!(clock(-1), "00:00:00.0");
        assert_eq!(minute(277_000_000), "4:37");
        assert_eq!(moment(277_290_000), "4:37.2");
        assert_eq!(
            [tenths_left(2_890_000), tenths_left(10_000_001), tenths_left(-1)],
            ["2.8 s", "11 s", "0.0 s"]
        );
        let ages = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (601, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
        ];
        for (seconds, expected) in ages {
            assert_eq!(age(seconds * 1_000_000), expected);
        }
        assert_eq!(seconds_left(5_000_001), "6 s");
        assert_eq!(seconds_left(-3), "0 s");
        for (ms, expected) in
            [(0, "0 ms"), (500, "500 ms"), (4_000, "4 s"), (300_000, "5 min"), (90_500, "1 min 30 s")]
        {
            assert_eq!(span(ms * 1000), expected);
        }
        assert_eq!(latency(41_400), "41 ms");
        assert_eq!(latency(1_250_000), "1.2 s");
    }

    #[test]
    fn a_version_looks_different_from_the_next() {
        let cases = [
            ("v1", "v1"),
            ("v3", "v3"),
            ("v1.4.2", "v2"),
            ("1.27-alpine", "v3"),
            ("2.0", "v6"),
            ("broken", "vx"),
            ("", "vx"),
            ("99999999999999999999999", "vx"),
            ("é4é", "v4"),
        ];
        for (version, class) in cases {
            assert_eq!(version_class(version), class, "{version}");
        }
    }

    #[test]
    fn numbers() {
        for (number, expected) in [(0, "0"), (999, "999"), (1284, "1,284"), (1_000_000, "1,000,000")] {
            assert_eq!(thousands(number), expected);
        }
        assert_eq!(cores(2340), "2.3");
        assert_eq!(cores(4000), "4");
        assert_eq!([cores(0), cores(250), cores(500), cores(1020)], ["0", "0.25", "0.5", "1"]);
        assert_eq!(count(1, "pod"), "1 pod");
        assert_eq!(count(0, "pod"), "0 pods");
        for (value, expected) in
            [(0.25, "×0.25"), (0.5, "×0.5"), (1.0, "×1"), (4.0, "×4"), (2.46, "×2.4"), (37.6, "×37")]
        {
            assert_eq!(speed(value), expected);
        }
    }
}
