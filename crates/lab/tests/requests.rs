//! Requests to the API server: what they answer, what they store, and that a run with them can be replayed.

use serde_json::{Value, json};
use setpoint_api::text;
use setpoint_lab::Session;
use setpoint_sim::{Method, PatchType, Request};

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'nginx:1.27', ports: [{containerPort: 80}]}]}
";

fn yaml(source: &str) -> Value {
    text::read(source).documents[0].root.to_value()
}

fn session() -> Session {
    Session::read("name: one\ncluster: {nodes: 1}\nuntil: 1m\n", 1).map_err(|why| format!("{why:?}")).unwrap()
}

fn create(body: Value) -> Request {
    let word = |key: &str| body[key].as_str().unwrap_or_default().into();
    Request {
        method: Method::Create,
        api_version: word("apiVersion"),
        kind: word("kind"),
        body,
        ..Request::default()
    }
}

fn deployment(method: Method, body: Value) -> Request {
    Request {
        method,
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        name: "web".into(),
        body,
        ..Request::default()
    }
}

fn said(answer: Result<setpoint_sim::Reply, setpoint_api::Status>) -> String {
    answer.map_or_else(|status| status.message, |reply| reply.object.to_string())
}

#[test]
fn what_is_created_can_be_patched_scaled_and_deleted() {
    let mut session = session();
    let made = session.request(create(yaml(WEB))).unwrap().object;
    assert_eq!(made["spec"]["progressDeadlineSeconds"], 600);
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.28"}]}}}});
    let patched = session.request(deployment(Method::Patch, patch)).unwrap().object;
    let container = &patched["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        (&container["image"], &container["ports"][0]["containerPort"]),
        (&json!("nginx:1.28"), &json!(80))
    );
    assert_eq!(patched["metadata"]["generation"], 2);
    let scale = Request {
        subresource: "scale".into(),
        patch_type: PatchType::Merge,
        ..deployment(Method::Patch, json!({"spec": {"replicas": 5}}))
    };
    assert_eq!(session.request(scale).unwrap().object["spec"]["replicas"], 5);
    assert_eq!(session.request(deployment(Method::Delete, Value::Null)).unwrap().object["status"], "Success");
    assert_eq!(
        said(session.request(deployment(Method::Delete, Value::Null))),
        "deployments.apps \"web\" not found"
    );
}

#[test]
fn refusals_are_in_upstreams_words() {
    let mut session = session();
    session.request(create(yaml(WEB))).unwrap();
    assert_eq!(said(session.request(create(yaml(WEB)))), "deployments.apps \"web\" already exists");
    let wrong = deployment(Method::Patch, json!({"spec": {"replicas": "x"}}));
    let text =
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:x]]\": unrecognized type: int32";
    assert_eq!(said(session.request(wrong)), text);
    let old =
        deployment(Method::Patch, json!({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 1}}));
    let text = "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again";
    assert_eq!(said(session.request(old)), text);
    let mut elsewhere = create(yaml(WEB));
    elsewhere.namespace = "nope".into();
    assert_eq!(said(session.request(elsewhere)), "namespaces \"nope\" not found");
    let misspelled = yaml(&WEB.replace("replicas", "replica"));
    assert_eq!(
        said(session.request(create(misspelled))),
        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.replica\""
    );
}

#[test]
fn a_dry_run_answers_and_leaves_no_trace() {
    let mut session = session();
    let before = (session.hash(), session.report());
    let dry = Request { dry_run: true, ..create(yaml(WEB)) };
    assert_eq!(session.request(dry).unwrap().object["metadata"]["name"], "web");
    assert_eq!((session.hash(), session.report()), before);
}
