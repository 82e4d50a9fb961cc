//! The autoscaler against upstream's own table tests.

use serde_json::Value;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::wire::{Reader, Wire};
use setpoint_api::{
    Condition, ConditionStatus, Container, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec,
    HpaScalingRules, ObjId, ObjectMeta, Pod, PodPhase, Quantity, ResourceRequirements, Selector, Str, Time,
};
use setpoint_control::hpa::behavior::{self, Events, Recommendation, Rules, ScaleEvent};
use setpoint_control::hpa::evaluate::{History, evaluate};
use setpoint_control::hpa::feed::{Feed, resource_samples};
use setpoint_control::hpa::replicas::{
    Calculator, Proposal, Sample, Samples, Startup, Tolerances, group_pods,
};
use setpoint_control::hpa::settings::Settings;
use setpoint_control::hpa::target::Scale;
use setpoint_control::{Metrics, PodMetrics};
use std::rc::Rc;

use super::{Outcome, expect};

const NOW: Time = Time(2_000_000_000 * SECOND);

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn int32(value: &Value) -> i32 {
    i32::try_from(int(value)).expect("fits 32 bits")
}

fn seconds_ago(value: &Value) -> Time {
    NOW.plus(-((value.as_f64().unwrap_or(0.0) * 1e6).round() as i64))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn read<T: Wire + Default>(value: &Value) -> T {
    let mut reader = Reader::default();
    let read = T::read(value.clone(), &mut reader);
    assert!(reader.errors.is_empty(), "{:?}", reader.errors);
    read
}

/// A pod of a vector, with one container per entry of `requests`.
fn pod(index: usize, value: &Value, requests: &[(String, String, i64)]) -> Rc<Pod> {
    let metadata = ObjectMeta::named("test-namespace", text(&value["name"]));
    let mut pod = Pod { metadata, ..Pod::default() };
    pod.metadata.id = ObjId(index as u32 + 1);
    pod.metadata.deletion_timestamp = (value["deleting"] == true).then_some(NOW);
    pod.status.phase = PodPhase::from_word(text(&value["phase"])).expect("a phase");
    pod.status.start_time = value.get("startedSecondsAgo").map(seconds_ago);
    if let Some(ready) = value.get("ready") {
        pod.status.conditions.push(Condition {
            kind: "Ready".into(),
            status: ConditionStatus::from_word(text(ready)).expect("a condition status"),
            last_transition_time: value.get("readyTransitionSecondsAgo").map(seconds_ago),
            ..Condition::default()
        });
    }
    let container = |(name, resource, milli): &(String, String, i64)| {
        let requests = Map::from([(resource.as_str().into(), Quantity::from_milli(*milli))]);
        let resources = ResourceRequirements { requests, ..Default::default() };
        Container { name: name.as_str().into(), resources, ..Container::default() }
    };
    let containers: Vec<Container> = requests.iter().map(container).collect();
    pod.spec.containers = Rc::new(containers);
    Rc::new(pod)
}

fn startup(input: &Value) -> Startup {
    Startup {
        now: NOW,
        cpu_initialization: int(&input["cpuInitializationPeriodSeconds"]) * SECOND,
        initial_readiness_delay: int(&input["initialReadinessDelaySeconds"]) * SECOND,
    }
}

/// `hpa-group-pods`.
pub(super) fn pods_are_grouped_as_upstream_groups_them(case: &Value) -> Outcome {
    let input = &case["input"];
    let pods: Vec<Rc<Pod>> =
        list(&input["pods"]).iter().enumerate().map(|(i, value)| pod(i, value, &[])).collect();
    let id = |name: &str| pods.iter().find(|p| &*p.metadata.name == name).map(|p| p.metadata.id);
    let sample = |value: &Value| {
        let sample = Sample {
            at: seconds_ago(&value["timestampSecondsAgo"]),
            window: int(&value["windowSeconds"]) * SECOND,
            value: int(&value["valueMilli"]),
        };
        Some((id(text(&value["pod"]))?, sample))
    };
    let samples: Samples = list(&input["metrics"]).iter().filter_map(sample).collect();
    let pods: Vec<&Rc<Pod>> = pods.iter().collect();
    let groups = group_pods(&pods, &samples, text(&input["resource"]), startup(input));
    let ids = |value: &Value| list(value).iter().filter_map(|name| id(text(name))).collect();
    expect("ready", i64::from(groups.ready), int(&case["expect"]["readyPodCount"]))?;
    expect("unready", groups.unready, ids(&case["expect"]["unreadyPods"]))?;
    expect("missing", groups.missing, ids(&case["expect"]["missingPods"]))?;
    expect("ignored", groups.ignored, ids(&case["expect"]["ignoredPods"]))
}

/// Pods and metrics of a case of the replica calculator.
fn calculator_input(input: &Value) -> (Vec<Rc<Pod>>, Metrics) {
    let request = |c: &Value| {
        let milli = c.get("requestMilli").map(int);
        milli.map(|milli| (text(&c["name"]).to_string(), text(&c["resource"]).to_string(), milli))
    };
    let make = |(i, value): (usize, &Value)| {
        let requests: Vec<_> = list(&value["containers"]).iter().filter_map(request).collect();
        pod(i, value, &requests)
    };
    let pods: Vec<Rc<Pod>> = list(&input["pods"]).iter().enumerate().map(make).collect();
    let mut metrics = Metrics::default();
    for (i, value) in list(&input["podMetrics"]).iter().enumerate() {
        let id = pods.iter().find(|pod| &*pod.metadata.name == text(&value["pod"]));
        let usage = |c: &Value| -> (Str, i64, i64) {
            let milli = int(&c["usageMilli"]);
            (text(&c["name"]).into(), milli, milli / 1000)
        };
        let containers = list(&value["containers"]).iter().map(usage).collect();
        let at = seconds_ago(&input["metricTimestampSecondsAgo"]);
        let window = int(&input["metricWindowSeconds"]) * SECOND;
        let id = id.map_or(ObjId(1000 + i as u32), |pod| pod.metadata.id);
        metrics.pods.insert(id.0, PodMetrics { at, window, containers, requests_milli: 0 });
    }
    (pods, metrics)
}

fn calculate(input: &Value, pods: &[&Rc<Pod>], metrics: &Metrics) -> Result<Proposal, String> {
    let calculator = Calculator {
        pods,
        current: int32(&input["currentReplicas"]),
        tolerances: Tolerances {
            down: input["toleranceDown"].as_f64().unwrap_or(0.0),
            up: input["toleranceUp"].as_f64().unwrap_or(0.0),
        },
        startup: startup(input),
    };
    let levels: Vec<i64> = list(&input["levelsMilli"]).iter().map(int).collect();
    let sum = levels.iter().fold(0, |sum: i64, level| sum.saturating_add(*level));
    let average = int(input.get("targetAverageValueMilli").unwrap_or(&input["targetValueMilli"]));
    let (resource, container) = (text(&input["resource"]), text(&input["container"]));
    match text(&input["metricType"]) {
        "Resource" => {
            let samples = resource_samples(metrics, resource, container, pods);
            let samples =
                samples.map_err(|e| format!("unable to get metrics for resource {resource}: {e}"))?;
            match input.get("targetUtilizationPercent") {
                Some(percent) => calculator.utilization(resource, container, int32(percent), &samples),
                None => calculator.per_pod_samples(resource, average, &samples),
            }
        }
        "Pods" => {
            let window = int(&input["metricWindowSeconds"]) * SECOND;
            let at = seconds_ago(&input["metricTimestampSecondsAgo"]);
            let sample =
                |(i, value): (usize, &i64)| (ObjId(i as u32 + 1), Sample { at, window, value: *value });
            let samples: Samples = levels.iter().enumerate().map(sample).collect();
            calculator.per_pod_samples("", average, &samples)
        }
        "Object" | "External" => calculator.total(sum, int(&input["targetValueMilli"])),
        _ => Ok(calculator.shared(calculator.current, sum, average)),
    }
}

/// `hpa-replica-calculator`.
pub(super) fn proposals_are_upstreams(case: &Value) -> Outcome {
    let (input, want) = (&case["input"], &case["expect"]);
    let (pods, metrics) = calculator_input(input);
    let pods: Vec<&Rc<Pod>> = pods.iter().collect();
    let got = calculate(input, &pods, &metrics);
    if let Some(part) = want.get("errorContains") {
        let error = got.err().unwrap_or_default();
        return expect("error", error.contains(text(part)), true);
    }
    let got = got?;
    expect("replicas", i64::from(got.replicas), int(&want["replicas"]))?;
    if let Some(percent) = want.get("utilizationPercent") {
        expect("utilization", got.utilization.map(i64::from), Some(int(percent)))?;
    }
    let usage = want.get("usageMilli").or(want.get("averageRawValueMilli"));
    expect("usage", Some(got.usage), usage.map(int))
}

fn events(value: &Value) -> Vec<ScaleEvent> {
    let event = |value: &Value| ScaleEvent {
        at: seconds_ago(&value["secondsAgo"]),
        change: int32(&value["replicaChange"]),
        outdated: value["outdated"] == true,
    };
    list(value).iter().map(event).collect()
}

fn recommendations(value: &Value) -> Vec<Recommendation> {
    let one = |value: &Value| Recommendation {
        at: seconds_ago(&value["secondsAgo"]),
        replicas: int32(&value["replicas"]),
    };
    list(value).iter().map(one).collect()
}

fn rules(input: &Value) -> (Rules, Rules) {
    let given = |key: &str| input.get(key).map(read::<HpaScalingRules>);
    (Rules::up(given("scaleUp").as_ref()), Rules::down(given("scaleDown").as_ref(), 300 * SECOND))
}

fn store_scale_event(input: &Value, want: &Value) -> Result<(), String> {
    let mut all = Events { up: events(&input["events"]), down: Vec::new() };
    let before = behavior::change_in_period(&all.up, int32(&input["periodSeconds"]), NOW);
    expect("change", i64::from(before), int(&want["replicasChangeInPeriodBefore"]))?;
    let rules = input.get("rules").map(|rules| Rules::up(Some(&read::<HpaScalingRules>(rules))));
    all.store(rules.as_ref().map(|up| (up, up)), 10, 10 + int32(&input["replicaChange"]), NOW);
    let got: Vec<_> = all.up.iter().map(|event| (i64::from(event.change), event.outdated)).collect();
    let wanted = list(&want["events"]);
    expect("events", got, wanted.iter().map(|e| (int(&e["replicaChange"]), e["outdated"] == true)).collect())
}

/// `hpa-behavior`.
pub(super) fn windows_policies_and_bounds_are_upstreams(case: &Value) -> Outcome {
    let (input, want) = (&case["input"], &case["expect"]);
    let (current, desired) = (int32(&input["currentReplicas"]), int32(&input["desiredReplicas"]));
    let (min, max) = (int32(&input["minReplicas"]), int32(&input["maxReplicas"]));
    let mut log = recommendations(&input["recommendations"]);
    let replicas = match text(&input["op"]) {
        "limitWithoutBehavior" => {
            let factor = int32(&input["scaleUpLimitFactor"]) * current;
            let limit = factor.max(int32(&input["scaleUpLimitMinimum"]));
            let got = behavior::limit_without_behavior(limit, desired, min, max);
            expect("reason", got.reason, text(&want["reason"]))?;
            got.replicas
        }
        "rateLimitWithBehavior" => {
            let (up, down) = rules(input);
            let past =
                Events { up: events(&input["scaleUpEvents"]), down: events(&input["scaleDownEvents"]) };
            let got = behavior::limit_with_behavior(current, desired, (min, max), (&up, &down), &past, NOW);
            expect("reason", got.reason, text(&want["reason"]))?;
            got.replicas
        }
        "stabilizeDownscale" => {
            let window = int(&input["windowSeconds"]) * SECOND;
            let got = behavior::stabilize_down(&mut log, desired, window, NOW);
            expect("log length", log.len() as i64, int(&want["logLength"]))?;
            got
        }
        "stabilizeWithBehavior" => {
            let up = int(&input["scaleUpStabilizationWindowSeconds"]) * SECOND;
            let down = int(&input["scaleDownStabilizationWindowSeconds"]) * SECOND;
            let got = behavior::stabilize(&mut log, current, desired, (up, down), NOW);
            let after: Vec<i64> = log.iter().map(|rec| i64::from(rec.replicas)).collect();
            expect("log", after, list(&want["recommendationsAfter"]).iter().map(int).collect())?;
            got
        }
        "storeScaleEvent" => return store_scale_event(input, want),
        other => return Err(format!("unknown operation {other}")),
    };
    expect("replicas", i64::from(replicas), int(&want["replicas"]))
}

/// What a case of the whole evaluation reads.
struct Reported {
    pods: Vec<Rc<Pod>>,
    metrics: Metrics,
    levels: Vec<i64>,
}

impl Feed for Reported {
    fn pods<'b>(&'b self, _: &'b Selector) -> Vec<&'b Rc<Pod>> {
        self.pods.iter().collect()
    }
    fn claimants(&mut self, _: &Selector) -> Vec<Str> {
        vec!["test-hpa".into()]
    }
    fn resource(&self, resource: &str, container: &str, pods: &[&Rc<Pod>]) -> Result<Samples, String> {
        resource_samples(&self.metrics, resource, container, pods)
    }
    fn custom(&self, _: &str) -> Result<Samples, String> {
        let sample = |(i, value): (usize, &i64)| {
            (ObjId(i as u32 + 1), Sample { at: NOW, window: 60 * SECOND, value: *value })
        };
        Ok(self.levels.iter().enumerate().map(sample).collect())
    }
    fn object(&self, _: &str) -> Result<i64, String> {
        self.levels.first().copied().ok_or_else(|| "no metrics".to_string())
    }
    fn external(&self, _: &str) -> Result<Vec<i64>, String> {
        Ok(self.levels.clone())
    }
}

fn reported(input: &Value) -> Reported {
    let make = |(i, value): (usize, &Value)| {
        let half = value.get("cpuRequestMilli").map(|milli| int(milli) / 2);
        let request = |name: &str| half.map(|half| (name.to_string(), "cpu".to_string(), half));
        let requests: Vec<_> = ["container1", "container2"].into_iter().filter_map(request).collect();
        pod(i, value, &requests)
    };
    let pods: Vec<Rc<Pod>> = list(&input["pods"]).iter().enumerate().map(make).collect();
    let levels: Vec<i64> = list(&input["reportedLevels"]).iter().map(int).collect();
    let at = seconds_ago(&input["metricTimestampSecondsAgo"]);
    let window = int(&input["metricWindowSeconds"]) * SECOND;
    let usage = |(i, level): (usize, &i64)| {
        let part = |name: &str| -> (Str, i64, i64) { (name.into(), level / 2, 512 * 1024) };
        let containers = vec![part("container1"), part("container2")];
        (i as u32 + 1, PodMetrics { at, window, containers, requests_milli: 0 })
    };
    let mut metrics = Metrics::default();
    for (id, usage) in levels.iter().enumerate().map(usage) {
        metrics.pods.insert(id, usage);
    }
    Reported { pods, metrics, levels }
}

fn settings(input: &Value) -> Settings {
    let or = |key: &str, default| input.get(key).map_or(default, int32);
    Settings {
        tolerance: input["tolerance"].as_f64().unwrap_or(0.0),
        downscale_stabilization: int(&input["downscaleStabilizationSeconds"]) * SECOND,
        cpu_initialization: int(&input["cpuInitializationPeriodSeconds"]) * SECOND,
        initial_readiness_delay: int(&input["initialReadinessDelaySeconds"]) * SECOND,
        scale_up_factor: or("scaleUpLimitFactor", 2),
        scale_up_minimum: or("scaleUpLimitMinimum", 4),
        scale_to_zero: input["gates"]["HPAScaleToZero"] == true,
    }
}

/// `hpa-reconcile`.
pub(super) fn whole_evaluations_end_as_upstreams(case: &Value) -> Outcome {
    let (input, want) = (&case["input"], &case["expect"]);
    let spec = read::<HorizontalPodAutoscalerSpec>(&input["hpaSpec"]);
    let mut hpa = HorizontalPodAutoscaler { spec, ..Default::default() };
    hpa.status.current_replicas = int32(&input["specReplicas"]);
    hpa.status.desired_replicas = int32(&input["specReplicas"]);
    hpa.status.conditions = list(&input["initialConditions"]).iter().map(read::<Condition>).collect();
    let scale = Scale {
        id: ObjId(99),
        spec_replicas: int32(&input["specReplicas"]),
        status_replicas: int32(&input["statusReplicas"]),
        selector: Selector::parse("name=test-pod"),
    };
    let seeded = input["historySeededWithCurrentReplicas"] == true;
    let log = (!seeded).then(|| recommendations(&input["recommendations"]));
    let mut history = History { log, events: Events::default() };
    let mut feed = reported(input);
    let got = evaluate(&hpa, Ok(&scale), &mut feed, &settings(input), NOW, &mut history);
    let action = match got.rescale {
        Some(to) if to > scale.spec_replicas => "scale_up",
        Some(_) => "scale_down",
        None => "none",
    };
    expect("action", action, text(&want["action"]))?;
    let desired = i64::from(got.status.desired_replicas);
    expect("desired", desired, int(&want["desiredReplicas"]))?;
    expect("fails", got.decision.error.is_some(), text(&want["error"]) != "none")?;
    let triple = |c: &Condition| (c.kind.to_string(), c.status.to_string(), c.reason.to_string());
    let wanted = list(&want["conditions"]).iter().map(read::<Condition>);
    let wanted: Vec<_> = wanted.map(|c| triple(&c)).collect();
    expect("conditions", got.status.conditions.iter().map(triple).collect(), wanted)?;
    if let Some(percent) = want.get("cpuUtilizationPercent") {
        let first = got.status.current_metrics.first().and_then(|metric| metric.resource.as_ref());
        let got = first.and_then(|resource| resource.current.average_utilization);
        expect("utilization", got.map(i64::from), Some(int(percent)))?;
    }
    Ok(())
}
