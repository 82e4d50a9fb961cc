//! What a screen reader says by itself: what matters, in one sentence, seldom.

use crate::words::count;
use setpoint_lab::frame::{FeedLine, Frame, Rollout};
use std::rc::Rc;

/// Shortest time between two announcements, in milliseconds.
const REST_MS: f64 = 3000.0;

/// Says what changed since it spoke last.
#[derive(Clone, Debug, Default)]
pub struct Crier {
    told: Option<Told>,
    spoke_ms: f64,
}

/// What was told, or would be told now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    pods: (i32, i32),
    version: Rc<str>,
    rollout: Rollout,
    nodes: Vec<(Rc<str>, bool, bool)>,
    pending: usize,
    failing: bool,
    /// The last thing that was not done, and why.
    refused: Option<Rc<FeedLine>>,
}

impl Crier {
    /// The announcement that is due, if there is one.
    pub fn listen(&mut self, now_ms: f64, frame: &Frame) -> Option<String> {
        if now_ms - self.spoke_ms < REST_MS {
            return None;
        }
        let now = Told::of(frame);
        let told = self.told.replace(now.clone())?;
        if told == now {
            return None;
        }
        self.spoke_ms = now_ms;
        Some(news(&told, &now))
    }
}

impl Told {
    fn of(frame: &Frame) -> Self {
        let app = frame.app.as_deref();
        Self {
            pods: app.map_or((0, 0), |app| (app.ready, app.target_replicas)),
            version: app.map_or_else(|| "".into(), |app| app.version.clone()),
            rollout: app.map_or_else(Rollout::default, |app| app.rollout),
            nodes: frame.nodes.iter().map(|node| (node.name.clone(), node.powered, node.ready)).collect(),
            pending: frame.pending.len(),
            failing: frame.traffic.failed_per_second > 0,
            refused: frame.feed.iter().find(|line| &*line.reason == "NotDone").cloned(),
        }
    }
}

/// The differences, coalesced into one line.
fn news(told: &Told, now: &Told) -> String {
    let mut parts = Vec::new();
    if told.pods != now.pods {
        parts.push(format!("{} of {} ready", now.pods.0, count(now.pods.1, "pod")));
    }
    if told.version != now.version || told.rollout != now.rollout {
        let state = match now.rollout {
            Rollout::Complete => "is complete",
            Rollout::Progressing => "goes on",
            Rollout::Stalled => "is stalled",
            Rollout::Paused => "is paused",
        };
        parts.push(format!("rollout of {} {state}", now.version));
    }
    for (name, powered, ready) in &now.nodes {
        let before = told.nodes.iter().find(|node| node.0 == *name);
        match before {
            Some(before) if (before.1, before.2) == (*powered, *ready) => {}
            _ => parts.push(format!(
                "{name} is {}, machine {}",
                if *ready { "Ready" } else { "not Ready" },
                if *powered { "on" } else { "off" }
            )),
        }
    }
    if told.pending != now.pending {
        parts.push(format!(
            "{} waiting for a node",
            count(i32::try_from(now.pending).unwrap_or(i32::MAX), "pod")
        ));
    }
    if told.failing != now.failing {
        parts.push(if now.failing { "requests are failing" } else { "no more requests fail" }.to_string());
    }
    if let Some(refused) = now.refused.as_ref().filter(|line| told.refused.as_ref() != Some(line)) {
        parts.insert(0, format!("not done: {}", refused.message));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use setpoint_lab::frame::{App, NodeTile};

    fn frame(ready: i32, powered: bool) -> Frame {
        let app = App { ready, target_replicas: 3, version: "v1".into(), ..App::default() };
        let node = NodeTile { name: "node-01".into(), powered, ready: true, ..NodeTile::default() };
        Frame { app: Some(app.into()), nodes: vec![node.into()], ..Frame::default() }
    }

    #[test]
    fn changes_are_told_together_and_not_too_often() {
        let mut crier = Crier::default();
        // Time, ready pods, power, what is said.
        let cases = [
            (3_000.0, 0, true, None),
            (3_100.0, 1, true, Some("1 of 3 pods ready")),
            (3_200.0, 2, true, None),
            (4_000.0, 3, false, None),
            (6_200.0, 3, false, Some("3 of 3 pods ready; node-01 is Ready, machine off")),
            (20_000.0, 3, false, None),
        ];
        for (now_ms, ready, powered, expected) in cases {
            assert_eq!(crier.listen(now_ms, &frame(ready, powered)).as_deref(), expected, "{now_ms}");
        }
    }
}
