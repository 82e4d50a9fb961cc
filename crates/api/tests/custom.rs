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

fn complaints_about(spec_schema: &Value, spec: Value) -> Vec<String> {
    let mut definition = definition();
    definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec_schema.clone();
    let object = custom::decode(tab(spec), &definition, true).unwrap().object;
    custom::causes(&object, &definition).iter().map(ToString::to_string).collect()
}

#[test]
fn patterns_formats_and_alternatives_hold() {
    let schema = json!({ "type": "object", "oneOf": [{ "required": ["a"] }, { "required": ["b"] }],
        "not": { "required": ["d", "e"] }, "properties": {
            "a": { "type": "string", "pattern": "^[a-z]+$" },
            "b": { "type": "string", "format": "date-time" },
            "c": { "type": "integer", "multipleOf": 5 },
            "h": { "anyOf": [{ "type": "integer" }, { "type": "string" }], "x-kubernetes-int-or-string": true },
            "d": { "anyOf": [{ "type": "integer" }, { "type": "string" }], "x-kubernetes-int-or-string": true },
            "e": { "type": "array", "x-kubernetes-list-type": "set", "items": { "type": "string" } },
            "f": { "type": "string", "allOf": [{ "minLength": 2 }, { "maxLength": 3 }] },
            "g": { "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" } }
        } });
    for (spec, expected) in [
        (json!({ "a": "x", "c": 10, "d": "x", "f": "ab", "g": { "h": "i" } }), &[][..]),
        (json!({ "b": "2026-01-31T15:04:05Z", "d": 1 }), &[]),
        (json!({ "a": "X" }), &["spec.a: Invalid value: \"X\": spec.a in body should match '^[a-z]+$'"]),
        (
            json!({ "b": "soon" }),
            &["spec.b: Invalid value: \"soon\": spec.b in body must be of type date-time: \"soon\""],
        ),
        (
            json!({ "a": "x", "b": "2026-01-31T15:04:05Z" }),
            &[
                "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
            ],
        ),
        (
            json!({}),
            &[
                "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid",
                "spec.a: Required value",
            ],
        ),
        (
            json!({ "a": "x", "d": 1, "e": ["p", "q", "p"] }),
            &[
                "<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not)",
                "spec.e[2]: Duplicate value: \"p\"",
            ],
        ),
        (
            json!({ "a": "x", "h": true }),
            &[
                "spec.h: Invalid value: \"boolean\": spec.h in body must be of type integer,string: \"boolean\"",
                "<nil>: Invalid value: \"\": \"spec.h\" must validate at least one schema (anyOf)",
                "spec.h: Invalid value: \"boolean\": spec.h in body must be of type integer: \"boolean\"",
            ],
        ),
        (
            json!({ "a": "x", "c": 7, "f": "a", "g": {} }),
            &[
                "spec.c: Invalid value: 7: spec.c in body should be a multiple of 5",
                "spec.f: Invalid value: \"a\": spec.f in body should be at least 2 chars long",
                "<nil>: Invalid value: \"\": \"spec.f\" must validate all the schemas (allOf)",
                "spec.g: Invalid value: 0: spec.g in body should have at least 1 properties",
            ],
        ),
    ] {
        assert_eq!(complaints_about(&schema, spec.clone()), expected, "{spec}");
    }
}

#[test]
fn rules_are_said_to_be_unchecked_where_the_schema_is_not_met() {
    let schema = json!({ "type": "object", "required": ["a"], "x-kubernetes-validations": [{ "rule": "self.a > 1" }],
        "properties": { "a": { "type": "integer" } } });
    let unchecked = "<nil>: Invalid value: \"null\": some validation rules were not checked because the object was invalid; \
                     correct the existing errors to complete validation";
    assert_eq!(complaints_about(&schema, json!({})), ["spec.a: Required value", unchecked]);
    assert_eq!(complaints_about(&schema, json!({ "a": 2 })), [""; 0]);
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
