//! `docs/fidelity.md`: how much of each recording is the same here, and why the rest is not.

use super::Conformance;
use super::known::{KNOWN, Known};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TOPICS: [&str; 9] = [
    "workloads",
    "conditions",
    "pods",
    "events",
    "endpoints",
    "nodes",
    "autoscalers",
    "budgets and quotas",
    "kubectl",
];

const HEAD: &str = "\
# How faithful it is

Made by `UPDATE_GOLDENS=1 cargo test -p setpoint-tests --test conform` from recordings of a real control plane (Kubernetes
1.36.2); do not edit. Each recording is played in Setpoint on the `real` profile: its commands, node faults and load at their
times, with kubelets as quick as those of the recording. What is compared, and by which rules, says
`tests/src/compare.rs`; an item is a state of an object, an event, a line that kubectl printed, an exit code. One that is
not in time, within a second or a tenth, does not match. `cargo xtask conform` does the same for traces of your own.

What is drawn (names, ties, the phases of periodic work, how long starts and requests take) was drawn in the recordings too:
each is played with several seeds, and the run that is most like it counts.
";

/// The page, from recordings by name with what was found.
pub fn page(all: &[(String, Conformance)]) -> String {
    let mut out = HEAD.to_string();
    let (same, items) =
        all.iter().fold((0, 0), |sum, (_, found)| (sum.0 + found.matched(), sum.1 + found.all()));
    let _ = writeln!(out, "\n{same} of {items} items match ({}).\n\n## By topic\n", percent(same, items));
    let _ = writeln!(out, "| Topic | Same | All | |\n|---|--:|--:|--:|");
    for topic in TOPICS {
        let (same, items) = all.iter().fold((0, 0), |sum, (_, found)| add(sum, of_topic(found, topic)));
        let _ = writeln!(out, "| {topic} | {same} | {items} | {} |", percent(same, items));
    }
    let _ =
        writeln!(out, "\n## By recording\n\n| Recording | Seed | Same | All | | {} |", TOPICS.join(" | "));
    let _ = writeln!(out, "|---|--:|--:|--:|--:|{}", "--:|".repeat(TOPICS.len()));
    for (name, found) in all {
        let (same, items) = (found.matched(), found.all());
        let share = percent(same, items);
        let _ = write!(out, "| {name} | {} | {same} | {items} | {share} |", found.drawn.seed);
        for topic in TOPICS {
            let (same, items) = of_topic(found, topic);
            let _ = if items == 0 { write!(out, " |") } else { write!(out, " {same}/{items} |") };
        }
        out.push('\n');
    }
    out.push_str("\n## What differs\n\nIn brackets how many lines of difference there are: two, where one stands in place of another.\n");
    for (name, found) in all.iter().filter(|(_, found)| found.matched() < found.all()) {
        let _ = writeln!(out, "\n### {name}\n");
        reasons(&mut out, name, found);
    }
    out
}

/// The seeds that a page tells.
pub fn seeds(page: &str) -> BTreeMap<String, u64> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?.to_string(), cells.next()?.parse().ok()?))
    });
    // Topics have no seed: their second cell is a count.
    rows.filter(|(name, _): &(String, u64)| !TOPICS.contains(&&**name)).collect()
}

fn reasons(out: &mut String, recording: &str, found: &Conformance) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    for part in &found.parts {
        for what in &part.differences {
            let is_meant = |known: &&Known| {
                recording.starts_with(known.recording)
                    && format!("{}: {}", part.topic, part.name).contains(known.part)
                    && what.contains(known.what)
            };
            match KNOWN.iter().find(is_meant) {
                Some(reason) => *known.entry(reason.why).or_default() += 1,
                None => *others.entry(format!("{}: `{}`", part.topic, part.name)).or_default() += 1,
            }
        }
    }
    for (why, count) in known {
        let _ = writeln!(out, "- {why} ({count})");
    }
    if !others.is_empty() {
        let words: Vec<String> = others.iter().map(|(part, count)| format!("{part} ({count})")).collect();
        let _ = writeln!(out, "- Not explained yet: {}", words.join("; "));
    }
}

fn of_topic(found: &Conformance, topic: &str) -> (usize, usize) {
    let parts = found.parts.iter().filter(|part| part.topic == topic);
    parts.fold((0, 0), |sum, part| add(sum, (part.matched, part.all)))
}

fn add(a: (usize, usize), b: (usize, usize)) -> (usize, usize) {
    (a.0 + b.0, a.1 + b.1)
}

fn percent(part: usize, all: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / all.max(1) as f64)
}
