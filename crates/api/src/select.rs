//! Label selectors: the text form (`app=web,tier in (a,b)`) and the object form of the API.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`,
//! `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go` (`LabelSelectorAsSelector`).

use crate::Gather as _;
use crate::map::{Map, Set};
use crate::order;
use std::fmt;

mod parse;

use crate::Str;
use crate::names::{is_qualified_name, is_valid_label_value};
use crate::text::go_quote;

/// How a requirement compares the label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there and has the value (`=`).
    Equals,
    /// The same, written `==`.
    DoubleEquals,
    /// The label is absent or has another value.
    NotEquals,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is an integer above the value.
    GreaterThan,
    /// The label is an integer below the value.
    LessThan,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: Str,
    operator: Operator,
    /// Sorted; the number of values suits the operator.
    values: Vec<Str>,
}

impl Requirement {
    /// A checked requirement. The error lists, in upstream's words, all that is wrong.
    pub fn new(key: Str, operator: Operator, values: Vec<Str>) -> Result<Requirement, String> {
        let mut problems = Vec::new();
        problems.extend(label_key_problem("key", &key));
        let count_rule = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                Some("for 'in', 'notin' operators, values set can't be empty")
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if values.len() != 1 => {
                Some("exact-match compatibility requires one single value")
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                Some("values set must be empty for exists and does not exist")
            }
            Operator::GreaterThan | Operator::LessThan if values.len() != 1 => {
                Some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            _ => None,
        };
        if let Some(rule) = count_rule {
            let list: Vec<&str> = values.iter().map(AsRef::as_ref).gather();
            problems.push(format!("values: Invalid value: {}: {rule}", serde_json::json!(list)));
        }
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (index, value) in values.iter().enumerate().filter(|(_, value)| integer(value).is_none()) {
                problems.push(format!(
                    "values[{index}]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an integer",
                    go_quote(value)
                ));
            }
        }
        for (index, value) in values.iter().enumerate() {
            let wrong = is_valid_label_value(value);
            if !wrong.is_empty() {
                let quoted = go_quote(value);
                problems
                    .push(format!("values[{index}][{key}]: Invalid value: {quoted}: {}", wrong.join("; ")));
            }
        }
        aggregate(problems)?;
        let mut values = values;
        order::sort(&mut values);
        Ok(Requirement { key, operator, values })
    }

    /// The label's key.
    pub fn key(&self) -> &Str {
        &self.key
    }

    /// The comparison.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values to compare with, sorted.
    pub fn values(&self) -> &[Str] {
        &self.values
    }

    /// Whether labels meet this requirement.
    pub fn matches(&self, labels: &Map<Str, Str>) -> bool {
        let label = labels.get(&self.key);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => {
                label.is_some_and(|value| self.values.contains(value))
            }
            Operator::NotIn | Operator::NotEquals => label.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan => self.compares(label, |label, bound| label > bound),
            Operator::LessThan => self.compares(label, |label, bound| label < bound),
        }
    }

    fn compares(&self, label: Option<&Str>, holds: fn(i64, i64) -> bool) -> bool {
        let bound = self.values.first().and_then(|value| integer(value));
        let label = label.and_then(|value| integer(value));
        matches!((label, bound), (Some(label), Some(bound)) if holds(label, bound))
    }

    /// The value that every match must have, if there is just one.
    fn exact_value(&self) -> Option<&Str> {
        match (self.operator, self.values.as_slice()) {
            (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requirement { key, operator, values } = self;
        let values = values.join(",");
        match operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// Requirements that must all hold, sorted by key; without any it matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

impl Selector {
    /// Reads the text form, as of `kubectl get -l`. The error is upstream's text.
    pub fn parse(text: &str) -> Result<Selector, String> {
        parse::requirements(text).map(Selector::sorted)
    }

    /// The selector of exactly these labels. Nothing is checked (`SelectorFromSet`).
    pub fn from_match_labels(labels: &Map<Str, Str>) -> Selector {
        let requirements = labels
            .iter()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::Equals,
                values: vec![value.clone()],
            })
            .gather();
        Selector { requirements }
    }

    /// A selector of these requirements; requirements on one key keep their order.
    pub fn sorted(mut requirements: Vec<Requirement>) -> Selector {
        order::sort_by(&mut requirements, |a, b| a.key.cmp(&b.key));
        Selector { requirements }
    }

    /// The requirements, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether the selector matches everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels meet all requirements.
    pub fn matches(&self, labels: &Map<Str, Str>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// The labels that every match must have, for looking up candidates in an index.
    pub fn exact_pairs(&self) -> impl Iterator<Item = (&Str, &Str)> {
        self.requirements
            .iter()
            .filter_map(|requirement| Some((&requirement.key, requirement.exact_value()?)))
    }
}

impl fmt::Display for Selector {
    /// The canonical text, which `parse` reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

/// The object form of a selector in the API. Where a field holds none, nothing is selected; an empty
/// one selects everything.
#[derive(Clone, Debug, Default, Eq)]
pub struct LabelSelector {
    /// Labels that must be there with these values.
    pub match_labels: Map<Str, Str>,
    /// Further requirements.
    pub match_expressions: Vec<LabelSelectorRequirement>,
    /// Whether it was written down, if only as an empty one, where a kind insists on it.
    pub is_given: bool,
}

/// What is selected counts, not how it came to be.
impl PartialEq for LabelSelector {
    fn eq(&self, other: &Self) -> bool {
        self.match_labels == other.match_labels && self.match_expressions == other.match_expressions
    }
}

/// One of `matchExpressions`, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelectorRequirement {
    /// The label's key.
    pub key: Str,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: Str,
    /// The values to compare with.
    pub values: Vec<Str>,
}

impl LabelSelector {
    /// The checked selector. The error is upstream's text.
    pub fn to_selector(&self) -> Result<Selector, String> {
        let labels = self
            .match_labels
            .iter()
            .map(|(key, value)| Requirement::new(key.clone(), Operator::Equals, vec![value.clone()]));
        let expressions = self.match_expressions.iter().map(LabelSelectorRequirement::to_requirement);
        labels.chain(expressions).collect::<Result<_, _>>().map(Selector::sorted)
    }
    /// A selector, or none, as Go's generated `String` prints it, which is what some of upstream's messages hold.
    pub fn go_text(selector: Option<&Self>) -> String {
        let Some(selector) = selector else { return "nil".into() };
        let labels: String =
            selector.match_labels.iter().map(|(key, value)| format!("{key}: {value},")).collect();
        let requirement = |r: &LabelSelectorRequirement| {
            let values = r.values.join(" ");
            format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", r.key, r.operator)
        };
        let expressions: String = selector.match_expressions.iter().map(requirement).collect();
        format!(
            "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
             MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
        )
    }
}

impl LabelSelectorRequirement {
    fn to_requirement(&self) -> Result<Requirement, String> {
        let operator = match self.operator.as_ref() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(format!("{} is not a valid label selector operator", go_quote(other))),
        };
        Requirement::new(self.key.clone(), operator, self.values.clone())
    }
}

fn label_key_problem(path: &str, key: &str) -> Option<String> {
    let wrong = is_qualified_name(key);
    (!wrong.is_empty()).then(|| format!("{path}: Invalid value: {}: {}", go_quote(key), wrong.join("; ")))
}

/// Upstream's aggregate of field errors: one stands alone, several are listed in brackets, each once.
fn aggregate(mut problems: Vec<String>) -> Result<(), String> {
    let mut seen = Set::new();
    problems.retain(|problem| seen.insert(problem.clone()));
    match problems.as_slice() {
        [] => Ok(()),
        [problem] => Err(problem.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

/// An integer as Go's `ParseInt(text, 10, 64)` reads it, which is as Rust does.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}
