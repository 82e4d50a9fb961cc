//! The walk over a tree beside the types that it should have.

use super::go;
use crate::schema::{Field, FieldType, Scalar, Type};
use crate::text::{did_you_mean, go_quote};
use crate::{Gather as _, Quantity, Time};
use serde_json::Value;

/// How bad a problem is for the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value of an own form (a quantity, a time) that has not this form: reading ends here.
    Value,
    /// A value of another type: read on, and fail at the end.
    Type,
    /// A field that the type has not.
    Unknown,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub fault: Fault,
    /// Path of the field: `spec.containers[0].image`.
    pub path: String,
    /// Upstream's words.
    pub message: String,
    /// What to do about it, a sentence.
    pub suggestion: Option<String>,
}

/// One step into the tree.
enum Step {
    Field { name: &'static str, owner: Type },
    Key(String),
    Index(usize),
}

struct Walk {
    steps: Vec<Step>,
    problems: Vec<Problem>,
}

/// Finds what does not fit a type, takes unknown fields and nulls out, and brings values into their stored form.
pub(super) fn walk(of: Type, value: &mut Value) -> Vec<Problem> {
    let mut walk = Walk { steps: Vec::new(), problems: Vec::new() };
    walk.object(of, value);
    walk.problems
}

/// What JSON calls a value in Go's messages.
pub(crate) fn json_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Walk {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Field { name, .. } => push(&mut path, name),
                Step::Key(key) => push(&mut path, key),
            }
        }
        path
    }

    /// `Go struct field ContainerPort.spec.containers.ports.containerPort`: the struct, and the names of all fields on the
    /// way with those of embedded structs; `Go value` outside of any.
    fn go_place(&self) -> String {
        let mut names = String::new();
        let mut last = None;
        for step in &self.steps {
            if let Step::Field { name, owner } = step {
                if let Some(embedded) = go::embedded(*owner, name) {
                    push(&mut names, embedded);
                }
                push(&mut names, name);
                last = Some(owner);
            }
        }
        match last {
            Some(owner) => format!("Go struct field {}.{names}", owner.short_name()),
            None => "Go value".to_owned(),
        }
    }

    fn add(&mut self, fault: Fault, message: String, suggestion: Option<String>) {
        let path = self.path();
        self.problems.push(Problem { fault, path, message, suggestion });
    }

    fn mismatch(&mut self, what: &str, go_type: &str, wanted: &str) {
        let message = format!("json: cannot unmarshal {what} into {} of type {go_type}", self.go_place());
        self.add(Fault::Type, message, Some(format!("Write {wanted} here.")));
    }

    fn object(&mut self, of: Type, value: &mut Value) {
        let Value::Object(map) = value else {
            self.mismatch(json_name(value), &of.go_name(), "fields, one a line");
            return;
        };
        let mut dropped = Vec::new();
        for (key, value) in map.iter_mut() {
            match of.field(key) {
                None => {
                    self.unknown(of, key);
                    dropped.push(key.clone());
                }
                Some(_) if value.is_null() => dropped.push(key.clone()),
                Some(field) => {
                    self.steps.push(Step::Field { name: field.name, owner: of });
                    self.value(field, field.of, value);
                    self.steps.pop();
                }
            }
        }
        for key in dropped {
            map.remove(&key);
        }
    }

    fn unknown(&mut self, of: Type, key: &str) {
        let mut path = self.path();
        push(&mut path, key);
        let names: Vec<&str> = of.fields().map(|field| field.name).gather();
        let suggestion = did_you_mean(key, names).map(|near| format!("Did you mean {near}?"));
        let message = format!("unknown field {}", go_quote(&path));
        self.problems.push(Problem { fault: Fault::Unknown, path, message, suggestion });
    }

    fn value(&mut self, field: Field, of: FieldType, value: &mut Value) {
        if let Some(item) = of.item() {
            let Value::Array(items) = value else {
                let go_type = go::type_name(field, of);
                return self.mismatch(json_name(value), &go_type, "a list, each item after a dash,");
            };
            for (index, value) in items.iter_mut().enumerate() {
                self.steps.push(Step::Index(index));
                self.value(field, item, value);
                self.steps.pop();
            }
        } else if let Some(inner) = of.value() {
            let Value::Object(map) = value else {
                let go_type = go::type_name(field, of);
                return self.mismatch(json_name(value), &go_type, "names with values, one a line,");
            };
            for (key, value) in map.iter_mut() {
                self.steps.push(Step::Key(key.clone()));
                self.value(field, inner, value);
                self.steps.pop();
            }
        } else if let Some(inner) = of.object() {
            // A null in a list is an empty value.
            if !value.is_null() {
                self.object(inner, value);
            }
        } else if let Some(scalar) = of.scalar() {
            self.scalar(field, of, scalar, value);
        }
    }

    fn scalar(&mut self, field: Field, of: FieldType, scalar: Scalar, value: &mut Value) {
        let fits = match scalar {
            Scalar::String | Scalar::Bytes => value.is_string(),
            Scalar::Bool => value.is_boolean(),
            Scalar::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Scalar::Int64 => value.as_i64().is_some(),
            Scalar::Double => value.is_number(),
            Scalar::Object => value.is_object(),
            Scalar::Any | Scalar::Quantity | Scalar::Time | Scalar::MicroTime | Scalar::IntOrString => true,
        };
        if value.is_null() {
            return;
        }
        if !fits {
            let what = match &*value {
                Value::Number(number) if matches!(scalar, Scalar::Int32 | Scalar::Int64) => {
                    format!("number {number}")
                }
                other => json_name(other).to_owned(),
            };
            let wanted = match (scalar, &*value) {
                (Scalar::String | Scalar::Bytes, Value::Number(_) | Value::Bool(_)) => {
                    format!("text in quotes, such as \"{value}\",")
                }
                (Scalar::String | Scalar::Bytes, _) => "a text".to_owned(),
                (Scalar::Bool, _) => "true or false, without quotes,".to_owned(),
                (Scalar::Object, _) => "fields, one a line".to_owned(),
                _ => "a number without quotes".to_owned(),
            };
            let go_type = go::type_name(field, of);
            return self.mismatch(&what, &go_type, &wanted);
        }
        match scalar {
            Scalar::Quantity => self.quantity(value),
            Scalar::Time => self.time(value, false),
            Scalar::MicroTime => self.time(value, true),
            Scalar::IntOrString => self.int_or_string(value),
            Scalar::Bytes => self.bytes(value),
            _ => {}
        }
    }

    fn quantity(&mut self, value: &mut Value) {
        let text = match &*value {
            Value::String(text) => text.clone(),
            // Anything else is taken by its letters, and those of a word or a list are no amount.
            other => other.to_string(),
        };
        match Quantity::parse(text.trim()) {
            Ok(quantity) => *value = Value::String(quantity.to_string()),
            Err(error) => {
                let advice = "Write an amount such as 500m, 2, 64Mi or 1.5Gi.";
                self.add(Fault::Value, error.to_string(), Some(advice.into()));
            }
        }
    }

    fn time(&mut self, value: &mut Value, in_micros: bool) {
        let example = if in_micros { "2026-01-31T15:04:05.000000Z" } else { "2026-01-31T15:04:05Z" };
        let advice = || Some(format!("Write a time such as {example}."));
        match &*value {
            Value::String(text)
                if Time::parse_rfc3339(text).is_some() && (!in_micros || go::has_micros(text)) => {}
            Value::String(text) => {
                let message = format!("parsing time {}{}", go_quote(text), go::time_fault(text, in_micros));
                self.add(Fault::Value, message, advice());
            }
            other => {
                let message = format!(
                    "json: cannot unmarshal {} into {} of type string",
                    json_name(other),
                    self.go_place()
                );
                self.add(Fault::Value, message, advice());
            }
        }
    }

    fn int_or_string(&mut self, value: &mut Value) {
        let what = match &*value {
            Value::String(_) => return,
            Value::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => return,
            Value::Number(number) => format!("number {number}"),
            other => json_name(other).to_owned(),
        };
        let message = format!("json: cannot unmarshal {what} into {} of type int32", self.go_place());
        self.add(Fault::Value, message, Some("Write a number, or a text such as \"25%\", here.".into()));
    }

    fn bytes(&mut self, value: &mut Value) {
        let Value::String(text) = &*value else { return };
        if let Err(at) = go::base64(text) {
            let advice = "Encode the value with base64, or write it as it is under stringData.";
            let message = format!("illegal base64 data at input byte {at}");
            self.add(Fault::Type, message, Some(advice.into()));
        }
    }
}

fn push(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}
