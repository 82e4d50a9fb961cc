//! What `kubectl get -w` printed, as a timeline: each row is a state of an object.

use super::Normal;
use crate::reduce::{Roles, Seen};
use crate::timeline::Timeline;

/// Kinds that may be watched, with the words that kubectl takes for them.
const KINDS: [(&str, &str, &[&str]); 10] = [
    ("pods", "Pod", &["pods", "pod", "po"]),
    ("deployments", "Deployment", &["deployments", "deployment", "deploy"]),
    ("replicasets", "ReplicaSet", &["replicasets", "replicaset", "rs"]),
    ("statefulsets", "StatefulSet", &["statefulsets", "statefulset", "sts"]),
    ("daemonsets", "DaemonSet", &["daemonsets", "daemonset", "ds"]),
    ("jobs", "Job", &["jobs", "job"]),
    ("cronjobs", "CronJob", &["cronjobs", "cronjob", "cj"]),
    ("pdb", "PodDisruptionBudget", &["poddisruptionbudgets", "poddisruptionbudget", "pdb"]),
    ("nodes", "Node", &["nodes", "node", "no"]),
    ("hpa", "HorizontalPodAutoscaler", &["horizontalpodautoscalers", "horizontalpodautoscaler", "hpa"]),
];

/// What a command watches, if its rows are states of objects of one kind.
fn watched(line: &str) -> Option<(&'static str, &'static str)> {
    let words: Vec<&str> = line.split(' ').collect();
    if words.get(1) != Some(&"get")
        || !words.iter().any(|word| ["-w", "--watch", "--watch=true"].contains(word))
    {
        return None;
    }
    let (plural, kind, _) = KINDS.iter().find(|(_, _, known)| known.contains(words.get(2).unwrap_or(&"")))?;
    Some((plural, kind))
}

/// The rows of a watching command as a timeline; `None` for other commands.
pub fn timeline(
    number: usize,
    line: &str,
    rows: &[String],
    times: &[i64],
    changes: &[Seen],
) -> Option<Timeline> {
    let (plural, kind) = watched(line)?;
    let roles = Roles::of(changes);
    let mut timeline = Timeline::default();
    let mut titles: Vec<String> = Vec::new();
    for (row, at) in rows.iter().zip(times) {
        let columns: Vec<&str> = row.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        if columns.first() == Some(&"NAME") {
            titles = columns.iter().map(|title| (*title).to_string()).collect();
            timeline.push(&format!("watch {number} titles"), 0, titles.join(" "));
            continue;
        }
        let name = columns.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name));
        let cells = titles
            .iter()
            .zip(&columns)
            .skip(1)
            .filter(|(title, _)| !["AGE", "IP", "NODE"].contains(&&***title));
        let cells: Vec<String> = cells.map(|(title, cell)| named(title, cell)).collect();
        let track = format!("watch {number} {plural} {}", roles.role(kind, name));
        timeline.push(&track, *at, cells.join(" "));
    }
    Some(timeline)
}

/// A cell with its title; numbers can be told apart from words.
fn named(title: &str, cell: &str) -> String {
    let title = title.to_lowercase();
    match cell.split_once('/') {
        Some((ready, all)) if title == "ready" => format!("ready={ready} of={all}"),
        // Which of several equal nodes it is is drawn.
        _ if title == "nominated node" && cell != "<none>" => "nominated".to_string(),
        _ if cell.parse::<i64>().is_ok() => format!("{title}={cell}"),
        _ => format!("{title}:{}", Normal::default().line(cell)),
    }
}
