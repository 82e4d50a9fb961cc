//! What differs from run to run, made equal: names that are drawn, ages, dates, addresses, identities.

/// The letters of drawn names.
const DRAWN: &str = "bcdfghjklmnpqrstvwxz2456789";

/// Makes lines of one side equal to those of the other.
#[derive(Default)]
pub struct Normal {
    /// ReplicaSets in the order of their creation: their names are made of a hash over Go's memory layout.
    pub sets: Vec<String>,
}

impl Normal {
    /// A line with everything drawn or measured replaced by words.
    pub fn line(&self, line: &str) -> String {
        let line = machine(&dates(line));
        let mut out = String::new();
        let mut token = String::new();
        for c in line.chars().chain(['\n']) {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                token.push(c);
                continue;
            }
            out.push_str(&word(&self.with_set(&token)));
            token.clear();
            out.push(c);
        }
        squeeze(out.trim_end())
    }

    /// A ReplicaSet's name, or its hash, by its number.
    fn with_set(&self, token: &str) -> String {
        for (number, name) in self.sets.iter().enumerate() {
            let Some((owner, hash)) = name.rsplit_once('-') else { continue };
            if token == hash {
                return format!("SET{number}");
            }
            if let Some(rest) =
                token.strip_prefix(&**name).filter(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
            {
                return format!("{owner}-SET{number}{rest}");
            }
        }
        token.to_owned()
    }
}

/// The identities of a machine, whatever they look like.
fn machine(line: &str) -> String {
    let kinds = ["Machine ID:", "System UUID:", "Boot ID:", "machineID:", "systemUUID:", "bootID:"];
    let text = line.trim_start();
    let Some(kind) = kinds.iter().find(|kind| text.starts_with(**kind)) else { return line.to_owned() };
    format!("{}{kind} ID", &line[..line.len() - text.len()])
}

fn word(token: &str) -> String {
    // A name at the end of a sentence.
    if let Some(token) = token.strip_suffix('.').filter(|token| !token.is_empty()) {
        return word(token) + ".";
    }
    if is_age(token) {
        return "AGE".into();
    }
    // Which host the scheduler runs on is its cluster's own.
    if token.starts_with("default-scheduler-") {
        return "default-scheduler-HOST".into();
    }
    if is_address(token) {
        return "ADDRESS".into();
    }
    if token.len() >= 32 && token.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return "ID".into();
    }
    let (name, rest) = token.split_once('.').map_or((token, ""), |(name, rest)| (name, rest));
    // An event is called after its object and the time.
    let is_event = rest.len() >= 12 && rest.chars().all(|c| c.is_ascii_hexdigit());
    let name = match name.rsplit_once('-') {
        Some((owner, drawn))
            if drawn.len() == 5 && drawn.chars().all(|c| DRAWN.contains(c)) && !owner.is_empty() =>
        {
            format!("{owner}-POD")
        }
        _ => name.to_owned(),
    };
    match rest {
        "" if !token.contains('.') => name,
        _ if is_event => format!("{name}.TIME"),
        rest => format!("{name}.{rest}"),
    }
}

/// `95s`, `3m20s`, `2d4h`.
fn is_age(token: &str) -> bool {
    let parts: Vec<&str> = token.split_inclusive(|c: char| c.is_ascii_alphabetic()).collect();
    let is_part = |part: &&str| {
        let digits = part.trim_end_matches(['s', 'm', 'h', 'd', 'y']);
        !digits.is_empty() && digits.len() + 1 == part.len() && digits.chars().all(|c| c.is_ascii_digit())
    };
    !token.is_empty() && parts.len() <= 2 && parts.iter().all(is_part)
}

fn is_address(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok()) && token != "127.0.0.1"
}

/// `Fri, 20 Nov 2026 18:25:34 +0000`, `2026-11-20T18:25:34Z` and resource versions.
fn dates(line: &str) -> String {
    let mut line = line.to_owned();
    while let Some(end) = line.find(" +0000") {
        let start = end.saturating_sub(25);
        let Some(date) = line.get(start..end).filter(|date| {
            date.contains(", 2") || date.contains(", 0") || date.contains(", 1") || date.contains(", 3")
        }) else {
            break;
        };
        line = line.replace(&format!("{date} +0000"), "DATE");
    }
    let stamps: Vec<String> = line
        .split(['"', ' ', '\t'])
        .filter(|part| {
            part.len() >= 20 && part.contains('T') && part.ends_with('Z') && part.starts_with("20")
        })
        .map(str::to_owned)
        .collect();
    for stamp in stamps {
        line = line.replace(&stamp, "DATE");
    }
    for form in ["resourceVersion: \"", "\"resourceVersion\": \""] {
        let found = line.split_once(form).filter(|(_, rest)| !rest.starts_with('"'));
        if let Some((start, _)) = found {
            line = format!("{start}resourceVersion VERSION");
        }
    }
    // The files that `diff` compares.
    for file in ["/tmp/LIVE-", "/tmp/MERGED-"] {
        for part in line.clone().split(file).skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            line = line.replace(&format!("{file}{digits}"), file);
        }
        if let Some((start, _)) = line.split_once('\t').filter(|(start, _)| start.contains(file)) {
            line = start.to_owned();
        }
    }
    line
}

/// Runs of blanks inside of a line become two: how wide a column is depends on what else is in it.
pub fn squeeze(line: &str) -> String {
    let text = line.trim_start();
    let mut out = line.get(..line.len() - text.len()).unwrap_or("").to_owned();
    let mut blanks = 0;
    for c in text.chars() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        out.push_str(if blanks > 1 { "  " } else { [" ", ""][usize::from(blanks == 0)] });
        blanks = 0;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_names_and_ages_are_made_equal() {
        let cases = [
            (
                "web-5bb4c446b6-2xgbv   1/1     Running   0          5s",
                "web-5bb4c446b6-POD  1/1  Running  0  AGE",
            ),
            ("pod/web-5bb4c446b6-2xgbv.", "pod/web-5bb4c446b6-POD."),
            ("IP:           10.244.1.2", "IP:  ADDRESS"),
            ("  Started:      Fri, 20 Nov 2026 18:25:37 +0000", "  Started:  DATE"),
            ("  resourceVersion: \"336\"", "  resourceVersion VERSION"),
            ("worker-1 3m20s node-01", "worker-1 AGE node-01"),
        ];
        for (line, expected) in cases {
            assert_eq!(Normal::default().line(line), expected);
        }
    }
}
