//! The scheduler's filters, scores and messages against recorded results of upstream's own code (`tests/vectors`).

use super::{Outcome, same};
use serde_json::Value;
use setpoint_api::wire::{Reader, Wire};
use setpoint_api::{
    Namespace, Node, ObjectMeta, Pod, PodSpec, Quantity, Resource, Service, Stamp, Store, Str,
};
use setpoint_control::scheduler::cache::Cache;
use setpoint_control::scheduler::filters::{Filters, Plugin};
use setpoint_control::scheduler::message::FitError;
use setpoint_control::scheduler::node_rules::NodeRules;
use setpoint_control::scheduler::preempt::{Candidate, pick};
use setpoint_control::scheduler::scores;
use setpoint_control::scheduler::strategy::{Profile, Strategy, Weights};
use std::rc::Rc;

fn read<T: Resource + Wire + Default>(value: &Value) -> T {
    let mut reader = Reader::default();
    let object = T::read(value.clone(), &mut reader);
    assert!(reader.errors.is_empty(), "{:?} in {value}", reader.errors);
    object
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// A store, and a cache of the nodes and pods in it. Objects without a name get one.
struct Cluster {
    store: Store,
    cache: Cache,
    named: u32,
}

impl Cluster {
    fn new(namespace_labels: &Value) -> Self {
        let mut cluster = Self { store: Store::new(1), cache: Cache::default(), named: 0 };
        for (name, labels) in namespace_labels.as_object().into_iter().flatten() {
            let mut metadata = ObjectMeta::named("", name);
            for (key, value) in labels.as_object().unwrap() {
                metadata.set_label(key, value.as_str().unwrap());
            }
            cluster.create(Namespace { metadata, ..Namespace::default() });
        }
        cluster
    }
    fn create<T: Resource>(&mut self, mut object: T) -> Rc<T> {
        let meta = object.metadata_mut();
        self.named += 1;
        if meta.name.is_empty() {
            meta.name = format!("unnamed-{}", self.named).into();
        }
        let namespace = meta.namespace.clone();
        if T::KIND.is_namespaced() && self.store.find::<Namespace>("", &namespace).is_none() {
            let metadata = ObjectMeta::named("", &namespace);
            let namespace = Namespace { metadata, ..Namespace::default() };
            self.store.create(namespace.into_object(), Stamp::default()).unwrap();
        }
        let deleted = object.metadata().deletion_timestamp;
        let id = self.store.create(object.into_object(), Stamp::default()).unwrap();
        let mut stored = T::from_object(self.store.object(id).unwrap()).unwrap().clone();
        if deleted.is_some() {
            Rc::make_mut(&mut stored).metadata_mut().deletion_timestamp = deleted;
        }
        stored
    }
    fn add_node(&mut self, node: &Value) -> u32 {
        let node = self.create(read::<Node>(node));
        self.cache.set_node(&node);
        self.cache.slot_of(&node.metadata.name).unwrap()
    }
    fn add_pod(&mut self, pod: &Value, node: Option<&Str>) {
        let pod: Pod = read(pod);
        let node = node.or(pod.spec.node_name.as_ref()).unwrap().clone();
        let pod = self.create(pod);
        self.cache.add_pod(&pod, &node);
    }
    fn add_node_info(&mut self, info: &Value) -> u32 {
        let slot = self.add_node(&info["node"]);
        let name = self.cache.nodes[slot as usize].name.clone();
        for pod in list(info, "pods") {
            self.add_pod(pod, Some(&name));
        }
        slot
    }
}

fn plugin(name: &Value) -> Plugin {
    match name.as_str().unwrap() {
        "NodeUnschedulable" => Plugin::NodeUnschedulable,
        "NodeName" => Plugin::NodeName,
        "TaintToleration" => Plugin::TaintToleration,
        "NodeAffinity" => Plugin::NodeAffinity,
        "NodePorts" => Plugin::NodePorts,
        "NodeResourcesFit" => Plugin::NodeResourcesFit,
        "PodTopologySpread" => Plugin::PodTopologySpread,
        "InterPodAffinity" => Plugin::InterPodAffinity,
        other => panic!("unknown filter {other}"),
    }
}

/// Runs one filter on one node. Filters of a pod that is on a node already look at that pod's own node name, too.
fn check_filter(cluster: &mut Cluster, slot: u32, input: &Value, expect: &Value) -> Outcome {
    let pod: Pod = read(&input["pod"]);
    let filters = Filters::of(&cluster.store, &mut cluster.cache, &pod);
    let plugin = plugin(&input["plugin"]);
    let rejection = filters.reject_by(plugin, &cluster.cache, slot);
    let code = match &rejection {
        _ if input["op"] == "preFilter" && filters.skips(plugin) => "Skip",
        None => "Success",
        Some(rejection) if rejection.is_unresolvable => "UnschedulableAndUnresolvable",
        Some(_) => "Unschedulable",
    };
    let reasons: Vec<String> = rejection
        .iter()
        .flat_map(|rejection| rejection.reasons(&filters.demand))
        .map(|r| r.to_string())
        .collect();
    let expected: Vec<String> =
        list(expect, "reasons").map(|reason| reason.as_str().unwrap().into()).collect();
    same((code, reasons), (expect["code"].as_str().unwrap(), expected))
}

/// `sched-filters`.
pub(super) fn filters_that_look_at_one_node(input: &Value, expect: &Value) -> Outcome {
    let mut cluster = Cluster::new(&Value::Null);
    let slot = cluster.add_node_info(&input["nodeInfo"]);
    check_filter(&mut cluster, slot, input, expect)
}

/// `sched-fit-filter`.
pub(super) fn resources_fit(input: &Value, expect: &Value) -> Outcome {
    let mut cluster = Cluster::new(&Value::Null);
    let slot = cluster.add_node_info(&input["nodeInfo"]);
    check_filter(&mut cluster, slot, input, expect)
}

/// `sched-pod-topology-spread`, `sched-inter-pod-affinity`.
pub(super) fn filter_among_nodes(input: &Value, expect: &Value) -> Outcome {
    let mut cluster = Cluster::new(&input["namespaceLabels"]);
    for info in list(input, "nodes") {
        cluster.add_node_info(info);
    }
    let slot = input["candidate"].as_str().map_or(0, |name| cluster.cache.slot_of(name).unwrap());
    check_filter(&mut cluster, slot, input, expect)
}

/// The scores of one plugin over the candidates, 0 where it has nothing to say.
fn score(cluster: &mut Cluster, slots: &[u32], input: &Value) -> Vec<i64> {
    let pod: Pod = read(&input["pod"]);
    let filters = Filters::of(&cluster.store, &mut cluster.cache, &pod);
    let all = scores::all(&cluster.store, &mut cluster.cache, &filters, slots);
    let row = all.into_iter().find(|row| row.plugin == input["plugin"].as_str().unwrap());
    row.map_or_else(|| vec![0; slots.len()], |row| row.scores)
}

/// `sched-scores`.
pub(super) fn scores_among_nodes(input: &Value, expect: &Value) -> Outcome {
    let mut cluster = Cluster::new(&input["namespaceLabels"]);
    let slots: Vec<u32> = list(input, "nodes").map(|node| cluster.add_node(node)).collect();
    for node in list(input, "failedNodes") {
        cluster.add_node(node);
    }
    for object in list(input, "objs") {
        cluster.create(read::<Service>(object));
    }
    for pod in list(input, "existingPods") {
        cluster.add_pod(pod, None);
    }
    if !input["addedAffinity"].is_null() {
        let mut reader = Reader::default();
        let added = serde_json::json!({ "affinity": { "nodeAffinity": input["addedAffinity"] } });
        let added_affinity = NodeRules::of(&PodSpec::read(added, &mut reader));
        cluster.cache.profile = Rc::new(Profile { added_affinity, ..Profile::default() });
    }
    let found = score(&mut cluster, &slots, input);
    let names = slots.iter().map(|slot| cluster.cache.nodes[*slot as usize].name.to_string());
    let found: serde_json::Map<String, Value> = names.zip(found.into_iter().map(Value::from)).collect();
    same(&Value::Object(found), &expect["scores"])
}

/// `sched-fit-score`.
pub(super) fn scores_from_resources(input: &Value, expect: &Value) -> Outcome {
    let mut cluster = Cluster::new(&Value::Null);
    let slot = cluster.add_node_info(&input["nodeInfo"]);
    let weights = || {
        Weights::of(
            list(input, "resources").map(|it| (it["name"].as_str().unwrap(), it["weight"].as_i64().unwrap())),
        )
    };
    let points = || {
        list(input, "shape")
            .map(|point| (point["utilization"].as_i64().unwrap(), point["score"].as_i64().unwrap()))
    };
    let strategy = match input["strategy"].as_str().unwrap_or_default() {
        "MostAllocated" => Strategy::MostAllocated,
        "RequestedToCapacityRatio" => Strategy::RequestedToCapacityRatio(points().collect()),
        _ => Strategy::LeastAllocated,
    };
    cluster.cache.profile =
        Rc::new(Profile { strategy, fit: weights(), balanced: weights(), ..Profile::default() });
    same(score(&mut cluster, &[slot], input)[0], expect["score"].as_i64().unwrap())
}

/// `sched-fit-error`.
pub(super) fn fit_error_text(input: &Value, expect: &Value) -> Outcome {
    let text = |key: &str| input[key].as_str().unwrap_or("").to_string();
    let mut error = FitError {
        nodes: input["numAllNodes"].as_i64().unwrap(),
        before: text("preFilterMessage"),
        after: text("postFilterMessage"),
        ..FitError::default()
    };
    let statuses = input["nodeStatuses"].as_object().unwrap();
    for reason in statuses.values().flat_map(|status| list(status, "reasons")) {
        error.count(reason.as_str().unwrap().to_string().into(), 1);
    }
    for reason in list(input, "absentNodesReasons") {
        error.count(reason.as_str().unwrap().to_string().into(), error.nodes - statuses.len() as i64);
    }
    same(error.text().as_str(), expect["message"].as_str().unwrap())
}

/// `pod-resources`.
pub(super) fn requests_of_a_pod(input: &Value, expect: &Value) -> Outcome {
    let mut reader = Reader::default();
    let mut spec = PodSpec::read(input["podSpec"].clone(), &mut reader);
    if input["excludeOverhead"] == true {
        spec.overhead.clear();
    }
    let amount = |(name, value): (&String, &Value)| {
        let quantity = Quantity::parse(value.as_str().unwrap()).unwrap();
        (name.as_str().into(), setpoint_control::pod::amount(name, &quantity))
    };
    let wanted = |key: &str| expect[key].as_object().into_iter().flatten().map(amount).collect();
    match input["op"].as_str().unwrap_or_default() {
        "podRequests" => same(setpoint_control::pod::requests(&spec), wanted("requests")),
        // What a quota counts as limits.
        "podLimits" => {
            let pod = Pod { spec, ..Pod::default() };
            let used = setpoint_control::quota::pod_usage(&pod);
            let limits = used.iter().filter_map(|(name, value)| Some((name.strip_prefix("limits.")?, value)));
            same(
                limits
                    .map(|(name, value)| (name.into(), setpoint_control::pod::amount(name, value)))
                    .collect(),
                wanted("limits"),
            )
        }
        "qosClass" => {
            same(setpoint_control::kubelet::qos_class(&spec), expect["qosClass"].as_str().unwrap_or_default())
        }
        other => Err(format!("no operation {other}")),
    }
}

/// `sched-preemption`.
pub(super) fn node_to_preempt_on(input: &Value, expect: &Value) -> Outcome {
    let given = input["candidates"].as_object().expect("candidates");
    let candidates: Vec<Candidate> = given
        .values()
        .map(|given| Candidate {
            violations: given["numPDBViolations"].as_i64().unwrap_or(0),
            victims: given["victimsHighestPriorityFirst"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|victim| {
                    let start = victim["startTime"].as_str().and_then(setpoint_api::Time::parse_rfc3339);
                    (victim["priority"].as_i64().unwrap_or(0) as i32, start)
                })
                .collect(),
        })
        .collect();
    let chosen = pick(&candidates).and_then(|index| given.keys().nth(index));
    same(serde_json::json!({ "node": chosen }), expect.clone())
}
