//! Tables against upstream's printers.

use serde_json::Value;
use setpoint_api::Time;
use setpoint_lab::kubectl::{cells, titles};

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn texts(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn rows_are_as_upstream_prints_them() {
    let mut wrong = Vec::new();
    for case in cases(include_str!("vectors/kubectl-get.json")) {
        let input = &case["input"];
        // The clock of the vectors is cut down to seconds, and an age may be a microsecond above a whole one.
        let now = input["now"].as_str().unwrap_or("2026-11-20T18:36:29Z").replace('Z', ".999999Z");
        let now = Time::parse_rfc3339(&now).unwrap();
        let is_wide = input["wide"] == true;
        let row = cells(input["kind"].as_str().unwrap(), &input["object"], is_wide, now);
        let expected = texts(&case["expect"]["rows"][0]);
        if row != expected {
            wrong.push(format!("{}: {row:?}, not {expected:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn columns_are_upstreams() {
    for case in cases(include_str!("vectors/kubectl-get-columns.json")) {
        let kind = case["input"]["kind"].as_str().unwrap();
        assert_eq!(titles(kind, false), texts(&case["expect"]["columns"]), "{kind}");
        assert_eq!(titles(kind, true), texts(&case["expect"]["wideColumns"]), "{kind}");
    }
}
