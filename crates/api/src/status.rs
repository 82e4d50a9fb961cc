//! Refusals of the API server, in upstream's words.
//!
//! Upstream: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.

use crate::Kind;
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
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Why.
    pub reason: Reason,
    /// Upstream's message.
    pub message: String,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Status {
    /// No object of that name.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Self { reason: Reason::NotFound, message: format!("{} {name:?} not found", kind.resource()) }
    }
    /// The name is taken.
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        Self {
            reason: Reason::AlreadyExists,
            message: format!("{} {name:?} already exists", kind.resource()),
        }
    }
    /// The object has changed since it was read.
    pub fn conflict(kind: Kind, name: &str) -> Self {
        let text =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self {
            reason: Reason::Conflict,
            message: format!("Operation cannot be fulfilled on {} {name:?}: {text}", kind.resource()),
        }
    }
    /// Not allowed, with the reason.
    pub fn forbidden(kind: Kind, name: &str, why: &str) -> Self {
        Self {
            reason: Reason::Forbidden,
            message: format!("{} {name:?} is forbidden: {why}", kind.resource()),
        }
    }
    /// Fields that do not hold, each as upstream's field error text.
    pub fn invalid(kind: Kind, name: &str, errors: &[String]) -> Self {
        let resource = if kind.group().is_empty() {
            kind.as_str().to_string()
        } else {
            format!("{}.{}", kind.as_str(), kind.group())
        };
        let list = match errors {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        Self { reason: Reason::Invalid, message: format!("{resource} {name:?} is invalid: {list}") }
    }
}
