//! Strategic merge patches and the patches that `kubectl apply` makes, as text in and text out.

use serde_json::{Value, json};
use setpoint_api::{patch, schema, text};

fn read(source: &str) -> Value {
    text::read(source).documents[0].root.to_value()
}

fn deployment() -> schema::Type {
    schema::type_of("apps/v1", "Deployment").unwrap()
}

/// A pod template's part of a Deployment.
fn with_spec(spec: &str) -> Value {
    json!({ "spec": { "template": { "spec": read(spec) } } })
}

#[test]
fn strategic_patches_merge_lists_by_their_keys() {
    for (live, change, merged) in [
        // Items with the same key are merged; new ones come first, as in the patch.
        (
            "{containers: [{name: a, image: x}]}",
            "{containers: [{name: a, image: y}, {name: b, image: z}]}",
            "{containers: [{name: a, image: y}, {name: b, image: z}]}",
        ),
        (
            "{containers: [{name: a, image: x}]}",
            "{containers: [{name: b, image: z}]}",
            "{containers: [{name: b, image: z}, {name: a, image: x}]}",
        ),
        // Directives.
        (
            "{containers: [{name: a}, {name: b}]}",
            "{containers: [{name: a, $patch: delete}]}",
            "{containers: [{name: b}]}",
        ),
        (
            "{containers: [{name: a}]}",
            "{containers: [{name: b}, {$patch: replace}]}",
            "{containers: [{name: b}]}",
        ),
        (
            "{containers: [{name: a}, {name: b}]}",
            "{$setElementOrder/containers: [{name: b}, {name: a}]}",
            "{containers: [{name: b}, {name: a}]}",
        ),
        ("{nodeSelector: {a: b, c: d}}", "{nodeSelector: {$patch: replace, x: y}}", "{nodeSelector: {x: y}}"),
        ("{nodeSelector: {a: b, c: d}}", "{nodeSelector: {a: null}}", "{nodeSelector: {c: d}}"),
        (
            "{volumes: [{name: v, emptyDir: {}}]}",
            "{volumes: [{name: v, $retainKeys: [name, hostPath], hostPath: {path: /a}}]}",
            "{volumes: [{name: v, hostPath: {path: /a}}]}",
        ),
        // A list without a key is one value.
        ("{tolerations: [{key: a}]}", "{tolerations: [{key: b}]}", "{tolerations: [{key: b}]}"),
        (
            "{containers: [{name: a, args: [x, y]}]}",
            "{containers: [{name: a, args: [z]}]}",
            "{containers: [{name: a, args: [z]}]}",
        ),
    ] {
        let merged = with_spec(merged);
        assert_eq!(
            patch::apply_strategic(&with_spec(live), &with_spec(change), deployment()),
            Ok(merged),
            "{change}"
        );
    }
    let live = json!({ "metadata": { "finalizers": ["a", "b"] } });
    let change = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"] } });
    let merged = json!({ "metadata": { "finalizers": ["c", "b"] } });
    assert_eq!(patch::apply_strategic(&live, &change, deployment()), Ok(merged));
}

#[test]
fn patches_that_make_no_sense_are_refused() {
    for (change, error) in [
        ("{containers: [{image: x}]}", "map: map[image:x] does not contain declared merge key: name"),
        ("{$patch: spin}", "unknown patch type: spin in map: map[$patch:spin]"),
        ("{$setElementOrder/containers: 1}", "invalid patch format of setElementOrder list"),
        ("{$retainKeys: 1}", "invalid patch format of retainKeys"),
        ("{$retainKeys: [a], b: 1}", "patch content doesn't match retainKeys list"),
    ] {
        let live = with_spec("{containers: [{name: a}]}");
        let failure = patch::apply_strategic(&live, &with_spec(change), deployment()).unwrap_err();
        assert_eq!(failure.to_string(), error, "{change}");
    }
}

#[test]
fn what_apply_sends_leaves_alone_what_others_have_set() {
    for (last, new, live, sent) in [
        // Nothing new.
        ("{replicas: 3}", "{replicas: 3}", "{replicas: 3, paused: false}", "{}"),
        // What others have set stays; what the new text no longer says goes.
        ("{replicas: 3}", "{}", "{replicas: 5, minReadySeconds: 3}", "{spec: {replicas: null}}"),
        ("{}", "{paused: true}", "{replicas: 5}", "{spec: {paused: true}}"),
        (
            "{template: {spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}}",
            "{template: {spec: {containers: [{name: a, image: z}]}}}",
            "{template: {spec: {containers: [{name: a, image: x, imagePullPolicy: Always}, {name: b, image: y}]}}}",
            "{spec: {template: {spec: {$setElementOrder/containers: [{name: a}], \
             containers: [{name: a, image: z}, {$patch: delete, name: b}]}}}}",
        ),
        (
            "{strategy: {type: RollingUpdate}}",
            "{strategy: {type: Recreate}}",
            "{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
            "{spec: {strategy: {$retainKeys: [type], type: Recreate}}}",
        ),
    ] {
        let spec = |source: &str| json!({ "spec": read(source) });
        let found = patch::three_way(&spec(last), &spec(new), &spec(live), Some(deployment()));
        assert_eq!(found, read(sent), "{new}");
    }
}

/// One step of a small generator of numbers.
fn draw(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// A value of words that mean something to patches.
fn value(state: &mut u64, depth: u64) -> Value {
    const WORDS: &[&str] = &[
        "spec",
        "template",
        "containers",
        "name",
        "image",
        "a",
        "b",
        "$patch",
        "delete",
        "replace",
        "merge",
        "$retainKeys",
        "$setElementOrder/containers",
        "$deleteFromPrimitiveList/finalizers",
        "metadata",
        "finalizers",
        "volumes",
        "ports",
        "containerPort",
        "/spec/0",
        "op",
        "path",
        "add",
        "remove",
        "strategy",
        "-",
    ];
    let word = |state: &mut u64| WORDS[draw(state, WORDS.len() as u64) as usize];
    match draw(state, if depth == 0 { 4 } else { 8 }) {
        0 => Value::Null,
        1 => (draw(state, 9) as i64 - 4).into(),
        2 | 3 => word(state).into(),
        4 => (0..draw(state, 4)).map(|_| value(state, depth - 1)).collect(),
        _ => (0..draw(state, 5)).map(|_| (word(state).to_string(), value(state, depth - 1))).collect(),
    }
}

#[test]
fn drawn_patches_are_applied_or_refused() {
    let (mut state, mut applied) = (1, 0);
    for _ in 0..6_000 {
        let (object, change) = (value(&mut state, 6), value(&mut state, 6));
        applied += usize::from(patch::apply_strategic(&object, &change, deployment()).is_ok());
        applied += usize::from(patch::apply_merge(&object, &change).is_ok());
        if let Ok(ops) = patch::decode_json(&change) {
            applied += usize::from(patch::apply_json(&object, &ops).is_ok());
        }
        let sent = patch::two_way(&object, &change, deployment());
        let _ = (patch::three_way(&change, &object, &sent, Some(deployment())), patch::go_print(&sent));
        let _ = patch::mismatch(&object, deployment());
    }
    assert!(applied > 300, "{applied}");
}

#[test]
fn a_patch_between_two_objects_leads_from_one_to_the_other() {
    let old = json!({ "metadata": { "labels": { "a": "b", "c": "d" } }, "spec": { "replicas": 3, "template": { "spec": {
        "containers": [{ "name": "a", "image": "x", "ports": [{ "containerPort": 80 }] }, { "name": "b", "image": "y" }],
        "volumes": [{ "name": "v", "emptyDir": {} }] } } } });
    let new = json!({ "metadata": { "labels": { "a": "e" } }, "spec": { "replicas": 4, "paused": true, "template": { "spec": {
        "containers": [{ "name": "a", "image": "z" }, { "name": "c", "image": "w" }],
        "volumes": [{ "name": "v", "hostPath": { "path": "/" } }] } } } });
    let change = patch::two_way(&old, &new, deployment());
    let merged = patch::apply_strategic(&old, &change, deployment()).unwrap();
    let mut names: Vec<&Value> = merged["spec"]["template"]["spec"]["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    names.sort_by_key(|name| name.to_string());
    assert_eq!(names, ["a", "c"]);
    assert_eq!((&merged["metadata"], &merged["spec"]["replicas"]), (&new["metadata"], &json!(4)));
    assert_eq!(merged["spec"]["template"]["spec"]["volumes"], new["spec"]["template"]["spec"]["volumes"]);
}
