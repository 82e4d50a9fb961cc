//! Where something is wrong, what kind of wrong it is, and upstream's text for it.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/util/validation/field/{errors,path}.go.

use crate::Gather as _;
use crate::text::go_quote;
use crate::{IntOrPercent, Quantity, Str};
use serde_json::Value;
use std::fmt;

/// What kind of wrong a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum CauseKind {
    Required,
    Invalid,
    NotSupported,
    Forbidden,
    Duplicate,
    NotFound,
    TooLong,
    TooMany,
}

impl CauseKind {
    /// The word of the API, as in the `reason` of a cause.
    pub fn as_str(self) -> &'static str {
        match self {
            CauseKind::Required => "FieldValueRequired",
            CauseKind::Invalid => "FieldValueInvalid",
            CauseKind::NotSupported => "FieldValueNotSupported",
            CauseKind::Forbidden => "FieldValueForbidden",
            CauseKind::Duplicate => "FieldValueDuplicate",
            CauseKind::NotFound => "FieldValueNotFound",
            CauseKind::TooLong => "FieldValueTooLong",
            CauseKind::TooMany => "FieldValueTooMany",
        }
    }

    fn label(self) -> &'static str {
        match self {
            CauseKind::Required => "Required value",
            CauseKind::Invalid => "Invalid value",
            CauseKind::NotSupported => "Unsupported value",
            CauseKind::Forbidden => "Forbidden",
            CauseKind::Duplicate => "Duplicate value",
            CauseKind::NotFound => "Not found",
            CauseKind::TooLong => "Too long",
            CauseKind::TooMany => "Too many",
        }
    }
}

/// One thing that is wrong with an object. Displays as upstream: `spec.replicas: Invalid value: -1: must be ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of wrong.
    pub kind: CauseKind,
    /// Path of the field, such as `spec.containers[0].image`.
    pub field: String,
    /// What is wrong, without the path.
    pub message: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The path of a field: steps that point back at one another, so that nothing is built where nothing is wrong.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    before: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    pub(super) const fn root(name: &'a str) -> Self {
        Path { before: None, step: Step::Field(name) }
    }
    pub(super) fn child(&'a self, name: &'a str) -> Path<'a> {
        Path { before: Some(self), step: Step::Field(name) }
    }
    pub(super) fn index(&'a self, index: usize) -> Path<'a> {
        Path { before: Some(self), step: Step::Index(index) }
    }
    pub(super) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { before: Some(self), step: Step::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{before}")?;
        }
        match self.step {
            Step::Field(name) if self.before.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// A wrong value as upstream prints it: texts as `%q`, numbers plain, everything else as JSON.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

/// Text that is already in upstream's form.
pub(super) struct Raw(pub String);

/// A value that is not shown.
pub(super) struct Omitted;

impl Shown for Omitted {
    fn shown(&self) -> String {
        String::new()
    }
}
impl Shown for Raw {
    fn shown(&self) -> String {
        self.0.clone()
    }
}
impl Shown for &str {
    fn shown(&self) -> String {
        go_quote(self)
    }
}
impl Shown for &Str {
    fn shown(&self) -> String {
        go_quote(self)
    }
}
impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for i32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for i64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for &Value {
    fn shown(&self) -> String {
        self.to_string()
    }
}
impl Shown for &Quantity {
    fn shown(&self) -> String {
        go_quote(&self.to_string())
    }
}
impl Shown for &IntOrPercent {
    fn shown(&self) -> String {
        match self {
            IntOrPercent::Int(count) => count.to_string(),
            IntOrPercent::Text(text) => go_quote(text),
        }
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Errors {
    causes: Vec<Cause>,
}

impl Errors {
    pub(super) fn into_causes(self) -> Vec<Cause> {
        self.causes
    }
    pub(super) fn extend(&mut self, causes: Vec<Cause>) {
        self.causes.extend(causes);
    }
    pub(super) fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }
    pub(super) fn count(&self) -> usize {
        self.causes.len()
    }

    fn add(&mut self, kind: CauseKind, at: &Path, value: Option<String>, detail: &str) {
        let mut message = kind.label().to_owned();
        let value = value.as_deref().filter(|value| !value.is_empty());
        for part in value.into_iter().chain((!detail.is_empty()).then_some(detail)) {
            message.push_str(": ");
            message.push_str(part);
        }
        self.causes.push(Cause { kind, field: at.to_string(), message });
    }

    pub(super) fn required(&mut self, at: &Path, detail: &str) {
        self.add(CauseKind::Required, at, None, detail);
    }
    pub(super) fn forbidden(&mut self, at: &Path, detail: &str) {
        self.add(CauseKind::Forbidden, at, None, detail);
    }
    pub(super) fn invalid(&mut self, at: &Path, value: impl Shown, detail: &str) {
        self.add(CauseKind::Invalid, at, Some(value.shown()), detail);
    }
    pub(super) fn duplicate(&mut self, at: &Path, value: impl Shown, detail: &str) {
        self.add(CauseKind::Duplicate, at, Some(value.shown()), detail);
    }
    pub(super) fn not_found(&mut self, at: &Path, value: impl Shown, detail: &str) {
        self.add(CauseKind::NotFound, at, Some(value.shown()), detail);
    }
    pub(super) fn not_supported(&mut self, at: &Path, value: impl Shown, supported: &[&str]) {
        let quoted: Vec<String> = supported.iter().map(|value| go_quote(value)).gather();
        let detail = format!("supported values: {}", quoted.join(", "));
        self.add(CauseKind::NotSupported, at, Some(value.shown()), &detail);
    }
    pub(super) fn too_long(&mut self, at: &Path, limit: usize) {
        self.add(CauseKind::TooLong, at, None, &format!("may not be more than {limit} bytes"));
    }
    pub(super) fn too_many(&mut self, at: &Path, count: usize, limit: usize) {
        let detail = format!("must have at most {limit} items");
        self.add(CauseKind::TooMany, at, Some(count.to_string()), &detail);
    }

    /// One `Invalid` for each problem of a text.
    pub(super) fn problems(&mut self, at: &Path, value: &str, problems: Vec<String>) {
        for problem in problems {
            self.invalid(at, value, &problem);
        }
    }
    /// The value must not be below 0.
    pub(super) fn nonnegative(&mut self, at: &Path, value: i64) {
        if value < 0 {
            self.invalid(at, value, "must be greater than or equal to 0");
        }
    }
    /// The value must be there, and one of a set.
    pub(super) fn one_of(&mut self, at: &Path, value: &str, supported: &[&str]) {
        if value.is_empty() {
            self.required(at, "");
        } else if !supported.contains(&value) {
            self.not_supported(at, value, supported);
        }
    }
    /// The value must be a port number.
    pub(super) fn port_number(&mut self, at: &Path, port: i64) {
        if !(1..=65535).contains(&port) {
            self.invalid(at, port, "must be between 1 and 65535, inclusive");
        }
    }
    /// The value must be the number or the name of a port.
    pub(super) fn port(&mut self, at: &Path, port: &IntOrPercent) {
        match port {
            IntOrPercent::Int(number) => self.port_number(at, i64::from(*number)),
            IntOrPercent::Text(name) => self.problems(at, name, crate::names::is_valid_port_name(name)),
        }
    }
}
