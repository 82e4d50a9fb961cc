//! Objects of custom kinds, which may look like anything, and what has a scale.

mod common;

use common::{opened, run};
use setpoint_lab::Session;

/// Teaches a kind of the group example.com; `scale` is more about its version.
fn teach(session: &mut Session, kind: &str, scale: &str) {
    let word = kind.to_lowercase();
    let definition = format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: {word}s.example.com}}, spec: {{\
         group: example.com, scope: Namespaced, names: {{plural: {word}s, singular: {word}, kind: {kind}, listKind: {kind}List}}, \
         versions: [{{name: v1, served: true, storage: true, {scale}\
         schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]}}}}"
    );
    let answer = run(session, "kubectl apply -f -", &definition);
    assert!(answer.contains("created"), "{answer}");
}

fn make(session: &mut Session, kind: &str, name: &str, body: &str) {
    let manifest =
        format!("{{apiVersion: example.com/v1, kind: {kind}, metadata: {{name: {name}}}, {body}}}");
    let answer = run(session, "kubectl apply -f -", &manifest);
    assert!(answer.contains("created"), "{answer}");
}

#[test]
fn what_has_no_scale_is_not_scaled() {
    let mut session = opened(
        r#"
cluster: {nodes: 1, images: {preloaded: true}}
until: 2m
manifests:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: &template {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}}}
- {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c, image: nginx}]}}}}
"#
        .replace("&template ", "")
        .as_str(),
        5,
    );
    let nowhere = "Error from server (NotFound): the server could not find the requested resource\n";
    for what in ["cm/c", "ds/agent", "ns/default", "node/node-01"] {
        assert_eq!(run(&mut session, &format!("kubectl scale {what} --replicas=3"), ""), nowhere, "{what}");
    }
    assert_eq!(run(&mut session, "kubectl get cm c -o jsonpath={.spec}", ""), "");
    assert_eq!(
        run(&mut session, "kubectl scale deploy web --replicas=3", ""),
        "deployment.apps/web scaled\n"
    );
    for wrong in ["\"five\"", "99999999999", "{}"] {
        let body = format!("{{\"spec\":{{\"replicas\":{wrong}}}}}");
        let line = format!("kubectl patch deploy web --subresource=scale --type=merge -p '{body}'");
        let answer = run(&mut session, &line, "");
        assert!(answer.contains("patch: Invalid value: "), "{answer}");
    }
    assert_eq!(run(&mut session, "kubectl get deploy web -o jsonpath={.spec.replicas}", ""), "3");
}

#[test]
fn a_custom_kind_is_scaled_where_its_definition_says() {
    let mut session = opened("cluster: {nodes: 1}\nuntil: 2m\n", 5);
    let scale =
        "subresources: {scale: {specReplicasPath: .spec.pods.count, statusReplicasPath: .status.count}}, ";
    teach(&mut session, "Farm", scale);
    teach(&mut session, "Field", "");
    make(&mut session, "Farm", "a", "spec: {color: red}");
    make(&mut session, "Farm", "odd", "spec: {pods: many}");
    make(&mut session, "Field", "a", "spec: {}");
    for (what, answer) in [
        ("farm/a", "farm.example.com/a scaled\n"),
        (
            "farm/odd",
            "Error from server: value cannot be set because .spec.pods is not a map[string]interface{}\n",
        ),
        ("field/a", "Error from server (NotFound): the server could not find the requested resource\n"),
    ] {
        assert_eq!(run(&mut session, &format!("kubectl scale {what} --replicas=3"), ""), answer);
    }
    assert_eq!(
        run(&mut session, "kubectl get farm a -o jsonpath={.spec}", ""),
        r#"{"color":"red","pods":{"count":3}}"#
    );
}

/// Kinds that are called as upstream's, and hold what those never do.
#[test]
fn odd_objects_with_well_known_names_stop_nothing() {
    const LINES: &str = "set serviceaccount NAME foo
set image NAME *=x:1
set env NAME A=b
set env NAME --list
set resources NAME --limits=cpu=1
set selector NAME a=b
rollout restart NAME
rollout undo NAME
rollout history NAME
rollout status NAME --watch=false
scale NAME --replicas=2
autoscale NAME --max=3
expose NAME --port=3
label NAME a=b
describe NAME
get NAME -o wide
logs NAME
exec NAME -- ls
wait NAME --for=condition=Ready --timeout=0
drain NAME
taint NAME a=b:NoSchedule
create job j --from=NAME";
    let mut session = opened("cluster: {nodes: 1}\nuntil: 2m\n", 5);
    for kind in ["Deployment", "Pod", "Service", "CronJob", "Node"] {
        let scale = "subresources: {scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}, ";
        teach(&mut session, kind, scale);
        let plural = format!("{}s.example.com", kind.to_lowercase());
        for (number, body) in [
            "spec: text",
            "spec: [1], status: text",
            "spec: {template: {spec: text}, selector: text, ports: text, replicas: text}",
            "spec: {containers: [a, 1], initContainers: text}, status: {conditions: [a], phase: 3}",
            "spec: {template: {spec: {containers: [a, {name: c, env: text, resources: text}]}}}",
            "spec: {jobTemplate: {spec: {template: {spec: {containers: [a]}}}}}",
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("x{number}");
            make(&mut session, kind, &name, body);
            for line in LINES.lines() {
                run(
                    &mut session,
                    &format!("kubectl {}", line.replace("NAME", &format!("{plural}/{name}"))),
                    "",
                );
            }
        }
        common::pass(&mut session, 1);
        session.frame();
    }
    let answer = run(&mut session, "kubectl set env deployments.example.com/x4 A=b", "");
    let why = "the object is not a pod or does not have a pod template: *unstructured.Unstructured";
    assert_eq!(answer, format!("error: deployments/x4 {why}\n"));
    run(&mut session, "kubectl run p --image=nginx", "");
    let answer = run(&mut session, "kubectl set env deployments.example.com/x4 pod/p A=b -c nope", "");
    assert!(answer.contains("Warning: Pod/p does not have any containers matching \"nope\"\n"), "{answer}");
}
