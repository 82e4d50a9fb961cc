//! The leaf rules of the API: quantities, counts and percentages, names, durations, selectors.

use super::{Outcome, expect as same};
use serde_json::Value;
use setpoint_api::duration::{human_duration, short_human_duration};
use setpoint_api::map::Map;
use setpoint_api::quantity::{Format, Quantity};
use setpoint_api::{IntOrPercent, LabelSelector, LabelSelectorRequirement, Selector, Str, names};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `quantity`.
pub(super) fn quantities(input: &Value, wanted: &Value) -> Outcome {
    if input["op"] == "arith" {
        let (a, b) = (Quantity::parse(text(&input["a"])), Quantity::parse(text(&input["b"])));
        let (a, b) = (a.map_err(|e| e.to_string())?, b.map_err(|e| e.to_string())?);
        same("compare", a.cmp(&b) as i64, wanted["compare"].as_i64().unwrap())?;
        same("sum", (a + b).to_string().as_str(), text(&wanted["sum"]))?;
        return same("difference", (a - b).to_string().as_str(), text(&wanted["difference"]));
    }
    let parsed = Quantity::parse(text(&input["text"]));
    if wanted["error"] == true {
        return same("error", parsed.is_err(), true);
    }
    let parsed = parsed.map_err(|error| error.to_string())?;
    let format = match parsed.format() {
        Format::DecimalSi => "DecimalSI",
        Format::BinarySi => "BinarySI",
        Format::DecimalExponent => "DecimalExponent",
    };
    same("canonical", parsed.to_string().as_str(), text(&wanted["canonical"]))?;
    same("format", format, text(&wanted["format"]))?;
    same("sign", parsed.nano_value().signum() as i64, wanted["sign"].as_i64().unwrap())?;
    same("value", parsed.value().to_string().as_str(), text(&wanted["value"]))?;
    same("milliValue", parsed.milli_value().to_string().as_str(), text(&wanted["milliValue"]))
}

/// `int-or-percent`.
pub(super) fn counts_and_percentages(input: &Value, wanted: &Value) -> Outcome {
    let value = match &input["value"] {
        // A value that is not there is a field's own `None` here, and yields nothing, either.
        Value::Null => return same("scaled", None, wanted["value"].as_i64()),
        Value::Number(number) => IntOrPercent::Int(number.as_i64().unwrap() as i32),
        Value::String(text) => IntOrPercent::Text(text.as_str().into()),
        other => return Err(format!("{other} is no value")),
    };
    let total = input["total"].as_i64().unwrap() as i32;
    let scaled = value.scaled(total, input["roundUp"] == true).ok();
    same("scaled", scaled.map(i64::from), wanted["value"].as_i64())
}

/// `name-rules`.
pub(super) fn name_rules(input: &Value, wanted: &Value) -> Outcome {
    let rule = match text(&input["rule"]) {
        "DNS1035Label" => names::is_dns1035_label,
        "DNS1123Label" => names::is_dns1123_label,
        "DNS1123Subdomain" => names::is_dns1123_subdomain,
        "ValidPortName" => names::is_valid_port_name,
        other => return Err(format!("no rule {other}")),
    };
    same("valid", rule(text(&input["text"])).is_empty(), wanted["valid"] == true)
}

/// `duration-format`.
pub(super) fn durations(input: &Value, wanted: &Value) -> Outcome {
    let micros = input["milliseconds"].as_i64().unwrap() * 1000;
    let found = match text(&input["op"]) {
        "human" => human_duration(micros),
        "short" => short_human_duration(micros),
        other => return Err(format!("no operation {other}")),
    };
    same("text", found.as_str(), text(&wanted["text"]))
}

/// `label-selectors`.
pub(super) fn label_selectors(input: &Value, wanted: &Value) -> Outcome {
    let selector = match text(&input["op"]) {
        "fromObject" if input["labelSelector"].is_null() => return Err("no selector".to_owned()),
        "fromObject" => label_selector(&input["labelSelector"]).to_selector(),
        _ => Selector::parse(text(&input["selector"])),
    };
    same("error", selector.is_err(), wanted["error"] == true)?;
    let Ok(selector) = selector else { return Ok(()) };
    let printed = selector.to_string();
    same("read back", Selector::parse(&printed).as_ref(), Ok(&selector))?;
    match text(&input["op"]) {
        "parse" => same("canonical", printed.as_str(), text(&wanted["canonical"])),
        "match" => same("matches", selector.matches(&labels(&input["labels"])), wanted["matches"] == true),
        _ => same("selector", printed.as_str(), text(&wanted["selector"])),
    }
}

fn labels(value: &Value) -> Map<Str, Str> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.as_str().into(), text(value).into())).collect()
}

fn label_selector(value: &Value) -> LabelSelector {
    let expressions = value["matchExpressions"].as_array().into_iter().flatten();
    LabelSelector {
        is_given: true,
        match_labels: labels(&value["matchLabels"]),
        match_expressions: expressions
            .map(|expression| LabelSelectorRequirement {
                key: text(&expression["key"]).into(),
                operator: text(&expression["operator"]).into(),
                values: expression["values"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|v| text(v).into())
                    .collect(),
            })
            .collect(),
    }
}
