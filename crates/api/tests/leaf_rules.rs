//! The leaf rules beyond the vectors: messages, extremes.

use serde_json::Value;
use setpoint_api::Str;
use setpoint_api::duration::human_duration;
use setpoint_api::int_or_percent::IntOrPercent;
use setpoint_api::map::Map;
use setpoint_api::names;
use setpoint_api::quantity::{Format, Quantity};
use setpoint_api::select::{LabelSelector, LabelSelectorRequirement, Selector};

#[test]
fn quantities_beyond_the_vectors() {
    let cases = [
        // Upstream's integers overflow: by their slow way of multiplying to nothing, else to the low bits.
        ("1.7E18", "1700e15", 1_700_000_000_000_000_000, 0),
        ("100000000000000000", "100P", 100_000_000_000_000_000, 7_766_279_631_452_241_920),
        ("1e2147483647", "100e27", 0, 0),
        ("-1500m", "-1500m", -2, -1500),
        ("1e-2147483648", "1e-9", 1, 1),
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
    let long = Quantity::parse("100000000000000000000000000000000000000000").unwrap();
    assert_eq!(long.to_string(), "100000000000E");
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
    assert_eq!(human_duration(i64::MIN), "<invalid>");
    assert_eq!(human_duration(i64::MAX), "292471y");
}

fn labels(value: &Value) -> Map<Str, Str> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.as_str().into(), value.as_str().unwrap_or_default().into())).collect()
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
        is_given: true,
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
