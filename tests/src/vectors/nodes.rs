//! Nodes that fall silent, their taints and how pods put up with them.

use super::{Outcome, expect, read};
use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::*;
use setpoint_control::node_lifecycle::{self, Health, ZoneState, check, eviction_rate_milli, zone_state};
use setpoint_control::taint_eviction::{Verdict, evict_after, min_toleration};
use setpoint_control::{Cx, Key, Memory, Metrics, Profile, Tuning, taints};

fn real() -> Tuning {
    Tuning::of(Profile::Real)
}

fn time(value: &Value) -> Option<Time> {
    value.as_str().map(|text| Time::parse_rfc3339(text).unwrap())
}

/// `taints-tolerations`.
pub(super) fn tolerations(case: &Value) -> Outcome {
    let (input, wanted) = (&case["input"], case["expect"]["tolerates"].as_bool());
    let toleration: Toleration = read(&input["toleration"]);
    // Without the gate a toleration that compares cannot come to be: validation turns it down.
    let is_gated = matches!(&*toleration.operator, "Lt" | "Gt") && input["comparisonOperators"] != true;
    let found = !is_gated && taints::tolerates(&toleration, &read(&input["taint"]));
    expect("tolerates", Some(found), wanted)
}

/// `taint-eviction`.
pub(super) fn evictions(case: &Value) -> Outcome {
    let input = &case["input"];
    let tolerations: Vec<Toleration> = read(&input["tolerations"]);
    let seconds = match input["op"].as_str().unwrap_or_default() {
        "evictAfter" => {
            let taints: Vec<Taint> = read(&input["noExecuteTaints"]);
            match evict_after(taints.iter(), &tolerations) {
                Verdict::Stay => None,
                Verdict::Go => Some(0),
                Verdict::GoAfter(micros) => Some(micros / SECOND),
            }
        }
        "minTolerationSeconds" => min_toleration(tolerations.iter()).map(|micros| micros / SECOND),
        other => return Err(format!("no operation {other}")),
    };
    expect("seconds", seconds, case["expect"]["seconds"].as_i64())
}

/// `node-lifecycle`.
pub(super) fn lifecycle(case: &Value) -> Outcome {
    let (name, input, expect) = (case["name"].as_str().unwrap_or_default(), &case["input"], &case["expect"]);
    match input["op"].as_str().unwrap_or_default() {
        "tryUpdateNodeHealth" => one_look(name, input, expect),
        "zoneState" => state_of_a_zone(name, input, expect),
        "reducedEvictionQPS" => {
            let size = input["nodes"].as_u64().unwrap() as u32;
            let rate = eviction_rate_milli(ZoneState::PartialDisruption, size, &real());
            assert_eq!(rate as f64 / 1000.0, expect["qps"].as_f64().unwrap(), "{name}");
        }
        "zoneStatesOverTime" => states_over_time(name, input, expect),
        other => return Err(format!("no operation {other}")),
    }
    Ok(())
}

fn one_look(name: &str, input: &Value, expect: &Value) {
    let meta = json!({ "name": "node0", "creationTimestamp": input["nodeCreation"] });
    let mut node: Node = read(&json!({ "metadata": meta, "status": { "conditions": input["conditions"] } }));
    let renewed = |value: &Value| time(value).map(MicroTime);
    let saved = input.get("savedHealth").map(|saved| Health {
        seen_at: time(&saved["probeTimestamp"]).unwrap(),
        heartbeat: condition(&read::<Vec<Condition>>(&saved["conditions"]), "Ready")
            .map(|c| c.last_heartbeat_time),
        lease_renewed: renewed(&saved["leaseRenewTime"]),
    });
    let mut tuning = real();
    tuning.node_monitor_grace = input["monitorGraceSeconds"].as_i64().unwrap() * SECOND;
    tuning.node_startup_grace = input["startupGraceSeconds"].as_i64().unwrap() * SECOND;
    let now = time(&input["now"]).unwrap();
    let (_, checked) = check(&node, renewed(&input["leaseRenewTime"]), saved.as_ref(), now, &tuning);

    assert_eq!(checked.grace / SECOND, expect["gracePeriodSeconds"].as_i64().unwrap(), "{name}");
    assert_eq!(checked.observed.as_str(), expect["observedReady"]["status"], "{name}");
    let current = checked.current.map(|status| status.as_str());
    assert_eq!(current, expect["currentReady"]["status"].as_str(), "{name}");
    for new in checked.unknown {
        match node.status.conditions.iter_mut().find(|old| old.kind == new.kind) {
            Some(old) => *old = new,
            None => node.status.conditions.push(new),
        }
    }
    let after: Vec<Value> = node
        .status
        .conditions
        .iter()
        .map(|c| json!({ "type": &*c.kind, "status": c.status.as_str(), "reason": &*c.reason, "message": &*c.message }))
        .collect();
    assert_eq!(Value::from(after), expect["conditionsAfter"], "{name}");
}

fn state_name(state: ZoneState) -> String {
    format!("{state:?}")
}

fn state_of_a_zone(name: &str, input: &Value, expect: &Value) {
    assert_eq!(input["unhealthyZoneThreshold"], 0.55, "{name}: other than the default");
    let statuses = input["readyStatuses"].as_array().unwrap();
    let ready = statuses.iter().filter(|status| **status == "True").count() as u32;
    let not_ready = statuses.len() as u32 - ready;
    assert_eq!(i64::from(not_ready), expect["notReady"].as_i64().unwrap(), "{name}");
    assert_eq!(state_name(zone_state(ready, not_ready, &real())), expect["state"], "{name}");
}

fn states_over_time(name: &str, input: &Value, expect: &Value) {
    let (mut store, mut memory, tuning) = (Store::new(0), Memory::default(), real());
    let now = time(&input["now"]).unwrap();
    for node in input["nodes"].as_array().unwrap() {
        let meta = json!({ "name": node["name"], "labels": node["labels"] });
        let (object, _) = Object::from_value(
            Kind::Node,
            json!({ "metadata": meta, "status": { "conditions": node["conditions"] } }),
        );
        let at = time(&node["creationTimestamp"]).unwrap();
        store.create(object, Stamp { at, fact: 0 }).unwrap();
    }
    let mut look = |store: &Store, now| {
        let metrics = Metrics::default();
        let cx = Cx { view: store, now, tuning: &tuning, metrics: &metrics, failure: None, draw: 0 };
        (node_lifecycle::ROW.reconcile)(&cx, Key::Tick, &mut memory);
        let zones = memory.node_lifecycle.zones();
        let name = |zone: &node_lifecycle::Zone| {
            let is_unnamed = zone.region.is_empty() && zone.zone.is_empty();
            if is_unnamed { String::new() } else { format!("{}:\0:{}", zone.region, zone.zone) }
        };
        zones.map(|(zone, state)| (name(zone), Value::from(state_name(state)))).collect()
    };
    let initial: serde_json::Map<String, Value> = look(&store, now);
    assert_eq!(Value::from(initial), expect["initial"], "{name}");
    let later = input["laterConditionsByNodeIndex"].as_array().unwrap();
    let mut nodes: Vec<_> = store.list::<Node>().cloned().collect();
    nodes.sort_by_key(|node| node.metadata.id);
    for (node, conditions) in nodes.iter().zip(later) {
        let mut node = (**node).clone();
        node.status.conditions = read(conditions);
        store.update(node.into_object(), Scope::Status, Stamp { at: now, fact: 0 }).unwrap();
    }
    let later_seconds = input["laterSeconds"].as_i64().unwrap();
    let later: serde_json::Map<String, Value> = look(&store, now.plus(later_seconds * SECOND));
    assert_eq!(Value::from(later), expect["later"], "{name}");
}
