//! Refusals of the API server, in upstream's words.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.

use crate::validate::Cause;
use crate::{Kind, Object, schema};
use std::fmt;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Reason {
    NotFound,
    AlreadyExists,
    Conflict,
    Invalid,
    Forbidden,
    BadRequest,
    TooManyRequests,
    ServiceUnavailable,
    Timeout,
    MethodNotAllowed,
    UnsupportedMediaType,
    InternalError,
    /// A failure without a reason.
    Unknown,
}

impl Reason {
    /// The word of the API; kubectl prints it in brackets.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotFound => "NotFound",
            Reason::AlreadyExists => "AlreadyExists",
            Reason::Conflict => "Conflict",
            Reason::Invalid => "Invalid",
            Reason::Forbidden => "Forbidden",
            Reason::BadRequest => "BadRequest",
            Reason::TooManyRequests => "TooManyRequests",
            Reason::ServiceUnavailable => "ServiceUnavailable",
            Reason::Timeout => "Timeout",
            Reason::MethodNotAllowed => "MethodNotAllowed",
            Reason::UnsupportedMediaType => "UnsupportedMediaType",
            Reason::InternalError => "InternalError",
            Reason::Unknown => "",
        }
    }
    /// The code of HTTP.
    pub fn code(self) -> u16 {
        match self {
            Reason::BadRequest => 400,
            Reason::Forbidden => 403,
            Reason::NotFound => 404,
            Reason::MethodNotAllowed => 405,
            Reason::AlreadyExists | Reason::Conflict => 409,
            Reason::UnsupportedMediaType => 415,
            Reason::Invalid => 422,
            Reason::TooManyRequests => 429,
            Reason::InternalError | Reason::Unknown => 500,
            Reason::ServiceUnavailable => 503,
            Reason::Timeout => 504,
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Why.
    pub reason: Reason,
    /// Upstream's message.
    pub message: String,
    /// What it is about, where it is about an object.
    pub details: Option<Box<Details>>,
}

/// What a refusal is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Name of the object.
    pub name: String,
    /// Group of the object, empty for the core group.
    pub group: String,
    /// Kind of an object that does not hold (`Deployment`); resource of any other (`deployments`).
    pub kind: String,
    /// All that is wrong with the object's fields; kubectl prints a line for each.
    pub causes: Vec<Cause>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The name of what an object is one of.
struct Called {
    plural: String,
    group: String,
}

impl Called {
    fn of(kind: Kind) -> Self {
        Self { plural: kind.plural().into(), group: kind.group().into() }
    }
    fn resource(&self) -> String {
        let Self { plural, group } = self;
        if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") }
    }
    fn status(self, reason: Reason, name: &str, message: String) -> Status {
        let details = Details { name: name.into(), group: self.group, kind: self.plural, causes: Vec::new() };
        Status { reason, message, details: Some(Box::new(details)) }
    }
    fn not_found(self, name: &str) -> Status {
        let message = format!("{} {name:?} not found", self.resource());
        self.status(Reason::NotFound, name, message)
    }
    fn already_exists(self, name: &str) -> Status {
        let message = format!("{} {name:?} already exists", self.resource());
        self.status(Reason::AlreadyExists, name, message)
    }
    fn conflict(self, name: &str) -> Status {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: the object has been modified; please apply your changes to \
             the latest version and try again",
            self.resource()
        );
        self.status(Reason::Conflict, name, message)
    }
    fn forbidden(self, name: &str, why: &str) -> Status {
        let message = format!("{} {name:?} is forbidden: {why}", self.resource());
        self.status(Reason::Forbidden, name, message)
    }
}

impl Status {
    /// A refusal that is about no object.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), details: None }
    }
    /// A request that makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }
    /// No object of that name.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Called::of(kind).not_found(name)
    }
    /// The name is taken.
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        Called::of(kind).already_exists(name)
    }
    /// The object has changed since it was read.
    pub fn conflict(kind: Kind, name: &str) -> Self {
        Called::of(kind).conflict(name)
    }
    /// Not allowed, with the reason.
    pub fn forbidden(kind: Kind, name: &str, why: &str) -> Self {
        Called::of(kind).forbidden(name, why)
    }
    /// [`Self::not_found`] for a resource by its plural name and group.
    pub fn resource_not_found(plural: &str, group: &str, name: &str) -> Self {
        Called { plural: plural.into(), group: group.into() }.not_found(name)
    }
    /// [`Self::already_exists`] for an object of any kind.
    pub fn exists(object: &Object) -> Self {
        called(object).already_exists(&object.metadata().name)
    }
    /// [`Self::conflict`] for an object of any kind.
    pub fn outdated(object: &Object) -> Self {
        called(object).conflict(&object.metadata().name)
    }
    /// [`Self::forbidden`] for an object of any kind.
    pub fn refused(object: &Object, why: &str) -> Self {
        called(object).forbidden(&object.metadata().name, why)
    }
    /// Fields that do not hold.
    pub fn invalid(object: &Object, causes: Vec<Cause>) -> Self {
        let (kind, name) = (object.kind_name().to_string(), object.metadata().name.to_string());
        let group = object.group().to_string();
        let full = if group.is_empty() { kind.clone() } else { format!("{kind}.{group}") };
        // The message says everything once, even what two checks have found; kubectl's lines come from the causes.
        let mut texts: Vec<String> = Vec::new();
        for cause in &causes {
            let text = cause.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        Self {
            reason: Reason::Invalid,
            message: format!("{full} {name:?} is invalid: {list}"),
            details: Some(Box::new(Details { name, group, kind, causes })),
        }
    }
}

/// The plural of an object's kind; where only its definition knows it, the guess of upstream's `UnsafeGuessKindToResource`.
fn called(object: &Object) -> Called {
    let group = object.group().to_string();
    let served = schema::resource_of(&object.api_version(), &object.kind_name());
    let plural =
        served.map_or_else(|| guess_plural(&object.kind_name()), |resource| resource.plural.to_owned());
    Called { plural, group }
}

/// The plural that a kind's name suggests: `CronTab` gives `crontabs`.
fn guess_plural(kind: &str) -> String {
    let name = kind.to_ascii_lowercase();
    match name.as_bytes().last() {
        Some(b's') => format!("{name}es"),
        Some(b'y') => format!("{}ies", name.trim_end_matches('y')),
        _ => format!("{name}s"),
    }
}
