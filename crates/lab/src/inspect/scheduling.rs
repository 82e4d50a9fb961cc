//! The scheduler's decision about a pod, as a table that can be checked.

use super::Working;
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::{Pod, Str};
use setpoint_control::scheduler::{Decision, explain};
use setpoint_sim::Sim;
use std::rc::Rc;

/// Nodes up to which a decision that was not kept is made again for a pod that waits.
const NODES_MAX: usize = 50;

/// The last decision about a pod; for one that waits, what would be decided now if none was kept.
pub(super) fn working(sim: &Sim, pod: &Pod) -> Option<Working> {
    let memory = &sim.memory().scheduler;
    let name = pod.metadata.full_name();
    let kept = memory.decisions.iter().rev().find(|decision| *decision.pod == *name).cloned();
    let is_small = sim.machines().len() <= NODES_MAX;
    let again = || {
        let decision = explain(sim.store(), memory, pod.metadata.id)?;
        Some(Rc::new(Decision { at: sim.now(), ..decision }))
    };
    let decision = kept.or_else(|| again().filter(|_| is_small && pod.spec.node_name.is_none()))?;
    Some(told(&decision))
}

fn told(decision: &Decision) -> Working {
    let mut scores = decision.scores.clone();
    order::sort_by_key(&mut scores, |score| std::cmp::Reverse(score.total));
    let best = scores.first().map_or(0, |score| score.total);
    let equal = scores.iter().filter(|score| score.total == best).count();
    let (nodes, fit) = (scores.len() + decision.rejected.len(), scores.len());
    let title = match &decision.node {
        Some(node) => format!("Scheduled to {node}"),
        None => "No node fits".into(),
    };
    let mut lines =
        vec![line("filter", format!("{fit} of {nodes} nodes fit"), "a node that any filter rejects is out")];
    if fit > 1 {
        lines.push(line(
            "score",
            format!("best {best}"),
            "sum of the plugins' scores, 0 to 100 each, times their weights",
        ));
    }
    if let Some(node) = &decision.node {
        let how = match (fit, equal) {
            (1, _) => "the only one that fits".to_string(),
            (_, 1) => "the highest score".into(),
            _ => format!("drawn among {equal} with the same score"),
        };
        lines.push(line("bind", node.to_string(), &how));
    } else {
        lines.push(line(
            "wait",
            "until something changes".into(),
            "it is tried again when a node or a pod changes that may help",
        ));
    }
    Working { title: title.into(), at_us: decision.at.0, lines, table: table(decision, scores) }
}

fn line(name: &str, formula: String, remark: &str) -> (Rc<str>, Rc<str>, Rc<str>) {
    (name.into(), formula.into(), remark.into())
}

/// Nodes with the score of each plugin, the best first, then those that a filter rejected.
fn table(decision: &Decision, scores: Vec<setpoint_control::scheduler::NodeScore>) -> Vec<Vec<Rc<str>>> {
    let plugins: Vec<&str> =
        scores.first().map(|score| score.plugins.iter().map(|plugin| plugin.0).gather()).unwrap_or_default();
    // The sum stands first, for the rest may be out of sight.
    let mut head: Vec<Rc<str>> = vec!["node".into(), "verdict".into(), "total".into()];
    head.extend(plugins.iter().map(|plugin| Rc::from(*plugin)));
    let width = head.len();
    let mut table = vec![head];
    let is_chosen = |node: &Str| decision.node.as_ref() == Some(node);
    // Two stable passes: the chosen one comes before its equals.
    for chosen in [true, false] {
        for score in scores.iter().filter(|score| is_chosen(&score.node) == chosen) {
            let verdict = if chosen { "chosen" } else { "fits" };
            let mut row: Vec<Rc<str>> =
                vec![score.node.clone().into(), verdict.into(), score.total.to_string().into()];
            row.extend(score.plugins.iter().map(|(_, score)| Rc::from(score.to_string())));
            table.push(row);
        }
    }
    for (node, reasons) in &decision.rejected {
        let mut row: Vec<Rc<str>> = vec![node.clone().into(), reasons.join(", ").into()];
        row.resize(width, "".into());
        table.push(row);
    }
    table
}
