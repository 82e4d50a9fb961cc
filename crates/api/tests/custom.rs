//! Objects of custom kinds by the schema of their definition.

use serde_json::{Value, json};
use setpoint_api::custom;

fn definition() -> Value {
    json!({ "group": "stable.example.com", "scope": "Namespaced",
        "names": { "plural": "crontabs", "kind": "CronTab" },
        "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
            "type": "object", "required": ["spec"],
            "properties": { "spec": { "type": "object", "required": ["cronSpec"], "properties": {
                "cronSpec": { "type": "string", "minLength": 3 },
                "image": { "type": "string", "enum": ["a", "b"] },
                "replicas": { "type": "integer", "minimum": 1, "maximum": 10, "default": 1 },
                "port": { "x-kubernetes-int-or-string": true },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "raw": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "hosts": { "type": "array", "maxItems": 1, "items": { "type": "object", "properties": { "name": { "type": "string" } } } }
            } } } } } }] })
}

fn tab(spec: Value) -> Value {
    json!({ "apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": { "name": "t" }, "spec": spec })
}

#[test]
fn complaints_are_upstreams() {
    for (spec, expected) in [
        (json!({ "cronSpec": "* * * * *", "port": "http", "labels": { "a": "b" } }), &[][..]),
        (json!({}), &["spec.cronSpec: Required value"]),
        (
            json!({ "cronSpec": 5, "replicas": "x", "port": true }),
            &[
                "spec.cronSpec: Invalid value: \"integer\": spec.cronSpec in body must be of type string: \"integer\"",
                "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
                "spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\"",
            ],
        ),
        (
            json!({ "cronSpec": "x", "replicas": 11, "image": "c", "hosts": [{}, {}], "labels": { "a": 1 } }),
            &[
                "spec.cronSpec: Invalid value: \"x\": spec.cronSpec in body should be at least 3 chars long",
                "spec.hosts: Too many: 2: must have at most 1 items",
                "spec.image: Unsupported value: \"c\": supported values: \"a\", \"b\"",
                "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: \"integer\"",
                "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
            ],
        ),
    ] {
        let object = custom::decode(tab(spec.clone()), &definition(), true).unwrap().object;
        let found: Vec<String> =
            custom::causes(&object, &definition()).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{spec}");
    }
}

#[test]
fn unknown_fields_are_refused_or_dropped_and_defaults_filled_in() {
    let given = tab(
        json!({ "cronSpec": "* * * * *", "cronspec": 1, "raw": { "any": 1 }, "hosts": [{ "nam": "x" }] }),
    );
    let refused = custom::decode(given.clone(), &definition(), true).unwrap_err();
    assert_eq!(
        refused.message,
        "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.cronspec\", \
         unknown field \"spec.hosts[0].nam\""
    );
    let object = custom::decode(given, &definition(), false).unwrap().object;
    let expected = tab(json!({ "cronSpec": "* * * * *", "raw": { "any": 1 }, "hosts": [{}], "replicas": 1 }));
    assert_eq!(object.to_value(), expected);
    let mut labels = tab(json!({ "cronSpec": "* * * * *" }));
    labels["metadata"]["labels"] = json!({ "a": 1 });
    let refused = custom::decode(labels, &definition(), true).unwrap_err().message;
    assert!(refused.contains("of type string"), "{refused}");
}
