//! A HorizontalPodAutoscaler: its bounds, its next look, and the arithmetic of the last one.

use super::parts::{links, row, row_if, setting, timer};
use super::{Inspection, Working};
use setpoint_api::Gather as _;
use setpoint_api::{HorizontalPodAutoscaler, Kind, Quantity};
use setpoint_control::hpa::replicas::Kept;
use setpoint_control::hpa::{Decision, Unit};
use setpoint_sim::Sim;
use std::rc::Rc;

/// Fills in what is particular to autoscalers.
pub(super) fn fill(sim: &Sim, hpa: &HorizontalPodAutoscaler, page: &mut Inspection) {
    let (spec, status) = (&hpa.spec, &hpa.status);
    let decision = sim.memory().hpa.decision(hpa.metadata.id);
    let target = &spec.scale_target_ref;
    let percent = decision.filter(|decision| decision.unit == Unit::Percent && decision.target > 0);
    // Before the first measurement it wants nothing.
    let wanted = Some(status.desired_replicas).filter(|wanted| *wanted > 0);
    let wanted = wanted.map_or_else(String::new, |wanted| wanted.to_string());
    page.kind = "HorizontalPodAutoscaler".into();
    page.rows = vec![
        row("replicas", &wanted, &status.current_replicas),
        row_if(
            false,
            "bounds",
            &format_args!("{} to {}", spec.min_replicas.unwrap_or(1), spec.max_replicas),
            &"",
        ),
        row_if(false, "target", &format_args!("{} {}", target.kind, target.name), &""),
    ];
    if let Some(decision) = percent {
        page.rows.push(row_if(
            decision.kept.is_none() && decision.metric_value != decision.target,
            "cpu",
            &format_args!("{} % of the request", decision.target),
            &format_args!("{} %", decision.metric_value),
        ));
    }
    page.conditions = super::parts::conditions(&status.conditions);
    if let Some(decision) = decision {
        timers(sim, hpa, decision, page);
        page.working = Some(working(hpa, decision, sim.tuning().hpa_tolerance_milli));
    }
    if let Some(kind) = Kind::ALL.iter().copied().find(|kind| kind.as_str() == &*target.kind)
        && let Some(id) = sim.store().id_of(kind, &hpa.metadata.namespace, &target.name)
    {
        page.children = links(sim, sim.store().object(id).into_iter());
    }
}

fn timers(sim: &Sim, hpa: &HorizontalPodAutoscaler, decision: &Decision, page: &mut Inspection) {
    let tuning = sim.tuning();
    page.timers.push(timer(
        "next look",
        "it reads the metrics and decides again",
        (decision.at, decision.next),
        setting(tuning, "hpa_sync"),
    ));
    if let Some(held) = &decision.stabilization {
        let down = hpa.spec.behavior.as_ref().and_then(|behavior| behavior.scale_down.as_ref());
        let own = down.and_then(|rules| rules.stabilization_window_seconds);
        let (window, length) = match own {
            Some(seconds) => {
                let seconds = i64::from(seconds);
                (seconds * 1_000_000, super::parts::field(seconds, 300, "stabilizationWindowSeconds"))
            }
            None => (tuning.hpa_downscale_stabilization, setting(tuning, "hpa_downscale_stabilization")),
        };
        let then = format!(
            "a recommendation of {} leaves the window and no longer holds a lower one back",
            held.holding
        );
        page.timers.push(timer("stabilisation", &then, (held.until.plus(-window), held.until), length));
    }
}

/// The last decision, line by line.
fn working(hpa: &HorizontalPodAutoscaler, decision: &Decision, tolerance_milli: i64) -> Working {
    let mut lines: Vec<(Rc<str>, Rc<str>, Rc<str>)> = Vec::new();
    let mut line = |name: &str, formula: String, remark: String| {
        lines.push((name.into(), formula.into(), remark.into()))
    };
    let current = decision.current;
    if let Some(error) = decision.error.as_ref().filter(|_| decision.target == 0) {
        line("measured", "nothing".into(), error.clone());
    } else if decision.target > 0 {
        measured(decision, &mut line);
        ratio(decision, tolerance_milli, &mut line);
    }
    if decision.after_stabilization != decision.proposed {
        let formula = format!("{} → {}", decision.proposed, decision.after_stabilization);
        line("hold", formula, "the highest recommendation of the window counts".into());
    }
    let (formula, remark) = match decision.limited {
        "" | "DesiredWithinRange" if hpa.spec.behavior.is_none() => {
            (format!("max(2 × {current}, 4) = {}", (2 * current).max(4)), "not reached".to_string())
        }
        "" | "DesiredWithinRange" => ("scaling policies".into(), "not reached".into()),
        "TooManyReplicas" => (format!("maxReplicas {}", decision.max), "reached".into()),
        "TooFewReplicas" => (format!("minReplicas {}", decision.min), "reached".into()),
        _ if hpa.spec.behavior.is_none() => (
            format!("max(2 × {current}, 4) = {}", (2 * current).max(4)),
            "reached: no more in one step".into(),
        ),
        other => ("scaling policies".into(), format!("reached ({other})")),
    };
    let bounds = format!("{remark}; {} ≤ {} ≤ {}", decision.min, decision.final_replicas, decision.max);
    if decision.target > 0 {
        line("limit", formula, bounds);
    }
    let target = &hpa.spec.scale_target_ref;
    if decision.final_replicas == current {
        line("write", "nothing".into(), format!("{} stays at {current}", target.name));
    } else {
        let what = format!(
            "scale {}/{} to {}",
            target.kind.to_ascii_lowercase(),
            target.name,
            decision.final_replicas
        );
        line("write", what, format!("SuccessfulRescale: {}", decision.reason));
    }
    let title = format!("{current} → {} replicas", decision.final_replicas);
    Working { title: title.into(), at_us: decision.at.0, lines, table: Vec::new() }
}

/// Pods with what they use, and the average.
fn measured(decision: &Decision, line: &mut dyn FnMut(&str, String, String)) {
    let short = |name: &str| name.rsplit('-').next().unwrap_or(name).to_string();
    let pods = decision.measured.iter().map(|(pod, used)| format!("{} {used}m", short(pod)));
    let pods = pods.gather().join(" · ");
    let mut remark = match decision.unit {
        Unit::Percent => {
            format!("average {} % of the request of {}m", decision.metric_value, decision.request)
        }
        Unit::Milli => format!("average {}", Quantity::from_milli(decision.metric_value)),
    };
    for (count, what) in [(decision.unready, "not ready yet"), (decision.missing, "without a sample")] {
        if count > 0 {
            remark.push_str(&format!("; {count} {what}"));
        }
    }
    line("measured", pods, remark);
}

/// The ratio and what follows from it.
fn ratio(decision: &Decision, tolerance_milli: i64, line: &mut dyn FnMut(&str, String, String)) {
    let (value, target) = (decision.metric_value, decision.target);
    let thousandths = value * 1000 / target.max(1);
    let (low, high) = (1000 - tolerance_milli, 1000 + tolerance_milli);
    let shown = |thousandths: i64| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    let tolerance = format!("the tolerance {} to {}", shown(low), shown(high));
    let remark = match decision.kept {
        Some(Kept::Tolerance) => format!("within {tolerance}, so stay"),
        Some(Kept::Direction) => "unready and missing pods would turn the change around, so stay".into(),
        None => format!("outside {tolerance}, so act"),
    };
    line("ratio", format!("{value} / {target} = {}", shown(thousandths)), remark);
    if decision.kept.is_none() {
        let counted = decision.counted;
        let formula = format!("⌈{counted} × {}⌉ = {}", shown(thousandths), decision.proposed);
        line("want", formula, format!("{counted} pods count"));
    }
}
