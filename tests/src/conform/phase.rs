//! How the phases of what is periodic stand to a recording's beginning, where the recording tells it.

use super::play::Drawn;
use super::recording::Recording;
use crate::reduce::{Seen, text};
use serde_json::Value;

/// How long after its minute a CronJob's controller has told of it, in milliseconds.
const SEEN: i64 = 60;
/// How often the recordings' metrics server sampled, in milliseconds.
const SAMPLE: i64 = 15_000;
/// How long a container had to run until it counted.
pub const COUNTS: i64 = 14_000;
/// How finely phases are told apart.
const GRAIN: i64 = 10;

/// How much later than a full minute a recording begins, in microseconds.
pub fn shift(recording: &Recording, drawn: Drawn) -> i64 {
    second(recording).or_else(|| sampled(recording, drawn.seed)).unwrap_or(drawn.shift)
}

/// At which second of a minute the recording begins, where a CronJob tells it.
fn second(recording: &Recording) -> Option<i64> {
    let mut told = recording.changes.iter().filter(|seen| seen.object["kind"] == "CronJob");
    let (at, clock) = told.find_map(|seen| Some((seen.at, seen.object["lastScheduleTime"].as_str()?)))?;
    let seconds: i64 = clock.trim_end_matches('Z').rsplit(':').next()?.parse().ok()?;
    Some((seconds * 1000 + SEEN - at).rem_euclid(60_000) * 1000)
}

/// The same where autoscalers tell it: at some times there were samples of their pods, at others there were none yet. Of all
/// phases that agree with them, the seed takes one.
fn sampled(recording: &Recording, seed: u64) -> Option<i64> {
    let told: Vec<(i64, bool, Vec<i64>)> =
        recording.changes.iter().filter_map(|seen| told(seen, &recording.changes)).collect();
    let agrees = |phase: i64, (at, has_samples, pods): &(i64, bool, Vec<i64>)| {
        let counted = pods.iter().map(|pod| pod + COUNTS + (phase - pod - COUNTS).rem_euclid(SAMPLE));
        counted.min().is_some_and(|first| first <= *at) == *has_samples
    };
    let score = |phase: i64| told.iter().filter(|one| agrees(phase, one)).count();
    let phases = || (0..SAMPLE / GRAIN).map(|step| step * GRAIN);
    let best = phases().map(score).max().filter(|best| *best > 0)?;
    let all: Vec<i64> = phases().filter(|phase| score(*phase) == best).collect();
    // Golden steps: each seed falls into the largest gap that those before it have left.
    let place = (seed as usize * 618 % 1000) * all.len() / 1000;
    Some((SAMPLE - all[place]) % SAMPLE * 1000)
}

/// When an autoscaler looked, whether there were samples, and since when the pods of its target ran: pods called after it.
fn told(seen: &Seen, changes: &[Seen]) -> Option<(i64, bool, Vec<i64>)> {
    let object = &seen.object;
    let (name, said) = match text(object, "kind") {
        "HorizontalPodAutoscaler" => {
            let active =
                object["conditions"].as_array()?.iter().find(|one| one["type"] == "ScalingActive")?;
            (text(object, "name"), format!("{} {}", text(active, "reason"), text(active, "message")))
        }
        "Event" => (text(object, "object").strip_prefix("HorizontalPodAutoscaler/")?, {
            format!("{} {}", text(object, "reason"), text(object, "message"))
        }),
        _ => return None,
    };
    let is_missing = said.contains("no metrics returned from resource metrics API");
    if !is_missing && !said.contains("ValidMetricFound") && !said.contains("missing request for") {
        return None;
    }
    let is_its = |pod: &str| pod.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    let mut pods: Vec<(&str, i64)> = Vec::new();
    for other in changes.iter().filter(|other| other.object["kind"] == "Pod" && other.at <= seen.at) {
        let pod = text(&other.object, "name");
        let runs = other.object["state"].get("running").is_some_and(Value::is_object);
        if is_its(pod) && runs && pods.iter().all(|(known, _)| *known != pod) {
            pods.push((pod, other.at));
        }
    }
    let since: Vec<i64> = pods.into_iter().map(|(_, at)| at).collect();
    (!since.is_empty()).then_some((seen.at, !is_missing, since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn autoscalers_tell_when_samples_are_taken() {
        let pod = |at, name: &str| Seen {
            at,
            object: json!({"kind": "Pod", "name": name, "state": {"running": {}}}),
        };
        let looked = |at, name: &str, reason: &str, message: &str| Seen {
            at,
            object: json!({"kind": "HorizontalPodAutoscaler", "name": name,
                "conditions": [{"type": "ScalingActive", "reason": reason, "message": message}]}),
        };
        let missing = "no metrics returned from resource metrics API";
        let changes = vec![
            pod(2000, "a-1"),
            pod(2200, "b-1"),
            looked(15_600, "a", "FailedGetResourceMetric", missing),
            looked(30_500, "a", "ValidMetricFound", ""),
            looked(30_600, "b", "FailedGetResourceMetric", missing),
        ];
        let recording = Recording { changes, ..Recording::default() };
        for seed in 1..9 {
            let shift = shift(&recording, Drawn::of(seed)) / 1000;
            let first = SAMPLE - shift;
            assert!((1000..1200).contains(&first), "samples at {first} and each 15 s after: {seed}");
        }
        assert_eq!(shift(&Recording::default(), Drawn::of(2)), Drawn::of(2).shift);
    }
}
