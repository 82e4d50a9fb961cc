//! kubectl's JSONPath: templates such as `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! Upstream: staging/src/k8s.io/client-go/util/jsonpath/jsonpath.go.
//! Simplified: fields of a mapping come in the order of their names, where upstream has none.

mod go;
mod parse;

pub use go::{compare, go_syntax, go_type, go_value};
pub use parse::unquote;
use parse::{Bound, Node};
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Steps after which a template is given up: it would print more than anybody reads.
const MAX_STEPS: usize = 2_000_000;

/// A template that has been read.
pub struct JsonPath {
    nodes: Vec<Node>,
    /// Whether fields that are not there print nothing, rather than being an error.
    allows_missing: bool,
}

type Values<'a> = Vec<Cow<'a, Value>>;

impl JsonPath {
    /// Reads a template.
    ///
    /// # Errors
    /// Upstream's text.
    pub fn parse(text: &str, allows_missing: bool) -> Result<Self, String> {
        Ok(Self { nodes: parse::template(text)?, allows_missing })
    }

    /// What the template prints about a value.
    ///
    /// # Errors
    /// Upstream's text.
    pub fn print(&self, data: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.find(data)? {
            let texts: Vec<String> = results.iter().map(|value| printed(value)).collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }

    /// What each part of the template finds.
    ///
    /// # Errors
    /// Upstream's text.
    pub fn find<'a>(&'a self, data: &'a Value) -> Result<Vec<Values<'a>>, String> {
        let mut walk = Walk {
            allows_missing: self.allows_missing,
            begun: 0,
            inside: 0,
            ended: 0,
            last_end: 0,
            steps: 0,
        };
        walk.run(&self.nodes, 0, &Cow::Borrowed(data))
    }
}

/// A value as the template prints it: texts as they are, the rest as JSON.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".into(),
        other => super::print::compact_json(other),
    }
}

struct Walk {
    allows_missing: bool,
    /// Ranges that have been opened and not entered.
    begun: usize,
    inside: usize,
    /// Ends that have been met and not gone back through.
    ended: usize,
    /// The node of the newest end.
    last_end: usize,
    steps: usize,
}

impl Walk {
    /// Runs the nodes from an index on, with a value as the current one.
    fn run<'a>(
        &mut self,
        nodes: &'a [Node],
        from: usize,
        data: &Cow<'a, Value>,
    ) -> Result<Vec<Values<'a>>, String> {
        let mut results = Vec::new();
        let mut index = from;
        while let Some(node) = nodes.get(index) {
            let found = self.step(node, vec![data.clone()])?;
            if self.ended > 0 && self.ended <= self.inside {
                self.ended -= 1;
                self.last_end = index;
                break;
            }
            if self.begun > 0 {
                self.begun -= 1;
                self.inside += 1;
                // Without anything to go over, the inside is still walked, to find its end.
                let is_empty = found.is_empty();
                let over = if is_empty { vec![Cow::Owned(Value::Null)] } else { found };
                let before = self.allows_missing;
                self.allows_missing |= is_empty;
                self.last_end = nodes.len();
                for value in over {
                    let inner = self.run(nodes, index + 1, &value)?;
                    if !is_empty {
                        results.extend(inner);
                    }
                }
                self.allows_missing = before;
                self.inside -= 1;
                index = self.last_end.max(index);
            } else {
                results.push(found);
            }
            index += 1;
        }
        Ok(results)
    }

    fn steps<'a>(&mut self, nodes: &'a [Node], input: Values<'a>) -> Result<Values<'a>, String> {
        nodes.iter().try_fold(input, |values, node| self.step(node, values))
    }

    fn step<'a>(&mut self, node: &'a Node, input: Values<'a>) -> Result<Values<'a>, String> {
        self.steps += 1 + input.len();
        if self.steps > MAX_STEPS {
            return Err("the template is too much work".into());
        }
        Ok(match node {
            Node::List(nodes) => self.steps(nodes, input)?,
            Node::Text(text) => vec![Cow::Owned(Value::from(&**text))],
            Node::Int(number) => input.iter().map(|_| Cow::Owned(Value::from(*number))).collect(),
            Node::Float(number) => input.iter().map(|_| Cow::Owned(Value::from(*number))).collect(),
            Node::Bool(value) => input.iter().map(|_| Cow::Owned(Value::from(*value))).collect(),
            Node::Field(name) => self.field(name, input)?,
            Node::Wildcard => input.into_iter().flat_map(|value| children(value)).collect(),
            Node::Recursive => self.recursive(input)?,
            Node::Slice(bounds) => sliced(bounds, input)?,
            Node::Filter { left, operator, right } => self.filter(left, operator, right, input)?,
            Node::Union(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    found.extend(self.steps(part, input.clone())?);
                }
                found
            }
            Node::Identifier(word) => return self.identifier(word, input),
        })
    }

    fn identifier<'a>(&mut self, word: &str, input: Values<'a>) -> Result<Values<'a>, String> {
        match word {
            "range" => self.begun += 1,
            "end" if self.inside > 0 => {
                self.ended += 1;
                return Ok(Vec::new());
            }
            "end" => return Err("not in range, nothing to end".into()),
            other => return Err(format!("unrecognized identifier {other}")),
        }
        Ok(input)
    }

    fn field<'a>(&self, name: &str, input: Values<'a>) -> Result<Values<'a>, String> {
        let of = |value: Cow<'a, Value>| match value {
            // `{.}` is the value itself.
            value if name.is_empty() => Some(value),
            Cow::Borrowed(value) => value.get(name).map(Cow::Borrowed),
            Cow::Owned(value) => value.get(name).cloned().map(Cow::Owned),
        };
        let found: Values = input.into_iter().filter_map(of).collect();
        if found.is_empty() && !self.allows_missing {
            return Err(format!("{name} is not found"));
        }
        Ok(found)
    }

    /// Everything below, each value after what holds it.
    fn recursive<'a>(&mut self, input: Values<'a>) -> Result<Values<'a>, String> {
        let mut found = Vec::new();
        let mut stack: Values = input.into_iter().rev().collect();
        while let Some(value) = stack.pop() {
            let below = children(value.clone());
            if !below.is_empty() {
                self.steps += below.len();
                if self.steps > MAX_STEPS {
                    return Err("the template is too much work".into());
                }
                stack.extend(below.into_iter().rev());
                found.push(value);
            }
        }
        Ok(found)
    }

    fn filter<'a>(
        &mut self,
        left: &'a [Node],
        operator: &str,
        right: &'a [Node],
        input: Values<'a>,
    ) -> Result<Values<'a>, String> {
        let mut found = Vec::new();
        for value in input.into_iter().filter(|value| !value.is_null()) {
            if !value.is_array() {
                return Err(format!("{} is not array or slice and cannot be filtered", go_value(&value)));
            }
            for item in children(value) {
                let lefts = self.steps(left, vec![item.clone()]);
                if operator == "exists" {
                    if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                        found.push(item);
                    }
                    continue;
                }
                let Some(a) = only(lefts?)? else { continue };
                let Some(b) = only(self.steps(right, vec![item.clone()])?)? else { continue };
                if passes(operator, &a, &b)? {
                    found.push(item);
                }
            }
        }
        Ok(found)
    }
}

/// The one value of a side of a comparison, if there is any.
fn only<'a>(mut values: Values<'a>) -> Result<Option<Cow<'a, Value>>, String> {
    if values.len() > 1 {
        return Err("can only compare one element at a time".into());
    }
    Ok(values.pop())
}

fn passes(operator: &str, a: &Value, b: &Value) -> Result<bool, String> {
    let order = |wanted: &dyn Fn(Ordering) -> bool| compare(a, b, true).map(wanted);
    match operator {
        "==" => compare(a, b, false).map(Ordering::is_eq),
        "!=" => compare(a, b, false).map(Ordering::is_ne),
        "<" => order(&Ordering::is_lt),
        "<=" => order(&Ordering::is_le),
        ">" => order(&Ordering::is_gt),
        ">=" => order(&Ordering::is_ge),
        other => Err(format!("unrecognized filter operator {other}")),
    }
}

/// The items of a list, the values of a mapping.
fn children(value: Cow<Value>) -> Values {
    match value {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Object(map)) => map.values().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        Cow::Owned(Value::Object(map)) => map.into_values().map(Cow::Owned).collect(),
        _ => Vec::new(),
    }
}

fn sliced<'a>(bounds: &[Bound; 3], input: Values<'a>) -> Result<Values<'a>, String> {
    let [from, to, step] = bounds;
    let mut found = Vec::new();
    for value in input {
        if value.is_null() {
            continue;
        }
        if !value.is_array() {
            return Err(format!("{} is not array or slice", go_type(&value)));
        }
        let items = children(value);
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let mut first = if from.is_known { from.value } else { 0 };
        if first < 0 {
            first = first.saturating_add(length);
        }
        let mut end = if to.is_known { to.value } else { length };
        if end < 0 || (end == 0 && to.is_derived) {
            end = end.saturating_add(length);
        }
        if first == end {
            return Ok(found);
        }
        let outside = |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
        if first >= length || first < 0 {
            return outside(first);
        }
        if end > length || end < 0 {
            return outside(end - 1);
        }
        if first > end {
            return Err(format!("starting index {first} is greater than ending index {end}"));
        }
        if step.is_known && step.value <= 0 {
            return Err("step must be > 0".into());
        }
        let size = |number: i64| usize::try_from(number).unwrap_or(0);
        let stride = if step.is_known { size(step.value) } else { 1 };
        found.extend(items.into_iter().take(size(end)).skip(size(first)).step_by(stride.max(1)));
    }
    Ok(found)
}
