//! Strict reading: upstream's messages, and where they are in the text.

use serde_json::{Value, json};
use setpoint_api::text::Severity;
use setpoint_api::{decode, manifest, text};

fn refusal(value: Value) -> String {
    decode::decode(value, true)
        .map_or_else(|status| status.message, |decoded| format!("{:?}", decoded.object))
}

fn pod(spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": spec })
}

#[test]
fn refusals_are_upstreams() {
    let deployment = |spec: Value| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": spec });
    let container = |fields: Value| deployment(json!({ "template": { "spec": { "containers": [fields] } } }));
    let place = "json: cannot unmarshal";
    for (value, expected) in [
        (deployment(json!({ "replica": 3 })), "strict decoding error: unknown field \"spec.replica\"".to_owned()),
        (
            container(json!({ "imagePolicy": "x", "args": ["a"], "zz": null })),
            "strict decoding error: unknown field \"spec.template.spec.containers[0].imagePolicy\", unknown field \
             \"spec.template.spec.containers[0].zz\""
                .to_owned(),
        ),
        (
            deployment(json!({ "replicas": "3", "replica": 1 })),
            format!("{place} string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ),
        (
            deployment(json!({ "replicas": 1.5 })),
            format!("{place} number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ),
        (
            container(json!({ "ports": [{ "containerPort": "http" }] })),
            format!("{place} string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32"),
        ),
        (
            container(json!({ "env": [{ "name": "A", "value": 1 }] })),
            format!("{place} number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"),
        ),
        (
            container(json!({ "imagePullPolicy": true })),
            format!("{place} bool into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy"),
        ),
        (
            deployment(json!({ "template": { "spec": { "containers": {} } } })),
            format!("{place} object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"),
        ),
        (deployment(json!("x")), format!("{place} string into Go struct field Deployment.spec of type v1.DeploymentSpec")),
        (container(json!({ "resources": { "requests": { "cpu": "100mm" } } })), "unable to parse quantity's suffix".to_owned()),
    ] {
        assert_eq!(refusal(value), format!("Deployment in version \"v1\" cannot be handled as a Deployment: {expected}"));
    }
    let lun = pod(json!({ "volumes": [{ "name": "v", "fc": { "lun": "0" } }] }));
    assert_eq!(
        refusal(lun),
        "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field \
         FCVolumeSource.spec.volumes.VolumeSource.fc.lun of type int32"
    );
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "a": "b c" } });
    assert_eq!(
        refusal(secret),
        "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 1"
    );
}

#[test]
fn what_is_read_loosely_keeps_what_is_known_in_its_stored_form() {
    let value = pod(
        json!({ "odd": 1, "hostname": null, "containers": [{ "name": "c", "resources": { "limits": { "cpu": 0.5 } } }] }),
    );
    let decoded = decode::decode(value, false).unwrap();
    assert_eq!(decoded.unknown, ["unknown field \"spec.odd\""]);
    let stored = decoded.object.to_value();
    assert_eq!(stored.pointer("/spec/containers/0/resources/limits/cpu"), Some(&json!("500m")));
    assert_eq!((stored.pointer("/spec/odd"), stored.pointer("/spec/hostname")), (None, None));
}

#[test]
fn kinds_without_a_type_keep_everything() {
    let class = json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": "a" }, "handler": "x" });
    let object = decode::decode(class.clone(), true).unwrap().object;
    assert_eq!(
        (&*object.api_version(), &*object.kind_name(), &*object.group()),
        ("node.k8s.io/v1", "RuntimeClass", "node.k8s.io")
    );
    assert_eq!(object.to_value(), class);
}

#[test]
fn complaints_name_line_and_column() {
    let say = |text: &str| -> Vec<String> {
        let said = manifest::check(text);
        said.iter().map(|d| format!("{d} ({})", d.suggestion.as_deref().unwrap_or_default())).collect()
    };
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  replica: 3\n  template:\n    spec:\n      containers:\n      - name: c\n        ports:\n        - containerPort: http\n";
    assert_eq!(
        say(text),
        [
            "line 5, column 3: unknown field \"spec.replica\" (Did you mean replicas?)",
            "line 11, column 26: json: cannot unmarshal string into Go struct field \
             ContainerPort.spec.template.spec.containers.ports.containerPort of type int32 (Write a number without \
             quotes here.)",
        ]
    );
    assert_eq!(
        say("kind: Deploymnet\napiVersion: apps/v1\n"),
        [
            "line 1, column 7: no matches for kind \"Deploymnet\" in version \"apps/v1\" (Did you mean Deployment?)"
        ]
    );
    assert_eq!(
        say("kind: Deployment\napiVersion: extensions/v1beta1\n"),
        [
            "line 1, column 7: no matches for kind \"Deployment\" in version \"extensions/v1beta1\" (Deployment is in apps/v1.)"
        ]
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: A\nspec:\n  ports:\n  - port: 0\n";
    let said = say(service);
    assert!(said[0].starts_with("line 4, column 9: metadata.name: Invalid value: \"A\""), "{said:?}");
    assert!(said[1].starts_with("line 7, column 11: spec.ports[0].port: Invalid value: 0"), "{said:?}");
    assert!(say("kind: Pod\n")[0].contains("apiVersion not set"));
    assert!(text::read("a: 1\na: 2\n").diagnostics[0].message.contains("already set"));
}

#[test]
fn what_nothing_acts_on_is_noted() {
    let notes = |text: &str| -> Vec<String> {
        manifest::check(text)
            .iter()
            .filter(|said| said.severity == Severity::Note)
            .map(ToString::to_string)
            .collect()
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  dnsPolicy: Default\n  containers:\n  - name: c\n    image: x\n    tty: true\n    readinessProbe: {exec: {command: [a]}}\n";
    assert_eq!(
        notes(pod),
        [
            "line 9, column 5: spec.containers[0].tty is kept, but nothing here acts on it.",
            "line 5, column 3: spec.dnsPolicy is kept, but nothing here acts on it.",
        ]
    );
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n";
    assert_eq!(
        notes(policy),
        ["line 2, column 7: Nothing acts on a NetworkPolicy here; it is stored as it is."]
    );
    assert_eq!(
        notes("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"),
        [] as [&str; 0]
    );
}

#[test]
fn an_autoscaler_of_the_first_version_is_one_of_the_second() {
    let spec = json!({ "maxReplicas": 3, "scaleTargetRef": { "kind": "Deployment", "name": "web" }, "targetCPUUtilizationPercentage": 50 });
    let value = json!({ "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "a" }, "spec": spec });
    let stored = decode::decode(value, true).unwrap().object.to_value();
    assert_eq!(stored["apiVersion"], "autoscaling/v2");
    assert_eq!(
        stored["spec"]["metrics"][0]["resource"]["target"],
        json!({ "type": "Utilization", "averageUtilization": 50 })
    );
    let text = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: web}}\n";
    assert_eq!(&*manifest::read(text).unwrap()[0].api_version(), "autoscaling/v2");
}
