//! Tables of kubectl get, lines of kubectl rollout status.

use super::{Outcome, expect};
use serde_json::Value;
use setpoint_api::Time;
use setpoint_lab::kubectl::{cells, rollout_status, titles};

fn texts(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list.as_array().into_iter().flatten().map(text).collect()
}

/// `kubectl-get`.
pub(super) fn rows(case: &Value) -> Outcome {
    let input = &case["input"];
    // The clock of the vectors is cut down to seconds, and an age may be a microsecond above a whole one.
    let now = input["now"].as_str().unwrap_or("2026-11-20T18:36:29Z").replace('Z', ".999999Z");
    let now = Time::parse_rfc3339(&now).ok_or("no time")?;
    let is_wide = input["wide"] == true;
    let row = cells(input["kind"].as_str().unwrap_or_default(), &input["object"], is_wide, now);
    expect("row", row, texts(&case["expect"]["rows"][0]))
}

/// `kubectl-get-columns`.
pub(super) fn columns(case: &Value) -> Outcome {
    let kind = case["input"]["kind"].as_str().unwrap_or_default();
    expect("columns", titles(kind, false), texts(&case["expect"]["columns"]))?;
    expect("wide columns", titles(kind, true), texts(&case["expect"]["wideColumns"]))
}

/// `kubectl-rollout-status`.
pub(super) fn rollout(case: &Value) -> Outcome {
    let (input, wanted) = (&case["input"], &case["expect"]);
    let kind = input["kind"].as_str().unwrap_or_default();
    let said = rollout_status(kind, &input["object"], input["revision"].as_i64().unwrap_or(0));
    expect("error", said.as_ref().err().map(String::as_str), wanted["error"].as_str())?;
    let Ok((message, is_done)) = said else { return Ok(()) };
    expect("message", Some(&*message), wanted["message"].as_str())?;
    expect("done", Some(is_done), wanted["done"].as_bool())
}
