//! A disruption budget refuses evictions beyond what it allows.

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
