//! A disruption budget refuses evictions beyond what it allows.

mod common;

use serde_json::json;
use setpoint_api::{Pod, PodDisruptionBudget, condition_status};
use setpoint_lab::Session;
use setpoint_sim::{Method, Request};

const SCENARIO: &str = r#"
name: budget
cluster: {nodes: 3}
until: 2m
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 3
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: "web:1.0"}]}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: web}
  spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
"#;

fn status(session: &Session) -> [i32; 4] {
    let budget = session.sim().store().find::<PodDisruptionBudget>("default", "web").expect("the budget");
    let status = budget.status();
    [status.current_healthy, status.desired_healthy, status.disruptions_allowed, status.expected_pods]
}

/// Asks for the eviction of a pod that is well.
fn evict(session: &mut Session) -> Result<(), String> {
    let is_well = |pod: &&std::rc::Rc<Pod>| {
        let ready = condition_status(&pod.status.conditions, "Ready");
        ready.as_str() == "True" && !pod.metadata.is_deleting()
    };
    let name = session.sim().store().list::<Pod>().find(is_well).expect("a pod").metadata.name.clone();
    let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": &*name } });
    let request = Request {
        method: Method::Create,
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: "default".into(),
        name,
        subresource: "eviction".into(),
        body: eviction,
        ..Request::default()
    };
    session.request(request).map(|_| ()).map_err(|status| status.message)
}

#[test]
fn a_budget_allows_one_eviction_at_a_time() {
    let mut session = Session::read(SCENARIO, 1).expect("a scenario");
    let to = |session: &mut Session, tenths: i64| {
        session.advance(tenths * 100_000, &mut || true);
    };
    to(&mut session, 200);
    assert_eq!(status(&session), [3, 2, 1, 3]);
    evict(&mut session).expect("there is room for one");
    let refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
    assert_eq!(evict(&mut session), Err(refusal.into()));
    assert_eq!(status(&session)[2], 0);
    to(&mut session, 202);
    assert_eq!(evict(&mut session), Err(refusal.into()));
    // The replacement is ready by then.
    to(&mut session, 600);
    assert_eq!(status(&session), [3, 2, 1, 3]);
    evict(&mut session).expect("there is room for one again");
}

#[test]
fn a_refused_request_was_tried_and_not_done() {
    let mut session = Session::read(SCENARIO, 1).expect("a scenario");
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "more" } });
    let request = || Request {
        method: Method::Create,
        api_version: "v1".into(),
        kind: "Namespace".into(),
        body: body.clone(),
        ..Request::default()
    };
    session.request(request()).expect("there is none yet");
    session.request(request()).expect_err("there is one");
    let frame = session.frame();
    let own = frame.feed.iter().filter(|line| &*line.source == "you").rev();
    let said: Vec<String> = own.map(|own| format!("{}: {}", own.reason, own.message)).collect();
    let refusal = "NotDone: namespaces \"more\" already exists";
    assert_eq!(
        said,
        ["Action: You created namespace more.", "Action: You tried to create namespace more.", refusal]
    );
}

/// The controller counts pods while evictions go on; what it writes must not forget those that were allowed meanwhile.
#[test]
fn evictions_in_quick_succession_stay_within_the_budget() {
    let source = SCENARIO.replace("replicas: 3", "replicas: 4").replace("minAvailable: 2", "minAvailable: 1");
    let mut session = Session::read(&source, 1).expect("a scenario");
    let begin = 60_000_000;
    session.advance(begin, &mut || true);
    let mut evicted = 0;
    for millisecond in 0..30 {
        session.advance(begin + millisecond * 1000, &mut || true);
        evicted += i32::from(evict(&mut session).is_ok());
        assert!(evicted <= 3, "the last pod was evicted after {millisecond} ms");
    }
    assert_eq!(evicted, 3);
}

/// The owners of some pods have no scale: then nothing is allowed, and it says why.
#[test]
fn a_budget_that_cannot_know_how_many_there_should_be_allows_nothing() {
    let scenario = |spec: &str, pod: &str| {
        format!(
            "cluster: {{nodes: 2, images: {{preloaded: true}}}}\nuntil: 5m\nmanifests:\n{pod}\n- {{apiVersion: policy/v1, kind: \
             PodDisruptionBudget, metadata: {{name: web}}, spec: {{{spec}, selector: {{matchLabels: {{app: web}}}}}}}}\n"
        )
    };
    let template =
        "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}";
    let daemons = format!(
        "- {{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: agent}}, spec: {{selector: {{matchLabels: {{app: web}}}}, {template}}}}}"
    );
    let alone = "- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default, labels: {app: web}}, spec: {containers: [{name: c, \
                 image: nginx}]}}";
    let why = "daemonsets.apps does not implement the scale subresource";
    for (spec, pods, expected, words) in [
        ("maxUnavailable: 1", &*daemons, [0, 0, 0, 0], why),
        ("minAvailable: 50%", &*daemons, [0, 0, 0, 0], why),
        ("minAvailable: 1", &*daemons, [2, 1, 1, 2], ""),
        // One that asks for nothing needs to know nothing.
        ("unhealthyPodEvictionPolicy: AlwaysAllow", &*daemons, [2, 0, 0, 0], ""),
        ("maxUnavailable: 1", alone, [1, 0, 0, 0], ""),
    ] {
        let session = common::opened(&scenario(spec, pods), 30);
        assert_eq!(status(&session), expected, "{spec}");
        let budget = session.sim().store().find::<PodDisruptionBudget>("default", "web").expect("the budget");
        assert_eq!(&*budget.status().conditions[0].message, words, "{spec}");
        let failed = common::said(&session, "CalculateExpectedPodCountFailed");
        let told = format!("Failed to calculate the number of expected pods: {why}");
        assert!(
            failed.iter().all(|text| *text == told) && failed.is_empty() == words.is_empty(),
            "{failed:?}"
        );
        let unmanaged = common::said(&session, "UnmanagedPods");
        let begin = "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: \
                     web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.";
        assert!(unmanaged.iter().all(|text| text.starts_with(begin)), "{unmanaged:?}");
        assert_eq!(unmanaged.is_empty(), pods != alone, "{spec}");
    }
}
