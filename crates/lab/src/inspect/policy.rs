//! What sets limits: disruption budgets, quotas, limit ranges and priorities.

use super::parts::{links, row, row_if, yes_no};
use super::{Inspection, Tone};
use serde_json::Value;
use setpoint_api::Gather as _;
use setpoint_api::wire::kept;
use setpoint_api::{LimitRange, Pod, PodDisruptionBudget, PriorityClass, ResourceQuota};
use setpoint_control::quota::{Usage, hard};
use setpoint_control::{disruption, pod as pods};
use setpoint_sim::Sim;
use std::rc::Rc;

/// How many pods a budget lets go now.
pub(super) fn budget_state(of: &PodDisruptionBudget) -> (Tone, Rc<str>) {
    match of.status().disruptions_allowed {
        0 => (Tone::Busy, "none may go".into()),
        allowed => (Tone::Good, format!("{allowed} may go").into()),
    }
}

/// Fills in what is particular to disruption budgets.
pub(super) fn budget(sim: &Sim, of: &PodDisruptionBudget, page: &mut Inspection) {
    let (spec, status) = (of.spec(), of.status());
    let asks = match (&spec.min_available, &spec.max_unavailable) {
        (Some(least), _) => format!("minAvailable {least}"),
        (_, Some(most)) => format!("maxUnavailable {most}"),
        _ => "nothing".to_string(),
    };
    page.rows = vec![
        row("asks for", &"", &asks),
        row_if(
            status.current_healthy < status.desired_healthy,
            "healthy",
            &format_args!("at least {} of {}", status.desired_healthy, status.expected_pods),
            &status.current_healthy,
        ),
        row_if(
            status.disruptions_allowed == 0,
            "evictions allowed",
            &"",
            &format_args!("{} right now", status.disruptions_allowed),
        ),
        row(
            "unhealthy pods",
            &"",
            &match &*spec.unhealthy_pod_eviction_policy {
                "AlwaysAllow" => "AlwaysAllow: may always go",
                _ => "IfHealthyBudget: may go while enough are healthy",
            },
        ),
    ];
    let name = &of.metadata.name;
    for refusal in sim.refusals().filter(|refusal| refusal.budget.metadata.id == of.metadata.id) {
        let again = format!("refused {}, asked again every 5 s", times(refusal.times));
        page.rows.push(row_if(true, &refusal.pod.metadata.name, &"to be evicted", &again));
    }
    page.conditions = super::parts::conditions(&status.conditions);
    let all = sim.store().list_in::<Pod>(&of.metadata.namespace);
    let own = all.filter(|pod| {
        disruption::budgets_of(sim.store(), pod).iter().any(|budget| budget.metadata.name == *name)
    });
    page.children = links(sim, own.filter_map(|pod| sim.store().object(pod.metadata.id)));
}

fn times(times: u32) -> String {
    if times == 1 { "once".into() } else { format!("{times} times") }
}

/// What a quota's namespace uses of it, as its status says.
fn used(of: &ResourceQuota) -> Usage {
    let status: Value = kept(&of.rest, "status");
    let read = |(name, amount): (&String, &Value)| {
        let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_string);
        Some((name.as_str().into(), setpoint_api::Quantity::parse(&text).ok()?))
    };
    status["used"].as_object().into_iter().flatten().filter_map(read).collect()
}

/// What is scarcest of a quota.
pub(super) fn quota_state(of: &ResourceQuota) -> (Tone, Rc<str>) {
    let (hard, used) = (hard(of), used(of));
    let share = |(name, most): &(&setpoint_api::Str, &setpoint_api::Quantity)| {
        let used = used.get(*name).map_or(0, |used| used.milli_value());
        used.saturating_mul(1000) / most.milli_value().max(1)
    };
    let scarcest = hard.iter().max_by_key(share);
    match scarcest {
        None => (Tone::Plain, "no limits".into()),
        Some((name, most)) => {
            let tone = if share(&(name, most)) >= 1000 { Tone::Busy } else { Tone::Good };
            let amount = used.get(name).copied().unwrap_or_default();
            (tone, format!("{name} {amount}/{most}").into())
        }
    }
}

/// Fills in what is particular to quotas.
pub(super) fn quota(sim: &Sim, of: &ResourceQuota, page: &mut Inspection) {
    let used = used(of);
    for (name, most) in hard(of).iter() {
        let amount = used.get(name).copied().unwrap_or_default();
        let is_full = amount.milli_value() >= most.milli_value();
        page.rows.push(row_if(
            is_full,
            name,
            &format_args!("at most {most}"),
            &format_args!("{amount} used{}", if is_full { ", full" } else { "" }),
        ));
    }
    let scopes = of.rest.as_ref().and_then(|rest| rest.get("spec")?.get("scopes"));
    if let Some(scopes) = scopes {
        page.rows.push(row("counts only", &"", scopes));
    }
    page.rows.push(row("namespace", &"", &of.metadata.namespace));
    let pods = sim.store().list_in::<Pod>(&of.metadata.namespace);
    let counted = pods.filter(|pod| !pod.status.phase.is_finished());
    page.children = links(sim, counted.filter_map(|pod| sim.store().object(pod.metadata.id)));
}

/// Fills in what is particular to limit ranges.
pub(super) fn limits(of: &LimitRange, page: &mut Inspection) {
    let spec: Value = kept(&of.rest, "spec");
    for limit in spec["limits"].as_array().into_iter().flatten() {
        let kind = limit["type"].as_str().unwrap_or("Container");
        for (what, amounts) in limit.as_object().into_iter().flatten() {
            let amounts = amounts.as_object().into_iter().flatten();
            let told =
                amounts.map(|(name, amount)| format!("{name} {}", amount.as_str().unwrap_or_default()));
            let told = told.gather().join(", ");
            if !told.is_empty() {
                page.rows.push(row(&format!("{kind} {what}"), &"", &told));
            }
        }
    }
}

/// A priority's number.
pub(super) fn priority_state(of: &PriorityClass) -> (Tone, Rc<str>) {
    (Tone::Plain, format!("value {}", value(of)).into())
}

fn value(of: &PriorityClass) -> i64 {
    of.rest.as_ref().and_then(|rest| rest.get("value")).and_then(Value::as_i64).unwrap_or(0)
}

/// Fills in what is particular to priorities.
pub(super) fn priority(sim: &Sim, of: &PriorityClass, page: &mut Inspection) {
    let of_rest = |key: &str| of.rest.as_ref().and_then(|rest| rest.get(key)).cloned().unwrap_or(Value::Null);
    let policy = of_rest("preemptionPolicy");
    let never = policy == "Never";
    let is_default = of_rest("globalDefault") == true;
    page.rows = vec![
        row("value", &"", &value(of)),
        row(
            "preempts",
            &"",
            &if never {
                "never: it only goes first in the queue"
            } else {
                "pods of lower priority, if no node has room"
            },
        ),
        row("for pods that name none", &"", &yes_no(is_default)),
    ];
    if let Some(text) = of_rest("description").as_str().filter(|text| !text.is_empty()) {
        page.rows.push(row("description", &"", &text));
    }
    let own = sim.store().list::<Pod>().filter(|pod| pod.spec.priority_class_name == of.metadata.name);
    let own: Vec<&Rc<Pod>> = own.filter(|pod| pods::is_active(pod)).gather();
    page.rows.push(row("pods of it", &"", &own.len()));
    page.children = links(sim, own.iter().filter_map(|pod| sim.store().object(pod.metadata.id)));
}
