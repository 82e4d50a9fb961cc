//! The leaf rules against recorded results of upstream's own code (`tests/vectors`).

use setpoint_api::map::Map;
use std::path::Path;

use serde_json::Value;
use setpoint_api::Str;
use setpoint_api::duration::{human_duration, short_human_duration};
use setpoint_api::int_or_percent::IntOrPercent;
use setpoint_api::names;
use setpoint_api::quantity::{Format, Quantity};
use setpoint_api::select::{LabelSelector, LabelSelectorRequirement, Selector};

/// Runs every case of a file; `check` says what differs. `exceptions` are names of cases that must
/// differ, so that one that is mended is noticed.
fn run(file: &str, exceptions: &[&str], check: impl Fn(&Value, &Value) -> Result<(), String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let mut failures = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        match (check(&case["input"], &case["expect"]), exceptions.contains(&name)) {
            (Err(difference), false) => failures.push(format!("{name}: {} {difference}", case["input"])),
            (Ok(()), true) => failures.push(format!("{name} is listed as an exception, but holds")),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    for exception in exceptions {
        assert!(cases.iter().any(|case| case["name"] == *exception), "no case {exception} in {file}");
    }
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}")) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn quantities() {
    // Upstream's integers wrap or drop to zero where milli-units overflow int64, and its
    // arbitrary-precision path rounds negative amounts towards zero and then adds one; here both
    // saturate and round away from zero, as upstream's documentation says they should.
    let exceptions = [
        "derived-parse-18",
        "quantity-parse-173",
        "quantity-parse-184",
        "quantity-parse-254",
        "quantity-parse-emit-12",
    ];
    run("quantity.json", &exceptions, |input, expect| {
        if input["op"] == "arith" {
            let (a, b) = (Quantity::parse(text(&input["a"])), Quantity::parse(text(&input["b"])));
            let (a, b) = (a.map_err(|e| e.to_string())?, b.map_err(|e| e.to_string())?);
            same("compare", a.cmp(&b) as i64, expect["compare"].as_i64().unwrap())?;
            same("sum", (a + b).to_string().as_str(), text(&expect["sum"]))?;
            return same("difference", (a - b).to_string().as_str(), text(&expect["difference"]));
        }
        let parsed = Quantity::parse(text(&input["text"]));
        if expect["error"] == true {
            return same("error", parsed.is_err(), true);
        }
        let parsed = parsed.map_err(|error| error.to_string())?;
        let format = match parsed.format() {
            Format::DecimalSi => "DecimalSI",
            Format::BinarySi => "BinarySI",
            Format::DecimalExponent => "DecimalExponent",
        };
        same("canonical", parsed.to_string().as_str(), text(&expect["canonical"]))?;
        same("format", format, text(&expect["format"]))?;
        same("sign", parsed.nano_value().signum() as i64, expect["sign"].as_i64().unwrap())?;
        same("value", parsed.value().to_string().as_str(), text(&expect["value"]))?;
        same("milliValue", parsed.milli_value().to_string().as_str(), text(&expect["milliValue"]))
    });
}

#[test]
fn quantities_beyond_the_vectors() {
    let cases = [
        ("8Ei", "9223372036854775807", i64::MAX, i64::MAX),
        ("1.7E18", "1700e15", 1_700_000_000_000_000_000, i64::MAX),
        ("-0.05Gi", "-53687091200m", -53_687_092, -53_687_091_200),
        ("-0.0000000005", "-1n", -1, -1),
        ("1e2147483647", "100e27", i64::MAX, i64::MAX),
        ("1e-2147483648", "1e-9", 1, 1),
        ("100000000000000000000000000000000000000000", "100000000000E", i64::MAX, i64::MAX),
        ("0.30000000000000000001Ki", "307200000001n", 308, 307_201),
        ("+", "0", 0, 0),
    ];
    for (written, canonical, value, milli) in cases {
        let parsed = Quantity::parse(written).unwrap();
        assert_eq!(
            (parsed.to_string().as_str(), parsed.value(), parsed.milli_value()),
            (canonical, value, milli)
        );
    }
    let huge = Quantity::parse("1e29").unwrap();
    assert_eq!(huge + huge, huge);
    assert_eq!((Quantity::ZERO - huge) - huge, Quantity::ZERO - huge);
    assert_eq!(Quantity::from_milli(1500).to_string(), "1500m");
    assert_eq!(Quantity::from_value(64 << 20, Format::BinarySi).to_string(), "64Mi");
    let error = |text| Quantity::parse(text).unwrap_err().to_string();
    assert_eq!(error("1K"), "unable to parse quantity's suffix");
    assert_eq!(
        error("two"),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
}

#[test]
fn counts_and_percentages() {
    // A missing value is `None` of the field's type here, so there is nothing to call.
    run("int-or-percent.json", &["get-value-from-int-or-percent-nil-01"], |input, expect| {
        let value = match &input["value"] {
            Value::Number(number) => IntOrPercent::Int(number.as_i64().unwrap() as i32),
            Value::String(text) => IntOrPercent::Text(text.as_str().into()),
            other => return Err(format!("{other} is no value")),
        };
        let total = input["total"].as_i64().unwrap() as i32;
        let scaled = value.scaled(total, input["roundUp"] == true).ok();
        same("scaled", scaled.map(i64::from), expect["value"].as_i64())
    });
    let scaled = |text: &str, total, up| IntOrPercent::Text(text.into()).scaled(total, up);
    assert_eq!(scaled("25%", 10, true), Ok(3));
    assert_eq!(scaled("25%", 10, false), Ok(2));
    assert_eq!(scaled("-25%", 10, false), Ok(-3));
    assert_eq!(scaled("9223372036854775807%", i32::MAX, true), Ok(i32::MAX));
    let errors = [
        ("25", "invalid value for IntOrString: invalid type: string is not a percentage"),
        (
            "x%",
            r#"invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax"#,
        ),
        (
            "99999999999999999999%",
            "invalid value for IntOrString: invalid value \"99999999999999999999%\": strconv.Atoi: parsing \
             \"99999999999999999999\": value out of range",
        ),
    ];
    for (text, message) in errors {
        assert_eq!(scaled(text, 10, true), Err(message.to_owned()));
    }
}

#[test]
fn name_rules() {
    run("name-rules.json", &[], |input, expect| {
        let rule = match text(&input["rule"]) {
            "DNS1035Label" => names::is_dns1035_label,
            "DNS1123Label" => names::is_dns1123_label,
            "DNS1123Subdomain" => names::is_dns1123_subdomain,
            "ValidPortName" => names::is_valid_port_name,
            other => return Err(format!("no rule {other}")),
        };
        same("valid", rule(text(&input["text"])).is_empty(), expect["valid"] == true)
    });
}

#[test]
fn name_messages() {
    let label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                 and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                 '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    assert_eq!(names::is_dns1123_label("A"), [label]);
    assert_eq!(names::is_dns1123_label(&"a".repeat(64)), ["must be no more than 63 bytes"]);
    assert_eq!(names::is_dns1123_label("a.b"), ["must not contain dots"]);
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    assert_eq!(names::is_dns1123_subdomain("a..b"), [subdomain]);
    let label_1035 = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                      alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', \
                      regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    assert_eq!(names::is_dns1035_label("1a"), [label_1035]);
    assert_eq!(
        names::is_valid_port_name("-12--34567890123-"),
        [
            "must be no more than 15 bytes",
            "must contain at least one letter (a-z)",
            "must not contain consecutive hyphens",
            "must not begin or end with a hyphen"
        ]
    );
    assert_eq!(
        names::is_valid_port_name("A"),
        [
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            "must contain at least one letter (a-z)"
        ]
    );
    let key = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
               character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
               '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    assert_eq!(names::is_qualified_name("a b"), [format!("name part {key}")]);
    assert_eq!(
        names::is_qualified_name("/"),
        [
            "prefix part must be non-empty".to_owned(),
            "name part must be non-empty".to_owned(),
            format!("name part {key}")
        ]
    );
    assert_eq!(
        names::is_qualified_name("A/b"),
        [format!("prefix part {}", names::is_dns1123_subdomain("A")[0])]
    );
    assert_eq!(
        names::is_qualified_name("a/b/c"),
        [format!(
            "a valid label key {key} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )]
    );
    assert!(names::is_qualified_name("app.kubernetes.io/Name_1").is_empty());
    let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                 must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
                 regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    assert_eq!(names::is_valid_label_value("-"), [value]);
    assert!(names::is_valid_label_value("").is_empty());
}

#[test]
fn durations() {
    run("duration-format.json", &[], |input, expect| {
        let micros = input["milliseconds"].as_i64().unwrap() * 1000;
        let found = match text(&input["op"]) {
            "human" => human_duration(micros),
            "short" => short_human_duration(micros),
            other => return Err(format!("no operation {other}")),
        };
        same("text", found.as_str(), text(&expect["text"]))
    });
    assert_eq!(human_duration(i64::MIN), "<invalid>");
    assert_eq!(human_duration(i64::MAX), "292471y");
}

fn labels(value: &Value) -> Map<Str, Str> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.as_str().into(), text(value).into())).collect()
}

fn label_selector(value: &Value) -> LabelSelector {
    let expressions = value["matchExpressions"].as_array().into_iter().flatten();
    LabelSelector {
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

#[test]
fn label_selectors() {
    // A missing selector object is `None` of the field's type here, so there is nothing to call.
    run("label-selectors.json", &["label-selector-as-selector-03"], |input, expect| {
        let selector = match text(&input["op"]) {
            "fromObject" if input["labelSelector"].is_null() => return Err("no selector".to_owned()),
            "fromObject" => label_selector(&input["labelSelector"]).to_selector(),
            _ => Selector::parse(text(&input["selector"])),
        };
        same("error", selector.is_err(), expect["error"] == true)?;
        let Ok(selector) = selector else { return Ok(()) };
        let printed = selector.to_string();
        same("read back", Selector::parse(&printed).as_ref(), Ok(&selector))?;
        match text(&input["op"]) {
            "parse" => same("canonical", printed.as_str(), text(&expect["canonical"])),
            "match" => {
                same("matches", selector.matches(&labels(&input["labels"])), expect["matches"] == true)
            }
            _ => same("selector", printed.as_str(), text(&expect["selector"])),
        }
    });
}

#[test]
fn selector_messages() {
    let cases = [
        ("x,,y", "found ',', expected: identifier after ','"),
        (",x", "found ',', expected: !, identifier, or 'end of string'"),
        ("x=a||y=b", r#"unable to parse requirement: values[0][x]: Invalid value: "a||y": "#),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a notin(", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b,", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("-=a", r#"unable to parse requirement: <nil>: Invalid value: "-": name part must consist"#),
        (
            "a>b",
            r#"unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer"#,
        ),
    ];
    for (selector, message) in cases {
        let error = Selector::parse(selector).unwrap_err();
        assert!(error.starts_with(message), "{selector}: {error}");
    }
    let requirement = |operator: &str, values: &[&str]| LabelSelector {
        match_labels: Map::new(),
        match_expressions: vec![LabelSelectorRequirement {
            key: "a".into(),
            operator: operator.into(),
            values: values.iter().map(|value| Str::from(*value)).collect(),
        }],
    };
    let error = |operator, values: &[&str]| requirement(operator, values).to_selector().unwrap_err();
    assert_eq!(error("in", &[]), r#""in" is not a valid label selector operator"#);
    assert_eq!(
        error("In", &[]),
        "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
    );
    assert_eq!(
        error("Exists", &["b"]),
        r#"values: Invalid value: ["b"]: values set must be empty for exists and does not exist"#
    );
    assert!(error("In", &["-", "+"]).starts_with(r#"[values[0][a]: Invalid value: "-": a valid label"#));
}

#[test]
fn exact_pairs_are_what_every_match_has() {
    let selector = Selector::parse("a=1,b==2,c in (3),d in (4,5),e!=6,f,!g,h notin (7)").unwrap();
    let pairs: Vec<(&str, &str)> =
        selector.exact_pairs().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
    assert_eq!(pairs, [("a", "1"), ("b", "2"), ("c", "3")]);
    let chosen = labels(&serde_json::json!({"a": "1", "b": "x"}));
    assert_eq!(Selector::from_match_labels(&chosen).to_string(), "a=1,b=x");
    assert!(Selector::default().matches(&chosen) && Selector::default().is_empty());
}
